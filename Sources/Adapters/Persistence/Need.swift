import Ledger
import Primitives

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
  /// The loans of a borrower that have not ended.
  case loansOfBorrower(OrganizationID)
  case closingsOfRound(FundingRoundID)
  /// Closings of a borrower's verified rounds.
  case closingsOfBorrower(OrganizationID)
  case returnsOfLoan(LoanID)
  case listingsOfLot(LotID)
  case reservePlans(OrganizationID)
  case lotsOfLender(OrganizationID)
  /// Balances of all accounts of a book that have this code.
  case accounts(OrganizationID, AccountCode)
  case chipMarks(ChipModelID)
  /// Licences that an organisation holds.
  case licencesOf(OrganizationID)
}
