import PostgresHarness
import ServiceHarness
import Testing

extension EndToEnd {
  /// One planted breach: what is done to the rows behind the service's back, and the title of the check that must see it.
  struct Breach: Sendable {
    let plant: [String]
    let found: String
  }

  static let breaches: [Breach] = breachesOfBooks + breachesOfTerms + breachesOfAudit

  private static let breachesOfBooks: [Breach] = [
    Breach(
      plant: ["update journal_lines set amount = amount + 1 where account_code = 'bank.client' and amount > 0"],
      found: "every journal entry sums to zero"),
    Breach(
      plant: [
        """
        delete from journal_lines where entry_id = (select id from journal_entries order by recorded_at, sequence limit 1)
        """
      ], found: "entries of a book are numbered without gaps, each has lines"),
    Breach(
      plant: ["update journal_lines set entry_id = gen_random_uuid() where account_code like 'holdings.%'"],
      found: "no line is without its entry"),
    Breach(plant: ["delete from heads"], found: "no line is without its entry"),
    Breach(
      plant: ["update accounts set balance = balance + 1 where account_code = 'income.fee'"],
      found: "each balance is the sum of its lines"),
    Breach(
      plant: [
        """
        update journal_lines set account_code = 'chips.settled' where account_code = 'clearing.chips' and amount > 0
        """
      ], found: "what crosses between lender and borrower"),
    Breach(
      plant: ["delete from outbox where type = 'offer.accepted'"],
      found: "each object is in the state that the newest event of it tells"),
    Breach(
      plant: ["update journal_entries set business_date = business_date + 1 where kind = 'payout_made'"],
      found: "the chain of hashes of each book is whole"),
    Breach(
      plant: [
        "delete from chain_links where (org_id, number) in (select org_id, max(number) from chain_links group by 1)"
      ],
      found: "the chain of hashes of each book is whole"),
    Breach(
      plant: ["alter table lots drop constraint lots_conserved", "update lots set lost = lost + 1"],
      found: "the states of each lot sum to its quantity"),
    Breach(
      plant: ["update lots set available = available - 1, in_repair = in_repair + 1 where available > 0"],
      found: "each lot stands as its custody accounts say"),
    Breach(
      plant: ["update loans set units_out = units_out - 1, units_owned = units_owned + 1 where units_out > 0"],
      found: "chips on loan, reserved or promised, and in transit"),
    Breach(
      plant: ["update journal_lines set amount = -amount where account_code like 'receivable.%'"],
      found: "no custody, claim, cash or bank account is negative"),
    Breach(plant: ["delete from loan_returns where state = 'accepted'"], found: "chips on their way back"),
    Breach(plant: ["update lots set listed = listed + 8"], found: "listings offer no more than is there"),
    Breach(
      plant: ["update loans set outstanding_principal = outstanding_principal - 1 where outstanding_principal > 0"],
      found: "a loan's outstanding is what both its books say"),
    Breach(
      plant: [
        "alter table loans drop constraint loans_closed_owes_nothing",
        "update loans set outstanding_fee = 5 where state = 'closed'",
      ], found: "an ended loan owes nothing"),
    Breach(
      plant: [
        "update loans set units_owned = units_owned - 1, units_returned = units_returned + 1 where units_owned > 0"
      ],
      found: "the borrower's holdings are the loan's units"),
    Breach(
      plant: ["update verdicts set quantity = 1 where act = 'offer'"],
      found: "no act was done without a clear verdict of its own date"),
    Breach(plant: ["delete from verdicts where act = 'return'"], found: "no act was done without a clear verdict"),
    Breach(
      plant: ["delete from verdicts where act = 'hand_over'"],
      found: "no act was done without a clear verdict of its own date"),
    Breach(
      plant: [
        """
        insert into licences (lender_id, id, export_class, destination, quota, used, valid_from, reference, version,
          created_at, updated_at)
        select org_id, gen_random_uuid(), '3A090.a', 'CN', 10, 3, '2023-11-17', 'planted', 1, now(), now()
        from organizations limit 1
        """
      ], found: "licence use is what clear acts took"),
    Breach(
      plant: ["update idempotency set status = 500 where key = (select min(key) from idempotency)"],
      found: "one key has one answer, and each answer is whole"),
    Breach(
      plant: ["update loans set fee_accrued_total = fee_accrued_total + 1"],
      found: "settlement has one effect"),
    Breach(
      plant: ["update journal_entries set business_date = '2023-07-31' where kind = 'fee_accrued'"],
      found: "settlement has one effect"),
    Breach(
      plant: [
        "insert into closed_days values ('2023-10-31', gen_random_uuid(), '2023-10-31T08:00:00Z')",
        "update platform_state set closed_through = '2023-10-31'",
      ], found: "days close one after the other"),
    Breach(
      plant: ["update platform_state set closed_through = '2023-10-31'"], found: "days close one after the other"),
    Breach(
      plant: ["update loans set written_off = 1 where outstanding_principal > 0"],
      found: "a write-off is the lender's own view of a claim"),
    Breach(
      plant: [
        """
        insert into loan_amendments (borrower_id, id, lender_id, loan_id, kind, from_on, rate_bps, proposed_by,
          proposed_on, valid_until, state, decided_on, reversed, restated, credited, version, created_at, updated_at)
        select borrower_id, gen_random_uuid(), lender_id, id, 're_rate', trade_on, 1, lender_id, trade_on, trade_on,
          'accepted', trade_on, 5, 4, 0, 1, now(), now() from loans limit 1
        """
      ], found: "a rate agreed for past days is one reversal"),
    Breach(
      plant: [
        """
        insert into chip_units (lender_id, id, chip_model_id, lot_id, serial, loan_id, borrower_id, condition, version,
          created_at, updated_at)
        select lender_id, gen_random_uuid(), chip_model_id, lot_id, 'planted', id, lender_id, 'in_service', 1, now(),
          now() from loans limit 1
        """
      ], found: "a numbered unit is in the loan of its own lender"),
    Breach(
      plant: ["update loans set principal_assigned = 1 where outstanding_principal > 0"],
      found: "what a lender sold of a loan is what the buyer's loan began with"),
    Breach(
      plant: ["update loans set lineage = array[id::text], acquired_on = trade_on where outstanding_principal > 0"],
      found: "no act was done without a clear verdict of its own date"),
    Breach(
      plant: [
        "alter table loan_assignments drop constraint loan_assignments_second_person",
        """
        insert into loan_assignments (borrower_id, id, seller_id, buyer_id, loan_id, quantity, serials, price, currency,
          effective_on, proposed_on, valid_until, offered, proposed_by, state, accepted_on, accepted_by,
          accepted_charges, accepted_fee, accepted_principal, settle_by, version, created_at, updated_at)
        select borrower_id, gen_random_uuid(), lender_id, gen_random_uuid(), id, 1, '{}', 1, 'USD', trade_on, trade_on,
          trade_on, '{}', id, 'accepted', trade_on, id, 0, 0, 1, trade_on, 1, now(), now() from loans limit 1
        """,
      ], found: "no loan was bought by the person who sold it"),
    Breach(
      plant: [
        """
        insert into prepayment_declines (borrower_id, id, round_id, closing_id, loan_id, lender_id, amount, currency,
          goes_to, returned, declined_on, digest, bytes, recorded_at)
        select l.borrower_id, gen_random_uuid(), c.round_id, c.id, l.id, l.lender_id, 1, 'USD', 'borrower', 1,
          '2023-01-01', sha256('x'), 'x', now()
        from loans l join funding_closings c on c.borrower_id = l.borrower_id limit 1
        """
      ], found: "a part of a sweep was declined after the sweep"),
    Breach(
      plant: ["insert into closed_days values ('2023-01-02', gen_random_uuid(), now())"],
      found: "days close one after the other"),
    Breach(plant: ["delete from reserve_plans"], found: "what was acknowledged is there"),
    Breach(
      plant: ["update offers set lender_id = borrower_id where id = (select min(id::text)::uuid from offers)"],
      found: "no row names another tenant's"),
    Breach(
      plant: ["update journal_lines set asset = 'usd' where account_code = 'bank.own'"],
      found: "amounts are minor units of a currency"),
    Breach(plant: ["update offers set rate_bps = 1"], found: "nobody pays above its limit or earns below its ask"),
    Breach(
      plant: ["update journal_lines set subject_id = gen_random_uuid() where account_code = 'client_money'"],
      found: "client money is covered"),
    Breach(plant: ["delete from cash_receipts"], found: "parts of a waterfall sum to what was received"),
    Breach(
      plant: ["update cash_receipts set remainder = remainder + 1"],
      found: "parts of a waterfall sum to what was received"),
    Breach(
      plant: [
        """
        update allocations set lender_id = borrower_id
        where receipt_id = (select receipt_id from allocations order by allocated_on limit 1)
        """
      ], found: "each record of a sweep or a division is reproduced"),
    Breach(
      plant: ["update funding_closings set net_new_cash = net_new_cash + 1"],
      found: "each record of a sweep or a division is reproduced"),
    Breach(
      plant: [
        """
        delete from repayment_explanations where kind = 'allocation'
          and recorded_at = (select max(recorded_at) from repayment_explanations where kind = 'allocation')
        """
      ], found: "since records are kept, each sweep and each division has its own"),
    Breach(
      plant: [
        """
        insert into closing_corrections (borrower_id, id, round_id, closing_id, was, becomes, currency, reason,
          after_sweep, corrected_on, corrected_by, recorded_at)
        select borrower_id, gen_random_uuid(), round_id, id, 2, 1, currency, 'planted', false, closed_on,
          gen_random_uuid(), now() from funding_closings limit 1
        """
      ], found: "a closing was corrected only downward"),
    Breach(
      plant: [
        """
        insert into bank_statements (org_id, id, statement, account, currency, opening_amount, opened_on, closing_amount,
          closed_on, fingerprint, file_digest, line_count, created_at)
        select org_id, org_id, 'planted', 'A', 'USD', 0, '2023-11-21', 5, '2023-11-21', '1', '1', 1, now()
        from heads limit 1
        """,
        """
        insert into bank_statement_lines (org_id, statement_id, entry, detail, amount, currency, booked_on, status,
          is_reversal, remittance, references_carried)
        select org_id, id, 1, 1, 5, 'USD', closed_on, 'BOOK', false, '{}', '{}' from bank_statements
        """,
      ], found: "each booked line of a bank is matched"),
    Breach(
      plant: [
        "alter table payees drop constraint payees_second_person",
        """
        insert into payees (org_id, id, currency, holder_name, account, state, proposed_by, verified_by, verified_at,
          usable_from, version, created_at, updated_at)
        select org_id, org_id, 'USD', 'Planted', '1', 'verified', org_id, org_id, now(), now(), 1, now(), now()
        from heads limit 1
        """,
      ], found: "no account that is paid on was verified"),
    Breach(
      plant: ["update cash_receipts set clawed_back = 1"], found: "what was taken back of a receipt is no more"),
    Breach(
      plant: [
        """
        insert into claw_back_lines (borrower_id, claw_back_id, loan_id, step, lender_id, receipt_id, cash, currency,
          held, fee_returned, claimed, reinstates, entry_id, booked_on)
        select borrower_id, receipt_id, loan_id, step, lender_id, receipt_id, amount, currency, 0, 0, amount, false,
          receipt_id, allocated_on from allocations limit 1
        """
      ], found: "what was taken back of a receipt is no more"),
    Breach(
      plant: ["update journal_lines set account_code = 'payable.clawback' where account_code = 'paid_out'"],
      found: "what lenders owe for money that was taken back"),
    Breach(
      plant: [
        "update cash_receipts set source = 'claw_back', claim_paid = remainder, remainder = 0 where remainder > 0",
        """
        insert into cash_receipts (org_id, id, received_on, amount, currency, source, remainder, clawed_back, claim_paid,
          advance_returned, version, created_at)
        select org_id, gen_random_uuid(), received_on, 5, currency, 'claw_back', 0, 0, 5, 0, 1, now() from cash_receipts
        limit 1
        """,
      ], found: "what lenders owe for money that was taken back"),
    Breach(
      plant: [
        """
        insert into repayment_explanations (borrower_id, subject_id, kind, digest, bytes, recorded_at)
        select borrower_id, gen_random_uuid(), 'claw_back', sha256('x'), 'x', now() from repayment_explanations limit 1
        """
      ], found: "each record of a sweep or a division is reproduced"),
    Breach(
      plant: [
        """
        insert into repayment_explanations (borrower_id, subject_id, kind, digest, bytes, recorded_at)
        select borrower_id, gen_random_uuid(), 'conversion', sha256('x'), 'x', now() from repayment_explanations limit 1
        """
      ], found: "each record of a sweep or a division is reproduced"),
    Breach(
      plant: [
        "alter table client_money_top_ups drop constraint client_money_top_ups_second_person",
        """
        insert into client_money_top_ups (org_id, id, amount, currency, funded_on, reference, state, proposed_by,
          decided_by, decided_at, booked_on, version, created_at, updated_at)
        select org_id, org_id, 1, 'USD', '2023-11-21', 'planted', 'approved', org_id, org_id, now(), '2023-11-21', 1,
          now(), now() from heads limit 1
        """,
      ], found: "no claw-back and no top-up of client money was approved"),
    Breach(
      plant: [
        "alter table fx_rates drop constraint fx_rates_second_person",
        """
        insert into fx_rates (pair, id, base, quote, on_date, mantissa, places, source, state, proposed_by, decided_by,
          decided_at, version, created_at, updated_at)
        select 'CNY/USD', org_id, 'USD', 'CNY', '2023-11-20', 7, 0, 'planted', 'approved', org_id, org_id, now(), 1,
          now(), now() from heads limit 1
        """,
      ], found: "a rate is in use on one other person's word"),
    Breach(
      plant: ["update loans set closed_as = 'assumed' where state = 'closed'"],
      found: "a loan that was assumed goes on with its acquirer"),
    Breach(
      plant: [
        """
        insert into loan_conversions (borrower_id, id, lender_id, loan_id, round_id, listing_id, discount_bps, share_bps,
          share_price, share_price_shares, capitalisation, amount, currency, shares, converted, basis, converted_by,
          converted_on, recorded_at)
        select borrower_id, id, lender_id, id, id, listing_id, 0, 10000, 2, 1, 100, 9, 'USD', 4, 8, 'round', lender_id,
          trade_on, now() from loans limit 1
        """
      ], found: "shares that a lender took are in both books"),
  ]

  @Test("verify is green over the story's books, and sees a planted breach of each law")
  func verify() async throws {
    try await withDeployment { deployment in
      let service = try deployment.serve(options: ["--audit-seconds", "1"])
      let told = try deployment.run([
        "story", "--url", "http://127.0.0.1:\(service.port)", "--keys", deployment.keysFile,
      ])
      try #require(told.status == 0, "\(told.output)")
      try EndToEnd.sealed(deployment)
      try service.kill()
      let green = try deployment.run(["verify"])
      #expect(green.status == 0, "\(green.output)")
      #expect(!green.output.contains("BREACH"))
      let checks = green.output.split(separator: "\n").filter { $0.hasPrefix("ok ") }.count
      for (index, breach) in EndToEnd.breaches.enumerated() {
        let name = "planted_\(index)"
        let server = try SQLConsole(url: deployment.server.url())
        _ = try server.rows("create database \(name) template chipbridge")
        do {
          let console = try SQLConsole(url: deployment.server.url(database: name))
          // As somebody with the database in his hands: no trigger, no foreign key stands in the way.
          _ = try console.rows("set session_replication_role = replica")
          for statement in breach.plant { _ = try console.rows(statement) }
        }
        let found = try deployment.run(["verify", "--database-url", deployment.server.url(database: name)])
        #expect(found.status == 1, "\(breach.plant) was not seen: \(found.output)")
        let named = found.output.split(separator: "\n").contains {
          $0.hasPrefix("BREACH") && $0.contains(breach.found)
        }
        #expect(named, "\(breach.plant) was seen, but not as «\(breach.found)»: \(found.output)")
      }
      #expect(checks >= 24)
      // Every check has a breach that it alone, or it among others, must find.
      let titles = green.output.split(separator: "\n").filter { $0.hasPrefix("ok ") }
      let untried = titles.filter { title in !EndToEnd.breaches.contains { title.contains($0.found) } }
      #expect(untried.isEmpty, "no planted breach for \(untried)")
    }
  }
}
