import Primitives

/// What pays a loan off on a day, in minor units of its currency.
package struct PayoffQuote: Sendable, Hashable {
  package let on: CalendarDate
  package let principal: Int64
  /// Posted and unpaid, and accrued from the last posting to the day; the day itself does not count.
  package let fee: Int64
  /// Beside the tax.
  package let charges: Int64
  /// Sales tax on the fee, likewise.
  package let tax: Int64
  package let total: Int64
  /// What a day more costs, rounded half to even. A quote for another day is asked for, not extrapolated from this: the
  /// rounding of each day depends on the days before.
  package let perDiem: Int64

  /// - Parameters:
  ///   - owed: what is posted and unpaid now, and the tax on the fee that accrued since.
  ///   - accrual: the state of the loan's fee; the quote leaves it as it is.
  /// - Throws: `RepaymentRefusal` for a day before the last posting, negative amounts, and sums past Int64.
  package init(
    on date: CalendarDate, owed: StepAmounts, rate: BasisPoints, accrual: FeeAccrual
  ) throws(RepaymentRefusal) {
    let accrued = try accrual.accrue(principal: owed.principal, rate: rate, through: date).amount
    var due = owed
    due.fee = try checked { () throws(ArithmeticOverflow) in try owed.fee.adding(accrued) }
    // Checks the posted parts too: a negative fee cannot hide behind what accrued since.
    _ = try owed.total()
    self.on = date
    self.principal = due.principal
    self.fee = due.fee
    self.charges = due.charges
    self.tax = due.tax
    self.total = try due.total()
    self.perDiem = try accrual.perDiem(principal: owed.principal, rate: rate)
  }
}
