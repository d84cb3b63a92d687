import DomainFixtures
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

/// Loans of sixteen chips, 14,400,000 minor units each, of one startup from lenders of their own.
@Suite("Most-favoured-nation clauses", .timeLimit(.minutes(5)))
struct FavourTests {
  private struct Lent: Sendable {
    let startup: Party
    let lender: Party
    let loan: LoanID
  }

  private func lend(
    _ market: Marketplace, to startup: Party, rate: Int64 = 1_000, sweep: Int64 = 2_500,
    _ options: CreateListing.Options? = nil
  ) async throws -> Lent {
    let lender = try await market.lender("Lender at \(rate), \(sweep) on \(market.today), options \(options != nil)")
    let lot = try await market.lot(of: lender, quantity: 16)
    let listing = try await market.run(
      CreateListing(
        terms: market.listingCommand(of: lot, quantity: 16).terms, lenderID: lender.id, options: options),
      by: lender.principal)
    var terms = try market.requestCommand().terms
    let usual = terms.repayment
    terms.repayment = RepaymentTerms(
      pattern: usual.pattern, leastAmount: usual.leastAmount, leastPostMoney: usual.leastPostMoney,
      sweep: BasisPoints(sweep))
    let request = try await market.run(CreateLoanRequest(terms: terms), by: startup.principal)
    let offer = try await market.run(
      MakeOffer(
        roundID: MatchRoundID(UUIDValue(high: 9, low: 9)), requestID: request.id, listingID: listing.id, quantity: 16,
        rate: BasisPoints(rate)), by: .automation)
    let id = try #require(
      try await market.run(AcceptOffer(offerID: offer.id, ifVersion: nil), by: startup.principal).loanID)
    let delivery = RecordDelivery(loanID: id, quantity: nil, occurredOn: market.today, ifVersion: nil)
    _ = try await market.run(delivery, by: lender.principal)
    _ = try await market.run(delivery, by: startup.principal)
    return Lent(startup: startup, lender: lender, loan: id)
  }

  private func favoured(
    _ extent: MostFavouredNation.Extent = .termByTerm, through: CalendarDate? = nil,
    conversion: CreateListing.Options.Conversion? = nil
  ) -> CreateListing.Options {
    CreateListing.Options(
      conversion: conversion, mostFavoured: MostFavouredNation(extent: extent, through: through))
  }

  private func claim(_ lent: Lent) -> ClaimMostFavoured { ClaimMostFavoured(loanID: lent.loan, ifVersion: nil) }

  private func told(_ market: Marketplace) async throws -> Int64 {
    try await market.number(
      Statement(
        "test_better_terms_told", "select count(*) from outbox where type = 'loan.better_terms_traded'",
        columns: [.int8]))
  }

  @Test(
    "a holder is told of a later loan with better terms and lifts rate, sweep and warrants from that day on, no day before"
  )
  func termByTerm() async throws {
    try await Marketplace.with { market in
      try await market.mark()
      let startup = try await market.startup()
      let held = try await lend(market, to: startup, favoured())
      market.clock.advance(days: 5)
      #expect(
        try await market.submit(claim(held), by: held.lender.principal).refusalCode == "most_favoured.nothing_better")
      // Better in rate and warrants, worse in its share of a round.
      let warrants = CreateListing.Options.Warrants(
        coverage: BasisPoints(1_000), strike: .init(price: try SharePrice(250), currency: .usd), expiresAfterDays: 90,
        occasion: .anyTime)
      _ = try await lend(
        market, to: startup, rate: 1_200, sweep: 1_000, CreateListing.Options(warrants: warrants))
      #expect(try await told(market) == 1)
      market.clock.advance(days: 1)
      _ = try await lend(market, to: startup, rate: 1_100, sweep: 4_000)
      #expect(try await told(market) == 2)
      // Nothing better: nobody is told.
      _ = try await lend(market, to: startup, rate: 900, sweep: 2_000)
      #expect(try await told(market) == 2)
      market.clock.advance(days: 4)
      let stranger = try await market.lender("Stranger")
      #expect(try await market.submit(claim(held), by: stranger.principal).refusalCode == "parties.not_found")
      #expect(try await market.submit(claim(held), by: startup.principal).refusalCode == "parties.not_yours")
      let done = try await market.run(claim(held), by: held.lender.principal)
      let lifts = done.comparison.lifts.map { "\($0.term.rawValue) \($0.from ?? -1) \($0.to)" }
      #expect(lifts == ["rate 1000 1200", "sweep 2500 4000", "warrant_coverage 0 1000"])
      #expect(done.comparison.leftOut == [.rank, .discount, .cap])
      // Ten days at the old rate, and from today on at the new one.
      #expect(done.loan.outstanding.fee == 40_000)
      #expect(done.loan.life.rates == [RateChange(from: market.today, rate: BasisPoints(1_200))])
      market.clock.advance(days: 10)
      _ = try await market.run(
        AccrueBorrower(borrowerID: startup.id, through: market.today), by: .automation)
      #expect(try await market.loan(held.loan).outstanding.fee == 40_000 + 48_000)
      let issued = try await market.database.withConnection { connection in
        try Tables.warrants.decode(
          await connection.run(WarrantSQL.warrants(of: held.loan, scope: .uuid(nil)), deadline: soon()))
      }
      #expect(issued.map(\.count) == [5_760] && issued.map(\.lenderID) == [held.lender.id])
      #expect(done.claim.warrantID == issued.first?.id)
      // Its share of a round is the lifted one: 40 % of 8,000,000 is the pool, shared by all.
      let round = try await market.price(by: startup, pricing: nil)
      _ = try await market.run(SweepBorrower(borrowerID: startup.id, on: market.today), by: .automation)
      let records = try await market.sweeps(of: round.id)
      let candidate = try #require(records.first?.candidates.first { $0.loanID == held.loan })
      #expect(candidate.sweep == BasisPoints(4_000))
      #expect(
        try await market.submit(claim(held), by: held.lender.principal).refusalCode == "most_favoured.nothing_better")
      let broken = try await market.lawBreaches()
      #expect(broken == [])
      try await market.execute(Forge.claim)
      let found = try await market.lawBreaches()
      #expect(found.contains { $0.contains("it is of another claim") }, "\(found)")
      #expect(found.contains { $0.contains("nobody claimed that") }, "\(found)")
    }
  }

  @Test("as a whole, a later loan that is worse in one term lifts nothing; the right to convert is lifted with its cap")
  func wholePackage() async throws {
    try await Marketplace.with { market in
      try await market.mark()
      let startup = try await market.startup()
      let right = CreateListing.Options.Conversion(
        cap: Money(100_000_000, .usd), discount: BasisPoints(1_000), share: BasisPoints(5_000))
      let held = try await lend(market, to: startup, favoured(.wholePackage, conversion: right))
      market.clock.advance(days: 1)
      _ = try await lend(market, to: startup, rate: 1_200, sweep: 1_000, CreateListing.Options(conversion: right))
      #expect(try await told(market) == 0)
      #expect(
        try await market.submit(claim(held), by: held.lender.principal).refusalCode == "most_favoured.nothing_better")
      let better = CreateListing.Options.Conversion(
        cap: Money(50_000_000, .usd), discount: BasisPoints(1_500), share: BasisPoints(1_000))
      _ = try await lend(market, to: startup, CreateListing.Options(conversion: better))
      #expect(try await told(market) == 1)
      let done = try await market.run(claim(held), by: held.lender.principal)
      #expect(done.comparison.lifts.map(\.term) == [.discount, .cap])
      #expect(done.loan.life.rates.isEmpty && done.loan.sweep == BasisPoints(2_500))
      // A cap of 500,000.00 over a million shares is half of what was listed.
      let round = try await market.price(
        by: startup, pricing: RoundPricing(price: SharePrice(200), capitalisation: 1_000_000))
      let converted = try await market.run(
        ConvertLoan(loanID: held.loan, roundID: round.id, amount: 500_000, ifVersion: nil), by: held.lender.principal)
      #expect(converted.conversion.shares == 10_000 && converted.conversion.basis == .cap)
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  @Test("a sale of the loan keeps the clause and what was lifted; loans after the promise's last day count for nothing")
  func times() async throws {
    try await Marketplace.with { market in
      try await market.mark()
      let startup = try await market.startup()
      let last = try #require(market.today.adding(days: 3))
      let held = try await lend(market, to: startup, favoured(through: last))
      let plain = try await lend(market, to: startup)
      #expect(
        try await market.submit(claim(plain), by: plain.lender.principal).refusalCode == "most_favoured.no_clause")
      market.clock.advance(days: 2)
      // The holder's own later loan is none of another lender's.
      _ = try await lend(market, to: startup, sweep: 3_000)
      _ = try await market.run(claim(held), by: held.lender.principal)
      market.clock.advance(days: 5)
      _ = try await lend(market, to: startup, rate: 1_300)
      #expect(try await told(market) == 1)
      #expect(try await market.submit(claim(held), by: held.lender.principal).refusalCode == "most_favoured.over")
      let buyer = try await market.lender("Buyer")
      let sale = try await market.run(
        ProposeAssignment(
          loanID: held.loan, buyerID: buyer.id, quantity: 8, serials: [], price: Money(1, .usd), effectiveOn: nil),
        by: held.lender.principal
      ).assignment
      _ = try await market.run(AnswerAssignment(assignmentID: sale.id, act: .accept), by: buyer.principal)
      _ = try await market.run(AnswerAssignment(assignmentID: sale.id, act: .consent), by: startup.principal)
      let settled = try await market.run(SettleAssignment(assignmentID: sale.id), by: held.lender.principal)
      let bought = try #require(settled.assignment.assignedLoanID)
      #expect(try await market.loan(bought).sweep == BasisPoints(3_000))
      #expect(
        try await market.submit(ClaimMostFavoured(loanID: bought, ifVersion: nil), by: buyer.principal).refusalCode
          == "most_favoured.over")
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  @Test("what another organisation takes over keeps the clause and what was lifted, and goes by that one's later loans")
  func assumption() async throws {
    try await Marketplace.with { market in
      try await market.mark()
      let startup = try await market.startup()
      let held = try await lend(market, to: startup, favoured())
      market.clock.advance(days: 1)
      _ = try await lend(market, to: startup, sweep: 3_000)
      _ = try await market.run(claim(held), by: held.lender.principal)
      // Its own loan was traded before it took this one over.
      let acquirer = try await market.startup("Northern Star")
      _ = try await lend(market, to: acquirer, rate: 1_400)
      market.clock.advance(days: 1)
      let report = ReportFundingRound.Report(
        kind: .acquisition, name: "Sale", announcedOn: market.today, currency: .usd, amount: nil, preMoney: nil,
        postMoney: nil, acquirer: "Northern Star", acquirerID: acquirer.id, chooseBy: market.today.adding(days: 5),
        evidence: nil, closings: [(closedOn: market.today, netNewCash: 0)])
      let reported = try await market.run(ReportFundingRound(report: report), by: startup.principal)
      _ = try await market.run(
        DecideFundingRound(roundID: reported.round.id, decision: .verify(evidence: "filing"), ifVersion: nil),
        by: Marketplace.staff())
      let choose = ChooseAtControl(roundID: reported.round.id, loanID: held.loan, kind: .assume, quantity: nil)
      let choice = try await market.run(choose, by: startup.principal).choice
      _ = try await market.run(ConsentToAssumption(choiceID: choice.id, ifVersion: nil), by: held.lender.principal)
      let assumed = try await market.run(AssumeLoan(choiceID: choice.id, ifVersion: nil), by: acquirer.principal)
      let id = try #require(assumed.loan?.id)
      let taken = Lent(startup: acquirer, lender: held.lender, loan: id)
      #expect(try await market.loan(id).sweep == BasisPoints(3_000))
      #expect(try await market.submit(claim(held), by: held.lender.principal).refusalCode != nil)
      #expect(
        try await market.submit(claim(taken), by: held.lender.principal).refusalCode == "most_favoured.nothing_better")
      market.clock.advance(days: 1)
      _ = try await lend(market, to: startup, rate: 1_300)
      #expect(try await told(market) == 1, "the startup owes this lender nothing any more")
      #expect(
        try await market.submit(claim(taken), by: held.lender.principal).refusalCode == "most_favoured.nothing_better")
      _ = try await lend(market, to: acquirer, rate: 1_100)
      #expect(try await told(market) == 2)
      let done = try await market.run(claim(taken), by: held.lender.principal)
      #expect(done.comparison.lifts.map(\.term) == [.rate] && done.comparison.lifted(.rate) == 1_100)
      #expect(done.loan.life.rates == [RateChange(from: market.today, rate: BasisPoints(1_100))])
      #expect(done.claim.borrowerID == acquirer.id && done.loan.sweep == BasisPoints(3_000))
      #expect(try await market.lawBreaches() == [])
    }
  }

  @Test(
    "a share that is lifted after a sweep plays no part in it, nor in its correction when the round turns out smaller")
  func correctedSweep() async throws {
    try await Marketplace.with { market in
      try await market.mark()
      let startup = try await market.startup()
      let held = try await lend(market, to: startup, favoured())
      let reported = try await market.report([40_000_000], by: startup)
      try await market.verify(reported.round)
      _ = try await market.run(SweepBorrower(borrowerID: startup.id, on: market.today), by: .automation)
      #expect(try await market.loan(held.loan).due?.amount == 10_000_000)
      market.clock.advance(days: 1)
      _ = try await lend(market, to: startup, sweep: 4_000)
      #expect(try await market.run(claim(held), by: held.lender.principal).loan.sweep == BasisPoints(4_000))
      #expect(try await market.loan(held.loan).due?.amount == 10_000_000)
      let cut = try await market.run(
        CorrectFundingRound(
          roundID: reported.round.id, closingID: reported.closings[0].id, netNewCash: Money(20_000_000, .usd),
          reason: "the investor paid less", ifVersion: nil), by: Marketplace.staff())
      // A quarter of twenty million is due of it, as it was to be on its day.
      #expect(cut.lines.map(\.withdrawn.amount) == [5_000_000] && cut.lines.map(\.kept.amount) == [0])
      #expect(try await market.loan(held.loan).due?.amount == 5_000_000)
      #expect(try await market.lawBreaches() == [])
      // Of the next round it is the lifted share, for both.
      let next = try await market.report([1_000_000], by: startup)
      try await market.verify(next.round)
      _ = try await market.run(SweepBorrower(borrowerID: startup.id, on: market.today), by: .automation)
      let swept = try #require(try await market.sweeps(of: next.round.id).first)
      #expect(swept.candidates.map(\.sweep) == [BasisPoints(4_000), BasisPoints(4_000)])
      #expect(try await market.lawBreaches() == [])
    }
  }
}

extension Marketplace {
  fileprivate func sweeps(of round: FundingRoundID) async throws -> [SweepExplanation] {
    try await database.withConnection { connection in
      let query = Query(Details.sweepsOfRound, [.uuid(nil), .uuid(round.value.bits)])
      return try Tables.repaymentExplanations.decode(await connection.run(query, deadline: soon())).map {
        try SweepExplanation(canonicalBytes: $0.bytes)
      }
    }
  }
}

private enum Forge {
  static let claim = Statement("test_forge_favour", "update favoured_claims set sweep_bps = sweep_bps - 1")
}
