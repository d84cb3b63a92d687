import Postgres

extension LawCheck {
  static let margin = [
    LawCheck(
      6, "a margin call is for what its test found missing, by the loan's own terms, and one runs for a loan",
      names: ("law_margin_calls", "law_margin_calls_count"),
      breaches: """
        select c.id, 'calls for ' || c.called || ' by ' || c.due_on || ', its test found '
          || coalesce(t.shortfall::text, 'nothing')
        from margin_calls c
        join loans l on l.borrower_id = c.borrower_id and l.id = c.loan_id
        left join margin_tests t on t.borrower_id = c.borrower_id and t.id = c.test_id and t.loan_id = c.loan_id
          and t.on_date = c.opened_on and t.mark_id = c.mark_id
        where t.shortfall is null or c.called > t.shortfall or c.called < t.shortfall and c.is_upheld is not true
          or c.due_on <> c.opened_on + l.margin_cure_days::integer or c.consequence <> l.margin_consequence
          or c.lender_id <> l.lender_id
        union all
        select min(c.id::text)::uuid, count(*) || ' calls run for the loan ' || c.loan_id from margin_calls c
        where c.ended_on is null group by c.borrower_id, c.loan_id having count(*) > 1
        union all
        select c.id, 'says that it was brought ' || c.cured || ', receipts say ' || coalesce(sum(b.amount), 0)
        from margin_calls c
        left join (
          select r.org_id, r.margin_call_id, case when r.source = 'deposit' then r.amount else a.amount end as amount
          from cash_receipts r
          left join (select borrower_id, receipt_id, sum(amount) as amount from allocations group by 1, 2) a
            on a.borrower_id = r.org_id and a.receipt_id = r.id
          where r.margin_call_id is not null) b on b.org_id = c.borrower_id and b.margin_call_id = c.id
        where c.is_upheld is not true
        group by c.borrower_id, c.id having c.cured <> least(c.called, coalesce(sum(b.amount), 0))
        """, counting: "select 1 from margin_calls"),
    LawCheck(
      6, "a margin test goes by a mark that was known then, as it was recorded",
      names: ("law_margin_marks", "law_margin_marks_count"),
      breaches: """
        select t.id, 'goes by the mark ' || t.mark_id || ' of ' || t.mark_amount || ', which is '
          || coalesce(m.amount::text, 'none')
        from margin_tests t
        join loans l on l.borrower_id = t.borrower_id and l.id = t.loan_id
        left join chip_marks m on m.chip_model_id = l.chip_model_id and m.id = t.mark_id and m.basis = 'per_chip'
        where t.mark_id is not null and (
          m.id is null or m.amount <> t.mark_amount or m.currency <> t.mark_currency
          or m.effective_on <> t.mark_effective_on or m.recorded_at <> t.mark_recorded_at
          or m.effective_on > t.on_date or m.recorded_at > t.recorded_at or m.superseded_at < t.recorded_at)
        """, counting: "select 1 from margin_tests where mark_id is not null"),
    LawCheck(
      11, "deposits are held as their receipts say, in both books, and released by two persons",
      names: ("law_deposits", "law_deposits_count"),
      breaches: """
        select coalesce(r.loan_id, j.loan_id), 'receipts hold ' || coalesce(r.held, 0) || ' ' || coalesce(r.asset, j.asset)
          || ', the platform''s book ' || coalesce(j.held, 0) || ', the startup''s ' || coalesce(j.pledged, 0)
        from (
          select deposit_loan_id as loan_id, currency as asset, sum(deposit_held) as held from cash_receipts
          where deposit_loan_id is not null group by 1, 2) r
        full join (
          select subject_id as loan_id, asset, -sum(amount) filter (where account_code = 'deposit.held') as held,
            sum(amount) filter (where account_code = 'deposit.pledged') as pledged
          from journal_lines where account_code in ('deposit.held', 'deposit.pledged') group by 1, 2) j
          on j.loan_id = r.loan_id and j.asset = r.asset
        where coalesce(r.held, 0) <> coalesce(j.held, 0) or coalesce(r.held, 0) <> coalesce(j.pledged, 0)
        union all
        select id, 'released by ' || coalesce(decided_by::text, 'nobody') || ', proposed by ' || proposed_by
        from deposit_acts where state = 'approved' and (decided_by is null or decided_by = proposed_by)
        """, counting: "select 1 from cash_receipts where deposit_loan_id is not null"),
  ]
}
