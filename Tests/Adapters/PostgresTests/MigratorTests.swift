import PostgresHarness
import Testing

@testable import Postgres

@Suite("The migrator", .timeLimit(.minutes(1)))
struct MigratorTests {
  private func script(_ name: String, _ text: String) throws -> MigrationScript {
    try MigrationScript(name: name, bytes: text.utf8)
  }

  private func scripts() throws -> [MigrationScript] {
    try [
      script("0001_parties.sql", "create table parties (id int8 primary key); insert into parties values (1);"),
      script("0002_lots.sql", "create table lots (id int8 primary key, party int8);\ncreate index on lots (party);"),
      script("0003_note.sql", "alter table parties add column note text not null default ''"),
    ]
  }

  private func connect(_ database: TestDatabase) async throws -> PostgresConnection {
    try await PostgresConnection.connect(database.configuration(), reactor: Reactor(), deadline: soon())
  }

  @Test("applies what is missing, once, in order")
  func applies() async throws {
    try await withConnection { connection in
      let all = try scripts()
      let first = try Migrator(Array(all.prefix(1)))
      #expect(try await first.standing(connection, deadline: soon()) == .behind(["0001_parties.sql"]))
      #expect(try await first.migrate(connection, deadline: soon()) == ["0001_parties.sql"])
      let whole = try Migrator(all)
      #expect(try await whole.standing(connection, deadline: soon()) == .behind(["0002_lots.sql", "0003_note.sql"]))
      #expect(try await whole.migrate(connection, deadline: soon()) == ["0002_lots.sql", "0003_note.sql"])
      #expect(try await whole.migrate(connection, deadline: soon()) == [])
      #expect(try await whole.standing(connection, deadline: soon()) == .current)
      let count = Statement("parties", "select count(*) from parties where note = ''", columns: [.int8])
      let row = try await connection.run(Query(count), deadline: soon()).single()
      #expect(try row.int8(0) == 1)
    }
  }

  @Test("several at once apply each script once")
  func race() async throws {
    try await TestDatabase.with { database in
      let slow = try scripts() + [script("0004_slow.sql", "select pg_sleep(0.3); create table slow (id int8)")]
      let applied = try await withThrowingTaskGroup(of: [String].self) { group in
        for _ in 0..<4 {
          group.addTask {
            let connection = try await PostgresConnection.connect(
              database.configuration(), reactor: Reactor(), deadline: soon())
            let names = try await Migrator(slow, lockTimeout: .milliseconds(100)).migrate(
              connection, deadline: soon(50))
            await connection.close()
            return names
          }
        }
        return try await group.reduce(into: []) { $0 += $1 }
      }
      #expect(applied.sorted() == slow.map(\.name))
    }
  }

  @Test("refuses an edited history, a newer database and a reordered one, and changes nothing")
  func refusals() async throws {
    try await withConnection { connection in
      let all = try scripts()
      _ = try await Migrator(all).migrate(connection, deadline: soon())
      let edited = try [all[0], script("0002_lots.sql", "create table other (id int8)"), all[2]]
      #expect(try await Migrator(edited).standing(connection, deadline: soon()) == .edited("0002_lots.sql"))
      let older = try Migrator(Array(all.prefix(2)))
      #expect(try await older.standing(connection, deadline: soon()) == .ahead(["0003_note.sql"]))
      let swapped = try [
        all[0], script("0002_between.sql", "create table other (id int8)"), script("0003_lots.sql", all[1].text),
      ]
      for migrator in [try Migrator(edited), older, try Migrator(swapped)] {
        let error = await failure { try await migrator.migrate(connection, deadline: soon()) }
        #expect(error?.kind == .migration)
      }
      let other = Statement("other", "select to_regclass('other') is null", columns: [.bool])
      let row = try await connection.run(Query(other), deadline: soon()).single()
      #expect(try row.bool(0))
    }
  }

  @Test("undoes a script that fails, keeps those before it, and goes on once it is mended")
  func failing() async throws {
    try await withConnection { connection in
      let bad = try [scripts()[0], script("0002_bad.sql", "create table half (id int8); select 1 / 0;")]
      let error = await failure { try await Migrator(bad).migrate(connection, deadline: soon()) }
      #expect(error?.sqlState == "22012")
      let good = try [bad[0], script("0002_bad.sql", "create table half (id int8)")]
      #expect(try await Migrator(good).migrate(connection, deadline: soon()) == ["0002_bad.sql"])
    }
  }

  @Test("refuses a script that ends its transaction by itself")
  func endsBlock() async throws {
    try await withConnection { connection in
      let bad = try [script("0001_commits.sql", "create table a (id int8); commit; create table b (id int8)")]
      let error = await failure { try await Migrator(bad).migrate(connection, deadline: soon()) }
      #expect(error?.kind == .migration)
    }
  }

  @Test("waits in short turns for a table that somebody has locked")
  func lockedTable() async throws {
    try await TestDatabase.with { database in
      let all = try scripts()
      let connection = try await connect(database)
      _ = try await Migrator(Array(all.prefix(2))).migrate(connection, deadline: soon())
      let other = try await connect(database)
      _ = try await other.pipeline(
        [Query(Statement("block", "begin")), Query(Statement("lock", "lock table parties in access share mode"))],
        deadline: soon())
      let migration = Task {
        try await Migrator(all, lockTimeout: .milliseconds(50)).migrate(connection, deadline: soon())
      }
      try await Task.sleep(for: .milliseconds(400))
      let impatient = try await connect(database)
      let error = await failure {
        try await Migrator(all, lockTimeout: .milliseconds(20), maximumAttempts: 2).migrate(impatient, deadline: soon())
      }
      #expect(error?.sqlState == "55P03")
      _ = try await other.run(Query(Statement("unblock", "rollback")), deadline: soon())
      #expect(try await migration.value == ["0003_note.sql"])
      for each in [connection, other, impatient] { await each.close() }
    }
  }

  @Test("refuses names without a number, and scripts out of order")
  func names() throws {
    for name in ["parties.sql", "1_parties.sql", "00001_parties.sql", "000a_parties.sql", ""] {
      #expect(throws: PostgresError.self) { try script(name, "select 1") }
    }
    let all = try scripts()
    #expect(throws: PostgresError.self) { try Migrator([all[1], all[0]]) }
    #expect(throws: PostgresError.self) { try Migrator([all[0], script("0001_again.sql", "select 1")]) }
    #expect(throws: PostgresError.self) { try MigrationScript(name: "0001_a.sql", bytes: [0xff]) }
  }
}
