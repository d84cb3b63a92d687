import DomainFixtures
import HledgerHarness
import Lending
import Operations
import Persistence
import Postgres
import PostgresHarness
import Primitives
import SchemaFixtures
import Synchronization
import Testing

@Suite("The journal's export", .timeLimit(.minutes(2)))
struct ExportTests {
  /// A file as it came, piece by piece.
  private final class File: Sendable {
    private let bytes = Mutex<[UInt8]>([])
    func append(_ more: [UInt8]) { bytes.withLock { $0 += more } }
    var text: String { String(decoding: bytes.withLock { $0 }, as: UTF8.self) }
  }

  private static let sums = Statement(
    "export_test_sums",
    """
    select account_code, asset, sum(amount)::bigint from journal_lines group by 1, 2 having sum(amount) <> 0
    """, columns: [.text, .text, .int8])
  private static let counts = Statement(
    "export_test_counts", "select (select count(*) from journal_entries), (select count(*) from journal_lines)",
    columns: [.int8, .int8])

  private func export(
    _ market: Marketplace, asOf: CalendarDate? = nil, knownAt: Instant? = nil
  ) async throws -> (text: String, summary: BookExporter.Summary) {
    var configuration = try market.database.configuration()
    configuration.role = "chipbridge_writer"
    let pool = try PostgresPool(configuration: configuration, size: 1, waiters: 2)
    let file = File()
    let summary = try await BookExporter(pool: pool).hledger(asOf: asOf, knownAt: knownAt, deadline: soon()) {
      file.append($0)
    }
    await pool.shutdown()
    return (file.text, summary)
  }

  @Test("hledger checks it strictly, and its balances are the journal's; dates and recording bound it")
  func exported() async throws {
    try await Marketplace.with { market in
      let lender = try await market.lender("Beidou; Search:  (北京)")
      let other = try await market.lender("Beidou; Search:  (北京)")
      for party in [lender, other] {
        for quantity in [Int64(64), 128] {
          let lot = try await market.lot(of: party, quantity: quantity)
          _ = try await market.listing(of: lot, by: party, quantity: 8)
        }
      }
      let (text, summary) = try await export(market)
      let hledger = try Hledger(journal: text)
      defer { hledger.remove() }
      let answer = try hledger.check()
      #expect(answer.status == 0, "\(answer.error)\n\(text)")
      let theirs = try hledger.balancesByCode()
      var ours: [String: String] = [:]
      try await market.database.withConnection { connection in
        for row in try await connection.run(Query(Self.sums), deadline: soon()) {
          ours["\(try row.text(0)) \(try row.text(1))"] = "\(try row.int8(2))"
        }
        let counts = try await connection.run(Query(Self.counts), deadline: soon()).single()
        #expect(try counts.int8(0) == Int64(summary.entries) && counts.int8(1) == Int64(summary.lines))
      }
      #expect(theirs == ours)
      #expect(ours.count >= 2)
      #expect(text.contains("Beidou Search 北京 \(lender.id.value.description.suffix(12))"))
      // Nothing was booked before the market opened, and nothing was known a moment after 1970 began.
      let early = try #require(CalendarDate("1999-12-31"))
      #expect(try await export(market, asOf: early).summary.entries == 0)
      #expect(try await export(market, knownAt: .epoch).summary.entries == 0)
      #expect(try await export(market, asOf: early).text.contains("up to 1999-12-31"))
    }
  }

  @Test("rows that make no entry end it, whichever they are")
  func refused() async throws {
    for breach in [
      "update journal_lines set amount = amount + 1 where amount > 0",
      "update journal_entries set kind = 'unheard_of'",
      "delete from journal_lines",
      "update journal_lines set account_code = 'petty.cash'",
    ] {
      try await Marketplace.with { market in
        let lender = try await market.lender()
        _ = try await market.lot(of: lender)
        try await market.database.withConnection { connection in
          try await connection.execute("set session_replication_role = replica; \(breach)")
        }
        await #expect(throws: (any Error).self, "\(breach)") { try await export(market) }
      }
    }
  }
}
