import DomainFixtures
import Ledger
import Lending
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import Repayment
import SchemaFixtures
import Testing

@testable import Settlement

/// A loan of 14,400,000 with a fee of 4,000 a day that bears 10 % of tax.
@Suite("Tax among a debt", .timeLimit(.minutes(2)))
struct TaxedDebtTests {
  private func lend(_ market: Marketplace) async throws -> LentLoan {
    let country = try #require(CountryCode("SG"))
    let rule = try FeeTaxRule(
      kind: .sales, jurisdiction: country, from: market.today, through: nil, rate: BasisPoints(1_000), source: "act")
    let entry = try await market.run(
      ProposeReference(fact: .taxRule(rule, supersedes: nil)), by: Marketplace.staff())
    _ = try await market.run(
      DecideReference(entryID: entry.id, kind: .taxRule, act: .adopt, ifVersion: nil), by: Marketplace.staff(2))
    let tax = TaxTerms(sales: TaxTerms.Sales(treatment: .standard, jurisdiction: country), withholding: nil)
    return try await market.lend(1, tax: tax)[0]
  }

  private func expectSound(_ market: Marketplace) async throws {
    let broken = try await market.lawBreaches()
    #expect(broken == [])
  }

  @Test("is owed again as tax when the money that paid it is taken back, and the platform takes nothing of it")
  func takenBack() async throws {
    try await Marketplace.with { market in
      let loan = try await lend(market)
      market.clock.advance(days: 10)
      try await market.makeDue(loan)
      #expect(try await market.loan(loan.id).outstanding.tax == 4_000)
      let receipt = try await market.receive(14_444_000, "WIRE", from: loan.startup)
      #expect(try await market.loan(loan.id).state == .closed)
      try await expectSound(market)
      // Principal, fee and a part of the tax, in the order of loss.
      try await market.takeBack(14_441_500, of: receipt)
      let after = try await market.loan(loan.id)
      #expect(after.outstanding == Debt(charges: 1_500, fee: 40_000, principal: 14_400_000, tax: 1_500))
      #expect(after.state == .reinstated && after.life.tax.total == 4_000)
      try await expectSound(market)
      _ = try await market.receive(14_441_500, "AGAIN", from: loan.startup)
      #expect(try await market.loan(loan.id).state == .closed)
      let payout = try await market.payOut()
      #expect(payout.gross.amount == 14_444_000 && payout.platformFee == 2_000)
      try await expectSound(market)
    }
  }

  @Test("goes over to an acquirer with the loan, and its further fee bears it too")
  func assumed() async throws {
    try await Marketplace.with { market in
      let loan = try await lend(market)
      let acquirer = try await market.startup("Northern Star")
      market.clock.advance(days: 10)
      let report = ReportFundingRound.Report(
        kind: .acquisition, name: "Sale", announcedOn: market.today, currency: .usd, amount: nil, preMoney: nil,
        postMoney: nil, acquirer: "Northern Star", acquirerID: acquirer.id, chooseBy: market.today.adding(days: 5),
        evidence: nil, closings: [(closedOn: market.today, netNewCash: 0)])
      let reported = try await market.run(ReportFundingRound(report: report), by: loan.startup.principal)
      _ = try await market.run(
        DecideFundingRound(roundID: reported.round.id, decision: .verify(evidence: "filing"), ifVersion: nil),
        by: Marketplace.staff())
      let choose = ChooseAtControl(roundID: reported.round.id, loanID: loan.id, kind: .assume, quantity: nil)
      let choice = try await market.run(choose, by: loan.startup.principal).choice
      _ = try await market.run(ConsentToAssumption(choiceID: choice.id, ifVersion: nil), by: loan.lender.principal)
      let done = try await market.run(AssumeLoan(choiceID: choice.id, ifVersion: nil), by: acquirer.principal)
      let taken = try #require(done.loan)
      #expect(taken.outstanding == Debt(charges: 4_000, fee: 40_000, principal: 14_400_000, tax: 4_000))
      try await expectSound(market)
      market.clock.advance(days: 5)
      _ = try await market.run(AccrueBorrower(borrowerID: acquirer.id, through: market.today), by: .automation)
      let later = try await market.loan(taken.id)
      #expect(later.outstanding.tax == 6_000 && later.life.tax.total == 2_000)
      try await expectSound(market)
      try await market.makeDue(LentLoan(id: taken.id, lender: loan.lender, startup: acquirer))
      try await market.pay(14_400_000 + 60_000 + 6_000, by: acquirer)
      #expect(try await market.loan(taken.id).closedAs == .paidOff)
      try await expectSound(market)
    }
  }

  @Test("a run of accrual tells of loans whose fee waits for a rule, and settles the others")
  func run() async throws {
    try await Marketplace.with { market in
      let country = try #require(CountryCode("SG"))
      let rule = try FeeTaxRule(
        kind: .sales, jurisdiction: country, from: market.today, through: market.today, rate: BasisPoints(1_000),
        source: "act")
      let entry = try await market.run(
        ProposeReference(fact: .taxRule(rule, supersedes: nil)), by: Marketplace.staff())
      _ = try await market.run(
        DecideReference(entryID: entry.id, kind: .taxRule, act: .adopt, ifVersion: nil), by: Marketplace.staff(2))
      let tax = TaxTerms(sales: TaxTerms.Sales(treatment: .standard, jurisdiction: country), withholding: nil)
      let taxed = try await market.lend(1, tax: tax)[0]
      let other = try await market.lend(1)[0]
      market.clock.advance(days: 3)
      let run = try await market.settle(.accrual)
      #expect(run.state == .succeeded && String(decoding: run.totals, as: UTF8.self).contains("without_tax_rule"))
      #expect(try await market.loan(taxed.id).outstanding.fee == 0)
      #expect(try await market.loan(other.id).outstanding.fee == 12_000)
      try await expectSound(market)
    }
  }
}
