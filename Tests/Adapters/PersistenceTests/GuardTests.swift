import Ledger
import Parties
import Postgres
import PostgresHarness
import Primitives
import SchemaFixtures
import Testing

@testable import Persistence
@testable import RowFixtures

@Suite("The database itself", .timeLimit(.minutes(2)))
struct GuardTests {
  /// What the server answered to a text it must refuse.
  private func refusal(_ connection: PostgresConnection, _ text: String) async -> PostgresError? {
    do {
      try await connection.execute(text)
      return nil
    } catch {
      return error as? PostgresError
    }
  }

  private func withJournal(
    as role: String? = nil, _ body: (PostgresConnection, RowSet) async throws -> Void
  ) async throws {
    let set = try RowSet(full: true, seed: 4)
    try await MigratedDatabase.with { database in
      try await database.withConnection(as: role) { connection in
        _ = try await connection.pipeline(
          [
            Tables.journalEntries.inserting([set.entry]), Tables.journalLines.inserting(set.lines),
            Tables.chainLinks.inserting([set.link]),
          ], deadline: soon())
        try await body(connection, set)
      }
    }
  }

  @Test("refuses to change or remove the journal, even for its owner")
  func immutable() async throws {
    try await withJournal { connection, set in
      for table in ["journal_lines", "chain_links", "journal_entries"] {
        for act in ["update \(table) set org_id = org_id", "delete from \(table)", "truncate \(table) cascade"] {
          #expect(await refusal(connection, act)?.sqlState == "23001", "\(act)")
        }
      }
      let lines = try await connection.run(Tables.journalLines.rows(by: [set.entry.id.value]), deadline: soon())
      #expect(lines.count == set.lines.count)
    }
  }

  @Test("does not let the writer try: it has no such grant")
  func writerHasNoGrant() async throws {
    try await withJournal(as: "chipbridge_writer") { connection, _ in
      let record = [
        "journal_entries", "journal_lines", "chain_links", "audit_log", "allocations", "verdicts", "payouts",
        "loan_events", "unit_events", "chip_marks", "startup_marks", "repayment_explanations",
        "closing_corrections", "startup_waterfalls", "claw_back_lines", "round_reports",
      ]
      for table in record {
        let key = table == "chip_marks" ? "source" : "id"
        let columns = [
          "journal_lines": "asset", "chain_links": "number", "allocations": "step", "repayment_explanations": "kind",
          "claw_back_lines": "step",
        ]
        let column = columns[table] ?? key
        for act in ["update \(table) set \(column) = \(column)", "delete from \(table)", "truncate \(table)"] {
          #expect(await refusal(connection, act)?.sqlState == "42501", "\(act)")
        }
      }
      #expect(await refusal(connection, "alter table journal_lines disable trigger all")?.sqlState == "42501")
    }
  }

  @Test("refuses lines that do not sum to zero for each asset, and lines of zero")
  func balance() async throws {
    try await withJournal(as: "chipbridge_writer") { connection, set in
      let next = JournalEntryRow(
        book: set.borrower, id: set.id(40), sequence: 2, kind: .cashReceived, businessDate: set.day,
        subject: set.uuid(23), recordedAt: set.now)
      func attempt(_ amounts: [(Asset, Int64)]) async -> PostgresError? {
        let lines = amounts.enumerated().map { index, line in
          JournalLineRow(
            entryID: next.id, number: Int32(index + 1),
            line: JournalLine(AccountRef(set.borrower, .suspense, asset: line.0), line.1))
        }
        do {
          _ = try await connection.pipeline(
            [Tables.journalEntries.inserting([next]), Tables.journalLines.inserting(lines)], deadline: soon())
          return nil
        } catch {
          return error as? PostgresError
        }
      }
      #expect(await attempt([(.currency(.usd), 5), (.currency(.usd), -4)])?.constraint == "journal_lines_balance")
      #expect(await attempt([(.currency(.usd), 5), (.currency(.cny), -5)])?.constraint == "journal_lines_balance")
      #expect(await attempt([(.currency(.usd), 5)])?.sqlState == "23514")
      #expect(await attempt([(.currency(.usd), 0)])?.constraint == "journal_lines_not_zero")
      let (usd, chips) = (Asset.currency(.usd), Asset.chip(set.chip))
      #expect(await attempt([(usd, 5), (chips, 2), (usd, -5), (chips, -2)]) == nil)
    }
  }

  @Test("adds to balances that exist and opens those that do not, and never lets chips or cash go below zero")
  func accounts() async throws {
    let set = try RowSet(full: true, seed: 5)
    let asset = Asset.chip(set.chip)
    let available = AccountRef(set.lender, .custodyAvailable, set.uuid(4), asset: asset)
    let reserved = AccountRef(set.lender, .custodyReserved, set.uuid(4), asset: asset)
    let received = AccountRef(set.lender, .custodyReceived, set.uuid(4), asset: asset)
    try await MigratedDatabase.with { database in
      try await database.withConnection(as: "chipbridge_writer") { connection in
        func move(_ sums: [(AccountRef, Int64)]) async throws -> Int {
          try await connection.run(AccountSQL.advancing(sums), deadline: soon()).affectedRows
        }
        func constraint(_ sums: [(AccountRef, Int64)]) async -> String? {
          do {
            _ = try await move(sums)
            return nil
          } catch {
            return (error as? PostgresError)?.constraint
          }
        }
        #expect(try await move([(available, 10), (received, -10)]) == 2)
        #expect(try await move([(available, -4), (reserved, 4)]) == 2)
        #expect(await constraint([(available, -7), (reserved, 7)]) == "accounts_never_negative")
        #expect(await constraint([(received, 11)]) == "accounts_never_positive")
        let query = Query(
          AccountSQL.byCode,
          [
            .uuidArray(Array(repeating: set.lender.value.bits, count: 3)),
            .textArray([available, reserved, received].map(\.code.rawValue)),
          ])
        let balances = try await connection.run(query, deadline: soon()).map { try AccountSQL.decode($0) }
        #expect(Dictionary(balances, uniquingKeysWith: { $1 }) == [available: 6, reserved: 4, received: -10])
      }
    }
  }

  @Test("names each account code that may have one sign only, as the chart of accounts does")
  func chartOfAccounts() async throws {
    let set = try RowSet(full: true, seed: 6)
    try await MigratedDatabase.with { database in
      try await database.withConnection { connection in
        for code in AccountCode.allCases {
          for amount in [Int64(-1), 1] {
            let account = AccountRef(set.borrower, code, set.uuid(1), asset: .currency(.usd))
            var refused: String?
            do {
              try await connection.execute("begin")
              _ = try await connection.run(AccountSQL.advancing([(account, amount)]), deadline: soon())
            } catch {
              refused = (error as? PostgresError)?.constraint
            }
            try await connection.execute("rollback")
            let expected =
              amount < 0 && code.neverNegative
              ? "accounts_never_negative" : amount > 0 && code.neverPositive ? "accounts_never_positive" : nil
            #expect(refused == expected, "\(code.rawValue) \(amount)")
          }
        }
      }
    }
  }

  @Test("refuses a lot whose chips are lost or made up, and chips in a state below zero")
  func lots() async throws {
    let set = try RowSet(full: true, seed: 7)
    try await MigratedDatabase.with { database in
      try await database.withConnection(as: "chipbridge_writer") { connection in
        _ = try await connection.run(Tables.lots.inserting([set.lot]), deadline: soon())
        let states = [
          "on_order", "promised", "available", "reserved", "in_transit", "on_loan", "in_return", "in_inspection",
          "in_repair", "frozen", "repossessed", "lost", "sold",
        ]
        for state in states {
          #expect(
            await refusal(connection, "update lots set \(state) = \(state) + 1")?.constraint == "lots_conserved",
            "\(state)")
          let sink = state == "sold" ? "lost" : "sold"
          let below = "update lots set \(sink) = \(sink) + \(state) + 1, \(state) = -1"
          #expect(await refusal(connection, below)?.constraint == "lots_never_negative", "\(state)")
        }
        #expect(await refusal(connection, "update lots set listed = -1")?.constraint == "lots_never_negative")
      }
    }
  }

  @Test("refuses what no life cycle allows: use past a quota, a closed loan that owes, a second loan of one offer")
  func lifeCycles() async throws {
    let trips = try Trip.all(RowSet(full: true, seed: 8))
    try await MigratedDatabase.with { database in
      try await database.withConnection(as: "chipbridge_writer") { connection in
        for trip in trips { _ = try await connection.run(trip.insert, deadline: soon()) }
        let breaches = [
          ("update licences set used = quota + 1", "licences_quota"),
          ("update licences set used = -1", "licences_quota"),
          ("update loans set outstanding_fee = 1 where state = 'closed'", "loans_closed_owes_nothing"),
          ("update loans set closed_as = null where state = 'closed'", "loans_closed"),
          ("update loans set units_out = 5", "loans_units"),
          ("update loans set outstanding_principal = principal + 1 where state = 'due'", "loans_outstanding"),
          ("update loans set due_since = null", "loans_due"),
          (
            """
            update loans set lineage = null, acquired_on = null,
              offer_id = (select offer_id from loans where state = 'due')
            """, "loans_one_an_offer"
          ),
          ("update loans set acquired_on = null where state = 'closed'", "loans_acquired"),
          ("update loans set principal_assigned = principal + 1", "loans_assigned"),
          ("update loan_assignments set accepted_by = proposed_by", "loan_assignments_second_person"),
          ("update loan_assignments set assigned_loan_id = null", "loan_assignments_settled"),
          ("update loan_assignments set settle_by = null", "loan_assignments_accepted"),
          ("update offers set state = 'declined'", "offers_accepted_has_loan"),
          ("update offers set quantity = 0", "offers_quantity_positive"),
          ("update loan_requests set matched = quantity", "loan_requests_quantities"),
          ("update listings set remaining = quantity + 1", "listings_remaining"),
          ("update funding_rounds set verified_by = reported_by", "funding_rounds_second_person"),
          ("update cash_receipts set remainder = amount + 1", "cash_receipts_amount"),
          ("update organizations set verified_by = null", "organizations_verified_with_evidence"),
        ]
        for (text, constraint) in breaches {
          #expect(await refusal(connection, text)?.constraint == constraint, "\(text)")
        }
      }
    }
  }
}
