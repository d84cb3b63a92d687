import Parties
import Postgres
import Primitives
import Repayment

/// Where an act that moves money stands: a person proposes it, another decides.
package enum SecondPersonState: String, Sendable, Hashable, CaseIterable {
  /// Successors: `approved`, `rejected`.
  case proposed
  case approved
  case rejected
}

/// Who decided on an act that another had proposed, and when.
package struct SecondPersonDecision: Sendable, Hashable {
  package let by: PersonID
  /// Business time.
  package let at: Instant

  package init(by person: PersonID, at moment: Instant) {
    self.by = person
    self.at = moment
  }
}

/// Money of a receipt that a bank or a court took back: proposed by one person, booked once another has approved.
package struct ReceiptClawback: Sendable, Hashable {
  /// Who took it, and by what right.
  package enum Reason: String, Sendable, Hashable, CaseIterable {
    /// The payer's bank called it back.
    case bankRecall = "bank_recall"
    /// An administrator of the payer's estate.
    case insolvency
    case court
    /// The payer never ordered it.
    case unauthorised
  }

  /// What its approval came to.
  package struct Booking: Sendable, Hashable {
    /// 1, 2, 3... of the receipt.
    package let number: Int64
    package let on: CalendarDate
    /// Minor units out of what no claim had taken, or out of suspense.
    package let fromRemainder: Int64
    /// From the platform's own account to the client account, for what was paid out already.
    package let advanced: Int64
    /// What was paid out already and the advance does not cover.
    package let uncovered: Int64

    package init(number: Int64, on date: CalendarDate, fromRemainder: Int64, advanced: Int64, uncovered: Int64) {
      self.number = number
      self.on = date
      self.fromRemainder = fromRemainder
      self.advanced = advanced
      self.uncovered = uncovered
    }
  }

  package let id: ClawbackID
  /// The receipt's.
  package let organizationID: OrganizationID
  package let receiptID: CashReceiptID
  /// nil while the receipt is in suspense.
  package var payerID: OrganizationID?
  package let amount: Money
  package let takenBackOn: CalendarDate
  package let reason: Reason
  /// nil: the bank shows the receipt's own reference.
  package let reference: String?
  package let order: Clawback.Order
  package var state: SecondPersonState
  package let proposedBy: PersonID
  package var decision: SecondPersonDecision?
  /// Why it was rejected.
  package var note: String?
  package var booking: Booking?
  package var version: Int64
  package let createdAt: Instant
  package var updatedAt: Instant

  package init(
    id: ClawbackID, organizationID: OrganizationID, receiptID: CashReceiptID, payerID: OrganizationID?,
    amount: Money, takenBackOn: CalendarDate, reason: Reason, reference: String?, order: Clawback.Order,
    state: SecondPersonState = .proposed, proposedBy: PersonID, decision: SecondPersonDecision? = nil,
    note: String? = nil, booking: Booking? = nil, version: Int64 = 1, createdAt: Instant, updatedAt: Instant
  ) {
    self.id = id
    self.organizationID = organizationID
    self.receiptID = receiptID
    self.payerID = payerID
    self.amount = amount
    self.takenBackOn = takenBackOn
    self.reason = reason
    self.reference = reference
    self.order = order
    self.state = state
    self.proposedBy = proposedBy
    self.decision = decision
    self.note = note
    self.booking = booking
    self.version = version
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }
}

extension ReceiptClawback: Stored {
  package mutating func stamp(_ now: Instant) { updatedAt = now }
}

/// What a claw-back took of one step of one loan.
package struct ClawbackLine: Sendable, Hashable {
  package let borrowerID: OrganizationID
  package let clawbackID: ClawbackID
  package let loanID: LoanID
  /// The raw value of a `WaterfallStep`.
  package let step: String
  package let lenderID: OrganizationID
  package let receiptID: CashReceiptID
  /// Gone, and owed again; above 0.
  package let cash: Money
  /// Of it, what the platform still held for the lender, minor units.
  package let held: Int64
  /// Of it, the platform's fee on fee that is gone.
  package let feeReturned: Int64
  /// The loan had ended, and runs again.
  package let reinstates: Bool
  /// Of the entries that book it.
  package let entryID: JournalEntryID
  package let bookedOn: CalendarDate

  package init(
    borrowerID: OrganizationID, clawbackID: ClawbackID, loanID: LoanID, step: String, lenderID: OrganizationID,
    receiptID: CashReceiptID, cash: Money, held: Int64, feeReturned: Int64, reinstates: Bool,
    entryID: JournalEntryID, bookedOn: CalendarDate
  ) {
    self.borrowerID = borrowerID
    self.clawbackID = clawbackID
    self.loanID = loanID
    self.step = step
    self.lenderID = lenderID
    self.receiptID = receiptID
    self.cash = cash
    self.held = held
    self.feeReturned = feeReturned
    self.reinstates = reinstates
    self.entryID = entryID
    self.bookedOn = bookedOn
  }

  /// What the lender owes the platform for it, minor units.
  package var claimed: Int64 { cash.amount - held - feeReturned }
}

/// Own means that the platform puts into the client accounts: proposed by one person, booked once another has approved.
package struct ClientMoneyTopUp: Sendable, Hashable {
  package let id: TopUpID
  package let amount: Money
  package let fundedOn: CalendarDate
  /// What the bank shows of it.
  package let reference: String
  package var state: SecondPersonState
  package let proposedBy: PersonID
  package var decision: SecondPersonDecision?
  package var note: String?
  package var bookedOn: CalendarDate?
  package var version: Int64
  package let createdAt: Instant
  package var updatedAt: Instant

  package init(
    id: TopUpID, amount: Money, fundedOn: CalendarDate, reference: String, state: SecondPersonState = .proposed,
    proposedBy: PersonID, decision: SecondPersonDecision? = nil, note: String? = nil, bookedOn: CalendarDate? = nil,
    version: Int64 = 1, createdAt: Instant, updatedAt: Instant
  ) {
    self.id = id
    self.amount = amount
    self.fundedOn = fundedOn
    self.reference = reference
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

extension ClientMoneyTopUp: Stored {
  package mutating func stamp(_ now: Instant) { updatedAt = now }
}

extension Tables {
  package static let clawbacks = Table<ReceiptClawback>(
    "claw_backs", sql: "claw_backs", key: ["org_id", "id"], idColumn: "id",
    columns: [
      .uuid("org_id") { $0.organizationID.value },
      .uuid("id") { $0.id.value },
      .uuid("receipt_id") { $0.receiptID.value },
      .uuidOrNull("payer_id") { $0.payerID?.value },
      .int8("amount") { $0.amount.amount },
      .text("currency") { $0.amount.currency.code },
      .date("taken_back_on") { $0.takenBackOn },
      .text("reason") { $0.reason.rawValue },
      .text("reference") { $0.reference },
      .text("loss_order") { $0.order.rawValue },
      .text("state") { $0.state.rawValue },
      .uuid("proposed_by") { $0.proposedBy.value },
      .uuidOrNull("decided_by") { $0.decision?.by.value },
      .instant("decided_at") { $0.decision?.at },
      .text("note") { $0.note },
      .int8("number") { $0.booking?.number },
      .date("booked_on") { $0.booking?.on },
      .int8("from_remainder") { $0.booking?.fromRemainder },
      .int8("advanced") { $0.booking?.advanced },
      .int8("uncovered") { $0.booking?.uncovered },
      .int8("version") { $0.version },
      .instant("created_at") { $0.createdAt },
      .instant("updated_at") { $0.updatedAt },
    ],
    names: ("claw_backs_by_id", "claw_backs_insert", "claw_backs_update"), read: readClawback)

  private static func readClawback(_ row: inout RowReader) throws -> ReceiptClawback {
    let organization: OrganizationID = try row.id()
    let (id, receipt): (ClawbackID, CashReceiptID) = (try row.id(), try row.id())
    let payer: OrganizationID? = try row.idOrNull()
    let (amount, takenBackOn) = (try row.money(), try row.date())
    let (reason, reference) = (try row.value(ReceiptClawback.Reason.self), try row.textOrNull())
    let (order, state) = (try row.value(Clawback.Order.self), try row.value(SecondPersonState.self))
    let proposedBy: PersonID = try row.id()
    let decision = try readDecision(&row)
    let note = try row.textOrNull()
    var booking: ReceiptClawback.Booking?
    let (number, on) = (try row.intOrNull(), try row.dateOrNull())
    let (remainder, advanced, uncovered) = (try row.intOrNull(), try row.intOrNull(), try row.intOrNull())
    if let number, let on, let remainder, let advanced, let uncovered {
      booking = .init(number: number, on: on, fromRemainder: remainder, advanced: advanced, uncovered: uncovered)
    }
    return ReceiptClawback(
      id: id, organizationID: organization, receiptID: receipt, payerID: payer, amount: amount,
      takenBackOn: takenBackOn, reason: reason, reference: reference, order: order, state: state,
      proposedBy: proposedBy, decision: decision, note: note, booking: booking, version: try row.int(),
      createdAt: try row.instant(), updatedAt: try row.instant())
  }

  private static func readDecision(_ row: inout RowReader) throws -> SecondPersonDecision? {
    let by: PersonID? = try row.idOrNull()
    guard let at = try row.instantOrNull(), let by else { return nil }
    return SecondPersonDecision(by: by, at: at)
  }

  /// Never updated.
  package static let clawbackLines = Table<ClawbackLine>(
    "claw_back_lines", sql: "claw_back_lines", key: ["borrower_id", "claw_back_id", "loan_id", "step"],
    idColumn: "claw_back_id",
    columns: [
      .uuid("borrower_id") { $0.borrowerID.value },
      .uuid("claw_back_id") { $0.clawbackID.value },
      .uuid("loan_id") { $0.loanID.value },
      .text("step") { $0.step },
      .uuid("lender_id") { $0.lenderID.value },
      .uuid("receipt_id") { $0.receiptID.value },
      .int8("cash") { $0.cash.amount },
      .text("currency") { $0.cash.currency.code },
      .int8("held") { $0.held },
      .int8("fee_returned") { $0.feeReturned },
      .int8("claimed") { $0.claimed },
      .bool("reinstates") { $0.reinstates },
      .uuid("entry_id") { $0.entryID.value },
      .date("booked_on") { $0.bookedOn },
    ],
    names: ("claw_back_lines_of", "claw_back_lines_insert", nil)
  ) { row in
    let borrower: OrganizationID = try row.id()
    let (clawback, loan): (ClawbackID, LoanID) = (try row.id(), try row.id())
    let step = try row.text()
    let (lender, receipt): (OrganizationID, CashReceiptID) = (try row.id(), try row.id())
    let (cash, held, returned) = (try row.money(), try row.int(), try row.int())
    // What is left of the cash; the table's constraint holds it.
    _ = try row.int()
    return ClawbackLine(
      borrowerID: borrower, clawbackID: clawback, loanID: loan, step: step, lenderID: lender, receiptID: receipt,
      cash: cash, held: held, feeReturned: returned, reinstates: try row.bool(), entryID: try row.id(),
      bookedOn: try row.date())
  }

  package static let topUps = Table<ClientMoneyTopUp>(
    "client_money_top_ups", sql: "client_money_top_ups", key: ["org_id", "id"], idColumn: "id",
    columns: [
      .uuid("org_id") { _ in OrganizationID.platform.value },
      .uuid("id") { $0.id.value },
      .int8("amount") { $0.amount.amount },
      .text("currency") { $0.amount.currency.code },
      .date("funded_on") { $0.fundedOn },
      .text("reference") { $0.reference },
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
    names: ("client_money_top_ups_by_id", "client_money_top_ups_insert", "client_money_top_ups_update")
  ) { row in
    _ = try row.uuid()
    let id: TopUpID = try row.id()
    let (amount, fundedOn, reference) = (try row.money(), try row.date(), try row.text())
    let state: SecondPersonState = try row.value()
    let proposedBy: PersonID = try row.id()
    return ClientMoneyTopUp(
      id: id, amount: amount, fundedOn: fundedOn, reference: reference, state: state, proposedBy: proposedBy,
      decision: try readDecision(&row), note: try row.textOrNull(), bookedOn: try row.dateOrNull(),
      version: try row.int(), createdAt: try row.instant(), updatedAt: try row.instant())
  }
}

/// The look-ups behind claw-backs: how a receipt was divided, and what was taken back of it before.
package enum ClawbackSQL {
  private static let ofReceipt = Statement(
    "claw_backs_of_receipts",
    Tables.clawbacks.selectList + "where receipt_id = any($1) order by created_at, id",
    parameters: [.uuidArray], columns: Tables.clawbacks.types)
  private static let linesOfReceipt = Statement(
    "claw_back_lines_of_receipts",
    Tables.clawbackLines.selectList + "where receipt_id = any($1) order by claw_back_id, loan_id, step",
    parameters: [.uuidArray], columns: Tables.clawbackLines.types)
  private static let recordsOfReceipt = Statement(
    "claw_back_records_of_receipts",
    Tables.repaymentExplanations.selectList
      + """
      where kind = 'allocation' and subject_id = any($1) or kind = 'claw_back' and subject_id in (
        select id from claw_backs where receipt_id = any($1))
      order by recorded_at, subject_id
      """,
    parameters: [.uuidArray], columns: Tables.repaymentExplanations.types)
  private static let payeesOf = Statement(
    "payees_of_organizations", Tables.payees.selectList + "where org_id = any($1) order by org_id, id",
    parameters: [.uuidArray], columns: Tables.payees.types)

  static var statements: [Statement] { [ofReceipt, linesOfReceipt, recordsOfReceipt, payeesOf] }

  static func lookups(of receipts: [CashReceiptID]) -> [Loader.Lookup] {
    if receipts.isEmpty { return [] }
    let binds: [Bind] = [.uuidArray(receipts.sorted().map(\.value.bits))]
    return [
      Loader.Lookup(query: Query(ofReceipt, binds)) { result, state in
        for receipt in receipts { state.divisions[receipt] = DividedReceipt() }
        for row in try Tables.clawbacks.decode(result) {
          state.shelves.clawbacks.load(row)
          state.divisions[row.receiptID]?.clawbacks.append(row.id)
        }
      },
      Loader.Lookup(query: Query(linesOfReceipt, binds)) { result, state in
        for line in try Tables.clawbackLines.decode(result) { state.divisions[line.receiptID]?.lines.append(line) }
      },
      Loader.Lookup(query: Query(recordsOfReceipt, binds)) { result, state in
        for row in try Tables.repaymentExplanations.decode(result) {
          if row.kind == .allocation {
            state.divisions[CashReceiptID(row.subjectID)]?.division = row
          } else if let receipt = state.shelves.clawbacks[ClawbackID(row.subjectID)]?.receiptID {
            state.divisions[receipt]?.records.append(row)
          }
        }
      },
    ]
  }

  static func payees(of organizations: [OrganizationID]) -> [Loader.Lookup] {
    if organizations.isEmpty { return [] }
    let sorted = organizations.sorted()
    return [
      Loader.Lookup(query: Query(payeesOf, [.uuidArray(sorted.map(\.value.bits))])) { result, state in
        for organization in sorted { state.payeesOf[organization] = [] }
        for row in try Tables.payees.decode(result) {
          state.shelves.payees.load(row)
          state.payeesOf[row.organizationID]?.append(row.id)
        }
      }
    ]
  }
}

/// How a receipt was divided, and what was taken back of it since.
package struct DividedReceipt: Sendable {
  /// nil where it was not divided: it is in suspense, or older than records are.
  package var division: ExplanationRow?
  /// Of every state.
  package var clawbacks: [ClawbackID] = []
  /// Records of those that were approved, in that order.
  package var records: [ExplanationRow] = []
  package var lines: [ClawbackLine] = []

  package init() {}
}

extension BatchState {
  /// Takes over what a command did about claw-backs, so that the next one sees it.
  mutating func absorbClawbacks(_ made: Made) throws(ArithmeticOverflow) {
    for row in made.overlay.clawbacks.insertedRows { divisions[row.receiptID]?.clawbacks.append(row.id) }
    for row in made.overlay.payees.insertedRows { payeesOf[row.organizationID]?.append(row.id) }
    for row in made.explanations {
      switch row.kind {
      case .allocation: divisions[CashReceiptID(row.subjectID)]?.division = row
      case .clawBack:
        let clawback = ClawbackID(row.subjectID)
        if let receipt = (made.overlay.clawbacks[clawback] ?? shelves.clawbacks[clawback])?.receiptID {
          divisions[receipt]?.records.append(row)
        }
      case .sweep, .correction, .conversion: break
      }
    }
    for line in made.clawbackLines {
      divisions[line.receiptID]?.lines.append(line)
      // It runs again: commands over all loans of the borrower find it.
      if line.reinstates, loansOfBorrower[line.borrowerID]?.contains(line.loanID) == false {
        loansOfBorrower[line.borrowerID]?.append(line.loanID)
      }
    }
  }
}
