import Primitives

/// The tax on a loan's fee as it accrues: on the fee as it was posted, in whole minor units, at the rate of each day.
///
/// What rounding leaves over is carried exactly, so that tax computed day by day, or for all days at once, comes to the same
/// minor unit; where a rate changes, the fee is split at its day. The rule's own rounding is applied to all tax so far.
package struct FeeTaxAccrual: Sendable, Hashable {
  /// Basis points of one.
  private static let denominator: Int128 = 10_000

  /// All tax so far, minor units, at least 0.
  package let total: Int64
  /// Exact tax less `total`, over 10,000; less than one minor unit either way.
  package let residue: Int64

  /// - Throws: `RepaymentRefusal` for a negative total and a residue of a minor unit or more.
  package init(total: Int64 = 0, residue: Int64 = 0) throws(RepaymentRefusal) {
    guard residue.magnitude < 10_000 else { throw .residueOutOfRange(residue) }
    self.total = try nonNegative(total, "tax")
    self.residue = residue
  }

  /// Adds the tax of a fee.
  /// - Parameter fee: posted for days of one rule, minor units, at least 0.
  /// - Returns: the tax to post now, at least 0, and the state after it.
  package func adding(
    fee: Int64, by rule: FeeTaxRule
  ) throws(RepaymentRefusal) -> (amount: Int64, state: FeeTaxAccrual) {
    _ = try nonNegative(fee, "fee")
    // A tax that was rounded up by an earlier rule is not given back because a later one rounds down.
    return try after(fee, by: rule, least: total)
  }

  /// The fee of past days changed, and the tax with it.
  /// - Parameter change: of the fee of days of one rule, of either sign.
  /// - Returns: the change of the tax, and the state after it.
  package func changing(
    feeBy change: Int64, rule: FeeTaxRule
  ) throws(RepaymentRefusal) -> (amount: Int64, state: FeeTaxAccrual) {
    try after(change, by: rule, least: change < 0 ? 0 : total)
  }

  private func after(
    _ fee: Int64, by rule: FeeTaxRule, least: Int64
  ) throws(RepaymentRefusal) -> (amount: Int64, state: FeeTaxAccrual) {
    let (total, left) = try checked { () throws(ArithmeticOverflow) -> (Int64, Int64) in
      let exact = Int128(self.total) * Self.denominator + Int128(residue) + Int128(fee) * Int128(rule.rate.value)
      let rounded = try exact.divided(by: Self.denominator, rounding: rule.rounding).asInt64()
      let total = max(rounded, least)
      return (total, try (exact - Int128(total) * Self.denominator).asInt64())
    }
    return (total - self.total, try FeeTaxAccrual(total: total, residue: left))
  }
}
