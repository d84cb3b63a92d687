import Interest
import Lending
import Primitives

/// Where dates go that are no business days.
package enum BusinessDays {
  /// By what a date was moved.
  package enum Basis: String, Sendable, Hashable, CaseIterable {
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
