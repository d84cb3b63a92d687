import Postgres
import Primitives

/// A table, its columns in order, and how a row is read. The set-based statements that load, insert and update rows are
/// composed once from the columns' names, all of them literals of the source.
package struct Table<Row: Sendable>: Sendable {
  package let name: String
  package let columns: [Column<Row>]
  private let read: @Sendable (inout RowReader) throws -> Row

  /// Rows by a list of ids (`$1 uuid[]`), the column `id`.
  package let selectByIDs: Statement
  /// Every row; composed with a `where` by the stores.
  package let selectList: SQL
  package let insert: Statement
  /// Full rows by key and the version they were loaded with; the last parameter is that version. Nil for tables whose
  /// rows never change.
  package let update: Statement?
  private let sql: SQL
  private let key: [SQL]
  /// An update of some columns only.
  package private(set) var narrow: Narrow?

  /// An update of some columns: rewriting sixty to change six costs the server three times as much.
  package struct Narrow: Sendable {
    package let statement: Statement
    /// The key's and those that are written.
    let columns: [Column<Row>]
    /// Whether a row, the first, differs from what was loaded in these columns only.
    let covers: @Sendable (Row, Row) -> Bool

    fileprivate init(
      _ table: Table<Row>, _ name: StaticString, _ names: [SQL], _ covers: @escaping @Sendable (Row, Row) -> Bool
    ) {
      let written = Set(names.map(\.text))
      let keys = Set(table.key.map(\.text))
      columns = table.columns.filter { written.contains($0.name.text) || keys.contains($0.name.text) }
      self.covers = covers
      statement = Table.updating(table.sql, key: table.key, columns, name)
    }
  }

  /// - Parameters:
  ///   - key: the columns of the primary key, distribution key first.
  ///   - idColumn: what `selectByIDs` compares; nil when rows are found otherwise.
  package init(
    _ name: StaticString, sql: SQL, key: [SQL], idColumn: SQL, columns: [Column<Row>],
    names: (byIDs: StaticString, insert: StaticString, update: StaticString?),
    read: @escaping @Sendable (inout RowReader) throws -> Row
  ) {
    self.name = name.description
    self.columns = columns
    self.read = read
    let types = columns.map(\.type)
    let list = Self.list(columns.map(\.name))
    let base: SQL = "select" + list + "from" + sql
    self.selectList = base
    self.selectByIDs = Statement(
      names.byIDs, base + "where" + idColumn + "= any($1)", parameters: [.uuidArray], columns: types)
    let source = Self.source(columns)
    self.insert = Statement(
      names.insert,
      "insert into" + sql + "(" + list + ") select" + Self.list(columns.map(Self.converted)) + "from" + source,
      parameters: columns.map(\.parameter))
    self.sql = sql
    self.key = key
    self.update = names.update.map { Self.updating(sql, key: key, columns, $0) }
  }

  /// Writes these columns of rows that are found by their key and the version they were loaded with.
  private static func updating(_ sql: SQL, key: [SQL], _ columns: [Column<Row>], _ name: StaticString) -> Statement {
    let keyTexts = Set(key.map(\.text))
    let assignments = columns.filter { !keyTexts.contains($0.name.text) }.map { column -> SQL in
      column.name + "=" + converted(column)
    }
    let matches = key.map { ("t." as SQL).glued($0) + "=" + ("u." as SQL).glued($0) }
    let version = Column<Row>.int8("loaded_version") { _ in nil }
    return Statement(
      name,
      "update" + sql + "as t set" + list(assignments) + "from" + source(columns + [version]) + "where"
        + join(matches, "and") + "and t.version = u.loaded_version",
      parameters: columns.map(\.parameter) + [.int8Array])
  }

  /// The same table with an update of some columns only, for the change that is made to most rows at one time.
  /// - Parameters:
  ///   - columns: that it writes, beside the version and the time.
  ///   - covers: whether a row differs from what was loaded in these columns only.
  package func narrowed(
    _ name: StaticString, to columns: [SQL], covers: @escaping @Sendable (Row, Row) -> Bool
  ) -> Table<Row> {
    var table = self
    table.narrow = Narrow(self, name, columns, covers)
    return table
  }

  /// A query that writes the narrow columns of these rows; nil for none.
  package func narrowing(_ rows: [Row], loadedVersions: [Int64]) -> Query? {
    guard !rows.isEmpty, let narrow else { return nil }
    return Query(narrow.statement, narrow.columns.map { $0.bind(rows) } + [.int8Array(loadedVersions)])
  }

  /// The column types, in order: what a select of `selectList` declares.
  package var types: [PostgresType] { columns.map(\.type) }

  /// A query that inserts these rows.
  package func inserting(_ rows: [Row]) -> Query {
    Query(insert, columns.map { $0.bind(rows) })
  }

  /// A query that rewrites these rows where they still have the version they were loaded with.
  package func updating(_ rows: [Row], loadedVersions: [Int64]) -> Query? {
    update.map { Query($0, columns.map { $0.bind(rows) } + [.int8Array(loadedVersions)]) }
  }

  package func rows(by ids: some Sequence<UUIDValue>) -> Query {
    Query(selectByIDs, [.uuidArray(ids.map(\.bits))])
  }

  /// Reads one row of a select whose first columns are this table's, in order.
  package func decode(_ row: Postgres.Row) throws -> Row {
    var reader = RowReader(row)
    return try read(&reader)
  }

  package func decode(_ result: ResultSet) throws -> [Row] {
    try result.map { try decode($0) }
  }

  private static func converted(_ column: Column<Row>) -> SQL {
    let reference = ("u." as SQL).glued(column.name)
    return column.conversion.map { reference.glued($0) } ?? reference
  }

  private static func source(_ columns: [Column<Row>]) -> SQL {
    let parameters = zip(columns, placeholders).map { column, placeholder in placeholder.glued(column.cast) }
    return "unnest(" + list(parameters) + ") as u (" + list(columns.map(\.name)) + ")"
  }

  private static func list(_ parts: [SQL]) -> SQL { join(parts, ",") }

  private static func join(_ parts: [SQL], _ separator: SQL) -> SQL {
    var parts = parts[...]
    guard var text = parts.popFirst() else { return "" }
    for part in parts { text = text + separator + part }
    return text
  }
}

/// `$1` to `$140`: a statement's text is made of literals only.
private let placeholders: [SQL] = [
  "$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8", "$9", "$10", "$11", "$12", "$13", "$14", "$15", "$16", "$17",
  "$18", "$19", "$20", "$21", "$22", "$23", "$24", "$25", "$26", "$27", "$28", "$29", "$30", "$31", "$32", "$33",
  "$34", "$35", "$36", "$37", "$38", "$39", "$40", "$41", "$42", "$43", "$44", "$45", "$46", "$47", "$48", "$49",
  "$50", "$51", "$52", "$53", "$54", "$55", "$56", "$57", "$58", "$59", "$60", "$61", "$62", "$63", "$64", "$65",
  "$66", "$67", "$68", "$69", "$70", "$71", "$72", "$73", "$74", "$75", "$76", "$77", "$78", "$79", "$80", "$81",
  "$82", "$83", "$84", "$85", "$86", "$87", "$88", "$89", "$90", "$91", "$92", "$93", "$94", "$95", "$96", "$97",
  "$98", "$99", "$100", "$101", "$102", "$103", "$104", "$105", "$106", "$107", "$108", "$109", "$110", "$111",
  "$112", "$113", "$114", "$115", "$116", "$117", "$118", "$119", "$120", "$121", "$122", "$123", "$124", "$125",
  "$126", "$127", "$128", "$129", "$130", "$131", "$132", "$133", "$134", "$135", "$136", "$137", "$138", "$139",
  "$140",
]
