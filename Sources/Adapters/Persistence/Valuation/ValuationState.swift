import Parties
import Postgres
import Primitives
import Valuation

/// What a mark says of which day: two that agree in all of it are never both held true.
package struct MarkKey: Sendable, Hashable {
  package let subject: ValuationSubject
  package let basis: ValuationBasis
  package let method: ValuationMethod
  package let effectiveOn: CalendarDate
  package let source: String

  package init(
    subject: ValuationSubject, basis: ValuationBasis, method: ValuationMethod, effectiveOn: CalendarDate,
    source: String
  ) {
    self.subject = subject
    self.basis = basis
    self.method = method
    self.effectiveOn = effectiveOn
    self.source = source
  }

  package init(_ mark: ValuationMark) {
    subject = mark.subject
    basis = mark.basis
    method = mark.method
    effectiveOn = mark.effectiveOn
    source = mark.source
  }

  package init(_ proposal: MarkProposal) {
    subject = proposal.subject
    basis = proposal.basis
    method = proposal.method
    effectiveOn = proposal.effectiveOn
    source = proposal.source
  }
}

/// A file by its kind and the digest of its bytes.
package struct ImportKey: Sendable, Hashable {
  package let kind: ValuationImport.Kind
  package let digest: SHA256Digest

  package init(kind: ValuationImport.Kind, digest: SHA256Digest) {
    self.kind = kind
    self.digest = digest
  }
}

/// A chip model on a day.
package struct ChipDay: Sendable, Hashable, Comparable {
  package let chip: ChipModelID
  package let on: CalendarDate

  package init(_ chip: ChipModelID, on date: CalendarDate) {
    self.chip = chip
    on = date
  }

  package static func < (left: Self, right: Self) -> Bool { (left.chip, left.on) < (right.chip, right.on) }
}

/// Something of marks and their sources that a command must see.
package enum ValuationNeed: Sendable, Hashable {
  case mark(ValuationID)
  /// The mark that stands for this, if one does.
  case standing(MarkKey)
  /// The price mark of a chip that stands now: one row, however long the history is.
  case tradingMark(ChipModelID)
  /// The newest post-money of a startup that stands now.
  case startupMark(OrganizationID)
  /// The price mark of a chip that stands now for a day.
  case dayMark(ChipDay)
  /// The open disputes of a subject's marks.
  case disputes(of: ValuationSubject)
  case proposal(ValuationID)
  case dispute(MarkDisputeID)
  case importRecord(ValuationImportID)
  case importOfFile(ImportKey)
  /// Of an import, those that wait for a decision.
  case proposalsOfImport(ValuationImportID)
  /// Organisations other than the platform for which a person has a key.
  case organizationsOfPerson(PersonID)
  /// Organisations of exactly this legal name.
  case organizationsNamed(String)
  /// What was said of a startup's rounds.
  case reports(OrganizationID)
  /// What a startup reported of its cash.
  case runway(OrganizationID)
  /// Whether a quote with this fingerprint is known.
  case quote(SHA256Digest)
  case series(MarkSeriesID)
  /// The series that hold, and the quotes of their windows up to a date.
  case derivation(on: CalendarDate)
}

/// What was looked up of it.
package struct ValuationState: Sendable {
  package var marks: [ValuationID: ValuationMark] = [:]
  package var standing: [MarkKey: ValuationID] = [:]
  /// nil within, where no mark stands, or where the batch itself corrected the one that did by one of an earlier day: then
  /// which one stands is known to the next batch.
  package var tradingMarks: [ChipModelID: ValuationMark?] = [:]
  /// As for chips.
  package var startupMarks: [OrganizationID: ValuationMark?] = [:]
  /// As ``tradingMarks``, of what is effective up to a day.
  package var dayMarks: [ChipDay: ValuationMark?] = [:]
  package var openDisputes: [ValuationSubject: [MarkDisputeID]] = [:]
  package var importOfFile: [ImportKey: ValuationImportID] = [:]
  package var proposalsOfImport: [ValuationImportID: [ValuationID]] = [:]
  package var organizationsOfPerson: [PersonID: [OrganizationID]] = [:]
  package var organizationsNamed: [String: [OrganizationID]] = [:]
  package var reports: [OrganizationID: [RoundReportRow]] = [:]
  package var runway: [OrganizationID: [RunwayReport]] = [:]
  package var knownQuotes: Set<SHA256Digest> = []
  package var derivation: [CalendarDate: DerivationBasis] = [:]

  package init() {}

  mutating func absorb(_ made: Made) {
    for mark in made.marks { take(mark) }
    for dispute in made.overlay.markDisputes.insertedRows { openDisputes[dispute.subject]?.append(dispute.id) }
    for (dispute, _, _) in made.overlay.markDisputes.updatedRows where dispute.state != .open {
      openDisputes[dispute.subject]?.removeAll { $0 == dispute.id }
    }
    for record in made.overlay.valuationImports.insertedRows {
      importOfFile[ImportKey(kind: record.kind, digest: record.fileDigest)] = record.id
    }
    for proposal in made.overlay.markProposals.insertedRows {
      if let id = proposal.importID { proposalsOfImport[id]?.append(proposal.id) }
    }
    for organization in made.overlay.organizations.insertedRows {
      organizationsNamed[organization.legalName]?.append(organization.id)
    }
    for row in made.valuation.reports { reports[row.borrowerID]?.append(row) }
    for row in made.valuation.runway { runway[row.startupID]?.append(row) }
    for row in made.valuation.quotes { knownQuotes.insert(row.quote.fingerprint) }
    if !derivation.isEmpty { absorbDerivation(made) }
  }

  private mutating func absorbDerivation(_ made: Made) {
    let approved = made.overlay.markSeries.updatedRows.map(\.row).filter { $0.state == .approved }
    for date in derivation.keys {
      for row in approved {
        derivation[date]?.series.removeAll { $0.series.chip == row.series.chip && $0.series.kind == row.series.kind }
        derivation[date]?.series.append(row)
      }
      derivation[date]?.quotes += made.valuation.quotes.filter { $0.quote.quotedOn <= date }
    }
  }

  /// A new mark, and what it says of the one that it corrects.
  private mutating func take(_ mark: ValuationMark) {
    if let wrong = mark.supersedes, let before = marks[wrong] {
      marks[wrong] = before.superseded(at: mark.recordedAt)
      standing[MarkKey(before)] = nil
    }
    marks[mark.id] = mark
    standing[MarkKey(mark)] = mark.id
    if mark.basis == .perChip, let chip = mark.subject.chipModel, let before = tradingMarks[chip] {
      tradingMarks[chip] = .some(Self.later(mark, before))
    }
    if mark.basis == .postMoney, let startup = mark.subject.startup, let before = startupMarks[startup] {
      startupMarks[startup] = .some(Self.later(mark, before))
    }
    if mark.basis == .perChip, !dayMarks.isEmpty {
      for (day, before) in dayMarks where day.chip == mark.subject.chipModel && mark.effectiveOn <= day.on {
        dayMarks[day] = .some(Self.later(mark, before))
      }
    }
  }

  /// Which of a new mark and the one that stood is traded on.
  package static func later(_ mark: ValuationMark, _ before: ValuationMark?) -> ValuationMark? {
    guard let before else { return mark }
    if mark.supersedes == before.id { return mark.effectiveOn < before.effectiveOn ? nil : mark }
    let isLater =
      (mark.effectiveOn, mark.recordedAt, mark.id) > (before.effectiveOn, before.recordedAt, before.id)
    return isLater ? mark : before
  }
}

/// What one command did to it, marks and rows with versions apart.
package struct ValuationChanges: Sendable {
  package var reports: [RoundReportRow] = []
  package var runway: [RunwayReport] = []
  package var quotes: [ChipQuoteRow] = []
  package var derivations: [MarkDerivationRow] = []

  package init() {}

  mutating func absorb(_ other: ValuationChanges) {
    reports += other.reports
    runway += other.runway
    quotes += other.quotes
    derivations += other.derivations
  }
}

/// The marks of a batch, as they are written: what corrects closes what it corrects, in the same transaction.
struct NewMarks {
  private(set) var ofChips: [ValuationMark] = []
  private(set) var ofStartups: [ValuationMark] = []
  /// Statements that close marks of earlier batches, and how many each must find standing.
  private(set) var corrections: [(Query, Int)] = []

  init(_ marks: [ValuationMark]) {
    var closedAt: [ValuationID: Instant] = [:]
    for mark in marks { if let wrong = mark.supersedes { closedAt[wrong] = mark.recordedAt } }
    let written = marks.map { mark in closedAt[mark.id].map { mark.superseded(at: $0) } ?? mark }
    ofChips = written.filter { $0.subject.chipModel != nil }
    ofStartups = written.filter { $0.subject.startup != nil }
    let own = Set(marks.map(\.id))
    let earlier = marks.filter { mark in mark.supersedes.map { !own.contains($0) } ?? false }
    for (statement, group) in [
      (MarkSQL.closeStartupMarks, earlier.filter { $0.subject.startup != nil }),
      (MarkSQL.closeChipMarks, earlier.filter { $0.subject.chipModel != nil }),
    ] where !group.isEmpty {
      let query = Query(
        statement,
        [
          .uuidArray(group.map { $0.supersedes?.value.bits }),
          .timestamptzArray(group.map(\.recordedAt.microseconds)),
        ])
      corrections.append((query, group.count))
    }
  }
}
