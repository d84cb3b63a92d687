import Postgres
import PostgresHarness
import SchemaFixtures
import Testing

@Suite("The migrations", .timeLimit(.minutes(2)))
struct MigrationTests {
  @Test("apply to an empty database, and a second time nothing is left to do")
  func twice() async throws {
    try await TestDatabase.with { database in
      let all = try MigratedDatabase.scripts()
      #expect(try await MigratedDatabase.migrate(database.configuration()) == all.map(\.name))
      #expect(try await MigratedDatabase.migrate(database.configuration()) == [])
      try await database.withConnection { connection in
        let standing = try await Migrator(all).standing(connection, deadline: soon())
        #expect(standing == .current)
      }
    }
  }

  @Test("applied by two migrators at once, each script runs once")
  func race() async throws {
    try await TestDatabase.with { database in
      async let first = MigratedDatabase.migrate(database.configuration())
      async let second = MigratedDatabase.migrate(database.configuration())
      let applied = try await first + second
      #expect(applied.sorted() == (try MigratedDatabase.scripts().map(\.name)))
    }
  }

  @Test("two databases of one server are migrated at the same moment, though they share their roles")
  func sharedRoles() async throws {
    let expected = try MigratedDatabase.scripts().count
    try await TestDatabase.with { one in
      try await TestDatabase.with { other in
        async let first = MigratedDatabase.migrate(one.configuration())
        async let second = MigratedDatabase.migrate(other.configuration())
        let counts = try await (first.count, second.count)
        #expect(counts == (expected, expected))
      }
    }
  }
}
