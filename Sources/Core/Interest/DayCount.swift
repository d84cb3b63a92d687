import Primitives

/// A part of a year as an exact fraction in lowest terms.
package struct YearFraction: Sendable, Hashable {
  package let numerator: Int64
  /// Above zero; 1 for a period of no days.
  package let denominator: Int64

  /// Reduces; both come from day counts, so they are small and the divisor is one of 360, 365, 366, 133,590.
  fileprivate init(reducing numerator: Int64, over denominator: Int64) {
    var (a, b) = (numerator, denominator)
    while b != 0 { (a, b) = (b, a % b) }
    self.numerator = numerator / a
    self.denominator = denominator / a
  }

  /// The same value for exact arithmetic.
  package var rational: ExactRational {
    // The denominator is above zero.
    (try? ExactRational(WideInteger(numerator), over: WideInteger(denominator))) ?? .zero
  }

  /// The decimal with at most so many places, rounded half to even, without zeros at its end.
  package func decimal(places: Int) -> String {
    rational.rounded(places: places, rounding: .halfEven).trimmed.description
  }
}

extension DayCountConvention {
  /// Days of a period as the convention counts them: the first day counts, the last does not.
  /// - Throws: `InterestRefusal.periodReversed` when the end is before the start.
  package func days(from start: CalendarDate, to end: CalendarDate) throws(InterestRefusal) -> Int64 {
    guard start <= end else { throw .periodReversed(start: start, end: end) }
    switch self {
    case .act360, .act365F, .actActISDA: return start.days(to: end)
    case .thirty360Bond, .thirty360US, .thirtyE360: return thirtyDayMonths(from: start, to: end)
    }
  }

  /// The period as a part of a year. ACT/ACT ISDA counts its days in leap years over 366, the others over 365.
  /// - Throws: `InterestRefusal.periodReversed` when the end is before the start.
  package func fraction(from start: CalendarDate, to end: CalendarDate) throws(InterestRefusal) -> YearFraction {
    let days = try days(from: start, to: end)
    switch self {
    case .act360, .thirty360Bond, .thirty360US, .thirtyE360: return YearFraction(reducing: days, over: 360)
    case .act365F: return YearFraction(reducing: days, over: 365)
    case .actActISDA:
      let leapDays = Self.leapYearDays(before: end) - Self.leapYearDays(before: start)
      return YearFraction(reducing: leapDays * 365 + (days - leapDays) * 366, over: 365 * 366)
    }
  }

  /// Each month has 30 days; what becomes of a 31st and of the end of February is where the three conventions differ
  /// (ISDA 2006 Definitions 4.16(f) and (g); the end-of-February rule is that of the US bond market). None
  /// of the three is negative for a period in order.
  private func thirtyDayMonths(from start: CalendarDate, to end: CalendarDate) -> Int64 {
    let (first, last) = (start.components, end.components)
    var (firstDay, lastDay) = (first.day, last.day)
    switch self {
    case .thirtyE360:
      firstDay = min(firstDay, 30)
      lastDay = min(lastDay, 30)
    default:
      if self == .thirty360US, Self.endsFebruary(start) {
        if Self.endsFebruary(end) { lastDay = 30 }
        firstDay = 30
      }
      firstDay = min(firstDay, 30)
      if lastDay == 31, firstDay == 30 { lastDay = 30 }
    }
    return Int64((last.year - first.year) * 360 + (last.month - first.month) * 30 + lastDay - firstDay)
  }

  private static func endsFebruary(_ date: CalendarDate) -> Bool {
    let (year, month, day) = date.components
    return month == 2 && day == CalendarDate.daysIn(month: 2, year: year)
  }

  /// Days in leap years since 0001-01-01 and before the date.
  private static func leapYearDays(before date: CalendarDate) -> Int64 {
    let year = date.components.year
    let yearsBefore = Int64(year - 1)
    let leapYears = yearsBefore / 4 - yearsBefore / 100 + yearsBefore / 400
    guard CalendarDate.isLeap(year) else { return leapYears * 366 }
    let daysBefore = CalendarDate.earliest.days(to: date)
    return leapYears * 366 + daysBefore - (yearsBefore * 365 + leapYears)
  }
}
