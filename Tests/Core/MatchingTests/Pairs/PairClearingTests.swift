import Matching
import Testing

@Suite("Clearing a market of pairs")
struct PairClearingTests {
  private static let enough = 50_000_000

  @Test("small markets with every constraint clear at the optimum that trying everything finds", arguments: 0..<10)
  func agreesWithTwin(block: Int) {
    for seed in UInt64(block * 2_000)..<UInt64(block * 2_000 + 2_000) {
      var generator = PairMarketGenerator(seed: seed)
      let market = generator.tiny()
      let clearing = clear(pairs: market, workLimit: Self.enough)
      let optimum = PairTwin(market).optimum
      let isRight =
        breach(of: market, by: clearing.quantities) == nil && clearing.isOptimal && clearing.objective == optimum
        && worth(of: clearing.quantities, in: market) == optimum
      #expect(isRight, "seed \(seed): \(clearing.objective), bound \(clearing.bound), optimum \(optimum)")
    }
  }

  @Test("stopped early, the allocation keeps every law and the bound is not below the optimum")
  func earlyStop() {
    for seed in UInt64(1)...120 {
      var generator = PairMarketGenerator(seed: seed)
      let market = generator.wide(listings: 8, requests: 8)
      let full = clear(pairs: market, workLimit: Self.enough)
      #expect(breach(of: market, by: full.quantities) == nil, "seed \(seed)")
      for limit in [0, 1_000, 20_000] {
        let early = clear(pairs: market, workLimit: limit)
        #expect(breach(of: market, by: early.quantities) == nil, "seed \(seed), limit \(limit)")
        #expect(early.objective == worth(of: early.quantities, in: market), "seed \(seed), limit \(limit)")
        #expect(early.bound >= full.objective && early.objective <= full.bound, "seed \(seed), limit \(limit)")
      }
    }
  }

  @Test("stopped early on small markets, the bound holds against trying everything")
  func earlyStopAgainstTwin() {
    for seed in UInt64(50_000)..<52_000 {
      var generator = PairMarketGenerator(seed: seed)
      let market = generator.tiny()
      let early = clear(pairs: market, workLimit: 10)
      let isRight = breach(of: market, by: early.quantities) == nil && early.bound >= PairTwin(market).optimum
      #expect(isRight, "seed \(seed)")
    }
  }

  @Test("the order of the input does not change the objective, nor does running it again change the allocation")
  func permutation() {
    for seed in UInt64(1)...60 {
      var generator = PairMarketGenerator(seed: seed)
      let market = generator.wide(listings: 7, requests: 7)
      let first = clear(pairs: market, workLimit: Self.enough)
      #expect(first == clear(pairs: market, workLimit: Self.enough), "seed \(seed)")
      let permuted = clear(pairs: generator.permuted(market), workLimit: Self.enough)
      #expect(first.isOptimal && permuted.isOptimal && first.objective == permuted.objective, "seed \(seed)")
    }
  }

  @Test("an incumbent is kept when nothing better is found, and ignored when it breaks a law")
  func incumbents() {
    for seed in UInt64(1)...60 {
      var generator = PairMarketGenerator(seed: seed)
      let market = generator.wide(listings: 7, requests: 7)
      let full = clear(pairs: market, workLimit: Self.enough)
      let kept = clear(pairs: market, startingFrom: full.quantities, workLimit: 0)
      #expect(kept.objective == full.objective, "seed \(seed)")
      let broken = clear(pairs: market, startingFrom: market.pairs.map { _ in 1_000 }, workLimit: Self.enough)
      #expect(broken.objective == full.objective, "seed \(seed)")
    }
  }

  @Test("the greatest quantities and values clear without overflow", arguments: [1, 1_000, 1_000_000_000_000_000])
  func extremes(unitValue: Int64) {
    for seed in UInt64(1)...25 {
      var generator = PairMarketGenerator(seed: seed)
      // Margins of this generator are below 1,600 basis points: x 625 they reach 10^6.
      let market = generator.wide(
        listings: 6, requests: 6, unitValue: Int128(unitValue) * 625, chips: 1_000_000_000)
      let clearing = clear(pairs: market, workLimit: 2_000_000)
      #expect(breach(of: market, by: clearing.quantities) == nil, "seed \(seed)")
      #expect(clearing.bound >= clearing.objective, "seed \(seed)")
    }
  }

  @Test("numbers beyond what the arithmetic is proved for match nothing, and prove nothing")
  func beyondRange() {
    let pair = PairMarket.Pair(listing: 0, request: 0, surplus: Int128(1) << 100, lender: 0)
    let markets = [
      PairMarket(listingQuantity: [1], pairs: [pair], requests: [.init(quantity: 1)]),
      PairMarket(
        listingQuantity: [.max, .max], pairs: [.init(listing: 0, request: 0, surplus: 1, lender: 0)],
        requests: [.init(quantity: .max)]),
      PairMarket(
        listingQuantity: [1], pairs: [.init(listing: 0, request: 3, surplus: 1, lender: 0)],
        requests: [.init(quantity: 1)]),
    ]
    for market in markets {
      let clearing = clear(pairs: market, workLimit: 1_000)
      #expect(clearing.quantities == [0] && clearing.bound == .max && !clearing.isOptimal)
    }
  }

  @Test("among equal surpluses more chips are matched")
  func moreChips() {
    let market = PairMarket(
      listingQuantity: [5, 9],
      pairs: [
        .init(listing: 0, request: 0, surplus: 0, lender: 0), .init(listing: 1, request: 0, surplus: 0, lender: 1),
        .init(listing: 1, request: 1, surplus: 0, lender: 1),
      ], requests: [.init(quantity: 6), .init(quantity: 7)])
    let clearing = clear(pairs: market, workLimit: 1_000)
    #expect(clearing.isOptimal && clearing.quantities.reduce(0, +) == 13)
  }

  @Test("a market of nothing clears at nothing")
  func empty() {
    let clearing = clear(pairs: PairMarket(listingQuantity: [], pairs: [], requests: []), workLimit: 0)
    #expect(clearing.isOptimal && clearing.objective == 0)
  }
}
