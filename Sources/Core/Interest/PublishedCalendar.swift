import Primitives

/// The name of a calendar: `USD`, `TARGET`; 2 to 12 of `A-Z 0-9 -`, a letter first.
package struct CalendarCode: Sendable, Hashable, Comparable, CustomStringConvertible {
  package let value: String

  package init?(_ text: some StringProtocol) {
    let bytes = Array(text.utf8)
    guard (2...12).contains(bytes.count), (0x41...0x5A).contains(bytes[0]),
      bytes.allSatisfy({ (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D })
    else { return nil }
    self.value = String(text)
  }

  package var description: String { value }
  package static func < (left: Self, right: Self) -> Bool { left.value < right.value }
}

/// A day on which nothing is paid, and why.
package struct Holiday: Sendable, Hashable {
  package let on: CalendarDate
  package let name: String

  package init(on: CalendarDate, name: String) {
    self.on = on
    self.name = name
  }
}

/// What a publisher said of its calendar for a span of days: complete for them, and silent about all others.
package struct PublishedCalendar: Sendable, Hashable {
  package let code: CalendarCode
  /// Money of these currencies is settled by it.
  package let currencies: [Currency]
  package let from: CalendarDate
  /// The last day that it tells of.
  package let through: CalendarDate
  /// ISO 8601 numbers, sorted.
  package let weekend: [Int]
  /// By day, no two of one day; weekends need not be named.
  package let holidays: [Holiday]
  /// The act or the page that it was taken from.
  package let source: String

  /// The most holidays of one publication: fifty a year for twenty years.
  package static let mostHolidays = 1_000

  /// - Throws: `CalendarRefusal.spanReversed`, `.outsideSpan` or `.holidayTwice`, `.weekendWhole` for days of the week that
  ///   are none, or all.
  package init(
    code: CalendarCode, currencies: [Currency], from: CalendarDate, through: CalendarDate, weekend: Set<Int>,
    holidays: [Holiday], source: String
  ) throws(CalendarRefusal) {
    guard from <= through else { throw .spanReversed(from, through) }
    guard HolidayCalendar(weekend: weekend) != nil else { throw .weekendWhole }
    let sorted = holidays.sorted { $0.on < $1.on }
    for holiday in sorted where holiday.on < from || holiday.on > through {
      throw .outsideSpan(holiday.on, from: from, through: through)
    }
    for (one, next) in zip(sorted, sorted.dropFirst()) where one.on == next.on { throw .holidayTwice(one.on) }
    self.code = code
    self.currencies = Set(currencies).sorted()
    self.from = from
    self.through = through
    self.weekend = weekend.sorted()
    self.holidays = sorted
    self.source = source
  }

  func covers(_ date: CalendarDate) -> Bool { from <= date && date <= through }
}

/// All calendars that are known, the later publication of a code over the earlier one on the days that both tell of.
package struct BusinessCalendars: Sendable, Hashable {
  /// What a day is to money of a currency.
  package enum Day: Sendable, Hashable {
    case business
    /// Nothing is paid; the name is nil at a weekend.
    case closed(name: String?)
    /// The currency has a calendar, and it does not tell of the day.
    case unpublished(CalendarCode)
    /// Nobody published a calendar for the currency.
    case noCalendar
  }

  /// In the order in which they were adopted.
  package let publications: [PublishedCalendar]
  private let holidays: [[CalendarDate: String]]

  package static let none = BusinessCalendars([])

  package init(_ publications: [PublishedCalendar]) {
    self.publications = publications
    holidays = publications.map { publication in
      Dictionary(publication.holidays.map { ($0.on, $0.name) }, uniquingKeysWith: { first, _ in first })
    }
  }

  /// The calendar by which money of a currency is settled: that of the publication adopted last that names it.
  package func calendar(of currency: Currency) -> CalendarCode? {
    publications.last { $0.currencies.contains(currency) }?.code
  }

  package func day(_ date: CalendarDate, of currency: Currency) -> Day {
    guard let code = calendar(of: currency) else { return .noCalendar }
    guard let index = publications.lastIndex(where: { $0.code == code && $0.covers(date) }) else {
      return .unpublished(code)
    }
    if let name = holidays[index][date] { return .closed(name: name) }
    return publications[index].weekend.contains(date.weekday) ? .closed(name: nil) : .business
  }

  /// A date moved by a convention to a day on which money of the currency is settled.
  /// - Throws: `CalendarRefusal.noCalendar`, or `.notPublished` where the way there leads past what is published.
  package func adjusted(
    _ date: CalendarDate, of currency: Currency, by convention: BusinessDayConvention
  ) throws(CalendarRefusal) -> CalendarDate {
    switch convention {
    case .unadjusted: return date
    case .following: return try nearest(date, of: currency, step: 1)
    case .preceding: return try nearest(date, of: currency, step: -1)
    case .modifiedFollowing, .modifiedPreceding:
      let step: Int64 = convention == .modifiedFollowing ? 1 : -1
      let (month, found) = (date.components.month, try nearest(date, of: currency, step: step))
      return found.components.month == month ? found : try nearest(date, of: currency, step: -step)
    }
  }

  private func nearest(
    _ date: CalendarDate, of currency: Currency, step: Int64
  ) throws(CalendarRefusal) -> CalendarDate {
    var candidate = date
    while true {
      switch day(candidate, of: currency) {
      case .business: return candidate
      case .noCalendar: throw .noCalendar(currency)
      case .unpublished(let code): throw .notPublished(code, candidate)
      case .closed: break
      }
      // A publication ends, so the walk does.
      guard let next = candidate.adding(days: step) else { return candidate }
      candidate = next
    }
  }
}

/// Why a calendar is not taken, or does not answer. Ordered by precedence.
package enum CalendarRefusal: Refusal, Hashable {
  case spanReversed(CalendarDate, CalendarDate)
  /// The weekend takes up the whole week.
  case weekendWhole
  case outsideSpan(CalendarDate, from: CalendarDate, through: CalendarDate)
  case holidayTwice(CalendarDate)
  case noCalendar(Currency)
  /// The calendar does not tell of the day.
  case notPublished(CalendarCode, CalendarDate)

  package var kind: RefusalKind {
    switch self {
    case .spanReversed, .weekendWhole, .outsideSpan, .holidayTwice: .invalid
    case .noCalendar, .notPublished: .conflict
    }
  }

  package var code: String {
    switch self {
    case .spanReversed: "calendar.span_reversed"
    case .weekendWhole: "calendar.weekend_whole"
    case .outsideSpan: "calendar.outside_span"
    case .holidayTwice: "calendar.holiday_twice"
    case .noCalendar: "calendar.none"
    case .notPublished: "calendar.not_published"
    }
  }

  package var detail: String {
    switch self {
    case .spanReversed(let from, let through): "\(through) is before \(from)."
    case .weekendWhole: "Some day of the week is no weekend, and days of the week are 1 to 7."
    case .outsideSpan(let date, let from, let through): "\(date) is not between \(from) and \(through)."
    case .holidayTwice(let date): "\(date) is named twice."
    case .noCalendar(let currency): "No calendar is published for \(currency)."
    case .notPublished(let code, let date): "The calendar \(code) is not published for \(date): record it first."
    }
  }

  package var pointer: String? {
    switch self {
    case .spanReversed: "/through_on"
    case .weekendWhole: "/weekend"
    case .outsideSpan, .holidayTwice: "/holidays"
    case .noCalendar, .notPublished: nil
    }
  }
}
