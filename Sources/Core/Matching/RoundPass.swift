import Primitives

/// One walk over the queue of claims, under fixed assumptions: the rates some classes are held to, and the requests
/// that are left out because they could not reach their least useful quantity.
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
  /// Pairs looked at and steps of search: a measure of time that is the same on every machine.
  private(set) var work = 0
  private var isClosed: [Bool]
  private var boundSite: [Int?]

  private var book: MatchBook { state.book }

  /// - Parameter kept: what stands already; its requests are served no further.
  init(
    _ book: MatchBook, heldRates: [ClassKey: Int64], leftOut: Set<Int>, isLast: Bool, keeping kept: RoundState? = nil
  ) {
    self.heldRates = heldRates
    self.leftOut = leftOut
    self.isLast = isLast
    state = kept ?? RoundState(book)
    isClosed = book.requests.map { $0.quantity < $0.minQuantity }
    if let kept {
      for request in kept.pieces.indices where !kept.pieces[request].isEmpty { isClosed[request] = true }
    }
    boundSite = book.requests.map { _ in nil }
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
      let choice = choose(group, for: request)
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
      let first = choose(bySite[0][site] ?? [], for: request)
      let total = attempt(request) { pass in
        pass.take(first, position)
        for (offset, claim) in span.enumerated().dropFirst() {
          let fresh = (bySite[offset][site] ?? []).filter { pass.isFresh($0.listing, request) }
          pass.take(pass.choose(fresh, for: request), claim)
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
    if tookBefore { fallenShort.append(request) }
  }

  // MARK: Candidates

  private mutating func plan(_ position: Int) -> FillPlan.Choice {
    let request = book.claims[position].request
    var isWhole = false
    let near = candidates(position, upToWanted: true, isWhole: &isWhole)
    let choice = choose(near, for: request)
    if choice.total == state.wanted(request) || isWhole { return choice }
    return choose(candidates(position), for: request)
  }

  private mutating func choose(_ candidates: [Candidate], for request: Int) -> FillPlan.Choice {
    FillPlan.choose(candidates, for: request, in: state, work: &work)
  }

  private mutating func take(_ choice: FillPlan.Choice, _ position: Int) {
    let claim = book.claims[position]
    for (candidate, quantity) in choice.parts {
      let principal = book.principal(of: quantity, from: candidate.listing)
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
    var search = CandidateSearch(
      wanted: state.wanted(book.claims[position].request), upToWanted: upToWanted,
      mostLenders: book.requests[book.claims[position].request].maxLenders)
    if let list = book.fitting[position] {
      for listing in list where !isUsedUp(Int(listing)) {
        work += 1
        if let candidate = candidate(Int(listing), position), search.isEnough(with: candidate) {
          isWhole = false
          break
        }
      }
      return search.found
    }
    let claim = book.claims[position]
    for listing in book.order(for: claim) where !isUsedUp(listing) {
      if book.listings[listing].ask > claim.limit { break }
      work += 1
      guard book.fits(listing, claim) else { continue }
      if let candidate = candidate(listing, position), search.isEnough(with: candidate) {
        isWhole = false
        break
      }
    }
    return search.found
  }

  private func isUsedUp(_ position: Int) -> Bool { state.remaining[position] < book.listings[position].minQuantity }

  /// What a listing that fits can give to a claim now; nil for nothing.
  private func candidate(_ position: Int, _ claimPosition: Int) -> Candidate? {
    let (listing, claim) = (book.listings[position], book.claims[claimPosition])
    let request = book.requests[claim.request]
    guard isFresh(position, claim.request) else { return nil }
    if let site = boundSite[claim.request], site != listing.site { return nil }
    guard sharesRate(listing, request, claim.limit) else { return nil }
    let step = leastCommonMultiple(listing.multipleOf, request.multipleOf)
    let least = (listing.minQuantity + step - 1) / step * step
    var most = min(state.wanted(claim.request), state.remaining[position])
    var spending: Spending?
    if !book.limitedLenders.isEmpty, book.limitedLenders.contains(listing.lender) {
      let exposure = state.exposure(ExposureKey(lender: listing.lender, startup: request.startup))
      let limit = min(exposure.limit, listing.maxExposure)
      most = min(most, book.units(within: Int128(limit) - exposure.principal, from: position))
      spending = Spending(principal: exposure.principal, limit: limit)
    }
    let licence = book.licence(position, claim.request)
    if let licence { most = min(most, state.licenceRoom[licence]) }
    most = most / step * step
    guard most >= least else { return nil }
    return Candidate(
      listing: position, lender: listing.lender, ask: listing.ask, least: least, most: most, step: step,
      exposure: spending, licence: licence)
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

/// Candidates found so far, and whether they seem to be enough.
private struct CandidateSearch {
  let wanted: Int64
  let upToWanted: Bool
  let mostLenders: Int
  private(set) var found: [Candidate] = []
  private var sum: Int64 = 0
  private var lenders: Set<Int> = []

  init(wanted: Int64, upToWanted: Bool, mostLenders: Int) {
    self.wanted = wanted
    self.upToWanted = upToWanted
    self.mostLenders = mostLenders
  }

  /// Keeps the candidate. With a limit on lenders only those of the first so many are counted.
  mutating func isEnough(with candidate: Candidate) -> Bool {
    found.append(candidate)
    if !upToWanted { return false }
    if mostLenders != Int.max {
      lenders.insert(candidate.lender)
      if lenders.count > mostLenders { return false }
    }
    sum += candidate.most
    return sum >= wanted
  }
}
