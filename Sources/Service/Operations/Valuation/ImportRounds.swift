import Parties
import Persistence
import Primitives
import Valuation

/// How far an import is after a batch of its lines.
package struct ImportProgress: Sendable {
  package let record: ValuationImport
  /// Startups that were recorded since nobody knew them, unverified: with them nothing is matched.
  package let startups: [Organization]
}

/// What the lines of one batch came to.
struct ImportTally {
  var recorded: Int64 = 0
  var unchanged: Int64 = 0
  var proposed: Int64 = 0
  var refused: Int64 = 0
  var findings: [LineFault] = []
}

/// The record of an import: one for each file, and a batch goes on exactly where the one before it stopped.
struct ImportDesk {
  let key: ImportKey
  let fileName: String
  let lines: Int64
  /// Lines before this batch.
  let from: Int64

  var needs: Set<Need> { [.valuation(.importOfFile(key))] }

  /// The record as it stands; a new one at the first batch.
  /// - Throws: that the batch is not the next one.
  func open(_ draft: inout Draft, by person: PersonID) throws -> ValuationImport {
    let known = draft.base.valuation.importOfFile[key].flatMap { draft.find(\.valuationImports, $0) }
    let record =
      known
      ?? ValuationImport(
        id: draft.ids.next(), kind: key.kind, fileDigest: key.digest, fileName: fileName, lines: lines,
        importedBy: person, createdAt: draft.now, updatedAt: draft.now)
    guard record.lines == lines, record.linesDone == from else {
      throw ImportRefusal.notTheNextLine(from + 1, expected: record.linesDone + 1)
    }
    return record
  }

  func close(_ record: ValuationImport, _ tally: ImportTally, in draft: inout Draft) -> ValuationImport {
    var record = record
    // Each count is at most the number of lines of a file, which is bounded.
    record.linesDone += tally.recorded + tally.unchanged + tally.refused
    record.recorded += tally.recorded
    record.unchanged += tally.unchanged
    record.proposed += tally.proposed
    record.refused += tally.refused
    record.findings += tally.findings
    record = draft.put(\.valuationImports, record)
    draft.made.subject = record.id.value
    if record.isDone {
      draft.happen(
        "valuation_import.done", record.id, version: record.version, to: (.platform, nil),
        [
          ("lines", .number(record.lines)), ("recorded", .number(record.recorded)),
          ("proposed", .number(record.proposed)), ("refused", .number(record.refused)),
        ])
    }
    return record
  }
}

/// Takes some lines of a file of rounds in. Each becomes a report, which is evidence; where a mark may follow from it, the
/// mark is proposed, for a second person to approve. A line that says otherwise of a round than an earlier file did
/// corrects it: its mark, once approved, supersedes the other.
package struct ImportRounds: Command {
  package static let action = "valuation_import.rounds"
  package var staffDuty: Duty? { .risk }
  private let desk: ImportDesk
  private let lines: [ImportLine<RoundReport>]

  /// - Parameters:
  ///   - kind: `rounds`, which makes startups that nobody knows; `ocf`, a startup's own cap table, which does not.
  ///   - from: lines of the file that come before these.
  package init(
    kind: ValuationImport.Kind = .rounds, digest: SHA256Digest, fileName: String, total: Int64, from: Int64,
    lines: [ImportLine<RoundReport>]
  ) {
    desk = ImportDesk(key: ImportKey(kind: kind, digest: digest), fileName: fileName, lines: total, from: from)
    self.lines = lines
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    var needs = desk.needs
    for line in lines {
      guard let report = line.value else { continue }
      needs.insert(.valuation(.organizationsNamed(report.company)))
      for startup in state.valuation.organizationsNamed[report.company] ?? [] {
        needs.insert(.valuation(.reports(startup)))
        for row in state.valuation.reports[startup] ?? [] where row.report.isAboutSameRound(as: report) {
          if let key = markKey(row) { needs.insert(.valuation(.standing(key))) }
        }
      }
    }
    return needs
  }

  // Two processes that import do so one after the other.
  package func heads(_ state: BatchState) -> Set<OrganizationID> { [.platform] }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> ImportProgress {
    try principal.require(.admin)
    let person = try principal.requirePerson()
    let record = try desk.open(&draft, by: person)
    var tally = ImportTally()
    var startups: [Organization] = []
    for line in lines {
      guard let report = line.value else {
        tally.refused += 1
        tally.findings += line.faults
        continue
      }
      do {
        let startup = try startup(of: report, line, &startups, in: &draft)
        try take(report, line, of: startup, record, &tally, by: person, in: &draft)
      } catch let fault as LineFault {
        tally.refused += 1
        tally.findings.append(fault)
      }
    }
    return ImportProgress(record: desk.close(record, tally, in: &draft), startups: startups)
  }

  /// The startup of this name, made where there is none: unverified, so that nothing is lent to it.
  private func startup(
    of report: RoundReport, _ line: ImportLine<RoundReport>, _ made: inout [Organization], in draft: inout Draft
  ) throws -> OrganizationID {
    if let known = made.first(where: { $0.legalName == report.company }) { return known.id }
    let known = draft.base.valuation.organizationsNamed[report.company] ?? []
    guard known.count < 2 else {
      throw LineFault(
        line: line.line, field: "company", code: "round.company_ambiguous",
        detail: "\(known.count) organisations have this name")
    }
    if let id = known.first {
      guard draft.find(\.organizations, id)?.roles.contains(.startup) == true else {
        throw LineFault(
          line: line.line, field: "company", code: "round.not_a_startup",
          detail: "the organisation of this name is no startup")
      }
      return id
    }
    guard desk.key.kind == .rounds else {
      throw LineFault(
        line: line.line, field: "company", code: "round.no_such_startup", detail: "no organisation has this name")
    }
    let create = CreateOrganization(
      legalName: report.company, jurisdiction: report.jurisdiction, ultimateParentJurisdiction: nil, groupID: nil,
      roles: [.startup], owners: [], sites: [])
    let organization = try create.decide(&draft, by: .automation)
    made.append(organization)
    return organization.id
  }

  private func take(
    _ report: RoundReport, _ line: ImportLine<RoundReport>, of startup: OrganizationID, _ record: ValuationImport,
    _ tally: inout ImportTally, by person: PersonID, in draft: inout Draft
  ) throws {
    let rows =
      (draft.base.valuation.reports[startup] ?? [])
      + draft.made.valuation.reports.filter { $0.borrowerID == startup }
    if rows.contains(where: { $0.report.fingerprint == report.fingerprint }) {
      tally.unchanged += 1
      return
    }
    let corrected = Set(rows.compactMap(\.supersedes))
    let earlier = rows.last { $0.report.isAboutSameRound(as: report) && !corrected.contains($0.id) }
    let row = RoundReportRow(
      id: draft.ids.next(), borrowerID: startup, report: report, supersedes: earlier?.id, importID: record.id,
      line: Int64(line.line), recordedAt: draft.now)
    draft.made.valuation.reports.append(row)
    tally.recorded += 1
    if let why = report.noMark(on: draft.today) {
      tally.findings.append(LineFault(line: line.line, field: why.field, code: why.rawValue, detail: why.detail))
      return
    }
    guard let method = report.kind.method, let postMoney = report.postMoney else { return }
    let wrong = earlier.flatMap { markKey($0) }.flatMap { draft.base.valuation.standing[$0] }
    draft.put(
      \.markProposals,
      MarkProposal(
        id: draft.ids.next(), subject: .startup(startup), method: method, basis: .postMoney,
        amount: Money(postMoney, report.currency), effectiveOn: report.announced.lastDay, source: report.markSource,
        evidence: row.id.description, confidence: report.certainty.confidence, supersedes: wrong, proposedBy: person,
        importID: record.id, createdAt: draft.now, updatedAt: draft.now))
    tally.proposed += 1
  }

  /// What a mark of this report says, so that it is found again.
  private func markKey(_ row: RoundReportRow) -> MarkKey? {
    let report = row.report
    guard let method = report.kind.method else { return nil }
    return MarkKey(
      subject: .startup(row.borrowerID), basis: .postMoney, method: method, effectiveOn: report.announced.lastDay,
      source: report.markSource)
  }
}

extension RoundReport {
  /// The source of a mark that follows from it: the round, and who says so.
  fileprivate var markSource: String { String("\(name): \(source)".prefix(480)) }
}

/// Why no line of a batch is taken in.
package enum ImportRefusal: Refusal, Hashable {
  case notTheNextLine(Int64, expected: Int64)

  package var kind: RefusalKind { .conflict }
  package var code: String { "valuation_import.not_the_next_line" }

  package var detail: String {
    switch self {
    case .notTheNextLine(let line, let expected):
      "Record \(line) of the file is not the next one to import; that is record \(expected)."
    }
  }
}
