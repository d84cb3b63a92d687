-- Why a sweep made due what it did, and why money was divided as it was: the record's own bytes, from which anybody can
-- compute it again.
create table repayment_explanations (
  borrower_id uuid not null,
  -- The closing that was swept, the correction of one, or the receipt that was divided.
  subject_id uuid not null,
  kind text not null,
  digest bytea not null,
  bytes bytea not null,
  recorded_at timestamptz not null,
  constraint repayment_explanations_pkey primary key (borrower_id, subject_id),
  constraint repayment_explanations_kind check (kind in ('sweep', 'allocation', 'correction')),
  constraint repayment_explanations_digest check (digest = sha256(bytes))
);
comment on table repayment_explanations is 'key borrower_id';
create index repayment_explanations_subject on repayment_explanations (subject_id);

-- A closing that brought less cash than was reported of it. Corrections only lower, so their order is that of the amounts.
create table closing_corrections (
  borrower_id uuid not null,
  id uuid not null,
  round_id uuid not null,
  closing_id uuid not null,
  was bigint not null,
  becomes bigint not null,
  currency text not null,
  reason text not null,
  -- Dues were withdrawn, as far as they were not paid.
  after_sweep boolean not null,
  corrected_on date not null,
  corrected_by uuid not null,
  recorded_at timestamptz not null,
  constraint closing_corrections_pkey primary key (borrower_id, id),
  constraint closing_corrections_lower check (becomes >= 0 and becomes < was),
  constraint closing_corrections_closing foreign key (borrower_id, closing_id)
    references funding_closings (borrower_id, id)
);
comment on table closing_corrections is 'key borrower_id';
create index closing_corrections_of_closing on closing_corrections (borrower_id, closing_id);

grant select, insert on closing_corrections to chipbridge_writer;
grant select on closing_corrections to chipbridge_reader;
alter table closing_corrections enable row level security;
alter table closing_corrections force row level security;
create policy reads on closing_corrections for select to chipbridge_reader
  using (app_sees_all() or borrower_id = app_org());
create policy writes on closing_corrections for all to chipbridge_writer using (true) with check (true);

-- What the lenders of a startup agreed among themselves, from a day on: waterfalls and ranks, as JSON text in its one
-- spelling, since records of divisions hold the same bytes.
create table startup_waterfalls (
  borrower_id uuid not null,
  id uuid not null,
  effective_on date not null,
  terms text not null,
  evidence text not null,
  set_by uuid not null,
  recorded_at timestamptz not null,
  constraint startup_waterfalls_pkey primary key (borrower_id, id)
);
comment on table startup_waterfalls is 'key borrower_id';

grant select, insert on startup_waterfalls to chipbridge_writer;
grant select on startup_waterfalls to chipbridge_reader;
alter table startup_waterfalls enable row level security;
alter table startup_waterfalls force row level security;
create policy reads on startup_waterfalls for select to chipbridge_reader
  using (app_sees_all() or borrower_id = app_org());
create policy writes on startup_waterfalls for all to chipbridge_writer using (true) with check (true);

grant select, insert on repayment_explanations to chipbridge_writer;
grant select on repayment_explanations to chipbridge_reader;
alter table repayment_explanations enable row level security;
alter table repayment_explanations force row level security;
-- The bytes name all lenders of the startup; a lender is shown its own lines of them.
create policy reads on repayment_explanations for select to chipbridge_reader
  using (app_sees_all() or borrower_id = app_org());
create policy writes on repayment_explanations for all to chipbridge_writer using (true) with check (true);
