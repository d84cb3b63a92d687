/// Among the optima, the one that lends the most chips, and of orders that are alike the earlier first.
extension FlowAuction {
  /// Lends chips asked at the price to requests to which they are worth just that: no surplus, and both want it.
  mutating func lendAtPrice() {
    while true {
      findTies()
      findLackers()
      var isDone = true
      for index in prices.indices {
        while rung[index] < ladderStart[index + 1], asks[rung[index]] == prices[index] {
          let free = quantities[rung[index]] - soldOfRung[index]
          if free == 0 {
            rung[index] += 1
            continue
          }
          // Sold for the moment, so that there is something to bring.
          sell(index, free)
          let search = bring(to: index, acceptingLenders: false)
          if excess[index] < 0 { takeBack(index, -excess[index]) }
          if search == .brought {
            isDone = false
            continue
          }
          if search == .unclear { isDone = false }
          break
        }
      }
      // Each round but the last lends something or finds ties that were used up by what it lent.
      if isDone { return }
    }
  }

  /// Where requests hold chips worth just their price while earlier ones that see the same class alike lack them, the
  /// earlier have them.
  mutating func putEarlierFirst() {
    for index in prices.indices {
      let price = prices[index]
      var marginal: [Int32] = []
      for position in holdingsOfClass[index] where value(holdings[Int(position)].claim) == price {
        marginal.append(position)
      }
      if marginal.isEmpty { continue }
      marginal.sort { holdings[Int($0)].request > holdings[Int($1)].request }
      var lackers: [(request: Int32, claim: Int32)] = []
      for place in firstList[index]..<firstList[index + 1] {
        let list = Int(listsOfClass[place])
        for at in firstClaimOfList[list]..<firstClaimOfList[list + 1] {
          let claim = claimsOfList[at]
          let request = requestOfClaim[Int(claim)]
          if value(claim) == price, lacking[Int(request)] > 0 { lackers.append((request, claim)) }
        }
      }
      lackers.sort { ($0.request, $0.claim) < ($1.request, $1.claim) }
      var last = 0
      for lacker in lackers {
        while last < marginal.count, lacking[Int(lacker.request)] > 0 {
          let holding = holdings[Int(marginal[last])]
          if holding.request <= lacker.request { break }
          let moved = min(holding.quantity, lacking[Int(lacker.request)])
          release(marginal[last], moved)
          lacking[Int(holding.request)] += moved
          lacking[Int(lacker.request)] -= moved
          hold(lacker.request, lacker.claim, Int32(truncatingIfNeeded: index), moved)
          if moved == holding.quantity { last += 1 }
        }
      }
    }
  }
}
