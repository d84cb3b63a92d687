import Catalogue
import Ledger
import Lending
import Parties
import Persistence
import Primitives
import Repayment
import Valuation

/// Makes one offer that a match round found: reserves the chips and freezes the mark. Anything that changed since the
/// round's snapshot refuses this offer alone.
package struct MakeOffer: Command {
  package static let action = "offer.make"
  package var staffDuty: Duty? { .operations }
  package let roundID: MatchRoundID
  package let requestID: LoanRequestID
  package let listingID: ListingID
  package let quantity: Int64
  package let rate: BasisPoints
  /// The round's hold on its segment: once it is lost nothing more is offered.
  package let lease: RoundLease?

  package init(
    roundID: MatchRoundID, requestID: LoanRequestID, listingID: ListingID, quantity: Int64, rate: BasisPoints,
    lease: RoundLease? = nil
  ) {
    self.roundID = roundID
    self.requestID = requestID
    self.listingID = listingID
    self.quantity = quantity
    self.rate = rate
    self.lease = lease
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    var needs: Set<Need> = [
      .request(requestID), .listing(listingID), .listingOptions(listingID), .listingWarrants(listingID),
      .listingFavour(listingID),
    ]
    if let lease { needs.insert(.lease(lease.segment)) }
    if let request = state.requests[requestID] {
      needs.formUnion([
        .organization(request.borrowerID), .loansOfBorrower(request.borrowerID), .licencesOf(request.borrowerID),
      ])
      needs.formUnion(MarkDesk.borrowingNeeds(request.borrowerID))
      // A startup that takes offers unseen trades at once.
      if request.autoAccept {
        needs.formUnion(FavourDesk.needs(toTell: request.borrowerID, of: listingID, state))
      }
    }
    if let listing = state.listings[listingID] {
      needs.formUnion([
        .lot(listing.lotID), .organization(listing.lenderID), .licencesOf(listing.lenderID),
      ])
      if let borrower = state.requests[requestID]?.borrowerID {
        needs.formUnion(FXDesk.needs(ofExposure: listing, of: borrower, state))
      }
      needs.formUnion(MarkDesk.tradingNeeds(listing.chipModelID))
    }
    return needs
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> {
    Set([state.requests[requestID]?.borrowerID, state.listings[listingID]?.lenderID].compactMap { $0 })
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Offer {
    try principal.require(.admin)
    try draft.requireLease(lease)
    guard var request = draft.find(\.requests, requestID), var listing = draft.find(\.listings, listingID),
      var lot = draft.find(\.lots, listing.lotID)
    else { throw PartiesRefusal.notFound("order") }
    guard listing.askRate <= rate else { throw LendingRefusal.staleOrder("listing") }
    let act = try OfferDesk.act(request, listing, quantity: quantity, in: draft)
    let verdict = try OfferDesk.verdictWithoutLicence(act, draft)
    guard verdict.isClear else { throw verdict.refusal }
    try MarkDesk.requireReliable(request.borrowerID, in: draft)
    try listing.reserve(quantity, at: draft.now)
    try request.offer(quantity, at: draft.now)
    let moves = try lot.reserve(quantity, by: max(request.startByOn, draft.today), today: draft.today)
    lot.unlist(quantity)
    let mark = try mark(of: listing.chipModelID, in: draft)
    if let strike = draft.base.listingWarrants[listingID]?.strike, strike.currency != mark.amount.currency {
      throw WarrantRefusal.otherCurrency(strike.currency, loan: mark.amount.currency)
    }
    guard let expiresAt = draft.now.adding(seconds: draft.reference.parameters.offerSeconds) else {
      throw LendingRefusal.overflow
    }
    let id: OfferID = draft.ids.next()
    var offer = Offer(
      id: id, borrowerID: request.borrowerID, lenderID: listing.lenderID, requestID: requestID, listingID: listingID,
      lotID: lot.id, roundID: roundID, chipModelID: listing.chipModelID, quantity: quantity, rate: rate,
      markID: mark.id, markAmount: mark.amount, markSource: mark.source, advanceRate: listing.advanceRate,
      expiresAt: expiresAt, createdAt: draft.now, updatedAt: draft.now)
    try checkExposure(offer, listing, in: draft)
    ExportDesk.record(verdict, act, subject: id.value, acted: true, in: &draft)
    draft.put(\.listings, listing)
    draft.put(\.requests, request)
    lot = draft.put(\.lots, lot)
    offer = draft.put(\.offers, offer)
    try draft.post(
      EntryDraft(
        id: draft.ids.next(), book: lot.lenderID, kind: .chipsReserved, businessDate: draft.today, subject: id.value,
        lines: lot.lines(moves)))
    draft.made.subject = id.value
    draft.happen(
      "offer.made", id, version: 1, to: (offer.borrowerID, offer.lenderID),
      [("quantity", .number(quantity)), ("rate_bps", .number(rate.value))])
    // Shares are given by a person, who has seen what for.
    if request.autoAccept, !OfferDesk.hasOptions(listingID, in: draft) {
      offer = try OfferDesk.agree(offer, in: &draft).0
    }
    return offer
  }

  private func mark(of chip: ChipModelID, in draft: Draft) throws -> ValuationMark {
    guard let mark = try MarkDesk.tradable(chip, in: draft) else {
      throw LendingRefusal.noMark(chip)
    }
    return mark
  }

  /// The lender's limit for one startup holds over all it has lent it and this offer together.
  private func checkExposure(_ offer: Offer, _ listing: Listing, in draft: Draft) throws {
    guard let limit = listing.eligibility.maxExposure else { return }
    guard offer.markAmount.currency == limit.currency else { throw LendingRefusal.staleOrder("listing") }
    let loans = (draft.base.loansOfBorrower[offer.borrowerID] ?? []).compactMap { draft.find(\.loans, $0) }
    let exposure = try OfferDesk.exposure(to: offer.lenderID, of: loans, [offer], in: limit.currency, draft)
    guard exposure.amount <= limit.amount else { throw LendingRefusal.staleOrder("listing's exposure limit") }
  }
}

/// The startup takes an offer: a loan is agreed.
package struct AcceptOffer: Command {
  package static let action = "offer.accept"
  package var staffDuty: Duty? { nil }
  package let offerID: OfferID
  package let ifVersion: Int64?

  package init(offerID: OfferID, ifVersion: Int64?) {
    self.offerID = offerID
    self.ifVersion = ifVersion
  }

  package func needs(_ state: BatchState) -> Set<Need> { OfferDesk.needs(offerID, state) }
  package func heads(_ state: BatchState) -> Set<OrganizationID> { OfferDesk.heads(offerID, state) }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Offer {
    guard let offer = draft.find(\.offers, offerID),
      [offer.borrowerID, offer.lenderID].contains(principal.organizationID)
    else { throw PartiesRefusal.notFound("offer") }
    guard offer.borrowerID == principal.organizationID else { throw PartiesRefusal.notYours("offer") }
    try principal.require(.startup)
    try checkVersion(ifVersion, offer.version)
    let (accepted, _) = try OfferDesk.agree(offer, in: &draft)
    draft.made.subject = offerID.value
    return accepted
  }
}

/// Either side turns an offer down, or it lapsed: the chips are free again.
package struct EndOffer: Command {
  package static let action = "offer.end"
  package var staffDuty: Duty? { .operations }
  package let offerID: OfferID
  package let outcome: OfferState
  package let ifVersion: Int64?

  /// - Parameter outcome: `declined`, or `lapsed` by the platform's own automation.
  package init(offerID: OfferID, outcome: OfferState, ifVersion: Int64?) {
    self.offerID = offerID
    self.outcome = outcome
    self.ifVersion = ifVersion
  }

  package func needs(_ state: BatchState) -> Set<Need> { OfferDesk.needs(offerID, state) }
  package func heads(_ state: BatchState) -> Set<OrganizationID> { OfferDesk.heads(offerID, state) }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Offer {
    guard var offer = draft.find(\.offers, offerID),
      principal.isStaff || [offer.borrowerID, offer.lenderID].contains(principal.organizationID)
    else { throw PartiesRefusal.notFound("offer") }
    try principal.require(.startup, .lender, .admin)
    try checkVersion(ifVersion, offer.version)
    try offer.conclude(outcome, at: draft.now)
    offer = draft.put(\.offers, offer)
    try OfferDesk.release(offer, in: &draft)
    draft.made.subject = offerID.value
    draft.happen(
      "offer.\(offer.state.rawValue)", offerID, version: offer.version, to: (offer.borrowerID, offer.lenderID))
    return offer
  }
}
