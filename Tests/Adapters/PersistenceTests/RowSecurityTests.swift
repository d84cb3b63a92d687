import Parties
import Persistence
import Postgres
import PostgresHarness
import Primitives
import SchemaFixtures
import Testing

@testable import RowFixtures

@Suite("Row security", .timeLimit(.minutes(2)))
struct RowSecurityTests {
  /// How many rows of each table the session's role sees; of reference data everybody sees what is adopted.
  private static let visible = Statement(
    "visible_rows",
    """
    select relname::text, (xpath('/row/n/text()', query_to_xml(
      format('select count(*) as n from %I', relname), false, true, '')))[1]::text::bigint
    from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' and relrowsecurity
      and relname not in ('api_keys', 'idempotency', 'reference_entries', 'webhook_secrets', 'webhook_leases')
    """, columns: [.text, .int8])
  private static let identify = Statement(
    "identify", "select set_config('app.org', $1, true), set_config('app.sees_all', $2, true)",
    parameters: [.text, .text])
  private static let begin = Statement("security_begin", "begin")
  private static let rollback = Statement("security_rollback", "rollback")

  private func counts(
    _ connection: PostgresConnection, org: OrganizationID?, seesAll: Bool = false
  ) async throws -> [String: Int64] {
    let identity: [Query] =
      org == nil && !seesAll
      ? [] : [Query(Self.identify, [.text(org?.value.description ?? ""), .text(seesAll ? "on" : "")])]
    let answers = try await connection.pipeline(
      [Query(Self.begin)] + identity + [Query(Self.visible), Query(Self.rollback)], deadline: soon())
    var counts: [String: Int64] = [:]
    for row in answers[answers.count - 2] { counts[try row.text(0)] = try row.int8(1) }
    return counts
  }

  /// A deal between a borrower and a lender, and one of a stranger with itself.
  private func withDeals(
    _ body: (TestDatabase, _ deal: RowSet, _ stranger: OrganizationID) async throws -> Void
  ) async throws {
    let stranger = OrganizationID(UUIDValue(high: 77, low: 77))
    let deal = try RowSet(full: true, seed: 9)
    let others = try RowSet(full: false, seed: 10, lender: stranger, borrower: stranger)
    try await MigratedDatabase.with { database in
      try await database.withConnection { connection in
        for set in [deal, others] {
          for trip in try Trip.all(set) { _ = try await connection.run(trip.insert, deadline: soon()) }
          try await connection.execute(
            """
            insert into accounts values ('\(set.borrower.value)', 'suspense', '\(set.uuid(1))', 'USD', 0);
            insert into outbox (id, transaction_id, type, org_a, org_b, subject, subject_version, business_at, body)
            values ('\(set.uuid(1))', '1', 'x', '\(set.borrower.value)', '\(set.lender.value)', 's', 1, now(), '{}');
            insert into match_rounds (id, state, business_at, offers_made, offers_refused, attempt, version, created_at,
              updated_at) values ('\(set.uuid(1))', 'planned', now(), 0, 0, 0, 1, now(), now());
            insert into settlement_runs (id, job, business_date, state, total, done, totals, attempt, version,
              created_at, updated_at)
            values ('\(set.uuid(1))', 'accrual', now(), 'planned', 0, 0, '{}', 0, 1, now(), now());
            insert into settlement_shards (run_id, number, stage, step, on_date, subjects, details, weight, state,
              attempt, totals, updated_at)
            values ('\(set.uuid(1))', 1, 0, 'accrual', now(), array['\(set.uuid(2))'], '{}', 1, 'planned', 0, '{}',
              now());
            insert into webhook_deliveries (org_id, webhook_id, position, event_id, subject, type, state, attempts,
              next_attempt_at, created_at, updated_at)
            values ('\(set.borrower.value)', '\(set.uuid(70))', 1, '\(set.uuid(1))', 's', 'x', 'pending', 0, now(),
              now(), now());
            insert into webhook_attempts (org_id, webhook_id, position, id, number, at, latency_ms, outcome)
            values ('\(set.borrower.value)', '\(set.uuid(70))', 1, '\(set.uuid(1))', 1, now(), 1, 'delivered');
            insert into closed_days select coalesce(max(business_date), '2024-01-01'::date) + 1, '\(set.uuid(1))', now()
            from closed_days;
            insert into audit_links values ('\(set.borrower.value)', 1, 1, 2, 1, sha256(''), sha256(''), 1);
            insert into audit_checkpoints select count(*) + 1, now(), 2, '{}', sha256('') || sha256(''), sha256('')
            from audit_checkpoints;
            """)
        }
      }
      try await body(database, deal, stranger)
    }
  }

  private static let shared = [
    "offers", "loans", "loan_returns", "loan_amendments", "loan_assignments", "loan_events", "chip_units",
    "unit_events", "verdicts", "allocations", "outbox", "claw_back_lines", "loan_penalties", "startup_marks",
    "control_choices", "loan_conversions", "loan_tax_lines", "margin_tests", "margin_calls", "deposit_acts", "warrants",
    "favoured_claims", "loan_tax_certificates",
  ]
  private static let ofLenders = [
    "licences", "lots", "reserve_plans", "listings", "payouts", "platform_invoices", "platform_invoice_lines",
    "listing_options", "listing_warrants", "listing_favours",
  ]
  private static let ofBorrowers = [
    "organizations", "heads", "journal_entries", "journal_lines", "accounts", "chain_links", "loan_requests",
    "funding_rounds", "funding_closings", "mark_disputes", "round_reports", "cash_receipts", "payees", "audit_log",
    "repayment_explanations", "closing_corrections", "startup_waterfalls", "cash_conversions", "claw_backs",
    "prepayment_declines", "statement_documents", "runway_reports", "audit_links", "webhooks", "webhook_deliveries",
    "webhook_attempts", "identity_bindings",
  ]
  private static let ofPlatform = [
    "match_rounds", "settlement_runs", "settlement_shards", "closed_days",
    "bank_statements", "bank_statement_lines", "reconciliation_matches", "reconciliation_breaks", "rule_packs",
    "compliance_items", "client_money_top_ups", "mark_proposals", "valuation_imports", "audit_checkpoints",
    "held_acts",
  ]

  /// Rows of one deal in a table: a row set has two loans, two marks, five amendments and four journal lines.
  private func expected(_ tables: [String], deals: Int64 = 1) -> [String: Int64] {
    Dictionary(
      uniqueKeysWithValues: tables.map { table in
        (table, deals * (["loans": 2, "startup_marks": 2, "journal_lines": 4, "loan_amendments": 5][table] ?? 1))
      })
  }

  @Test("shows a reader what its organisation is a party of, in every table, and nothing else")
  func ownRows() async throws {
    let all = Self.shared + Self.ofLenders + Self.ofBorrowers + Self.ofPlatform
    let nothing = Dictionary(uniqueKeysWithValues: all.map { ($0, Int64(0)) })
    try await withDeals { database, deal, stranger in
      try await database.withConnection(as: "chipbridge_reader") { connection in
        func expect(_ counts: [String: Int64], _ own: [String: Int64], _ who: String) {
          #expect(counts == nothing.merging(own) { $1 }, "\(who)")
        }
        expect(try await counts(connection, org: nil), [:], "no organisation")
        expect(
          try await counts(connection, org: deal.borrower), expected(Self.shared + Self.ofBorrowers), "borrower")
        expect(try await counts(connection, org: deal.lender), expected(Self.shared + Self.ofLenders), "lender")
        expect(
          try await counts(connection, org: stranger), expected(Self.shared + Self.ofLenders + Self.ofBorrowers),
          "stranger")
        expect(try await counts(connection, org: deal.id(999)), [:], "an organisation without rows")
        expect(try await counts(connection, org: nil, seesAll: true), expected(all, deals: 2), "auditor")
        expect(try await counts(connection, org: nil), [:], "the transaction after the auditor's")
      }
    }
  }

  @Test("shows the sale of a loan to the two lenders, and to its borrower once it was accepted")
  func sales() async throws {
    let (settled, proposed) = (try RowSet(full: true, seed: 11), try RowSet(full: false, seed: 12))
    try await MigratedDatabase.with { database in
      try await database.withConnection { connection in
        for set in [settled, proposed] {
          for trip in try Trip.all(set) { _ = try await connection.run(trip.insert, deadline: soon()) }
        }
      }
      try await database.withConnection(as: "chipbridge_reader") { connection in
        for (set, seesAsBorrower) in [(settled, Int64(1)), (proposed, 0)] {
          for (org, seen) in [(set.lender, 1), (set.id(61), 1), (set.borrower, seesAsBorrower), (set.id(999), 0)] {
            let counts = try await counts(connection, org: org)
            #expect(counts["loan_assignments"] == seen)
          }
          // The buyer sees the sale, and nothing of the loan that it may buy.
          let ofBuyer = try await counts(connection, org: set.id(61)).filter { $0.value != 0 }
          #expect(ofBuyer == ["loan_assignments": 1])
        }
      }
    }
  }

  @Test("keeps keys and stored answers from readers, whatever they may see")
  func secrets() async throws {
    try await withDeals { database, _, _ in
      try await database.withConnection(as: "chipbridge_reader") { connection in
        for table in ["api_keys", "idempotency", "webhook_secrets", "webhook_leases"] {
          let error = await #expect(throws: PostgresError.self) {
            try await connection.execute("set app.sees_all = 'on'; select * from \(table)")
          }
          #expect(error?.sqlState == "42501", "\(table)")
        }
      }
    }
  }

  @Test("does not stand in the writer's way, since a batch spans tenants")
  func writerSeesAll() async throws {
    try await withDeals { database, _, _ in
      try await database.withConnection(as: "chipbridge_writer") { connection in
        let all = Self.shared + Self.ofLenders + Self.ofBorrowers + Self.ofPlatform
        let seen = try await counts(connection, org: nil)
        #expect(seen == expected(all, deals: 2))
      }
    }
  }
}
