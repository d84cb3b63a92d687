/// More is held of a class than is sold.
extension FlowAuction {
  /// Takes excess of one class along ties to where it is wanted: a class that lacks holders, a listing asked at the
  /// price, or out of the market where chips are worth just their price. Where there is no such place, raises the price
  /// of all classes reached until enough of what is held there leaves.
  mutating func settle(_ source: Int) {
    stamp += 1
    beginSearch(at: source)
    if sellAtPrice(Int32(truncatingIfNeeded: source), from: source) { return }
    var head = 0
    while head < reached.count {
      let node = reached[head]
      head += 1
      let index = Int(node)
      let price = prices[index]
      for place in holdingsOfClass[index].indices {
        let position = holdingsOfClass[index][place]
        let holding = holdings[Int(position)]
        let gain = value(holding.claim) - price
        if gain == 0 {
          leave(position, from: source)
          return
        }
        let request = Int(holding.request)
        for claim in market.firstClaim[request]..<market.firstClaim[request + 1] {
          let list = Int(market.claims[claim].list)
          let level = market.claims[claim].value - gain
          if cheapestPrice(of: list) != level || listSeen[list] == stamp { continue }
          listSeen[list] = stamp
          for place in market.firstMember[list]..<market.firstMember[list + 1] {
            let member = market.members[place]
            if isReached[Int(member)] || prices[Int(member)] != level { continue }
            isReached[Int(member)] = true
            reached.append(member)
            cameFrom[Int(member)] = node
            cameBy[Int(member)] = position
            cameUnder[Int(member)] = Int32(truncatingIfNeeded: claim)
            if excess[Int(member)] < 0 {
              _ = carry(to: member, from: source, most: -excess[Int(member)])
              return
            }
            if sellAtPrice(member, from: source) { return }
          }
        }
      }
    }
    raise()
  }

  /// Sells more of a class where its next listing is asked at the price; false where it is not.
  private mutating func sellAtPrice(_ node: Int32, from source: Int) -> Bool {
    let index = Int(node)
    let place = rung[index]
    guard place < ladderStart[index + 1], asks[place] == prices[index] else { return false }
    let free = quantities[place] - soldOfRung[index]
    if free == 0 {
      rung[index] += 1
      return sellAtPrice(node, from: source)
    }
    sell(index, carry(to: node, from: source, most: free))
    return true
  }

  /// Lets a holder to whom its chips are worth just their price go without them.
  private mutating func leave(_ position: Int32, from source: Int) {
    let holding = holdings[Int(position)]
    let moved = carry(to: holding.classIndex, from: source, most: holding.quantity)
    // The way may lead by this very holding, which has then moved on with its chips.
    let now = holdings[Int(position)]
    guard now.request == holding.request, now.classIndex == holding.classIndex else { return }
    let left = min(moved, now.quantity)
    if left == 0 { return }
    release(position, left)
    lacking[Int(holding.request)] += left
  }

  /// Moves holders along the way found, from the source to `end`; returns how many chips.
  private mutating func carry(to end: Int32, from source: Int, most: Int64) -> Int64 {
    moveHolders(along: end, most: min(excess[source], most), towardsEnd: true)
  }

  /// Raises the classes reached together until what is held there is sold.
  private mutating func raise() {
    shifts.removeAll(keepingCapacity: true)
    var total: Int64 = 0
    for node in reached { total += excess[Int(node)] }
    // At this rise the listings of one class alone would do: nothing beyond it counts.
    var most = Self.unreachable
    for node in reached {
      let index = Int(node)
      var (place, sum) = (rung[index], Int64(0))
      while place < ladderStart[index + 1], sum < total {
        let quantity = place == rung[index] ? quantities[place] - soldOfRung[index] : quantities[place]
        shifts.append(
          Shift(distance: asks[place] - prices[index], quantity: quantity, holding: -1 - node, claim: -1))
        sum += quantity
        place += 1
      }
      if sum >= total, let last = shifts.last { most = min(most, last.distance) }
    }
    for node in reached {
      let price = prices[Int(node)]
      for position in holdingsOfClass[Int(node)] {
        let holding = holdings[Int(position)]
        let request = Int(holding.request)
        var gain: Int64 = 0
        var under: Int32 = -1
        for claim in market.firstClaim[request]..<market.firstClaim[request + 1] {
          let list = Int(market.claims[claim].list)
          if sideSeen[list] != stamp { look(at: list, inside: false) }
          let here = market.claims[claim].value - sidePrice[list]
          if here > gain {
            gain = here
            under = Int32(truncatingIfNeeded: claim)
          }
        }
        let distance = value(holding.claim) - price - gain
        if distance <= most {
          shifts.append(Shift(distance: distance, quantity: holding.quantity, holding: position, claim: under))
        }
      }
    }
    heapifyShifts()
    var rise: Int64 = 0
    while total > 0, let shift = shifts.first {
      rise = shift.distance
      let moved = min(total, shift.quantity)
      total -= moved
      if shift.holding < 0 {
        sell(Int(-1 - shift.holding), moved)
      } else {
        let request = holdings[Int(shift.holding)].request
        release(shift.holding, moved)
        if shift.claim < 0 {
          lacking[Int(request)] += moved
        } else {
          hold(request, shift.claim, leastHeld(under: shift.claim, inside: false), moved)
        }
      }
      if moved == shift.quantity { removeFirstShift() }
    }
    movePrices(by: rise)
  }
}

/// What raising and lowering share.
extension FlowAuction {
  /// Moves holders along the way by which the search reached `end`, as many chips as all of them have and `most` allows;
  /// returns how many.
  ///
  /// - Parameter towardsEnd: each moves to the class that was reached through it; otherwise, where the search went
  ///   against the way of the chips, to the class it was reached from.
  mutating func moveHolders(along end: Int32, most: Int64, towardsEnd: Bool) -> Int64 {
    var moved = most
    var node = end
    while cameFrom[Int(node)] >= 0 {
      moved = min(moved, holdings[Int(cameBy[Int(node)])].quantity)
      node = cameFrom[Int(node)]
    }
    node = end
    while cameFrom[Int(node)] >= 0 {
      let (position, before) = (cameBy[Int(node)], cameFrom[Int(node)])
      let request = holdings[Int(position)].request
      release(position, moved)
      hold(request, cameUnder[Int(node)], towardsEnd ? node : before, moved)
      node = before
    }
    return moved
  }

  /// Notes the cheapest class of a list among those reached, or among the others.
  mutating func look(at list: Int, inside: Bool) {
    sideSeen[list] = stamp
    var best: Int32 = -1
    var price = Self.unreachable
    for place in market.firstMember[list]..<market.firstMember[list + 1] {
      let member = market.members[place]
      if isReached[Int(member)] == inside, prices[Int(member)] < price {
        price = prices[Int(member)]
        best = member
      }
    }
    sidePrice[list] = price
    sideClass[list] = best
  }

  /// Of the classes that `look` found equally cheap, the one with the least excess.
  func leastHeld(under claim: Int32, inside: Bool) -> Int32 {
    let list = Int(market.claims[Int(claim)].list)
    var best = sideClass[list]
    for place in market.firstMember[list]..<market.firstMember[list + 1] {
      let member = market.members[place]
      if isReached[Int(member)] == inside, prices[Int(member)] == sidePrice[list],
        excess[Int(member)] < excess[Int(best)]
      {
        best = member
      }
    }
    return best
  }

  mutating func heapifyShifts() {
    var position = shifts.count / 2
    while position > 0 {
      position -= 1
      siftShift(position)
    }
  }

  mutating func removeFirstShift() {
    guard let last = shifts.popLast(), !shifts.isEmpty else { return }
    shifts[0] = last
    siftShift(0)
  }

  private mutating func siftShift(_ start: Int) {
    let count = shifts.count
    let shift = shifts[start]
    var position = start
    while true {
      var child = 2 * position + 1
      if child >= count { break }
      if child + 1 < count, shifts[child + 1].distance < shifts[child].distance { child += 1 }
      if shifts[child].distance >= shift.distance { break }
      shifts[position] = shifts[child]
      position = child
    }
    shifts[position] = shift
  }
}
