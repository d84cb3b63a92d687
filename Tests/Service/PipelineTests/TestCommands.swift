import Catalogue
import DomainFixtures
import Ledger
import Lending
import Operations
import Parties
import Persistence
import Postgres
import PostgresHarness
import Primitives
import SchemaFixtures
import Synchronization

/// A command whose row breaks a constraint: decided without complaint, refused by the database.
struct BreakConstraint: Command {
  static let action = "test.break_constraint"
  var staffDuty: Duty? { nil }
  let base: CreateLoanRequest

  func decide(_ draft: inout Draft, by principal: Principal) throws -> LoanRequest {
    let good = try base.decide(&draft, by: principal)
    return draft.put(
      \.requests,
      LoanRequest(
        id: draft.ids.next(), borrowerID: good.borrowerID, workload: good.workload, endUse: good.endUse,
        quantity: good.quantity, minQuantity: good.quantity + 1, multipleOf: good.multipleOf,
        sameModel: good.sameModel, sameSite: good.sameSite, maxLenders: nil, acceptable: good.acceptable,
        regions: good.regions, termDays: good.termDays, startOn: good.startOn, startByOn: good.startByOn,
        deliveryMode: good.deliveryMode, repayment: good.repayment, autoAccept: false, validUntil: nil,
        sequence: draft.sequence, createdAt: draft.now, updatedAt: draft.now))
  }
}

/// A command that fails in a way that is no refusal.
struct ThrowDefect: Command {
  struct Defect: Error {}
  static let action = "test.throw_defect"
  var staffDuty: Duty? { nil }

  func decide(_ draft: inout Draft, by principal: Principal) throws -> Bool { throw Defect() }
}

/// A command that posts to a book without asking for its head.
struct PostUnlocked: Command {
  static let action = "test.post_unlocked"
  var staffDuty: Duty? { nil }
  let book: OrganizationID

  func decide(_ draft: inout Draft, by principal: Principal) throws -> Bool {
    try draft.post(
      EntryDraft(
        id: draft.ids.next(), book: book, kind: .cashReceived, businessDate: draft.today, subject: book.value,
        lines: [
          JournalLine(AccountRef(book, .cashAtPlatform, asset: .currency(.usd)), 1),
          JournalLine(AccountRef(book, .fundingReceived, asset: .currency(.usd)), -1),
        ]))
    return true
  }
}

/// The head of an organisation, held by somebody outside of the pipeline until it is released.
struct HeldHead {
  private let connection: PostgresConnection
  private let watcher: PostgresConnection
  private static let waiters = Statement(
    "test_waiters",
    """
    select count(*) from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock' and pid <> pg_backend_pid()
    """, columns: [.int8])

  init(_ organization: OrganizationID, in database: TestDatabase) async throws {
    connection = try await database.connect()
    watcher = try await database.connect()
    try await connection.execute("begin")
    try await run("select 1 from heads where org_id = '\(organization.value)' for update")
  }

  /// Does something in the transaction that holds the head.
  func run(_ text: String) async throws { try await connection.execute(text) }
  func run(_ query: Query) async throws { _ = try await connection.run(query, deadline: soon()) }

  /// Returns once a session of this database waits for a lock.
  func waitUntilWaitedFor() async throws {
    try await eventually("a session waits for the lock") {
      try await watcher.run(Query(Self.waiters), deadline: soon()).single().int8(0) > 0
    }
  }

  func release() async throws { try await end("commit") }
  func giveUp() async throws { try await end("rollback") }

  private func end(_ text: String) async throws {
    try await connection.execute(text)
    await connection.close()
    await watcher.close()
  }
}

/// Waits until the condition holds.
/// - Throws: `HarnessError` after ten seconds.
func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
  for _ in 0..<1_000 {
    if try await condition() { return }
    try await Task.sleep(for: .milliseconds(10))
  }
  throw HarnessError("it never happened that \(what)")
}

extension Marketplace {
  /// What a query of one number says, asked as the superuser.
  func number(_ statement: Statement) async throws -> Int64 {
    try await database.withConnection { connection in
      try await connection.run(Query(statement), deadline: soon()).single().int8(0)
    }
  }

  /// Breaches of the domain's laws, chains included.
  func breaches() async throws -> [String] {
    try await database.withConnection { connection in
      try await BookLaws.breaches(connection) + BookLaws.chainBreaches(connection)
    }
  }

  func rowCounts() async throws -> [String: Int64] {
    try await database.withConnection { try await RowCounts.of($0) }
  }

  /// A listing whose chips can be offered at once.
  func stockedListing(_ quantity: Int64 = 64, of lender: Party) async throws -> Listing {
    let lot = try await lot(of: lender, quantity: quantity)
    return try await listing(of: lot, by: lender, quantity: quantity)
  }
}

extension Marketplace {
  /// Fills one batch: the first command waits for a head held outside, and everything handed in meanwhile gathers.
  func gathered<R: Sendable>(
    behind lender: Party, count: Int,
    _ submit: @escaping @Sendable (Int) async -> R
  ) async throws -> [R] {
    let held = try await HeldHead(lender.id, in: database)
    let first = try lotCommand(of: lender)
    return try await withThrowingTaskGroup(of: (Int, R)?.self) { group in
      let before = pipeline.counters.batches.load(ordering: .relaxed)
      group.addTask {
        _ = try await run(first, by: lender.principal)
        return nil
      }
      try await eventually("the first batch runs") {
        pipeline.counters.batches.load(ordering: .relaxed) == before + 1
      }
      for index in 0..<count { group.addTask { (index, await submit(index)) } }
      try await eventually("all wait") { pipeline.depth == count }
      try await held.release()
      var results: [(Int, R)] = []
      for try await result in group { if let result { results.append(result) } }
      return results.sorted { $0.0 < $1.0 }.map(\.1)
    }
  }
}

/// Counting statements.
enum Counts {
  static let lots = Statement("test_lots", "select count(*) from lots", columns: [.int8])
  static let requests = Statement("test_requests", "select count(*) from loan_requests", columns: [.int8])
  static let answers = Statement("test_answers", "select count(*) from idempotency", columns: [.int8])
  static let audit = Statement("test_audit", "select count(*) from audit_log", columns: [.int8])
  static let outbox = Statement("test_outbox", "select count(*) from outbox", columns: [.int8])
  static let loans = Statement("test_loans", "select count(*) from loans", columns: [.int8])
}

/// What handing a command in came to.
enum Came: Equatable {
  case done, refused, replayed
  case failed(PipelineError)

  /// A defect of whatever kind.
  var isDefect: Bool {
    if case .failed(.defect) = self { true } else { false }
  }
}

extension Marketplace {
  func came<C: Command>(
    _ command: C, by principal: Principal, key: String? = nil, request: String = ""
  ) async -> (came: Came, answer: StoredAnswer?) {
    do {
      let decided = try await submit(command, by: principal, key: key, request: request)
      if decided.replayed { return (.replayed, decided.answer) }
      return (decided.refusalCode == nil ? .done : .refused, decided.answer)
    } catch let error as PipelineError {
      return (.failed(error), nil)
    } catch {
      return (.failed(.defect(String(describing: error))), nil)
    }
  }
}
