import CLibPQ
import Foundation
import Postgres
import PostgresHarness

/// Asks a server what it makes of a statement's text, by libpq itself and not through the binding that is under test.
package final class StatementDescriber {
  /// Type ids as the server infers them.
  package struct Description: Equatable {
    package let parameters: [UInt32]
    package let columns: [UInt32]
  }

  private let handle: OpaquePointer
  private var count = 0

  package init(_ database: TestDatabase) throws {
    guard let handle = PQconnectdb(database.url), PQstatus(handle) == CONNECTION_OK else {
      throw HarnessError("cannot connect to \(database.name)")
    }
    self.handle = handle
  }

  deinit { PQfinish(handle) }

  /// Prepares the text and describes it.
  ///
  /// - Parameter declaring: parameter types that are told to the server; none leaves all of them to its inference.
  package func describe(_ text: String, declaring types: [UInt32] = []) throws -> Description {
    count += 1
    let name = "probe_\(count)"
    let prepared = PQprepare(handle, name, text, Int32(types.count), types)
    defer { PQclear(prepared) }
    guard PQresultStatus(prepared) == PGRES_COMMAND_OK else {
      throw HarnessError(String(cString: PQresultErrorMessage(prepared)))
    }
    let result = PQdescribePrepared(handle, name)
    defer { PQclear(result) }
    guard PQresultStatus(result) == PGRES_COMMAND_OK else {
      throw HarnessError(String(cString: PQresultErrorMessage(result)))
    }
    return Description(
      parameters: (0..<PQnparams(result)).map { PQparamtype(result, $0) },
      columns: (0..<PQnfields(result)).map { PQftype(result, $0) })
  }

  /// Every way in which these statements differ from what the server says, in words.
  package func differences(_ statements: [Statement]) -> [String] {
    var found: [String] = []
    for statement in statements {
      let declared = statement.parameters.map(\.oid)
      do {
        let inferred = try describe(statement.sql.text)
        if inferred.parameters != declared {
          found.append("\(statement.name): parameters are \(inferred.parameters), declared \(declared)")
        }
        let told = try describe(statement.sql.text, declaring: declared)
        if told.columns != statement.columns.map(\.oid) {
          found.append("\(statement.name): columns are \(told.columns), declared \(statement.columns.map(\.oid))")
        }
      } catch {
        found.append("\(statement.name): \(error)")
      }
    }
    return found
  }
}

/// The names of statements as the sources give them, so that a statement nobody collects is noticed.
package enum StatementNames {
  /// Names in all Swift files of a folder of the package, such as `Sources/Adapters/Persistence`.
  package static func declared(in folder: String) throws -> Set<String> {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../..")
    let directory = root.appendingPathComponent(folder).standardizedFileURL.path
    guard let files = FileManager.default.enumerator(atPath: directory) else {
      throw HarnessError("there is no folder \(folder)")
    }
    let single = /(?:Statement|narrowed|ManyQuery)\(\s*"([a-z0-9_]+)"/
    let list = /names: \(([^)]*)\)/
    let quoted = /"([a-z0-9_]+)"/
    var names: Set<String> = []
    for case let file as String in files where file.hasSuffix(".swift") {
      let text = try String(contentsOfFile: directory + "/" + file, encoding: .utf8)
      for match in text.matches(of: single) { names.insert(String(match.1)) }
      for match in text.matches(of: list) {
        for name in match.1.matches(of: quoted) { names.insert(String(name.1)) }
      }
    }
    guard !names.isEmpty else { throw HarnessError("\(folder) has no statement") }
    return names
  }

  /// Names that more than one of these statements has.
  package static func repeated(_ statements: [Statement]) -> [String] {
    Dictionary(grouping: statements, by: \.name).filter { $0.value.count > 1 }.keys.sorted()
  }
}
