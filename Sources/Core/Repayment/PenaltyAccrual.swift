import Primitives

/// The penalty on what is overdue as it accrues: simple, on an amount that stays the same between events, posted in whole
/// minor units. What rounding leaves over is carried exactly, so that penalties charged day by day, or at once, come to the
/// same minor unit; and what is taken back is taken back exactly.
package struct PenaltyAccrual: Sendable, Hashable {
  /// 360 or 365.
  package let yearDays: Int64
  /// Charged and not taken back, in minor units, at least 0.
  package let total: Int64
  /// Exact penalty less `total`, over `10,000 x yearDays`.
  package let residue: Int64

  /// - Throws: `RepaymentRefusal` for a negative total, a day count without a fixed year, and a residue above one half.
  package init(dayCount: DayCountConvention, total: Int64, residue: Int64) throws(RepaymentRefusal) {
    switch dayCount {
    case .act360: yearDays = 360
    case .act365F: yearDays = 365
    case .thirty360Bond, .thirty360US, .thirtyE360, .actActISDA: throw .unsupportedDayCount(dayCount)
    }
    guard residue.magnitude <= UInt64(10_000 * yearDays) / 2 else { throw .residueOutOfRange(residue) }
    self.total = try nonNegative(total, "penalty")
    self.residue = residue
  }

  private init(yearDays: Int64, total: Int64, residue: Int64) {
    self.yearDays = yearDays
    self.total = total
    self.residue = residue
  }

  /// Basis points times days of the year.
  package var denominator: Int128 { 10_000 * Int128(yearDays) }

  private func exact() -> Int128 { Int128(total) * denominator + Int128(residue) }

  private func after(_ exact: Int128) throws(RepaymentRefusal) -> (amount: Int64, state: PenaltyAccrual) {
    try checked { () throws(ArithmeticOverflow) in
      let rounded = try exact.divided(by: denominator, rounding: .halfEven)
      let (total, left) = (try rounded.asInt64(), try (exact - rounded * denominator).asInt64())
      return (
        try total.subtracting(self.total), PenaltyAccrual(yearDays: yearDays, total: total, residue: left)
      )
    }
  }

  /// Charges some days more.
  /// - Parameters:
  ///   - base: overdue over all of them, minor units, at least 0.
  ///   - days: that bear a penalty, at least 0.
  ///   - cap: the most in all; what is beyond it is never charged.
  /// - Returns: what to charge now, at least 0, the state after it, and whether the cap cut it.
  package func charging(
    base: Int64, rate: BasisPoints, days: Int64, cap: Int64? = nil
  ) throws(RepaymentRefusal) -> (amount: Int64, state: PenaltyAccrual, isCapped: Bool) {
    let base = try nonNegative(base, "overdue amount")
    let days = try nonNegative(days, "days")
    guard rate.value >= 0 else { throw .negativeAmount(what: "penalty rate", rate.value) }
    let earned = try checked { () throws(ArithmeticOverflow) in
      try (Int128(base) * Int128(rate.value)).multiplied(by: Int128(days)).adding(exact())
    }
    // What is charged already stays, should the cap be below it.
    guard let most = cap.map({ max(Int128($0) * denominator, exact()) }), earned > most else {
      let charged = try after(earned)
      return (charged.amount, charged.state, false)
    }
    let charged = try after(most)
    return (charged.amount, charged.state, true)
  }

  /// What a span of days was charged exactly, over the denominator.
  package func exact(amount: Int64, residueBefore: Int64, residueAfter: Int64) -> Int128 {
    Int128(amount) * denominator + Int128(residueAfter) - Int128(residueBefore)
  }

  /// Takes an exact penalty back.
  /// - Parameter exact: over the denominator, at least 0, at most all that was charged.
  /// - Returns: what to take back now, at least 0, and the state after it.
  package func takingBack(_ exact: Int128) throws(RepaymentRefusal) -> (amount: Int64, state: PenaltyAccrual) {
    let left = self.exact() - exact
    guard exact >= 0, left >= 0 else { throw .paidMoreThanOwed(.charges, paid: total, owed: 0) }
    let (amount, state) = try after(left)
    return (-amount, state)
  }
}
