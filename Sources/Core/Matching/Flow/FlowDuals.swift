/// The prices at which an optimal clearing is one: the least and the greatest of each class.
///
/// They are the two extreme solutions of a system of differences: who holds chips of a class must not gain by changing
/// to another, by giving them back, or by taking more; a lender that sold must get its ask, one that did not must not
/// miss it. Both are shortest paths over classes; a system without solution is a clearing that is no optimum.
struct FlowDuals {
  private(set) var low: [Int64]
  private(set) var high: [Int64]
  private(set) var isConsistent = true

  /// The least that a holder of chips of `from` loses, beside the prices, by changing to a class of `list`.
  private struct Change {
    let from: Int32
    let list: Int32
    var loss: Int64
  }

  /// - Parameter lacking: chips that each request still wants.
  init(_ market: FlowMarket, fills: [FlowClearing.Fill], sold: [Int64], lacking: [Int64]) {
    var ceiling: Int64 = 0
    for claim in market.claims { ceiling = max(ceiling, claim.value) }
    for listing in market.listings { ceiling = max(ceiling, listing.ask) }
    low = [Int64](repeating: 0, count: market.classCount)
    high = [Int64](repeating: ceiling, count: market.classCount)
    for (listing, sold) in zip(market.listings, sold) {
      let index = Int(listing.classIndex)
      if sold > 0 { low[index] = max(low[index], listing.ask) }
      if sold < listing.quantity { high[index] = min(high[index], listing.ask) }
    }
    // What a list is worth to somebody who lacks chips, or holds nothing dearer, is the least price of its classes.
    var floorOfList = [Int64](repeating: 0, count: market.listCount)
    for request in 0..<market.requestCount where lacking[request] > 0 {
      for claim in market.claims[market.firstClaim[request]..<market.firstClaim[request + 1]] {
        floorOfList[Int(claim.list)] = max(floorOfList[Int(claim.list)], claim.value)
      }
    }
    let changes = Self.changes(market, fills) { high[$0] = min(high[$0], $1) }
    lowerHigh(market, changes)
    raiseLow(market, changes, floorOfList)
  }

  private static func changes(
    _ market: FlowMarket, _ fills: [FlowClearing.Fill], limit: (Int, Int64) -> Void
  ) -> [Change] {
    let order = fills.indices.sorted { (fills[$0].classIndex, $0) < (fills[$1].classIndex, $1) }
    var changes: [Change] = []
    var placeOfList = [Int32](repeating: -1, count: market.listCount)
    var begin = 0
    var current: Int32 = -1
    for position in order {
      let fill = fills[position]
      if fill.classIndex != current {
        for change in changes[begin...] { placeOfList[Int(change.list)] = -1 }
        begin = changes.count
        current = fill.classIndex
      }
      let value = market.claims[Int(fill.claim)].value
      limit(Int(fill.classIndex), value)
      let request = Int(fill.request)
      for claim in market.claims[market.firstClaim[request]..<market.firstClaim[request + 1]] {
        let list = Int(claim.list)
        if placeOfList[list] < 0 {
          placeOfList[list] = Int32(truncatingIfNeeded: changes.count)
          changes.append(Change(from: fill.classIndex, list: claim.list, loss: value - claim.value))
        } else {
          let place = Int(placeOfList[list])
          changes[place].loss = min(changes[place].loss, value - claim.value)
        }
      }
    }
    return changes
  }

  /// Greatest solution: no price may be above what its holders would find elsewhere.
  private mutating func lowerHigh(_ market: FlowMarket, _ changes: [Change]) {
    var cheapest = [Int64](repeating: 0, count: market.listCount)
    for _ in 0...market.classCount {
      for list in 0..<market.listCount {
        var least = Int64.max
        for member in market.members[market.firstMember[list]..<market.firstMember[list + 1]] {
          least = min(least, high[Int(member)])
        }
        cheapest[list] = least
      }
      var isSettled = true
      for change in changes where cheapest[Int(change.list)] != Int64.max {
        let limit = cheapest[Int(change.list)] + change.loss
        if limit < high[Int(change.from)] {
          high[Int(change.from)] = limit
          isSettled = false
        }
      }
      if isSettled { return }
    }
    isConsistent = false
  }

  /// Least solution: no price may be below what somebody would pay for it.
  private mutating func raiseLow(_ market: FlowMarket, _ changes: [Change], _ floorOfList: [Int64]) {
    var worth = floorOfList
    for _ in 0...market.classCount {
      for list in 0..<market.listCount {
        for member in market.members[market.firstMember[list]..<market.firstMember[list + 1]] {
          low[Int(member)] = max(low[Int(member)], worth[list])
        }
      }
      var isSettled = true
      for change in changes {
        let value = low[Int(change.from)] - change.loss
        if value > worth[Int(change.list)] {
          worth[Int(change.list)] = value
          isSettled = false
        }
      }
      if isSettled {
        for index in low.indices where low[index] > high[index] { isConsistent = false }
        return
      }
    }
    isConsistent = false
  }
}
