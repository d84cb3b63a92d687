import Persistence
import Postgres
import PostgresHarness
import SchemaFixtures
import Testing

@Suite("The statements of Persistence", .timeLimit(.minutes(2)))
struct StatementTests {
  @Test("fit the migrated schema: the server infers the declared parameter types and returns the declared columns")
  func typesFit() async throws {
    try await MigratedDatabase.with { database in
      let describer = try StatementDescriber(database)
      #expect(describer.differences(AnyTable.statements) == [])
    }
  }

  @Test("are told from one another by their names")
  func namesAreUnique() {
    #expect(StatementNames.repeated(AnyTable.statements) == [])
  }

  @Test("are all collected here: no statement of the sources is left out")
  func allCollected() throws {
    let declared = try StatementNames.declared(in: "Sources/Adapters/Persistence")
    #expect(declared.symmetricDifference(AnyTable.statements.map(\.name)) == [])
  }

  @Test("have a table value, or statements of their own, for each table of the schema")
  func everyTableIsCovered() async throws {
    let tables = Statement(
      "statement_tables",
      """
      select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'
        and relname not in ('schema_lock', 'schema_versions')
      """, columns: [.text])
    try await MigratedDatabase.with { database in
      try await database.withConnection { connection in
        let names = try await connection.run(Query(tables), deadline: soon()).map { try $0.text(0) }
        #expect(Set(names) == Set(AnyTable.all.map(\.name) + AnyTable.written))
      }
    }
  }

  @Test("a wrong type or a missing column would be told")
  func differencesAreSeen() async throws {
    let wrong = [
      Statement("wrong_parameter", "select id from lots where id = $1", parameters: [.text], columns: [.uuid]),
      Statement("wrong_column", "select id, quantity from lots", columns: [.uuid, .int4]),
      Statement("undeclared_columns", "select id from lots"),
      Statement("missing_column", "select returning_chips from lots", columns: [.int8]),
      Statement("fits", "select quantity from lots where id = $1", parameters: [.uuid], columns: [.int8]),
    ]
    try await MigratedDatabase.with { database in
      let found = try StatementDescriber(database).differences(wrong)
      let names = Set(found.map { $0.prefix { $0 != ":" } })
      #expect(names == ["wrong_parameter", "wrong_column", "undeclared_columns", "missing_column"])
    }
  }
}
