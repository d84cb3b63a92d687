import Primitives
import Testing

@Suite("Calendar dates")
struct CalendarDateTests {
  @Test(
    "known dates have their day numbers",
    arguments: [
      ("0001-01-01", Int32(-719_162)), ("1582-10-15", -141_427), ("1900-03-01", -25_508), ("1969-12-31", -1),
      ("1970-01-01", 0), ("2000-02-29", 11_016), ("2000-03-01", 11_017), ("2024-02-29", 19_782),
      ("2038-01-19", 24_855), ("9999-12-31", 2_932_896),
    ])
  func known(text: String, dayNumber: Int32) throws {
    let date = try #require(CalendarDate(text))
    #expect(date.dayNumber == dayNumber)
    #expect(date.description == text)
    #expect(CalendarDate(dayNumber: Int64(dayNumber)) == date)
  }

  @Test("every 97th day from year 1 to 9999 agrees with a calendar walked day by day")
  func walked() throws {
    // The reference knows only how long each month is: it turns the pages of 3,652,059 days one by one.
    let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    var (year, month, day, number) = (1, 1, 1, 0)
    var checked = 0
    while year <= 9999 {
      if number % 97 == 0 {
        let date = try #require(CalendarDate(dayNumber: Int64(number - 719_162)))
        let parts = date.components
        try #require(parts == (year, month, day), "day \(number)")
        try #require(CalendarDate(year: year, month: month, day: day) == date)
        try #require(CalendarDate(date.description) == date)
        // 0001-01-01 was a Monday.
        try #require(date.weekday == number % 7 + 1)
        checked += 1
      }
      number += 1
      day += 1
      let leapDay = month == 2 && year % (year % 100 == 0 ? 400 : 4) == 0 ? 1 : 0
      if day > lengths[month - 1] + leapDay { (month, day) = (month + 1, 1) }
      if month > 12 { (year, month) = (year + 1, 1) }
    }
    #expect(number == 3_652_059)
    #expect(checked == 37_651)
  }

  @Test(
    "a date that is not in the calendar, or not written YYYY-MM-DD, is no date",
    arguments: [
      "2023-02-29", "1900-02-29", "2100-02-29", "2024-04-31", "2024-00-10", "2024-13-01", "2024-01-00", "2024-01-32",
      "0000-12-31", "", "2024-1-1", "24-01-01", "2024/01/01", "2024-01-01 ", " 2024-01-01", "2024-01-01T00:00:00Z",
      "+2024-01-01", "-024-01-01", "2024-01-1x", "２０２４-01-01", "20240101", "2024-0１-1",
    ])
  func refused(text: String) {
    #expect(CalendarDate(text) == nil)
  }

  @Test("February 29 exists in leap years only", arguments: [(2024, true), (2023, false), (1900, false), (2000, true)])
  func leapYears(year: Int, isLeap: Bool) {
    #expect(CalendarDate.isLeap(year) == isLeap)
    #expect((CalendarDate(year: year, month: 2, day: 29) != nil) == isLeap)
    #expect(CalendarDate.daysIn(month: 2, year: year) == (isLeap ? 29 : 28))
  }

  @Test("day numbers outside the calendar are refused, its ends are not")
  func range() throws {
    #expect(CalendarDate(dayNumber: -719_163) == nil)
    #expect(CalendarDate(dayNumber: 2_932_897) == nil)
    #expect(CalendarDate(dayNumber: .min) == nil)
    #expect(CalendarDate(dayNumber: .max) == nil)
    #expect(CalendarDate.earliest.description == "0001-01-01")
    #expect(CalendarDate.latest.description == "9999-12-31")
    #expect(CalendarDate(year: .max, month: 1, day: 1) == nil)
    #expect(CalendarDate(year: 2024, month: .min, day: .min) == nil)
  }

  @Test("days are added and counted across months, leap days and years")
  func days() throws {
    let start = try #require(CalendarDate("2024-02-28"))
    #expect(start.adding(days: 2)?.description == "2024-03-01")
    #expect(start.adding(days: 366)?.description == "2025-02-28")
    #expect(start.adding(days: -59)?.description == "2023-12-31")
    #expect(start.days(to: try #require(CalendarDate("2025-02-28"))) == 366)
    #expect(start.days(to: try #require(CalendarDate("2024-02-27"))) == -1)
    #expect(CalendarDate.latest.adding(days: 1) == nil)
    #expect(CalendarDate.earliest.adding(days: -1) == nil)
    #expect(start.adding(days: .max) == nil)
    #expect(CalendarDate.earliest.adding(days: .min) == nil)
    #expect(CalendarDate.earliest.days(to: .latest) == 3_652_058)
  }

  @Test(
    "months later is the same day, or the month's last",
    arguments: [
      ("2024-01-31", 1, "2024-02-29"), ("2023-01-31", 1, "2023-02-28"), ("2024-01-31", 3, "2024-04-30"),
      ("2024-03-31", -1, "2024-02-29"), ("2024-11-30", 3, "2025-02-28"), ("2024-12-15", 1, "2025-01-15"),
      ("2025-01-15", -1, "2024-12-15"), ("2024-02-29", 12, "2025-02-28"), ("2024-02-29", 48, "2028-02-29"),
      ("2024-05-05", 0, "2024-05-05"), ("0001-12-31", -11, "0001-01-31"), ("9999-11-30", 1, "9999-12-30"),
    ])
  func months(start: String, months: Int, end: String) throws {
    #expect(try #require(CalendarDate(start)).adding(months: months)?.description == end)
  }

  @Test("months past the ends of the calendar give no date, however many")
  func monthsPastEnds() throws {
    let date = try #require(CalendarDate("2024-01-31"))
    #expect(CalendarDate.latest.adding(months: 1) == nil)
    #expect(CalendarDate.earliest.adding(months: -1) == nil)
    #expect(date.adding(months: .max) == nil)
    #expect(date.adding(months: .min) == nil)
  }

  @Test(
    "Monday is 1 and Sunday is 7",
    arguments: [
      ("1970-01-01", 4), ("2000-01-01", 6), ("1969-07-20", 7), ("2024-02-29", 4), ("2026-11-23", 1),
    ])
  func weekdays(text: String, weekday: Int) throws {
    #expect(try #require(CalendarDate(text)).weekday == weekday)
  }

  @Test("dates are ordered as their text is")
  func order() throws {
    let texts = ["0999-12-31", "1969-12-31", "1970-01-01", "2024-02-29", "2024-03-01", "9999-01-01"]
    let dates = texts.compactMap { CalendarDate($0) }
    #expect(dates.count == texts.count)
    #expect(dates.reversed().sorted().map(\.description) == texts)
  }

  @Test("contracts name the day counts")
  func dayCountNames() {
    #expect(
      DayCountConvention.allCases.map(\.rawValue)
        == ["ACT/360", "ACT/365F", "30/360-BOND", "30/360-US", "30E/360", "ACT/ACT-ISDA"])
  }
}
