import Primitives

/// Counts, for every order left over, at which constraint each counter-order failed first.
///
/// Pairs are not walked one by one: listings of one chip form a stock, those that verdict and region cannot tell apart
/// a segment of it, those of equal terms in that a cohort, and a request is held against these. Only pairs that pass
/// everything fixed and are both left over are looked at singly; in a cleared market these are few.
struct Explanation {
  let book: MatchBook
  let round: Settlement
  let bounds: [ClassKey: ClassBounds]
  private var stocks: [Stock]
  private var segments: [Segment]
  /// Counts of a listing, a stock, a segment, a cohort, by reason.
  private var listingCounts: Tally
  private var stockCounts: Tally
  private var segmentCounts: Tally
  private var cohortCounts: Tally
  private static let smallCohort = 16

  init(_ book: MatchBook, _ round: Settlement, _ bounds: [ClassKey: ClassBounds]) {
    self.book = book
    self.round = round
    self.bounds = bounds
    (stocks, segments) = Self.segments(of: book, remaining: round.state.remaining)
    listingCounts = Tally(rows: book.listings.count)
    stockCounts = Tally(rows: stocks.count)
    segmentCounts = Tally(rows: segments.count)
    cohortCounts = Tally(rows: segments.reduce(0) { $0 + $1.cohorts.count })
  }

  /// Listings first, then requests, each in canonical order.
  mutating func leftovers() -> [Leftover] {
    var requestLeftovers: [Leftover] = []
    var parties = PartyIndex(book)
    for position in book.requests.indices {
      let wanted = round.state.wanted(position)
      var counts = Tally(rows: 1)
      count(position, &counts)
      correctForParties(position, &counts, &parties)
      if wanted > 0 {
        let reasons = counts.reasons(row: 0)
        requestLeftovers.append(
          Leftover(order: .request(book.snapshot.requests[position].id), remaining: wanted, reasons: reasons))
      }
    }
    addCountsOfWholes()
    var leftovers: [Leftover] = []
    for (position, line) in book.snapshot.listings.enumerated() where round.state.remaining[position] > 0 {
      leftovers.append(
        Leftover(
          order: .listing(line.id), remaining: round.state.remaining[position],
          reasons: listingCounts.reasons(row: position)))
    }
    return leftovers + requestLeftovers
  }

  /// Counts one request against all listings, both ways, as if nobody knew who the parties are.
  private mutating func count(_ position: Int, _ counts: inout Tally) {
    for stock in stocks.indices {
      let example = stocks[stock].example
      if let reason = stockReason(example, position) {
        counts.add(Int32(stocks[stock].count), at: reason, row: 0)
        stockCounts.add(1, at: reason, row: stock)
        continue
      }
      let limit = book.bestLimit(example, position) ?? -1
      for segment in stocks[stock].segments { count(position, segment, limit, &counts) }
    }
  }

  /// Counts one request against listings whose chip it takes for at most `limit`.
  private mutating func count(_ position: Int, _ segment: Int, _ limit: Int64, _ counts: inout Tally) {
    let (group, region) = (segments[segment].verdictGroup, segments[segment].region)
    if let failure = book.segmentFailure(verdictGroup: group, region: region, position) {
      let reason = Tally.reason(failure)
      counts.add(Int32(segments[segment].count), at: reason, row: 0)
      segmentCounts.add(1, at: reason, row: segment)
      return
    }
    for cohort in segments[segment].cohorts.indices {
      let example = segments[segment].cohorts[cohort].byAsk[0]
      if let failure = book.termsFailure(example, position) {
        let reason = Tally.reason(PairFailure(failure))
        counts.add(Int32(segments[segment].cohorts[cohort].byAsk.count), at: reason, row: 0)
        cohortCounts.add(1, at: reason, row: segments[segment].cohorts[cohort].row)
      } else {
        countPrices(position, segment, cohort, limit, &counts)
      }
    }
  }

  /// Counts one request against a cohort whose terms suit it: rate first, then what the round itself decided.
  private mutating func countPrices(
    _ position: Int, _ segment: Int, _ index: Int, _ limit: Int64, _ counts: inout Tally
  ) {
    let isLeft = round.state.wanted(position) > 0
    let listings = segments[segment].cohorts[index].byAsk
    // Listings of equal terms are in order of their asks, so those within the limit are a prefix.
    var (low, high) = (0, listings.count)
    while low < high {
      let middle = (low + high) / 2
      if book.listings[listings[middle]].ask <= limit { low = middle + 1 } else { high = middle }
    }
    if listings.count <= Self.smallCohort {
      // Told to each listing at once: a list of requests for each of many small cohorts would be most of the memory.
      for listing in segments[segment].cohorts[index].open {
        if book.listings[listing].ask > limit {
          listingCounts.add(1, at: Tally.reason(PairFailure(.rate)), row: listing)
        } else if !isLeft {
          listingCounts.add(1, at: Tally.reason(PairFailure(.alreadyFilled)), row: listing)
        }
      }
    } else {
      segments[segment].cohorts[index].arrivals.append(Arrival(limit: Int32(limit), isLeft: isLeft))
    }
    counts.add(Int32(listings.count - low), at: Tally.reason(PairFailure(.rate)), row: 0)
    let gone = segments[segment].cohorts[index].filledBefore[low]
    counts.add(gone, at: Tally.reason(PairFailure(.alreadyFilled)), row: 0)
    guard isLeft else { return }
    let open = segments[segment].cohorts[index].open.prefix(low - Int(gone))
    for listing in open {
      let reason = Tally.reason(PairFailure(roundFailure(listing, position)))
      counts.add(1, at: reason, row: 0)
      listingCounts.add(1, at: reason, row: listing)
    }
  }

  /// Adds to each listing what was counted for its segment, its cohort and, by price, for the requests that suit it.
  private mutating func addCountsOfWholes() {
    for (index, segment) in segments.enumerated() {
      for cohort in segment.cohorts {
        let arrivals = cohort.arrivals.sorted { $0.limit < $1.limit }
        var filledFrom = [Int32](repeating: 0, count: arrivals.count + 1)
        for position in arrivals.indices.reversed() {
          filledFrom[position] = filledFrom[position + 1] + (arrivals[position].isLeft ? 0 : 1)
        }
        var below = 0
        for listing in cohort.byAsk {
          while below < arrivals.count, Int64(arrivals[below].limit) < book.listings[listing].ask { below += 1 }
          guard round.state.remaining[listing] > 0 else { continue }
          listingCounts.add(row: listing, from: stockCounts, row: segment.stock)
          listingCounts.add(row: listing, from: segmentCounts, row: index)
          listingCounts.add(row: listing, from: cohortCounts, row: cohort.row)
          listingCounts.add(Int32(below), at: Tally.reason(PairFailure(.rate)), row: listing)
          listingCounts.add(filledFrom[below], at: Tally.reason(PairFailure(.alreadyFilled)), row: listing)
        }
      }
    }
  }

  /// Moves the pairs whose parties keep them apart from where they were counted to where they belong.
  private mutating func correctForParties(_ position: Int, _ counts: inout Tally, _ parties: inout PartyIndex) {
    guard book.requests[position].verified else { return }
    for listing in parties.related(to: position, in: book) where book.listings[listing].verified {
      guard let failure = book.partyFailure(listing, position) else { continue }
      let counted = reasonWithoutParties(listing, position)
      let right = Tally.reason(PairFailure(failure))
      counts.move(from: counted, to: right, row: 0)
      listingCounts.move(from: counted, to: right, row: listing)
    }
  }

  private func stockReason(_ listing: Int, _ request: Int) -> Int? {
    if !book.listings[listing].verified || !book.requests[request].verified {
      return Tally.reason(PairFailure(.verification))
    }
    if book.bestLimit(listing, request) == nil { return Tally.reason(PairFailure(.chip)) }
    return book.listings[listing].unitValue == 0 ? Tally.reason(PairFailure(.unitValue)) : nil
  }

  private func reasonWithoutParties(_ listing: Int, _ request: Int) -> Int {
    if let reason = stockReason(listing, request) { return reason }
    let (group, region) = (book.listings[listing].verdictGroup, book.listings[listing].region)
    if let failure = book.segmentFailure(verdictGroup: group, region: region, request) { return Tally.reason(failure) }
    if let failure = book.termsFailure(listing, request) { return Tally.reason(PairFailure(failure)) }
    if book.listings[listing].ask > book.bestLimit(listing, request) ?? -1 { return Tally.reason(PairFailure(.rate)) }
    return Tally.reason(PairFailure(roundFailure(listing, request)))
  }
}
