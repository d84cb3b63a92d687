import CLibPQ
import Glibc
import Synchronization

/// A cancel request under way on its own thread.
final class CancelRequest: Sendable {
  let isDone = Atomic<Bool>(false)
}

extension PostgresConnection {
  /// Asks the server to break off what this session does. Never called once a commit may have been sent: the answer
  /// would be `COMMIT` although no standby has it.
  func requestCancel() -> CancelRequest? {
    guard let handle, let raw = PQgetCancel(handle.raw) else { return nil }
    nonisolated(unsafe) let ticket = raw
    let request = CancelRequest()
    let core = reactor.core
    let watch = watch
    let isStarted = reactor.cancellers.submit {
      var words = [CChar](repeating: 0, count: 256)
      // A failed request changes nothing here: the drain limit closes the connection.
      _ = PQcancel(ticket, &words, Int32(words.count))
      PQfreeCancel(ticket)
      request.isDone.store(true, ordering: .releasing)
      core.post(.signal(watch))
    }
    guard isStarted else {
      PQfreeCancel(raw)
      return nil
    }
    return request
  }

  /// Waits until the request is off the wire, lest it hit the next statement of this session.
  func awaitCancelRequest(_ request: CancelRequest, until limit: ContinuousClock.Instant) async throws(PostgresError) {
    while !request.isDone.load(ordering: .acquiring) {
      guard handle != nil, ContinuousClock.now < limit else {
        throw lose(.cancelled, "the cancel request did not end")
      }
      watch.fd = -1
      _ = await park(watch, events: 0, until: limit)
    }
  }
}
