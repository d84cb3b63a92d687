import Interest
import Primitives
import Testing

@Suite("Business days")
struct BusinessDayTests {
  @Test(
    "dates move as the convention says",
    arguments: [
      // A Saturday at a month's end, a Sunday at a month's start, a Wednesday, and a holiday before a weekend.
      ("2023-09-30", "2023-10-02", "2023-09-29", "2023-09-29", "2023-09-29"),
      ("2023-10-01", "2023-10-02", "2023-10-02", "2023-09-29", "2023-10-02"),
      ("2023-10-04", "2023-10-04", "2023-10-04", "2023-10-04", "2023-10-04"),
      ("2023-12-29", "2024-01-02", "2023-12-28", "2023-12-28", "2023-12-28"),
      ("2024-01-01", "2024-01-02", "2024-01-02", "2023-12-28", "2024-01-02"),
    ])
  func table(
    _ date: String, _ following: String, _ modifiedFollowing: String, _ preceding: String, _ modifiedPreceding: String
  ) throws {
    let calendar = try #require(HolidayCalendar(holidays: [try day("2023-12-29"), try day("2024-01-01")]))
    let expected: [(BusinessDayConvention, String)] = [
      (.unadjusted, date), (.following, following), (.modifiedFollowing, modifiedFollowing), (.preceding, preceding),
      (.modifiedPreceding, modifiedPreceding),
    ]
    for (convention, moved) in expected {
      #expect(try calendar.adjusted(try day(date), by: convention).description == moved, "\(convention)")
    }
  }

  @Test("weekends are data: Friday and Saturday, none, and never the whole week")
  func weekends() throws {
    let gulf = try #require(HolidayCalendar(weekend: [5, 6]))
    #expect(try gulf.adjusted(try day("2023-10-06"), by: .following) == (try day("2023-10-08")))
    let always = try #require(HolidayCalendar(weekend: []))
    #expect(try always.adjusted(try day("2023-10-07"), by: .following) == (try day("2023-10-07")))
    #expect(HolidayCalendar(weekend: [1, 2, 3, 4, 5, 6, 7]) == nil)
    #expect(HolidayCalendar(weekend: [0]) == nil)
    let common = try #require(HolidayCalendar())
    let both = try #require(gulf.joined(with: common))
    #expect(both.weekend == [5, 6, 7])
    let rest = try #require(HolidayCalendar(weekend: [1, 2, 3, 4]))
    #expect(rest.joined(with: both) == nil)
  }

  @Test("a month without business days, and the calendar's two ends, are refused")
  func none() throws {
    let february = try (1...28).map { try #require(CalendarDate(year: 2023, month: 2, day: $0)) }
    let closed = try #require(HolidayCalendar(holidays: february))
    #expect(try closed.adjusted(try day("2023-02-10"), by: .following) == (try day("2023-03-01")))
    #expect(throws: InterestRefusal.noBusinessDay) {
      try closed.adjusted(try day("2023-02-10"), by: .modifiedFollowing)
    }
    let ends = try #require(HolidayCalendar(weekend: [], holidays: [.earliest, .latest]))
    #expect(throws: InterestRefusal.noBusinessDay) { try ends.adjusted(.latest, by: .following) }
    #expect(throws: InterestRefusal.noBusinessDay) { try ends.adjusted(.earliest, by: .preceding) }
    #expect(try ends.adjusted(.latest, by: .modifiedFollowing) == (try day("9999-12-30")))
  }
}
