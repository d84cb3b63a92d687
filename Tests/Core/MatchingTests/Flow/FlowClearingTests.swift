import Matching
import Primitives
import PropertyKit
import Testing

@Suite("A market of divisible orders clears at the proven optimum") struct FlowClearingTests {
  /// Few values, so that ties are everywhere; claims that overlap; quantities from nothing to many.
  private func market(_ seed: UInt64, listings: Int, requests: Int, classes: Int, values: Int64, chips: Int64)
    -> FlowMarket
  {
    var random = SplitMix64(seed: seed)
    let lists = (0..<random.int(1...6)).map { _ in
      (0..<classes).filter { _ in random.int(0...2) > 0 }.map { Int32($0) }
    }.filter { !$0.isEmpty }
    var claims: [FlowMarket.Claim] = []
    var firstClaim = [0]
    for _ in 0..<requests {
      for _ in 0..<random.int(0...3) where !lists.isEmpty {
        claims.append(
          FlowMarket.Claim(list: Int32(random.int(0...Int64(lists.count - 1))), value: random.int(0...values)))
      }
      firstClaim.append(claims.count)
    }
    var members: [Int32] = []
    var firstMember = [0]
    for list in lists {
      members += list
      firstMember.append(members.count)
    }
    return FlowMarket(
      classCount: classes,
      listings: (0..<listings).map { _ in
        FlowMarket.Listing(
          classIndex: Int32(random.int(0...Int64(classes - 1))), ask: random.int(0...values),
          quantity: random.int(0...chips))
      }, claims: claims, firstClaim: firstClaim, wanted: (0..<requests).map { _ in random.int(0...chips) },
      members: members, firstMember: firstMember)
  }

  private func proves(_ clearing: FlowClearing, _ market: FlowMarket) -> [String] {
    [clearing.lowPrices, clearing.highPrices].compactMap {
      FlowCertificate(prices: $0).failure(of: clearing, in: market)
    }
  }

  @Test("small ones, full of ties, with a certificate at both ends of the dual interval")
  func small() {
    for seed in 0..<6_000 as Range<UInt64> {
      let sides = (Int(seed % 7), Int(seed / 7 % 7))
      let market = market(
        seed, listings: sides.0, requests: sides.1, classes: 1 + Int(seed % 5), values: 1 + Int64(seed % 9), chips: 5)
      let clearing = clear(flow: market)
      #expect(proves(clearing, market) == [], "seed \(seed)")
      #expect(zip(clearing.lowPrices, clearing.highPrices).allSatisfy { $0 <= $1 }, "seed \(seed)")
    }
  }

  @Test("larger ones, that begin at the prices of a sample", arguments: [3, 40, 1_000_000] as [Int64])
  func large(values: Int64) {
    for seed in 0..<6 as Range<UInt64> {
      let market = market(
        seed, listings: 2_500, requests: 2_500, classes: 1 + Int(seed * 7), values: values, chips: 60)
      #expect(proves(clear(flow: market), market) == [], "seed \(seed)")
    }
  }

  @Test("in which all orders are equal, the earlier have the chips")
  func allEqual() {
    let count = 4_000
    let market = FlowMarket(
      classCount: 1, listings: (0..<count).map { _ in FlowMarket.Listing(classIndex: 0, ask: 7, quantity: 1) },
      claims: (0..<count).map { _ in FlowMarket.Claim(list: 0, value: 7) }, firstClaim: Array(0...count),
      wanted: (0..<count).map { _ in 2 }, members: [0], firstMember: [0, 1])
    let clearing = clear(flow: market)
    #expect(proves(clearing, market) == [])
    // No surplus in it, and all the chips lent all the same.
    #expect(clearing.objective == 0)
    #expect(clearing.fills.map(\.request) == (0..<count / 2).map { Int32($0) })
  }

  @Test("with a billion chips in an order, and values at the edge of what is allowed")
  func extremes() {
    let most = Int64(1) << 58
    let market = FlowMarket(
      classCount: 2,
      listings: [
        FlowMarket.Listing(classIndex: 0, ask: 0, quantity: 1_000_000_000),
        FlowMarket.Listing(classIndex: 1, ask: most, quantity: 1_000_000_000),
      ], claims: [FlowMarket.Claim(list: 0, value: most), FlowMarket.Claim(list: 0, value: 1)], firstClaim: [0, 1, 2],
      wanted: [1_000_000_001, 1_000_000_000], members: [0, 1], firstMember: [0, 2])
    let clearing = clear(flow: market)
    #expect(proves(clearing, market) == [])
    #expect(clearing.objective == Int128(most) * 1_000_000_000)
    // The chip left over is asked at just what it is worth.
    #expect(clearing.fills.reduce(0) { $0 + $1.quantity } == 1_000_000_001)
  }

  @Test("an empty market, and one with one side empty")
  func empty() {
    let nothing = FlowMarket(
      classCount: 0, listings: [], claims: [], firstClaim: [0], wanted: [], members: [], firstMember: [0])
    #expect(clear(flow: nothing).objective == 0)
    let supply = FlowMarket(
      classCount: 1, listings: [FlowMarket.Listing(classIndex: 0, ask: 1, quantity: 3)], claims: [], firstClaim: [0],
      wanted: [], members: [], firstMember: [0])
    #expect(clear(flow: supply).sold == [0])
    let demand = FlowMarket(
      classCount: 1, listings: [], claims: [FlowMarket.Claim(list: 0, value: 9)], firstClaim: [0, 1], wanted: [5],
      members: [0], firstMember: [0, 1])
    #expect(clear(flow: demand).fills.isEmpty)
  }

  @Test("more supply never makes it worth less, and the order of input changes neither worth nor prices")
  func monotoneAndStable() {
    for seed in 0..<300 as Range<UInt64> {
      let market = market(seed, listings: 20, requests: 20, classes: 4, values: 30, chips: 9)
      let clearing = clear(flow: market)
      let more = FlowMarket(
        classCount: market.classCount,
        listings: market.listings + [FlowMarket.Listing(classIndex: 0, ask: 5, quantity: 4)], claims: market.claims,
        firstClaim: market.firstClaim, wanted: market.wanted, members: market.members,
        firstMember: market.firstMember)
      #expect(clear(flow: more).objective >= clearing.objective, "seed \(seed)")
      let turned = FlowMarket(
        classCount: market.classCount, listings: market.listings.reversed(), claims: market.claims,
        firstClaim: market.firstClaim, wanted: market.wanted, members: market.members,
        firstMember: market.firstMember)
      let again = clear(flow: turned)
      #expect(again.objective == clearing.objective, "seed \(seed)")
      #expect(again.lowPrices == clearing.lowPrices && again.highPrices == clearing.highPrices, "seed \(seed)")
    }
  }
}
