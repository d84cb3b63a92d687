import Ledger
import Matching
import Primitives
import Repayment

/// Something a command must see before it can decide.
package enum Need: Sendable, Hashable {
  case organization(OrganizationID)
  case apiKey(APIKeyID)
  case lot(LotID)
  case listing(ListingID)
  case request(LoanRequestID)
  case offer(OfferID)
  case loan(LoanID)
  case round(FundingRoundID)
  case loanReturn(LoanEventID)
  /// The lenders of a borrower's loans that have not ended: all that the heads of a command over them depend on.
  case lendersOfBorrower(OrganizationID)
  /// The loans of a borrower that have not ended.
  case loansOfBorrower(OrganizationID)
  case closingsOfRound(FundingRoundID)
  /// Closings of a borrower's verified rounds.
  case closingsOfBorrower(OrganizationID)
  /// The records of a closing's sweep and of its corrections, and what was allocated on loans since.
  case sweepOfClosing(ClosingID)
  /// What the lenders of a borrower agreed among themselves.
  case waterfalls(OrganizationID)
  case returnsOfLoan(LoanID)
  case amendment(AmendmentID)
  case amendmentsOfLoan(LoanID)
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
  case receipt(CashReceiptID)
  case fxRate(FXRateID)
  /// The rates of a pair that are in use, of some days.
  case fxRates(FXSpan)
  case cashConversion(CashConversionID)
  /// What a lender asks of the loans of a listing beside their fee.
  case listingOptions(ListingID)
  case conversionsOfLoan(LoanID)
  case controlChoice(ControlChoiceID)
  /// What a startup chose at its changes of control.
  case controlChoices(OrganizationID)
  case reconciliationBreak(ReconciliationBreakID)
  /// A settlement run, held until the batch commits.
  case settlementRun(SettlementRunID)
  /// The row of a shard that the command does, held against a claim until the batch commits.
  case shard(ShardLease)
  /// The lease row of a segment of the market, held against claims until the batch commits.
  case lease(MatchSegment)
}
