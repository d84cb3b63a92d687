import Primitives

/// What amounts and rates may come to. Exact arithmetic takes any, but its cost grows with the digits, and a figure
/// past these is a slip of the pen.
package enum InterestBounds {
  /// Decimal places of an amount or a rate, at most.
  package static let maxPlaces = 24
  /// Amounts, in whole units of a currency, are below this.
  package static let amountCeiling = ExactRational(WideInteger.powerOfTen(24))
  /// 10,000 % a year.
  package static let largestRate = ExactRational(100)

  /// The amount, when it is not negative and within range.
  package static func amount(_ value: DecimalNumeral, _ what: String) throws(InterestRefusal) -> DecimalNumeral {
    guard !value.isNegative else { throw .negativeAmount(what: what) }
    return try signedAmount(value, what)
  }

  /// The amount, of either sign, when it is within range.
  package static func signedAmount(_ value: DecimalNumeral, _ what: String) throws(InterestRefusal) -> DecimalNumeral {
    guard value.places <= maxPlaces, value.rational.magnitude < amountCeiling else {
      throw .amountOutOfRange(what: what)
    }
    return value
  }

  /// The amount, when it is not negative, within range and in whole minor units.
  package static func amount(
    _ value: DecimalNumeral, _ what: String, in currency: Currency
  ) throws(InterestRefusal) -> DecimalNumeral {
    let value = try amount(value, what)
    guard value.significantPlaces <= currency.minorUnitDigits else { throw .finerThanMinorUnit(what: what, currency) }
    return value
  }

  /// The rate, a fraction of one a year. Above -1, so that no growth factor of a month or a day reaches zero.
  package static func rate(_ value: DecimalNumeral, _ what: String) throws(InterestRefusal) -> ExactRational {
    let rate = value.rational
    guard value.places <= maxPlaces, rate > ExactRational(-1), rate <= largestRate else {
      throw .rateOutOfRange(what: what)
    }
    return rate
  }
}
