import Ledger
import Lending
import Parties
import Persistence
import Postgres
import PostgresHarness
import Primitives
import Repayment
import SchemaFixtures
import Valuation

/// Rows of one table on their way into the database and back.
struct Trip {
  let table: String
  let insert: Query
  let count: Int
  /// Whether the rows in the database are these, in any order.
  let arrived: (PostgresConnection) async throws -> Bool
  /// Rewrites the rows where they have the version that was loaded; nil for rows that never change.
  let rewrite: ((_ loaded: Int64) -> Query?)?

  init<Row: Sendable>(
    _ table: Table<Row>, _ rows: [Row], ids: [UUIDValue], same: @escaping (Row, Row) -> Bool
  ) {
    self.table = table.name
    insert = table.inserting(rows)
    count = rows.count
    arrived = { connection in
      let found = try table.decode(await connection.run(table.rows(by: ids), deadline: soon()))
      return found.count == rows.count && rows.allSatisfy { row in found.contains { same(row, $0) } }
    }
    rewrite =
      table.update == nil
      ? nil : { loaded in table.updating(rows, loadedVersions: rows.map { _ in loaded }) }
  }

  init<Row: Sendable & Equatable>(_ table: Table<Row>, _ rows: [Row], ids: [UUIDValue]) {
    self.init(table, rows, ids: ids, same: ==)
  }

  /// Every table, in an order that foreign keys allow.
  static func all(_ set: RowSet) throws -> [Trip] {
    let (borrower, lender) = (set.borrower.value, set.lender.value)
    return [
      Trip(Tables.organizations, [set.organization], ids: [borrower]),
      Trip(Tables.heads, [set.head], ids: [borrower]),
      Trip(Tables.apiKeys, [set.apiKey], ids: [set.apiKey.id.value]),
      Trip(Tables.identityBindings, [set.identityBinding], ids: [set.uuid(71)]),
      Trip(Tables.heldActs, [set.heldAct], ids: [set.uuid(73)]),
      Trip(Tables.licences, [try set.licence()], ids: [set.uuid(3)]),
      Trip(Tables.lots, [set.lot], ids: [lender, set.uuid(4)]),
      Trip(Tables.reservePlans, [set.reservePlan], ids: [set.uuid(5)]),
      Trip(Tables.listings, [set.listing], ids: [set.uuid(6)]),
      Trip(Tables.loanRequests, [set.request], ids: [set.uuid(7)]),
      Trip(Tables.offers, [set.offer], ids: [set.uuid(8)]),
      Trip(Tables.loans, set.loans, ids: set.loans.map(\.id.value)),
      Trip(Tables.loanReturns, [set.loanReturn], ids: [set.uuid(15)]),
      Trip(Tables.loanAmendments, set.amendments, ids: set.amendments.map(\.id.value)),
      Trip(Tables.loanAssignments, [set.assignment], ids: [set.uuid(60)]),
      Trip(Tables.loanEvents, [set.loanEvent], ids: [set.uuid(34)]),
      Trip(Tables.chipUnits, [set.unit], ids: [set.uuid(35)]),
      Trip(Tables.unitEvents, [set.unitEvent], ids: [set.uuid(36)]),
      Trip(Tables.verdicts, [set.verdict], ids: [set.uuid(16)]),
      Trip(Tables.fundingRounds, [set.fundingRound], ids: [set.uuid(17)]),
      Trip(Tables.fundingClosings, [set.closing], ids: [set.uuid(19)]),
      Trip(Tables.chipMarks, set.marks(.chipModel(set.chip), 21), ids: [set.uuid(21), set.uuid(51)]),
      Trip(Tables.startupMarks, set.marks(.startup(set.borrower), 22), ids: [set.uuid(22), set.uuid(52)]),
      Trip(Tables.markProposals, [set.markProposal], ids: [set.uuid(60)]),
      Trip(Tables.markDisputes, [set.markDispute], ids: [set.uuid(61)]),
      Trip(Tables.valuationImports, [set.valuationImport], ids: [set.uuid(62)]),
      Trip(Tables.chipQuotes, [set.chipQuote], ids: [set.uuid(64)]),
      Trip(Tables.markSeries, [try set.markSeries()], ids: [set.uuid(65)]),
      Trip(Tables.markDerivations, [set.markDerivation], ids: [set.uuid(21)]),
      Trip(Tables.runwayReports, [set.runwayReport], ids: [set.uuid(69)]),
      Trip(Tables.marginTests, [set.marginTest], ids: [set.uuid(66)]),
      Trip(Tables.marginCalls, [set.marginCall], ids: [set.uuid(67)]),
      Trip(Tables.roundReports, [try set.roundReport()], ids: [set.uuid(63)]),
      Trip(Tables.cashReceipts, [set.receipt], ids: [set.uuid(23)]),
      Trip(Tables.depositActs, [set.depositAct], ids: [set.uuid(68)]),
      Trip(Tables.allocations, [set.allocation], ids: [set.uuid(23)]),
      Trip(Tables.repaymentExplanations, [set.explanation], ids: [set.uuid(23)]),
      Trip(Tables.prepaymentDeclines, [set.decline], ids: [set.uuid(64)]),
      Trip(Tables.closingCorrections, [set.correction], ids: [set.uuid(41)]),
      Trip(Tables.startupWaterfalls, [try set.waterfalls], ids: [set.uuid(42)]) {
        // What is not stated is stored as the standard waterfall that it means.
        $0.id == $1.id && $0.borrowerID == $1.borrowerID && $0.effectiveOn == $1.effectiveOn
          && $0.terms.json == $1.terms.json && $0.evidence == $1.evidence && $0.setBy == $1.setBy
          && $0.recordedAt == $1.recordedAt
      },
      Trip(Tables.payouts, [set.payout], ids: [set.uuid(24)]),
      Trip(Tables.statements, [set.statementDocument], ids: [set.uuid(45)]),
      Trip(Tables.penalties, [set.penalty], ids: [set.uuid(43)]),
      Trip(
        Tables.referenceEntries, [try set.referenceEntry(), try set.haircutEntry()], ids: [set.uuid(44), set.uuid(72)]),
      Trip(Tables.taxLines, [set.taxLine], ids: [set.uuid(66)]),
      Trip(Tables.taxCertificates, [set.taxCertificate], ids: [set.uuid(67)]),
      Trip(Tables.platformInvoices, [set.invoice], ids: [set.uuid(46)]),
      Trip(Tables.invoiceLines, [set.invoiceLine], ids: [set.uuid(24)]),
      Trip(Tables.webhooks, [set.webhook], ids: [set.uuid(70)]),
      Trip(Tables.payees, [try set.payee()], ids: [set.uuid(39)]),
      Trip(Tables.fxRates, [try set.fxRate()], ids: [set.uuid(43)]),
      Trip(Tables.cashConversions, [set.conversion], ids: [set.uuid(44)]),
      Trip(Tables.rulePacks, [set.rulePack], ids: [set.uuid(51)]),
      Trip(Tables.complianceItems, [set.complianceItem], ids: [set.uuid(52)]),
      Trip(Tables.clawbacks, [set.clawback], ids: [set.uuid(47)]),
      Trip(Tables.clawbackLines, [set.clawbackLine], ids: [set.uuid(47)]),
      Trip(Tables.topUps, [set.topUp], ids: [set.uuid(48)]),
      Trip(Tables.controlChoices, [set.choice], ids: [set.uuid(57)]),
      Trip(Tables.listingOptions, [set.options], ids: [set.uuid(6)]),
      Trip(Tables.listingWarrants, [try set.listingWarrants()], ids: [set.uuid(6)]),
      Trip(Tables.warrants, [try set.warrant()], ids: [set.uuid(66)]),
      Trip(Tables.listingFavours, [set.favour], ids: [set.uuid(6)]),
      Trip(Tables.favouredClaims, [set.favouredClaim], ids: [set.uuid(67)]),
      Trip(Tables.loanConversions, [try set.loanConversion()], ids: [set.uuid(59)]),
      Trip(Tables.bankStatements, [set.bankStatement], ids: [set.uuid(37)]),
      Trip(Tables.bankLines, [set.bankLine], ids: [set.uuid(37)]),
      Trip(Tables.reconciliationMatches, [set.match], ids: [set.uuid(37)]),
      Trip(Tables.reconciliationBreaks, [set.bankBreak], ids: [set.uuid(38)]),
      Trip(Tables.idempotency, [set.answer], ids: [borrower]) {
        $0.organizationID == $1.organizationID && $0.key == $1.key && $0.fingerprint == $1.fingerprint
          && $0.answer == $1.answer && $0.createdAt == $1.createdAt
      },
      Trip(Tables.auditLog, [set.audit], ids: [set.uuid(26)]) {
        $0.organizationID == $1.organizationID && $0.id == $1.id && $0.at == $1.at && $0.recordedAt == $1.recordedAt
          && $0.credential == $1.credential && $0.personID == $1.personID && $0.action == $1.action
          && $0.subject == $1.subject && $0.outcome == $1.outcome && $0.requestID == $1.requestID
      },
      Trip(Tables.journalEntries, [set.entry], ids: [set.uuid(27)]),
      Trip(Tables.journalLines, set.lines, ids: [set.uuid(27)]),
      Trip(Tables.chainLinks, [set.link], ids: [borrower]),
    ]
  }
}
