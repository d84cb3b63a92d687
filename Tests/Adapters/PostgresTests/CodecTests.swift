import Postgres
import PostgresHarness
import Testing

@Suite("The codec", .timeLimit(.minutes(1)))
struct CodecTests {
  /// Sends one value and reads it back in the same type.
  private func echo(_ bind: Bind, on connection: PostgresConnection) async throws -> Row {
    let statement: Statement =
      switch bind.type {
      case .bool: Statement("echo_bool", "select $1", parameters: [.bool], columns: [.bool])
      case .int2: Statement("echo_int2", "select $1", parameters: [.int2], columns: [.int2])
      case .int4: Statement("echo_int4", "select $1", parameters: [.int4], columns: [.int4])
      case .int8: Statement("echo_int8", "select $1", parameters: [.int8], columns: [.int8])
      case .text: Statement("echo_text", "select $1", parameters: [.text], columns: [.text])
      case .bytea: Statement("echo_bytea", "select $1", parameters: [.bytea], columns: [.bytea])
      case .uuid: Statement("echo_uuid", "select $1", parameters: [.uuid], columns: [.uuid])
      case .date: Statement("echo_date", "select $1", parameters: [.date], columns: [.date])
      case .timestamptz: Statement("echo_tstz", "select $1", parameters: [.timestamptz], columns: [.timestamptz])
      case .jsonb: Statement("echo_jsonb", "select $1", parameters: [.jsonb], columns: [.jsonb])
      case .boolArray: Statement("echo_bools", "select $1", parameters: [.boolArray], columns: [.boolArray])
      case .int4Array: Statement("echo_int4s", "select $1", parameters: [.int4Array], columns: [.int4Array])
      case .int8Array: Statement("echo_int8s", "select $1", parameters: [.int8Array], columns: [.int8Array])
      case .textArray: Statement("echo_texts", "select $1", parameters: [.textArray], columns: [.textArray])
      case .byteaArray: Statement("echo_byteas", "select $1", parameters: [.byteaArray], columns: [.byteaArray])
      case .uuidArray: Statement("echo_uuids", "select $1", parameters: [.uuidArray], columns: [.uuidArray])
      case .dateArray: Statement("echo_dates", "select $1", parameters: [.dateArray], columns: [.dateArray])
      case .timestamptzArray:
        Statement("echo_tstzs", "select $1", parameters: [.timestamptzArray], columns: [.timestamptzArray])
      case .jsonbArray: Statement("echo_jsonbs", "select $1", parameters: [.jsonbArray], columns: [.jsonbArray])
      case .numeric, .xid8: throw PostgresError(.statementMisuse, "no parameter type")
      }
    return try await connection.run(Query(statement, [bind]), deadline: soon()).single()
  }

  @Test("carries the extremes of every scalar type both ways")
  func scalars() async throws {
    try await withConnection { connection in
      for value in [true, false] {
        let row1 = try await echo(.bool(value), on: connection)
        #expect(try row1.bool(0) == value)
      }
      for value in [Int16.min, -1, 0, .max] {
        let row2 = try await echo(.int2(value), on: connection)
        #expect(try row2.int2(0) == value)
      }
      for value in [Int32.min, -1, 0, .max] {
        let row3 = try await echo(.int4(value), on: connection)
        #expect(try row3.int4(0) == value)
      }
      for value in [Int64.min, -1, 0, .max] {
        let row4 = try await echo(.int8(value), on: connection)
        #expect(try row4.int8(0) == value)
      }
      for value in ["", "é€😀\n\t\u{1}", String(repeating: "x", count: 100_000)] {
        let row5 = try await echo(.text(value), on: connection)
        #expect(try row5.text(0) == value)
      }
      for value in [[], [0], Array(0...255)] as [[UInt8]] {
        let row6 = try await echo(.bytea(value), on: connection)
        #expect(try row6.bytea(0) == value)
      }
      for value in [
        UUIDBits(hi: 0, lo: 0), UUIDBits(hi: .max, lo: .max), UUIDBits(hi: 0x0123_4567_89ab_cdef, lo: 1),
      ] {
        let row7 = try await echo(.uuid(value), on: connection)
        #expect(try row7.uuid(0) == value)
      }
      // 4714-11-24 BC, the day before the epoch, the epochs, and 5874897-12-31.
      for value in [-2_440_588, -1, 0, 10_957, 2_145_042_905] as [Int32] {
        let row8 = try await echo(.date(value), on: connection)
        #expect(try row8.date(0) == value)
      }
      // From 4714-11-24 BC to the last that 64 bits can count, in the year 294247.
      for value in [-210_866_803_200_000_000, -1, 0, 946_684_800_000_000, Int64.max] as [Int64] {
        let row9 = try await echo(.timestamptz(value), on: connection)
        #expect(try row9.timestamptz(0) == value)
      }
      let json = Array(#"{"a": [1, null, "é"]}"#.utf8)
      let row10 = try await echo(.jsonb(json), on: connection)
      #expect(try row10.jsonb(0) == json)
    }
  }

  @Test("carries text of every length, with a letter past ASCII at every place")
  func texts() async throws {
    try await withConnection { connection in
      for length in 0...24 {
        let plain = String(repeating: "x", count: length)
        let alone = try await echo(.text(plain), on: connection)
        #expect(try alone.text(0) == plain)
        for place in 0...length {
          let text = plain.prefix(place) + "ß" + plain.dropFirst(place)
          let row = try await echo(.text(String(text)), on: connection)
          #expect(try row.text(0) == text)
        }
      }
    }
  }

  @Test("dates and times mean what the server means")
  func calendar() async throws {
    try await withConnection { connection in
      let statement = Statement(
        "calendar", "select $1::text, $2::text, date '1969-12-31', timestamptz '1970-01-01 00:00:01+00'",
        parameters: [.date, .timestamptz], columns: [.text, .text, .date, .timestamptz])
      let row = try await connection.run(
        Query(statement, [.date(20_000), .timestamptz(1_700_000_000_123_456)]), deadline: soon()
      ).single()
      #expect(try row.text(0) == "2024-10-04")
      #expect(try row.text(1) == "2023-11-14 22:13:20.123456+00")
      #expect(try row.date(2) == -1)
      #expect(try row.timestamptz(3) == 1_000_000)
    }
  }

  @Test("carries NULL in every scalar type, and refuses it where a value is asked for")
  func nulls() async throws {
    try await withConnection { connection in
      let binds: [Bind] = [
        .bool(nil), .int2(nil), .int4(nil), .int8(nil), .text(nil), .bytea(nil), .uuid(nil), .date(nil),
        .timestamptz(nil), .jsonb(nil),
      ]
      for bind in binds {
        let row = try await echo(bind, on: connection)
        #expect(try row.isNull(0))
      }
      let row = try await echo(.int8(nil), on: connection)
      #expect(try row.int8OrNull(0) == nil)
      #expect(throws: PostgresError.self) { try row.int8(0) }
      let text = try await echo(.text(nil), on: connection)
      #expect(try text.textOrNull(0) == nil)
      #expect(throws: PostgresError.self) { try text.text(0) }
    }
  }

  @Test("carries empty arrays, and arrays with NULL elements, of every type")
  func arrays() async throws {
    try await withConnection { connection in
      let row11 = try await echo(.boolArray([]), on: connection)
      #expect(try row11.boolArray(0) == [])
      let row12 = try await echo(.boolArray([true, nil, false]), on: connection)
      #expect(try row12.boolArrayOrNulls(0) == [true, nil, false])
      let row13 = try await echo(.int4Array([.min, nil, .max]), on: connection)
      #expect(try row13.int4ArrayOrNulls(0) == [.min, nil, .max])
      let row14 = try await echo(.int8Array([]), on: connection)
      #expect(try row14.int8Array(0) == [])
      let row15 = try await echo(.int8Array([.min, nil, .max]), on: connection)
      #expect(try row15.int8ArrayOrNulls(0) == [.min, nil, .max])
      let row16 = try await echo(.textArray(["", nil, "a,\"b"]), on: connection)
      #expect(try row16.textArrayOrNulls(0) == ["", nil, "a,\"b"])
      let row17 = try await echo(.byteaArray([[], nil, [0]]), on: connection)
      #expect(try row17.byteaArrayOrNulls(0) == [[], nil, [0]])
      let uuids = [UUIDBits(hi: 1, lo: 2), nil, UUIDBits(hi: .max, lo: 0)]
      let row18 = try await echo(.uuidArray(uuids), on: connection)
      #expect(try row18.uuidArrayOrNulls(0) == uuids)
      let row19 = try await echo(.dateArray([0, nil, -1]), on: connection)
      #expect(try row19.dateArrayOrNulls(0) == [0, nil, -1])
      let row20 = try await echo(.timestamptzArray([0, nil]), on: connection)
      #expect(try row20.timestamptzArrayOrNulls(0) == [0, nil])
      let json = [Array("{}".utf8), nil]
      let row21 = try await echo(.jsonbArray(json), on: connection)
      #expect(try row21.jsonbArrayOrNulls(0) == json)
      let row = try await echo(.int8Array([1, nil]), on: connection)
      #expect(throws: PostgresError.self) { try row.int8Array(0) }
      let many = (0..<100_000).map { Optional(Int64($0)) }
      let row22 = try await echo(.int8Array(many), on: connection)
      #expect(try row22.int8ArrayOrNulls(0) == many)
    }
  }

  @Test("refuses what cannot be sent, before sending")
  func unsendable() async throws {
    try await withConnection { connection in
      let binds: [Bind] = [
        .text("a\0b"), .textArray(["a", "\0"]), .jsonb([123, 0, 125]), .date(.min), .date(.min + 10_957),
        .timestamptz(.min), .timestamptz(.min + 946_684_800_000_000), .dateArray([.min]),
      ]
      for bind in binds {
        let error = await failure { try await echo(bind, on: connection) }
        #expect(error?.kind == .encoding, "\(bind)")
      }
      // The server's own range is narrower than ours; it says so itself.
      let late = await failure { try await echo(.date(.max), on: connection) }
      #expect(late?.sqlState == "22008")
      let row23 = try await echo(.int8(1), on: connection)
      #expect(try row23.int8(0) == 1)
    }
  }

  @Test("refuses infinite dates and times when reading")
  func infinities() async throws {
    try await withConnection { connection in
      let statement = Statement(
        "infinite",
        """
        select date '-infinity', date 'infinity', timestamptz '-infinity', timestamptz 'infinity',
          array[date 'infinity'], date '5874897-12-31', timestamptz '294276-12-31 23:59:59+00'
        """)
      let row = try await connection.run(Query(statement), deadline: soon()).single()
      for column in 0...1 { #expect(throws: PostgresError.self) { try row.date(column) } }
      for column in 2...3 { #expect(throws: PostgresError.self) { try row.timestamptz(column) } }
      #expect(throws: PostgresError.self) { try row.dateArray(4) }
      #expect(try row.date(5) == 2_145_042_905)
      #expect(throws: PostgresError.self) { try row.timestamptz(6) }
    }
  }

  @Test("refuses to read a column as another type or outside of the row")
  func wrongTypes() async throws {
    try await withConnection { connection in
      let statement = Statement(
        "mixed", "select 1::int4, sum(x)::numeric, array[1.5], int4range(1, 2) from (values (1::int8)) v(x)")
      let row = try await connection.run(Query(statement), deadline: soon()).single()
      #expect(throws: PostgresError.self) { try row.int8(0) }
      #expect(throws: PostgresError.self) { try row.int8(1) }
      #expect(throws: PostgresError.self) { try row.int8Array(2) }
      #expect(throws: PostgresError.self) { try row.text(3) }
      #expect(throws: PostgresError.self) { try row.int4(-1) }
      #expect(throws: PostgresError.self) { try row.int4(4) }
      #expect(try row.int4(0) == 1)
    }
  }

  @Test(
    "reads numerics as exact decimal text",
    arguments: [
      "0", "0.00", "-1", "12.50", "0.0001", "0.00012345", "10000", "100000000.00000001", "-99999999999999999999.99",
      "123456789012345678901234567890.123456789", "1e-20", "1e30",
    ])
  func numerics(_ text: String) async throws {
    try await withConnection { connection in
      let statement = Statement(
        "numeric", "select $1::numeric, ($1::numeric)::text", parameters: [.text], columns: [.numeric, .text])
      let row = try await connection.run(Query(statement, [.text(text)]), deadline: soon()).single()
      let expected = try row.text(1)
      #expect(try row.numericText(0) == expected)
    }
  }

  @Test("refuses numerics that are no numbers")
  func notANumber() async throws {
    try await withConnection { connection in
      let statement = Statement("nan", "select 'NaN'::numeric, 'Infinity'::numeric, pg_current_xact_id()")
      let row = try await connection.run(Query(statement), deadline: soon()).single()
      #expect(throws: PostgresError.self) { try row.numericText(0) }
      #expect(throws: PostgresError.self) { try row.numericText(1) }
      #expect(try row.xid8(2) > 0)
    }
  }

  @Test("refuses arrays of several dimensions")
  func matrices() async throws {
    try await withConnection { connection in
      let statement = Statement("matrix", "select array[[1, 2], [3, 4]]", columns: [.int4Array])
      let row = try await connection.run(Query(statement), deadline: soon()).single()
      #expect(throws: PostgresError.self) { try row.int4Array(0) }
    }
  }

  @Test("every type's object id is the server's")
  func objectIDs() async throws {
    try await withConnection { connection in
      let statement = Statement(
        "type_oid", "select typname::text, oid::int8 from pg_type where oid = any ($1)", parameters: [.int8Array])
      let types = PostgresType.allCases
      let rows = try await connection.run(
        Query(statement, [.int8Array(types.map { Int64($0.oid) })]), deadline: soon())
      var names: [Int64: String] = [:]
      for row in rows { names[try row.int8(1)] = try row.text(0) }
      for type in types {
        let expected = type.element.map { "_\($0)" } ?? "\(type)"
        #expect(names[Int64(type.oid)] == expected)
      }
    }
  }
}
