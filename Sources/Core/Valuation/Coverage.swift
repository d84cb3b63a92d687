import Primitives

/// Ratios of what stands behind a debt to the debt. Each is rounded against the reader's comfort, so that no figure
/// looks better than it is.
package enum Coverage {
  /// Value over outstanding debt in basis points, rounded down: 15,000 is one and a half times covered.
  /// - Parameters:
  ///   - value: expected or marked value of chips out plus deposits, at least 0.
  ///   - outstanding: at least 0, in the same currency.
  /// - Returns: nil when nothing is outstanding: no ratio covers no debt.
  /// - Throws: `ValuationRefusal` across currencies, below zero, or past the range of basis points.
  package static func ratio(
    value: Money, outstanding: Money
  ) throws(ValuationRefusal) -> BasisPoints? {
    try share(of: value, over: outstanding, rounding: .down)
  }

  /// Outstanding debt over the startup's valuation in basis points, rounded up.
  /// - Returns: nil when the valuation is zero.
  /// - Throws: `ValuationRefusal` across currencies, below zero, or past the range of basis points.
  package static func debtOverValuation(
    debt: Money, valuation: Money
  ) throws(ValuationRefusal) -> BasisPoints? {
    try share(of: debt, over: valuation, rounding: .up)
  }

  private static func share(
    of part: Money, over whole: Money, rounding: Rounding
  ) throws(ValuationRefusal) -> BasisPoints? {
    guard part.currency == whole.currency else { throw .currencyDiffers(part.currency, whole.currency) }
    guard part.amount >= 0 else { throw .negativeAmount(part) }
    guard whole.amount >= 0 else { throw .negativeAmount(whole) }
    guard whole.amount > 0 else { return nil }
    do {
      let scaled = Int128(part.amount) * 10_000
      return BasisPoints(try scaled.divided(by: Int128(whole.amount), rounding: rounding).asInt64())
    } catch {
      throw .overflow
    }
  }
}
