import Ledger
import Parties
import Postgres
import Primitives
import StrictJSON

/// Reads a row's columns in order, into Core's types. A value that no type admits is an error, never a trap.
package struct RowReader {
  private let row: Row
  private var index = 0

  package init(_ row: Row, from column: Int = 0) {
    self.row = row
    self.index = column
  }

  private mutating func next() -> Int {
    defer { index += 1 }
    return index
  }

  private func unknown(_ value: String) -> StoredValueError {
    StoredValueError(column: "\(index)", value: value)
  }

  package mutating func id<Noun>() throws -> Identifier<Noun> { Identifier(try row.uuid(next()).value) }
  package mutating func idOrNull<Noun>() throws -> Identifier<Noun>? {
    try row.uuidOrNull(next()).map { Identifier($0.value) }
  }
  package mutating func uuid() throws -> UUIDValue { try row.uuid(next()).value }
  package mutating func uuidOrNull() throws -> UUIDValue? { try row.uuidOrNull(next())?.value }
  package mutating func int() throws -> Int64 { try row.int8(next()) }
  package mutating func intOrNull() throws -> Int64? { try row.int8OrNull(next()) }
  package mutating func int4() throws -> Int32 { try row.int4(next()) }
  package mutating func bool() throws -> Bool { try row.bool(next()) }
  package mutating func boolOrNull() throws -> Bool? { try row.boolOrNull(next()) }
  package mutating func text() throws -> String { try row.text(next()) }
  package mutating func textOrNull() throws -> String? { try row.textOrNull(next()) }
  package mutating func texts() throws -> [String] { try row.textArray(next()) }
  package mutating func textsOrNull() throws -> [String]? { try row.textArrayOrNull(next()) }
  package mutating func bytes() throws -> [UInt8] { try row.bytea(next()) }
  package mutating func bytesOrNull() throws -> [UInt8]? { try row.byteaOrNull(next()) }
  package mutating func bps() throws -> BasisPoints { BasisPoints(try int()) }

  package mutating func date() throws -> CalendarDate {
    let day = try row.date(next())
    guard let date = CalendarDate(dayNumber: Int64(day)) else { throw unknown("\(day)") }
    return date
  }

  package mutating func dateOrNull() throws -> CalendarDate? {
    guard let day = try row.dateOrNull(next()) else { return nil }
    guard let date = CalendarDate(dayNumber: Int64(day)) else { throw unknown("\(day)") }
    return date
  }

  package mutating func instant() throws -> Instant {
    let microseconds = try row.timestamptz(next())
    guard let instant = Instant(microseconds: microseconds) else { throw unknown("\(microseconds)") }
    return instant
  }

  package mutating func instantOrNull() throws -> Instant? {
    guard let microseconds = try row.timestamptzOrNull(next()) else { return nil }
    guard let instant = Instant(microseconds: microseconds) else { throw unknown("\(microseconds)") }
    return instant
  }

  package mutating func digest() throws -> SHA256Digest {
    guard let digest = SHA256Digest(bytes: try bytes()) else { throw unknown("digest") }
    return digest
  }

  /// A text that a type parses: a currency, a country, an enumeration's raw value.
  package mutating func parsed<Value>(_ parse: (String) -> Value?) throws -> Value {
    let text = try self.text()
    guard let value = parse(text) else { throw unknown(text) }
    return value
  }

  package mutating func parsedOrNull<Value>(_ parse: (String) -> Value?) throws -> Value? {
    guard let text = try self.textOrNull() else { return nil }
    guard let value = parse(text) else { throw unknown(text) }
    return value
  }

  package mutating func parsedList<Value>(_ parse: (String) -> Value?) throws -> [Value] {
    try texts().map { text in
      guard let value = parse(text) else { throw unknown(text) }
      return value
    }
  }

  package mutating func parsedListOrNull<Value>(_ parse: (String) -> Value?) throws -> [Value]? {
    try textsOrNull()?.map { text in
      guard let value = parse(text) else { throw unknown(text) }
      return value
    }
  }

  package mutating func value<Value: RawRepresentable>(
    _ type: Value.Type = Value.self
  ) throws -> Value where Value.RawValue == String { try parsed { Value(rawValue: $0) } }

  package mutating func valueOrNull<Value: RawRepresentable>(
    _ type: Value.Type = Value.self
  ) throws -> Value? where Value.RawValue == String { try parsedOrNull { Value(rawValue: $0) } }

  package mutating func values<Value: RawRepresentable>(
    _ type: Value.Type = Value.self
  ) throws -> [Value] where Value.RawValue == String { try parsedList { Value(rawValue: $0) } }

  package mutating func country() throws -> CountryCode { try parsed { CountryCode($0) } }
  package mutating func currency() throws -> Currency { try parsed { Currency($0) } }
  package mutating func chipModel() throws -> ChipModelID { try parsed { ChipModelID($0) } }
  package mutating func site() throws -> Site { Site(country: try country(), region: try text()) }

  /// An amount and, in the next column, its currency.
  package mutating func money() throws -> Money { Money(try int(), try currency()) }
  package mutating func moneyOrNull() throws -> Money? {
    let amount = try intOrNull()
    let currency = try parsedOrNull { Currency($0) }
    guard let amount, let currency else { return nil }
    return Money(amount, currency)
  }

  /// A JSON column, parsed by the strict reader.
  package mutating func json() throws -> JSONNode {
    let bytes = try row.jsonb(next())
    return try JSONDocument(parsing: bytes, limits: .stored).root
  }

  package mutating func jsonBytes() throws -> [UInt8] { try row.jsonb(next()) }
  package mutating func jsonBytesOrNull() throws -> [UInt8]? { try row.jsonbOrNull(next()) }
}

extension JSONLimits {
  /// For our own columns: larger than any request.
  package static let stored = JSONLimits(maxBytes: 64 << 20, maxDepth: 64, maxMembers: 5_000_000)
}
