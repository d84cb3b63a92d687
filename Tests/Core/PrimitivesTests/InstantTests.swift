import Primitives
import PropertyKit
import Testing

@Suite("Instants")
struct InstantTests {
  @Test(
    "RFC 3339 text gives microseconds since 1970, and prints in UTC",
    arguments: [
      ("1970-01-01T00:00:00Z", Int64(0), "1970-01-01T00:00:00Z"),
      ("2001-09-09T01:46:40Z", 1_000_000_000_000_000, "2001-09-09T01:46:40Z"),
      ("2038-01-19T03:14:07Z", 2_147_483_647_000_000, "2038-01-19T03:14:07Z"),
      // The examples of RFC 3339, 5.8, as far as they lie in the range.
      ("1985-04-12T23:20:50.52Z", 482_196_050_520_000, "1985-04-12T23:20:50.520000Z"),
      ("1996-12-19T16:39:57-08:00", 851_042_397_000_000, "1996-12-20T00:39:57Z"),
      ("2026-01-01T00:30:00+01:00", 1_767_223_800_000_000, "2025-12-31T23:30:00Z"),
      ("2026-01-01t05:45:00+05:45", 1_767_225_600_000_000, "2026-01-01T00:00:00Z"),
      ("2026-01-01T00:00:00.000001z", 1_767_225_600_000_001, "2026-01-01T00:00:00.000001Z"),
      ("2026-01-01T00:00:00.1-00:00", 1_767_225_600_100_000, "2026-01-01T00:00:00.100000Z"),
      ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
    ])
  func known(text: String, microseconds: Int64, printed: String) throws {
    let instant = try #require(Instant(text))
    #expect(instant.microseconds == microseconds)
    #expect(instant.description == printed)
  }

  @Test(
    "text that is not one moment of 1970 to 9999 is refused",
    arguments: [
      "", "2026-01-01", "2026-01-01T00:00:00", "2026-01-01 00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
      "1990-12-31T23:59:60Z", "2026-02-30T00:00:00Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.1234567Z",
      "2026-01-01T00:00:00.1", "2026-01-01T00:00:00,5Z", "2026-01-01T00:00:00+0100", "2026-01-01T00:00:00+24:00",
      "2026-01-01T00:00:00+01:60", "2026-01-01T00:00:00+01", "2026-01-01T00:00:00ZZ", "2026-01-01T00:00:00Z ",
      "2026-01-01T0:00:00Z", "2026-01-01T00:00:00.+1Z", "1937-01-01T12:00:27.87+00:20", "1969-12-31T23:59:59.999999Z",
      "1970-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "2026-01-01T00-00-00Z", "２026-01-01T00:00:00Z",
      "2026-01-01T00:00:00.000000000000000000000000Z",
    ])
  func refused(text: String) {
    #expect(Instant(text) == nil)
  }

  @Test("an offset may carry a moment into the range from outside of it")
  func offsetIntoRange() throws {
    #expect(try #require(Instant("1969-12-31T23:00:00-01:00")) == .epoch)
    #expect(Instant("9999-12-31T23:59:59+00:01")?.description == "9999-12-31T23:58:59Z")
  }

  @Test("every moment reads back from its own text, falls on its date, and lies within that day")
  func roundTrip() throws {
    try forAll(seeds: 1...3_000) { random in
      let drawn = random.int64(in: 0...253_402_300_799_999_999)
      let microseconds = random.oneIn(2) ? drawn : drawn / 1_000_000 * 1_000_000
      guard let instant = Instant(microseconds: microseconds) else {
        throw PropertyViolation("\(microseconds) is in the range")
      }
      try hold(Instant(instant.description) == instant, "round trip of \(instant)")
      try hold(instant.description.hasPrefix(instant.date.description), "date of \(instant)")
      guard let midnight = Instant(startOf: instant.date) else { throw PropertyViolation("midnight of \(instant)") }
      try hold(
        midnight <= instant && instant.microseconds - midnight.microseconds < 86_400_000_000, "day of \(instant)")
    }
  }

  @Test("the range is 1970 to 9999")
  func range() throws {
    #expect(Instant(microseconds: -1) == nil)
    #expect(Instant(microseconds: 0) == .epoch)
    #expect(Instant(microseconds: 253_402_300_799_999_999) != nil)
    #expect(Instant(microseconds: 253_402_300_800_000_000) == nil)
    #expect(Instant(startOf: try #require(CalendarDate("1969-12-31"))) == nil)
    #expect(Instant(startOf: .earliest) == nil)
    #expect(Instant(startOf: .latest)?.description == "9999-12-31T00:00:00Z")
  }

  @Test("seconds are added within the range and never trap")
  func adding() throws {
    let noon = try #require(Instant("2026-06-30T12:00:00Z"))
    #expect(noon.adding(seconds: 43_200)?.description == "2026-07-01T00:00:00Z")
    #expect(noon.adding(seconds: -1)?.description == "2026-06-30T11:59:59Z")
    #expect(Instant.epoch.adding(seconds: -1) == nil)
    #expect(noon.adding(seconds: .max) == nil)
    #expect(noon.adding(seconds: .min) == nil)
    #expect(noon.adding(seconds: 253_402_300_800) == nil)
  }

  @Test("moments are ordered by time")
  func order() throws {
    let early = try #require(Instant("2026-01-01T00:30:00+01:00"))
    let late = try #require(Instant("2026-01-01T00:00:00Z"))
    #expect(early < late)
    #expect(!(late < early) && !(late < late))
  }
}
