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

@testable import Settlement

@Suite("Invoices of the platform's fee", .timeLimit(.minutes(5)))
struct InvoiceTests {
  private static let all = Statement(
    "test_invoices", Tables.platformInvoices.selectList + "order by number", columns: Tables.platformInvoices.types)

  private func invoices(_ market: Marketplace) async throws -> [PlatformInvoice] {
    try await market.database.withConnection { connection in
      try Tables.platformInvoices.decode(await connection.run(Query(Self.all), deadline: soon()))
    }
  }

  @Test("tell each payout once, with its entry, and the second run nothing")
  func invoiced() async throws {
    try await Marketplace.with { market in
      let loan = try await market.lend(1)[0]
      try await market.pass(days: 10)
      try await market.makeDue(loan)
      #expect(try await market.settle(.fees).sums == [:])
      // Ten days of 4,000 come in as fee, twice: the platform's twentieth is 2,000 each time.
      for _ in 0..<2 {
        _ = try await market.run(
          AccrueBorrower(borrowerID: loan.startup.id, through: market.today), by: .automation)
        try await market.pay(market.loan(loan.id).outstanding.fee, by: loan.startup)
        let paid = try await market.settle(.payout)
        #expect(paid.state == .succeeded)
        try await market.pass(days: 10)
      }
      let run = try await market.settle(.fees)
      #expect(try run.sums == ["invoices": 1, "platform_fee.USD": 4_000])
      #expect(try await market.settle(.fees).sums == [:])
      let found = try await invoices(market)
      #expect(found.map(\.number) == [1] && found.map(\.feeIncome) == [80_000])
      let lines = try await market.database.withConnection { connection in
        let query = Query(InvoiceSQL.linesOfInvoice, [.uuid(nil), .uuid(found[0].id.value.bits)])
        return try Tables.invoiceLines.decode(await connection.run(query, deadline: soon()))
      }
      #expect(lines.map(\.platformFee) == [2_000, 2_000] && Set(lines.map(\.entryID)).count == 2)
      // A third payout is the next invoice's.
      _ = try await market.run(AccrueBorrower(borrowerID: loan.startup.id, through: market.today), by: .automation)
      try await market.pay(market.loan(loan.id).outstanding.fee, by: loan.startup)
      _ = try await market.settle(.payout)
      _ = try await market.settle(.fees)
      #expect(try await invoices(market).map(\.number) == [1, 2])
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }
}
