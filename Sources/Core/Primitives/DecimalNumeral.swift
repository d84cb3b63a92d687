/// A decimal number as it is written: its digits and how many of them stand after the point, so that `250000.50`
/// comes back as `250000.50`.
///
/// Sums keep the larger number of places of their operands, as in the General Decimal Arithmetic specification and
/// `java.math.BigDecimal`: an amount shows minor units from the moment it meets one that has them.
package struct DecimalNumeral: Sendable, Hashable, CustomStringConvertible {
  /// The value is `unscaled / 10^places`.
  package let unscaled: WideInteger
  /// Digits after the point, at least 0.
  package let places: Int

  /// Digits taken from outside, before and after the point together, an exponent resolved.
  package static let maxDigits = 60

  package static let zero = DecimalNumeral(unscaled: .zero, places: 0)

  /// Places below 0 count as 0.
  package init(unscaled: WideInteger, places: Int) {
    self.unscaled = unscaled
    self.places = max(0, places)
  }

  /// Parses a number of the JSON grammar (RFC 8259 section 6): `-?digits(.digits)?([eE][+-]?digits)?` without leading
  /// zeros. Nil for anything else, and for more than `maxDigits` digits once the exponent is resolved.
  package init?(_ text: some StringProtocol) {
    var rest = Array(text.utf8)[...]
    let isNegative = rest.first == 0x2D
    if isNegative { rest.removeFirst() }
    let whole = rest.prefix { (0x30...0x39).contains($0) }
    rest = rest.dropFirst(whole.count)
    guard !whole.isEmpty, whole.count == 1 || whole.first != 0x30 else { return nil }
    var fraction: ArraySlice<UInt8> = []
    if rest.first == 0x2E {
      fraction = rest.dropFirst().prefix { (0x30...0x39).contains($0) }
      rest = rest.dropFirst(1 + fraction.count)
      guard !fraction.isEmpty else { return nil }
    }
    guard let exponent = Self.exponent(rest), whole.count + fraction.count <= Self.maxDigits else { return nil }
    let digits = String(decoding: Array(whole) + Array(fraction), as: UTF8.self)
    let places = fraction.count - exponent
    guard places <= Self.maxDigits, digits.utf8.count - min(places, 0) <= Self.maxDigits,
      let magnitude = WideInteger(digits: digits)
    else { return nil }
    let scaled = magnitude * .powerOfTen(max(0, -places))
    self.init(unscaled: isNegative ? -scaled : scaled, places: places)
  }

  /// What the text after the digits says: 0 for none, nil for no exponent or one of more than three digits.
  private static func exponent(_ text: ArraySlice<UInt8>) -> Int? {
    guard let first = text.first else { return 0 }
    guard first | 0x20 == 0x65 else { return nil }
    var digits = text.dropFirst()
    let sign = digits.first
    if sign == 0x2B || sign == 0x2D { digits.removeFirst() }
    guard digits.count <= 3, let value = decimal(digits) else { return nil }
    return sign == 0x2D ? -value : value
  }

  package var isZero: Bool { unscaled.isZero }
  package var isNegative: Bool { unscaled.isNegative }

  /// The value as a fraction.
  package var rational: ExactRational {
    // A power of ten is never zero.
    (try? ExactRational(unscaled, over: .powerOfTen(places))) ?? .zero
  }

  /// The places that the value needs, trailing zeros left out.
  package var significantPlaces: Int { trimmed.places }

  /// The same value without zeros at the end of its places.
  package var trimmed: DecimalNumeral {
    var (unscaled, places) = (unscaled, places)
    while places > 0, let tenth = try? unscaled.divided(by: 10, rounding: .down), tenth * 10 == unscaled {
      unscaled = tenth
      places -= 1
    }
    return DecimalNumeral(unscaled: unscaled, places: places)
  }

  /// The sum, with the larger number of places.
  package static func + (left: DecimalNumeral, right: DecimalNumeral) -> DecimalNumeral {
    let places = max(left.places, right.places)
    return DecimalNumeral(unscaled: left.scaled(to: places) + right.scaled(to: places), places: places)
  }

  /// The difference, with the larger number of places.
  package static func - (left: DecimalNumeral, right: DecimalNumeral) -> DecimalNumeral {
    left + DecimalNumeral(unscaled: -right.unscaled, places: right.places)
  }

  /// The lesser by value; of two of the same value, the receiver.
  package func atMost(_ other: DecimalNumeral) -> DecimalNumeral {
    let places = max(places, other.places)
    return scaled(to: places) <= other.scaled(to: places) ? self : other
  }

  private func scaled(to places: Int) -> WideInteger { unscaled * .powerOfTen(places - self.places) }

  /// All its places, no exponent: `-0.50`.
  package var description: String {
    var digits = unscaled.magnitude.description
    guard places > 0 else { return "\(unscaled)" }
    if digits.utf8.count <= places { digits = String(repeating: "0", count: places + 1 - digits.utf8.count) + digits }
    return "\(unscaled.isNegative ? "-" : "")\(digits.dropLast(places)).\(digits.suffix(places))"
  }
}
