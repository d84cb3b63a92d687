import Primitives

/// A snapshot as dense integers: names become indices once, so that testing a pair compares numbers only.
/// Positions are those of the snapshot's canonical order.
struct MatchBook {
  /// One listing without references, so that copying it costs nothing.
  struct Listing {
    let ask: Int64
    let quantity: Int64
    let minQuantity: Int64
    let multipleOf: Int64
    let lender: Int
    /// The lender's ultimate parent or, without one, the lender.
    let family: Int
    let model: Int
    /// Model and published figures together.
    let kind: Int
    let region: Int
    let site: Int
    let legalForm: Int
    /// 0 where the model has no mark.
    let unitValue: Int64
    let advanceRateBps: Int64
    /// `Int64.max` where there is no limit.
    let maxExposure: Int64
    let minTermDays: Int64
    let maxTermDays: Int64
    let availableOn: Int32
    let verdictGroup: Int
    let verified: Bool
    let deliveryModes: Membership
    let patterns: Membership
    let creditGrades: Membership
    let jurisdictions: Membership
  }

  struct Request {
    let quantity: Int64
    let minQuantity: Int64
    let multipleOf: Int64
    let startup: Int
    let family: Int
    let deliveryMode: Int
    let pattern: Int
    /// -1 where none is assigned.
    let creditGrade: Int
    let jurisdiction: Int
    let regions: Membership
    let termDays: Int64
    let termBucket: TermBucket
    let latestStart: Int32
    /// `Int.max` where there is no limit.
    let maxLenders: Int
    let sameModel: Bool
    let sameSite: Bool
    let verified: Bool
    let hasHeldVerdicts: Bool
    let hasLicences: Bool
    let hasBlockedLenders: Bool
    /// Its claims are `claims[firstClaim..<endClaim]`, in the order of preference.
    let firstClaim: Int
    let endClaim: Int
  }

  /// One acceptable chip of one request.
  struct Claim {
    let request: Int
    /// The model asked for, -1 for a model nobody lists, nil for a capability.
    let model: Int?
    let minimum: ChipCapability
    let limit: Int64
    /// The limit it queues with: never above that of a chip the request prefers, since it is tried after that one.
    let queueLimit: Int64
  }

  let snapshot: MatchSnapshot
  private(set) var listings: [Listing] = []
  private(set) var requests: [Request] = []
  private(set) var claims: [Claim] = []
  /// Claim positions: higher `queueLimit`, then earlier request, then preference.
  private(set) var queue: [Int] = []
  /// Listing positions of one model: lower ask, then earlier.
  private(set) var listingsByModel: [[Int]] = []
  /// All listing positions: lower ask, then earlier.
  private(set) var listingsByAsk: [Int] = []
  /// For each claim the listings that fit it as far as nothing the round changes decides, lower ask first; nil where
  /// the lists would take too much memory, and the claim looks through all listings each time.
  private(set) var fitting: [[Int32]?] = []
  static let usualFittingLimit = 20_000_000
  /// Verdicts other than clear of a request, by verdict group.
  private(set) var heldEffects: [[Int: ExportEffect]] = []
  /// Licences that clear a request, by verdict group, as positions in `licenceRoom`; for requests that have any.
  private(set) var licences: [Int: [Int: Int]] = [:]
  /// Chips that each licence still clears, by id.
  let licenceRoom: [Int64]
  /// Blocked lenders of a request, for those that have any.
  private(set) var blockedLenders: [Int: Set<Int>] = [:]
  /// Lenders of which at least one listing limits exposure.
  private(set) var limitedLenders: Set<Int> = []
  private(set) var kindCapabilities: [ChipCapability] = []
  private(set) var organizations = Interner<OrganizationID>()
  private var models = Interner<ChipModelID>()
  private var vocabulary = Vocabulary()
  private(set) var spilled: [Set<Int>] = []

  init(_ snapshot: MatchSnapshot, fittingLimit: Int = usualFittingLimit) {
    self.snapshot = snapshot
    let licenceOrder = snapshot.licenceRoom.keys.sorted()
    licenceRoom = licenceOrder.map { snapshot.licenceRoom[$0] ?? 0 }
    let positions = Dictionary(uniqueKeysWithValues: zip(licenceOrder, licenceOrder.indices))
    for (position, line) in snapshot.requests.enumerated() where !line.licences.isEmpty {
      licences[position] = line.licences.compactMapValues { positions[$0] }
    }
    // Requests first: a listing's set need only say which of the values that requests ask for it holds.
    for line in snapshot.requests { vocabulary.learn(line) }
    for line in snapshot.listings { _ = vocabulary.regions.index(of: line.region) }
    addListings()
    for line in snapshot.requests { addRequest(line) }
    queue = Array(claims.indices).sorted { left, right in
      let (first, second) = (claims[left], claims[right])
      if first.queueLimit != second.queueLimit { return first.queueLimit > second.queueLimit }
      return left < right
    }
    findFitting(upTo: fittingLimit)
  }

  /// Done once, since a round may walk its queue several times.
  private mutating func findFitting(upTo limit: Int) {
    var kept = 0
    for claim in claims {
      guard kept < limit else {
        fitting.append(nil)
        continue
      }
      var list: [Int32] = []
      if claim.model != -1, requests[claim.request].verified {
        for position in order(for: claim) {
          if listings[position].ask > claim.limit { break }
          if fits(position, claim) { list.append(Int32(truncatingIfNeeded: position)) }
        }
      }
      kept += list.count
      fitting.append(list)
    }
  }

  /// All listings that may be of the claim's chip, lower ask first.
  func order(for claim: Claim) -> [Int] {
    guard let model = claim.model else { return listingsByAsk }
    return model < 0 ? [] : listingsByModel[model]
  }

  private mutating func addListings() {
    var kinds = Interner<Kind>()
    var sites = Interner<String>()
    var legalForms = Interner<String>()
    for line in snapshot.listings {
      let model = models.index(of: line.chipModel)
      let kind = kinds.index(of: Kind(model: model, capability: line.capability))
      if kind == kindCapabilities.count { kindCapabilities.append(line.capability) }
      if model == listingsByModel.count { listingsByModel.append([]) }
      listingsByModel[model].append(listings.count)
      let listing = Listing(
        ask: line.askRateBps, quantity: line.quantity, minQuantity: line.minQuantity, multipleOf: line.multipleOf,
        lender: organizations.index(of: line.lender),
        family: organizations.index(of: line.lenderGroup ?? line.lender), model: model, kind: kind,
        region: vocabulary.regions.index(of: line.region), site: sites.index(of: line.site),
        legalForm: legalForms.index(of: line.legalForm), unitValue: snapshot.unitValues[line.chipModel] ?? 0,
        advanceRateBps: line.advanceRateBps, maxExposure: line.maxExposure ?? Int64.max,
        minTermDays: line.minTermDays, maxTermDays: line.maxTermDays, availableOn: line.availableOn.dayNumber,
        verdictGroup: line.verdictGroup, verified: line.verified,
        deliveryModes: membership(line.deliveryModes, in: vocabulary.deliveryModes),
        patterns: membership(line.patterns, in: vocabulary.patterns),
        creditGrades: line.creditGrades.map { membership($0, in: vocabulary.creditGrades) } ?? .all,
        jurisdictions: line.jurisdictions.map { membership($0, in: vocabulary.jurisdictions) } ?? .all)
      listings.append(listing)
      if line.maxExposure != nil { limitedLenders.insert(listing.lender) }
    }
    listingsByAsk = Array(listings.indices).sorted { (listings[$0].ask, $0) < (listings[$1].ask, $1) }
    for model in listingsByModel.indices {
      listingsByModel[model].sort { (listings[$0].ask, $0) < (listings[$1].ask, $1) }
    }
  }

  private mutating func addRequest(_ line: RequestLine) {
    let position = requests.count
    let firstClaim = claims.count
    var queueLimit = Int64.max
    for accepted in line.acceptable {
      queueLimit = min(queueLimit, accepted.maxRateBps)
      let (model, minimum): (Int?, ChipCapability) =
        switch accepted.chip {
        case .model(let model): (models.known(model) ?? -1, ChipCapability())
        case .capability(let minimum): (nil, minimum)
        }
      claims.append(
        Claim(request: position, model: model, minimum: minimum, limit: accepted.maxRateBps, queueLimit: queueLimit))
    }
    let request = Request(
      quantity: line.quantity, minQuantity: line.minQuantity, multipleOf: line.multipleOf,
      startup: organizations.index(of: line.startup),
      family: organizations.index(of: line.startupGroup ?? line.startup),
      deliveryMode: vocabulary.deliveryModes.index(of: line.deliveryMode),
      pattern: vocabulary.patterns.index(of: line.pattern),
      creditGrade: line.creditGrade.map { vocabulary.creditGrades.index(of: $0) } ?? -1,
      jurisdiction: vocabulary.jurisdictions.index(of: line.jurisdiction),
      regions: membership(Set(line.regions), in: vocabulary.regions), termDays: line.termDays,
      termBucket: TermBucket(termDays: line.termDays), latestStart: line.latestStart.dayNumber,
      maxLenders: line.maxLenders ?? Int.max, sameModel: line.sameModel, sameSite: line.sameSite,
      verified: line.verified, hasHeldVerdicts: line.heldVerdicts.contains { $0.value != ExportEffect.clear.rawValue },
      hasLicences: !line.licences.isEmpty, hasBlockedLenders: !line.blockedLenders.isEmpty, firstClaim: firstClaim,
      endClaim: claims.count)
    // An effect that does not parse was refused with the snapshot; were one to come here it would hold.
    let effects = line.heldVerdicts.mapValues { ExportEffect(rawValue: $0) ?? .holdReview }
    heldEffects.append(effects.filter { $0.value != .clear })
    if request.hasBlockedLenders {
      blockedLenders[position] = Set(line.blockedLenders.compactMap { organizations.known($0) })
    }
    requests.append(request)
  }

  /// The licence that clears the pair, as a position in `licenceRoom`; nil where it is clear without one.
  func licence(_ listing: Int, _ request: Int) -> Int? {
    guard requests[request].hasLicences else { return nil }
    return licences[request]?[listings[listing].verdictGroup]
  }

  mutating func keepAside(_ rest: Set<Int>) -> Int {
    spilled.append(rest)
    return spilled.count - 1
  }

  private struct Kind: Hashable {
    let model: Int
    let capability: ChipCapability
  }

  private struct Vocabulary {
    var deliveryModes = Interner<String>()
    var patterns = Interner<String>()
    var creditGrades = Interner<String>()
    var jurisdictions = Interner<CountryCode>()
    var regions = Interner<String>()

    mutating func learn(_ line: RequestLine) {
      _ = deliveryModes.index(of: line.deliveryMode)
      _ = patterns.index(of: line.pattern)
      if let grade = line.creditGrade { _ = creditGrades.index(of: grade) }
      _ = jurisdictions.index(of: line.jurisdiction)
    }
  }
}

/// Names to indices in order of first appearance.
struct Interner<Value: Hashable> {
  private var indices: [Value: Int] = [:]

  mutating func index(of value: Value) -> Int {
    if let index = indices[value] { return index }
    let index = indices.count
    indices[value] = index
    return index
  }

  /// The index, if the value has one.
  func known(_ value: Value) -> Int? { indices[value] }

  var count: Int { indices.count }
}

/// A set of indices without references: one machine word for the first 64, which is all in any market with fewer than
/// 65 distinct values; the book keeps the rest aside.
struct Membership: Hashable {
  let word: UInt64
  /// Position in the book's spilled sets; -1 for none.
  let spill: Int
  let holdsAll: Bool

  static let all = Membership(word: 0, spill: -1, holdsAll: true)
}

extension MatchBook {
  /// The set of those values that the interner knows.
  mutating func membership<Value: Hashable>(_ values: Set<Value>, in interner: Interner<Value>) -> Membership {
    var word: UInt64 = 0
    var rest: Set<Int> = []
    for value in values {
      guard let index = interner.known(value) else { continue }
      if index < 64 { word |= 1 << UInt64(index) } else { rest.insert(index) }
    }
    if rest.isEmpty { return Membership(word: word, spill: -1, holdsAll: false) }
    return Membership(word: word, spill: keepAside(rest), holdsAll: false)
  }

  /// Whether the index is a member; -1, no value at all, is a member of `all` only.
  func contains(_ set: Membership, _ index: Int) -> Bool {
    if set.holdsAll { return true }
    if index < 0 { return false }
    if index < 64 { return set.word >> UInt64(index) & 1 == 1 }
    return set.spill >= 0 && spilled[set.spill].contains(index)
  }
}
