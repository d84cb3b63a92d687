/// A side market of too many pairs to be searched whole.
extension MarketPairs {
  /// Requests and pairs of a part at most: what a search brings close to its optimum in a fraction of a second.
  package static let requestsOfPart = 150
  private static let pairsOfPart = 12_000
  private static let workOfPart = 3_000_000

  /// Chips by pair, an allocation that keeps every rule: the requests are searched a part at a time, in order of
  /// sequence. Each part has the chips that the relaxed optimum gives its requests, and what the parts before it left.
  ///
  /// - Parameter relaxed: the optimum without least quantities and limits on lenders; what it is worth bounds this.
  package func searchedInParts(
    guidedBy relaxed: [MarketAllocation], _ file: MarketFile, requestsOfPart: Int = requestsOfPart
  ) -> [Int64] {
    var guided: [Int32: [(listing: Int32, quantity: Int64)]] = [:]
    var free = file.listings.map(\.quantity)
    for allocation in relaxed {
      guided[allocation.request, default: []].append((allocation.listing, allocation.quantity))
      free[Int(allocation.listing)] -= allocation.quantity
    }
    var quantities = [Int64](repeating: 0, count: pairs.count)
    var begin = 0
    while begin < pairs.count {
      // The part's requests, with their chips set free for it.
      var (end, requests, candidates) = (begin, 0, [Int]())
      while end < pairs.count, requests < requestsOfPart, candidates.count < Self.pairsOfPart {
        let request = pairs[end].request
        for (listing, quantity) in guided[request] ?? [] { free[Int(listing)] += quantity }
        while end < pairs.count, pairs[end].request == request {
          candidates.append(end)
          end += 1
        }
        requests += 1
      }
      search(candidates.filter { free[Int(pairs[$0].listing)] > 0 }, file, &free, &quantities)
      begin = end
    }
    return quantities
  }

  private func search(_ candidates: [Int], _ file: MarketFile, _ free: inout [Int64], _ quantities: inout [Int64]) {
    var (listings, requests): ([Int32: Int32], [Int32: Int32]) = ([:], [:])
    var (listed, wanted): ([Int64], [PairMarket.Request]) = ([], [])
    let lines = candidates.map { position in
      let pair = pairs[position]
      let (listing, request) = (file.listings[Int(pair.listing)], file.requests[Int(pair.request)])
      if listings[pair.listing] == nil {
        listings[pair.listing] = Int32(truncatingIfNeeded: listed.count)
        listed.append(free[Int(pair.listing)])
      }
      if requests[pair.request] == nil {
        requests[pair.request] = Int32(truncatingIfNeeded: wanted.count)
        wanted.append(
          PairMarket.Request(
            quantity: request.quantity, least: request.minQuantity, maxLenders: request.maxLenders ?? .max))
      }
      return PairMarket.Pair(
        listing: listings[pair.listing] ?? 0, request: requests[pair.request] ?? 0, surplus: Int128(pair.surplus),
        least: listing.minQuantity, lender: listing.lender, model: listing.chip)
    }
    let clearing = clear(
      pairs: PairMarket(listingQuantity: listed, pairs: lines, requests: wanted), workLimit: Self.workOfPart)
    for (position, quantity) in zip(candidates, clearing.quantities) where quantity > 0 {
      quantities[position] = quantity
      free[Int(pairs[position].listing)] -= quantity
    }
  }
}
