import Primitives

/// Why a computation of interest is refused. Ordered by precedence.
package enum InterestRefusal: Refusal, Hashable {
  case periodReversed(start: CalendarDate, end: CalendarDate)
  /// `what` names the amount for a person and for the pointer.
  case negativeAmount(what: String)
  /// More decimal places than the currency has.
  case finerThanMinorUnit(what: String, Currency)
  /// At least 10^24, or with more than 24 places.
  case amountOutOfRange(what: String)
  /// At most -100 %, above 10,000 %, or with more than 24 places; `what` as above.
  case rateOutOfRange(what: String)
  case emptyHistory
  /// The step at `index` is not after the one before it.
  case unsortedHistory(index: Int)
  case lateHistory(first: CalendarDate, needed: CalendarDate)
  /// 30/360 has no calendar days to compound over.
  case noDailyBase(DayCountConvention)
  case periodsOutOfRange
  case interestOnlyPeriodsOutOfRange
  case beyondCalendar
  case eventsUnsorted(index: Int)
  case eventOutsideTerm(index: Int)
  case noBusinessDay
  case overflow

  package var kind: RefusalKind { .invalid }

  package var code: String {
    switch self {
    case .periodReversed: "interest.period_reversed"
    case .negativeAmount: "interest.negative_amount"
    case .finerThanMinorUnit: "interest.finer_than_minor_unit"
    case .amountOutOfRange: "interest.amount_out_of_range"
    case .rateOutOfRange: "interest.rate_out_of_range"
    case .emptyHistory: "interest.empty_history"
    case .unsortedHistory: "interest.unsorted_history"
    case .lateHistory: "interest.late_history"
    case .noDailyBase: "interest.no_daily_base"
    case .periodsOutOfRange: "interest.periods_out_of_range"
    case .interestOnlyPeriodsOutOfRange: "interest.interest_only_periods_out_of_range"
    case .beyondCalendar: "interest.beyond_calendar"
    case .eventsUnsorted: "interest.events_unsorted"
    case .eventOutsideTerm: "interest.event_outside_term"
    case .noBusinessDay: "interest.no_business_day"
    case .overflow: "interest.overflow"
    }
  }

  package var detail: String {
    switch self {
    case .periodReversed(let start, let end): "The period ends on \(end), before its start on \(start)."
    case .negativeAmount: "The amount is below zero."
    case .finerThanMinorUnit(_, let currency):
      "The amount has more than the \(currency.minorUnitDigits) decimal places of \(currency)."
    case .amountOutOfRange: "The amount is past 10^24 or has more than 24 decimal places."
    case .rateOutOfRange:
      "A rate is a fraction of one above -1 and at most 100 (10,000 % a year), with at most 24 decimal places."
    case .emptyHistory: "The history is empty."
    case .unsortedHistory: "The date is not after the one before it."
    case .lateHistory(let first, let needed): "The history starts on \(first), after \(needed), when it is needed."
    case .noDailyBase(let convention):
      "\(convention.rawValue) does not count calendar days: nothing compounds daily by it."
    case .periodsOutOfRange: "A schedule has from 1 to \(RepaymentSchedule.maxPeriods) periods."
    case .interestOnlyPeriodsOutOfRange:
      "Interest-only periods are fewer than all periods, and none where the kind has no such part."
    case .beyondCalendar: "A date lies past the end of the calendar, 9999-12-31."
    case .eventsUnsorted: "The event is dated before the one ahead of it."
    case .eventOutsideTerm: "The event is dated before the start or after the payoff date."
    case .noBusinessDay: "There is no business day to move to."
    case .overflow: "The amounts are too large to compute."
    }
  }

  package var pointer: String? {
    switch self {
    case .periodReversed: "/end"
    case .negativeAmount(let what), .finerThanMinorUnit(let what, _), .amountOutOfRange(let what),
      .rateOutOfRange(let what):
      "/\(what)"
    case .emptyHistory, .lateHistory: "/rate_history"
    case .unsortedHistory(let index): "/rate_history/\(index)"
    case .noDailyBase: "/convention"
    case .periodsOutOfRange: "/periods"
    case .interestOnlyPeriodsOutOfRange: "/interest_only_periods"
    case .eventsUnsorted(let index), .eventOutsideTerm(let index): "/events/\(index)/date"
    case .beyondCalendar, .noBusinessDay, .overflow: nil
    }
  }
}
