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
  /// Licences of which something is left.
  package static let licences = Statement(
    "market_licences", Tables.licences.selectList + "where used < quota order by lender_id, id",
    columns: Tables.licences.types)
  /// Chips promised and not yet handed over, between parties of which one holds a licence, in the order of their ids:
  /// pending offers and agreed loans, whose hand-over may use a licence.
  package static let licenceClaims = Statement(
    "market_licence_claims",
    """
    with promised as (
      select o.id, o.lender_id, o.borrower_id, o.chip_model_id, l.country, l.region, o.quantity, r.end_use
      from offers o
      join loan_requests r on r.borrower_id = o.borrower_id and r.id = o.request_id
      join listings l on l.lender_id = o.lender_id and l.id = o.listing_id
      where o.state = 'pending' and r.delivery_mode = 'physical'
      union all
      select id, lender_id, borrower_id, chip_model_id, country, region, quantity, end_use
      from loans where state = 'agreed' and delivery_mode = 'physical')
    select lender_id, borrower_id, chip_model_id, country, region, quantity, end_use from promised p
    where exists (select 1 from licences h where h.lender_id in (p.lender_id, p.borrower_id))
    order by id
    """, columns: [.uuid, .uuid, .text, .text, .text, .int8, .text])

  package static var statements: [Statement] {
    [openListings, aliveRequests, exposures, licences, licenceClaims]
  }
}
