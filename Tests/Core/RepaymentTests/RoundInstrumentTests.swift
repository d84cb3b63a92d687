import Primitives
import Repayment
import Testing

@Suite("What a round brings")
struct RoundInstrumentTests {
  @Test(
    "each instrument says whether it brings cash, equity, and a price",
    arguments: [
      (.priced, true, true, true), (.safe, true, true, false), (.note, true, true, false),
      (.strategic, true, true, true), (.secondary, false, false, false), (.bridge, true, true, false),
      (.ipo, true, true, true), (.acquisition, true, false, false), (.licenceAndHire, true, false, false),
    ] as [(FundingRoundKind, Bool, Bool, Bool)])
  func instruments(kind: FundingRoundKind, cash: Bool, equity: Bool, priced: Bool) {
    #expect(kind.bringsCash == cash)
    #expect(kind.bringsEquity == equity)
    #expect(kind.isPriced == priced)
  }

  @Test("the interface's word for a licence and hire")
  func word() {
    #expect(FundingRoundKind(rawValue: "licence_and_hire") == .licenceAndHire)
    #expect(FundingRoundKind.allCases.count == 9)
  }

  private func closing(_ parts: (Int64, Int64, Int64, Int64)) throws -> ClosingFigures {
    ClosingFigures(
      closedOn: try day("2024-05-02"), subscribed: parts.0, converted: parts.1, secondary: parts.2, costs: parts.3)
  }

  @Test(
    "net new cash is what conversions, holders and costs leave",
    arguments: [((100, 0, 0, 0), 100), ((100, 30, 20, 1), 49), ((100, 100, 0, 0), 0), ((0, 0, 0, 0), 0)]
      as [((Int64, Int64, Int64, Int64), Int64)])
  func netNewCash(parts: (Int64, Int64, Int64, Int64), net: Int64) throws {
    #expect(try closing(parts).netNewCash() == net)
  }

  @Test("parts below zero, above the whole and past Int64 are refused")
  func refusals() throws {
    #expect(throws: RepaymentRefusal.partsExceedClosing(subscribed: 100, parts: 101)) {
      try closing((100, 50, 50, 1)).netNewCash()
    }
    #expect(throws: RepaymentRefusal.negativeAmount(what: "costs of the issue", -1)) {
      try closing((100, 0, 0, -1)).netNewCash()
    }
    #expect(throws: RepaymentRefusal.overflow) { try closing((.max, .max, 1, 0)).netNewCash() }
  }

  private func figures(
    _ kind: FundingRoundKind = .priced, pre: Int64?, post: Int64?, amount: Int64?,
    conversionsIn: RoundFigures.ConversionsIn = .preMoney, _ closings: [(Int64, Int64, Int64, Int64)]
  ) throws -> RoundFigures {
    RoundFigures(
      kind: kind, preMoney: pre, postMoney: post, amount: amount, conversionsIn: conversionsIn,
      closings: try closings.map { try closing($0) })
  }

  @Test("pre-money, money and post-money add up, wherever conversions count")
  func addsUp() throws {
    // 800 before, 200 of new money: 1,000.
    #expect(try figures(pre: 800, post: 1_000, amount: 200, [(200, 0, 0, 0)]).netNewCash() == [200])
    // 50 of the 200 were SAFEs, which the pre-money holds already: 800 + 150.
    let inPre = try figures(pre: 800, post: 950, amount: 200, [(150, 0, 0, 5), (50, 50, 0, 0)])
    #expect(try inPre.netNewCash() == [145, 0])
    // The same, with conversions in the post-money.
    let inPost = try figures(pre: 800, post: 1_000, amount: 200, conversionsIn: .postMoney, [(200, 50, 0, 0)])
    #expect(try inPost.netNewCash() == [150])
    // 40 went to holders: no new shares.
    #expect(try figures(pre: 800, post: 960, amount: 200, [(200, 0, 40, 0)]).netNewCash() == [160])
    // A SAFE has no price to add up.
    #expect(try figures(.safe, pre: 1, post: 1_000, amount: 200, [(200, 0, 0, 0)]).netNewCash() == [200])
    // Closed in part: the valuation is that of the whole round.
    #expect(try figures(pre: 800, post: 1_000, amount: 200, [(120, 0, 0, 0)]).netNewCash() == [120])
    // Nothing known, nothing to hold against each other.
    #expect(try figures(pre: nil, post: 5, amount: nil, []).netNewCash() == [])
  }

  @Test(
    "a round is up, flat or down against the last post-money, or not known to be",
    arguments: [(100, 99, .up), (100, 100, .flat), (99, 100, .down), (nil, 100, nil), (100, nil, nil)]
      as [(Int64?, Int64?, RoundDirection?)])
  func direction(pre: Int64?, last: Int64?, expected: RoundDirection?) throws {
    let found = try RoundDirection(
      preMoney: pre.map { Money($0, .usd) }, lastPostMoney: last.map { Money($0, .usd) })
    #expect(found == expected)
    #expect(throws: RepaymentRefusal.currencyDiffers(expected: .usd, found: .cny)) {
      try RoundDirection(preMoney: Money(1, .cny), lastPostMoney: Money(1, .usd))
    }
  }

  @Test("figures that disagree are refused, and named")
  func disagree() throws {
    #expect(throws: RepaymentRefusal.valuationDoesNotAddUp(pre: 800, post: 1_001, expected: 1_000)) {
      try figures(pre: 800, post: 1_001, amount: 200, []).netNewCash()
    }
    #expect(throws: RepaymentRefusal.preMoneyAbovePostMoney(pre: 2, post: 1)) {
      try figures(.safe, pre: 2, post: 1, amount: nil, []).netNewCash()
    }
    #expect(throws: RepaymentRefusal.closingsExceedRound(amount: 200, closings: 201)) {
      try figures(pre: nil, post: nil, amount: 200, [(200, 0, 0, 0), (1, 0, 0, 0)]).netNewCash()
    }
    #expect(throws: RepaymentRefusal.bringsNoCash(.secondary)) {
      try figures(.secondary, pre: nil, post: nil, amount: nil, [(10, 0, 9, 0)]).netNewCash()
    }
    #expect(try figures(.secondary, pre: nil, post: nil, amount: nil, [(10, 0, 10, 0)]).netNewCash() == [0])
  }
}
