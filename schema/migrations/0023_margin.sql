-- The value behind a loan: what its parties agreed on, tests of it day by day, and calls for what is missing.

-- What a listing asks: the share of the expected value that must be there, what is taken off every value for a sale, days to
-- cure a call, what follows when it is not, and how the chips are expected to lose value: "age in months:residual in basis
-- points", ascending. All of it or nothing.
alter table listings
  add column margin_threshold_bps bigint,
  add column margin_haircut_bps bigint,
  add column margin_cure_days bigint,
  add column margin_consequence text,
  add column margin_curve text[];
alter table listings add constraint listings_margin check (
  num_nonnulls(margin_threshold_bps, margin_haircut_bps, margin_cure_days, margin_consequence, margin_curve) in (0, 5)
  and margin_threshold_bps between 1 and 10000 and margin_haircut_bps between 0 and 9999
  and margin_cure_days between 1 and 90 and margin_consequence in ('due', 'recall') and cardinality(margin_curve) > 0
  and (margin_consequence = 'due' or recall_notice_days is not null));

-- The same, frozen in the loan at trade: its curve begins with the loan's mark of one chip, on that day.
alter table loans
  add column margin_threshold_bps bigint,
  add column margin_haircut_bps bigint,
  add column margin_cure_days bigint,
  add column margin_consequence text,
  add column margin_curve text[],
  add column margin_from date;
alter table loans add constraint loans_margin check (
  num_nonnulls(
    margin_threshold_bps, margin_haircut_bps, margin_cure_days, margin_consequence, margin_curve, margin_from) in (0, 6)
  and margin_threshold_bps between 1 and 10000 and margin_haircut_bps between 0 and 9999
  and margin_cure_days between 1 and 90 and margin_consequence in ('due', 'recall') and cardinality(margin_curve) > 0
  and (margin_consequence = 'due' or recall_notice_days is not null));
create index loans_with_margin on loans (borrower_id) where margin_from is not null and state <> 'closed';

-- One row for each loan with such terms and each day on which it was looked at: all that was looked at, also where there was
-- nothing to test by.
create table margin_tests (
  borrower_id uuid not null,
  id uuid not null,
  lender_id uuid not null,
  loan_id uuid not null,
  on_date date not null,
  -- Why nothing was tested, or that it was.
  outcome text not null,
  mark_id uuid,
  mark_amount bigint,
  mark_currency text,
  mark_effective_on date,
  mark_recorded_at timestamptz,
  units bigint not null,
  currency text not null,
  outstanding bigint not null,
  deposits bigint not null,
  -- Principal that was paid for calls before it was due.
  repaid bigint not null,
  threshold_bps bigint not null,
  haircut_bps bigint not null,
  expected bigint,
  required bigint,
  held bigint,
  shortfall bigint,
  recorded_at timestamptz not null,
  constraint margin_tests_pkey primary key (borrower_id, id),
  constraint margin_tests_once unique (borrower_id, loan_id, on_date),
  constraint margin_tests_loan foreign key (borrower_id, loan_id) references loans (borrower_id, id),
  constraint margin_tests_outcome check (
    outcome in ('tested', 'no_mark', 'stale_mark', 'disputed_mark', 'other_currency')),
  constraint margin_tests_mark check (
    num_nonnulls(mark_id, mark_amount, mark_currency, mark_effective_on, mark_recorded_at)
      = case outcome when 'no_mark' then 0 else 5 end),
  constraint margin_tests_inputs check (units >= 0 and outstanding >= 0 and deposits >= 0 and repaid >= 0),
  constraint margin_tests_result check (
    num_nonnulls(expected, required, held, shortfall) = case outcome when 'tested' then 4 else 0 end
    and required <= outstanding and shortfall = greatest(0, required - held))
);
comment on table margin_tests is 'key borrower_id';
create index margin_tests_id on margin_tests (id);
-- The worklist: loans that could not be tested.
create index margin_tests_untested on margin_tests (on_date) where outcome <> 'tested';

-- A demand for what a test found missing, from its opening to its end.
create table margin_calls (
  borrower_id uuid not null,
  id uuid not null,
  lender_id uuid not null,
  loan_id uuid not null,
  -- What found it, and on which mark.
  test_id uuid not null,
  mark_id uuid not null,
  opened_on date not null,
  due_on date not null,
  consequence text not null,
  called bigint not null,
  currency text not null,
  disputed bigint not null,
  cured bigint not null,
  state text not null,
  reason text,
  ended_on date,
  agreed_by uuid,
  agreed_on date,
  disputed_by uuid,
  disputed_on date,
  decided_by uuid,
  decided_on date,
  -- Whether the dispute was: then what was disputed is called for no more.
  is_upheld boolean,
  decision_reason text,
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint margin_calls_pkey primary key (borrower_id, id),
  constraint margin_calls_loan foreign key (borrower_id, loan_id) references loans (borrower_id, id),
  constraint margin_calls_test foreign key (borrower_id, test_id) references margin_tests (borrower_id, id),
  constraint margin_calls_state check (
    state in ('open', 'agreed', 'partly_agreed', 'disputed', 'cured', 'cleared', 'lapsed')),
  constraint margin_calls_consequence check (consequence in ('due', 'recall')),
  constraint margin_calls_days check (opened_on < due_on and opened_on <= ended_on),
  constraint margin_calls_amounts check (
    called > 0 and disputed between 0 and called and cured between 0 and called),
  constraint margin_calls_ended check ((state in ('cured', 'cleared', 'lapsed')) = (ended_on is not null)),
  constraint margin_calls_cured check (state <> 'cured' or cured = called),
  constraint margin_calls_disputed check (
    (state in ('disputed', 'partly_agreed')) <= (disputed > 0) and (state = 'disputed') <= (disputed = called)),
  constraint margin_calls_answers check (
    (agreed_by is null) = (agreed_on is null) and (disputed_by is null) = (disputed_on is null)),
  constraint margin_calls_decided check (
    num_nonnulls(decided_by, decided_on, is_upheld, decision_reason) in (0, 4)
    and (decided_by is null or disputed_by is not null) and decided_by <> disputed_by)
);
comment on table margin_calls is 'key borrower_id';
create index margin_calls_id on margin_calls (id);
create unique index margin_calls_one_runs on margin_calls (borrower_id, loan_id) where ended_on is null;
create index margin_calls_of_loan on margin_calls (loan_id);

grant select, insert on margin_tests, margin_calls to chipbridge_writer;
grant update on margin_calls to chipbridge_writer;
grant select on margin_tests, margin_calls to chipbridge_reader;
alter table margin_tests enable row level security;
alter table margin_tests force row level security;
alter table margin_calls enable row level security;
alter table margin_calls force row level security;
create policy reads on margin_tests for select to chipbridge_reader
  using (app_sees_all() or borrower_id = app_org() or lender_id = app_org());
create policy writes on margin_tests for all to chipbridge_writer using (true) with check (true);
create policy reads on margin_calls for select to chipbridge_reader
  using (app_sees_all() or borrower_id = app_org() or lender_id = app_org());
create policy writes on margin_calls for all to chipbridge_writer using (true) with check (true);

-- Money that was brought for a call: on the principal of its loan, or pledged for it.
alter table cash_receipts add column margin_call_id uuid;
create index cash_receipts_for_calls on cash_receipts (org_id) where margin_call_id is not null;

-- One job more, whichever there are by now.
do $$
declare
  known text;
begin
  select pg_get_constraintdef(oid) into strict known from pg_constraint
  where conrelid = 'settlement_runs'::regclass and conname = 'settlement_runs_job';
  alter table settlement_runs drop constraint settlement_runs_job;
  execute 'alter table settlement_runs add constraint settlement_runs_job '
    || regexp_replace(known, '\]', ', ''margin''::text]');
end;
$$;

-- Cash that a startup pledges for a loan: held by receipt, and released whole, given back or taken for what is due, by two
-- persons.
alter table cash_receipts add column deposit_loan_id uuid;
alter table cash_receipts add column deposit_held bigint;
alter table cash_receipts add constraint cash_receipts_deposit check (
  (deposit_loan_id is null) = (deposit_held is null) and deposit_held between 0 and amount
  and (deposit_loan_id is null or source = 'deposit'));
create index cash_receipts_deposits on cash_receipts (deposit_loan_id) where deposit_loan_id is not null;

create table deposit_acts (
  borrower_id uuid not null,
  id uuid not null,
  lender_id uuid not null,
  receipt_id uuid not null,
  loan_id uuid not null,
  -- Give it back, or take it for what is due.
  kind text not null,
  amount bigint not null,
  currency text not null,
  reason text not null,
  state text not null,
  proposed_by uuid not null,
  decided_by uuid,
  decided_at timestamptz,
  note text,
  booked_on date,
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint deposit_acts_pkey primary key (borrower_id, id),
  constraint deposit_acts_loan foreign key (borrower_id, loan_id) references loans (borrower_id, id),
  constraint deposit_acts_kind check (kind in ('return', 'apply')),
  constraint deposit_acts_amount check (amount > 0),
  constraint deposit_acts_state check (state in ('proposed', 'approved', 'rejected')),
  constraint deposit_acts_decided check (
    (state = 'proposed') = (decided_by is null) and (decided_by is null) = (decided_at is null)
    and (state = 'approved') = (booked_on is not null)),
  constraint deposit_acts_second_person check (state <> 'approved' or decided_by <> proposed_by)
);
comment on table deposit_acts is 'key borrower_id';
create index deposit_acts_id on deposit_acts (id);
create unique index deposit_acts_one_open on deposit_acts (borrower_id, receipt_id) where state = 'proposed';
grant select, insert, update on deposit_acts to chipbridge_writer;
grant select on deposit_acts to chipbridge_reader;
alter table deposit_acts enable row level security;
alter table deposit_acts force row level security;
create policy reads on deposit_acts for select to chipbridge_reader
  using (app_sees_all() or borrower_id = app_org() or lender_id = app_org());
create policy writes on deposit_acts for all to chipbridge_writer using (true) with check (true);

-- One source more, and one account more on either side, whichever there are by now.
do $$
declare
  known text;
  more text[];
begin
  foreach more slice 1 in array array[
    ['cash_receipts', 'cash_receipts_source', 'deposit'], ['accounts', 'accounts_never_negative', 'deposit.pledged'],
    ['accounts', 'accounts_never_positive', 'deposit.held']]
  loop
    select pg_get_constraintdef(oid) into strict known from pg_constraint
    where conrelid = more[1]::regclass and conname = more[2];
    execute format('alter table %I drop constraint %I', more[1], more[2]);
    execute format(
      'alter table %I add constraint %I %s', more[1], more[2],
      regexp_replace(known, '\]', format(', %L::text]', more[3])));
  end loop;
end;
$$;
