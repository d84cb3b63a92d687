import Postgres
import Primitives
import Repayment

/// A lender declined its part of a closing's sweep before the money was divided.
package struct PrepaymentDecline: Sendable, Hashable {
  package let id: PrepaymentDeclineID
  package let borrowerID: OrganizationID
  package let roundID: FundingRoundID
  package let closingID: ClosingID
  package let loanID: LoanID
  package let lenderID: OrganizationID
  /// What was due to it because of the closing.
  package let amount: Money
  package let goesTo: WaterfallDefinition.DeclinedTo
  /// What nobody takes, minor units; the startup keeps it.
  package let returned: Int64
  package let declinedOn: CalendarDate
  package let declinedBy: PersonID?
  package let digest: SHA256Digest
  /// The canonical bytes of `DeclinedDues`.
  package let bytes: [UInt8]
  package let recordedAt: Instant

  package init(
    id: PrepaymentDeclineID, borrowerID: OrganizationID, roundID: FundingRoundID, closingID: ClosingID, loanID: LoanID,
    lenderID: OrganizationID, amount: Money, goesTo: WaterfallDefinition.DeclinedTo, returned: Int64,
    declinedOn: CalendarDate, declinedBy: PersonID?, digest: SHA256Digest, bytes: [UInt8], recordedAt: Instant
  ) {
    self.id = id
    self.borrowerID = borrowerID
    self.roundID = roundID
    self.closingID = closingID
    self.loanID = loanID
    self.lenderID = lenderID
    self.amount = amount
    self.goesTo = goesTo
    self.returned = returned
    self.declinedOn = declinedOn
    self.declinedBy = declinedBy
    self.digest = digest
    self.bytes = bytes
    self.recordedAt = recordedAt
  }

  package init(
    _ dues: DeclinedDues, id: PrepaymentDeclineID, of borrower: OrganizationID, _ round: FundingRoundID,
    _ currency: Currency, by person: PersonID?, recordedAt: Instant
  ) {
    let bytes = dues.canonicalBytes
    self.init(
      id: id, borrowerID: borrower, roundID: round, closingID: dues.closingID, loanID: dues.loanID,
      lenderID: dues.lenderID, amount: Money(dues.amount, currency), goesTo: dues.goesTo, returned: dues.returned,
      declinedOn: dues.declinedOn, declinedBy: person, digest: SHA256Digest(of: bytes), bytes: bytes,
      recordedAt: recordedAt)
  }
}

extension Tables {
  /// Never updated.
  package static let prepaymentDeclines = Table<PrepaymentDecline>(
    "prepayment_declines", sql: "prepayment_declines", key: ["borrower_id", "id"], idColumn: "id",
    columns: [
      .uuid("borrower_id") { $0.borrowerID.value },
      .uuid("id") { $0.id.value },
      .uuid("round_id") { $0.roundID.value },
      .uuid("closing_id") { $0.closingID.value },
      .uuid("loan_id") { $0.loanID.value },
      .uuid("lender_id") { $0.lenderID.value },
      .int8("amount") { $0.amount.amount },
      .text("currency") { $0.amount.currency.code },
      .text("goes_to") { $0.goesTo.rawValue },
      .int8("returned") { $0.returned },
      .date("declined_on") { $0.declinedOn },
      .uuidOrNull("declined_by") { $0.declinedBy?.value },
      .bytes("digest") { $0.digest.bytes },
      .bytes("bytes") { $0.bytes },
      .instant("recorded_at") { $0.recordedAt },
    ],
    names: ("prepayment_declines_by_id", "prepayment_declines_insert", nil)
  ) { row in
    let borrower: OrganizationID = try row.id()
    return PrepaymentDecline(
      id: try row.id(), borrowerID: borrower, roundID: try row.id(), closingID: try row.id(), loanID: try row.id(),
      lenderID: try row.id(), amount: try row.money(), goesTo: try row.value(), returned: try row.int(),
      declinedOn: try row.date(), declinedBy: try row.idOrNull(), digest: try row.digest(), bytes: try row.bytes(),
      recordedAt: try row.instant())
  }
}
