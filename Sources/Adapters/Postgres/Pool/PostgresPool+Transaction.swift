import Synchronization

extension PostgresPool {
  /// Runs `body` in a transaction and commits when it returns, unless it has committed or rolled back itself.
  ///
  /// A serialization failure or deadlock (40001, 40P01) rolls back and runs `body` again after a jittered pause, up to
  /// `maxAttempts` times and never beyond `deadline`; so does a connection found dead by its first statements. `body` must
  /// therefore have no effects outside of the transaction. An error that `body` throws rolls back and passes through.
  ///
  /// - Throws: `.commitOutcomeUnknown` when the commit was sent and not answered or not replicated: look up the
  ///   idempotency key. Every other error means that nothing was committed.
  package func transaction<R>(
    _ isolation: Isolation = .readCommitted, access: Access = .readWrite, deadline: ContinuousClock.Instant,
    maxAttempts: Int = 5, actor: isolated (any Actor)? = #isolation,
    _ body: (Transaction) async throws -> R
  ) async throws -> R {
    var attempt = 1
    while true {
      let lease = try await acquire(deadline: deadline)
      let transaction = Transaction(
        connection: lease.connection, isolation: isolation, access: access, deadline: deadline)
      do {
        let value = try await body(transaction)
        // A failure that the body passed over has still undone its work.
        if let failure = transaction.failure { throw failure }
        if transaction.isOpen || transaction.isFresh { try await transaction.commit() }
        release(lease)
        return value
      } catch {
        await undo(transaction, lease)
        let cause = transaction.failure ?? error as? PostgresError
        guard let cause, mayRepeat(cause, error, transaction), attempt < maxAttempts else { throw error }
        try await pause(before: attempt, deadline: deadline, otherwise: error)
        attempt += 1
      }
    }
  }

  /// Runs statements that change nothing in one round trip, in the transaction that a batch of statements is by itself: a
  /// `set_config` for the transaction holds to the end of the batch. Half the work of one that is begun and committed.
  ///
  /// Each statement sees what was committed when it began, so several that must agree need a transaction. What is found on a
  /// dead connection, or undone by the server for another's sake, is asked again as in ``transaction(_:access:deadline:maxAttempts:actor:_:)``.
  package func read(
    _ queries: [Query], deadline: ContinuousClock.Instant, maxAttempts: Int = 5
  ) async throws -> [ResultSet] {
    var attempt = 1
    while true {
      do {
        return try await withConnection(deadline: deadline) { try await $0.pipeline(queries, deadline: deadline) }
      } catch let error as PostgresError {
        guard error.isRetryable || error.kind == .connectionLost, attempt < maxAttempts else { throw error }
        try await pause(before: attempt, deadline: deadline, otherwise: error)
        attempt += 1
      }
    }
  }

  /// Only failures of the transaction itself are worth another run; an error of the body's own after it is its reason.
  private func mayRepeat(_ cause: PostgresError, _ thrown: any Error, _ transaction: Transaction) -> Bool {
    if cause.isRetryable { return true }
    // Nothing was answered yet, so the body has decided nothing: the connection was dead before.
    return cause.kind == .connectionLost && !transaction.hasAnswer
  }

  /// Ends the block so that the connection can be lent again. Runs even for a cancelled task; a connection that does not
  /// answer soon is closed.
  private func undo(_ transaction: Transaction, _ lease: Lease) async {
    if lease.connection.health.load(ordering: .acquiring) == .occupied, !transaction.isFresh {
      let rollback = try? EncodedBatch([Query(TransactionStatements.rollback)])
      if let rollback {
        _ = try? await lease.connection.exchange(rollback, deadline: .now + .seconds(2), shielded: true)
      }
    }
    release(lease)
  }

  /// Waits 5 to 10 ms after the first attempt, doubling, within the deadline; throws what failed when time is up.
  private func pause(
    before attempt: Int, deadline: ContinuousClock.Instant, otherwise error: any Error
  ) async throws {
    let longest = Duration.milliseconds(10) * (1 << min(attempt - 1, 6))
    let pause = longest / 2 + (longest / 2) * Double.random(in: 0..<1)
    guard .now + pause < deadline else { throw error }
    do {
      try await Task.sleep(for: pause)
    } catch {
      throw PostgresError(.cancelled, "between two attempts of a transaction")
    }
  }
}
