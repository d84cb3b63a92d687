import Primitives

/// What a round has come to, before it is put into words.
struct Settlement {
  let state: RoundState
  /// Rates to which classes are held, where what would trade in them could not share one otherwise.
  let heldRates: [ClassKey: Int64]
  let method: ClearingMethod
  /// No allocation that keeps the constraints has a higher objective.
  let bound: Int128
  /// The dual interval of a chip of each listing, minor units x basis points, where the market has one.
  let prices: DualPrices?

  var objective: Int128 { state.objective }
  /// The flow's certificate has been checked apart from the flow, or the search has closed the gap.
  var isProved: Bool { bound == objective }
}

extension Settlement {
  /// What price and time decide.
  init(_ pass: RoundPass, bound: Int128, prices: DualPrices? = nil) {
    self.init(state: pass.state, heldRates: pass.heldRates, method: .priceTime, bound: bound, prices: prices)
  }
}

/// For each listing of the book the least and greatest price of a chip at which the flow's optimum is one.
struct DualPrices {
  let low: [Int64?]
  let high: [Int64?]

  init(_ network: ClassNetwork, _ clearing: FlowClearing, _ book: MatchBook) {
    var low = [Int64?](repeating: nil, count: book.listings.count)
    var high = low
    for (position, listing) in zip(network.listings, network.market.listings) {
      low[position] = clearing.lowPrices[Int(listing.classIndex)]
      high[position] = clearing.highPrices[Int(listing.classIndex)]
    }
    self.low = low
    self.high = high
  }
}

extension RoundState {
  /// Sum over all pieces of unit value x (limit - ask) x quantity.
  var objective: Int128 {
    pieces.joined().reduce(0) { $0 + Int128(surplus(of: $1)) * Int128($1.quantity) }
  }

  /// Of one chip of a piece.
  private func surplus(of piece: Piece) -> Int128 {
    let listing = book.listings[piece.listing]
    return Int128(listing.unitValue) * Int128(piece.limit - listing.ask)
  }

  /// Bounds of every class in which something is matched, from the pieces themselves.
  var classBounds: [ClassKey: ClassBounds] {
    var bounds: [ClassKey: ClassBounds] = [:]
    for piece in pieces.joined() {
      let key = ClassKey(book.listings[piece.listing], book.requests[piece.request])
      let ask = book.listings[piece.listing].ask
      let bound = bounds[key] ?? ClassBounds(ask: ask, limit: piece.limit)
      bounds[key] = ClassBounds(ask: max(bound.ask, ask), limit: min(bound.limit, piece.limit))
    }
    return bounds
  }

  /// For each class whose pieces cannot share one rate, the rate at which the most surplus of them can.
  func ratesOfClashingClasses() -> [ClassKey: Int64] {
    let clashing = classBounds.filter { $0.value.ask > $0.value.limit }
    if clashing.isEmpty { return [:] }
    var trades: [ClassKey: [ClassTrade]] = [:]
    for piece in pieces.joined() {
      let key = ClassKey(book.listings[piece.listing], book.requests[piece.request])
      guard clashing[key] != nil else { continue }
      let ask = book.listings[piece.listing].ask
      trades[key, default: []].append(ClassTrade(ask: ask, limit: piece.limit, quantity: piece.quantity))
    }
    return trades.mapValues { callAuctionRate($0) }
  }

  /// Requests of which a piece, or all pieces together, break a constraint that a flow does not know.
  var requestsInBreach: Set<Int> {
    var breached: Set<Int> = []
    var exposed: [ExposureKey: [Int]] = [:]
    for (request, pieces) in pieces.enumerated() where !pieces.isEmpty {
      let line = book.requests[request]
      var lenders: Set<Int> = []
      var models: Set<Int> = []
      var sites: Set<Int> = []
      for piece in pieces {
        let listing = book.listings[piece.listing]
        lenders.insert(listing.lender)
        models.insert(listing.model)
        sites.insert(listing.site)
        let step = leastCommonMultiple(listing.multipleOf, line.multipleOf)
        if piece.quantity < listing.minQuantity || piece.quantity % step != 0 { breached.insert(request) }
        exposed[ExposureKey(lender: listing.lender, startup: line.startup), default: []].append(request)
      }
      if filled[request] < line.minQuantity || lenders.count > line.maxLenders || line.sameModel && models.count > 1
        || line.sameSite && sites.count > 1
      {
        breached.insert(request)
      }
    }
    if licenceRoom.contains(where: { $0 < 0 }) {
      for piece in pieces.joined() {
        if let licence = book.licence(piece.listing, piece.request), licenceRoom[licence] < 0 {
          breached.insert(piece.request)
        }
      }
    }
    for (key, requests) in exposed where book.limitedLenders.contains(key.lender) {
      let exposure = exposure(key)
      if exposure.principal > Int128(exposure.limit) { breached.formUnion(requests) }
    }
    return breached
  }
}
