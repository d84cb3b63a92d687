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

/// Loans of 14,400,000 minor units each, a quarter of a round's cash to be swept.
@Suite("Parts of a sweep that lenders decline", .timeLimit(.minutes(3)))
struct DeclineTests {
  private func agree(
    _ goesTo: WaterfallDefinition.DeclinedTo, of borrowed: Borrowed, ranks: [Int64] = [], in market: Marketplace
  ) async throws {
    let standard = WaterfallDefinition.standard(for: .round)
    let round = try WaterfallDefinition(
      source: .round, rules: standard.rules, order: standard.order, ownLoansFirst: false,
      decline: WaterfallDefinition.DeclineRule(goesTo: goesTo, deadlineDays: 5))
    let places = zip(borrowed.loans, ranks).map { IntercreditorTerms.Place(loanID: $0, rank: $1, hasAcceded: true) }
    _ = try await market.run(
      SetWaterfalls(
        startupID: borrowed.startup.id, effectiveOn: market.today,
        terms: IntercreditorTerms([round], places: places), evidence: "agreement"), by: Marketplace.staff())
  }

  /// A round of one closing, reported and swept.
  private func sweep(_ cash: Int64, of startup: Party, in market: Marketplace) async throws -> FundingClosing {
    let reported = try await market.report([cash], by: startup)
    try await market.verify(reported.round)
    _ = try await market.run(SweepBorrower(borrowerID: startup.id, on: market.today), by: .automation)
    return try #require(reported.closings.first)
  }

  private func dues(_ borrowed: Borrowed, _ market: Marketplace) async throws -> [Int64?] {
    var dues: [Int64?] = []
    for id in borrowed.loans { dues.append(try await market.loan(id).due?.amount) }
    return dues
  }

  private func correct(_ closing: FundingClosing, to cash: Int64, in market: Marketplace) async throws {
    _ = try await market.run(
      CorrectFundingRound(
        roundID: closing.roundID, closingID: closing.id, netNewCash: Money(cash, .usd), reason: "came short",
        ifVersion: nil), by: Marketplace.staff())
  }

  @Test("what a lender declines is due to the others of its rank instead, each decision on top of those before")
  func sameRank() async throws {
    try await Marketplace.with { market in
      let borrowed = try await market.borrow(from: 3)
      try await agree(.sameRank, of: borrowed, in: market)
      let closing = try await sweep(30_000_000, of: borrowed.startup, in: market)
      #expect(try await dues(borrowed, market) == [2_500_000, 2_500_000, 2_500_000])
      func decline(_ number: Int, by lender: Int? = nil) -> (DeclinePrepayment, Principal) {
        (
          DeclinePrepayment(loanID: borrowed.loans[number], closingID: closing.id),
          borrowed.lenders[lender ?? number].principal
        )
      }
      func code(_ asked: (DeclinePrepayment, Principal)) async throws -> String? {
        try await market.submit(asked.0, by: asked.1).refusalCode
      }
      #expect(try await code(decline(0, by: 1)) == "parties.not_found")
      #expect(try await code((decline(0).0, borrowed.startup.principal)) == "parties.not_yours")
      let shown = try await market.submit(decline(0).0, by: decline(0).1, validateOnly: true)
      #expect(try shown.get().dues.lines.map(\.amount) == [1_250_000, 1_250_000])
      _ = try await market.run(decline(0).0, by: decline(0).1)
      #expect(try await dues(borrowed, market) == [nil, 3_750_000, 3_750_000])
      #expect(try await market.loan(borrowed.loans[0]).state == .active)
      #expect(try await code(decline(0)) == "repayment.already_declined")
      market.clock.advance(days: 5)
      _ = try await market.run(decline(1).0, by: decline(1).1)
      #expect(try await dues(borrowed, market) == [nil, nil, 7_500_000])
      #expect(try await market.lawBreaches() == [])
      try await market.pay(7_500_000, by: borrowed.startup)
      #expect(try await market.loan(borrowed.loans[0]).outstanding.principal == 14_400_000)
      #expect(try await dues(borrowed, market) == [nil, nil, nil])
      #expect(try await code(decline(2)) == "repayment.already_divided")
      #expect(try await market.lawBreaches() == [])
    }
  }

  @Test("by its data the part goes past the rank, or stays with the startup")
  func elsewhere() async throws {
    for (goesTo, after) in [
      (WaterfallDefinition.DeclinedTo.nextRank, [nil, 3_750_000, 3_750_000] as [Int64?]),
      (.borrower, [nil, 3_750_000, nil]),
    ] {
      try await Marketplace.with { market in
        let borrowed = try await market.borrow(from: 3)
        // The first two share the pool before the third gets anything.
        try await agree(goesTo, of: borrowed, ranks: [1, 1, 2], in: market)
        let closing = try await sweep(30_000_000, of: borrowed.startup, in: market)
        #expect(try await dues(borrowed, market).compactMap { $0 } == [3_750_000, 3_750_000, 0].filter { $0 > 0 })
        _ = try await market.run(
          DeclinePrepayment(loanID: borrowed.loans[0], closingID: closing.id), by: borrowed.lenders[0].principal)
        #expect(try await dues(borrowed, market) == after, "\(goesTo)")
        try await market.pay(7_500_000, by: borrowed.startup)
        #expect(try await market.lawBreaches() == [])
      }
    }
  }

  @Test("nobody declines late, before the sweep, without the right, or what a change of control made due")
  func refusals() async throws {
    try await Marketplace.with { market in
      let borrowed = try await market.borrow(from: 2)
      let (id, lender) = (borrowed.loans[0], borrowed.lenders[0].principal)
      func code(_ closing: ClosingID) async throws -> String? {
        try await market.submit(DeclinePrepayment(loanID: id, closingID: closing), by: lender).refusalCode
      }
      #expect(try await code(ClosingID(UUIDValue(high: 5, low: 5))) == "parties.not_found")
      let reported = try await market.report([30_000_000], by: borrowed.startup)
      let closing = try #require(reported.closings.first?.id)
      #expect(try await code(closing) == "repayment.not_swept")
      try await market.verify(reported.round)
      _ = try await market.run(SweepBorrower(borrowerID: borrowed.startup.id, on: market.today), by: .automation)
      #expect(try await code(closing) == "repayment.may_not_decline")
      // The terms of the day of the sweep hold, whatever is agreed later.
      market.clock.advance(days: 1)
      try await agree(.sameRank, of: borrowed, in: market)
      #expect(try await code(closing) == "repayment.may_not_decline")
      let second = try await sweep(4_000_000, of: borrowed.startup, in: market)
      market.clock.advance(days: 6)
      #expect(try await code(second.id) == "repayment.decline_out_of_time")
      try await market.makeDue(LentLoan(id: id, lender: borrowed.lenders[0], startup: borrowed.startup))
      let sale = try await market.database.withConnection { connection in
        let rows = try await connection.run(
          Query(Details.closingsOfStartup, [.uuid(nil), .uuid(borrowed.startup.id.value.bits)]), deadline: soon())
        return try #require(try Tables.fundingClosings.decode(rows).first { $0.netNewCash.amount == 0 })
      }
      #expect(try await code(sale.id) == "repayment.nothing_to_decline")
      #expect(try await market.lawBreaches() == [])
    }
  }

  @Test("a round that turns out smaller is followed through what was declined of it")
  func corrected() async throws {
    try await Marketplace.with { market in
      let borrowed = try await market.borrow(from: 3)
      try await agree(.sameRank, of: borrowed, in: market)
      let closing = try await sweep(30_000_000, of: borrowed.startup, in: market)
      _ = try await market.run(
        DeclinePrepayment(loanID: borrowed.loans[0], closingID: closing.id), by: borrowed.lenders[0].principal)
      try await correct(closing, to: 12_000_000, in: market)
      #expect(try await dues(borrowed, market) == [nil, 1_500_000, 1_500_000])
      #expect(try await market.lawBreaches() == [])
    }
  }

  @Test("a round that turns out smaller is followed into what was sold of its loans")
  func correctedAfterSale() async throws {
    try await Marketplace.with { market in
      let borrowed = try await market.borrow(from: 1)
      let buyer = try await market.lender("Buyer")
      try await agree(.borrower, of: borrowed, in: market)
      let closing = try await sweep(8_000_000, of: borrowed.startup, in: market)
      let sale = try await market.run(
        ProposeAssignment(loanID: borrowed.loans[0], buyerID: buyer.id, quantity: 8, price: Money(1, .usd)),
        by: borrowed.lenders[0].principal
      ).assignment
      _ = try await market.run(AnswerAssignment(assignmentID: sale.id, act: .accept), by: buyer.principal)
      _ = try await market.run(
        AnswerAssignment(assignmentID: sale.id, act: .consent), by: borrowed.startup.principal)
      let bought = try #require(
        try await market.run(SettleAssignment(assignmentID: sale.id), by: borrowed.lenders[0].principal).loan)
      #expect(bought.due?.amount == 1_000_000)
      for (id, lender, code) in [
        (borrowed.loans[0], borrowed.lenders[0], "repayment.sold_since"),
        (bought.id, buyer, "repayment.nothing_to_decline"),
      ] {
        let decline = DeclinePrepayment(loanID: id, closingID: closing.id)
        #expect(try await market.submit(decline, by: lender.principal).refusalCode == code)
      }
      try await correct(closing, to: 4_000_000, in: market)
      #expect(try await market.loan(bought.id).due?.amount == 500_000)
      #expect(try await dues(borrowed, market) == [500_000])
      #expect(try await market.lawBreaches() == [])
    }
  }
}
