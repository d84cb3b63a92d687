/// More is sold of a class than is held: the mirror of excess, done for all classes at once, since who would come to a
/// class shows only from where it is now.
extension FlowAuction {
  /// Brings chips that nobody holds, along ties, to somebody who would as soon have them: the holders of a class with
  /// excess, a request that lacks chips, or the lender. Where there is nobody, lowers the price of all classes tied.
  ///
  /// - Parameter onFreshTiesOnly: lowers nothing once chips have moved since the ties were found. Slower, and what
  ///   guarantees the end; without it a price may stop short of, never beyond, where all ties would take it.
  mutating func relieve(onFreshTiesOnly: Bool) {
    findTies()
    findLackers()
    var isFresh = true
    for sink in prices.indices {
      while excess[sink] < 0 {
        let search = bring(to: sink, acceptingLenders: true)
        if search == .brought {
          isFresh = false
          continue
        }
        if search == .nobody, isFresh || !onFreshTiesOnly {
          lower()
          isFresh = false
        }
        break
      }
    }
  }

  enum Search {
    case brought
    /// All classes tied to the sink are reached, and there is nobody.
    case nobody
    /// As `nobody`, but a tie on the way was used up, which another holder may still offer.
    case unclear
  }

  mutating func findTies() {
    for index in ties.indices { ties[index].removeAll(keepingCapacity: true) }
    tiesSeen.removeAll()
    // In the order of requests, as their claims lie in memory; one holder for each two classes is enough.
    for position in holdings.indices where holdings[position].quantity > 0 {
      let holding = holdings[position]
      let index = Int(holding.classIndex)
      let request = Int(holding.request)
      let gain = value(holding.claim) - prices[index]
      for claim in market.firstClaim[request]..<market.firstClaim[request + 1] {
        let list = Int(market.claims[claim].list)
        let level = market.claims[claim].value - gain
        if cheapestPrice(of: list) != level { continue }
        for place in market.firstMember[list]..<market.firstMember[list + 1] {
          let member = Int(market.members[place])
          if prices[member] != level || !tiesSeen.insert(index, member) || member == index { continue }
          ties[member].append(
            Tie(
              from: holding.classIndex, holding: Int32(truncatingIfNeeded: position), request: holding.request,
              claim: Int32(truncatingIfNeeded: claim)))
        }
      }
    }
  }

  /// For each list the first of the claims of greatest value of requests that lack chips.
  mutating func findLackers() {
    for list in lackers.indices {
      lackers[list] = -1
      var most = Int64.min
      for place in firstClaimOfList[list]..<firstClaimOfList[list + 1] {
        let claim = claimsOfList[place]
        if value(claim) > most, lacking[Int(requestOfClaim[Int(claim)])] > 0 {
          most = value(claim)
          lackers[list] = place
        }
      }
      lackerValues[list] = most
    }
    for index in prices.indices {
      lackerValuesOfClass[index] = .min
      for place in firstList[index]..<firstList[index + 1] {
        lackerValuesOfClass[index] = max(lackerValuesOfClass[index], lackerValues[Int(listsOfClass[place])])
      }
    }
  }

  /// A claim of a list that is worth just the price, of a request that still lacks chips; -1 for none.
  private mutating func lacker(of list: Int, at price: Int64) -> Int32 {
    guard lackerValues[list] == price, lackers[list] >= 0 else { return -1 }
    while lackers[list] < firstClaimOfList[list + 1] {
      let claim = claimsOfList[lackers[list]]
      if value(claim) == price, lacking[Int(requestOfClaim[Int(claim)])] > 0 { return claim }
      lackers[list] += 1
    }
    lackers[list] = -1
    return -1
  }

  /// Brings what a class lacks in holders once, as much as one way carries.
  mutating func bring(to sink: Int, acceptingLenders: Bool) -> Search {
    beginSearch(at: sink)
    var isUnclear = false
    var head = 0
    while head < reached.count {
      let node = reached[head]
      head += 1
      let index = Int(node)
      let price = prices[index]
      if excess[index] > 0 {
        _ = move(from: node, to: sink, most: excess[index])
        return .brought
      }
      if acceptingLenders, let (place, quantity) = lastSold(index), asks[place] == price {
        takeBack(index, move(from: node, to: sink, most: quantity))
        return .brought
      }
      // Most classes are worth more than anybody who lacks chips would pay: one look, not one at each list.
      let lists = lackerValuesOfClass[index] < price ? 0..<0 : firstList[index]..<firstList[index + 1]
      for place in lists {
        let claim = lacker(of: Int(listsOfClass[place]), at: price)
        if claim < 0 { continue }
        let request = requestOfClaim[Int(claim)]
        let moved = move(from: node, to: sink, most: lacking[Int(request)])
        lacking[Int(request)] -= moved
        hold(request, claim, node, moved)
        return .brought
      }
      for tie in ties[index] where !isReached[Int(tie.from)] {
        let holding = holdings[Int(tie.holding)]
        guard holding.request == tie.request, holding.classIndex == tie.from, holding.quantity > 0 else {
          isUnclear = true
          continue
        }
        // Prices may have moved since the ties were found.
        if value(tie.claim) - price != value(holding.claim) - prices[Int(tie.from)] { continue }
        isReached[Int(tie.from)] = true
        reached.append(tie.from)
        cameFrom[Int(tie.from)] = node
        cameBy[Int(tie.from)] = tie.holding
        cameUnder[Int(tie.from)] = tie.claim
      }
    }
    return isUnclear ? .unclear : .nobody
  }

  /// Moves holders along the way found, each to the class it was reached from; returns how many chips.
  private mutating func move(from start: Int32, to sink: Int, most: Int64) -> Int64 {
    moveHolders(along: start, most: min(-excess[sink], most), towardsEnd: false)
  }

  /// Lowers the classes reached together until what is sold there is held.
  private mutating func lower() {
    stamp += 1
    shifts.removeAll(keepingCapacity: true)
    var total: Int64 = 0
    for node in reached { total -= excess[Int(node)] }
    if total <= 0 { return }
    let most = gatherLenders(total)
    for node in reached {
      for place in firstList[Int(node)]..<firstList[Int(node) + 1] {
        let list = Int(listsOfClass[place])
        if sideSeen[list] == stamp { continue }
        look(at: list, inside: true)
        gatherComers(list, most)
      }
    }
    heapifyShifts()
    var fall: Int64 = 0
    while total > 0, let shift = shifts.first {
      // A request that sees the classes by several claims stands here with the same chips more than once.
      let there = available(shift)
      let moved = min(total, there)
      if moved > 0 {
        fall = shift.distance
        total -= moved
        if shift.holding < 0 {
          takeBack(Int(-1 - shift.holding), moved)
        } else {
          let request = requestOfClaim[Int(shift.claim)]
          if shift.holding == Shift.lack {
            lacking[Int(request)] -= moved
          } else {
            release(shift.holding, moved)
          }
          hold(request, shift.claim, leastHeld(under: shift.claim, inside: true), moved)
        }
      }
      if moved == there { removeFirstShift() }
    }
    movePrices(by: -fall)
  }

  /// Listings that would rather not lend at a lower price; returns the fall at which those of one class alone would do.
  private mutating func gatherLenders(_ total: Int64) -> Int64 {
    var most = Self.unreachable
    for node in reached {
      let index = Int(node)
      let price = prices[index]
      var (place, sum) = (rung[index], soldOfRung[index])
      if sum > 0 {
        shifts.append(Shift(distance: price - asks[place], quantity: sum, holding: -1 - node, claim: -1))
      }
      while place > ladderStart[index], sum < total {
        place -= 1
        shifts.append(
          Shift(distance: price - asks[place], quantity: quantities[place], holding: -1 - node, claim: -1))
        sum += quantities[place]
      }
      if sum >= total, let last = shifts.last { most = min(most, last.distance) }
    }
    return most
  }

  /// Requests that would take chips of a class reached at a price lower by no more than `most`.
  private mutating func gatherComers(_ list: Int, _ most: Int64) {
    for place in firstClaimOfList[list]..<firstClaimOfList[list + 1] {
      let claim = claimsOfList[place]
      let worth = value(claim) - sidePrice[list]
      // Nobody has less than nothing now.
      if -worth > most { continue }
      let request = Int(requestOfClaim[Int(claim)])
      if lacking[request] > 0 {
        shifts.append(Shift(distance: -worth, quantity: lacking[request], holding: Shift.lack, claim: claim))
      }
      var next = firstHolding[request]
      while next >= 0 {
        let holding = holdings[Int(next)]
        let distance = value(holding.claim) - prices[Int(holding.classIndex)] - worth
        if distance <= most, !isReached[Int(holding.classIndex)] {
          shifts.append(Shift(distance: distance, quantity: holding.quantity, holding: next, claim: claim))
        }
        next = holding.next
      }
    }
  }

  /// What is still there of what a shift would move.
  private func available(_ shift: Shift) -> Int64 {
    if shift.holding < 0 { return shift.quantity }
    let request = requestOfClaim[Int(shift.claim)]
    if shift.holding == Shift.lack { return min(shift.quantity, lacking[Int(request)]) }
    let holding = holdings[Int(shift.holding)]
    guard holding.request == request, !isReached[Int(holding.classIndex)] else { return 0 }
    return min(shift.quantity, holding.quantity)
  }
}
