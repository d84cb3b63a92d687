import Matching
import Primitives

/// The laws of a match round, checked pair by pair from the snapshot alone: written apart from the engine, with its own
/// reading of every constraint, slow and plain.
struct MatchLaws {
  let snapshot: MatchSnapshot
  let result: MatchRoundResult

  /// Every law that the result breaks, in words.
  func violations() -> [String] {
    brokenPairs() + brokenQuantities() + brokenRequests() + brokenExposures() + brokenQuotas() + brokenRates()
      + brokenTotals()
      + brokenReasons()
  }

  // MARK: Reading

  /// The first constraint, other than what the round decides, that keeps the two apart.
  func apart(_ listing: ListingLine, _ request: RequestLine) -> MatchConstraint? {
    let parents = [listing.lenderGroup, listing.lender].compactMap { $0 }
    if !(listing.verified && request.verified) { return .verification }
    if listing.lender == request.startup { return .sameOrganization }
    let families: (OrganizationID, OrganizationID) = (
      listing.lenderGroup ?? listing.lender, request.startupGroup ?? request.startup
    )
    if families.0 == families.1 || parents.contains(families.1) || families.0 == request.startup { return .affiliate }
    if request.blockedLenders.contains(listing.lender) { return .blockedLender }
    guard let limit = limits(listing, request).max() else { return .chip }
    if snapshot.unitValues[listing.chipModel] == nil { return .unitValue }
    if let effect = request.heldVerdicts[listing.verdictGroup], effect != "clear" { return .exportVerdict }
    if !request.regions.contains(listing.region) { return .region }
    if !listing.deliveryModes.contains(request.deliveryMode) { return .deliveryMode }
    if !listing.patterns.contains(request.pattern) { return .pattern }
    if let allowed = listing.jurisdictions, !allowed.contains(request.jurisdiction) { return .jurisdiction }
    if let grades = listing.creditGrades, !(request.creditGrade.map { grades.contains($0) } ?? false) {
      return .creditGrade
    }
    if request.termDays < listing.minTermDays || listing.maxTermDays < request.termDays { return .term }
    if (request.startByOn ?? request.startOn) < listing.availableOn { return .startWindow }
    return limit < listing.askRateBps ? .rate : nil
  }

  /// Limits of all the request's chips that the listing is.
  func limits(_ listing: ListingLine, _ request: RequestLine) -> [Int64] {
    request.acceptable.filter { accepted in
      switch accepted.chip {
      case .model(let model): return model == listing.chipModel
      case .capability(let minimum):
        let facts = listing.capability
        return [
          (minimum.memoryGB, facts.memoryGB), (minimum.bf16Dense, facts.bf16Dense),
          (minimum.interconnect, facts.interconnect),
        ].allSatisfy { minimum, fact in minimum.map { ($0 <= fact ?? -1) } ?? true }
      }
    }.map(\.maxRateBps)
  }

  func principal(_ quantity: Int64, _ listing: ListingLine) -> Int128 {
    let product =
      Int128(quantity) * Int128(snapshot.unitValues[listing.chipModel] ?? 0) * Int128(listing.advanceRateBps)
    return (try? product.divided(by: 10_000, rounding: .halfEven)) ?? -1
  }

  private func listing(_ id: ListingID) -> ListingLine? { snapshot.listings.first { $0.id == id } }
  private func request(_ id: LoanRequestID) -> RequestLine? { snapshot.requests.first { $0.id == id } }

  /// Chips that the round took from or gave to an order.
  func matched(_ id: ListingID) -> Int64 {
    result.allocations.filter { $0.listing == id }.reduce(0) { $0 + $1.quantity }
  }

  func matched(_ id: LoanRequestID) -> Int64 {
    result.allocations.filter { $0.request == id }.reduce(0) { $0 + $1.quantity }
  }

  func matched(_ order: Leftover.Order) -> Int64 {
    switch order {
    case .listing(let id): matched(id)
    case .request(let id): matched(id)
    }
  }

  // MARK: Laws

  private func brokenPairs() -> [String] {
    var broken: [String] = []
    var pairs: Set<String> = []
    for allocation in result.allocations {
      let name = "\(allocation.request) and \(allocation.listing)"
      guard let listing = listing(allocation.listing), let request = request(allocation.request) else {
        broken.append("\(name): no such orders")
        continue
      }
      if !pairs.insert(name).inserted { broken.append("\(name): matched twice") }
      if let constraint = apart(listing, request) { broken.append("\(name): matched against \(constraint)") }
      if allocation.ask != listing.askRateBps || !limits(listing, request).contains(allocation.limit)
        || allocation.chipModel != listing.chipModel || allocation.lender != listing.lender
        || allocation.startup != request.startup
      {
        broken.append("\(name): misreported")
      }
      if allocation.rateBps < allocation.ask || allocation.rateBps > allocation.limit {
        broken.append("\(name): not individually rational")
      }
      if allocation.quantity < max(1, listing.minQuantity) { broken.append("\(name): piece below the least") }
      if allocation.quantity % listing.multipleOf != 0 || allocation.quantity % request.multipleOf != 0 {
        broken.append("\(name): not a multiple")
      }
    }
    return broken
  }

  private func brokenQuantities() -> [String] {
    var expected: [Leftover.Order: Int64] = [:]
    var broken: [String] = []
    for line in snapshot.listings {
      let left = line.quantity - matched(line.id)
      if left < 0 { broken.append("\(line.id): oversold") }
      if left > 0 { expected[.listing(line.id)] = left }
    }
    for line in snapshot.requests {
      let left = line.quantity - matched(line.id)
      if left < 0 { broken.append("\(line.id): overfilled") }
      if left > 0 { expected[.request(line.id)] = left }
    }
    if expected != Dictionary(result.leftovers.map { ($0.order, $0.remaining) }, uniquingKeysWith: { _, _ in -1 }) {
      broken.append("the leftovers are not what was not matched")
    }
    return broken
  }

  private func brokenRequests() -> [String] {
    var broken: [String] = []
    for line in snapshot.requests {
      let pieces = result.allocations.filter { $0.request == line.id }
      let listings = pieces.compactMap { listing($0.listing) }
      if !pieces.isEmpty, matched(line.id) < line.minQuantity { broken.append("\(line.id): below its least") }
      if line.sameModel, Set(listings.map(\.chipModel)).count > 1 { broken.append("\(line.id): several models") }
      if line.sameSite, Set(listings.map(\.site)).count > 1 { broken.append("\(line.id): several sites") }
      if let most = line.maxLenders, Set(listings.map(\.lender)).count > most {
        broken.append("\(line.id): too many lenders")
      }
    }
    return broken
  }

  private func brokenExposures() -> [String] {
    var broken: [String] = []
    for lender in Set(result.allocations.map(\.lender)) {
      for startup in Set(result.allocations.map(\.startup)) {
        let pieces = result.allocations.filter { $0.lender == lender && $0.startup == startup }
        let listings = pieces.compactMap { listing($0.listing) }
        guard let limit = listings.compactMap(\.maxExposure).min() else { continue }
        var out =
          snapshot.requests.filter { $0.startup == startup }
          .map { Int128($0.exposureByLender[lender] ?? 0) }.max() ?? 0
        for (piece, listing) in zip(pieces, listings) { out += principal(piece.quantity, listing) }
        if out > Int128(limit) { broken.append("\(lender) to \(startup): exposure \(out) above \(limit)") }
      }
    }
    return broken
  }

  private func brokenQuotas() -> [String] {
    var used: [LicenceID: Int64] = [:]
    for piece in result.allocations {
      guard let listing = listing(piece.listing), let licence = request(piece.request)?.licences[listing.verdictGroup]
      else { continue }
      used[licence, default: 0] += piece.quantity
    }
    return used.filter { $0.value > snapshot.licenceRoom[$0.key] ?? 0 }.map { "\($0.key): \($0.value) chips" }.sorted()
  }

  private func classText(_ allocation: Allocation) -> String {
    guard let listing = listing(allocation.listing), let request = request(allocation.request) else { return "" }
    let bucket = TermBucket(termDays: request.termDays).rawValue
    return [
      listing.chipModel.value, listing.region, request.deliveryMode, listing.legalForm, bucket,
      request.creditGrade ?? "-",
    ].joined(separator: "/")
  }

  private func brokenRates() -> [String] {
    var broken: [String] = []
    for (name, pieces) in Dictionary(grouping: result.allocations, by: classText) {
      let (ask, limit) = (pieces.map(\.ask).max() ?? 0, pieces.map(\.limit).min() ?? 0)
      let rates = Set(pieces.map(\.rateBps))
      guard rates.count == 1, let rate = rates.first else {
        broken.append("\(name): several rates")
        continue
      }
      if rate < ask || rate > limit { broken.append("\(name): a rate that not all embrace") }
      let stated = result.classes.filter {
        [$0.chipModel.value, $0.region, $0.deliveryMode, $0.legalForm, $0.termBucket.rawValue, $0.creditGrade ?? "-"]
          .joined(separator: "/") == name
      }
      if stated.map(\.clearingRateBps) != [rate]
        || stated.map(\.quantity) != [pieces.reduce(0) { $0 + $1.quantity }]
      {
        broken.append("\(name): misstated")
      }
    }
    if result.classes.count != Set(result.allocations.map(classText)).count { broken.append("classes without pieces") }
    return broken
  }

  private func brokenTotals() -> [String] {
    var objective: Int128 = 0
    for piece in result.allocations {
      objective +=
        Int128(snapshot.unitValues[piece.chipModel] ?? 0) * Int128(piece.limit - piece.ask)
        * Int128(piece.quantity)
    }
    var broken: [String] = []
    if objective != result.objective { broken.append("objective \(result.objective), not \(objective)") }
    if result.matchedQuantity != result.allocations.reduce(0, { $0 + $1.quantity }) { broken.append("quantity") }
    if result.matchedPairs != Int64(result.allocations.count) { broken.append("pairs") }
    if !result.isWhole { broken.append("digest") }
    return broken
  }

  /// Reasons count each counter-order once, and those that do not depend on the round exactly where they fail.
  private func brokenReasons() -> [String] {
    var broken: [String] = []
    for leftover in result.leftovers {
      let others: [MatchConstraint?] =
        switch leftover.order {
        case .listing(let id):
          snapshot.requests.map { request in listing(id).flatMap { apart($0, request) } }
        case .request(let id):
          snapshot.listings.map { listing in request(id).flatMap { apart(listing, $0) } }
        }
      if others.isEmpty {
        if leftover.reasons != [LeftoverReason(constraint: .noCounterOrders, count: 0)] {
          broken.append("\(leftover.order): no counter-orders, but other reasons")
        }
        continue
      }
      if leftover.reasons.contains(where: { $0.count <= 0 }) || leftover.reasons.isEmpty {
        broken.append("\(leftover.order): a reason that counts nothing")
      }
      if leftover.reasons.reduce(0, { $0 + $1.count }) != Int64(others.count) {
        broken.append("\(leftover.order): not every counter-order is counted once")
      }
      for constraint in Set(others.compactMap { $0 }) {
        let stated = leftover.reasons.filter { $0.constraint == constraint }.reduce(0) { $0 + $1.count }
        let counted = Int64(others.count { $0 == constraint })
        if stated != counted { broken.append("\(leftover.order): \(constraint) \(stated), counted \(counted)") }
      }
    }
    return broken
  }
}
