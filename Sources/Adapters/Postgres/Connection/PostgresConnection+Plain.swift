import CLibPQ
import Glibc

extension PostgresConnection {
  /// Sends text by the simple protocol, several statements allowed, and waits for the end of the last.
  ///
  /// For the two texts that cannot be parameters: migration scripts, inside a block, and quoted channel names. Losing its
  /// answer is therefore never ambiguous.
  func plain(_ text: String, deadline: ContinuousClock.Instant) async throws -> PGTransactionStatusType {
    guard !text.utf8.contains(0) else { throw PostgresError(.encoding, "the text holds a NUL character") }
    try await takeTurn(until: deadline, shielded: false)
    defer { giveTurn() }
    let core = reactor.core
    let watch = watch
    return try await withTaskCancellationHandler {
      try await plainInTurn(text, deadline: deadline)
    } onCancel: {
      core.post(.signal(watch))
    }
  }

  private func plainInTurn(
    _ text: String, deadline: ContinuousClock.Instant
  ) async throws(PostgresError) -> PGTransactionStatusType {
    let handle = try openHandle()
    disarmIdle()
    if Task.isCancelled { throw PostgresError(.cancelled, "before anything was sent") }
    guard PQsendQuery(handle.raw, text) == 1 else { throw lose(.connectionLost) }
    var wait = PlainWait(deadline: deadline)
    var failure: PostgresError?
    while let result = try await nextResult(&wait, on: handle) {
      defer { PQclear(result) }
      switch PQresultStatus(result) {
      case PGRES_FATAL_ERROR: failure = failure ?? ConnectionHandle.error(result, kind: .server)
      case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
        throw lose(.statementMisuse, "COPY has its own calls")
      default: break
      }
      if handle.isBad { throw lose(.connectionLost, failure?.detail) }
    }
    try await endCancel(&wait)
    deliverNotifications()
    let status = PQtransactionStatus(handle.raw)
    if status == PQTRANS_IDLE { block = .none }
    if wait.drainDeadline != nil { throw PostgresError(.cancelled, failure?.detail ?? "") }
    if let failure { throw failure }
    return status
  }

  /// What a wait outside of a pipeline carries from result to result.
  struct PlainWait {
    let deadline: ContinuousClock.Instant
    /// False once a cancel could acknowledge a commit.
    var mayCancel = true
    var cancel: CancelRequest?
    var drainDeadline: ContinuousClock.Instant?

    var limit: ContinuousClock.Instant { drainDeadline.map { min($0, deadline) } ?? deadline }
  }

  /// The next result outside of a pipeline; nil at the end of the command. The caller clears it.
  func nextResult(
    _ wait: inout PlainWait, on handle: ConnectionHandle
  ) async throws(PostgresError) -> OpaquePointer? {
    while true {
      let flushed = PQflush(handle.raw)
      if PQisBusy(handle.raw) == 0 { return PQgetResult(handle.raw) }
      try await waitOutsidePipeline(&wait, on: handle, writing: flushed == 1)
    }
  }

  /// Waits for the socket once, and sees to deadline, cancellation and loss.
  func waitOutsidePipeline(
    _ wait: inout PlainWait, on handle: ConnectionHandle, writing: Bool
  ) async throws(PostgresError) {
    let lossKind = wait.mayCancel ? PostgresError.Kind.connectionLost : .commitOutcomeUnknown
    if ContinuousClock.now >= wait.limit {
      wasUnanswered = true
      if wait.drainDeadline != nil { throw lose(.cancelled, "the cancelled statement did not end") }
      if wait.mayCancel { _ = requestCancel() }
      throw lose(wait.mayCancel ? .deadlineExceeded : .commitOutcomeUnknown, "no answer before the deadline")
    }
    let wake = await waitForSocket(POLLIN | (writing ? POLLOUT : 0), until: wait.limit)
    guard self.handle != nil else { throw lose(lossKind, closedBy?.detail) }
    switch wake {
    case .ready(let events):
      guard Int32(events) & ~POLLOUT != 0 else { return }
      if PQconsumeInput(handle.raw) == 0 || handle.isBad {
        // Its last words may lie in the buffer.
        let result = PQisBusy(handle.raw) == 0 ? PQgetResult(handle.raw) : nil
        defer { PQclear(result) }
        let detail = result.map { ConnectionHandle.error($0, kind: .server) }
        var error = lose(lossKind, detail?.detail)
        error.sqlState = detail?.sqlState ?? error.sqlState
        throw error
      }
    case .signalled:
      if Task.isCancelled, wait.mayCancel, wait.cancel == nil {
        wait.cancel = requestCancel()
        wait.drainDeadline = .now + Self.drainLimit
      }
    case .deadline: return
    }
  }

  /// Waits until a cancel request is off the wire.
  func endCancel(_ wait: inout PlainWait) async throws(PostgresError) {
    guard let cancel = wait.cancel else { return }
    try await awaitCancelRequest(cancel, until: wait.limit)
  }
}
