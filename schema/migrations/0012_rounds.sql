-- Why a sweep made due what it did, and why money was divided as it was: the record's own bytes, from which anybody can
-- compute it again.
create table repayment_explanations (
  borrower_id uuid not null,
  -- The closing that was swept, or the receipt that was divided.
  subject_id uuid not null,
  kind text not null,
  digest bytea not null,
  bytes bytea not null,
  recorded_at timestamptz not null,
  constraint repayment_explanations_pkey primary key (borrower_id, subject_id),
  constraint repayment_explanations_kind check (kind in ('sweep', 'allocation')),
  constraint repayment_explanations_digest check (digest = sha256(bytes))
);
comment on table repayment_explanations is 'key borrower_id';
create index repayment_explanations_subject on repayment_explanations (subject_id);

grant select, insert on repayment_explanations to chipbridge_writer;
grant select on repayment_explanations to chipbridge_reader;
alter table repayment_explanations enable row level security;
alter table repayment_explanations force row level security;
-- The bytes name all lenders of the startup; a lender is shown its own lines of them.
create policy reads on repayment_explanations for select to chipbridge_reader
  using (app_sees_all() or borrower_id = app_org());
create policy writes on repayment_explanations for all to chipbridge_writer using (true) with check (true);
