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
    let history = moves.sorted { $0.key < $1.key }
    func principals(_ from: CalendarDate, _ to: CalendarDate) -> [(to: CalendarDate, principal: Int64)] {
      var steps: [(to: CalendarDate, principal: Int64)] = []
      // The book never owed less than nothing, and its sums fit: it is the journal's own.
      var principal = history.prefix { $0.key <= from }.reduce(Int64(0)) { $0 &+ $1.value }
      for (day, change) in history where day > from && day < to {
        steps.append((day, max(0, principal)))
        principal &+= change
      }
      return steps + [(to, max(0, principal))]
    }
    let fresh = try FeeAccrual(dayCount: before.terms.dayCount, accruedThrough: date)
    let old = try accrue(fresh, through: through, by: before, principals: principals)
    let new = try accrue(fresh, through: through, by: after, principals: principals)
    // All of it exactly, over the year of the day count, and rounded once: as if the rate had been this from the start.
    let year = Int128(10_000) * (before.terms.dayCount == .act360 ? 360 : 365)
    let posted = try Int128(before.feeAccruedTotal).subtracting(Int128(old.amount)).adding(Int128(new.amount))
    let carried = Int128(before.accrualResidue) - Int128(old.state.residue) + Int128(new.state.residue)
    let exact = max(0, try posted.multiplied(by: year).adding(carried))
    let total = try exact.divided(by: year, rounding: .halfEven)
    let restated = try total.subtracting(Int128(before.feeAccruedTotal)).adding(Int128(old.amount)).asInt64()
    return (old.amount, restated, try (exact - total * year).asInt64())
  }

  /// What pays the loan off on a day.
  /// - Throws: `lending.illegal_state` for a loan that owes nothing any more, or not yet.
  package static func payoff(of loan: Loan, on date: CalendarDate) throws -> PayoffQuote {
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
  }

  /// What is still to come if nothing is paid before maturity: the fee by calendar month on today's principal, from the
  /// last posting on. Empty for a loan that has matured, or whose fee stands still.
  package static func months(of loan: Loan) throws -> [Month] {
    guard loan.isRunning, loan.life.default == nil, var from = loan.accruedThrough else { return [] }
    var state = try state(of: loan, through: from)
    var months: [Month] = []
    while from < loan.maturesOn {
      let (year, month, _) = from.components
      let next = CalendarDate(year: year, month: month, day: 1)?.adding(months: 1) ?? loan.maturesOn
      let to = min(next, loan.maturesOn)
      let (fee, after) = try accrued(on: loan, from: state, through: to)
      months.append(Month(from: from, to: to, fee: fee))
      (state, from) = (after, to)
    }
    return months
  }
}
