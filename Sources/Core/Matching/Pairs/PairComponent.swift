/// Part of a pair market that shares nothing with the rest, in its own units: quantities in the greatest step that all
/// its pairs share, surplus in the greatest common divisor of all.
struct PairComponent: Sendable {
  struct Pair: Sendable {
    /// Position in the market's pairs.
    let origin: Int32
    let listing: Int32
    let request: Int32
    let surplus: Int128
    /// A multiple of `step`, as is `most`.
    let least: Int64
    let most: Int64
    let step: Int64
  }

  /// A request takes chips from at most so many groups of pairs: lenders, models or sites.
  struct Variety: Sendable {
    let request: Int32
    let most: Int
    /// Pairs by group, at least one more than `most`.
    let groups: [[Int32]]
  }

  struct Joint: Sendable {
    let pairs: [Int32]
    /// At least 1.
    let weights: [Int64]
    let limit: Int128
  }

  let pairs: [Pair]
  let listingMost: [Int64]
  /// What the total of a listing is a multiple of.
  let listingStep: [Int64]
  let requestMost: [Int64]
  let requestLeast: [Int64]
  /// What the total of a request is a multiple of.
  let requestStep: [Int64]
  let links: Links
  let varieties: [Variety]
  let joints: [Joint]
  /// Chips of one unit of quantity.
  let chipUnit: Int64
  /// Minor units x basis points per chip of one unit of surplus.
  let surplusUnit: Int128

  /// The components of a market within range. Pairs that can never trade are in none.
  static func components(of market: PairMarket) -> [PairComponent] {
    var most = [Int64](repeating: 0, count: market.pairs.count)
    var alive = [Bool](repeating: false, count: market.pairs.count)
    for (position, pair) in market.pairs.enumerated() {
      let request = market.requests[Int(pair.request)]
      let room = min(market.listingQuantity[Int(pair.listing)], request.quantity)
      most[position] = room / pair.step * pair.step
      alive[position] =
        most[position] >= pair.least && most[position] > 0 && request.quantity >= request.least
        && request.maxLenders > 0
    }
    for joint in market.jointLimits {
      for share in joint.shares where alive[Int(share.pair)] && share.weight > 0 {
        let (position, pair) = (Int(share.pair), market.pairs[Int(share.pair)])
        let room = Int64(clamping: joint.limit / Int128(share.weight))
        most[position] = min(most[position], room / pair.step * pair.step)
        if most[position] < pair.least || most[position] == 0 { alive[position] = false }
      }
    }
    var sets = DisjointSets(count: market.listingQuantity.count + market.requests.count)
    let firstRequest = market.listingQuantity.count
    for (position, pair) in market.pairs.enumerated() where alive[position] {
      sets.join(Int(pair.listing), firstRequest + Int(pair.request))
    }
    for joint in market.jointLimits where joint.binds(most, alive) {
      var first: Int?
      for share in joint.shares where alive[Int(share.pair)] && share.weight > 0 {
        let listing = Int(market.pairs[Int(share.pair)].listing)
        if let first { sets.join(first, listing) } else { first = listing }
      }
    }
    var members: [Int: [Int32]] = [:]
    var order: [Int] = []
    for (position, pair) in market.pairs.enumerated() where alive[position] {
      let root = sets.root(of: Int(pair.listing))
      if members[root] == nil { order.append(root) }
      members[root, default: []].append(Int32(position))
    }
    return order.map { PairComponent(market, members[$0, default: []], most, alive) }
  }

  private init(_ market: PairMarket, _ members: [Int32], _ mostChips: [Int64], _ alive: [Bool]) {
    var (unit, value): (Int64, Int128) = (0, 0)
    for origin in members {
      unit = greatestCommonDivisor(unit, market.pairs[Int(origin)].step)
      value = Self.divisor(value, market.pairs[Int(origin)].surplus)
    }
    let (chipUnit, surplusUnit) = (max(1, unit), max(1, value))
    var (listings, requests, locals): ([Int32: Int32], [Int32: Int32], [Int32: Int32]) = ([:], [:], [:])
    var (listingMost, requestMost, requestLeast, requestStep): ([Int64], [Int64], [Int64], [Int64]) = ([], [], [], [])
    var (requestOrigins, pairs): ([Int32], [Pair]) = ([], [])
    for origin in members {
      let pair = market.pairs[Int(origin)]
      let listing = listings[pair.listing] ?? Int32(listingMost.count)
      if listings[pair.listing] == nil {
        listings[pair.listing] = listing
        listingMost.append(market.listingQuantity[Int(pair.listing)] / chipUnit)
      }
      let request = requests[pair.request] ?? Int32(requestMost.count)
      if requests[pair.request] == nil {
        requests[pair.request] = request
        requestOrigins.append(pair.request)
        let line = market.requests[Int(pair.request)]
        requestMost.append(line.quantity / chipUnit)
        requestLeast.append(max(1, line.least.roundedUp(to: chipUnit) / chipUnit))
        requestStep.append(0)
      }
      let step = pair.step / chipUnit
      requestStep[Int(request)] = greatestCommonDivisor(requestStep[Int(request)], step)
      locals[origin] = Int32(pairs.count)
      pairs.append(
        Pair(
          origin: origin, listing: listing, request: request, surplus: pair.surplus / surplusUnit,
          least: max(pair.least, pair.step).roundedUp(to: pair.step) / chipUnit,
          most: mostChips[Int(origin)] / chipUnit, step: step))
    }
    self.chipUnit = chipUnit
    self.surplusUnit = surplusUnit
    self.pairs = pairs
    // Boards: what a listing has beyond the greatest step that all its pairs share cannot be lent.
    var listingStep = [Int64](repeating: 0, count: listingMost.count)
    for pair in pairs {
      listingStep[Int(pair.listing)] = greatestCommonDivisor(listingStep[Int(pair.listing)], pair.step)
    }
    self.listingMost = zip(listingMost, listingStep).map { $0 / $1 * $1 }
    self.listingStep = listingStep
    self.requestMost = zip(requestMost, requestStep).map { $0 / $1 * $1 }
    self.requestLeast = zip(requestLeast, requestStep).map { $0.roundedUp(to: $1) }
    self.requestStep = requestStep
    links = Links(
      pairs, listingMost: self.listingMost, listingStep: listingStep, requestMost: self.requestMost,
      requestStep: requestStep)
    varieties = Self.varieties(market, pairs, requestOrigins)
    joints = market.jointLimits.filter { $0.binds(mostChips, alive) }.compactMap { joint in
      let shares = joint.shares.filter { $0.weight > 0 && locals[$0.pair] != nil }
      if shares.isEmpty { return nil }
      let divisor = shares.reduce(Int64(0)) { greatestCommonDivisor($0, $1.weight) }
      return Joint(
        pairs: shares.compactMap { locals[$0.pair] }, weights: shares.map { $0.weight / divisor },
        limit: joint.limit / Int128(divisor) / Int128(chipUnit))
    }
  }

  private static func varieties(_ market: PairMarket, _ pairs: [Pair], _ origins: [Int32]) -> [Variety] {
    var byRequest = [[Int32]](repeating: [], count: origins.count)
    for (position, pair) in pairs.enumerated() { byRequest[Int(pair.request)].append(Int32(position)) }
    var varieties: [Variety] = []
    for (request, origin) in origins.enumerated() {
      let line = market.requests[Int(origin)]
      func limit(_ most: Int, _ group: (PairMarket.Pair) -> Int32) {
        var (groups, positions): ([[Int32]], [Int32: Int]) = ([], [:])
        for position in byRequest[request] {
          let key = group(market.pairs[Int(pairs[Int(position)].origin)])
          if positions[key] == nil {
            positions[key] = groups.count
            groups.append([])
          }
          if let place = positions[key] { groups[place].append(position) }
        }
        if groups.count > most { varieties.append(Variety(request: Int32(request), most: most, groups: groups)) }
      }
      limit(Int(line.maxLenders)) { $0.lender }
      if line.sameModel { limit(1) { $0.model } }
      if line.sameSite { limit(1) { $0.site } }
    }
    return varieties
  }

  private static func divisor(_ left: Int128, _ right: Int128) -> Int128 {
    var (left, right) = (left, right)
    while right != 0 { (left, right) = (right, left % right) }
    return left
  }

  /// The objective of an allocation of this component in its own units, and its chips; nil when it breaks a constraint.
  func worth(of quantities: ArraySlice<Int64>) -> (objective: Int128, chips: Int64)? {
    var listed = listingMost
    var totals = [Int64](repeating: 0, count: requestMost.count)
    var (objective, chips): (Int128, Int64) = (0, 0)
    for (pair, quantity) in zip(pairs, quantities) where quantity != 0 {
      guard quantity >= pair.least, quantity <= pair.most, quantity % pair.step == 0,
        quantity <= listed[Int(pair.listing)]
      else { return nil }
      listed[Int(pair.listing)] -= quantity
      totals[Int(pair.request)] += quantity
      objective += pair.surplus * Int128(quantity)
      chips += quantity
    }
    for (request, total) in totals.enumerated() where total != 0 {
      guard total >= requestLeast[request], total <= requestMost[request] else { return nil }
    }
    for variety in varieties {
      let used = variety.groups.count { $0.contains { quantities[Int($0)] > 0 } }
      if used > variety.most { return nil }
    }
    for joint in joints where joint.use(of: quantities) > joint.limit { return nil }
    return (objective, chips)
  }
}

extension PairComponent.Joint {
  func use(of quantities: ArraySlice<Int64>) -> Int128 {
    zip(pairs, weights).reduce(0) { sum, share in
      let (pair, weight) = share
      return sum + Int128(quantities[Int(pair)]) * Int128(weight)
    }
  }
}

extension PairMarket.JointLimit {
  /// Whether the pairs alone could break it.
  func binds(_ most: [Int64], _ alive: [Bool]) -> Bool {
    var use: Int128 = 0
    for share in shares where alive[Int(share.pair)] {
      use += Int128(most[Int(share.pair)]) * Int128(share.weight)
      if use > limit { return true }
    }
    return false
  }
}

extension Int64 {
  /// The least multiple of `step` that is not below; saturates at the greatest multiple there is.
  func roundedUp(to step: Int64) -> Int64 {
    let rest = self % step
    if rest == 0 { return self }
    let raised = addingReportingOverflow(step - rest)
    return raised.overflow ? Int64.max / step * step : raised.partialValue
  }
}

/// Sets that are joined step by step.
private struct DisjointSets {
  private var parents: [Int]

  init(count: Int) { parents = Array(0..<count) }

  mutating func root(of element: Int) -> Int {
    var root = element
    while parents[root] != root {
      parents[root] = parents[parents[root]]
      root = parents[root]
    }
    return root
  }

  mutating func join(_ left: Int, _ right: Int) {
    let (left, right) = (root(of: left), root(of: right))
    parents[max(left, right)] = min(left, right)
  }
}
