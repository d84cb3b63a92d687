-- Reference data: what the chips are, what the rules say, what the chips were worth. Small, rarely written, read by all.

-- Chip models, export rules and country scopes as the documents they came as, with source and approver; each process
-- parses the newest version once.
create table reference_documents (
  name text not null,
  version bigint not null,
  content bytea not null,
  sha256 bytea not null,
  source text not null,
  approved_by text,
  loaded_at timestamptz not null,
  constraint reference_documents_pkey primary key (name, version),
  constraint reference_documents_digest check (sha256 = sha256(content))
);
comment on table reference_documents is 'reference';

create table chip_marks (
  chip_model_id text not null,
  id uuid not null,
  method text not null,
  basis text not null,
  amount bigint not null,
  currency text not null,
  effective_on date not null,
  recorded_at timestamptz not null,
  source text not null,
  supersedes uuid,
  approved_by uuid,
  constraint chip_marks_pkey primary key (chip_model_id, id),
  constraint chip_marks_amount_positive check (amount > 0),
  constraint chip_marks_basis check (basis in ('per_chip', 'per_chip_hour'))
);
comment on table chip_marks is 'reference';
create index chip_marks_as_of on chip_marks (chip_model_id, effective_on desc, recorded_at desc);

-- One row: the business clock of a sandbox (null: wall clock), and a counter that tells processes to reload reference data.
create table platform_state (
  id integer not null,
  business_now timestamptz,
  reference_version bigint not null,
  secret bytea not null,
  constraint platform_state_pkey primary key (id),
  constraint platform_state_one_row check (id = 1)
);
comment on table platform_state is 'local';
-- The secret signs page cursors: the same in every process of this database.
insert into platform_state (id, business_now, reference_version, secret)
values (1, null, 0, sha256((gen_random_uuid()::text || gen_random_uuid()::text)::bytea));
