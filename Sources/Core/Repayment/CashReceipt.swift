import Primitives

/// Where cash came from; each source has its waterfall.
package enum CashSource: String, Sendable, Hashable, CaseIterable {
  case round, instalment, collateral, insurance, guarantee
}

/// Cleared money that arrived.
package struct CashReceipt: Sendable, Hashable {
  /// That money in suspense turned out to be of a startup.
  package struct Assignment: Sendable, Hashable {
    package let payerID: OrganizationID
    package let by: PersonID
    /// The business date that it was booked on.
    package let on: CalendarDate

    package init(payerID: OrganizationID, by: PersonID, on: CalendarDate) {
      self.payerID = payerID
      self.by = by
      self.on = on
    }
  }

  /// Why a part was left over.
  package enum RemainderReason: String, Sendable, Hashable, CaseIterable {
    /// What was due in its currency is paid.
    case nothingDue = "nothing_due"
    /// Debt is due, but in another currency: it stays on account until it is converted.
    case otherCurrency = "other_currency"
  }

  package let id: CashReceiptID
  /// The payer, or the platform while the payer is unknown: then the money is in suspense.
  package let organizationID: OrganizationID
  package let receivedOn: CalendarDate
  package let amount: Money
  package let source: CashSource
  package let reference: String?
  /// What no claim took.
  package var remainder: Int64
  package var assignment: Assignment?
  /// nil where nothing was left, where the payer is not known, and on receipts from before it was kept.
  package var remainderReason: RemainderReason?
  /// What of it was turned into another currency, minor units.
  package var converted: Int64
  package var version: Int64
  package let createdAt: Instant

  package init(
    id: CashReceiptID, organizationID: OrganizationID, receivedOn: CalendarDate, amount: Money, source: CashSource,
    reference: String?, remainder: Int64, assignment: Assignment? = nil, remainderReason: RemainderReason? = nil,
    converted: Int64 = 0, version: Int64 = 1, createdAt: Instant
  ) {
    self.assignment = assignment
    self.remainderReason = remainderReason
    self.converted = converted
    self.id = id
    self.organizationID = organizationID
    self.receivedOn = receivedOn
    self.amount = amount
    self.source = source
    self.reference = reference
    self.remainder = remainder
    self.version = version
    self.createdAt = createdAt
  }
}

/// What a lender was paid on one day in one currency.
package struct Payout: Sendable, Hashable {
  package let id: PayoutID
  package let lenderID: OrganizationID
  package let businessDate: CalendarDate
  package let gross: Money
  package let platformFee: Int64
  package let runID: SettlementRunID
  package let recordedAt: Instant

  package init(
    id: PayoutID, lenderID: OrganizationID, businessDate: CalendarDate, gross: Money, platformFee: Int64,
    runID: SettlementRunID, recordedAt: Instant
  ) {
    self.id = id
    self.lenderID = lenderID
    self.businessDate = businessDate
    self.gross = gross
    self.platformFee = platformFee
    self.runID = runID
    self.recordedAt = recordedAt
  }

  package var net: Int64 { gross.amount - platformFee }
}
