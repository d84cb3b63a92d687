-- The whole life of a loan: what stands beside its state, changes of its terms by consent, what happened and who did it.

alter table loans
  add column rates jsonb not null default '[]',
  add column extended_to date,
  add column paused_until date,
  add column recalled_on date,
  add column recall_due_on date,
  add column held_on date,
  add column hold_reason text,
  add column overdue_since date,
  add column default_cause text,
  add column defaulted_on date,
  add column cure_until date,
  add column accelerated_on date,
  add column written_off bigint not null default 0,
  add column forgiven bigint not null default 0,
  add column units_lost bigint not null default 0,
  add column units_repossessed bigint not null default 0,
  add column units_resold bigint not null default 0,
  add column units_kept bigint not null default 0,
  add column casualty_principal bigint not null default 0;
alter table loans
  alter column rates drop default,
  alter column written_off drop default,
  alter column forgiven drop default,
  alter column units_lost drop default,
  alter column units_repossessed drop default,
  alter column units_resold drop default,
  alter column units_kept drop default,
  alter column casualty_principal drop default;
alter table loans drop constraint loans_units;
alter table loans add constraint loans_units check (
  units_out >= 0 and units_returning >= 0 and units_returned >= 0 and units_owned >= 0 and units_lost >= 0
  and units_repossessed >= 0 and units_resold >= 0 and units_kept >= 0
  and units_resold + units_kept <= units_repossessed
  and units_out + units_returning + units_returned + units_owned + units_lost + units_repossessed in (0, quantity));
alter table loans add constraint loans_recall check (
  (recalled_on is null) = (recall_due_on is null) and (recalled_on is null or recall_notice_days is not null));
alter table loans add constraint loans_hold check (
  (held_on is null) = (hold_reason is null) and (state <> 'frozen' or held_on is not null));
alter table loans add constraint loans_default check (
  (default_cause is null) = (defaulted_on is null)
  and (defaulted_on is not null or (cure_until is null and accelerated_on is null))
  and (state <> 'defaulted' or defaulted_on is not null));
-- A write-off is the lender's view of a claim, so it cannot be more than the claim.
alter table loans add constraint loans_written_off check (
  written_off >= 0 and written_off <= outstanding_charges + outstanding_fee + outstanding_principal);
alter table loans add constraint loans_lost check (
  forgiven >= 0 and casualty_principal >= 0 and casualty_principal <= outstanding_principal);

-- How units that come back early are credited, as the lender lists it.
alter table listings add column return_credit text not null default 'pro_rata_outstanding';
alter table listings alter column return_credit drop default;
alter table listings add constraint listings_return_credit check (
  return_credit in ('pro_rata_outstanding', 'schedule', 'lower_of_mark'));

-- A change of terms: one side proposes, the other accepts. At most one of a kind waits for an answer.
create table loan_amendments (
  borrower_id uuid not null,
  id uuid not null,
  lender_id uuid not null,
  loan_id uuid not null,
  kind text not null,
  from_on date,
  rate_bps bigint,
  matures_on date,
  pause_until date,
  serials_out text[],
  serials_in text[],
  proposed_by uuid not null,
  proposed_on date not null,
  valid_until date not null,
  reason text,
  state text not null,
  decided_on date,
  reversed bigint,
  restated bigint,
  credited bigint,
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint loan_amendments_pkey primary key (borrower_id, id),
  constraint loan_amendments_loan foreign key (borrower_id, loan_id) references loans (borrower_id, id),
  constraint loan_amendments_kind check (kind in ('re_rate', 'extend', 'payment_pause', 'restructure', 'substitution')),
  constraint loan_amendments_state check (state in ('proposed', 'accepted', 'rejected', 'withdrawn', 'lapsed')),
  constraint loan_amendments_decided check ((state = 'proposed') = (decided_on is null)),
  constraint loan_amendments_rate check ((from_on is null) = (rate_bps is null) and rate_bps >= 0),
  constraint loan_amendments_substitution check (
    (kind = 'substitution') = (serials_out is not null)
    and coalesce(cardinality(serials_out), 0) = coalesce(cardinality(serials_in), 0)),
  constraint loan_amendments_parties check (proposed_by in (borrower_id, lender_id)),
  constraint loan_amendments_restated check (
    (reversed is null) = (restated is null) and (reversed is null) = (credited is null)
    and (reversed is null or state = 'accepted'))
);
comment on table loan_amendments is 'key borrower_id';
create index loan_amendments_id on loan_amendments (id);
create index loan_amendments_of_loan on loan_amendments (loan_id);
create unique index loan_amendments_one_open on loan_amendments (borrower_id, loan_id, kind) where state = 'proposed';

-- What happened to a loan, and who did it; kept as long as the loan. The outbox tells the same to feeds, and is let go.
create table loan_events (
  borrower_id uuid not null,
  id uuid not null,
  lender_id uuid not null,
  loan_id uuid not null,
  loan_version bigint not null,
  type text not null,
  reason text,
  facts jsonb not null,
  actor_id uuid not null,
  person_id uuid,
  action text not null,
  at timestamptz not null,
  constraint loan_events_pkey primary key (borrower_id, id)
);
comment on table loan_events is 'key borrower_id';
create index loan_events_of_loan on loan_events (loan_id, at);

-- Numbered units: one row a unit, with one place for a loan, so that none is in two. Rows come with the first dispatch
-- that names them; a lot's own list of serial numbers stays with the lot.
create table chip_units (
  lender_id uuid not null,
  id uuid not null,
  chip_model_id text not null,
  lot_id uuid not null,
  serial text not null,
  loan_id uuid,
  borrower_id uuid,
  condition text not null,
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint chip_units_pkey primary key (lender_id, id),
  constraint chip_units_one_a_serial unique (lender_id, chip_model_id, serial),
  constraint chip_units_lot foreign key (lender_id, lot_id) references lots (lender_id, id),
  constraint chip_units_lent check ((loan_id is null) = (borrower_id is null)),
  constraint chip_units_condition check (condition in ('in_service', 'failed', 'in_repair', 'banned', 'lost'))
);
comment on table chip_units is 'key lender_id';
create index chip_units_id on chip_units (id);
create index chip_units_of_loan on chip_units (loan_id) where loan_id is not null;

-- The chain of custody: what happened to a numbered unit, or to so many units without numbers.
create table unit_events (
  lender_id uuid not null,
  id uuid not null,
  borrower_id uuid not null,
  loan_id uuid not null,
  unit_id uuid,
  quantity bigint not null,
  kind text not null,
  occurred_on date not null,
  note text,
  actor_id uuid not null,
  person_id uuid,
  recorded_at timestamptz not null,
  constraint unit_events_pkey primary key (lender_id, id),
  constraint unit_events_unit foreign key (lender_id, unit_id) references chip_units (lender_id, id),
  constraint unit_events_quantity check (quantity > 0 and (unit_id is null or quantity = 1))
);
comment on table unit_events is 'key lender_id';
create index unit_events_of_loan on unit_events (loan_id, recorded_at);

alter table accounts drop constraint accounts_never_positive;
alter table accounts add constraint accounts_never_positive check (
  balance <= 0 or account_code not in (
    'custody.ordered', 'custody.received', 'holdings.source', 'payable.principal', 'payable.fee', 'payable.charges',
    'client_money', 'suspense', 'allowance.loan'));

grant select, insert on loan_amendments, loan_events, chip_units, unit_events to chipbridge_writer;
grant update on loan_amendments, chip_units to chipbridge_writer;
grant select on loan_amendments, loan_events, chip_units, unit_events to chipbridge_reader;
do $$
declare
  name text;
begin
  foreach name in array array['loan_amendments', 'loan_events', 'chip_units', 'unit_events'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format(
      'create policy reads on %I for select to chipbridge_reader using '
      '(app_sees_all() or borrower_id = app_org() or lender_id = app_org())', name);
    execute format('create policy writes on %I for all to chipbridge_writer using (true) with check (true)', name);
  end loop;
end;
$$;
