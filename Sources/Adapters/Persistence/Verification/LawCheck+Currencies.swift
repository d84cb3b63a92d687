import Postgres

/// Laws of rates between currencies, and of money that was turned from one into another.
extension LawCheck {
  static let currencies = [
    LawCheck(
      12, "a rate is in use on one other person's word, one for each pair and day at any moment",
      names: ("law_fx_rates", "law_fx_rates_count"),
      breaches: """
        select id, 'approved by ' || coalesce(decided_by::text, 'nobody') || ', brought by ' || proposed_by from fx_rates
        where state in ('approved', 'superseded') and (decided_by is null or decided_by = proposed_by)
        union all
        select a.id, 'in use beside ' || b.id || ' for ' || a.pair || ' on ' || a.on_date from fx_rates a
        join fx_rates b on b.pair = a.pair and b.on_date = a.on_date and b.id > a.id
        where a.state in ('approved', 'superseded') and b.state in ('approved', 'superseded')
          and a.decided_at < coalesce(b.superseded_at, 'infinity') and b.decided_at < coalesce(a.superseded_at, 'infinity')
        union all
        select w.id, 'superseded, and nothing takes its place' from fx_rates w
        where w.state = 'superseded' and not exists (
          select 1 from fx_rates c where c.supersedes = w.id and c.state in ('approved', 'superseded')
            and c.decided_at = w.superseded_at)
        """, counting: "select 1 from fx_rates"),
    LawCheck(
      11, "converted money left its receipt once, came as another, and is booked so in both books",
      names: ("law_conversions", "law_conversions_count"),
      breaches: """
        select r.id, 'converted ' || coalesce(r.converted, 0) || ', its conversions come to ' || coalesce(c.total, 0)
        from cash_receipts r left join (
          select receipt_id, currency, sum(amount) as total from cash_conversions where state = 'approved' group by 1, 2) c
          on c.receipt_id = r.id and c.currency = r.currency
        where coalesce(r.converted, 0) <> coalesce(c.total, 0)
        union all
        select c.id, 'became ' || c.into_amount || ' ' || c.into_currency || ', the receipt is of ' || coalesce(r.amount, 0)
        from cash_conversions c left join cash_receipts r on r.org_id = c.org_id and r.id = c.into_receipt_id
          and r.currency = c.into_currency
        where c.state = 'approved' and r.amount is distinct from c.into_amount
        union all
        select c.id, 'the books have ' || coalesce(j.total, 0) || ' ' || w.currency || ' of it'
        from cash_conversions c
        cross join lateral (values (c.currency, c.amount), (c.into_currency, -c.into_amount)) as w (currency, amount)
        left join (
          select e.org_id, e.subject_id, l.asset, sum(l.amount) as total from journal_entries e
          join journal_lines l on l.org_id = e.org_id and l.entry_id = e.id and l.account_code = 'fx.position'
          where e.kind = 'cash_converted' group by 1, 2, 3) j
          on j.org_id = c.org_id and j.subject_id = c.into_receipt_id and j.asset = w.currency
        where c.state = 'approved' and coalesce(j.total, 0) <> w.amount
        union all
        select id, 'approved by who stated it' from cash_conversions where state = 'approved' and decided_by = proposed_by
        """, counting: "select 1 from cash_conversions"),
  ]
}
