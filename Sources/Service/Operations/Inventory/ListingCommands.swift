import Catalogue
import Interest
import Lending
import Parties
import Persistence
import Primitives
import Repayment
import Valuation

/// Lists part of a lot.
package struct CreateListing: Command {
  /// What the lender states; the rest comes from the lot.
  package struct Terms: Sendable {
    package var lotID: LotID
    package var quantity: Int64
    package var askRate: BasisPoints
    package var minTermDays: Int64
    package var maxTermDays: Int64
    package var minQuantity: Int64?
    package var legalForm: LegalForm
    package var deliveryModes: [DeliveryMode]
    package var advanceRate: BasisPoints
    package var repaymentPatterns: [RepaymentPattern]
    package var recallNoticeDays: Int64?
    package var eligibility: Listing.Eligibility
    package var validUntil: Instant?
    package var returnCredit: ReturnCreditRule
    package var assignability: Assignability
    package var penalty: PenaltyTerms
    package var businessDay: BusinessDayConvention
    package var tax: TaxTerms?
    package var margin: MarginTerms.Listed?

    package init(
      lotID: LotID, quantity: Int64, askRate: BasisPoints, minTermDays: Int64, maxTermDays: Int64, minQuantity: Int64?,
      legalForm: LegalForm, deliveryModes: [DeliveryMode], advanceRate: BasisPoints,
      repaymentPatterns: [RepaymentPattern], recallNoticeDays: Int64?, eligibility: Listing.Eligibility,
      validUntil: Instant?, returnCredit: ReturnCreditRule = .proRataOutstanding,
      assignability: Assignability = .withConsent, penalty: PenaltyTerms = .none,
      businessDay: BusinessDayConvention = .unadjusted, tax: TaxTerms? = nil, margin: MarginTerms.Listed? = nil
    ) {
      self.tax = tax
      self.margin = margin
      self.assignability = assignability
      self.penalty = penalty
      self.businessDay = businessDay
      self.returnCredit = returnCredit
      self.lotID = lotID
      self.quantity = quantity
      self.askRate = askRate
      self.minTermDays = minTermDays
      self.maxTermDays = maxTermDays
      self.minQuantity = minQuantity
      self.legalForm = legalForm
      self.deliveryModes = deliveryModes
      self.advanceRate = advanceRate
      self.repaymentPatterns = repaymentPatterns
      self.recallNoticeDays = recallNoticeDays
      self.eligibility = eligibility
      self.validUntil = validUntil
    }
  }

  package static let action = "listing.create"
  package var staffDuty: Duty? { nil }
  package let terms: Terms
  /// What the lender asks beside its fee.
  package struct Options: Sendable, Hashable {
    /// The right to take shares of a priced round for a part of the debt.
    package struct Conversion: Sendable, Hashable {
      package let cap: Money?
      package let discount: BasisPoints
      package let share: BasisPoints

      package init(cap: Money?, discount: BasisPoints, share: BasisPoints) {
        self.cap = cap
        self.discount = discount
        self.share = share
      }
    }

    /// Rights to buy shares at a fixed price.
    package struct Warrants: Sendable, Hashable {
      package let coverage: BasisPoints
      /// nil: the price of the next priced round.
      package let strike: ListingWarrants.Strike?
      package let expiresAfterDays: Int64
      package let occasion: WarrantOccasion

      package init(
        coverage: BasisPoints, strike: ListingWarrants.Strike?, expiresAfterDays: Int64, occasion: WarrantOccasion
      ) {
        self.coverage = coverage
        self.strike = strike
        self.expiresAfterDays = expiresAfterDays
        self.occasion = occasion
      }
    }

    package let conversion: Conversion?
    package let warrants: Warrants?
    /// That no later lender of the same startup gets better terms.
    package let mostFavoured: MostFavouredNation?

    package init(
      conversion: Conversion? = nil, warrants: Warrants? = nil, mostFavoured: MostFavouredNation? = nil
    ) {
      self.conversion = conversion
      self.warrants = warrants
      self.mostFavoured = mostFavoured
    }
  }

  package let options: Options?
  private let lenderID: OrganizationID

  package init(terms: Terms, lenderID: OrganizationID, options: Options? = nil) {
    self.options = options
    self.terms = terms
    self.lenderID = lenderID
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    [.lot(terms.lotID), .reservePlans(lenderID), .lotsOfLender(lenderID)]
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> { [lenderID] }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Listing {
    guard var lot = draft.find(\.lots, terms.lotID), lot.lenderID == lenderID else {
      throw PartiesRefusal.notFound("lot")
    }
    try principal.require(.lender)
    try checkTerms(lot)
    try checkTax(draft)
    let plan = (draft.base.reservePlans[lenderID] ?? []).compactMap { draft.find(\.reservePlans, $0) }
      .first { $0.chipModelID == lot.chipModelID }
    let lendable = ReserveDesk.lendable(lot.chipModelID, of: lenderID, plan: plan, in: draft)
    guard terms.quantity <= lendable else {
      throw LendingRefusal.beyondReservePlan(wanted: terms.quantity, lendable: lendable)
    }
    try lot.list(terms.quantity)
    lot = draft.put(\.lots, lot)
    let listing = draft.put(
      \.listings,
      Listing(
        id: draft.ids.next(), lot: lot, quantity: terms.quantity, remaining: terms.quantity,
        minQuantity: terms.minQuantity ?? lot.multipleOf, askRate: terms.askRate, minTermDays: terms.minTermDays,
        maxTermDays: terms.maxTermDays, legalForm: terms.legalForm, deliveryModes: terms.deliveryModes,
        advanceRate: terms.advanceRate, repaymentPatterns: terms.repaymentPatterns,
        recallNoticeDays: terms.recallNoticeDays, eligibility: terms.eligibility, validUntil: terms.validUntil,
        sequence: draft.sequence, state: .open, createdAt: draft.now, updatedAt: draft.now,
        returnCredit: terms.returnCredit, assignability: terms.assignability, penalty: terms.penalty,
        businessDay: terms.businessDay, tax: terms.tax, margin: terms.margin))
    keepOptions(of: listing.id, in: &draft)
    draft.made.subject = listing.id.value
    draft.happen(
      "listing.created", listing.id, version: 1, to: (lenderID, nil),
      [("quantity", .number(listing.quantity)), ("ask_rate_bps", .number(listing.askRate.value))])
    return listing
  }

  /// A loan of it could not accrue without a rule.
  private func checkTax(_ draft: Draft) throws {
    guard let sales = terms.tax?.sales, sales.treatment != .exempt else { return }
    do throws(RepaymentRefusal) {
      _ = try draft.reference.taxes.rule(.sales, of: sales.jurisdiction, on: draft.today)
    } catch {
      throw LendingRefusal.termsDisagree(pointer: "/tax/sales/jurisdiction", detail: error.detail)
    }
  }

  private func keepOptions(of listing: ListingID, in draft: inout Draft) {
    if let conversion = options?.conversion {
      draft.made.listingOptions.append(
        ListingOptions(
          listingID: listing, lenderID: lenderID, cap: conversion.cap, discount: conversion.discount,
          share: conversion.share))
    }
    if let warrants = options?.warrants {
      draft.made.listingWarrants.append(
        ListingWarrants(
          listingID: listing, lenderID: lenderID, coverage: warrants.coverage, strike: warrants.strike,
          expiresAfterDays: warrants.expiresAfterDays, occasion: warrants.occasion))
    }
    if let clause = options?.mostFavoured {
      draft.made.listingFavours.append(ListingFavour(listingID: listing, lenderID: lenderID, clause: clause))
    }
  }

  private func checkTerms(_ lot: Lot) throws(LendingRefusal) {
    guard terms.quantity % lot.multipleOf == 0 else {
      throw .notInBoards(terms.quantity, multipleOf: lot.multipleOf)
    }
    guard terms.minTermDays <= terms.maxTermDays else {
      throw .termsDisagree(pointer: "/max_term_days", detail: "The longest term is shorter than the shortest.")
    }
    if let least = terms.minQuantity, least > terms.quantity {
      throw .termsDisagree(pointer: "/min_quantity", detail: "The least piece is larger than the listing.")
    }
  }
}

/// Pauses, resumes or withdraws a listing.
package struct ChangeListing: Command {
  package static let action = "listing.change"
  package var staffDuty: Duty? { .operations }
  package let listingID: ListingID
  package let act: Listing.Act
  package let ifVersion: Int64?

  package init(listingID: ListingID, act: Listing.Act, ifVersion: Int64?) {
    self.listingID = listingID
    self.act = act
    self.ifVersion = ifVersion
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    var needs: Set<Need> = [.listing(listingID)]
    if let listing = state.listings[listingID] { needs.insert(.lot(listing.lotID)) }
    return needs
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> {
    Set([state.listings[listingID]?.lenderID].compactMap { $0 })
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Listing {
    guard var listing = draft.find(\.listings, listingID),
      listing.lenderID == principal.organizationID || principal.isStaff
    else { throw PartiesRefusal.notFound("listing") }
    try principal.require(.lender, .admin)
    try checkVersion(ifVersion, listing.version)
    try listing.perform(act)
    listing = draft.put(\.listings, listing)
    if act == .withdraw || act == .expire, var lot = draft.find(\.lots, listing.lotID) {
      lot.unlist(listing.remaining)
      draft.put(\.lots, lot)
    }
    draft.made.subject = listing.id.value
    draft.happen(
      "listing.\(listing.state.rawValue)", listing.id, version: listing.version, to: (listing.lenderID, nil))
    return listing
  }
}
