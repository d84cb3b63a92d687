import Postgres
import Primitives
import Repayment

/// A closing that brought less cash than was reported of it.
package struct ClosingCorrection: Sendable, Hashable {
  package let id: ClosingCorrectionID
  package let borrowerID: OrganizationID
  package let roundID: FundingRoundID
  package let closingID: ClosingID
  package let was: Int64
  /// Below `was`.
  package let becomes: Money
  package let reason: String
  /// It came after the closing was swept: dues were withdrawn as far as they were not paid.
  package let isAfterSweep: Bool
  package let correctedOn: CalendarDate
  package let correctedBy: PersonID
  package let recordedAt: Instant

  package init(
    id: ClosingCorrectionID, borrowerID: OrganizationID, roundID: FundingRoundID, closingID: ClosingID, was: Int64,
    becomes: Money, reason: String, isAfterSweep: Bool, correctedOn: CalendarDate, correctedBy: PersonID,
    recordedAt: Instant
  ) {
    self.id = id
    self.borrowerID = borrowerID
    self.roundID = roundID
    self.closingID = closingID
    self.was = was
    self.becomes = becomes
    self.reason = reason
    self.isAfterSweep = isAfterSweep
    self.correctedOn = correctedOn
    self.correctedBy = correctedBy
    self.recordedAt = recordedAt
  }
}

extension Tables {
  /// Never updated.
  package static let closingCorrections = Table<ClosingCorrection>(
    "closing_corrections", sql: "closing_corrections", key: ["borrower_id", "id"], idColumn: "id",
    columns: [
      .uuid("borrower_id") { $0.borrowerID.value },
      .uuid("id") { $0.id.value },
      .uuid("round_id") { $0.roundID.value },
      .uuid("closing_id") { $0.closingID.value },
      .int8("was") { $0.was },
      .int8("becomes") { $0.becomes.amount },
      .text("currency") { $0.becomes.currency.code },
      .text("reason") { $0.reason },
      .bool("after_sweep") { $0.isAfterSweep },
      .date("corrected_on") { $0.correctedOn },
      .uuid("corrected_by") { $0.correctedBy.value },
      .instant("recorded_at") { $0.recordedAt },
    ],
    names: ("closing_corrections_by_id", "closing_corrections_insert", nil)
  ) { row in
    let borrower: OrganizationID = try row.id()
    return ClosingCorrection(
      id: try row.id(), borrowerID: borrower, roundID: try row.id(), closingID: try row.id(), was: try row.int(),
      becomes: try row.money(), reason: try row.text(), isAfterSweep: try row.bool(), correctedOn: try row.date(),
      correctedBy: try row.id(), recordedAt: try row.instant())
  }
}
