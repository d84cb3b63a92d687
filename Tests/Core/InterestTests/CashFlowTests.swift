import Interest
import Primitives
import PropertyKit
import Testing

@Suite("Yields")
struct CashFlowTests {
  private func flows(_ list: [(String, String)]) throws -> CashFlows {
    try CashFlows(list.map { CashFlows.Flow(date: try day($0.0), amount: try amount($0.1)) })
  }

  private func rate(_ list: [(String, String)], places: Int = 18) throws -> String? {
    try flows(list).internalRate(places: places)?.trimmed.description
  }

  @Test("a payment built from a rate gives the rate back, from -90 % to 10,000 %, to twelve places")
  func recovers() throws {
    try forAll(seeds: 1...60) { random in
      let thousandths = random.oneIn(3) ? random.int64(in: 2_000...100_000) : random.int64(in: -900...1_999)
      let rate = DecimalNumeral(unscaled: WideInteger(thousandths), places: 3)
      let growth = .one + rate.rational
      let start = try random.date()
      let years = random.int(in: 1...4)
      // Whole multiples of 365 days, where powers are exact: a coupon each, and what is left with the last.
      var balance = ExactRational(1_000_000)
      var list = [CashFlows.Flow(date: start, amount: DecimalNumeral(unscaled: -1_000_000, places: 0))]
      for year in 1...years {
        balance = balance * growth
        let date = try #require(start.adding(days: Int64(365 * year)))
        var paid = DecimalNumeral(unscaled: WideInteger(random.int64(in: 0...200_000)), places: 0)
        if year == years { paid = balance.rounded(places: 16, rounding: .halfEven) }
        balance = year == years ? .zero : balance - paid.rational
        list.append(CashFlows.Flow(date: date, amount: paid))
      }
      // Coupons above what a low rate earns would have to be paid back: a second change of sign.
      guard !list.dropFirst().contains(where: { $0.amount.isNegative }) else { return }
      let found = try #require(try CashFlows(list).internalRate(places: 12))
      try hold(found.rational == rate.rational, "\(found) for \(rate)")
      let value = try CashFlows(list).netPresentValue(at: rate.rational, places: 6)
      try hold(value.isZero, "worth \(value) at its own rate")
    }
  }

  @Test("the order of the list does not matter, and flows of one day are one flow")
  func order() throws {
    let sorted = try flows([("2023-03-27", "-100"), ("2023-09-01", "40"), ("2024-05-01", "75")])
    let mixed = try flows([
      ("2024-05-01", "75"), ("2023-03-27", "-60"), ("2023-09-01", "40.0"), ("2023-03-27", "-40"),
    ])
    #expect(try sorted.internalRate(places: 18) == mixed.internalRate(places: 18))
    let tenth = try fraction(1, 10)
    #expect(try sorted.netPresentValue(at: tenth, places: 18) == mixed.netPresentValue(at: tenth, places: 18))
  }

  @Test(
    "there is no rate without amounts of both signs on different days",
    arguments: [
      [], [("2023-01-01", "-100")], [("2023-01-01", "0"), ("2024-01-01", "0")],
      [("2023-01-01", "100"), ("2024-01-01", "1")], [("2023-01-01", "-100"), ("2023-01-01", "150")],
      [("2023-01-01", "-100"), ("2023-01-01", "100")],
      [("2023-01-01", "-100"), ("2023-01-01", "100"), ("2024-01-01", "5")],
    ] as [[(String, String)]])
  func none(_ list: [(String, String)]) throws {
    #expect(try rate(list) == nil)
  }

  @Test("a case without a rate is answered with null and a remark")
  func remark() throws {
    let file = try CaseFile(
      parsing: Array(#"{"cases":[{"case_id":"x","flows":[["2023-03-27","-1000"],["2023-09-01",-50]]}]}"#.utf8),
      kind: .xirr)
    let line = try file.answer(at: 0).result.get()
    #expect(
      String(decoding: line.bytes, as: UTF8.self)
        == #"{"case_id":"x","xirr":null,"xnpv_at_10pct":"-1047.979097539781717745"}"#)
    #expect(line.remark != nil)
  }

  @Test("signs that change twice may have no rate, one, or two, of which the one nearest to zero is given")
  func several() throws {
    // 365 days apart: with g the growth of a year they are a g^2 + b g + c.
    let dates = ["2021-01-01", "2022-01-01", "2023-01-01", "2024-01-01"]
    func three(_ a: String, _ b: String, _ c: String) -> [(String, String)] {
      [(dates[0], a), (dates[1], b), (dates[2], c)]
    }
    #expect(try rate(three("-100", "230", "-132")) == "0.1")  // 10 % and 20 %
    #expect(try rate(three("100", "-170", "72")) == "-0.1")  // -20 % and -10 %
    #expect(try rate(three("-100", "210", "-108")) == "-0.1")  // -10 % and 20 %, by the factors 1 / 0.9 and 1.2
    #expect(try rate(three("-100", "220", "-121")) == "0.1")  // touches zero at 10 % alone
    #expect(try rate(three("-100", "200", "-101")) == nil)
    // 5 %, 10 % and 200 %: (1.05 - g)(1.1 - g)(3 - g).
    #expect(
      try rate([(dates[0], "-1"), (dates[1], "5.15"), (dates[2], "-7.605"), (dates[3], "3.465")]) == "0.05")
  }

  @Test("signs that change with every flow do not keep the rate from being found")
  func alternating() throws {
    var list: [CashFlows.Flow] = []
    let start = try day("2023-01-01")
    // A loan of 1,000 at 10 % over a year of 365 days, and a swing of cash each week that nets to its own 10 %.
    for week in 0..<40 {
      let date = try #require(start.adding(days: Int64(7 * week)))
      list.append(CashFlows.Flow(date: date, amount: try amount(week % 2 == 0 ? "-1000" : "1000")))
    }
    list.append(CashFlows.Flow(date: try #require(start.adding(days: 365)), amount: try amount("100")))
    let flows = try CashFlows(list)
    let rate = try #require(try flows.internalRate(places: 30))
    #expect(try flows.netPresentValue(at: rate.rational, places: 18).isZero)
  }

  @Test("rates near -100 %, past all measure, and next to nothing")
  func extremes() throws {
    #expect(try rate([("2023-01-01", "-1000000000000"), ("2023-12-31", "1")]) != nil)
    #expect(try rate([("2023-01-01", "-1000"), ("2023-01-02", "1")]) == "-1")  // 10^-1095 above it
    #expect(try rate([("2023-01-01", "-1"), ("2024-01-01", "1000000000000000000000")]) == "999999999999999999999")
    // Doubled in a day: 2^365 - 1.
    #expect(
      try rate([("2023-01-01", "-1"), ("2023-01-02", "2")])
        == (WideInteger(2).power(365) - 1).description)
    #expect(
      try rate([("2023-01-01", "-1000000000000000000"), ("2024-01-01", "1000000000000000001")])
        == "0.000000000000000001")
    #expect(try rate([("2023-01-01", "-5"), ("2024-01-01", "5")]) == "0")
    let tooMuch = try flows([("2023-01-01", "-0.000000000000000000000001"), ("2023-01-02", "999999999999999999999999")])
    #expect(throws: InterestRefusal.overflow) { try tooMuch.internalRate(places: 18) }
    // From the first day of the calendar to the last.
    let ages = try flows([("0001-01-01", "-1"), ("9999-12-31", "1000000")])
    let rate = try #require(try ages.internalRate(places: 40))
    #expect(try ages.netPresentValue(at: rate.rational, places: 18).isZero)
  }

  @Test("a present value at a rate of zero is the sum, below zero it grows, and at -100 % there is none")
  func presentValues() throws {
    let flows = try flows([("2023-01-01", "-100"), ("2024-01-01", "0"), ("2025-12-31", "50")])
    #expect(try flows.netPresentValue(at: .zero, places: 2).description == "-50.00")
    // 1095 days: 50 / 0.5^3 - 100.
    let value = try flows.netPresentValue(at: try fraction(-1, 2), places: 2).description
    #expect(try day("2023-01-01").days(to: try day("2025-12-31")) == 1_095)
    #expect(value == "300.00")
    #expect(throws: InterestRefusal.rateOutOfRange(what: "rate")) {
      try flows.netPresentValue(at: try fraction(-1), places: 2)
    }
    let late = try self.flows([("2023-01-01", "0"), ("2024-01-01", "110")])
    #expect(try late.netPresentValue(at: try fraction(1, 10), places: 2).description == "100.00")
  }
}
