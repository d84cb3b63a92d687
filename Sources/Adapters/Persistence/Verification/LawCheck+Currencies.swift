import Postgres

/// Laws of rates between currencies, of money that was turned from one into another, and of loans that an acquirer took
/// over.
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
    LawCheck(
      3, "shares that a lender took are in both books for the debt they discharged, and cost what the round says",
      names: ("law_equity", "law_equity_count"),
      breaches: """
        select coalesce(c.loan_id, j.subject_id), 'shares were taken for ' || coalesce(c.total, 0) || ', the lender''s book has '
          || coalesce(j.invested, 0) || ', the startup''s ' || coalesce(-j.issued, 0)
        from (
          select loan_id, currency, sum(amount) as total from (
            select loan_id, currency, converted as amount from loan_conversions
            union all select loan_id, currency, cost from warrants where state = 'exercised' and cost > 0) s
          group by 1, 2) c
        full join (
          select subject_id, asset, sum(amount) filter (where account_code = 'investment.equity') as invested,
            sum(amount) filter (where account_code = 'equity.issued') as issued
          from journal_lines where account_code in ('investment.equity', 'equity.issued') group by 1, 2) j
          on j.subject_id = c.loan_id and j.asset = c.currency
        where coalesce(c.total, 0) <> coalesce(j.invested, 0) or coalesce(c.total, 0) <> -coalesce(j.issued, 0)
        union all
        -- The lowest of the round's price, the discounted price and the cap over the capitalisation, as fractions.
        select c.id, 'took ' || c.shares || ' shares for ' || c.converted || ' of ' || c.amount || ' by ' || c.basis
        from loan_conversions c cross join lateral (
          select case c.basis when 'cap' then c.cap when 'discount' then c.share_price::numeric * (10000 - c.discount_bps)
              else c.share_price end::numeric as price,
            case c.basis when 'cap' then c.capitalisation when 'discount' then c.share_price_shares::numeric * 10000
              else c.share_price_shares end::numeric as per) p
        where p.price is null or c.shares <> div(c.amount * p.per, p.price)
          or c.converted <> div(c.shares * p.price + p.per - 1, p.per)
          or c.share_price::numeric * (10000 - c.discount_bps) * p.per < p.price * c.share_price_shares * 10000
          or c.cap::numeric * p.per < p.price * c.capitalisation
        union all
        select c.id, 'of options that its loan''s listing does not have' from loan_conversions c
        join loans l on l.borrower_id = c.borrower_id and l.id = c.loan_id
        -- Of the lender that listed it: a buyer of the loan converts by the same right.
        left join listing_options o on o.listing_id = l.listing_id and o.listing_id = c.listing_id
          and o.share_bps = c.share_bps and (
            o.discount_bps = c.discount_bps and o.cap is not distinct from c.cap or exists (
              select 1 from favoured_claims f join loans t on t.id = f.loan_id and t.offer_id = l.offer_id
              where coalesce(f.discount_bps, o.discount_bps) = c.discount_bps
                and coalesce(f.cap, o.cap) is not distinct from c.cap))
        where o.listing_id is null
        """, counting: "select 1 from loan_conversions"),
    LawCheck(
      3, "warrants are what the listing asked for of the loan's principal, and were exercised for what they come to",
      names: ("law_warrants", "law_warrants_count"),
      breaches: """
        select w.id, 'cover ' || w.covered || ' of ' || l.principal || ', and are ' || coalesce(w.count, 0) || ' at '
          || coalesce(w.strike, 0) || ' for ' || coalesce(w.strike_shares, 0)
        from warrants w join loans l on l.borrower_id = w.borrower_id and l.id = w.loan_id
        where w.covered <> div(l.principal::numeric * w.coverage_bps, 10000) or w.currency <> l.currency
          or w.count <> div(w.covered::numeric * w.strike_shares, w.strike)
        union all
        select w.id, 'of terms that its listing does not have' from warrants w
        left join listing_warrants t on t.listing_id = w.listing_id and t.coverage_bps >= w.coverage_bps
          and t.occasion = w.occasion and w.issued_on + t.expires_after_days::int = w.expires_on
          and (t.strike is null or t.strike = w.strike and t.strike_shares = w.strike_shares)
          and (t.strike is null or w.strike_round_id is null)
        where t.listing_id is null
        union all
        select w.id, 'the strike is not the price of round ' || w.strike_round_id from warrants w
        left join funding_rounds r on r.borrower_id = w.borrower_id and r.id = w.strike_round_id
          and r.state = 'verified' and r.share_price = w.strike and r.share_price_shares = w.strike_shares
        where w.strike_round_id is not null and r.id is null
        union all
        select w.id, w.exercise_kind || ' exercise of ' || w.count || ' for ' || w.shares || ' shares that cost ' || w.cost
        from warrants w left join funding_rounds r on r.borrower_id = w.borrower_id and r.id = w.round_id
        where w.exercise_kind = 'cash' and (w.shares <> w.count
            or w.cost <> div(w.count::numeric * w.strike + w.strike_shares - 1, w.strike_shares))
          or w.exercise_kind = 'net' and (w.cost <> 0 or r.share_price is distinct from w.share_price
            or r.share_price_shares is distinct from w.share_price_shares
            or w.shares <> div(w.count::numeric * (w.share_price::numeric * w.strike_shares
              - w.strike::numeric * w.share_price_shares), w.share_price::numeric * w.strike_shares))
        union all
        select id, 'exercised on ' || exercised_on || ', after ' || expires_on from warrants where exercised_on > expires_on
        union all
        select subject_id, 'clearing.equity sums to ' || sum(amount) || ' over the books' from journal_lines
        where account_code = 'clearing.equity' group by subject_id, asset having sum(amount) <> 0
        """, counting: "select 1 from warrants"),
    LawCheck(
      3, "terms of a loan that a later loan lifted are those that its lender claimed, and what it had is no better",
      names: ("law_favours", "law_favours_count"),
      breaches: """
        select l.id, 'is lifted to ' || concat_ws(', ', l.lifted_sweep_bps, l.lifted_discount_bps, l.lifted_cap,
          l.lifted_coverage_bps) || ' and nobody claimed that'
        from loans l
        where num_nonnulls(l.lifted_sweep_bps, l.lifted_discount_bps, l.lifted_cap, l.lifted_coverage_bps) > 0
          -- What came of a loan by sale or assumption has its offer.
          and not exists (
            select 1 from favoured_claims f join loans t on t.id = f.loan_id and t.offer_id = l.offer_id
            where f.sweep_bps is not distinct from l.lifted_sweep_bps
              and f.discount_bps is not distinct from l.lifted_discount_bps
              and f.cap is not distinct from l.lifted_cap and f.coverage_bps is not distinct from l.lifted_coverage_bps)
        union all
        select f.id, 'of a loan without such a clause' from favoured_claims f
        join loans l on l.borrower_id = f.borrower_id and l.id = f.loan_id
        where not exists (select 1 from listing_favours c where c.listing_id = l.listing_id)
        """, counting: "select 1 from favoured_claims"),
    LawCheck(
      3, "a loan that was assumed goes on with its acquirer, the same debt and the same chips",
      names: ("law_assumptions", "law_assumptions_count"),
      breaches: """
        select c.id, 'the loan ' || c.loan_id || ' is ' || coalesce(o.closed_as, 'not ended') || ', its acquirer''s '
          || coalesce(n.quantity, 0) || ' of ' || coalesce(o.quantity, 0) || ' units'
        from control_choices c
        left join loans o on o.borrower_id = c.borrower_id and o.id = c.loan_id
        left join loans n on n.borrower_id = c.acquirer_id and n.id = c.into_loan_id and n.lender_id = c.lender_id
        where c.into_loan_id is not null and (o.closed_as is distinct from 'assumed' or n.id is null
          or n.quantity <> o.quantity or n.lot_id <> o.lot_id or n.currency <> o.currency
          or n.principal > o.principal)
        union all
        select l.id, 'ended as assumed, and nobody assumed it' from loans l where l.closed_as = 'assumed' and not exists (
          select 1 from control_choices c where c.borrower_id = l.borrower_id and c.loan_id = l.id and c.state = 'done'
            and c.into_loan_id is not null)
        union all
        select id, 'one person acted for two sides' from control_choices where into_loan_id is not null
          and (chosen_by = consented_by or chosen_by = assumed_by or consented_by = assumed_by or consented_by is null)
        union all
        select subject_id, 'clearing.assumption sums to ' || sum(amount) || ' over the books' from journal_lines
        where account_code = 'clearing.assumption' group by subject_id, asset having sum(amount) <> 0
        """, counting: "select 1 from control_choices"),
  ]
}
