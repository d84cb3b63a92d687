import Postgres
import PostgresHarness
import Testing

/// Now plus so many seconds.
func soon(_ seconds: Int = 20) -> ContinuousClock.Instant { .now + .seconds(seconds) }

enum Probe {
  static let one = Statement("probe_one", "select 1::int8", columns: [.int8])
  static let add = Statement("probe_add", "select $1 + $2", parameters: [.int8, .int8], columns: [.int8])
}

@Suite("A connection", .timeLimit(.minutes(1)))
struct ConnectionTests {
  @Test("answers a statement with typed values")
  func answers() async throws {
    try await TestDatabase.with { database in
      let connection = try await PostgresConnection.connect(
        database.configuration(), reactor: Reactor(), deadline: soon())
      let result = try await connection.run(Query(Probe.add, [.int8(40), .int8(2)]), deadline: soon())
      #expect(try result.single().int8(0) == 42)
      await connection.close()
    }
  }

  @Test("runs a pipeline in order")
  func pipeline() async throws {
    try await TestDatabase.with { database in
      let connection = try await PostgresConnection.connect(
        database.configuration(), reactor: Reactor(), deadline: soon())
      let results = try await connection.pipeline(
        (0..<64).map { Query(Probe.add, [.int8($0), .int8(1)]) }, deadline: soon())
      #expect(try results.map { try $0.single().int8(0) } == Array(1...64))
      await connection.close()
    }
  }

  @Test("runs transactions from a pool")
  func transactions() async throws {
    try await TestDatabase.with { database in
      let pool = try PostgresPool(configuration: database.configuration(), size: 4, waiters: 100)
      try await pool.transaction(deadline: soon()) { tx in
        _ = try await tx.run(Query(Statement("t_create", "create table t(a int8 primary key)")))
      }
      let insert = Statement("t_insert", "insert into t select unnest($1)", parameters: [.int8Array])
      let results = try await pool.transaction(deadline: soon()) { tx in
        _ = try await tx.pipeline([Query(Probe.one)])
        return try await tx.commit(after: [Query(insert, [.int8Array([1, 2, 3])])])
      }
      #expect(results.map(\.affectedRows) == [3])
      await pool.shutdown()
    }
  }
}
