-- What banks say of the client accounts, and how it agrees with the books. Statements, their lines and what was matched
-- never change; a break is closed by a person, or by a later pass that finds it gone. All of it is the platform's own.

create table bank_statements (
  org_id uuid not null,
  id uuid not null,
  -- The bank's name for it, unique for the account.
  statement text not null,
  account text not null,
  currency text not null,
  electronic_sequence bigint,
  opening_amount bigint not null,
  opened_on date not null,
  closing_amount bigint not null,
  closed_on date not null,
  -- Of all that it says, whatever form it came in.
  fingerprint bytea not null,
  -- Of the file's bytes.
  file_digest bytea not null,
  line_count bigint not null,
  imported_by uuid,
  created_at timestamptz not null,
  constraint bank_statements_pkey primary key (org_id, id),
  constraint bank_statements_once unique (org_id, fingerprint),
  constraint bank_statements_named unique (org_id, account, statement),
  constraint bank_statements_dates check (opened_on <= closed_on),
  constraint bank_statements_counted check (line_count >= 0)
);
comment on table bank_statements is 'key org_id';

create table bank_statement_lines (
  org_id uuid not null,
  statement_id uuid not null,
  entry bigint not null,
  detail bigint not null,
  amount bigint not null,
  currency text not null,
  booked_on date not null,
  value_on date,
  status text not null,
  is_reversal boolean not null,
  end_to_end_id text,
  creditor_reference text,
  bank_reference text,
  transaction_code text,
  counterparty_name text,
  counterparty_account text,
  remittance text[] not null,
  -- Everything that a reference of the books may be equal to.
  references_carried text[] not null,
  constraint bank_statement_lines_pkey primary key (org_id, statement_id, entry, detail),
  constraint bank_statement_lines_of foreign key (org_id, statement_id) references bank_statements (org_id, id),
  constraint bank_statement_lines_status check (status in ('BOOK', 'PDNG', 'FUTR', 'INFO')),
  constraint bank_statement_lines_placed check (entry > 0 and detail > 0)
);
comment on table bank_statement_lines is 'key org_id';

create table reconciliation_matches (
  org_id uuid not null,
  statement_id uuid not null,
  entry bigint not null,
  detail bigint not null,
  item_kind text not null,
  item_id uuid not null,
  reference text not null,
  amount bigint not null,
  currency text not null,
  item_on date not null,
  matched_at timestamptz not null,
  constraint reconciliation_matches_pkey primary key (org_id, statement_id, entry, detail),
  constraint reconciliation_matches_line foreign key (org_id, statement_id, entry, detail)
    references bank_statement_lines (org_id, statement_id, entry, detail),
  constraint reconciliation_matches_once unique (org_id, item_kind, item_id),
  constraint reconciliation_matches_kind check (item_kind in ('receipt', 'payout', 'platform_fee'))
);
comment on table reconciliation_matches is 'key org_id';
create index reconciliation_matches_reference on reconciliation_matches (org_id, reference);

create table reconciliation_breaks (
  org_id uuid not null,
  id uuid not null,
  reason text not null,
  statement_id uuid,
  entry bigint,
  detail bigint,
  item_kind text,
  item_id uuid,
  reference text,
  amount bigint not null,
  currency text not null,
  on_date date not null,
  -- Minor units that differ, days that it is late, or statements that are missing, as the reason says.
  measure bigint,
  expected_currency text,
  candidates text[] not null,
  state text not null,
  note text,
  resolved_by uuid,
  decided_at timestamptz,
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint reconciliation_breaks_pkey primary key (org_id, id),
  constraint reconciliation_breaks_state check (state in ('open', 'resolved', 'settled')),
  constraint reconciliation_breaks_subject check (statement_id is not null or item_id is not null),
  constraint reconciliation_breaks_place check ((entry is null) = (detail is null)),
  constraint reconciliation_breaks_item check ((item_id is null) = (item_kind is null)),
  constraint reconciliation_breaks_decided check ((state = 'open') = (decided_at is null)),
  constraint reconciliation_breaks_by_person check (
    (state = 'resolved') = (resolved_by is not null) and (state = 'resolved') = (note is not null)),
  constraint reconciliation_breaks_statement foreign key (org_id, statement_id) references bank_statements (org_id, id)
);
comment on table reconciliation_breaks is 'key org_id';
create index reconciliation_breaks_open on reconciliation_breaks (org_id, created_at, id) where state = 'open';
create index reconciliation_breaks_line on reconciliation_breaks (org_id, statement_id, entry, detail);
create index reconciliation_breaks_of_item on reconciliation_breaks (org_id, item_kind, item_id);

grant select, insert on bank_statements, bank_statement_lines, reconciliation_matches, reconciliation_breaks
  to chipbridge_writer;
grant update on reconciliation_breaks to chipbridge_writer;
grant select on bank_statements, bank_statement_lines, reconciliation_matches, reconciliation_breaks
  to chipbridge_reader;

do $$
declare
  named text;
begin
  foreach named in array array[
    'bank_statements', 'bank_statement_lines', 'reconciliation_matches', 'reconciliation_breaks'] loop
    execute format('alter table %I enable row level security', named);
    execute format('alter table %I force row level security', named);
    execute format(
      'create policy reads on %I for select to chipbridge_reader using (app_sees_all() or (org_id = app_org()))', named);
    execute format('create policy writes on %I for all to chipbridge_writer using (true) with check (true)', named);
  end loop;
end;
$$;

alter table settlement_runs drop constraint settlement_runs_job;
alter table settlement_runs add constraint settlement_runs_job check (
  job in ('accrual', 'sweep', 'maturity', 'delinquency', 'payout', 'rescreen', 'day_close', 'reconcile'));

-- Accounts that organisations are paid on, and the platform's own that payouts leave from. Who proposes one never
-- verifies it, and it is used only some time after.
create table payees (
  org_id uuid not null,
  id uuid not null,
  currency text not null,
  holder_name text not null,
  account text not null,
  agent text,
  state text not null,
  proposed_by uuid not null,
  verified_by uuid,
  verified_at timestamptz,
  usable_from timestamptz,
  withdrawn_by uuid,
  withdrawn_at timestamptz,
  reason text,
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint payees_pkey primary key (org_id, id),
  constraint payees_state check (state in ('proposed', 'verified', 'withdrawn')),
  constraint payees_second_person check (verified_by is null or verified_by <> proposed_by),
  constraint payees_verified check (
    (verified_by is null) = (verified_at is null) and (verified_by is null) = (usable_from is null)
    and (state <> 'verified' or verified_by is not null) and (state <> 'proposed' or verified_by is null)),
  constraint payees_withdrawn check (
    (state = 'withdrawn') = (withdrawn_at is not null) and (state = 'withdrawn') = (withdrawn_by is not null)
    and (state = 'withdrawn') = (reason is not null))
);
comment on table payees is 'key org_id';
create index payees_of on payees (org_id, currency, usable_from);

grant select, insert, update on payees to chipbridge_writer;
grant select on payees to chipbridge_reader;
alter table payees enable row level security;
alter table payees force row level security;
create policy reads on payees for select to chipbridge_reader using (app_sees_all() or (org_id = app_org()));
create policy writes on payees for all to chipbridge_writer using (true) with check (true);
create index payouts_of_run on payouts (run_id);

-- Money in suspense that turned out to be of a startup: it stays of the platform's key, and the startup sees it.
alter table cash_receipts add column assigned_to uuid;
alter table cash_receipts add column assigned_by uuid;
alter table cash_receipts add column assigned_on date;
alter table cash_receipts add constraint cash_receipts_assigned check (
  (assigned_to is null) = (assigned_by is null) and (assigned_to is null) = (assigned_on is null));
create index cash_receipts_of_payer on cash_receipts (assigned_to) where assigned_to is not null;
alter policy reads on cash_receipts using (app_sees_all() or (org_id = app_org() or assigned_to = app_org()));
