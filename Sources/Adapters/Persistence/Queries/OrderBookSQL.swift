import Postgres
import Primitives

/// Depth of the market by rate, without names.
package enum OrderBookSQL {
  /// Listings of one lot share what is on hand, or else what is on order, the earlier one first. A block is what one request could get of one
  /// listing: whole boards, and not below the listing's least piece.
  package static let asks = Statement(
    "read_order_book_asks",
    """
    select chip_model_id, region, ask_rate_bps, sum(quantity)::bigint as quantity,
      max(case when block >= min_quantity then block else 0 end) as largest_block
    from (
      select o.*, quantity - quantity % multiple_of as block
      from (
        select l.chip_model_id, l.region, l.ask_rate_bps, l.multiple_of, l.min_quantity,
          greatest(0, least(l.remaining, coalesce(nullif(lots.available, 0), lots.on_order) - coalesce(
            sum(l.remaining) over (
            partition by l.lender_id, l.lot_id order by l.sequence, l.id
            rows between unbounded preceding and 1 preceding), 0)))::bigint as quantity
        from listings l join lots on lots.lender_id = l.lender_id and lots.id = l.lot_id
        where l.state = 'open' and l.remaining > 0
          and ($1::text is null or l.chip_model_id = $1) and ($2::text is null or l.region = $2)) o
      where quantity > 0) b
    group by chip_model_id, region, ask_rate_bps
    order by chip_model_id, region, ask_rate_bps limit 20000
    """,
    parameters: [.text, .text], columns: [.text, .text, .int8, .int8, .int8])

  /// What requests would take, by model or by capability, each of its alternatives counted where it stands. Limits are
  /// rounded down to steps, so that nobody reads one startup's limit out of the book.
  package static let bids = Statement(
    "read_order_book_bids",
    """
    select a.entry ->> 'chip_model_id' as chip_model_id, a.entry -> 'capability' as capability, u.region,
      (a.entry ->> 'max_rate_bps')::bigint / 25 * 25 as rate_bps,
      sum(r.quantity - r.offered - r.matched)::bigint as quantity, max(r.quantity - r.offered - r.matched) as largest_block
    from loan_requests r
    cross join lateral jsonb_array_elements(r.acceptable) as a (entry) cross join lateral unnest(r.regions) as u (region)
    where r.state in ('open', 'partly_matched') and r.offered + r.matched < r.quantity
      and ($1::text is null or a.entry ->> 'chip_model_id' = $1 or a.entry -> 'capability' is not null)
      and ($2::text is null or u.region = $2)
    group by 1, 2, 3, 4 order by 1, 2, 3, 4 limit 20000
    """,
    parameters: [.text, .text], columns: [.text, .jsonb, .text, .int8, .int8, .int8])

  package static var statements: [Statement] { [asks, bids] }
}
