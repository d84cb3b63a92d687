/// Clears a market without combinatorial constraints at the proven optimum.
///
/// Deterministic: the same market gives the same clearing on every machine. Of several optima it takes one that lends
/// the most chips, and prefers earlier orders to later ones that are alike.
package func clear(flow market: FlowMarket) -> FlowClearing {
  var auction = settled(market)
  auction.lendAtPrice()
  auction.putEarlierFirst()
  let fills = auction.fills
  let sold = auction.sold
  let duals = FlowDuals(market, fills: fills, sold: sold, lacking: auction.lacking)
  precondition(duals.isConsistent, "a settled auction is an optimum")
  var objective: Int128 = 0
  for fill in fills { objective += Int128(market.claims[Int(fill.claim)].value) * Int128(fill.quantity) }
  for (listing, sold) in zip(market.listings, sold) where sold > 0 { objective -= Int128(listing.ask) * Int128(sold) }
  return FlowClearing(sold: sold, fills: fills, lowPrices: duals.low, highPrices: duals.high, objective: objective)
}

/// Orders up to which a market is cleared from nothing; a larger one begins at the prices of a sample of it.
private let ordersWithoutSample = 3_000
private let sampleStride = 4

private func settled(_ market: FlowMarket) -> FlowAuction {
  var auction = FlowAuction(market)
  if market.requestCount + market.listings.count <= ordersWithoutSample {
    auction.run(from: nil)
    return auction
  }
  let sample = market.sample(every: sampleStride)
  // Somewhat below: to raise prices costs less than to lower them. Prices of a sample err by one over its root.
  var root: Int64 = 1
  while root * root < Int64(sample.requestCount) { root += 1 }
  auction.run(from: settled(sample).prices.map { $0 - $0 / (2 * root) })
  return auction
}

extension FlowMarket {
  /// Every so many of the orders, in their order of arrival.
  fileprivate func sample(every stride: Int) -> FlowMarket {
    var claims: [Claim] = []
    var firstClaim = [0]
    var wanted: [Int64] = []
    for request in Swift.stride(from: 0, to: requestCount, by: stride) {
      claims += self.claims[self.firstClaim[request]..<self.firstClaim[request + 1]]
      firstClaim.append(claims.count)
      wanted.append(self.wanted[request])
    }
    return FlowMarket(
      classCount: classCount, listings: Swift.stride(from: 0, to: listings.count, by: stride).map { listings[$0] },
      claims: claims, firstClaim: firstClaim, wanted: wanted, members: members, firstMember: firstMember)
  }
}
