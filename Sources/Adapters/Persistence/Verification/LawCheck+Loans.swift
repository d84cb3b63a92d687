import Postgres

extension LawCheck {
  static let debts = [
    LawCheck(
      3, "a loan's outstanding is what both its books say", names: ("law_outstanding", "law_outstanding_count"),
      breaches: """
        select l.id, p.part || ' outstanding ' || p.owed || ', the lender''s book ' || coalesce(r.total, 0)
          || ', the borrower''s ' || coalesce(-d.total, 0)
        from loans l cross join lateral (values ('principal', l.outstanding_principal), ('fee', l.outstanding_fee),
          ('charges', l.outstanding_charges - coalesce(l.outstanding_tax, 0)), ('tax', coalesce(l.outstanding_tax, 0)))
          as p (part, owed)
        left join (
        """ + sums
          + """
          ) r on r.org_id = l.lender_id and r.subject_id = l.id and r.account_code = 'receivable.' || p.part
            and r.asset = l.currency
          left join (
          """ + sums
            + """
            ) d on d.org_id = l.borrower_id and d.subject_id = l.id and d.account_code = 'payable.' || p.part
              and d.asset = l.currency
            where p.owed <> coalesce(r.total, 0) or p.owed <> coalesce(-d.total, 0)
            """, counting: "select 1 from loans"),
    LawCheck(
      3, "the borrower's holdings are the loan's units; an ended loan owes nothing",
      names: ("law_holdings", "law_holdings_count"),
      breaches: """
        select l.id, h.code || ' ' || coalesce(s.total, 0) || ' against ' || h.units
        from loans l cross join lateral (values ('holdings.on_loan', l.units_out + l.units_returning),
          ('holdings.owned', l.units_owned)) as h (code, units)
        left join (
        """ + sums
          + """
          ) s on s.org_id = l.borrower_id and s.subject_id = l.id and s.account_code = h.code
          where coalesce(s.total, 0) <> h.units
          union all
          select id, state || ' and owes ' || outstanding_principal + outstanding_fee + outstanding_charges from loans
          where state in ('closed', 'title_pending') and outstanding_principal + outstanding_fee + outstanding_charges <> 0
          """, counting: "select 1 from loans where delivered_on is not null"),
    LawCheck(
      3, "a write-off is the lender's own view of a claim that stands; what was forgiven is gone from both books",
      names: ("law_write_offs", "law_write_offs_count"),
      breaches: """
        select l.id, p.code || ' ' || coalesce(s.total, 0) || ' against ' || p.amount
        from loans l cross join lateral (values
          (l.lender_id, 'allowance.loan', -l.written_off), (l.lender_id, 'expense.write_off', l.written_off),
          (l.borrower_id, 'allowance.loan', 0), (l.lender_id, 'expense.forgiveness', l.forgiven),
          (l.borrower_id, 'income.forgiveness', -l.forgiven)) as p (book, code, amount)
        left join (
        """ + sums
          + """
          ) s on s.org_id = p.book and s.subject_id = l.id and s.account_code = p.code
          where coalesce(s.total, 0) <> p.amount
          """, counting: "select 1 from loans where written_off + forgiven > 0"),
    LawCheck(
      3, "a rate agreed for past days is one reversal and one posting anew, in the amounts that were agreed",
      names: ("law_restatements", "law_restatements_count"),
      breaches: """
        select a.loan_id, 'amendments say ' || a.reversed || ' and ' || a.restated || ', the lender''s book '
          || coalesce(j.reversed, 0) || ' and ' || coalesce(j.restated, 0)
        from (select loan_id, lender_id, sum(reversed) as reversed, sum(restated) as restated from loan_amendments
          where reversed is not null group by 1, 2) a
        full join (select l.org_id, l.subject_id, sum(l.amount) filter (where e.kind = 'fee_reversed') as reversed,
            -sum(l.amount) filter (where e.kind = 'fee_restated') as restated
          from journal_lines l join journal_entries e on e.org_id = l.org_id and e.id = l.entry_id
            and e.kind in ('fee_reversed', 'fee_restated')
          where l.account_code = 'income.fee' group by 1, 2) j on j.org_id = a.lender_id and j.subject_id = a.loan_id
        where coalesce(a.reversed, 0) <> coalesce(j.reversed, 0) or coalesce(a.restated, 0) <> coalesce(j.restated, 0)
        union all
        select id, 'accepted by nobody but its own side' from loan_amendments
        where state = 'accepted' and proposed_by not in (borrower_id, lender_id)
        """, counting: "select 1 from loan_amendments where state = 'accepted'"),
  ]

  static let acts = [
    LawCheck(
      4, "no act was done without a clear verdict of its own date", names: ("law_verdicts", "law_verdicts_count"),
      breaches: """
        select a.subject, a.act || ' of ' || a.units || ' on ' || a.on_date || ' has no clear verdict' from (
          select o.id as subject, 'offer' as act, o.created_at::date as on_date, o.quantity as units from offers o
          union all select l.id, 'hand_over', l.dispatched_on, l.quantity from loans l
            where l.dispatched_on is not null and l.lineage is null
          union all select l.id, 'title_transfer', l.acquired_on, l.quantity from loans l where l.lineage is not null
          union all select l.id, 'title_transfer', l.lien_released_on, l.units_owned from loans l where l.units_owned > 0
          union all select l.id, 'assumption', l.trade_on, l.quantity from control_choices c
            join loans l on l.id = c.into_loan_id
        ) a
        where not exists (select 1 from verdicts v where v.subject_id = a.subject and v.act = a.act
          and v.on_date = a.on_date and v.quantity = a.units and v.acted and v.effect = 'clear')
        union all
        select r.loan_id, r.units || ' units are on their way back or returned, clear verdicts cover ' || coalesce(v.units, 0)
        from (select loan_id, sum(quantity) as units from loan_returns where state <> 'held' group by loan_id) r
        left join (select subject_id, sum(quantity) as units from verdicts
          where act = 'return' and acted and effect = 'clear' group by subject_id) v on v.subject_id = r.loan_id
        where r.units > coalesce(v.units, 0)
        union all
        select l.id, l.units_repossessed || ' units were repossessed, clear verdicts cover ' || coalesce(v.units, 0)
        from loans l
        left join (select subject_id, sum(quantity) as units from verdicts
          where act = 'repossession' and acted and effect = 'clear' group by subject_id) v on v.subject_id = l.id
        where l.units_repossessed > coalesce(v.units, 0)
        """, counting: "select 1 from verdicts where acted"),
    LawCheck(
      4, "licence use is what clear acts took, and never above the quota",
      names: ("law_licences", "law_licences_count"),
      breaches: """
        select l.id, 'used ' || l.used || ' of ' || l.quota || ', acts took ' || coalesce(v.taken, 0) from licences l
        left join (select licence_id, sum(quantity) as taken from verdicts where acted and act <> 'offer'
          group by licence_id) v on v.licence_id = l.id
        where l.used <> coalesce(v.taken, 0) or l.used > l.quota or l.used < 0
        """, counting: "select 1 from licences"),
    LawCheck(
      5, "one key has one answer, and each answer is whole", names: ("law_answers", "law_answers_count"),
      breaches: """
        select org_id, key || ' has ' || count(*) || ' answers' from idempotency group by org_id, key having count(*) > 1
        union all
        select org_id, key || ' was answered ' || status from idempotency where status not between 200 and 499
        """, counting: "select 1 from idempotency"),
    LawCheck(
      6, "settlement has one effect: the fee of a day is posted once, and a run pays a lender once",
      names: ("law_settlement", "law_settlement_count"),
      breaches: """
        select l.id, 'fee accrued ' || l.fee_accrued_total || ', posted ' || coalesce(f.total, 0) from loans l
        left join (
          select j.org_id, j.subject_id, -sum(j.amount) as total from journal_lines j
          join journal_entries e on e.org_id = j.org_id and e.id = j.entry_id
            and e.kind in ('fee_accrued', 'fee_reversed', 'fee_restated')
          where j.account_code = 'income.fee' group by 1, 2) f on f.org_id = l.lender_id and f.subject_id = l.id
        where l.fee_accrued_total <> coalesce(f.total, 0)
        union all
        select e.subject_id, count(*) || ' fees were posted up to ' || e.business_date from journal_entries e
        left join closed_days d on d.business_date = e.business_date
        where e.kind = 'fee_accrued' group by e.org_id, e.subject_id, e.business_date
        -- At its close a day gets its own fee, beside that of the days before it.
        having count(*) > case when count(d.business_date) > 0 then 2 else 1 end
        union all
        select lender_id, 'paid ' || count(*) || ' times by run ' || run_id from payouts
        group by lender_id, run_id, currency having count(*) > 1
        """, counting: "select 1 from journal_entries where kind in ('fee_accrued', 'payout_made')"),
    LawCheck(
      6, "days close one after the other, and nothing is posted to one that is closed",
      names: ("law_closed_days", "law_closed_days_count"),
      breaches: """
        select e.org_id, 'entry ' || e.id || ' of ' || e.business_date || ' was recorded after that day was closed'
        from journal_entries e join closed_days d on d.business_date = e.business_date
        where e.recorded_at > d.closed_at
        union all
        select d.run_id, 'the day before ' || d.business_date || ' is open' from closed_days d
        where d.business_date > (select min(business_date) from closed_days)
          and not exists (select 1 from closed_days b where b.business_date = d.business_date - 1)
        union all
        select '00000000-0000-0000-0000-000000000000'::uuid, 'closed through ' || coalesce(p.closed_through::text, 'no day')
          || ', but the last closed day is ' || coalesce(l.last::text, 'none')
        from platform_state p, (select max(business_date) as last from closed_days) l
        where p.closed_through is distinct from l.last
        """, counting: "select 1 from closed_days"),
  ]

  /// Ids that stored answers gave out for new objects.
  private static let acknowledged: SQL = """
    select id::uuid from (
      select (regexp_match(array_to_string(headers, ' '), 'Location /v1/[a-z-]+/[a-z]+_([0-9a-f-]{36})( |$)'))[1] as id
      from idempotency where status in (201, 202)) as given where id is not null
    """

  static let order = [
    LawCheck(
      7, "what was acknowledged is there", names: ("law_acknowledged", "law_acknowledged_count"),
      breaches: "select a.id, 'was given out and is not there' from (" + acknowledged
        + """
        ) a where not exists (
          select 1 from organizations where org_id = a.id union all select 1 from api_keys where id = a.id
          union all select 1 from identity_bindings where id = a.id
          union all select 1 from licences where id = a.id union all select 1 from lots where id = a.id
          union all select 1 from bank_statements where id = a.id
          union all select 1 from claw_backs where id = a.id union all select 1 from client_money_top_ups where id = a.id
          union all select 1 from loan_assignments where id = a.id
          union all select 1 from rule_packs where id = a.id union all select 1 from compliance_items where id = a.id
          union all select 1 from reference_entries where id = a.id union all select 1 from held_acts where id = a.id
          union all select 1 from mark_proposals where id = a.id union all select 1 from mark_disputes where id = a.id
          union all select 1 from reserve_plans where id = a.id union all select 1 from listings where id = a.id
          union all select 1 from loan_requests where id = a.id union all select 1 from match_rounds where id = a.id
          union all select 1 from funding_rounds where id = a.id union all select 1 from cash_receipts where id = a.id
          union all select 1 from control_choices where id = a.id union all select 1 from warrants where id = a.id
          union all select 1 from deposit_acts where id = a.id
          union all select 1 from fx_rates where id = a.id union all select 1 from cash_conversions where id = a.id
          union all select 1 from settlement_runs where id = a.id)
        """, counting: acknowledged),
    LawCheck(
      8, "no row names another tenant's", names: ("law_tenants", "law_tenants_count"),
      breaches: """
        select l.id, 'the loan and its offer name other parties' from loans l
        left join offers o on o.id = l.offer_id and o.lender_id = l.lender_id and o.lot_id = l.lot_id
          and (o.borrower_id = l.borrower_id or exists (
            select 1 from control_choices c where c.into_loan_id = l.id and c.acquirer_id = l.borrower_id))
        left join loan_requests q on q.borrower_id = o.borrower_id and q.id = l.request_id
        where q.id is null and l.lineage is null and not exists (
          select 1 from control_choices c join loans p on p.borrower_id = c.borrower_id and p.id = c.loan_id
          where c.into_loan_id = l.id and p.lineage is not null)
        union all
        select o.id, 'the offer and its listing name other lenders' from offers o
        left join listings g on g.id = o.listing_id and g.lender_id = o.lender_id and g.lot_id = o.lot_id
        where g.id is null
        union all
        select a.loan_id, 'an allocation names another lender' from allocations a
        left join loans l on l.borrower_id = a.borrower_id and l.id = a.loan_id and l.lender_id = a.lender_id
        where l.id is null
        """, counting: "select 1 from offers union all select 1 from loans"),
    LawCheck(
      9, "amounts are minor units of a currency or units of a chip model", names: ("law_assets", "law_assets_count"),
      breaches: """
        select entry_id, account_code || ' counts in ' || asset from journal_lines
        where asset !~ '^([A-Z]{3}|chip:[a-z0-9.-]{1,64})$'
          or (account_code ~ '^(custody|holdings)[.]') <> (asset ~ '^chip:')
        """, counting: "select 1 from journal_lines"),
    LawCheck(
      10, "nobody pays above its limit or earns below its ask", names: ("law_rates", "law_rates_count"),
      breaches: """
        select o.id, 'rate ' || o.rate_bps || ', ask ' || g.ask_rate_bps || ', limit ' || coalesce(m.most, 0) from offers o
        join listings g on g.id = o.listing_id join loan_requests r on r.id = o.request_id
        left join lateral (
          select coalesce(max((c ->> 'max_rate_bps')::bigint) filter (where c ->> 'chip_model_id' = o.chip_model_id),
            max((c ->> 'max_rate_bps')::bigint) filter (where c ? 'capability')) as most
          from jsonb_array_elements(r.acceptable) c) m on true
        where o.rate_bps < g.ask_rate_bps or o.rate_bps > coalesce(m.most, 0)
        """, counting: "select 1 from offers"),
  ]

  static let money = [
    LawCheck(
      11, "client money is covered, and each client's cash is what the platform owes it",
      names: ("law_client_money", "law_client_money_count"),
      breaches: """
        select asset, 'the client account holds '
          || coalesce(sum(amount) filter (where account_code in ('bank.client', 'payable.bank')), 0) || ', clients are owed '
          || coalesce(-sum(amount) filter (where account_code in ('client_money', 'suspense', 'deposit.held')), 0)
        from journal_lines where account_code in (
          'bank.client', 'payable.bank', 'client_money', 'suspense', 'deposit.held')
        group by asset having sum(amount) < 0
        union all
        select coalesce(o.client, c.client)::text, 'has ' || coalesce(c.total, 0) || ', is owed ' || coalesce(o.total, 0)
        from (select subject_id as client, asset, -sum(amount) as total from journal_lines
          where account_code = 'client_money' group by 1, 2) o
        full join (select org_id as client, asset, sum(amount) as total from journal_lines
          where account_code = 'cash_at_platform' group by 1, 2) c on c.client = o.client and c.asset = o.asset
        where coalesce(o.total, 0) <> coalesce(c.total, 0)
        """, counting: "select 1 from accounts where account_code = 'client_money'"),
    LawCheck(
      11, "parts of a waterfall sum to what was received", names: ("law_waterfalls", "law_waterfalls_count"),
      breaches: """
        select r.id, 'received ' || r.amount || ', allocated ' || coalesce(a.total, 0) || ', left ' || r.remainder
          || ', converted ' || coalesce(r.converted, 0) || ', held as a deposit ' || coalesce(r.deposit_held, 0)
          || ', off a claim ' || r.claim_paid || ', taken back of what was left ' || coalesce(b.total, 0)
        from cash_receipts r
        left join (select receipt_id, sum(from_remainder) as total from claw_backs where state = 'approved' group by 1) b
          on b.receipt_id = r.id
        left join (select receipt_id, currency, sum(amount) as total from allocations group by 1, 2) a
          on a.receipt_id = r.id and a.currency = r.currency
        where r.amount <> coalesce(a.total, 0) + r.remainder + coalesce(r.converted, 0) + r.claim_paid
          + coalesce(b.total, 0) + coalesce(r.deposit_held, 0)
        union all
        select a.loan_id, 'an allocation of ' || a.amount || ' ' || a.currency || ' has no receipt in that currency'
        from allocations a where not exists (
          select 1 from cash_receipts r where r.id = a.receipt_id and r.currency = a.currency)
        """, counting: "select 1 from cash_receipts"),
    LawCheck(
      11, "since records are kept, each sweep and each division has its own, and each conversion",
      names: ("law_records", "law_records_count"),
      breaches: """
        select r.id, 'it was divided and has no record' from cash_receipts r
        where r.created_at >= (select min(recorded_at) from repayment_explanations)
          and exists (select 1 from allocations a where a.borrower_id = r.org_id and a.receipt_id = r.id)
          and not exists (select 1 from repayment_explanations e where e.borrower_id = r.org_id and e.subject_id = r.id)
        union all
        select c.id, 'it was swept and has no record' from funding_closings c
        where c.swept_on > (select min(recorded_at)::date from repayment_explanations)
          and not exists (
            select 1 from repayment_explanations e where e.borrower_id = c.borrower_id and e.subject_id = c.id)
        union all
        select c.id, 'shares were taken and it has no record' from loan_conversions c
        where c.recorded_at >= (select min(recorded_at) from repayment_explanations where kind = 'conversion')
          and not exists (
            select 1 from repayment_explanations e where e.borrower_id = c.borrower_id and e.subject_id = c.id)
        """, counting: "select 1 from repayment_explanations"),
    LawCheck(
      12, "a closing was corrected only downward, one correction after the other, by nobody who reported it",
      names: ("law_corrections", "law_corrections_count"),
      breaches: """
        select c.id, 'corrected by ' || c.corrected_by || ', who reported the round' from closing_corrections c
        join funding_rounds r on r.borrower_id = c.borrower_id and r.id = c.round_id
        where c.corrected_by = r.reported_by
        union all
        select c.id, 'leaves ' || c.becomes || ', what came next finds ' || coalesce(c.next, f.net_new_cash)
        from (select *, lead(was) over (partition by borrower_id, closing_id order by was desc) as next
          from closing_corrections) c
        join funding_closings f on f.borrower_id = c.borrower_id and f.id = c.closing_id
        where c.becomes <> coalesce(c.next, f.net_new_cash)
        """, counting: "select 1 from closing_corrections"),
    LawCheck(
      11, "each booked line of a bank is matched with one movement of the books of its amount, or is a break",
      names: ("law_bank_lines", "law_bank_lines_count"),
      breaches: """
        select l.statement_id, 'entry ' || l.entry || ', detail ' || l.detail || ' is nowhere'
        from bank_statement_lines l where l.status = 'BOOK' and not exists (select 1 from reconciliation_matches m
            where m.statement_id = l.statement_id and m.entry = l.entry and m.detail = l.detail)
          and not exists (select 1 from reconciliation_breaks b where b.state in ('open', 'resolved')
            and b.statement_id = l.statement_id and b.entry = l.entry and b.detail = l.detail)
        union all
        select m.item_id, 'is matched with ' || l.amount || ' ' || l.currency || ', the books have '
          || coalesce(i.amount::text, 'nothing') || ' ' || coalesce(i.currency, '')
        from reconciliation_matches m
        join bank_statement_lines l on l.statement_id = m.statement_id and l.entry = m.entry and l.detail = m.detail
        left join (
          select 'receipt' as kind, id, amount, currency from cash_receipts
          union all select 'payout', id, -net, currency from payouts
          union all select 'platform_fee', id, -platform_fee, currency from payouts
          union all select 'advance_repaid', id, -advance_repaid, currency from payouts
          union all select 'advance_returned', id, -advance_returned, currency from cash_receipts
          union all select 'claw_back', id, -amount, currency from claw_backs where state = 'approved'
          union all select 'advance', id, advanced, currency from claw_backs where state = 'approved'
          union all select 'top_up', id, amount, currency from client_money_top_ups where state = 'approved'
          union all select 'conversion', id, -amount, currency from cash_conversions where state = 'approved') i
          on i.kind = m.item_kind and i.id = m.item_id
        where l.status <> 'BOOK' or i.amount is distinct from l.amount or i.currency is distinct from l.currency
        union all
        select s.id, 'opens with ' || s.opening_amount || ', closes with ' || s.closing_amount || ', lines come to '
          || coalesce(sum(l.amount), 0)
        from bank_statements s left join bank_statement_lines l on l.statement_id = s.id and l.status = 'BOOK'
        group by s.id, s.opening_amount, s.closing_amount
        having s.opening_amount + coalesce(sum(l.amount), 0) <> s.closing_amount
        """, counting: "select 1 from bank_statement_lines"),
    LawCheck(
      12, "no account that is paid on was verified by the person who proposed it",
      names: ("law_payees", "law_payees_count"),
      breaches: """
        select id, 'verified by ' || coalesce(verified_by::text, 'nobody') || ', proposed by ' || proposed_by
        from payees where (state = 'verified' and verified_by is null) or verified_by = proposed_by
        """, counting: "select 1 from payees where verified_by is not null"),
    LawCheck(
      12, "no round was verified by the person who reported it",
      names: ("law_second_person", "law_second_person_count"),
      breaches: """
        select id, 'verified by ' || coalesce(verified_by::text, 'nobody') || ', reported by '
          || coalesce(reported_by::text, 'nobody')
        from funding_rounds where state = 'verified' and (verified_by is null or verified_by = reported_by)
        """, counting: "select 1 from funding_rounds where state = 'verified'"),
  ]
}
