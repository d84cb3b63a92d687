import Ledger
import Lending
import Parties
import Persistence
import Primitives
import Repayment

/// The sales tax of a loan's fee, by the tax engine: what is posted, quoted and restated.
package enum LoanTaxes {
  /// Fee of days of one rule, and the tax on it.
  package struct Step: Sendable, Hashable {
    package let from: CalendarDate
    /// The first day that is no longer of it.
    package let to: CalendarDate
    /// nil where the supply is exempt.
    package let rule: FeeTaxRule?
    package let fee: Int64
    package let amount: Int64
    package let before: FeeTaxAccrual
    package let after: FeeTaxAccrual
  }

  /// Where a loan's tax stands.
  static func state(of loan: Loan) throws -> FeeTaxAccrual {
    try FeeTaxAccrual(total: loan.life.tax.total, residue: loan.life.tax.residue)
  }

  /// The tax of the fee that accrues from where it stands to a date, split where the rule changes.
  /// - Returns: none for a loan whose fee bears no tax lines.
  /// - Throws: `repayment.no_tax_rule` for a day without a rule: no tax is a rule of 0 %, never a gap.
  static func accrued(
    on loan: Loan, from start: FeeAccrual, through date: CalendarDate, _ table: FeeTaxTable
  ) throws -> [Step] {
    guard let sales = loan.terms.tax?.sales else { return [] }
    var (fees, state) = (start, try state(of: loan))
    var steps: [Step] = []
    for period in try periods(sales, from: start.accruedThrough, to: date, table) {
      let (fee, after) = try LoanFee.accrued(on: loan, from: fees, through: period.to)
      fees = after
      // What came to no minor unit of fee has no tax of its own.
      guard fee != 0 else { continue }
      let (amount, next) = try period.rule.map { try state.adding(fee: fee, by: $0) } ?? (0, state)
      steps.append(
        Step(from: period.from, to: period.to, rule: period.rule, fee: fee, amount: amount, before: state, after: next))
      state = next
    }
    return steps
  }

  private static func periods(
    _ sales: TaxTerms.Sales, from start: CalendarDate, to end: CalendarDate, _ table: FeeTaxTable
  ) throws -> [(from: CalendarDate, to: CalendarDate, rule: FeeTaxRule?)] {
    if sales.treatment == .exempt { return start < end ? [(start, end, nil)] : [] }
    return try table.periods(.sales, of: sales.jurisdiction, from: start, to: end).map { ($0.from, $0.to, $0.rule) }
  }

  /// What a backdated rate changes of the tax: the change of the fee of its days, rule by rule, as the rules are known now.
  /// - Parameters:
  ///   - before, after: the loan at its old and its new rates, the fee posted for all days before today.
  ///   - moves: changes of principal by business date.
  static func restated(
    from date: CalendarDate, before: Loan, after: Loan, moves: [CalendarDate: Int64], _ table: FeeTaxTable
  ) throws -> [Step] {
    guard let sales = before.terms.tax?.sales, let through = before.accruedThrough, date < through else { return [] }
    let periods = try periods(sales, from: date, to: through, table)
    let changes = try LoanFee.changes(at: periods.map(\.to), from: date, before: before, after: after, moves: moves)
    var (state, told) = (try state(of: before), Int64(0))
    var steps: [Step] = []
    for (period, change) in zip(periods, changes) {
      let fee = try change.subtracting(told)
      told = change
      guard fee != 0 else { continue }
      let (amount, next) = try period.rule.map { try state.changing(feeBy: fee, rule: $0) } ?? (0, state)
      steps.append(
        Step(from: period.from, to: period.to, rule: period.rule, fee: fee, amount: amount, before: state, after: next))
      state = next
    }
    return steps
  }
}

extension LoanLife.Tax {
  func after(_ step: LoanTaxes.Step) -> LoanLife.Tax {
    LoanLife.Tax(total: step.after.total, residue: step.after.residue, feePaid: feePaid, feeCertified: feeCertified)
  }
}

extension LoanDesk {
  /// Posts the tax of a fee that was just posted. What the borrower accounts for itself, and what bears none, is noted.
  static func postTax(
    _ steps: [LoanTaxes.Step], on loan: Loan, booked: CalendarDate, in draft: inout Draft
  ) throws -> Loan {
    guard let sales = loan.terms.tax?.sales, let last = steps.last else { return loan }
    var loan = loan
    let now = loan.life.tax.after(last)
    var entry: JournalEntryID?
    if sales.treatment == .standard {
      let amount = try steps.reduce(Int64(0)) { try $0.adding($1.amount) }
      try loan.addTax(amount, now: now)
      if amount != 0 { entry = try postTax(.taxAccrued, loan, amount, taken: .none, on: booked, in: &draft) }
    } else {
      loan.noteTax(now)
    }
    loan = draft.put(\.loans, loan)
    for step in steps { keep(step, of: loan, sales, isRestated: false, entry, on: booked, in: &draft) }
    return loan
  }

  /// Posts what a restatement of the fee changes of the tax, step by step, each in an entry of its own.
  static func restateTax(_ steps: [LoanTaxes.Step], on loan: Loan, in draft: inout Draft) throws -> Loan {
    guard let sales = loan.terms.tax?.sales else { return loan }
    var loan = loan
    for step in steps {
      let now = loan.life.tax.after(step)
      var entry: JournalEntryID?
      if sales.treatment == .standard {
        let taken = try loan.restateTax(step.amount, now: now)
        if step.amount != 0 {
          entry = try postTax(.taxRestated, loan, step.amount, taken: taken, on: draft.today, in: &draft)
        }
      } else {
        loan.noteTax(now)
      }
      keep(step, of: loan, sales, isRestated: true, entry, on: draft.today, in: &draft)
    }
    return draft.put(\.loans, loan)
  }

  private static func keep(
    _ step: LoanTaxes.Step, of loan: Loan, _ sales: TaxTerms.Sales, isRestated: Bool, _ entry: JournalEntryID?,
    on date: CalendarDate, in draft: inout Draft
  ) {
    draft.made.taxLines.append(
      TaxLineRow(
        id: draft.ids.next(), borrowerID: loan.terms.borrowerID, lenderID: loan.terms.lenderID, loanID: loan.id,
        treatment: sales.treatment, jurisdiction: sales.jurisdiction, currency: loan.currency, ruleID: step.rule?.id,
        rate: step.rule?.rate ?? BasisPoints(0), rounding: step.rule?.rounding ?? .halfUp, from: step.from, to: step.to,
        isRestated: isRestated, fee: step.fee, amount: step.amount, residueBefore: step.before.residue,
        residueAfter: step.after.residue, entryID: step.amount == 0 ? nil : entry, bookedOn: date,
        recordedAt: draft.now))
  }

  /// - Parameters:
  ///   - amount: not 0; below it where tax is given back.
  ///   - taken: what was taken off the claim then.
  private static func postTax(
    _ kind: EntryKind, _ loan: Loan, _ amount: Int64, taken: Debt, on date: CalendarDate, in draft: inout Draft
  ) throws -> JournalEntryID {
    let (lender, borrower) = (lender(loan), borrower(loan))
    let owed = amount > 0 ? Debt(charges: amount, fee: 0, principal: 0, tax: amount) : taken
    let sign: Int64 = amount > 0 ? 1 : -1
    return try post(
      kind, of: loan, on: date,
      [
        lender.organization: lender.claim(owed, sign) + [lender.money(.taxOutput, -amount)],
        borrower.organization: borrower.debt(owed, sign) + [borrower.money(.taxInput, amount)],
      ], in: &draft)
  }
}

extension LoanDesk.Book {
  /// Lines of a lender's claim that rises (1) or falls (-1) by a debt.
  func claim(_ debt: Debt, _ sign: Int64) -> [JournalLine] {
    [
      money(.receivableCharges, sign * debt.otherCharges), money(.receivableTax, sign * debt.tax),
      money(.receivableFee, sign * debt.fee), money(.receivablePrincipal, sign * debt.principal),
    ]
  }

  /// Lines of a borrower's debt that rises (1) or falls (-1) by as much.
  func debt(_ debt: Debt, _ sign: Int64) -> [JournalLine] {
    [
      money(.payableCharges, -sign * debt.otherCharges), money(.payableTax, -sign * debt.tax),
      money(.payableFee, -sign * debt.fee), money(.payablePrincipal, -sign * debt.principal),
    ]
  }
}
