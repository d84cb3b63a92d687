import DomainFixtures
import Lending
import Operations
import Parties
import Persistence
import Postgres
import PostgresHarness
import Primitives
import Repayment
import SchemaFixtures
import Testing

/// A loan of 14,400,000 across a border whose fee is 4,000 a day; the borrower's country takes 10 % of it.
@Suite("Tax that a borrower keeps back", .timeLimit(.minutes(2)))
struct WithholdingTests {
  private static let abroad = CountryCode("GB")

  private func lend(
    _ market: Marketplace, _ withholding: TaxTerms.Withholding? = .net, isAbroad: Bool = true, hasRule: Bool = true
  ) async throws -> LentChips {
    let abroad = try #require(Self.abroad)
    if hasRule {
      let rule = try FeeTaxRule(
        kind: .withholding, jurisdiction: abroad, from: Marketplace.start.date, through: nil,
        rate: BasisPoints(1_000), source: "act")
      let entry = try await market.run(
        ProposeReference(fact: .taxRule(rule, supersedes: nil)), by: Marketplace.staff())
      _ = try await market.run(
        DecideReference(entryID: entry.id, kind: .taxRule, act: .adopt, ifVersion: nil), by: Marketplace.staff(2))
    }
    return try await LentChips(
      market, recallNoticeDays: 30, tax: TaxTerms(sales: nil, withholding: withholding),
      startupIn: isAbroad ? abroad : nil)
  }

  private func certificate(
    _ lent: LentChips, fee: Int64, withheld: Int64, _ reference: String = "W-1", on day: CalendarDate? = nil
  ) -> RecordTaxCertificate {
    RecordTaxCertificate(
      loanID: lent.id, fee: Money(fee, .usd), withheld: Money(withheld, .usd), paidOn: day ?? lent.today,
      authority: "HMRC", reference: reference, ifVersion: nil)
  }

  private func confirm(_ lent: LentChips, _ made: TaxCertificate) async throws -> TaxCertificate {
    try await lent.market.run(
      DecideTaxCertificate(loanID: lent.id, certificateID: made.id, act: .confirm, ifVersion: nil),
      by: Marketplace.staff())
  }

  private func expectRefused(
    _ lent: LentChips, _ command: RecordTaxCertificate, _ code: String, by party: Party? = nil
  ) async throws {
    let answer = try await lent.market.submit(command, by: (party ?? lent.startup).principal)
    do {
      _ = try answer.get()
      Issue.record("not refused: \(code)")
    } catch {
      #expect((error as? any Refusal)?.code == code)
    }
  }

  private func expectSound(_ lent: LentChips) async throws {
    let broken = try await lent.breaches()
    #expect(broken == [])
  }

  /// Everything is due and forty days of fee, 160,000, are posted.
  private func due(_ lent: LentChips) async throws {
    try await lent.letRecallLapse()
    try await lent.accrue()
  }

  @Test("discharges fee without cash once a second person confirms the certificate, at most what the rule gives")
  func net() async throws {
    try await Marketplace.with { market in
      let lent = try await lend(market)
      try await due(lent)
      // Nothing was paid yet.
      try await expectRefused(lent, certificate(lent, fee: 1, withheld: 1), "tax.more_than_paid")
      try await lent.pay(90_000)
      #expect(try await lent.loan().life.tax.feePaid == 90_000)
      // 90,000 is what is left of 100,000 after 10 %.
      try await expectRefused(lent, certificate(lent, fee: 90_000, withheld: 10_001), "tax.more_than_rule")
      try await expectRefused(lent, certificate(lent, fee: 90_001, withheld: 1), "tax.more_than_paid")
      try await expectRefused(
        lent, certificate(lent, fee: 90_000, withheld: 10_000), "parties.not_yours", by: lent.lender)
      let made = try await market.run(
        certificate(lent, fee: 90_000, withheld: 10_000), by: lent.startup.principal)
      try await expectRefused(lent, certificate(lent, fee: 1, withheld: 0), "tax.certificate_known")
      #expect(try await lent.loan().outstanding.fee == 70_000)
      try await expectSound(lent)
      let confirmed = try await confirm(lent, made)
      #expect(confirmed.state == .confirmed && confirmed.booking?.on == lent.today)
      let loan = try await lent.loan()
      #expect(loan.outstanding.fee == 60_000 && loan.life.tax.feeOpen == 0)
      #expect(try await lent.entries("tax_withheld") == 2)
      try await expectSound(lent)
      let again = try await market.submit(
        DecideTaxCertificate(loanID: lent.id, certificateID: made.id, act: .confirm, ifVersion: nil),
        by: Marketplace.staff())
      #expect(throws: LendingRefusal.self) { try again.get() }
      // The rest in cash but for what is kept back of it, then the loan ends with the certificate.
      try await lent.pay(LentChips.principal + 54_000)
      let last = try await market.run(
        certificate(lent, fee: 54_000, withheld: 6_000, "W-2"), by: lent.startup.principal)
      _ = try await confirm(lent, last)
      // Fee is paid before principal: what was kept back of it was principal that was still owed.
      let ended = try await lent.loan()
      #expect(ended.state == .closed && ended.outstanding == .none)
      #expect(ended.life.tax == LoanLife.Tax(feePaid: 144_000, feeCertified: 144_000))
      try await expectSound(lent)
    }
  }

  @Test("comes on top of the fee where the lender has the whole of it: income of the one, cost of the other")
  func grossUp() async throws {
    try await Marketplace.with { market in
      let lent = try await lend(market, .grossUp)
      try await due(lent)
      try await lent.pay(LentChips.principal + 160_000)
      #expect(try await lent.loan().state == .closed)
      // 177,778 less 10 % is 160,000.
      try await expectRefused(lent, certificate(lent, fee: 160_000, withheld: 17_779), "tax.more_than_rule")
      let made = try await market.run(
        certificate(lent, fee: 160_000, withheld: 17_778), by: lent.startup.principal)
      _ = try await confirm(lent, made)
      let loan = try await lent.loan()
      #expect(loan.state == .closed && loan.life.tax.feeCertified == 160_000)
      try await expectSound(lent)
    }
  }

  @Test(
    "is refused within one jurisdiction, where it was not agreed, and on a day without a rule; a rejection frees it")
  func refused() async throws {
    try await Marketplace.with { market in
      let lent = try await lend(market, isAbroad: false)
      try await due(lent)
      try await lent.pay(90_000)
      try await expectRefused(lent, certificate(lent, fee: 90_000, withheld: 10_000), "tax.same_jurisdiction")
    }
    try await Marketplace.with { market in
      let lent = try await lend(market, nil)
      try await due(lent)
      try await lent.pay(90_000)
      try await expectRefused(lent, certificate(lent, fee: 90_000, withheld: 10_000), "tax.withholding_not_agreed")
    }
    try await Marketplace.with { market in
      let lent = try await lend(market, hasRule: false)
      try await due(lent)
      try await lent.pay(90_000)
      try await expectRefused(lent, certificate(lent, fee: 90_000, withheld: 10_000), "repayment.no_tax_rule")
    }
    try await Marketplace.with { market in
      let lent = try await lend(market)
      try await due(lent)
      try await lent.pay(90_000)
      let ahead = try #require(lent.today.adding(days: 1))
      try await expectRefused(lent, certificate(lent, fee: 1, withheld: 1, on: ahead), "lending.future_date")
      let made = try await market.run(
        certificate(lent, fee: 90_000, withheld: 10_000), by: lent.startup.principal)
      let rejected = try await market.run(
        DecideTaxCertificate(
          loanID: lent.id, certificateID: made.id, act: .reject(reason: "not readable"), ifVersion: nil),
        by: Marketplace.staff())
      #expect(rejected.state == .rejected && rejected.reason == "not readable")
      let anew = try await market.run(
        certificate(lent, fee: 90_000, withheld: 10_000), by: lent.startup.principal)
      // Two that were recorded of the same fee: the second finds none left.
      let other = try await market.run(
        certificate(lent, fee: 50_000, withheld: 1_000, "W-3"), by: lent.startup.principal)
      _ = try await confirm(lent, anew)
      let tooLate = try await market.submit(
        DecideTaxCertificate(loanID: lent.id, certificateID: other.id, act: .confirm, ifVersion: nil),
        by: Marketplace.staff())
      #expect(throws: WithholdingRefusal.moreThanPaid(50_000, open: 0)) { try tooLate.get() }
      try await expectSound(lent)
    }
  }
}
