import Primitives

extension MatchRoundResult {
  /// The result of a pass that stands.
  init(_ book: MatchBook, _ round: RoundPass) {
    let bounds = round.classBounds
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
        let bound = bounds[key] ?? ClassBounds(ask: listing.ask, limit: piece.limit)
        let (line, requestLine) = (snapshot.listings[piece.listing], snapshot.requests[piece.request])
        allocations.append(
          Allocation(
            listing: line.id, request: requestLine.id, lender: line.lender, startup: requestLine.startup,
            chipModel: line.chipModel, quantity: piece.quantity, rateBps: midpoint(bound.ask, bound.limit),
            ask: listing.ask, limit: piece.limit))
        objective += Int128(listing.unitValue) * Int128(piece.limit - listing.ask) * Int128(piece.quantity)
        matched += piece.quantity
        classQuantities[key, default: 0] += piece.quantity
        examples[key] = piece
      }
    }
    var classes: [ClassRate] = []
    for (key, piece) in examples {
      guard let bound = bounds[key], let quantity = classQuantities[key] else { continue }
      let (line, requestLine) = (snapshot.listings[piece.listing], snapshot.requests[piece.request])
      classes.append(
        ClassRate(
          chipModel: line.chipModel, region: line.region, deliveryMode: requestLine.deliveryMode,
          legalForm: line.legalForm, termBucket: key.termBucket, creditGrade: requestLine.creditGrade,
          clearingRateBps: midpoint(bound.ask, bound.limit), quantity: quantity))
    }
    var explanation = Explanation(book, round, bounds)
    self.init(
      engineVersion: matchEngineVersion, snapshotDigest: snapshot.digest(), allocations: allocations,
      classes: classes.sorted { $0.precedes($1) }, leftovers: explanation.leftovers(),
      objective: objective, matchedQuantity: matched, matchedPairs: Int64(allocations.count))
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
