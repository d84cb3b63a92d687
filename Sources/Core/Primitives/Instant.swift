/// A moment in business time: microseconds since 1970-01-01T00:00:00Z, the resolution PostgreSQL keeps.
package struct Instant: Sendable, Hashable, Comparable, CustomStringConvertible {
  package let microseconds: Int64

  /// Any moment of the years 1970 to 9999, the range the interface accepts; outside of it nil.
  package init?(microseconds: Int64) {
    guard microseconds >= 0, microseconds < 253_402_300_800_000_000 else { return nil }
    self.microseconds = microseconds
  }

  private init(unchecked microseconds: Int64) { self.microseconds = microseconds }

  package static let epoch = Instant(unchecked: 0)

  /// Midnight UTC at the start of a date; dates before 1970 give nil.
  package init?(startOf date: CalendarDate) {
    self.init(microseconds: Int64(date.dayNumber) * 86_400_000_000)
  }

  /// The UTC calendar date this moment falls on.
  package var date: CalendarDate {
    // In range by construction: the initialiser admits 1970...9999 only.
    CalendarDate(dayNumber: microseconds / 86_400_000_000) ?? .earliest
  }

  /// The moment `seconds` later, or nil past the range.
  package func adding(seconds: Int64) -> Instant? {
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
    let (sum, overflowed) = microseconds.addingReportingOverflow(product)
    return overflow || overflowed ? nil : Instant(microseconds: sum)
  }

  /// Parses RFC 3339 with `Z` or a numeric offset and up to six fractional digits. Leap seconds are refused.
  package init?(_ text: some StringProtocol) {
    let bytes = Array(text.utf8)
    guard bytes.count >= 20, bytes.count <= 40, bytes[10] == 0x54 || bytes[10] == 0x74,
      bytes[13] == 0x3A, bytes[16] == 0x3A,
      let date = CalendarDate(String(decoding: bytes[0..<10], as: UTF8.self)),
      let hour = decimal(bytes[11..<13]), let minute = decimal(bytes[14..<16]), let second = decimal(bytes[17..<19]),
      hour < 24, minute < 60, second < 60
    else { return nil }
    var index = 19
    var fraction: Int64 = 0
    if bytes[index] == 0x2E {
      var end = index + 1
      while end < bytes.count, bytes[end] >= 0x30, bytes[end] <= 0x39 { end += 1 }
      let digits = bytes[(index + 1)..<end]
      guard let value = decimal(digits), digits.count <= 6 else { return nil }
      fraction = Int64(value)
      for _ in digits.count..<6 { fraction *= 10 }
      index = end
    }
    guard index < bytes.count, let offset = Self.offsetSeconds(bytes[index...]) else { return nil }
    let day = Int64(date.dayNumber) * 86_400
    let seconds = day + Int64(hour * 3_600 + minute * 60 + second) - offset
    self.init(microseconds: seconds * 1_000_000 + fraction)
  }

  /// `Z` or `+hh:mm` as seconds east of UTC.
  private static func offsetSeconds(_ bytes: ArraySlice<UInt8>) -> Int64? {
    let zone = Array(bytes)
    if zone == [0x5A] || zone == [0x7A] { return 0 }
    guard zone.count == 6, zone[0] == 0x2B || zone[0] == 0x2D, zone[3] == 0x3A,
      let hour = decimal(zone[1..<3]), let minute = decimal(zone[4..<6]), hour < 24, minute < 60
    else { return nil }
    let offset = Int64(hour * 3_600 + minute * 60)
    return zone[0] == 0x2B ? offset : -offset
  }

  /// RFC 3339 in UTC with `Z`; fractional digits only when there are any, always six then.
  package var description: String {
    String(unsafeUninitializedCapacity: 27) { buffer in
      let day = date
      let inDay = microseconds - Int64(day.dayNumber) * 86_400_000_000
      let (seconds, fraction) = (Int(inDay / 1_000_000), Int(inDay % 1_000_000))
      _ = day.writeDigits(to: buffer)
      buffer[10] = 0x54
      write(seconds / 3_600, digits: 2, to: buffer, at: 11)
      buffer[13] = 0x3A
      write(seconds / 60 % 60, digits: 2, to: buffer, at: 14)
      buffer[16] = 0x3A
      write(seconds % 60, digits: 2, to: buffer, at: 17)
      var end = 19
      if fraction != 0 {
        buffer[19] = 0x2E
        write(fraction, digits: 6, to: buffer, at: 20)
        end = 26
      }
      buffer[end] = 0x5A
      return end + 1
    }
  }

  package static func < (left: Instant, right: Instant) -> Bool { left.microseconds < right.microseconds }
}
