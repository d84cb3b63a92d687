import DomainFixtures
import Lending
import Operations
import Parties
import Persistence
import Postgres
import PostgresHarness
import Primitives
import Repayment
import Testing
import Valuation

@testable import Settlement

extension Marketplace {
  /// Pledges cash for a call, or for the loan.
  @discardableResult
  func pledge(_ amount: Int64, for call: MarginCallRow? = nil, by loan: LentLoan) async throws -> CashReceipt {
    try await run(
      RecordCashReceipt(
        receivedOn: today, amount: Money(amount, .usd), source: .deposit, payerID: loan.startup.id, reference: nil,
        marginCallID: call?.id, depositFor: call == nil ? loan.id : nil), by: Self.staff()
    ).receipt
  }

  func propose(_ kind: DepositAct.Kind, _ receipt: CashReceipt) async throws -> Decided<DepositAct> {
    try await submit(ProposeDepositAct(receiptID: receipt.id, kind: kind, reason: "asked for"), by: Self.staff())
  }

  func decide(
    _ act: DepositAct, _ decision: DecideClawback.Act = .approve, by person: UInt64 = 2
  ) async throws -> Decided<DepositAct> {
    try await submit(DecideDepositAct(id: act.id, act: decision, ifVersion: nil), by: Self.staff(person))
  }
}

@Suite("Deposits", .timeLimit(.minutes(4)))
struct DepositTests {
  /// A loan with a call for 800,000.
  private func withCall(_ body: (Marketplace, LentLoan, MarginCallRow) async throws -> Void) async throws {
    try await Marketplace.with { market in
      let loan = try await market.lendOnMargin(cureDays: 2)
      try await market.pass(days: 1)
      try await market.mark(850_000)
      _ = try await market.settle(.margin)
      let call = try #require(try await market.marginCalls(loan).first)
      try await body(market, loan, call)
    }
  }

  @Test(
    "cure a call, count in the tests, are covered as client money, and go back when nothing is missing without them")
  func curesAndReturns() async throws {
    try await withCall { market, loan, call in
      let first = try await market.pledge(300_000, for: call, by: loan)
      let second = try await market.pledge(500_000, for: call, by: loan)
      #expect(first.deposit == CashReceipt.Deposit(loanID: loan.id, held: 300_000) && first.remainder == 0)
      #expect(try await market.marginCalls(loan).first?.call.state == .cured)
      #expect(try await market.loan(loan.id).outstanding.principal == 14_400_000, "a deposit pays nothing")
      try await market.pass(days: 1)
      let closed = try await market.settle(.dayClose)
      #expect(closed.state == .succeeded)
      let test = try #require(try await market.marginTests(loan).last)
      #expect(test.inputs.deposits == 800_000 && test.result?.held == 14_400_000)
      #expect(try await market.lawBreaches() == [])
      // Without it something would be missing again.
      let act = try await market.propose(.giveBack, second).get()
      #expect(try await market.propose(.giveBack, second).refusalCode == "deposit.proposed_already")
      #expect(try await market.decide(act, by: 1).refusalCode == "parties.same_person")
      #expect(try await market.decide(act).refusalCode == "deposit.needed")
      try await market.pass(days: 1)
      try await market.mark(890_000)
      let done = try await market.decide(act).get()
      #expect(done.state == .approved && done.bookedOn == market.today)
      let free = try await market.receipt(second.id)
      #expect(free.deposit?.held == 0 && free.remainder == 500_000)
      #expect(try await market.decide(act).refusalCode == "deposit.not_proposed")
      #expect(try await market.propose(.giveBack, second).refusalCode == "deposit.released")
      let other = try await market.propose(.giveBack, first).get()
      #expect(try await market.decide(other, .reject(note: "kept")).get().state == .rejected)
      #expect(try await market.lawBreaches() == [])
    }
  }

  @Test("are not given back while a call runs, and always once the loan has ended")
  func returnsAtTheEnd() async throws {
    try await withCall { market, loan, call in
      let receipt = try await market.pledge(300_000, by: loan)
      #expect(try await market.marginCalls(loan).first?.call.cured == 0, "what names no call cures none")
      let act = try await market.propose(.giveBack, receipt).get()
      #expect(try await market.decide(act).refusalCode == "deposit.call_runs")
      try await market.makeDue(loan)
      try await market.pay(try await market.loan(loan.id).outstanding.total(), by: loan.startup)
      #expect(try await market.loan(loan.id).state == .closed)
      #expect(try await market.decide(act).get().state == .approved)
      #expect(try await market.receipt(receipt.id).remainder == 300_000)
      #expect(try await market.lawBreaches() == [])
    }
  }

  @Test("are taken for what is due as collateral is divided, and what they paid stands behind the loan no less")
  func applies() async throws {
    try await withCall { market, loan, call in
      let receipt = try await market.pledge(300_000, for: call, by: loan)
      let act = try await market.propose(.apply, receipt).get()
      #expect(try await market.decide(act).refusalCode == "deposit.nothing_due")
      try await market.pass(days: 3)
      #expect(try await market.settle(.margin).sums["calls_lapsed"] == 1)
      let before = try await market.loan(loan.id).outstanding
      #expect(try await market.decide(act).get().state == .approved)
      let after = try await market.loan(loan.id).outstanding
      #expect(try before.total() - after.total() == 300_000)
      let used = try await market.receipt(receipt.id)
      #expect(used.deposit?.held == 0 && used.remainder == 0)
      try await market.pass(days: 1)
      _ = try await market.settle(.margin)
      let test = try #require(try await market.marginTests(loan).last)
      #expect(test.inputs.deposits == 0 && test.inputs.repaid == before.principal - after.principal)
      #expect(try await market.lawBreaches() == [])
    }
  }

  @Test("that a bank takes back are gone, and the loan is tested without them; a deposit bars the sale of its loan")
  func takenBack() async throws {
    try await withCall { market, loan, call in
      let receipt = try await market.pledge(800_000, for: call, by: loan)
      let buyer = try await market.lender("Buyer")
      let sale = ProposeAssignment(
        loanID: loan.id, buyerID: buyer.id, quantity: nil, price: Money(1, .usd))
      #expect(try await market.submit(sale, by: loan.lender.principal).refusalCode == "deposit.held")
      let proposed = try await market.run(
        ProposeClawback(
          receiptID: receipt.id, amount: Money(500_000, .usd), takenBackOn: market.today, reason: .bankRecall,
          reference: nil, ifVersion: nil), by: Marketplace.staff())
      _ = try await market.run(
        DecideClawback(clawbackID: proposed.clawback.id, act: .approve, ifVersion: nil), by: Marketplace.staff(2))
      let left = try await market.receipt(receipt.id)
      #expect(left.deposit?.held == 300_000 && left.clawedBack == 500_000 && left.remainder == 0)
      try await market.pass(days: 1)
      #expect(try await market.settle(.margin).sums["calls_opened"] == 1)
      #expect(try await market.marginCalls(loan).last?.call.called == Money(500_000, .usd))
      #expect(try await market.lawBreaches() == [])
    }
  }

  @Test("in somebody else's name wait in suspense, and are collateral once they are assigned")
  func suspense() async throws {
    try await withCall { market, loan, call in
      let stranger = CashReceipt.Payer(name: "Somebody Else", account: nil)
      let received = try await market.run(
        RecordCashReceipt(
          receivedOn: market.today, amount: Money(300_000, .usd), source: .deposit, payerID: loan.startup.id,
          reference: nil, payer: stranger, marginCallID: call.id), by: Marketplace.staff())
      #expect(received.receipt.deposit == nil && received.receipt.marginCallID == nil)
      #expect(try await market.marginCalls(loan).first?.call.cured == 0)
      try await market.makeDue(loan)
      let assigned = try await market.run(
        AssignCashReceipt(receiptID: received.receipt.id, payerID: loan.startup.id, ifVersion: nil),
        by: Marketplace.staff())
      #expect(assigned.allocations.reduce(0) { $0 + $1.amount.amount } == 300_000)
      #expect(try await market.lawBreaches() == [])
    }
  }

  @Test("are for a loan of their payer that runs, and from nobody else")
  func refused() async throws {
    try await withCall { market, loan, call in
      for (payer, loanID) in [(loan.lender.id, loan.id), (loan.startup.id, LoanID(UUIDValue(high: 1, low: 9)))] {
        let wrong = RecordCashReceipt(
          receivedOn: market.today, amount: Money(1, .usd), source: .deposit, payerID: payer, reference: nil,
          depositFor: loanID)
        #expect(try await market.submit(wrong, by: Marketplace.staff()).refusalCode == "deposit.no_loan")
      }
      try await market.makeDue(loan)
      let other = try await market.run(
        RecordCashReceipt(
          receivedOn: market.today, amount: Money(1, .usd), source: .round, payerID: loan.startup.id, reference: nil),
        by: Marketplace.staff())
      #expect(try await market.propose(.apply, other.receipt).refusalCode == "deposit.none")
    }
  }
}
