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

/// Sixteen chips and 14,400,000 minor units of principal; a day is 4,000 of fee.
@Suite("The sale of a loan", .timeLimit(.minutes(3)))
struct LoanAssignmentTests {
  private func propose(
    _ lent: LentChips, to buyer: Party, quantity: Int64? = nil, serials: [String] = [], price: Money = Money(1, .usd),
    effectiveOn: CalendarDate? = nil
  ) -> ProposeAssignment {
    ProposeAssignment(
      loanID: lent.id, buyerID: buyer.id, quantity: quantity, serials: serials, price: price, effectiveOn: effectiveOn)
  }

  private func accept(_ sale: LoanAssignment) -> AnswerAssignment {
    AnswerAssignment(assignmentID: sale.id, act: .accept)
  }

  /// Proposed, accepted, consented to and settled, on one day.
  private func sell(
    _ lent: LentChips, to buyer: Party, quantity: Int64? = nil, serials: [String] = []
  ) async throws -> AssignmentDesk.Answered {
    let market = lent.market
    let sale = try await market.run(
      propose(lent, to: buyer, quantity: quantity, serials: serials), by: lent.lender.principal
    ).assignment
    _ = try await market.run(accept(sale), by: buyer.principal)
    _ = try await market.run(
      AnswerAssignment(assignmentID: sale.id, act: .consent), by: lent.startup.principal)
    return try await market.run(SettleAssignment(assignmentID: sale.id), by: lent.lender.principal)
  }

  private func loan(_ id: LoanID?, _ market: Marketplace) async throws -> Loan {
    let id = try #require(id)
    return try await market.database.withConnection { connection in
      let rows = try Tables.loans.decode(await connection.run(Tables.loans.rows(by: [id.value]), deadline: soon()))
      return try #require(rows.first)
    }
  }

  private func lot(_ id: LotID, _ market: Marketplace) async throws -> Lot {
    try await market.database.withConnection { connection in
      let rows = try Tables.lots.decode(await connection.run(Tables.lots.rows(by: [id.value]), deadline: soon()))
      return try #require(rows.first)
    }
  }

  private func accrue(_ lent: LentChips) async throws {
    _ = try await lent.market.run(
      AccrueBorrower(borrowerID: lent.startup.id, through: lent.today), by: .automation)
  }

  /// Reports and sweeps a round of so much cash; a quarter of it is swept.
  private func sweep(_ cash: Int64, _ lent: LentChips) async throws {
    let report = ReportFundingRound.Report(
      kind: .priced, name: "A", announcedOn: lent.today, currency: .usd, amount: nil, preMoney: nil, postMoney: nil,
      acquirer: nil, evidence: nil, closings: [(closedOn: lent.today, netNewCash: cash)])
    let reported = try await lent.market.run(ReportFundingRound(report: report), by: lent.startup.principal)
    _ = try await lent.market.run(
      DecideFundingRound(roundID: reported.round.id, decision: .verify(evidence: "filing"), ifVersion: nil),
      by: Marketplace.staff())
    _ = try await lent.market.run(SweepBorrower(borrowerID: lent.startup.id, on: lent.today), by: .automation)
  }

  @Test("the cap on penalties is not begun anew by a sale: seller and buyer come to it together")
  func penaltyCap() async throws {
    try await Marketplace.with { market in
      // One per cent of the principal: ten days of 14,400, eight of which are charged before the sale.
      let lent = try await LentChips(
        market, recallNoticeDays: 30,
        penalty: PenaltyTerms(rate: BasisPoints(3_600), graceDays: 2, cap: BasisPoints(100)))
      let buyer = try await market.lender("Buyer")
      try await lent.letRecallLapse()
      let settled = try await sell(lent, to: buyer, quantity: 8)
      let bought = try #require(settled.assignment.assignedLoanID)
      #expect(try await loan(bought, market).life.penalty.most == 14_400)
      market.clock.advance(days: 30)
      try await accrue(lent)
      let (old, new) = (try await lent.loan(), try await loan(bought, market))
      #expect(old.life.penalty.total == 144_000 - 14_400 && new.life.penalty.total == 14_400)
      #expect(try await lent.breaches() == [])
    }
  }

  @Test("half a loan is sold, fees go on for each, a round pays both, and every law holds all the way")
  func half() async throws {
    try await Marketplace.with { market in
      let lent = try await LentChips(market)
      let buyer = try await market.lender("Buyer")
      market.clock.advance(days: 10)
      let settled = try await sell(lent, to: buyer, quantity: 8)
      #expect(settled.claim == Debt(charges: 0, fee: 20_000, principal: 7_200_000))
      #expect(try await lent.breaches() == [])
      let (seller, bought) = (try await lent.loan(), try await loan(settled.assignment.assignedLoanID, market))
      #expect(seller.outstanding == bought.outstanding && seller.life.unitsAssigned == 8 && seller.unitsOut == 8)
      #expect(seller.feeAccruedTotal == 40_000 && bought.feeAccruedTotal == 0)
      #expect(bought.terms.lenderID == buyer.id && bought.securityInterest?.number == seller.securityInterest?.number)
      #expect(try await lent.lot().units(.sold) == 8)
      let boughtLot = try await lot(bought.terms.lotID, market)
      #expect(boughtLot.lenderID == buyer.id && boughtLot.units(.onLoan) == 8 && boughtLot.quantity == 8)
      market.clock.advance(days: 10)
      try await accrue(lent)
      #expect(try await lent.loan().outstanding.fee == 40_000)
      #expect(try await loan(bought.id, market).feeAccruedTotal == 20_000)
      try await sweep(100_000_000, lent)
      try await lent.pay(14_480_000, .round)
      let (first, second) = (try await lent.loan(), try await loan(bought.id, market))
      #expect(first.state == .closed && first.closedAs == .paidOff && first.unitsOwned == 8)
      #expect(second.state == .closed && second.closedAs == .paidOff && second.unitsOwned == 8)
      #expect(second.securityInterest?.releasedOn == lent.today)
      #expect(try await lent.breaches() == [])
      let run = SettlementRunID(UUIDValue(high: 14, low: 1))
      for (lender, fee) in [(lent.lender, Int64(40_000)), (buyer, 40_000)] {
        let payout = try await market.run(
          PayOutLender(lenderID: lender.id, currency: .usd, runID: run, on: lent.today), by: .automation)
        #expect(payout?.gross.amount == 7_200_000 + fee)
      }
      #expect(try await lent.breaches() == [])
    }
  }

  @Test("a whole loan is sold and sold on: each seller's ends as assigned, the chips return to the last lender")
  func whole() async throws {
    try await Marketplace.with { market in
      let lent = try await LentChips(market)
      let (buyer, third) = (try await market.lender("Buyer"), try await market.lender("Third"))
      market.clock.advance(days: 3)
      _ = try await market.run(
        WriteOffLoan(loanID: lent.id, amount: Money(1_000, .usd), reason: nil, ifVersion: nil),
        by: lent.lender.principal)
      let settled = try await sell(lent, to: buyer)
      let first = try await lent.loan()
      #expect(first.state == .closed && first.closedAs == .assigned && first.title == .assigned)
      #expect(first.life.writtenOff == 0)
      let bought = try #require(settled.loan)
      let proposal = ProposeAssignment(
        loanID: bought.id, buyerID: third.id, quantity: nil, price: Money(5, .usd))
      let sale = try await market.run(proposal, by: buyer.principal).assignment
      _ = try await market.run(accept(sale), by: third.principal)
      market.clock.advance(days: 11)
      let onward = try #require(
        try await market.run(SettleAssignment(assignmentID: sale.id), by: buyer.principal).loan)
      #expect(onward.life.acquired?.lineage == [bought.id, lent.id])
      #expect(onward.outstanding.fee == 14 * LentChips.perDay)
      #expect(try await lent.breaches() == [])
      for (condition, party) in [(nil, lent.startup), (nil, third), (.good, third)]
        as [(ReturnCondition?, Party)]
      {
        _ = try await market.run(
          RecordReturn(
            loanID: onward.id, quantity: 8, occurredOn: lent.today, condition: condition,
            conditionCharge: condition == nil ? nil : Money(0, .usd)), by: party.principal)
      }
      #expect(try await lot(onward.terms.lotID, market).units(.available) == 8)
      #expect(try await loan(onward.id, market).outstanding.principal == 7_200_000)
      #expect(try await lent.breaches() == [])
      // The old lender acts on its past no more, and is told that it ended.
      let recall = RecallLoan(loanID: lent.id, noticeDays: nil, reason: nil, ifVersion: nil)
      #expect(try await market.submit(recall, by: lent.lender.principal).refusalCode == "lending.illegal_state")
      let stranger = RecallLoan(loanID: onward.id, noticeDays: nil, reason: nil, ifVersion: nil)
      #expect(try await market.submit(stranger, by: lent.lender.principal).refusalCode == "parties.not_found")
      #expect(try await lent.events().map(\.type).suffix(2) == ["loan.consent_asked", "loan.assigned"])
    }
  }

  @Test("numbered units go with their part by their numbers, and one that is bought back is the same unit again")
  func numbered() async throws {
    try await Marketplace.with { market in
      let lent = try await LentChips(market, isDelivered: false)
      let buyer = try await market.lender("Buyer")
      let serials = (0..<16).map { "SN-\($0)" }
      for party in [lent.lender, lent.startup] {
        _ = try await market.run(
          RecordDelivery(loanID: lent.id, quantity: nil, serials: serials, occurredOn: lent.today, ifVersion: nil),
          by: party.principal)
      }
      let unnamed = propose(lent, to: buyer, quantity: 8)
      #expect(
        try await market.submit(unnamed, by: lent.lender.principal).refusalCode == "loan.serials_required")
      let settled = try await sell(lent, to: buyer, quantity: 8, serials: Array(serials[4..<12]))
      let bought = try #require(settled.loan)
      func units(_ id: LoanID) async throws -> [ChipUnit] {
        try await market.database.withConnection { connection in
          let query = Query(Details.unitsOfLoan, [.uuid(nil), .uuid(id.value.bits)])
          return try Tables.chipUnits.decode(await connection.run(query, deadline: soon()))
        }
      }
      #expect(try await units(bought.id).map(\.serial).sorted() == serials[4..<12].sorted())
      #expect(try await units(bought.id).allSatisfy { $0.isLent && $0.lenderID == buyer.id })
      #expect(try await units(lent.id).filter { $0.condition == .assigned }.count == 8)
      #expect(try await lot(bought.terms.lotID, market).serials == Array(serials[4..<12]))
      #expect(try await lent.breaches() == [])
      // What was sold is not lent, returned or sold again by its old lender.
      let gone = RecordReturn(
        loanID: lent.id, quantity: 1, serials: ["SN-5"], occurredOn: lent.today, condition: nil, conditionCharge: nil)
      #expect(try await market.submit(gone, by: lent.startup.principal).refusalCode == "loan.unit_not_in_loan")
      let back = ProposeAssignment(
        loanID: bought.id, buyerID: lent.lender.id, quantity: nil, price: Money(1, .usd))
      let sale = try await market.run(back, by: buyer.principal).assignment
      _ = try await market.run(accept(sale), by: lent.lender.principal)
      _ = try await market.run(
        AnswerAssignment(assignmentID: sale.id, act: .consent), by: lent.startup.principal)
      let again = try #require(
        try await market.run(SettleAssignment(assignmentID: sale.id), by: buyer.principal).loan)
      #expect(try await units(again.id).count == 8)
      #expect(try await units(lent.id).filter { $0.loanID == lent.id }.count == 8)
      #expect(try await lent.breaches() == [])
    }
  }

  @Test("who may not buy, sell or answer is refused, and nothing moves")
  func refusals() async throws {
    try await Marketplace.with { market in
      let lent = try await LentChips(market)
      let buyer = try await market.lender("Buyer")
      let (owner, startup) = (lent.lender.principal, lent.startup.principal)
      let other = try await market.startup("Other")
      func code(_ command: some Command, _ principal: Principal) async throws -> String? {
        try await market.submit(command, by: principal).refusalCode
      }
      #expect(try await code(propose(lent, to: lent.lender), owner) == "loan.assignee_barred")
      #expect(try await code(propose(lent, to: lent.startup), owner) == "loan.assignee_barred")
      #expect(try await code(propose(lent, to: other), owner) == "loan.assignee_barred")
      #expect(try await code(propose(lent, to: buyer), startup) == "parties.not_yours")
      #expect(try await code(propose(lent, to: buyer), buyer.principal) == "parties.not_found")
      #expect(try await code(propose(lent, to: buyer, quantity: 17), owner) == "lending.more_than_out")
      #expect(try await code(propose(lent, to: buyer, quantity: 4), owner) == "lending.not_in_boards")
      #expect(try await code(propose(lent, to: buyer, price: Money(1, .cny)), owner) == "lending.terms_disagree")
      let past = try lent.day(-1)
      #expect(try await code(propose(lent, to: buyer, effectiveOn: past), owner) == "loan.date_out_of_range")
      let unverified = try await market.run(
        DecideVerification(organizationID: buyer.id, act: .suspend(reason: "list"), ifVersion: nil),
        by: Marketplace.staff())
      #expect(try await code(propose(lent, to: buyer), owner) == "parties.not_verified")
      _ = try await market.run(
        DecideVerification(
          organizationID: buyer.id, act: .verify(evidence: "cleared", expiresOn: nil, creditGrade: nil),
          ifVersion: unverified.version), by: Marketplace.staff())
      let amendment = try await lent.propose(.extend(to: try lent.day(400)), by: lent.startup)
      #expect(try await code(propose(lent, to: buyer), owner) == "loan.assignment_barred")
      _ = try await lent.answer(amendment, .reject, by: lent.lender)
      _ = try await market.run(
        FreezeLoan(loanID: lent.id, reason: "screening", ifVersion: nil), by: Marketplace.staff())
      #expect(try await code(propose(lent, to: buyer), owner) == "lending.illegal_state")
      _ = try await market.run(UnfreezeLoan(loanID: lent.id, ifVersion: nil), by: Marketplace.staff())
      let shown = try await market.submit(propose(lent, to: buyer), by: owner, validateOnly: true)
      #expect(try shown.get().claim?.principal == 14_400_000)
      let sale = try await market.run(propose(lent, to: buyer), by: owner).assignment
      #expect(try await code(propose(lent, to: buyer), owner) == "loan.assignment_pending")
      #expect(try await code(accept(sale), owner) == "parties.not_yours")
      #expect(try await code(accept(sale), startup) == "parties.not_found")
      #expect(try await code(accept(sale), other.principal) == "parties.not_found")
      #expect(try await code(SettleAssignment(assignmentID: sale.id), owner) == "lending.illegal_state")
      let seller = Principal(
        organizationID: buyer.id, roles: [.lender], personID: owner.personID, credential: buyer.principal.credential)
      #expect(try await code(accept(sale), seller) == "parties.same_person")
      _ = try await market.run(accept(sale), by: buyer.principal)
      #expect(try await code(accept(sale), buyer.principal) == "lending.illegal_state")
      #expect(try await code(SettleAssignment(assignmentID: sale.id), buyer.principal) == "parties.not_yours")
      #expect(try await code(SettleAssignment(assignmentID: sale.id), owner) == "loan.consent_awaited")
      let refuse = AnswerAssignment(assignmentID: sale.id, act: .refuse)
      #expect(try await code(refuse, buyer.principal) == "parties.not_yours")
      _ = try await market.run(refuse, by: startup)
      #expect(try await code(SettleAssignment(assignmentID: sale.id), owner) == "lending.illegal_state")
      #expect(try await lent.loan().life.unitsAssigned == 0)
      #expect(try await lent.entries("loan_assigned") == 0)
      #expect(try await lent.breaches() == [])
    }
  }

  @Test("a sale that is not answered or settled in time lapses, and another may come after it")
  func lapses() async throws {
    try await Marketplace.with { market in
      let lent = try await LentChips(market)
      let buyer = try await market.lender("Buyer")
      let first = try await market.run(propose(lent, to: buyer), by: lent.lender.principal).assignment
      let lapse = LapseAssignment(assignmentID: first.id)
      #expect(try await market.run(lapse, by: .automation) == false)
      market.clock.advance(days: 15)
      #expect(try await market.submit(accept(first), by: buyer.principal).refusalCode == "loan.assignment_lapsed")
      // The next proposal ends the one that ran out.
      let second = try await market.run(propose(lent, to: buyer), by: lent.lender.principal).assignment
      #expect(try await market.run(lapse, by: .automation) == false)
      _ = try await market.run(accept(second), by: buyer.principal)
      market.clock.advance(days: 31)
      let settle = SettleAssignment(assignmentID: second.id)
      #expect(try await market.submit(settle, by: lent.lender.principal).refusalCode == "loan.assignment_lapsed")
      #expect(try await market.run(LapseAssignment(assignmentID: second.id), by: .automation))
      #expect(try await market.run(LapseAssignment(assignmentID: second.id), by: .automation) == false)
      #expect(try await lent.breaches() == [])
    }
  }

  @Test("a claim that was paid down since the buyer accepted is not settled at the old price")
  func paidDown() async throws {
    try await Marketplace.with { market in
      let lent = try await LentChips(market)
      let buyer = try await market.lender("Buyer")
      let sale = try await market.run(propose(lent, to: buyer), by: lent.lender.principal).assignment
      _ = try await market.run(accept(sale), by: buyer.principal)
      try await sweep(4_000_000, lent)
      try await lent.pay(1_000_000, .round)
      market.clock.advance(days: 11)
      let settle = SettleAssignment(assignmentID: sale.id)
      #expect(try await market.submit(settle, by: lent.lender.principal).refusalCode == "loan.claim_changed")
      #expect(try await lent.breaches() == [])
    }
  }

  @Test("the listing says whether a loan is sold freely, with consent or never; in default nobody asks the borrower")
  func terms() async throws {
    for assignability in Assignability.allCases {
      try await Marketplace.with { market in
        let lent = try await LentChips(market, assignability: assignability)
        let buyer = try await market.lender("Buyer")
        if assignability == .withConsent {
          _ = try await market.run(
            DeclareDefault(loanID: lent.id, cause: .insolvency, cureDays: nil, reason: nil, ifVersion: nil),
            by: lent.lender.principal)
        }
        let proposed = try await market.submit(propose(lent, to: buyer), by: lent.lender.principal)
        guard assignability != .never else {
          #expect(proposed.refusalCode == "loan.not_assignable")
          return
        }
        let sale = try proposed.get().assignment
        let accepted = try await market.run(accept(sale), by: buyer.principal).assignment
        #expect(accepted.consentBy == nil)
        let answer = AnswerAssignment(assignmentID: sale.id, act: .refuse)
        #expect(try await market.submit(answer, by: lent.startup.principal).refusalCode == "lending.illegal_state")
        let bought = try #require(
          try await market.run(SettleAssignment(assignmentID: sale.id), by: lent.lender.principal).loan)
        #expect(bought.terms.assignability == assignability)
        #expect(bought.state == (assignability == .withConsent ? .defaulted : .active))
        #expect(try await lent.breaches() == [])
      }
    }
  }

  @Test("title passes only by a clear verdict, to a buyer that is verified on the day of settlement")
  func screened() async throws {
    try await Marketplace.with { market in
      let lent = try await LentChips(market)
      let china = try Marketplace.country("CN")
      let created = try await market.run(
        CreateOrganization(
          legalName: "Far Buyer", jurisdiction: china, ultimateParentJurisdiction: china, groupID: nil,
          roles: [.lender], owners: [], sites: []), by: Marketplace.staff())
      let far = try await market.run(
        DecideVerification(
          organizationID: created.id, act: .verify(evidence: "register", expiresOn: nil, creditGrade: nil),
          ifVersion: nil), by: Marketplace.staff())
      let barred = ProposeAssignment(loanID: lent.id, buyerID: far.id, quantity: nil, price: Money(1, .usd))
      #expect(
        try await market.submit(barred, by: lent.lender.principal).refusalCode == "lending.export_verdict")
      let buyer = try await market.lender("Buyer")
      let sale = try await market.run(propose(lent, to: buyer), by: lent.lender.principal).assignment
      _ = try await market.run(accept(sale), by: buyer.principal)
      _ = try await market.run(AnswerAssignment(assignmentID: sale.id, act: .consent), by: lent.startup.principal)
      _ = try await market.run(
        DecideVerification(organizationID: buyer.id, act: .suspend(reason: "list"), ifVersion: nil),
        by: Marketplace.staff())
      let settle = SettleAssignment(assignmentID: sale.id)
      #expect(try await market.submit(settle, by: lent.lender.principal).refusalCode == "parties.not_verified")
      #expect(try await lent.loan().unitsOut == 16)
      #expect(try await lent.breaches() == [])
    }
  }

  @Test("a bought loan is re-rated from the day it was bought on, over the principal that it has had since")
  func reRated() async throws {
    try await Marketplace.with { market in
      let lent = try await LentChips(market)
      let buyer = try await market.lender("Buyer")
      market.clock.advance(days: 10)
      let bought = try #require(try await sell(lent, to: buyer, quantity: 8).loan)
      let boughtOn = lent.today
      market.clock.advance(days: 10)
      try await accrue(lent)
      func reRate(from date: CalendarDate) async throws -> LoanAmendment? {
        let propose = ProposeAmendment(
          loanID: bought.id, terms: .reRate(from: date, rate: BasisPoints(500)), reason: nil, validDays: nil,
          ifVersion: nil)
        let decided = try await market.submit(propose, by: buyer.principal)
        if decided.refusalCode != nil {
          #expect(decided.refusalCode == "loan.date_out_of_range")
          return nil
        }
        return try decided.get().amendment
      }
      #expect(try await reRate(from: lent.day(9)) == nil)
      let amendment = try #require(try await reRate(from: boughtOn))
      let answer = AnswerAmendment(loanID: bought.id, amendmentID: amendment.id, act: .accept, ifVersion: nil)
      _ = try await market.run(answer, by: lent.startup.principal)
      // Ten days at half the rate; the fee that came with the loan is the seller's work, and stays owed.
      let loan = try await loan(bought.id, market)
      #expect(loan.outstanding.fee == 20_000 + 10_000 && loan.feeAccruedTotal == 10_000)
      #expect(try await lent.loan().outstanding.fee == 40_000)
      #expect(try await lent.breaches() == [])
    }
  }

  @Test("the place among the lenders of a startup goes with the loan")
  func rank() async throws {
    try await Marketplace.with { market in
      let lent = try await LentChips(market)
      let buyer = try await market.lender("Buyer")
      let terms = try IntercreditorTerms(
        [], places: [IntercreditorTerms.Place(loanID: lent.id, rank: 2, hasAcceded: true)])
      _ = try await market.run(
        SetWaterfalls(startupID: lent.startup.id, effectiveOn: lent.today, terms: terms, evidence: "agreement"),
        by: Marketplace.staff())
      _ = try await sell(lent, to: buyer, quantity: 8)
      // The pool is a quarter of the cash: too little for both, so equal ranks share it.
      try await sweep(8_000_000, lent)
      let loans = try await market.database.withConnection { connection in
        let query = Query(Details.loansOfStartup, [.uuid(nil), .uuid(lent.startup.id.value.bits)])
        return try Tables.loans.decode(await connection.run(query, deadline: soon()))
      }
      #expect(loans.map { $0.due?.amount } == [1_000_000, 1_000_000])
      #expect(try await lent.breaches() == [])
    }
  }
}
