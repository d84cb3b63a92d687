import Primitives

/// The shape of a loan's repayment. Raw values are the words of contracts and case files.
package enum ScheduleKind: String, Sendable, Hashable, CaseIterable {
  /// The same payment every period, interest and principal together.
  case annuity
  /// Interest alone for some periods, then an annuity over the rest.
  case interestOnlyAnnuity = "io_annuity"
  /// The same principal every period, and interest on what is left.
  case straightLine = "straight_line"
  /// Interest every period, all principal with the last.
  case interestOnlyBullet = "interest_only_bullet"
  /// One payment at the end: all principal, and simple interest over all periods.
  case bulletAtMaturity = "bullet_at_maturity"
}

/// How the interest of one period is measured.
package enum ScheduleInterest: Sendable, Hashable {
  /// A twelfth of the annual rate, however long the month.
  case period
  /// The annual rate times the part of a year between two dates.
  case dayCount(DayCountConvention)
}

/// What a schedule is computed from.
package struct ScheduleTerms: Sendable, Hashable {
  package let kind: ScheduleKind
  package let interest: ScheduleInterest
  package let currency: Currency
  /// Whole minor units, at least 0.
  package let principal: DecimalNumeral
  /// A fraction of one.
  package let annualRate: ExactRational
  /// Months, at least 1.
  package let periods: Int
  /// Fewer than `periods`; 0 unless the kind has an interest-only part.
  package let interestOnlyPeriods: Int
  package let start: CalendarDate

  /// - Throws: `InterestRefusal` with the member at fault as its pointer.
  package init(
    kind: ScheduleKind, interest: ScheduleInterest, currency: Currency, principal: DecimalNumeral,
    annualRate: DecimalNumeral, periods: Int, interestOnlyPeriods: Int = 0, start: CalendarDate
  ) throws(InterestRefusal) {
    guard (1...RepaymentSchedule.maxPeriods).contains(periods) else { throw .periodsOutOfRange }
    let mostInterestOnly = kind == .interestOnlyAnnuity ? periods - 1 : 0
    guard (0...mostInterestOnly).contains(interestOnlyPeriods) else { throw .interestOnlyPeriodsOutOfRange }
    guard start.adding(months: periods) != nil else { throw .beyondCalendar }
    self.kind = kind
    self.interest = interest
    self.currency = currency
    self.principal = try InterestBounds.amount(principal, "principal", in: currency)
    self.annualRate = try InterestBounds.rate(annualRate, "annual_rate")
    self.periods = periods
    self.interestOnlyPeriods = interestOnlyPeriods
    self.start = start
  }

  /// The end of period `k`, from 1: months are counted from the start, so a clamped day does not stay clamped.
  func date(_ k: Int) throws(InterestRefusal) -> CalendarDate {
    guard let date = start.adding(months: k) else { throw .beyondCalendar }
    return date
  }

  /// The rate of period `k`.
  func periodRate(_ k: Int) throws(InterestRefusal) -> ExactRational {
    switch interest {
    case .period: return monthlyRate
    case .dayCount(let convention):
      return annualRate * (try convention.fraction(from: try date(k - 1), to: try date(k)).rational)
    }
  }

  /// A twelfth of the annual rate: also what a level payment is reckoned with when interest goes by days.
  var monthlyRate: ExactRational {
    // Twelve is not zero.
    (try? annualRate.divided(by: ExactRational(12))) ?? annualRate
  }
}
