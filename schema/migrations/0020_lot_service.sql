-- What happens to chips while no loan has them: repair and loss at the lender's own hands, in the same chain of custody.

alter table unit_events alter column borrower_id drop not null;
alter table unit_events alter column loan_id drop not null;
alter table unit_events add column lot_id uuid;
alter table unit_events add constraint unit_events_place check (
  (loan_id is not null and borrower_id is not null) or (loan_id is null and borrower_id is null and lot_id is not null));
create index unit_events_of_lot on unit_events (lot_id, recorded_at) where lot_id is not null;
create index chip_units_of_lot on chip_units (lot_id, created_at, id);
