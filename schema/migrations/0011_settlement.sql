-- Settlement runs in stages and shards: a stage is one step of a business date, a shard a part of it that any worker of any
-- process does. What a shard did and that it is done are committed together.

alter table settlement_runs drop constraint settlement_runs_job;
alter table settlement_runs add constraint settlement_runs_job check (
  job in ('accrual', 'sweep', 'maturity', 'delinquency', 'payout', 'rescreen', 'day_close'));
-- What each stage does, [{"step": ..., "on": ...}], once the run was first planned.
alter table settlement_runs add column stages jsonb not null default '[]';
alter table settlement_runs add column stage integer not null default 0;
-- The shards of the stage are there.
alter table settlement_runs add column is_planned boolean not null default false;
alter table settlement_runs add column dead bigint not null default 0;
-- What its maker was shown: the run does exactly this, or nothing.
alter table settlement_runs add column preview_hash bytea;
alter table settlement_runs add column effects_hash bytea;
alter table settlement_runs add column approval text not null default 'not_needed';
alter table settlement_runs add column approved_by uuid;
alter table settlement_runs add column ended_at timestamptz;
alter table settlement_runs add constraint settlement_runs_approval check (
  approval in ('not_needed', 'awaited', 'given') and (approval = 'given') = (approved_by is not null));
-- Maker and checker are two persons.
alter table settlement_runs add constraint settlement_runs_two_persons check (
  approved_by is null or requested_by is null or approved_by <> requested_by);

create table settlement_shards (
  run_id uuid not null,
  number integer not null,
  stage integer not null,
  step text not null,
  on_date date not null,
  subjects text[] not null,
  details text[] not null,
  weight bigint not null,
  state text not null,
  -- Goes up with every claim and never down: what fences a worker. How often it was tried since a person revived it is
  -- told by what it was then.
  attempt integer not null,
  revived_at_attempt integer not null default 0,
  leased_until timestamptz,
  not_before timestamptz,
  totals jsonb not null,
  -- What its maker was shown of it, where that binds.
  expected_hash bytea,
  effects_hash bytea,
  error text,
  updated_at timestamptz not null,
  constraint settlement_shards_pkey primary key (run_id, number),
  constraint settlement_shards_run foreign key (run_id) references settlement_runs (id),
  constraint settlement_shards_state check (state in ('planned', 'running', 'done', 'split', 'dead', 'cancelled')),
  constraint settlement_shards_lease check ((state = 'running') = (leased_until is not null)),
  constraint settlement_shards_effects check ((state = 'done') = (effects_hash is not null)),
  constraint settlement_shards_subjects check (
    cardinality(subjects) > 0 and cardinality(details) in (0, cardinality(subjects)))
);
comment on table settlement_shards is 'local';
create index settlement_shards_open on settlement_shards (run_id, number) where state in ('planned', 'running');

-- Days that are closed: nothing is posted to them any more.
create table closed_days (
  business_date date not null,
  run_id uuid not null,
  closed_at timestamptz not null,
  constraint closed_days_pkey primary key (business_date)
);
comment on table closed_days is 'local';
alter table platform_state add column closed_through date;

grant select, insert, update on settlement_shards to chipbridge_writer;
grant select, insert on closed_days to chipbridge_writer;
grant select on settlement_shards, closed_days to chipbridge_reader;

do $$
declare
  local text;
begin
  foreach local in array array['settlement_shards', 'closed_days'] loop
    execute format('alter table %I enable row level security', local);
    execute format('alter table %I force row level security', local);
    execute format('create policy reads on %I for select to chipbridge_reader using (app_sees_all())', local);
    execute format('create policy writes on %I for all to chipbridge_writer using (true) with check (true)', local);
  end loop;
end;
$$;

-- What rounds and waterfalls know besides.
alter table funding_rounds drop constraint funding_rounds_kind;
alter table funding_rounds add constraint funding_rounds_kind check (kind in (
  'priced', 'safe', 'note', 'strategic', 'secondary', 'bridge', 'ipo', 'acquisition', 'licence_and_hire'));
alter table allocations drop constraint allocations_step;
alter table allocations add constraint allocations_step check (
  step in ('charges', 'tax', 'fee', 'principal', 'prepayment'));
