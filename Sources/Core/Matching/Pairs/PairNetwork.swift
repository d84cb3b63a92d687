/// The flow relaxation of a pair market: chips go round from the ground through a listing and a request back to the
/// ground, each arc between a least and a most quantity, at the least cost.
///
/// Solved by successive shortest paths with prices, so that it can start from the flow and prices of any market with
/// the same costs: a few changed bounds cost a few paths.
struct PairNetwork<Cost: FixedWidthInteger & SignedInteger & Sendable>: Sendable {
  enum Outcome { case settled, infeasible, outOfRange }

  /// Node 0 is the ground, then the listings, the requests and their links.
  let nodeCount: Int
  /// Arcs: first the pairs, then ground to listing, then request to ground, then links.
  let tails: [Int32]
  let heads: [Int32]
  var costs: [Cost]
  var least: [Int64]
  var most: [Int64]
  var flow: [Int64]
  /// An arc's reduced cost is `cost + price(tail) - price(head)`: not negative where flow can grow, not positive where
  /// it can shrink.
  var prices: [Cost]
  /// Arcs looked at.
  private(set) var work = 0

  /// The arcs at node `n`, as arc x 2, plus 1 where it enters: `spokes[firstSpoke[n]..<firstSpoke[n + 1]]`.
  private let firstSpoke: [Int32]
  private let spokes: [Int32]
  /// Prices beyond this are not trusted; sums of a few of them cannot overflow.
  private let priceLimit: Cost
  private var imbalance: [Int64]
  private var distance: [Cost]
  private var via: [Int32]
  /// Equal to `epoch` where the distance is known, to `epoch + 1` where it is final.
  private var mark: [Int32]
  private var epoch: Int32 = 0
  private var heap: [(distance: Cost, node: Int32)] = []
  private var final: [Int32] = []

  init(nodeCount: Int, tails: [Int32], heads: [Int32], costs: [Cost], least: [Int64], most: [Int64]) {
    self.nodeCount = nodeCount
    self.tails = tails
    self.heads = heads
    self.costs = costs
    self.least = least
    self.most = most
    flow = least
    prices = [Cost](repeating: 0, count: nodeCount)
    var first = [Int32](repeating: 0, count: nodeCount + 1)
    for node in tails + heads { first[Int(node) + 1] += 1 }
    for node in 0..<nodeCount { first[node + 1] += first[node] }
    var next = first
    var spokes = [Int32](repeating: 0, count: tails.count * 2)
    for arc in tails.indices {
      for (node, entering) in [(Int(tails[arc]), Int32(0)), (Int(heads[arc]), Int32(1))] {
        spokes[Int(next[node])] = Int32(arc) << 1 | entering
        next[node] += 1
      }
    }
    firstSpoke = first
    self.spokes = spokes
    priceLimit = Cost.max >> 4
    imbalance = [Int64](repeating: 0, count: nodeCount)
    distance = [Cost](repeating: 0, count: nodeCount)
    via = [Int32](repeating: -1, count: nodeCount)
    mark = [Int32](repeating: 0, count: nodeCount)
    resetPrices()
  }

  func reducedCost(_ arc: Int) -> Cost { costs[arc] + prices[Int(tails[arc])] - prices[Int(heads[arc])] }

  /// Prices at which nothing between a listing and a request is worth moving: where a cold start begins.
  mutating func resetPrices() {
    for node in 0..<nodeCount { prices[node] = 0 }
    for arc in costs.indices where tails[arc] != 0 && heads[arc] != 0 {
      let head = Int(heads[arc])
      prices[head] = min(prices[head], costs[arc])
    }
  }

  /// Brings the flow to an optimum within the bounds.
  mutating func settle() -> Outcome {
    let outcome = settleOnce()
    guard outcome == .outOfRange else { return outcome }
    resetPrices()
    return settleOnce()
  }

  private mutating func settleOnce() -> Outcome {
    for node in 0..<nodeCount { imbalance[node] = 0 }
    work += tails.count
    for arc in tails.indices {
      if least[arc] > most[arc] { return .infeasible }
      let (tail, head) = (Int(tails[arc]), Int(heads[arc]))
      let reduced = costs[arc] + prices[tail] - prices[head]
      var amount = min(max(flow[arc], least[arc]), most[arc])
      if reduced > 0 { amount = least[arc] } else if reduced < 0 { amount = most[arc] }
      flow[arc] = amount
      imbalance[tail] -= amount
      imbalance[head] += amount
    }
    for node in 0..<nodeCount {
      while imbalance[node] > 0 {
        let target = findPath(from: node)
        if target < 0 { return .infeasible }
        if !reprice(reaching: distance[target]) { return .outOfRange }
        push(from: node, to: target)
      }
    }
    return groundPrices() ? .settled : .outOfRange
  }

  /// The nearest node short of chips; -1 when none can be reached.
  private mutating func findPath(from source: Int) -> Int {
    if epoch > Int32.max - 4 {
      for node in 0..<nodeCount { mark[node] = 0 }
      epoch = 0
    }
    epoch += 2
    final.removeAll(keepingCapacity: true)
    heap.removeAll(keepingCapacity: true)
    distance[source] = 0
    mark[source] = epoch
    via[source] = -1
    heap.append((0, Int32(source)))
    while let (length, node32) = popNearest() {
      let node = Int(node32)
      if mark[node] != epoch { continue }
      mark[node] = epoch + 1
      final.append(node32)
      if imbalance[node] < 0 { return node }
      let price = prices[node]
      let (start, end) = (Int(firstSpoke[node]), Int(firstSpoke[node + 1]))
      work += end - start
      for position in start..<end {
        let spoke = spokes[position]
        let arc = Int(spoke >> 1)
        let other: Int
        let reduced: Cost
        if spoke & 1 == 0 {
          guard flow[arc] < most[arc] else { continue }
          other = Int(heads[arc])
          guard mark[other] != epoch + 1 else { continue }
          reduced = costs[arc] + price - prices[other]
        } else {
          guard flow[arc] > least[arc] else { continue }
          other = Int(tails[arc])
          guard mark[other] != epoch + 1 else { continue }
          reduced = price - prices[other] - costs[arc]
        }
        let through = length + reduced
        if mark[other] == epoch && distance[other] <= through { continue }
        mark[other] = epoch
        distance[other] = through
        via[other] = spoke
        insert(through, Int32(other))
      }
    }
    return -1
  }

  /// Lowers the prices on the near side so that the path found costs nothing. False where a price runs out of range.
  private mutating func reprice(reaching length: Cost) -> Bool {
    if length == 0 { return true }
    for node in final {
      let price = prices[Int(node)] + distance[Int(node)] - length
      if price < -priceLimit { return false }
      prices[Int(node)] = price
    }
    return true
  }

  private mutating func push(from source: Int, to target: Int) {
    var amount = min(imbalance[source], -imbalance[target])
    var node = target
    while node != source {
      let arc = Int(via[node] >> 1)
      if via[node] & 1 == 0 {
        amount = min(amount, most[arc] - flow[arc])
        node = Int(tails[arc])
      } else {
        amount = min(amount, flow[arc] - least[arc])
        node = Int(heads[arc])
      }
    }
    node = target
    while node != source {
      let arc = Int(via[node] >> 1)
      if via[node] & 1 == 0 {
        flow[arc] += amount
        node = Int(tails[arc])
      } else {
        flow[arc] -= amount
        node = Int(heads[arc])
      }
    }
    imbalance[source] -= amount
    imbalance[target] += amount
  }

  /// Prices are relative to the ground; a node that nothing can pass through has none of its own.
  private mutating func groundPrices() -> Bool {
    let ground = prices[0]
    for node in 0..<nodeCount {
      let price = prices[node] - ground
      if price > priceLimit || price < -priceLimit { return false }
      prices[node] = price
    }
    return true
  }

  // MARK: Heap

  private mutating func insert(_ length: Cost, _ node: Int32) {
    heap.append((length, node))
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      if heap[parent].distance <= length { break }
      heap[child] = heap[parent]
      child = parent
    }
    heap[child] = (length, node)
  }

  private mutating func popNearest() -> (Cost, Int32)? {
    guard let top = heap.first, let last = heap.popLast() else { return nil }
    if heap.isEmpty { return top }
    var parent = 0
    while true {
      var child = parent * 2 + 1
      if child >= heap.count { break }
      if child + 1 < heap.count && heap[child + 1].distance < heap[child].distance { child += 1 }
      if heap[child].distance >= last.distance { break }
      heap[parent] = heap[child]
      parent = child
    }
    heap[parent] = last
    return top
  }
}

extension PairNetwork {
  /// The network of a component, without costs. Node 0 is the ground, then come listings, requests and links.
  init(_ component: PairComponent, least: [Int64], most: [Int64]) {
    let (listings, requests) = (Int32(component.listingMost.count), Int32(component.requestMost.count))
    let firstLink = 1 + listings + requests
    func listing(_ number: Int32, _ link: Int32) -> Int32 { link < 0 ? 1 + number : firstLink + link }
    func request(_ number: Int32, _ link: Int32) -> Int32 { link < 0 ? 1 + listings + number : firstLink + link }
    var (tails, heads): ([Int32], [Int32]) = ([], [])
    for (position, pair) in component.pairs.enumerated() {
      tails.append(listing(pair.listing, component.links.ofListing[position]))
      heads.append(request(pair.request, component.links.ofRequest[position]))
    }
    for number in 0..<listings {
      tails.append(0)
      heads.append(1 + number)
    }
    for number in 0..<requests {
      tails.append(1 + listings + number)
      heads.append(0)
    }
    for (position, link) in component.links.links.enumerated() {
      let own = firstLink + Int32(position)
      tails.append(link.isOfListing ? listing(link.order, link.parent) : own)
      heads.append(link.isOfListing ? own : request(link.order, link.parent))
    }
    self.init(
      nodeCount: Int(firstLink) + component.links.links.count, tails: tails, heads: heads,
      costs: [Cost](repeating: 0, count: tails.count), least: least, most: most)
  }
}
