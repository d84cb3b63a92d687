import Primitives

/// Where a pair of orders failed first; for an export verdict, with which effect.
struct PairFailure: Hashable {
  let constraint: MatchConstraint
  let effect: ExportEffect?

  init(_ constraint: MatchConstraint, effect: ExportEffect? = nil) {
    self.constraint = constraint
    self.effect = effect
  }
}

/// The constraints that do not change while a round runs, in the order of `MatchConstraint`. Each is written once,
/// here: the engine asks whether there is a failure, the explanation asks which.
extension MatchBook {
  /// Who the two are to each other.
  func partyFailure(_ listing: Int, _ request: Int) -> MatchConstraint? {
    let (lender, lenderFamily) = (listings[listing].lender, listings[listing].family)
    let (startup, family) = (requests[request].startup, requests[request].family)
    if lender == startup { return .sameOrganization }
    // A parent may itself be the other party, so the organisation stands beside its family.
    if lenderFamily == family || lenderFamily == startup || lender == family { return .affiliate }
    if requests[request].hasBlockedLenders, blockedLenders[request]?.contains(lender) == true { return .blockedLender }
    return nil
  }

  /// Whether the listing's chip is what the claim asks for.
  func isChip(_ listing: Int, of claim: Claim) -> Bool {
    if let model = claim.model { return listings[listing].model == model }
    return kindCapabilities[listings[listing].kind].meets(claim.minimum)
  }

  /// The most the request pays for the listing's chip; nil when it does not take it.
  func bestLimit(_ listing: Int, _ request: Int) -> Int64? {
    var best: Int64?
    for position in requests[request].firstClaim..<requests[request].endClaim {
      if isChip(listing, of: claims[position]) { best = max(best ?? 0, claims[position].limit) }
    }
    return best
  }

  /// What follows from verdict group and region, where the chip is one the request takes.
  func segmentFailure(verdictGroup: Int, region: Int, _ position: Int) -> PairFailure? {
    if requests[position].hasHeldVerdicts, let effect = heldEffects[position][verdictGroup] {
      return PairFailure(.exportVerdict, effect: effect)
    }
    return contains(requests[position].regions, region) ? nil : PairFailure(.region)
  }

  /// What follows from the listing's terms. Members are read one by one: copying a whole line for each pair costs more
  /// than the tests.
  func termsFailure(_ listing: Int, _ request: Int) -> MatchConstraint? {
    if !contains(listings[listing].deliveryModes, requests[request].deliveryMode) { return .deliveryMode }
    if !contains(listings[listing].patterns, requests[request].pattern) { return .pattern }
    if !contains(listings[listing].jurisdictions, requests[request].jurisdiction) { return .jurisdiction }
    if !contains(listings[listing].creditGrades, requests[request].creditGrade) { return .creditGrade }
    let days = requests[request].termDays
    if days < listings[listing].minTermDays || days > listings[listing].maxTermDays { return .term }
    return listings[listing].availableOn > requests[request].latestStart ? .startWindow : nil
  }

  /// Whether the pair may be matched under a claim, as far as nothing that the round changes decides it. The cheap
  /// tests that most pairs fail come first; the order of naming does not matter here.
  func fits(_ listing: Int, _ claim: Claim) -> Bool {
    let (region, group) = (listings[listing].region, listings[listing].verdictGroup)
    return contains(requests[claim.request].regions, region)
      && listings[listing].ask <= claim.limit && listings[listing].verified && requests[claim.request].verified
      && isChip(listing, of: claim) && listings[listing].unitValue > 0 && termsFailure(listing, claim.request) == nil
      && segmentFailure(verdictGroup: group, region: region, claim.request) == nil
      && partyFailure(listing, claim.request) == nil
  }
}

/// Chips that are equal to the market: they clear at one rate.
struct ClassKey: Hashable {
  let model: Int
  let region: Int
  let deliveryMode: Int
  let legalForm: Int
  let termBucket: TermBucket
  let creditGrade: Int

  init(_ listing: MatchBook.Listing, _ request: MatchBook.Request) {
    model = listing.model
    region = listing.region
    deliveryMode = request.deliveryMode
    legalForm = listing.legalForm
    termBucket = request.termBucket
    creditGrade = request.creditGrade
  }
}

/// The least common multiple of two numbers of at most 10^9 each.
func leastCommonMultiple(_ left: Int64, _ right: Int64) -> Int64 { left / greatestCommonDivisor(left, right) * right }

func greatestCommonDivisor(_ left: Int64, _ right: Int64) -> Int64 {
  var (a, b) = (left, right)
  while b != 0 { (a, b) = (b, a % b) }
  return a
}
