-- Money that was taken back after it had been divided and perhaps paid out: what a bank or a court took, who lost what,
-- what lenders owe the platform for it, and the platform's own means in the client accounts meanwhile.

-- One taking back. A person proposes it, another approves it; only then is anything booked.
create table claw_backs (
  -- As its receipt: the payer, or the platform where the money had come into suspense.
  org_id uuid not null,
  id uuid not null,
  receipt_id uuid not null,
  -- The startup whose debt the money had paid; null while it is in suspense.
  payer_id uuid,
  amount bigint not null,
  currency text not null,
  taken_back_on date not null,
  reason text not null,
  -- What the bank shows of it, where that is not the receipt's own reference.
  reference text,
  loss_order text not null,
  state text not null,
  proposed_by uuid not null,
  decided_by uuid,
  decided_at timestamptz,
  -- Why it was rejected.
  note text,
  -- 1, 2, 3... of its receipt, in the order in which they were approved.
  number bigint,
  -- Its own day, or that of the approval where that day was closed.
  booked_on date,
  -- Out of what no claim had taken.
  from_remainder bigint,
  -- Moved from the platform's own account to the client account, for what was paid out already.
  advanced bigint,
  -- What was paid out already and is not covered by the advance.
  uncovered bigint,
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint claw_backs_pkey primary key (org_id, id),
  constraint claw_backs_receipt foreign key (org_id, receipt_id) references cash_receipts (org_id, id),
  constraint claw_backs_number unique (org_id, receipt_id, number),
  constraint claw_backs_amount check (amount > 0),
  constraint claw_backs_reason check (reason in ('bank_recall', 'insolvency', 'court', 'unauthorised')),
  constraint claw_backs_order check (loss_order in ('last_line_first', 'last_rank_first')),
  constraint claw_backs_state check (state in ('proposed', 'approved', 'rejected')),
  constraint claw_backs_second_person check (
    (state = 'proposed') = (decided_by is null) and (decided_by is null) = (decided_at is null)
    and (state <> 'approved' or decided_by <> proposed_by)),
  constraint claw_backs_rejected check ((state = 'rejected') = (note is not null)),
  constraint claw_backs_booked check (
    (state = 'approved') = (number is not null) and (number is null) = (booked_on is null)
    and (number is null) = (from_remainder is null) and (number is null) = (advanced is null)
    and (number is null) = (uncovered is null)),
  constraint claw_backs_parts check (
    from_remainder >= 0 and advanced >= 0 and uncovered >= 0 and from_remainder + advanced + uncovered <= amount)
);
comment on table claw_backs is 'key org_id';
create index claw_backs_id on claw_backs (id);
create index claw_backs_of_receipt on claw_backs (receipt_id);

-- What a claw-back took of one step of one loan. Written with its approval, never changed.
create table claw_back_lines (
  borrower_id uuid not null,
  claw_back_id uuid not null,
  loan_id uuid not null,
  step text not null,
  lender_id uuid not null,
  receipt_id uuid not null,
  -- Cash that is gone, and debt that is owed again.
  cash bigint not null,
  currency text not null,
  -- Taken of what the platform still held for the lender.
  held bigint not null,
  -- The platform's fee on fee that is gone, which the lender does not bear.
  fee_returned bigint not null,
  -- Owed by the lender to the platform since.
  claimed bigint not null,
  -- The loan had ended, and runs again.
  reinstates boolean not null,
  entry_id uuid not null,
  booked_on date not null,
  constraint claw_back_lines_pkey primary key (borrower_id, claw_back_id, loan_id, step),
  constraint claw_back_lines_loan foreign key (borrower_id, loan_id) references loans (borrower_id, id),
  constraint claw_back_lines_step check (step in ('charges', 'fee', 'principal')),
  constraint claw_back_lines_parts check (
    cash > 0 and held >= 0 and fee_returned >= 0 and claimed >= 0 and cash = held + fee_returned + claimed)
);
comment on table claw_back_lines is 'key borrower_id';
create index claw_back_lines_of on claw_back_lines (claw_back_id);
create index claw_back_lines_of_receipt on claw_back_lines (receipt_id);
create index claw_back_lines_of_loan on claw_back_lines (borrower_id, loan_id);

-- Own means that the platform puts into the client accounts; a person proposes them, another approves them.
create table client_money_top_ups (
  org_id uuid not null,
  id uuid not null,
  amount bigint not null,
  currency text not null,
  funded_on date not null,
  -- What the bank shows of it.
  reference text not null,
  state text not null,
  proposed_by uuid not null,
  decided_by uuid,
  decided_at timestamptz,
  note text,
  booked_on date,
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint client_money_top_ups_pkey primary key (org_id, id),
  constraint client_money_top_ups_amount check (amount > 0),
  constraint client_money_top_ups_state check (state in ('proposed', 'approved', 'rejected')),
  constraint client_money_top_ups_second_person check (
    (state = 'proposed') = (decided_by is null) and (decided_by is null) = (decided_at is null)
    and (state <> 'approved' or decided_by <> proposed_by)),
  constraint client_money_top_ups_rejected check ((state = 'rejected') = (note is not null)),
  constraint client_money_top_ups_booked check ((state = 'approved') = (booked_on is not null))
);
comment on table client_money_top_ups is 'key org_id';
create index client_money_top_ups_id on client_money_top_ups (id);

-- Taken back so far; and who was said to have paid, where money went into suspense though a startup was named.
alter table cash_receipts
  add column clawed_back bigint not null default 0,
  add column suspense_reason text,
  add column named_payer uuid,
  add column payer_name text,
  add column payer_account text;
alter table cash_receipts alter column clawed_back drop default;
-- What was in suspense before had no named payer. Row security holds for the owner too, who has no policy.
alter table cash_receipts no force row level security;
alter table accounts no force row level security;
update cash_receipts r set suspense_reason = 'unknown_payer'
where exists (select 1 from accounts a where a.account_code = 'suspense' and a.subject_id = r.id);
alter table cash_receipts force row level security;
alter table accounts force row level security;
alter table cash_receipts add constraint cash_receipts_clawed_back check (clawed_back >= 0 and clawed_back <= amount);
alter table cash_receipts add constraint cash_receipts_third_party check (
  suspense_reason in ('unknown_payer', 'third_party_payer')
  and (suspense_reason = 'third_party_payer') = (named_payer is not null));
create index cash_receipts_in_suspense on cash_receipts (created_at, id)
  where suspense_reason is not null and assigned_to is null;

-- What a lender owes for money that was taken back goes off what it is paid; of that, what the platform had advanced
-- goes back to its own account.
alter table payouts
  add column clawback_netted bigint not null default 0,
  add column advance_repaid bigint not null default 0;
alter table payouts
  alter column clawback_netted drop default,
  alter column advance_repaid drop default;
alter table payouts drop constraint payouts_parts;
alter table payouts add constraint payouts_parts check (
  gross > 0 and platform_fee >= 0 and clawback_netted >= 0 and net >= 0
  and gross = platform_fee + clawback_netted + net);
alter table payouts add constraint payouts_repaid check (advance_repaid >= 0 and advance_repaid <= clawback_netted);

alter table accounts drop constraint accounts_never_negative;
alter table accounts add constraint accounts_never_negative check (
  balance >= 0 or account_code not in (
    'custody.on_order', 'custody.promised', 'custody.available', 'custody.reserved', 'custody.in_transit',
    'custody.on_loan', 'custody.returning', 'custody.in_inspection', 'custody.in_repair', 'custody.frozen',
    'custody.repossessed', 'custody.lost', 'custody.sold', 'holdings.on_loan', 'holdings.owned',
    'receivable.principal', 'receivable.fee', 'receivable.charges', 'cash_at_platform', 'bank.client', 'bank.own',
    'receivable.clawback'));
alter table accounts drop constraint accounts_never_positive;
alter table accounts add constraint accounts_never_positive check (
  balance <= 0 or account_code not in (
    'custody.ordered', 'custody.received', 'holdings.source', 'payable.principal', 'payable.fee', 'payable.charges',
    'client_money', 'suspense', 'allowance.loan', 'payable.clawback', 'payable.bank'));

alter table repayment_explanations drop constraint repayment_explanations_kind;
alter table repayment_explanations add constraint repayment_explanations_kind check (
  kind in ('sweep', 'allocation', 'correction', 'claw_back'));

alter table reconciliation_matches drop constraint reconciliation_matches_kind;
alter table reconciliation_matches add constraint reconciliation_matches_kind check (
  item_kind in ('receipt', 'payout', 'platform_fee', 'claw_back', 'advance', 'advance_repaid', 'top_up'));

grant select, insert on claw_backs, claw_back_lines, client_money_top_ups to chipbridge_writer;
grant update on claw_backs, client_money_top_ups to chipbridge_writer;
grant select on claw_backs, claw_back_lines, client_money_top_ups to chipbridge_reader;

do $$
declare
  entry record;
begin
  for entry in
    select * from (values
      ('claw_backs', 'org_id = app_org() or payer_id = app_org()'),
      ('claw_back_lines', 'borrower_id = app_org() or lender_id = app_org()'),
      ('client_money_top_ups', 'org_id = app_org()')
    ) as policies (named, own_rows)
  loop
    execute format('alter table %I enable row level security', entry.named);
    execute format('alter table %I force row level security', entry.named);
    execute format(
      'create policy reads on %I for select to chipbridge_reader using (app_sees_all() or (%s))',
      entry.named, entry.own_rows);
    execute format('create policy writes on %I for all to chipbridge_writer using (true) with check (true)', entry.named);
  end loop;
end;
$$;
