/// One parameter value. A nil payload is SQL NULL; array elements may be NULL, arrays themselves may not.
package enum Bind: Sendable, Hashable {
  case bool(Bool?)
  case int2(Int16?)
  case int4(Int32?)
  case int8(Int64?)
  /// UTF-8 text. A NUL character is refused before anything is sent, since PostgreSQL cannot store it.
  case text(String?)
  case bytea([UInt8]?)
  case uuid(UUIDBits?)
  /// Days since 1970-01-01, proleptic Gregorian.
  case date(Int32?)
  /// Microseconds since 1970-01-01 00:00 UTC, without leap seconds.
  case timestamptz(Int64?)
  /// JSON text as UTF-8 bytes; the server checks the grammar.
  case jsonb([UInt8]?)
  case boolArray([Bool?])
  case int4Array([Int32?])
  case int8Array([Int64?])
  case textArray([String?])
  case byteaArray([[UInt8]?])
  case uuidArray([UUIDBits?])
  case dateArray([Int32?])
  case timestamptzArray([Int64?])
  case jsonbArray([[UInt8]?])

  /// The declared type that this value fits.
  package var type: PostgresType {
    switch self {
    case .bool: .bool
    case .int2: .int2
    case .int4: .int4
    case .int8: .int8
    case .text: .text
    case .bytea: .bytea
    case .uuid: .uuid
    case .date: .date
    case .timestamptz: .timestamptz
    case .jsonb: .jsonb
    case .boolArray: .boolArray
    case .int4Array: .int4Array
    case .int8Array: .int8Array
    case .textArray: .textArray
    case .byteaArray: .byteaArray
    case .uuidArray: .uuidArray
    case .dateArray: .dateArray
    case .timestamptzArray: .timestamptzArray
    case .jsonbArray: .jsonbArray
    }
  }
}
