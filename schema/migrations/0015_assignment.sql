-- A lender sells a loan, or units of it, to another lender: the buyer gets a loan of its own that goes on where the
-- seller's ends, and a lot of its own for the chips.

-- Whether a loan may be sold on, as its listing says.
alter table listings add column assignability text not null default 'with_consent';
alter table listings alter column assignability drop default;
alter table listings add constraint listings_assignability check (
  assignability in ('freely', 'with_consent', 'never'));

alter table loans
  add column assignability text not null default 'with_consent',
  -- The loans that it was before, the last first; with the day on which it came to its lender.
  add column lineage text[],
  add column acquired_on date,
  add column units_assigned bigint not null default 0,
  add column principal_assigned bigint not null default 0;
alter table loans
  alter column assignability drop default,
  alter column units_assigned drop default,
  alter column principal_assigned drop default;
alter table loans add constraint loans_assignability check (assignability in ('freely', 'with_consent', 'never'));
alter table loans add constraint loans_acquired check (
  (lineage is null) = (acquired_on is null) and (lineage is null or cardinality(lineage) between 1 and 50));
alter table loans add constraint loans_assigned check (
  units_assigned >= 0 and principal_assigned >= 0 and principal_assigned <= principal
  and (closed_as is distinct from 'assigned' or units_assigned > 0));
alter table loans drop constraint loans_units;
alter table loans add constraint loans_units check (
  units_out >= 0 and units_returning >= 0 and units_returned >= 0 and units_owned >= 0 and units_lost >= 0
  and units_repossessed >= 0 and units_resold >= 0 and units_kept >= 0
  and units_resold + units_kept <= units_repossessed
  and units_out + units_returning + units_returned + units_owned + units_lost + units_repossessed + units_assigned
    in (0, quantity));
-- An offer becomes one loan; what is sold of that loan still stems from the offer.
alter table loans drop constraint loans_one_an_offer;
create unique index loans_one_an_offer on loans (borrower_id, offer_id) where lineage is null;

alter table chip_units drop constraint chip_units_condition;
alter table chip_units add constraint chip_units_condition check (
  condition in ('in_service', 'failed', 'in_repair', 'banned', 'lost', 'assigned'));

create table loan_assignments (
  borrower_id uuid not null,
  id uuid not null,
  seller_id uuid not null,
  buyer_id uuid not null,
  loan_id uuid not null,
  quantity bigint not null,
  serials text[] not null,
  -- Paid outside of the platform.
  price bigint not null,
  currency text not null,
  effective_on date not null,
  proposed_on date not null,
  valid_until date not null,
  reason text,
  -- The loan as the buyer was shown it.
  offered jsonb not null,
  proposed_by uuid,
  state text not null,
  accepted_on date,
  accepted_by uuid,
  accepted_charges bigint,
  accepted_fee bigint,
  accepted_principal bigint,
  consent_by date,
  consented_on date,
  settle_by date,
  ended_on date,
  assigned_loan_id uuid,
  settled_charges bigint,
  settled_fee bigint,
  settled_principal bigint,
  -- Of the rounding of fees that the buyer's loan begins with.
  settled_residue bigint,
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint loan_assignments_pkey primary key (borrower_id, id),
  constraint loan_assignments_loan foreign key (borrower_id, loan_id) references loans (borrower_id, id),
  constraint loan_assignments_bought foreign key (borrower_id, assigned_loan_id) references loans (borrower_id, id),
  constraint loan_assignments_quantity check (quantity > 0 and price > 0),
  constraint loan_assignments_parties check (
    seller_id <> buyer_id and buyer_id <> borrower_id),
  constraint loan_assignments_state check (
    state in ('proposed', 'accepted', 'settled', 'rejected', 'refused', 'withdrawn', 'lapsed')),
  constraint loan_assignments_accepted check (
    (accepted_on is null) = (settle_by is null) and (accepted_on is null) = (accepted_principal is null)
    and (accepted_principal is null) = (accepted_fee is null) and (accepted_fee is null) = (accepted_charges is null)
    and (accepted_on is not null or (accepted_by is null and consent_by is null))
    and (state not in ('accepted', 'settled', 'refused') or accepted_on is not null)
    and (state not in ('proposed', 'rejected', 'withdrawn') or accepted_on is null)),
  constraint loan_assignments_consent check (consented_on is null or consent_by is not null),
  constraint loan_assignments_ended check ((state in ('proposed', 'accepted')) = (ended_on is null)),
  constraint loan_assignments_settled check (
    (state = 'settled') = (assigned_loan_id is not null) and (state = 'settled') = (settled_principal is not null)
    and (settled_principal is null) = (settled_fee is null) and (settled_fee is null) = (settled_charges is null)),
  constraint loan_assignments_second_person check (
    accepted_by is null or proposed_by is null or accepted_by <> proposed_by)
);
comment on table loan_assignments is 'key borrower_id';
create index loan_assignments_id on loan_assignments (id);
create index loan_assignments_of_loan on loan_assignments (loan_id);
create index loan_assignments_of_buyer on loan_assignments (buyer_id, created_at);
create index loan_assignments_of_seller on loan_assignments (seller_id, created_at);
create unique index loan_assignments_one_open on loan_assignments (borrower_id, loan_id)
  where state in ('proposed', 'accepted');

grant select, insert, update on loan_assignments to chipbridge_writer;
grant select on loan_assignments to chipbridge_reader;
alter table loan_assignments enable row level security;
alter table loan_assignments force row level security;
-- The borrower sees a sale once there is one: before the buyer accepted, it is talk between lenders.
create policy reads on loan_assignments for select to chipbridge_reader using (
  app_sees_all() or seller_id = app_org() or buyer_id = app_org()
  or (borrower_id = app_org() and accepted_on is not null));
create policy writes on loan_assignments for all to chipbridge_writer using (true) with check (true);

-- A lender declined its part of a closing's sweep before the money was divided. The bytes say who is due more instead, and
-- name other lenders: a lender is shown its own lines of them.
create table prepayment_declines (
  borrower_id uuid not null,
  id uuid not null,
  round_id uuid not null,
  closing_id uuid not null,
  loan_id uuid not null,
  lender_id uuid not null,
  amount bigint not null,
  currency text not null,
  goes_to text not null,
  returned bigint not null,
  declined_on date not null,
  declined_by uuid,
  digest bytea not null,
  bytes bytea not null,
  recorded_at timestamptz not null,
  constraint prepayment_declines_pkey primary key (borrower_id, id),
  constraint prepayment_declines_once unique (borrower_id, closing_id, loan_id),
  constraint prepayment_declines_closing foreign key (borrower_id, closing_id)
    references funding_closings (borrower_id, id),
  constraint prepayment_declines_loan foreign key (borrower_id, loan_id) references loans (borrower_id, id),
  constraint prepayment_declines_amount check (amount > 0 and returned >= 0 and returned <= amount),
  constraint prepayment_declines_goes_to check (goes_to in ('same_rank', 'next_rank', 'borrower')),
  constraint prepayment_declines_digest check (digest = sha256(bytes))
);
comment on table prepayment_declines is 'key borrower_id';
create index prepayment_declines_of_round on prepayment_declines (round_id, recorded_at);

grant select, insert on prepayment_declines to chipbridge_writer;
grant select on prepayment_declines to chipbridge_reader;
alter table prepayment_declines enable row level security;
alter table prepayment_declines force row level security;
create policy reads on prepayment_declines for select to chipbridge_reader
  using (app_sees_all() or borrower_id = app_org());
create policy writes on prepayment_declines for all to chipbridge_writer using (true) with check (true);
