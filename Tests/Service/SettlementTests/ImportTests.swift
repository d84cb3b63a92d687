import Catalogue
import DomainFixtures
import Foundation
import Lending
import Operations
import Parties
import Persistence
import Postgres
import PostgresHarness
import Primitives
import SchemaFixtures
import StrictCSV
import Testing
import Valuation

@testable import Settlement

/// A file that ships with the project, as its import takes it.
private struct SeedFile {
  let bytes: [UInt8]

  init(_ name: String, file: String = #filePath) throws {
    var folder = URL(fileURLWithPath: file)
    for _ in 0..<4 { folder.deleteLastPathComponent() }
    bytes = try Array(Data(contentsOf: folder.appendingPathComponent("schema/seed/\(name)")))
  }

  init(bytes: [UInt8]) { self.bytes = bytes }

  var digest: SHA256Digest { SHA256Digest(of: bytes) }

  func rounds(_ from: Int, _ count: Int) throws -> ImportRounds {
    let lines = try RoundReport.read(csv: bytes)
    return ImportRounds(
      digest: digest, fileName: "rounds.csv", total: Int64(lines.count), from: Int64(from),
      lines: Array(lines[from..<min(lines.count, from + count)]))
  }

  func prices(_ from: Int, _ count: Int) throws -> ImportChipPrices {
    let lines = try ChipQuote.read(csv: bytes)
    return ImportChipPrices(
      digest: digest, fileName: "prices.csv", total: Int64(lines.count), from: Int64(from),
      lines: Array(lines[from..<min(lines.count, from + count)]))
  }
}

@Suite("Imports", .timeLimit(.minutes(5)))
struct ImportTests {
  /// What each company was worth on a day, by hand from the file: closed rounds with a post-money that somebody read.
  static let answers: [(String, String, Int64?, String)] = [
    ("01.AI", "2023-11-04", nil, "USD"), ("01.AI", "2023-11-05", 1_000_000_000, "USD"),
    ("01.AI", "2026-06-01", 1_000_000_000, "USD"),
    ("Moonshot AI", "2024-02-28", nil, "USD"), ("Moonshot AI", "2024-02-29", 2_500_000_000, "USD"),
    ("Moonshot AI", "2024-08-05", 2_500_000_000, "USD"), ("Moonshot AI", "2024-08-06", 3_300_000_000, "USD"),
    ("Moonshot AI", "2026-06-01", 4_300_000_000, "USD"),
    ("Zhipu AI", "2024-05-31", 3_000_000_000, "USD"), ("Zhipu AI", "2025-12-31", 24_380_000_000, "CNY"),
    ("Zhipu AI", "2026-01-08", 51_100_000_000, "HKD"),
    ("MiniMax", "2024-03-30", nil, "USD"), ("MiniMax", "2024-03-31", 2_500_000_000, "USD"),
    ("MiniMax", "2026-03-01", 4_000_000_000, "USD"),
    ("Baichuan", "2023-10-17", 1_200_000_000, "USD"), ("Baichuan", "2024-07-25", 20_000_000_000, "CNY"),
    ("Mistral AI", "2023-06-13", 260_000_000, "USD"), ("Mistral AI", "2023-12-11", 2_000_000_000, "USD"),
    ("Mistral AI", "2025-01-01", 6_000_000_000, "USD"), ("Mistral AI", "2025-09-09", 13_700_000_000, "USD"),
    ("Anthropic", "2021-05-27", nil, "USD"), ("Anthropic", "2021-05-28", 674_000_000, "USD"),
    ("Anthropic", "2023-05-23", 4_500_000_000, "USD"), ("Anthropic", "2026-02-12", 380_000_000_000, "USD"),
    ("Anthropic", "2026-05-31", 965_000_000_000, "USD"),
    ("OpenAI", "2023-04-26", 27_000_000_000, "USD"), ("OpenAI", "2024-02-16", 80_000_000_000, "USD"),
    ("OpenAI", "2025-10-01", 500_000_000_000, "USD"), ("OpenAI", "2026-03-31", 852_000_000_000, "USD"),
    ("xAI", "2024-05-27", 24_000_000_000, "USD"), ("xAI", "2026-01-06", 230_000_000_000, "USD"),
    ("CoreWeave", "2023-12-04", 2_000_000_000, "USD"), ("CoreWeave", "2024-05-01", 19_000_000_000, "USD"),
    ("Cohere", "2023-06-08", 2_200_000_000, "USD"), ("Groq", "2025-09-30", 6_900_000_000, "USD"),
    ("Crusoe", "2025-10-31", 10_000_000_000, "USD"), ("Adept", "2023-03-31", 1_000_000_000, "USD"),
    ("Inflection AI", "2023-06-29", 4_000_000_000, "USD"),
    // Talks alone, and recollection alone, value nothing.
    ("DeepSeek", "2026-06-03", nil, "CNY"), ("Stability AI", "2024-01-01", nil, "USD"),
  ]

  @Test("the real rounds are taken in, propose marks that a second person approves, and answer as by hand")
  func rounds() async throws {
    try await Marketplace.with { market in
      let file = try SeedFile("funding-rounds.csv")
      let (maker, checker) = (Marketplace.staff(), Marketplace.staff(2))
      // A dry run of the whole file changes nothing.
      let dry = try await market.submit(file.rounds(0, 92), by: maker, validateOnly: true).get()
      #expect(try await market.number(Counted.reports) == 0)
      // Batches; between two of them the process dies, and another goes on.
      _ = try await market.run(file.rounds(0, 40), by: maker)
      let stale = try await market.submit(file.rounds(0, 40), by: maker)
      #expect(stale.refusalCode == "valuation_import.not_the_next_line")
      let done = try await market.withSecondProcess { other in
        _ = try await other.run(file.rounds(40, 50), by: maker)
        return try await other.run(file.rounds(90, 10), by: maker).record
      }
      #expect(done.isDone && done.refused == 0 && done.recorded == 92 && done.proposed == 44)
      #expect(done.findings.count == 48, "each line is a mark or has a reason")
      #expect(dry.record.recorded == 92 && dry.record.proposed == 44 && dry.record.findings == done.findings)
      #expect(try await market.number(Counted.startups) == 34)
      #expect(try await market.number(Counted.marks) == 0, "the press verifies nothing")
      func decide(_ principal: Principal) -> DecideImport {
        DecideImport(id: done.id, decision: .approve, person: principal.personID)
      }
      #expect(try await market.submit(decide(maker), by: maker).refusalCode == "parties.same_person")
      market.clock.advance(days: 1)
      let decided = try await market.run(decide(checker), by: checker)
      #expect(decided.approved.count == 44 && decided.rejected.isEmpty)
      let known = market.clock.now()
      for (company, date, expected, currency) in Self.answers {
        let found = try await market.asOf(market.startup(named: company), date, knownAt: known)
        #expect(found?.amount.amount == expected.map { $0 * 100 }, "\(company) on \(date)")
        if let found { #expect(found.amount.currency.code == currency && found.confidence == .reported) }
      }
      // Before the approval nobody here knew.
      let before = try #require(known.adding(seconds: -1))
      let first = try await market.startup(named: "01.AI")
      #expect(try await market.asOf(first, "2026-06-01", knownAt: before) == nil)
      #expect(try await market.lawBreaches() == [])
    }
  }

  @Test("a later file that says otherwise of a round corrects its mark, and what was known before stays so")
  func correction() async throws {
    try await Marketplace.with { market in
      let file = try SeedFile("funding-rounds.csv")
      let (maker, checker) = (Marketplace.staff(), Marketplace.staff(2))
      func take(_ file: SeedFile) async throws -> ValuationImport {
        let record = try await market.run(file.rounds(0, 100), by: maker).record
        let decided = try await market.run(
          DecideImport(id: record.id, decision: .approve, person: checker.personID), by: checker)
        #expect(decided.rejected.isEmpty)
        return record
      }
      _ = try await take(file)
      let firstKnown = market.clock.now()
      market.clock.advance(days: 10)
      let text = String(decoding: file.bytes, as: UTF8.self)
      let corrected = text.replacingOccurrences(of: "300000000,USD,3300000000", with: "300000000,USD,3000000000")
      #expect(corrected != text)
      let second = try await take(SeedFile(bytes: Array(corrected.utf8)))
      #expect(second.recorded == 1 && second.unchanged == 91 && second.proposed == 1)
      let moonshot = try await market.startup(named: "Moonshot AI")
      let then = try await market.asOf(moonshot, "2024-12-31", knownAt: firstKnown)
      let now = try await market.asOf(moonshot, "2024-12-31", knownAt: market.clock.now())
      #expect(then?.amount == Money(330_000_000_000, .usd))
      #expect(now?.amount == Money(300_000_000_000, .usd))
      #expect(now?.supersedes == then?.id)
      // The same file again is the same import: there is no line left.
      let again = try await market.submit(file.rounds(0, 1), by: maker)
      #expect(again.refusalCode == "valuation_import.not_the_next_line")
      #expect(try await market.lawBreaches() == [])
    }
  }

  @Test("down rounds of one import are told of each against the one before, and open one line for what is open")
  func downRounds() async throws {
    try await Marketplace.with { market in
      let file = try SeedFile("funding-rounds.csv")
      let (maker, checker) = (Marketplace.staff(), Marketplace.staff(2))
      func take(_ file: SeedFile) async throws -> [MarkProposal] {
        let record = try await market.run(file.rounds(0, 100), by: maker).record
        return try await market.run(
          DecideImport(id: record.id, decision: .approve, person: checker.personID), by: checker
        ).approved.sorted { $0.effectiveOn < $1.effectiveOn }
      }
      _ = try await take(file)
      let moonshot = try #require(try await market.startup(named: "Moonshot AI").startup)
      let known = try #require(
        try await market.asOf(.startup(moonshot), "2026-06-01", knownAt: market.clock.now()))
      let principal = Principal(
        organizationID: moonshot, roles: [.startup], personID: PersonID(UUIDValue(high: 14, low: 1)),
        keyID: APIKeyID(UUIDValue(high: 14, low: 2)))
      let request = try await market.run(market.requestCommand(), by: principal)
      let before = try await market.number(Counted.falls)
      #expect(try await market.items().isEmpty)
      market.clock.advance(seconds: 1)
      let later = """
        Moonshot AI,CN,D,2026-03-01,day,100000000,USD,3000000000,,priced,,closed,P,a test,
        Moonshot AI,CN,E,2026-04-01,day,100000000,USD,2000000000,,priced,,closed,P,a test,

        """
      let down = try await take(SeedFile(bytes: file.bytes + Array(later.utf8)))
      #expect(down.map(\.amount) == [Money(300_000_000_000, .usd), Money(200_000_000_000, .usd)])
      #expect(try await market.number(Counted.falls) == before + 2)
      let found = try await market.items().map(\.finding)
      #expect(found.map(\.subject) == [request.id.value])
      #expect(found.first?.rules == ["valuation.fell", down[0].id.description, known.id.description])
      #expect(found.first?.since == down[0].effectiveOn)
      #expect(try await market.lawBreaches() == [])
    }
  }

  @Test("lines at fault are told and the others taken; a cut file is another file, and goes on with the whole one")
  func faults() async throws {
    try await Marketplace.with { market in
      let file = try SeedFile("funding-rounds.csv")
      let lines = String(decoding: file.bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
      var crooked = Array(lines.prefix(6)).map(String.init)
      crooked[2] = crooked[2].replacingOccurrences(of: "USD", with: "DOLLARS")
      let cut = SeedFile(bytes: Array(crooked.joined(separator: "\n").utf8))
      let record = try await market.run(cut.rounds(0, 5), by: Marketplace.staff()).record
      #expect(record.refused == 1 && record.recorded == 4)
      #expect(record.findings.contains { $0.line == 3 && $0.field == "currency" && $0.code == "field.malformed" })
      let whole = try await market.run(file.rounds(0, 92), by: Marketplace.staff()).record
      #expect(whole.unchanged == 4 && whole.recorded == 88)
      #expect(try await market.number(Counted.reports) == 92)
    }
  }

  @Test(
    "a cap table of the Open Cap Format proposes its post-money caps for the startup that it is of, and for no other")
  func capTable() async throws {
    try await Marketplace.with { market in
      let startup = try await market.startup("Lingyi Labs")
      let text = """
        {"file_type":"OCF_TRANSACTIONS_FILE","items":[
          {"object_type":"TX_CONVERTIBLE_ISSUANCE","id":"safe-1","security_id":"s3","date":"2023-05-05",
           "convertible_type":"SAFE","investment_amount":{"amount":"500000.00","currency":"USD"},
           "conversion_triggers":[{"conversion_right":{"conversion_mechanism":{"type":"SAFE_CONVERSION",
             "conversion_mfn":false,"conversion_timing":"POST_MONEY",
             "conversion_valuation_cap":{"amount":"10000000","currency":"USD"}}}}]}]}
        """
      func take(_ company: String) async throws -> ValuationImport {
        let lines = try CapTableFile(
          parsing: [Array(text.utf8)], company: company, jurisdiction: Marketplace.country()
        ).lines
        return try await market.run(
          ImportRounds(
            kind: .ocf, digest: SHA256Digest(of: company), fileName: "transactions.ocf.json",
            total: Int64(lines.count), from: 0, lines: lines), by: Marketplace.staff()
        ).record
      }
      let record = try await take("Lingyi Labs")
      #expect(record.recorded == 1 && record.proposed == 1)
      let checker = Marketplace.staff(2)
      _ = try await market.run(
        DecideImport(id: record.id, decision: .approve, person: checker.personID), by: checker)
      let mark = try #require(try await market.marks(of: startup).first)
      #expect(mark.method == .safeCap && mark.amount == Money(1_000_000_000, .usd) && mark.basis == .postMoney)
      let unknown = try await take("Nobody Labs")
      #expect(unknown.refused == 1 && unknown.findings.map(\.code) == ["round.no_such_startup"])
    }
  }

  @Test("the real chip prices are kept as quotes, once; those of a day that has not come are refused")
  func chipPrices() async throws {
    try await Marketplace.with { market in
      let file = try SeedFile("chip-prices.csv")
      let early = try await market.submit(file.prices(0, 726), by: Marketplace.staff(), validateOnly: true).get().record
      #expect(early.refused > 0 && early.findings.allSatisfy { $0.code == "chip_quote.date_ahead" })
      market.clock.advance(days: 180)
      var record = try await market.run(file.prices(0, 300), by: Marketplace.staff()).record
      record = try await market.run(file.prices(300, 426), by: Marketplace.staff()).record
      #expect(record.isDone && record.recorded == 726 && record.refused == 0)
      #expect(try await market.number(Counted.quotes) == 726)
    }
  }
}

private enum Counted {
  static let reports = Statement("test_reports", "select count(*) from round_reports", columns: [.int8])
  static let quotes = Statement("test_quotes", "select count(*) from chip_quotes", columns: [.int8])
  static let falls = Statement(
    "test_falls", "select count(*) from outbox where type = 'valuation.fell'", columns: [.int8])
  static let marks = Statement("test_startup_marks", "select count(*) from startup_marks", columns: [.int8])
  static let startups = Statement(
    "test_startups",
    "select count(*) from organizations where roles @> array['startup'] and verification_state = 'unverified'",
    columns: [.int8])
  static let named = Statement(
    "test_startup_named", "select org_id from organizations where legal_name = $1", parameters: [.text],
    columns: [.uuid])
}

extension Marketplace {
  func startup(named name: String) async throws -> ValuationSubject {
    try await database.withConnection { connection in
      let row = try await connection.run(Query(Counted.named, [.text(name)]), deadline: soon()).single()
      return .startup(OrganizationID(try row.uuid(0).value))
    }
  }
}
