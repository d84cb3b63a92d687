import Primitives

extension Explanation {
  /// What keeps a pair apart that nothing fixed does, judged by what the round left of both.
  func roundFailure(_ position: Int, _ requestPosition: Int) -> MatchConstraint {
    let (listing, request) = (book.listings[position], book.requests[requestPosition])
    let state = round.state
    let room = min(state.remaining[position], state.wanted(requestPosition))
    if room == 0 { return .alreadyFilled }
    let step = leastCommonMultiple(listing.multipleOf, request.multipleOf)
    if room < step { return .multipleOf }
    let least = (listing.minQuantity + step - 1) / step * step
    if room < least { return .listingMinQuantity }
    let exposure = state.exposure(ExposureKey(lender: listing.lender, startup: request.startup))
    let allowed = Int128(min(exposure.limit, listing.maxExposure)) - exposure.principal
    if book.units(within: allowed, from: listing) < least { return .exposure }
    if !sharesRate(listing, requestPosition) { return .clearingRate }
    let held = state.pieces[requestPosition].map { book.listings[$0.listing] }
    if request.sameModel, held.contains(where: { $0.model != listing.model }) { return .sameModel }
    if request.sameSite, held.contains(where: { $0.site != listing.site }) { return .sameSite }
    if !held.contains(where: { $0.lender == listing.lender }), Set(held.map(\.lender)).count >= request.maxLenders {
      return .maxLenders
    }
    return held.isEmpty && request.minQuantity > 1 ? .requestMinQuantity : .combination
  }

  /// Whether any claim of the request could share the rate of the listing's class.
  private func sharesRate(_ listing: MatchBook.Listing, _ position: Int) -> Bool {
    let request = book.requests[position]
    let key = ClassKey(listing, request)
    for claim in book.claims[request.firstClaim..<request.endClaim] where book.isChip(listing, of: claim) {
      if claim.limit < listing.ask { continue }
      if let rate = round.heldRates[key], listing.ask > rate || claim.limit < rate { continue }
      if let bound = bounds[key], listing.ask > bound.limit || claim.limit < bound.ask { continue }
      return true
    }
    return false
  }

  /// Listings alike in verification, chip, mark, region and verdict group.
  struct Segment {
    let example: Int
    var count: Int
    var cohorts: [Cohort]
  }

  /// Listings of one segment with equal terms.
  struct Cohort {
    /// Its row in the tally of cohorts.
    let row: Int
    /// Lower ask first.
    var byAsk: [Int] = []
    /// How many of the first n have nothing left.
    var filledBefore: [Int32] = [0]
    /// Those with something left, lower ask first.
    var open: [Int] = []
    /// The requests that its terms suit; of large cohorts only.
    var arrivals: [Arrival] = []
  }

  /// A request before a cohort: what it pays at most, and whether it still wants chips.
  struct Arrival {
    let limit: Int32
    let isLeft: Bool
  }

  static func segments(of book: MatchBook, remaining: [Int64]) -> [Segment] {
    var segments: [Segment] = []
    var segmentOf: [SegmentKey: Int] = [:]
    var cohortOf: [CohortKey: Int] = [:]
    var rows = 0
    for position in book.listingsByAsk {
      let listing = book.listings[position]
      let key = SegmentKey(listing)
      let segment = segmentOf[key] ?? segments.count
      if segment == segments.count {
        segmentOf[key] = segment
        segments.append(Segment(example: position, count: 0, cohorts: []))
      }
      segments[segment].count += 1
      let cohortKey = CohortKey(listing, segment: segment)
      let cohort = cohortOf[cohortKey] ?? segments[segment].cohorts.count
      if cohort == segments[segment].cohorts.count {
        cohortOf[cohortKey] = cohort
        segments[segment].cohorts.append(Cohort(row: rows))
        rows += 1
      }
      let isFilled = remaining[position] == 0
      segments[segment].cohorts[cohort].byAsk.append(position)
      let before = segments[segment].cohorts[cohort].filledBefore.last ?? 0
      segments[segment].cohorts[cohort].filledBefore.append(before + (isFilled ? 1 : 0))
      if !isFilled { segments[segment].cohorts[cohort].open.append(position) }
    }
    return segments
  }

  private struct SegmentKey: Hashable {
    let verified: Bool
    let kind: Int
    let region: Int
    let verdictGroup: Int

    init(_ listing: MatchBook.Listing) {
      verified = listing.verified
      kind = listing.kind
      region = listing.region
      verdictGroup = listing.verdictGroup
    }
  }

  private struct CohortKey: Hashable {
    let segment: Int
    let memberships: [Membership]
    let minTermDays: Int64
    let maxTermDays: Int64
    let availableOn: Int32

    init(_ listing: MatchBook.Listing, segment: Int) {
      self.segment = segment
      memberships = [listing.deliveryModes, listing.patterns, listing.creditGrades, listing.jurisdictions]
      minTermDays = listing.minTermDays
      maxTermDays = listing.maxTermDays
      availableOn = listing.availableOn
    }
  }
}

/// Rows of counts by reason: a constraint, or a verdict's effect.
struct Tally {
  private static let constraints = MatchConstraint.allCases
  private static let effects = ExportEffect.allCases
  private static let width = constraints.count + effects.count
  private static let positions = Dictionary(uniqueKeysWithValues: constraints.enumerated().map { ($1, $0) })

  private var counts: [Int32]

  init(rows: Int) { counts = [Int32](repeating: 0, count: rows * Self.width) }

  /// The column of a failure.
  static func reason(_ failure: PairFailure) -> Int {
    if let effect = failure.effect { return constraints.count + (effects.firstIndex(of: effect) ?? 0) }
    return positions[failure.constraint] ?? 0
  }

  static func failure(_ reason: Int) -> PairFailure {
    if reason < constraints.count { return PairFailure(constraints[reason]) }
    return PairFailure(.exportVerdict, effect: effects[reason - constraints.count])
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
    for (index, constraint) in Self.constraints.enumerated() {
      let columns: [(ExportEffect?, Int)] =
        constraint == .exportVerdict
        ? Self.effects.enumerated().map { ($1, Self.constraints.count + $0) } : [(nil, index)]
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
