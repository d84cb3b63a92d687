import Primitives
import PropertyKit
import Testing
import Valuation

@Suite("borrowing power")
struct BorrowingPowerTests {
  private func day(_ text: String) throws -> CalendarDate { try #require(CalendarDate(text)) }

  private func report(
    cash: Int64, burn: Int64, on: String = "2025-05-31", number: UInt64 = 1, supersedes: UInt64? = nil, at: Int64 = 1
  ) throws -> RunwayReport {
    RunwayReport(
      id: RunwayReportID(UUIDValue(high: 1, low: number)), startupID: OrganizationID(UUIDValue(high: 2, low: 1)),
      on: try day(on), cash: Money(cash, .usd), monthlyBurn: burn, evidence: "statement",
      supersedes: supersedes.map { RunwayReportID(UUIDValue(high: 1, low: $0)) },
      reportedBy: PersonID(UUIDValue(high: 3, low: 1)), recordedAt: Instant(microseconds: at) ?? .epoch)
  }

  private func power(
    worth: Int64? = 100_000_000, stale: Bool = false, disputed: Bool = false, chips: Int64 = 10_000_000,
    runway: RunwayReport?, debt: Int64 = 5_000_000, on: String = "2025-06-30"
  ) throws -> BorrowingPower {
    try BorrowingPower(
      on: day(on), valuation: worth.map { Money($0, .usd) }, isStale: stale, isDisputed: disputed, chipValue: chips,
      hasUnmarked: false, runway: runway, debt: Money(debt, .usd))
  }

  @Test("a tenth of the valuation by the months of cash, seven tenths of the chips, less the debt")
  func formula() throws {
    // Months of cash, what counts of 10,000,000, and what is left beside 7,000,000 of chips and 5,000,000 of debt.
    for (cash, burn, factor, left): (Int64, Int64, Int64, Int64) in [
      (12_000, 1_000, 10_000, 12_000_000), (9_000, 1_000, 5_000, 7_000_000), (6_000, 1_000, 0, 2_000_000),
      (5_990, 1_000, 0, 2_000_000), (0, 0, 10_000, 12_000_000), (7_000, 1_000, 1_666, 3_666_000),
    ] {
      let power = try power(runway: report(cash: cash, burn: burn))
      #expect(power.runwayFactor.value == factor && power.power == left, "\(cash)/\(burn): \(power)")
      #expect(power.lacks.isEmpty && power.excess == 0)
      #expect(power.valuationLimit == 10_000_000 && power.chipLimit == 7_000_000)
    }
  }

  @Test("what is not known, old or disputed counts for nothing, and is named")
  func lacks() throws {
    let good = try report(cash: 24_000, burn: 1_000)
    #expect(try power(worth: nil, runway: good).lacks == [.noValuation])
    #expect(try power(stale: true, runway: good).lacks == [.staleValuation])
    #expect(try power(disputed: true, runway: good).lacks == [.disputedValuation])
    #expect(try power(runway: nil).lacks == [.noRunwayReport])
    #expect(try power(runway: good, on: "2025-09-08").lacks == [])
    #expect(try power(runway: good, on: "2025-09-09").lacks == [.staleRunwayReport])
    for power in [try power(worth: nil, runway: good), try power(runway: nil)] { #expect(power.power == 2_000_000) }
    let over = try power(worth: nil, chips: 0, runway: nil)
    #expect(over.power == 0 && over.excess == 5_000_000)
    let other = try BorrowingPower(
      on: day("2025-06-30"), valuation: Money(100, .cny), isStale: false, isDisputed: false, chipValue: 0,
      hasUnmarked: true, runway: good, debt: Money(0, .usd))
    #expect(other.lacks == [.currencyDiffers, .unmarkedChips] && other.power == 0)
  }

  @Test("the report that stands is the latest day's as known then, corrections taken")
  func standing() throws {
    let first = try report(cash: 1, burn: 1, on: "2025-03-31", number: 1, at: 10)
    let second = try report(cash: 2, burn: 1, on: "2025-06-30", number: 2, at: 20)
    let fixed = try report(cash: 3, burn: 1, on: "2025-06-30", number: 3, supersedes: 2, at: 30)
    func cash(_ on: String, _ at: Int64) throws -> Int64? {
      RunwayReport.standing(
        [fixed, first, second], on: try day(on), knownAt: Instant(microseconds: at) ?? .epoch)?.cash.amount
    }
    #expect(try cash("2025-12-31", 9) == nil)
    #expect(try cash("2025-12-31", 19) == 1)
    #expect(try cash("2025-12-31", 29) == 2)
    #expect(try cash("2025-12-31", 30) == 3)
    #expect(try cash("2025-06-29", 99) == 1)
    #expect(try cash("2025-03-30", 99) == nil)
  }

  @Test("more cash, value or chips never lessens it, more debt never raises it, and one of power and excess is zero")
  func monotone() throws {
    try forAll(seeds: 1...2_000) { random in
      func amount() -> Int64 { Int64(random.int(in: 0...1_000_000_000)) }
      let (worth, chips, debt, cash, burn) = (amount(), amount(), amount(), amount(), amount() / 100)
      let base = try power(worth: worth, chips: chips, runway: report(cash: cash, burn: burn), debt: debt)
      try hold(base.power == 0 || base.excess == 0, "power and excess at once")
      let more = Int64(random.int(in: 1...1_000_000))
      for better in [
        try power(worth: worth + more, chips: chips, runway: report(cash: cash, burn: burn), debt: debt),
        try power(worth: worth, chips: chips + more, runway: report(cash: cash, burn: burn), debt: debt),
        try power(worth: worth, chips: chips, runway: report(cash: cash + more, burn: burn), debt: debt),
      ] { try hold(better.power - better.excess >= base.power - base.excess, "less by more") }
      let worse = try power(worth: worth, chips: chips, runway: report(cash: cash, burn: burn), debt: debt + more)
      try hold(worse.power - worse.excess == base.power - base.excess - more, "debt does not count whole")
    }
  }
}
