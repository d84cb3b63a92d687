-- The least that is taken off the value of chips where the value behind a loan is tested: reference data, proposed by one
-- person and adopted by another as calendars and tax rules are.
alter table reference_entries drop constraint reference_entries_kind;
alter table reference_entries add constraint reference_entries_kind check (
  kind in ('calendar', 'tax_rule', 'least_haircut'));

-- The entry that asked for the haircut; null where it is the loan's own.
alter table margin_tests
  add column haircut_entry_id uuid,
  -- Of the chips, as the catalogue knew it when the test was made; null where it did not.
  add column vendor_class text;
alter table margin_tests add constraint margin_tests_vendor_class check (
  vendor_class in ('data-centre', 'workstation', 'consumer'));
