import Primitives

/// Figures that follow from a round and from what was known before it. Each is rounded against the company's glory: a
/// growth is never shown larger than it is.
package enum RoundFigures {
  /// - Throws: `ValuationRefusal` across currencies, or past the range.
  package static func postMoney(pre: Money, newMoney: Money) throws(ValuationRefusal) -> Money {
    guard pre.currency == newMoney.currency else { throw .currencyDiffers(pre.currency, newMoney.currency) }
    do { return try pre.adding(newMoney) } catch { throw .overflow }
  }

  /// - Returns: nil where the new money is not below the post-money: then one of the two figures is of something else.
  /// - Throws: `ValuationRefusal` across currencies, or past the range.
  package static func preMoney(post: Money, newMoney: Money) throws(ValuationRefusal) -> Money? {
    guard post.currency == newMoney.currency else { throw .currencyDiffers(post.currency, newMoney.currency) }
    guard newMoney.amount < post.amount else { return nil }
    do { return try post.subtracting(newMoney) } catch { throw .overflow }
  }

  /// What new investors paid over what the last ones' price was: pre-money over the post-money before it, in basis points,
  /// rounded down; 10,000 is the same price.
  /// - Returns: nil across currencies, for a value of zero, and past the range: no ratio is better than a wrong one.
  package static func stepUp(pre: Money, previousPost: Money) -> BasisPoints? {
    guard pre.currency == previousPost.currency, previousPost.amount > 0, pre.amount >= 0 else { return nil }
    let scaled = Int128(pre.amount) * 10_000
    return (try? scaled.divided(by: Int128(previousPost.amount), rounding: .down).asInt64()).map { BasisPoints($0) }
  }

  /// Growth a year of 365 days between two values, in basis points, rounded down: the largest whole number g for which
  /// `from x (1 + g/10,000)^(days/365)` is at most `to`. Exact: both sides are compared as whole numbers.
  ///
  /// - Returns: nil across currencies, for less than a year, since a short stretch is not told as a year's (GIPS, provision
  ///   on periods of less than one year), for more than a century, and past a millionfold a year.
  package static func annualisedGrowth(from: Money, to: Money, days: Int64) -> BasisPoints? {
    guard from.currency == to.currency, from.amount > 0, to.amount > 0, (365...36_525).contains(days) else {
      return nil
    }
    // (10,000 + g)^d x from^y <= to^y x 10,000^d, with days/365 = d/y in lowest terms.
    let (d, y) = reduced(Int(days), 365)
    let bound = WideInteger(to.amount).power(y) * WideInteger(10_000).power(d)
    let base = WideInteger(from.amount).power(y)
    func fits(_ factor: Int64) -> Bool { WideInteger(factor).power(d) * base <= bound }
    var (low, high): (Int64, Int64) = (0, 10_000_000_000)
    guard !fits(high) else { return nil }
    while high - low > 1 {
      let middle = low + (high - low) / 2
      if fits(middle) { low = middle } else { high = middle }
    }
    return BasisPoints(low - 10_000)
  }

  private static func reduced(_ left: Int, _ right: Int) -> (Int, Int) {
    var (a, b) = (left, right)
    while b != 0 { (a, b) = (b, a % b) }
    return (left / a, right / a)
  }
}

/// What a round says of the price before it.
package enum RoundClass: String, Sendable, Hashable, CaseIterable {
  case up
  /// Within `flatBand` of the price before it.
  case flat
  case down
  /// A note, a SAFE: money before the next price.
  case bridge
  /// No price before it, or none in it.
  case unknown

  /// A step of less than this either way is none [ours]: rounding of reported figures alone makes as much.
  package static let flatBand = BasisPoints(250)

  package init(kind: RoundReport.Kind, stepUp: BasisPoints?) {
    guard kind != .safe else {
      self = .bridge
      return
    }
    guard let stepUp else {
      self = .unknown
      return
    }
    let step = stepUp.value - BasisPoints.whole.value
    self = abs(step) <= Self.flatBand.value ? .flat : step > 0 ? .up : .down
  }
}

/// How a mark came to stand as it does on a day, with every input, so that anybody can work it out again.
package struct MarkExplanation: Sendable {
  package let mark: ValuationMark
  package let asOf: CalendarDate
  package let rule: StalenessRule
  /// The last day on which it is fresh, events apart.
  package let freshThrough: CalendarDate
  /// The first event after its day that made it old.
  package let materialEventOn: CalendarDate?
  package let isStale: Bool
  /// What stood on the day before it, of the same basis.
  package let previous: ValuationMark?
  package let growth: BasisPoints?
  /// The report that it follows from.
  package let report: RoundReport?
  package let newMoney: Money?
  package let preMoney: Money?
  /// Computed from post-money and new money, not stated.
  package let isPreMoneyDerived: Bool
  package let stepUp: BasisPoints?
  package let roundClass: RoundClass?
  /// Everybody who led it had led a round of the company before; nil where nobody is named.
  package let isInsider: Bool?

  /// - Parameters:
  ///   - reports: of the startup, known at the moment that is asked for, none that was corrected by then; empty for chips.
  ///   - report: the one among them that the mark follows from.
  package init(
    _ mark: ValuationMark, asOf: CalendarDate, previous: ValuationMark?, report: RoundReport?, reports: [RoundReport]
  ) {
    self.mark = mark
    self.asOf = asOf
    rule = StalenessRule.of(mark.method)
    freshThrough = rule.freshThrough(mark.effectiveOn)
    let events = reports.filter { $0.status == .closed }.map(\.announced.lastDay)
    let event = events.filter { $0 > mark.effectiveOn && $0 <= asOf }.min()
    materialEventOn = event
    isStale = rule.isStale(mark, on: asOf, materialEventOn: event)
    self.previous = previous
    growth = previous.flatMap { before in
      RoundFigures.annualisedGrowth(
        from: before.amount, to: mark.amount, days: before.effectiveOn.days(to: mark.effectiveOn))
    }
    self.report = report
    guard let report else {
      (newMoney, preMoney, isPreMoneyDerived, stepUp, roundClass, isInsider) = (nil, nil, false, nil, nil, nil)
      return
    }
    // Old shares bring nothing in: what stands behind a secondary is the whole company before and after it.
    let newMoney = report.kind == .secondary ? nil : report.amount.map { Money($0, report.currency) }
    let stated = report.preMoney.map { Money($0, report.currency) }
    let derived = newMoney.flatMap { try? RoundFigures.preMoney(post: mark.amount, newMoney: $0) } ?? nil
    let pre = stated ?? (mark.basis == .postMoney ? derived : nil)
    self.newMoney = newMoney
    preMoney = pre
    isPreMoneyDerived = stated == nil && pre != nil
    let step = previous.flatMap { before in
      (pre ?? (report.kind == .secondary ? mark.amount : nil)).flatMap {
        RoundFigures.stepUp(pre: $0, previousPost: before.amount)
      }
    }
    stepUp = step
    roundClass = RoundClass(kind: report.kind, stepUp: step)
    let before = reports.filter { $0.status == .closed && $0.announced.lastDay < report.announced.lastDay }
    let known = Set(before.flatMap(\.investors))
    isInsider = report.investors.isEmpty ? nil : report.investors.allSatisfy { known.contains($0) }
  }
}
