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
      let unsent = bytes.dropFirst(write(bytes))
      // Where the reader is gone, or the disk is full.
      let lost = unsent.count { $0 == 0x0A }
      if lost > 0 { state.withLock { $0.dropped += lost } }
    }
  }

  /// - Returns: how many bytes were taken.
  private func write(_ bytes: [UInt8]) -> Int {
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes { pointer in
        Self.write(descriptor, pointer.baseAddress.map { $0 + sent }, bytes.count - sent)
      }
      if count > 0 {
        sent += count
      } else if count < 0, errno == EAGAIN {
        // Somebody else made the descriptor one that does not wait.
        var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = poll(&wanted, 1, 1_000)
      } else if count == 0 || errno != EINTR {
        break
      }
    }
    return sent
  }

  private static func write(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    #if canImport(Glibc)
      Glibc.write(descriptor, bytes, count)
    #else
      Darwin.write(descriptor, bytes, count)
    #endif
  }

  /// Waits until what was added is written, at the end of a process, which would take the thread with it.
  package func flush(within limit: Duration = .seconds(1)) async {
    let deadline = ContinuousClock.now + limit
    while state.withLock({ $0.isWriting }), ContinuousClock.now < deadline {
      try? await Task.sleep(for: .milliseconds(2))
    }
  }
}
