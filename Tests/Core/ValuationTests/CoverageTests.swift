import Primitives
import Testing
import Valuation

@Suite("Coverage, debt over valuation, staleness, marks by themselves")
struct CoverageTests {
  private func usd(_ amount: Int64) -> Money { Money(amount, .usd) }

  @Test(
    "coverage is rounded down, debt over valuation up",
    arguments: [
      // value, outstanding, coverage: 3/2; 2/3 = 6666.67; 1/3 = 3333.33; equal; nothing behind it
      (150_00, 100_00, 15_000, 15_000), (200, 300, 6_666, 6_667), (1, 3, 3_333, 3_334), (7, 7, 10_000, 10_000),
      (0, 100, 0, 0), (1, 1_000_000_000_000_000, 0, 1),
      (900_000_000_000_000, 1_000_000_000_000_000, 9_000, 9_000),
    ] as [(Int64, Int64, Int64, Int64)])
  func ratios(value: Int64, whole: Int64, down: Int64, up: Int64) throws {
    #expect(try Coverage.ratio(value: usd(value), outstanding: usd(whole)) == BasisPoints(down))
    #expect(try Coverage.debtOverValuation(debt: usd(value), valuation: usd(whole)) == BasisPoints(up))
  }

  @Test("without a debt there is no coverage, without a valuation no debt over it")
  func noRatio() throws {
    #expect(try Coverage.ratio(value: usd(5), outstanding: usd(0)) == nil)
    #expect(try Coverage.debtOverValuation(debt: usd(5), valuation: usd(0)) == nil)
  }

  @Test("another currency, an amount below zero, and a ratio past all range are refused")
  func refusals() throws {
    #expect(throws: ValuationRefusal.currencyDiffers(.usd, .cny)) {
      try Coverage.ratio(value: usd(5), outstanding: Money(5, .cny))
    }
    #expect(throws: ValuationRefusal.negativeAmount(usd(-1))) {
      try Coverage.ratio(value: usd(-1), outstanding: usd(5))
    }
    #expect(throws: ValuationRefusal.negativeAmount(usd(-5))) {
      try Coverage.debtOverValuation(debt: usd(1), valuation: usd(-5))
    }
    #expect(throws: ValuationRefusal.overflow) {
      try Coverage.ratio(value: usd(.max), outstanding: usd(1))
    }
  }

  @Test(
    "a mark is fresh for twelve months, the anniversary included",
    arguments: [
      ("2023-11-06", "2023-11-06", false), ("2023-11-06", "2024-11-06", false), ("2023-11-06", "2024-11-07", true),
      ("2024-02-29", "2025-02-28", false), ("2024-02-29", "2025-03-01", true), ("9999-06-01", "9999-12-31", false),
    ])
  func staleness(effective: String, date: String, stale: Bool) throws {
    let mark = try postMoney(1, 100, on: effective, recorded: "2024-01-01")
    #expect(try StalenessRule.twelveMonths.isStale(mark, on: day(date)) == stale)
  }

  @Test("a material event makes an earlier mark stale, from the event on")
  func materialEvent() throws {
    let mark = try postMoney(1, 100, on: "2023-06-01", recorded: "2023-06-01", method: .valuation409A)
    let rule = StalenessRule.twelveMonths
    let event = try day("2023-11-06")
    #expect(try !rule.isStale(mark, on: day("2023-11-05"), materialEventOn: event))
    #expect(rule.isStale(mark, on: event, materialEventOn: event))
    #expect(try !rule.isStale(mark, on: day("2023-12-01"), materialEventOn: day("2023-06-01")))
    #expect(StalenessRule(months: -1) == nil)
    #expect(try #require(StalenessRule(months: 0)).isStale(mark, on: day("2023-06-02")))
  }

  @Test("each method and basis belongs to startups, to chips, or to both")
  func methods() throws {
    let chip = ValuationSubject.chipModel(try #require(ChipModelID("nvidia-h800")))
    let ofChips: Set<ValuationMethod> = [.marketQuote, .index, .model, .adminMark]
    let ofStartups = Set(ValuationMethod.allCases).subtracting([.marketQuote, .index])
    #expect(Set(ValuationMethod.allCases.filter { $0.applies(to: chip) }) == ofChips)
    #expect(Set(ValuationMethod.allCases.filter { $0.applies(to: startup) }) == ofStartups)
    #expect(ValuationBasis.allCases.filter { $0.applies(to: chip) } == [.perChip, .perChipHour])
    #expect(ValuationBasis.allCases.filter { $0.applies(to: startup) } == [.preMoney, .postMoney])
    #expect(
      ValuationMethod.allCases.map(\.rawValue) == [
        "priced_round", "safe_cap", "strategic", "secondary", "valuation_409a", "admin_mark", "market_quote", "index",
        "model",
      ])
  }

  @Test("a mark from outside is checked by itself")
  func validation() throws {
    try postMoney(1, Money.largestAccepted, on: "2023-01-01", recorded: "2023-01-01").validate()
    for amount in [0, -1, Money.largestAccepted + 1] {
      let mark = try postMoney(1, amount, on: "2023-01-01", recorded: "2023-01-01")
      #expect(throws: ValuationRefusal.amountOutOfRange(usd(amount))) { try mark.validate() }
    }
    let quote = try postMoney(1, 5, on: "2023-01-01", recorded: "2023-01-01", method: .marketQuote)
    #expect(throws: ValuationRefusal.methodNotOfSubject(.marketQuote, startup)) { try quote.validate() }
    let hourly = ValuationMark(
      id: markID(1), subject: startup, method: .adminMark, amount: usd(5), basis: .perChipHour,
      effectiveOn: try day("2023-01-01"), recordedAt: .epoch, source: "x", supersedes: nil, approvedBy: nil)
    #expect(throws: ValuationRefusal.basisNotOfSubject(.perChipHour, startup)) { try hourly.validate() }
  }

  @Test("refusals have stable codes of this module, each its own")
  func codes() {
    let all: [ValuationRefusal] = [
      .methodNotOfSubject(.index, startup), .basisNotOfSubject(.perChip, startup), .amountOutOfRange(usd(0)),
      .subjectDiffers(markID(1)), .duplicateMark(markID(1)), .supersededUnknown(markID(1)),
      .alreadySuperseded(markID(1), by: markID(2)), .recordedBeforeSuperseded(markID(1)),
      .supersededInCircle(markID(1)), .currencyDiffers(.usd, .cny), .negativeAmount(usd(-1)), .overflow,
    ]
    #expect(Set(all.map(\.code)).count == all.count)
    #expect(all.allSatisfy { $0.code.hasPrefix("valuation.") && $0.detail.hasSuffix(".") })
    #expect(all.filter { $0.kind == .conflict }.count == 2)
  }
}
