import DomainFixtures
import Interest
import LedgerExport
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

@Suite("Statements of a month", .timeLimit(.minutes(5)))
struct StatementTests {
  private func statements(_ market: Marketplace) async throws -> [StatementRow] {
    try await market.database.withConnection { connection in
      let zero = Bind.uuid(UUIDValue(high: 0, low: 0).bits)
      return try Tables.statements.decode(
        await connection.run(Query(StatementSQL.after, [zero, zero, .int8(100)]), deadline: soon()))
    }
  }

  private func run(_ market: Marketplace, monthEnd: CalendarDate) async throws -> SettlementRun {
    let id = try await market.run(
      PlanSettlementRun(job: .statements, businessDate: monthEnd), by: Marketplace.staff()
    ).id
    try await market.worker().workToEnd()
    return try await market.run(id)
  }

  @Test("are issued for a closed month, once, and a second run finds the same bytes")
  func issued() async throws {
    try await Marketplace.with { market in
      let loan = try await market.lend(1)[0]
      try await market.pass(days: 0)
      _ = try await market.settle(.dayClose)
      let monthEnd = try #require(CalendarDate("2026-06-30"))
      func refused(_ date: CalendarDate) async throws -> String? {
        try await market.submit(PlanSettlementRun(job: .statements, businessDate: date), by: Marketplace.staff())
          .refusalCode
      }
      try await market.pass(days: 28)
      #expect(market.today == monthEnd)
      #expect(try await refused(monthEnd) == "settlement.month_open")
      #expect(try await refused(try #require(CalendarDate("2026-06-15"))) == "settlement.not_month_end")
      _ = try await market.settle(.dayClose)
      let first = try await run(market, monthEnd: monthEnd)
      // One of the lender, one of the startup; the platform's own books are in the close report.
      #expect(first.state == .succeeded)
      #expect(try first.sums == ["statements": 2])
      let again = try await run(market, monthEnd: monthEnd)
      #expect(try again.sums == ["statements_before": 2])
      let rows = try await statements(market)
      #expect(rows.count == 2 && rows.allSatisfy { $0.digest == SHA256Digest(of: $0.bytes) })
      let lender = try #require(rows.first { $0.organizationID == loan.lender.id })
      let text = String(decoding: lender.bytes, as: UTF8.self)
      // 29 days of 4,000, of which the book says 4,000 a day.
      #expect(text.contains(#""account":"receivable.fee""#) && text.contains(#""closing":116000"#))
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  @Test("carry over: what a month closes with, the next one opens with")
  func carriedOver() async throws {
    try await Marketplace.with { market in
      let loan = try await market.lend(1)[0]
      try await market.pass(days: 0)
      _ = try await market.settle(.dayClose)
      try await market.pass(days: 28)
      _ = try await market.settle(.dayClose)
      try await market.pass(days: 31)
      _ = try await market.settle(.dayClose)
      for end in ["2026-06-30", "2026-07-31"] {
        let ended = try await run(market, monthEnd: try #require(CalendarDate(end)))
        #expect(ended.state == .succeeded)
      }
      let rows = try await statements(market).filter { $0.organizationID == loan.lender.id }.sorted {
        $0.month < $1.month
      }
      #expect(rows.count == 2)
      let documents = try await market.database.withConnection { connection in
        var documents: [StatementDocument] = []
        for row in rows {
          let key = StatementKey(organizationID: row.organizationID, from: row.month, through: row.through)
          let results = try await connection.pipeline(StatementSQL.sourceQueries(key), deadline: soon())
          documents.append(try StatementDocument(StatementSQL.decode(key, results), key))
        }
        return documents
      }
      #expect(documents.map(\.bytes) == rows.map(\.bytes))
      for account in documents[0].accounts {
        let next = documents[1].accounts.first { $0.account == account.account }
        #expect((next?.opening ?? 0) == account.closing, "\(account.account)")
      }
      for document in documents {
        for account in document.accounts {
          #expect(account.opening + account.lines.reduce(0) { $0 + $1.amount } == account.closing)
        }
        #expect(document.text(of: "Lender").contains("receivable.principal"))
      }
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }
}
