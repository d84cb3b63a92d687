import Interest
import Lending
import Primitives

/// Which days payouts are made on.
package enum PayoutDays {
  /// Whether payouts in a currency wait for the next business day. They are held, not refused: a run pays all currencies,
  /// and a holiday of one is no fault of the run. Nor are they dated ahead: nothing is posted to a day that has not begun.
  /// - Throws: `CalendarRefusal.notPublished` where the currency has a calendar that does not tell of the day; without any
  ///   calendar every day will do.
  package static func isHeld(
    _ currency: Currency, on date: CalendarDate, _ calendars: BusinessCalendars
  ) throws(CalendarRefusal) -> Bool {
    switch calendars.day(date, of: currency) {
    case .business, .noCalendar: false
    case .closed: true
    case .unpublished(let code): throw .notPublished(code, date)
    }
  }
}

package enum BusinessDays {
  /// By what a date was moved.
  package enum Basis: String, Sendable, Hashable {
    case calendar
    /// No calendar tells of the day: weekends alone were looked at.
    case weekends
  }

  /// The day on which what falls on a date is settled: that day, or the next on which money of the currency moves.
  package static func settlementDay(
    _ date: CalendarDate, of currency: Currency, _ calendars: BusinessCalendars
  ) -> (date: CalendarDate, basis: Basis) {
    if let found = try? calendars.adjusted(date, of: currency, by: .following) { return (found, .calendar) }
    let next = date.weekday < 6 ? date : date.adding(days: Int64(8 - date.weekday)) ?? date
    return (next, .weekends)
  }

  /// Where the end of a notice goes that is no business day, for a loan whose terms move dates: on to the next one, by
  /// whatever convention, since a notice may not be shortened. Nil for a loan of calendar days.
  static func endOfNotice(
    _ days: Int64, from date: CalendarDate, of loan: Loan, _ calendars: BusinessCalendars
  ) throws -> CalendarDate? {
    guard loan.terms.businessDay != .unadjusted, let end = date.adding(days: days) else { return nil }
    return try calendars.adjusted(end, of: loan.currency, by: .following)
  }
}
