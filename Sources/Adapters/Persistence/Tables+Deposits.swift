import Postgres
import Primitives

/// What becomes of a deposit: one person proposes to release all of it, another decides.
package struct DepositAct: Sendable, Hashable {
  package enum Kind: String, Sendable, Hashable, CaseIterable {
    /// It is the startup's again.
    case giveBack = "return"
    /// It pays what is due, divided as proceeds of collateral are.
    case apply
  }

  package let id: DepositActID
  package let borrowerID: OrganizationID
  package let lenderID: OrganizationID
  /// The receipt that is held.
  package let receiptID: CashReceiptID
  package let loanID: LoanID
  package let kind: Kind
  package let amount: Money
  package let reason: String
  package var state: SecondPersonState
  package let proposedBy: PersonID
  package var decision: SecondPersonDecision?
  package var note: String?
  package var bookedOn: CalendarDate?
  package var version: Int64
  package let createdAt: Instant
  package var updatedAt: Instant

  package init(
    id: DepositActID, borrowerID: OrganizationID, lenderID: OrganizationID, receiptID: CashReceiptID, loanID: LoanID,
    kind: Kind, amount: Money, reason: String, state: SecondPersonState = .proposed, proposedBy: PersonID,
    decision: SecondPersonDecision? = nil, note: String? = nil, bookedOn: CalendarDate? = nil, version: Int64 = 1,
    createdAt: Instant, updatedAt: Instant
  ) {
    self.id = id
    self.borrowerID = borrowerID
    self.lenderID = lenderID
    self.receiptID = receiptID
    self.loanID = loanID
    self.kind = kind
    self.amount = amount
    self.reason = reason
    self.state = state
    self.proposedBy = proposedBy
    self.decision = decision
    self.note = note
    self.bookedOn = bookedOn
    self.version = version
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }
}

extension DepositAct: Stored {
  package mutating func stamp(_ now: Instant) { updatedAt = now }
}

extension Tables {
  package static let depositActs = Table<DepositAct>(
    "deposit_acts", sql: "deposit_acts", key: ["borrower_id", "id"], idColumn: "id",
    columns: [
      .uuid("borrower_id") { $0.borrowerID.value },
      .uuid("id") { $0.id.value },
      .uuid("lender_id") { $0.lenderID.value },
      .uuid("receipt_id") { $0.receiptID.value },
      .uuid("loan_id") { $0.loanID.value },
      .text("kind") { $0.kind.rawValue },
      .int8("amount") { $0.amount.amount },
      .text("currency") { $0.amount.currency.code },
      .text("reason") { $0.reason },
      .text("state") { $0.state.rawValue },
      .uuid("proposed_by") { $0.proposedBy.value },
      .uuidOrNull("decided_by") { $0.decision?.by.value },
      .instant("decided_at") { $0.decision?.at },
      .text("note") { $0.note },
      .date("booked_on") { $0.bookedOn },
      .int8("version") { $0.version },
      .instant("created_at") { $0.createdAt },
      .instant("updated_at") { $0.updatedAt },
    ],
    names: ("deposit_acts_by_id", "deposit_acts_insert", "deposit_acts_update")
  ) { row in
    let borrower: OrganizationID = try row.id()
    let id: DepositActID = try row.id()
    let (lender, receipt, loan): (OrganizationID, CashReceiptID, LoanID) = (try row.id(), try row.id(), try row.id())
    let (kind, amount) = (try row.value(DepositAct.Kind.self), try row.money())
    let (reason, state) = (try row.text(), try row.value(SecondPersonState.self))
    let proposedBy: PersonID = try row.id()
    let decidedBy: PersonID? = try row.idOrNull()
    let decidedAt = try row.instantOrNull()
    var decision: SecondPersonDecision?
    if let decidedBy, let decidedAt { decision = SecondPersonDecision(by: decidedBy, at: decidedAt) }
    return DepositAct(
      id: id, borrowerID: borrower, lenderID: lender, receiptID: receipt, loanID: loan, kind: kind, amount: amount,
      reason: reason, state: state, proposedBy: proposedBy, decision: decision, note: try row.textOrNull(),
      bookedOn: try row.dateOrNull(), version: try row.int(), createdAt: try row.instant(),
      updatedAt: try row.instant())
  }
}
