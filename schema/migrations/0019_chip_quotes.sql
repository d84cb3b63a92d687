-- What chips were quoted at, as found; by which of the quotes each model is marked; and how each derived mark came about.

create table chip_quotes (
  chip_model_id text not null,
  id uuid not null,
  quoted_on date not null,
  kind text not null,
  currency text not null,
  -- Millionths of the currency's unit.
  micros bigint not null,
  basis text not null,
  sample bigint,
  is_estimate boolean not null,
  seller text,
  region text,
  source text not null,
  notes text,
  fingerprint bytea not null,
  import_id uuid not null,
  line bigint not null,
  recorded_at timestamptz not null,
  constraint chip_quotes_pkey primary key (chip_model_id, id),
  constraint chip_quotes_once unique (fingerprint),
  constraint chip_quotes_kind check (kind in ('unit_price', 'hourly_rate')),
  constraint chip_quotes_micros check (micros > 0)
);
comment on table chip_quotes is 'reference';
create index chip_quotes_of_series on chip_quotes (chip_model_id, kind, basis, quoted_on);

-- By which quotes a model is marked. The newest that a second person approved holds.
create table mark_series (
  chip_model_id text not null,
  id uuid not null,
  kind text not null,
  -- In the words of the quotes: never more than one.
  quote_basis text not null,
  currency text not null,
  least_quotes bigint not null,
  window_days bigint not null,
  -- Where quotes are missing: "age in months:residual in basis points" of the model's first price, ascending; empty for no
  -- curve.
  curve text[] not null,
  first_price_micros bigint,
  first_price_on date,
  curve_source text,
  state text not null,
  proposed_by uuid not null,
  approved_by uuid,
  approved_at timestamptz,
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint mark_series_pkey primary key (chip_model_id, id),
  constraint mark_series_kind check (kind in ('unit_price', 'hourly_rate')),
  constraint mark_series_least check (least_quotes between 1 and 1000 and window_days between 1 and 400),
  constraint mark_series_curve check (
    (cardinality(curve) > 0) = (first_price_micros is not null)
    and (first_price_micros is null) = (first_price_on is null)
    and (first_price_micros is null) = (curve_source is null)),
  constraint mark_series_state check (state in ('proposed', 'approved')),
  constraint mark_series_second_person check (
    (state = 'approved') = (approved_by is not null) and (approved_by is null) = (approved_at is null)
    and (approved_by is null or approved_by <> proposed_by))
);
comment on table mark_series is 'reference';

-- Which quotes a derived mark is made of, and which were left out and why: the record's own bytes.
create table mark_derivations (
  chip_model_id text not null,
  mark_id uuid not null,
  series_id uuid not null,
  digest bytea not null,
  bytes bytea not null,
  recorded_at timestamptz not null,
  constraint mark_derivations_pkey primary key (chip_model_id, mark_id),
  constraint mark_derivations_mark foreign key (chip_model_id, mark_id) references chip_marks (chip_model_id, id),
  constraint mark_derivations_digest check (digest = sha256(bytes))
);
comment on table mark_derivations is 'reference';

grant select, insert on chip_quotes, mark_series, mark_derivations to chipbridge_writer;
grant update on mark_series to chipbridge_writer;
grant select on chip_quotes, mark_series, mark_derivations to chipbridge_reader;

-- One job more, whichever there are by now.
do $$
declare
  known text;
begin
  select pg_get_constraintdef(oid) into strict known from pg_constraint
  where conrelid = 'settlement_runs'::regclass and conname = 'settlement_runs_job';
  alter table settlement_runs drop constraint settlement_runs_job;
  execute 'alter table settlement_runs add constraint settlement_runs_job '
    || regexp_replace(known, '\]', ', ''marks''::text]');
end;
$$;
-- What chips were lent at, for the rate index.
create index loans_traded on loans (chip_model_id, trade_on);
