import CLibPQ
import Glibc

/// COPY in both directions. The data are in whatever format the statement names; this layer only carries bytes.
extension PostgresConnection {
  /// The most of our own bytes that libpq holds before the server has taken them.
  private static let chunkBytes = 1 << 20
  /// Rows are handed out together up to this size.
  private static let outgoingBytes = 1 << 16

  /// Sends chunks of COPY data, of any size and cut anywhere, and returns the number of rows the server took.
  ///
  /// The sequence is read no faster than the server takes the data. An error of the sequence, or a cancelled task, undoes
  /// the copy. The deadline holds for the server's side; a sequence that stalls is its owner's affair.
  package func copyIn<Chunks: AsyncSequence & Sendable>(
    _ statement: Statement, rows: Chunks, deadline: ContinuousClock.Instant
  ) async throws -> Int where Chunks.Element == [UInt8] {
    try await takeTurn(until: deadline, shielded: false)
    defer { giveTurn() }
    let core = reactor.core
    let watch = watch
    return try await withTaskCancellationHandler {
      let handle = try openHandle()
      var wait = try await startCopy(statement, expecting: PGRES_COPY_IN, on: handle, deadline: deadline)
      do {
        for try await chunk in rows {
          guard try await put(chunk, on: handle, &wait) else { break }
        }
        // A cancelled sequence may just end, which must not pass for the end of the data.
        if Task.isCancelled { throw PostgresError(.cancelled, "during COPY") }
      } catch {
        if self.handle != nil { try await abandonCopyIn(on: handle, deadline: deadline) }
        throw error
      }
      wait.mayCancel = block != .none
      guard PQputCopyEnd(handle.raw, nil) >= 0 || PQisBusy(handle.raw) == 0 else { throw lose(.connectionLost) }
      return try await endCopy(&wait, statement, on: handle)
    } onCancel: {
      core.post(.signal(watch))
    }
  }

  /// Hands the rows of a COPY to `body`, several together, each whole, and returns their number.
  ///
  /// The server is read no faster than `body` returns. If `body` throws, the copy is cancelled and its error thrown.
  package func copyOut(
    _ statement: Statement, deadline: ContinuousClock.Instant, _ body: @Sendable ([UInt8]) async throws -> Void
  ) async throws -> Int {
    try await takeTurn(until: deadline, shielded: false)
    defer { giveTurn() }
    let core = reactor.core
    let watch = watch
    return try await withTaskCancellationHandler {
      let handle = try openHandle()
      var wait = try await startCopy(statement, expecting: PGRES_COPY_OUT, on: handle, deadline: deadline)
      var failure: (any Error)?
      while let chunk = try await nextChunk(on: handle, &wait) {
        guard failure == nil else { continue }
        do {
          try await body(chunk)
        } catch {
          failure = error
          wait.cancel = requestCancel()
          wait.drainDeadline = .now + Self.drainLimit
        }
        guard self.handle != nil else { throw lose(.connectionLost) }
      }
      do {
        let count = try await endCopy(&wait, statement, on: handle)
        if let failure { throw failure }
        return count
      } catch {
        throw failure ?? error
      }
    } onCancel: {
      core.post(.signal(watch))
    }
  }

  private func startCopy(
    _ statement: Statement, expecting expected: ExecStatusType, on handle: ConnectionHandle,
    deadline: ContinuousClock.Instant
  ) async throws(PostgresError) -> PlainWait {
    disarmIdle()
    if Task.isCancelled { throw PostgresError(.cancelled, "before anything was sent") }
    if PQconsumeInput(handle.raw) == 0 || handle.isBad { throw lose(.connectionLost) }
    guard PQsendQueryParams(handle.raw, statement.sql.text, 0, nil, nil, nil, nil, 1) == 1 else {
      throw lose(.connectionLost)
    }
    var wait = PlainWait(deadline: deadline)
    let result = try await nextResult(&wait, on: handle)
    defer { PQclear(result) }
    guard let result else { throw lose(.protocolViolation, "COPY was not answered") }
    let status = PQresultStatus(result)
    if status == expected { return wait }
    if status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH {
      throw lose(.statementMisuse, "COPY in the other direction")
    }
    var error = PostgresError(.statementMisuse, "\(statement.name) is no COPY")
    if status == PGRES_FATAL_ERROR { error = ConnectionHandle.error(result, kind: .server) }
    error.statementName = statement.name
    if handle.isBad { throw lose(.connectionLost, error.detail) }
    while let rest = try await nextResult(&wait, on: handle) { PQclear(rest) }
    try await endCancel(&wait)
    throw wait.drainDeadline == nil ? error : PostgresError(.cancelled, error.detail)
  }

  /// Sends one chunk and waits until the server keeps up; false when the server has ended the copy already.
  private func put(
    _ chunk: [UInt8], on handle: ConnectionHandle, _ wait: inout PlainWait
  ) async throws(PostgresError) -> Bool {
    guard self.handle != nil else { throw lose(.connectionLost, closedBy?.detail) }
    var start = 0
    while start < chunk.count {
      let end = min(start + Self.chunkBytes, chunk.count)
      let code = chunk[start..<end].withUnsafeBufferPointer { bytes in
        bytes.withMemoryRebound(to: CChar.self) { PQputCopyData(handle.raw, $0.baseAddress, Int32($0.count)) }
      }
      if code < 0 {
        if handle.isBad { throw lose(.connectionLost) }
        return false
      }
      if code > 0 { start = end }
      var pending = PQflush(handle.raw)
      while pending == 1 || (code == 0 && pending != 0) {
        if Task.isCancelled { throw PostgresError(.cancelled, "during COPY") }
        try await waitOutsidePipeline(&wait, on: handle, writing: true)
        pending = PQflush(handle.raw)
      }
      if pending < 0 { throw lose(.connectionLost) }
    }
    return true
  }

  /// Tells the server to undo the copy, and reads its refusal.
  private func abandonCopyIn(
    on handle: ConnectionHandle, deadline: ContinuousClock.Instant
  ) async throws(PostgresError) {
    guard PQputCopyEnd(handle.raw, "abandoned by the client") >= 0 || PQisBusy(handle.raw) == 0 else {
      throw lose(.connectionLost)
    }
    var wait = PlainWait(deadline: min(deadline, .now + Self.drainLimit))
    // Not cancelled a second time: the server ends the copy by itself.
    wait.mayCancel = false
    while let rest = try await nextResult(&wait, on: handle) { PQclear(rest) }
  }

  /// Whole rows up to about 64 KiB, or nil at the end.
  private func nextChunk(
    on handle: ConnectionHandle, _ wait: inout PlainWait
  ) async throws(PostgresError) -> [UInt8]? {
    var chunk: [UInt8] = []
    while true {
      guard self.handle != nil else { throw lose(.connectionLost, closedBy?.detail) }
      var row: UnsafeMutablePointer<CChar>?
      let length = PQgetCopyData(handle.raw, &row, 1)
      if length > 0, let row {
        chunk.append(contentsOf: UnsafeRawBufferPointer(start: row, count: Int(length)))
        PQfreemem(row)
        if chunk.count >= Self.outgoingBytes { return chunk }
      } else if length == 0 {
        if !chunk.isEmpty { return chunk }
        try await waitOutsidePipeline(&wait, on: handle, writing: false)
      } else {
        if length == -2, handle.isBad { throw lose(.connectionLost) }
        return chunk.isEmpty ? nil : chunk
      }
    }
  }

  /// Reads the outcome of a copy whose data have all been carried.
  private func endCopy(
    _ wait: inout PlainWait, _ statement: Statement, on handle: ConnectionHandle
  ) async throws(PostgresError) -> Int {
    var failure: PostgresError?
    var rows = 0
    handle.notices.sawUnreplicatedCommit = false
    while let result = try await nextResult(&wait, on: handle) {
      defer { PQclear(result) }
      if PQresultStatus(result) == PGRES_FATAL_ERROR {
        failure = ConnectionHandle.error(result, kind: .server)
        failure?.statementName = statement.name
        if handle.isBad { throw lose(wait.mayCancel ? .connectionLost : .commitOutcomeUnknown, failure?.detail) }
      } else if let text = PQcmdTuples(result) {
        rows = Int(String(cString: text)) ?? 0
      }
    }
    try await endCancel(&wait)
    deliverNotifications()
    if handle.notices.sawUnreplicatedCommit {
      throw PostgresError(.commitOutcomeUnknown, "the wait for a synchronous standby was broken off")
    }
    if wait.drainDeadline != nil { throw PostgresError(.cancelled, failure?.detail ?? "") }
    if let failure { throw failure }
    return rows
  }
}
