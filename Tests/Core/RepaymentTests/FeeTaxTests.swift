import Primitives
import PropertyKit
import Repayment
import Testing

@Suite("Tax on fees")
struct FeeTaxTests {
  private func day(_ offset: Int64) throws -> CalendarDate {
    try #require(CalendarDate(year: 2024, month: 1, day: 1)?.adding(days: offset))
  }

  private func country(_ code: String) throws -> CountryCode { try #require(CountryCode(code)) }

  private func rule(
    _ rate: Int64, from: Int64 = 0, through: Int64? = nil, in code: String = "SG", kind: FeeTaxRule.Kind = .sales,
    rounding: Rounding = .halfUp, id: UInt64 = 0
  ) throws -> FeeTaxRule {
    try FeeTaxRule(
      kind: kind, jurisdiction: country(code), from: day(from), through: through.map { try day($0) },
      rate: BasisPoints(rate), rounding: rounding, source: "act",
      id: id == 0 ? nil : ReferenceEntryID(UUIDValue(high: 1, low: id)))
  }

  @Test("two rules of one tax never hold on one day; other taxes and other countries have their own")
  func overlaps() throws {
    let first = try rule(800, through: 30)
    #expect(throws: RepaymentRefusal.taxRulesOverlap(jurisdiction: try country("SG"), on: try day(30))) {
      try FeeTaxTable([first, rule(900, from: 30)])
    }
    let table = try FeeTaxTable([
      first, rule(900, from: 31), rule(1_300, in: "CN"), rule(1_000, from: 5, in: "CN", kind: .withholding),
    ])
    #expect(try table.rule(.sales, of: country("SG"), on: day(30)).rate.value == 800)
    #expect(try table.rule(.sales, of: country("SG"), on: day(31)).rate.value == 900)
    #expect(throws: RepaymentRefusal.noTaxRule(jurisdiction: try country("US"), on: try day(1))) {
      try table.rule(.sales, of: country("US"), on: day(1))
    }
    #expect(throws: RepaymentRefusal.noTaxRule(jurisdiction: try country("CN"), on: try day(4))) {
      try table.rule(.withholding, of: country("CN"), on: day(4))
    }
  }

  @Test("a rule takes the place of another from its first day on, or of all of it; a day without one is named")
  func superseding() throws {
    let old = try rule(800, id: 1)
    let table = try FeeTaxTable.empty.adding(old).adding(rule(900, from: 10, through: 19, id: 2), superseding: old.id)
    let periods = try table.periods(.sales, of: country("SG"), from: day(5), to: day(20))
    #expect(try periods.map(\.from) == [day(5), day(10)] && periods.map(\.to) == [day(10), day(20)])
    #expect(periods.map(\.rule.rate.value) == [800, 900])
    #expect(throws: RepaymentRefusal.noTaxRule(jurisdiction: try country("SG"), on: try day(20))) {
      try table.periods(.sales, of: country("SG"), from: day(5), to: day(21))
    }
    #expect(try table.periods(.sales, of: country("SG"), from: day(5), to: day(5)).isEmpty)
    let replaced = try FeeTaxTable.empty.adding(old).adding(rule(700, from: -5, id: 3), superseding: old.id)
    #expect(replaced.rules.map(\.rate.value) == [700])
    #expect(throws: RepaymentRefusal.self) { try table.adding(rule(500, from: 15)) }
  }

  @Test("tax day by day is the tax of the period, over whatever rates and fees, as a count by hand has it")
  func daily() throws {
    try forAll { random in
      var rules: [FeeTaxRule] = []
      var first: Int64 = 0
      for id in 1...random.int(in: 1...5) {
        let last = first + random.int64(in: 0...20)
        rules.append(
          try rule(random.int64(in: 0...3_000), from: first, through: last, id: UInt64(id)))
        first = last + 1
      }
      let table = try FeeTaxTable(rules)
      let fees = (0..<first).map { _ in random.oneIn(4) ? 0 : random.int64(in: 0...5_000_000) }
      func fee(from start: CalendarDate, to end: CalendarDate) throws -> Int64 {
        let from = Int(try day(0).days(to: start))
        return fees[from..<Int(try day(0).days(to: end))].reduce(0, +)
      }
      // In steps of random lengths, each split where the rule changes.
      var (state, at, sum) = (try FeeTaxAccrual(), Int64(0), Int64(0))
      while at < first {
        let next = min(first, at + random.int64(in: 1...15))
        for period in try table.periods(.sales, of: country("SG"), from: day(at), to: day(next)) {
          let step = try state.adding(fee: fee(from: period.from, to: period.to), by: period.rule)
          try hold(step.amount >= 0, "given back \(step.amount)")
          (state, sum) = (step.state, sum + step.amount)
        }
        at = next
      }
      // The naive twin: every day by itself, added up exactly and rounded once.
      var exact: Int128 = 0
      for offset in 0..<first {
        exact +=
          Int128(fees[Int(offset)]) * Int128(try table.rule(.sales, of: country("SG"), on: day(offset)).rate.value)
      }
      let expected = try exact.divided(by: 10_000, rounding: .halfUp).asInt64()
      try hold(sum == expected && state.total == expected, "\(sum) instead of \(expected)")
      try hold(Int128(state.residue) == exact - Int128(expected) * 10_000, "residue \(state.residue)")
    }
  }

  @Test("fee that is restated takes its tax with it, as if it had never been another")
  func restated() throws {
    try forAll { random in
      let rule = try rule(random.int64(in: 0...3_000))
      var (state, exact) = (try FeeTaxAccrual(), Int64(0))
      for _ in 0..<random.int(in: 1...30) {
        if random.oneIn(3), exact > 0 {
          let change = random.int64(in: -exact...exact)
          let (amount, after) = try state.changing(feeBy: change, rule: rule)
          try hold(after.total == state.total + amount, "\(amount)")
          (state, exact) = (after, exact + change)
        } else {
          let fee = random.int64(in: 0...100_000)
          (state, exact) = (try state.adding(fee: fee, by: rule).state, exact + fee)
        }
        let expected = try (Int128(exact) * Int128(rule.rate.value)).divided(by: 10_000, rounding: .halfUp)
        try hold(Int128(state.total) == expected, "\(state.total) instead of \(expected)")
      }
    }
  }

  @Test("a tax that was rounded up is not given back because a later rule rounds down")
  func roundings() throws {
    let up = try FeeTaxAccrual().adding(fee: 1, by: rule(800, rounding: .up))
    #expect(up.amount == 1 && up.state.residue == 800 - 10_000)
    let down = try up.state.adding(fee: 1, by: rule(800, rounding: .down))
    #expect(down.amount == 0 && down.state.total == 1)
    #expect(try down.state.adding(fee: 25, by: rule(800, rounding: .down)).amount == 1)
  }

  @Test("what makes no sense is refused, never a trap")
  func refused() throws {
    #expect(throws: RepaymentRefusal.self) { try FeeTaxAccrual(total: -1) }
    #expect(throws: RepaymentRefusal.self) { try FeeTaxAccrual(residue: 10_000) }
    #expect(throws: RepaymentRefusal.self) { try FeeTaxAccrual().adding(fee: -1, by: rule(1)) }
    #expect(throws: RepaymentRefusal.self) { try FeeTaxAccrual(total: .max).adding(fee: .max, by: rule(10_000)) }
    #expect(throws: RepaymentRefusal.self) { try rule(10_001) }
    #expect(throws: RepaymentRefusal.self) { try rule(1, from: 5, through: 4) }
  }

  @Test("a gross-up leaves the lender its whole fee after the tax that is kept back")
  func grossUp() throws {
    try forAll { random in
      let rate = random.int64(in: 0...9_000)
      let table = try FeeTaxTable([rule(900), rule(rate, in: "CN", kind: .withholding)])
      let fee = random.int64(in: 0...10_000_000)
      let taxed = try TaxedFee(
        fee, on: day(3), supply: country("SG"), payer: country("CN"), payee: country("SG"), isGrossedUp: true,
        table: table)
      try hold(taxed.fee + taxed.grossUp - taxed.withheld >= fee, "\(taxed)")
      try hold(taxed.paidToLender == fee + taxed.grossUp + taxed.salesTax - taxed.withheld, "\(taxed)")
      let least = taxed.fee + taxed.grossUp - 1
      let kept = try (Int128(max(0, least)) * Int128(rate)).divided(by: 10_000, rounding: .halfUp)
      try hold(taxed.grossUp == 0 || Int128(least) - kept < Int128(fee), "more than is needed: \(taxed)")
    }
  }

  @Test("what may be kept back of a fee leaves just what was paid, and no more may be")
  func keptBack() throws {
    try forAll { random in
      let rule = try rule(random.int64(in: 0...9_000), kind: .withholding)
      let fee = random.int64(in: 0...1_000_000)
      let kept = try TaxedFee.withheld(ofOwed: fee, by: rule)
      // Whoever keeps the tax of a fee back has paid the rest, and that lets it keep as much.
      let most = try TaxedFee.withheld(ofPaid: fee - kept, by: rule, isGrossedUp: false)
      try hold(most >= kept, "\(most) of \(fee) at \(rule.rate)")
      try hold(try TaxedFee.withheld(ofOwed: fee - kept + most, by: rule) == most, "\(most) is no tax")
      try hold(try TaxedFee.withheld(ofOwed: fee - kept + most + 1, by: rule) <= most, "one more may be kept")
      try hold(try TaxedFee.withheld(ofPaid: fee - kept, by: rule, isGrossedUp: true) <= most, "grossed up")
    }
    let all = try rule(10_000, kind: .withholding)
    #expect(throws: RepaymentRefusal.self) { try TaxedFee.withheld(ofPaid: 1, by: all, isGrossedUp: false) }
    #expect(throws: RepaymentRefusal.self) { try TaxedFee.withheld(ofPaid: -1, by: all, isGrossedUp: true) }
  }

  @Test("a position accrues tax with its fee, split where the rule changes, day by day or at once")
  func positions() throws {
    let old = try rule(800, id: 1)
    let table = try FeeTaxTable.empty.adding(old).adding(rule(900, from: 10, through: 29, id: 2), superseding: old.id)
    func position() throws -> LoanPosition {
      LoanPosition(
        loanID: LoanID(UUIDValue(high: 1, low: 1)), lenderID: OrganizationID(UUIDValue(high: 2, low: 1)),
        currency: .usd,
        rank: 1, covenant: nil, rate: BasisPoints(1_000),
        accrual: try FeeAccrual(dayCount: .act360, accruedThrough: day(0)),
        owed: StepAmounts(charges: 0, fee: 0, principal: 14_400_000),
        rateChanges: [LoanPosition.RateChange(from: try day(15), rate: BasisPoints(500))],
        tax: LoanPosition.FeeTax(table: table, jurisdiction: try country("SG"), accrual: try FeeTaxAccrual()))
    }
    var (daily, once) = (try position(), try position())
    for offset in Int64(1)...20 { try daily.accrue(through: day(offset)) }
    try once.accrue(through: day(20))
    #expect(daily.owed == once.owed && daily.tax?.accrual == once.tax?.accrual)
    #expect(once.owed.fee == 15 * 4_000 + 5 * 2_000)
    #expect(once.owed.tax == 10 * 320 + 5 * 360 + 5 * 180)
    #expect(throws: RepaymentRefusal.noTaxRule(jurisdiction: try country("SG"), on: try day(30))) {
      try once.accrue(through: day(31))
    }
  }
}
