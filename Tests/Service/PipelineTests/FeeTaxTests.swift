import DomainFixtures
import Interest
import Lending
import Operations
import Parties
import Persistence
import Postgres
import PostgresHarness
import Primitives
import PropertyKit
import Repayment
import SchemaFixtures
import Testing

/// A loan of 14,400,000 whose fee of 4,000 a day bears sales tax: 8 %, and 9 % from the tenth day on.
@Suite("A loan whose fee bears tax", .timeLimit(.minutes(2)))
struct FeeTaxTests {
  private static let jurisdiction = CountryCode("SG")

  private func terms(_ treatment: TaxTerms.Treatment = .standard) throws -> TaxTerms {
    let country = try #require(Self.jurisdiction)
    return try #require(
      TaxTerms(sales: TaxTerms.Sales(treatment: treatment, jurisdiction: country), withholding: nil))
  }

  /// One person proposes a rule, another adopts it.
  @discardableResult
  private func adopt(
    _ market: Marketplace, _ rate: Int64, from: Int64, through: Int64? = nil, supersedes: ReferenceEntryID? = nil
  ) async throws -> ReferenceEntry {
    let country = try #require(Self.jurisdiction)
    let start = Marketplace.start.date
    let rule = try FeeTaxRule(
      kind: .sales, jurisdiction: country, from: try #require(start.adding(days: from)),
      through: try through.map { try #require(start.adding(days: $0)) }, rate: BasisPoints(rate), source: "act")
    let entry = try await market.run(
      ProposeReference(fact: .taxRule(rule, supersedes: supersedes)), by: Marketplace.staff())
    return try await market.run(
      DecideReference(entryID: entry.id, kind: .taxRule, act: .adopt, ifVersion: nil), by: Marketplace.staff(2))
  }

  private func lend(
    _ market: Marketplace, _ treatment: TaxTerms.Treatment = .standard, penalty: PenaltyTerms = .none
  ) async throws -> LentChips {
    let first = try await adopt(market, 800, from: -10)
    try await adopt(market, 900, from: 10, supersedes: first.id)
    return try await LentChips(market, recallNoticeDays: 30, penalty: penalty, tax: terms(treatment))
  }

  private func expectSound(_ lent: LentChips, _ comment: Comment? = nil) async throws {
    let broken = try await lent.breaches()
    #expect(broken == [], comment)
  }

  private func rows(_ lent: LentChips) async throws -> [TaxLineRow] {
    try await lent.market.database.withConnection { connection in
      let query = Query(TaxSQL.linesOfLoan, [.uuid(nil), .uuid(lent.id.value.bits)])
      return try Tables.taxLines.decode(await connection.run(query, deadline: soon()))
    }
  }

  /// The tax table as the database has it.
  private func table(_ lent: LentChips) async throws -> FeeTaxTable {
    try await lent.market.database.withConnection { connection in
      let entries = try Tables.referenceEntries.decode(
        await connection.run(Query(TaxSQL.adoptedRules), deadline: soon()))
      return try FeeTaxTable(adopted: entries)
    }
  }

  @Test("owes its tax with the fee, split where the rate changes, day by day or at once, and cash pays it off")
  func standard() async throws {
    for daily in [true, false] {
      try await Marketplace.with { market in
        let lent = try await lend(market)
        for _ in 0..<20 {
          market.clock.advance(days: 1)
          if daily { try await lent.accrue() }
        }
        try await lent.accrue()
        try await lent.accrue()
        let loan = try await lent.loan()
        // Ten days at 8 % and ten at 9 % of 4,000.
        #expect(loan.outstanding == Debt(charges: 6_800, fee: 80_000, principal: LentChips.principal, tax: 6_800))
        #expect(loan.life.tax == LoanLife.Tax(total: 6_800))
        let lines = try await rows(lent)
        #expect(lines.map(\.rate.value) == (daily ? 10 : 1).repeated(800) + (daily ? 10 : 1).repeated(900))
        #expect(lines.allSatisfy { $0.ruleID != nil && $0.entryID != nil })
        #expect(try await lent.entries("tax_accrued") == (daily ? 40 : 2))
        try await expectSound(lent)
        market.clock.advance(days: 3)
        let quote = try LoanFee.payoff(of: loan, on: lent.today, taxes: await table(lent))
        #expect(quote.tax == 6_800 + 3 * 360 && quote.charges == 0)
        #expect(quote.total == LentChips.principal + 23 * LentChips.perDay + quote.tax)
        try await payOff(lent)
        try await expectSound(lent)
      }
    }
  }

  /// Everything is called back, becomes due and is paid in one sum of that day.
  private func payOff(_ lent: LentChips) async throws {
    try await lent.letRecallLapse()
    try await lent.accrue()
    let quote = try LoanFee.payoff(of: try await lent.loan(), on: lent.today, taxes: await table(lent))
    try await lent.pay(quote.total)
    let closed = try await lent.loan()
    #expect(closed.state == .closed && closed.outstanding.isZero && closed.outstanding.tax == 0)
  }

  @Test("is exempt or under a reverse charge without a posting of tax, and its lines say which")
  func untaxed() async throws {
    for treatment in [TaxTerms.Treatment.exempt, .reverseCharge] {
      try await Marketplace.with { market in
        let lent = try await lend(market, treatment)
        market.clock.advance(days: 20)
        try await lent.accrue()
        let loan = try await lent.loan()
        #expect(loan.outstanding == Debt(charges: 0, fee: 80_000, principal: LentChips.principal))
        #expect(loan.life.tax.total == (treatment == .exempt ? 0 : 6_800))
        let lines = try await rows(lent)
        #expect(lines.map(\.fee) == (treatment == .exempt ? [80_000] : [40_000, 40_000]))
        #expect(lines.allSatisfy { $0.treatment == treatment && $0.entryID == nil })
        #expect(try await lent.entries("tax_accrued") == 0)
        let quote = try LoanFee.payoff(of: loan, on: lent.today, taxes: await table(lent))
        #expect(quote.tax == 0)
        try await expectSound(lent)
      }
    }
  }

  @Test("without a rule of a day its fee waits with its tax, other loans do not, and a rule lets it go on")
  func missingRule() async throws {
    try await Marketplace.with { market in
      try await adopt(market, 800, from: -10, through: 4)
      let lent = try await LentChips(market, tax: terms())
      market.clock.advance(days: 10)
      let accrue = AccrueBorrower(borrowerID: lent.startup.id, through: lent.today)
      #expect(try await market.run(accrue, by: .automation).heldForTax == 1)
      let held = try await lent.loan()
      #expect(held.outstanding.fee == 0 && held.accruedThrough == Marketplace.start.date)
      #expect(try await lent.events().last?.type == "loan.accrual_held")
      let receipt = RecordCashReceipt(
        receivedOn: lent.today, amount: Money(5, .usd), source: .instalment, payerID: lent.startup.id, reference: nil)
      // Nothing is due, so that nothing of the loan is looked at.
      _ = try await market.run(receipt, by: Marketplace.staff())
      let refused = try await market.submit(
        ForgiveDebt(loanID: lent.id, charges: nil, fee: nil, principal: Money(1, .usd), reason: nil, ifVersion: nil),
        by: lent.lender.principal)
      #expect(throws: RepaymentRefusal.self) { try refused.get() }
      try await adopt(market, 700, from: 5)
      try await lent.accrue()
      #expect(try await lent.loan().outstanding.tax == 5 * 320 + 5 * 280)
      try await expectSound(lent)
    }
  }

  @Test("a rule that overlaps is refused, by proposal and by adoption; who proposed does not adopt")
  func rules() async throws {
    try await Marketplace.with { market in
      let country = try #require(Self.jurisdiction)
      func rule(_ from: Int64) throws -> FeeTaxRule {
        try FeeTaxRule(
          kind: .sales, jurisdiction: country, from: try #require(Marketplace.start.date.adding(days: from)),
          through: nil, rate: BasisPoints(500), source: "act")
      }
      let one = try await market.run(
        ProposeReference(fact: .taxRule(rule(0), supersedes: nil)), by: Marketplace.staff())
      let other = try await market.run(
        ProposeReference(fact: .taxRule(rule(5), supersedes: nil)), by: Marketplace.staff())
      func decide(_ entry: ReferenceEntry, _ number: UInt64) async throws -> Decided<ReferenceEntry> {
        try await market.submit(
          DecideReference(entryID: entry.id, kind: .taxRule, act: .adopt, ifVersion: nil),
          by: Marketplace.staff(number))
      }
      let own = try await decide(one, 1)
      #expect(throws: PartiesRefusal.self) { try own.get() }
      _ = try await decide(one, 2).get()
      let overlapping = try await decide(other, 2)
      #expect(throws: RepaymentRefusal.self) { try overlapping.get() }
      let unknown = try await market.submit(
        ProposeReference(fact: .taxRule(rule(5), supersedes: other.id)), by: Marketplace.staff())
      #expect(throws: ReferenceRefusal.unknownRule(other.id)) { try unknown.get() }
      // A listing whose loans could not accrue is not made.
      await #expect(throws: (any Error).self) {
        let stranger = try #require(CountryCode("CN"))
        _ = try await LentChips(
          market,
          tax: TaxTerms(sales: TaxTerms.Sales(treatment: .standard, jurisdiction: stranger), withholding: nil))
      }
    }
  }

  @Test("a backdated rate restates the tax of its days with their fee, each by the rule of its day")
  func restated() async throws {
    for rate in [Int64(500), 2_000] {
      try await Marketplace.with { market in
        let lent = try await lend(market)
        market.clock.advance(days: 20)
        try await lent.accrue()
        let from = try lent.day(5)
        let amendment = try await lent.propose(.reRate(from: from, rate: BasisPoints(rate)), by: lent.lender)
        _ = try await lent.answer(amendment, .accept, by: lent.startup).get()
        let loan = try await lent.loan()
        let perDay = LentChips.perDay * rate / 1_000
        #expect(loan.outstanding.fee == 5 * LentChips.perDay + 15 * perDay)
        // Five days as they were, five of the new fee at 8 %, ten at 9 %.
        #expect(loan.outstanding.tax == 5 * 320 + 5 * perDay * 8 / 100 + 10 * perDay * 9 / 100)
        #expect(try await rows(lent).count { $0.isRestated } == 2)
        try await expectSound(lent)
        market.clock.advance(days: 5)
        try await lent.accrue()
        try await expectSound(lent)
        try await explained(lent)
      }
    }
  }

  /// Every part of the debt is the sum of its parts, each with its rule.
  private func explained(_ lent: LentChips) async throws {
    let loan = try await lent.loan()
    for book in [loan.terms.borrowerID, loan.terms.lenderID] {
      let explanation = try await lent.market.database.withConnection { connection in
        try LoanExplanation(
          loan,
          await connection.pipeline(
            LoanExplanation.queries(for: loan, of: book, scope: .uuid(nil)), deadline: soon()))
      }
      let owed = loan.outstanding
      for (field, amount) in [
        (LoanExplanation.Field.outstanding, owed.principal), (.accruedFee, owed.fee), (.charges, owed.otherCharges),
        (.tax, owed.tax),
      ] {
        let parts = explanation.parts(of: field, on: .latest)
        #expect(try LoanExplanation.sum(parts) == amount, "\(field)")
        for part in parts {
          if case .unexplained = part.rule { Issue.record("\(part)") }
        }
      }
    }
  }

  @Test("bears no penalty on its tax, and tax is forgiven, sold and taken back as what it is")
  func life() async throws {
    try await Marketplace.with { market in
      let lent = try await lend(market, penalty: PenaltyTerms(rate: BasisPoints(3_600), graceDays: 2, cap: nil))
      try await lent.letRecallLapse()
      try await lent.accrue()
      // Due since day 30: eight days of 14,400, on the principal alone.
      let tax: Int64 = 10 * 320 + 30 * 360
      #expect(try await lent.loan().outstanding.otherCharges == 8 * 14_400)
      #expect(try await lent.loan().outstanding.tax == tax)
      _ = try await market.run(
        ForgiveDebt(
          loanID: lent.id, charges: Money(100, .usd), fee: nil, principal: nil, reason: nil, ifVersion: nil,
          tax: Money(1_000, .usd)), by: lent.lender.principal)
      let tooMuch = try await market.submit(
        ForgiveDebt(
          loanID: lent.id, charges: nil, fee: nil, principal: nil, reason: nil, ifVersion: nil,
          tax: Money(tax, .usd)), by: lent.lender.principal)
      #expect(throws: LendingRefusal.self) { try tooMuch.get() }
      try await expectSound(lent)
      // Charges, then a part of the tax.
      try await lent.pay(8 * 14_400 - 100 + 500)
      let paid = try await lent.loan()
      #expect(paid.outstanding.otherCharges == 0 && paid.outstanding.tax == tax - 1_500)
      try await expectSound(lent)
      _ = try await market.run(
        WriteOffLoan(loanID: lent.id, amount: Money(5_000, .usd), reason: nil, ifVersion: nil),
        by: lent.lender.principal)
      try await expectSound(lent)
      try await explained(lent)
      market.clock.advance(days: 5)
      try await lent.accrue()
      try await explained(lent)
      try await expectSound(lent)
    }
  }

  @Test("half of it is sold with its part of the tax; the tax accrued before stays the seller's to remit")
  func sold() async throws {
    try await Marketplace.with { market in
      let lent = try await lend(market)
      let buyer = try await market.lender("Buyer")
      market.clock.advance(days: 5)
      let sale = try await market.run(
        ProposeAssignment(
          loanID: lent.id, buyerID: buyer.id, quantity: 8, serials: [], price: Money(1, .usd), effectiveOn: nil),
        by: lent.lender.principal
      ).assignment
      _ = try await market.run(AnswerAssignment(assignmentID: sale.id, act: .accept), by: buyer.principal)
      _ = try await market.run(
        AnswerAssignment(assignmentID: sale.id, act: .consent), by: lent.startup.principal)
      // Its fee and its tax go on until it is settled.
      market.clock.advance(days: 5)
      try await lent.accrue()
      let settled = try await market.run(SettleAssignment(assignmentID: sale.id), by: lent.lender.principal)
      #expect(settled.claim == Debt(charges: 1_600, fee: 20_000, principal: 7_200_000, tax: 1_600))
      try await expectSound(lent)
      market.clock.advance(days: 10)
      try await lent.accrue()
      let seller = try await lent.loan()
      #expect(seller.outstanding.tax == 1_600 + 1_800 && seller.life.tax.total == 3_200 + 1_800)
      try await expectSound(lent)
      let bought = try await market.database.withConnection { connection in
        let id = try #require(settled.assignment.assignedLoanID)
        return try Tables.loans.decode(
          await connection.run(Tables.loans.rows(by: [id.value]), deadline: soon()))
      }
      #expect(bought.first?.outstanding.tax == 1_600 + 1_800 && bought.first?.life.tax.total == 1_800)
      try await explained(lent)
    }
  }

  @Test("whatever happens to it, books, lines and loan agree on its tax")
  func random() async throws {
    for seed in UInt64(1)...3 {
      try await Marketplace.with(seed: seed) { market in
        var random = SplitMix64(seed: seed)
        let lent = try await lend(market, penalty: PenaltyTerms(rate: BasisPoints(1_800), graceDays: 1, cap: nil))
        try await lent.letRecallLapse()
        for _ in 0..<16 {
          market.clock.advance(days: random.int64(in: 0...5))
          if random.oneIn(2) { try await lent.accrue() }
          if random.oneIn(5) {
            let from = try #require(lent.today.adding(days: -random.int64(in: 1...30)))
            let rate = BasisPoints(random.int64(in: 300...1_500))
            if let amendment = try? await lent.propose(.reRate(from: from, rate: rate), by: lent.lender) {
              _ = try await lent.answer(amendment, .accept, by: lent.startup)
            }
          }
          let came = try #require(lent.today.adding(days: -random.int64(in: 0...8)))
          _ = try await market.run(
            RecordCashReceipt(
              receivedOn: came, amount: Money(random.int64(in: 1...400_000), .usd), source: .instalment,
              payerID: lent.startup.id, reference: nil), by: Marketplace.staff())
          try await expectSound(lent, "seed \(seed)")
        }
        try await lent.accrue()
        let lines = try await rows(lent)
        // Over all lines, the exact tax of the fee of each rule, rounded once.
        let exact = lines.reduce(Int128(0)) { $0 + Int128($1.fee) * Int128($1.rate.value) }
        let expected = try exact.divided(by: 10_000, rounding: .halfUp).asInt64()
        #expect(try await lent.loan().life.tax.total == expected, "seed \(seed)")
        try await payOffRest(lent)
      }
    }
  }

  private func payOffRest(_ lent: LentChips) async throws {
    let loan = try await lent.loan()
    guard loan.isRunning else { return }
    try await lent.pay(LoanFee.payoff(of: loan, on: lent.today, taxes: await table(lent)).total)
    #expect(try await lent.loan().state == .closed)
    try await expectSound(lent)
  }
}

extension Int {
  fileprivate func repeated(_ value: Int64) -> [Int64] { Array(repeating: value, count: self) }
}
