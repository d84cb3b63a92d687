/// The accessors of single values. The plain name refuses NULL, `OrNull` gives nil for it.
extension Row {
  /// A boolean.
  package func bool(_ column: Int) throws(PostgresError) -> Bool {
    try present(boolOrNull(column), column)
  }

  /// A boolean. Nil for NULL.
  package func boolOrNull(_ column: Int) throws(PostgresError) -> Bool? {
    try value(column, .bool, Wire.bool)
  }

  /// A 16-bit integer.
  package func int2(_ column: Int) throws(PostgresError) -> Int16 {
    try present(int2OrNull(column), column)
  }

  /// A 16-bit integer. Nil for NULL.
  package func int2OrNull(_ column: Int) throws(PostgresError) -> Int16? {
    try value(column, .int2) { (bytes) throws(PostgresError) in try Wire.integer(bytes, as: Int16.self) }
  }

  /// A 32-bit integer.
  package func int4(_ column: Int) throws(PostgresError) -> Int32 {
    try present(int4OrNull(column), column)
  }

  /// A 32-bit integer. Nil for NULL.
  package func int4OrNull(_ column: Int) throws(PostgresError) -> Int32? {
    try value(column, .int4) { (bytes) throws(PostgresError) in try Wire.integer(bytes, as: Int32.self) }
  }

  /// A 64-bit integer; a numeric column (as of `sum(int8)`) is an error, not a conversion.
  package func int8(_ column: Int) throws(PostgresError) -> Int64 {
    try present(int8OrNull(column), column)
  }

  /// A 64-bit integer; a numeric column (as of `sum(int8)`) is an error, not a conversion. Nil for NULL.
  package func int8OrNull(_ column: Int) throws(PostgresError) -> Int64? {
    try value(column, .int8) { (bytes) throws(PostgresError) in try Wire.integer(bytes, as: Int64.self) }
  }

  /// Text; also bpchar, varchar and name.
  package func text(_ column: Int) throws(PostgresError) -> String {
    try present(textOrNull(column), column)
  }

  /// Text; also bpchar, varchar and name. Nil for NULL.
  package func textOrNull(_ column: Int) throws(PostgresError) -> String? {
    try value(column, .text, also: (1042, 1043, 19), Wire.text)
  }

  /// Raw bytes.
  package func bytea(_ column: Int) throws(PostgresError) -> [UInt8] {
    try present(byteaOrNull(column), column)
  }

  /// Raw bytes. Nil for NULL.
  package func byteaOrNull(_ column: Int) throws(PostgresError) -> [UInt8]? {
    try value(column, .bytea, Wire.bytes)
  }

  /// A uuid.
  package func uuid(_ column: Int) throws(PostgresError) -> UUIDBits {
    try present(uuidOrNull(column), column)
  }

  /// A uuid. Nil for NULL.
  package func uuidOrNull(_ column: Int) throws(PostgresError) -> UUIDBits? {
    try value(column, .uuid, Wire.uuid)
  }

  /// Days since 1970-01-01; infinite dates are errors.
  package func date(_ column: Int) throws(PostgresError) -> Int32 {
    try present(dateOrNull(column), column)
  }

  /// Days since 1970-01-01; infinite dates are errors. Nil for NULL.
  package func dateOrNull(_ column: Int) throws(PostgresError) -> Int32? {
    try value(column, .date, Wire.date)
  }

  /// Microseconds since 1970-01-01 00:00 UTC; infinite times are errors.
  package func timestamptz(_ column: Int) throws(PostgresError) -> Int64 {
    try present(timestamptzOrNull(column), column)
  }

  /// Microseconds since 1970-01-01 00:00 UTC; infinite times are errors. Nil for NULL.
  package func timestamptzOrNull(_ column: Int) throws(PostgresError) -> Int64? {
    try value(column, .timestamptz, Wire.timestamptz)
  }

  /// The UTF-8 bytes of JSON text, as the server normalised it.
  package func jsonb(_ column: Int) throws(PostgresError) -> [UInt8] {
    try present(jsonbOrNull(column), column)
  }

  /// The UTF-8 bytes of JSON text, as the server normalised it. Nil for NULL.
  package func jsonbOrNull(_ column: Int) throws(PostgresError) -> [UInt8]? {
    try value(column, .jsonb, Wire.json)
  }

  /// A numeric as its exact decimal text with the stored scale, as `12.50`; NaN and infinities are errors.
  package func numericText(_ column: Int) throws(PostgresError) -> String {
    try present(numericTextOrNull(column), column)
  }

  /// A numeric as its exact decimal text with the stored scale, as `12.50`; NaN and infinities are errors. Nil for NULL.
  package func numericTextOrNull(_ column: Int) throws(PostgresError) -> String? {
    try value(column, .numeric, NumericText.decode)
  }

  /// A 64-bit transaction id.
  package func xid8(_ column: Int) throws(PostgresError) -> UInt64 {
    try present(xid8OrNull(column), column)
  }

  /// A 64-bit transaction id. Nil for NULL.
  package func xid8OrNull(_ column: Int) throws(PostgresError) -> UInt64? {
    try value(column, .xid8) { (bytes) throws(PostgresError) in try Wire.integer(bytes, as: UInt64.self) }
  }
}
