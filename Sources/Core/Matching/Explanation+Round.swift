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
    if book.units(within: allowed, from: position) < least { return .exposure }
    if let licence = book.licence(position, requestPosition), state.licenceRoom[licence] < least {
      return .licenceQuota
    }
    if !sharesRate(position, requestPosition) { return .clearingRate }
    let held = state.pieces[requestPosition].map { book.listings[$0.listing] }
    if request.sameModel, held.contains(where: { $0.model != listing.model }) { return .sameModel }
    if request.sameSite, held.contains(where: { $0.site != listing.site }) { return .sameSite }
    if !held.contains(where: { $0.lender == listing.lender }), Set(held.map(\.lender)).count >= request.maxLenders {
      return .maxLenders
    }
    return held.isEmpty && request.minQuantity > 1 ? .requestMinQuantity : .combination
  }

  /// Whether any claim of the request could share the rate of the listing's class.
  private func sharesRate(_ listingPosition: Int, _ position: Int) -> Bool {
    let (listing, request) = (book.listings[listingPosition], book.requests[position])
    let key = ClassKey(listing, request)
    for claim in book.claims[request.firstClaim..<request.endClaim] where book.isChip(listingPosition, of: claim) {
      if claim.limit < listing.ask { continue }
      if let rate = round.heldRates[key], listing.ask > rate || claim.limit < rate { continue }
      if let bound = bounds[key], listing.ask > bound.limit || claim.limit < bound.ask { continue }
      return true
    }
    return false
  }

  /// Listings alike in verification and chip.
  struct Stock {
    let example: Int
    var count = 0
    /// Positions of its segments.
    var segments: [Int] = []
  }

  /// Listings of one stock alike in region and verdict group.
  struct Segment {
    let stock: Int
    let verdictGroup: Int
    let region: Int
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

  static func segments(of book: MatchBook, remaining: [Int64]) -> ([Stock], [Segment]) {
    var stocks: [Stock] = []
    var segments: [Segment] = []
    var stockOf = Interner<StockKey>()
    var segmentOf = Interner<SegmentKey>()
    var cohortOf: [CohortKey: Int] = [:]
    var rows = 0
    for position in book.listingsByAsk {
      let listing = book.listings[position]
      let stock = stockOf.index(of: StockKey(verified: listing.verified, kind: listing.kind))
      if stock == stocks.count { stocks.append(Stock(example: position)) }
      stocks[stock].count += 1
      let key = SegmentKey(stock: stock, region: listing.region, verdictGroup: listing.verdictGroup)
      let segment = segmentOf.index(of: key)
      if segment == segments.count {
        stocks[stock].segments.append(segment)
        segments.append(
          Segment(
            stock: stock, verdictGroup: listing.verdictGroup, region: listing.region, count: 0, cohorts: []))
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
    return (stocks, segments)
  }

  private struct StockKey: Hashable {
    let verified: Bool
    let kind: Int
  }

  private struct SegmentKey: Hashable {
    let stock: Int
    let region: Int
    let verdictGroup: Int
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
