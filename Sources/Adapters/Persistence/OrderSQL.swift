import Lending
import Postgres
import Primitives

/// What a startup has open in the market, as the pipeline asks for it.
package enum OrderSQL {
  static let openRequests = Statement(
    "requests_open_of_borrowers",
    Tables.loanRequests.selectList
      + "where borrower_id = any($1) and state in ('open', 'held', 'partly_matched') order by id",
    parameters: [.uuidArray], columns: Tables.loanRequests.types)
  static let pendingOffers = Statement(
    "offers_pending_of_borrowers",
    Tables.offers.selectList + "where borrower_id = any($1) and state = 'pending' order by id",
    parameters: [.uuidArray], columns: Tables.offers.types)

  package static var statements: [Statement] { [openRequests, pendingOffers] }
}
