import Postgres

extension LawCheck {
  static let taxes = [
    LawCheck(
      3, "the sales tax on a loan's fee is what its lines come to, and both books have it",
      names: ("law_taxes", "law_taxes_count"),
      breaches: """
        select l.id, 'tax lines come to ' || coalesce(t.tax, 0) || ' on a fee of ' || coalesce(t.fee, 0)
          || ', the loan says ' || coalesce(l.tax_total, 0) || ' on ' || l.fee_accrued_total
          || ', the lender owes ' || coalesce(-o.total, 0) || ', the borrower may set off ' || coalesce(i.total, 0)
        from loans l
        left join (
          select borrower_id, loan_id, sum(amount) as tax, sum(fee) as fee from loan_tax_lines group by 1, 2) t
          on t.borrower_id = l.borrower_id and t.loan_id = l.id
        left join (
        """ + sums
          + """
          ) o on o.org_id = l.lender_id and o.subject_id = l.id and o.account_code = 'tax.output' and o.asset = l.currency
          left join (
          """ + sums
            + """
            ) i on i.org_id = l.borrower_id and i.subject_id = l.id and i.account_code = 'tax.input'
              and i.asset = l.currency
            where coalesce(l.tax_total, 0) <> coalesce(t.tax, 0)
              or (l.tax_treatment is not null and l.fee_accrued_total <> coalesce(t.fee, 0))
              or (l.tax_treatment is null and t.fee is not null)
              or coalesce(-o.total, 0) <> case when l.tax_treatment = 'standard' then l.tax_total else 0 end
              or coalesce(i.total, 0) <> case when l.tax_treatment = 'standard' then l.tax_total else 0 end
            """, counting: "select 1 from loans where tax_treatment is not null"),
    LawCheck(
      6, "tax is computed once for each day, by a rule that was adopted, and as its inputs give it",
      names: ("law_tax_lines", "law_tax_lines_count"),
      breaches: """
        select loan_id, 'the line ' || id || ' of ' || amount || ' is not what ' || fee || ' at ' || rate_bps || ' gives'
        from loan_tax_lines
        where treatment <> 'exempt' and amount::numeric * 10000 + residue_after - residue_before <> fee::numeric * rate_bps
        union all
        select one.loan_id, 'the day ' || greatest(one.from_on, other.from_on) || ' is taxed twice'
        from loan_tax_lines one join loan_tax_lines other on other.borrower_id = one.borrower_id
          and other.loan_id = one.loan_id and other.id > one.id and other.from_on < one.to_on
          and one.from_on < other.to_on
        where not one.is_restated and not other.is_restated
        union all
        select t.loan_id, 'the line ' || t.id || ' has a rule that is not adopted, or says otherwise'
        from loan_tax_lines t left join reference_entries r on r.id = t.rule_id and r.kind = 'tax_rule'
          and r.state = 'adopted'
        where t.treatment <> 'exempt' and (r.id is null or (r.body ->> 'rate_bps')::bigint <> t.rate_bps
          or r.body ->> 'jurisdiction' <> t.jurisdiction or r.body ->> 'kind' <> 'sales'
          or (r.body ->> 'from_on')::date > t.from_on or (r.body ->> 'through_on')::date < t.to_on - 1)
        union all
        select t.loan_id, 'the entry ' || t.entry_id || ' has ' || coalesce(j.total, 0) || ', its lines ' || t.tax
        from (
          select lender_id, loan_id, entry_id, sum(amount) as tax from loan_tax_lines where entry_id is not null
          group by 1, 2, 3) t
        left join (
          select org_id, entry_id, -sum(amount) as total from journal_lines where account_code = 'tax.output'
          group by 1, 2) j on j.org_id = t.lender_id and j.entry_id = t.entry_id
        where t.tax <> coalesce(j.total, 0)
        """, counting: "select 1 from loan_tax_lines"),
    LawCheck(
      3, "tax that was withheld is what certificates say, on fee that was paid, and both books have it",
      names: ("law_tax_withheld", "law_tax_withheld_count"),
      breaches: """
        select l.id, 'certificates come to ' || coalesce(c.withheld, 0) || ' on a fee of ' || coalesce(c.fee, 0)
          || ', the loan says a fee of ' || coalesce(l.tax_fee_certified, 0) || ', the lender''s credit '
          || coalesce(k.total, 0) || ', the borrower owes ' || coalesce(-w.total, 0)
        from loans l
        left join (
          select borrower_id, loan_id, sum(withheld) as withheld, sum(fee) as fee from loan_tax_certificates
          where state = 'confirmed' group by 1, 2) c on c.borrower_id = l.borrower_id and c.loan_id = l.id
        left join (
        """ + sums
          + """
          ) k on k.org_id = l.lender_id and k.subject_id = l.id and k.account_code = 'tax.credit' and k.asset = l.currency
          left join (
          """ + sums
            + """
            ) w on w.org_id = l.borrower_id and w.subject_id = l.id and w.account_code = 'tax.withheld'
              and w.asset = l.currency
            where coalesce(l.tax_fee_certified, 0) <> coalesce(c.fee, 0)
              or coalesce(k.total, 0) <> coalesce(c.withheld, 0) or coalesce(-w.total, 0) <> coalesce(c.withheld, 0)
            union all
            select l.id, 'counts ' || l.tax_fee_paid || ' of fee paid, its receipts '
              || coalesce(a.paid, 0) - coalesce(m.moved, 0)
            from loans l left join (
              select borrower_id, loan_id, sum(discharged_principal) as moved from loan_tax_certificates
              where state = 'confirmed' group by 1, 2) m on m.borrower_id = l.borrower_id and m.loan_id = l.id
            left join (
              select a.borrower_id, a.loan_id, sum(a.amount) - coalesce(sum(b.cash), 0) as paid from allocations a
              left join (
                select borrower_id, receipt_id, loan_id, sum(cash) as cash from claw_back_lines where step = 'fee'
                group by 1, 2, 3) b on b.borrower_id = a.borrower_id and b.receipt_id = a.receipt_id
                and b.loan_id = a.loan_id
              where a.step = 'fee' group by 1, 2) a on a.borrower_id = l.borrower_id and a.loan_id = l.id
            where l.tax_withholding is not null and l.tax_fee_paid <> coalesce(a.paid, 0) - coalesce(m.moved, 0)
            union all
            select loan_id, 'the certificate ' || id || ' keeps back ' || withheld || ' of ' || fee || ' paid, at '
              || rate_bps from loan_tax_certificates
            where withheld::numeric * (10000 - rate_bps) > fee::numeric * rate_bps + 20000
            """, counting: "select 1 from loan_tax_certificates"),
    LawCheck(
      12, "no certificate of withheld tax was confirmed by the person who recorded it",
      names: ("law_tax_certificates", "law_tax_certificates_count"),
      breaches: """
        select id, 'confirmed by ' || coalesce(decided_by::text, 'nobody') || ', recorded by '
          || coalesce(recorded_by::text, 'nobody')
        from loan_tax_certificates where state = 'confirmed' and (decided_by is null or decided_by = recorded_by)
        """, counting: "select 1 from loan_tax_certificates where state = 'confirmed'"),
    LawCheck(
      12, "no two tax rules of one kind and jurisdiction hold on a day",
      names: ("law_tax_rules", "law_tax_rules_count"),
      breaches: """
        with rules as (
          select r.id, r.body ->> 'kind' as kind, r.body ->> 'jurisdiction' as jurisdiction,
            (r.body ->> 'from_on')::date as from_on,
            least(coalesce((r.body ->> 'through_on')::date, 'infinity'), coalesce((
              select min((s.body ->> 'from_on')::date) - 1 from reference_entries s
              where s.kind = 'tax_rule' and s.state = 'adopted' and s.body ->> 'supersedes' is not null
                and substr(s.body ->> 'supersedes', 5)::uuid = r.id), 'infinity')) as through_on
          from reference_entries r where r.kind = 'tax_rule' and r.state = 'adopted')
        select one.id, 'holds on ' || greatest(one.from_on, other.from_on) || ', as ' || other.id || ' does'
        from rules one join rules other on other.kind = one.kind and other.jurisdiction = one.jurisdiction
          and other.id > one.id and one.from_on <= other.through_on and other.from_on <= one.through_on
        where one.from_on <= one.through_on and other.from_on <= other.through_on
        """, counting: "select 1 from reference_entries where kind = 'tax_rule' and state = 'adopted'"),
  ]
}
