-- Taxes on fees: which hold when, which a loan bears, and what each posting of a fee bore.

-- A tax rule is reference data as a calendar is: proposed by one person, adopted by another.
alter table reference_entries drop constraint reference_entries_kind;
alter table reference_entries add constraint reference_entries_kind check (kind in ('calendar', 'tax_rule'));

-- What the fee of a listing's loans bears; null where no tax lines were agreed.
alter table listings
  add column tax_treatment text,
  add column tax_jurisdiction text,
  add column tax_withholding text;
alter table listings add constraint listings_tax check (
  (tax_treatment is null) = (tax_jurisdiction is null)
  and tax_treatment in ('standard', 'exempt', 'reverse_charge') and tax_withholding in ('net', 'gross_up'));

-- The amounts are null for a loan without tax terms.
alter table loans
  add column tax_treatment text,
  add column tax_jurisdiction text,
  add column tax_withholding text,
  add column outstanding_tax bigint,
  add column tax_total bigint,
  add column tax_residue bigint,
  add column tax_fee_paid bigint,
  add column tax_fee_certified bigint;
alter table loans add constraint loans_tax check (
  (tax_treatment is null) = (tax_jurisdiction is null)
  and tax_treatment in ('standard', 'exempt', 'reverse_charge') and tax_withholding in ('net', 'gross_up'));
alter table loans add constraint loans_tax_amounts check (
  (coalesce(tax_treatment, tax_withholding) is null) = (outstanding_tax is null)
  and (outstanding_tax is null) = (tax_total is null) and (outstanding_tax is null) = (tax_residue is null)
  and (outstanding_tax is null) = (tax_fee_paid is null) and (outstanding_tax is null) = (tax_fee_certified is null)
  and outstanding_tax between 0 and outstanding_charges and tax_total >= 0 and tax_residue between -9999 and 9999
  and tax_fee_paid >= 0 and tax_fee_certified >= 0);

-- Of the charges of a claim that was sold: the tax on its fee.
alter table loan_assignments
  add column accepted_tax bigint,
  add column settled_tax bigint;

-- The sales tax of each fee that was posted, with all that it was computed from, and what restatements of the fee changed.
create table loan_tax_lines (
  borrower_id uuid not null,
  id uuid not null,
  lender_id uuid not null,
  loan_id uuid not null,
  treatment text not null,
  jurisdiction text not null,
  currency text not null,
  -- The entry of reference data; null where the supply is exempt.
  rule_id uuid,
  rate_bps bigint not null,
  rounding text not null,
  from_on date not null,
  -- The first day that is no longer of it.
  to_on date not null,
  -- For days whose fee was posted before, at other rates: fee and tax are what changed.
  is_restated boolean not null,
  fee bigint not null,
  -- A memorandum under a reverse charge.
  amount bigint not null,
  residue_before bigint not null,
  residue_after bigint not null,
  -- The entry of both books; null where nothing was posted.
  entry_id uuid,
  booked_on date not null,
  recorded_at timestamptz not null,
  constraint loan_tax_lines_pkey primary key (borrower_id, id),
  constraint loan_tax_lines_loan foreign key (borrower_id, loan_id) references loans (borrower_id, id),
  constraint loan_tax_lines_treatment check (treatment in ('standard', 'exempt', 'reverse_charge')),
  constraint loan_tax_lines_rule check (
    (treatment = 'exempt') = (rule_id is null) and (treatment <> 'exempt' or (rate_bps = 0 and amount = 0))),
  constraint loan_tax_lines_rate check (rate_bps between 0 and 10000),
  constraint loan_tax_lines_days check (from_on < to_on),
  constraint loan_tax_lines_sign check (is_restated or (fee >= 0 and amount >= 0)),
  constraint loan_tax_lines_posted check ((treatment = 'standard' and amount <> 0) = (entry_id is not null))
);
comment on table loan_tax_lines is 'key borrower_id';
create index loan_tax_lines_of_loan on loan_tax_lines (borrower_id, loan_id, recorded_at);
create index loan_tax_lines_of_lender on loan_tax_lines (lender_id, booked_on);
create index loan_tax_lines_booked on loan_tax_lines (borrower_id, booked_on);

grant select, insert on loan_tax_lines to chipbridge_writer;
grant select on loan_tax_lines to chipbridge_reader;
alter table loan_tax_lines enable row level security;
alter table loan_tax_lines force row level security;
create policy reads on loan_tax_lines for select to chipbridge_reader
  using (app_sees_all() or borrower_id = app_org() or lender_id = app_org());
create policy writes on loan_tax_lines for all to chipbridge_writer using (true) with check (true);

-- Tax that a borrower kept back of a fee it paid across a border, as its authority certified: recorded by the borrower,
-- confirmed by another person, who books it.
create table loan_tax_certificates (
  borrower_id uuid not null,
  id uuid not null,
  lender_id uuid not null,
  loan_id uuid not null,
  jurisdiction text not null,
  -- The lender has its whole fee: the tax came on top of it.
  is_grossed_up boolean not null,
  -- Paid in cash, and what the certificate relates to.
  fee bigint not null,
  currency text not null,
  withheld bigint not null,
  paid_on date not null,
  authority text not null,
  reference text not null,
  rule_id uuid not null,
  rate_bps bigint not null,
  state text not null,
  -- null where a program recorded it.
  recorded_by uuid,
  decided_by uuid,
  decided_at timestamptz,
  reason text,
  entry_id uuid,
  booked_on date,
  -- Without cash; the principal where cash had paid all of the fee already.
  discharged_fee bigint,
  discharged_principal bigint,
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint loan_tax_certificates_pkey primary key (borrower_id, id),
  constraint loan_tax_certificates_loan foreign key (borrower_id, loan_id) references loans (borrower_id, id),
  constraint loan_tax_certificates_amounts check (fee > 0 and withheld > 0 and rate_bps between 0 and 10000),
  constraint loan_tax_certificates_state check (state in ('proposed', 'confirmed', 'rejected')),
  constraint loan_tax_certificates_decided check (
    (state = 'proposed') = (decided_by is null) and (decided_by is null) = (decided_at is null)
    and (state = 'rejected') = (reason is not null)),
  constraint loan_tax_certificates_booked check (
    (state = 'confirmed') = (entry_id is not null) and (entry_id is null) = (booked_on is null)
    and (entry_id is null) = (discharged_fee is null) and (entry_id is null) = (discharged_principal is null)
    and discharged_fee >= 0 and discharged_principal >= 0
    and discharged_fee + discharged_principal = case when is_grossed_up then 0 else withheld end),
  constraint loan_tax_certificates_second_person check (state <> 'confirmed' or decided_by <> recorded_by)
);
comment on table loan_tax_certificates is 'key borrower_id';
create index loan_tax_certificates_id on loan_tax_certificates (id);
create index loan_tax_certificates_of_lender on loan_tax_certificates (lender_id, booked_on);
create index loan_tax_certificates_of_loan on loan_tax_certificates (borrower_id, loan_id);
-- One certificate counts once.
create unique index loan_tax_certificates_once on loan_tax_certificates (borrower_id, authority, reference)
  where state <> 'rejected';

grant select, insert, update on loan_tax_certificates to chipbridge_writer;
grant select on loan_tax_certificates to chipbridge_reader;
alter table loan_tax_certificates enable row level security;
alter table loan_tax_certificates force row level security;
create policy reads on loan_tax_certificates for select to chipbridge_reader
  using (app_sees_all() or borrower_id = app_org() or lender_id = app_org());
create policy writes on loan_tax_certificates for all to chipbridge_writer using (true) with check (true);

-- Tax that had been paid may be owed again.
alter table claw_back_lines drop constraint claw_back_lines_step;
alter table claw_back_lines add constraint claw_back_lines_step check (step in ('charges', 'tax', 'fee', 'principal'));

alter table accounts drop constraint accounts_never_negative;
alter table accounts add constraint accounts_never_negative check (
  balance >= 0 or account_code not in (
    'custody.on_order', 'custody.promised', 'custody.available', 'custody.reserved', 'custody.in_transit',
    'custody.on_loan', 'custody.returning', 'custody.in_inspection', 'custody.in_repair', 'custody.frozen',
    'custody.repossessed', 'custody.lost', 'custody.sold', 'holdings.on_loan', 'holdings.owned',
    'receivable.principal', 'receivable.fee', 'receivable.charges', 'receivable.tax', 'cash_at_platform',
    'bank.client', 'bank.own', 'receivable.clawback', 'tax.input', 'tax.credit'));
alter table accounts drop constraint accounts_never_positive;
alter table accounts add constraint accounts_never_positive check (
  balance <= 0 or account_code not in (
    'custody.ordered', 'custody.received', 'holdings.source', 'payable.principal', 'payable.fee', 'payable.charges',
    'payable.tax', 'client_money', 'suspense', 'allowance.loan', 'payable.clawback', 'payable.bank', 'tax.output',
    'tax.withheld'));
