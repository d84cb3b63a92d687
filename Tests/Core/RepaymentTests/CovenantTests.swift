import Primitives
import Repayment
import Testing

@Suite("The qualifying test of a closing")
struct CovenantTests {
  private func usd(_ amount: Int64) -> Money { Money(amount, .usd) }

  private func round(_ closings: [(String, Int64)], postMoney: Int64? = nil) throws -> FundingRoundFacts {
    try round(.priced, closings, postMoney: postMoney)
  }

  private func round(
    _ kind: FundingRoundKind, _ closings: [(String, Int64)], postMoney: Int64? = nil
  ) throws -> FundingRoundFacts {
    FundingRoundFacts(
      kind: kind,
      closings: try closings.map { .init(closedOn: try day($0.0), netNewCash: usd($0.1)) },
      postMoney: postMoney.map(usd))
  }

  private func covenant(
    leastAmount: Int64? = nil, leastPostMoney: Int64? = nil, firstDay: String = "2023-03-27",
    excluding: Set<FundingRoundKind> = []
  ) throws -> Covenant {
    Covenant(
      leastAmount: leastAmount.map(usd), leastPostMoney: leastPostMoney.map(usd), sweep: BasisPoints(5_000),
      firstDay: try day(firstDay), excludedKinds: excluding)
  }

  private func unmet(_ test: QualifyingTest) -> [QualifyingTest.Subject] {
    test.facts.filter { !$0.met }.map(\.subject)
  }

  @Test("the 01.AI pattern qualifies, and every figure is there to see")
  func pattern() throws {
    let test = try covenant(leastAmount: 10_000_000_000, leastPostMoney: 100_000_000_000).test(
      closingOn: day("2023-11-06"), of: round([("2023-11-06", 20_000_000_000)], postMoney: 100_000_000_000))
    #expect(test.met)
    #expect(test.facts.map(\.subject) == QualifyingTest.Subject.allCases)
    let first = try QualifyingTest.Measure.date(day("2023-03-27"))
    #expect(
      test.facts.map(\.threshold) == [
        first, .noneOf([.secondary]), .money(usd(10_000_000_000)), .money(usd(100_000_000_000)), nil,
      ])
    #expect(
      try test.facts.map(\.measured) == [
        .date(day("2023-11-06")), .kind(.priced), .money(usd(20_000_000_000)), .money(usd(100_000_000_000)),
        .insiderRound(false),
      ])
  }

  @Test(
    "cash is cumulated over the twelve months that end on the closing day",
    arguments: [
      // A second closing of 60 on this day after a first of 40: together 100, or alone 60.
      ("2023-11-06", "2023-11-06", 100), ("2023-11-06", "2024-11-05", 100), ("2023-11-06", "2024-11-06", 60),
      ("2023-11-06", "2023-11-05", 60),  // the first is in the future of the second
      ("2024-02-28", "2025-02-28", 60), ("2024-02-29", "2025-02-28", 100), ("2023-02-28", "2024-02-29", 60),
      ("2023-03-01", "2024-02-29", 100),
    ] as [(String, String, Int64)])
  func window(first: String, second: String, sum: Int64) throws {
    let facts = try round([(first, 40), (second, 60)])
    let atSum = try covenant(leastAmount: sum, firstDay: "2020-01-01").test(closingOn: day(second), of: facts)
    #expect(atSum.met)
    #expect(atSum.facts[2].measured == .money(usd(sum)))
    let above = try covenant(leastAmount: sum + 1, firstDay: "2020-01-01").test(closingOn: day(second), of: facts)
    #expect(unmet(above) == [.cumulativeCash])
  }

  @Test("other rounds count toward the amount, but not secondaries and excluded kinds")
  func otherRounds() throws {
    let priced = try round([("2023-11-06", 50)])
    let others = [
      try round(.safe, [("2023-06-01", 30), ("2023-12-01", 500)]), try round(.secondary, [("2023-10-01", 1_000)]),
      try round(.bridge, [("2023-10-02", 10)]),
    ]
    let date = try day("2023-11-06")
    let all = try covenant(leastAmount: 1).test(closingOn: date, of: priced, otherRounds: others)
    #expect(all.facts[2].measured == .money(usd(90)))
    let without = try covenant(leastAmount: 1, excluding: [.bridge]).test(
      closingOn: date, of: priced, otherRounds: others)
    #expect(without.facts[2].measured == .money(usd(80)))
    #expect(try covenant(leastAmount: 1).test(closingOn: date, of: priced).facts[2].measured == .money(usd(50)))
  }

  @Test("a closing before the trade date does not sweep, on it does")
  func firstDay() throws {
    let facts = try round([("2023-03-26", 10), ("2023-03-27", 10)])
    #expect(unmet(try covenant().test(closingOn: day("2023-03-26"), of: facts)) == [.closedOn])
    #expect(try covenant().test(closingOn: day("2023-03-27"), of: facts).met)
  }

  @Test("excluded kinds and secondaries never qualify", arguments: FundingRoundKind.allCases)
  func kinds(kind: FundingRoundKind) throws {
    let facts = try round(kind, [("2023-11-06", 100)])
    let date = try day("2023-11-06")
    #expect(try covenant().test(closingOn: date, of: facts).met == (kind != .secondary))
    #expect(unmet(try covenant(excluding: [kind]).test(closingOn: date, of: facts)) == [.kind])
    let cash = try covenant(leastAmount: 100).test(closingOn: date, of: facts)
    #expect(unmet(cash) == (kind == .secondary ? [.kind, .cumulativeCash] : []))
  }

  @Test("a post-money that is not known reaches no threshold")
  func postMoney() throws {
    let date = try day("2023-11-06")
    let demanding = try covenant(leastPostMoney: 100)
    for (known, met) in [(nil, false), (99, false), (100, true), (101, true)] as [(Int64?, Bool)] {
      let test = try demanding.test(closingOn: date, of: round([("2023-11-06", 1)], postMoney: known))
      #expect(unmet(test) == (met ? [] : [.postMoney]))
    }
    let lenient = try covenant().test(closingOn: date, of: round([("2023-11-06", 1)], postMoney: 5))
    #expect(lenient.facts[3].measured == .money(usd(5)))
    #expect(lenient.facts[3].threshold == nil)
  }

  @Test("another currency, cash below zero and a day without closing are refused")
  func refusals() throws {
    let date = try day("2023-11-06")
    let facts = try round([("2023-11-06", 10)], postMoney: 10)
    let yuan = Covenant(leastAmount: Money(1, .cny), leastPostMoney: nil, sweep: .whole, firstDay: date)
    #expect(throws: RepaymentRefusal.currencyDiffers(expected: .cny, found: .usd)) {
      try yuan.test(closingOn: date, of: facts)
    }
    let yuanPost = Covenant(leastAmount: nil, leastPostMoney: Money(1, .cny), sweep: .whole, firstDay: date)
    #expect(throws: RepaymentRefusal.currencyDiffers(expected: .cny, found: .usd)) {
      try yuanPost.test(closingOn: date, of: facts)
    }
    let next = try day("2023-11-07")
    #expect(throws: RepaymentRefusal.noClosing(on: next)) { try covenant().test(closingOn: next, of: facts) }
    let negative = try round([("2023-11-06", -1)])
    #expect(throws: RepaymentRefusal.negativeAmount(what: "net new cash", -1)) {
      try covenant(leastAmount: 1).test(closingOn: date, of: negative)
    }
    let huge = try round([("2023-11-05", .max), ("2023-11-06", 1)])
    #expect(throws: RepaymentRefusal.overflow) { try covenant(leastAmount: 1).test(closingOn: date, of: huge) }
  }
}
