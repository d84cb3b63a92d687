import Primitives

/// Where a date goes that is no business day (ISDA 2006 Definitions 4.12). Raw values are the words of contracts.
package enum BusinessDayConvention: String, Sendable, Hashable, CaseIterable {
  case unadjusted
  /// The next business day.
  case following
  /// The next business day, unless it lies in another month: then the one before.
  case modifiedFollowing = "modified_following"
  /// The business day before.
  case preceding
  /// The business day before, unless it lies in another month: then the next.
  case modifiedPreceding = "modified_preceding"
}

/// The days on which nothing is paid: days of the week, and dates. A calendar is data; which dates are holidays is for
/// its publisher to say.
package struct HolidayCalendar: Sendable, Hashable {
  /// ISO 8601 numbers, 1 is Monday; at most six of them.
  package let weekend: Set<Int>
  package let holidays: Set<CalendarDate>

  /// Saturday and Sunday.
  package static let commonWeekend: Set<Int> = [6, 7]

  /// Nil when the weekend has a number outside 1...7, or takes up the whole week.
  package init?(weekend: Set<Int> = Self.commonWeekend, holidays: some Sequence<CalendarDate> = []) {
    guard weekend.count < 7, weekend.allSatisfy({ (1...7).contains($0) }) else { return nil }
    self.weekend = weekend
    self.holidays = Set(holidays)
  }

  /// The days on which two places both pay: neither's weekend and neither's holiday. Nil when no weekday is left.
  package func joined(with other: HolidayCalendar) -> HolidayCalendar? {
    HolidayCalendar(weekend: weekend.union(other.weekend), holidays: holidays.union(other.holidays))
  }

  package func isBusinessDay(_ date: CalendarDate) -> Bool {
    !weekend.contains(date.weekday) && !holidays.contains(date)
  }

  /// The date moved by the convention; a business day stays where it is.
  /// - Throws: `InterestRefusal.noBusinessDay` when there is none before the calendar's end, or, for a modified
  ///   convention, none in the month.
  package func adjusted(
    _ date: CalendarDate, by convention: BusinessDayConvention
  ) throws(InterestRefusal) -> CalendarDate {
    switch convention {
    case .unadjusted: return date
    case .following: return try nearest(date, step: 1)
    case .preceding: return try nearest(date, step: -1)
    case .modifiedFollowing: return try nearest(date, step: 1, within: date)
    case .modifiedPreceding: return try nearest(date, step: -1, within: date)
    }
  }

  /// Turns round at the end of the month of `month`.
  private func nearest(
    _ date: CalendarDate, step: Int64, within month: CalendarDate
  ) throws(InterestRefusal) -> CalendarDate {
    func isInMonth(_ candidate: CalendarDate) -> Bool {
      let (left, right) = (candidate.components, month.components)
      return left.year == right.year && left.month == right.month
    }
    if let found = try? nearest(date, step: step), isInMonth(found) { return found }
    let found = try nearest(date, step: -step)
    guard isInMonth(found) else { throw .noBusinessDay }
    return found
  }

  private func nearest(_ date: CalendarDate, step: Int64) throws(InterestRefusal) -> CalendarDate {
    var candidate = date
    while !isBusinessDay(candidate) {
      guard let next = candidate.adding(days: step) else { throw .noBusinessDay }
      candidate = next
    }
    return candidate
  }
}
