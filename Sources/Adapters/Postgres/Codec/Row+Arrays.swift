/// The accessors of arrays. The plain name refuses a NULL array and NULL elements; `OrNulls` gives nil for NULL elements
/// and refuses only a NULL array; `OrNull` gives nil for a NULL array and refuses NULL elements.
extension Row {
  private func elements<Element>(_ values: [Element?]?, _ column: Int) throws(PostgresError) -> [Element]? {
    guard let values else { return nil }
    var present: [Element] = []
    present.reserveCapacity(values.count)
    for value in values {
      guard let value else { throw PostgresError(.decoding, "column \(column) has a NULL element") }
      present.append(value)
    }
    return present
  }

  private func boolArrayCell(_ column: Int) throws(PostgresError) -> [Bool?]? {
    try value(column, .boolArray) { (bytes) throws(PostgresError) in
      try Wire.array(bytes, of: .bool, Wire.bool)
    }
  }

  /// An array without NULL elements.
  package func boolArray(_ column: Int) throws(PostgresError) -> [Bool] {
    try present(boolArrayOrNull(column), column)
  }

  /// An array without NULL elements, or nil for NULL.
  package func boolArrayOrNull(_ column: Int) throws(PostgresError) -> [Bool]? {
    try elements(boolArrayCell(column), column)
  }

  /// An array whose elements may be NULL.
  package func boolArrayOrNulls(_ column: Int) throws(PostgresError) -> [Bool?] {
    try present(boolArrayCell(column), column)
  }

  private func int4ArrayCell(_ column: Int) throws(PostgresError) -> [Int32?]? {
    try value(column, .int4Array) { (bytes) throws(PostgresError) in
      try Wire.array(bytes, of: .int4) { (part) throws(PostgresError) in try Wire.integer(part, as: Int32.self) }
    }
  }

  /// An array without NULL elements.
  package func int4Array(_ column: Int) throws(PostgresError) -> [Int32] {
    try present(int4ArrayOrNull(column), column)
  }

  /// An array without NULL elements, or nil for NULL.
  package func int4ArrayOrNull(_ column: Int) throws(PostgresError) -> [Int32]? {
    try elements(int4ArrayCell(column), column)
  }

  /// An array whose elements may be NULL.
  package func int4ArrayOrNulls(_ column: Int) throws(PostgresError) -> [Int32?] {
    try present(int4ArrayCell(column), column)
  }

  private func int8ArrayCell(_ column: Int) throws(PostgresError) -> [Int64?]? {
    try value(column, .int8Array) { (bytes) throws(PostgresError) in
      try Wire.array(bytes, of: .int8) { (part) throws(PostgresError) in try Wire.integer(part, as: Int64.self) }
    }
  }

  /// An array without NULL elements.
  package func int8Array(_ column: Int) throws(PostgresError) -> [Int64] {
    try present(int8ArrayOrNull(column), column)
  }

  /// An array without NULL elements, or nil for NULL.
  package func int8ArrayOrNull(_ column: Int) throws(PostgresError) -> [Int64]? {
    try elements(int8ArrayCell(column), column)
  }

  /// An array whose elements may be NULL.
  package func int8ArrayOrNulls(_ column: Int) throws(PostgresError) -> [Int64?] {
    try present(int8ArrayCell(column), column)
  }

  private func textArrayCell(_ column: Int) throws(PostgresError) -> [String?]? {
    try value(column, .textArray) { (bytes) throws(PostgresError) in
      try Wire.array(bytes, of: .text, Wire.text)
    }
  }

  /// An array without NULL elements.
  package func textArray(_ column: Int) throws(PostgresError) -> [String] {
    try present(textArrayOrNull(column), column)
  }

  /// An array without NULL elements, or nil for NULL.
  package func textArrayOrNull(_ column: Int) throws(PostgresError) -> [String]? {
    try elements(textArrayCell(column), column)
  }

  /// An array whose elements may be NULL.
  package func textArrayOrNulls(_ column: Int) throws(PostgresError) -> [String?] {
    try present(textArrayCell(column), column)
  }

  private func byteaArrayCell(_ column: Int) throws(PostgresError) -> [[UInt8]?]? {
    try value(column, .byteaArray) { (bytes) throws(PostgresError) in
      try Wire.array(bytes, of: .bytea, Wire.bytes)
    }
  }

  /// An array without NULL elements.
  package func byteaArray(_ column: Int) throws(PostgresError) -> [[UInt8]] {
    try present(byteaArrayOrNull(column), column)
  }

  /// An array without NULL elements, or nil for NULL.
  package func byteaArrayOrNull(_ column: Int) throws(PostgresError) -> [[UInt8]]? {
    try elements(byteaArrayCell(column), column)
  }

  /// An array whose elements may be NULL.
  package func byteaArrayOrNulls(_ column: Int) throws(PostgresError) -> [[UInt8]?] {
    try present(byteaArrayCell(column), column)
  }

  private func uuidArrayCell(_ column: Int) throws(PostgresError) -> [UUIDBits?]? {
    try value(column, .uuidArray) { (bytes) throws(PostgresError) in
      try Wire.array(bytes, of: .uuid, Wire.uuid)
    }
  }

  /// An array without NULL elements.
  package func uuidArray(_ column: Int) throws(PostgresError) -> [UUIDBits] {
    try present(uuidArrayOrNull(column), column)
  }

  /// An array without NULL elements, or nil for NULL.
  package func uuidArrayOrNull(_ column: Int) throws(PostgresError) -> [UUIDBits]? {
    try elements(uuidArrayCell(column), column)
  }

  /// An array whose elements may be NULL.
  package func uuidArrayOrNulls(_ column: Int) throws(PostgresError) -> [UUIDBits?] {
    try present(uuidArrayCell(column), column)
  }

  private func dateArrayCell(_ column: Int) throws(PostgresError) -> [Int32?]? {
    try value(column, .dateArray) { (bytes) throws(PostgresError) in
      try Wire.array(bytes, of: .date, Wire.date)
    }
  }

  /// An array without NULL elements.
  package func dateArray(_ column: Int) throws(PostgresError) -> [Int32] {
    try present(dateArrayOrNull(column), column)
  }

  /// An array without NULL elements, or nil for NULL.
  package func dateArrayOrNull(_ column: Int) throws(PostgresError) -> [Int32]? {
    try elements(dateArrayCell(column), column)
  }

  /// An array whose elements may be NULL.
  package func dateArrayOrNulls(_ column: Int) throws(PostgresError) -> [Int32?] {
    try present(dateArrayCell(column), column)
  }

  private func timestamptzArrayCell(_ column: Int) throws(PostgresError) -> [Int64?]? {
    try value(column, .timestamptzArray) { (bytes) throws(PostgresError) in
      try Wire.array(bytes, of: .timestamptz, Wire.timestamptz)
    }
  }

  /// An array without NULL elements.
  package func timestamptzArray(_ column: Int) throws(PostgresError) -> [Int64] {
    try present(timestamptzArrayOrNull(column), column)
  }

  /// An array without NULL elements, or nil for NULL.
  package func timestamptzArrayOrNull(_ column: Int) throws(PostgresError) -> [Int64]? {
    try elements(timestamptzArrayCell(column), column)
  }

  /// An array whose elements may be NULL.
  package func timestamptzArrayOrNulls(_ column: Int) throws(PostgresError) -> [Int64?] {
    try present(timestamptzArrayCell(column), column)
  }

  private func jsonbArrayCell(_ column: Int) throws(PostgresError) -> [[UInt8]?]? {
    try value(column, .jsonbArray) { (bytes) throws(PostgresError) in
      try Wire.array(bytes, of: .jsonb, Wire.json)
    }
  }

  /// An array without NULL elements.
  package func jsonbArray(_ column: Int) throws(PostgresError) -> [[UInt8]] {
    try present(jsonbArrayOrNull(column), column)
  }

  /// An array without NULL elements, or nil for NULL.
  package func jsonbArrayOrNull(_ column: Int) throws(PostgresError) -> [[UInt8]]? {
    try elements(jsonbArrayCell(column), column)
  }

  /// An array whose elements may be NULL.
  package func jsonbArrayOrNulls(_ column: Int) throws(PostgresError) -> [[UInt8]?] {
    try present(jsonbArrayCell(column), column)
  }
}
