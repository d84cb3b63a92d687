import Primitives

/// When a mark is too old to trade on.
///
/// Twelve months, or until a material event such as a round: the rule of 26 CFR 1.409A-1(b)(5)(iv)(B), which is the one
/// figure that valuation practice agrees on. The day twelve months after the effective date is still fresh.
package struct StalenessRule: Sendable, Hashable {
  /// Months that a mark stays fresh, at least 0.
  package let months: Int

  package static let twelveMonths = StalenessRule(uncheckedMonths: 12)

  /// By how the value was found. Twelve months for everything that somebody stated: the one figure that practice agrees on.
  /// What was derived from quotes, or from a curve where there are none, is derived again each day, so an old one means
  /// that nothing could be derived: three months [ours].
  package static func of(_ method: ValuationMethod) -> StalenessRule {
    switch method {
    case .index, .model: StalenessRule(uncheckedMonths: 3)
    case .pricedRound, .safeCap, .strategic, .secondary, .valuation409A, .adminMark, .marketQuote: .twelveMonths
    }
  }

  /// - Returns: nil below 0 or above 1,200 months.
  package init?(months: Int) {
    guard (0...1_200).contains(months) else { return nil }
    self.months = months
  }

  private init(uncheckedMonths months: Int) { self.months = months }

  /// The last day on which a mark of this effective date is fresh.
  package func freshThrough(_ effectiveOn: CalendarDate) -> CalendarDate {
    effectiveOn.adding(months: months) ?? .latest
  }

  /// Whether the mark is stale on a day.
  /// - Parameter materialEventOn: the last material event known; a mark that is effective before it is stale from that
  ///   day on.
  package func isStale(
    _ mark: ValuationMark, on date: CalendarDate, materialEventOn: CalendarDate? = nil
  ) -> Bool {
    if date > freshThrough(mark.effectiveOn) { return true }
    guard let event = materialEventOn else { return false }
    return mark.effectiveOn < event && event <= date
  }
}
