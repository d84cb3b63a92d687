import Matching

/// Random pair markets from a seed.
struct PairMarketGenerator {
  var random: SplitMix64

  init(seed: UInt64) { random = SplitMix64(seed: seed) }

  /// A handful of pairs with small quantities and every constraint in play, small enough to try every allocation.
  mutating func tiny(mostPairs: Int = 7) -> PairMarket {
    let (listings, requests) = (Int(random.int(1...4)), Int(random.int(1...4)))
    let lenders = (0..<listings).map { _ in Int32(random.int(0...2)) }
    let models = (0..<listings).map { _ in Int32(random.int(0...1)) }
    let sites = (0..<listings).map { _ in Int32(random.int(0...1)) }
    let leasts = (0..<listings).map { _ in random.once(in: 2) ? random.int(1...3) : 1 }
    let boards = (0..<listings).map { _ in random.once(in: 3) ? random.int(2...3) : 1 }
    let hasTies = random.once(in: 3)
    let asksForBoards = (0..<requests).map { _ in random.once(in: 4) ? Int64(2) : 1 }
    var pairs: [PairMarket.Pair] = []
    for listing in 0..<listings {
      for request in 0..<requests where !random.once(in: 3) && pairs.count < mostPairs {
        let step =
          boards[listing] == asksForBoards[request] ? boards[listing] : boards[listing] * asksForBoards[request]
        pairs.append(
          PairMarket.Pair(
            listing: Int32(listing), request: Int32(request),
            surplus: Int128(hasTies ? random.int(0...2) : random.int(0...30)), least: leasts[listing], step: step,
            lender: lenders[listing], model: models[listing], site: sites[listing]))
      }
    }
    let lines = (0..<requests).map { _ in
      let quantity = random.int(0...5)
      let least = random.once(in: 3) ? quantity : random.once(in: 2) ? random.int(1...5) : 1
      return PairMarket.Request(
        quantity: quantity, least: max(1, least), maxLenders: random.once(in: 2) ? Int32(random.int(1...2)) : .max,
        sameModel: random.once(in: 4), sameSite: random.once(in: 4))
    }
    var joints: [PairMarket.JointLimit] = []
    while random.once(in: 3) && joints.count < 3 {
      let isQuota = random.once(in: 3)
      let shares = pairs.indices.filter { _ in random.once(in: 2) }.map {
        PairMarket.JointLimit.Share(pair: Int32($0), weight: isQuota ? 1 : random.int(0...5))
      }
      joints.append(PairMarket.JointLimit(shares: shares, limit: Int128(random.int(0...12))))
    }
    return PairMarket(
      listingQuantity: (0..<listings).map { _ in random.int(0...4) }, pairs: pairs, requests: lines, jointLimits: joints
    )
  }

  /// A market with every constraint, in sizes that only the solver itself can settle.
  mutating func wide(listings: Int, requests: Int, unitValue: Int128 = 1_000, chips: Int64 = 64) -> PairMarket {
    let lenders = (0..<listings).map { _ in Int32(random.int(0...4)) }
    let models = (0..<listings).map { _ in Int32(random.int(0...2)) }
    let quantities = (0..<listings).map { _ in random.int(1...chips) }
    let leasts = quantities.map { random.once(in: 2) ? random.int(1...max(1, $0 / 2)) : 1 }
    let asks = (0..<listings).map { _ in random.int(200...1_400) }
    var pairs: [PairMarket.Pair] = []
    var lines: [PairMarket.Request] = []
    for request in 0..<requests {
      let limits = (0..<3).map { _ in random.once(in: 2) ? random.int(250...1_600) : 0 }
      for listing in 0..<listings where limits[Int(models[listing])] >= asks[listing] && random.once(in: 2) {
        let margin = limits[Int(models[listing])] - asks[listing]
        pairs.append(
          PairMarket.Pair(
            listing: Int32(listing), request: Int32(request), surplus: unitValue * Int128(margin),
            least: leasts[listing], lender: lenders[listing], model: models[listing], site: Int32(listing % 3)))
      }
      let quantity = random.int(1...chips)
      lines.append(
        PairMarket.Request(
          quantity: quantity, least: random.once(in: 4) ? quantity : random.int(1...quantity),
          maxLenders: random.once(in: 3) ? Int32(random.int(1...3)) : .max, sameModel: random.once(in: 6),
          sameSite: random.once(in: 6)))
    }
    var joints: [PairMarket.JointLimit] = []
    for lender in 0..<Int32(2) {
      let shares = pairs.indices.filter { pairs[$0].lender == lender }
      joints.append(
        PairMarket.JointLimit(
          shares: shares.map { .init(pair: Int32($0), weight: Int64(pairs[$0].model) * 300_000_000_007 + 1) },
          limit: Int128(chips) * 600_000_000_000))
    }
    return PairMarket(listingQuantity: quantities, pairs: pairs, requests: lines, jointLimits: joints)
  }

  /// The same market with listings, requests, pairs and limits in another order.
  mutating func permuted(_ market: PairMarket) -> PairMarket {
    let listings = random.shuffled(Array(market.listingQuantity.indices))
    let requests = random.shuffled(Array(market.requests.indices))
    let pairs = random.shuffled(Array(market.pairs.indices))
    func places(_ order: [Int]) -> [Int32] {
      var places = [Int32](repeating: 0, count: order.count)
      for (place, origin) in order.enumerated() { places[origin] = Int32(place) }
      return places
    }
    let (listingPlaces, requestPlaces, pairPlaces) = (places(listings), places(requests), places(pairs))
    return PairMarket(
      listingQuantity: listings.map { market.listingQuantity[$0] },
      pairs: pairs.map {
        let pair = market.pairs[$0]
        return PairMarket.Pair(
          listing: listingPlaces[Int(pair.listing)], request: requestPlaces[Int(pair.request)], surplus: pair.surplus,
          least: pair.least, step: pair.step, lender: 7 - pair.lender, model: pair.model, site: pair.site)
      }, requests: requests.map { market.requests[$0] },
      jointLimits: market.jointLimits.reversed().map { joint in
        PairMarket.JointLimit(
          shares: joint.shares.map { .init(pair: pairPlaces[Int($0.pair)], weight: $0.weight) }, limit: joint.limit)
      })
  }
}
