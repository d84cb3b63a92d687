import Parties
import Postgres
import Primitives
import Synchronization

/// Where a page starts: after this row, in order of creation.
package struct PagePosition: Sendable, Hashable {
  package let createdAt: Instant
  package let id: UUIDValue

  package init(createdAt: Instant, id: UUIDValue) {
    self.createdAt = createdAt
    self.id = id
  }

  package static let start = PagePosition(createdAt: .epoch, id: UUIDValue(high: 0, low: 0))
}

/// Reads of one kind of resource: one by id, and pages in order of creation. The tenant filter stands in every statement;
/// row security stands behind it.
package struct ResourceQuery<Row: Sendable>: Sendable {
  package let table: Table<Row>
  package let byID: Statement
  package let page: Statement
  let idColumn: SQL
  let visible: SQL

  /// - Parameters:
  ///   - visible: a predicate on `$1`, the organisation that asks; staff and auditors pass null.
  ///   - filter: a predicate on `$2`, the filter of the list; null filters nothing.
  package init(
    _ table: Table<Row>, idColumn: SQL = "id", visible: SQL, filter: SQL, createdAt: SQL = "created_at",
    names: (byID: StaticString, page: StaticString)
  ) {
    self.table = table
    self.idColumn = idColumn
    self.visible = visible
    self.byID = Statement(
      names.byID,
      table.selectList + "where" + idColumn + "= $2 and ($1::uuid is null or" + visible + ")",
      parameters: [.uuid, .uuid], columns: table.types)
    self.page = Statement(
      names.page,
      table.selectList + "where ($1::uuid is null or" + visible + ") and ($2::text is null or" + filter + ") and ("
        + createdAt + "," + idColumn + ") > ($3, $4) order by" + createdAt + "," + idColumn + "limit $5",
      parameters: [.uuid, .text, .timestamptz, .uuid, .int8], columns: table.types)
  }
}

/// The reads that the interface offers.
package enum Resources {
  package static let organizations = ResourceQuery(
    Tables.organizations, idColumn: "org_id", visible: "org_id = $1", filter: "verification_state = $2",
    names: ("read_organization", "page_organizations"))
  package static let licences = ResourceQuery(
    Tables.licences, visible: "lender_id = $1", filter: "chip_model_id = $2",
    names: ("read_licence", "page_licences"))
  package static let lots = ResourceQuery(
    Tables.lots, visible: "lender_id = $1", filter: "chip_model_id = $2", names: ("read_lot", "page_lots"))
  package static let reservePlans = ResourceQuery(
    Tables.reservePlans, visible: "lender_id = $1", filter: "chip_model_id = $2",
    names: ("read_reserve_plan", "page_reserve_plans"))
  package static let listings = ResourceQuery(
    Tables.listings, visible: "lender_id = $1", filter: "state = $2", names: ("read_listing", "page_listings"))
  package static let loanRequests = ResourceQuery(
    Tables.loanRequests, visible: "borrower_id = $1", filter: "state = $2",
    names: ("read_loan_request", "page_loan_requests"))
  package static let offers = ResourceQuery(
    Tables.offers, visible: "borrower_id = $1 or lender_id = $1", filter: "state = $2",
    names: ("read_offer", "page_offers"))
  package static let loans = ResourceQuery(
    Tables.loans, visible: "borrower_id = $1 or lender_id = $1", filter: "state = $2",
    names: ("read_loan", "page_loans"))
  package static let loanAssignments = ResourceQuery(
    Tables.loanAssignments,
    visible: "seller_id = $1 or buyer_id = $1 or (borrower_id = $1 and accepted_on is not null)", filter: "state = $2",
    names: ("read_loan_assignment", "page_loan_assignments"))
  package static let loanReturns = ResourceQuery(
    Tables.loanReturns, visible: "borrower_id = $1 or lender_id = $1", filter: "state = $2",
    names: ("read_loan_return", "page_loan_returns"))
  package static let fundingRounds = ResourceQuery(
    Tables.fundingRounds, visible: "borrower_id = $1", filter: "state = $2",
    names: ("read_funding_round", "page_funding_rounds"))
  package static let cashReceipts = ResourceQuery(
    Tables.cashReceipts, visible: "org_id = $1 or assigned_to = $1",
    filter:
      "(source = $2 or $2 = 'suspense' and suspense_reason is not null and assigned_to is null and clawed_back < amount)",
    names: ("read_cash_receipt", "page_cash_receipts"))
  package static let payouts = ResourceQuery(
    Tables.payouts, visible: "lender_id = $1", filter: "currency = $2", createdAt: "recorded_at",
    names: ("read_payout", "page_payouts"))
  package static let payees = ResourceQuery(
    Tables.payees, visible: "org_id = $1", filter: "org_id::text = $2", names: ("read_payee", "page_payees"))
  package static let clawbacks = ResourceQuery(
    Tables.clawbacks, visible: "org_id = $1 or payer_id = $1", filter: "state = $2",
    names: ("read_claw_back", "page_claw_backs"))
  package static let topUps = ResourceQuery(
    Tables.topUps, visible: "org_id = $1", filter: "state = $2", names: ("read_top_up", "page_top_ups"))
  package static let platformInvoices = ResourceQuery(
    Tables.platformInvoices, visible: "lender_id = $1", filter: "currency = $2",
    names: ("read_platform_invoice", "page_platform_invoices"))
  package static let statementDocuments = ResourceQuery(
    Tables.statements, visible: "org_id = $1", filter: "to_char(month, 'YYYY-MM') = $2",
    names: ("read_statement_document", "page_statement_documents"))
  /// Reference data that is proposed, adopted or rejected; staff see all of it, tenants only what counts.
  package static let referenceEntries = ResourceQuery(
    Tables.referenceEntries, visible: "state = 'adopted'", filter: "kind || ':' || state = $2",
    names: ("read_reference_entry", "page_reference_entries"))
  package static let bankStatements = ResourceQuery(
    Tables.bankStatements, visible: "org_id = $1", filter: "currency = $2",
    names: ("read_bank_statement", "page_bank_statements"))
  package static let reconciliationBreaks = ResourceQuery(
    Tables.reconciliationBreaks, visible: "org_id = $1", filter: "state = $2",
    names: ("read_reconciliation_break", "page_reconciliation_breaks"))
  /// Rates are reference data: all read them, proposals too.
  package static let runwayReports = ResourceQuery(
    Tables.runwayReports, visible: "borrower_id = $1", filter: "borrower_id::text = $2", createdAt: "recorded_at",
    names: ("read_runway_report", "page_runway_reports"))
  package static let fxRates = ResourceQuery(
    Tables.fxRates, visible: "true", filter: "state = $2", names: ("read_fx_rate", "page_fx_rates"))
  package static let cashConversions = ResourceQuery(
    Tables.cashConversions, visible: "org_id = $1", filter: "state = $2",
    names: ("read_cash_conversion", "page_cash_conversions"))
  package static let rulePacks = ResourceQuery(
    Tables.rulePacks, visible: "false", filter: "state = $2", names: ("read_rule_pack", "page_rule_packs"))
  package static let complianceItems = ResourceQuery(
    Tables.complianceItems, visible: "false", filter: "state = $2",
    names: ("read_compliance_item", "page_compliance_items"))
  package static let markProposals = ResourceQuery(
    Tables.markProposals, visible: "org_id = $1", filter: "state = $2",
    names: ("read_mark_proposal", "page_mark_proposals"))
  package static let markDisputes = ResourceQuery(
    Tables.markDisputes, visible: "org_id = $1 or startup_id = $1", filter: "state = $2",
    names: ("read_mark_dispute", "page_mark_disputes"))
  package static let valuationImports = ResourceQuery(
    Tables.valuationImports, visible: "org_id = $1", filter: "kind = $2",
    names: ("read_valuation_import", "page_valuation_imports"))
  package static let controlChoices = ResourceQuery(
    Tables.controlChoices, visible: "borrower_id = $1 or lender_id = $1 or acquirer_id = $1", filter: "state = $2",
    names: ("read_control_choice", "page_control_choices"))
  package static let marginCalls = ResourceQuery(
    Tables.marginCalls, visible: "borrower_id = $1 or lender_id = $1",
    filter: "$2 in (state, loan_id::text, case when ended_on is null then 'running' else 'ended' end)",
    names: ("read_margin_call", "page_margin_calls"))
  package static let depositActs = ResourceQuery(
    Tables.depositActs, visible: "borrower_id = $1 or lender_id = $1", filter: "$2 in (state, loan_id::text)",
    names: ("read_deposit_act", "page_deposit_acts"))
  package static let marginTests = ResourceQuery(
    Tables.marginTests, visible: "borrower_id = $1 or lender_id = $1",
    filter: "$2 in (outcome, loan_id::text, to_char(on_date, 'YYYY-MM-DD'))", createdAt: "recorded_at",
    names: ("read_margin_test", "page_margin_tests"))
  package static let warrants = ResourceQuery(
    Tables.warrants, visible: "borrower_id = $1 or lender_id = $1", filter: "state = $2",
    names: ("read_warrant", "page_warrants"))
  /// Reference data: everybody may see on what chips are marked.
  package static let chipQuotes = ResourceQuery(
    Tables.chipQuotes, visible: "true", filter: "chip_model_id = $2", createdAt: "recorded_at",
    names: ("read_chip_quote", "page_chip_quotes"))
  package static let auditLog = ResourceQuery(
    Tables.auditLog, visible: "org_id = $1", filter: "action = $2", createdAt: "recorded_at",
    names: ("read_audit_row", "page_audit_log"))
  package static let journalEntries = ResourceQuery(
    Tables.journalEntries, visible: "org_id = $1", filter: "kind = $2", createdAt: "recorded_at",
    names: ("read_journal_entry", "page_journal_entries"))

  package static var statements: [Statement] {
    [
      organizations.byID, organizations.page, licences.byID, licences.page, lots.byID,
      lots.page, reservePlans.byID, reservePlans.page, listings.byID, listings.page, loanRequests.byID,
      loanRequests.page, offers.byID, offers.page, loans.byID, loans.page, loanReturns.byID, loanReturns.page,
      loanAssignments.byID, loanAssignments.page,
      fundingRounds.byID, fundingRounds.page, cashReceipts.byID, cashReceipts.page, payouts.byID, payouts.page,
      payees.byID, payees.page, bankStatements.byID, bankStatements.page, reconciliationBreaks.byID,
      fxRates.byID, fxRates.page, cashConversions.byID, cashConversions.page,
      rulePacks.byID, rulePacks.page, complianceItems.byID, complianceItems.page,
      clawbacks.byID, clawbacks.page, topUps.byID, topUps.page,
      reconciliationBreaks.page, referenceEntries.byID, referenceEntries.page,
      statementDocuments.byID, statementDocuments.page,
      markProposals.byID, markProposals.page, markDisputes.byID, markDisputes.page, valuationImports.byID,
      valuationImports.page, chipQuotes.byID, chipQuotes.page,
      controlChoices.byID, controlChoices.page, runwayReports.byID, runwayReports.page,
      marginCalls.byID, marginCalls.page, marginTests.byID, marginTests.page,
      depositActs.byID, depositActs.page, warrants.byID, warrants.page,
      platformInvoices.byID, platformInvoices.page,
      auditLog.byID, auditLog.page, journalEntries.byID, journalEntries.page,
    ] + Expandables.statements
  }
}

/// Runs reads in one round trip, as the reader role, under row security.
package struct Reader: Sendable {
  package let pool: PostgresPool
  private let filtersTenants: Bool
  /// Statements run since the start.
  package let statements = ReadCounter()

  /// - Parameter filtersTenants: false leaves the statements' own tenant filter out, so that row security stands alone:
  ///   for the test that it does.
  package init(pool: PostgresPool, filtersTenants: Bool = true) {
    self.pool = pool
    self.filtersTenants = filtersTenants
  }

  private static let identify = Statement(
    "reader_identify", "select set_config('app.org', $1, true), set_config('app.sees_all', $2, true)",
    parameters: [.text, .text], columns: [.text, .text])

  package static var statements: [Statement] { [identify] }

  /// The results of the queries as this principal may see them.
  package func run(_ queries: [Query], as principal: Principal) async throws -> [ResultSet] {
    let deadline = ContinuousClock.now + .seconds(10)
    statements.add(queries.count)
    let identity = Query(
      Self.identify,
      [
        .text(principal.organizationID.value.description), .text(principal.readsEverything ? "on" : ""),
      ])
    // One statement is of one moment as it is.
    if queries.count == 1 { return [try await pool.read([identity] + queries, deadline: deadline)[1]] }
    return try await pool.transaction(.repeatableRead, access: .readOnly, deadline: deadline) { transaction in
      Array(try await transaction.commit(after: [identity] + queries).dropFirst())
    }
  }

  /// What statements take as `$1`: the tenant, or null for those who read everything.
  package func scope(_ principal: Principal) -> Bind {
    .uuid(principal.readsEverything || !filtersTenants ? nil : principal.organizationID.value.bits)
  }

  /// One row by id.
  /// - Throws: `PartiesRefusal.notFound` also when it is another tenant's.
  package func one<Row>(
    _ resource: ResourceQuery<Row>, _ id: UUIDValue, as principal: Principal, noun: String
  ) async throws -> Row {
    let query = Query(resource.byID, [scope(principal), .uuid(id.bits)])
    guard let row = try await run([query], as: principal).first?.first else { throw PartiesRefusal.notFound(noun) }
    return try resource.table.decode(row)
  }

  /// A page of rows after a position.
  package func page<Row>(
    _ resource: ResourceQuery<Row>, after position: PagePosition, limit: Int64, filter: String?,
    as principal: Principal
  ) async throws -> [Row] {
    let query = Query(
      resource.page,
      [
        scope(principal), .text(filter), .timestamptz(position.createdAt.microseconds), .uuid(position.id.bits),
        .int8(limit),
      ])
    let results = try await run([query], as: principal)
    return try resource.table.decode(results[0])
  }
}

/// How many statements of reads a process has run.
package final class ReadCounter: Sendable {
  private let value = Atomic<Int>(0)

  package init() {}

  package var count: Int { value.load(ordering: .relaxed) }

  func add(_ statements: Int) { value.add(statements, ordering: .relaxed) }
}
