/// The pairs of a market in which least quantities and limits on lenders count: what the combinatorial solver sees.
package struct MarketPairs: Sendable {
  /// A listing and a request that fit each other. No two have the same listing and request.
  package struct Pair: Sendable, Hashable {
    /// Positions in the file.
    package let listing: Int32
    package let request: Int32
    /// Value less ask of one chip, minor units x basis points, at least 0.
    package let surplus: Int64
    package let askRateBps: Int32
    package let maxRateBps: Int32
  }

  /// By request in order of sequence, then chip as stated, then class, then ask, then sequence of the listing.
  package let pairs: [Pair]

  /// - Returns: nil when there are more than `limit`.
  package init?(_ file: MarketFile, _ flow: MarketFlow, limit: Int) {
    let market = flow.market
    var byClass = [[Int32]](repeating: [], count: market.classCount)
    for position in market.listings.indices {
      byClass[Int(market.listings[position].classIndex)].append(Int32(position))
    }
    for number in byClass.indices {
      byClass[number].sort { (market.listings[Int($0)].ask, $0) < (market.listings[Int($1)].ask, $1) }
    }
    var pairs: [Pair] = []
    for request in 0..<market.requestCount {
      for claim in market.claims[market.firstClaim[request]..<market.firstClaim[request + 1]] {
        let list = Int(claim.list)
        for number in market.members[market.firstMember[list]..<market.firstMember[list + 1]] {
          for position in byClass[Int(number)] {
            let ask = market.listings[Int(position)].ask
            guard ask <= claim.value else { break }
            guard pairs.count < limit else { return nil }
            let unitValue = file.chips[Int(flow.classes[Int(number)].chip)].unitValue
            pairs.append(
              Pair(
                listing: flow.listings[Int(position)], request: flow.requests[request], surplus: claim.value - ask,
                askRateBps: Int32(ask / unitValue), maxRateBps: Int32(claim.value / unitValue)))
          }
        }
      }
    }
    self.pairs = pairs
  }

  /// The same pairs as the combinatorial solver takes them: listings and requests by their positions in the file.
  package func market(of file: MarketFile) -> PairMarket {
    PairMarket(
      listingQuantity: file.listings.map(\.quantity),
      pairs: pairs.map { pair in
        let listing = file.listings[Int(pair.listing)]
        return PairMarket.Pair(
          listing: pair.listing, request: pair.request, surplus: Int128(pair.surplus), least: listing.minQuantity,
          lender: listing.lender, model: listing.chip)
      },
      requests: file.requests.map {
        PairMarket.Request(quantity: $0.quantity, least: $0.minQuantity, maxLenders: $0.maxLenders ?? .max)
      })
  }

  /// The pairs that got chips. Each has a rate of its own, the midpoint of ask and limit, half down: with indivisible
  /// quantities no price need exist at which all of a class would trade as they do.
  /// - Parameter quantities: by pair.
  package func allocations(of quantities: [Int64]) -> [MarketAllocation] {
    zip(pairs, quantities).compactMap { pair, quantity in
      guard quantity > 0 else { return nil }
      let rate = (Int64(pair.askRateBps) + Int64(pair.maxRateBps)) / 2
      return MarketAllocation(listing: pair.listing, request: pair.request, quantity: quantity, rateBps: rate)
    }
  }

  /// The first rule of the file that these quantities break, or nil. Shares no code with any solver.
  /// - Parameter quantities: by pair.
  package func failure(of quantities: [Int64], in file: MarketFile) -> String? {
    guard quantities.count == pairs.count else { return "\(quantities.count) quantities for \(pairs.count) pairs" }
    var lent = [Int64](repeating: 0, count: file.listings.count)
    var filled = [Int64](repeating: 0, count: file.requests.count)
    var lenders = [Set<Int32>](repeating: [], count: file.requests.count)
    for (pair, quantity) in zip(pairs, quantities) where quantity != 0 {
      let (listing, request) = (file.listings[Int(pair.listing)], file.requests[Int(pair.request)])
      let place = "listing \(file.listingIDs[pair.listing]), request \(file.requestIDs[pair.request])"
      guard quantity >= listing.minQuantity else { return "\(place): \(quantity) is less than the listing lends" }
      guard quantity <= listing.quantity - lent[Int(pair.listing)] else { return "\(place): the listing has no more" }
      guard quantity <= request.quantity - filled[Int(pair.request)] else { return "\(place): wants no more" }
      lent[Int(pair.listing)] += quantity
      filled[Int(pair.request)] += quantity
      lenders[Int(pair.request)].insert(listing.lender)
    }
    for (position, request) in file.requests.enumerated() where filled[position] > 0 {
      let place = "request \(file.requestIDs[Int32(position)])"
      if filled[position] < request.minQuantity { return "\(place): gets less than is worth having" }
      if let most = request.maxLenders, lenders[position].count > most { return "\(place): has too many lenders" }
    }
    return nil
  }

  /// Sum of surplus over the chips matched.
  package func objective(of quantities: [Int64]) -> Int128 {
    // Within 128 bits by the bounds of the file.
    zip(pairs, quantities).reduce(0) { sum, entry in
      let (pair, quantity) = entry
      return sum + Int128(pair.surplus) * Int128(quantity)
    }
  }
}
