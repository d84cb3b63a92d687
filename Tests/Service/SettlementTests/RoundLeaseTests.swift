import DomainFixtures
import Lending
import Matching
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import Testing

@testable import Settlement

@Suite("A match round", .timeLimit(.minutes(3)))
struct RoundLeaseTests {
  @Test("that two workers are asked for at once is cleared by one of them")
  func once() async throws {
    try await Marketplace.with { market in
      try await market.openMarket()
      try await market.withSecondProcess { other in
        let id = try await market.plan()
        async let first = market.worker().claimRound()
        async let second = other.worker().claimRound()
        let claims = try await [first, second].compactMap { $0 }
        #expect(claims.map(\.round.id) == [id])
        await market.worker().clear(claims[0])
        let round = try await market.round(id)
        #expect(round.state == .succeeded && round.offersMade == 3 && round.attempt == 1)
        #expect(try await market.number(Counts.offers) == 3)
        #expect(try await market.number(Counts.heldLeases) == 0)
        #expect(try await other.worker().claimRound() == nil)
        #expect(try await market.breaches() == [])
      }
    }
  }

  @Test("waits while an overlapping segment is cleared, and not for one that is apart")
  func segments() async throws {
    try await Marketplace.with { market in
      let chip = try Marketplace.plainChip()
      let other = try #require(ChipModelID("nvidia-a10"))
      let north = MatchSegment(chipModel: chip, region: "north")
      try await market.plan(north)
      let worker = market.worker()
      let first = try #require(try await worker.claimRound())
      #expect(first.lease.segment == north)
      for overlapping in [.whole, MatchSegment(chipModel: chip), MatchSegment(region: "north"), north] {
        try await market.plan(overlapping)
        #expect(try await worker.claimRound() == nil, "\(overlapping)")
      }
      let apart = [MatchSegment(chipModel: other, region: "north"), MatchSegment(chipModel: chip, region: "south")]
      var tokens = [first.lease.token]
      for segment in apart {
        try await market.plan(segment)
        let claim = try #require(try await worker.claimRound(), "\(segment)")
        #expect(claim.lease.segment == segment)
        tokens.append(claim.lease.token)
      }
      #expect(tokens == tokens.sorted() && Set(tokens).count == 3)
      #expect(try await market.number(Counts.heldLeases) == 3)
      for segment in apart + [.whole] { #expect(segment.overlaps(.whole) && !apart[0].overlaps(apart[1])) }
      // Once the first has ended, the oldest of those that waited comes next.
      await worker.clear(first)
      #expect(try await worker.claimRound()?.lease.segment == north)
      #expect(try await worker.claimRound() == nil, "the others still overlap the two that are apart")
    }
  }

  @Test("whose worker was paused past its lease is taken over, and the paused one writes nothing more")
  func paused() async throws {
    try await Marketplace.with { market in
      try await market.openMarket()
      try await market.withSecondProcess { other in
        let id = try await market.plan()
        let (paused, next) = (market.worker(), other.worker())
        let claim = try #require(try await paused.claimRound())
        let decided = try await paused.decide(claim)
        #expect(decided.count == 3)
        market.clock.advance(seconds: 31)
        let taken = try #require(try await next.claimRound())
        #expect(taken.round.id == id && taken.round.attempt == 2 && taken.lease.token > claim.lease.token)
        // It wakes before the next one has made any offer ...
        let before = try await market.footprint()
        await #expect(throws: PipelineError.leaseLost) { try await paused.offer(of: claim, decided) }
        await #expect(throws: (any Error).self) { try await paused.decide(claim) }
        await #expect(throws: LeaseLost.self) {
          try await paused.rounds.finish(claim.lease, .failed, made: 0, refused: 0, now: market.clock.now())
        }
        await paused.clear(claim)
        #expect(try await market.footprint() == before)
        // ... and that has poisoned none of the keys: the next one makes them all, from the record of the first.
        await next.clear(taken)
        let round = try await market.round(id)
        #expect(round.state == .succeeded && round.offersMade == 3 && round.offersRefused == 0)
        // ... or wakes after all is done.
        let after = try await market.footprint()
        await #expect(throws: (any Error).self) { try await paused.offer(of: claim, decided) }
        await paused.clear(claim)
        #expect(try await market.footprint() == after)
        #expect(try await market.breaches() == [])
      }
    }
  }

  @Test("whose lease ran out writes nothing even when nobody took it over")
  func expired() async throws {
    try await Marketplace.with { market in
      try await market.openMarket()
      try await market.plan()
      let worker = market.worker()
      let claim = try #require(try await worker.claimRound())
      let decided = try await worker.decide(claim)
      market.clock.advance(seconds: 31)
      let before = try await market.footprint()
      await #expect(throws: PipelineError.leaseLost) { try await worker.offer(of: claim, decided) }
      #expect(try await market.footprint() == before)
      // Another round of an overlapping segment that waits takes the lease from it too.
      try await market.plan(MatchSegment(region: "US-west"))
      let again = try #require(try await worker.claimRound())
      #expect(again.round.id == claim.round.id && again.round.attempt == 2)
    }
  }

  @Test("keeps its lease while it computes past the lease's length")
  func renewed() async throws {
    try await Marketplace.with { market in
      try await market.plan()
      let worker = market.worker()
      let claim = try #require(try await worker.claimRound())
      for _ in 0..<4 {
        market.clock.advance(seconds: 20)
        try await worker.rounds.renew(claim.lease, now: market.clock.now(), until: worker.leaseEnd())
        #expect(try await worker.claimRound() == nil)
      }
      await worker.clear(claim)
      #expect(try await market.round(claim.round.id).state == .succeeded)
    }
  }

  @Test("that was killed between its offers is ended by another with the same offers, and the next round is right")
  func killed() async throws {
    try await Marketplace.with { market in
      try await market.openMarket(startups: 4)
      let id = try await market.plan()
      let worker = market.worker()
      let claim = try #require(try await worker.claimRound())
      let decided = try await worker.decide(claim)
      #expect(decided.count == 4)
      // The worker dies after its second offer: nothing of it is left but what was committed.
      for allocation in decided.prefix(2) {
        _ = try await market.pipeline.runChild(
          MakeOffer(
            roundID: id, requestID: allocation.request, listingID: allocation.listing,
            quantity: allocation.quantity, rate: BasisPoints(allocation.rateBps), lease: claim.lease),
          key: "\(id):\(allocation.listing.value):\(allocation.request.value)"
        ) { _ in ["offers": 1] }
      }
      #expect(try await market.number(Counts.reserved) == 32)
      market.clock.advance(seconds: 31)
      let taken = try #require(try await worker.claimRound())
      await worker.clear(taken)
      let round = try await market.round(id)
      #expect(round.state == .succeeded && round.offersMade == 4)
      #expect(try await market.number(Counts.offers) == 4)
      #expect(try await market.number(Counts.reserved) == 64)
      // Nobody answers: past the expiry nothing is reserved, and the next round finds the whole market again.
      let pending = try await RunQueries.lapsedOffers(
        at: market.clock.now().adding(seconds: 365 * 86_400) ?? .epoch, market.pool, deadline: worker.deadline)
      market.clock.advance(days: 30)
      for offer in pending {
        _ = try await market.run(EndOffer(offerID: offer, outcome: .lapsed, ifVersion: nil), by: .automation)
      }
      #expect(try await market.number(Counts.reserved) == 0)
      let next = try await market.plan()
      await worker.clear(try #require(try await worker.claimRound()))
      #expect(try await market.round(next).offersMade == 4)
      #expect(try await market.number(Counts.offered) == 64)
      #expect(try await market.breaches() == [])
    }
  }

  @Test("that brings its workers down is given up after ten attempts")
  func givenUp() async throws {
    try await Marketplace.with { market in
      let id = try await market.plan()
      let worker = market.worker()
      for attempt in 1...10 {
        #expect(try #require(try await worker.claimRound()).round.attempt == Int32(attempt))
        market.clock.advance(seconds: 31)
      }
      await worker.clear(try #require(try await worker.claimRound()))
      let round = try await market.round(id)
      #expect(round.state == .failed && round.error == "given up after 10 attempts")
      #expect(try await market.number(Counts.heldLeases) == 0)
    }
  }
}
