import Parties
import Primitives
import StrictJSON

private let expectedID: StaticString = "an id: its prefix, `_` and a UUID in lower case"
private let expectedDate: StaticString = "a calendar date YYYY-MM-DD"
private let expectedInstant: StaticString = "a moment of RFC 3339, for example 2026-01-31T12:00:00Z, from 1970 on"
private let expectedCountry: StaticString = "a country by its two capital letters (ISO 3166)"
private let expectedChip: StaticString = "the id of a chip model: 1 to 64 of a-z, 0-9, hyphen and point"
private let expectedRegion: StaticString = "a region: 1 to 64 of A-Z, a-z, 0-9, hyphen and underscore"
private let expectedCurrency: StaticString = "a currency by its three capital letters (ISO 4217)"

/// Texts past these lengths are refused before they are looked at.
private let shortText = 1...64

/// Members of the kinds that the domain knows. As in StrictJSON, each comes in two: the plain one records a missing
/// member, the `optional` one takes absent and null for nil.
extension ObjectReader {
  mutating func id<Noun>(_ name: StaticString, of noun: Noun.Type = Noun.self) -> Identifier<Noun>? {
    let id = parsed(name, expected: expectedID, bytes: shortText) { Identifier<Noun>($0) }
    describe { .identifier(prefix: Noun.prefix.description) }
    return id
  }

  mutating func optionalID<Noun>(_ name: StaticString, of noun: Noun.Type = Noun.self) -> Identifier<Noun>? {
    let id = optionalParsed(name, expected: expectedID, bytes: shortText) { Identifier<Noun>($0) }
    describe { .identifier(prefix: Noun.prefix.description) }
    return id
  }

  mutating func date(_ name: StaticString) -> CalendarDate? {
    parsed(name, expected: expectedDate, bytes: shortText) { CalendarDate($0) }
  }

  mutating func optionalDate(_ name: StaticString) -> CalendarDate? {
    optionalParsed(name, expected: expectedDate, bytes: shortText) { CalendarDate($0) }
  }

  mutating func instant(_ name: StaticString) -> Instant? {
    parsed(name, expected: expectedInstant, bytes: shortText) { Instant($0) }
  }

  mutating func optionalInstant(_ name: StaticString) -> Instant? {
    optionalParsed(name, expected: expectedInstant, bytes: shortText) { Instant($0) }
  }

  mutating func country(_ name: StaticString) -> CountryCode? {
    parsed(name, expected: expectedCountry, bytes: shortText) { CountryCode($0) }
  }

  mutating func optionalCountry(_ name: StaticString) -> CountryCode? {
    optionalParsed(name, expected: expectedCountry, bytes: shortText) { CountryCode($0) }
  }

  mutating func chipModel(_ name: StaticString) -> ChipModelID? {
    parsed(name, expected: expectedChip, bytes: shortText) { ChipModelID($0) }
  }

  mutating func optionalChipModel(_ name: StaticString) -> ChipModelID? {
    optionalParsed(name, expected: expectedChip, bytes: shortText) { ChipModelID($0) }
  }

  mutating func optionalRegion(_ name: StaticString) -> String? {
    optionalParsed(name, expected: expectedRegion, bytes: shortText) { isRegion($0) ? $0 : nil }
  }

  /// Chips, from 1 to 10,000,000.
  mutating func quantity(_ name: StaticString) -> Int64? { int(name, BodyBounds.quantity) }

  /// See ``quantity(_:)``.
  mutating func optionalQuantity(_ name: StaticString) -> Int64? { optionalInt(name, BodyBounds.quantity) }

  mutating func rate(_ name: StaticString, _ range: ClosedRange<Int64> = BodyBounds.rateBps) -> BasisPoints? {
    int(name, range).map { BasisPoints($0) }
  }

  mutating func optionalRate(
    _ name: StaticString, _ range: ClosedRange<Int64> = BodyBounds.rateBps
  ) -> BasisPoints? {
    optionalInt(name, range).map { BasisPoints($0) }
  }

  /// `{"amount", "currency"}`, the amount in minor units within `range`.
  mutating func money(_ name: StaticString, _ range: ClosedRange<Int64>) -> Money? {
    object(name) { Money.parse(&$0, range) }
  }

  /// See ``money(_:_:)``.
  mutating func optionalMoney(_ name: StaticString, _ range: ClosedRange<Int64>) -> Money? {
    optionalObject(name) { Money.parse(&$0, range) }
  }

  /// `{"country", "region"}`.
  mutating func site(_ name: StaticString) -> Site? {
    object(name) { Site.parse(&$0) }
  }

  /// How many units are meant, said as a number or by serial numbers; both must agree.
  /// - Parameter isRequired: one of the two must be there.
  mutating func units(isRequired: Bool) -> (count: Int64?, serials: [String]) {
    let quantity = optionalQuantity("quantity")
    let serials = optionalSet("serials", count: BodyBounds.serials) { $1.string($0, bytes: BodyBounds.serial) }
    if isRequired, !has("quantity"), !has("serials") {
      fault("quantity", code: JSONFaultCode.missing, detail: "is required where no serials are given")
    }
    guard let serials else { return (quantity, []) }
    let count = Int64(serials.count)
    if let quantity, quantity != count {
      fault("serials", code: BodyFaultCode.conflict, detail: "must be as many as the quantity says")
    }
    return (count, serials)
  }
}

/// Elements of arrays.
extension FaultLog {
  mutating func region(_ node: JSONNode) -> String? {
    parsed(node, expected: expectedRegion, bytes: shortText) { isRegion($0) ? $0 : nil }
  }

  mutating func country(_ node: JSONNode) -> CountryCode? {
    parsed(node, expected: expectedCountry, bytes: shortText) { CountryCode($0) }
  }
}

extension Money {
  static func parse(_ reader: inout ObjectReader, _ range: ClosedRange<Int64>) -> Money? {
    let amount = reader.int("amount", range)
    let currency = reader.parsed("currency", expected: expectedCurrency, bytes: shortText) { Currency($0) }
    guard let amount, let currency else { return nil }
    return Money(amount, currency)
  }
}

extension Site {
  package static func parse(_ reader: inout ObjectReader) -> Site? {
    let country = reader.country("country")
    let region = reader.parsed("region", expected: expectedRegion, bytes: shortText) { isRegion($0) ? $0 : nil }
    guard let country, let region else { return nil }
    return Site(country: country, region: region)
  }
}

private func isRegion(_ text: String) -> Bool { isWord(text) { $0 == 0x2D || $0 == 0x5F } }

/// Whether a text is of ASCII letters, digits, and what else is allowed; not empty.
func isWord(_ text: String, _ isAllowed: (UInt8) -> Bool) -> Bool {
  !text.isEmpty
    && text.utf8.allSatisfy { byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
      default: isAllowed(byte)
      }
    }
}
