/// Why a file of comma-separated values is refused.
package struct CSVFailure: Error, Sendable, Hashable, CustomStringConvertible {
  /// The line at fault, from 1; in a record that spans lines, the line where it starts or where the fault was seen.
  package let line: Int
  package let reason: String

  package init(line: Int, reason: String) {
    self.line = line
    self.reason = reason
  }

  package var description: String { "line \(line): \(reason)" }
}

/// A table read strictly by RFC 4180: a header of distinct names, records of the same number of fields, quotes only
/// around a whole field, doubled within it; lines end in LF or CRLF. A guess at what a crooked file may mean is a wrong
/// figure.
package struct CSVTable: Sendable {
  /// One record, with the line on which it starts.
  package struct Row: Sendable {
    package let line: Int
    package let fields: [String]
    fileprivate let columns: [String: Int]

    /// The field of that column; nil when the table has no such column.
    package subscript(column: String) -> String? { columns[column].map { fields[$0] } }
  }

  package let header: [String]
  package let rows: [Row]

  /// What is taken at most, so that a hostile file costs no more than its own size.
  package struct Limits: Sendable, Hashable {
    package var maxBytes = 16 << 20
    package var maxRows = 200_000
    package var maxColumns = 256
    package var maxFieldBytes = 16 << 10

    package init() {}
  }

  /// - Throws: `CSVFailure` at the first fault.
  package init(parsing bytes: [UInt8], limits: Limits = Limits()) throws(CSVFailure) {
    guard bytes.count <= limits.maxBytes else {
      throw CSVFailure(line: 1, reason: "the file has more than \(limits.maxBytes) bytes")
    }
    var reader = CSVReader(bytes: bytes, limits: limits)
    guard let first = try reader.next() else { throw CSVFailure(line: 1, reason: "the file has no header") }
    var columns: [String: Int] = [:]
    for (index, name) in first.fields.enumerated() {
      guard !name.isEmpty else { throw CSVFailure(line: 1, reason: "column \(index + 1) has no name") }
      guard columns.updateValue(index, forKey: name) == nil else {
        throw CSVFailure(line: 1, reason: "the column \(name) stands twice in the header")
      }
    }
    var rows: [Row] = []
    while let record = try reader.next() {
      guard record.fields.count == first.fields.count else {
        throw CSVFailure(
          line: record.line, reason: "\(record.fields.count) fields where the header has \(first.fields.count)")
      }
      guard rows.count < limits.maxRows else {
        throw CSVFailure(line: record.line, reason: "more than \(limits.maxRows) records")
      }
      rows.append(Row(line: record.line, fields: record.fields, columns: columns))
    }
    self.header = first.fields
    self.rows = rows
  }

  /// The columns of `names` that the header lacks, in their order.
  package func missing(_ names: [String]) -> [String] {
    let known = Set(header)
    return names.filter { !known.contains($0) }
  }
}

/// Takes one record after the other from the bytes.
private struct CSVReader {
  private let bytes: [UInt8]
  private let limits: CSVTable.Limits
  private var position: Int
  private var line = 1

  init(bytes: [UInt8], limits: CSVTable.Limits) {
    self.bytes = bytes
    self.limits = limits
    // Spreadsheets put a byte order mark in front; it is no part of the first name.
    position = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
  }

  /// The next record, or nil at the end.
  mutating func next() throws(CSVFailure) -> (line: Int, fields: [String])? {
    guard position < bytes.count else { return nil }
    let start = line
    var fields: [String] = []
    while true {
      fields.append(try field())
      guard fields.count <= limits.maxColumns else {
        throw CSVFailure(line: start, reason: "more than \(limits.maxColumns) fields")
      }
      if position < bytes.count, bytes[position] == Self.comma {
        position += 1
        continue
      }
      try endOfLine()
      return (start, fields)
    }
  }

  private static let quote: UInt8 = 0x22
  private static let comma: UInt8 = 0x2C
  private static let lineFeed: UInt8 = 0x0A
  private static let carriageReturn: UInt8 = 0x0D

  private mutating func endOfLine() throws(CSVFailure) {
    guard position < bytes.count else { return }
    if bytes[position] == Self.carriageReturn {
      position += 1
      guard position < bytes.count, bytes[position] == Self.lineFeed else {
        throw CSVFailure(line: line, reason: "a carriage return without a line feed")
      }
    }
    position += 1
    line += 1
  }

  private mutating func field() throws(CSVFailure) -> String {
    if position < bytes.count, bytes[position] == Self.quote { return try quotedField() }
    let start = position
    scan: while position < bytes.count {
      switch bytes[position] {
      case Self.comma, Self.lineFeed, Self.carriageReturn: break scan
      case Self.quote: throw CSVFailure(line: line, reason: "a quote within a field that does not start with one")
      default: position += 1
      }
    }
    return try text(Array(bytes[start..<position]))
  }

  private mutating func quotedField() throws(CSVFailure) -> String {
    let opened = line
    var content: [UInt8] = []
    position += 1
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      if byte == Self.quote {
        if position < bytes.count, bytes[position] == Self.quote {
          position += 1
        } else {
          try expectEndOfField()
          return try text(content)
        }
      } else if byte == Self.lineFeed {
        line += 1
      }
      content.append(byte)
      guard content.count <= limits.maxFieldBytes else { break }
    }
    guard content.count <= limits.maxFieldBytes else {
      throw CSVFailure(line: opened, reason: "a field of more than \(limits.maxFieldBytes) bytes")
    }
    throw CSVFailure(line: opened, reason: "a quote is opened and never closed")
  }

  private func expectEndOfField() throws(CSVFailure) {
    guard position < bytes.count else { return }
    switch bytes[position] {
    case Self.comma, Self.lineFeed, Self.carriageReturn: return
    default: throw CSVFailure(line: line, reason: "text after the closing quote")
    }
  }

  private func text(_ content: [UInt8]) throws(CSVFailure) -> String {
    guard content.count <= limits.maxFieldBytes else {
      throw CSVFailure(line: line, reason: "a field of more than \(limits.maxFieldBytes) bytes")
    }
    guard !content.contains(0) else { throw CSVFailure(line: line, reason: "a null byte") }
    guard let text = String(validating: content, as: UTF8.self) else {
      throw CSVFailure(line: line, reason: "a field is not UTF-8")
    }
    return text
  }
}
