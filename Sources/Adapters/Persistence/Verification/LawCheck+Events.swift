import Postgres

extension LawCheck {
  /// Objects whose changes of state are told, with the state that each is in.
  private static let objects: SQL = """
    select 'org_' || org_id as subject, verification_state as state from organizations
    union all select 'lst_' || id, state from listings
    union all select 'req_' || id, state from loan_requests
    union all select 'off_' || id, state from offers
    union all select 'loan_' || id, state from loans
    union all select 'fund_' || id, state from funding_rounds
    union all select 'wrt_' || id, state from warrants
    union all select 'payee_' || id, state from payees
    """

  /// Events from before images were kept tell no state; of an object that has only such, nothing can be said.
  static let events = [
    LawCheck(
      7, "each object is in the state that the newest event of it tells, so that no change of state went untold",
      names: ("law_states_told", "law_states_told_count"),
      breaches: "with objects as (" + objects
        + """
        ), told as (
          select distinct on (subject) subject, type, coalesce(after_image ->> 'state', after_image ->> 'verification') as state
          from outbox where after_image is not null order by subject, position desc)
        select o.subject, 'is ' || o.state || ', and its newest event, ' || t.type || ', says ' || coalesce(t.state, 'nothing')
        from objects o join told t on t.subject = o.subject where t.state is distinct from o.state
        """, counting: objects)
  ]
}
