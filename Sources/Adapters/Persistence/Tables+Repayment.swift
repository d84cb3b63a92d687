import Postgres
import Primitives
import Repayment

/// What a receipt paid on one step of one loan.
package struct AllocationRow: Sendable, Hashable {
  package let borrowerID: OrganizationID
  package let receiptID: CashReceiptID
  package let loanID: LoanID
  /// The raw value of a `WaterfallStep`.
  package let step: String
  package let lenderID: OrganizationID
  package let amount: Money
  package let allocatedOn: CalendarDate

  package init(
    borrowerID: OrganizationID, receiptID: CashReceiptID, loanID: LoanID, step: String, lenderID: OrganizationID,
    amount: Money, allocatedOn: CalendarDate
  ) {
    self.borrowerID = borrowerID
    self.receiptID = receiptID
    self.loanID = loanID
    self.step = step
    self.lenderID = lenderID
    self.amount = amount
    self.allocatedOn = allocatedOn
  }
}

/// The stored record of a sweep, of a division of money, of a claw-back of it, or of a conversion of debt into shares.
package struct ExplanationRow: Sendable, Hashable {
  package enum Kind: String, Sendable, Hashable, CaseIterable {
    /// A `SweepExplanation`; the subject is the closing.
    case sweep
    /// An `AllocationExplanation`; the subject is the receipt.
    case allocation
    /// The `SweepExplanation` of a closing with less cash; the subject is the correction.
    case correction
    /// A `ClawbackExplanation`; the subject is the claw-back.
    case clawBack = "claw_back"
    /// A `ConversionExplanation`; the subject is the conversion.
    case conversion
  }

  package let borrowerID: OrganizationID
  package let subjectID: UUIDValue
  package let kind: Kind
  package let digest: SHA256Digest
  /// The record's canonical bytes.
  package let bytes: [UInt8]
  package let recordedAt: Instant

  package init(
    borrowerID: OrganizationID, subjectID: UUIDValue, kind: Kind, digest: SHA256Digest, bytes: [UInt8],
    recordedAt: Instant
  ) {
    self.borrowerID = borrowerID
    self.subjectID = subjectID
    self.kind = kind
    self.digest = digest
    self.bytes = bytes
    self.recordedAt = recordedAt
  }

  /// - Parameter correction: of which this is the record; nil for the sweep itself.
  package init(
    _ explanation: SweepExplanation, of borrower: OrganizationID, correction: ClosingCorrectionID? = nil,
    recordedAt: Instant
  ) {
    let bytes = explanation.canonicalBytes
    self.init(
      borrowerID: borrower, subjectID: (correction?.value ?? explanation.closing.id.value),
      kind: correction == nil ? .sweep : .correction, digest: SHA256Digest(of: bytes), bytes: bytes,
      recordedAt: recordedAt)
  }

  package init(
    _ explanation: AllocationExplanation, of receipt: CashReceiptID, _ borrower: OrganizationID, recordedAt: Instant
  ) {
    let bytes = explanation.canonicalBytes
    self.init(
      borrowerID: borrower, subjectID: receipt.value, kind: .allocation, digest: SHA256Digest(of: bytes), bytes: bytes,
      recordedAt: recordedAt)
  }

  package init(
    _ explanation: ClawbackExplanation, of clawback: ClawbackID, _ borrower: OrganizationID, recordedAt: Instant
  ) {
    let bytes = explanation.canonicalBytes
    self.init(
      borrowerID: borrower, subjectID: clawback.value, kind: .clawBack, digest: SHA256Digest(of: bytes), bytes: bytes,
      recordedAt: recordedAt)
  }
}

extension ExplanationRow {
  package init(_ explanation: ConversionExplanation, of conversion: LoanConversion) {
    let bytes = explanation.canonicalBytes
    self.init(
      borrowerID: conversion.borrowerID, subjectID: conversion.id.value, kind: .conversion,
      digest: SHA256Digest(of: bytes), bytes: bytes, recordedAt: conversion.recordedAt)
  }
}

/// Nil where one of its columns is: the table holds that all of them are, or none.
private func roundPricing(_ row: inout RowReader) throws -> RoundPricing? {
  let (price, shares, capitalisation) = (try row.intOrNull(), try row.intOrNull(), try row.intOrNull())
  guard let price, let shares, let capitalisation else { return nil }
  return try RoundPricing(price: SharePrice(price, for: shares), capitalisation: capitalisation)
}

extension Tables {
  package static let fundingRounds = Table<FundingRound>(
    "funding_rounds", sql: "funding_rounds", key: ["borrower_id", "id"], idColumn: "id",
    columns: [
      .uuid("borrower_id") { $0.borrowerID.value },
      .uuid("id") { $0.id.value },
      .text("kind") { $0.kind.rawValue },
      .text("name") { $0.name },
      .date("announced_on") { $0.announcedOn },
      .text("currency") { $0.currency.code },
      .int8("amount") { $0.amount },
      .int8("pre_money") { $0.preMoney },
      .int8("post_money") { $0.postMoney },
      .text("acquirer") { $0.acquirer },
      .uuidOrNull("acquirer_id") { $0.acquirerID?.value },
      .date("choose_by") { $0.chooseBy },
      .int8("share_price") { $0.pricing?.price.minorUnits },
      .int8("share_price_shares") { $0.pricing?.price.shares },
      .int8("capitalisation") { $0.pricing?.capitalisation },
      .text("evidence") { $0.evidence },
      .text("state") { $0.state.rawValue },
      .uuidOrNull("reported_by") { $0.reportedBy?.value },
      .uuidOrNull("verified_by") { $0.verifiedBy?.value },
      .date("decided_on") { $0.decidedOn },
      .text("reason") { $0.reason },
      .int8("version") { $0.version },
      .instant("created_at") { $0.createdAt },
      .instant("updated_at") { $0.updatedAt },
    ],
    names: ("funding_rounds_by_id", "funding_rounds_insert", "funding_rounds_update")
  ) { row in
    let borrower: OrganizationID = try row.id()
    return FundingRound(
      id: try row.id(), borrowerID: borrower, kind: try row.value(), name: try row.text(),
      announcedOn: try row.date(), currency: try row.currency(), amount: try row.intOrNull(),
      preMoney: try row.intOrNull(), postMoney: try row.intOrNull(), acquirer: try row.textOrNull(),
      acquirerID: try row.idOrNull(), chooseBy: try row.dateOrNull(), pricing: try roundPricing(&row),
      evidence: try row.textOrNull(),
      state: try row.value(), reportedBy: try row.idOrNull(),
      verifiedBy: try row.idOrNull(), decidedOn: try row.dateOrNull(), reason: try row.textOrNull(),
      version: try row.int(), createdAt: try row.instant(), updatedAt: try row.instant())
  }

  package static let fundingClosings = Table<FundingClosing>(
    "funding_closings", sql: "funding_closings", key: ["borrower_id", "id"], idColumn: "id",
    columns: [
      .uuid("borrower_id") { $0.borrowerID.value },
      .uuid("id") { $0.id.value },
      .uuid("round_id") { $0.roundID.value },
      .date("closed_on") { $0.closedOn },
      .int8("net_new_cash") { $0.netNewCash.amount },
      .text("currency") { $0.netNewCash.currency.code },
      .text("state") { $0.state.rawValue },
      .date("swept_on") { $0.sweptOn },
      .int8("version") { $0.version },
    ],
    names: ("funding_closings_by_id", "funding_closings_insert", "funding_closings_update")
  ) { row in
    let borrower: OrganizationID = try row.id()
    return FundingClosing(
      id: try row.id(), borrowerID: borrower, roundID: try row.id(), closedOn: try row.date(),
      netNewCash: try row.money(), state: try row.value(), sweptOn: try row.dateOrNull(), version: try row.int())
  }

  package static let cashReceipts = Table<CashReceipt>(
    "cash_receipts", sql: "cash_receipts", key: ["org_id", "id"], idColumn: "id",
    columns: [
      .uuid("org_id") { $0.organizationID.value },
      .uuid("id") { $0.id.value },
      .date("received_on") { $0.receivedOn },
      .int8("amount") { $0.amount.amount },
      .text("currency") { $0.amount.currency.code },
      .text("source") { $0.source.rawValue },
      .text("reference") { $0.reference },
      .int8("remainder") { $0.remainder },
      .uuidOrNull("assigned_to") { $0.assignment?.payerID.value },
      .uuidOrNull("assigned_by") { $0.assignment?.by.value },
      .date("assigned_on") { $0.assignment?.on },
      .int8("clawed_back") { $0.clawedBack },
      .text("suspense_reason") { $0.suspense?.reason.rawValue },
      .uuidOrNull("named_payer") { $0.suspense?.namedPayer?.value },
      .text("payer_name") { $0.payer?.name },
      .text("payer_account") { $0.payer?.account },
      .text("remainder_reason") { $0.remainderReason?.rawValue },
      .int8("converted") { $0.converted },
      .uuidOrNull("margin_call_id") { $0.marginCallID?.value },
      .uuidOrNull("deposit_loan_id") { $0.deposit?.loanID.value },
      .int8("deposit_held") { $0.deposit?.held },
      .int8("claim_paid") { $0.claim.paid },
      .int8("advance_returned") { $0.claim.returned },
      .int8("version") { $0.version },
      .instant("created_at") { $0.createdAt },
    ],
    names: ("cash_receipts_by_id", "cash_receipts_insert", "cash_receipts_update")
  ) { row in
    let organization: OrganizationID = try row.id()
    let id: CashReceiptID = try row.id()
    let (receivedOn, amount, source) = (try row.date(), try row.money(), try row.value(ReceiptSource.self))
    let (reference, remainder) = (try row.textOrNull(), try row.int())
    let payer: OrganizationID? = try row.idOrNull()
    let person: PersonID? = try row.idOrNull()
    var assignment: CashReceipt.Assignment?
    if let on = try row.dateOrNull(), let payer, let person { assignment = .init(payerID: payer, by: person, on: on) }
    let clawedBack = try row.int()
    let reason: CashReceipt.SuspenseReason? = try row.valueOrNull()
    let named: OrganizationID? = try row.idOrNull()
    let (name, account) = (try row.textOrNull(), try row.textOrNull())
    let remainderReason: CashReceipt.RemainderReason? = try row.valueOrNull()
    // Receipts of before were never converted.
    let converted = try row.intOrNull() ?? 0
    let (marginCall, depositLoan): (MarginCallID?, LoanID?) = (try row.idOrNull(), try row.idOrNull())
    let held = try row.intOrNull()
    return CashReceipt(
      id: id, organizationID: organization, receivedOn: receivedOn, amount: amount, source: source,
      reference: reference, remainder: remainder, assignment: assignment, clawedBack: clawedBack,
      suspense: reason.map { CashReceipt.Suspense(reason: $0, namedPayer: named) },
      payer: name == nil && account == nil ? nil : CashReceipt.Payer(name: name, account: account),
      remainderReason: remainderReason, converted: converted, marginCallID: marginCall,
      deposit: depositLoan.map { CashReceipt.Deposit(loanID: $0, held: held ?? 0) },
      claim: ClawbackRepayment(paid: try row.int(), returned: try row.int()), version: try row.int(),
      createdAt: try row.instant())
  }

  /// Never updated: `update` of this table is not used, and the writer has no grant for it.
  package static let allocations = Table<AllocationRow>(
    "allocations", sql: "allocations", key: ["borrower_id", "receipt_id", "loan_id", "step"], idColumn: "receipt_id",
    columns: [
      .uuid("borrower_id") { $0.borrowerID.value },
      .uuid("receipt_id") { $0.receiptID.value },
      .uuid("loan_id") { $0.loanID.value },
      .text("step") { $0.step },
      .uuid("lender_id") { $0.lenderID.value },
      .int8("amount") { $0.amount.amount },
      .text("currency") { $0.amount.currency.code },
      .date("allocated_on") { $0.allocatedOn },
    ],
    names: ("allocations_by_receipt", "allocations_insert", nil)
  ) { row in
    let borrower: OrganizationID = try row.id()
    return AllocationRow(
      borrowerID: borrower, receiptID: try row.id(), loanID: try row.id(), step: try row.text(),
      lenderID: try row.id(), amount: try row.money(), allocatedOn: try row.date())
  }

  package static let payouts = Table<Payout>(
    "payouts", sql: "payouts", key: ["lender_id", "id"], idColumn: "id",
    columns: [
      .uuid("lender_id") { $0.lenderID.value },
      .uuid("id") { $0.id.value },
      .date("business_date") { $0.businessDate },
      .int8("gross") { $0.gross.amount },
      .text("currency") { $0.gross.currency.code },
      .int8("platform_fee") { $0.platformFee },
      .int8("clawback_netted") { $0.netting.netted },
      .int8("advance_repaid") { $0.netting.repaid },
      .int8("net") { $0.net },
      .uuid("run_id") { $0.runID.value },
      .instant("recorded_at") { $0.recordedAt },
    ],
    names: ("payouts_by_id", "payouts_insert", nil)
  ) { row in
    let lender: OrganizationID = try row.id()
    let id: PayoutID = try row.id()
    let date = try row.date()
    let gross = try row.money()
    let fee = try row.int()
    let netting = Payout.Netting(netted: try row.int(), repaid: try row.int())
    _ = try row.int()
    return Payout(
      id: id, lenderID: lender, businessDate: date, gross: gross, platformFee: fee, netting: netting,
      runID: try row.id(), recordedAt: try row.instant())
  }

  /// Never updated, as allocations are not.
  package static let repaymentExplanations = Table<ExplanationRow>(
    "repayment_explanations", sql: "repayment_explanations", key: ["borrower_id", "subject_id"],
    idColumn: "subject_id",
    columns: [
      .uuid("borrower_id") { $0.borrowerID.value },
      .uuid("subject_id") { $0.subjectID },
      .text("kind") { $0.kind.rawValue },
      .bytes("digest") { $0.digest.bytes },
      .bytes("bytes") { $0.bytes },
      .instant("recorded_at") { $0.recordedAt },
    ],
    names: ("repayment_explanations_by_subject", "repayment_explanations_insert", nil)
  ) { row in
    let borrower: OrganizationID = try row.id()
    return ExplanationRow(
      borrowerID: borrower, subjectID: try row.uuid(), kind: try row.value(), digest: try row.digest(),
      bytes: try row.bytes(), recordedAt: try row.instant())
  }
}
