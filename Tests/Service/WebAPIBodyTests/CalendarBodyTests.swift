import Interest
import Primitives
import StrictJSON
import Testing
import WebAPI

@Suite("Bodies of calendars")
struct CalendarBodyTests {
  private let parse: Parse<PublishedCalendar> = { try? PublishedCalendar.parse(&$0) }
  private let sample = Sample([
    "code": "\"CNY\"", "currencies": "[\"CNY\"]", "from_on": "\"2024-01-01\"", "through_on": "\"2024-12-31\"",
    "holidays": "[{\"on\":\"2024-10-01\",\"name\":\"National Day\"}]", "source": "\"circular\"",
  ])

  @Test("a calendar is read member by member, each within its bounds")
  func members() throws {
    let changes: [[Change]] = [
      requiredChanges("code", "currencies", "from_on", "through_on", "holidays", "source"),
      Change.good("code", "\"TARGET\"", "\"US-NY\""), Change.bad("code", "format", "\"cny\"", "\"1A\"", "\"A\""),
      Change.good("currencies", "[\"EUR\",\"USD\"]"), Change.bad("currencies", "length", "[]"),
      Change.bad("currencies", "format", at: "/currencies/0", "[\"XXX\"]"),
      Change.bad("currencies", "duplicate", at: "/currencies/1", "[\"USD\",\"USD\"]"),
      Change.good("weekend", "[5,6]", "[]", "null"), Change.bad("weekend", "range", at: "/weekend/0", "[0]", "[8]"),
      Change.bad("weekend", "length", "[1,2,3,4,5,6,7]"), Change.good("holidays", "[]"),
      Change.bad("holidays", "missing", at: "/holidays/0/name", "[{\"on\":\"2024-10-01\"}]"),
      Change.bad("holidays", "format", at: "/holidays/0/on", "[{\"on\":\"2024-02-30\",\"name\":\"x\"}]"),
      Change.bad(
        "holidays", "unknown", at: "/holidays/0/half", "[{\"on\":\"2024-10-01\",\"name\":\"x\",\"half\":true}]"),
      textChanges("source", 500),
    ]
    check(sample, changes, parse)
  }

  @Test("what is said is what is kept")
  func kept() throws {
    let calendar = try read(sample, parse)
    #expect(calendar.code.value == "CNY" && calendar.currencies == [.cny] && calendar.weekend == [6, 7])
    #expect(calendar.holidays.map(\.name) == ["National Day"] && calendar.source == "circular")
    #expect(try read(sample.with("weekend", "[5]"), parse).weekend == [5])
  }
}
