import DomainFixtures
import Operations
import Parties
import Persistence
import Postgres
import PostgresHarness
import Primitives
import SchemaFixtures
import Testing

@Suite("An idempotency key", .timeLimit(.minutes(2)))
struct IdempotencyTests {
  @Test("sent again gives the same bytes and has no second effect")
  func replay() async throws {
    try await Marketplace.with { market in
      let startup = try await market.startup()
      let command = try market.requestCommand()
      let first = try await market.submit(command, by: startup.principal, key: "k", request: "body")
      #expect(!first.replayed)
      let counts = try await market.rowCounts()
      for _ in 0..<3 {
        let again = try await market.submit(command, by: startup.principal, key: "k", request: "body")
        #expect(again.replayed)
        #expect(again.answer == first.answer)
      }
      #expect(try await market.rowCounts() == counts)
    }
  }

  @Test("keeps a refusal: the same bytes come back, though the reason for it is gone")
  func refusals() async throws {
    try await Marketplace.with { market in
      let lender = try await market.lender()
      let lot = try await market.lot(of: lender, quantity: 8)
      let command = market.listingCommand(of: lot, quantity: 16)
      let first = try await market.submit(command, by: lender.principal, key: "k")
      #expect(first.refusalCode == "lending.beyond_reserve_plan")
      _ = try await market.lot(of: lender, quantity: 64)
      let again = try await market.submit(command, by: lender.principal, key: "k")
      #expect(again.replayed)
      #expect(again.answer == first.answer)
    }
  }

  @Test("sent with another request is refused and changes nothing, now and in the same batch")
  func reused() async throws {
    try await Marketplace.with { market in
      let startup = try await market.startup()
      let command = try market.requestCommand()
      _ = try await market.submit(command, by: startup.principal, key: "k", request: "one")
      let counts = try await market.rowCounts()
      let came = await market.came(command, by: startup.principal, key: "k", request: "two").came
      #expect(came == .failed(.keyReused))
      #expect(try await market.rowCounts() == counts)
    }
  }

  @Test("belongs to its organisation: two may use the same one")
  func scoped() async throws {
    try await Marketplace.with { market in
      let one = try await market.startup("One")
      let other = try await market.startup("Other")
      let command = try market.requestCommand()
      #expect(await market.came(command, by: one.principal, key: "k", request: "a").came == .done)
      #expect(await market.came(command, by: other.principal, key: "k", request: "b").came == .done)
    }
  }

  @Test("sent to two processes at the same moment has one effect and one answer")
  func twoProcesses() async throws {
    try await Marketplace.with { market in
      let startup = try await market.startup()
      let lender = try await market.lender()
      let second = try await Marketplace(market.database, seed: 2, clock: market.clock)
      let request = try market.requestCommand()
      let lot = try market.lotCommand(of: lender)
      let answers = await withTaskGroup(of: (String, Came, StoredAnswer?).self) { group in
        for index in 0..<40 {
          for process in [market, second] {
            group.addTask {
              let key = "k\(index)"
              let (came, answer) =
                index % 2 == 0
                ? await process.came(request, by: startup.principal, key: key)
                : await process.came(lot, by: lender.principal, key: key)
              return (key, came, answer)
            }
          }
        }
        return await group.reduce(into: [(String, Came, StoredAnswer?)]()) { $0.append($1) }
      }
      for (key, pair) in Dictionary(grouping: answers, by: \.0) {
        #expect(pair.contains { $0.1 == .done } && pair.contains { $0.1 == .replayed }, "\(key): \(pair)")
        #expect(pair[0].2 == pair[1].2, "\(key)")
      }
      #expect(try await market.number(Counts.requests) == 20)
      #expect(try await market.number(Counts.lots) == 20)
      #expect(try await market.breaches() == [])
      await second.stop()
    }
  }

  @Test(
    "settles a commit whose answer was lost, and one that never reached the database, without a second effect",
    arguments: [CommitProxy.Fault.loseAnswer, .loseCommit])
  func unknownOutcome(fault: CommitProxy.Fault) async throws {
    try await Marketplace.with { market in
      let lender = try await market.lender()
      let startup = try await market.startup()
      let proxy = try CommitProxy(to: market.database)
      let behind = try await Marketplace(
        market.database, seed: 2, configuration: proxy.configuration(), clock: market.clock)
      let lot = try market.lotCommand(of: lender)
      let request = try market.requestCommand()
      // A lot rewrites a head, so its commit travels alone; a request's commit travels with its inserts.
      for (round, armed) in [1, 3, 5].enumerated() {
        for _ in 0..<armed { proxy.arm(fault) }
        let (came, _) = await behind.came(lot, by: lender.principal, key: "lot \(round)")
        #expect(came == (fault == .loseAnswer ? .replayed : .done))
        proxy.disarm()
        proxy.arm(fault)
        let (other, _) = await behind.came(request, by: startup.principal, key: "request \(round)")
        #expect(other == (fault == .loseAnswer ? .replayed : .done))
        proxy.disarm()
      }
      #expect(proxy.strikes >= 6)
      #expect(try await market.number(Counts.lots) == 3)
      #expect(try await market.number(Counts.requests) == 3)
      #expect(try await market.breaches() == [])
      await behind.stop()
      proxy.close()
    }
  }

  @Test("is what a command needs to be told from a lost commit: without one the outcome stays unknown")
  func withoutKey() async throws {
    try await Marketplace.with { market in
      let startup = try await market.startup()
      let proxy = try CommitProxy(to: market.database)
      let behind = try await Marketplace(
        market.database, seed: 2, configuration: proxy.configuration(), clock: market.clock)
      proxy.arm(.loseAnswer)
      let (came, _) = await behind.came(try market.requestCommand(), by: startup.principal)
      #expect(came == .failed(.outcomeUnknown))
      #expect(try await market.number(Counts.requests) == 1)
      await behind.stop()
      proxy.close()
    }
  }

  @Test("outlives connections that the database's administrator ends in the middle of batches")
  func terminated() async throws {
    try await Marketplace.with { market in
      let lender = try await market.lender()
      let lot = try market.lotCommand(of: lender)
      let killer = try await market.database.connect()
      try await withThrowingTaskGroup(of: Came.self) { group in
        for index in 0..<60 {
          group.addTask { await market.came(lot, by: lender.principal, key: "k\(index)").came }
          if index % 6 == 0 {
            try await killer.execute(
              """
              select pg_terminate_backend(pid) from pg_stat_activity
              where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
              """)
            try await Task.sleep(for: .milliseconds(20))
          }
        }
        for try await came in group { #expect(came == .done || came == .replayed) }
      }
      await killer.close()
      #expect(try await market.number(Counts.lots) == 60)
      #expect(try await market.breaches() == [])
    }
  }
}
