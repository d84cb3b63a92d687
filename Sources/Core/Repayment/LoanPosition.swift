import Primitives

/// A running loan as far as rounds and payments see it: what is owed, what of it is due, and by which terms that changes.
/// A value to compute with; the loan itself is changed by its own transitions, with the amounts found here.
package struct LoanPosition: Sendable, Hashable {
  /// What of the debt may be collected now.
  package enum Due: Sendable, Hashable {
    case nothing
    /// Minor units, above 0; at most the debt.
    case amount(Int64)
    /// Whatever the debt grows to.
    case all
  }

  package let loanID: LoanID
  package let lenderID: OrganizationID
  package let currency: Currency
  /// 1 is paid first.
  package let rank: Int64
  package let hasAcceded: Bool
  /// For waterfalls that pay a rank in sequence, see `Claim.sequence`.
  package let sequence: Int64
  /// nil: no round makes it due; a change of control does.
  package let covenant: Covenant?
  /// nil: principal may be paid before its time at no premium.
  package let prepayment: PrepaymentTerms?
  /// Another rate from a day on.
  package struct RateChange: Sendable, Hashable {
    package let from: CalendarDate
    /// At least 0.
    package let rate: BasisPoints

    package init(from: CalendarDate, rate: BasisPoints) {
      self.from = from
      self.rate = rate
    }
  }

  /// A year, at least 0.
  package let rate: BasisPoints
  /// Agreed since, by day.
  package let rateChanges: [RateChange]
  /// The sales tax that a fee bears.
  package struct FeeTax: Sendable, Hashable {
    package let table: FeeTaxTable
    package let jurisdiction: CountryCode
    package fileprivate(set) var accrual: FeeTaxAccrual

    package init(table: FeeTaxTable, jurisdiction: CountryCode, accrual: FeeTaxAccrual) {
      self.table = table
      self.jurisdiction = jurisdiction
      self.accrual = accrual
    }
  }

  /// nil: the fee bears none.
  package private(set) var tax: FeeTax?
  package private(set) var accrual: FeeAccrual
  package private(set) var owed: StepAmounts
  package private(set) var due: Due

  package init(
    loanID: LoanID, lenderID: OrganizationID, currency: Currency, rank: Int64, covenant: Covenant?, rate: BasisPoints,
    accrual: FeeAccrual, owed: StepAmounts, due: Due = .nothing, hasAcceded: Bool = true, sequence: Int64 = 0,
    prepayment: PrepaymentTerms? = nil, rateChanges: [RateChange] = [], tax: FeeTax? = nil
  ) {
    self.tax = tax
    self.rateChanges = rateChanges.sorted { $0.from < $1.from }
    self.loanID = loanID
    self.lenderID = lenderID
    self.currency = currency
    self.rank = rank
    self.hasAcceded = hasAcceded
    self.sequence = sequence
    self.covenant = covenant
    self.prepayment = prepayment
    self.rate = rate
    self.accrual = accrual
    self.owed = owed
    self.due = due
  }

  /// What may be collected now, by step.
  package var collectable: StepAmounts {
    switch due {
    case .nothing: .none
    case .amount(let amount): owed.first(amount)
    case .all: owed
    }
  }

  /// Adds the fee up to a day, and the tax on it; a day that is posted already adds nothing.
  /// - Throws: `RepaymentRefusal` past Int64, and for a day whose tax has no rule.
  package mutating func accrue(through date: CalendarDate) throws(RepaymentRefusal) {
    guard date > accrual.accruedThrough else { return }
    guard let tax else { return try accrueFee(through: date) }
    for period in try tax.table.periods(.sales, of: tax.jurisdiction, from: accrual.accruedThrough, to: date) {
      let before = accrual.accruedTotal
      try accrueFee(through: period.to)
      guard let taxed = try self.tax?.accrual.adding(fee: accrual.accruedTotal - before, by: period.rule) else {
        continue
      }
      self.tax?.accrual = taxed.state
      owed = try owed.adding(StepAmounts(charges: 0, fee: 0, principal: 0, tax: taxed.amount))
      _ = try owed.total()
    }
  }

  private mutating func accrueFee(through date: CalendarDate) throws(RepaymentRefusal) {
    var (state, present) = (accrual, rate)
    for change in rateChanges where change.from < date {
      if change.from > state.accruedThrough {
        state = try state.accrue(principal: owed.principal, rate: present, through: change.from).state
      }
      present = change.rate
    }
    state = try state.accrue(principal: owed.principal, rate: present, through: date).state
    // The total never falls, so what is posted is the difference.
    let fee = state.accruedTotal - accrual.accruedTotal
    owed = try owed.adding(StepAmounts(charges: 0, fee: fee, principal: 0))
    _ = try owed.total()
    accrual = state
  }

  /// An amount more is due, at most the debt in all; what is due already stays. The whole debt at once is `.all`.
  /// - Throws: `RepaymentRefusal` for an amount below zero.
  package mutating func becomeDue(_ amount: Int64) throws(RepaymentRefusal) {
    let amount = try nonNegative(amount, "amount due")
    let debt = try owed.total()
    if amount == 0 { return }
    switch due {
    case .all: break
    case .nothing: due = amount >= debt ? .all : .amount(amount)
    // Both are at most the debt.
    case .amount(let before): due = amount >= debt ? .all : .amount(amount < debt - before ? before + amount : debt)
    }
  }

  /// The whole debt is due.
  package mutating func becomeDueInFull() { due = .all }

  /// What the loan claims of money that arrives on a day.
  package func claim(on date: CalendarDate) -> Claim {
    Claim(
      loanID: loanID, lenderID: lenderID, rank: rank, due: collectable, hasAcceded: hasAcceded, sequence: sequence,
      prepayment: prepayment?.rate(on: date) ?? BasisPoints(0))
  }

  /// Takes its part of a receipt: a premium is added to the debt and is due at once, what was discharged is taken off.
  /// - Throws: `RepaymentRefusal` when more is discharged than is owed.
  package mutating func take(_ allocation: Allocation) throws(RepaymentRefusal) {
    let discharged = try allocation.discharged(on: loanID).total()
    let premium = allocation.premium(on: loanID)
    owed = try allocation.left(of: owed, on: loanID)
    if case .amount(let amount) = due {
      let left = try checked { () throws(ArithmeticOverflow) in try amount.adding(premium).subtracting(discharged) }
      due = left > 0 ? .amount(left) : .nothing
    }
    if try owed.total() == 0 { due = .nothing }
  }

  /// What is owed and not due yet, with the rate of a day into another currency.
  /// - Throws: `RepaymentRefusal.noFXRate`.
  func conversion(
    into other: Currency, on date: CalendarDate, _ rates: FXTable
  ) throws(RepaymentRefusal) -> SweepExplanation.Conversion {
    // What is collectable is part of what is owed.
    let due = try collectable.total()
    return SweepExplanation.Conversion(
      open: Money(try owed.total() - due, currency), alreadyDue: due,
      rate: try rates.rate(between: currency, and: other, asOf: date))
  }

  /// As a closing in a currency sees it. The debt is converted up and dues are converted back down, so that the rounding
  /// never makes more due than is owed, nor more than the share of the cash.
  func candidate(
    of kind: FundingRoundKind, in closingCurrency: Currency, on date: CalendarDate, _ rates: FXTable?
  ) throws(RepaymentRefusal) -> SweepCandidate {
    var (converted, dueBefore) = (owed, Int64(0))
    if case .amount(let amount) = due { dueBefore = amount }
    if due == .all { dueBefore = try owed.total() }
    if closingCurrency != currency {
      guard let rates else { throw .currencyDiffers(expected: closingCurrency, found: currency) }
      // One rounding for all that is open: parts converted one by one would each round.
      let amount = try conversion(into: closingCurrency, on: date, rates).inPool()
      (converted, dueBefore) = (StepAmounts(charges: 0, fee: 0, principal: amount.amount), 0)
    }
    return SweepCandidate(
      loanID: loanID, lenderID: lenderID, rank: rank, owed: converted, sweep: covenant?.sweep ?? BasisPoints(0),
      hasAcceded: hasAcceded, alreadyDue: dueBefore,
      isChangeOfControl: covenant?.isChangeOfControl(kind) ?? (kind == .acquisition))
  }
}
