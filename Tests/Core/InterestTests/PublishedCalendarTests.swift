import Interest
import Primitives
import Testing

@Suite("Calendars as they are published")
struct PublishedCalendarTests {
  private func calendar(
    _ code: String = "USD", _ currencies: [Currency] = [.usd], from: String, through: String,
    weekend: Set<Int> = [6, 7],
    _ holidays: [(String, String)] = []
  ) throws -> PublishedCalendar {
    try PublishedCalendar(
      code: try #require(CalendarCode(code)), currencies: currencies, from: try day(from), through: try day(through),
      weekend: weekend, holidays: try holidays.map { Holiday(on: try day($0.0), name: $0.1) }, source: "test")
  }

  @Test("a day is open, closed with its name, not told of, or of a currency without a calendar")
  func days() throws {
    let calendars = BusinessCalendars([
      try calendar(from: "2024-01-01", through: "2024-12-31", [("2024-07-04", "Independence Day")])
    ])
    let code = try #require(CalendarCode("USD"))
    #expect(calendars.day(try day("2024-07-03"), of: .usd) == .business)
    #expect(calendars.day(try day("2024-07-04"), of: .usd) == .closed(name: "Independence Day"))
    #expect(calendars.day(try day("2024-07-06"), of: .usd) == .closed(name: nil))
    #expect(calendars.day(try day("2025-01-02"), of: .usd) == .unpublished(code))
    #expect(calendars.day(try day("2023-12-31"), of: .usd) == .unpublished(code))
    #expect(calendars.day(try day("2024-07-04"), of: .cny) == .noCalendar)
  }

  @Test("what was adopted later counts on the days that it tells of, and the earlier on the others")
  func supersession() throws {
    let first = try calendar(from: "2024-01-01", through: "2024-12-31", [("2024-07-04", "a"), ("2024-11-05", "b")])
    let second = try calendar(from: "2024-10-01", through: "2025-03-31", weekend: [7], [("2024-11-06", "c")])
    let calendars = BusinessCalendars([first, second])
    #expect(calendars.day(try day("2024-07-04"), of: .usd) == .closed(name: "a"))
    #expect(calendars.day(try day("2024-11-05"), of: .usd) == .business)
    #expect(calendars.day(try day("2024-11-06"), of: .usd) == .closed(name: "c"))
    // A Saturday, which the later one opens.
    #expect(calendars.day(try day("2024-11-09"), of: .usd) == .business)
    #expect(calendars.day(try day("2024-07-06"), of: .usd) == .closed(name: nil))
    #expect(calendars.day(try day("2025-03-31"), of: .usd) == .business)
  }

  @Test(
    "a date goes where its convention says",
    arguments: [
      (.unadjusted, "2024-06-29", "2024-06-29"), (.following, "2024-06-29", "2024-07-02"),
      (.preceding, "2024-06-29", "2024-06-28"), (.modifiedFollowing, "2024-06-29", "2024-06-28"),
      (.modifiedPreceding, "2024-06-01", "2024-06-03"), (.following, "2024-06-28", "2024-06-28"),
    ] as [(BusinessDayConvention, String, String)])
  func adjusted(convention: BusinessDayConvention, from: String, to: String) throws {
    let calendars = BusinessCalendars([
      try calendar(from: "2024-01-01", through: "2024-12-31", [("2024-07-01", "held")])
    ])
    let moved = try calendars.adjusted(try day(from), of: .usd, by: convention)
    #expect(moved == (try day(to)))
  }

  @Test("a date is not moved past what is published, nor without a calendar")
  func ends() throws {
    let calendars = BusinessCalendars([try calendar(from: "2024-01-01", through: "2024-12-29")])
    let code = try #require(CalendarCode("USD"))
    #expect(throws: CalendarRefusal.notPublished(code, try day("2024-12-30"))) {
      try calendars.adjusted(try day("2024-12-28"), of: .usd, by: .following)
    }
    #expect(throws: CalendarRefusal.noCalendar(.cny)) {
      try calendars.adjusted(try day("2024-12-28"), of: .cny, by: .following)
    }
    let anyDay = try calendars.adjusted(try day("2031-01-01"), of: .cny, by: .unadjusted)
    #expect(anyDay == (try day("2031-01-01")))
  }

  @Test("a publication that contradicts itself is refused")
  func refused() throws {
    #expect(throws: CalendarRefusal.spanReversed(try day("2024-02-01"), try day("2024-01-01"))) {
      try calendar(from: "2024-02-01", through: "2024-01-01")
    }
    #expect(throws: CalendarRefusal.holidayTwice(try day("2024-01-02"))) {
      try calendar(from: "2024-01-01", through: "2024-02-01", [("2024-01-02", "a"), ("2024-01-02", "b")])
    }
    #expect(
      throws: CalendarRefusal.outsideSpan(
        try day("2024-03-02"), from: try day("2024-01-01"), through: try day("2024-02-01"))
    ) { try calendar(from: "2024-01-01", through: "2024-02-01", [("2024-03-02", "a")]) }
    #expect(throws: CalendarRefusal.weekendWhole) {
      try calendar(from: "2024-01-01", through: "2024-02-01", weekend: [1, 2, 3, 4, 5, 6, 7])
    }
    for text in ["", "U", "usd", "1SD", "U SD", "ABCDEFGHIJKLM"] { #expect(CalendarCode(text) == nil, "\(text)") }
  }
}
