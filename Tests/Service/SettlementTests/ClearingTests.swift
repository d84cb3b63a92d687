import DomainFixtures
import Ledger
import Lending
import Operations
import Persistence
import Postgres
import PostgresHarness
import Primitives
import Repayment
import SchemaFixtures
import Testing

@testable import Settlement

@Suite("Accounts that are passed through", .timeLimit(.minutes(5)))
struct ClearingTests {
  private func report(_ market: Marketplace, on date: CalendarDate) async throws -> [String: ClearingReport.Account] {
    try await market.database.withConnection { connection in
      let report = try ClearingReport(await connection.run(ClearingSQL.query(on: date), deadline: soon()), on: date)
      return Dictionary(uniqueKeysWithValues: report.accounts.map { ($0.code.rawValue, $0) })
    }
  }

  @Test("tell how much has passed, and since when the oldest has not; what opened first is cleared first")
  func clearing() async throws {
    try await Marketplace.with { market in
      let loan = try await market.lend(1)[0]
      let start = market.today
      let first = try await market.receive(600, "ONE")
      market.clock.advance(days: 10)
      let second = try await market.receive(400, "TWO")
      var found = try await report(market, on: market.today)
      // Two receipts in suspense; the value of the chips stands in both books of the loan.
      #expect(found["suspense"]?.items == 2 && found["suspense"]?.opened == 1_000 && found["suspense"]?.cleared == 0)
      #expect(found["suspense"]?.oldestOn == start && found["suspense"]?.clearedShare == BasisPoints(0))
      #expect(found["clearing.chips"]?.items == 2 && found["clearing.chips"]?.oldestOn == start)
      _ = try await market.run(
        AssignCashReceipt(receiptID: first.id, payerID: loan.startup.id, ifVersion: nil), by: Marketplace.staff())
      found = try await report(market, on: market.today)
      #expect(found["suspense"]?.clearedItems == 1 && found["suspense"]?.clearedShare == BasisPoints(6_000))
      #expect(found["suspense"]?.oldestOn == second.receivedOn)
      // Money on account waits too, until it is paid out or taken.
      #expect(found["client_money"]?.opened == 600 && found["client_money"]?.cleared == 0)
      #expect(try await report(market, on: start)["suspense"]?.opened == 600)
      // The loan is paid off: title passes, and the value of the chips is cleared in both books.
      try await market.makeDue(loan)
      try await market.pay(14_400_000 + 10 * 4_000, by: loan.startup)
      #expect(try await market.loan(loan.id).state == .closed)
      found = try await report(market, on: market.today)
      #expect(found["clearing.chips"]?.clearedItems == 2 && found["clearing.chips"]?.oldestOn == nil)
      #expect(found["clearing.chips"]?.clearedShare == .whole)
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }
}
