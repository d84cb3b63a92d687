import CLibPQ

/// The rows of one statement, copied once off libpq's result into one flat buffer, and decoded when asked.
package struct ResultSet: Sendable, RandomAccessCollection {
  let storage: Storage

  package var startIndex: Int { 0 }
  package var endIndex: Int { storage.rowCount }

  /// One row; the index must be within `indices`.
  package subscript(position: Int) -> Row {
    precondition(position >= 0 && position < storage.rowCount, "row outside of the result")
    return Row(storage: storage, row: position)
  }

  /// What the server says it did, as in `INSERT 0 3` or `COMMIT`.
  package var commandTag: String { storage.commandTag }

  /// The number of rows that the statement wrote or returned; 0 for commands that count none.
  package var affectedRows: Int {
    guard let digits = storage.commandTag.split(separator: " ").last else { return 0 }
    return Int(digits) ?? 0
  }

  /// The names of the columns in order.
  package var columnNames: [String] { storage.layout.names }

  /// The object ids of the column types, as the server sent them.
  package var columnOIDs: [UInt32] { storage.layout.oids }

  /// The only row; any other number of rows is a decoding error.
  package func single() throws(PostgresError) -> Row {
    guard count == 1 else { throw PostgresError(.decoding, "\(count) rows where one was expected") }
    return self[0]
  }

  /// The only row or none; more than one is a decoding error.
  package func singleOrNull() throws(PostgresError) -> Row? {
    guard count <= 1 else { throw PostgresError(.decoding, "\(count) rows where at most one was expected") }
    return first
  }

  /// Column names and types, shared by all results of one prepared statement.
  final class Layout: Sendable {
    let oids: [UInt32]
    let names: [String]

    init(oids: [UInt32], names: [String]) {
      self.oids = oids
      self.names = names
    }

    static let none = Layout(oids: [], names: [])
  }

  /// Where one value lies; a length of -1 is NULL.
  struct Cell: Sendable {
    let offset: UInt32
    let length: Int32
  }

  final class Storage: Sendable {
    let layout: Layout
    let rowCount: Int
    let cells: [Cell]
    let bytes: [UInt8]
    let commandTag: String

    init(layout: Layout, rowCount: Int, cells: [Cell], bytes: [UInt8], commandTag: String) {
      self.layout = layout
      self.rowCount = rowCount
      self.cells = cells
      self.bytes = bytes
      self.commandTag = commandTag
    }
  }

  /// More than this in one result is refused: it would be a missing page limit, and cells count in 32 bits.
  static let maximumBytes = 1 << 30
}

extension ResultSet {
  /// Copies a result; `known` is the layout of the statement's last result and is used again when it still fits.
  static func copy(
    _ result: OpaquePointer, known: Layout?
  ) throws(PostgresError) -> ResultSet {
    let rows = Int(PQntuples(result))
    let columns = Int(PQnfields(result))
    let tag = PQcmdStatus(result).map { String(cString: $0) } ?? ""
    let layout = layout(of: result, columns: columns, known: known)
    let (cellCount, overflow) = rows.multipliedReportingOverflow(by: columns)
    guard !overflow else { throw PostgresError(.decoding, "the result is too large") }
    guard cellCount > 0 else {
      return ResultSet(
        storage: Storage(layout: layout, rowCount: rows, cells: [], bytes: [], commandTag: tag))
    }
    var total = 0
    let cells = [Cell](unsafeUninitializedCapacity: cellCount) { buffer, count in
      var at = 0
      for row in 0..<Int32(rows) {
        for column in 0..<Int32(columns) {
          let length = PQgetlength(result, row, column)
          let isNull = length == 0 && PQgetisnull(result, row, column) != 0
          buffer.initializeElement(
            at: at, to: Cell(offset: UInt32(truncatingIfNeeded: total), length: isNull ? -1 : length))
          total += Int(length)
          at += 1
        }
      }
      count = at
    }
    guard total <= maximumBytes else { throw PostgresError(.decoding, "the result is larger than 1 GiB") }
    let bytes = [UInt8](unsafeUninitializedCapacity: total) { buffer, count in
      let raw = UnsafeMutableRawBufferPointer(buffer)
      var at = 0
      for row in 0..<Int32(rows) {
        for column in 0..<Int32(columns) {
          let cell = cells[at]
          at += 1
          guard cell.length > 0, let value = PQgetvalue(result, row, column), let base = raw.baseAddress else {
            continue
          }
          (base + Int(cell.offset)).copyMemory(from: value, byteCount: Int(cell.length))
        }
      }
      count = total
    }
    return ResultSet(
      storage: Storage(layout: layout, rowCount: rows, cells: cells, bytes: bytes, commandTag: tag))
  }

  private static func layout(of result: OpaquePointer, columns: Int, known: Layout?) -> Layout {
    guard columns > 0 else { return .none }
    if let known, known.oids.count == columns {
      var same = true
      for column in 0..<columns where PQftype(result, Int32(column)) != known.oids[column] {
        same = false
      }
      if same { return known }
    }
    return Layout(
      oids: (0..<Int32(columns)).map { PQftype(result, $0) },
      names: (0..<Int32(columns)).map { PQfname(result, $0).map { String(cString: $0) } ?? "" })
  }
}
