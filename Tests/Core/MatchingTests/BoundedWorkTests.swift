import Primitives
import Testing

@testable import Matching

@Suite("Bounds on work change how far a round goes, never what it keeps") struct BoundedWorkTests {
  @Test("a round whose first pass is its last keeps every law")
  func lastPassAtOnce() throws {
    var differs = 0
    for seed in 1...600 as ClosedRange<UInt64> {
      var generator = MarketGenerator(seed: seed, .everything)
      let snapshot = try generator.market(listings: 0...14, requests: 0...14)
      let book = MatchBook(snapshot)
      let hasty = MatchRoundResult(book, Settlement(Clearing(book, workLimit: 0).settle(), bound: .max))
      #expect(MatchLaws(snapshot: snapshot, result: hasty).violations() == [], "seed \(seed)")
      let usual = MatchRoundResult(book, Settlement(Clearing(book).settle(), bound: .max))
      differs += hasty == usual ? 0 : 1
    }
    // Otherwise this would be the ordinary path under another name.
    #expect(differs > 0)
  }

  @Test("without memory for lists of what fits the outcome is the same")
  func noLists() throws {
    for seed in 1...300 as ClosedRange<UInt64> {
      var generator = MarketGenerator(seed: seed, .everything)
      let snapshot = try generator.market(listings: 0...12, requests: 0...12)
      let (bare, full) = (MatchBook(snapshot, fittingLimit: 0), MatchBook(snapshot))
      let (long, short) = (Clearing(bare).settle(), Clearing(full).settle())
      #expect(
        MatchRoundResult(bare, Settlement(long, bound: 0)) == MatchRoundResult(full, Settlement(short, bound: 0)),
        "seed \(seed)")
    }
  }

  @Test("a class is held to the rate at which the most surplus trades, whatever the trades")
  func callAuction() {
    var random = SplitMix64(seed: 3)
    for _ in 1...2_000 {
      let trades = (0..<random.int(1...6)).map { _ in
        let ask = random.int(0...20)
        return ClassTrade(ask: ask, limit: ask + random.int(0...10), quantity: random.int(1...5))
      }
      func surplus(at rate: Int64) -> Int64 {
        trades.filter { $0.ask <= rate && rate <= $0.limit }.reduce(0) { $0 + $1.quantity * ($1.limit - $1.ask) }
      }
      let best = (0...30).map { surplus(at: $0) }.max()
      #expect(surplus(at: callAuctionRate(trades)) == best)
    }
  }
}
