/// A calendar date, proleptic Gregorian, as a day number. No time zone, no clock: a business date is a fact of the input.
package struct CalendarDate: Sendable, Hashable, Comparable, CustomStringConvertible {
  /// Days since 1970-01-01.
  package let dayNumber: Int32

  /// Any day from 0001-01-01 to 9999-12-31; outside of it nil.
  package init?(dayNumber: Int64) {
    guard dayNumber >= Self.firstDay, dayNumber <= Self.lastDay else { return nil }
    self.dayNumber = Int32(dayNumber)
  }

  private init(unchecked dayNumber: Int32) { self.dayNumber = dayNumber }

  private static let firstDay: Int64 = -719_162
  private static let lastDay: Int64 = 2_932_896

  package static let earliest = CalendarDate(unchecked: Int32(firstDay))
  package static let latest = CalendarDate(unchecked: Int32(lastDay))

  /// A date from its parts; nil when there is no such day.
  package init?(year: Int, month: Int, day: Int) {
    guard (1...9999).contains(year), (1...12).contains(month), day >= 1, day <= Self.daysIn(month: month, year: year)
    else { return nil }
    // Days from civil, after Howard Hinnant's public-domain algorithm: years begin in March so that the leap day is last.
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    self.dayNumber = Int32(era * 146_097 + dayOfEra - 719_468)
  }

  /// Parses exactly `YYYY-MM-DD`.
  package init?(_ text: some StringProtocol) {
    let bytes = Array(text.utf8)
    guard bytes.count == 10, bytes[4] == 0x2D, bytes[7] == 0x2D,
      let year = decimal(bytes[0..<4]), let month = decimal(bytes[5..<7]), let day = decimal(bytes[8..<10])
    else { return nil }
    self.init(year: year, month: month, day: day)
  }

  /// Year, month 1...12, day 1...31.
  package var components: (year: Int, month: Int, day: Int) {
    let shifted = Int(dayNumber) + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
  }

  /// ISO 8601, `YYYY-MM-DD`.
  package var description: String {
    String(unsafeUninitializedCapacity: 10) { writeDigits(to: $0) }
  }

  /// Writes the ten bytes of `description`, and says how many they are.
  func writeDigits(to buffer: UnsafeMutableBufferPointer<UInt8>) -> Int {
    let (year, month, day) = components
    write(year, digits: 4, to: buffer, at: 0)
    buffer[4] = 0x2D
    write(month, digits: 2, to: buffer, at: 5)
    buffer[7] = 0x2D
    write(day, digits: 2, to: buffer, at: 8)
    return 10
  }

  /// The date `days` later (earlier when negative); nil past the calendar's ends.
  package func adding(days: Int64) -> CalendarDate? {
    let (sum, overflow) = Int64(dayNumber).addingReportingOverflow(days)
    return overflow ? nil : CalendarDate(dayNumber: sum)
  }

  /// Days from `self` to `other`, negative when `other` is earlier.
  package func days(to other: CalendarDate) -> Int64 { Int64(other.dayNumber) - Int64(dayNumber) }

  /// The same day `months` later, or the last day of that month when it is shorter; nil past the calendar's ends.
  package func adding(months: Int) -> CalendarDate? {
    let (year, month, day) = components
    let (total, overflow) = (year * 12 + month - 1).addingReportingOverflow(months)
    guard !overflow, total >= 12, total < 120_000 else { return nil }
    let (newYear, newMonth) = (total / 12, total % 12 + 1)
    return CalendarDate(year: newYear, month: newMonth, day: min(day, Self.daysIn(month: newMonth, year: newYear)))
  }

  /// 1 is Monday, 7 is Sunday (ISO 8601).
  package var weekday: Int { (((Int(dayNumber) + 3) % 7) + 7) % 7 + 1 }

  package static func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

  package static func daysIn(month: Int, year: Int) -> Int {
    switch month {
    case 4, 6, 9, 11: 30
    case 2: isLeap(year) ? 29 : 28
    default: 31
    }
  }

  package static func < (left: CalendarDate, right: CalendarDate) -> Bool { left.dayNumber < right.dayNumber }
}

/// Digits only; nil for anything else. At most nine digits, so it cannot overflow.
func decimal(_ bytes: ArraySlice<UInt8>) -> Int? {
  guard !bytes.isEmpty, bytes.count <= 9 else { return nil }
  var value = 0
  for byte in bytes {
    guard byte >= 0x30, byte <= 0x39 else { return nil }
    value = value * 10 + Int(byte - 0x30)
  }
  return value
}

/// Writes a number that is not negative as exactly so many digits, leading zeros included.
func write(_ value: Int, digits: Int, to buffer: UnsafeMutableBufferPointer<UInt8>, at start: Int) {
  var rest = value
  for place in stride(from: start + digits - 1, through: start, by: -1) {
    buffer[place] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
    rest /= 10
  }
}
