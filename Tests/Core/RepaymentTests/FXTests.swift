import Primitives
import PropertyKit
import Repayment
import Testing

@Suite("Rates between currencies")
struct FXTests {
  private func currency(_ code: String) throws -> Currency { try #require(Currency(code)) }

  private func rate(
    _ base: String, _ quote: String, _ mantissa: Int64, _ places: Int, on date: String = "2024-05-02"
  ) throws -> FXRate {
    try FXRate(
      base: currency(base), quote: currency(quote), mantissa: mantissa, places: places, on: day(date), source: "ECB")
  }

  @Test(
    "amounts are converted exactly, minor units of both sides heeded",
    arguments: [
      // 100.00 EUR at 1.0850 = 108.50 USD
      ("EUR", "USD", 10_850, 4, 10_000, "USD", .halfEven, 10_850),
      // 100.00 USD back: 100 / 1.085 = 92.1658986... EUR
      ("EUR", "USD", 10_850, 4, 10_000, "EUR", .down, 9_216), ("EUR", "USD", 10_850, 4, 10_000, "EUR", .up, 9_217),
      ("EUR", "USD", 10_850, 4, 10_000, "EUR", .halfEven, 9_217),
      // 1.00 USD at 155.25 = 155.25 JPY, which has no minor unit
      ("USD", "JPY", 15_525, 2, 100, "JPY", .halfEven, 155), ("USD", "JPY", 15_525, 2, 100, "JPY", .up, 156),
      // 10,000 JPY = 64.412238... USD
      ("USD", "JPY", 15_525, 2, 10_000, "USD", .halfUp, 6_441),
      // 1.000 KWD at 3.25 = 3.25 USD; 1.00 USD = 0.307692... KWD
      ("KWD", "USD", 325, 2, 1_000, "USD", .halfEven, 325), ("KWD", "USD", 325, 2, 100, "KWD", .halfEven, 308),
      // A tie goes to the even neighbour: 0.05 at 0.5 is 0.025.
      ("USD", "CNY", 5, 1, 5, "CNY", .halfEven, 2), ("USD", "CNY", 5, 1, 5, "CNY", .halfUp, 3),
      ("USD", "CNY", 5, 1, -5, "CNY", .down, -3),
    ] as [(String, String, Int64, Int, Int64, String, Rounding, Int64)])
  func conversions(
    base: String, quote: String, mantissa: Int64, places: Int, amount: Int64, into: String, rounding: Rounding,
    expected: Int64
  ) throws {
    let table = try FXTable([rate(base, quote, mantissa, places)], maxStalenessDays: 0)
    let from = try currency(into == quote ? base : quote)
    let found = try table.convert(
      Money(amount, from), to: currency(into), asOf: day("2024-05-02"), rounding: rounding)
    #expect(try found.amount == Money(expected, currency(into)))
    #expect(found.by?.rate.mantissa == mantissa)
    #expect(found.by?.rounding == rounding)
  }

  @Test("the latest rate by the day is taken, direct or turned round, and none that is too old")
  func asOf() throws {
    let (eur, usd) = (try currency("EUR"), Currency.usd)
    let table = try FXTable(
      [
        rate("EUR", "USD", 110, 2, on: "2024-05-02"), rate("USD", "EUR", 80, 2, on: "2024-05-06"),
        rate("EUR", "USD", 130, 2, on: "2024-05-07"),
      ], maxStalenessDays: 3)
    for (date, mantissa) in [("2024-05-02", 110), ("2024-05-05", 110), ("2024-05-06", 80), ("2024-05-10", 130)] {
      #expect(try table.rate(between: eur, and: usd, asOf: day(date)).mantissa == Int64(mantissa))
      #expect(try table.rate(between: usd, and: eur, asOf: day(date)).mantissa == Int64(mantissa))
    }
    let (early, late) = (try day("2024-05-01"), try day("2024-05-11"))
    #expect(throws: RepaymentRefusal.noFXRate(from: eur, to: usd, on: early, lastKnown: nil)) {
      try table.rate(between: eur, and: usd, asOf: early)
    }
    let last = try day("2024-05-07")
    let refusal = RepaymentRefusal.noFXRate(from: eur, to: usd, on: late, lastKnown: last)
    #expect(throws: refusal) { try table.rate(between: eur, and: usd, asOf: late) }
    #expect(refusal.detail == "There is no rate from EUR to USD for 2024-05-11; that of 2024-05-07 is too old.")
    #expect(refusal.kind == .conflict)
  }

  @Test("no cross through a third currency; its own currency needs no rate")
  func crosses() throws {
    let table = try FXTable([rate("EUR", "USD", 11, 1), rate("USD", "CNY", 72, 1)], maxStalenessDays: 9)
    let (eur, date) = (try currency("EUR"), try day("2024-05-02"))
    #expect(throws: RepaymentRefusal.noFXRate(from: eur, to: .cny, on: date, lastKnown: nil)) {
      try table.convert(Money(1, eur), to: .cny, asOf: date, rounding: .down)
    }
    let same = try FXTable.empty.convert(Money(7, eur), to: eur, asOf: date, rounding: .down)
    #expect(same.amount == Money(7, eur))
    #expect(same.by == nil)
  }

  @Test("a rate that is none, and two for one day, are refused; an amount past Int64 too")
  func refusals() throws {
    let (eur, date) = (try currency("EUR"), try day("2024-05-02"))
    for (mantissa, places) in [(0, 2), (-1, 2), (1, -1), (1, 13)] as [(Int64, Int)] {
      #expect(throws: RepaymentRefusal.rateNotUsable(base: eur, quote: .usd, on: date)) {
        try rate("EUR", "USD", mantissa, places)
      }
    }
    #expect(throws: RepaymentRefusal.rateNotUsable(base: eur, quote: eur, on: date)) { try rate("EUR", "EUR", 1, 0) }
    #expect(throws: RepaymentRefusal.rateTwice(base: eur, quote: .usd, on: date)) {
      try FXTable([rate("EUR", "USD", 1, 0), rate("EUR", "USD", 2, 0)], maxStalenessDays: 1)
    }
    #expect(throws: RepaymentRefusal.rateTwice(base: eur, quote: .usd, on: date)) {
      try FXTable([rate("EUR", "USD", 1, 0), rate("USD", "EUR", 1, 0)], maxStalenessDays: 1)
    }
    #expect(throws: RepaymentRefusal.negativeAmount(what: "oldest age of a rate", -1)) {
      try FXTable([], maxStalenessDays: -1)
    }
    let table = try FXTable([rate("EUR", "USD", .max, 0)], maxStalenessDays: 0)
    #expect(throws: RepaymentRefusal.overflow) {
      try table.convert(Money(.max, eur), to: .usd, asOf: date, rounding: .down)
    }
    #expect(try rate("EUR", "USD", 85, 4).description == "EUR/USD 0.0085 on 2024-05-02 (ECB)")
    #expect(try rate("EUR", "USD", 2, 0).description == "EUR/USD 2 on 2024-05-02 (ECB)")
  }

  @Test("there and back never gains when rounded down, nor loses when rounded up")
  func roundTrip() throws {
    let (eur, date) = (try currency("EUR"), try day("2024-05-02"))
    try forAll(seeds: 1...5_000) { random in
      let table = try FXTable(
        [rate("EUR", "USD", random.int64(in: 1...2_000_000), random.int(in: 0...6))], maxStalenessDays: 0)
      let amount = random.int64(in: 0...1_000_000_000)
      for rounding in [Rounding.down, .up] {
        let there = try table.convert(Money(amount, eur), to: .usd, asOf: date, rounding: rounding).amount
        let back = try table.convert(there, to: eur, asOf: date, rounding: rounding).amount.amount
        try hold(rounding == .down ? back <= amount : back >= amount, "\(amount) became \(back)")
      }
    }
  }

  // MARK: The covenant over currencies

  private func facts(
    _ kind: FundingRoundKind, _ closings: [(String, Int64, Currency)], postMoney: Money? = nil, isInsider: Bool = false
  ) throws -> FundingRoundFacts {
    FundingRoundFacts(
      kind: kind, closings: try closings.map { .init(closedOn: try day($0.0), netNewCash: Money($0.1, $0.2)) },
      postMoney: postMoney, isInsider: isInsider)
  }

  @Test("each closing is converted at its own day, rounded as the covenant says, and the rates are on record")
  func covenant() throws {
    let eur = try currency("EUR")
    let table = try FXTable(
      [rate("EUR", "USD", 110, 2, on: "2024-05-02"), rate("EUR", "USD", 1_205, 3, on: "2024-06-03")],
      maxStalenessDays: 4)
    let round = try facts(
      .priced, [("2024-05-02", 1_001, eur), ("2024-05-20", 50, .usd), ("2024-06-03", 1_001, eur)],
      postMoney: Money(10_000, eur))
    // 11.01 (from 11.011) + 0.50 + 12.06 (from 12.06205) = 23.57 USD; the post-money is 120.50 USD.
    for (rounding, cash) in [(.down, 2_357), (.up, 2_359)] as [(Rounding, Int64)] {
      let covenant = Covenant(
        leastAmount: Money(cash, .usd), leastPostMoney: Money(12_050, .usd), sweep: .whole,
        firstDay: try day("2024-01-01"),
        conversionRounding: rounding)
      let test = try covenant.test(closingOn: day("2024-06-03"), of: round, rates: table)
      #expect(test.met)
      #expect(test.facts[2].measured == .money(Money(cash, .usd)))
      #expect(test.facts[2].conversions.map(\.rate.mantissa) == [110, 1_205])
      #expect(test.facts[3].measured == .money(Money(12_050, .usd)))
    }
    let covenant = Covenant(
      leastAmount: Money(1, .cny), leastPostMoney: nil, sweep: .whole, firstDay: try day("2024-01-01"))
    let first = try day("2024-05-02")
    #expect(throws: RepaymentRefusal.noFXRate(from: eur, to: .cny, on: first, lastKnown: nil)) {
      try covenant.test(closingOn: first, of: round, rates: table)
    }
  }

  @Test("rounds of insiders count unless the covenant excludes them")
  func insiders() throws {
    let date = try day("2024-05-02")
    let round = try facts(.priced, [("2024-05-02", 100, .usd)], isInsider: true)
    for (excludes, met) in [(false, true), (true, false)] {
      let covenant = Covenant(
        leastAmount: nil, leastPostMoney: nil, sweep: .whole, firstDay: date, excludesInsiderRounds: excludes)
      let test = try covenant.test(closingOn: date, of: round)
      #expect(test.met == met)
      #expect(test.facts.filter { !$0.met }.map(\.subject) == (met ? [] : [.insiders]))
    }
    // Its cash does not widen another round either.
    let outside = try facts(.priced, [("2024-05-02", 100, .usd)])
    let covenant = Covenant(
      leastAmount: Money(101, .usd), leastPostMoney: nil, sweep: .whole, firstDay: date, excludesInsiderRounds: true)
    #expect(try !covenant.test(closingOn: date, of: outside, otherRounds: [round]).met)
  }

  @Test("a licence and hire is what the covenant makes of it", arguments: LicenceAndHireTerm.allCases)
  func licenceAndHire(term: LicenceAndHireTerm) throws {
    let date = try day("2024-03-19")
    let deal = try facts(.licenceAndHire, [("2024-03-19", 620, .usd)])
    let covenant = Covenant(
      leastAmount: Money(600, .usd), leastPostMoney: Money(1, .usd), sweep: .whole, firstDay: date, licenceAndHire: term
    )
    let test = try covenant.test(closingOn: date, of: deal)
    #expect(test.met == (term != .ignored))
    #expect(covenant.isChangeOfControl(.licenceAndHire) == (term == .changeOfControl))
    #expect(covenant.isChangeOfControl(.acquisition))
    #expect(!covenant.isChangeOfControl(.priced))
  }
}
