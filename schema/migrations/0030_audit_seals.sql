-- The audit log is sealed: rows are append-only, and what is older than the oldest running transaction is linked into a
-- chain of hashes for each organisation, by a sealer that stands beside the write path. Each sealing ends with a signed
-- checkpoint, which also leaves the database. What was written since the last sealing is the window that no chain covers.

-- Which transaction wrote a row tells, without a counter that writers would wait for, what can no longer be joined by an
-- older row. A number, since ids of transactions have no summarising index. Set by the server: the one default on a table that tenants write to.
alter table audit_log add column transaction_id bigint not null default (pg_current_xact_id()::text::bigint);
-- Rows come in the order of their transactions, nearly; a summary of ranges costs the writer next to nothing.
create index audit_log_transaction on audit_log using brin (transaction_id) with (pages_per_range = 16);

create table audit_links (
  org_id uuid not null,
  number bigint not null,
  -- Rows of the organisation whose transaction is from the first on and before the second.
  from_transaction bigint not null,
  before_transaction bigint not null,
  entry_count bigint not null,
  previous_hash bytea not null,
  hash bytea not null,
  checkpoint bigint not null,
  constraint audit_links_pkey primary key (org_id, number),
  constraint audit_links_order check (number > 0 and entry_count > 0 and checkpoint > 0),
  constraint audit_links_lengths check (octet_length(previous_hash) = 32 and octet_length(hash) = 32)
);
comment on table audit_links is 'key org_id';
create index audit_links_checkpoint on audit_links (checkpoint);

create table audit_checkpoints (
  number bigint not null,
  sealed_at timestamptz not null,
  -- Everything before it is sealed.
  before_transaction bigint not null,
  -- What is signed, byte for byte.
  body text not null,
  signature bytea not null,
  public_key bytea not null,
  constraint audit_checkpoints_pkey primary key (number),
  constraint audit_checkpoints_number check (number > 0),
  constraint audit_checkpoints_lengths check (octet_length(signature) = 64 and octet_length(public_key) = 32)
);
comment on table audit_checkpoints is 'local';

-- One row, locked by whoever seals: there is one sealing at a time, over all processes.
create table audit_sealing (
  id integer not null,
  before_transaction bigint not null,
  checkpoint bigint not null,
  constraint audit_sealing_pkey primary key (id),
  constraint audit_sealing_one check (id = 1)
);
comment on table audit_sealing is 'local';
insert into audit_sealing (id, before_transaction, checkpoint) values (1, 0, 0);

create trigger audit_log_immutable before update or delete on audit_log
  for each row execute function refuse_change();
create trigger audit_log_kept before truncate on audit_log
  for each statement execute function refuse_change();
create trigger audit_links_immutable before update or delete on audit_links
  for each row execute function refuse_change();
create trigger audit_links_kept before truncate on audit_links
  for each statement execute function refuse_change();
create trigger audit_checkpoints_immutable before update or delete on audit_checkpoints
  for each row execute function refuse_change();
create trigger audit_checkpoints_kept before truncate on audit_checkpoints
  for each statement execute function refuse_change();

grant select, insert on audit_links, audit_checkpoints to chipbridge_writer;
grant select on audit_sealing to chipbridge_writer;
grant update (before_transaction, checkpoint) on audit_sealing to chipbridge_writer;
grant select on audit_links, audit_checkpoints to chipbridge_reader;

alter table audit_links enable row level security;
alter table audit_links force row level security;
create policy reads on audit_links for select to chipbridge_reader using (app_sees_all() or org_id = app_org());
create policy writes on audit_links for all to chipbridge_writer using (true) with check (true);
alter table audit_checkpoints enable row level security;
alter table audit_checkpoints force row level security;
create policy reads on audit_checkpoints for select to chipbridge_reader using (app_sees_all());
create policy writes on audit_checkpoints for all to chipbridge_writer using (true) with check (true);
