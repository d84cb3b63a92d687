import Foundation
import Glibc
import Synchronization

/// A receiver of webhooks that may behave as badly as receivers do. It listens on a free port of 127.0.0.1.
package final class WebhookReceiver: Sendable {
  /// One request that came whole.
  package struct Call: Sendable {
    package let path: String
    /// Names in lower case.
    package let headers: [String: String]
    package let body: [UInt8]
    package let behaviour: Behaviour

    package var id: String { headers["webhook-id"] ?? "" }
    package var text: String { String(decoding: body, as: UTF8.self) }
  }

  package enum Behaviour: String, Sendable, CaseIterable {
    case accepts
    case fails, isBusy, redirects, refuses, isGone
    /// Holds the request without an answer, for two seconds.
    case isSilent
    /// Sends its answer a byte at a time, for longer than anybody waits.
    case drips
    /// Breaks off in the middle of its answer.
    case resets
    /// Closes without an answer.
    case closes
    /// Answers without an end to its body: taken by its status, and read no further than the limit.
    case isHuge
    /// Answers well, after the sender has given up.
    case isLate
    /// Answers well before the request was read.
    case isEarly

    /// Whether the sender may take it for delivered.
    package var isTaken: Bool { [.accepts, .isHuge, .isEarly].contains(self) }
  }

  private let descriptor: Int32
  package let port: Int
  private let calls = Mutex<[Call]>([])
  private let behave: @Sendable (_ path: String, _ webhookID: String, _ earlier: Int) -> Behaviour

  /// - Parameter behave: told how often the same event came before.
  package init(_ behave: @escaping @Sendable (String, String, Int) -> Behaviour = { _, _, _ in .accepts }) throws {
    self.behave = behave
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let (socket, size) = (descriptor, length)
    let bound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(socket, address, size) == 0 && listen(socket, 128) == 0 && getsockname(socket, address, &length) == 0
      }
    }
    guard bound else { throw HTTPFault.refused }
    port = Int(UInt16(bigEndian: address.sin_port))
    Thread.detachNewThread { [self] in
      while true {
        let connection = accept(descriptor, nil, nil)
        if connection < 0 { return }
        Thread.detachNewThread { [self] in
          serve(connection)
          close(connection)
        }
      }
    }
  }

  package func stop() {
    shutdown(descriptor, Int32(SHUT_RDWR))
    close(descriptor)
  }

  package var all: [Call] { calls.withLock { $0 } }
  package func url(_ path: String = "/") -> String { "http://127.0.0.1:\(port)\(path)" }

  private func serve(_ connection: Int32) {
    var bytes: [UInt8] = []
    func fill() -> Bool {
      var chunk = [UInt8](repeating: 0, count: 16 << 10)
      let count = recv(connection, &chunk, chunk.count, 0)
      if count <= 0 { return false }
      bytes += chunk[..<count]
      return true
    }
    func say(_ text: String) -> Bool {
      let bytes = Array(text.utf8)
      return send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
    }
    func end() -> Int? { bytes.indices.dropLast(3).first { bytes[$0..<$0 + 4].elementsEqual([13, 10, 13, 10]) } }
    while end() == nil { if !fill() { return } }
    let head = end() ?? 0
    let lines = String(decoding: bytes[..<head], as: UTF8.self).components(separatedBy: "\r\n")
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
    }
    let path = lines[0].split(separator: " ").dropFirst().first.map(String.init) ?? ""
    let length = Int(headers["content-length"] ?? "") ?? 0
    let id = headers["webhook-id"] ?? ""
    let behaviour = behave(path, id, all.count { $0.id == id && $0.path == path })
    let good = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
    if behaviour == .isEarly { _ = say(good) }
    while bytes.count < head + 4 + length { if !fill() { return } }
    let call = Call(
      path: path, headers: headers, body: Array(bytes[(head + 4)...].prefix(length)), behaviour: behaviour)
    calls.withLock { $0.append(call) }
    func answer(_ status: String, _ more: String = "") -> Bool {
      say("HTTP/1.1 \(status)\r\n\(more)Content-Length: 0\r\nConnection: close\r\n\r\n")
    }
    switch behaviour {
    case .accepts: _ = say(good)
    case .fails: _ = answer("500 Internal Server Error")
    case .isBusy: _ = answer("503 Service Unavailable", "Retry-After: 1\r\n")
    case .redirects: _ = answer("302 Found", "Location: \(url("/elsewhere"))\r\n")
    case .refuses: _ = answer("400 Bad Request")
    case .isGone: _ = answer("410 Gone")
    case .isSilent: usleep(2_000_000)
    case .drips:
      for byte in "HTTP/1.1 200 OK\r\nX-Long: \(String(repeating: "x", count: 100))" {
        if !say(String(byte)) { return }
        usleep(50_000)
      }
    case .resets:
      _ = say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
      var linger = linger(l_onoff: 1, l_linger: 0)
      setsockopt(connection, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
    case .closes: break
    case .isHuge:
      _ = say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
      let chunk = "1000\r\n" + String(repeating: "z", count: 4_096) + "\r\n"
      for _ in 0..<100_000 { if !say(chunk) { return } }
    case .isLate:
      usleep(2_000_000)
      _ = say(good)
    case .isEarly: break
    }
  }
}
