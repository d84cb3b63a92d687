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

/// A startup with three loans of sixteen chips, 14,400,000 minor units each, that is bought by an organisation of the market
/// and has five days to choose.
private struct Bought: Sendable {
  let startup: Party
  let lenders: [Party]
  let loans: [LoanID]
  let acquirer: Party
  let round: FundingRound

  func choose(_ kind: ControlChoice.Kind, _ loan: Int = 0, quantity: Int64? = nil) -> ChooseAtControl {
    ChooseAtControl(roundID: round.id, loanID: loans[loan], kind: kind, quantity: quantity)
  }
}

extension Marketplace {
  private func report(
    of startup: Party, acquirer: OrganizationID?, chooseBy: CalendarDate?, kind: FundingRoundKind = .acquisition
  ) async throws -> Decided<ReportFundingRound.Reported> {
    let report = ReportFundingRound.Report(
      kind: kind, name: "Sale", announcedOn: today, currency: .usd, amount: nil, preMoney: nil, postMoney: nil,
      acquirer: kind == .acquisition ? "Northern Star" : nil, acquirerID: acquirer, chooseBy: chooseBy, evidence: nil,
      closings: [(closedOn: today, netNewCash: 0)])
    return try await submit(ReportFundingRound(report: report), by: startup.principal)
  }

  fileprivate func buy(days: Int64? = 5) async throws -> Bought {
    let borrowed = try await borrow(from: 3)
    let acquirer = try await startup("Northern Star")
    clock.advance(days: 10)
    let reported = try await report(
      of: borrowed.startup, acquirer: acquirer.id, chooseBy: days.flatMap { today.adding(days: $0) }
    ).get()
    let round = try await verify(reported.round)
    return Bought(
      startup: borrowed.startup, lenders: borrowed.lenders, loans: borrowed.loans, acquirer: acquirer, round: round)
  }

  fileprivate func refusedReports() async throws -> [String?] {
    let startup = try await startup()
    let lender = try await lender()
    let yesterday = try #require(today.adding(days: -1))
    var codes: [String?] = []
    codes.append(try await report(of: startup, acquirer: nil, chooseBy: yesterday).refusalCode)
    codes.append(try await report(of: startup, acquirer: lender.id, chooseBy: today).refusalCode)
    codes.append(
      try await report(of: startup, acquirer: OrganizationID(UUIDValue(high: 1, low: 1)), chooseBy: today).refusalCode)
    codes.append(try await report(of: startup, acquirer: nil, chooseBy: today, kind: .priced).refusalCode)
    return codes
  }

  fileprivate func choice(_ id: ControlChoiceID) async throws -> ControlChoice {
    try await database.withConnection { connection in
      try #require(
        try Tables.controlChoices.decode(
          await connection.run(Tables.controlChoices.rows(by: [id.value]), deadline: soon())
        ).first)
    }
  }
}

@Suite("Choices at a change of control", .timeLimit(.minutes(5)))
struct ControlTests {
  @Test("until the deadline nothing is due but what was chosen so; after it the sweep accelerates the rest")
  func deadline() async throws {
    try await Marketplace.with { market in
      let bought = try await market.buy()
      let swept = try await market.run(
        SweepBorrower(borrowerID: bought.startup.id, on: market.today), by: .automation)
      #expect(swept.isEmpty)
      let now = try await market.run(bought.choose(.accelerate), by: bought.startup.principal)
      #expect(now.choice.state == .done)
      #expect(now.due == Money(14_440_000, .usd))
      #expect(now.loan.due?.cause == .changeOfControl)
      #expect(try await market.loan(bought.loans[1]).due == nil)
      #expect(
        try await market.submit(bought.choose(.accelerate), by: bought.startup.principal).refusalCode
          == "control.done_before")
      // An assumption that nobody consents to, and a loan for which nothing is chosen.
      let asked = try await market.run(bought.choose(.assume, 1), by: bought.startup.principal).choice
      market.clock.advance(days: 6)
      #expect(
        try await market.submit(bought.choose(.accelerate, 2), by: bought.startup.principal).refusalCode
          == "control.too_late")
      let run = try await market.settle(.sweep)
      #expect(run.state == .succeeded)
      #expect(try await market.choice(asked.id).state == .lapsed)
      for id in bought.loans {
        let loan = try await market.loan(id)
        #expect(loan.state == .due)
        #expect(loan.due?.amount == nil)
      }
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  @Test("units go back with their credit, and what it does not cover is due at once")
  func giveBack() async throws {
    try await Marketplace.with { market in
      let bought = try await market.buy()
      let chosen = try await market.run(
        bought.choose(.return, quantity: 8), by: bought.startup.principal)
      // Half of the principal is credited; the rest and ten days of fee are due.
      #expect(chosen.due == Money(7_240_000, .usd))
      #expect(chosen.loan.unitsReturning == 8)
      let lender = bought.lenders[0].principal
      for condition in [nil, ReturnCondition.good] {
        _ = try await market.run(
          RecordReturn(
            loanID: bought.loans[0], quantity: 8, occurredOn: market.today, condition: condition, conditionCharge: nil),
          by: lender)
      }
      let loan = try await market.loan(bought.loans[0])
      #expect(try loan.outstanding.total() == 7_240_000)
      #expect(try loan.collectable.total() == 7_240_000)
      try await market.pay(7_240_000, by: bought.startup)
      #expect(try await market.loan(bought.loans[0]).closedAs == .mixed)
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  @Test("an assumption needs the startup, the lender and the acquirer, and the acquirer owes the rest to the last unit")
  func assumption() async throws {
    try await Marketplace.with { market in
      let bought = try await market.buy()
      let stranger = try await market.startup("Stranger")
      let choice = try await market.run(bought.choose(.assume), by: bought.startup.principal).choice
      let consent = ConsentToAssumption(choiceID: choice.id, ifVersion: nil)
      let assume = AssumeLoan(choiceID: choice.id, ifVersion: nil)
      let (lender, acquirer) = (bought.lenders[0].principal, bought.acquirer.principal)
      #expect(try await market.submit(assume, by: acquirer).refusalCode == "control.illegal_state")
      #expect(try await market.submit(consent, by: stranger.principal).refusalCode == "parties.not_found")
      #expect(try await market.submit(consent, by: bought.startup.principal).refusalCode == "parties.not_yours")
      #expect(try await market.submit(consent, by: bought.lenders[1].principal).refusalCode == "parties.not_found")
      _ = try await market.run(consent, by: lender)
      #expect(try await market.submit(consent, by: lender).refusalCode == "control.illegal_state")
      #expect(try await market.submit(assume, by: lender).refusalCode == "parties.not_yours")
      let done = try await market.run(assume, by: acquirer)
      let taken = try #require(done.loan)
      #expect(done.effect == "clear")
      #expect(done.choice.intoLoanID == taken.id)
      #expect(taken.outstanding == Debt(charges: 0, fee: 40_000, principal: 14_400_000))
      let old = try await market.loan(bought.loans[0])
      #expect(old.closedAs == .assumed)
      #expect(old.outstanding.isZero)
      #expect(try await market.lawBreaches() == [])

      // It goes on: a day's fee, the acquirer's own change of control, its payment, the title.
      market.clock.advance(days: 6)
      _ = try await market.run(SweepBorrower(borrowerID: bought.startup.id, on: market.today), by: .automation)
      #expect(try await market.loan(taken.id).due == nil)
      _ = try await market.run(
        AccrueBorrower(borrowerID: bought.acquirer.id, through: market.today), by: .automation)
      #expect(try await market.loan(taken.id).outstanding.fee == 64_000)
      try await market.makeDue(LentLoan(id: taken.id, lender: bought.lenders[0], startup: bought.acquirer))
      try await market.pay(14_464_000, by: bought.acquirer)
      let ended = try await market.loan(taken.id)
      #expect(ended.closedAs == .paidOff)
      #expect(ended.unitsOwned == 16)
      let broken = try await market.lawBreaches()
      #expect(broken == [])
      try await market.execute(Forge.assumption)
      let found = try await market.lawBreaches()
      #expect(found.contains { $0.contains("nobody assumed it") }, "\(found)")
    }
  }

  @Test(
    "another choice takes the place of one that waits; an acquirer that is a side, or not verified, takes nothing over")
  func others() async throws {
    try await Marketplace.with { market in
      let bought = try await market.buy()
      let first = try await market.run(bought.choose(.assume), by: bought.startup.principal).choice
      let again = try await market.run(bought.choose(.assume), by: bought.startup.principal).choice
      #expect(again.state == .proposed)
      let second = try await market.run(bought.choose(.accelerate), by: bought.startup.principal).choice
      #expect(second.state == .done)
      #expect(try await market.choice(again.id).state == .replaced)
      #expect(try await market.choice(first.id).state == .replaced)
      let consent = ConsentToAssumption(choiceID: first.id, ifVersion: nil)
      #expect(try await market.submit(consent, by: bought.lenders[0].principal).refusalCode == "control.illegal_state")
      for (command, principal, code) in [
        (bought.choose(.accelerate, 1), bought.lenders[1].principal, "parties.not_found"),
        (bought.choose(.return, 1, quantity: 17), bought.startup.principal, "repayment.units_out_of_range"),
      ] { #expect(try await market.submit(command, by: principal).refusalCode == code) }
      _ = try await market.run(
        DecideVerification(
          organizationID: bought.acquirer.id, act: .suspend(reason: "hit by a list"), ifVersion: nil),
        by: Marketplace.staff())
      #expect(
        try await market.submit(bought.choose(.assume, 1), by: bought.startup.principal).refusalCode
          == "control.acquirer_not_verified")
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  @Test("an acquisition that names no deadline makes all due at once, and what makes no sense is not reported")
  func reports() async throws {
    try await Marketplace.with { market in
      let bought = try await market.buy(days: nil)
      #expect(
        try await market.submit(bought.choose(.accelerate), by: bought.startup.principal).refusalCode
          == "control.no_choice")
      _ = try await market.run(SweepBorrower(borrowerID: bought.startup.id, on: market.today), by: .automation)
      for id in bought.loans { #expect(try await market.loan(id).state == .due) }
      let codes = try await market.refusedReports()
      #expect(
        codes == [
          "control.deadline_before_closing", "control.acquirer_unknown", "control.acquirer_unknown",
          "control.only_of_acquisitions",
        ])
    }
  }
}

private enum Forge {
  static let assumption = Statement(
    "test_forge_assumption", "update control_choices set state = 'lapsed', done_on = null, into_loan_id = null")
}
