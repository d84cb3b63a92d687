/// A named statement with its declared parameter and column types, prepared once on each connection and kept there.
///
/// Make it a `static let` beside the row codec: making one copies its text.
package struct Statement: Sendable, Hashable {
  /// The server-side name, unique within the service. Two statements of one name and different text are refused.
  package var name: String { shape.name }
  /// The text.
  package var sql: SQL { shape.sql }
  /// The declared types of `$1`, `$2` and so on.
  package var parameters: [PostgresType] { shape.parameters }
  /// The declared types of the columns. Empty means that the result's types are not compared.
  package var columns: [PostgresType] { shape.columns }

  let shape: Shape

  /// A statement; `parameters` and `columns` are compared with each query and each result.
  package init(
    _ name: StaticString, _ sql: SQL, parameters: [PostgresType] = [], columns: [PostgresType] = []
  ) {
    shape = Shape(name: name.description, sql: sql, parameters: parameters, columns: columns)
  }

  package static func == (left: Statement, right: Statement) -> Bool {
    left.shape.isSame(as: right.shape)
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(shape.name)
  }

  /// Everything about a statement that is worth computing once: shared by reference, so a query costs one retain.
  final class Shape: Sendable {
    let name: String
    let sql: SQL
    let parameters: [PostgresType]
    let columns: [PostgresType]
    let parameterOIDs: [UInt32]
    let columnOIDs: [UInt32]
    let nameBytes: ContiguousArray<CChar>
    let verb: StatementVerb

    init(name: String, sql: SQL, parameters: [PostgresType], columns: [PostgresType]) {
      self.name = name
      self.sql = sql
      self.parameters = parameters
      self.columns = columns
      parameterOIDs = parameters.map(\.oid)
      columnOIDs = columns.map(\.oid)
      nameBytes = name.utf8CString
      verb = StatementVerb(of: sql.text)
    }
  }
}

/// A statement with its values, ready to be sent.
package struct Query: Sendable {
  /// What to run.
  package let statement: Statement
  /// The values of `$1`, `$2` and so on; their count and types must be those the statement declares.
  package let binds: [Bind]

  package init(_ statement: Statement, _ binds: [Bind] = []) {
    self.statement = statement
    self.binds = binds
  }
}

/// What a statement's leading words say about transactions. It decides whether a lost answer is ambiguous and whether a
/// cancel may be sent, so everything unknown counts as a write. A `select` counts as a read: functions that write are
/// called inside a block.
enum StatementVerb: Sendable, Equatable {
  /// Opens a block; a read-only block has nothing to lose at its commit.
  case begin(readOnly: Bool)
  /// Ends a block and keeps its effects.
  case commit
  /// Ends a block and drops its effects.
  case rollback
  /// Cannot end a block and, outside one, changes nothing that must not be repeated.
  case read
  /// Anything else.
  case write

  init(of text: String) {
    let words = text.lowercased().split(maxSplits: 12, whereSeparator: { $0.isWhitespace || $0 == ";" })
    switch words.first {
    case "begin", "start":
      let readOnly = zip(words, words.dropFirst()).contains { $0 == "read" && $1.hasPrefix("only") }
      self = .begin(readOnly: readOnly)
    case "commit", "end": self = .commit
    case "abort": self = .rollback
    case "rollback": self = words.contains("to") ? .read : (words.contains("prepared") ? .write : .rollback)
    case "prepare" where words.dropFirst().first == "transaction": self = .commit
    case "savepoint", "release", "show", "listen", "unlisten": self = .read
    case "select", "values", "table": self = .read
    case "with": self = Self.mentionsChange(text) ? .write : .read
    default: self = .write
    }
  }
  /// Whether a common table expression may change data; a false alarm costs only a needless "unknown".
  private static func mentionsChange(_ text: String) -> Bool {
    let words = text.lowercased().split { !($0.isLetter || $0 == "_") }
    return words.contains { ["insert", "update", "delete", "merge"].contains($0) }
  }
}

extension Statement.Shape {
  /// Whether both say the same, made once or twice.
  func isSame(as other: Statement.Shape) -> Bool {
    self === other
      || (name == other.name && sql == other.sql && parameters == other.parameters && columns == other.columns)
  }
}
