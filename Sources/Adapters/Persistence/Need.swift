import Ledger
import Matching
import Primitives
import Repayment

/// Something a command must see before it can decide.
package enum Need: Sendable, Hashable {
  case organization(OrganizationID)
  case apiKey(APIKeyID)
  case identityBinding(IdentityBindingID)
  /// The binding that is in force for a subject of an issuer.
  case bindingOf(issuer: String, subject: String)
  case lot(LotID)
  case listing(ListingID)
  case request(LoanRequestID)
  case offer(OfferID)
  case loan(LoanID)
  case round(FundingRoundID)
  case loanReturn(LoanEventID)
  /// The lenders of a borrower's loans that have not ended.
  case lendersOfBorrower(OrganizationID)
  /// The loans of a borrower that have not ended.
  case loansOfBorrower(OrganizationID)
  case closingsOfRound(FundingRoundID)
  /// Closings of a borrower's verified rounds.
  case closingsOfBorrower(OrganizationID)
  /// The records of a closing's sweep and of its corrections, and what was allocated on loans since.
  case sweepOfClosing(ClosingID)
  /// What lenders declined of a closing's sweep.
  case declinesOfClosing(ClosingID)
  /// What the lenders of a borrower agreed among themselves.
  case waterfalls(OrganizationID)
  case returnsOfLoan(LoanID)
  case amendment(AmendmentID)
  case amendmentsOfLoan(LoanID)
  case assignment(LoanAssignmentID)
  case assignmentsOfLoan(LoanID)
  /// How the principal of a borrower's loan moved, by business date, as the borrower's book says.
  case principalMoves(OrganizationID, LoanID)
  /// A numbered unit, if it is known already.
  case unit(UnitKey)
  case unitsOfLoan(LoanID)
  case listingsOfLot(LotID)
  case reservePlans(OrganizationID)
  case lotsOfLender(OrganizationID)
  /// Balances of all accounts of a book that have this code.
  case accounts(OrganizationID, AccountCode)
  case chipMarks(ChipModelID)
  /// Licences that an organisation holds.
  case licencesOf(OrganizationID)
  /// Statements of banks, with the lines, items and breaks that are open.
  case bankBook
  /// Items with these references that earlier lines settled.
  case settledItems(Set<String>)
  /// Client money at the end of a business date.
  case clientMoney(CalendarDate)
  case payee(PayeeID)
  /// The accounts that an organisation is paid on, of every state.
  case payees(OrganizationID)
  case clawback(ClawbackID)
  /// How a receipt was divided, and what was taken back of it.
  case division(CashReceiptID)
  case topUp(TopUpID)
  case referenceEntry(ReferenceEntryID)
  case heldAct(HeldActID)
  case taxCertificate(TaxCertificateID)
  /// What a borrower recorded of tax that it kept back.
  case taxCertificates(OrganizationID)
  /// Tax rules that were adopted.
  case adoptedTaxRules
  /// A lender's payouts up to a day that no invoice tells of.
  case invoices(OrganizationID, through: CalendarDate)
  /// What a statement is made of, and the one that was issued.
  case statement(StatementKey)
  /// Penalties charged on the loans of a borrower that have not ended.
  case penalties(OrganizationID)
  case receipt(CashReceiptID)
  case webhook(WebhookID)
  /// An organisation's webhooks that are not closed.
  case webhooks(OrganizationID)
  case fxRate(FXRateID)
  /// The rates of a pair that are in use, of some days.
  case fxRates(FXSpan)
  case cashConversion(CashConversionID)
  /// What a lender asks of the loans of a listing beside their fee.
  case listingOptions(ListingID)
  case conversionsOfLoan(LoanID)
  /// What warrants a lender asks for with the loans of a listing.
  case listingWarrants(ListingID)
  case warrant(WarrantID)
  /// Whether a lender asks for terms as good as those of later lenders with the loans of a listing.
  case listingFavour(ListingID)
  /// All loans of a borrower, those that have ended too.
  case tradedLoans(OrganizationID)
  /// Outstanding warrants on a startup's shares.
  case warrants(OrganizationID)
  case controlChoice(ControlChoiceID)
  /// What a startup chose at its changes of control.
  case controlChoices(OrganizationID)
  case reconciliationBreak(ReconciliationBreakID)
  case rulePack(RulePackID)
  /// Packs that wait for a decision.
  case waitingRulePacks
  case complianceItem(ComplianceItemID)
  /// Which of these subjects have an open item.
  case openComplianceSubjects(Set<UUIDValue>)
  /// The requests of a startup that look for chips.
  case openRequests(OrganizationID)
  /// Offers to a startup that nobody has answered.
  case pendingOffers(OrganizationID)
  case valuation(ValuationNeed)
  case margin(MarginNeed)
  /// A settlement run, held until the batch commits.
  case settlementRun(SettlementRunID)
  /// The row of a shard that the command does, held against a claim until the batch commits.
  case shard(ShardLease)
  /// The lease row of a segment of the market, held against claims until the batch commits.
  case lease(MatchSegment)
}

extension Need {
  /// Whether what was read for it without locks can be compared behind them: loans by their versions, and a shard's row is
  /// locked by the reading.
  package var isComparable: Bool {
    switch self {
    case .loansOfBorrower, .shard: true
    default: false
    }
  }
}
