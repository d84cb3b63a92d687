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
        select c.id, 'says that it was brought ' || c.cured || ', receipts say ' || coalesce(sum(a.amount), 0)
        from margin_calls c
        left join cash_receipts r on r.org_id = c.borrower_id and r.margin_call_id = c.id
        left join allocations a on a.borrower_id = r.org_id and a.receipt_id = r.id
        where c.is_upheld is not true
        group by c.borrower_id, c.id having c.cured <> coalesce(sum(a.amount), 0)
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
  ]
}
