import Catalogue
import Lending
import Parties
import Persistence
import Primitives
import Repayment
import Valuation

/// A startup that is worth less than was known. What it has open or borrowed waits for a person, line by line: each live
/// loan, each request that looks for chips, each offer that it has not answered, and each listing that lent or offered to
/// it on terms that it meets no more. Nothing is done by itself.
struct ValuationFall {
  /// What was met and is met no more, as a line names it.
  enum Lost: String {
    /// The post-money from which a round repays the loan: the last one reached it, this one does not.
    case leastPostMoney = "repayment.least_post_money"
    case creditGrade = "eligibility.credit_grade"
    case jurisdiction = "eligibility.jurisdiction"
    /// With all loans of the lender and all its offers that wait for an answer.
    case maxExposure = "eligibility.max_exposure"
  }

  private let startup: OrganizationID
  private let mark: ValuationMark
  private let before: ValuationMark

  /// What must be seen where a new mark may tell of a fall.
  static func needs(_ startup: OrganizationID?, _ state: BatchState) -> Set<Need> {
    guard let startup else { return [] }
    var needs: Set<Need> = [
      .valuation(.startupMark(startup)), .organization(startup), .loansOfBorrower(startup), .openRequests(startup),
      .pendingOffers(startup),
    ]
    guard let loans = state.loansOfBorrower[startup], let requests = state.openRequests[startup],
      let offers = state.pendingOffers[startup]
    else { return needs }
    let pending = offers.compactMap { state.offers[$0] }
    let listings = Set(loans.compactMap { state.loans[$0]?.terms.listingID } + pending.map(\.listingID))
    let requested = Set(requests + pending.map(\.requestID))
    needs.formUnion(requested.map { .request($0) } + listings.map { .listing($0) })
    needs.insert(
      .openComplianceSubjects(
        Set(loans.map(\.value) + offers.map(\.value)).union(requested.map(\.value)).union(listings.map(\.value))))
    for listing in listings.compactMap({ state.listings[$0] }) {
      needs.formUnion(FXDesk.needs(ofExposure: listing, of: startup, state))
      needs.formUnion(FXDesk.needs(of: pending, against: listing))
    }
    return needs
  }

  /// Whose books are held while a mark is recorded: the platform's, since two marks of one key must not pass each other, and
  /// the startup's, so that nothing is asked for or offered unseen beside it.
  static func heads(_ startups: [OrganizationID?], _ state: BatchState) -> Set<OrganizationID> {
    Set(startups.compactMap { $0 }.filter { state.organizations[$0] != nil }).union([.platform])
  }

  /// Opens the lines, if the mark tells of a fall; of what waits already none.
  /// - Throws: as rates do, for amounts past the range of money.
  static func note(_ mark: ValuationMark, in draft: inout Draft) throws {
    guard let fall = ValuationFall(mark, in: draft) else { return }
    draft.happen(
      "valuation.fell", mark.id, version: 1, to: (.platform, nil),
      [
        ("startup_id", .text(fall.startup.description)), ("from", .number(fall.before.amount.amount)),
        ("to", .number(mark.amount.amount)), ("currency", .text(mark.amount.currency.code)),
      ])
    for finding in try fall.findings(in: draft) { OpenComplianceItems.openUnlessWaiting(finding, in: &draft) }
  }

  /// - Returns: nil where the mark says nothing less of a later or the same day, or in another currency.
  private init?(_ mark: ValuationMark, in draft: Draft) {
    guard mark.basis == .postMoney, let startup = mark.subject.startup,
      let known = draft.base.valuation.startupMarks[startup]
    else { return nil }
    // An import records several marks at once.
    let earlier = draft.made.marks.filter { $0.id != mark.id && $0.subject == mark.subject && $0.basis == .postMoney }
    guard let before = earlier.reduce(known, { ValuationState.later($1, $0) }),
      before.amount.currency == mark.amount.currency, mark.amount.amount < before.amount.amount,
      mark.effectiveOn >= before.effectiveOn
    else { return nil }
    (self.startup, self.mark, self.before) = (startup, mark, before)
  }

  // MARK: lines

  private func findings(in draft: Draft) throws -> [ComplianceItem.Finding] {
    let loans = (draft.base.loansOfBorrower[startup] ?? []).compactMap { draft.find(\.loans, $0) }
      .filter { $0.state != .closed }
    let offers = (draft.base.pendingOffers[startup] ?? []).compactMap { draft.find(\.offers, $0) }
      .filter { $0.state == .pending && draft.now < $0.expiresAt }
    // One that is wholly offered is open again as soon as an offer ends.
    let requests = Set((draft.base.openRequests[startup] ?? []) + offers.map(\.requestID)).sorted()
      .compactMap { draft.find(\.requests, $0) }
    let terms = Dictionary(requests.map { ($0.id, $0.repayment) }, uniquingKeysWith: { first, _ in first })
    var lost: [ListingID: [Lost]] = [:]
    for listing in Set(loans.map(\.terms.listingID) + offers.map(\.listingID)) {
      guard let row = draft.find(\.listings, listing) else { continue }
      // A loan that was sold is its buyer's: the terms of the listing are its seller's.
      let lent = loans.filter { $0.terms.listingID == listing && $0.terms.lenderID == row.lenderID }
      let offered = offers.filter { $0.listingID == listing }
      guard !lent.isEmpty || !offered.isEmpty else { continue }
      let agreed = lent.map(\.terms.repayment) + offered.compactMap { terms[$0.requestID] }
      lost[listing] =
        (agreed.contains(where: misses) ? [.leastPostMoney] : []) + (try missed(row, loans, offers, in: draft))
    }
    return loans.map { finding(of: $0, draft.today) }
      + requests.filter { $0.isOpen(at: draft.now) }.map { finding(of: $0, draft.today) }
      + offers.map { finding(of: $0, lost[$0.listingID] ?? [], terms[$0.requestID], draft.today) }
      + lost.keys.sorted().compactMap { id in
        draft.find(\.listings, id).flatMap { finding(of: $0, lost[id] ?? [], draft.today) }
      }
  }

  private func finding(of loan: Loan, _ today: CalendarDate) -> ComplianceItem.Finding {
    let lost: [Lost] = misses(loan.terms.repayment) ? [.leastPostMoney] : []
    return line(
      .loan, loan.id.value, lender: loan.terms.lenderID, loan.terms.chipModelID, max(1, loan.unitsOut), today, lost,
      lost.isEmpty ? .review : .hold)
  }

  /// Nothing is agreed yet: it may look on, and what it is offered waits; where its own terms are out of reach, it waits.
  private func finding(of request: LoanRequest, _ today: CalendarDate) -> ComplianceItem.Finding {
    let lost: [Lost] = misses(request.repayment) ? [.leastPostMoney] : []
    return line(
      .loanRequest, request.id.value, lender: nil, request.onlyModel, max(1, request.remaining), today, lost,
      lost.isEmpty ? .hold : .freeze)
  }

  /// It was made under the valuation before: taken by nobody until it is looked at, and by nobody at all where the terms
  /// that it was made on are not met.
  private func finding(
    of offer: Offer, _ listed: [Lost], _ terms: RepaymentTerms?, _ today: CalendarDate
  ) -> ComplianceItem.Finding {
    let own: [Lost] = terms.map(misses) == true ? [.leastPostMoney] : []
    let lost = own + listed.filter { $0 != .leastPostMoney }
    return line(
      .offer, offer.id.value, lender: offer.lenderID, offer.chipModelID, offer.quantity, today, lost,
      lost.isEmpty ? .freeze : .unwind)
  }

  /// - Returns: nil for one that is over, or whose terms are all met.
  private func finding(of listing: Listing, _ lost: [Lost], _ today: CalendarDate) -> ComplianceItem.Finding? {
    switch listing.state {
    case .withdrawn, .expired: return nil
    case .open, .paused, .exhausted: break
    }
    guard !lost.isEmpty else { return nil }
    return line(
      .listing, listing.id.value, lender: listing.lenderID, listing.chipModelID, max(1, listing.remaining), today, lost,
      .hold)
  }

  private func line(
    _ kind: ComplianceItem.SubjectKind, _ subject: UUIDValue, lender: OrganizationID?, _ chip: ChipModelID?,
    _ quantity: Int64, _ today: CalendarDate, _ lost: [Lost], _ suggestion: ComplianceItem.Suggestion
  ) -> ComplianceItem.Finding {
    ComplianceItem.Finding(
      kind: kind, subject: subject, borrowerID: startup, lenderID: lender, chipModelID: chip, quantity: quantity,
      on: today, effect: .holdReview,
      rules: ["valuation.fell", mark.id.description, before.id.description] + lost.map(\.rawValue),
      since: mark.effectiveOn, suggestion: suggestion)
  }

  // MARK: terms

  /// Terms in another currency than the marks are left alone: a threshold is tested at the rate of a round's own day.
  private func misses(_ terms: RepaymentTerms) -> Bool {
    guard let least = terms.leastPostMoney, least.currency == mark.amount.currency else { return false }
    return before.amount.amount >= least.amount && mark.amount.amount < least.amount
  }

  /// Terms of a listing that the startup met when it was lent or offered to.
  private func missed(_ listing: Listing, _ loans: [Loan], _ offers: [Offer], in draft: Draft) throws -> [Lost] {
    guard let startup = draft.find(\.organizations, startup) else { return [] }
    var lost: [Lost] = []
    if let grades = listing.eligibility.creditGrades, startup.creditGrade.map({ !grades.contains($0) }) ?? true {
      lost.append(.creditGrade)
    }
    if let countries = listing.eligibility.jurisdictions, !countries.contains(startup.jurisdiction) {
      lost.append(.jurisdiction)
    }
    if let limit = listing.eligibility.maxExposure {
      do {
        let owed = try OfferDesk.exposure(to: listing.lenderID, of: loans, offers, in: limit.currency, draft)
        if owed.amount > limit.amount { lost.append(.maxExposure) }
      } catch RepaymentRefusal.noFXRate {
        // Without a rate of these days nothing is known of it: no line says that the limit is passed.
      }
    }
    return lost
  }
}

extension LoanRequest {
  /// The model that it takes, where it takes but one.
  fileprivate var onlyModel: ChipModelID? {
    guard acceptable.count == 1, case .model(let model) = acceptable[0].choice else { return nil }
    return model
  }
}
