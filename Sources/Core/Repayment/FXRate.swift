import Primitives

/// What one unit of a currency was worth in another on a day, as published: an exact decimal.
package struct FXRate: Sendable, Hashable {
  /// The currency of which one major unit is priced: EUR in "EUR/USD 1.0850".
  package let base: Currency
  /// The currency of the price: USD there.
  package let quote: Currency
  /// The price without its decimal point: 10,850 there. Above 0.
  package let mantissa: Int64
  /// Decimal places of the price: 4 there. 0 to 12.
  package let places: Int
  package let on: CalendarDate
  /// Who published it.
  package let source: String

  package static let mostPlaces = 12

  /// - Throws: `RepaymentRefusal.rateNotUsable` for a price that is not above 0, more than twelve places, or one currency
  ///   against itself.
  package init(
    base: Currency, quote: Currency, mantissa: Int64, places: Int, on: CalendarDate, source: String
  ) throws(RepaymentRefusal) {
    guard base != quote, mantissa > 0, (0...Self.mostPlaces).contains(places) else {
      throw .rateNotUsable(base: base, quote: quote, on: on)
    }
    self.base = base
    self.quote = quote
    self.mantissa = mantissa
    self.places = places
    self.on = on
    self.source = source
  }

  /// For people and for explanations: `EUR/USD 1.0850 on 2024-05-02 (ECB)`.
  package var description: String {
    var digits = String(mantissa)
    while digits.utf8.count <= places { digits = "0" + digits }
    let fraction = places == 0 ? "" : ".\(digits.suffix(places))"
    return "\(base)/\(quote) \(digits.dropLast(places))\(fraction) on \(on) (\(source))"
  }
}

/// One amount in two currencies, with the rate between them.
package struct FXConversion: Sendable, Hashable {
  package let from: Money
  package let into: Money
  package let rate: FXRate
  package let rounding: Rounding
}

/// Dated rates. Only a published pair is used, as it is or turned round: no cross through a third currency, whose two
/// rates may be of different times, and no rate that is older than the table allows.
package struct FXTable: Sendable, Hashable {
  private struct Pair: Hashable {
    let base: Currency
    let quote: Currency
  }

  /// The most days a rate may be older than the day it is used for, at least 0: 4 spans a weekend with two holidays.
  package let maxStalenessDays: Int64
  /// By day, ascending.
  private let rates: [Pair: [FXRate]]

  /// No rates: every conversion is refused.
  package static let empty = FXTable()

  private init() {
    self.maxStalenessDays = 0
    self.rates = [:]
  }

  /// - Throws: `RepaymentRefusal` for two prices of one pair and day, whichever way round, and a staleness below zero.
  package init(_ rates: [FXRate], maxStalenessDays: Int64) throws(RepaymentRefusal) {
    self.maxStalenessDays = try nonNegative(maxStalenessDays, "oldest age of a rate")
    var table: [Pair: [FXRate]] = [:]
    for rate in rates { table[Pair(base: rate.base, quote: rate.quote), default: []].append(rate) }
    for (pair, list) in table {
      let sorted = list.sorted { $0.on < $1.on }
      for (earlier, later) in zip(sorted, sorted.dropFirst()) where earlier.on == later.on {
        throw .rateTwice(base: pair.base, quote: pair.quote, on: later.on)
      }
      let turned = table[Pair(base: pair.quote, quote: pair.base)] ?? []
      let days = Set(turned.map(\.on))
      if let both = sorted.first(where: { days.contains($0.on) }) {
        throw .rateTwice(base: min(pair.base, pair.quote), quote: max(pair.base, pair.quote), on: both.on)
      }
      table[pair] = sorted
    }
    self.rates = table
  }

  /// The latest rate of the pair, either way round, that was published by the day and is not too old.
  /// - Throws: `RepaymentRefusal.noFXRate` naming the pair and the day.
  package func rate(
    between base: Currency, and quote: Currency, asOf date: CalendarDate
  ) throws(RepaymentRefusal) -> FXRate {
    let direct = latest(Pair(base: base, quote: quote), date)
    let turned = latest(Pair(base: quote, quote: base), date)
    let found = [direct, turned].compactMap { $0 }.max { $0.on < $1.on }
    guard let found, found.on.days(to: date) <= maxStalenessDays else {
      throw .noFXRate(from: base, to: quote, on: date, lastKnown: found?.on)
    }
    return found
  }

  private func latest(_ pair: Pair, _ date: CalendarDate) -> FXRate? { rates[pair]?.last { $0.on <= date } }

  /// The amount in another currency, exact but for one rounding to its minor unit. In its own currency it stays itself,
  /// and needs no rate.
  /// - Throws: `RepaymentRefusal.noFXRate`, and `overflow` past Int64.
  package func convert(
    _ amount: Money, to currency: Currency, asOf date: CalendarDate, rounding: Rounding
  ) throws(RepaymentRefusal) -> (amount: Money, by: FXConversion?) {
    if amount.currency == currency { return (amount, nil) }
    let rate = try rate(between: amount.currency, and: currency, asOf: date)
    let converted = try checked { () throws(ArithmeticOverflow) in
      // Minor units differ: 1 USD is 100 of them, 1 JPY is 1, 1 KWD is 1,000.
      var numerator = Int128(amount.amount)
      var denominator: Int128 = 1
      let isDirect = rate.base == amount.currency
      let (places, mantissa) = (try tenToThe(rate.places), Int128(rate.mantissa))
      numerator = try numerator.multiplied(by: isDirect ? mantissa : places)
      denominator = try denominator.multiplied(by: isDirect ? places : mantissa)
      let digits = currency.minorUnitDigits - amount.currency.minorUnitDigits
      if digits >= 0 {
        numerator = try numerator.multiplied(by: try tenToThe(digits))
      } else {
        denominator = try denominator.multiplied(by: try tenToThe(-digits))
      }
      return try numerator.divided(by: denominator, rounding: rounding).asInt64()
    }
    let money = Money(converted, currency)
    return (money, FXConversion(from: amount, into: money, rate: rate, rounding: rounding))
  }
}

/// A power of ten; exponents here are at most twelve.
private func tenToThe(_ exponent: Int) throws(ArithmeticOverflow) -> Int128 {
  var power: Int128 = 1
  for _ in 0..<exponent { power = try power.multiplied(by: 10) }
  return power
}
