/// An amount in integer minor units (cents for USD) of one currency. Arithmetic is checked and stays within the currency.
package struct Money: Sendable, Hashable, CustomStringConvertible {
  /// Minor units; may be negative (a debit of a journal line, for instance).
  package let amount: Int64
  package let currency: Currency

  /// The largest amount taken from outside: 10^15 minor units (10 trillion USD). It leaves room for sums in Int64.
  package static let largestAccepted: Int64 = 1_000_000_000_000_000

  package init(_ amount: Int64, _ currency: Currency) {
    self.amount = amount
    self.currency = currency
  }

  package static func zero(_ currency: Currency) -> Money { Money(0, currency) }

  /// - Throws: `ArithmeticOverflow` past Int64 or across currencies.
  package func adding(_ other: Money) throws(ArithmeticOverflow) -> Money {
    guard currency == other.currency else { throw ArithmeticOverflow() }
    return Money(try amount.adding(other.amount), currency)
  }

  /// - Throws: `ArithmeticOverflow` past Int64 or across currencies.
  package func subtracting(_ other: Money) throws(ArithmeticOverflow) -> Money {
    guard currency == other.currency else { throw ArithmeticOverflow() }
    return Money(try amount.subtracting(other.amount), currency)
  }

  /// `amount * count`, for example a mark a chip times a quantity of chips.
  package func multiplied(by count: Int64) throws(ArithmeticOverflow) -> Money {
    Money(try amount.multiplied(by: count), currency)
  }

  /// `amount * rate / 10,000`, with the rounding named by the caller.
  package func scaled(by rate: BasisPoints, rounding: Rounding) throws(ArithmeticOverflow) -> Money {
    let product = Int128(amount) * Int128(rate.value)
    return Money(try product.divided(by: 10_000, rounding: rounding).asInt64(), currency)
  }

  /// For people: `USD 12,345.67`. Programs get the integer.
  package var description: String {
    let digits = currency.minorUnitDigits
    var text = String(amount.magnitude)
    while text.utf8.count <= digits { text = "0" + text }
    let whole = text.dropLast(digits)
    var grouped = ""
    for (offset, digit) in whole.enumerated() {
      if offset > 0, (whole.count - offset) % 3 == 0 { grouped += "," }
      grouped.append(digit)
    }
    let fraction = digits == 0 ? "" : ".\(text.suffix(digits))"
    return "\(currency.code) \(amount < 0 ? "-" : "")\(grouped)\(fraction)"
  }
}

/// A rate or share in hundredths of a percent: 1,400 is 14 %.
package struct BasisPoints: Sendable, Hashable, Comparable, CustomStringConvertible {
  package let value: Int64

  /// One whole: 100 %.
  package static let whole = BasisPoints(10_000)

  package init(_ value: Int64) { self.value = value }

  package static func < (left: BasisPoints, right: BasisPoints) -> Bool { left.value < right.value }

  /// For people: `14.00 %`.
  package var description: String {
    let hundredths = value.magnitude % 100
    return "\(value < 0 ? "-" : "")\(value.magnitude / 100).\(hundredths < 10 ? "0" : "")\(hundredths) %"
  }
}
