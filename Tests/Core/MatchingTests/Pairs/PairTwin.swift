import Matching

/// The laws of a pair market, written without the solver: what is broken, in words; nil when nothing is.
func breach(of market: PairMarket, by quantities: [Int64]) -> String? {
  guard quantities.count == market.pairs.count else { return "not one quantity a pair" }
  for (position, quantity) in quantities.enumerated() where quantity != 0 {
    let pair = market.pairs[position]
    if quantity < pair.least { return "pair \(position): \(quantity) is below its least" }
    if quantity % pair.step != 0 { return "pair \(position): \(quantity) is not in its boards" }
  }
  for listing in market.listingQuantity.indices {
    let sum = zip(market.pairs, quantities).filter { $0.0.listing == listing }.reduce(Int64(0)) { $0 + $1.1 }
    if sum > market.listingQuantity[listing] { return "listing \(listing) lends \(sum)" }
  }
  for (position, request) in market.requests.enumerated() {
    let taken = zip(market.pairs, quantities).filter { $0.0.request == position && $0.1 > 0 }
    let sum = taken.reduce(Int64(0)) { $0 + $1.1 }
    if sum > request.quantity { return "request \(position) takes \(sum)" }
    if sum > 0 && sum < request.least { return "request \(position) takes only \(sum)" }
    if Set(taken.map(\.0.lender)).count > Int(request.maxLenders) { return "request \(position) has too many lenders" }
    if request.sameModel && Set(taken.map(\.0.model)).count > 1 { return "request \(position) mixes models" }
    if request.sameSite && Set(taken.map(\.0.site)).count > 1 { return "request \(position) mixes sites" }
  }
  for (position, joint) in market.jointLimits.enumerated() {
    let use = joint.shares.reduce(Int128(0)) { $0 + Int128($1.weight) * Int128(quantities[Int($1.pair)]) }
    if use > joint.limit { return "joint limit \(position) is exceeded" }
  }
  return nil
}

func worth(of quantities: [Int64], in market: PairMarket) -> Int128 {
  zip(market.pairs, quantities).reduce(0) { $0 + $1.0.surplus * Int128($1.1) }
}

/// The optimum by trying every allocation.
struct PairTwin {
  let market: PairMarket
  private var quantities: [Int64]
  private var listed: [Int64]
  private var wanted: [Int64]
  private(set) var optimum: Int128 = 0

  init(_ market: PairMarket) {
    self.market = market
    quantities = market.pairs.map { _ in 0 }
    listed = market.listingQuantity
    wanted = market.requests.map(\.quantity)
    search(0, 0)
  }

  private mutating func search(_ position: Int, _ value: Int128) {
    if position == quantities.count {
      // Only what would be better needs to be looked at closely.
      if value > optimum && breach(of: market, by: quantities) == nil { optimum = value }
      return
    }
    let pair = market.pairs[position]
    let (listing, request) = (Int(pair.listing), Int(pair.request))
    search(position + 1, value)
    let most = min(listed[listing], wanted[request])
    var quantity = pair.step
    while quantity <= most {
      if quantity >= pair.least {
        quantities[position] = quantity
        listed[listing] -= quantity
        wanted[request] -= quantity
        search(position + 1, value + pair.surplus * Int128(quantity))
        listed[listing] += quantity
        wanted[request] += quantity
        quantities[position] = 0
      }
      quantity += pair.step
    }
  }
}
