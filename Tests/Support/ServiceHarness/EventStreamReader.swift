import Foundation
import Glibc

/// One event of a stream, or a comment of it.
package struct StreamedEvent: Sendable, Hashable {
  /// Nil where the block set none.
  package var id: String?
  package var event: String?
  package var data: String?
  package var comment: String?
}

/// Reads server-sent events over a plain socket, so that it can be cut at any byte.
package final class EventStreamReader {
  private let descriptor: Int32
  private var raw: [UInt8] = []
  private var text: [UInt8] = []
  private var hasHead = false
  package private(set) var status = 0
  package private(set) var headers = ""
  /// The server ended it.
  package private(set) var isOver = false

  /// - Parameter headers: whole lines, such as `Last-Event-ID: 4`.
  package init(port: Int, _ target: String, as key: String, headers: [String] = []) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(UInt16(port).bigEndian)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let connected = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard connected == 0 else { throw HTTPFault.refused }
    let lines = ["GET \(target) HTTP/1.1", "Host: 127.0.0.1", "Authorization: Bearer \(key)"] + headers
    let request = Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    guard send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else {
      throw HTTPFault.noAnswer
    }
  }

  deinit { close(descriptor) }

  /// Reads what comes within so many milliseconds, and returns the whole blocks of it.
  package func read(milliseconds: Int32) -> [StreamedEvent] {
    var poller = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard !isOver, poll(&poller, 1, milliseconds) > 0 else { return [] }
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    let count = recv(descriptor, &chunk, chunk.count, 0)
    if count <= 0 {
      isOver = true
      return []
    }
    raw += chunk[..<count]
    if !hasHead { takeHead() }
    if hasHead { takeChunks() }
    return takeBlocks()
  }

  private func takeHead() {
    guard let end = raw.indices.dropLast(3).first(where: { raw[$0..<$0 + 4].elementsEqual([13, 10, 13, 10]) }) else {
      return
    }
    headers = String(decoding: raw[..<end], as: UTF8.self).lowercased()
    status = Int(headers.split(separator: " ").dropFirst().first ?? "") ?? 0
    raw.removeFirst(end + 4)
    hasHead = true
  }

  private func takeChunks() {
    if !headers.contains("transfer-encoding: chunked") { return }
    while let end = raw.indices.dropLast().first(where: { raw[$0] == 13 && raw[$0 + 1] == 10 }) {
      let line = String(decoding: raw[..<end], as: UTF8.self)
      guard let size = Int(line, radix: 16), raw.count >= end + 2 + size + 2 else { return }
      text += raw[(end + 2)..<(end + 2 + size)]
      raw.removeFirst(end + 2 + size + 2)
      if size == 0 { isOver = true }
    }
  }

  private func takeBlocks() -> [StreamedEvent] {
    var blocks: [StreamedEvent] = []
    while let end = text.indices.dropLast().first(where: { text[$0] == 10 && text[$0 + 1] == 10 }) {
      var block = StreamedEvent()
      for line in String(decoding: text[..<end], as: UTF8.self).split(separator: "\n") {
        let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let value = parts.count > 1 ? parts[1].drop { $0 == " " } : ""
        switch parts[0] {
        case "id": block.id = String(value)
        case "event": block.event = String(value)
        case "data": block.data = String(value)
        case "": block.comment = String(value)
        default: break
        }
      }
      blocks.append(block)
      text.removeFirst(end + 2)
    }
    return blocks
  }
}
