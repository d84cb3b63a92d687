/// The reference: pgbench writing the very rows that the service stores for a request, into twins of its tables.
struct Reference {
  let separate: String
  let single: String

  /// What each request writes, with the columns that are fresh each time.
  private static let tables: [(name: String, fresh: [String: String])] = [
    ("idempotency", ["key": "gen_random_uuid()::text"]),
    ("loan_requests", ["id": "gen_random_uuid()"]),
    ("audit_log", ["id": "gen_random_uuid()"]),
    ("outbox", ["id": "gen_random_uuid()", "transaction_id": "pg_current_xact_id()"]),
  ]

  static var tableNames: [String] { tables.map(\.name) }

  /// Makes the twins, and takes the values from a row that the service has stored.
  init(_ database: BenchDatabase) throws {
    var inserts: [String] = []
    _ = try database.rows("create schema twin")
    for table in Self.tables {
      _ = try database.rows("create table twin.\(table.name) (like public.\(table.name) including all)")
      let columns = try database.rows(
        """
        select column_name, udt_name from information_schema.columns
        where table_schema = 'public' and table_name = '\(table.name)' and is_identity = 'NO' order by ordinal_position
        """
      ).map { $0.split(separator: "\t").map(String.init) }
      var values: [String] = []
      for column in columns {
        if let fresh = table.fresh[column[0]] {
          values.append(fresh)
        } else {
          let stored = try database.rows(
            "select quote_nullable(\(column[0])::text) from public.\(table.name) limit 1")
          guard let literal = stored.first else {
            throw BenchFailure("no \(table.name) row is stored to take as pattern")
          }
          // A colon would be a variable to pgbench, but only before a letter; these literals are quoted JSON and dates.
          values.append("\(literal)::\(column[1])")
        }
      }
      inserts.append(
        "insert into twin.\(table.name) (\(columns.map { $0[0] }.joined(separator: ", "))) values ("
          + values.joined(separator: ", ") + ")")
    }
    separate = "begin;\n" + inserts.map { $0 + ";\n" }.joined() + "commit;\n"
    let parts = inserts.dropLast().enumerated().map { "w\($0.offset) as (\($0.element))" }
    single = "with \(parts.joined(separator: ", ")) \(inserts.last ?? "");\n"
  }
}
