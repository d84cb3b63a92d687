import DomainFixtures
import Lending
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import SchemaFixtures
import Testing

@Suite("A command", .timeLimit(.minutes(2)))
struct EffectTests {
  @Test("that is only validated gives the answer and changes nothing")
  func validateOnly() async throws {
    try await Marketplace.with { market in
      let lender = try await market.lender()
      let lot = try await market.lot(of: lender)
      let counts = try await market.rowCounts()
      let good = market.listingCommand(of: lot, quantity: 16)
      let bad = market.listingCommand(of: lot, quantity: 72)
      let fine = try await market.submit(good, by: lender.principal, key: "k", validateOnly: true)
      #expect(try fine.get().quantity == 16)
      let refused = try await market.submit(bad, by: lender.principal, key: "k", validateOnly: true)
      #expect(refused.refusalCode == "lending.beyond_reserve_plan")
      #expect(try await market.rowCounts() == counts)
      // The key is still free, and nothing of the trial stayed in the process either.
      let done = try await market.submit(good, by: lender.principal, key: "k")
      #expect(!done.replayed)
      #expect(try done.get().version == 1)
      #expect(try await market.breaches() == [])
    }
  }

  @Test("beside one that is only validated does not see its effects")
  func validateBesideReal() async throws {
    try await Marketplace.with { market in
      let lender = try await market.lender()
      let lot = try await market.lot(of: lender, quantity: 64)
      let all = market.listingCommand(of: lot, quantity: 64)
      await withTaskGroup(of: Bool.self) { group in
        for index in 0..<20 {
          group.addTask {
            let decided = try? await market.submit(all, by: lender.principal, validateOnly: index != 7)
            return index == 7 && decided?.refusalCode == nil && decided != nil
          }
        }
        let done = await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        #expect(done == 1)
      }
      #expect(try await market.breaches() == [])
    }
  }

  @Test("with If-Match acts on that version only, and each change raises it by one")
  func versions() async throws {
    try await Marketplace.with { market in
      let lender = try await market.lender()
      let lot = try await market.lot(of: lender)
      let listing = try await market.listing(of: lot, by: lender, quantity: 16)
      func change(_ act: Listing.Act, _ version: Int64?) async throws -> Decided<Listing> {
        try await market.submit(
          ChangeListing(listingID: listing.id, act: act, ifVersion: version), by: lender.principal)
      }
      #expect(listing.version == 1)
      #expect(try await change(.pause, 2).refusalCode == "parties.stale_version")
      #expect(try await change(.pause, 1).get().version == 2)
      #expect(try await change(.resume, 1).refusalCode == "parties.stale_version")
      #expect(try await change(.resume, 2).get().version == 3)
      #expect(try await change(.pause, nil).get().version == 4)
    }
  }

  @Test("leaves one audit row, with its outcome, and its events; a refusal leaves the audit row alone")
  func auditAndEvents() async throws {
    try await Marketplace.with { market in
      let startup = try await market.startup()
      let (audit, outbox) = (try await market.number(Counts.audit), try await market.number(Counts.outbox))
      for index in 0..<5 {
        _ = try await market.submit(market.requestCommand(), by: startup.principal, key: "k\(index)")
      }
      _ = try await market.submit(market.requestCommand(), by: startup.principal, key: "k0")
      let refused = try await market.submit(market.requestCommand(quantity: 12), by: startup.principal)
      #expect(refused.refusalCode == "lending.not_in_boards")
      #expect(try await market.number(Counts.audit) == audit + 6)
      #expect(try await market.number(Counts.outbox) == outbox + 5)
      let rows = Statement(
        "test_audit_rows",
        """
        select action, outcome, count(*), count(subject_id) from audit_log where action = 'loan_request.create'
        group by 1, 2 order by 2
        """, columns: [.text, .text, .int8, .int8])
      let found = try await market.database.withConnection { connection in
        try await connection.run(Query(rows), deadline: soon()).map {
          "\(try $0.text(1)) \(try $0.int8(2)) \(try $0.int8(3))"
        }
      }
      #expect(found == ["done 5 5", "lending.not_in_boards 1 0"])
    }
  }

  @Test("is decided by business time, which a sandbox's clock sets for every process")
  func businessTime() async throws {
    try await Marketplace.with { market in
      let second = try await Marketplace(market.database, seed: 2, clock: SettableClock(Marketplace.start, seed: 3))
      let startup = try await market.startup()
      let later = try #require(Marketplace.start.adding(seconds: 40 * 86_400))
      #expect(try await market.run(MoveClock(to: later, isSandbox: true), by: Marketplace.staff()) == later)
      let request = try await second.run(second.requestCommand(), by: startup.principal)
      #expect(request.createdAt == later)
      let back = try await second.submit(
        MoveClock(to: Marketplace.start, isSandbox: true), by: Marketplace.staff())
      #expect(back.refusalCode == "platform.clock_goes_back")
      await second.stop()
    }
  }

  @Test("that sees rows made in its own batch builds on them")
  func sameBatch() async throws {
    try await Marketplace.with { market in
      let lender = try await market.lender()
      let lot = try await market.lot(of: lender, quantity: 64)
      let eight = market.listingCommand(of: lot, quantity: 8)
      let other = try await market.lender("Other")
      let came = try await market.gathered(behind: other, count: 10) { index in
        await market.came(eight, by: lender.principal, key: "k\(index)").came
      }
      #expect(came.filter { $0 == .done }.count == 8)
      #expect(came.filter { $0 == .refused }.count == 2)
      let version = Statement("test_lot_version", "select version from lots where listed > 0", columns: [.int8])
      #expect(try await market.number(version) == 9)
      #expect(try await market.breaches() == [])
    }
  }
}
