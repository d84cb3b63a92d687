-- Lots, orders, offers, loans. Lender tables by lender_id, borrower tables by borrower_id; no foreign key between the two.

create table lots (
  lender_id uuid not null,
  id uuid not null,
  chip_model_id text not null,
  quantity bigint not null,
  country text not null,
  region text not null,
  available_on date not null,
  multiple_of bigint not null,
  serials text[] not null,
  unit_cost_amount bigint,
  unit_cost_currency text,
  on_order bigint not null,
  available bigint not null,
  reserved bigint not null,
  in_transit bigint not null,
  on_loan bigint not null,
  in_return bigint not null,
  in_inspection bigint not null,
  in_repair bigint not null,
  frozen bigint not null,
  repossessed bigint not null,
  lost bigint not null,
  sold bigint not null,
  listed bigint not null,
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint lots_pkey primary key (lender_id, id),
  constraint lots_quantity_positive check (quantity > 0 and multiple_of > 0),
  constraint lots_conserved check (
    on_order + available + reserved + in_transit + on_loan + in_return + in_inspection + in_repair + frozen
    + repossessed + lost + sold = quantity),
  constraint lots_never_negative check (
    on_order >= 0 and available >= 0 and reserved >= 0 and in_transit >= 0 and on_loan >= 0 and in_return >= 0
    and in_inspection >= 0 and in_repair >= 0 and frozen >= 0 and repossessed >= 0 and lost >= 0 and sold >= 0
    and listed >= 0)
);
comment on table lots is 'key lender_id';
create index lots_id on lots (id);

create table reserve_plans (
  lender_id uuid not null,
  id uuid not null,
  chip_model_id text not null,
  months jsonb not null,
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint reserve_plans_pkey primary key (lender_id, id),
  constraint reserve_plans_one_a_model unique (lender_id, chip_model_id)
);
comment on table reserve_plans is 'key lender_id';

create table listings (
  lender_id uuid not null,
  id uuid not null,
  lot_id uuid not null,
  chip_model_id text not null,
  country text not null,
  region text not null,
  quantity bigint not null,
  remaining bigint not null,
  min_quantity bigint not null,
  multiple_of bigint not null,
  ask_rate_bps bigint not null,
  min_term_days bigint not null,
  max_term_days bigint not null,
  legal_form text not null,
  delivery_modes text[] not null,
  advance_rate_bps bigint not null,
  repayment_patterns text[] not null,
  recall_notice_days bigint,
  eligible_grades text[],
  eligible_jurisdictions text[],
  max_exposure_amount bigint,
  max_exposure_currency text,
  valid_until_at timestamptz,
  available_on date not null,
  sequence bigint not null,
  state text not null,
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint listings_pkey primary key (lender_id, id),
  constraint listings_lot foreign key (lender_id, lot_id) references lots (lender_id, id),
  constraint listings_remaining check (remaining >= 0 and remaining <= quantity),
  constraint listings_state check (state in ('open', 'paused', 'exhausted', 'withdrawn', 'expired'))
);
comment on table listings is 'key lender_id';
create index listings_id on listings (id);
create index listings_lot_id on listings (lender_id, lot_id);
create index listings_open on listings (chip_model_id, region) where state = 'open';

create table loan_requests (
  borrower_id uuid not null,
  id uuid not null,
  workload text not null,
  end_use text not null,
  quantity bigint not null,
  min_quantity bigint not null,
  multiple_of bigint not null,
  same_model boolean not null,
  same_site boolean not null,
  max_lenders bigint,
  acceptable jsonb not null,
  regions text[] not null,
  term_days bigint not null,
  start_on date not null,
  start_by_on date not null,
  delivery_mode text not null,
  repayment_pattern text not null,
  repayment_currency text,
  least_amount bigint,
  least_post_money bigint,
  sweep_bps bigint not null,
  auto_accept boolean not null,
  valid_until_at timestamptz,
  sequence bigint not null,
  offered bigint not null,
  matched bigint not null,
  state text not null,
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint loan_requests_pkey primary key (borrower_id, id),
  constraint loan_requests_quantities check (
    quantity > 0 and min_quantity > 0 and min_quantity <= quantity and offered >= 0 and matched >= 0
    and offered + matched <= quantity),
  constraint loan_requests_state check (
    state in ('open', 'held', 'partly_matched', 'matched', 'cancelled', 'expired'))
);
comment on table loan_requests is 'key borrower_id';
create index loan_requests_id on loan_requests (id);
create index loan_requests_alive on loan_requests (sequence) where state in ('open', 'held', 'partly_matched');

create table match_rounds (
  id uuid not null,
  state text not null,
  segment text,
  business_at timestamptz not null,
  digest bytea,
  snapshot bytea,
  result jsonb,
  offers_made bigint not null,
  offers_refused bigint not null,
  error text,
  attempt integer not null,
  leased_until timestamptz,
  requested_by uuid,
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint match_rounds_pkey primary key (id),
  constraint match_rounds_state check (state in ('planned', 'running', 'succeeded', 'failed'))
);
comment on table match_rounds is 'local';
create index match_rounds_open on match_rounds (created_at) where state in ('planned', 'running');

create table offers (
  borrower_id uuid not null,
  id uuid not null,
  lender_id uuid not null,
  request_id uuid not null,
  listing_id uuid not null,
  lot_id uuid not null,
  round_id uuid not null,
  chip_model_id text not null,
  quantity bigint not null,
  rate_bps bigint not null,
  mark_id uuid not null,
  mark_amount bigint not null,
  mark_currency text not null,
  mark_source text not null,
  advance_rate_bps bigint not null,
  expires_at timestamptz not null,
  state text not null,
  loan_id uuid,
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint offers_pkey primary key (borrower_id, id),
  constraint offers_request foreign key (borrower_id, request_id) references loan_requests (borrower_id, id),
  constraint offers_quantity_positive check (quantity > 0),
  constraint offers_state check (state in ('pending', 'accepted', 'declined', 'lapsed')),
  constraint offers_accepted_has_loan check ((state = 'accepted') = (loan_id is not null))
);
comment on table offers is 'key borrower_id';
create index offers_id on offers (id);
create index offers_lender on offers (lender_id, created_at);
create index offers_pending on offers (expires_at) where state = 'pending';

create table loans (
  borrower_id uuid not null,
  id uuid not null,
  lender_id uuid not null,
  lot_id uuid not null,
  listing_id uuid not null,
  request_id uuid not null,
  offer_id uuid not null,
  chip_model_id text not null,
  country text not null,
  region text not null,
  end_use text not null,
  delivery_mode text not null,
  legal_form text not null,
  quantity bigint not null,
  mark_id uuid not null,
  mark_amount bigint not null,
  currency text not null,
  advance_rate_bps bigint not null,
  principal bigint not null,
  rate_bps bigint not null,
  day_count text not null,
  return_credit text not null,
  repayment_pattern text not null,
  least_amount bigint,
  least_post_money bigint,
  covenant_currency text,
  sweep_bps bigint not null,
  rank bigint not null,
  trade_on date not null,
  term_days bigint not null,
  matures_on date not null,
  recall_notice_days bigint,
  state text not null,
  closed_as text,
  units_out bigint not null,
  units_returning bigint not null,
  units_returned bigint not null,
  units_owned bigint not null,
  outstanding_charges bigint not null,
  outstanding_fee bigint not null,
  outstanding_principal bigint not null,
  fee_accrued_total bigint not null,
  accrual_residue bigint not null,
  accrued_through date,
  due_cause text,
  due_cause_id uuid,
  due_since date,
  due_amount bigint,
  possession text not null,
  title text not null,
  lien_registry text,
  lien_number text,
  lien_filed_on date,
  lien_released_on date,
  dispatched_on date,
  delivered_on date,
  closed_on date,
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint loans_pkey primary key (borrower_id, id),
  constraint loans_one_an_offer unique (borrower_id, offer_id),
  constraint loans_request foreign key (borrower_id, request_id) references loan_requests (borrower_id, id),
  constraint loans_units check (
    units_out >= 0 and units_returning >= 0 and units_returned >= 0 and units_owned >= 0
    and units_out + units_returning + units_returned + units_owned in (0, quantity)),
  constraint loans_outstanding check (
    outstanding_charges >= 0 and outstanding_fee >= 0 and outstanding_principal >= 0
    and outstanding_principal <= principal),
  constraint loans_state check (state in (
    'agreed', 'in_transit', 'active', 'due', 'overdue', 'defaulted', 'recalled', 'frozen', 'title_pending', 'closed',
    'reinstated')),
  constraint loans_closed check ((state = 'closed') = (closed_as is not null)),
  constraint loans_closed_owes_nothing check (
    state not in ('closed', 'title_pending')
    or outstanding_charges + outstanding_fee + outstanding_principal = 0),
  constraint loans_due check ((due_cause is null) = (due_since is null))
);
comment on table loans is 'key borrower_id';
create index loans_id on loans (id);
create index loans_lender on loans (lender_id, created_at);
create index loans_running on loans (borrower_id)
  where state in ('active', 'due', 'overdue', 'defaulted', 'recalled', 'frozen', 'reinstated');

create table loan_returns (
  borrower_id uuid not null,
  id uuid not null,
  lender_id uuid not null,
  loan_id uuid not null,
  lot_id uuid not null,
  quantity bigint not null,
  started_on date not null,
  state text not null,
  arrived_on date,
  inspected_on date,
  condition text,
  condition_charge bigint not null,
  credit bigint not null,
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint loan_returns_pkey primary key (borrower_id, id),
  constraint loan_returns_loan foreign key (borrower_id, loan_id) references loans (borrower_id, id),
  constraint loan_returns_state check (state in ('held', 'returning', 'in_inspection', 'accepted'))
);
comment on table loan_returns is 'key borrower_id';
create index loan_returns_of_loan on loan_returns (borrower_id, loan_id);

-- A verdict for each act, on the act's own date, with what was measured.
create table verdicts (
  borrower_id uuid not null,
  id uuid not null,
  lender_id uuid not null,
  act text not null,
  on_date date not null,
  subject_id uuid not null,
  chip_model_id text not null,
  quantity bigint not null,
  effect text not null,
  licence_id uuid,
  findings jsonb not null,
  acted boolean not null,
  recorded_at timestamptz not null,
  constraint verdicts_pkey primary key (borrower_id, id),
  constraint verdicts_effect check (effect in ('clear', 'hold_notification', 'hold_review', 'hold_licence', 'refuse')),
  constraint verdicts_acted_only_when_clear check (not acted or effect = 'clear')
);
comment on table verdicts is 'key borrower_id';
create index verdicts_subject on verdicts (borrower_id, subject_id);
