import DomainFixtures
import Lending
import Logging
import Matching
import Operations
import Persistence
import Postgres
import PostgresHarness
import Primitives
import SchemaFixtures

@testable import Settlement

extension Marketplace {
  /// A worker of this process. It polls nothing by itself.
  func worker(_ schedule: RoundSchedule = .never) -> RunWorker {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return RunWorker(
      pool: pool, pipeline: pipeline, reference: reference, clock: clock, logger: logger, schedule: schedule)
  }

  /// Another process of the service on the same database, on the same wall clock.
  func withSecondProcess<R>(_ body: (Marketplace) async throws -> R) async throws -> R {
    let other = try await Marketplace(database, seed: 77, clock: clock)
    do {
      let value = try await body(other)
      await other.stop()
      return value
    } catch {
      await other.stop()
      throw error
    }
  }

  /// What a query of one number says, asked as the superuser.
  func number(_ statement: Statement) async throws -> Int64 {
    try await database.withConnection { try await $0.run(Query(statement), deadline: soon()).single().int8(0) }
  }

  func execute(_ statement: Statement) async throws {
    _ = try await database.withConnection { try await $0.run(Query(statement), deadline: soon()) }
  }

  /// Rows of every table that a round writes to, and the versions of those it changes.
  func footprint() async throws -> String {
    try await database.withConnection { connection in
      try await connection.run(Query(Counts.footprint), deadline: soon()).single().text(0)
    }
  }

  func breaches() async throws -> [String] {
    try await database.withConnection { connection in
      try await BookLaws.breaches(connection) + BookLaws.chainBreaches(connection)
    }
  }

  @discardableResult
  func plan(_ segment: MatchSegment = .whole) async throws -> MatchRoundID {
    try await run(PlanMatchRound(segment: segment), by: Self.staff()).id
  }

  func round(_ id: MatchRoundID) async throws -> MatchRoundRow {
    try await database.withConnection { connection in
      try RunSQL.decodeRound(
        await connection.run(Query(RunSQL.roundByID, [.uuid(id.value.bits)]), deadline: soon()).single())
    }
  }

  func stored(_ id: MatchRoundID) async throws -> StoredRound {
    try await database.withConnection { connection in
      try StoredRound.decode(
        await connection.run(Query(RoundSQL.stored, [.uuid(id.value.bits)]), deadline: soon()).single())
    }
  }

  /// One lender with 64 chips listed, and so many startups that want 16 each.
  func openMarket(startups: Int = 3) async throws {
    try await mark()
    let lender = try await lender()
    _ = try await listing(of: lot(of: lender), by: lender, quantity: 64)
    for number in 0..<startups { _ = try await request(of: startup("Startup \(number)")) }
  }
}

enum Counts {
  static let offers = Statement("test_offers", "select count(*) from offers", columns: [.int8])
  static let offered = Statement(
    "test_offered", "select coalesce(sum(quantity), 0)::bigint from offers where state = 'pending'", columns: [.int8])
  static let reserved = Statement("test_reserved", "select sum(reserved)::bigint from lots", columns: [.int8])
  static let rounds = Statement("test_rounds", "select count(*) from match_rounds", columns: [.int8])
  static let heldLeases = Statement(
    "test_held_leases", "select count(*) from match_leases where round_id is not null", columns: [.int8])
  static let footprint = Statement(
    "test_footprint",
    """
    select concat_ws(' ', (select count(*) from offers), (select count(*) from verdicts),
      (select count(*) from idempotency), (select count(*) from audit_log), (select count(*) from outbox),
      (select count(*) from journal_entries), (select string_agg(version::text, ',' order by id) from match_rounds),
      (select string_agg(version::text, ',' order by id) from lots),
      (select string_agg(version::text, ',' order by id) from loan_requests),
      (select string_agg(coalesce(round_id::text, '-') || token || coalesce(leased_until::text, '-'), ',' order by segment)
        from match_leases))
    """, columns: [.text])
  static let forgeSnapshot = Statement(
    "test_forge_snapshot",
    "update match_rounds set snapshot = set_byte(snapshot, length(snapshot) - 1, 255 - get_byte(snapshot, length(snapshot) - 1))"
  )
  static let forgeEngine = Statement(
    "test_forge_engine",
    """
    update match_rounds set parameters = parameters || '{"engine_version":"other-9"}'
    """)
}
