import Synchronization

/// How a transaction sees others.
package enum Isolation: Sendable, Hashable {
  case readCommitted, repeatableRead, serializable
}

/// Whether a transaction may write.
package enum Access: Sendable, Hashable {
  case readOnly, readWrite
}

/// One transaction, lent to the closure given to `PostgresPool.transaction`.
///
/// `begin` travels with the first statements and `commit` with the last, so a batch of any size costs two round trips:
/// `pipeline` and then `commit(after:)`. Without a call of `commit` the pool commits when the closure returns, which costs
/// a third.
package final class Transaction: Sendable {
  enum Phase: Sendable {
    /// Nothing was sent yet.
    case fresh
    case open
    /// Committed, or known to have ended otherwise.
    case ended
    /// A statement or the commit failed. The transaction is lost whatever the closure does.
    case failed(PostgresError)
  }

  /// The session that the transaction runs on.
  package let connection: PostgresConnection
  /// The latest end of every call.
  package let deadline: ContinuousClock.Instant
  let begin: Query
  let access: Access
  let phase = Mutex(Phase.fresh)
  /// Whether the server has answered anything in this transaction.
  private let answered = Atomic<Bool>(false)

  init(
    connection: PostgresConnection, isolation: Isolation, access: Access, deadline: ContinuousClock.Instant
  ) {
    self.connection = connection
    self.deadline = deadline
    self.access = access
    begin = Query(TransactionStatements.begin(isolation, access))
  }

  /// Runs one statement.
  package func run(_ query: Query) async throws -> ResultSet {
    let results = try await pipeline([query])
    guard let result = results.first else { throw PostgresError(.protocolViolation, "no result") }
    return result
  }

  /// Runs several statements in one round trip. The first error ends the transaction: only leaving the closure helps.
  package func pipeline(_ queries: [Query]) async throws -> [ResultSet] {
    guard !queries.isEmpty else { return [] }
    let isFirst = try enter()
    return try await send(isFirst ? [begin] + queries : queries, skipping: isFirst ? 1 : 0)
  }

  /// Runs the last statements together with COMMIT, in one round trip, and returns their results.
  ///
  /// - Throws: `.commitOutcomeUnknown` if the answer is lost or not replicated; any other error means that nothing was
  ///   committed.
  @discardableResult
  package func commit(after queries: [Query] = []) async throws -> [ResultSet] {
    let isFirst = try enter()
    if isFirst, queries.isEmpty {
      phase.withLock { $0 = .ended }
      return []
    }
    let head = isFirst ? 1 : 0
    let batch = (isFirst ? [begin] : []) + queries + [Query(TransactionStatements.commit)]
    var results = try await send(batch, skipping: head)
    let tag = results.popLast()?.commandTag ?? ""
    guard tag == "COMMIT" else {
      // The server answers ROLLBACK when an earlier error was passed over.
      let error = PostgresError(.statementMisuse, "commit of a failed transaction: \(tag)", sqlState: "25P02")
      phase.withLock { $0 = .failed(error) }
      throw error
    }
    phase.withLock { $0 = .ended }
    return results
  }

  /// Ends the transaction without effect. The closure may then return normally.
  package func rollback() async throws {
    let isFresh = try enter()
    if !isFresh {
      _ = try await connection.exchange(
        EncodedBatch([Query(TransactionStatements.rollback)]), deadline: deadline, shielded: true)
    }
    phase.withLock { $0 = .ended }
  }

  /// Checks that the transaction still runs, and marks it begun. True the first time.
  private func enter() throws(PostgresError) -> Bool {
    let entered: Result<Bool, PostgresError> = phase.withLock { phase in
      switch phase {
      case .fresh:
        phase = .open
        return .success(true)
      case .open: return .success(false)
      case .ended: return .failure(PostgresError(.statementMisuse, "the transaction has ended"))
      case .failed(let error): return .failure(error)
      }
    }
    return try entered.get()
  }

  private func send(_ queries: [Query], skipping head: Int) async throws -> [ResultSet] {
    do {
      var results = try await connection.pipeline(queries, deadline: deadline)
      answered.store(true, ordering: .relaxed)
      results.removeFirst(head)
      return results
    } catch let error as PostgresError {
      // The caller counts its own statements only.
      var located = error
      located.statementIndex = error.statementIndex.flatMap { $0 >= head ? $0 - head : nil }
      let failure = located
      phase.withLock { $0 = .failed(failure) }
      throw failure
    }
  }

  var failure: PostgresError? {
    phase.withLock { phase in
      if case .failed(let error) = phase { return error }
      return nil
    }
  }

  var hasAnswer: Bool { answered.load(ordering: .relaxed) }

  var isOpen: Bool {
    phase.withLock { phase in
      if case .open = phase { return true }
      return false
    }
  }

  var isFresh: Bool {
    phase.withLock { phase in
      if case .fresh = phase { return true }
      return false
    }
  }
}

/// The texts that begin and end transactions.
enum TransactionStatements {
  static let commit = Statement("postgres_commit", "commit")
  static let rollback = Statement("postgres_rollback", "rollback")
  private static let readCommitted = Statement(
    "postgres_begin_rc", "begin isolation level read committed read write")
  private static let readCommittedReadOnly = Statement(
    "postgres_begin_rc_ro", "begin isolation level read committed read only")
  private static let repeatableRead = Statement(
    "postgres_begin_rr", "begin isolation level repeatable read read write")
  private static let repeatableReadReadOnly = Statement(
    "postgres_begin_rr_ro", "begin isolation level repeatable read read only")
  private static let serializable = Statement(
    "postgres_begin_s", "begin isolation level serializable read write")
  private static let serializableReadOnly = Statement(
    "postgres_begin_s_ro", "begin isolation level serializable read only")

  static func begin(_ isolation: Isolation, _ access: Access) -> Statement {
    switch (isolation, access) {
    case (.readCommitted, .readWrite): readCommitted
    case (.readCommitted, .readOnly): readCommittedReadOnly
    case (.repeatableRead, .readWrite): repeatableRead
    case (.repeatableRead, .readOnly): repeatableReadReadOnly
    case (.serializable, .readWrite): serializable
    case (.serializable, .readOnly): serializableReadOnly
    }
  }
}
