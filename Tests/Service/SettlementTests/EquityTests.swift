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

/// A loan of 14,400,000 minor units whose lender may take shares for half of the debt, at a cap of 1,000,000.00 or a fifth
/// off; and one without such a right.
struct Optioned: Sendable {
  let startup: Party
  let lender: Party
  let loan: LoanID
  let plain: LoanID

  func convert(_ amount: Int64, _ round: FundingRound) -> ConvertLoan {
    ConvertLoan(loanID: loan, roundID: round.id, amount: amount, ifVersion: nil)
  }
}

extension Marketplace {
  func lendWithOptions(
    _ options: CreateListing.Options = CreateListing.Options(
      conversion: .init(cap: Money(100_000_000, .usd), discount: BasisPoints(2_000), share: BasisPoints(5_000)))
  ) async throws -> Optioned {
    let borrowed = try await borrow(from: 1)
    let lender = try await lender("Lender with options")
    let lot = try await lot(of: lender, quantity: 16)
    let command = CreateListing(
      terms: listingCommand(of: lot, quantity: 16).terms, lenderID: lender.id,
      options: options)
    let listing = try await run(command, by: lender.principal)
    // A startup that takes offers unseen is asked where shares are wanted.
    var terms = try requestCommand().terms
    terms.autoAccept = true
    let request = try await run(CreateLoanRequest(terms: terms), by: borrowed.startup.principal)
    let offer = try await offer(request, listing, quantity: 16)
    #expect(offer.state == .pending)
    let id = try #require(
      try await run(AcceptOffer(offerID: offer.id, ifVersion: nil), by: borrowed.startup.principal).loanID)
    let delivery = RecordDelivery(loanID: id, quantity: nil, occurredOn: today, ifVersion: nil)
    _ = try await run(delivery, by: lender.principal)
    _ = try await run(delivery, by: borrowed.startup.principal)
    return Optioned(startup: borrowed.startup, lender: lender, loan: id, plain: borrowed.loans[0])
  }

  /// A verified round of 8,000,000 at 2.00 a share, a million shares before it.
  func price(
    by startup: Party, pricing: RoundPricing?, currency: Currency = .usd
  ) async throws -> FundingRound {
    let report = ReportFundingRound.Report(
      kind: .priced, name: "Series A", announcedOn: today, currency: currency, amount: nil, preMoney: nil,
      postMoney: nil, acquirer: nil, pricing: pricing, evidence: nil,
      closings: [(closedOn: today, netNewCash: 8_000_000)])
    let reported = try await run(ReportFundingRound(report: report), by: startup.principal)
    return try await verify(reported.round)
  }
}

@Suite("Shares in place of cash", .timeLimit(.minutes(5)))
struct EquityTests {
  private let pricing = try? RoundPricing(price: SharePrice(200), capitalisation: 1_000_000)

  @Test(
    "a lender takes whole shares at the lowest price of its right; debt and dues fall by what they cost, and no cash moves"
  )
  func converts() async throws {
    try await Marketplace.with { market in
      let lent = try await market.lendWithOptions()
      let round = try await market.price(by: lent.startup, pricing: pricing)
      _ = try await market.run(SweepBorrower(borrowerID: lent.startup.id, on: market.today), by: .automation)
      #expect(try await market.loan(lent.loan).due?.amount == 1_000_000)
      // A cap of 1,000,000.00 over a million shares is 1.00, below 1.60 and 2.00.
      let done = try await market.run(lent.convert(600_050, round), by: lent.lender.principal)
      #expect(done.conversion.basis == .cap)
      #expect(done.conversion.shares == 6_000)
      #expect(done.conversion.converted == 600_000)
      #expect(done.conversion.isReproduced)
      #expect(done.loan.outstanding.principal == 13_800_000)
      #expect(done.loan.due?.amount == 400_000)
      #expect(try await market.loan(lent.plain).due?.amount == 1_000_000)
      // Half of 14,400,000 in all, what was converted before included.
      #expect(
        try await market.submit(lent.convert(6_600_001, round), by: lent.lender.principal).refusalCode
          == "equity.more_than_share")
      let rest = try await market.run(lent.convert(6_600_000, round), by: lent.lender.principal)
      #expect(rest.loan.outstanding.principal == 7_200_000)
      #expect(rest.loan.due == nil)
      let broken = try await market.lawBreaches()
      #expect(broken == [])
      try await market.execute(Forge.shares)
      let found = try await market.lawBreaches()
      #expect(found.contains { $0.contains("took 6001 shares") }, "\(found)")
      #expect(found.contains { $0.contains("its conversion says otherwise") }, "\(found)")
      try await market.execute(Forge.record)
      let missing = try await market.lawBreaches()
      #expect(missing.contains { $0.contains("has no record") }, "\(missing)")
    }
  }

  @Test("nobody converts without the right, another's loan, too little, too late, or in a round without a price")
  func refusals() async throws {
    try await Marketplace.with { market in
      let lent = try await market.lendWithOptions()
      let round = try await market.price(by: lent.startup, pricing: pricing)
      let unpriced = try await market.price(by: lent.startup, pricing: nil)
      let abroad = try await market.price(by: lent.startup, pricing: pricing, currency: .cny)
      let unverified = try await market.report([1], by: lent.startup).round
      let stranger = try await market.lender("Stranger")
      let plain = ConvertLoan(loanID: lent.plain, roundID: round.id, amount: 1_000, ifVersion: nil)
      let plainLender = try await market.loan(lent.plain).terms.lenderID
      let owner = Principal(
        organizationID: plainLender, roles: [.lender], personID: PersonID(UUIDValue(high: 11, low: 4)),
        keyID: APIKeyID(UUIDValue(high: 12, low: 4)))
      for (command, principal, code) in [
        (lent.convert(1_000, round), stranger.principal, "parties.not_found"),
        (lent.convert(1_000, round), lent.startup.principal, "parties.not_yours"), (plain, owner, "equity.no_option"),
        (lent.convert(99, round), lent.lender.principal, "equity.less_than_share"),
        (lent.convert(1_000, unpriced), lent.lender.principal, "equity.no_price"),
        (lent.convert(1_000, abroad), lent.lender.principal, "equity.other_currency"),
        (lent.convert(1_000, unverified), lent.lender.principal, "equity.round_not_verified"),
      ] { #expect(try await market.submit(command, by: principal).refusalCode == code) }
      market.clock.advance(days: 10)
      _ = try await market.run(lent.convert(1_000, round), by: lent.lender.principal)
      market.clock.advance(days: 1)
      #expect(
        try await market.submit(lent.convert(1_000, round), by: lent.lender.principal).refusalCode
          == "equity.too_late")
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }
}

private enum Forge {
  static let shares = Statement(
    "test_forge_shares", "update loan_conversions set shares = shares + 1 where shares = 6000")
  static let record = Statement(
    "test_forge_record",
    """
    delete from repayment_explanations where kind = 'conversion'
      and subject_id::text = (select max(subject_id::text) from repayment_explanations where kind = 'conversion')
    """)
}
