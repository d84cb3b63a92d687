import Primitives

/// One walk over the queue of claims, under fixed assumptions: the rates some classes are held to, and the requests that
/// are left out because they could not reach their least useful quantity.
struct RoundPass {
  /// A class held to one rate admits the pairs whose ask and limit embrace it.
  let heldRates: [ClassKey: Int64]
  let leftOut: Set<Int>
  /// In the last pass a class admits only what can share a rate with what it matched before. Earlier passes let classes
  /// grow freely, so that the rate they are then held to is chosen from all that would trade.
  let isLast: Bool

  private(set) var state: RoundState
  /// Requests that gave back what they had taken, in the order in which that happened.
  private(set) var fallenShort: [Int] = []
  /// Pairs looked at: the deterministic measure of work.
  private(set) var pairsSeen = 0
  private var isClosed: [Bool]
  private var boundSite: [Int?]
  /// All listings before this position of the model's order are used up.
  private var firstUseful: [Int]

  private var book: MatchBook { state.book }

  init(_ book: MatchBook, heldRates: [ClassKey: Int64], leftOut: Set<Int>, isLast: Bool) {
    self.heldRates = heldRates
    self.leftOut = leftOut
    self.isLast = isLast
    state = RoundState(book)
    isClosed = book.requests.map { $0.quantity < $0.minQuantity }
    boundSite = book.requests.map { _ in nil }
    firstUseful = book.listingsByModel.map { _ in 0 }
  }

  mutating func run() {
    for request in leftOut { isClosed[request] = true }
    for claim in book.queue { serve(claim) }
    // What was given back came too late for those who had been turned away: one more chance, in the same order. Nobody
    // loses by it.
    if leftOut.isEmpty && fallenShort.isEmpty { return }
    var seen: Set<Int> = []
    for claim in book.queue {
      let request = book.claims[claim].request
      guard seen.insert(request).inserted, state.wanted(request) > 0 else { continue }
      if state.filled[request] == 0 {
        isClosed[request] = book.requests[request].quantity < book.requests[request].minQuantity
        boundSite[request] = nil
      }
      for position in book.requests[request].firstClaim..<book.requests[request].endClaim { serve(position) }
    }
  }

  private mutating func serve(_ position: Int) {
    let request = book.claims[position].request
    guard !isClosed[request], state.wanted(request) > 0 else { return }
    if book.requests[request].sameModel {
      serveOneModel(position)
    } else if book.requests[request].sameSite, boundSite[request] == nil {
      serveOneSite(position)
    } else {
      servePlainly(position)
    }
  }

  // MARK: Ways of serving a claim

  /// Takes what the claim can get, if that and the claims after it can reach the least useful quantity now.
  private mutating func servePlainly(_ position: Int) {
    let request = book.claims[position].request
    let choice = plan(position)
    take(choice, position)
    let least = book.requests[request].minQuantity
    if state.filled[request] >= least { return }
    if reachable(request, from: position + 1) >= least { return }
    // What it took here may stand in the way of the rest, by its lender or its pieces: better without.
    let tookBefore = state.filled[request] > choice.total
    state.giveBack(request, from: state.pieces[request].count - choice.parts.count)
    if reachable(request, from: position + 1) < least { giveUp(request, tookBefore: tookBefore) }
  }

  /// What the request could hold now with the claims from `position` on, up to its least useful quantity.
  private mutating func reachable(_ request: Int, from position: Int) -> Int64 {
    attempt(request) { pass in
      for next in position..<pass.book.requests[request].endClaim {
        if pass.state.filled[request] >= pass.book.requests[request].minQuantity { break }
        pass.take(pass.plan(next), next)
      }
      return pass.state.filled[request]
    }
  }

  /// Everything from one model (and one site, if that is asked too): the first claim that reaches the least useful
  /// quantity decides, and within it the model that gives most, then the cheapest.
  private mutating func serveOneModel(_ position: Int) {
    let request = book.claims[position].request
    var groups: [[Candidate]] = []
    var groupOf: [Place: Int] = [:]
    for candidate in candidates(position) {
      let listing = book.listings[candidate.listing]
      let place = Place(model: listing.model, site: book.requests[request].sameSite ? listing.site : -1)
      if let group = groupOf[place] {
        groups[group].append(candidate)
      } else {
        groupOf[place] = groups.count
        groups.append([candidate])
      }
    }
    var best = FillPlan.Choice()
    for group in groups {
      let choice = FillPlan.choose(group, for: request, in: state)
      if choice.isBetter(than: best) { best = choice }
    }
    guard best.total >= book.requests[request].minQuantity else { return }
    take(best, position)
    isClosed[request] = true
  }

  /// Everything from one site: the one that gives most over this claim and those after it, then most under this claim,
  /// then the cheapest.
  private mutating func serveOneSite(_ position: Int) {
    let request = book.claims[position].request
    let span = position..<book.requests[request].endClaim
    var sites: [Int] = []
    var bySite: [[Int: [Candidate]]] = []
    for claim in span {
      var groups: [Int: [Candidate]] = [:]
      for candidate in candidates(claim) {
        let site = book.listings[candidate.listing].site
        if bySite.allSatisfy({ $0[site] == nil }), groups[site] == nil { sites.append(site) }
        groups[site, default: []].append(candidate)
      }
      bySite.append(groups)
    }
    var best: (site: Int, total: Int64, first: FillPlan.Choice)?
    for site in sites {
      let first = FillPlan.choose(bySite[0][site] ?? [], for: request, in: state)
      let total = attempt(request) { pass in
        pass.take(first, position)
        for (offset, claim) in span.enumerated().dropFirst() {
          let fresh = (bySite[offset][site] ?? []).filter { pass.isFresh($0.listing, request) }
          pass.take(FillPlan.choose(fresh, for: request, in: pass.state), claim)
        }
        return pass.state.filled[request]
      }
      guard let leader = best else {
        best = (site, total, first)
        continue
      }
      let (ours, theirs) = ((total, first.total, -first.cost), (leader.total, leader.first.total, -leader.first.cost))
      if ours > theirs { best = (site, total, first) }
    }
    guard let best, best.total >= book.requests[request].minQuantity else {
      isClosed[request] = true
      return
    }
    boundSite[request] = best.site
    take(best.first, position)
  }

  private struct Place: Hashable {
    let model: Int
    let site: Int
  }

  private mutating func giveUp(_ request: Int, tookBefore: Bool) {
    state.giveBack(request, from: 0)
    isClosed[request] = true
    guard tookBefore else { return }
    fallenShort.append(request)
    // Its chips are back, so the used-up prefixes are no longer known.
    firstUseful = firstUseful.map { _ in 0 }
  }

  // MARK: Candidates

  private mutating func plan(_ position: Int) -> FillPlan.Choice {
    let request = book.claims[position].request
    var isWhole = false
    let near = candidates(position, upToWanted: true, isWhole: &isWhole)
    let choice = FillPlan.choose(near, for: request, in: state)
    if choice.total == state.wanted(request) || isWhole { return choice }
    return FillPlan.choose(candidates(position), for: request, in: state)
  }

  private mutating func take(_ choice: FillPlan.Choice, _ position: Int) {
    let claim = book.claims[position]
    for (candidate, quantity) in choice.parts {
      let principal = book.principal(of: quantity, from: book.listings[candidate.listing])
      state.take(
        Piece(
          listing: candidate.listing, request: claim.request, quantity: quantity, limit: claim.limit,
          principal: principal))
    }
  }

  /// What `trial` returns; what it took for the request is taken back.
  private mutating func attempt(_ request: Int, _ trial: (inout RoundPass) -> Int64) -> Int64 {
    let mark = state.beginTrial(request)
    let outcome = trial(&self)
    state.endTrial(request, mark)
    return outcome
  }

  /// A pair is matched once at most: what it did not give under a better claim it would not give under this one.
  private func isFresh(_ listing: Int, _ request: Int) -> Bool {
    !state.pieces[request].contains { $0.listing == listing }
  }

  /// All listings that can give to the claim, the cheapest first.
  private mutating func candidates(_ position: Int) -> [Candidate] {
    var isWhole = false
    return candidates(position, upToWanted: false, isWhole: &isWhole)
  }

  /// With `upToWanted` no more than seem to be needed; `isWhole` says whether that was all.
  private mutating func candidates(_ position: Int, upToWanted: Bool, isWhole: inout Bool) -> [Candidate] {
    isWhole = true
    let claim = book.claims[position]
    let request = book.requests[claim.request]
    var found: [Candidate] = []
    if claim.model == -1 || !request.verified { return found }
    var start = 0
    if let model = claim.model {
      start = firstUseful[model]
      let order = book.listingsByModel[model]
      while start < order.count, isUsedUp(order[start]) { start += 1 }
      // A trial's takings come back, so only what is really gone moves the start.
      if !state.isTrial { firstUseful[model] = start }
    }
    let order = claim.model.map { book.listingsByModel[$0] } ?? book.listingsByAsk
    let wanted = state.wanted(claim.request)
    var sum: Int64 = 0
    var lenders: Set<Int> = []
    for position in order[start...] {
      let listing = book.listings[position]
      if listing.ask > claim.limit { break }
      pairsSeen += 1
      guard !isUsedUp(position), let candidate = candidate(position, claim, wanted) else { continue }
      found.append(candidate)
      guard upToWanted else { continue }
      if request.maxLenders != Int.max {
        lenders.insert(listing.lender)
        if lenders.count > request.maxLenders { continue }
      }
      sum += candidate.most
      if sum >= wanted {
        isWhole = false
        break
      }
    }
    return found
  }

  private func isUsedUp(_ position: Int) -> Bool { state.remaining[position] < book.listings[position].minQuantity }

  private func candidate(_ position: Int, _ claim: MatchBook.Claim, _ wanted: Int64) -> Candidate? {
    let listing = book.listings[position]
    let request = book.requests[claim.request]
    guard book.fits(listing, claim), isFresh(position, claim.request) else { return nil }
    if let site = boundSite[claim.request], site != listing.site { return nil }
    guard sharesRate(listing, request, claim.limit) else { return nil }
    let step = leastCommonMultiple(listing.multipleOf, request.multipleOf)
    let least = (listing.minQuantity + step - 1) / step * step
    var most = min(wanted, state.remaining[position])
    let limited = !book.limitedLenders.isEmpty && book.limitedLenders.contains(listing.lender)
    if limited {
      let exposure = state.exposure(ExposureKey(lender: listing.lender, startup: request.startup))
      let room = Int128(min(exposure.limit, listing.maxExposure)) - exposure.principal
      most = min(most, book.units(within: room, from: listing))
    }
    most = most / step * step
    guard most >= least else { return nil }
    return Candidate(
      listing: position, lender: listing.lender, ask: listing.ask, least: least, most: most, step: step,
      limited: limited)
  }

  /// Whether the pair can trade at one rate with the rest of its class.
  private func sharesRate(_ listing: MatchBook.Listing, _ request: MatchBook.Request, _ limit: Int64) -> Bool {
    if !isLast && heldRates.isEmpty { return true }
    let key = ClassKey(listing, request)
    if let rate = heldRates[key], listing.ask > rate || limit < rate { return false }
    guard isLast, let bounds = state.bounds[key] else { return true }
    return listing.ask <= bounds.limit && limit >= bounds.ask
  }
}
