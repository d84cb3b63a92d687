import DomainFixtures
import Lending
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import SchemaFixtures
import Testing

@Suite("Two processes on the same rows", .timeLimit(.minutes(2)))
struct ContentionTests {
  @Test("give the last chips of a listing to one startup only")
  func lastChips() async throws {
    try await Marketplace.with { market in
      let second = try await Marketplace(market.database, seed: 2, clock: market.clock)
      let lender = try await market.lender()
      let startups = [try await market.startup("One"), try await market.startup("Other")]
      try await market.mark()
      for round in 0..<10 {
        let listing = try await market.stockedListing(8, of: lender)
        let requests = [try await market.request(of: startups[0]), try await market.request(of: startups[1])]
        async let first = market.came(
          market.offerCommand(requests[0].id, listing.id, quantity: 8), by: .automation, key: "a\(round)")
        async let other = second.came(
          second.offerCommand(requests[1].id, listing.id, quantity: 8), by: .automation, key: "b\(round)")
        let came = [await first.came, await other.came]
        #expect(came.contains(.done) && came.contains(.refused), "\(round): \(came)")
      }
      #expect(try await market.breaches() == [])
      await second.stop()
    }
  }

  @Test("never both accept and decline one offer")
  func acceptAgainstDecline() async throws {
    try await Marketplace.with { market in
      let second = try await Marketplace(market.database, seed: 2, clock: market.clock)
      let lender = try await market.lender()
      let startup = try await market.startup()
      try await market.mark()
      let listing = try await market.stockedListing(80, of: lender)
      var accepted: Int64 = 0
      for round in 0..<10 {
        let request = try await market.request(of: startup, quantity: 8)
        let offer = try await market.offer(request, listing, quantity: 8)
        async let taking = market.came(
          AcceptOffer(offerID: offer.id, ifVersion: nil), by: startup.principal, key: "a\(round)")
        async let turning = second.came(
          EndOffer(offerID: offer.id, outcome: .declined, ifVersion: nil), by: lender.principal, key: "d\(round)")
        let (accept, decline) = (await taking.came, await turning.came)
        #expect([accept, decline].contains(.done) && [accept, decline].contains(.refused), "\(accept) \(decline)")
        if accept == .done { accepted += 1 }
      }
      #expect(try await market.number(Counts.loans) == accepted)
      #expect(try await market.breaches() == [])
      await second.stop()
    }
  }

  @Test("list the chips of a lot up to the last one and not one unit further")
  func lotIsListedOnce() async throws {
    try await Marketplace.with { market in
      let second = try await Marketplace(market.database, seed: 2, clock: market.clock)
      let lender = try await market.lender()
      let lot = try await market.lot(of: lender, quantity: 64)
      let command = market.listingCommand(of: lot, quantity: 8)
      let came = await withTaskGroup(of: Came.self) { group in
        for index in 0..<24 {
          let process = index % 2 == 0 ? market : second
          group.addTask { await process.came(command, by: lender.principal, key: "k\(index)").came }
        }
        return await group.reduce(into: [Came]()) { $0.append($1) }
      }
      #expect(came.filter { $0 == .done }.count == 8)
      #expect(came.filter { $0 == .refused }.count == 16)
      #expect(try await market.breaches() == [])
      await second.stop()
    }
  }

  @Test("under load post to shared books without losing a number, a link or a balance")
  func load() async throws {
    try await Marketplace.with { market in
      let second = try await Marketplace(market.database, seed: 2, clock: market.clock)
      var lenders: [Party] = []
      for index in 0..<4 { lenders.append(try await market.lender("Lender \(index)")) }
      let made = lenders
      let came = await withTaskGroup(of: Came.self) { group in
        for index in 0..<240 {
          let (process, lender) = (index % 2 == 0 ? market : second, made[index / 2 % 4])
          group.addTask {
            guard let lot = try? market.lotCommand(of: lender) else { return .refused }
            return await process.came(lot, by: lender.principal, key: "k\(index)").came
          }
        }
        return await group.reduce(into: [Came]()) { $0.append($1) }
      }
      #expect(came.allSatisfy { $0 == .done }, "\(came.filter { $0 != .done })")
      #expect(try await market.number(Counts.lots) == 240)
      #expect(try await market.breaches() == [])
      // Batches shared commits, or the links would be as many as the entries.
      let links = Statement("test_links", "select count(*) from chain_links", columns: [.int8])
      #expect(try await market.number(links) < 240)
      await second.stop()
    }
  }
}
