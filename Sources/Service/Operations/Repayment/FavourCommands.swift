import Lending
import Parties
import Persistence
import Primitives
import Repayment

/// A lender has the terms of its loan lifted to those that a later lender of the same startup got, by the clause that the
/// loan was agreed with. They hold from today on: no fee of past days changes, and no sweep that was.
package struct ClaimMostFavoured: LoanCommand {
  package static let action = "loan.claim_most_favoured"
  package var staffDuty: Duty? { nil }
  package let loanID: LoanID
  package let ifVersion: Int64?

  package init(loanID: LoanID, ifVersion: Int64?) {
    self.loanID = loanID
    self.ifVersion = ifVersion
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    guard let loan = state.loans[loanID] else { return loanNeeds(state) }
    return loanNeeds(state).union(FavourDesk.needs(of: loan, state))
      .union([.amendmentsOfLoan(loanID), .principalMoves(loan.terms.borrowerID, loanID)])
  }

  /// The claim, and the loan with its new terms.
  package struct Claimed: Sendable {
    package let claim: FavouredClaim
    package let comparison: FavourComparison
    package let loan: Loan
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Claimed {
    var loan = try loan(&draft, for: .lender, principal)
    let person = try principal.requirePerson()
    guard let favour = draft.base.listingFavours[loan.terms.listingID] else { throw FavourRefusal.noClause }
    try loan.require(.reRate)
    let traded = (draft.base.tradedLoansOf[loan.terms.borrowerID] ?? []).compactMap { draft.find(\.loans, $0) }
    let comparison = FavourDesk.compare(loan, favour.clause, with: traded, FavourDesk.Lists(draft), on: draft.today)
    guard !comparison.lifts.isEmpty else {
      if let through = favour.clause.through, through < draft.today { throw FavourRefusal.over(through) }
      throw FavourRefusal.nothingBetter
    }
    if let rate = comparison.lifted(.rate) {
      let change = AmendmentTerms.reRate(from: draft.today, rate: BasisPoints(rate))
      loan = try AmendmentDesk.apply(change, to: loan, by: principal, in: &draft).0
    }
    var lifted = loan.life.lifted
    if let sweep = comparison.lifted(.sweep) { lifted.sweep = BasisPoints(sweep) }
    if let discount = comparison.lifted(.discount) { lifted.discount = BasisPoints(discount) }
    if let cap = comparison.lifted(.cap) { lifted.cap = cap }
    var warrant: Warrant?
    if let lift = comparison.lifts.first(where: { $0.term == .warrantCoverage }) {
      lifted.coverage = BasisPoints(lift.to)
      guard let terms = draft.find(\.loans, lift.because).flatMap({ draft.base.listingWarrants[$0.terms.listingID] })
      else { throw PartiesRefusal.notFound("warrants") }
      warrant = try WarrantDesk.issue(
        terms, coverage: BasisPoints(lift.to - (lift.from ?? 0)), with: loan, in: &draft)
    }
    loan.lift(to: lifted)
    loan = draft.put(\.loans, loan)
    let claim = FavouredClaim(
      id: draft.ids.next(), borrowerID: loan.terms.borrowerID, lenderID: loan.terms.lenderID, loanID: loanID,
      claimedBy: person, claimedOn: draft.today, rate: comparison.lifted(.rate).map { BasisPoints($0) },
      sweep: lifted.sweep, discount: lifted.discount, cap: lifted.cap, coverage: lifted.coverage,
      warrantID: warrant?.id, digest: comparison.digest, bytes: comparison.canonicalBytes, recordedAt: draft.now)
    draft.made.favouredClaims.append(claim)
    draft.made.subject = claim.id.value
    LoanDesk.announce("loan.terms_lifted", loan, FavourDesk.facts(comparison), in: &draft)
    return Claimed(claim: claim, comparison: comparison, loan: loan)
  }
}

/// What telling of better terms, showing them and claiming them share.
package enum FavourDesk {
  /// What listings ask beside the fee, by listing.
  package struct Lists {
    package var options: [ListingID: ListingOptions]
    package var warrants: [ListingID: ListingWarrants]

    package init(options: [ListingOptions], warrants: [ListingWarrants]) {
      self.options = Dictionary(options.map { ($0.listingID, $0) }, uniquingKeysWith: { first, _ in first })
      self.warrants = Dictionary(warrants.map { ($0.listingID, $0) }, uniquingKeysWith: { first, _ in first })
    }

    init(_ draft: Draft) {
      options = draft.base.listingOptions
      warrants = draft.base.listingWarrants
    }

    /// nil too where the cap is in another currency than the loan: it is none that could be compared.
    fileprivate func options(of loan: Loan) -> ListingOptions? {
      guard let found = options[loan.terms.listingID], (found.cap?.currency ?? loan.currency) == loan.currency else {
        return nil
      }
      return found
    }
  }

  /// What comparing a loan with all later ones must see.
  static func needs(of loan: Loan, _ state: BatchState) -> Set<Need> {
    let borrower = loan.terms.borrowerID
    var needs: Set<Need> = [.tradedLoans(borrower), .listingFavour(loan.terms.listingID)]
    for id in state.tradedLoansOf[borrower] ?? [] {
      if let listing = state.loans[id]?.terms.listingID {
        needs.formUnion([.listingOptions(listing), .listingWarrants(listing)])
      }
    }
    return needs
  }

  /// What telling the holders of earlier loans of a new one must see.
  static func needs(toTell borrower: OrganizationID, of listing: ListingID, _ state: BatchState) -> Set<Need> {
    var needs: Set<Need> = [.loansOfBorrower(borrower), .listingOptions(listing), .listingWarrants(listing)]
    for id in state.loansOfBorrower[borrower] ?? [] {
      guard let listing = state.loans[id]?.terms.listingID else { continue }
      needs.insert(.listingFavour(listing))
      if state.listingFavours[listing] != nil {
        needs.formUnion([.listingOptions(listing), .listingWarrants(listing)])
      }
    }
    return needs
  }

  /// Tells whoever holds an earlier loan with such a clause that a new one has better terms; what it may do is its own.
  static func tell(of loan: Loan, in draft: inout Draft) {
    for id in draft.base.loansOfBorrower[loan.terms.borrowerID] ?? [] {
      guard let held = draft.find(\.loans, id), let favour = draft.base.listingFavours[held.terms.listingID] else {
        continue
      }
      let comparison = compare(held, favour.clause, with: [loan], Lists(draft), on: draft.today)
      guard !comparison.lifts.isEmpty else { continue }
      LoanDesk.announce("loan.better_terms_traded", held, facts(comparison), in: &draft)
    }
  }

  /// Days and terms, and no loan or lender by its name.
  static func facts(_ comparison: FavourComparison) -> [(StaticString, EventFact)] {
    let days = Set(comparison.lifts.compactMap { comparison.tradeDay(of: $0) }).sorted()
    return [
      ("terms", .text(comparison.lifts.map(\.term.rawValue).joined(separator: " "))),
      ("traded_on", .text(days.map(\.description).joined(separator: " "))),
      ("extent", .text(comparison.clause.extent.rawValue)),
    ]
  }

  /// Compares a loan as it is with later ones as they were traded: loans of the same startup and currency with other
  /// lenders. What came of another loan by sale or assumption was traded with that one.
  package static func compare(
    _ loan: Loan, _ clause: MostFavouredNation, with traded: [Loan], _ lists: Lists, on date: CalendarDate
  ) -> FavourComparison {
    let options = lists.options(of: loan)
    // Ranks are a matter among lenders; and a right that the loan does not have has no terms to lift.
    var leftOut: Set<MostFavouredNation.Term> = [.rank]
    if Covenant(loan) == nil { leftOut.insert(.sweep) }
    if options == nil { leftOut.formUnion([.discount, .cap]) }
    let own = FavourableTerms(
      rate: loan.rate(on: date), sweep: loan.sweep, rank: loan.terms.rank,
      discount: loan.life.lifted.discount ?? options?.discount ?? BasisPoints(0),
      cap: loan.life.lifted.cap ?? options?.cap?.amount,
      warrantCoverage: loan.life.lifted.coverage ?? lists.warrants[loan.terms.listingID]?.coverage ?? BasisPoints(0))
    let later = traded.filter { other in
      other.terms.borrowerID == loan.terms.borrowerID && other.isFromTrade && other.currency == loan.currency
        && other.terms.lenderID != loan.terms.lenderID && other.terms.tradeOn > loan.terms.tradeOn
    }
    return FavourComparison(
      loanID: loan.id, lenderID: loan.terms.lenderID, clause: clause, tradedOn: loan.terms.tradeOn, comparedOn: date,
      leftOut: leftOut, own: own,
      later: later.map { other in
        let options = lists.options(of: other)
        return MostFavouredNation.LaterLoan(
          loanID: other.id, tradedOn: other.terms.tradeOn,
          terms: FavourableTerms(
            rate: other.terms.rate,
            sweep: other.terms.repayment.pattern == .roundSweep ? other.terms.repayment.sweep : BasisPoints(0),
            rank: other.terms.rank, discount: options?.discount ?? BasisPoints(0), cap: options?.cap?.amount,
            warrantCoverage: lists.warrants[other.terms.listingID]?.coverage ?? BasisPoints(0)))
      })
  }
}
