import Catalogue
import Interest
import Ledger
import Lending
import Parties
import Persistence
import Primitives
import Repayment
import Valuation

/// What making and answering offers have in common.
enum OfferDesk {
  /// What an answer to an offer must see.
  static func needs(_ offerID: OfferID, _ state: BatchState) -> Set<Need> {
    var needs: Set<Need> = [.offer(offerID)]
    if let offer = state.offers[offerID] {
      needs.formUnion([
        .request(offer.requestID), .listing(offer.listingID), .lot(offer.lotID), .organization(offer.lenderID),
        .organization(offer.borrowerID), .licencesOf(offer.lenderID), .licencesOf(offer.borrowerID),
        .listingWarrants(offer.listingID),
      ])
      needs.formUnion(MarkDesk.borrowingNeeds(offer.borrowerID))
      needs.formUnion(FavourDesk.needs(toTell: offer.borrowerID, of: offer.listingID, state))
    }
    return needs
  }

  static func heads(_ offerID: OfferID, _ state: BatchState) -> Set<OrganizationID> {
    guard let offer = state.offers[offerID] else { return [] }
    return [offer.lenderID, offer.borrowerID]
  }

  /// The verdict on the act of offering, on the draft's own day.
  static func act(
    _ request: LoanRequest, _ listing: Listing, quantity: Int64, in draft: Draft
  ) throws -> ExportDesk.Act {
    guard let lender = draft.find(\.organizations, listing.lenderID),
      let borrower = draft.find(\.organizations, request.borrowerID)
    else { throw PartiesRefusal.notFound("organization") }
    guard lender.verification.holds(on: draft.today) else { throw PartiesRefusal.notVerified("lender") }
    guard borrower.verification.holds(on: draft.today) else { throw PartiesRefusal.notVerified("startup") }
    let to = request.deliveryMode == .hosted ? listing.site : ExportDesk.destination(of: borrower, from: listing.site)
    return ExportDesk.Act(
      kind: .offer, date: draft.today, chip: listing.chipModelID, quantity: quantity, lender: lender,
      borrower: borrower, from: listing.site, to: to, deliveryMode: request.deliveryMode, endUse: request.endUse)
  }

  /// Whether the lender asks for more than its fee.
  static func hasOptions(_ listing: ListingID, in draft: Draft) -> Bool {
    draft.base.listingOptions[listing] != nil || draft.base.listingWarrants[listing] != nil
      || draft.base.listingFavours[listing] != nil
  }

  /// Turns an accepted offer into an agreed loan. The day is the trade date.
  static func agree(_ offer: Offer, in draft: inout Draft) throws -> (Offer, Loan) {
    guard var request = draft.find(\.requests, offer.requestID), let listing = draft.find(\.listings, offer.listingID)
    else { throw PartiesRefusal.notFound("offer") }
    var offer = offer
    try offer.conclude(.accepted, at: draft.now)
    try MarkDesk.requireReliable(offer.borrowerID, in: draft)
    let act = try act(request, listing, quantity: offer.quantity, in: draft)
    let verdict = try verdictWithoutLicence(act, draft)
    guard verdict.isClear else { throw verdict.refusal }
    ExportDesk.record(verdict, act, subject: offer.id.value, acted: true, in: &draft)
    guard let termEnds = draft.today.adding(days: request.termDays) else { throw LendingRefusal.overflow }
    let principal = try principal(of: offer)
    // By the calendar as it is published at trade: what is published later moves no maturity that was agreed.
    let maturesOn = try draft.reference.calendars.adjusted(
      termEnds, of: principal.currency, by: listing.businessDay)
    let margin = try listing.margin.map { listed throws(LendingRefusal) in
      // The curve begins with what the chips count for in this very loan.
      guard let frozen = listed.frozen(mark: offer.markAmount, on: draft.today, of: listing.id) else { throw .overflow }
      return frozen
    }
    let terms = Loan.Terms(
      borrowerID: offer.borrowerID, lenderID: offer.lenderID, lotID: offer.lotID, listingID: offer.listingID,
      requestID: offer.requestID, offerID: offer.id, chipModelID: offer.chipModelID, site: listing.site,
      endUse: request.endUse, deliveryMode: request.deliveryMode, legalForm: listing.legalForm,
      quantity: offer.quantity, markID: offer.markID, markAmount: offer.markAmount, advanceRate: offer.advanceRate,
      principal: principal, rate: offer.rate, dayCount: draft.reference.parameters.dayCount,
      returnCredit: listing.returnCredit, repayment: request.repayment, rank: 1, tradeOn: draft.today,
      termDays: request.termDays, maturesOn: maturesOn, recallNoticeDays: listing.recallNoticeDays,
      assignability: listing.assignability, penalty: listing.penalty, businessDay: listing.businessDay,
      tax: listing.tax, margin: margin)
    let loan = draft.put(\.loans, Loan(id: draft.ids.next(), terms: terms, createdAt: draft.now))
    offer.loanID = loan.id
    offer = draft.put(\.offers, offer)
    request.match(offer.quantity)
    draft.put(\.requests, request)
    draft.happen(
      "loan.agreed", loan.id, version: 1, to: (offer.borrowerID, offer.lenderID),
      [("offer_id", .text(offer.id.description)), ("quantity", .number(offer.quantity))])
    try WarrantDesk.issue(with: loan, in: &draft)
    FavourDesk.tell(of: loan, in: &draft)
    return (offer, loan)
  }

  /// An offer binds nobody to move chips yet, so a licence is looked at but not used up: the hand-over uses it.
  static func verdictWithoutLicence(_ act: ExportDesk.Act, _ draft: Draft) throws -> Verdict {
    let records = [act.lender.id, act.borrower.id].flatMap { draft.base.licencesOf[$0] ?? [] }
      .compactMap { draft.find(\.licences, $0)?.licence }
    return try ExportDesk.verdict(on: act, reference: draft.reference, licences: records)
  }

  static func principal(of offer: Offer) throws -> Money {
    do { return try offer.principal() } catch { throw LendingRefusal.overflow }
  }

  /// What a startup owes a lender on loans, those included that are agreed and not yet delivered, and would owe on offers
  /// beside them, in a currency at the rates of today. Up: a limit is not kept by rounding.
  /// - Parameters:
  ///   - loans: of the startup, of any lender; none that has ended.
  ///   - offers: to the startup, of any lender; none that was answered.
  /// - Throws: as the rates do, for a currency without one of these days too.
  static func exposure(
    to lender: OrganizationID, of loans: [Loan], _ offers: [Offer], in currency: Currency, _ draft: Draft
  ) throws -> Money {
    let rates = try FXDesk.table(in: draft)
    let owed = loans.filter { $0.terms.lenderID == lender }.map { loan in
      loan.deliveredOn == nil ? loan.terms.principal : Money(loan.outstanding.principal, loan.currency)
    }
    let offered = try offers.filter { $0.lenderID == lender }.map { try principal(of: $0) }
    return try (owed + offered).reduce(Money(0, currency)) { sum, amount in
      try sum.adding(rates.convert(amount, to: currency, asOf: draft.today, rounding: .up).amount)
    }
  }

  /// Gives the chips of an offer that ended back to its lot, listing and request.
  static func release(_ offer: Offer, in draft: inout Draft) throws {
    guard var lot = draft.find(\.lots, offer.lotID), var listing = draft.find(\.listings, offer.listingID),
      var request = draft.find(\.requests, offer.requestID)
    else { throw PartiesRefusal.notFound("offer") }
    let moves = try lot.release(offer.quantity)
    if listing.release(offer.quantity) { try lot.list(offer.quantity) }
    request.release(offer.quantity)
    draft.put(\.lots, lot)
    draft.put(\.listings, listing)
    draft.put(\.requests, request)
    try draft.post(
      EntryDraft(
        id: draft.ids.next(), book: lot.lenderID, kind: .reservationReleased, businessDate: draft.today,
        subject: offer.id.value, lines: lot.lines(moves)))
  }
}
