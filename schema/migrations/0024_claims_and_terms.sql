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
  source in ('round', 'instalment', 'collateral', 'insurance', 'guarantee', 'claw_back'));
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
