/// The column and parameter types that the service uses, all in binary format.
package enum PostgresType: Sendable, Hashable, CaseIterable {
  case bool, int2, int4, int8, text, bytea, uuid, date, timestamptz, jsonb, numeric, xid8
  case boolArray, int4Array, int8Array, textArray, byteaArray, uuidArray, dateArray, timestamptzArray, jsonbArray

  /// The fixed object id of `pg_type.dat`; it never changes between server versions.
  package var oid: UInt32 {
    switch self {
    case .bool: 16
    case .bytea: 17
    case .int8: 20
    case .int2: 21
    case .int4: 23
    case .text: 25
    case .date: 1082
    case .timestamptz: 1184
    case .numeric: 1700
    case .uuid: 2950
    case .jsonb: 3802
    case .xid8: 5069
    case .boolArray: 1000
    case .byteaArray: 1001
    case .int4Array: 1007
    case .textArray: 1009
    case .int8Array: 1016
    case .dateArray: 1182
    case .timestamptzArray: 1185
    case .uuidArray: 2951
    case .jsonbArray: 3807
    }
  }

  /// The type of one element, for the array types.
  package var element: PostgresType? {
    switch self {
    case .boolArray: .bool
    case .byteaArray: .bytea
    case .int4Array: .int4
    case .textArray: .text
    case .int8Array: .int8
    case .dateArray: .date
    case .timestamptzArray: .timestamptz
    case .uuidArray: .uuid
    case .jsonbArray: .jsonb
    case .bool, .int2, .int4, .int8, .text, .bytea, .uuid, .date, .timestamptz, .jsonb, .numeric, .xid8: nil
    }
  }
}

/// The 128 bits of a uuid in the order of their text, free of any meaning given to them above this layer.
package struct UUIDBits: Sendable, Hashable, Comparable {
  /// The first sixteen hexadecimal digits.
  package let hi: UInt64
  /// The last sixteen hexadecimal digits.
  package let lo: UInt64

  package init(hi: UInt64, lo: UInt64) {
    self.hi = hi
    self.lo = lo
  }

  /// The order of PostgreSQL's own uuid comparison: unsigned, byte by byte.
  package static func < (left: UUIDBits, right: UUIDBits) -> Bool {
    left.hi != right.hi ? left.hi < right.hi : left.lo < right.lo
  }
}
