import DomainFixtures
import Operations
import Parties
import Persistence
import Postgres
import PostgresHarness
import Primitives
import Synchronization
import Testing

@Suite("A batch", .timeLimit(.minutes(2)))
struct BatchTests {
  @Test("gathers from what arrives while another one commits, and shares one transaction")
  func natural() async throws {
    try await Marketplace.with { market in
      let lender = try await market.lender()
      let startup = try await market.startup()
      let command = try market.requestCommand()
      let counters = market.pipeline.counters
      let (batches, commands) = (
        counters.batches.load(ordering: .relaxed), counters.commands.load(ordering: .relaxed)
      )
      let came = try await market.gathered(behind: lender, count: 100) { index in
        await market.came(command, by: startup.principal, key: "k\(index)").came
      }
      #expect(came.allSatisfy { $0 == .done })
      #expect(counters.batches.load(ordering: .relaxed) == batches + 2)
      #expect(counters.commands.load(ordering: .relaxed) == commands + 101)
      #expect(try await market.number(Counts.requests) == 100)
    }
  }

  @Test("gives each good command its effect exactly once, whatever stands beside it")
  func mixed() async throws {
    try await Marketplace.with { market in
      let blocker = try await market.lender("Blocker")
      let lender = try await market.lender("Good")
      let other = try await market.lender("Other")
      let startup = try await market.startup()
      let good = try market.lotCommand(of: lender)
      let refused = try market.lotCommand(of: lender, quantity: 12)
      let request = try market.requestCommand()
      let poison = BreakConstraint(base: request)
      let lotsBefore = try await market.number(Counts.lots)
      // 32 at once: 8 good, 4 refused, 4 pairs of duplicates, 2 pairs that reuse a key, 4 good requests, 4 poison.
      let results = try await market.gathered(behind: blocker, count: 32) { index in
        switch index {
        case 0..<8: await market.came(good, by: lender.principal, key: "good \(index)")
        case 8..<12: await market.came(refused, by: lender.principal, key: "refused \(index)")
        case 12..<20: await market.came(good, by: lender.principal, key: "pair \(index / 2)")
        case 20..<24: await market.came(good, by: lender.principal, key: "reused \(index / 2)", request: "\(index)")
        case 24..<28: await market.came(request, by: startup.principal)
        case 28: await market.came(poison, by: startup.principal, key: "poison")
        case 29: await market.came(ThrowDefect(), by: startup.principal, key: "defect")
        case 30: await market.came(PostUnlocked(book: other.id), by: startup.principal, key: "unlocked")
        default: await market.came(poison, by: startup.principal)
        }
      }
      let came = results.map(\.came)
      #expect(came[0..<8].allSatisfy { $0 == .done })
      #expect(came[8..<12].allSatisfy { $0 == .refused })
      for pair in stride(from: 12, to: 20, by: 2) {
        #expect(Set([came[pair], came[pair + 1]].map { "\($0)" }) == ["done", "replayed"])
        #expect(results[pair].answer == results[pair + 1].answer)
      }
      for pair in stride(from: 20, to: 24, by: 2) {
        let both = [came[pair], came[pair + 1]]
        #expect(both.contains(.done) && both.contains(.failed(.keyReused)), "\(both)")
      }
      #expect(came[24..<28].allSatisfy { $0 == .done })
      #expect(came[28..<32].allSatisfy { $0.isDefect })
      // The blocker's own, 8 good, 4 of the pairs, 2 of those that reuse a key.
      #expect(try await market.number(Counts.lots) == lotsBefore + 15)
      #expect(try await market.number(Counts.requests) == 4)
      #expect(try await market.number(Counts.answers) == 8 + 4 + 4 + 2)
      #expect(market.pipeline.counters.splits.load(ordering: .relaxed) > 0)
      #expect(try await market.breaches() == [])
    }
  }

  @Test("with a value that cannot be sent fails for that command alone, at once")
  func unsendable() async throws {
    try await Marketplace.with { market in
      let blocker = try await market.lender("Blocker")
      let startup = try await market.startup()
      let good = try market.requestCommand()
      let bad = try market.requestCommand(endUse: "training\u{0}")
      let began = ContinuousClock.now
      let came = try await market.gathered(behind: blocker, count: 8) { index in
        await market.came(index == 3 ? bad : good, by: startup.principal).came
      }
      #expect(came[3].isDefect, "\(came[3])")
      #expect(came.filter { $0 == .done }.count == 7)
      #expect(ContinuousClock.now - began < .seconds(5))
    }
  }

  @Test("that finds a head locked for too long changes nothing, and says that the service is unavailable")
  func lockTimeout() async throws {
    try await Marketplace.with { market in
      let lender = try await market.lender()
      var configuration = try market.database.configuration()
      configuration.lockTimeout = .milliseconds(200)
      var limits = CommandPipeline.Limits()
      limits.batchSeconds = 1
      let impatient = try await Marketplace(
        market.database, limits: limits, seed: 2, configuration: configuration, clock: market.clock)
      let held = try await HeldHead(lender.id, in: market.database)
      let before = try await market.rowCounts()
      let came = await impatient.came(try market.lotCommand(of: lender), by: lender.principal, key: "k").came
      #expect(came == .failed(.unavailable))
      #expect(try await market.rowCounts() == before)
      try await held.release()
      #expect(await impatient.came(try market.lotCommand(of: lender), by: lender.principal, key: "k").came == .done)
      await impatient.stop()
    }
  }

  @Test("never takes more than its limit")
  func limited() async throws {
    var limits = CommandPipeline.Limits()
    limits.batch = 10
    try await Marketplace.with(limits: limits) { market in
      let lender = try await market.lender()
      let startup = try await market.startup()
      let command = try market.requestCommand()
      let before = market.pipeline.counters.batches.load(ordering: .relaxed)
      _ = try await market.gathered(behind: lender, count: 95) { _ in
        await market.came(command, by: startup.principal).came
      }
      #expect(market.pipeline.counters.batches.load(ordering: .relaxed) == before + 1 + 10)
    }
  }
}

@Suite("The queue", .timeLimit(.minutes(2)))
struct QueueTests {
  @Test("is bounded: what finds it full is told at once that the service is busy, and changes nothing")
  func bounded() async throws {
    var limits = CommandPipeline.Limits()
    limits.queue = 8
    try await Marketplace.with(limits: limits) { market in
      let lender = try await market.lender()
      let startup = try await market.startup()
      let command = try market.requestCommand()
      let lot = try market.lotCommand(of: lender)
      let held = try await HeldHead(lender.id, in: market.database)
      let batches = market.pipeline.counters.batches.load(ordering: .relaxed)
      try await withThrowingTaskGroup(of: Came.self) { group in
        group.addTask { await market.came(lot, by: lender.principal).came }
        try await eventually("the first batch runs") {
          market.pipeline.counters.batches.load(ordering: .relaxed) == batches + 1
        }
        for _ in 0..<8 { group.addTask { await market.came(command, by: startup.principal).came } }
        try await eventually("the queue is full") { market.pipeline.depth == 8 }
        let began = ContinuousClock.now
        for _ in 0..<3 {
          #expect(await market.came(command, by: startup.principal).came == .failed(.busy))
        }
        #expect(ContinuousClock.now - began < .seconds(1))
        try await held.release()
        for try await came in group { #expect(came == .done) }
      }
      #expect(try await market.number(Counts.requests) == 8)
    }
  }

  @Test("of heavy commands does not make light ones wait")
  func lanes() async throws {
    try await Marketplace.with { market in
      let lender = try await market.lender()
      let startup = try await market.startup()
      let lot = try market.lotCommand(of: lender)
      let held = try await HeldHead(lender.id, in: market.database)
      async let heavy = market.submit(lot, by: lender.principal, weight: .heavy)
      for _ in 0..<5 {
        #expect(await market.came(try market.requestCommand(), by: startup.principal).came == .done)
      }
      #expect(try await market.number(Counts.lots) == 0)
      try await held.release()
      #expect(try await heavy.refusalCode == nil)
      #expect(try await market.number(Counts.lots) == 1)
    }
  }

  @Test("is served to its end when the service stops, and takes nothing after that")
  func stopping() async throws {
    try await Marketplace.with { market in
      let startup = try await market.startup()
      let command = try market.requestCommand()
      let second = try await Marketplace(market.database, seed: 2, clock: market.clock)
      await withTaskGroup(of: Came.self) { group in
        for _ in 0..<50 { group.addTask { await second.came(command, by: startup.principal).came } }
        // Some are decided, some queued, some not yet handed in.
        for _ in 0..<5 { await Task.yield() }
        await second.stop()
        var done: Int64 = 0
        for await came in group {
          #expect(came == .done || came == .failed(.busy))
          if came == .done { done += 1 }
        }
        let stored = try? await market.number(Counts.requests)
        #expect(stored == done)
      }
      #expect(await second.came(command, by: startup.principal).came == .failed(.busy))
    }
  }
}
