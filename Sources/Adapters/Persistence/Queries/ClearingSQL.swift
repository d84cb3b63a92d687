import Ledger
import Postgres
import Primitives

/// How far the accounts through which money and chips only pass have been cleared.
package enum ClearingSQL {
  /// By account and asset: items, those that are cleared, amounts, and since when the oldest open part has stood there. An
  /// item is what an account holds for one subject in one book; what opened first is cleared first.
  package static let clearing = Statement(
    "clearing_accounts",
    """
    with lines as (
      select l.account_code, l.asset, l.org_id, l.subject_id, e.business_date, e.sequence, l.line_no, l.amount,
        first_value(l.amount) over (
          partition by l.account_code, l.asset, l.org_id, l.subject_id order by e.sequence, l.line_no) as first_amount
      from journal_lines l join journal_entries e on e.org_id = l.org_id and e.id = l.entry_id
      where l.account_code = any($1) and e.business_date <= $2),
    sided as (
      select *, (amount > 0) = (first_amount > 0) as opens, abs(amount) as size from lines),
    opened as (
      select account_code, asset, org_id, subject_id, business_date, size,
        sum(size) over (
          partition by account_code, asset, org_id, subject_id order by business_date, sequence, line_no) as reached
      from sided where opens),
    cleared as (
      select account_code, asset, org_id, subject_id, sum(size) as size from sided where not opens
      group by account_code, asset, org_id, subject_id),
    items as (
      select o.account_code, o.asset, sum(o.size) as opened, coalesce(max(c.size), 0) as cleared,
        min(o.business_date) filter (where o.reached > coalesce(c.size, 0)) as oldest
      from opened o left join cleared c on c.account_code = o.account_code and c.asset = o.asset
        and c.org_id = o.org_id and c.subject_id = o.subject_id
      group by o.account_code, o.asset, o.org_id, o.subject_id)
    select account_code, asset, count(*), count(*) filter (where opened = cleared), sum(opened)::bigint,
      sum(cleared)::bigint, min(oldest)
    from items group by account_code, asset order by account_code, asset
    """, parameters: [.textArray, .date], columns: [.text, .text, .int8, .int8, .int8, .int8, .date])

  package static var statements: [Statement] { [clearing] }

  /// Money of payers who are not known, money held for organisations, and the value of chips that crossed.
  package static let codes: [AccountCode] = [.suspense, .clientMoney, .clearingChips]

  package static func query(on date: CalendarDate) -> Query {
    Query(clearing, [.textArray(codes.map(\.rawValue)), .date(date.dayNumber)])
  }
}
