import Ledger
import Lending
import Parties
import Persistence
import Primitives
import Repayment

/// A person has found out whose the money in suspense is: it is allocated as if that startup had been known, or pays what
/// that lender owes, on its own date, or today where that day is closed.
package struct AssignCashReceipt: Command {
  package static let action = "cash_receipt.assign"
  package static let asksSecondPerson = true
  package var staffDuty: Duty? { .treasury }
  package let receiptID: CashReceiptID
  package let payerID: OrganizationID
  package let ifVersion: Int64?

  package init(receiptID: CashReceiptID, payerID: OrganizationID, ifVersion: Int64?) {
    self.receiptID = receiptID
    self.payerID = payerID
    self.ifVersion = ifVersion
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    if isClaim(state) { return ClaimDesk.needs(of: payerID).union([.receipt(receiptID)]) }
    return LoanBook.needs(of: payerID, state)
      .union([.receipt(receiptID), .waterfalls(payerID), .penalties(payerID)])
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> {
    isClaim(state) ? [payerID, .platform] : LoanBook.heads(of: payerID, state).union([.platform])
  }

  private func isClaim(_ state: BatchState) -> Bool { state.shelves.receipts[receiptID]?.source == .clawBack }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> RecordCashReceipt.Received {
    try principal.require(.admin)
    let person = try principal.requirePerson()
    guard var receipt = draft.find(\.receipts, receiptID) else { throw PartiesRefusal.notFound("cash receipt") }
    try checkVersion(ifVersion, receipt.version)
    if let assignment = receipt.assignment {
      throw AssignmentRefusal.assignedBefore(to: assignment.payerID, by: assignment.by, on: assignment.on)
    }
    guard receipt.organizationID == .platform else { throw AssignmentRefusal.notInSuspense(of: receipt.organizationID) }
    guard payerID != .platform, draft.find(\.organizations, payerID) != nil else { throw CashRefusal.unknownPayer }
    let isClosed = draft.closedThrough.map { receipt.receivedOn <= $0 } == true
    let date = isClosed ? draft.today : receipt.receivedOn
    // What was taken back meanwhile is nobody's any more.
    let left = try receipt.amount.amount.subtracting(receipt.clawedBack)
    guard left > 0 else { throw AssignmentRefusal.takenBack }
    let money = Money(left, receipt.amount.currency)
    var allocations: [AllocationRow] = []
    if receipt.source == .clawBack {
      receipt.claim = try ClaimDesk.repay(
        money, by: payerID, receipt.id,
        from: AccountRef(.platform, .suspense, receipt.id.value, asset: .currency(money.currency)), on: date, in: &draft
      )
      receipt.remainder = left - receipt.claim.paid
      receipt.remainderReason = receipt.remainder == 0 ? nil : .nothingDue
    } else {
      try post(receipt, left, on: date, &draft)
      let known = RecordCashReceipt(
        receivedOn: date, amount: money, source: receipt.source, payerID: payerID, reference: receipt.reference)
      (allocations, receipt.remainder) = try known.allocate(receipt.id, payerID, &draft)
      receipt.remainderReason = RecordCashReceipt.reason(of: receipt.remainder, money.currency, payerID, draft)
    }
    receipt.assignment = CashReceipt.Assignment(payerID: payerID, by: person, on: date)
    receipt = draft.put(\.receipts, receipt)
    draft.made.allocations += allocations
    draft.made.subject = receipt.id.value
    draft.happen(
      "cash_receipt.assigned", receipt.id, version: receipt.version, to: (payerID, nil),
      [("amount", .number(receipt.amount.amount)), ("remainder", .number(receipt.remainder))] + receipt.claim.facts)
    return RecordCashReceipt.Received(receipt: receipt, allocations: allocations)
  }

  /// The platform owes it to the startup now, and the startup has it at the platform.
  private func post(
    _ receipt: CashReceipt, _ amount: Int64, on date: CalendarDate, _ draft: inout Draft
  ) throws {
    let asset = Asset.currency(receipt.amount.currency)
    let entry: JournalEntryID = draft.ids.next()
    let books: [(OrganizationID, [JournalLine])] = [
      (
        .platform,
        [
          JournalLine(AccountRef(.platform, .suspense, receipt.id.value, asset: asset), amount),
          JournalLine(AccountRef(.platform, .clientMoney, payerID.value, asset: asset), -amount),
        ]
      ),
      (
        payerID,
        [
          JournalLine(AccountRef(payerID, .cashAtPlatform, asset: asset), amount),
          JournalLine(AccountRef(payerID, .fundingReceived, asset: asset), -amount),
        ]
      ),
    ]
    for (book, lines) in books {
      try draft.post(
        EntryDraft(
          id: entry, book: book, kind: .suspenseAssigned, businessDate: date, subject: receipt.id.value, lines: lines))
    }
  }
}

/// Why money is not assigned.
package enum AssignmentRefusal: Refusal, Hashable {
  /// Its payer was known from the start.
  case notInSuspense(of: OrganizationID)
  case assignedBefore(to: OrganizationID, by: PersonID, on: CalendarDate)
  /// All of it was taken back.
  case takenBack

  package var kind: RefusalKind { .conflict }

  package var code: String {
    switch self {
    case .notInSuspense: "repayment.not_in_suspense"
    case .assignedBefore: "repayment.assigned_before"
    case .takenBack: "repayment.taken_back"
    }
  }

  package var detail: String {
    switch self {
    case .notInSuspense(let payer): "The receipt is of \(payer), and was never in suspense."
    case .assignedBefore(let payer, let person, let date):
      "The receipt was assigned to \(payer) by \(person) on \(date)."
    case .takenBack: "All of the receipt was taken back; nothing is left to assign."
    }
  }
}
