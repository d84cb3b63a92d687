-- Funding rounds, valuation marks of startups, cash, its allocation, and payouts.

create table funding_rounds (
  borrower_id uuid not null,
  id uuid not null,
  kind text not null,
  name text not null,
  announced_on date not null,
  currency text not null,
  amount bigint,
  pre_money bigint,
  post_money bigint,
  acquirer text,
  evidence text,
  state text not null,
  reported_by uuid,
  verified_by uuid,
  decided_on date,
  reason text,
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint funding_rounds_pkey primary key (borrower_id, id),
  constraint funding_rounds_kind check (kind in (
    'priced', 'safe', 'note', 'strategic', 'secondary', 'bridge', 'ipo', 'acquisition')),
  constraint funding_rounds_state check (state in ('reported', 'verified', 'rejected')),
  constraint funding_rounds_second_person check (verified_by is null or verified_by is distinct from reported_by)
);
comment on table funding_rounds is 'key borrower_id';
create index funding_rounds_id on funding_rounds (id);

create table funding_closings (
  borrower_id uuid not null,
  id uuid not null,
  round_id uuid not null,
  closed_on date not null,
  net_new_cash bigint not null,
  currency text not null,
  state text not null,
  swept_on date,
  version bigint not null,
  constraint funding_closings_pkey primary key (borrower_id, id),
  constraint funding_closings_round foreign key (borrower_id, round_id) references funding_rounds (borrower_id, id),
  constraint funding_closings_state check (state in ('reported', 'verified', 'swept')),
  constraint funding_closings_cash check (net_new_cash >= 0)
);
comment on table funding_closings is 'key borrower_id';
create index funding_closings_of_round on funding_closings (borrower_id, round_id);

create table startup_marks (
  borrower_id uuid not null,
  id uuid not null,
  method text not null,
  basis text not null,
  amount bigint not null,
  currency text not null,
  effective_on date not null,
  recorded_at timestamptz not null,
  source text not null,
  supersedes uuid,
  approved_by uuid,
  constraint startup_marks_pkey primary key (borrower_id, id),
  constraint startup_marks_amount_positive check (amount > 0)
);
comment on table startup_marks is 'key borrower_id';
create index startup_marks_as_of on startup_marks (borrower_id, effective_on desc, recorded_at desc);

-- Money that arrived. A receipt whose payer is not known is of the platform's own key, in suspense.
create table cash_receipts (
  org_id uuid not null,
  id uuid not null,
  received_on date not null,
  amount bigint not null,
  currency text not null,
  source text not null,
  reference text,
  remainder bigint not null,
  version bigint not null,
  created_at timestamptz not null,
  constraint cash_receipts_pkey primary key (org_id, id),
  constraint cash_receipts_amount check (amount > 0 and remainder >= 0 and remainder <= amount),
  constraint cash_receipts_source check (source in ('round', 'instalment', 'collateral', 'insurance', 'guarantee'))
);
comment on table cash_receipts is 'key org_id';
create index cash_receipts_id on cash_receipts (id);

create table allocations (
  borrower_id uuid not null,
  receipt_id uuid not null,
  loan_id uuid not null,
  step text not null,
  lender_id uuid not null,
  amount bigint not null,
  currency text not null,
  allocated_on date not null,
  constraint allocations_pkey primary key (borrower_id, receipt_id, loan_id, step),
  constraint allocations_amount_positive check (amount > 0),
  constraint allocations_step check (step in ('charges', 'fee', 'principal')),
  constraint allocations_loan foreign key (borrower_id, loan_id) references loans (borrower_id, id)
);
comment on table allocations is 'key borrower_id';

create table payouts (
  lender_id uuid not null,
  id uuid not null,
  business_date date not null,
  currency text not null,
  gross bigint not null,
  platform_fee bigint not null,
  net bigint not null,
  run_id uuid not null,
  recorded_at timestamptz not null,
  constraint payouts_pkey primary key (lender_id, id),
  constraint payouts_parts check (gross > 0 and platform_fee >= 0 and net >= 0 and gross = platform_fee + net),
  constraint payouts_one_a_run unique (lender_id, run_id, currency)
);
comment on table payouts is 'key lender_id';
create index payouts_id on payouts (id);
