import DomainFixtures
import Ledger
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

@testable import Settlement

extension Marketplace {
  /// Proposed by one person and approved by another.
  @discardableResult
  func takeBack(
    _ amount: Int64, of receipt: CashReceipt, on date: CalendarDate? = nil, reference: String? = nil
  ) async throws -> ProposeClawback.Shown {
    let proposed = try await run(
      clawback(amount, of: receipt, on: date, reference: reference), by: Self.staff())
    return try await run(
      DecideClawback(clawbackID: proposed.clawback.id, act: .approve, ifVersion: nil), by: Self.staff(2))
  }

  func clawback(
    _ amount: Int64, of receipt: CashReceipt, on date: CalendarDate? = nil, reference: String? = nil,
    order: Clawback.Order = .lastLineFirst
  ) -> ProposeClawback {
    ProposeClawback(
      receiptID: receipt.id, amount: Money(amount, .usd), takenBackOn: date ?? today, reason: .bankRecall,
      reference: reference, order: order, ifVersion: nil)
  }

  func topUp(_ amount: Int64, _ reference: String = "OWN-1") async throws {
    let proposed = try await run(
      ProposeTopUp(amount: Money(amount, .usd), fundedOn: today, reference: reference), by: Self.staff())
    _ = try await run(DecideTopUp(topUpID: proposed.id, act: .approve, ifVersion: nil), by: Self.staff(2))
  }

  private static let balanceOfCode = Statement(
    "test_balance_of_code",
    "select coalesce(sum(balance), 0)::bigint from accounts where org_id = $1 and account_code = $2 and asset = 'USD'",
    parameters: [.uuid, .text], columns: [.int8])

  /// Over all subjects.
  func balance(_ book: OrganizationID, _ code: AccountCode) async throws -> Int64 {
    try await database.withConnection { connection in
      let query = Query(Self.balanceOfCode, [.uuid(book.value.bits), .text(code.rawValue)])
      return try await connection.run(query, deadline: soon()).single().int8(0)
    }
  }

  /// A run that pays one lender.
  func payOut() async throws -> Payout {
    let run = try await settle(.payout)
    #expect(run.state == .succeeded)
    return try #require(try await payouts().first { $0.runID == run.id })
  }

  func receipt(_ id: CashReceiptID) async throws -> CashReceipt {
    try await database.withConnection { connection in
      let rows = try Tables.cashReceipts.decode(
        await connection.run(Tables.cashReceipts.rows(by: [id.value]), deadline: soon()))
      return try #require(rows.first)
    }
  }
}

/// A loan of 14,400,000 with a fee of 40,000, of which the platform takes 2,000.
@Suite("Money that is taken back", .timeLimit(.minutes(5)))
struct ClawbackTests {
  static let debt: Int64 = 14_440_000
  static let net: Int64 = debt - 2_000

  /// Ten days after the loan began all of it is due, and is paid.
  private func paidOff(_ market: Marketplace, amount: Int64 = debt) async throws -> (LentLoan, CashReceipt) {
    let loan = try await market.lend(1)[0]
    market.clock.advance(days: 10)
    try await market.makeDue(loan)
    let receipt = try await market.receive(amount, "WIRE", from: loan.startup)
    return (loan, receipt)
  }

  @Test("before a payout the lender gives what the platform holds for it, and nobody owes the platform anything")
  func beforePayout() async throws {
    try await Marketplace.with { market in
      let (loan, receipt) = try await paidOff(market, amount: Self.debt + 500)
      #expect(try await market.loan(loan.id).state == .closed)
      let shown = try await market.takeBack(1_000_500, of: receipt)
      // Who was paid last loses first: what was left, then principal.
      #expect(shown.booking?.fromRemainder == 500)
      #expect(shown.lines.map(\.cash.amount) == [1_000_000] && shown.lines.map(\.held) == [1_000_000])
      #expect(shown.booking?.advanced == 0 && shown.booking?.uncovered == 0)
      let after = try await market.loan(loan.id)
      #expect(after.state == .reinstated && after.outstanding == Debt(charges: 0, fee: 0, principal: 1_000_000))
      #expect(after.due?.cause == .clawBack && after.title == .borrower)
      #expect(try await market.balance(loan.lender.id, .cashAtPlatform) == Self.debt - 1_000_000)
      #expect(try await market.balance(loan.startup.id, .cashAtPlatform) == 0)
      #expect(try await market.balance(.platform, .bankClient) == Self.debt - 1_000_000)
      let row = try await market.receipt(receipt.id)
      #expect(row.clawedBack == 1_000_500 && row.remainder == 0)
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  @Test(
    "after a payout the lender owes it less the platform's fee, the platform advances what it has, and a top-up covers")
  func afterPayout() async throws {
    try await Marketplace.with { market in
      let (loan, receipt) = try await paidOff(market)
      try await market.pass(days: 0)
      #expect(try await market.settle(.payout).state == .succeeded)
      #expect(try await market.balance(.platform, .bankOwn) == 2_000)
      let shown = try await market.takeBack(Self.debt, of: receipt)
      #expect(shown.lines.map(\.held) == [0, 0])
      #expect(shown.lines.map(\.feeReturned).sorted() == [0, 2_000])
      #expect(shown.booking?.advanced == 2_000 && shown.booking?.uncovered == Self.net)
      #expect(try await market.balance(loan.lender.id, .payableClawback) == -Self.net)
      #expect(try await market.balance(.platform, .receivableClawback) == Self.net)
      #expect(try await market.balance(.platform, .incomePlatformFee) == 0)
      #expect(try await market.balance(.platform, .bankOwn) == 0)
      // The bank took more than was there; the day does not close on that.
      #expect(try await market.balance(.platform, .bankClient) == 0)
      #expect(try await market.balance(.platform, .payableBank) == -Self.net)
      let stuck = try await market.settle(.dayClose)
      #expect(stuck.state == .failed)
      #expect(
        try await market.deadShards(stuck.id).map(\.error).allSatisfy { $0?.contains("client_money_short") == true })
      try await market.topUp(Self.net)
      #expect(try await market.balance(.platform, .payableBank) == 0)
      #expect(try await market.balance(.platform, .equityContributed) == -Self.net)
      #expect(try await market.settle(.dayClose).state == .succeeded)
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  @Test("a loan that had closed bears its fee again from that day, is paid a second time, and passes no title twice")
  func paidAgain() async throws {
    try await Marketplace.with { market in
      let (loan, receipt) = try await paidOff(market)
      let released = try await market.loan(loan.id).securityInterest?.releasedOn
      market.clock.advance(days: 5)
      try await market.takeBack(7_200_000, of: receipt)
      let reinstated = try await market.loan(loan.id)
      #expect(reinstated.accruedThrough == market.today && reinstated.state == .reinstated)
      market.clock.advance(days: 10)
      _ = try await market.run(AccrueBorrower(borrowerID: loan.startup.id, through: market.today), by: .automation)
      // Half of the principal: 2,000 a day.
      #expect(try await market.loan(loan.id).outstanding == Debt(charges: 0, fee: 20_000, principal: 7_200_000))
      _ = try await market.run(AgeDelinquency(borrowerID: loan.startup.id, on: market.today), by: .automation)
      #expect(try await market.loan(loan.id).state == .overdue)
      try await market.receive(7_220_000, "AGAIN", from: loan.startup)
      let closed = try await market.loan(loan.id)
      #expect(closed.state == .closed && closed.closedAs == .paidOff && closed.closedOn == market.today)
      #expect(closed.securityInterest?.releasedOn == released)
      #expect(try await market.number(Self.titles) == 2)
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  private static let titles = Statement(
    "test_title_entries", "select count(*) from journal_entries where kind = 'title_transferred'", columns: [.int8])

  @Test("parts of a receipt come to what the whole would: fees, claims and debts to the minor unit")
  func parts() async throws {
    try await Marketplace.with { market in
      let (loan, receipt) = try await paidOff(market)
      _ = try await market.settle(.payout)
      var returned: Int64 = 0
      for amount in [14_400_003, 7, 11, 13, 39_966] as [Int64] {
        let shown = try await market.takeBack(amount, of: receipt)
        returned += shown.lines.reduce(0) { $0 + $1.feeReturned }
      }
      #expect(returned == 2_000)
      #expect(try await market.balance(loan.lender.id, .payableClawback) == -Self.net)
      #expect(try await market.loan(loan.id).outstanding == Debt(charges: 0, fee: 40_000, principal: 14_400_000))
      let over = try await market.submit(market.clawback(1, of: receipt), by: Marketplace.staff())
      #expect(over.refusalCode == "claw_back.more_than_received")
      try await market.topUp(Self.net)
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  @Test("a running loan owes again what had been paid of it, and it is due again")
  func running() async throws {
    try await Marketplace.with { market in
      let (loan, receipt) = try await paidOff(market, amount: 5_000_000)
      market.clock.advance(days: 2)
      try await market.takeBack(1_000_000, of: receipt)
      let after = try await market.loan(loan.id)
      #expect(after.state == .due && after.due?.amount == nil)
      // 4,960,000 of principal had been paid for two days, and a million of it is gone.
      #expect(after.outstanding.principal == 14_400_000 - 3_960_000)
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  @Test("title that waits for a verdict is the lender's again while the debt is open, and passes once")
  func titlePending() async throws {
    try await Marketplace.with { market in
      let loan = try await market.lend(1)[0]
      _ = try await market.run(
        FreezeLoan(loanID: loan.id, reason: "screening", ifVersion: nil), by: Marketplace.staff())
      market.clock.advance(days: 10)
      try await market.makeDue(loan)
      let receipt = try await market.receive(Self.debt, "WIRE", from: loan.startup)
      #expect(try await market.loan(loan.id).state == .titlePending)
      try await market.takeBack(Self.debt, of: receipt)
      let frozen = try await market.loan(loan.id)
      #expect(frozen.state == .frozen && frozen.title == .lender && frozen.due?.amount == nil)
      _ = try await market.run(UnfreezeLoan(loanID: loan.id, ifVersion: nil), by: Marketplace.staff())
      try await market.receive(Self.debt, "AGAIN", from: loan.startup)
      let closed = try await market.loan(loan.id)
      #expect(closed.state == .closed && closed.title == .borrower)
      #expect(try await market.number(Self.titles) == 2)
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  @Test("it takes two persons, dates that can be, and a receipt with so much left; a closed day is booked today")
  func refusals() async throws {
    try await Marketplace.with { market in
      let (loan, receipt) = try await paidOff(market)
      try await market.pass(days: 0)
      let day = market.today
      let early = market.clawback(5, of: receipt, on: day.adding(days: -1))
      #expect(try await market.submit(early, by: Marketplace.staff()).refusalCode == "claw_back.before_receipt")
      let late = market.clawback(5, of: receipt, on: day.adding(days: 1))
      #expect(try await market.submit(late, by: Marketplace.staff()).refusalCode == "claw_back.not_yet")
      let own = try await market.submit(market.clawback(5, of: receipt), by: loan.startup.principal)
      #expect(own.refusalCode == "parties.role_required")
      #expect(
        try await market.submit(market.clawback(5, of: receipt), by: .automation).refusalCode
          == "parties.person_required")
      let euros = ProposeClawback(
        receiptID: receipt.id, amount: Money(5, .cny), takenBackOn: day, reason: .court, reference: nil, ifVersion: nil)
      #expect(try await market.submit(euros, by: Marketplace.staff()).refusalCode == "claw_back.other_currency")

      // Two proposals that do not both fit.
      let first = try await market.run(market.clawback(Self.debt, of: receipt), by: Marketplace.staff())
      let second = try await market.run(market.clawback(1, of: receipt), by: Marketplace.staff())
      #expect(first.clawback.state == .proposed && first.lines.count == 2)
      #expect(try await market.loan(loan.id).state == .closed)
      let approve = DecideClawback(clawbackID: first.clawback.id, act: .approve, ifVersion: nil)
      #expect(try await market.submit(approve, by: Marketplace.staff()).refusalCode == "parties.same_person")
      _ = try await market.settle(.dayClose)
      try await market.pass(days: 1)
      let done = try await market.run(approve, by: Marketplace.staff(2))
      #expect(done.booking?.on == market.today && done.clawback.takenBackOn == day)
      #expect(try await market.submit(approve, by: Marketplace.staff(2)).refusalCode == "claw_back.not_proposed")
      let other = DecideClawback(clawbackID: second.clawback.id, act: .approve, ifVersion: nil)
      #expect(try await market.submit(other, by: Marketplace.staff(2)).refusalCode == "claw_back.more_than_received")
      let rejected = try await market.run(
        DecideClawback(clawbackID: second.clawback.id, act: .reject(note: "a mistake"), ifVersion: nil),
        by: Marketplace.staff())
      #expect(rejected.clawback.state == .rejected && rejected.clawback.note == "a mistake")
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  @Test("money in suspense is taken back from there, and only what is left of it is assigned")
  func suspense() async throws {
    try await Marketplace.with { market in
      let startup = try await market.startup()
      let receipt = try await market.receive(1_000, "WIRE")
      try await market.takeBack(400, of: receipt)
      #expect(try await market.balance(.platform, .suspense) == -600)
      let assigned = try await market.run(
        AssignCashReceipt(receiptID: receipt.id, payerID: startup.id, ifVersion: nil), by: Marketplace.staff())
      #expect(assigned.receipt.remainder == 600)
      #expect(try await market.balance(startup.id, .cashAtPlatform) == 600)
      try await market.takeBack(600, of: receipt)
      #expect(try await market.balance(startup.id, .cashAtPlatform) == 0)
      let gone = try await market.receive(5, "GONE")
      try await market.takeBack(5, of: gone)
      let never = try await market.submit(
        AssignCashReceipt(receiptID: gone.id, payerID: startup.id, ifVersion: nil), by: Marketplace.staff())
      #expect(never.refusalCode == "repayment.taken_back")
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  @Test("the same key has one effect, whatever is sent twice")
  func idempotent() async throws {
    try await Marketplace.with { market in
      let (loan, receipt) = try await paidOff(market)
      let proposed = try await market.run(market.clawback(1_000, of: receipt), by: Marketplace.staff())
      let approve = DecideClawback(clawbackID: proposed.clawback.id, act: .approve, ifVersion: nil)
      let checked = try await market.submit(approve, by: Marketplace.staff(2), validateOnly: true)
      #expect(try checked.get().lines.map(\.cash.amount) == [1_000])
      #expect(try await market.loan(loan.id).state == .closed)
      let first = try await market.submit(approve, by: Marketplace.staff(2), key: "once")
      let again = try await market.submit(approve, by: Marketplace.staff(2), key: "once")
      #expect(again.replayed && again.answer == first.answer)
      #expect(try await market.loan(loan.id).outstanding.principal == 1_000)
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }
}
