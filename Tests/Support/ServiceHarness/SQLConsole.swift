import CLibPQ
import PostgresHarness

/// Reads the tables directly, around everything that the service does.
package final class SQLConsole {
  private let connection: OpaquePointer

  package init(url: String) throws {
    guard let connection = PQconnectdb(url), PQstatus(connection) == CONNECTION_OK else {
      throw HarnessError("no connection to the private server")
    }
    self.connection = connection
  }

  deinit { PQfinish(connection) }

  /// The rows of one statement as text; null is the empty text.
  package func rows(_ text: String) throws -> [[String]] {
    let result = PQexec(connection, text)
    defer { PQclear(result) }
    let status = PQresultStatus(result)
    guard status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK else {
      throw HarnessError("\(text): \(String(cString: PQerrorMessage(connection)))")
    }
    return (0..<PQntuples(result)).map { row in
      (0..<PQnfields(result)).map { column in PQgetvalue(result, row, column).map { String(cString: $0) } ?? "" }
    }
  }

  /// The one number of a statement.
  package func number(_ text: String) throws -> Int {
    guard let value = try rows(text).first?.first.flatMap({ Int($0) }) else { throw HarnessError("no number: \(text)") }
    return value
  }

  /// How many rows each table has, except those that a refusal may write to.
  package func counts(except: Set<String> = []) throws -> [String: Int] {
    var counts: [String: Int] = [:]
    for row in try rows("select table_name from information_schema.tables where table_schema = 'public' order by 1")
    where !except.contains(row[0]) {
      counts[row[0]] = try number("select count(*) from \"\(row[0])\"")
    }
    return counts
  }
}
