import DomainFixtures
import Logging
import Operations
import Persistence
import Postgres
import PostgresHarness
import SchemaFixtures
import ServiceAssembly
import Synchronization
import Testing

@Suite("when the audit log is sealed", .serialized)
struct AuditSealerTests {
  /// Checkpoints there are.
  private static let count = Statement("test_checkpoints", "select count(*) from audit_checkpoints", columns: [.int8])

  private func checkpoints(_ market: Marketplace) async throws -> Int64 {
    let deadline = ContinuousClock.now + .seconds(5)
    return try await market.database.withConnection {
      try await $0.run(Query(Self.count), deadline: deadline).single().int8(0)
    }
  }

  private func checkpoints(_ market: Marketplace, become wanted: Int64, within seconds: Int) async throws -> Bool {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < deadline {
      if try await checkpoints(market) == wanted { return true }
      try await Task.sleep(for: .milliseconds(100))
    }
    return false
  }

  @Test("so many entries are sealed early, long before the time is up; fewer wait for it")
  func early() async throws {
    try await Marketplace.with { market in
      let signer = try #require(AuditSigner(seed: [UInt8](repeating: 7, count: 32)))
      let sealer = AuditSealer(pool: market.pool, signer: signer, clock: market.clock)
      let written = Mutex(100)
      var sealing = AuditSealing()
      (sealing.seconds, sealing.entries) = (3_600, 5)
      var logger = Logger(label: "sealer")
      logger.logLevel = .critical
      let running = Task { [sealing, logger] in
        await sealer.run(sealing, written: { written.withLock { $0 } }, logger: logger)
      }
      try await write(1, to: market)
      // Entries of before it began count for nothing, and four are not five.
      written.withLock { $0 += 4 }
      #expect(try await !checkpoints(market, become: 1, within: 3))
      written.withLock { $0 += 1 }
      #expect(try await checkpoints(market, become: 1, within: 5))
      // Counted anew from there.
      try await write(2, to: market)
      written.withLock { $0 += 4 }
      #expect(try await !checkpoints(market, become: 2, within: 3))
      written.withLock { $0 += 6 }
      #expect(try await checkpoints(market, become: 2, within: 5))
      running.cancel()
      await running.value
    }
  }

  private func write(_ number: Int, to market: Marketplace) async throws {
    _ = try await market.lender("Lender \(number)")
  }
}
