/// One row of a result. Every accessor checks the column's position, type and length; nothing a server sends can trap.
package struct Row: Sendable {
  let storage: ResultSet.Storage
  let row: Int

  /// The number of columns.
  package var count: Int { storage.layout.oids.count }

  /// Whether the column is NULL.
  package func isNull(_ column: Int) throws(PostgresError) -> Bool {
    try cell(column).length < 0
  }

  private func cell(_ column: Int) throws(PostgresError) -> ResultSet.Cell {
    let columns = storage.layout.oids.count
    guard column >= 0, column < columns else {
      throw PostgresError(.decoding, "column \(column) of \(columns)")
    }
    return storage.cells[row * columns + column]
  }

  /// The bytes of a column of one of the given types, or nil for NULL.
  func value<Result>(
    _ column: Int, _ type: PostgresType, also: (UInt32, UInt32, UInt32) = (0, 0, 0),
    _ decode: (UnsafeRawBufferPointer) throws(PostgresError) -> Result
  ) throws(PostgresError) -> Result? {
    let cell = try cell(column)
    let oid = storage.layout.oids[column]
    guard oid == type.oid || oid == also.0 || oid == also.1 || oid == also.2 else {
      throw PostgresError(.decoding, "column \(column) has type \(oid), read as \(type)")
    }
    guard cell.length >= 0 else { return nil }
    return try storage.bytes.withUnsafeBufferPointer { (all) throws(PostgresError) in
      let start = Int(cell.offset)
      return try decode(
        UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: all[start..<start + Int(cell.length)])))
    }
  }

  /// Turns NULL into an error.
  func present<Result>(_ value: Result?, _ column: Int) throws(PostgresError) -> Result {
    guard let value else { throw PostgresError(.decoding, "column \(column) is NULL") }
    return value
  }
}

/// The wire forms of single values.
enum Wire {
  static func integer<Value: FixedWidthInteger>(
    _ bytes: UnsafeRawBufferPointer, as type: Value.Type
  ) throws(PostgresError) -> Value {
    guard bytes.count == MemoryLayout<Value>.size else {
      throw PostgresError(.decoding, "\(bytes.count) bytes for a value of \(MemoryLayout<Value>.size)")
    }
    return Value(bigEndian: bytes.loadUnaligned(as: Value.self))
  }

  static func bool(_ bytes: UnsafeRawBufferPointer) throws(PostgresError) -> Bool {
    guard bytes.count == 1, bytes[0] <= 1 else { throw PostgresError(.decoding, "no boolean") }
    return bytes[0] == 1
  }

  static func text(_ bytes: UnsafeRawBufferPointer) throws(PostgresError) -> String {
    // Nearly all of it is ASCII, which needs no decoder: that one is generic, and was a quarter of what reading a loan takes.
    if isASCII(bytes) { return String(decoding: bytes, as: UTF8.self) }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw PostgresError(.decoding, "text is not UTF-8")
    }
    return text
  }

  private static func isASCII(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var index = 0
    while index + 8 <= bytes.count {
      if bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 != 0 { return false }
      index += 8
    }
    while index < bytes.count {
      if bytes[index] >= 0x80 { return false }
      index += 1
    }
    return true
  }

  static func uuid(_ bytes: UnsafeRawBufferPointer) throws(PostgresError) -> UUIDBits {
    guard bytes.count == 16 else { throw PostgresError(.decoding, "no uuid") }
    return UUIDBits(
      hi: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
      lo: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
  }

  static func json(_ bytes: UnsafeRawBufferPointer) throws(PostgresError) -> [UInt8] {
    guard bytes.first == 1 else { throw PostgresError(.decoding, "unknown version of jsonb") }
    return Array(bytes.dropFirst())
  }

  static func date(_ bytes: UnsafeRawBufferPointer) throws(PostgresError) -> Int32 {
    try PostgresCalendar.days(wire: integer(bytes, as: Int32.self))
  }

  static func timestamptz(_ bytes: UnsafeRawBufferPointer) throws(PostgresError) -> Int64 {
    try PostgresCalendar.microseconds(wire: integer(bytes, as: Int64.self))
  }

  static func bytes(_ bytes: UnsafeRawBufferPointer) throws(PostgresError) -> [UInt8] {
    Array(bytes)
  }

  /// The elements of a one-dimensional array, bounds ignored; nil for a NULL element.
  static func array<Element>(
    _ bytes: UnsafeRawBufferPointer, of element: PostgresType,
    _ decode: (UnsafeRawBufferPointer) throws(PostgresError) -> Element
  ) throws(PostgresError) -> [Element?] {
    func part(_ at: Int, _ length: Int) throws(PostgresError) -> UnsafeRawBufferPointer {
      guard length >= 0, at <= bytes.count, length <= bytes.count - at else {
        throw PostgresError(.decoding, "array is cut short")
      }
      return UnsafeRawBufferPointer(rebasing: bytes[at..<at + length])
    }
    let dimensions = try integer(part(0, 4), as: Int32.self)
    let oid = try integer(part(8, 4), as: UInt32.self)
    guard oid == element.oid else { throw PostgresError(.decoding, "array of type \(oid), read as \(element)") }
    if dimensions == 0 { return [] }
    guard dimensions == 1 else { throw PostgresError(.decoding, "array of \(dimensions) dimensions") }
    let count = try integer(part(12, 4), as: Int32.self)
    // Every element takes four bytes at least, so a count beyond that is a lie and must not reserve memory.
    guard count >= 0, Int(count) <= (bytes.count - 20) / 4 else {
      throw PostgresError(.decoding, "array count does not fit its bytes")
    }
    var values: [Element?] = []
    values.reserveCapacity(Int(count))
    var at = 20
    for _ in 0..<count {
      let length = Int(try integer(part(at, 4), as: Int32.self))
      at += 4
      guard length >= 0 else {
        values.append(nil)
        continue
      }
      values.append(try decode(part(at, length)))
      at += length
    }
    guard at == bytes.count else { throw PostgresError(.decoding, "array has bytes left over") }
    return values
  }
}
