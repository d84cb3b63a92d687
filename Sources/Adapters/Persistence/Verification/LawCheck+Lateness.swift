import Postgres

extension LawCheck {
  static let lateness = [
    LawCheck(
      6, "a penalty is charged once for each day, as its inputs give it, and both books have it",
      names: ("law_penalties", "law_penalties_count"),
      breaches: """
        with live as (
          select c.borrower_id, c.loan_id, c.id, c.from_on, least(c.to_on, min(r.from_on)) as to_on
          from loan_penalties c
          left join loan_penalties r on r.borrower_id = c.borrower_id and r.reverses = c.id
          where c.reverses is null group by c.borrower_id, c.id)
        select l.id, 'penalties come to ' || coalesce(p.total, 0) || ', the loan says ' || l.penalty_total
          || ', the lender''s book ' || coalesce(-j.lender, 0) || ', the borrower''s ' || coalesce(b.borrower, 0)
        from loans l
        left join (select borrower_id, loan_id, sum(amount) as total from loan_penalties group by 1, 2) p
          on p.borrower_id = l.borrower_id and p.loan_id = l.id
        left join (
          select j.org_id, j.subject_id, sum(j.amount) as lender from journal_lines j
          join journal_entries e on e.org_id = j.org_id and e.id = j.entry_id
            and e.kind in ('penalty_charged', 'penalty_taken_back')
          where j.account_code = 'income.charges' group by 1, 2) j on j.org_id = l.lender_id and j.subject_id = l.id
        left join (
          select j.org_id, j.subject_id, sum(j.amount) as borrower from journal_lines j
          join journal_entries e on e.org_id = j.org_id and e.id = j.entry_id
            and e.kind in ('penalty_charged', 'penalty_taken_back')
          where j.account_code = 'expense.charges' group by 1, 2) b on b.org_id = l.borrower_id and b.subject_id = l.id
        where l.penalty_total <> coalesce(p.total, 0) or l.penalty_total <> coalesce(-j.lender, 0)
          or l.penalty_total <> coalesce(b.borrower, 0)
        union all
        select id, 'penalties come to ' || penalty_total || ', their cap is ' || most from (
          select id, penalty_total, coalesce(penalty_most, div(principal::numeric * penalty_cap_bps, 10000)) as most
          from loans) c
        where penalty_total > most
        union all
        select loan_id, 'the charge ' || id || ' of ' || amount || ' is not what ' || base || ' at ' || rate_bps
          || ' over ' || days || ' days gives' from loan_penalties
        where reverses is null and not is_capped
          and amount::numeric * 10000 * year_days + residue_after - residue_before <> base::numeric * rate_bps * days
        union all
        select one.loan_id, 'the day ' || greatest(one.from_on, other.from_on) || ' is charged twice'
        from live one join live other on other.borrower_id = one.borrower_id and other.loan_id = one.loan_id
          and other.id > one.id and other.from_on < one.to_on and one.from_on < other.to_on
        where one.from_on < one.to_on and other.from_on < other.to_on
        """, counting: "select 1 from loan_penalties"),
    LawCheck(
      11, "an invoice tells of payouts in the amounts that the lender's book has, numbered without gaps",
      names: ("law_invoices", "law_invoices_count"),
      breaches: """
        select i.id, 'says ' || i.platform_fee || ', its payouts come to ' || coalesce(sum(l.platform_fee), 0)
        from platform_invoices i
        left join platform_invoice_lines l on l.lender_id = i.lender_id and l.invoice_id = i.id
        group by i.lender_id, i.id
        having i.platform_fee <> coalesce(sum(l.platform_fee), 0) or i.fee_income <> coalesce(sum(l.fee_income), 0)
        union all
        select l.payout_id, 'is told of with ' || l.platform_fee || ', its entry has ' || coalesce(sum(j.amount), 0)
        from platform_invoice_lines l
        left join journal_lines j on j.org_id = l.lender_id and j.entry_id = l.entry_id
          and j.account_code = 'expense.platform_fee'
        group by l.lender_id, l.payout_id having l.platform_fee <> coalesce(sum(j.amount), 0)
        union all
        select lender_id, count(*) || ' invoices, the last numbered ' || max(number) from platform_invoices
        group by lender_id having count(*) <> max(number)
        """, counting: "select 1 from platform_invoices"),
    LawCheck(
      12, "no reference data counts that was adopted by the person who proposed it",
      names: ("law_reference_entries", "law_reference_entries_count"),
      breaches: """
        select id, 'adopted by ' || coalesce(decided_by::text, 'nobody') || ', proposed by ' || proposed_by
        from reference_entries where state = 'adopted' and (decided_by is null or decided_by = proposed_by)
        """, counting: "select 1 from reference_entries where state = 'adopted'"),
    LawCheck(
      12, "no held act was done that the person who asked for it approved, or that nobody did",
      names: ("law_held_acts", "law_held_acts_count"),
      breaches: """
        select id, action || ' approved by ' || coalesce(decided_by::text, 'nobody') || ', asked for by ' || proposed_by
        from held_acts where state = 'approved' and (decided_by is null or decided_by = proposed_by)
        """, counting: "select 1 from held_acts where state = 'approved'"),
  ]
}
