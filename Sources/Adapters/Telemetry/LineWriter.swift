import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Lines on their way to a descriptor. Whoever has a line leaves it here and goes on: a thread of its own writes, so that a
/// full disk or a reader that stands still holds up no request. What does not fit is dropped and counted.
package final class LineWriter: Sendable {
  private struct State {
    var waiting: [UInt8] = []
    var dropped = 0
    var isWriting = false
  }

  private let descriptor: Int32
  private let capacity: Int
  private let state = Mutex(State())

  /// - Parameter capacity: bytes that may wait.
  package init(descriptor: Int32, capacity: Int = 4 << 20) {
    self.descriptor = descriptor
    self.capacity = capacity
  }

  /// Lines that were dropped.
  package var dropped: Int { state.withLock { $0.dropped } }

  /// Adds a line without its end.
  package func add(_ line: [UInt8]) {
    let starts = state.withLock { state in
      guard state.waiting.count + line.count < capacity else {
        state.dropped += 1
        return false
      }
      state.waiting += line
      state.waiting.append(0x0A)
      defer { state.isWriting = true }
      return !state.isWriting
    }
    guard starts else { return }
    // A thread for as long as there is something to write: rare enough when idle, and one for many lines under load.
    var thread = pthread_t()
    let box = Unmanaged.passRetained(self)
    let code = pthread_create(
      &thread, nil,
      { pointer in
        guard let pointer else { return nil }
        Unmanaged<LineWriter>.fromOpaque(pointer).takeRetainedValue().writeAll()
        return nil
      }, box.toOpaque())
    if code == 0 {
      pthread_detach(thread)
    } else {
      box.release()
      state.withLock { $0.isWriting = false }
    }
  }

  private func writeAll() {
    while true {
      let bytes = state.withLock { state -> [UInt8] in
        defer { state.waiting = [] }
        if state.waiting.isEmpty { state.isWriting = false }
        return state.waiting
      }
      if bytes.isEmpty { return }
      var sent = 0
      while sent < bytes.count {
        let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress.map { $0 + sent }, bytes.count - sent) }
        if count < 0, errno == EINTR { continue }
        if count <= 0 { break }
        sent += count
      }
    }
  }
}

/// The caller's trace, as W3C Trace Context names it in the header `traceparent`.
package struct TraceParent: Sendable, Hashable {
  /// 32 digits.
  package let traceID: String
  /// 16 digits: the caller's span.
  package let parentID: String
  package let isSampled: Bool

  /// - Returns: nil for what the specification calls invalid; such a header is as good as none.
  package init?(_ text: String) {
    let bytes = Array(text.utf8)
    // Later versions may add to the end, behind a dash.
    guard bytes.count >= 55, bytes[2] == 0x2D, bytes[35] == 0x2D, bytes[52] == 0x2D else { return nil }
    func isHex(_ range: Range<Int>) -> Bool {
      bytes[range].allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
    func isZero(_ range: Range<Int>) -> Bool { bytes[range].allSatisfy { $0 == 0x30 } }
    guard isHex(0..<2), isHex(3..<35), isHex(36..<52), isHex(53..<55), !isZero(3..<35), !isZero(36..<52) else {
      return nil
    }
    let version = String(decoding: bytes[0..<2], as: UTF8.self)
    guard version != "ff", version == "00" ? bytes.count == 55 : bytes.count == 55 || bytes[55] == 0x2D else {
      return nil
    }
    traceID = String(decoding: bytes[3..<35], as: UTF8.self)
    parentID = String(decoding: bytes[36..<52], as: UTF8.self)
    isSampled = (UInt8(String(decoding: bytes[53..<55], as: UTF8.self), radix: 16) ?? 0) & 1 == 1
  }
}
