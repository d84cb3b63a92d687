import Primitives

/// Chips of one listing for one request: at most one allocation a pair and round. Becomes an offer.
package struct Allocation: Sendable, Hashable {
  package let listing: ListingID
  package let request: LoanRequestID
  package let lender: OrganizationID
  package let startup: OrganizationID
  package let chipModel: ChipModelID
  /// Chips, above 0.
  package let quantity: Int64
  /// The clearing rate of the pair's class, basis points a year; `ask <= rateBps <= limit`.
  package let rateBps: Int64
  /// The listing's ask, basis points a year.
  package let ask: Int64
  /// The most the request pays for the kind of chip it was matched under, basis points a year.
  package let limit: Int64

  package init(
    listing: ListingID, request: LoanRequestID, lender: OrganizationID, startup: OrganizationID,
    chipModel: ChipModelID, quantity: Int64, rateBps: Int64, ask: Int64, limit: Int64
  ) {
    self.listing = listing
    self.request = request
    self.lender = lender
    self.startup = startup
    self.chipModel = chipModel
    self.quantity = quantity
    self.rateBps = rateBps
    self.ask = ask
    self.limit = limit
  }
}

/// Lengths of loans that clear at one rate.
package enum TermBucket: String, Sendable, Hashable, CaseIterable, Comparable {
  case upTo30Days = "up_to_30_days"
  case upTo90Days = "up_to_90_days"
  case upTo180Days = "up_to_180_days"
  case upTo365Days = "up_to_365_days"
  case upTo730Days = "up_to_730_days"
  case over730Days = "over_730_days"

  /// The bucket of a term in days.
  package init(termDays: Int64) {
    switch termDays {
    case ...30: self = .upTo30Days
    case ...90: self = .upTo90Days
    case ...180: self = .upTo180Days
    case ...365: self = .upTo365Days
    case ...730: self = .upTo730Days
    default: self = .over730Days
    }
  }

  private var rank: Int {
    switch self {
    case .upTo30Days: 0
    case .upTo90Days: 1
    case .upTo180Days: 2
    case .upTo365Days: 3
    case .upTo730Days: 4
    case .over730Days: 5
    }
  }

  package static func < (left: TermBucket, right: TermBucket) -> Bool { left.rank < right.rank }
}

/// What one class of equal chips cleared at.
package struct ClassRate: Sendable, Hashable {
  package let chipModel: ChipModelID
  package let region: String
  package let deliveryMode: String
  package let legalForm: String
  package let termBucket: TermBucket
  package let creditGrade: String?
  /// Basis points a year, the same for every allocation of the class.
  package let clearingRateBps: Int64
  /// Chips matched in the class, above 0.
  package let quantity: Int64

  package init(
    chipModel: ChipModelID, region: String, deliveryMode: String, legalForm: String, termBucket: TermBucket,
    creditGrade: String?, clearingRateBps: Int64, quantity: Int64
  ) {
    self.chipModel = chipModel
    self.region = region
    self.deliveryMode = deliveryMode
    self.legalForm = legalForm
    self.termBucket = termBucket
    self.creditGrade = creditGrade
    self.clearingRateBps = clearingRateBps
    self.quantity = quantity
  }
}

/// What kept a pair of orders apart. The order of the cases is the order in which a pair is tested: it is counted at
/// the first that fails. The raw value is the name the interface shows.
package enum MatchConstraint: String, Sendable, Hashable, CaseIterable {
  /// One of the two organisations is not verified.
  case verification
  /// Lender and startup are one organisation.
  case sameOrganization = "same_organization"
  /// Lender and startup belong to one group.
  case affiliate
  /// The startup does not deal with this lender.
  case blockedLender = "blocked_lender"
  case chip
  /// The chip model has no mark, so its principal cannot be fixed.
  case unitValue = "unit_value"
  /// The export verdict on the pair is not clear. Tested before region, date and mode, so that none of these hides it.
  case exportVerdict = "export_verdict"
  case region
  case deliveryMode = "delivery_mode"
  case pattern
  case jurisdiction
  case creditGrade = "credit_grade"
  case term
  case startWindow = "start_window"
  /// The ask is above what the request pays for this chip.
  case rate
  /// What was asked or offered is filled already, by orders that went first.
  case alreadyFilled = "already_filled"
  /// No multiple that suits both sides fits into what is left of both.
  case multipleOf = "multiple_of"
  /// What is left of either side is below the listing's least piece.
  case listingMinQuantity = "listing_min_quantity"
  case exposure
  /// The licence that clears the pair has fewer chips left than the least piece.
  case licenceQuota = "licence_quota"
  /// The limits cross, but the pair cannot share the one rate of its class with those that went first.
  case clearingRate = "clearing_rate"
  /// The request holds chips of another model.
  case sameModel = "same_model"
  /// The request holds chips at another site.
  case sameSite = "same_site"
  /// The request deals with as many lenders as it wants.
  case maxLenders = "max_lenders"
  /// The request could not reach its least useful quantity.
  case requestMinQuantity = "request_min_quantity"
  /// Nothing above: the pieces of several constraints did not fit together.
  case combination
  /// The other side of the market is empty.
  case noCounterOrders = "no_counter_orders"

  /// Where it stands in the order of testing, from 0: a switch, since hashing a name for each pair is most of the cost
  /// of counting.
  var rank: Int {
    switch self {
    case .verification: 0
    case .sameOrganization: 1
    case .affiliate: 2
    case .blockedLender: 3
    case .chip: 4
    case .unitValue: 5
    case .exportVerdict: 6
    case .region: 7
    case .deliveryMode: 8
    case .pattern: 9
    case .jurisdiction: 10
    case .creditGrade: 11
    case .term: 12
    case .startWindow: 13
    case .rate: 14
    case .alreadyFilled: 15
    case .multipleOf: 16
    case .listingMinQuantity: 17
    case .exposure: 18
    case .licenceQuota: 19
    case .clearingRate: 20
    case .sameModel: 21
    case .sameSite: 22
    case .maxLenders: 23
    case .requestMinQuantity: 24
    case .combination: 25
    case .noCounterOrders: 26
    }
  }
}

/// How many counter-orders failed first at one constraint.
package struct LeftoverReason: Sendable, Hashable {
  package let constraint: MatchConstraint
  /// For `exportVerdict`, the verdict's effect; nil otherwise.
  package let effect: ExportEffect?
  /// Counter-orders, above 0 except for `noCounterOrders`.
  package let count: Int64

  package init(constraint: MatchConstraint, effect: ExportEffect? = nil, count: Int64) {
    self.constraint = constraint
    self.effect = effect
    self.count = count
  }
}

/// An order that the round did not fill, and why.
package struct Leftover: Sendable, Hashable {
  package enum Order: Sendable, Hashable {
    case listing(ListingID)
    case request(LoanRequestID)
  }

  package let order: Order
  /// Chips not matched, above 0.
  package let remaining: Int64
  /// In the order of `MatchConstraint`; the counts sum to the number of orders on the other side.
  package let reasons: [LeftoverReason]

  package init(order: Order, remaining: Int64, reasons: [LeftoverReason]) {
    self.order = order
    self.remaining = remaining
    self.reasons = reasons
  }
}

/// How a round came to its allocation.
package enum ClearingMethod: String, Sendable, Hashable, CaseIterable {
  /// The optimum of a market whose quantities may be split at will.
  case flow
  /// The optimum of a market with combinatorial constraints, by a search that ended.
  case search
  /// The optimum without the combinatorial constraints, repaired to keep them.
  case repair
  /// Price, then time; no optimum is sought.
  case priceTime = "price_time"
}

/// What the engine's own check says of its allocation.
package enum RoundCertificate: String, Sendable, Hashable, CaseIterable {
  /// Proved: no allocation reaches more.
  case valid
  /// Not proved; how much more there may be is `gap`.
  case gap
}

/// What a match round decided: a value that its snapshot reproduces to the bit.
package struct MatchRoundResult: Sendable, Hashable {
  /// The rule that decided, by name and version.
  package let engineVersion: String
  package let snapshotDigest: SHA256Digest
  /// By request, then listing, each in canonical order of the snapshot.
  package let allocations: [Allocation]
  /// By the members of the class in the order they are declared.
  package let classes: [ClassRate]
  /// Listings first, then requests, each in canonical order.
  package let leftovers: [Leftover]
  /// Sum over the allocations of unit value x (limit - ask) x quantity: minor units x basis points.
  package let objective: Int128
  /// No allocation that keeps every constraint has a higher objective: at least `objective`. The one rate for equal chips
  /// is no constraint here, so a gap may be its price.
  package let bound: Int128
  package let method: ClearingMethod
  package let certificate: RoundCertificate
  /// Jain's index of how evenly the requests that crossed with a listing were filled: 10,000 when all got the same
  /// share of what they asked for, 10,000 / n when one of n got everything.
  package let fairnessBps: Int64
  /// Chips in all allocations.
  package let matchedQuantity: Int64
  /// Number of allocations.
  package let matchedPairs: Int64
  /// SHA-256 over everything above.
  package private(set) var digest: SHA256Digest

  /// - Parameters:
  ///   - bound: `objective` when nil.
  ///   - fairnessBps: reckoned from the allocations and leftovers when nil.
  ///   - digest: a recorded one; that of the parts when nil.
  package init(
    engineVersion: String, snapshotDigest: SHA256Digest, allocations: [Allocation], classes: [ClassRate],
    leftovers: [Leftover], objective: Int128, matchedQuantity: Int64, matchedPairs: Int64, bound: Int128? = nil,
    method: ClearingMethod = .priceTime, certificate: RoundCertificate = .gap, fairnessBps: Int64? = nil,
    digest: SHA256Digest? = nil
  ) {
    self.engineVersion = engineVersion
    self.snapshotDigest = snapshotDigest
    self.allocations = allocations
    self.classes = classes
    self.leftovers = leftovers
    self.objective = objective
    self.bound = bound ?? objective
    self.method = method
    self.certificate = certificate
    self.fairnessBps = fairnessBps ?? fairness(allocations, leftovers)
    self.matchedQuantity = matchedQuantity
    self.matchedPairs = matchedPairs
    self.digest = .zero
    self.digest = digest ?? digestOfParts
  }

  /// How much more there may be than was found: `bound - objective`.
  package var gap: Int128 {
    let (gap, overflow) = bound.subtractingReportingOverflow(objective)
    return overflow ? .max : gap
  }
}
