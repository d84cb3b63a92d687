import Primitives

/// A single change of a request that would have matched it, found by clearing the market again with it.
package struct MatchChange: Sendable, Hashable {
  package enum Kind: String, Sendable, Hashable, CaseIterable {
    /// A higher limit for a chip it takes already.
    case rate
    /// Another length of loan.
    case term
    /// A later last day to start.
    case startDate = "start_date"
    /// One more region.
    case region
    /// A smaller least useful quantity.
    case minQuantity = "min_quantity"
    /// Chips of several models.
    case sameModel = "same_model"
    /// Chips at several sites.
    case sameSite = "same_site"
    /// One more lender.
    case maxLenders = "max_lenders"
    /// One more chip model, at the highest limit it states now.
    case chip

    /// Whether the change may be named where an export rule is among the causes: none that would lead round a rule.
    var isAllowedUnderExportRule: Bool { self == .rate || self == .chip }
  }

  package let kind: Kind
  /// The chip meant by `rate` and `chip`.
  package let chipModel: ChipModelID?
  /// The new limit, basis points; term, days; least quantity, chips; number of lenders. 0 for what has no number.
  package let number: Int64
  /// The region to add.
  package let region: String?
  /// The new last day to start.
  package let date: CalendarDate?
  /// Chips that the request would have been matched with.
  package let quantity: Int64
}

/// What would have matched a request that a round left over.
package struct ChangeSearch {
  private let snapshot: MatchSnapshot
  private let request: RequestLine
  private let searchLimit: Int
  private var clearings = 0
  /// Chips that the request gets as it stands; known once `changes` was asked for.
  package private(set) var matchedAsItStands: Int64 = 0
  /// Markets cleared for one request at most.
  private static let mostClearings = 60
  private static let triesOfOneKind = 3
  /// Limits are named in steps of this, basis points, so that nobody reads another's limit out of them.
  static let rateGrain: Int64 = 25

  /// - Parameter request: one of the snapshot's, or a line that is not in it and is added for the search.
  package init(_ snapshot: MatchSnapshot, _ request: RequestLine, searchLimit: Int = 300_000) {
    self.snapshot = snapshot
    self.request = request
    self.searchLimit = searchLimit
  }

  /// The smallest change of each kind with which the request gets more chips than as it stands; empty where there is
  /// none, or none within the bound on clearings.
  ///
  /// - Parameter isHeldByRule: an export rule is among the causes: nothing is named that would lead round it.
  package mutating func changes(isHeldByRule: Bool) throws(MatchRefusal) -> [MatchChange] {
    matchedAsItStands = try matched(request)
    var changes: [MatchChange] = []
    for kind in MatchChange.Kind.allCases where !isHeldByRule || kind.isAllowedUnderExportRule {
      if let change = try smallest(kind) { changes.append(change) }
    }
    return changes
  }

  private mutating func smallest(_ kind: MatchChange.Kind) throws(MatchRefusal) -> MatchChange? {
    switch kind {
    case .rate: return try smallestRate()
    case .term:
      let terms = Set(offers.map { min(max(request.termDays, $0.minTermDays), $0.maxTermDays) })
        .subtracting([request.termDays]).sorted { (abs($0 - request.termDays), $0) < (abs($1 - request.termDays), $1) }
      return try first(terms) { .init(kind, number: $0) }
    case .startDate:
      let days = Set(offers.map(\.availableOn).filter { $0 > request.latestStart }).sorted()
      return try first(days) { .init(kind, date: $0) }
    case .region:
      let regions = Set(offers.map(\.region)).subtracting(request.regions).sorted()
      return try first(regions) { .init(kind, region: $0) }
    case .minQuantity:
      guard request.minQuantity > 1 else { return nil }
      let least = try matched(request.changed(by: .init(kind, number: 1)))
      guard least > matchedAsItStands, least < request.minQuantity else { return nil }
      return try first([least]) { .init(kind, number: $0) }
    case .sameModel: return request.sameModel ? try first([0]) { .init(kind, number: $0) } : nil
    case .sameSite: return request.sameSite ? try first([0]) { .init(kind, number: $0) } : nil
    case .maxLenders:
      guard let most = request.maxLenders else { return nil }
      return try first([Int64(clamping: most) + 1]) { .init(kind, number: $0) }
    case .chip:
      // A chip that no verdict was taken for may be one that a rule holds.
      guard snapshot.isScreenedWhole, let limit = request.acceptable.map(\.maxRateBps).max() else { return nil }
      let models = Set(snapshot.listings.filter { $0.quantity > 0 && !takes($0) }.map(\.chipModel)).sorted()
      return try first(models) { .init(kind, chipModel: $0, number: limit) }
    }
  }

  /// The least limit at which a chip that it takes is matched: halving, since a higher limit never matches less.
  private mutating func smallestRate() throws(MatchRefusal) -> MatchChange? {
    var best: MatchChange?
    for model in Set(offers.map(\.chipModel)).sorted() {
      guard let limit = request.limit(for: model, offers) else { continue }
      // Beyond every limit and every ask for it nobody is in its way.
      var high = limit
      for line in snapshot.listings where line.chipModel == model { high = max(high, line.askRateBps) }
      for line in snapshot.requests { for chip in line.acceptable { high = max(high, chip.maxRateBps) } }
      high = min(high + 1, 1_000_000)
      guard high > limit,
        try matched(request.changed(by: .init(.rate, chipModel: model, number: high)))
          > matchedAsItStands
      else { continue }
      var low = limit
      while high - low > 1, clearings < Self.mostClearings {
        let middle = low + (high - low) / 2
        let quantity = try matched(request.changed(by: .init(.rate, chipModel: model, number: middle)))
        if quantity > matchedAsItStands {
          high = middle
        } else {
          low = middle
        }
      }
      high = min((high + Self.rateGrain - 1) / Self.rateGrain * Self.rateGrain, 1_000_000)
      if best.map({ high < $0.number }) ?? true {
        best = try first([high]) { .init(.rate, chipModel: model, number: $0) }
      }
    }
    return best
  }

  private mutating func first<Value>(
    _ values: [Value], _ change: (Value) -> MatchChange
  ) throws(MatchRefusal) -> MatchChange? {
    for value in values.prefix(Self.triesOfOneKind) {
      let change = change(value)
      let quantity = try matched(request.changed(by: change))
      if quantity > matchedAsItStands { return change.matching(quantity) }
    }
    return nil
  }

  /// Listings of chips that it takes, at whatever price and on whatever terms.
  private var offers: [ListingLine] { snapshot.listings.filter { $0.quantity > 0 && takes($0) } }

  private func takes(_ listing: ListingLine) -> Bool { request.acceptable.contains { $0.includes(listing) } }

  private mutating func matched(_ line: RequestLine) throws(MatchRefusal) -> Int64 {
    guard clearings < Self.mostClearings else { return matchedAsItStands }
    clearings += 1
    let changed = try snapshot.replacing(line)
    let book = MatchBook(changed, fittingLimit: 0)
    let state = Optimum(book, searchLimit: searchLimit).settle().state
    guard let position = changed.requests.firstIndex(where: { $0.id == line.id }) else { return 0 }
    return state.filled[position]
  }
}

extension MatchChange {
  fileprivate init(
    _ kind: Kind, chipModel: ChipModelID? = nil, number: Int64 = 0, region: String? = nil, date: CalendarDate? = nil
  ) {
    self.init(kind: kind, chipModel: chipModel, number: number, region: region, date: date, quantity: 0)
  }

  fileprivate func matching(_ quantity: Int64) -> MatchChange {
    MatchChange(kind: kind, chipModel: chipModel, number: number, region: region, date: date, quantity: quantity)
  }
}

extension AcceptableChip {
  func includes(_ listing: ListingLine) -> Bool {
    switch chip {
    case .model(let model): model == listing.chipModel
    case .capability(let minimum): listing.capability.meets(minimum)
    }
  }
}

extension RequestLine {
  /// The most it pays for a model that is among these listings.
  fileprivate func limit(for model: ChipModelID, _ listings: [ListingLine]) -> Int64? {
    guard let listing = listings.first(where: { $0.chipModel == model }) else { return nil }
    return acceptable.filter { $0.includes(listing) }.map(\.maxRateBps).max()
  }

  /// The request with one thing changed.
  fileprivate func changed(by change: MatchChange) -> RequestLine {
    var (acceptable, regions) = (self.acceptable, self.regions)
    if let model = change.chipModel { acceptable.append(.model(model, maxRateBps: change.number)) }
    if let region = change.region { regions.append(region) }
    return RequestLine(
      id: id, startup: startup, startupGroup: startupGroup, jurisdiction: jurisdiction, creditGrade: creditGrade,
      quantity: quantity, minQuantity: change.kind == .minQuantity ? change.number : minQuantity,
      multipleOf: multipleOf, sameModel: sameModel && change.kind != .sameModel,
      sameSite: sameSite && change.kind != .sameSite,
      maxLenders: change.kind == .maxLenders ? Int(change.number) : maxLenders, acceptable: acceptable,
      regions: regions, termDays: change.kind == .term ? change.number : termDays, startOn: startOn,
      startByOn: change.date ?? startByOn, deliveryMode: deliveryMode, pattern: pattern, sequence: sequence,
      verified: verified, heldVerdicts: heldVerdicts, licences: licences, blockedLenders: blockedLenders,
      exposureByLender: exposureByLender)
  }
}

/// Where a request that wants more stands among those that want the same chips.
package struct QueuePosition: Sendable, Hashable {
  /// 1 is the front.
  package let position: Int64
  /// Chips that those before it still want.
  package let chipsAhead: Int64
}

extension MatchSnapshot {
  /// Whether chips that the request takes may go to it under a licence only: then an export rule is among the causes of
  /// whatever it does not get.
  package func needsLicence(_ request: RequestLine) -> Bool {
    listings.contains { listing in
      request.licences[listing.verdictGroup] != nil && request.acceptable.contains { $0.includes(listing) }
    }
  }

  /// The place of a request among those that a round left wanting: before it stand those that take a chip it takes, at
  /// a higher limit for it, or at the same and earlier.
  ///
  /// - Parameter remaining: chips still wanted, by request.
  package func queuePosition(of id: LoanRequestID, remaining: [LoanRequestID: Int64]) -> QueuePosition? {
    guard let own = requests.first(where: { $0.id == id }), remaining[id] ?? 0 > 0 else { return nil }
    var (position, ahead) = (Int64(1), Int64(0))
    for other in requests where other.id != id {
      guard let left = remaining[other.id], left > 0, goesBefore(other, own) else { continue }
      position += 1
      // Each is at most 10^9, and there are fewer than 2^32 of them.
      ahead += left
    }
    return QueuePosition(position: position, chipsAhead: ahead)
  }

  private func goesBefore(_ other: RequestLine, _ own: RequestLine) -> Bool {
    if Set(other.regions).isDisjoint(with: own.regions) { return false }
    for mine in own.acceptable {
      for theirs in other.acceptable where theirs.chip == mine.chip {
        if theirs.maxRateBps > mine.maxRateBps { return true }
        if theirs.maxRateBps == mine.maxRateBps, (other.sequence, other.id) < (own.sequence, own.id) { return true }
      }
    }
    return false
  }
}
