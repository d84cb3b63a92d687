import Postgres
import Primitives
import Repayment

/// Terms among the lenders of a startup, from a day on. Terms of a later day replace them, and of one day the last.
package struct StartupWaterfalls: Sendable, Hashable {
  package let id: WaterfallsID
  package let borrowerID: OrganizationID
  package let effectiveOn: CalendarDate
  package let terms: IntercreditorTerms
  /// Where the agreement is.
  package let evidence: String
  package let setBy: PersonID
  package let recordedAt: Instant

  package init(
    id: WaterfallsID, borrowerID: OrganizationID, effectiveOn: CalendarDate, terms: IntercreditorTerms,
    evidence: String, setBy: PersonID, recordedAt: Instant
  ) {
    self.id = id
    self.borrowerID = borrowerID
    self.effectiveOn = effectiveOn
    self.terms = terms
    self.evidence = evidence
    self.setBy = setBy
    self.recordedAt = recordedAt
  }
}

extension [StartupWaterfalls] {
  /// The terms in effect on a day.
  package func terms(on date: CalendarDate) -> IntercreditorTerms {
    filter { $0.effectiveOn <= date }
      .max { ($0.effectiveOn, $0.recordedAt, $0.id) < ($1.effectiveOn, $1.recordedAt, $1.id) }?.terms ?? .standard
  }
}

extension Tables {
  /// Never updated.
  package static let startupWaterfalls = Table<StartupWaterfalls>(
    "startup_waterfalls", sql: "startup_waterfalls", key: ["borrower_id", "id"], idColumn: "id",
    columns: [
      .uuid("borrower_id") { $0.borrowerID.value },
      .uuid("id") { $0.id.value },
      .date("effective_on") { $0.effectiveOn },
      .text("terms") { String(decoding: $0.terms.json, as: UTF8.self) },
      .text("evidence") { $0.evidence },
      .uuid("set_by") { $0.setBy.value },
      .instant("recorded_at") { $0.recordedAt },
    ],
    names: ("startup_waterfalls_by_id", "startup_waterfalls_insert", nil)
  ) { row in
    let borrower: OrganizationID = try row.id()
    return StartupWaterfalls(
      id: try row.id(), borrowerID: borrower, effectiveOn: try row.date(),
      terms: try row.parsed { try? IntercreditorTerms(parsing: Array($0.utf8)) }, evidence: try row.text(),
      setBy: try row.id(), recordedAt: try row.instant())
  }
}
