import Postgres

extension LawCheck {
  /// What was recorded of values, read from the marks alone.
  private static let everyMark: SQL = """
    select borrower_id::text as subject, id, basis, method, source, effective_on, recorded_at, supersedes, superseded_at,
      recorded_by, approved_by
    from startup_marks
    union all
    select chip_model_id, id, basis, method, source, effective_on, recorded_at, supersedes, superseded_at, recorded_by,
      approved_by
    from chip_marks
    """

  static let marks = [
    LawCheck(
      12, "a mark is closed by the one correction that names it, when that was recorded, and never otherwise",
      names: ("law_mark_corrections", "law_mark_corrections_count"),
      breaches: "with m as (" + everyMark
        + """
        ) select m.id, 'closed at ' || coalesce(m.superseded_at::text, 'no time') || ', corrected '
          || count(c.id) || ' times, at ' || coalesce(min(c.recorded_at)::text, 'no time')
        from m left join m c on c.supersedes = m.id and c.subject = m.subject
        group by m.id, m.superseded_at
        having count(c.id) > 1 or m.superseded_at is distinct from min(c.recorded_at)
        union all
        select m.id, 'corrects ' || m.supersedes || ', which is no mark of the subject' from m
        where m.supersedes is not null and not exists (
          select 1 from m c where c.id = m.supersedes and c.subject = m.subject)
        """, counting: everyMark),
    LawCheck(
      12, "no mark is approved by the person who stated it, and each that was approved is as it was proposed",
      names: ("law_mark_approvals", "law_mark_approvals_count"),
      breaches: """
        with m as (
          select id, amount, currency, method, basis, effective_on, recorded_by, approved_by from startup_marks
          union all
          select id, amount, currency, method, basis, effective_on, recorded_by, approved_by from chip_marks)
        select id, 'stated and approved by ' || approved_by from m where approved_by = recorded_by
        union all
        select p.id, 'approved, and recorded otherwise or not at all' from mark_proposals p
        where p.state = 'approved' and not exists (
          select 1 from m where m.id = p.id and m.amount = p.amount and m.currency = p.currency and m.method = p.method
            and m.basis = p.basis and m.effective_on = p.effective_on and m.recorded_by = p.proposed_by
            and m.approved_by = p.decided_by)
        """, counting: "select 1 from mark_proposals where state = 'approved'"),
  ]
}
