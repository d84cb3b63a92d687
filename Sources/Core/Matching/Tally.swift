import Primitives

/// Rows of counts by reason: a constraint, or a verdict's effect.
struct Tally {
  private static let constraints = MatchConstraint.allCases
  private static let effects = ExportEffect.allCases
  private static let width = constraints.count + effects.count

  private var counts: [Int32]

  init(rows: Int) { counts = [Int32](repeating: 0, count: rows * Self.width) }

  /// The column of a failure.
  static func reason(_ failure: PairFailure) -> Int {
    if let effect = failure.effect { return constraints.count + (effects.firstIndex(of: effect) ?? 0) }
    return failure.constraint.rank
  }

  mutating func add(_ count: Int32, at reason: Int, row: Int) { counts[row * Self.width + reason] += count }

  mutating func move(from: Int, to: Int, row: Int) {
    counts[row * Self.width + from] -= 1
    counts[row * Self.width + to] += 1
  }

  mutating func add(row: Int, from other: Tally, row otherRow: Int) {
    for reason in 0..<Self.width { counts[row * Self.width + reason] += other.counts[otherRow * Self.width + reason] }
  }

  /// The reasons of a row with a count, in the order of `MatchConstraint`, effects where the export verdict stands.
  func reasons(row: Int) -> [LeftoverReason] {
    var reasons: [LeftoverReason] = []
    for constraint in Self.constraints {
      let columns: [(ExportEffect?, Int)] =
        constraint == .exportVerdict
        ? Self.effects.enumerated().map { ($1, Self.constraints.count + $0) } : [(nil, constraint.rank)]
      for (effect, column) in columns {
        let count = counts[row * Self.width + column]
        if count > 0 { reasons.append(LeftoverReason(constraint: constraint, effect: effect, count: Int64(count))) }
      }
    }
    return reasons.isEmpty ? [LeftoverReason(constraint: .noCounterOrders, count: 0)] : reasons
  }
}

/// Finds the listings whose lender stands in some relation to a startup.
struct PartyIndex {
  private var byLender: [Int: [Int]] = [:]
  private var byFamily: [Int: [Int]] = [:]
  private var seenFor: [Int]

  init(_ book: MatchBook) {
    seenFor = book.listings.map { _ in -1 }
    for (position, listing) in book.listings.enumerated() {
      byLender[listing.lender, default: []].append(position)
      byFamily[listing.family, default: []].append(position)
    }
  }

  /// Every listing that may fail at its parties for this request, each once. Asked for each request once.
  mutating func related(to request: Int, in book: MatchBook) -> [Int] {
    let (startup, family) = (book.requests[request].startup, book.requests[request].family)
    var groups = [byLender[startup], byLender[family], byFamily[startup], byFamily[family]]
    for lender in (book.blockedLenders[request] ?? []).sorted() { groups.append(byLender[lender]) }
    var related: [Int] = []
    for group in groups {
      for listing in group ?? [] where seenFor[listing] != request {
        seenFor[listing] = request
        related.append(listing)
      }
    }
    return related
  }
}
