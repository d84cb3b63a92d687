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

-- What left one account for another is a movement that the bank shows.
alter table reconciliation_matches drop constraint reconciliation_matches_kind;
alter table reconciliation_matches add constraint reconciliation_matches_kind check (
  item_kind in (
    'receipt', 'payout', 'platform_fee', 'claw_back', 'advance', 'advance_repaid', 'top_up', 'conversion'));

grant select, insert, update on cash_conversions to chipbridge_writer;
grant select on cash_conversions to chipbridge_reader;
alter table cash_conversions enable row level security;
alter table cash_conversions force row level security;
create policy reads on cash_conversions for select to chipbridge_reader
  using (app_sees_all() or org_id = app_org());
create policy writes on cash_conversions for all to chipbridge_writer using (true) with check (true);

-- An acquisition may leave time to choose what becomes of each loan, and name the acquirer as an organisation here.
alter table funding_rounds add column acquirer_id uuid;
alter table funding_rounds add column choose_by date;
alter table funding_rounds add constraint funding_rounds_choices check (
  (acquirer_id is null and choose_by is null) or kind = 'acquisition');

-- A loan that an acquirer took over keeps the request and the offer that it came of, and these are its first borrower's: a
-- foreign key within one borrower cannot say so. `verify` holds that each loan has them.
alter table loans drop constraint loans_request;

create table control_choices (
  borrower_id uuid not null,
  id uuid not null,
  round_id uuid not null,
  loan_id uuid not null,
  lender_id uuid not null,
  acquirer_id uuid,
  kind text not null,
  quantity bigint,
  state text not null,
  chosen_by uuid not null,
  chosen_on date not null,
  consented_by uuid,
  consented_on date,
  assumed_by uuid,
  done_on date,
  -- The acquirer's loan.
  into_loan_id uuid,
  -- Of the rounding of fees that it begins with.
  handed_residue bigint,
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint control_choices_pkey primary key (borrower_id, id),
  constraint control_choices_kind check (kind in ('accelerate', 'assume', 'return')),
  constraint control_choices_state check (state in ('proposed', 'consented', 'held', 'done', 'replaced', 'lapsed')),
  constraint control_choices_acquirer check ((kind = 'assume') = (acquirer_id is not null)),
  constraint control_choices_quantity check ((kind = 'return') = (quantity is not null)),
  constraint control_choices_consent check ((consented_by is null) = (consented_on is null)),
  constraint control_choices_done check ((state = 'done') = (done_on is not null)),
  constraint control_choices_assumed check ((into_loan_id is not null) = (kind = 'assume' and state = 'done')),
  constraint control_choices_loan foreign key (borrower_id, loan_id) references loans (borrower_id, id),
  constraint control_choices_round foreign key (borrower_id, round_id) references funding_rounds (borrower_id, id)
);
comment on table control_choices is 'key borrower_id';
create index control_choices_id on control_choices (id);
create index control_choices_of_lender on control_choices (lender_id, created_at, id);
create index control_choices_of_acquirer on control_choices (acquirer_id, created_at, id);
create unique index control_choices_open on control_choices (borrower_id, loan_id)
  where state in ('proposed', 'consented', 'held');

grant select, insert, update on control_choices to chipbridge_writer;
grant select on control_choices to chipbridge_reader;
alter table control_choices enable row level security;
alter table control_choices force row level security;
create policy reads on control_choices for select to chipbridge_reader
  using (app_sees_all() or borrower_id = app_org() or lender_id = app_org() or acquirer_id = app_org());
create policy writes on control_choices for all to chipbridge_writer using (true) with check (true);

-- What a lender asks of the loans of a listing beside their fee: the right to take shares of a priced round for a part of the
-- debt. Of the listing from its first day, and never changed: who accepts an offer of it has agreed.
create table listing_options (
  lender_id uuid not null,
  listing_id uuid not null,
  cap bigint,
  cap_currency text,
  discount_bps bigint not null,
  share_bps bigint not null,
  constraint listing_options_pkey primary key (lender_id, listing_id),
  constraint listing_options_cap check ((cap is null) = (cap_currency is null) and cap > 0),
  constraint listing_options_shares check (discount_bps between 0 and 9999 and share_bps between 1 and 10000),
  constraint listing_options_listing foreign key (lender_id, listing_id) references listings (lender_id, id)
);
comment on table listing_options is 'key lender_id';
create index listing_options_of_listing on listing_options (listing_id);

-- The price of a round's shares, for those who may take them.
alter table funding_rounds add column share_price bigint;
alter table funding_rounds add column share_price_shares bigint;
alter table funding_rounds add column capitalisation bigint;
alter table funding_rounds add constraint funding_rounds_pricing check (
  (share_price is null) = (share_price_shares is null) and (share_price is null) = (capitalisation is null)
  and share_price > 0 and share_price_shares > 0 and capitalisation > 0);

-- Debt that a lender took shares for, with all that their number was computed from.
create table loan_conversions (
  borrower_id uuid not null,
  id uuid not null,
  lender_id uuid not null,
  loan_id uuid not null,
  round_id uuid not null,
  listing_id uuid not null,
  cap bigint,
  cap_currency text,
  discount_bps bigint not null,
  share_bps bigint not null,
  share_price bigint not null,
  share_price_shares bigint not null,
  capitalisation bigint not null,
  amount bigint not null,
  currency text not null,
  shares bigint not null,
  converted bigint not null,
  basis text not null,
  converted_by uuid not null,
  converted_on date not null,
  recorded_at timestamptz not null,
  constraint loan_conversions_pkey primary key (borrower_id, id),
  constraint loan_conversions_amounts check (shares > 0 and converted > 0 and converted <= amount),
  constraint loan_conversions_basis check (basis in ('cap', 'discount', 'round')),
  constraint loan_conversions_loan foreign key (borrower_id, loan_id) references loans (borrower_id, id),
  constraint loan_conversions_round foreign key (borrower_id, round_id) references funding_rounds (borrower_id, id)
);
comment on table loan_conversions is 'key borrower_id';
create index loan_conversions_of_loan on loan_conversions (loan_id);

grant select, insert on listing_options, loan_conversions to chipbridge_writer;
grant select on listing_options, loan_conversions to chipbridge_reader;
alter table listing_options enable row level security;
alter table listing_options force row level security;
alter table loan_conversions enable row level security;
alter table loan_conversions force row level security;
create policy reads on listing_options for select to chipbridge_reader
  using (app_sees_all() or lender_id = app_org());
create policy writes on listing_options for all to chipbridge_writer using (true) with check (true);
create policy reads on loan_conversions for select to chipbridge_reader
  using (app_sees_all() or borrower_id = app_org() or lender_id = app_org());
create policy writes on loan_conversions for all to chipbridge_writer using (true) with check (true);
