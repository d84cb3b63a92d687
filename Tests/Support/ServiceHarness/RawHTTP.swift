import Foundation
import Glibc
import StrictJSON

/// An answer that was read to its last byte.
package struct Answer: Sendable {
  package let status: Int
  /// Names in lower case.
  package let headers: [String: String]
  package let body: [UInt8]

  package var text: String { String(decoding: body, as: UTF8.self) }

  /// The body's members.
  /// - Throws: when it is not JSON.
  package func json() throws -> JSONNode {
    try JSONDocument(parsing: body, limits: JSONLimits(maxBytes: 16 << 20, maxMembers: 1_000_000)).root
  }

  /// A text member of the body.
  package func text(_ name: String) throws -> String {
    guard let value = try json()[name]?.asString else { throw HTTPFault.unexpected("no \(name) in \(status) \(text)") }
    return value
  }
}

/// Why there is no answer.
package enum HTTPFault: Error, Sendable {
  /// Nobody listens.
  case refused
  /// The connection ended before the first byte of an answer.
  case noAnswer
  /// An answer began and did not end: the one thing that must never happen while a service shuts down.
  case half(Int)
  /// The answer is none of this protocol, or not the expected one.
  case unexpected(String)
}

/// One keep-alive connection to 127.0.0.1 over plain sockets, so that tests can also send what no proper client would.
package final class RawHTTP {
  package let port: Int
  private var descriptor: Int32 = -1
  private var buffer: [UInt8] = []
  private let timeoutSeconds: Int
  /// Whether answers are held against the description; not where a service is about to be killed, or load is made.
  private let isDescribed: Bool

  package init(port: Int, timeoutSeconds: Int = 40, isDescribed: Bool = true) {
    self.port = port
    self.isDescribed = isDescribed
    self.timeoutSeconds = timeoutSeconds
  }

  deinit { disconnect() }

  package func disconnect() {
    if descriptor >= 0 { close(descriptor) }
    descriptor = -1
    buffer = []
  }

  package var isConnected: Bool { descriptor >= 0 }

  private func connectIfNeeded() throws {
    if descriptor >= 0 { return }
    let fresh = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard fresh >= 0 else { throw HTTPFault.unexpected("no socket") }
    var timeout = timeval(tv_sec: timeoutSeconds, tv_usec: 0)
    setsockopt(fresh, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    setsockopt(fresh, SOL_SOCKET, SO_SNDTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(UInt16(port)).bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let code = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(fresh, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard code == 0 else {
      close(fresh)
      throw HTTPFault.refused
    }
    descriptor = fresh
  }

  /// Sends a request and reads its whole answer. A failed connection is closed; the next call opens another.
  package func send(
    _ method: String, _ target: String, headers: [(String, String)] = [], body: [UInt8]? = nil
  ) throws -> Answer {
    var head = "\(method) \(target) HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    for (name, value) in headers { head += "\(name): \(value)\r\n" }
    if let body { head += "Content-Length: \(body.count)\r\n" }
    let answer = try exchange(Array((head + "\r\n").utf8) + (body ?? []))
    if isDescribed { try DescribedAnswers.shared.check(method, target, body, answer, port: port) }
    return answer
  }

  /// Sends bytes as they are and reads one answer.
  package func exchange(_ bytes: [UInt8]) throws -> Answer {
    do {
      try connectIfNeeded()
      write(bytes)
      let answer = try read()
      if answer.headers["connection"]?.lowercased() == "close" { disconnect() }
      return answer
    } catch {
      disconnect()
      throw error
    }
  }

  /// Writes what the peer takes. An early answer (413) may come with the connection closed to the rest, which is no fault.
  private func write(_ bytes: [UInt8]) {
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress.map { $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL))
      }
      if count < 0, errno == EINTR { continue }
      if count <= 0 { return }
      sent += count
    }
  }

  private func fill() throws {
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    let count = recv(descriptor, &chunk, chunk.count, 0)
    if count < 0, errno == EINTR { return }
    if count <= 0 { throw buffer.isEmpty ? HTTPFault.noAnswer : HTTPFault.half(buffer.count) }
    buffer += chunk[..<count]
  }

  /// Reads one more answer of the connection.
  package func read() throws -> Answer {
    let mark: [UInt8] = [13, 10, 13, 10]
    var end: Int?
    while end == nil {
      end = buffer.indices.dropLast(3).first { buffer[$0] == 13 && buffer[$0..<$0 + 4].elementsEqual(mark) }
      if end == nil { try fill() }
    }
    let headEnd = end ?? 0
    let lines = String(decoding: buffer[..<headEnd], as: UTF8.self).components(separatedBy: "\r\n")
    let words = lines[0].split(separator: " ", maxSplits: 2)
    guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
      throw HTTPFault.unexpected(lines[0])
    }
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
    }
    if headers["transfer-encoding"]?.lowercased() == "chunked" {
      buffer.removeFirst(headEnd + 4)
      return Answer(status: status, headers: headers, body: try readChunks())
    }
    let length = status == 304 || status == 204 ? 0 : Int(headers["content-length"] ?? "0") ?? 0
    while buffer.count < headEnd + 4 + length { try fill() }
    let body = Array(buffer[(headEnd + 4)..<(headEnd + 4 + length)])
    buffer.removeFirst(headEnd + 4 + length)
    return Answer(status: status, headers: headers, body: body)
  }

  /// A body that comes in pieces, to its end (RFC 9112, 7.1), without extensions and trailers.
  private func readChunks() throws -> [UInt8] {
    var body: [UInt8] = []
    while true {
      var end: Int?
      while end == nil {
        end = buffer.indices.dropLast().first { buffer[$0] == 13 && buffer[$0 + 1] == 10 }
        if end == nil { try fill() }
      }
      let line = String(decoding: buffer[..<(end ?? 0)], as: UTF8.self)
      guard let size = Int(line, radix: 16) else { throw HTTPFault.unexpected(line) }
      buffer.removeFirst((end ?? 0) + 2)
      while buffer.count < size + 2 { try fill() }
      body += buffer[..<size]
      buffer.removeFirst(size + 2)
      if size == 0 { return body }
    }
  }
}

extension RawHTTP {
  /// A POST of JSON with a key of its own.
  package func post(_ target: String, as key: String, _ body: String, idempotency: String) throws -> Answer {
    try send(
      "POST", target,
      headers: [
        ("Authorization", "Bearer \(key)"), ("Content-Type", "application/json"), ("Idempotency-Key", idempotency),
      ], body: Array(body.utf8))
  }

  package func get(_ target: String, as key: String) throws -> Answer {
    try send("GET", target, headers: [("Authorization", "Bearer \(key)")])
  }
}
