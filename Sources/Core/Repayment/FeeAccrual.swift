import Primitives

/// The fee of a loan as it accrues: simple, on outstanding principal, posted in whole minor units.
///
/// What rounding leaves over is carried exactly, so what is posted at any time is the exact fee since delivery, rounded
/// once, half to even. A month posted day by day, or in one step, therefore comes to the same minor unit; principal and
/// rate may change from one call to the next.
package struct FeeAccrual: Sendable, Hashable {
  /// ACT/360 or ACT/365F, fixed for the loan's life: the residue is a numerator over it.
  package let dayCount: DayCountConvention
  /// The fee is posted for all days before this one.
  package let accruedThrough: CalendarDate
  /// All fee posted so far in minor units, at least 0.
  package let accruedTotal: Int64
  /// Exact fee less posted fee, over `denominator`; at most half a minor unit either way.
  package let residue: Int64

  /// The state of a loan, new (no total, no residue) or as stored.
  /// - Throws: `RepaymentRefusal` for a day count with no fixed year, a negative total, or a residue above one half.
  package init(
    dayCount: DayCountConvention, accruedThrough: CalendarDate, accruedTotal: Int64 = 0, residue: Int64 = 0
  ) throws(RepaymentRefusal) {
    let denominator = try Self.denominator(of: dayCount)
    guard residue.magnitude <= denominator.magnitude / 2, residue >= 0 || accruedTotal > 0 else {
      throw .residueOutOfRange(residue)
    }
    self.dayCount = dayCount
    self.accruedThrough = accruedThrough
    self.accruedTotal = try nonNegative(accruedTotal, "accrued fee")
    self.residue = residue
  }

  private init(
    dayCount: DayCountConvention, through: CalendarDate, total: Int64, residue: Int64
  ) {
    self.dayCount = dayCount
    self.accruedThrough = through
    self.accruedTotal = total
    self.residue = residue
  }

  /// Basis points times days of the year: 3,600,000 or 3,650,000.
  private static func denominator(of dayCount: DayCountConvention) throws(RepaymentRefusal) -> Int64 {
    switch dayCount {
    case .act360: 10_000 * 360
    case .act365F: 10_000 * 365
    case .thirty360Bond, .thirty360US, .thirtyE360, .actActISDA: throw .unsupportedDayCount(dayCount)
    }
  }

  /// Accrues from `accruedThrough` to a date; the days before it are then posted, the date itself is not.
  /// - Parameters:
  ///   - principal: outstanding over the whole of that time, minor units, at least 0.
  ///   - rate: a year, at least 0.
  /// - Returns: the fee to post now, at least 0, and the state after it.
  /// - Throws: `RepaymentRefusal` for a date before `accruedThrough`, negative input, or a total past Int64.
  package func accrue(
    principal: Int64, rate: BasisPoints, through date: CalendarDate
  ) throws(RepaymentRefusal) -> (amount: Int64, state: FeeAccrual) {
    guard date >= accruedThrough else {
      throw .accrualBackdated(given: date, accruedThrough: accruedThrough)
    }
    let principal = try nonNegative(principal, "principal")
    guard rate.value >= 0 else { throw .negativeAmount(what: "rate", rate.value) }
    let denominator = try Self.denominator(of: dayCount)
    let days = accruedThrough.days(to: date)
    let (total, left) = try checked { () throws(ArithmeticOverflow) -> (Int64, Int64) in
      let earned = try (Int128(principal) * Int128(rate.value)).multiplied(by: Int128(days))
      // The posted total takes part, since a tie is decided by whether it, not the step, is even.
      let posted = Int128(accruedTotal) * Int128(denominator)
      let exact = try earned.adding(posted + Int128(residue))
      let total = try exact.divided(by: Int128(denominator), rounding: .halfEven).asInt64()
      return (total, try (exact - Int128(total) * Int128(denominator)).asInt64())
    }
    let state = FeeAccrual(dayCount: dayCount, through: date, total: total, residue: left)
    // Nothing earned is below zero, so the cumulative total never falls.
    return (total - accruedTotal, state)
  }

  /// The fee of one day at this principal and rate, rounded half to even: for showing, never for posting.
  /// - Throws: `RepaymentRefusal` for negative input or past Int64.
  package func perDiem(principal: Int64, rate: BasisPoints) throws(RepaymentRefusal) -> Int64 {
    let principal = try nonNegative(principal, "principal")
    guard rate.value >= 0 else { throw .negativeAmount(what: "rate", rate.value) }
    let denominator = Int128(try Self.denominator(of: dayCount))
    return try checked { () throws(ArithmeticOverflow) -> Int64 in
      try (Int128(principal) * Int128(rate.value)).divided(by: denominator, rounding: .halfEven).asInt64()
    }
  }
}
