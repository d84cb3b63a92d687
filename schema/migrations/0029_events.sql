-- Events as a product: what changed beside what happened, reads by object and by id, and webhooks that push them.

-- The state of the object before and after, by an allow-list that both parties of the event may see.
alter table outbox add column before_image jsonb;
alter table outbox add column after_image jsonb;
create index outbox_id on outbox (id);
create index outbox_subject on outbox (subject, position);
-- The reader of the feed compares how far positions were given with what it sees.
grant select on sequence outbox_position_seq to chipbridge_writer;

create table webhooks (
  org_id uuid not null,
  id uuid not null,
  url text not null,
  description text,
  types text[] not null,
  state text not null,
  disabled_reason text,
  -- Only what happens after it is told; `redeliver` asks for what was before.
  from_position bigint not null,
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint webhooks_pkey primary key (org_id, id),
  constraint webhooks_state check (state in ('active', 'paused', 'disabled', 'closed')),
  constraint webhooks_reason check ((state = 'disabled') = (disabled_reason is not null))
);
comment on table webhooks is 'key org_id';
create index webhooks_page on webhooks (created_at, id);
create index webhooks_id on webhooks (id);

-- What signs: sealed with a key that the database does not hold alone, and never read but by who signs.
create table webhook_secrets (
  org_id uuid not null,
  webhook_id uuid not null,
  id uuid not null,
  sealed bytea not null,
  created_at timestamptz not null,
  -- While another has taken its place, both sign until then.
  valid_until timestamptz,
  constraint webhook_secrets_pkey primary key (org_id, webhook_id, id),
  constraint webhook_secrets_webhook foreign key (org_id, webhook_id) references webhooks (org_id, id)
);
comment on table webhook_secrets is 'key org_id';

-- Who delivers for a webhook now, and since when it has failed without a success between. Wall time.
create table webhook_leases (
  org_id uuid not null,
  webhook_id uuid not null,
  token bigint not null,
  leased_until timestamptz,
  claimed_at timestamptz not null,
  failing_since timestamptz,
  constraint webhook_leases_pkey primary key (org_id, webhook_id),
  constraint webhook_leases_webhook foreign key (org_id, webhook_id) references webhooks (org_id, id)
);
comment on table webhook_leases is 'key org_id';

-- One row for an event that a webhook is told: how it stands. Wall time.
create table webhook_deliveries (
  org_id uuid not null,
  webhook_id uuid not null,
  position bigint not null,
  event_id uuid not null,
  subject text not null,
  type text not null,
  state text not null,
  attempts integer not null,
  next_attempt_at timestamptz not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint webhook_deliveries_pkey primary key (org_id, webhook_id, position),
  constraint webhook_deliveries_webhook foreign key (org_id, webhook_id) references webhooks (org_id, id),
  constraint webhook_deliveries_state check (state in ('pending', 'delivered', 'dead'))
);
comment on table webhook_deliveries is 'key org_id';
create index webhook_deliveries_due on webhook_deliveries (org_id, webhook_id, next_attempt_at) where state = 'pending';
create index webhook_deliveries_order on webhook_deliveries (org_id, webhook_id, subject, position)
  where state = 'pending';

-- What each try came to.
create table webhook_attempts (
  org_id uuid not null,
  webhook_id uuid not null,
  position bigint not null,
  id uuid not null,
  number integer not null,
  at timestamptz not null,
  latency_ms bigint not null,
  outcome text not null,
  status integer,
  excerpt text,
  constraint webhook_attempts_pkey primary key (org_id, webhook_id, position, id),
  constraint webhook_attempts_delivery foreign key (org_id, webhook_id, position)
    references webhook_deliveries (org_id, webhook_id, position),
  constraint webhook_attempts_excerpt check (octet_length(excerpt) <= 4096)
);
comment on table webhook_attempts is 'key org_id';

-- Up to where events were dealt to webhooks: one row, locked by whoever deals.
create table webhook_dealing (
  id integer not null,
  position bigint not null,
  constraint webhook_dealing_pkey primary key (id),
  constraint webhook_dealing_single check (id = 1)
);
comment on table webhook_dealing is 'local';
insert into webhook_dealing (id, position) select 1, coalesce(max(position), 0) from outbox;

grant select, insert on webhooks, webhook_secrets, webhook_leases, webhook_deliveries, webhook_attempts
  to chipbridge_writer;
grant update on webhooks, webhook_leases, webhook_deliveries to chipbridge_writer;
grant update (valid_until) on webhook_secrets to chipbridge_writer;
grant select, update on webhook_dealing to chipbridge_writer;
grant select on webhooks, webhook_deliveries, webhook_attempts to chipbridge_reader;

do $$
declare
  entry record;
begin
  for entry in
    select * from (values
      ('webhooks', 'org_id = app_org()'),
      ('webhook_deliveries', 'org_id = app_org()'),
      ('webhook_attempts', 'org_id = app_org()'),
      ('webhook_secrets', 'false'),
      ('webhook_leases', 'org_id = app_org()')
    ) as policies (table_name, own_rows)
  loop
    execute format('alter table %I enable row level security', entry.table_name);
    execute format('alter table %I force row level security', entry.table_name);
    execute format('create policy reads on %I for select to chipbridge_reader using (app_sees_all() or (%s))',
      entry.table_name, entry.own_rows);
    execute format('create policy writes on %I for all to chipbridge_writer using (true) with check (true)',
      entry.table_name);
  end loop;
end;
$$;
