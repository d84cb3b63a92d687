import Primitives

/// A tax on the fee, as a jurisdiction has it for a time: data, with the act it stems from.
package struct FeeTaxRule: Sendable, Hashable {
  package enum Kind: String, Sendable, Hashable, CaseIterable {
    /// VAT, GST or sales tax: on top of the fee, paid by the borrower to the lender, who remits it.
    case sales
    /// Kept back by a borrower who pays a lender abroad, and remitted by the borrower.
    case withholding
  }

  /// The entry of reference data that it is; nil for a rule that was never recorded.
  package let id: ReferenceEntryID?
  package let kind: Kind
  /// Of supply for a sales tax, of the payer for a withholding tax.
  package let jurisdiction: CountryCode
  package let from: CalendarDate
  /// The last day; nil while it holds.
  package let through: CalendarDate?
  /// 0 to 100 %; a withholding tax to be grossed up is below that.
  package let rate: BasisPoints
  package let rounding: Rounding
  /// The act, or the treaty.
  package let source: String

  /// - Throws: `RepaymentRefusal` for a rate out of range and a time that ends before it begins.
  package init(
    kind: Kind, jurisdiction: CountryCode, from: CalendarDate, through: CalendarDate?, rate: BasisPoints,
    rounding: Rounding = .halfUp, source: String, id: ReferenceEntryID? = nil
  ) throws(RepaymentRefusal) {
    self.id = id
    if let through, through < from { throw .periodReversed(start: from, end: through) }
    self.kind = kind
    self.jurisdiction = jurisdiction
    self.from = from
    self.through = through
    self.rate = try properShare(rate, "tax rate")
    self.rounding = rounding
    self.source = source
  }

  private init(_ rule: FeeTaxRule, through last: CalendarDate?, id: ReferenceEntryID?) {
    self.id = id
    kind = rule.kind
    jurisdiction = rule.jurisdiction
    from = rule.from
    through = last
    rate = rule.rate
    rounding = rule.rounding
    source = rule.source
  }

  /// The rule as it is once another takes its place from a day on; nil where nothing of it is left.
  package func ended(before date: CalendarDate) -> FeeTaxRule? {
    guard from < date, let last = date.adding(days: -1) else { return nil }
    return FeeTaxRule(self, through: through.map { min($0, last) } ?? last, id: id)
  }

  /// The rule under the id of its entry.
  package func identified(by id: ReferenceEntryID) -> FeeTaxRule { FeeTaxRule(self, through: through, id: id) }

  package func holds(on date: CalendarDate) -> Bool { from <= date && through.map { date <= $0 } ?? true }
}

/// The rules of all jurisdictions that are known.
package struct FeeTaxTable: Sendable, Hashable {
  /// By first day.
  package let rules: [FeeTaxRule]

  package static let empty = FeeTaxTable()

  private init() { rules = [] }

  /// - Throws: `RepaymentRefusal.taxRulesOverlap` where two of one kind and jurisdiction hold on a day.
  package init(_ rules: [FeeTaxRule]) throws(RepaymentRefusal) {
    let sorted = rules.sorted { $0.from < $1.from }
    for (index, rule) in sorted.enumerated() {
      for later in sorted[(index + 1)...]
      where later.kind == rule.kind && later.jurisdiction == rule.jurisdiction && rule.holds(on: later.from) {
        throw .taxRulesOverlap(jurisdiction: rule.jurisdiction, on: later.from)
      }
    }
    self.rules = sorted
  }

  /// - Throws: `RepaymentRefusal.noTaxRule`: that a jurisdiction has no tax is a rule of 0 %, never a gap.
  package func rule(
    _ kind: FeeTaxRule.Kind, of jurisdiction: CountryCode, on date: CalendarDate
  ) throws(RepaymentRefusal) -> FeeTaxRule {
    let found = rules.last { $0.kind == kind && $0.jurisdiction == jurisdiction && $0.holds(on: date) }
    guard let found else { throw .noTaxRule(jurisdiction: jurisdiction, on: date) }
    return found
  }

  /// The days from one date to another, the other excluded, by the rule that holds on them; none when there are no days.
  /// - Throws: `RepaymentRefusal.noTaxRule` with the first day that has none.
  package func periods(
    _ kind: FeeTaxRule.Kind, of jurisdiction: CountryCode, from start: CalendarDate, to end: CalendarDate
  ) throws(RepaymentRefusal) -> [(from: CalendarDate, to: CalendarDate, rule: FeeTaxRule)] {
    var periods: [(from: CalendarDate, to: CalendarDate, rule: FeeTaxRule)] = []
    var day = start
    while day < end {
      let rule = try rule(kind, of: jurisdiction, on: day)
      let next = min(rule.through?.adding(days: 1) ?? end, end)
      periods.append((day, next, rule))
      day = next
    }
    return periods
  }

  /// The table with one rule more.
  /// - Parameter superseded: the rule whose place it takes from its first day on.
  /// - Throws: `RepaymentRefusal.taxRulesOverlap` where it holds on a day on which another does.
  package func adding(
    _ rule: FeeTaxRule, superseding superseded: ReferenceEntryID? = nil
  ) throws(RepaymentRefusal) -> FeeTaxTable {
    let kept = rules.compactMap { known in
      superseded != nil && known.id == superseded ? known.ended(before: rule.from) : known
    }
    return try FeeTaxTable(kept + [rule])
  }
}

/// A fee with its taxes, in minor units of one currency. What the borrower bears is `paidToLender` and `withheld`.
package struct TaxedFee: Sendable, Hashable {
  /// The contract's fee.
  package let fee: Int64
  /// What was added so that the lender has the whole fee after the tax kept back; 0 without a gross-up.
  package let grossUp: Int64
  /// On `fee` and `grossUp`.
  package let salesTax: Int64
  /// Of `fee` and `grossUp`, remitted by the borrower.
  package let withheld: Int64
  package let salesRule: FeeTaxRule
  /// nil where payer and payee are in one jurisdiction.
  package let withholdingRule: FeeTaxRule?

  /// What reaches the lender: fee, gross-up and sales tax less what is withheld.
  package let paidToLender: Int64

  /// - Parameters:
  ///   - fee: minor units, at least 0.
  ///   - supply: whose sales tax it bears.
  ///   - payer: of the borrower; it withholds only across a border.
  ///   - isGrossedUp: whether the contract makes the borrower bear the tax kept back.
  /// - Throws: `RepaymentRefusal` for a negative fee, missing rules, a gross-up at 100 %, and past Int64.
  package init(
    _ fee: Int64, on date: CalendarDate, supply: CountryCode, payer: CountryCode, payee: CountryCode, isGrossedUp: Bool,
    table: FeeTaxTable
  ) throws(RepaymentRefusal) {
    let fee = try nonNegative(fee, "fee")
    let sales = try table.rule(.sales, of: supply, on: date)
    let withholding = payer == payee ? nil : try table.rule(.withholding, of: payer, on: date)
    var gross = fee
    if isGrossedUp, let withholding { gross = try Self.grossedUp(fee, withholding) }
    let withheld = try withholding.map { rule throws(RepaymentRefusal) in try Self.tax(rule, on: gross) } ?? 0
    let salesTax = try Self.tax(sales, on: gross)
    self.fee = fee
    self.grossUp = gross - fee
    self.salesTax = salesTax
    self.withheld = withheld
    self.salesRule = sales
    self.withholdingRule = withholding
    self.paidToLender = try checked { () throws(ArithmeticOverflow) in try gross.adding(salesTax) } - withheld
  }

  /// The most that a payer keeps back where this much of a fee reached the payee: the fee is taken as what is left after
  /// the tax, by the tax's own rounding.
  /// - Parameters:
  ///   - fee: minor units, at least 0.
  ///   - isGrossedUp: the payer bears the tax, and adds no more than it takes for the payee to have its fee. Else of all
  ///     fees that leave this much it is the largest.
  /// - Throws: `RepaymentRefusal` for a negative fee, a tax of 100 %, and past Int64.
  package static func withheld(
    ofPaid fee: Int64, by rule: FeeTaxRule, isGrossedUp: Bool
  ) throws(RepaymentRefusal) -> Int64 {
    let fee = try nonNegative(fee, "fee")
    if isGrossedUp { return try grossedUp(fee, rule) - fee }
    let more = try checked { () throws(ArithmeticOverflow) in try fee.adding(1) }
    // What is left never falls as the fee rises, and rises by at most one: the one below the next leaves just this.
    return try grossedUp(more, rule) - 1 - fee
  }

  /// The tax that is kept back of a fee before it is paid.
  /// - Throws: `RepaymentRefusal` for a negative fee.
  package static func withheld(ofOwed fee: Int64, by rule: FeeTaxRule) throws(RepaymentRefusal) -> Int64 {
    try tax(rule, on: nonNegative(fee, "fee"))
  }

  private static func tax(_ rule: FeeTaxRule, on amount: Int64) throws(RepaymentRefusal) -> Int64 {
    try checked { () throws(ArithmeticOverflow) in
      try (Int128(amount) * Int128(rule.rate.value)).divided(by: 10_000, rounding: rule.rounding).asInt64()
    }
  }

  /// The least gross of which the net, by the tax's own rounding, is not below the fee. The net never falls as the gross
  /// rises (a rate is at most 100 %), so the neighbours of the exact quotient are enough to look at.
  private static func grossedUp(_ fee: Int64, _ rule: FeeTaxRule) throws(RepaymentRefusal) -> Int64 {
    guard rule.rate < .whole else { throw .shareOutOfRange(what: "tax rate to be grossed up", rule.rate) }
    var gross = try checked { () throws(ArithmeticOverflow) in
      let kept = Int128(10_000 - rule.rate.value)
      // Rounding the tax moves the net by less than one unit, and one unit of net is at most 10,000 of gross.
      return try (Int128(fee) * 10_000).divided(by: kept, rounding: .down).asInt64()
    }
    while gross > fee, try gross - 1 - tax(rule, on: gross - 1) >= fee { gross -= 1 }
    while try gross - tax(rule, on: gross) < fee {
      let before = gross
      gross = try checked { () throws(ArithmeticOverflow) in try before.adding(1) }
    }
    return gross
  }
}
