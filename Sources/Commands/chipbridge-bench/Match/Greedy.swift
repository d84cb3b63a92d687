import Matching

/// What a simple matcher reaches: always the pair with the most surplus a chip that is still to be had, as many chips as
/// both have.
struct Greedy {
  private let market: FlowMarket
  /// Listings by class, cheapest first, and how far each class is sold.
  private var queues: [[Int32]]
  private var next: [Int]
  private var left: [Int64]
  private var wanted: [Int64]

  init(_ market: FlowMarket) {
    self.market = market
    var queues = [[Int32]](repeating: [], count: market.classCount)
    for position in market.listings.indices {
      queues[Int(market.listings[position].classIndex)].append(Int32(position))
    }
    for number in queues.indices {
      queues[number].sort { (market.listings[Int($0)].ask, $0) < (market.listings[Int($1)].ask, $1) }
    }
    self.queues = queues
    next = [Int](repeating: 0, count: market.classCount)
    left = market.listings.map(\.quantity)
    wanted = market.wanted
  }

  /// Asks only rise, so what was put aside with a stale surplus is put back with its true one when its turn comes.
  mutating func objective() -> Int128 {
    var heap = Heap()
    var owner = [Int32](repeating: 0, count: market.claims.count)
    for request in 0..<market.requestCount {
      for claim in market.firstClaim[request]..<market.firstClaim[request + 1] {
        owner[claim] = Int32(request)
        if let best = cheapest(claim), best.surplus >= 0 { heap.push(best.surplus, Int32(claim)) }
      }
    }
    var objective: Int128 = 0
    while let (stated, claim) = heap.pop() {
      let request = Int(owner[Int(claim)])
      guard wanted[request] > 0, let best = cheapest(Int(claim)), best.surplus >= 0 else { continue }
      if best.surplus == stated {
        let listing = Int(queues[best.number][next[best.number]])
        let quantity = min(wanted[request], left[listing])
        objective += Int128(best.surplus) * Int128(quantity)
        wanted[request] -= quantity
        left[listing] -= quantity
        if left[listing] == 0 { next[best.number] += 1 }
      }
      if wanted[request] > 0 { heap.push(best.surplus, claim) }
    }
    return objective
  }

  /// The cheapest class on a claim's list, and what a chip of it is worth now.
  private func cheapest(_ position: Int) -> (number: Int, surplus: Int64)? {
    let claim = market.claims[position]
    var found: (number: Int, surplus: Int64)?
    for member in market.members[market.firstMember[Int(claim.list)]..<market.firstMember[Int(claim.list) + 1]] {
      let number = Int(member)
      guard next[number] < queues[number].count else { continue }
      let surplus = claim.value - market.listings[Int(queues[number][next[number]])].ask
      if surplus > found?.surplus ?? Int64.min { found = (number, surplus) }
    }
    return found
  }

  /// The highest surplus first, then the earlier claim.
  private struct Heap {
    private var items: [(key: Int64, claim: Int32)] = []

    mutating func push(_ key: Int64, _ claim: Int32) {
      items.append((key, claim))
      var place = items.count - 1
      while place > 0, Self.precedes(items[place], items[(place - 1) / 2]) {
        items.swapAt(place, (place - 1) / 2)
        place = (place - 1) / 2
      }
    }

    mutating func pop() -> (key: Int64, claim: Int32)? {
      guard let last = items.popLast() else { return nil }
      guard let top = items.first else { return last }
      items[0] = last
      var place = 0
      while 2 * place + 1 < items.count {
        var child = 2 * place + 1
        if child + 1 < items.count, Self.precedes(items[child + 1], items[child]) { child += 1 }
        guard Self.precedes(items[child], items[place]) else { break }
        items.swapAt(place, child)
        place = child
      }
      return top
    }

    private static func precedes(_ left: (key: Int64, claim: Int32), _ right: (key: Int64, claim: Int32)) -> Bool {
      left.key != right.key ? left.key > right.key : left.claim < right.claim
    }
  }
}
