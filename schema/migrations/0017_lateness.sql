-- Business days, lateness and its price.

-- Reference data that comes entry by entry and holds once a second person adopted it: calendars of business days. What
-- was adopted later says more of the days that both tell of.
create table reference_entries (
  id uuid not null,
  kind text not null,
  body jsonb not null,
  state text not null,
  proposed_by uuid not null,
  decided_by uuid,
  decided_at timestamptz,
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint reference_entries_pkey primary key (id),
  constraint reference_entries_kind check (kind in ('calendar')),
  constraint reference_entries_state check (state in ('proposed', 'adopted', 'rejected')),
  constraint reference_entries_decided check (
    (state = 'proposed') = (decided_by is null) and (decided_by is null) = (decided_at is null)),
  constraint reference_entries_second_person check (state <> 'adopted' or decided_by <> proposed_by)
);
comment on table reference_entries is 'reference';
create index reference_entries_adopted on reference_entries (decided_at, id) where state = 'adopted';

grant select, insert, update on reference_entries to chipbridge_writer;
grant select on reference_entries to chipbridge_reader;

-- What a loan costs besides while something of it is overdue, and how its maturity is moved to a business day.
alter table listings
  add column penalty_rate_bps bigint not null default 0,
  add column penalty_grace_days bigint not null default 0,
  add column penalty_cap_bps bigint,
  add column business_day text not null default 'unadjusted';
alter table listings
  alter column penalty_rate_bps drop default,
  alter column penalty_grace_days drop default,
  alter column business_day drop default;
alter table listings add constraint listings_penalty check (
  penalty_rate_bps >= 0 and penalty_grace_days >= 0 and penalty_cap_bps >= 0);
alter table listings add constraint listings_business_day check (business_day in (
  'unadjusted', 'following', 'modified_following', 'preceding', 'modified_preceding'));

alter table loans
  add column penalty_rate_bps bigint not null default 0,
  add column penalty_grace_days bigint not null default 0,
  add column penalty_cap_bps bigint,
  add column business_day text not null default 'unadjusted',
  add column pauses jsonb not null default '[]',
  add column penalty_through date,
  add column penalty_total bigint not null default 0,
  add column penalty_residue bigint not null default 0,
  add column lateness_on date,
  add column days_past_due bigint,
  add column lateness_bucket text;
alter table loans
  alter column penalty_rate_bps drop default,
  alter column penalty_grace_days drop default,
  alter column business_day drop default,
  alter column pauses drop default,
  alter column penalty_total drop default,
  alter column penalty_residue drop default;
-- A payment holiday began on the day on which it was accepted.
update loans l set pauses = (
  select jsonb_agg(jsonb_build_object(
    'from', to_char(a.decided_on, 'YYYY-MM-DD'), 'through', to_char(a.pause_until, 'YYYY-MM-DD'))
    order by a.decided_on, a.id)
  from loan_amendments a
  where a.borrower_id = l.borrower_id and a.loan_id = l.id and a.state = 'accepted' and a.pause_until is not null)
where exists (
  select 1 from loan_amendments a
  where a.borrower_id = l.borrower_id and a.loan_id = l.id and a.state = 'accepted' and a.pause_until is not null);
alter table loans add constraint loans_penalty check (
  penalty_rate_bps >= 0 and penalty_grace_days >= 0 and penalty_cap_bps >= 0 and penalty_total >= 0);
alter table loans add constraint loans_business_day check (business_day in (
  'unadjusted', 'following', 'modified_following', 'preceding', 'modified_preceding'));
alter table loans add constraint loans_lateness check (
  (lateness_on is null) = (days_past_due is null) and (lateness_on is null) = (lateness_bucket is null)
  and days_past_due >= 0);

-- Each penalty that was charged, with all that it was computed from, and what of it was taken back because money had come
-- earlier than it was recorded.
create table loan_penalties (
  borrower_id uuid not null,
  id uuid not null,
  lender_id uuid not null,
  loan_id uuid not null,
  -- The charge of which this takes days back; null for a charge.
  reverses uuid,
  from_on date not null,
  -- The first day that is no longer of it.
  to_on date not null,
  -- Without those of a payment holiday.
  days bigint not null,
  base bigint not null,
  rate_bps bigint not null,
  year_days bigint not null,
  -- Negative for what was taken back.
  amount bigint not null,
  residue_before bigint not null,
  residue_after bigint not null,
  is_capped boolean not null,
  -- The entry of both books; null where nothing came to a minor unit.
  entry_id uuid,
  booked_on date not null,
  recorded_at timestamptz not null,
  constraint loan_penalties_pkey primary key (borrower_id, id),
  constraint loan_penalties_loan foreign key (borrower_id, loan_id) references loans (borrower_id, id),
  constraint loan_penalties_of foreign key (borrower_id, reverses) references loan_penalties (borrower_id, id),
  constraint loan_penalties_days check (
    from_on < to_on and days >= 0 and base >= 0 and rate_bps >= 0 and year_days in (360, 365)),
  constraint loan_penalties_sign check (case when reverses is null then amount >= 0 else amount <= 0 end),
  constraint loan_penalties_posted check ((amount = 0) = (entry_id is null))
);
comment on table loan_penalties is 'key borrower_id';
create index loan_penalties_of_loan on loan_penalties (borrower_id, loan_id, recorded_at);

grant select, insert on loan_penalties to chipbridge_writer;
grant select on loan_penalties to chipbridge_reader;
alter table loan_penalties enable row level security;
alter table loan_penalties force row level security;
create policy reads on loan_penalties for select to chipbridge_reader
  using (app_sees_all() or borrower_id = app_org() or lender_id = app_org());
create policy writes on loan_penalties for all to chipbridge_writer using (true) with check (true);

-- What each organisation held, what moved and what it holds, month by month, as it was issued: the document's own bytes,
-- which the journal gives again.
create table statement_documents (
  org_id uuid not null,
  id uuid not null,
  month date not null,
  through_on date not null,
  digest bytea not null,
  bytes bytea not null,
  run_id uuid not null,
  created_at timestamptz not null,
  constraint statement_documents_pkey primary key (org_id, id),
  constraint statement_documents_once unique (org_id, month),
  constraint statement_documents_digest check (digest = sha256(bytes)),
  constraint statement_documents_days check (month <= through_on)
);
comment on table statement_documents is 'key org_id';

grant select, insert on statement_documents to chipbridge_writer;
grant select on statement_documents to chipbridge_reader;
alter table statement_documents enable row level security;
alter table statement_documents force row level security;
create policy reads on statement_documents for select to chipbridge_reader
  using (app_sees_all() or org_id = app_org());
create policy writes on statement_documents for all to chipbridge_writer using (true) with check (true);

-- What the platform took of a lender's fee income, told with a number; each payout is told of once.
create table platform_invoices (
  lender_id uuid not null,
  id uuid not null,
  number bigint not null,
  currency text not null,
  from_on date not null,
  through_on date not null,
  fee_income bigint not null,
  platform_fee bigint not null,
  run_id uuid not null,
  created_at timestamptz not null,
  constraint platform_invoices_pkey primary key (lender_id, id),
  constraint platform_invoices_numbered unique (lender_id, number),
  constraint platform_invoices_days check (from_on <= through_on),
  constraint platform_invoices_amounts check (number > 0 and platform_fee > 0 and platform_fee <= fee_income)
);
comment on table platform_invoices is 'key lender_id';

create table platform_invoice_lines (
  lender_id uuid not null,
  payout_id uuid not null,
  invoice_id uuid not null,
  entry_id uuid not null,
  on_date date not null,
  fee_income bigint not null,
  platform_fee bigint not null,
  constraint platform_invoice_lines_pkey primary key (lender_id, payout_id),
  constraint platform_invoice_lines_of foreign key (lender_id, invoice_id) references platform_invoices (lender_id, id),
  constraint platform_invoice_lines_payout foreign key (lender_id, payout_id) references payouts (lender_id, id)
);
comment on table platform_invoice_lines is 'key lender_id';
create index platform_invoice_lines_of_invoice on platform_invoice_lines (lender_id, invoice_id);

grant select, insert on platform_invoices, platform_invoice_lines to chipbridge_writer;
grant select on platform_invoices, platform_invoice_lines to chipbridge_reader;
do $$
declare
  named text;
begin
  foreach named in array array['platform_invoices', 'platform_invoice_lines'] loop
    execute format('alter table %I enable row level security', named);
    execute format('alter table %I force row level security', named);
    execute format(
      'create policy reads on %I for select to chipbridge_reader using (app_sees_all() or lender_id = app_org())',
      named);
    execute format('create policy writes on %I for all to chipbridge_writer using (true) with check (true)', named);
  end loop;
end;
$$;

alter table settlement_runs drop constraint settlement_runs_job;
alter table settlement_runs add constraint settlement_runs_job check (
  job in ('accrual', 'sweep', 'maturity', 'delinquency', 'payout', 'rescreen', 'day_close', 'reconcile', 'fees',
    'statements'));
