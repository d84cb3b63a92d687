import Primitives

/// A date of which sometimes only the month or the year is known: `2024-11-18`, `2024-06`, `2024`.
package struct PartialDate: Sendable, Hashable, CustomStringConvertible {
  /// As published.
  package let description: String
  /// The first day it can mean.
  package let earliest: CalendarDate
  /// The last day it can mean.
  package let latest: CalendarDate

  /// Parses the three forms above; anything else is nil.
  package init?(_ text: some StringProtocol) {
    let first: CalendarDate?
    let last: CalendarDate?
    switch text.utf8.count {
    case 10: (first, last) = (CalendarDate(text), CalendarDate(text))
    case 7:
      first = CalendarDate("\(text)-01")
      last = first?.adding(months: 1)?.adding(days: -1)
    case 4: (first, last) = (CalendarDate("\(text)-01-01"), CalendarDate("\(text)-12-31"))
    default: return nil
    }
    guard let first, let last else { return nil }
    (description, earliest, latest) = (String(text), first, last)
  }
}
