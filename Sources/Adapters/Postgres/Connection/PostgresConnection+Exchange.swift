import CLibPQ
import Glibc
import Synchronization
import Traces

/// One exchange while it is under way.
struct Flight {
  let batch: EncodedBatch
  let safety: ExchangeSafety
  let deadline: ContinuousClock.Instant
  /// True when the caller's cancellation must not stop it, as for a rollback.
  let isShielded: Bool
  var machine = ExchangeMachine(steps: [])
  var results: [ResultSet?]
  var error: PostgresError?
  var cancel: CancelRequest?
  /// Set once a cancel was sent: the answer must come before this.
  var drainDeadline: ContinuousClock.Instant?
  var isFinished = false
  /// Nil where the exchange is part of no trace.
  var spans: StatementSpans?

  /// When to stop waiting.
  var limit: ContinuousClock.Instant { drainDeadline.map { min($0, deadline) } ?? deadline }

  /// What the server was doing.
  var current: (Int, String)? {
    machine.currentQuery.map { ($0, batch.queries[$0].statement.name) }
  }
}

extension PostgresConnection {
  /// Sends a batch with one sync and collects its answers.
  func exchange(
    _ batch: EncodedBatch, deadline: ContinuousClock.Instant, shielded: Bool = false
  ) async throws -> [ResultSet] {
    guard !batch.queries.isEmpty else { return [] }
    try await takeTurn(until: deadline, shielded: shielded)
    defer { giveTurn() }
    let core = reactor.core
    let watch = watch
    return try await withTaskCancellationHandler {
      try await exchangeInTurn(batch, deadline: deadline, shielded: shielded)
    } onCancel: {
      core.post(.signal(watch))
    }
  }

  private func exchangeInTurn(
    _ batch: EncodedBatch, deadline: ContinuousClock.Instant, shielded: Bool
  ) async throws(PostgresError) -> [ResultSet] {
    let handle = try openHandle()
    disarmIdle()
    if Task.isCancelled, !shielded { throw PostgresError(.cancelled, "before anything was sent") }
    guard ContinuousClock.now < deadline else {
      throw PostgresError(.deadlineExceeded, "before anything was sent")
    }
    for query in batch.queries { try refuseNameClash(query.statement.shape) }
    // A server that went away while the connection was idle is found here, when nothing is ambiguous yet.
    if PQconsumeInput(handle.raw) == 0 || handle.isBad { throw lose(.connectionLost) }
    handle.notices.sawUnreplicatedCommit = false
    let before = block
    var after = before
    let safety = ExchangeSafety.judge(batch.queries.lazy.map(\.statement.shape.verb), block: &after)
    var flight = Flight(
      batch: batch, safety: safety, deadline: deadline, isShielded: shielded,
      results: [ResultSet?](repeating: nil, count: batch.queries.count))
    flight.spans = Span.current.map { StatementSpans(of: $0) }
    guard let steps = send(batch, on: handle) else { throw loss(of: flight) }
    flight.machine = ExchangeMachine(steps: steps)
    try await collect(&flight, on: handle)
    if let cancel = flight.cancel { try await awaitCancelRequest(cancel, until: flight.limit) }
    guard self.handle != nil, PQexitPipelineMode(handle.raw) == 1 else { throw loss(of: flight) }
    block = Self.block(after: after, before: before, batch: batch, status: PQtransactionStatus(handle.raw))
    deliverNotifications()
    return try verdict(flight, on: handle)
  }

  /// The block as the server's own status tells it; texts only add whether it may write.
  private static func block(
    after: BlockState, before: BlockState, batch: EncodedBatch, status: PGTransactionStatusType
  ) -> BlockState {
    if status == PQTRANS_IDLE { return .none }
    if after != .none { return after }
    if before != .none { return before }
    let opensForReading = batch.queries.allSatisfy { query in
      if case .begin(readOnly: false) = query.statement.shape.verb { return false }
      return true
    }
    return opensForReading ? .readOnly : .writing
  }

  /// What the finished exchange comes to.
  private func verdict(_ flight: Flight, on handle: ConnectionHandle) throws(PostgresError) -> [ResultSet] {
    if handle.notices.sawUnreplicatedCommit {
      handle.notices.sawUnreplicatedCommit = false
      throw PostgresError(.commitOutcomeUnknown, "the wait for a synchronous standby was broken off")
    }
    if flight.drainDeadline != nil {
      throw PostgresError(.cancelled, flight.error?.detail ?? "", sqlState: flight.error?.sqlState)
    }
    if let error = flight.error {
      // The server no longer has what this side believes to be prepared, or has it for other tables.
      if error.sqlState == "26000" || error.sqlState == "0A000" { isAltered = true }
      let isAmbiguous =
        error.sqlState == "08007" || error.sqlState == "40003"
        || (flight.safety == .mayCommit && error.kind == .decoding)
      throw isAmbiguous ? error.turned(into: .commitOutcomeUnknown) : error
    }
    var results: [ResultSet] = []
    results.reserveCapacity(flight.results.count)
    for result in flight.results {
      guard let result else { throw lose(.protocolViolation, "a statement was not answered") }
      results.append(result)
    }
    return results
  }

  // MARK: Sending

  private func refuseNameClash(_ shape: Statement.Shape) throws(PostgresError) {
    if preparedByShape[ObjectIdentifier(shape)] != nil { return }
    guard let known = prepared[shape.name], !shape.isSame(as: known.shape) else { return }
    throw PostgresError(.statementMisuse, "two statements share a name", statementName: shape.name)
  }

  private func preparedStatement(_ shape: Statement.Shape) -> PreparedStatement? {
    preparedByShape[ObjectIdentifier(shape)] ?? prepared[shape.name]
  }

  /// Hands the whole batch to libpq; nil when libpq refuses, and then the connection is of no use.
  private func send(_ batch: EncodedBatch, on handle: ConnectionHandle) -> [ExchangeMachine.Step]? {
    guard PQenterPipelineMode(handle.raw) == 1 else { return nil }
    var steps: [ExchangeMachine.Step] = []
    steps.reserveCapacity(batch.queries.count + 4)
    var parsed: Set<String> = []
    var nextCell = 0
    let isSent = batch.bytes.withUnsafeBufferPointer { bytes in
      for (index, query) in batch.queries.enumerated() {
        let shape = query.statement.shape
        if preparedStatement(shape) == nil, parsed.insert(shape.name).inserted {
          guard sendPrepare(shape, on: handle) else { return false }
          steps.append(.prepare(index))
        }
        let cells = batch.cells[nextCell..<nextCell + query.binds.count]
        nextCell += query.binds.count
        guard sendExecute(shape, cells, bytes, on: handle) else { return false }
        steps.append(.execute(index))
      }
      return true
    }
    guard isSent, PQpipelineSync(handle.raw) == 1 else { return nil }
    return steps
  }

  private func sendPrepare(_ shape: Statement.Shape, on handle: ConnectionHandle) -> Bool {
    shape.nameBytes.withUnsafeBufferPointer { name in
      PQsendPrepare(
        handle.raw, name.baseAddress, shape.sql.text, Int32(shape.parameterOIDs.count), shape.parameterOIDs) == 1
    }
  }

  private func sendExecute(
    _ shape: Statement.Shape, _ cells: ArraySlice<EncodedBatch.Cell>, _ bytes: UnsafeBufferPointer<UInt8>,
    on handle: ConnectionHandle
  ) -> Bool {
    guard let base = UnsafeRawPointer(bytes.baseAddress) else { return false }
    valuePointers.removeAll(keepingCapacity: true)
    valueLengths.removeAll(keepingCapacity: true)
    while valueFormats.count < cells.count { valueFormats.append(1) }
    for cell in cells {
      valueLengths.append(max(cell.length, 0))
      valuePointers.append(
        cell.length < 0 ? nil : (base + cell.offset).assumingMemoryBound(to: CChar.self))
    }
    return shape.nameBytes.withUnsafeBufferPointer { name in
      PQsendQueryPrepared(
        handle.raw, name.baseAddress, Int32(cells.count), valuePointers, valueLengths, valueFormats, 1) == 1
    }
  }

  // MARK: Collecting

  private func collect(_ flight: inout Flight, on handle: ConnectionHandle) async throws(PostgresError) {
    while true {
      let flushed = PQflush(handle.raw)
      try readResults(&flight, on: handle)
      if flight.isFinished { return }
      if ContinuousClock.now >= flight.limit { throw giveUp(flight) }
      // While our bytes do not drain, theirs must be read too, or both sides wait for ever.
      let wake = await waitForSocket(POLLIN | (flushed == 1 ? POLLOUT : 0), until: flight.limit)
      guard self.handle != nil else { throw loss(of: flight) }
      switch wake {
      case .ready(let events):
        guard Int32(events) & ~POLLOUT != 0 else { continue }
        if PQconsumeInput(handle.raw) == 0 || handle.isBad {
          try readResults(&flight, on: handle)
          guard flight.isFinished else { throw loss(of: flight) }
          return
        }
      case .signalled:
        if Task.isCancelled, !flight.isShielded, flight.safety == .harmless, flight.cancel == nil {
          flight.cancel = requestCancel()
          flight.drainDeadline = .now + Self.drainLimit
        }
      case .deadline: continue
      }
    }
  }

  /// Takes every result that has arrived.
  private func readResults(_ flight: inout Flight, on handle: ConnectionHandle) throws(PostgresError) {
    while !flight.isFinished, PQisBusy(handle.raw) == 0 {
      let result = PQgetResult(handle.raw)
      defer { PQclear(result) }
      let event = try event(of: result, flight, on: handle)
      switch flight.machine.receive(event) {
      case .keepResult(let index):
        keep(result, of: index, &flight)
        flight.spans?.ended(flight.batch.queries[index].statement)
      case .rememberPrepared(let index):
        let entry = PreparedStatement(flight.batch.queries[index].statement.shape)
        prepared[entry.shape.name] = entry
        preparedByShape[ObjectIdentifier(entry.shape)] = entry
      case .keepError(let index):
        guard let result else { continue }
        var error = ConnectionHandle.error(result, kind: .server)
        error.statementIndex = index
        error.statementName = flight.batch.queries[index].statement.name
        flight.error = error
        flight.spans?.ended(flight.batch.queries[index].statement, error: error.sqlState ?? "error")
      case .nothing: continue
      case .finish: flight.isFinished = true
      case .violation:
        if handle.isBad { throw loss(of: flight) }
        throw lose(
          flight.safety == .mayCommit ? .commitOutcomeUnknown : .protocolViolation, "results out of order",
          query: flight.current)
      }
    }
  }

  private func event(
    of result: OpaquePointer?, _ flight: Flight, on handle: ConnectionHandle
  ) throws(PostgresError) -> ExchangeMachine.Event {
    guard let result else { return .endOfStep }
    switch PQresultStatus(result) {
    case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: return .succeeded
    case PGRES_PIPELINE_ABORTED: return .skipped
    case PGRES_PIPELINE_SYNC: return .sync
    case PGRES_FATAL_ERROR:
      if handle.isBad { throw loss(of: flight) }
      return .failed
    case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
      throw lose(.statementMisuse, "COPY has its own calls", query: flight.current)
    default:
      throw lose(
        flight.safety == .mayCommit ? .commitOutcomeUnknown : .protocolViolation, "unknown kind of result",
        query: flight.current)
    }
  }

  private func keep(_ result: OpaquePointer?, of index: Int, _ flight: inout Flight) {
    guard let result else { return }
    let shape = flight.batch.queries[index].statement.shape
    let entry = preparedStatement(shape)
    do throws(PostgresError) {
      let copy = try ResultSet.copy(result, known: entry?.layout)
      entry?.layout = copy.storage.layout
      flight.results[index] = copy
      guard shape.columnOIDs.isEmpty || shape.columnOIDs == copy.storage.layout.oids else {
        throw PostgresError(
          .decoding, "columns have types \(copy.storage.layout.oids), declared \(shape.columnOIDs)")
      }
    } catch {
      var located = error
      located.statementIndex = index
      located.statementName = shape.name
      flight.error = flight.error ?? located
    }
  }

  // MARK: Failing

  /// Closes the connection and names what its loss means for the exchange.
  private func loss(of flight: Flight) -> PostgresError {
    tellBroken(flight, "connection_lost")
    var error = lose(
      flight.safety == .mayCommit ? .commitOutcomeUnknown : .connectionLost,
      flight.error.map(\.detail) ?? closedBy?.detail, query: flight.current)
    error.sqlState = flight.error?.sqlState ?? error.sqlState ?? closedBy?.sqlState
    return error
  }

  private func tellBroken(_ flight: Flight, _ error: String) {
    guard let spans = flight.spans, let (index, _) = flight.current else { return }
    spans.ended(flight.batch.queries[index].statement, error: error)
  }

  /// The deadline has passed. The socket is closed; the server is told to stop only where no commit can be meant.
  private func giveUp(_ flight: Flight) -> PostgresError {
    wasUnanswered = true
    tellBroken(flight, "deadline_exceeded")
    if flight.drainDeadline != nil {
      return lose(.cancelled, "the cancelled statement did not end", query: flight.current)
    }
    if flight.safety == .harmless { _ = requestCancel() }
    return lose(
      flight.safety == .mayCommit ? .commitOutcomeUnknown : .deadlineExceeded, "no answer before the deadline",
      query: flight.current)
  }
}
