import Foundation
import Logging
import Persistence
import Postgres
import Primitives
import Settlement
import StrictJSON

/// Whole match rounds on PostgreSQL, in parts, with plain SQL that reads and writes the same rows beside each.
struct RoundTrip: Encodable {
  /// One round over a market of its own.
  struct Round: Encodable {
    var readMilliseconds = 0.0
    var clearMilliseconds = 0.0
    var offersMilliseconds = 0.0
    /// From the request for the round to its end, polling and the record of snapshot and result included.
    var wholeMilliseconds = 0.0
    var method = ""
    var offers = 0
    /// The rows of the snapshot, copied out by one client.
    var plainReadMilliseconds = 0.0
    /// The rows that the offers wrote, into twins of their tables by one transaction of set-based statements.
    var plainWriteMilliseconds = 0.0
  }

  let size: Int
  private(set) var settings: [String] = []
  private(set) var rounds: [Round] = []

  /// What a round's offers write anew, each with what tells these rows from those that were there before.
  private static let written = [
    ("offers", "true"), ("verdicts", "act = 'offer'"), ("idempotency", "key like 'rnd\\_%'"),
    ("audit_log", "action = 'offer.make'"), ("outbox", "type like 'offer.%'"),
    ("journal_entries", "kind = 'chips_reserved'"),
    (
      "journal_lines",
      "exists (select 1 from public.journal_entries e where e.org_id = r.org_id and e.id = r.entry_id and "
        + "e.kind = 'chips_reserved')"
    ),
  ]
  /// What they change.
  private static let changed = [("lots", "lender_id"), ("listings", "lender_id"), ("loan_requests", "borrower_id")]

  init(size: Int, seed: UInt64, rounds count: Int) async throws {
    self.size = size
    for number in 0..<count {
      let database = try BenchDatabase()
      defer { database.remove() }
      settings = try database.settings()
      rounds.append(try await Self.round(database, size, seed &+ UInt64(number)))
    }
  }

  private static func round(_ database: BenchDatabase, _ size: Int, _ seed: UInt64) async throws -> Round {
    let market = try await RoundMarket(database)
    do {
      try await market.fill(size, seed: seed)
      _ = try database.rows("create schema twin")
      for (table, _) in written {
        _ = try database.rows("create table twin.\(table) (like public.\(table) including all)")
      }
      for (table, _) in changed {
        _ = try database.rows(
          "create table twin.\(table) (like public.\(table) including all);"
            + "insert into twin.\(table) select * from public.\(table)")
      }
      _ = try database.rows("vacuum analyze")
      var round = Round()
      round.plainReadMilliseconds = try timed(database, snapshotRows)
      try await clear(market, &round)
      round.plainWriteMilliseconds = try timed(database, writes)
      let stored = Int(try database.rows("select count(*) from twin.offers").first ?? "") ?? 0
      guard stored == round.offers else {
        throw BenchFailure("the reference wrote \(stored) offers, the round \(round.offers)")
      }
      await market.stop()
      return round
    } catch {
      await market.stop()
      throw error
    }
  }

  /// Asks for a round and lets a worker of this process clear it.
  private static func clear(_ market: RoundMarket, _ round: inout Round) async throws {
    var logger = Logger(label: "bench")
    logger.logLevel = .error
    let worker = RunWorker(
      pool: market.pool, pipeline: market.pipeline, reference: market.reference, clock: market.clock, logger: logger)
    let (hints, hint) = AsyncStream.makeStream(of: Void.self)
    let working = Task { await worker.run(hints: hints) }
    defer { working.cancel() }
    let began = ContinuousClock.now
    let id = try await market.plan()
    hint.yield()
    while true {
      try await Task.sleep(for: .milliseconds(2))
      let deadline = ContinuousClock.now + .seconds(30)
      let row = try await market.pool.withConnection(deadline: deadline) { connection in
        try RunSQL.decodeRound(
          await connection.run(Query(RunSQL.roundByID, [.uuid(id.value.bits)]), deadline: deadline).single())
      }
      switch row.state {
      case .succeeded:
        round.wholeMilliseconds = (ContinuousClock.now - began).milliseconds
        let bytes = row.result ?? []
        let limits = JSONLimits(maxBytes: bytes.count, maxMembers: 1 << 30)
        let result = try JSONDocument(parsing: bytes, limits: limits).root
        func figure(_ name: String) -> Double { Double(result["timings"]?[name]?.asInteger ?? 0) }
        round.readMilliseconds = figure("read_ms")
        round.clearMilliseconds = figure("clear_ms")
        round.offersMilliseconds = figure("offers_ms")
        round.method = result["method"]?.asString ?? ""
        round.offers = Int(row.offersMade)
        guard row.offersRefused == 0 else { throw BenchFailure("\(row.offersRefused) offers were refused") }
        return
      case .failed, .cancelled: throw BenchFailure("the round ended \(row.state): \(row.error ?? "")")
      case .planned, .running:
        guard ContinuousClock.now - began < .seconds(600) else { throw BenchFailure("the round took ten minutes") }
      }
    }
  }

  /// What the snapshot holds.
  private static let snapshotRows = """
    begin isolation level repeatable read read only;
    copy (select * from listings where state = 'open' and remaining > 0 order by sequence, id) to stdout;
    copy (select * from loan_requests where state in ('open', 'held', 'partly_matched') and offered + matched < quantity
      order by sequence, id) to stdout;
    copy (select * from lots) to stdout;
    copy (select * from organizations) to stdout;
    commit;
    """

  private static var writes: String {
    let inserts = written.map { table, condition in
      let columns = table == "outbox" ? " overriding system value" : ""
      return "insert into twin.\(table)\(columns) select * from public.\(table) r where \(condition);"
    }
    let updates = [
      "update twin.lots t set version = p.version, available = p.available, reserved = p.reserved, listed = p.listed, updated_at = p.updated_at "
        + "from public.lots p where p.lender_id = t.lender_id and p.id = t.id and p.version <> t.version;",
      "update twin.listings t set version = p.version, remaining = p.remaining, state = p.state, "
        + "updated_at = p.updated_at from public.listings p "
        + "where p.lender_id = t.lender_id and p.id = t.id and p.version <> t.version;",
      "update twin.loan_requests t set version = p.version, offered = p.offered, state = p.state, "
        + "updated_at = p.updated_at from public.loan_requests p "
        + "where p.borrower_id = t.borrower_id and p.id = t.id and p.version <> t.version;",
    ]
    return (["begin;"] + inserts + updates + ["commit;"]).joined(separator: "\n")
  }

  /// Milliseconds that one client takes for a script, its own start apart.
  static func timed(_ database: BenchDatabase, _ script: String) throws -> Double {
    let text = try Tools.run(
      ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", database.url],
      input: "\\o /dev/null\n\\timing on\n\(script)\n")
    return text.split(separator: "\n").filter { $0.hasPrefix("Time: ") }.reduce(0) { sum, line in
      sum + (Double(line.split(separator: " ")[1]) ?? 0)
    }
  }

  // MARK: report

  private func median(_ value: (Round) -> Double) -> Double { MatchMeasure.median(rounds.map(value)) }

  var text: String {
    String(
      format: """
        round trip, %d listings and requests: whole %.0f ms = read %.0f, solve %.0f (%@), %d offers reserved %.0f (%.0f a \
        second), record and polling the rest
          %d rounds, median; plain SQL: the same rows read in %.0f ms (ratio %.1f), written in one transaction in %.0f ms \
        (ratio %.1f); %@
        """, size, median(\.wholeMilliseconds), median(\.readMilliseconds), median(\.clearMilliseconds),
      rounds.first?.method ?? "", rounds.first?.offers ?? 0, median(\.offersMilliseconds),
      median { Double($0.offers) / max($0.offersMilliseconds, 1) * 1_000 }, rounds.count,
      median(\.plainReadMilliseconds), median { $0.readMilliseconds / max($0.plainReadMilliseconds, 0.1) },
      median(\.plainWriteMilliseconds), median { $0.offersMilliseconds / max($0.plainWriteMilliseconds, 0.1) },
      settings.joined(separator: ", "))
  }
}

extension Duration {
  var milliseconds: Double { Double(components.seconds) * 1_000 + Double(components.attoseconds) / 1e15 }
  var seconds: Double { milliseconds / 1_000 }
}
