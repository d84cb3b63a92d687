-- What lenders hold beside the fee and the principal of their loans, and what they give back: claims for money that was
-- taken back, paid in cash.

alter table cash_receipts
  -- Off what a lender owed the platform for money that was taken back after it had been paid out.
  add column claim_paid bigint not null default 0,
  -- Of it, what went on to the platform's own account, which had advanced it.
  add column advance_returned bigint not null default 0;
alter table cash_receipts
  alter column claim_paid drop default,
  alter column advance_returned drop default;
alter table cash_receipts drop constraint cash_receipts_source;
alter table cash_receipts add constraint cash_receipts_source check (
  source in ('round', 'instalment', 'collateral', 'insurance', 'guarantee', 'deposit', 'claw_back'));
alter table cash_receipts add constraint cash_receipts_claim check (
  claim_paid >= 0 and claim_paid <= amount and advance_returned >= 0 and advance_returned <= claim_paid
  and (claim_paid = 0 or source = 'claw_back'));

alter table reconciliation_matches drop constraint reconciliation_matches_kind;
alter table reconciliation_matches add constraint reconciliation_matches_kind check (
  item_kind in (
    'receipt', 'payout', 'platform_fee', 'claw_back', 'advance', 'advance_repaid', 'advance_returned', 'top_up',
    'conversion'));

-- The cap on penalties counts over the whole life of a debt: what of it a sale or an assumption left to a loan.
alter table loans add column penalty_most bigint;
alter table loans add constraint loans_penalty_most check (
  penalty_most is null or penalty_most >= 0 and penalty_cap_bps is not null);

-- Each conversion of debt into shares has a record of its own; that of the round's sweep stays what it was.
alter table repayment_explanations drop constraint repayment_explanations_kind;
alter table repayment_explanations add constraint repayment_explanations_kind check (
  kind in ('sweep', 'allocation', 'correction', 'claw_back', 'conversion'));
create index loan_conversions_of_round on loan_conversions (round_id);

-- Warrants that lenders ask for with the loans of a listing, and those that were issued.
create table listing_warrants (
  lender_id uuid not null,
  listing_id uuid not null,
  coverage_bps bigint not null,
  -- Minor units for so many shares; null: the price of the startup's next priced round.
  strike bigint,
  strike_shares bigint,
  strike_currency text,
  expires_after_days bigint not null,
  occasion text not null,
  constraint listing_warrants_pkey primary key (lender_id, listing_id),
  constraint listing_warrants_listing foreign key (lender_id, listing_id) references listings (lender_id, id),
  constraint listing_warrants_coverage check (coverage_bps > 0 and coverage_bps <= 10000),
  constraint listing_warrants_strike check (
    (strike is null) = (strike_shares is null) and (strike is null) = (strike_currency is null)
    and strike > 0 and strike_shares > 0),
  constraint listing_warrants_days check (expires_after_days > 0),
  constraint listing_warrants_occasion check (occasion in ('any_time', 'qualifying_round', 'change_of_control'))
);
comment on table listing_warrants is 'key lender_id';
create index listing_warrants_by_listing on listing_warrants (listing_id);

create table warrants (
  borrower_id uuid not null,
  id uuid not null,
  -- Who holds them, whoever has the loan.
  lender_id uuid not null,
  loan_id uuid not null,
  listing_id uuid not null,
  coverage_bps bigint not null,
  covered bigint not null,
  currency text not null,
  strike bigint,
  strike_shares bigint,
  strike_round_id uuid,
  -- Shares; null until there is a strike.
  count bigint,
  occasion text not null,
  issued_on date not null,
  expires_on date not null,
  state text not null,
  exercise_kind text,
  round_id uuid,
  share_price bigint,
  share_price_shares bigint,
  shares bigint,
  -- What the lender paid for the shares, outside of the platform.
  cost bigint,
  evidence text,
  exercised_by uuid,
  exercised_on date,
  confirmed_by uuid,
  confirmed_on date,
  ended_on date,
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint warrants_pkey primary key (borrower_id, id),
  constraint warrants_loan foreign key (borrower_id, loan_id) references loans (borrower_id, id),
  constraint warrants_amounts check (covered >= 0 and count >= 0 and shares > 0 and cost >= 0 and coverage_bps > 0),
  constraint warrants_strike check (
    (strike is null) = (strike_shares is null) and (strike is null) = (count is null)
    and strike > 0 and strike_shares > 0),
  constraint warrants_occasion check (occasion in ('any_time', 'qualifying_round', 'change_of_control')),
  constraint warrants_state check (state in ('outstanding', 'claimed', 'exercised', 'lapsed')),
  constraint warrants_ended check ((state in ('exercised', 'lapsed')) = (ended_on is not null)),
  constraint warrants_exercise check (
    (state in ('claimed', 'exercised')) = (exercise_kind is not null)
    and (exercise_kind is null) = (shares is null) and (exercise_kind is null) = (cost is null)
    and (exercise_kind is null) = (exercised_by is null) and (exercise_kind is null) = (exercised_on is null)),
  constraint warrants_kind check (
    exercise_kind is null
    or exercise_kind = 'net' and share_price is not null and round_id is not null and evidence is null
      and confirmed_by is null
    or exercise_kind = 'cash' and share_price is null and evidence is not null
      and (state = 'exercised') = (confirmed_by is not null)),
  constraint warrants_price check ((share_price is null) = (share_price_shares is null)),
  constraint warrants_second_person check ((confirmed_by is null) = (confirmed_on is null) and confirmed_by <> exercised_by)
);
comment on table warrants is 'key borrower_id';
create index warrants_id on warrants (id);
create index warrants_of_loan on warrants (loan_id);
create index warrants_of_lender on warrants (lender_id, created_at, id);
create index warrants_outstanding on warrants (expires_on, id) where state = 'outstanding';

grant select, insert on listing_warrants, warrants to chipbridge_writer;
grant update on warrants to chipbridge_writer;
grant select on listing_warrants, warrants to chipbridge_reader;
alter table listing_warrants enable row level security;
alter table listing_warrants force row level security;
alter table warrants enable row level security;
alter table warrants force row level security;
create policy reads on listing_warrants for select to chipbridge_reader
  using (app_sees_all() or lender_id = app_org());
create policy writes on listing_warrants for all to chipbridge_writer using (true) with check (true);
create policy reads on warrants for select to chipbridge_reader
  using (app_sees_all() or borrower_id = app_org() or lender_id = app_org());
create policy writes on warrants for all to chipbridge_writer using (true) with check (true);

-- Lenders who asked that no later lender of the same startup gets better terms, and what they had lifted by it.
create table listing_favours (
  lender_id uuid not null,
  listing_id uuid not null,
  extent text not null,
  -- The last trade day that counts; null for the loan's life.
  through_on date,
  constraint listing_favours_pkey primary key (lender_id, listing_id),
  constraint listing_favours_listing foreign key (lender_id, listing_id) references listings (lender_id, id),
  constraint listing_favours_extent check (extent in ('term_by_term', 'whole_package'))
);
comment on table listing_favours is 'key lender_id';
create index listing_favours_by_listing on listing_favours (listing_id);

create table favoured_claims (
  borrower_id uuid not null,
  id uuid not null,
  lender_id uuid not null,
  loan_id uuid not null,
  claimed_by uuid not null,
  claimed_on date not null,
  -- The rate from that day on; null where it was not lifted.
  rate_bps bigint,
  -- All that was lifted so far.
  sweep_bps bigint,
  discount_bps bigint,
  cap bigint,
  coverage_bps bigint,
  -- Issued for the coverage that was added.
  warrant_id uuid,
  digest bytea not null,
  -- What was compared: it names other lenders' loans.
  bytes bytea not null,
  recorded_at timestamptz not null,
  constraint favoured_claims_pkey primary key (borrower_id, id),
  constraint favoured_claims_loan foreign key (borrower_id, loan_id) references loans (borrower_id, id),
  constraint favoured_claims_warrant foreign key (borrower_id, warrant_id) references warrants (borrower_id, id),
  constraint favoured_claims_digest check (digest = sha256(bytes)),
  constraint favoured_claims_lifted check (num_nonnulls(rate_bps, sweep_bps, discount_bps, cap, coverage_bps) > 0)
);
comment on table favoured_claims is 'key borrower_id';
create index favoured_claims_id on favoured_claims (id);
create index favoured_claims_of_loan on favoured_claims (loan_id);

alter table loans
  add column lifted_sweep_bps bigint,
  add column lifted_discount_bps bigint,
  add column lifted_cap bigint,
  add column lifted_coverage_bps bigint;
alter table loans add constraint loans_lifted check (
  lifted_sweep_bps >= sweep_bps and lifted_sweep_bps <= 10000 and lifted_discount_bps >= 0
  and lifted_discount_bps < 10000 and lifted_cap > 0 and lifted_coverage_bps > 0);

grant select, insert on listing_favours, favoured_claims to chipbridge_writer;
grant select on listing_favours, favoured_claims to chipbridge_reader;
alter table listing_favours enable row level security;
alter table listing_favours force row level security;
alter table favoured_claims enable row level security;
alter table favoured_claims force row level security;
create policy reads on listing_favours for select to chipbridge_reader
  using (app_sees_all() or lender_id = app_org());
create policy writes on listing_favours for all to chipbridge_writer using (true) with check (true);
create policy reads on favoured_claims for select to chipbridge_reader
  using (app_sees_all() or borrower_id = app_org() or lender_id = app_org());
create policy writes on favoured_claims for all to chipbridge_writer using (true) with check (true);
