import Primitives
import Testing
import Valuation

@Suite("Figures of rounds")
struct RoundFiguresTests {
  private func usd(_ amount: Int64) -> Money { Money(amount, .usd) }

  @Test("post-money is pre-money and new money, and back")
  func money() throws {
    #expect(try RoundFigures.postMoney(pre: usd(800), newMoney: usd(200)) == usd(1_000))
    #expect(try RoundFigures.preMoney(post: usd(1_000), newMoney: usd(200)) == usd(800))
    #expect(try RoundFigures.preMoney(post: usd(200), newMoney: usd(200)) == nil)
    #expect(throws: ValuationRefusal.self) {
      try RoundFigures.postMoney(pre: usd(1), newMoney: Money(1, .cny))
    }
    #expect(throws: ValuationRefusal.overflow) {
      try RoundFigures.postMoney(pre: usd(.max), newMoney: usd(1))
    }
  }

  @Test("a step-up is the pre-money over the price before it, rounded down")
  func stepUp() {
    #expect(RoundFigures.stepUp(pre: usd(3), previousPost: usd(2)) == BasisPoints(15_000))
    #expect(RoundFigures.stepUp(pre: usd(1), previousPost: usd(3)) == BasisPoints(3_333))
    #expect(RoundFigures.stepUp(pre: usd(1), previousPost: usd(0)) == nil)
    #expect(RoundFigures.stepUp(pre: usd(1), previousPost: Money(1, .cny)) == nil)
  }

  @Test(
    "growth a year is exact: hand-computed",
    arguments: [
      (100, 200, 365, 10_000),  // doubled in a year
      (100, 200, 730, 4_142),  // the square root of 2 is 1.41421
      (100, 400, 730, 10_000),
      (200, 100, 365, -5_000), (100, 100, 1_000, 0),
      (250_000_000_000, 330_000_000_000, 366, 3_189),  // 1.32^(365/366) = 1.31900
    ] as [(Int64, Int64, Int64, Int64)])
  func growth(from: Int64, to: Int64, days: Int64, expected: Int64) {
    #expect(RoundFigures.annualisedGrowth(from: usd(from), to: usd(to), days: days) == BasisPoints(expected))
  }

  @Test("a stretch of less than a year is told as no year's")
  func shortStretch() {
    #expect(RoundFigures.annualisedGrowth(from: usd(1), to: usd(2), days: 364) == nil)
    #expect(RoundFigures.annualisedGrowth(from: usd(1), to: Money(2, .cny), days: 400) == nil)
  }

  @Test(
    "classes of rounds",
    arguments: [
      (RoundReport.Kind.priced, 10_251, RoundClass.up), (.priced, 10_250, .flat), (.priced, 9_750, .flat),
      (.priced, 9_749, .down), (.priced, nil, .unknown), (.safe, 20_000, .bridge),
    ] as [(RoundReport.Kind, Int64?, RoundClass)])
  func classes(kind: RoundReport.Kind, step: Int64?, expected: RoundClass) {
    #expect(RoundClass(kind: kind, stepUp: step.map { BasisPoints($0) }) == expected)
  }

  /// The real rounds of Moonshot AI, explained.
  @Test("an explanation of a mark names its round, what stood before, and the event that made it old")
  func explanation() throws {
    let reports = try seedRounds().compactMap(\.value).filter { $0.company == "Moonshot AI" }
    let first = try #require(reports.first { $0.name == "2024 A" })
    let second = try #require(reports.first { $0.name == "2024 B" })
    let before = try postMoney(1, try #require(first.postMoney), on: "2024-02-29", recorded: "2024-03-01")
    let mark = try postMoney(2, try #require(second.postMoney), on: "2024-08-06", recorded: "2024-08-07")
    func explain(_ date: String) throws -> MarkExplanation {
      MarkExplanation(mark, asOf: try day(date), previous: before, report: second, reports: reports)
    }
    let found = try explain("2024-12-01")
    // 3.3 bn less 300 m of new money over 2.5 bn before: 1.2 times.
    #expect(found.preMoney == usd(300_000_000_000))
    #expect(found.isPreMoneyDerived)
    #expect(found.stepUp == BasisPoints(12_000))
    #expect(found.roundClass == .up)
    #expect(found.growth == nil, "159 days are no year")
    #expect(!found.isStale)
    #expect(found.freshThrough == (try day("2025-08-06")))
    #expect(try explain("2025-08-06").isStale == false)
    #expect(try explain("2025-08-07").isStale)
    // The next round that closed is of the last day of 2025.
    #expect(try explain("2025-12-31").materialEventOn == day("2025-12-31"))
  }
}
