import Primitives

/// The price of a share as an exact fraction of minor units: a valuation over a count of shares need not come out even.
package struct SharePrice: Sendable, Hashable, Comparable {
  /// Minor units, above 0.
  package let minorUnits: Int64
  /// For so many shares, above 0.
  package let shares: Int64

  /// - Throws: `RepaymentRefusal.notPositive` for either below 1.
  package init(_ minorUnits: Int64, for shares: Int64 = 1) throws(RepaymentRefusal) {
    guard minorUnits > 0 else { throw .notPositive(what: "price", minorUnits) }
    guard shares > 0 else { throw .notPositive(what: "count of shares", shares) }
    self.minorUnits = minorUnits
    self.shares = shares
  }

  /// Two fractions by their cross products, which fit.
  package static func < (left: SharePrice, right: SharePrice) -> Bool {
    Int128(left.minorUnits) * Int128(right.shares) < Int128(right.minorUnits) * Int128(left.shares)
  }

  package static func == (left: SharePrice, right: SharePrice) -> Bool { !(left < right) && !(right < left) }

  package func hash(into hasher: inout Hasher) {
    var (a, b) = (minorUnits, shares)
    while b != 0 { (a, b) = (b, a % b) }
    hasher.combine(minorUnits / a)
    hasher.combine(shares / a)
  }

  /// Less a discount, 0 to below 100 %; exact.
  /// - Throws: `RepaymentRefusal` for a discount out of range, and when the fraction does not fit.
  package func discounted(by discount: BasisPoints) throws(RepaymentRefusal) -> SharePrice {
    guard discount.value >= 0, discount < .whole else { throw .shareOutOfRange(what: "discount", discount) }
    let (numerator, denominator) = (
      Int128(minorUnits) * Int128(10_000 - discount.value), Int128(shares) * 10_000
    )
    var (a, b) = (numerator, denominator)
    while b != 0 { (a, b) = (b, a % b) }
    let reduced = try checked { () throws(ArithmeticOverflow) in
      (try (numerator / a).asInt64(), try (denominator / a).asInt64())
    }
    return try SharePrice(reduced.0, for: reduced.1)
  }

  /// Whole shares that an amount buys, and what they cost, rounded up: so never more than the amount.
  /// - Throws: `RepaymentRefusal` for an amount below zero, or past Int64.
  package func buys(_ amount: Int64) throws(RepaymentRefusal) -> (shares: Int64, cost: Int64) {
    let amount = try nonNegative(amount, "amount")
    return try checked { () throws(ArithmeticOverflow) in
      let count = Int128(amount) * Int128(shares) / Int128(minorUnits)
      let cost = try count.multiplied(by: Int128(minorUnits)).divided(by: Int128(shares), rounding: .up)
      return (try count.asInt64(), try cost.asInt64())
    }
  }
}

/// A lender's right to turn debt into shares in a round, by the terms of SAFEs and notes: at a cap on the valuation or at
/// a discount to the round's price, whichever is lower.
package struct ConversionTerms: Sendable, Hashable {
  /// Valuation, in minor units, above 0; nil for uncapped.
  package let cap: Int64?
  /// 0 to below 100 %.
  package let discount: BasisPoints

  package init(cap: Int64?, discount: BasisPoints = BasisPoints(0)) {
    self.cap = cap
    self.discount = discount
  }
}

/// Debt turned into shares, with every price that was looked at.
package struct Conversion: Sendable, Hashable {
  package enum Basis: String, Sendable, Hashable, CaseIterable {
    case cap, discount
    /// Neither is below the round's price.
    case round
  }

  package let amount: Int64
  package let roundPrice: SharePrice
  package let capPrice: SharePrice?
  package let discountPrice: SharePrice
  package let basis: Basis
  package let price: SharePrice
  /// Rounded down.
  package let shares: Int64
  /// Debt that the shares discharge: their price, rounded up to the minor unit.
  package let converted: Int64
  /// Paid in money for the fraction of a share that is not issued: `amount` less `converted`.
  package let cashInLieu: Int64

  /// - Parameters:
  ///   - amount: debt to convert, minor units of the round's currency, at least 0.
  ///   - roundPrice: what new investors pay.
  ///   - capitalisation: shares, fully diluted, over which the cap is spread; above 0.
  /// - Throws: `RepaymentRefusal` for amounts out of range, and past Int64.
  package init(
    _ amount: Int64, terms: ConversionTerms, roundPrice: SharePrice, capitalisation: Int64
  ) throws(RepaymentRefusal) {
    self.amount = amount
    self.roundPrice = roundPrice
    self.discountPrice = try roundPrice.discounted(by: terms.discount)
    self.capPrice = try terms.cap.map { cap throws(RepaymentRefusal) in try SharePrice(cap, for: capitalisation) }
    // At equal prices the better-known term names itself: round, then discount, then cap.
    var found = (Basis.round, roundPrice)
    if discountPrice < found.1 { found = (.discount, discountPrice) }
    if let capPrice, capPrice < found.1 { found = (.cap, capPrice) }
    (self.basis, self.price) = found
    let bought = try price.buys(amount)
    self.shares = bought.shares
    self.converted = bought.cost
    self.cashInLieu = amount - bought.cost
  }
}

/// Warrants that come with a loan: rights to buy shares at a fixed price, for a share of its principal.
package struct WarrantTerms: Sendable, Hashable {
  /// Of principal, at least 0: 500 to 1,500 is usual with venture debt.
  package let coverage: BasisPoints
  package let strike: SharePrice

  package init(coverage: BasisPoints, strike: SharePrice) {
    self.coverage = coverage
    self.strike = strike
  }

  /// The warrants of a principal.
  /// - Returns: the amount covered, rounded down, and the shares it buys at the strike, rounded down.
  /// - Throws: `RepaymentRefusal` for amounts below zero, and past Int64.
  package func warrants(on principal: Int64) throws(RepaymentRefusal) -> (covered: Int64, shares: Int64) {
    let principal = try nonNegative(principal, "principal")
    guard coverage.value >= 0 else { throw .shareOutOfRange(what: "warrant coverage", coverage) }
    let covered = try checked { () throws(ArithmeticOverflow) in
      try (Int128(principal) * Int128(coverage.value)).divided(by: 10_000, rounding: .down).asInt64()
    }
    return (covered, try strike.buys(covered).shares)
  }

  /// Shares for warrants exercised without cash: the gain, paid in shares at their price, rounded down. None where the
  /// price is not above the strike.
  /// - Throws: `RepaymentRefusal` for a count below zero, and where the fractions do not fit.
  package func netShares(_ warrants: Int64, at price: SharePrice) throws(RepaymentRefusal) -> Int64 {
    let warrants = try nonNegative(warrants, "count of warrants")
    guard strike < price else { return 0 }
    return try checked { () throws(ArithmeticOverflow) in
      // 1 - strike / price = (p.units * s.shares - s.units * p.shares) / (p.units * s.shares)
      let whole = Int128(price.minorUnits) * Int128(strike.shares)
      let gain = whole - Int128(strike.minorUnits) * Int128(price.shares)
      return try gain.multiplied(by: Int128(warrants)).divided(by: whole, rounding: .down).asInt64()
    }
  }
}
