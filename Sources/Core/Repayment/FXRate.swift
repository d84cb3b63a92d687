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

  /// A price as text, exactly as published: `1.0850` keeps its last nought.
  /// - Throws: `RepaymentRefusal.rateNotUsable` also for text that is not plain digits with at most one point, at most 18
  ///   digits in all, without leading zeros.
  package init(
    base: Currency, quote: Currency, price: String, on date: CalendarDate, source: String
  ) throws(RepaymentRefusal) {
    let parts = price.utf8.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
    let (whole, fraction) = (parts[0], parts.count == 2 ? parts[1] : "".utf8[...])
    let digits = Array(whole) + Array(fraction)
    let isNumber = digits.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
    guard isNumber, !whole.isEmpty, parts.count == 1 || !fraction.isEmpty, digits.count <= Self.mostDigits,
      whole.count == 1 || whole.first != UInt8(ascii: "0"),
      // At most eighteen digits: they fit.
      let mantissa = Int64(String(decoding: digits, as: UTF8.self))
    else { throw .rateNotUsable(base: base, quote: quote, on: date) }
    try self.init(base: base, quote: quote, mantissa: mantissa, places: fraction.count, on: date, source: source)
  }

  package static let mostDigits = 18

  /// The price as text, with all its places.
  package var price: String {
    var digits = String(mantissa)
    while digits.utf8.count <= places { digits = "0" + digits }
    return places == 0 ? digits : "\(digits.dropLast(places)).\(digits.suffix(places))"
  }

  package var pair: FXPair { FXPair(base, quote) }

  /// For people and for explanations: `EUR/USD 1.0850 on 2024-05-02 (ECB)`.
  package var description: String { "\(base)/\(quote) \(price) on \(on) (\(source))" }

  /// An amount of one of its two currencies in the other, exact but for one rounding to the minor unit.
  /// - Throws: `RepaymentRefusal.currencyDiffers` for an amount of a third currency, and `overflow` past Int64.
  package func convert(_ amount: Money, rounding: Rounding) throws(RepaymentRefusal) -> Money {
    guard amount.currency == base || amount.currency == quote else {
      throw .currencyDiffers(expected: base, found: amount.currency)
    }
    let isDirect = base == amount.currency
    let currency = isDirect ? quote : base
    let converted = try checked { () throws(ArithmeticOverflow) in
      // Minor units differ: 1 USD is 100 of them, 1 JPY is 1, 1 KWD is 1,000.
      var numerator = Int128(amount.amount)
      var denominator: Int128 = 1
      let (scale, price) = (try tenToThe(places), Int128(mantissa))
      numerator = try numerator.multiplied(by: isDirect ? price : scale)
      denominator = try denominator.multiplied(by: isDirect ? scale : price)
      let digits = currency.minorUnitDigits - amount.currency.minorUnitDigits
      if digits >= 0 {
        numerator = try numerator.multiplied(by: try tenToThe(digits))
      } else {
        denominator = try denominator.multiplied(by: try tenToThe(-digits))
      }
      return try numerator.divided(by: denominator, rounding: rounding).asInt64()
    }
    return Money(converted, currency)
  }
}

/// Two currencies, whichever is the base of a rate between them.
package struct FXPair: Sendable, Hashable, Comparable {
  /// The one whose code comes first.
  package let first: Currency
  package let second: Currency

  package init(_ one: Currency, _ other: Currency) { (first, second) = (min(one, other), max(one, other)) }

  package static func < (left: FXPair, right: FXPair) -> Bool {
    left.first != right.first ? left.first < right.first : left.second < right.second
  }

  /// `EUR/USD`: how rates of the pair are found.
  package var code: String { "\(first)/\(second)" }
}

/// One amount in two currencies, with the rate between them.
package struct FXConversion: Sendable, Hashable {
  package let from: Money
  package let into: Money
  package let rate: FXRate
  package let rounding: Rounding

  package init(from: Money, into: Money, rounding: Rounding, rate: FXRate) {
    self.from = from
    self.into = into
    self.rounding = rounding
    self.rate = rate
  }

  /// Whether the rate gives the one amount for the other.
  package var isReproduced: Bool { (try? rate.convert(from, rounding: rounding)) == into }
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
  /// Days after this one have its rates; nil where each day has its own.
  private var lastDay: CalendarDate?

  /// No rates: every conversion is refused.
  package static let empty = FXTable()

  private init() {
    self.maxStalenessDays = 0
    self.rates = [:]
    self.lastDay = nil
  }

  /// The same rates, with days to come taken as if the rates of this day still held on them: for what is only shown.
  package func held(after day: CalendarDate) -> FXTable {
    var table = self
    table.lastDay = day
    return table
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
    let date = lastDay.map { min(date, $0) } ?? date
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
    let money = try rate.convert(amount, rounding: rounding)
    return (money, FXConversion(from: amount, into: money, rounding: rounding, rate: rate))
  }
}

/// A power of ten; exponents here are at most twelve.
private func tenToThe(_ exponent: Int) throws(ArithmeticOverflow) -> Int128 {
  var power: Int128 = 1
  for _ in 0..<exponent { power = try power.multiplied(by: 10) }
  return power
}
