import BankFiles
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

@testable import Settlement

@Suite("Money in suspense", .timeLimit(.minutes(5)))
struct SuspenseTests {
  @Test("is allocated on its own date once a person knows whose it is, as if the payer had been known")
  func assigned() async throws {
    try await Marketplace.with { market in
      let loan = try await market.lend(1)[0]
      market.clock.advance(days: 10)
      try await market.makeDue(loan)
      let receipt = try await market.receive(14_440_000, "WIRE")
      let taken = try await market.take(
        BankSheet(name: "S1", on: market.today, lines: [.init(14_440_000, "WIRE")]))
      #expect(taken.matched == 1 && taken.breaks == [])
      let day = market.today
      market.clock.advance(days: 2)
      let assign = AssignCashReceipt(receiptID: receipt.id, payerID: loan.startup.id, ifVersion: 1)
      #expect(try await market.submit(assign, by: .automation).refusalCode == "parties.person_required")
      #expect(try await market.submit(assign, by: loan.startup.principal).refusalCode == "parties.role_required")
      let unknown = AssignCashReceipt(
        receiptID: receipt.id, payerID: OrganizationID(UUIDValue(high: 5, low: 5)), ifVersion: nil)
      #expect(try await market.submit(unknown, by: Marketplace.staff()).refusalCode == "repayment.unknown_payer")
      let done = try await market.run(assign, by: Marketplace.staff())
      #expect(done.receipt.remainder == 0 && done.receipt.assignment?.on == day)
      #expect(done.allocations.allSatisfy { $0.allocatedOn == day && $0.borrowerID == loan.startup.id })
      #expect(done.allocations.reduce(0) { $0 + $1.amount.amount } == 14_440_000)
      #expect(try await market.loan(loan.id).outstanding.isZero)
      let twice = try await market.submit(
        AssignCashReceipt(receiptID: receipt.id, payerID: loan.startup.id, ifVersion: nil), by: Marketplace.staff(2))
      #expect(twice.refusalCode == "repayment.assigned_before")
      #expect(try await market.submit(assign, by: Marketplace.staff(2)).refusalCode == "parties.stale_version")
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  @Test("is allocated today when its day is closed, and what no claim took is the startup's")
  func afterClose() async throws {
    try await Marketplace.with { market in
      let startup = try await market.startup()
      let receipt = try await market.receive(500, "WIRE")
      let known = try await market.receive(700, "KNOWN", from: startup)
      try await market.pass(days: 0)
      _ = try await market.settle(.dayClose)
      try await market.pass(days: 1)
      let done = try await market.run(
        AssignCashReceipt(receiptID: receipt.id, payerID: startup.id, ifVersion: nil), by: Marketplace.staff())
      #expect(done.receipt.assignment?.on == market.today && done.receipt.remainder == 500)
      let never = try await market.submit(
        AssignCashReceipt(receiptID: known.id, payerID: startup.id, ifVersion: nil), by: Marketplace.staff())
      #expect(never.refusalCode == "repayment.not_in_suspense")
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  @Test("a receipt that comes from somebody else's account, or in another name, waits for a person")
  func thirdParties() async throws {
    try await Marketplace.with { market in
      let loan = try await market.lend(1)[0]
      market.clock.advance(days: 10)
      try await market.makeDue(loan)
      let payee = try await market.run(
        ProposePayee(
          organizationID: loan.startup.id, currency: .usd, name: "Startup Holding", account: .other("0200 7"),
          agent: nil), by: Marketplace.staff())
      func receive(_ name: String?, _ account: String?) async throws -> CashReceipt {
        try await market.run(
          RecordCashReceipt(
            receivedOn: market.today, amount: Money(100, .usd), source: .round, payerID: loan.startup.id,
            reference: nil, payer: CashReceipt.Payer(name: name, account: account)), by: Marketplace.staff()
        ).receipt
      }
      // Proposed is not verified.
      let early = try await receive(nil, "0200 7")
      #expect(early.organizationID == .platform && early.suspense?.reason == .thirdPartyPayer)
      #expect(early.suspense?.namedPayer == loan.startup.id)
      _ = try await market.run(
        DecidePayee(organizationID: loan.startup.id, payeeID: payee.id, act: .verify, ifVersion: nil),
        by: Marketplace.staff(2))
      #expect(try await receive("Anybody", "0200 7").organizationID == loan.startup.id)
      #expect(try await receive("startup  HOLDING", nil).organizationID == loan.startup.id)
      #expect(try await receive(" Startup 0", nil).organizationID == loan.startup.id)
      for (name, account) in [("Startup 0", "0200 8"), ("Uncle Ltd", nil)] as [(String, String?)] {
        #expect(try await receive(name, account).organizationID == .platform)
      }
      let before = try await market.loan(loan.id).outstanding
      let assigned = try await market.run(
        AssignCashReceipt(receiptID: early.id, payerID: loan.startup.id, ifVersion: nil), by: Marketplace.staff(2))
      #expect(assigned.allocations.map(\.amount.amount) == [100])
      #expect(try await market.loan(loan.id).outstanding.fee == before.fee - 100)
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }
}
