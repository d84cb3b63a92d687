import Foundation
import Glibc
import Synchronization

/// An issuer's place of keys on a free port of 127.0.0.1, which may behave as badly as such places do.
package final class KeySetServer: Sendable {
  package enum Behaviour: Sendable {
    case answers(String)
    case status(Int)
    case redirects
    /// Takes the request and says nothing, for so many milliseconds.
    case isSilent(UInt32)
    /// Sends its answer a byte at a time, for longer than anybody waits.
    case drips
    /// Answers without an end to its body.
    case isHuge
    /// Breaks off in the middle of its answer.
    case breaksOff
  }

  private let descriptor: Int32
  package let port: Int
  private let state: Mutex<(behaviour: Behaviour, calls: Int)>

  package init(_ behaviour: Behaviour) throws {
    state = Mutex((behaviour, 0))
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let (socket, size) = (descriptor, length)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(socket, address, size) == 0 && listen(socket, 128) == 0 && getsockname(socket, address, &length) == 0
      }
    }
    struct NoSocket: Error {}
    guard isBound else { throw NoSocket() }
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

  package convenience init(_ keys: [MintKey]) throws { try self.init(.answers(try TokenMint.set(keys))) }

  package var url: String { "http://127.0.0.1:\(port)/keys" }
  package var calls: Int { state.withLock { $0.calls } }
  package func behave(_ behaviour: Behaviour) { state.withLock { $0.behaviour = behaviour } }
  package func publish(_ keys: [MintKey]) throws { behave(.answers(try TokenMint.set(keys))) }

  package func stop() {
    shutdown(descriptor, Int32(SHUT_RDWR))
    close(descriptor)
  }

  private func serve(_ connection: Int32) {
    var (bytes, chunk) = ([UInt8](), [UInt8](repeating: 0, count: 4_096))
    while !String(decoding: bytes, as: UTF8.self).contains("\r\n\r\n") {
      let count = recv(connection, &chunk, chunk.count, 0)
      if count <= 0 { return }
      bytes += chunk[..<count]
    }
    func say(_ text: String) -> Bool {
      let bytes = Array(text.utf8)
      return send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
    }
    func answer(_ status: String, _ body: String = "", _ more: String = "") {
      _ = say(
        "HTTP/1.1 \(status)\r\n\(more)Content-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)")
    }
    let behaviour = state.withLock { state in
      state.calls += 1
      return state.behaviour
    }
    switch behaviour {
    case .answers(let body): answer("200 OK", body)
    case .status(let status): answer("\(status) Status")
    case .redirects: answer("302 Found", "", "Location: \(url)/elsewhere\r\n")
    case .isSilent(let milliseconds): usleep(milliseconds * 1_000)
    case .drips:
      for byte in "HTTP/1.1 200 OK\r\nX-Long: \(String(repeating: "x", count: 400))" {
        if !say(String(byte)) { return }
        usleep(50_000)
      }
    case .isHuge:
      _ = say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
      let chunk = "1000\r\n" + String(repeating: "z", count: 4_096) + "\r\n"
      for _ in 0..<100_000 where !say(chunk) { return }
    case .breaksOff: _ = say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"keys\"")
    }
  }
}
