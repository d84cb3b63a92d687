-- Rates between currencies, of a day and from a source: brought by one person, approved by another. A correction is another
-- row, and what it corrects is known to be wrong from then on; nothing is overwritten.
create table fx_rates (
  -- The two currencies, the one whose code comes first in front: EUR/USD, whichever is the base.
  pair text not null,
  id uuid not null,
  base text not null,
  quote text not null,
  on_date date not null,
  -- The price as published: mantissa / 10^places.
  mantissa bigint not null,
  places integer not null,
  source text not null,
  supersedes uuid,
  state text not null,
  proposed_by uuid not null,
  decided_by uuid,
  decided_at timestamptz,
  superseded_at timestamptz,
  reason text,
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint fx_rates_pkey primary key (pair, id),
  constraint fx_rates_price check (mantissa > 0 and places between 0 and 12),
  constraint fx_rates_pair check (base <> quote and pair = least(base, quote) || '/' || greatest(base, quote)),
  constraint fx_rates_state check (state in ('proposed', 'approved', 'rejected', 'superseded')),
  constraint fx_rates_decided check ((state = 'proposed') = (decided_at is null) and (decided_at is null) = (decided_by is null)),
  constraint fx_rates_second_person check (decided_by is null or state = 'rejected' or decided_by <> proposed_by),
  constraint fx_rates_superseded check ((state = 'superseded') = (superseded_at is not null))
);
comment on table fx_rates is 'reference';
create index fx_rates_id on fx_rates (id);
create index fx_rates_created on fx_rates (created_at, id);
-- Of one pair and day only one is in use.
create unique index fx_rates_in_use on fx_rates (pair, on_date) where state = 'approved';

grant select, insert, update on fx_rates to chipbridge_writer;
grant select on fx_rates to chipbridge_reader;

-- Why money was left over, and what of it was turned into another currency.
alter table cash_receipts add column remainder_reason text;
alter table cash_receipts add column converted bigint;

-- Money on account in one currency that a bank turned into another: asked for by one person, approved by another, who
-- books it. What it became is a receipt of its own.
create table cash_conversions (
  org_id uuid not null,
  id uuid not null,
  receipt_id uuid not null,
  amount bigint not null,
  currency text not null,
  into_amount bigint not null,
  into_currency text not null,
  converted_on date not null,
  -- The day's approved rate, against which the bank's was looked at.
  market_rate text not null,
  evidence text not null,
  state text not null,
  proposed_by uuid not null,
  decided_by uuid,
  decided_at timestamptz,
  reason text,
  into_receipt_id uuid,
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint cash_conversions_pkey primary key (org_id, id),
  constraint cash_conversions_amounts check (amount > 0 and into_amount > 0 and currency <> into_currency),
  constraint cash_conversions_state check (state in ('proposed', 'approved', 'rejected')),
  constraint cash_conversions_decided check (
    (state = 'proposed') = (decided_at is null) and (decided_at is null) = (decided_by is null)),
  constraint cash_conversions_second_person check (decided_by is null or state = 'rejected' or decided_by <> proposed_by),
  constraint cash_conversions_booked check ((state = 'approved') = (into_receipt_id is not null)),
  constraint cash_conversions_reason check ((state = 'rejected') = (reason is not null))
);
comment on table cash_conversions is 'key org_id';
create index cash_conversions_id on cash_conversions (id);
create index cash_conversions_of_receipt on cash_conversions (org_id, receipt_id);

grant select, insert, update on cash_conversions to chipbridge_writer;
grant select on cash_conversions to chipbridge_reader;
alter table cash_conversions enable row level security;
alter table cash_conversions force row level security;
create policy reads on cash_conversions for select to chipbridge_reader
  using (app_sees_all() or org_id = app_org());
create policy writes on cash_conversions for all to chipbridge_writer using (true) with check (true);
