import Parties
import Postgres
import Primitives
import Valuation

/// A mark that one person states and another has not decided on yet. It becomes the mark of the same id.
package struct MarkProposal: Sendable, Hashable {
  package enum State: String, Sendable, Hashable, CaseIterable {
    /// Successors: `approved`, `rejected`.
    case proposed
    case approved, rejected
  }

  package let id: ValuationID
  package let subject: ValuationSubject
  package let method: ValuationMethod
  package let basis: ValuationBasis
  package let amount: Money
  package let effectiveOn: CalendarDate
  package let source: String
  package let evidence: String?
  package let confidence: MarkConfidence
  package let supersedes: ValuationID?
  package var state: State
  package let proposedBy: PersonID
  /// The file that it came from.
  package let importID: ValuationImportID?
  package var decidedBy: PersonID?
  package var decidedAt: Instant?
  /// Why it was rejected.
  package var reason: String?
  package var version: Int64
  package let createdAt: Instant
  package var updatedAt: Instant

  package init(
    id: ValuationID, subject: ValuationSubject, method: ValuationMethod, basis: ValuationBasis, amount: Money,
    effectiveOn: CalendarDate, source: String, evidence: String?, confidence: MarkConfidence,
    supersedes: ValuationID?, state: State = .proposed, proposedBy: PersonID, importID: ValuationImportID? = nil,
    decidedBy: PersonID? = nil, decidedAt: Instant? = nil, reason: String? = nil, version: Int64 = 1,
    createdAt: Instant, updatedAt: Instant
  ) {
    self.id = id
    self.subject = subject
    self.method = method
    self.basis = basis
    self.amount = amount
    self.effectiveOn = effectiveOn
    self.source = source
    self.evidence = evidence
    self.confidence = confidence
    self.supersedes = supersedes
    self.state = state
    self.proposedBy = proposedBy
    self.importID = importID
    self.decidedBy = decidedBy
    self.decidedAt = decidedAt
    self.reason = reason
    self.version = version
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }

  /// The mark that it becomes, known from this moment on.
  package func mark(approvedBy person: PersonID?, at now: Instant) -> ValuationMark {
    ValuationMark(
      id: id, subject: subject, method: method, amount: amount, basis: basis, effectiveOn: effectiveOn, recordedAt: now,
      source: source, supersedes: supersedes, approvedBy: person, evidence: evidence, confidence: confidence,
      recordedBy: proposedBy)
  }
}

extension MarkProposal: Stored {
  package mutating func stamp(_ now: Instant) { updatedAt = now }
}

/// An objection to a mark. While one is open nothing is traded on the mark.
package struct MarkDispute: Sendable, Hashable {
  package enum State: String, Sendable, Hashable, CaseIterable {
    /// Successors: `withdrawn`, by whoever raised it; `dismissed`, by staff.
    case open
    case withdrawn, dismissed
  }

  package let id: MarkDisputeID
  /// Whose objection it is.
  package let organizationID: OrganizationID
  package let markID: ValuationID
  package let subject: ValuationSubject
  package let reason: String
  package var state: State
  package let raisedBy: PersonID
  package var closedBy: PersonID?
  package var closedAt: Instant?
  package var closingReason: String?
  package var version: Int64
  package let createdAt: Instant
  package var updatedAt: Instant

  package init(
    id: MarkDisputeID, organizationID: OrganizationID, markID: ValuationID, subject: ValuationSubject, reason: String,
    state: State = .open, raisedBy: PersonID, closedBy: PersonID? = nil, closedAt: Instant? = nil,
    closingReason: String? = nil, version: Int64 = 1, createdAt: Instant, updatedAt: Instant
  ) {
    self.id = id
    self.organizationID = organizationID
    self.markID = markID
    self.subject = subject
    self.reason = reason
    self.state = state
    self.raisedBy = raisedBy
    self.closedBy = closedBy
    self.closedAt = closedAt
    self.closingReason = closingReason
    self.version = version
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }
}

extension MarkDispute: Stored {
  package mutating func stamp(_ now: Instant) { updatedAt = now }
}

/// A file that is being imported, or was.
package struct ValuationImport: Sendable, Hashable {
  package enum Kind: String, Sendable, Hashable, CaseIterable {
    case rounds
    case chipPrices = "chip_prices"
    case ocf
  }

  package let id: ValuationImportID
  package let kind: Kind
  /// Of the file's bytes: the same file is the same import.
  package let fileDigest: SHA256Digest
  package let fileName: String
  /// How many lines it has, and how many of them are done.
  package let lines: Int64
  package var linesDone: Int64
  /// New here.
  package var recorded: Int64
  /// Known here already, as they stand.
  package var unchanged: Int64
  /// Of those recorded, that propose a mark.
  package var proposed: Int64
  package var refused: Int64
  /// Lines that were refused, and lines that were recorded and propose no mark, with why.
  package var findings: [LineFault]
  package let importedBy: PersonID
  package var version: Int64
  package let createdAt: Instant
  package var updatedAt: Instant

  package var isDone: Bool { linesDone == lines }

  package init(
    id: ValuationImportID, kind: Kind, fileDigest: SHA256Digest, fileName: String, lines: Int64, linesDone: Int64 = 0,
    recorded: Int64 = 0, unchanged: Int64 = 0, proposed: Int64 = 0, refused: Int64 = 0, findings: [LineFault] = [],
    importedBy: PersonID, version: Int64 = 1, createdAt: Instant, updatedAt: Instant
  ) {
    self.id = id
    self.kind = kind
    self.fileDigest = fileDigest
    self.fileName = fileName
    self.lines = lines
    self.linesDone = linesDone
    self.recorded = recorded
    self.unchanged = unchanged
    self.proposed = proposed
    self.refused = refused
    self.findings = findings
    self.importedBy = importedBy
    self.version = version
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }
}

extension ValuationImport: Stored {
  package mutating func stamp(_ now: Instant) { updatedAt = now }
}

extension LineFault {
  /// Fields, codes and reasons have no tabs.
  fileprivate var row: String { "\(line)\t\(field)\t\(code)\t\(detail)" }

  fileprivate init?(row: String) {
    let parts = row.split(separator: "\t", maxSplits: 3, omittingEmptySubsequences: false)
    guard parts.count == 4, let line = Int(parts[0]) else { return nil }
    self.init(line: line, field: String(parts[1]), code: String(parts[2]), detail: String(parts[3]))
  }
}

/// A report on a round, with where it came from.
package struct RoundReportRow: Sendable, Hashable {
  package let id: RoundReportID
  package let borrowerID: OrganizationID
  package let report: RoundReport
  /// The report that it says otherwise of.
  package let supersedes: RoundReportID?
  package let importID: ValuationImportID
  package let line: Int64
  package let recordedAt: Instant

  package init(
    id: RoundReportID, borrowerID: OrganizationID, report: RoundReport, supersedes: RoundReportID?,
    importID: ValuationImportID, line: Int64, recordedAt: Instant
  ) {
    self.id = id
    self.borrowerID = borrowerID
    self.report = report
    self.supersedes = supersedes
    self.importID = importID
    self.line = line
    self.recordedAt = recordedAt
  }
}

extension Tables {
  package static let markProposals = Table<MarkProposal>(
    "mark_proposals", sql: "mark_proposals", key: ["org_id", "id"], idColumn: "id",
    columns: [
      .uuid("org_id") { _ in OrganizationID.platform.value },
      .uuid("id") { $0.id.value },
      .uuidOrNull("startup_id") { $0.subject.startup?.value },
      .text("chip_model_id") { $0.subject.chipModel?.value },
      .text("method") { $0.method.rawValue },
      .text("basis") { $0.basis.rawValue },
      .int8("amount") { $0.amount.amount },
      .text("currency") { $0.amount.currency.code },
      .date("effective_on") { $0.effectiveOn },
      .text("source") { $0.source },
      .text("evidence") { $0.evidence },
      .text("confidence") { $0.confidence.rawValue },
      .uuidOrNull("supersedes") { $0.supersedes?.value },
      .text("state") { $0.state.rawValue },
      .uuid("proposed_by") { $0.proposedBy.value },
      .uuidOrNull("import_id") { $0.importID?.value },
      .uuidOrNull("decided_by") { $0.decidedBy?.value },
      .instant("decided_at") { $0.decidedAt },
      .text("reason") { $0.reason },
      .int8("version") { $0.version },
      .instant("created_at") { $0.createdAt },
      .instant("updated_at") { $0.updatedAt },
    ],
    names: ("mark_proposals_by_id", "mark_proposals_insert", "mark_proposals_update")
  ) { row in
    _ = try row.uuid()
    let id: ValuationID = try row.id()
    let subject = try row.valuationSubject()
    let (method, basis) = (try row.value(ValuationMethod.self), try row.value(ValuationBasis.self))
    return MarkProposal(
      id: id, subject: subject, method: method, basis: basis, amount: try row.money(), effectiveOn: try row.date(),
      source: try row.text(), evidence: try row.textOrNull(), confidence: try row.value(),
      supersedes: try row.idOrNull(), state: try row.value(), proposedBy: try row.id(), importID: try row.idOrNull(),
      decidedBy: try row.idOrNull(), decidedAt: try row.instantOrNull(), reason: try row.textOrNull(),
      version: try row.int(), createdAt: try row.instant(), updatedAt: try row.instant())
  }

  package static let markDisputes = Table<MarkDispute>(
    "mark_disputes", sql: "mark_disputes", key: ["org_id", "id"], idColumn: "id",
    columns: [
      .uuid("org_id") { $0.organizationID.value },
      .uuid("id") { $0.id.value },
      .uuid("mark_id") { $0.markID.value },
      .uuidOrNull("startup_id") { $0.subject.startup?.value },
      .text("chip_model_id") { $0.subject.chipModel?.value },
      .text("reason") { $0.reason },
      .text("state") { $0.state.rawValue },
      .uuid("raised_by") { $0.raisedBy.value },
      .uuidOrNull("closed_by") { $0.closedBy?.value },
      .instant("closed_at") { $0.closedAt },
      .text("closing_reason") { $0.closingReason },
      .int8("version") { $0.version },
      .instant("created_at") { $0.createdAt },
      .instant("updated_at") { $0.updatedAt },
    ],
    names: ("mark_disputes_by_id", "mark_disputes_insert", "mark_disputes_update")
  ) { row in
    let organization: OrganizationID = try row.id()
    let (id, markID): (MarkDisputeID, ValuationID) = (try row.id(), try row.id())
    let subject = try row.valuationSubject()
    return MarkDispute(
      id: id, organizationID: organization, markID: markID, subject: subject, reason: try row.text(),
      state: try row.value(), raisedBy: try row.id(), closedBy: try row.idOrNull(), closedAt: try row.instantOrNull(),
      closingReason: try row.textOrNull(), version: try row.int(), createdAt: try row.instant(),
      updatedAt: try row.instant())
  }

  package static let valuationImports = Table<ValuationImport>(
    "valuation_imports", sql: "valuation_imports", key: ["org_id", "id"], idColumn: "id",
    columns: [
      .uuid("org_id") { _ in OrganizationID.platform.value },
      .uuid("id") { $0.id.value },
      .text("kind") { $0.kind.rawValue },
      .bytes("file_digest") { $0.fileDigest.bytes },
      .text("file_name") { $0.fileName },
      .int8("lines") { $0.lines },
      .int8("lines_done") { $0.linesDone },
      .int8("recorded") { $0.recorded },
      .int8("unchanged") { $0.unchanged },
      .int8("proposed") { $0.proposed },
      .int8("refused") { $0.refused },
      .texts("findings") { $0.findings.map(\.row) },
      .uuid("imported_by") { $0.importedBy.value },
      .int8("version") { $0.version },
      .instant("created_at") { $0.createdAt },
      .instant("updated_at") { $0.updatedAt },
    ],
    names: ("valuation_imports_by_id", "valuation_imports_insert", "valuation_imports_update")
  ) { row in
    _ = try row.uuid()
    return ValuationImport(
      id: try row.id(), kind: try row.value(), fileDigest: try row.digest(), fileName: try row.text(),
      lines: try row.int(), linesDone: try row.int(), recorded: try row.int(), unchanged: try row.int(),
      proposed: try row.int(), refused: try row.int(), findings: try row.parsedList { LineFault(row: $0) },
      importedBy: try row.id(), version: try row.int(), createdAt: try row.instant(), updatedAt: try row.instant())
  }

  /// Never updated.
  package static let runwayReports = Table<RunwayReport>(
    "runway_reports", sql: "runway_reports", key: ["borrower_id", "id"], idColumn: "id",
    columns: [
      .uuid("borrower_id") { $0.startupID.value },
      .uuid("id") { $0.id.value },
      .date("reported_on") { $0.on },
      .int8("cash") { $0.cash.amount },
      .text("currency") { $0.cash.currency.code },
      .int8("monthly_burn") { $0.monthlyBurn },
      .text("evidence") { $0.evidence },
      .uuidOrNull("supersedes") { $0.supersedes?.value },
      .uuid("reported_by") { $0.reportedBy.value },
      .instant("recorded_at") { $0.recordedAt },
    ],
    names: ("runway_reports_by_id", "runway_reports_insert", nil)
  ) { row in
    let startup: OrganizationID = try row.id()
    let id: RunwayReportID = try row.id()
    let on = try row.date()
    let cash = try row.int()
    return RunwayReport(
      id: id, startupID: startup, on: on, cash: Money(cash, try row.currency()), monthlyBurn: try row.int(),
      evidence: try row.text(), supersedes: try row.idOrNull(), reportedBy: try row.id(),
      recordedAt: try row.instant())
  }

  /// Never updated.
  package static let roundReports = Table<RoundReportRow>(
    "round_reports", sql: "round_reports", key: ["borrower_id", "id"], idColumn: "id",
    columns: [
      .uuid("borrower_id") { $0.borrowerID.value },
      .uuid("id") { $0.id.value },
      .text("company") { $0.report.company },
      .text("jurisdiction") { $0.report.jurisdiction.value },
      .text("name") { $0.report.name },
      .text("kind") { $0.report.kind.rawValue },
      .text("status") { $0.report.status.rawValue },
      .text("announced") { $0.report.announced.text },
      .date("announced_on") { $0.report.announced.lastDay },
      .text("currency") { $0.report.currency.code },
      .int8("amount") { $0.report.amount },
      .int8("pre_money") { $0.report.preMoney },
      .int8("post_money") { $0.report.postMoney },
      .texts("investors") { $0.report.investors },
      .text("acquirer") { $0.report.acquirer },
      .text("certainty") { $0.report.certainty.rawValue },
      .text("source") { $0.report.source },
      .text("notes") { $0.report.notes },
      .bytes("fingerprint") { $0.report.fingerprint.bytes },
      .uuidOrNull("supersedes") { $0.supersedes?.value },
      .uuid("import_id") { $0.importID.value },
      .int8("line") { $0.line },
      .instant("recorded_at") { $0.recordedAt },
    ],
    names: ("round_reports_by_id", "round_reports_insert", nil)
  ) { row in
    let borrower: OrganizationID = try row.id()
    let id: RoundReportID = try row.id()
    let (company, jurisdiction, name) = (try row.text(), try row.country(), try row.text())
    let (kind, status) = (try row.value(RoundReport.Kind.self), try row.value(RoundReport.Status.self))
    let announced = try row.parsed { ReportedDate($0) }
    _ = try row.date()
    let report = RoundReport(
      company: company, jurisdiction: jurisdiction, name: name, announced: announced, currency: try row.currency(),
      amount: try row.intOrNull(), preMoney: try row.intOrNull(), postMoney: try row.intOrNull(),
      investors: try row.texts(), kind: kind, acquirer: try row.textOrNull(), status: status,
      certainty: try row.value(), source: try row.text(), notes: try row.textOrNull())
    guard try row.digest() == report.fingerprint else { throw StoredValueError(column: "fingerprint", value: name) }
    return RoundReportRow(
      id: id, borrowerID: borrower, report: report, supersedes: try row.idOrNull(), importID: try row.id(),
      line: try row.int(), recordedAt: try row.instant())
  }
}

extension RowReader {
  /// A startup's id and, in the next column, a chip model: one of the two.
  mutating func valuationSubject() throws -> ValuationSubject {
    let startup: OrganizationID? = try idOrNull()
    let chip = try parsedOrNull { ChipModelID($0) }
    if let startup { return .startup(startup) }
    guard let chip else { throw StoredValueError(column: "chip_model_id", value: "") }
    return .chipModel(chip)
  }
}
