import Catalogue
import DomainFixtures
import Lending
import Matching
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import SchemaFixtures
import StrictJSON
import Testing

@testable import Settlement

@Suite("The record of a match round", .timeLimit(.minutes(3)))
struct RoundRecordTests {
  @Test("replays to the same result, and a changed byte or another engine is told")
  func replays() async throws {
    try await Marketplace.with { market in
      try await market.openMarket()
      let id = try await market.plan()
      let replayer = RoundReplayer()
      await #expect(throws: RoundReplayRefusal.notRecorded(.planned)) {
        try await replayer.replay(market.stored(id))
      }
      let worker = market.worker()
      await worker.clear(try #require(try await worker.claimRound()))
      let replay = try await replayer.replay(market.stored(id))
      let round = try await market.round(id)
      #expect(replay.same && replay.differences == [] && replay.engineVersion == matchEngineVersion)
      #expect(replay.digest == round.digest)
      try await market.execute(Counts.forgeSnapshot)
      let forged = try await replayer.replay(market.stored(id))
      #expect(!forged.same && !forged.differences.isEmpty && forged.digest == round.digest)
      try await market.execute(Counts.forgeEngine)
      let other = try await replayer.replay(market.stored(id))
      #expect(!other.same && other.engineVersion == "other-9")
      #expect(other.differences.first?.hasPrefix("engine version: recorded other-9") == true)
    }
  }

  @Test("shows objective, bound, gap, certificate, counts and timings, whole numbers as JSON integers")
  func shown() async throws {
    try await Marketplace.with { market in
      try await market.openMarket()
      let id = try await market.plan()
      let worker = market.worker()
      await worker.clear(try #require(try await worker.claimRound()))
      let result = try #require(try await market.round(id).result)
      let record = try JSONDocument(parsing: result, limits: .stored).root
      // Three requests of 16 chips at 15 %, against an ask of 9 %, each chip worth 1,000,000 minor units.
      #expect(record["objective"]?.asInteger == Int64(48 * 600 * 1_000_000))
      let (objective, bound) = (record["objective"]?.asInteger ?? 0, record["bound"]?.asInteger ?? 0)
      #expect(bound >= objective && record["gap"]?.asInteger == bound - objective)
      #expect(["valid", "gap"].contains(record["certificate"]?.asString))
      #expect(record["counts"]?["matched_quantity"]?.asInteger == 48)
      #expect(record["counts"]?["leftover_listings"]?.asInteger == 1)
      for name in ["read_ms", "clear_ms", "offers_ms"] {
        #expect(record["timings"]?[name]?.asInteger != nil, "\(name)")
      }
      #expect(record["fairness_bps"]?.asInteger == 10_000 && record["method"]?.asString != nil)
      #expect(record["classes"]?.elements.first?["quantity"]?.asInteger == 48)
      let parameters = try JSONDocument(parsing: try #require(try await market.stored(id).parameters)).root
      #expect(parameters["engine_version"]?.asString == matchEngineVersion)
      #expect(parameters["segment"]?["region"]?.isNull == true)
    }
  }

  @Test("of a segment has the orders of that segment only, and holds no request that could take a chip elsewhere")
  func segment() async throws {
    try await Marketplace.with { market in
      try await market.openMarket(startups: 2)
      let elsewhere = try await market.plan(MatchSegment(region: "US-east"))
      let worker = market.worker()
      await worker.clear(try #require(try await worker.claimRound()))
      #expect(try await market.round(elsewhere).offersMade == 0)
      let snapshot = try MatchSnapshot(canonicalBytes: try #require(try await market.stored(elsewhere).snapshot))
      #expect(snapshot.listings.isEmpty && snapshot.requests.isEmpty)
      let here = try await market.plan(
        MatchSegment(chipModel: try Marketplace.plainChip(), region: "US-west"))
      await worker.clear(try #require(try await worker.claimRound()))
      #expect(try await market.round(here).offersMade == 2)
      await #expect(throws: PartiesRefusal.notFound("chip model")) {
        try await market.plan(MatchSegment(chipModel: ChipModelID("no-such-chip")))
      }
    }
  }
}

@Suite("Rounds by schedule", .timeLimit(.minutes(3)))
struct RoundScheduleTests {
  @Test("are planned once in each stretch of time, however many processes plan them")
  func every() async throws {
    try await Marketplace.with { market in
      try await market.withSecondProcess { other in
        let schedule = RoundSchedule(everySeconds: 60)
        let (first, second) = (market.worker(schedule), other.worker(schedule))
        var (one, two, late) = (PlannedSoFar(), PlannedSoFar(), PlannedSoFar())
        for expected in Int64(1)...3 {
          try await first.planDueRounds(&one)
          try await first.planDueRounds(&one)
          await first.clear(try #require(try await first.claimRound()))
          try await second.planDueRounds(&two)
          // A process that begins now knows nothing of what was planned.
          late = PlannedSoFar()
          try await second.planDueRounds(&late)
          #expect(try await market.number(Counts.rounds) == expected)
          market.clock.advance(seconds: 60)
        }
      }
    }
  }

  @Test("follow the newest order once no other has come for a while, and not again without a new one")
  func after() async throws {
    try await Marketplace.with { market in
      let worker = market.worker(RoundSchedule(afterSeconds: 5))
      var planned = PlannedSoFar()
      try await worker.planDueRounds(&planned)
      #expect(try await market.number(Counts.rounds) == 0, "there is no order")
      try await market.openMarket(startups: 1)
      try await worker.planDueRounds(&planned)
      #expect(try await market.number(Counts.rounds) == 0, "another may follow")
      market.clock.advance(seconds: 4)
      _ = try await market.request(of: market.startup("Another"))
      market.clock.advance(seconds: 4)
      try await worker.planDueRounds(&planned)
      #expect(try await market.number(Counts.rounds) == 0, "one did follow")
      market.clock.advance(seconds: 2)
      for _ in 0..<3 { try await worker.planDueRounds(&planned) }
      #expect(try await market.number(Counts.rounds) == 1)
      await worker.clear(try #require(try await worker.claimRound()))
      market.clock.advance(seconds: 600)
      var restarted = PlannedSoFar()
      try await worker.planDueRounds(&restarted)
      #expect(try await market.number(Counts.rounds) == 1)
      _ = try await market.request(of: market.startup("A third"))
      market.clock.advance(seconds: 6)
      try await worker.planDueRounds(&restarted)
      #expect(try await market.number(Counts.rounds) == 2)
    }
  }

  @Test("never come unless asked for")
  func never() async throws {
    try await Marketplace.with { market in
      try await market.openMarket(startups: 1)
      market.clock.advance(days: 1)
      var planned = PlannedSoFar()
      try await market.worker().planDueRounds(&planned)
      #expect(try await market.number(Counts.rounds) == 0)
    }
  }
}

@Suite("The order book", .timeLimit(.minutes(3)))
struct OrderBookTests {
  @Test("has both sides by rate, the largest block beside the total, and no more than is on hand")
  func depth() async throws {
    try await Marketplace.with { market in
      try await market.mark()
      let (first, second) = (try await market.lender(), try await market.lender("Another"))
      _ = try await market.listing(of: market.lot(of: first, quantity: 64), by: first, quantity: 48)
      _ = try await market.listing(of: market.lot(of: second, quantity: 32), by: second, quantity: 32)
      let startup = try await market.startup()
      _ = try await market.request(of: startup, quantity: 16)
      _ = try await market.request(of: startup, quantity: 40)
      let book = try await book(market)
      #expect(book.levels.map(Self.text) == ["ask 900: 80, 48", "bid 1500: 56, 40"])
      #expect(book.totals.map(Self.text) == ["ask -: 80, 48", "bid -: 56, 40"])
      // What is offered is in the book no more.
      try await market.plan()
      let worker = market.worker()
      await worker.clear(try #require(try await worker.claimRound()))
      #expect(try await self.book(market).totals.map(Self.text) == ["ask -: 24, 24"])
      #expect(try await self.book(market, region: "US-east").levels == [])
    }
  }

  private static func text(_ level: OrderBook.Level) -> String {
    "\(level.side.rawValue) \(level.rateBps.map { "\($0)" } ?? "-"): \(level.quantity), \(level.largestBlock)"
  }

  private func book(_ market: Marketplace, region: String? = nil) async throws -> OrderBook {
    let queries = OrderBook.queries(chipModel: nil, region: region)
    let answers = try await market.pool.withConnection(deadline: soon()) {
      try await $0.pipeline(queries, deadline: soon())
    }
    return try OrderBook(answers, chipModel: nil, reference: market.reference.current)
  }
}
