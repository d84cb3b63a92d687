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

/// The constraints that do not change while a round runs, in the order of `MatchConstraint`. Each is written once, here:
/// the engine asks whether there is a failure, the explanation asks which.
extension MatchBook {
  /// Who the two are to each other.
  func partyFailure(_ listing: Listing, _ position: Int) -> MatchConstraint? {
    let request = requests[position]
    if listing.lender == request.startup { return .sameOrganization }
    // A parent may itself be the other party, so the organisation stands beside its family.
    if listing.family == request.family || listing.family == request.startup || listing.lender == request.family {
      return .affiliate
    }
    if request.hasBlockedLenders, blockedLenders[position]?.contains(listing.lender) == true { return .blockedLender }
    return nil
  }

  /// Whether the listing's chip is what the claim asks for.
  func isChip(_ listing: Listing, of claim: Claim) -> Bool {
    if let model = claim.model { return listing.model == model }
    return kindCapabilities[listing.kind].meets(claim.minimum)
  }

  /// The most the request pays for the listing's chip; nil when it does not take it.
  func bestLimit(_ listing: Listing, _ request: Request) -> Int64? {
    var best: Int64?
    for position in request.firstClaim..<request.endClaim where isChip(listing, of: claims[position]) {
      best = max(best ?? 0, claims[position].limit)
    }
    return best
  }

  /// What follows from chip, mark, verdict group and region alone.
  func segmentFailure(_ listing: Listing, _ position: Int) -> PairFailure? {
    if bestLimit(listing, requests[position]) == nil { return PairFailure(.chip) }
    return segmentFailureOfAcceptableChip(listing, position)
  }

  /// As `segmentFailure`, where the chip is known to be one the request takes.
  func segmentFailureOfAcceptableChip(_ listing: Listing, _ position: Int) -> PairFailure? {
    let request = requests[position]
    if listing.unitValue == 0 { return PairFailure(.unitValue) }
    if request.hasHeldVerdicts, let name = snapshot.requests[position].heldVerdicts[listing.verdictGroup] {
      // An effect that does not parse was refused with the snapshot; were one to come here it would hold.
      let effect = ExportEffect(rawValue: name) ?? .holdReview
      if effect != .clear { return PairFailure(.exportVerdict, effect: effect) }
    }
    return contains(request.regions, listing.region) ? nil : PairFailure(.region)
  }

  /// What follows from the listing's terms.
  func termsFailure(_ listing: Listing, _ request: Request) -> MatchConstraint? {
    if !contains(listing.deliveryModes, request.deliveryMode) { return .deliveryMode }
    if !contains(listing.patterns, request.pattern) { return .pattern }
    if !contains(listing.jurisdictions, request.jurisdiction) { return .jurisdiction }
    if !contains(listing.creditGrades, request.creditGrade) { return .creditGrade }
    if request.termDays < listing.minTermDays || request.termDays > listing.maxTermDays { return .term }
    if listing.availableOn > request.latestStart { return .startWindow }
    return nil
  }

  /// Whether the pair may be matched under a claim, as far as nothing that the round changes decides it.
  func fits(_ listing: Listing, _ claim: Claim) -> Bool {
    let request = requests[claim.request]
    return listing.ask <= claim.limit && listing.verified && request.verified && isChip(listing, of: claim)
      && termsFailure(listing, request) == nil && segmentFailureOfAcceptableChip(listing, claim.request) == nil
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
