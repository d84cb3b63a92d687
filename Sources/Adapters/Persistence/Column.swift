import Ledger
import Postgres
import Primitives

/// A stored value that no version of this program writes: the row is damaged, or newer than the program.
package struct StoredValueError: Error, Sendable, CustomStringConvertible {
  package let column: String
  package let value: String

  package init(column: String, value: String) {
    self.column = column
    self.value = value
  }

  package var description: String { "column \(column) holds a value this program does not know" }
}

/// One column of a table: its name, and how rows become an array parameter for set-based statements.
package struct Column<Row: Sendable>: Sendable {
  let name: SQL
  /// The element type as the database has it.
  let type: PostgresType
  /// The array type the values travel in.
  let parameter: PostgresType
  /// `unnest($n::uuid[])`.
  let cast: SQL
  /// What turns the element into the column's type; empty for all but text arrays, which travel as array literals
  /// since `unnest` would flatten an array of arrays.
  let conversion: SQL?
  let bind: @Sendable ([Row]) -> Bind

  package static func uuid(_ name: SQL, _ value: @escaping @Sendable (Row) -> UUIDValue) -> Column {
    uuidOrNull(name) { value($0) }
  }

  package static func uuidOrNull(_ name: SQL, _ value: @escaping @Sendable (Row) -> UUIDValue?) -> Column {
    Column(name: name, type: .uuid, parameter: .uuidArray, cast: "::uuid[]", conversion: nil) { rows in
      .uuidArray(rows.map { value($0)?.bits })
    }
  }

  package static func int8(_ name: SQL, _ value: @escaping @Sendable (Row) -> Int64?) -> Column {
    Column(name: name, type: .int8, parameter: .int8Array, cast: "::bigint[]", conversion: nil) { rows in
      .int8Array(rows.map(value))
    }
  }

  package static func int4(_ name: SQL, _ value: @escaping @Sendable (Row) -> Int32?) -> Column {
    Column(name: name, type: .int4, parameter: .int4Array, cast: "::integer[]", conversion: nil) { rows in
      .int4Array(rows.map(value))
    }
  }

  package static func text(_ name: SQL, _ value: @escaping @Sendable (Row) -> String?) -> Column {
    Column(name: name, type: .text, parameter: .textArray, cast: "::text[]", conversion: nil) { rows in
      .textArray(rows.map(value))
    }
  }

  package static func texts(_ name: SQL, _ value: @escaping @Sendable (Row) -> [String]?) -> Column {
    Column(name: name, type: .textArray, parameter: .textArray, cast: "::text[]", conversion: "::text[]") { rows in
      .textArray(rows.map { value($0).map(arrayLiteral) })
    }
  }

  package static func bool(_ name: SQL, _ value: @escaping @Sendable (Row) -> Bool?) -> Column {
    Column(name: name, type: .bool, parameter: .boolArray, cast: "::boolean[]", conversion: nil) { rows in
      .boolArray(rows.map(value))
    }
  }

  package static func date(_ name: SQL, _ value: @escaping @Sendable (Row) -> CalendarDate?) -> Column {
    Column(name: name, type: .date, parameter: .dateArray, cast: "::date[]", conversion: nil) { rows in
      .dateArray(rows.map { value($0)?.dayNumber })
    }
  }

  package static func instant(_ name: SQL, _ value: @escaping @Sendable (Row) -> Instant?) -> Column {
    Column(name: name, type: .timestamptz, parameter: .timestamptzArray, cast: "::timestamptz[]", conversion: nil) {
      rows in .timestamptzArray(rows.map { value($0)?.microseconds })
    }
  }

  package static func bytes(_ name: SQL, _ value: @escaping @Sendable (Row) -> [UInt8]?) -> Column {
    Column(name: name, type: .bytea, parameter: .byteaArray, cast: "::bytea[]", conversion: nil) { rows in
      .byteaArray(rows.map(value))
    }
  }

  /// JSON text as UTF-8 bytes.
  package static func json(_ name: SQL, _ value: @escaping @Sendable (Row) -> [UInt8]?) -> Column {
    Column(name: name, type: .jsonb, parameter: .jsonbArray, cast: "::jsonb[]", conversion: nil) { rows in
      .jsonbArray(rows.map(value))
    }
  }
}

/// A PostgreSQL array literal, each element quoted: `{"a","b\"c"}`.
func arrayLiteral(_ values: [String]) -> String {
  var bytes: [UInt8] = []
  bytes.reserveCapacity(values.reduce(2) { $0 + $1.utf8.count + 3 })
  bytes.append(UInt8(ascii: "{"))
  for (index, value) in values.enumerated() {
    if index > 0 { bytes.append(UInt8(ascii: ",")) }
    bytes.append(UInt8(ascii: "\""))
    // Bytes of longer characters are never a quote or a backslash.
    for byte in value.utf8 {
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { bytes.append(UInt8(ascii: "\\")) }
      bytes.append(byte)
    }
    bytes.append(UInt8(ascii: "\""))
  }
  bytes.append(UInt8(ascii: "}"))
  return String(decoding: bytes, as: UTF8.self)
}

extension UUIDValue {
  /// As the binding takes it.
  package var bits: UUIDBits { UUIDBits(hi: high, lo: low) }
}

extension UUIDBits {
  package var value: UUIDValue { UUIDValue(high: hi, low: lo) }
}
