import Catalogue
import Lending
import Matching
import Parties
import Persistence
import Postgres
import Primitives
import Valuation

/// Everything that is open at one moment, read in one snapshot of the database.
package struct Market: Sendable {
  package let now: Instant
  package let reference: ReferenceData
  package let listings: [Listing]
  package let lots: [LotID: Lot]
  package let requests: [LoanRequest]
  package let organizations: [OrganizationID: Organization]
  package let marks: [ChipModelID: ValuationMark]
  /// Startups whose valuation is stale or disputed: nothing is matched for them until that is settled.
  package let unreliable: [OrganizationID: ValuationRefusal]
  /// Principal outstanding, or agreed and not yet delivered, by borrower and lender.
  package let exposures: [OrganizationID: [OrganizationID: Int64]]
  /// Licences of which something is left.
  package let licences: [Licence]
  /// Chips promised and not yet handed over where a licence may be used for it, in the order of their promises.
  let licenceClaims: [LicenceClaim]
}

/// Reads the market for a match round or a screening.
package enum MarketReader {
  /// One REPEATABLE READ snapshot, streamed into memory.
  ///
  /// - Parameter borrower: one more organisation to read: a startup that may have no order in the market.
  package static func read(
    pool: PostgresPool, reference: ReferenceStore, clock: any WallClock, deadline: ContinuousClock.Instant,
    borrower: OrganizationID? = nil
  ) async throws -> Market {
    try await pool.transaction(.repeatableRead, access: .readOnly, deadline: deadline) { transaction in
      let results = try await transaction.pipeline([
        Query(PlatformSQL.state), Query(MarketSQL.openListings), Query(MarketSQL.aliveRequests),
        Query(MarketSQL.exposures),
        Query(MarketSQL.licences), Query(MarketSQL.licenceClaims),
      ])
      let platform = try PlatformSQL.decode(results[0].single(), wallTime: clock.now())
      let data = try await reference.atLeast(platform.referenceVersion, in: transaction)
      let listings = try Tables.listings.decode(results[1])
      let requests = try Tables.loanRequests.decode(results[2])
      var borrowers = Set(requests.map(\.borrowerID.value))
      if let borrower { borrowers.insert(borrower.value) }
      var parties = borrowers.union(listings.map(\.lenderID.value))
      let claims = try results[5].map { try LicenceClaim($0) }
      for claim in claims { parties.formUnion([claim.lenderID.value, claim.borrowerID.value]) }
      let models = Set(listings.map(\.chipModelID)).sorted()
      let more = try await transaction.pipeline([
        Tables.lots.rows(by: Set(listings.map(\.lotID.value)).sorted()),
        Tables.organizations.rows(by: parties.sorted()),
        MarkQueries.ofChips(models, .perChip, on: platform.now.date, knownAt: platform.now),
        Query(MarkQueries.disputedOfChips, [.textArray(models.map(\.value))]),
        Query(MarkSQL.tradingStartups, [.uuidArray(borrowers.sorted().map(\.bits))]),
        Query(MarkQueries.disputedOfStartups, [.uuidArray(borrowers.sorted().map(\.bits))]),
      ])
      let lots = try Tables.lots.decode(more[0])
      let organizations = try Tables.organizations.decode(more[1])
      return Market(
        now: platform.now, reference: data, listings: listings,
        lots: Dictionary(lots.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first }), requests: requests,
        organizations: Dictionary(organizations.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first }),
        marks: try tradable(more[2], disputed: more[3], on: platform.now.date),
        unreliable: try unreliable(more[4], disputed: more[5], on: platform.now.date),
        exposures: try exposures(results[3]),
        licences: try Tables.licences.decode(results[4]).map(\.licence), licenceClaims: claims)
    }
  }

  private static func exposures(_ rows: ResultSet) throws -> [OrganizationID: [OrganizationID: Int64]] {
    var exposures: [OrganizationID: [OrganizationID: Int64]] = [:]
    for row in rows {
      var reader = RowReader(row)
      let borrower: OrganizationID = try reader.id()
      let lender: OrganizationID = try reader.id()
      exposures[borrower, default: [:]][lender] = try reader.int()
    }
    return exposures
  }

  private static func unreliable(
    _ rows: ResultSet, disputed: ResultSet, on today: CalendarDate
  ) throws -> [OrganizationID: ValuationRefusal] {
    let disputed = try Set(disputed.map { ValuationID(try $0.uuid(0).value) })
    var found: [OrganizationID: ValuationRefusal] = [:]
    for mark in try Tables.startupMarks.decode(rows) where mark.effectiveOn <= today {
      guard let startup = mark.subject.startup else { continue }
      found[startup] = MarkDesk.flaw(of: mark, isDisputed: disputed.contains(mark.id), on: today)
    }
    return found
  }

  /// The marks that chips may be traded on: none that is stale, none that somebody disputes.
  private static func tradable(
    _ rows: ResultSet, disputed: ResultSet, on today: CalendarDate
  ) throws -> [ChipModelID: ValuationMark] {
    let disputed = try Set(disputed.map { ValuationID(try $0.uuid(0).value) })
    var marks: [ChipModelID: ValuationMark] = [:]
    for mark in try Tables.chipMarks.decode(rows) where !disputed.contains(mark.id) {
      guard let chip = mark.subject.chipModel, !StalenessRule.of(mark.method).isStale(mark, on: today) else { continue }
      marks[chip] = mark
    }
    return marks
  }
}

extension Market {
  /// What the engine sees, and for each request which of its candidates a verdict holds.
  ///
  /// - Parameter segment: the lines of this part of the market only; screening is always of the whole, since a request
  ///   is not held while anything that it would take is clear.
  package func snapshot(
    of segment: MatchSegment = .whole
  ) throws -> (MatchSnapshot, held: [LoanRequestID: MarketScreen.Screening]) {
    let open = listings.filter { $0.isOpen(at: now) }
    var screen = try MarketScreen(self, open)
    let offerable = lots.mapValues { $0.offerable(on: now.date) }
    var left: [LotID: Int64] = offerable.mapValues(\.units)
    let lines = open.compactMap { listing -> ListingLine? in
      guard segment.contains(chipModel: listing.chipModelID, region: listing.site.region),
        let lender = organizations[listing.lenderID]
      else { return nil }
      // Listings of one lot share what is on hand, or else what is on order and due, the earlier one first.
      let quantity = min(listing.remaining, left[listing.lotID, default: 0])
      left[listing.lotID, default: 0] -= quantity
      return line(
        listing, lender, quantity: quantity, from: offerable[listing.lotID]?.from ?? listing.availableOn,
        group: screen.group(of: listing))
    }
    var held: [LoanRequestID: MarketScreen.Screening] = [:]
    let isScreenedWhole = screen.groupCount * requests.count <= Self.mostVerdictsOfOthers
    let requestLines = try requests.filter { $0.isOpen(at: now) }.compactMap { request -> RequestLine? in
      guard request.belongs(to: segment, reference), unreliable[request.borrowerID] == nil,
        let borrower = organizations[request.borrowerID]
      else { return nil }
      let screening = try screen.screening(of: request, borrower, isWhole: isScreenedWhole)
      held[request.id] = screening
      return line(request, borrower, screening)
    }
    let snapshot = try MatchSnapshot(
      businessDate: now.date, unitValues: marks.mapValues(\.amount.amount), listings: lines, requests: requestLines,
      licenceRoom: screen.licenceRoom, isScreenedWhole: isScreenedWhole)
    return (snapshot, held)
  }

  /// The market with a request that is not in it as a round would see it, that request's line, and whether an export rule
  /// bears on chips that it takes.
  ///
  /// - Returns: nil where its borrower was not read.
  func snapshot(
    with request: LoanRequest
  ) throws -> (snapshot: MatchSnapshot, line: RequestLine, isHeldByRule: Bool)? {
    guard let borrower = organizations[request.borrowerID] else { return nil }
    let market = try snapshot().0
    var screen = try MarketScreen(self, listings.filter { $0.isOpen(at: now) })
    let screening = try screen.screening(of: request, borrower, isWhole: market.isScreenedWhole)
    let line = line(request, borrower, screening)
    let whole = try MatchSnapshot(
      businessDate: market.businessDate, unitValues: market.unitValues, listings: market.listings,
      requests: market.requests.filter { $0.id != line.id } + [line],
      licenceRoom: market.licenceRoom.merging(screen.licenceRoom) { room, _ in room },
      isScreenedWhole: market.isScreenedWhole)
    return (whole, line, screening.isHeldByRule)
  }

  /// Requests x lenders' chips at their sites up to which a verdict is taken also for chips that a request does not take:
  /// what is held is kept with the round, and in a larger market no change of an order is looked for.
  private static let mostVerdictsOfOthers = 1_000_000

  private func line(
    _ listing: Listing, _ lender: Organization, quantity: Int64, from: CalendarDate, group: Int
  ) -> ListingLine {
    ListingLine(
      id: listing.id, lender: lender.id, lenderGroup: lender.groupID, chipModel: listing.chipModelID,
      capability: reference.chips[listing.chipModelID].map(ChipCapability.init(of:)) ?? ChipCapability(),
      region: listing.site.region, country: listing.site.country,
      site: "\(lender.id) \(listing.site.country) \(listing.site.region)", quantity: quantity,
      minQuantity: listing.minQuantity, multipleOf: listing.multipleOf, askRateBps: listing.askRate.value,
      minTermDays: listing.minTermDays, maxTermDays: listing.maxTermDays, availableOn: from,
      legalForm: listing.legalForm.rawValue, deliveryModes: Set(listing.deliveryModes.map(\.rawValue)),
      advanceRateBps: listing.advanceRate.value, patterns: Set(listing.repaymentPatterns.map(\.rawValue)),
      creditGrades: listing.eligibility.creditGrades.map(Set.init),
      jurisdictions: listing.eligibility.jurisdictions.map(Set.init),
      maxExposure: listing.eligibility.maxExposure?.amount, sequence: listing.sequence, verdictGroup: group,
      verified: lender.verification.holds(on: now.date))
  }

  private func line(_ request: LoanRequest, _ borrower: Organization, _ screening: MarketScreen.Screening)
    -> RequestLine
  {
    RequestLine(
      id: request.id, startup: borrower.id, startupGroup: borrower.groupID, jurisdiction: borrower.jurisdiction,
      creditGrade: borrower.creditGrade, quantity: request.remaining,
      minQuantity: min(request.minQuantity, request.remaining), multipleOf: request.multipleOf,
      sameModel: request.sameModel, sameSite: request.sameSite, maxLenders: request.maxLenders.map { Int($0) },
      acceptable: request.acceptable.map { chip in
        switch chip.choice {
        case .model(let model): .model(model, maxRateBps: chip.maxRate.value)
        case .capability(let least): .capability(ChipCapability(of: least), maxRateBps: chip.maxRate.value)
        }
      },
      regions: request.regions, termDays: request.termDays, startOn: request.startOn,
      // Chips on hand are available; a start that has passed is no reason to refuse them.
      startByOn: max(request.startByOn, now.date), deliveryMode: request.deliveryMode.rawValue,
      pattern: request.repayment.pattern.rawValue, sequence: request.sequence,
      verified: borrower.verification.holds(on: now.date), heldVerdicts: screening.effects,
      licences: screening.licences, exposureByLender: exposures[borrower.id] ?? [:])
  }
}

extension LoanRequest {
  /// Whether some chip of the segment may be for it.
  func belongs(to segment: MatchSegment, _ reference: ReferenceData) -> Bool {
    (segment.region.map { regions.contains($0) } ?? true) && (segment.chipModel.map { takes($0, reference) } ?? true)
  }

  /// Whether it names this model, or a capability that the model has.
  func takes(_ chip: ChipModelID, _ reference: ReferenceData) -> Bool {
    acceptable.contains { acceptable in
      switch acceptable.choice {
      case .model(let model): model == chip
      case .capability(let least):
        reference.chips[chip].map { ChipCapability(of: $0).meets(ChipCapability(of: least)) } ?? false
      }
    }
  }
}

extension ChipCapability {
  /// The published figures in thousandths; a figure with more decimals than that counts as unknown.
  init(of chip: ChipModel) {
    self.init(
      memoryGB: chip.facts.memoryGB?.thousandths, bf16Dense: chip.dense(.bf16)?.thousandths,
      interconnect: chip.facts.interconnectGBs?.thousandths)
  }

  init(of least: Lending.AcceptableChip.Capability) {
    self.init(
      memoryGB: least.memoryMilliGB, bf16Dense: least.bf16MilliTflopsDense, interconnect: least.interconnectMilliGBs)
  }
}

extension ExactDecimal {
  /// In thousandths, when that is a whole number within Int64.
  fileprivate var thousandths: Int64? {
    guard let value = try? multiplied(by: ExactDecimal(1_000)), value.scale == 0 else { return nil }
    return Int64(exactly: value.coefficient)
  }
}
