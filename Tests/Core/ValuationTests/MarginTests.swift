import Primitives
import PropertyKit
import Testing
import Valuation

@Suite("Margin")
struct MarginTests {
  /// 64 chips of 10,000.00 at trade, expected to keep 60 % after a year; a fifth below the curve is a breach; a tenth is
  /// taken off for a sale.
  private func terms(threshold: Int64 = 8_000, haircut: Int64 = 1_000) throws -> MarginTerms {
    let point = try #require(DepreciationCurve.Point("12:6000"))
    let start = try day("2026-01-01")
    let curve = try #require(
      DepreciationCurve(
        points: [point], firstPriceMicros: 10_000_000_000,
        firstPriceOn: start, source: "assumed"))
    return try #require(
      MarginTerms(
        curve: curve, threshold: BasisPoints(threshold), haircut: BasisPoints(haircut), cureDays: 10, consequence: .due)
    )
  }

  private func test(
    on date: String, mark: Int64, deposits: Int64 = 0, outstanding: Int64 = 60_000_000
  ) throws -> MarginTest {
    try MarginTest(
      terms(), on: day(date), units: 64, mark: Money(mark, .usd), deposits: Money(deposits, .usd),
      outstanding: Money(outstanding, .usd))
  }

  @Test("ordinary depreciation is no breach, a fall below the curve is: by hand")
  func hand() throws {
    // At trade: 64 x 10,000.00 x 90 % = 576,000.00 expected, four fifths of it required.
    let first = try test(on: "2026-01-01", mark: 1_000_000)
    #expect(first.expected == Money(57_600_000, .usd))
    #expect(first.required == Money(46_080_000, .usd))
    #expect(!first.isBreach)
    // After a year the chips are worth 60 %, as expected.
    let aged = try test(on: "2027-01-01", mark: 600_000)
    #expect(aged.expected == Money(34_560_000, .usd) && aged.held == Money(34_560_000, .usd))
    #expect(!aged.isBreach)
    // 48 % of the price is a fifth below the curve, to the cent; a cent less a chip is missing.
    #expect(try !test(on: "2027-01-01", mark: 480_000).isBreach)
    #expect(try test(on: "2027-01-01", mark: 479_999).shortfall == Money(58, .usd))
    #expect(try !test(on: "2027-01-01", mark: 479_999, deposits: 58).isBreach)
    // Nothing is called for beyond the debt.
    #expect(try test(on: "2027-01-01", mark: 1, outstanding: 1_000).shortfall == Money(943, .usd))
    #expect(throws: ValuationRefusal.self) { try test(on: "2025-12-31", mark: 1) }
  }

  @Test("the test is monotone: a better mark, more deposits or less debt never make it worse")
  func monotone() throws {
    var random = SplitMix64(seed: 54)
    let terms = try terms()
    for _ in 0..<2_000 {
      let start = try day("2026-01-01")
      let date = try #require(start.adding(days: random.int64(in: 0...800)))
      let (mark, deposits) = (random.int64(in: 0...1_200_000), random.int64(in: 0...60_000_000))
      let owed = random.int64(in: 0...90_000_000)
      func shortfall(_ mark: Int64, _ deposits: Int64, _ owed: Int64) throws -> Int64 {
        try MarginTest(
          terms, on: date, units: 64, mark: Money(mark, .usd), deposits: Money(deposits, .usd),
          outstanding: Money(owed, .usd)
        ).shortfall.amount
      }
      let base = try shortfall(mark, deposits, owed)
      #expect(base >= 0 && base <= owed)
      #expect(try shortfall(mark + 1, deposits, owed) <= base)
      #expect(try shortfall(mark, deposits + 1, owed) <= base)
      #expect(try shortfall(mark, deposits, max(0, owed - 1)) <= base)
      if base > 0 { #expect(try shortfall(mark, deposits + base, owed) == 0, "what is called for is enough") }
    }
  }

  private func call(_ shortfall: Int64 = 1_000) throws -> MarginCall {
    // Held is nothing, so what is owed is what is missing.
    let test = try test(on: "2026-06-01", mark: 0, outstanding: shortfall)
    return try MarginCall(
      id: MarginCallID(UUIDValue(high: 1, low: 1)), loanID: LoanID(UUIDValue(high: 1, low: 2)), test: test,
      terms: terms())
  }

  @Test("a call is agreed, cured in parts, and ends")
  func cured() throws {
    var call = try call()
    #expect(call.dueOn == (try day("2026-06-11")))
    try call.agree()
    #expect(try call.cure(Money(400, .usd), on: day("2026-06-02")) == 400)
    #expect(call.missing == 600 && call.state == .agreed)
    #expect(try call.cure(Money(900, .usd), on: day("2026-06-03")) == 600, "no more is taken than was called for")
    let end = try day("2026-06-03")
    #expect(call.state == .cured && call.endedOn == end)
    #expect(throws: MarginRefusal.ended(.cured, act: "agreed to")) { try call.agree() }
  }

  @Test("of a disputed call the undisputed part stays due, and lapses alone")
  func disputed() throws {
    var part = try call()
    try part.dispute(300, reason: "the mark is of another model")
    #expect(part.state == .partlyAgreed && part.missing == 700)
    #expect(try !part.endDay(day("2026-06-11")))
    var paid = part
    #expect(try paid.cure(Money(700, .usd), on: day("2026-06-05")) == 700)
    #expect(try !paid.endDay(day("2026-07-01")), "what is disputed does not lapse")
    #expect(try part.endDay(day("2026-06-12")))
    #expect(part.state == .lapsed)
    var whole = try call()
    try whole.dispute(1_000, reason: "all of it")
    #expect(whole.state == .disputed)
    #expect(try !whole.endDay(day("2026-12-31")))
    var upheld = whole
    try upheld.decideDispute(isUpheld: true, on: day("2026-06-20"))
    #expect(upheld.state == .cleared)
    try whole.decideDispute(isUpheld: false, on: day("2026-06-20"))
    #expect(whole.state == .agreed && whole.missing == 1_000)
    #expect(try whole.endDay(day("2026-06-21")))
    // A part upheld, and what was left had been paid.
    try paid.decideDispute(isUpheld: true, on: day("2026-06-20"))
    #expect(paid.state == .cured && paid.called == Money(700, .usd))
  }

  @Test("a mark that recovers clears the call")
  func cleared() throws {
    var call = try call()
    #expect(try !call.retest(test(on: "2026-06-02", mark: 0, outstanding: 900)))
    #expect(try call.retest(test(on: "2026-06-03", mark: 900_000)))
    #expect(call.state == .cleared)
  }

  @Test("whatever is done in whatever order, the amounts stay within each other and what has ended stays so")
  func walks() throws {
    var random = SplitMix64(seed: 55)
    for _ in 0..<3_000 {
      var call = try call(random.int64(in: 1...5_000))
      var date = try day("2026-06-01")
      for _ in 0..<12 {
        let before = call
        date = try #require(date.adding(days: random.int64(in: 0...3)))
        do {
          switch random.int(in: 0...6) {
          case 0: try call.agree()
          case 1: try call.dispute(random.int64(in: 0...6_000), reason: "r")
          case 2: _ = try call.cure(Money(random.int64(in: 0...3_000), .usd), on: date)
          case 3: try call.decideDispute(isUpheld: random.oneIn(2), on: date)
          case 4: _ = try call.endDay(date)
          case 5:
            _ = try call.retest(
              MarginTest(
                terms(), on: date, units: 64, mark: Money(random.oneIn(4) ? 900_000 : 0, .usd),
                deposits: .zero(.usd), outstanding: Money(100, .usd)))
          default: _ = try call.cure(Money(1, .cny), on: date)
          }
        } catch is MarginRefusal {
          #expect(call == before, "a refusal changes nothing")
        }
        if before.state.isEnded { #expect(call == before) }
        #expect(call.called.amount > 0 && call.called.amount <= before.called.amount)
        #expect((0...call.called.amount).contains(call.disputed))
        #expect((0...call.called.amount).contains(call.cured))
        #expect((call.endedOn != nil) == call.state.isEnded)
        if call.state == .cured { #expect(call.cured == call.called.amount) }
        if call.state == .lapsed { #expect(call.missing > 0 && date > call.dueOn) }
        if call.state == .disputed { #expect(call.disputed == call.called.amount) }
      }
    }
  }
}
