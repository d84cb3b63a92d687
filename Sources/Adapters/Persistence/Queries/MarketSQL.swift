import Postgres
import Primitives

/// What a match round or a screening reads of the market.
package enum MarketSQL {
  package static let openListings = Statement(
    "market_listings", Tables.listings.selectList + "where state = 'open' and remaining > 0 order by sequence, id",
    columns: Tables.listings.types)
  package static let aliveRequests = Statement(
    "market_requests",
    Tables.loanRequests.selectList
      + "where state in ('open', 'held', 'partly_matched') and offered + matched < quantity order by sequence, id",
    columns: Tables.loanRequests.types)
  package static let exposures = Statement(
    "market_exposures",
    """
    select borrower_id, lender_id,
      sum(case when delivered_on is null then principal else outstanding_principal end)::bigint
    from loans where state <> 'closed' group by borrower_id, lender_id
    """, columns: [.uuid, .uuid, .int8])
  package static let allChipMarks = Statement(
    "market_chip_marks", Tables.chipMarks.selectList + "order by chip_model_id, effective_on, id",
    columns: Tables.chipMarks.types)

  package static var statements: [Statement] { [openListings, aliveRequests, exposures, allChipMarks] }
}
