import Postgres

extension LawCheck {
  static let clawbacks = [
    LawCheck(
      11, "what was taken back of a receipt is no more than it brought, and is owed again on the loans it had paid",
      names: ("law_claw_backs", "law_claw_backs_count"),
      breaches: """
        select r.id, 'says that ' || r.clawed_back || ' was taken back, claw-backs say ' || coalesce(b.total, 0)
        from cash_receipts r
        left join (select receipt_id, sum(amount) as total from claw_backs where state = 'approved' group by 1) b
          on b.receipt_id = r.id
        where r.clawed_back <> coalesce(b.total, 0) or r.clawed_back > r.amount
        union all
        select b.id, 'took ' || b.amount || ', of what was left ' || b.from_remainder || ', of loans ' || coalesce(l.total, 0)
        from claw_backs b
        left join (select claw_back_id, sum(cash) as total from claw_back_lines group by 1) l on l.claw_back_id = b.id
        where b.amount <> coalesce(b.from_remainder, b.amount) + coalesce(l.total, 0)
        union all
        select l.loan_id, l.cash || ' of ' || l.step || ' was taken back, receipt ' || l.receipt_id || ' had paid '
          || coalesce(a.amount, 0)
        from (select borrower_id, receipt_id, loan_id, step, sum(cash) as cash from claw_back_lines group by 1, 2, 3, 4) l
        left join allocations a on a.borrower_id = l.borrower_id and a.receipt_id = l.receipt_id
          and a.loan_id = l.loan_id and a.step = l.step
        where l.cash > coalesce(a.amount, 0)
        union all
        select coalesce(l.loan_id, j.subject_id), coalesce(l.total, 0) || ' was taken back, the books have '
          || coalesce(j.total, 0) || ' owed again'
        from (select loan_id, sum(cash) as total from claw_back_lines group by 1) l
        full join (
          select e.subject_id, -sum(n.amount) as total from journal_entries e
          join journal_lines n on n.org_id = e.org_id and n.entry_id = e.id
          where e.kind = 'debt_reinstated' and n.account_code in ('payable.charges', 'payable.tax', 'payable.fee', 'payable.principal')
          group by 1) j on j.subject_id = l.loan_id
        where coalesce(l.total, 0) <> coalesce(j.total, 0)
        """, counting: "select 1 from claw_backs union all select 1 from cash_receipts where clawed_back > 0"),
    LawCheck(
      11,
      "what lenders owe for money that was taken back is what the platform claims of them, less what they gave back",
      names: ("law_claw_back_claims", "law_claw_back_claims_count"),
      breaches: """
        select coalesce(c.lender_id, j.lender_id), coalesce(c.owed, 0) || ' ' || coalesce(c.currency, j.asset)
          || ' by claw-backs and what was given back, the lender''s book ' || coalesce(j.owes, 0) || ', the platform''s '
          || coalesce(j.claims, 0)
        from (
          select lender_id, currency, sum(amount) as owed from (
            select lender_id, currency, claimed as amount from claw_back_lines
            union all select lender_id, currency, -clawback_netted from payouts
            union all select coalesce(assigned_to, org_id), currency, -claim_paid from cash_receipts
            where claim_paid > 0) m
          group by 1, 2) c
        full join (
          select case when account_code = 'payable.clawback' then org_id else subject_id end as lender_id, asset,
            -coalesce(sum(amount) filter (where account_code = 'payable.clawback'), 0) as owes,
            coalesce(sum(amount) filter (where account_code = 'receivable.clawback'), 0) as claims
          from journal_lines where account_code in ('payable.clawback', 'receivable.clawback') group by 1, 2) j
          on j.lender_id = c.lender_id and j.asset = c.currency
        where coalesce(c.owed, 0) <> coalesce(j.owes, 0) or coalesce(c.owed, 0) <> coalesce(j.claims, 0)
        """, counting: "select distinct lender_id, currency from claw_back_lines"),
    LawCheck(
      12, "no claw-back and no top-up of client money was approved by the person who proposed it",
      names: ("law_claw_back_persons", "law_claw_back_persons_count"),
      breaches: """
        select id, 'approved by ' || coalesce(decided_by::text, 'nobody') || ', proposed by ' || proposed_by
        from (
          select id, state, decided_by, proposed_by from claw_backs
          union all select id, state, decided_by, proposed_by from client_money_top_ups) p
        where state = 'approved' and (decided_by is null or decided_by = proposed_by)
        """,
      counting: """
        select 1 from claw_backs where state = 'approved'
        union all select 1 from client_money_top_ups where state = 'approved'
        """),
  ]
}
