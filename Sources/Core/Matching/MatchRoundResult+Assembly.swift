import Primitives

extension MatchRoundResult {
  /// A settlement in words.
  init(_ book: MatchBook, _ round: Settlement) {
    let bounds = round.state.classBounds
    let rates = round.clearingRates(bounds)
    let snapshot = book.snapshot
    var allocations: [Allocation] = []
    var objective: Int128 = 0
    var matched: Int64 = 0
    var classQuantities: [ClassKey: Int64] = [:]
    var examples: [ClassKey: Piece] = [:]
    for pieces in round.state.pieces {
      for piece in pieces.sorted(by: { $0.listing < $1.listing }) {
        let (listing, request) = (book.listings[piece.listing], book.requests[piece.request])
        let key = ClassKey(listing, request)
        let (line, requestLine) = (snapshot.listings[piece.listing], snapshot.requests[piece.request])
        allocations.append(
          Allocation(
            listing: line.id, request: requestLine.id, lender: line.lender, startup: requestLine.startup,
            chipModel: line.chipModel, quantity: piece.quantity, rateBps: rates[key] ?? listing.ask,
            ask: listing.ask, limit: piece.limit))
        objective += Int128(listing.unitValue) * Int128(piece.limit - listing.ask) * Int128(piece.quantity)
        matched += piece.quantity
        classQuantities[key, default: 0] += piece.quantity
        examples[key] = piece
      }
    }
    var classes: [ClassRate] = []
    for (key, piece) in examples {
      guard let rate = rates[key], let quantity = classQuantities[key] else { continue }
      let (line, requestLine) = (snapshot.listings[piece.listing], snapshot.requests[piece.request])
      classes.append(
        ClassRate(
          chipModel: line.chipModel, region: line.region, deliveryMode: requestLine.deliveryMode,
          legalForm: line.legalForm, termBucket: key.termBucket, creditGrade: requestLine.creditGrade,
          clearingRateBps: rate, quantity: quantity))
    }
    var explanation = Explanation(book, round, bounds)
    self.init(
      engineVersion: matchEngineVersion, snapshotDigest: snapshot.digest(), allocations: allocations,
      classes: classes.sorted { $0.precedes($1) }, leftovers: explanation.leftovers(),
      objective: objective, matchedQuantity: matched, matchedPairs: Int64(allocations.count), bound: round.bound,
      method: round.method, certificate: round.isProved ? .valid : .gap)
  }
}

extension Settlement {
  /// One rate for each class: the midpoint of what its asks, its limits and, where one fits them, the dual interval
  /// leave.
  fileprivate func clearingRates(_ bounds: [ClassKey: ClassBounds]) -> [ClassKey: Int64] {
    var supported = bounds
    if let prices {
      for piece in state.pieces.joined() {
        let listing = state.book.listings[piece.listing]
        let key = ClassKey(listing, state.book.requests[piece.request])
        guard let low = prices.low[piece.listing], let high = prices.high[piece.listing], let bound = supported[key]
        else { continue }
        // Prices are of a chip, at least 0; a whole rate within them.
        let (whole, rest) = low.quotientAndRemainder(dividingBy: listing.unitValue)
        supported[key] = ClassBounds(
          ask: max(bound.ask, whole + (rest > 0 ? 1 : 0)), limit: min(bound.limit, high / listing.unitValue))
      }
    }
    return bounds.merging(supported) { plain, narrow in narrow.ask <= narrow.limit ? narrow : plain }
      .mapValues { midpoint($0.ask, $0.limit) }
  }
}

extension ClassRate {
  /// Member by member, in the order of declaration; no credit grade comes before any.
  fileprivate func precedes(_ other: ClassRate) -> Bool {
    if chipModel != other.chipModel { return chipModel < other.chipModel }
    if region != other.region { return region < other.region }
    if deliveryMode != other.deliveryMode { return deliveryMode < other.deliveryMode }
    if legalForm != other.legalForm { return legalForm < other.legalForm }
    if termBucket != other.termBucket { return termBucket < other.termBucket }
    guard let left = creditGrade, let right = other.creditGrade else {
      return creditGrade == nil && other.creditGrade != nil
    }
    return left < right
  }
}
