-- What the command pipeline stands on: stored answers, audit rows, the outbox; and settlement runs.

create table idempotency (
  org_id uuid not null,
  key text not null,
  fingerprint bytea not null,
  status integer not null,
  headers text[] not null,
  body bytea not null,
  created_at timestamptz not null,
  constraint idempotency_pkey primary key (org_id, key),
  constraint idempotency_key_length check (octet_length(key) between 1 and 255)
);
comment on table idempotency is 'key org_id';
create index idempotency_age on idempotency using brin (created_at);

create table audit_log (
  org_id uuid not null,
  id uuid not null,
  at timestamptz not null,
  recorded_at timestamptz not null,
  key_id uuid not null,
  person_id uuid,
  action text not null,
  subject_id uuid,
  outcome text not null,
  request_id text,
  constraint audit_log_pkey primary key (org_id, id)
);
comment on table audit_log is 'key org_id';

-- What happened, for feeds and webhooks: written in the transaction of the change. Ordered by position for readers that
-- stay below the oldest running transaction.
create table outbox (
  position bigint generated always as identity,
  id uuid not null,
  transaction_id xid8 not null,
  type text not null,
  org_a uuid not null,
  org_b uuid,
  subject text not null,
  subject_version bigint not null,
  business_at timestamptz not null,
  body jsonb not null,
  constraint outbox_pkey primary key (position)
);
comment on table outbox is 'local';
create index outbox_org_a on outbox (org_a, position);
create index outbox_org_b on outbox (org_b, position) where org_b is not null;

create table settlement_runs (
  id uuid not null,
  job text not null,
  business_date date not null,
  state text not null,
  total bigint not null,
  done bigint not null,
  totals jsonb not null,
  error text,
  attempt integer not null,
  leased_until timestamptz,
  requested_by uuid,
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint settlement_runs_pkey primary key (id),
  constraint settlement_runs_job check (job in ('accrual', 'sweep', 'maturity', 'payout', 'rescreen')),
  constraint settlement_runs_state check (state in ('planned', 'running', 'succeeded', 'failed', 'cancelled'))
);
comment on table settlement_runs is 'local';
create index settlement_runs_open on settlement_runs (created_at) where state in ('planned', 'running');
