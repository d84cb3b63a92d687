import Lending
import Primitives
import Repayment

/// The fee of a loan over days of different rates, by the accrual engine: what is posted, quoted and restated.
package enum LoanFee {
  /// Where a loan's fee stands.
  package static func state(of loan: Loan, through date: CalendarDate) throws -> FeeAccrual {
    try FeeAccrual(
      dayCount: loan.terms.dayCount, accruedThrough: date, accruedTotal: loan.feeAccruedTotal,
      residue: loan.accrualResidue)
  }

  /// Accrues on the outstanding principal as it is, period by period of the agreed rates.
  /// - Returns: the fee of those days, and the state after them.
  package static func accrued(
    on loan: Loan, from state: FeeAccrual, through date: CalendarDate
  ) throws -> (amount: Int64, state: FeeAccrual) {
    try accrue(state, through: date, by: loan) { _, end in [(end, loan.outstanding.principal)] }
  }

  /// - Parameter principals: the principal from the start of a period on, as (first day that is no longer of it, amount).
  private static func accrue(
    _ start: FeeAccrual, through date: CalendarDate, by loan: Loan,
    principals: (CalendarDate, CalendarDate) -> [(to: CalendarDate, principal: Int64)]
  ) throws -> (amount: Int64, state: FeeAccrual) {
    var (amount, state) = (Int64(0), start)
    for period in loan.ratePeriods(from: start.accruedThrough, to: date) {
      for (to, principal) in principals(period.from, period.to) {
        let step = try state.accrue(principal: principal, rate: period.rate, through: to)
        amount = try amount.adding(step.amount)
        state = step.state
      }
    }
    return (amount, state)
  }

  /// What a backdated rate changes: the fee of the days from it to the last posting, as it was and as it is to be, on the
  /// principal that the borrower's book had on each of those days.
  /// - Parameters:
  ///   - before, after: the loan at its old and its new rates, the fee posted for all days before today.
  ///   - moves: changes of principal by business date; one takes part in the fee from its own day on.
  /// - Returns: the two amounts, and the residue that the loan carries on with. Nil when no posted day is concerned.
  package static func restatement(
    from date: CalendarDate, before: Loan, after: Loan, moves: [CalendarDate: Int64]
  ) throws -> (reversed: Int64, restated: Int64, residue: Int64)? {
    guard let through = before.accruedThrough, date < through else { return nil }
    let old = try replayed(before, from: date, through: through, moves)
    let new = try replayed(after, from: date, through: through, moves)
    // All of it exactly, over the year of the day count, and rounded once: as if the rate had been this from the start.
    let year = year(of: before)
    let posted = try Int128(before.feeAccruedTotal).subtracting(Int128(old.amount)).adding(Int128(new.amount))
    let carried = Int128(before.accrualResidue) - Int128(old.state.residue) + Int128(new.state.residue)
    let exact = max(0, try posted.multiplied(by: year).adding(carried))
    let total = try exact.divided(by: year, rounding: .halfEven)
    let restated = try total.subtracting(Int128(before.feeAccruedTotal)).adding(Int128(old.amount)).asInt64()
    return (old.amount, restated, try (exact - total * year).asInt64())
  }

  /// How much a backdated rate changes the fee that was posted for all days before some days, which lie between its own and
  /// the last posting: each as if it had been posted up to that very day, at the one rate and at the other.
  static func changes(
    at days: [CalendarDate], from date: CalendarDate, before: Loan, after: Loan, moves: [CalendarDate: Int64]
  ) throws -> [Int64] {
    guard let through = before.accruedThrough else { return [] }
    let year = year(of: before)
    func exact(_ loan: Loan, from start: CalendarDate) throws -> Int128 {
      let (amount, state) = try replayed(loan, from: start, through: through, moves)
      return Int128(amount) * year + Int128(state.residue)
    }
    let posted = Int128(before.feeAccruedTotal) * year + Int128(before.accrualResidue)
    let restated = try max(0, posted - exact(before, from: date) + exact(after, from: date))
    return try days.map { day in
      let was = try (posted - exact(before, from: day)).divided(by: year, rounding: .halfEven)
      let becomes = try max(0, restated - exact(after, from: day)).divided(by: year, rounding: .halfEven)
      return try (becomes - was).asInt64()
    }
  }

  /// Basis points times days of the year.
  private static func year(of loan: Loan) -> Int128 { 10_000 * (loan.terms.dayCount == .act360 ? 360 : 365) }

  /// The fee of past days at the loan's rates, on the principal that the borrower's book had on each of them.
  private static func replayed(
    _ loan: Loan, from date: CalendarDate, through: CalendarDate, _ moves: [CalendarDate: Int64]
  ) throws -> (amount: Int64, state: FeeAccrual) {
    let history = moves.sorted { $0.key < $1.key }
    let fresh = try FeeAccrual(dayCount: loan.terms.dayCount, accruedThrough: date)
    return try accrue(fresh, through: through, by: loan) { from, to in
      var steps: [(to: CalendarDate, principal: Int64)] = []
      // The book never owed less than nothing, and its sums fit: it is the journal's own.
      var principal = history.prefix { $0.key <= from }.reduce(Int64(0)) { $0 &+ $1.value }
      for (day, change) in history where day > from && day < to {
        steps.append((day, max(0, principal)))
        principal &+= change
      }
      return steps + [(to, max(0, principal))]
    }
  }

  /// What pays the loan off on a day.
  /// - Parameter taxes: the rules as they are known, for a loan whose fee bears sales tax.
  /// - Throws: `lending.illegal_state` for a loan that owes nothing any more, or not yet; `repayment.no_tax_rule`.
  package static func payoff(
    of loan: Loan, on date: CalendarDate, taxes: FeeTaxTable = .empty
  ) throws -> PayoffQuote {
    guard let through = loan.accruedThrough, loan.isRunning else {
      throw LendingRefusal.illegalState(object: "loan", state: loan.state.rawValue, act: "quote a payoff")
    }
    var state = try state(of: loan, through: through)
    var owed = loan.outstanding.steps
    if let penalty = try Penalties.charge(on: loan, through: date) {
      owed.charges = try owed.charges.adding(penalty.amount)
    }
    // In default the fee stands still; its days are posted when the default is cured.
    if loan.life.default != nil {
      return try PayoffQuote(on: max(date, through), owed: owed, rate: BasisPoints(0), accrual: state)
    }
    for step in loan.bearsTax ? try LoanTaxes.accrued(on: loan, from: state, through: date, taxes) : [] {
      owed.tax = try owed.tax.adding(step.amount)
    }
    let last = loan.ratePeriods(from: through, to: date).last
    if let last, last.from > through {
      let (amount, after) = try accrued(on: loan, from: state, through: last.from)
      owed.fee = try owed.fee.adding(amount)
      state = after
    }
    return try PayoffQuote(on: date, owed: owed, rate: last?.rate ?? loan.rate(on: date), accrual: state)
  }

  /// The fee of one calendar month, or the part of it that the loan runs.
  package struct Month: Sendable, Hashable {
    package let from: CalendarDate
    /// The first day that is no longer of it.
    package let to: CalendarDate
    package let fee: Int64
    /// Sales tax on it; nil where there is none, or no rule is known for its days.
    package let tax: Int64?
  }

  /// What is still to come if nothing is paid before maturity: the fee by calendar month on today's principal, from the
  /// last posting on. Empty for a loan that has matured, or whose fee stands still.
  /// - Parameter taxes: as for `payoff(of:on:taxes:)`; what is to come is taxed by the rules that are known now.
  package static func months(of loan: Loan, taxes: FeeTaxTable = .empty) throws -> [Month] {
    guard loan.isRunning, loan.life.default == nil, var from = loan.accruedThrough else { return [] }
    var state = try state(of: loan, through: from)
    // Tax so far; nil once some day to come has no rule.
    var taxed = loan.bearsTax ? try LoanTaxes.state(of: loan).total : nil
    var months: [Month] = []
    while from < loan.maturesOn {
      let (year, month, _) = from.components
      let next = CalendarDate(year: year, month: month, day: 1)?.adding(months: 1) ?? loan.maturesOn
      let to = min(next, loan.maturesOn)
      let (fee, after) = try accrued(on: loan, from: state, through: to)
      let before = taxed
      taxed = try taxed.flatMap { _ in try taxTotal(of: loan, through: to, taxes) }
      months.append(Month(from: from, to: to, fee: fee, tax: taxed.flatMap { total in before.map { total - $0 } }))
      (state, from) = (after, to)
    }
    return months
  }

  /// All tax up to a day to come; nil where one of its days has no rule.
  private static func taxTotal(of loan: Loan, through date: CalendarDate, _ taxes: FeeTaxTable) throws -> Int64? {
    guard let from = loan.accruedThrough else { return nil }
    do {
      let steps = try LoanTaxes.accrued(on: loan, from: state(of: loan, through: from), through: date, taxes)
      return steps.last?.after.total ?? loan.life.tax.total
    } catch RepaymentRefusal.noTaxRule {
      return nil
    }
  }
}
