import Interest
import Persistence
import Primitives
import Schema
import Testing

/// The seeded calendars against the rules that their publishers state, computed here by other means.
@Suite("The seeded calendars")
struct CalendarSeedTests {
  private func seeded(_ code: String) throws -> PublishedCalendar {
    let all = try PublishedCalendar.calendars(fromJSON: Schema.holidayCalendars)
    return try #require(all.first { $0.code.value == code })
  }

  private func date(_ year: Int, _ month: Int, _ day: Int) throws -> CalendarDate {
    try #require(CalendarDate(year: year, month: month, day: day))
  }

  /// Every day of a month that is that day of the week, in order.
  private func weekdays(_ weekday: Int, of year: Int, _ month: Int) throws -> [CalendarDate] {
    try (1...CalendarDate.daysIn(month: month, year: year)).map { try date(year, month, $0) }
      .filter { $0.weekday == weekday }
  }

  @Test("of the Federal Reserve Banks has the legal public holidays, those of a Sunday on the Monday after")
  func federalReserve() throws {
    let calendar = try seeded("USD")
    #expect(calendar.currencies == [.usd] && calendar.weekend == [6, 7])
    var expected: Set<CalendarDate> = []
    for year in 2022...2030 {
      for (month, day) in [(1, 1), (6, 19), (7, 4), (11, 11), (12, 25)] {
        let on = try date(year, month, day)
        switch on.weekday {
        case 6: continue
        case 7: expected.insert(try #require(on.adding(days: 1)))
        default: expected.insert(on)
        }
      }
      expected.insert(try weekdays(1, of: year, 1)[2])
      expected.insert(try weekdays(1, of: year, 2)[2])
      expected.insert(try #require(try weekdays(1, of: year, 5).last))
      expected.insert(try weekdays(1, of: year, 9)[0])
      expected.insert(try weekdays(1, of: year, 10)[1])
      expected.insert(try weekdays(4, of: year, 11)[3])
    }
    let found = Set(calendar.holidays.map(\.on))
    #expect(found == expected)
    // Days that anybody can look up.
    for (year, month, day, isHeld) in [
      (2023, 11, 10, false), (2023, 11, 23, true), (2024, 6, 19, true), (2022, 12, 26, true), (2021, 12, 31, false),
      (2026, 7, 3, false), (2027, 7, 5, true),
    ] {
      let on = try date(year, month, day)
      #expect(found.contains(on) == isHeld, "\(on)")
    }
  }

  @Test("of TARGET has its six closing days, Easter by the Sunday after the full moon of the tables")
  func target() throws {
    let calendar = try seeded("TARGET")
    #expect(calendar.currencies.map(\.code) == ["EUR"])
    // Easter Sundays as every almanac has them.
    let easter = [
      (2022, 4, 17), (2023, 4, 9), (2024, 3, 31), (2025, 4, 20), (2026, 4, 5), (2027, 3, 28), (2028, 4, 16),
      (2029, 4, 1), (2030, 4, 21),
    ]
    var expected: Set<CalendarDate> = []
    for (year, month, day) in easter {
      let sunday = try date(year, month, day)
      expected.insert(try #require(sunday.adding(days: -2)))
      expected.insert(try #require(sunday.adding(days: 1)))
      for (month, day) in [(1, 1), (5, 1), (12, 25), (12, 26)] { expected.insert(try date(year, month, day)) }
    }
    #expect(Set(calendar.holidays.map(\.on)) == expected)
  }
}
