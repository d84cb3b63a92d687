import Persistence
import Postgres

/// Every table value of Persistence, its type forgotten.
struct AnyTable: Sendable {
  let name: String
  let statements: [Statement]

  init<Row>(_ table: Table<Row>) {
    name = table.name
    statements = [table.selectByIDs, table.insert] + [table.update, table.narrow?.statement].compactMap { $0 }
  }

  static let all: [AnyTable] = [
    AnyTable(Tables.organizations), AnyTable(Tables.heads), AnyTable(Tables.apiKeys), AnyTable(Tables.licences),
    AnyTable(Tables.identityBindings), AnyTable(Tables.heldActs),
    AnyTable(Tables.lots), AnyTable(Tables.reservePlans), AnyTable(Tables.listings), AnyTable(Tables.loanRequests),
    AnyTable(Tables.offers), AnyTable(Tables.loans), AnyTable(Tables.loanReturns), AnyTable(Tables.loanAmendments),
    AnyTable(Tables.loanAssignments), AnyTable(Tables.prepaymentDeclines),
    AnyTable(Tables.loanEvents), AnyTable(Tables.chipUnits), AnyTable(Tables.unitEvents), AnyTable(Tables.verdicts),
    AnyTable(Tables.fundingRounds), AnyTable(Tables.fundingClosings), AnyTable(Tables.startupMarks),
    AnyTable(Tables.chipMarks), AnyTable(Tables.cashReceipts), AnyTable(Tables.allocations), AnyTable(Tables.payouts),
    AnyTable(Tables.repaymentExplanations), AnyTable(Tables.closingCorrections), AnyTable(Tables.startupWaterfalls),
    AnyTable(Tables.bankStatements), AnyTable(Tables.bankLines), AnyTable(Tables.reconciliationMatches),
    AnyTable(Tables.reconciliationBreaks), AnyTable(Tables.payees),
    AnyTable(Tables.fxRates), AnyTable(Tables.cashConversions), AnyTable(Tables.controlChoices),
    AnyTable(Tables.rulePacks), AnyTable(Tables.complianceItems),
    AnyTable(Tables.clawbacks), AnyTable(Tables.clawbackLines), AnyTable(Tables.topUps),
    AnyTable(Tables.taxLines), AnyTable(Tables.taxCertificates),
    AnyTable(Tables.penalties), AnyTable(Tables.statements), AnyTable(Tables.referenceEntries),
    AnyTable(Tables.markProposals), AnyTable(Tables.markDisputes), AnyTable(Tables.valuationImports),
    AnyTable(Tables.roundReports), AnyTable(Tables.chipQuotes), AnyTable(Tables.markSeries),
    AnyTable(Tables.markDerivations), AnyTable(Tables.runwayReports), AnyTable(Tables.marginTests),
    AnyTable(Tables.marginCalls), AnyTable(Tables.depositActs),
    AnyTable(Tables.platformInvoices), AnyTable(Tables.invoiceLines),
    AnyTable(Tables.listingOptions), AnyTable(Tables.loanConversions),
    AnyTable(Tables.listingWarrants), AnyTable(Tables.warrants),
    AnyTable(Tables.listingFavours), AnyTable(Tables.favouredClaims),
    AnyTable(Tables.idempotency), AnyTable(Tables.auditLog), AnyTable(Tables.journalEntries),
    AnyTable(Tables.webhooks), AnyTable(Tables.journalLines), AnyTable(Tables.chainLinks),
  ]

  /// Tables that statements of their own read and write, without a row type for all columns.
  static let written = [
    "accounts", "audit_checkpoints", "audit_links", "audit_sealing", "closed_days", "match_leases", "match_rounds",
    "outbox", "platform_state", "reference_documents", "settlement_runs", "settlement_shards", "webhook_attempts",
    "webhook_dealing", "webhook_deliveries", "webhook_leases", "webhook_secrets",
  ]

  /// Every statement of the module.
  static let statements: [Statement] =
    all.flatMap(\.statements) + Loader.statements + AuditSealSQL.statements + ChangeWriter.statements
    + AnswerSQL.statements
    + ReferenceSQL.statements + RunSQL.statements + RoundSQL.statements + Bootstrap.statements + Resources.statements
    + Details.statements + KeySQL.statements + BindingSQL.statements + ApprovalSQL.statements
    + RunQueries.statements + CloseReportSQL.statements + MarketSQL.statements + OrderBookSQL.statements
    + RoundReasons.statements
    + Reader.statements
    + FXSQL.statements + ControlSQL.statements + EquitySQL.statements + WarrantSQL.statements + FavourSQL.statements
    + ComplianceSQL.statements + OrderSQL.statements
    + MarkSQL.statements
    + MarkQueries.statements + QuoteSQL.statements + BankSQL.statements + StatementSQL.statements
    + ClearingSQL.statements + InvoiceSQL.statements + LawCheck.statements + ChainSQL.statements
    + EventSQL.statements + WebhookSQL.statements
    + ExportSQL.statements + TaxSQL.statements + TaxSQL.certificateStatements + MarginSQL.statements
    + ExposureSQL.statements
}
