import Primitives
import PropertyKit
import Testing
import Valuation

@Suite("stress tests and concentration")
struct StressTestTests {
  private static func id<Noun>(_ number: Int) -> Identifier<Noun> {
    Identifier<Noun>(UUIDValue(high: 7, low: UInt64(number)))
  }

  private static func position(
    _ number: Int, startup: Int = 1, lender: Int = 1, units: Int64 = 100, owes: Int64, mark: Int64?, worth: Int64?,
    isHeld: Bool = false, currency: Currency = .usd, chip: String = "chip-a", region: String = "CN-north"
  ) throws -> RiskPosition {
    RiskPosition(
      loanID: id(number), borrowerID: id(startup), groupID: id(startup), lenderID: id(lender),
      chip: try #require(ChipModelID(chip)), region: region, units: units, outstanding: Money(owes, currency),
      mark: mark.map { Money($0, currency) }, valuation: worth.map { Money($0, currency) }, isHeld: isHeld)
  }

  /// Two loans of one startup that owes 150,000 and is worth 200,000; a loan of another that owes 90,000 and is worth
  /// 900,000. Chips at 1,000 each, 100 to a loan.
  private func book(isHeld: Bool = false) throws -> [RiskPosition] {
    [
      try Self.position(1, owes: 80_000, mark: 1_000, worth: 200_000, isHeld: isHeld),
      try Self.position(2, lender: 2, owes: 70_000, mark: 1_000, worth: 200_000),
      try Self.position(3, startup: 2, lender: 2, owes: 90_000, mark: 1_000, worth: 900_000),
    ]
  }

  @Test("a new generation of chips: coverage falls, and nothing is lost while nobody fails")
  func generation() throws {
    let test = try StressTest(before: book(), after: book(), StressScenario(allChipsLoss: BasisPoints(3_000)))
    #expect(test.lines.map(\.before.recoverable) == [100_000, 100_000, 100_000])
    #expect(test.lines.map(\.after.recoverable) == [70_000, 70_000, 70_000])
    #expect(test.lines.map { $0.before.coverage?.value } == [12_500, 14_285, 11_111])
    #expect(test.lines.map { $0.after.coverage?.value } == [8_750, 10_000, 7_777])
    #expect(test.lines.map(\.after.isBreach) == [true, false, true])
    #expect(test.lines.map(\.after.uncovered) == [10_000, 0, 20_000])
    #expect(test.totals.map(\.lossAfter) == [0] && test.totals.map(\.breachesAfter) == [2])
  }

  @Test("a down round: the startup that owes more than it is worth fails, and each lender loses what is not covered")
  func downRound() throws {
    let scenario = StressScenario(
      allChipsLoss: BasisPoints(3_000), allStartupsLoss: BasisPoints(3_000), saleHaircut: BasisPoints(1_000))
    let test = try StressTest(before: book(), after: book(), scenario)
    // 150,000 over 140,000; 90,000 over 630,000.
    #expect(test.lines.map { $0.after.debtOverValuation?.value } == [10_715, 10_715, 1_429])
    #expect(test.lines.map(\.after.fails) == [true, true, false])
    // 100 chips at 1,000, less 30 %, less 10 %: 63,000.
    #expect(test.lines.map(\.after.loss) == [17_000, 7_000, 0])
    #expect(test.lines.map(\.before.loss) == [0, 0, 0])
    #expect(test.lenders.map(\.lossAfter) == [17_000, 7_000])
    #expect(test.lenders.map(\.organizationID) == [Self.id(1), Self.id(2)])
    #expect(test.totals.first?.lossAfter == 24_000 && test.totals.first?.uncoveredAfter == 51_000)
  }

  @Test("a ban day: chips that nobody may move bring nothing, or what the scenario says")
  func ban() throws {
    var scenario = StressScenario(startupLoss: [Self.id(1): BasisPoints(9_000)])
    let test = try StressTest(before: book(), after: book(isHeld: true), scenario)
    #expect(test.lines[0].before.recoverable == 100_000 && test.lines[0].after.recoverable == 0)
    #expect(test.lines.map(\.after.loss) == [80_000, 0, 0])
    scenario.heldRecovery = BasisPoints(5_000)
    #expect(try StressTest(before: book(), after: book(isHeld: true), scenario).lines[0].after.loss == 30_000)
  }

  @Test("what is not known counts for nothing: no mark, no value; no valuation, and it fails")
  func unknown() throws {
    let book = [try Self.position(1, owes: 500, mark: nil, worth: nil)]
    let line = try #require(try StressTest(before: book, after: book, StressScenario()).lines.first)
    #expect(line.before.recoverable == 0 && line.before.fails && line.before.loss == 500)
    #expect(line.before.debtOverValuation == nil && line.before.isBreach)
    let paid = [try Self.position(1, owes: 0, mark: nil, worth: nil)]
    let none = try #require(try StressTest(before: paid, after: paid, StressScenario()).lines.first)
    #expect(!none.before.fails && none.before.coverage == nil && !none.before.isBreach && none.before.loss == 0)
  }

  @Test("the worse the scenario, the greater each loss; sums by lender are the book's")
  func laws() throws {
    try forAll(seeds: 1...1_000) { random in
      let book = try (1...random.int(in: 1...12)).map { number in
        try Self.position(
          number, startup: random.int(in: 1...4), lender: random.int(in: 1...3),
          units: Int64(random.int(in: 0...64)), owes: Int64(random.int(in: 0...1_000_000)),
          mark: random.int(in: 0...9) == 0 ? nil : Int64(random.int(in: 1...50_000)),
          worth: random.int(in: 0...9) == 0 ? nil : Int64(random.int(in: 1...5_000_000)),
          isHeld: random.int(in: 0...3) == 0, currency: random.int(in: 0...4) == 0 ? .cny : .usd)
      }
      func share(_ most: Int) -> BasisPoints { BasisPoints(Int64(random.int(in: 0...most))) }
      let mild = StressScenario(
        allChipsLoss: share(5_000), allStartupsLoss: share(5_000), saleHaircut: share(5_000),
        heldRecovery: share(10_000),
        failsAbove: share(20_000))
      var hard = mild
      hard.allChipsLoss = BasisPoints(mild.allChipsLoss.value + Int64(random.int(in: 0...5_000)))
      hard.allStartupsLoss = BasisPoints(mild.allStartupsLoss.value + Int64(random.int(in: 0...5_000)))
      let (one, other) = (
        try StressTest(before: book, after: book, mild), try StressTest(before: book, after: book, hard)
      )
      for (less, more) in zip(one.lines, other.lines) {
        try hold(less.before == more.before, "before depends on the scenario")
        try hold(less.before.loss <= less.after.loss, "less is lost under stress")
        try hold(less.after.loss <= more.after.loss, "less is lost under more stress")
        try hold(more.after.loss <= more.position.outstanding.amount, "more is lost than owed")
      }
      for total in other.totals {
        let parts = other.lenders.filter { $0.currency == total.currency }
        try hold(parts.reduce(0) { $0 + $1.lossAfter } == total.lossAfter, "losses of lenders are not the book's")
        try hold(parts.reduce(0) { $0 + $1.outstanding } == total.outstanding, "debts are not the book's")
      }
    }
  }

  @Test("concentration: shares of one currency, by each dimension, the largest first")
  func concentration() throws {
    let book =
      try book() + [
        try Self.position(4, owes: 1_000, mark: nil, worth: nil, currency: .cny, chip: "chip-b", region: "SG")
      ]
    let startups = try Concentration.by(.startup, of: book)
    #expect(startups.map(\.currency) == [.cny, .usd, .usd])
    #expect(startups.map(\.share.value) == [10_000, 6_250, 3_750])
    #expect(startups.map(\.outstanding) == [1_000, 150_000, 90_000])
    #expect(startups.map { $0.coverage?.value } == [0, 13_333, 11_111])
    #expect(startups.map(\.unmarked) == [1, 0, 0])
    #expect(try Concentration.by(.lender, of: book).map(\.outstanding) == [1_000, 160_000, 80_000])
    #expect(try Concentration.by(.chip, of: book).map(\.key) == ["chip-b", "chip-a"])
    #expect(try Concentration.by(.region, of: book).map(\.key) == ["SG", "CN-north"])
    #expect(try Concentration.by(.group, of: book).map(\.loans) == [1, 2, 1])
    #expect(try Concentration.by(.group, of: []).isEmpty)
  }
}
