import Primitives

/// Dated amounts, in and out, and what they yield: XNPV and XIRR with calendar days over 365.
///
/// The first date is the earliest one, however the flows are listed. All is fixed point over big integers: the
/// unknown is the discount of one day, a root of a polynomial in day numbers, so neither exponential nor logarithm is
/// needed, and the digits of a rate are as many as are asked for.
package struct CashFlows: Sendable {
  /// Days after the earliest date, and the amount over 10^places; one entry a date that does not come to zero.
  private let polynomial: SparsePolynomial
  /// Days from the earliest date to the earliest with an amount: the polynomial counts from the latter.
  private let leadingDays: Int
  private let places: Int

  /// One amount on one date; out is negative.
  package struct Flow: Sendable, Hashable {
    package let date: CalendarDate
    package let amount: DecimalNumeral

    package init(date: CalendarDate, amount: DecimalNumeral) {
      self.date = date
      self.amount = amount
    }
  }

  /// Any order; several of one date are added up; none at all are worth nothing.
  /// - Throws: `InterestRefusal.amountOutOfRange` naming the flow.
  package init(_ flows: [Flow]) throws(InterestRefusal) {
    let places = flows.reduce(0) { max($0, $1.amount.places) }
    let first = flows.map(\.date).min() ?? .earliest
    var terms: [SparsePolynomial.Term] = []
    for (index, flow) in flows.enumerated() {
      let amount = try InterestBounds.signedAmount(flow.amount, "flows/\(index)/1")
      terms.append(
        SparsePolynomial.Term(
          exponent: Int(first.days(to: flow.date)),
          coefficient: amount.unscaled * .powerOfTen(places - amount.places)))
    }
    var sums: [Int: WideInteger] = [:]
    for term in terms { sums[term.exponent, default: .zero] = sums[term.exponent, default: .zero] + term.coefficient }
    polynomial = SparsePolynomial(terms)
    leadingDays = sums.filter { !$0.value.isZero }.keys.min() ?? 0
    self.places = places
  }

  /// Fraction bits of the fixed point: over a hundred digits, of which days, amounts and places use up fewer than half.
  private static let bits = 384
  /// Past this a rate has no use, and working it out has a price: one day's return of about 2^40.
  private static let mostBits = 1 << 14
  /// Changes of sign up to which all rates are found; see `SparsePolynomial.nearestRootByWalking`.
  private static let mostIsolatedChanges = 16

  /// The sum of amounts, each over (1 + rate)^(days / 365), in so many places, rounded half to even.
  /// - Parameter rate: a fraction of one above -1.
  /// - Throws: `InterestRefusal.rateOutOfRange` at -1 and below.
  package func netPresentValue(at rate: ExactRational, places: Int) throws(InterestRefusal) -> DecimalNumeral {
    guard rate > ExactRational(-1) else { throw .rateOutOfRange(what: "rate") }
    func rounded(_ numerator: WideInteger, over denominator: WideInteger) throws(InterestRefusal) -> DecimalNumeral {
      guard
        let unscaled = try? (numerator * .powerOfTen(places)).divided(
          by: denominator * .powerOfTen(self.places), rounding: .halfEven)
      else { throw .overflow }
      return DecimalNumeral(unscaled: unscaled, places: places)
    }
    if rate.isZero { return try rounded(polynomial.sum, over: .one) }
    let growth = .one + rate
    // The step of one day: x^365 is growth or its inverse, whichever is below 1.
    let (small, large) = growth < .one ? (growth.numerator, growth.denominator) : (growth.denominator, growth.numerator)
    let bits = 2 * Self.bits
    let year = SparsePolynomial([
      SparsePolynomial.Term(exponent: 0, coefficient: -small),
      SparsePolynomial.Term(exponent: 365, coefficient: large),
    ])
    guard let day = year.roots(bits: bits).last else { throw .overflow }
    let shift = fixedPower(day, leadingDays, bits: bits)
    if !rate.isNegative {
      let value = polynomial.evaluated(at: day, bits: bits).value
      return try rounded((value * shift) >> bits, over: WideInteger.one << bits)
    }
    // Below zero the discount is above one: its inverse is the step, counted from the last day.
    let last = polynomial.terms.last?.exponent ?? 0
    let value = polynomial.reversed.evaluated(at: day, bits: bits).value
    return try rounded(value << bits, over: fixedPower(day, last, bits: bits) * shift)
  }

  /// The rate at which the flows are worth nothing, in so many places, rounded half to even; nil where there is none.
  ///
  /// There is none without amounts of both signs. Flows that change sign once have one at most, and exactly one when
  /// they span more than a day. Of several the one nearest to zero is given: all solve the equation, and the least
  /// far-fetched is what a reader means. Flows that come to zero have a rate of zero.
  /// - Throws: `InterestRefusal.overflow` for a rate of thousands of digits.
  package func internalRate(places: Int) throws(InterestRefusal) -> DecimalNumeral? {
    guard polynomial.signChanges > 0 else { return nil }
    if polynomial.sum.isZero { return DecimalNumeral(unscaled: .zero, places: places) }
    var bits = Self.bits
    while bits <= Self.mostBits {
      let gain = Self.nearestRoot(of: polynomial, bits: bits)
      let loss = Self.nearestRoot(of: polynomial.reversed, bits: bits)
      if let loss, gain.map({ $0 < loss }) ?? true {
        let unscaled = (fixedPower(loss, 365, bits: bits) - WideInteger.one << bits) * .powerOfTen(places)
        let divisor = WideInteger.one << bits
        return DecimalNumeral(
          unscaled: (try? unscaled.divided(by: divisor, rounding: .halfEven)) ?? .zero, places: places)
      }
      guard let gain else { return nil }
      // A discount of a year that is nearly nothing has lost its digits: more bits bring them back.
      let year = fixedPower(gain, 365, bits: bits)
      if year.bitCount >= Self.bits / 2,
        let unscaled = try? ((WideInteger.one << bits - year) * .powerOfTen(places))
          .divided(by: year, rounding: .halfEven)
      {
        return DecimalNumeral(unscaled: unscaled, places: places)
      }
      bits *= 2
    }
    throw .overflow
  }

  /// The root within (0, 1) nearest to 1.
  private static func nearestRoot(of polynomial: SparsePolynomial, bits: Int) -> WideInteger? {
    polynomial.signChanges <= mostIsolatedChanges
      ? polynomial.roots(bits: bits).last : polynomial.nearestRootByWalking(bits: bits)
  }
}
