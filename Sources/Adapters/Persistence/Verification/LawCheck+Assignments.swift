import Postgres

extension LawCheck {
  /// What of a loan's claim went from one lender's book to another's, in the book of its own lender.
  private static let moved: SQL = """
    select j.org_id, j.subject_id, coalesce(sum(j.amount) filter (where j.amount > 0), 0) as bought,
      coalesce(-sum(j.amount) filter (where j.amount < 0), 0) as sold
    from journal_lines j join journal_entries e on e.org_id = j.org_id and e.id = j.entry_id and e.kind = 'loan_assigned'
    where j.account_code like 'receivable.%' group by 1, 2
    """

  static let assignments = [
    LawCheck(
      3, "what a lender sold of a loan is what the buyer's loan began with",
      names: ("law_assignments", "law_assignments_count"),
      breaches: """
        select l.id, 'sold ' || l.units_assigned || ' units and ' || l.principal_assigned || ' of principal, sales say '
          || coalesce(s.units, 0) || ' and ' || coalesce(s.principal, 0)
        from loans l left join (
          select a.loan_id, sum(a.quantity) as units, sum(n.principal) as principal
          from loan_assignments a join loans n on n.borrower_id = a.borrower_id and n.id = a.assigned_loan_id
          group by 1) s on s.loan_id = l.id
        where l.units_assigned <> coalesce(s.units, 0) or l.principal_assigned <> coalesce(s.principal, 0)
        union all
        select l.id, 'is said to come from another lender, and no sale made it' from loans l
        where l.lineage is not null and not exists (
          select 1 from loan_assignments a
          join loans o on o.borrower_id = a.borrower_id and o.id = a.loan_id and o.lender_id = a.seller_id
            and coalesce(o.lineage, '{}') = l.lineage[2:]
          where a.state = 'settled' and a.borrower_id = l.borrower_id and a.assigned_loan_id = l.id
            and a.buyer_id = l.lender_id and a.loan_id::text = l.lineage[1] and a.quantity = l.quantity
            and a.ended_on = l.acquired_on)
        union all
        select l.id, 'its book bought ' || coalesce(m.bought, 0) || ' and sold ' || coalesce(m.sold, 0) || ', sales say '
          || coalesce(b.claim, 0) || ' and ' || coalesce(s.claim, 0)
        from loans l
        left join (
        """ + moved
          + """
          ) m on m.org_id = l.lender_id and m.subject_id = l.id
          left join (
            select assigned_loan_id as id, sum(settled_charges + settled_fee + settled_principal) as claim
            from loan_assignments where state = 'settled' group by 1) b on b.id = l.id
          left join (
            select loan_id as id, sum(settled_charges + settled_fee + settled_principal) as claim
            from loan_assignments where state = 'settled' group by 1) s on s.id = l.id
          where coalesce(m.bought, 0) <> coalesce(b.claim, 0) or coalesce(m.sold, 0) <> coalesce(s.claim, 0)
          """, counting: "select 1 from loan_assignments where state = 'settled'"),
    LawCheck(
      12, "no loan was bought by the person who sold it",
      names: ("law_assignment_persons", "law_assignment_persons_count"),
      breaches: """
        select id, 'accepted by ' || accepted_by || ', who proposed it' from loan_assignments
        where accepted_by = proposed_by
        union all
        select id, 'settled against the borrower''s word' from loan_assignments a
        where state = 'settled' and consent_by is not null and consented_on is null and ended_on <= consent_by
          and not exists (select 1 from loans l where l.borrower_id = a.borrower_id and l.id = a.assigned_loan_id
            and l.defaulted_on is not null)
        """, counting: "select 1 from loan_assignments where accepted_on is not null"),
    LawCheck(
      11, "a part of a sweep was declined after the sweep, and before any of its money was divided",
      names: ("law_declines", "law_declines_count"),
      breaches: """
        select d.id, 'declined on ' || d.declined_on || ', its closing was swept on ' || coalesce(c.swept_on::text, 'no day')
        from prepayment_declines d
        left join funding_closings c on c.borrower_id = d.borrower_id and c.id = d.closing_id
        where c.swept_on is null or d.declined_on < c.swept_on
        union all
        select d.id, 'money of the sweep had been divided before' from prepayment_declines d
        where exists (
          select 1 from repayment_explanations e
          join cash_receipts r on r.org_id = e.borrower_id and r.created_at >= e.recorded_at
            and r.created_at < d.recorded_at
          join allocations a on a.borrower_id = r.org_id and a.receipt_id = r.id
          where e.borrower_id = d.borrower_id and e.subject_id = d.closing_id and e.kind = 'sweep')
        """, counting: "select 1 from prepayment_declines"),
  ]
}
