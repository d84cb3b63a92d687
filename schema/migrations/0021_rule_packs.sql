-- Changes of the export rules as events: a pack is loaded, what it would change is shown, and a second person switches it
-- on. What a screening finds waits for a person; nothing is done in silence.

create table rule_packs (
  id uuid not null,
  content bytea not null,
  sha256 bytea not null,
  as_of date not null,
  source text not null,
  state text not null,
  loaded_by uuid not null,
  decided_by uuid,
  decided_at timestamptz,
  reason text,
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint rule_packs_pkey primary key (id),
  constraint rule_packs_digest check (sha256 = sha256(content)),
  constraint rule_packs_state check (state in ('loaded', 'switched_on', 'rejected')),
  constraint rule_packs_second_person check (decided_by is null or state = 'rejected' or decided_by <> loaded_by),
  constraint rule_packs_decided check (
    (state = 'loaded') = (decided_by is null) and (decided_by is null) = (decided_at is null)
    and (state = 'rejected') = (reason is not null))
);
comment on table rule_packs is 'reference';
-- One pack waits at a time: what it changes is shown against what is in force.
create unique index rule_packs_one_waits on rule_packs (state) where state = 'loaded';

create table compliance_items (
  id uuid not null,
  subject_kind text not null,
  subject_id uuid not null,
  borrower_id uuid,
  lender_id uuid,
  chip_model_id text not null,
  quantity bigint not null,
  screened_on date not null,
  effect text not null,
  rules text[] not null,
  since_on date,
  suggestion text not null,
  run_id uuid,
  state text not null,
  resolution text,
  note text,
  resolved_by uuid,
  resolved_at timestamptz,
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint compliance_items_pkey primary key (id),
  constraint compliance_items_kind check (subject_kind in ('loan', 'loan_request', 'listing')),
  constraint compliance_items_quantity check (quantity > 0),
  constraint compliance_items_state check (state in ('open', 'resolved')),
  constraint compliance_items_suggestion check (suggestion in ('freeze', 'hold', 'unwind', 'review')),
  constraint compliance_items_resolution check (
    resolution is null or resolution in ('freeze', 'hold', 'unwind', 'accept')),
  constraint compliance_items_resolved check (
    (state = 'resolved') = (resolution is not null) and (state = 'resolved') = (resolved_by is not null)
    and (state = 'resolved') = (resolved_at is not null) and (state = 'resolved') = (note is not null))
);
comment on table compliance_items is 'local';
-- A subject waits once.
create unique index compliance_items_one_open on compliance_items (subject_id) where state = 'open';
create index compliance_items_page on compliance_items (created_at, id);

grant select, insert, update on rule_packs, compliance_items to chipbridge_writer;
grant select on rule_packs, compliance_items to chipbridge_reader;
alter table compliance_items enable row level security;
alter table compliance_items force row level security;
create policy reads on compliance_items for select to chipbridge_reader using (app_sees_all());
create policy writes on compliance_items for all to chipbridge_writer using (true) with check (true);
alter table rule_packs enable row level security;
alter table rule_packs force row level security;
create policy reads on rule_packs for select to chipbridge_reader using (app_sees_all());
create policy writes on rule_packs for all to chipbridge_writer using (true) with check (true);
