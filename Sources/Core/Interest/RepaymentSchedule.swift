import Primitives

/// A loan's payments, each rounded half to even to minor units, on balances that are whole minor units already.
package struct RepaymentSchedule: Sendable, Hashable {
  /// One payment.
  package struct Row: Sendable, Hashable {
    /// The period that ends with it, from 1.
    package let k: Int
    /// The end of the period, whatever day that is: interest runs to it.
    package let date: CalendarDate
    /// The business day on which it is paid; `date` itself where no calendar is given.
    package let paidOn: CalendarDate
    package let interest: DecimalNumeral
    package let principal: DecimalNumeral
    /// What is owed after it.
    package let balance: DecimalNumeral

    package var payment: DecimalNumeral { interest + principal }
  }

  /// A hundred years of months. The powers of a level payment grow with the number of periods.
  package static let maxPeriods = 1_200

  /// Of an annuity, with or without an interest-only part: `P i / (1 - (1 + i)^-m)`, or `P / m` at a rate of 0.
  package let levelPayment: DecimalNumeral?
  package let rows: [Row]

  package var totalInterest: DecimalNumeral { rows.reduce(.zero) { $0 + $1.interest } }

  /// Dates of payment are moved by the convention; interest still runs to the period's own end, as unadjusted periods
  /// do.
  /// - Throws: `InterestRefusal` for dates past the calendar or a calendar without business days.
  package init(
    _ terms: ScheduleTerms, paidBy convention: BusinessDayConvention = .unadjusted, calendar: HolidayCalendar? = nil
  ) throws(InterestRefusal) {
    var builder = ScheduleBuilder(terms: terms, convention: convention, calendar: calendar)
    levelPayment = try builder.levelPayment()
    if terms.kind == .bulletAtMaturity {
      try builder.appendBullet()
    } else {
      for k in 1...terms.periods { try builder.append(k, levelPayment: levelPayment) }
    }
    rows = builder.rows
  }
}

/// Rows as they are added.
private struct ScheduleBuilder {
  let terms: ScheduleTerms
  let convention: BusinessDayConvention
  let calendar: HolidayCalendar?
  var rows: [RepaymentSchedule.Row] = []
  private var balance: DecimalNumeral

  init(terms: ScheduleTerms, convention: BusinessDayConvention, calendar: HolidayCalendar?) {
    self.terms = terms
    self.convention = convention
    self.calendar = calendar
    // In the places of the currency from the start, as every row shows it.
    balance = terms.principal.rational.rounded(places: terms.currency.minorUnitDigits, rounding: .halfEven)
  }

  private func rounded(_ amount: ExactRational) -> DecimalNumeral {
    amount.rounded(places: terms.currency.minorUnitDigits, rounding: .halfEven)
  }

  func levelPayment() throws(InterestRefusal) -> DecimalNumeral? {
    guard terms.kind == .annuity || terms.kind == .interestOnlyAnnuity else { return nil }
    let (principal, rate) = (terms.principal.rational, terms.monthlyRate)
    let count = terms.periods - terms.interestOnlyPeriods
    do throws(ArithmeticOverflow) {
      if rate.isZero { return rounded(try principal.divided(by: ExactRational(count))) }
      // P i (1 + i)^m / ((1 + i)^m - 1), which is the same without a negative power. With 1 + i = a / b the power
      // cancels to a^m / (a^m - b^m), and no long fraction needs reducing before the one division.
      let factor = .one + rate
      let (grown, base) = (factor.numerator.power(count), factor.denominator.power(count))
      let growth = grown - base
      let payment = principal * rate
      let sign: WideInteger = growth.isNegative ? -1 : 1
      let scaled = payment.numerator * grown * sign * .powerOfTen(terms.currency.minorUnitDigits)
      let unscaled = try scaled.divided(by: payment.denominator * growth * sign, rounding: .halfEven)
      return DecimalNumeral(unscaled: unscaled, places: terms.currency.minorUnitDigits)
    } catch { throw .overflow }
  }

  mutating func append(_ k: Int, levelPayment: DecimalNumeral?) throws(InterestRefusal) {
    let interest = rounded(balance.rational * (try terms.periodRate(k)))
    let principal: DecimalNumeral
    if k == terms.periods {
      principal = balance
    } else {
      switch terms.kind {
      case .annuity, .interestOnlyAnnuity:
        principal = k <= terms.interestOnlyPeriods ? .zero : (levelPayment ?? .zero) - interest
      case .straightLine:
        // Periods are at least 1.
        principal = rounded((try? terms.principal.rational.divided(by: ExactRational(terms.periods))) ?? .zero)
      case .interestOnlyBullet, .bulletAtMaturity: principal = .zero
      }
    }
    try append(k, interest: interest, principal: principal)
  }

  /// Simple interest over all periods, summed exactly and rounded once.
  mutating func appendBullet() throws(InterestRefusal) {
    var sum = ExactRational.zero
    for k in 1...terms.periods { sum = sum + (try terms.periodRate(k)) }
    try append(terms.periods, interest: rounded(balance.rational * sum), principal: balance)
  }

  private mutating func append(
    _ k: Int, interest: DecimalNumeral, principal: DecimalNumeral
  ) throws(InterestRefusal) {
    balance = balance - principal
    let date = try terms.date(k)
    rows.append(
      RepaymentSchedule.Row(
        k: k, date: date, paidOn: try calendar?.adjusted(date, by: convention) ?? date, interest: interest,
        principal: principal, balance: balance))
  }
}
