import Foundation

/// A connection whose bytes a test decides on, one by one: what no proper client would send, or how slowly.
package final class Wire {
  package let descriptor: Int32

  /// - Parameter receiveBuffer: bytes that the kernel keeps of what is not read; the usual when nil.
  package init(port: Int, receiveBuffer: Int32? = nil) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { throw HTTPFault.unexpected("no socket") }
    if var size = receiveBuffer {
      setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(UInt16(port)).bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let code = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
    }
    guard code == 0 else {
      close(descriptor)
      throw HTTPFault.refused
    }
  }

  deinit { close(descriptor) }

  /// Writes what the kernel takes without waiting.
  /// - Returns: false when the peer is gone.
  @discardableResult
  package func send(_ bytes: [UInt8], waiting: Bool = true) -> Bool {
    var sent = 0
    let flags = Int32(MSG_NOSIGNAL) | (waiting ? 0 : Int32(MSG_DONTWAIT))
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress.map { $0 + sent }, bytes.count - sent, flags)
      }
      if count < 0, errno == EINTR { continue }
      if count < 0, errno == EAGAIN { return true }
      if count <= 0 { return false }
      sent += count
    }
    return true
  }

  @discardableResult
  package func send(_ text: String, waiting: Bool = true) -> Bool { send(Array(text.utf8), waiting: waiting) }

  /// What is there now, at most so many bytes; nil once the peer has ended.
  package func take(atMost: Int = 64 << 10) -> [UInt8]? {
    var chunk = [UInt8](repeating: 0, count: atMost)
    let count = recv(descriptor, &chunk, atMost, Int32(MSG_DONTWAIT))
    if count < 0, errno == EAGAIN || errno == EINTR { return [] }
    return count <= 0 ? nil : Array(chunk[..<count])
  }

  /// Everything until the peer ends, or says nothing for `quiet` seconds.
  package func drain(quiet: Double) -> (bytes: [UInt8], ended: Bool) {
    var all: [UInt8] = []
    var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    while poll(&wait, 1, Int32(quiet * 1_000)) > 0 {
      guard let more = take() else { return (all, true) }
      all += more
    }
    return (all, false)
  }

  /// The answers in some bytes, by their stated length; interim answers are left out.
  package static func answers(in bytes: [UInt8], toHead: Bool = false) -> [Answer] {
    var answers: [Answer] = []
    var rest = bytes[...]
    while let end = rest.firstRange(of: Array("\r\n\r\n".utf8)) {
      let lines = String(decoding: rest[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
      let words = lines[0].split(separator: " ", maxSplits: 2)
      guard words.count >= 2, words[0] == "HTTP/1.1", let status = Int(words[1]) else { break }
      var headers: [String: String] = [:]
      for line in lines.dropFirst() {
        guard let colon = line.firstIndex(of: ":") else { continue }
        headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
      }
      let isEmpty = toHead || status < 200 || status == 204 || status == 304
      let length = isEmpty ? 0 : min(Int(headers["content-length"] ?? "0") ?? 0, rest.endIndex - end.upperBound)
      let body = Array(rest[end.upperBound..<end.upperBound + length])
      rest = rest[(end.upperBound + length)...]
      if status >= 200 { answers.append(Answer(status: status, headers: headers, body: body)) }
    }
    return answers
  }
}
