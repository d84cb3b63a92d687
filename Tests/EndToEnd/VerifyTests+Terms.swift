extension EndToEnd {
  /// Of what parties agreed beside the debt, and of what is recorded about it: warrants, penalties, taxes, marks, margin.
  static let breachesOfTerms: [Breach] = [
    Breach(
      plant: [
        """
        insert into listing_warrants (lender_id, listing_id, coverage_bps, expires_after_days, occasion)
        select lender_id, listing_id, 1000, 1, 'any_time' from loans limit 1
        """,
        """
        insert into warrants (borrower_id, id, lender_id, loan_id, listing_id, coverage_bps, covered, currency, occasion,
          issued_on, expires_on, state, version, created_at, updated_at)
        select borrower_id, id, lender_id, id, listing_id, 1000, principal / 10 + 1, currency, 'any_time', trade_on,
          trade_on + 1, 'outstanding', 1, now(), now() from loans
        where listing_id = (select listing_id from listing_warrants) limit 1
        """,
      ], found: "warrants are what the listing asked for"),
    Breach(
      plant: ["update loans set lifted_sweep_bps = 10000"], found: "terms of a loan that a later loan lifted"),
    Breach(
      plant: [
        """
        insert into favoured_claims (borrower_id, id, lender_id, loan_id, claimed_by, claimed_on, rate_bps, digest, bytes,
          recorded_at)
        select borrower_id, id, lender_id, id, lender_id, trade_on, 1, sha256('x'), 'x', now() from loans limit 1
        """
      ], found: "each record of a sweep or a division is reproduced"),
    Breach(plant: ["update cash_receipts set converted = 1"], found: "converted money left its receipt once"),
    Breach(
      plant: [
        """
        insert into statement_documents (org_id, id, month, through_on, digest, bytes, run_id, created_at)
        select org_id, org_id, '2023-04-01', '2023-04-30', sha256('{}'), '{}', org_id, now() from heads
        where journal_sequence > 0 limit 1
        """
      ], found: "each statement of a month is made again from the journal"),
    Breach(
      plant: [
        """
        insert into platform_invoices (lender_id, id, number, currency, from_on, through_on, fee_income, platform_fee,
          run_id, created_at)
        select lender_id, id, 1, currency, business_date, business_date, gross, 1, run_id, now() from payouts limit 1
        """
      ], found: "an invoice tells of payouts in the amounts"),
    Breach(
      plant: ["update loans set penalty_total = penalty_total + 1"], found: "a penalty is charged once for each day"),
    Breach(
      plant: [
        """
        insert into loan_penalties (borrower_id, id, lender_id, loan_id, from_on, to_on, days, base, rate_bps, year_days,
          amount, residue_before, residue_after, is_capped, booked_on, recorded_at)
        select borrower_id, gen_random_uuid(), lender_id, id, trade_on, trade_on + n, n, 1, 1, 360, 0, 0, n, false,
          trade_on, now() from loans cross join generate_series(1, 2) as s (n)
        """
      ], found: "a penalty is charged once for each day"),
    Breach(
      plant: [
        "alter table reference_entries drop constraint reference_entries_second_person",
        """
        insert into reference_entries (id, kind, body, state, proposed_by, decided_by, decided_at, version, created_at,
          updated_at)
        select org_id, 'calendar', '{}', 'adopted', org_id, org_id, now(), 1, now(), now() from heads limit 1
        """,
      ], found: "no reference data counts that was adopted"),
    Breach(
      plant: [
        "alter table held_acts drop constraint held_acts_second_person",
        """
        insert into held_acts (id, action, duty, path, body, state, proposed_by, decided_by, decided_at, version,
          created_at, updated_at)
        select org_id, 'licence.add', 'compliance', '/v1/licences', '{}', 'approved', org_id, org_id, now(), 2, now(),
          now() from heads limit 1
        """,
      ], found: "no held act was done that the person who asked for it approved"),
    Breach(
      plant: [
        """
        insert into loan_tax_lines (borrower_id, id, lender_id, loan_id, treatment, jurisdiction, currency, rate_bps,
          rounding, from_on, to_on, is_restated, fee, amount, residue_before, residue_after, booked_on, recorded_at)
        select borrower_id, gen_random_uuid(), lender_id, id, 'exempt', 'CN', currency, 0, 'half_up', trade_on,
          trade_on + 1, false, 1, 0, 0, 0, trade_on, now() from loans limit 1
        """
      ], found: "the sales tax on a loan's fee is what its lines come to"),
    Breach(
      plant: [
        """
        insert into loan_tax_lines (borrower_id, id, lender_id, loan_id, treatment, jurisdiction, currency, rule_id,
          rate_bps, rounding, from_on, to_on, is_restated, fee, amount, residue_before, residue_after, booked_on,
          recorded_at)
        select borrower_id, gen_random_uuid(), lender_id, id, 'reverse_charge', 'CN', currency, id, 900, 'half_up',
          trade_on, trade_on + 1, false, 1000, 91, 0, 0, trade_on, now() from loans limit 1
        """
      ], found: "tax is computed once for each day"),
    Breach(
      plant: [
        """
        insert into reference_entries (id, kind, body, state, proposed_by, decided_by, decided_at, version, created_at,
          updated_at)
        select gen_random_uuid(), 'tax_rule', jsonb_build_object('kind', 'sales', 'jurisdiction', 'CN', 'from_on', d,
          'rate_bps', 900, 'rounding', 'half_up', 'source', 'planted'), 'adopted', gen_random_uuid(), gen_random_uuid(),
          now(), 1, now(), now() from unnest(array['2023-01-01', '2023-05-01']) as s (d)
        """
      ], found: "no two tax rules of one kind and jurisdiction"),
    Breach(
      plant: [
        """
        insert into loan_tax_certificates (borrower_id, id, lender_id, loan_id, jurisdiction, is_grossed_up, fee, currency,
          withheld, paid_on, authority, reference, rule_id, rate_bps, state, recorded_by, decided_by, decided_at, entry_id,
          booked_on, discharged_fee, discharged_principal, version, created_at, updated_at)
        select borrower_id, id, lender_id, id, 'CN', false, 90, currency, 10, trade_on, 'planted', id::text, id, 1000,
          'confirmed', borrower_id, lender_id, now(), id, trade_on, 10, 0, 1, now(), now() from loans limit 1
        """
      ], found: "tax that was withheld is what certificates say"),
    Breach(
      plant: [
        "alter table loan_tax_certificates drop constraint loan_tax_certificates_second_person",
        """
        insert into loan_tax_certificates (borrower_id, id, lender_id, loan_id, jurisdiction, is_grossed_up, fee, currency,
          withheld, paid_on, authority, reference, rule_id, rate_bps, state, recorded_by, decided_by, decided_at, entry_id,
          booked_on, discharged_fee, discharged_principal, version, created_at, updated_at)
        select borrower_id, id, lender_id, id, 'CN', false, 90, currency, 10, trade_on, 'planted', id::text, id, 1000,
          'confirmed', borrower_id, borrower_id, now(), id, trade_on, 10, 0, 1, now(), now() from loans limit 1
        """,
      ], found: "no certificate of withheld tax was confirmed"),
    Breach(
      plant: [
        "alter table funding_rounds drop constraint funding_rounds_second_person",
        "update funding_rounds set verified_by = reported_by",
      ], found: "no round was verified by the person who reported it"),
    Breach(
      plant: ["update chip_marks set superseded_at = recorded_at"],
      found: "a mark is closed by the one correction that names it"),
    Breach(
      plant: ["update mark_proposals set amount = amount + 1"],
      found: "no mark is approved by the person who stated it"),
    Breach(
      plant: [
        "update cash_receipts set source = 'deposit', deposit_loan_id = id, deposit_held = amount where source = 'round'"
      ], found: "deposits are held as their receipts say"),
    Breach(
      plant: [
        """
        insert into margin_calls (borrower_id, id, lender_id, loan_id, test_id, mark_id, opened_on, due_on, consequence,
          called, currency, disputed, cured, state, version, created_at, updated_at)
        select borrower_id, id, lender_id, id, id, mark_id, trade_on, trade_on + 10, 'due', 1, currency, 0, 0, 'open', 1,
          now(), now() from loans limit 1
        """
      ], found: "a margin call is for what its test found missing"),
    Breach(
      plant: [
        """
        insert into margin_tests (borrower_id, id, lender_id, loan_id, on_date, outcome, mark_id, mark_amount,
          mark_currency, mark_effective_on, mark_recorded_at, units, currency, outstanding, deposits, repaid,
          threshold_bps, haircut_bps, recorded_at)
        select borrower_id, id, lender_id, id, trade_on, 'stale_mark', mark_id, mark_amount + 1, currency, trade_on,
          created_at, 1, currency, 1, 0, 0, 8000, 0, now() from loans limit 1
        """
      ], found: "a margin test goes by a mark that was known then"),
    Breach(
      plant: [
        """
        update loans set margin_threshold_bps = 8000, margin_haircut_bps = 0, margin_cure_days = 10,
          margin_consequence = 'due', margin_curve = '{12:6000}', margin_from = trade_on
        """,
        """
        insert into margin_tests (borrower_id, id, lender_id, loan_id, on_date, outcome, mark_id, mark_amount,
          mark_currency, mark_effective_on, mark_recorded_at, units, currency, outstanding, deposits, repaid,
          threshold_bps, haircut_bps, expected, required, held, shortfall, recorded_at)
        select borrower_id, id, lender_id, id, trade_on, 'tested', mark_id, mark_amount, currency, trade_on,
          created_at, 1, currency, principal, 0, 0, 8000, 0, 1, 1, 1, 0, now() from loans limit 1
        """,
      ], found: "each margin test is what its mark, its inputs and its loan's terms give"),
  ]
}
