import Primitives
import PropertyKit
import Repayment
import Testing

@Suite("Delinquency")
struct DelinquencyTests {
  private func rules(_ graceDays: Int64 = 5, bounds: [Int64] = DelinquencyRules.usualBounds) throws -> DelinquencyRules
  {
    try DelinquencyRules(graceDays: graceDays, bounds: bounds, defaultMargin: BasisPoints(500))
  }

  @Test(
    "days past due, bucket and non-accrual, from a due day of 2024-01-31",
    arguments: [
      ("2024-01-30", 0, "current", false), ("2024-01-31", 0, "current", false), ("2024-02-05", 0, "current", false),
      // After the grace days lateness counts from the due day.
      ("2024-02-06", 6, "1-29", false), ("2024-02-29", 29, "1-29", false), ("2024-03-01", 30, "30-59", false),
      ("2024-03-31", 60, "60-89", false), ("2024-04-29", 89, "60-89", false), ("2024-04-30", 90, "90+", true),
      ("2025-01-31", 366, "90+", true),
    ])
  func table(date: String, days: Int64, bucket: String, isNonAccrual: Bool) throws {
    let found = Delinquency(on: try day(date), oldestDue: try day("2024-01-31"), rules: try rules())
    #expect(found.daysPastDue == days)
    #expect(found.bucket.description == bucket)
    #expect(found.isNonAccrual == isNonAccrual)
    #expect(Delinquency(on: try day(date), oldestDue: nil, rules: try rules()).daysPastDue == 0)
  }

  @Test("bounds are data")
  func bounds() throws {
    let weekly = try rules(0, bounds: [1, 2, 8])
    for (days, bucket) in [(0, "current"), (1, "1"), (2, "2-7"), (7, "2-7"), (8, "8+")] as [(Int64, String)] {
      let due = try day("2024-01-31")
      let on = try #require(due.adding(days: days))
      #expect(Delinquency(on: on, oldestDue: due, rules: weekly).bucket.description == bucket)
    }
    for wrong in [[], [0], [-1, 5], [1, 1], [5, 3]] as [[Int64]] {
      #expect(throws: RepaymentRefusal.boundsNotRising) { try rules(bounds: wrong) }
    }
    #expect(throws: RepaymentRefusal.negativeAmount(what: "grace in days", -1)) { try rules(-1) }
    #expect(throws: RepaymentRefusal.notPositive(what: "days to non-accrual", 0)) {
      try DelinquencyRules(graceDays: 0, nonAccrualDays: 0, defaultMargin: BasisPoints(0))
    }
    #expect(throws: RepaymentRefusal.negativeAmount(what: "default margin", -1)) {
      try DelinquencyRules(graceDays: 0, defaultMargin: BasisPoints(-1))
    }
  }

  @Test("paused days do not count, once each; a penalty runs outside of them")
  func pauses() throws {
    let pause = try DelinquencyPause(from: day("2024-02-10"), through: day("2024-02-19"))
    let found = Delinquency(
      on: try day("2024-03-01"), oldestDue: try day("2024-01-31"), pauses: [pause, pause], rules: try rules())
    #expect(found.daysPastDue == 20)
    // 10,000.00 at 5 % over 30 days of 360: 41.67; without the ten paused days 27.78.
    let (from, to) = (try day("2024-02-01"), try day("2024-03-02"))
    #expect(try rules().penalty(on: 1_000_000, from: from, to: to, yearDays: 360) == 4_167)
    #expect(try rules().penalty(on: 1_000_000, from: from, to: to, yearDays: 360, pauses: [pause]) == 2_778)
    #expect(try rules().penalty(on: 1_000_000, from: from, to: from, yearDays: 360) == 0)
    #expect(throws: RepaymentRefusal.periodReversed(start: to, end: from)) {
      try rules().penalty(on: 1, from: to, to: from, yearDays: 360)
    }
    #expect(throws: RepaymentRefusal.negativeAmount(what: "overdue amount", -1)) {
      try rules().penalty(on: -1, from: from, to: to, yearDays: 360)
    }
    #expect(throws: RepaymentRefusal.notPositive(what: "days of a year", 0)) {
      try rules().penalty(on: 1, from: from, to: to, yearDays: 0)
    }
    #expect(throws: RepaymentRefusal.periodReversed(start: to, end: from)) {
      try DelinquencyPause(from: to, through: from)
    }
  }

  @Test("counted day by day it is the same")
  func differential() throws {
    let start = try day("2024-01-01")
    let rules = try rules(0)
    try forAll(seeds: 1...10_000) { random in
      func date(_ last: Int64) throws -> CalendarDate { try #require(start.adding(days: random.int64(in: 0...last))) }
      let (due, on) = (try date(60), try date(120))
      var pauses: [DelinquencyPause] = []
      for _ in 0..<random.int(in: 0...4) {
        let from = try date(120)
        pauses.append(
          try DelinquencyPause(from: from, through: #require(from.adding(days: random.int64(in: 0...30)))))
      }
      func isPaused(_ date: CalendarDate) -> Bool { pauses.contains { $0.from <= date && date <= $0.through } }
      var late: Int64 = 0
      var running: Int64 = 0
      var current = min(due, on)
      while current < on {
        if !isPaused(current) { running += 1 }
        current = try #require(current.adding(days: 1))
        if !isPaused(current) { late += 1 }
      }
      let found = Delinquency(on: on, oldestDue: due, pauses: pauses, rules: rules)
      try hold(found.daysPastDue == late, "\(found.daysPastDue) for \(due) to \(on) with \(pauses), not \(late)")
      guard due <= on else { return }
      // At 5 % of 7,200,000 a day of 360 costs 1,000.
      let penalty = try rules.penalty(on: 7_200_000, from: due, to: on, yearDays: 360, pauses: pauses)
      try hold(penalty == running * 1_000, "\(penalty) for \(running) days")
    }
  }
}

@Suite("Taxes on fees")
struct TaxLineTests {
  private func country(_ code: String) throws -> CountryCode { try #require(CountryCode(code)) }

  private func rule(
    _ kind: FeeTaxRule.Kind, _ jurisdiction: String, _ from: String, _ through: String?, _ rateBps: Int64,
    _ rounding: Rounding = .halfUp
  ) throws -> FeeTaxRule {
    try FeeTaxRule(
      kind: kind, jurisdiction: country(jurisdiction), from: day(from), through: through.map { try day($0) },
      rate: BasisPoints(rateBps), rounding: rounding, source: "test")
  }

  private func table() throws -> FeeTaxTable {
    try FeeTaxTable([
      rule(.sales, "SG", "2023-01-01", "2023-12-31", 800), rule(.sales, "SG", "2024-01-01", nil, 900),
      rule(.sales, "US", "2000-01-01", nil, 0), rule(.withholding, "US", "2000-01-01", nil, 3_000),
      rule(.withholding, "SG", "2000-01-01", nil, 1_000),
    ])
  }

  @Test(
    "sales tax by date, withholding across the border, with and without gross-up",
    arguments: [
      // At home only GST: 8 % in 2023, 9 % from 2024; 5 x 9 % is 0.45.
      ("SG", "SG", "SG", "2023-12-31", false, 10_000, 0, 800, 0, 10_800),
      ("SG", "SG", "SG", "2024-01-01", true, 10_000, 0, 900, 0, 10_900),
      ("SG", "SG", "SG", "2024-01-01", true, 5, 0, 0, 0, 5), ("SG", "SG", "SG", "2024-01-01", true, 6, 0, 1, 0, 7),
      // A borrower in the US keeps 30 % back; grossed up, 7,000 becomes 10,000.
      ("US", "US", "SG", "2024-01-01", false, 7_000, 0, 0, 2_100, 4_900),
      ("US", "US", "SG", "2024-01-01", true, 7_000, 3_000, 0, 3_000, 7_000),
      // 100 / 0.9 is 111.1...: of 111 the tax is 11. Sales tax is on the whole 111: 9.99.
      ("SG", "SG", "US", "2024-01-01", true, 100, 11, 10, 11, 110),
    ] as [(String, String, String, String, Bool, Int64, Int64, Int64, Int64, Int64)])
  func table(
    supply: String, payer: String, payee: String, date: String, isGrossedUp: Bool, fee: Int64, grossUp: Int64,
    sales: Int64, withheld: Int64, paid: Int64
  ) throws {
    let found = try TaxedFee(
      fee, on: day(date), supply: country(supply), payer: country(payer), payee: country(payee),
      isGrossedUp: isGrossedUp, table: table())
    #expect(found.grossUp == grossUp)
    #expect(found.salesTax == sales)
    #expect(found.withheld == withheld)
    #expect(found.paidToLender == paid)
    #expect((found.withholdingRule == nil) == (payer == payee))
  }

  @Test("no rule is a refusal, and so are two, rates out of range and a gross-up at 100 %")
  func refusals() throws {
    let (de, sg, date) = (try country("DE"), try country("SG"), try day("2024-01-01"))
    #expect(throws: RepaymentRefusal.noTaxRule(jurisdiction: de, on: date)) {
      try TaxedFee(1, on: date, supply: de, payer: de, payee: de, isGrossedUp: false, table: table())
    }
    let early = try day("2022-12-31")
    #expect(throws: RepaymentRefusal.noTaxRule(jurisdiction: sg, on: early)) {
      try table().rule(.sales, of: country("SG"), on: early)
    }
    let shared = try day("2024-01-01")
    #expect(throws: RepaymentRefusal.taxRulesOverlap(jurisdiction: sg, on: shared)) {
      try FeeTaxTable([rule(.sales, "SG", "2023-01-01", "2024-01-01", 1), rule(.sales, "SG", "2024-01-01", nil, 2)])
    }
    #expect(throws: RepaymentRefusal.shareOutOfRange(what: "tax rate", BasisPoints(10_001))) {
      try rule(.sales, "SG", "2023-01-01", nil, 10_001)
    }
    let all = try FeeTaxTable([
      rule(.withholding, "SG", "2000-01-01", nil, 10_000), rule(.sales, "SG", "2000-01-01", nil, 0),
    ])
    #expect(throws: RepaymentRefusal.shareOutOfRange(what: "tax rate to be grossed up", .whole)) {
      try TaxedFee(
        1, on: date, supply: country("SG"), payer: country("SG"), payee: country("US"), isGrossedUp: true, table: all)
    }
    #expect(throws: RepaymentRefusal.negativeAmount(what: "fee", -1)) {
      try TaxedFee(
        -1, on: date, supply: country("SG"), payer: country("SG"), payee: country("SG"), isGrossedUp: false,
        table: table())
    }
  }

  @Test("a gross-up is the least that leaves the whole fee, by the tax's own rounding")
  func grossUp() throws {
    let (sg, us, date) = (try country("SG"), try country("US"), try day("2024-01-01"))
    try forAll(seeds: 1...10_000) { random in
      let rounding = try random.pick(Rounding.allCases)
      let rate = random.oneIn(5) ? random.int64(in: 9_000...9_999) : random.int64(in: 0...4_000)
      let rules = try FeeTaxTable([
        rule(.withholding, "US", "2000-01-01", nil, rate, rounding), rule(.sales, "SG", "2000-01-01", nil, 900),
      ])
      let fee = random.int64(in: 0...(random.oneIn(2) ? 50 : 1_000_000_000_000))
      let found = try TaxedFee(
        fee, on: date, supply: sg, payer: us, payee: sg, isGrossedUp: true, table: rules)
      let gross = fee + found.grossUp
      try hold(gross - found.withheld >= fee, "\(found) leaves too little")
      try hold(found.paidToLender == gross - found.withheld + found.salesTax, "\(found)")
      if gross > fee {
        let product = Int128(gross - 1) * Int128(rate)
        let less = try product.divided(by: 10_000, rounding: rounding)
        try hold(Int128(gross - 1) - less < Int128(fee), "\(gross - 1) would have been enough")
      }
    }
  }
}
