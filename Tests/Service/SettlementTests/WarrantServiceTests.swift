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

/// A loan of 14,400,000 minor units with warrants over a tenth of it: 1,440,000, which is 5,760 shares at 2.50.
@Suite("Warrants that come with a loan", .timeLimit(.minutes(5)))
struct WarrantServiceTests {
  private func warrants(
    strike: SharePrice?, days: Int64 = 60, _ occasion: WarrantOccasion = .anyTime
  ) -> CreateListing.Options {
    CreateListing.Options(
      warrants: .init(
        coverage: BasisPoints(1_000), strike: strike.map { ListingWarrants.Strike(price: $0, currency: .usd) },
        expiresAfterDays: days, occasion: occasion))
  }

  private func warrant(of loan: LoanID, _ market: Marketplace) async throws -> Warrant {
    try await market.database.withConnection { connection in
      let query = WarrantSQL.warrants(of: loan, scope: .uuid(nil))
      return try #require(try Tables.warrants.decode(await connection.run(query, deadline: soon())).first)
    }
  }

  private func exercise(
    _ warrant: Warrant, _ way: ExerciseWarrant.Way, _ round: FundingRound? = nil
  ) -> ExerciseWarrant {
    ExerciseWarrant(warrantID: warrant.id, way: way, roundID: round?.id, ifVersion: nil)
  }

  private func answer(_ warrant: Warrant, _ answer: AnswerWarrant.Answer) -> AnswerWarrant {
    AnswerWarrant(warrantID: warrant.id, answer: answer, ifVersion: nil)
  }

  @Test("are issued at the trade and exercised without money at a verified round's price; both books stay as they were")
  func net() async throws {
    try await Marketplace.with { market in
      let lent = try await market.lendWithOptions(warrants(strike: try SharePrice(250)))
      let issued = try await warrant(of: lent.loan, market)
      #expect(issued.covered.amount == 1_440_000 && issued.count == 5_760 && issued.lenderID == lent.lender.id)
      #expect(issued.state == .outstanding && issued.expiresOn == market.today.adding(days: 60))
      let early = try await market.price(by: lent.startup, pricing: nil)
      let round = try await market.price(
        by: lent.startup, pricing: RoundPricing(price: SharePrice(1_000), capitalisation: 1_000_000))
      let stranger = try await market.lender("Stranger")
      for (command, who, code) in [
        (exercise(issued, .net), lent.lender, "warrant.round_missing"),
        (exercise(issued, .net, early), lent.lender, "warrant.no_price"),
        (exercise(issued, .net, round), lent.startup, "parties.not_yours"),
        (exercise(issued, .net, round), stranger, "parties.not_found"),
      ] {
        #expect(try await market.submit(command, by: who.principal).refusalCode == code)
      }
      // At 10.00 three quarters are gain.
      let done = try await market.run(exercise(issued, .net, round), by: lent.lender.principal)
      #expect(done.state == .exercised && done.exercise?.shares == 4_320 && done.exercise?.cost == 0)
      let again = try await market.submit(exercise(issued, .net, round), by: lent.lender.principal)
      #expect(again.refusalCode == "warrant.illegal_state")
      #expect(try await market.balance(lent.lender.id, .investmentEquity) == 0)
      let broken = try await market.lawBreaches()
      #expect(broken == [])
      try await market.execute(Forge.shares)
      let found = try await market.lawBreaches()
      #expect(found.contains { $0.contains("net exercise of 5760 for 4321 shares") }, "\(found)")
    }
  }

  @Test(
    "take the strike of the next priced round; cash for them is confirmed by the startup, and is equity in both books")
  func cash() async throws {
    try await Marketplace.with { market in
      let lent = try await market.lendWithOptions(warrants(strike: nil))
      let issued = try await warrant(of: lent.loan, market)
      #expect(issued.strike == nil && issued.count == nil)
      let claim = exercise(issued, .cash(evidence: "wire 7"))
      #expect(try await market.submit(claim, by: lent.lender.principal).refusalCode == "warrant.no_strike")
      let round = try await market.price(
        by: lent.startup, pricing: RoundPricing(price: SharePrice(700, for: 3), capitalisation: 1_000_000))
      let fixed = try await warrant(of: lent.loan, market)
      #expect(fixed.strike == Warrant.Strike(price: try SharePrice(700, for: 3), roundID: round.id))
      #expect(fixed.count == 6_171)
      // A later round does not move it.
      _ = try await market.price(
        by: lent.startup, pricing: RoundPricing(price: SharePrice(100), capitalisation: 1_000_000))
      #expect(try await warrant(of: lent.loan, market).count == 6_171)
      let claimed = try await market.run(claim, by: lent.lender.principal)
      #expect(claimed.state == .claimed && claimed.exercise?.cost == 1_439_900)
      #expect(
        try await market.submit(answer(claimed, .confirm), by: lent.lender.principal).refusalCode
          == "parties.not_yours")
      let disputed = try await market.run(
        answer(claimed, .dispute(reason: "nothing came")), by: lent.startup.principal)
      #expect(disputed.state == .outstanding && disputed.exercise == nil)
      _ = try await market.run(claim, by: lent.lender.principal)
      let done = try await market.run(answer(claimed, .confirm), by: lent.startup.principal)
      #expect(done.state == .exercised && done.endedOn == market.today)
      #expect(try await market.balance(lent.lender.id, .investmentEquity) == 1_439_900)
      #expect(try await market.balance(lent.startup.id, .equityIssued) == -1_439_900)
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  @Test("wait for their occasion, a qualifying round or a change of control, and lapse after their last day")
  func occasions() async throws {
    try await Marketplace.with { market in
      let strike = try SharePrice(250)
      let lent = try await market.lendWithOptions(warrants(strike: strike, days: 20, .changeOfControl))
      let issued = try await warrant(of: lent.loan, market)
      let round = try await market.price(
        by: lent.startup, pricing: RoundPricing(price: SharePrice(1_000), capitalisation: 1_000_000))
      let cash = ExerciseWarrant.Way.cash(evidence: "wire")
      for (command, code) in [
        (exercise(issued, cash), "warrant.round_missing"), (exercise(issued, cash, round), "warrant.not_the_occasion"),
      ] {
        #expect(try await market.submit(command, by: lent.lender.principal).refusalCode == code)
      }
      let sale = try await market.run(
        ReportFundingRound(
          report: ReportFundingRound.Report(
            kind: .acquisition, name: "Sale", announcedOn: market.today, currency: .usd, amount: nil, preMoney: nil,
            postMoney: nil, acquirer: "Buyer", evidence: nil, closings: [(closedOn: market.today, netNewCash: Int64(0))]
          )),
        by: lent.startup.principal
      ).round
      #expect(
        try await market.submit(exercise(issued, cash, sale), by: lent.lender.principal).refusalCode
          == "warrant.round_not_verified")
      let verified = try await market.verify(sale)
      market.clock.advance(days: 11)
      #expect(
        try await market.submit(exercise(issued, cash, verified), by: lent.lender.principal).refusalCode
          == "warrant.too_late")
      market.clock.advance(days: 9)
      let lapse = LapseWarrant(warrantID: issued.id)
      #expect(try await market.run(lapse, by: .automation) == false)
      market.clock.advance(days: 1)
      try await market.worker().lapse()
      #expect(try await warrant(of: lent.loan, market).state == .lapsed)
      #expect(try await market.run(lapse, by: .automation) == false)
      #expect(
        try await market.submit(exercise(issued, cash, verified), by: lent.lender.principal).refusalCode
          == "warrant.too_late")
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  @Test("a qualifying round is one that meets the loan's covenant: a sale of shares among holders does not")
  func qualifying() async throws {
    try await Marketplace.with { market in
      let lent = try await market.lendWithOptions(warrants(strike: try SharePrice(250), .qualifyingRound))
      let issued = try await warrant(of: lent.loan, market)
      let secondary = try await market.run(
        ReportFundingRound(
          report: ReportFundingRound.Report(
            kind: .secondary, name: "Sale of shares", announcedOn: market.today, currency: .usd, amount: nil,
            preMoney: nil, postMoney: nil, acquirer: nil, evidence: nil,
            closings: [(closedOn: market.today, netNewCash: Int64(0))])), by: lent.startup.principal
      ).round
      let sold = try await market.verify(secondary)
      let round = try await market.price(
        by: lent.startup, pricing: RoundPricing(price: SharePrice(1_000), capitalisation: 1_000_000))
      let other = try await market.lendWithOptions(warrants(strike: try SharePrice(250), .qualifyingRound))
      let second = try await warrant(of: other.loan, market)
      for (command, who, code) in [
        (exercise(issued, .cash(evidence: "wire"), sold), lent.lender, "warrant.not_the_occasion"),
        (exercise(issued, .cash(evidence: "wire")), lent.lender, "warrant.round_missing"),
        // Another startup's round.
        (exercise(second, .net, round), other.lender, "parties.not_found"),
      ] {
        #expect(try await market.submit(command, by: who.principal).refusalCode == code)
      }
      let done = try await market.run(exercise(issued, .net, round), by: lent.lender.principal)
      #expect(done.state == .exercised && done.exercise?.roundID == round.id)
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }
}

private enum Forge {
  static let shares = Statement("test_forge_warrants", "update warrants set shares = shares + 1 where shares = 4320")
}
