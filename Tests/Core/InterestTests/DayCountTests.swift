import Foundation
import Interest
import Primitives
import PropertyKit
import Testing

@Suite("Day counts")
struct DayCountTests {
  private struct Row {
    let id: String
    let convention: DayCountConvention
    let start: CalendarDate
    let end: CalendarDate
    let days: Int64
    let numerator: Int64
    let denominator: Int64
    let fraction: String
  }

  private func fixture() throws -> [Row] {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../Fixtures/finance/daycount.csv")
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
    #expect(lines.first == "case_id,convention,start,end,days,numerator,denominator,fraction")
    return try lines.dropFirst().map { line in
      let fields = line.split(separator: ",").map(String.init)
      try #require(fields.count == 8)
      return Row(
        id: fields[0], convention: try #require(DayCountConvention(rawValue: fields[1])), start: try day(fields[2]),
        end: try day(fields[3]), days: try #require(Int64(fields[4])), numerator: try #require(Int64(fields[5])),
        denominator: try #require(Int64(fields[6])), fraction: fields[7])
    }
  }

  @Test("all 780 reference periods agree in days, fraction and thirty decimals")
  func referenceCases() throws {
    let rows = try fixture()
    #expect(rows.count == 780)
    for row in rows {
      let found = try row.convention.fraction(from: row.start, to: row.end)
      let name = Comment(rawValue: "\(row.id) \(row.convention.rawValue)")
      #expect(try row.convention.days(from: row.start, to: row.end) == row.days, name)
      #expect(found.numerator == row.numerator, name)
      #expect(found.denominator == row.denominator, name)
      #expect(found.decimal(places: 30) == row.fraction, name)
    }
    #expect(Set(rows.map(\.convention)) == Set(DayCountConvention.allCases))
  }

  @Test("ACT/ACT ISDA agrees with a count of one day after the other")
  func dayByDay() throws {
    var random = SplitMix64(seed: 20_231_106)
    for _ in 0..<300 {
      let from = try #require(CalendarDate(dayNumber: .random(in: -719_162...2_920_000, using: &random)))
      let length = Int64.random(in: 0...1_500, using: &random)
      let to = try #require(from.adding(days: length))
      var leap: Int64 = 0
      for offset in 0..<length where CalendarDate.isLeap(try #require(from.adding(days: offset)).components.year) {
        leap += 1
      }
      let found = try DayCountConvention.actActISDA.fraction(from: from, to: to)
      // found == leap / 366 + (length - leap) / 365, compared without dividing.
      #expect(found.numerator * 366 * 365 == (leap * 365 + (length - leap) * 366) * found.denominator)
    }
  }

  @Test("the whole calendar is counted without a trap")
  func extremes() throws {
    for convention in DayCountConvention.allCases {
      let found = try convention.fraction(from: .earliest, to: .latest)
      #expect(found.numerator > 9_990 * found.denominator)
      #expect(try convention.days(from: .latest, to: .latest) == 0)
    }
    // 9,999 years less the last day: 9,998 whole ones and 364 of 365 days.
    let span = try DayCountConvention.actActISDA.fraction(from: .earliest, to: .latest)
    #expect(span.numerator == 9_998 * 365 + 364)
    #expect(span.denominator == 365)
  }

  @Test("a period that ends before it starts is refused")
  func reversed() throws {
    let (start, end) = (try day("2023-11-06"), try day("2023-11-05"))
    for convention in DayCountConvention.allCases {
      #expect(throws: InterestRefusal.periodReversed(start: start, end: end)) {
        try convention.fraction(from: start, to: end)
      }
    }
  }

  @Test("a decimal is rounded half to even and carries")
  func decimals() throws {
    let start = try day("2023-01-01")
    func text(_ days: Int64, _ places: Int) throws -> String {
      try DayCountConvention.act360.fraction(from: start, to: try #require(start.adding(days: days)))
        .decimal(places: places)
    }
    #expect(try text(45, 2) == "0.12")  // 0.125
    #expect(try text(135, 2) == "0.38")  // 0.375
    #expect(try text(359, 2) == "1")  // 0.9972
    #expect(try text(180, 0) == "0")  // 0.5
    #expect(try text(540, 0) == "2")  // 1.5
    #expect(try text(720, 5) == "2")
    #expect(try text(36, 5) == "0.1")
    #expect(try text(0, 5) == "0")
  }
}
