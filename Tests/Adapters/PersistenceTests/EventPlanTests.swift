import Parties
import Postgres
import PostgresHarness
import Primitives
import SchemaFixtures
import Testing

@testable import Persistence

@Suite("Pages of events", .timeLimit(.minutes(2)))
struct EventPlanTests {
  private static let fill = Statement(
    "test_fill_outbox",
    """
    insert into outbox (id, transaction_id, type, org_a, org_b, subject, subject_version, business_at, body)
    select gen_random_uuid(), pg_current_xact_id(), case when n % 7 = 0 then 'loan.paid' else 'lot.created' end,
      case when n % $2 = 11 then $3 else $4 end, case when n % $2 = 17 then $3 end, 'lot_' || n % 5000, 1, now(), '{}'
    from generate_series(1, $1) n
    """, parameters: [.int8, .int8, .uuid, .uuid])
  private static let analyze = Statement("test_analyze_outbox", "analyze outbox")
  private static let generic = Statement(
    "test_generic", "select set_config('plan_cache_mode', 'force_generic_plan', true)", columns: [.text])
  private static let read = Statement(
    "test_rows_read",
    """
    select (coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::bigint from pg_stat_xact_user_tables
    where relname = 'outbox'
    """, columns: [.int8])

  @Test("an organisation that few of many events concern has few read, on either side, by type and by object")
  func small() async throws {
    let (few, many) = (OrganizationID(UUIDValue(high: 1, low: 1)), OrganizationID(UUIDValue(high: 1, low: 2)))
    try await MigratedDatabase.with { database in
      try await database.withConnection { connection in
        let binds: [Bind] = [
          .int8(60_000), .int8(3_000), .uuid(few.value.bits), .uuid(many.value.bits),
        ]
        _ = try await connection.run(Query(Self.fill, binds), deadline: soon())
        _ = try await connection.run(Query(Self.analyze), deadline: soon())
        func rows(_ page: Query) async throws -> (found: [StoredEvent], read: Int64) {
          let begin = Statement("test_begin", "begin"), end = Statement("test_end", "commit")
          let results = try await connection.pipeline(
            [Query(begin), Query(Self.generic), Query(Self.read), page, Query(Self.read), Query(end)], deadline: soon())
          // What earlier transactions read is counted as well, until the server has noted it.
          let (before, after) = (try results[2].single().int8(0), try results[4].single().int8(0))
          return (try results[3].map { try StoredEvent($0) }, after - before)
        }
        let horizon: Int64 = 60_000
        let own = try await rows(EventSQL.page(few, after: 0, through: horizon, .all, limit: 51))
        #expect(own.found.count == 40 && own.found.allSatisfy { $0.concerns(few) })
        #expect(own.found.map(\.position) == own.found.map(\.position).sorted())
        #expect(own.read < 2_000, "\(own.read) rows were read for \(own.found.count)")
        let later = try await rows(EventSQL.page(few, after: own.found[9].position, through: horizon, .all, limit: 10))
        #expect(later.found.map(\.position) == own.found[10..<20].map(\.position))
        let typed = try await rows(
          EventSQL.page(few, after: 0, through: horizon, EventFilter(types: ["loan.*"]), limit: 51))
        #expect(typed.found.map(\.position) == own.found.filter { $0.type == "loan.paid" }.map(\.position))
        #expect(typed.read < 2_000)
        let object = EventFilter(subject: own.found[3].subject)
        let ofObject = try await rows(EventSQL.page(few, after: 0, through: horizon, object, limit: 51))
        #expect(ofObject.found.contains { $0.position == own.found[3].position })
        #expect(ofObject.found.allSatisfy { $0.subject == object.subject && $0.concerns(few) })
        #expect(ofObject.read < 2_000)
        let everything = try await rows(EventSQL.page(nil, after: 59_900, through: horizon, .all, limit: 51))
        #expect(everything.found.map(\.position) == Array(59_901...59_951))
      }
    }
  }
}
