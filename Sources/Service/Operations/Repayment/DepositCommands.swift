import Ledger
import Lending
import Parties
import Persistence
import Primitives
import Repayment
import Valuation

/// Cash that a startup pledged for a loan: held as client money under the loan, until two persons release it.
enum DepositDesk {
  /// Cash on account is pledged, or free again: in the platform's book, and in the startup's.
  static func post(
    _ kind: EntryKind, of receipt: CashReceiptID, _ startup: OrganizationID, for loan: LoanID, _ amount: Money,
    on date: CalendarDate, in draft: inout Draft
  ) throws {
    let asset = Asset.currency(amount.currency)
    let sum = kind == .depositPledged ? amount.amount : -amount.amount
    let entry: JournalEntryID = draft.ids.next()
    let books: [(OrganizationID, [JournalLine])] = [
      (
        .platform,
        [
          JournalLine(AccountRef(.platform, .clientMoney, startup.value, asset: asset), sum),
          JournalLine(AccountRef(.platform, .depositHeld, loan.value, asset: asset), -sum),
        ]
      ),
      (
        startup,
        [
          JournalLine(AccountRef(startup, .depositPledged, loan.value, asset: asset), sum),
          JournalLine(AccountRef(startup, .cashAtPlatform, asset: asset), -sum),
        ]
      ),
    ]
    for (book, lines) in books {
      try draft.post(
        EntryDraft(id: entry, book: book, kind: kind, businessDate: date, subject: receipt.value, lines: lines))
    }
  }

  /// What is held for a loan, in minor units of its currency. The startup's accounts must have been asked for.
  static func held(for loan: Loan, in draft: Draft) throws -> Int64 {
    let startup = loan.terms.borrowerID
    return try draft.balance(
      AccountRef(startup, .depositPledged, loan.id.value, asset: .currency(loan.currency)))
  }

  static func need(of loan: Loan) -> Need { .accounts(loan.terms.borrowerID, .depositPledged) }

  /// A deposit is for this very loan of this very startup: it does not pass with it to others.
  static func requireNone(for loan: Loan, in draft: Draft) throws {
    let held = try held(for: loan, in: draft)
    if held > 0 { throw DepositRefusal.held(Money(held, loan.currency)) }
  }
}

/// A person of the staff proposes to give a deposit back, or to take it for what is due.
package struct ProposeDepositAct: Command {
  package static let action = "deposit.propose"
  package var staffDuty: Duty? { .treasury }
  package let receiptID: CashReceiptID
  package let kind: DepositAct.Kind
  package let reason: String

  package init(receiptID: CashReceiptID, kind: DepositAct.Kind, reason: String) {
    self.receiptID = receiptID
    self.kind = kind
    self.reason = reason
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    var needs: Set<Need> = [.receipt(receiptID), .margin(.depositActs(of: receiptID))]
    if let loan = state.shelves.receipts[receiptID]?.deposit?.loanID { needs.insert(.loan(loan)) }
    return needs
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> {
    Set([state.shelves.receipts[receiptID]?.organizationID].compactMap { $0 })
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> DepositAct {
    try principal.require(.admin)
    let person = try principal.requirePerson()
    guard let receipt = draft.find(\.receipts, receiptID) else { throw PartiesRefusal.notFound("cash receipt") }
    guard let deposit = receipt.deposit, let loan = draft.find(\.loans, deposit.loanID) else {
      throw DepositRefusal.noDeposit
    }
    guard deposit.held > 0 else { throw DepositRefusal.released }
    let open = (draft.base.margin.depositActsOf[receiptID] ?? []).compactMap { draft.find(\.depositActs, $0) }
    if let other = open.first(where: { $0.state == .proposed }) { throw DepositRefusal.proposedAlready(other.id) }
    let act = draft.put(
      \.depositActs,
      DepositAct(
        id: draft.ids.next(), borrowerID: receipt.organizationID, lenderID: loan.terms.lenderID, receiptID: receiptID,
        loanID: loan.id, kind: kind, amount: Money(deposit.held, receipt.amount.currency), reason: reason,
        proposedBy: person, createdAt: draft.now, updatedAt: draft.now))
    draft.made.subject = act.id.value
    DecideDepositAct.happen(act, of: loan, in: &draft)
    return act
  }
}

/// Another person approves it, which releases the deposit, or rejects it.
package struct DecideDepositAct: Command {
  package static let action = "deposit.decide"
  package var staffDuty: Duty? { .treasury }
  package let id: DepositActID
  package let act: DecideClawback.Act
  package let ifVersion: Int64?

  package init(id: DepositActID, act: DecideClawback.Act, ifVersion: Int64?) {
    self.id = id
    self.act = act
    self.ifVersion = ifVersion
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    var needs: Set<Need> = [.margin(.depositAct(id))]
    guard let row = state.shelves.depositActs[id] else { return needs }
    needs.formUnion(LoanBook.needs(of: row.borrowerID, state))
    needs.formUnion([
      .receipt(row.receiptID), .loan(row.loanID), .waterfalls(row.borrowerID), .penalties(row.borrowerID),
      .margin(.calls(of: row.borrowerID)), .accounts(row.borrowerID, .depositPledged),
    ])
    if let loan = state.loans[row.loanID] { needs.formUnion(MarkDesk.tradingNeeds(loan.terms.chipModelID)) }
    return needs
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> {
    guard let row = state.shelves.depositActs[id] else { return [.platform] }
    return LoanBook.heads(of: row.borrowerID, state).union([.platform, row.lenderID])
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> DepositAct {
    try principal.require(.admin)
    let person = try principal.requirePerson()
    guard var row = draft.find(\.depositActs, id), var receipt = draft.find(\.receipts, row.receiptID),
      let loan = draft.find(\.loans, row.loanID)
    else { throw PartiesRefusal.notFound("deposit act") }
    try checkVersion(ifVersion, row.version)
    guard row.state == .proposed else { throw DepositRefusal.notProposed(row.state) }
    row.decision = SecondPersonDecision(by: person, at: draft.now)
    switch act {
    case .approve:
      guard person != row.proposedBy else { throw PartiesRefusal.samePerson("proposed it") }
      // Some of it may have been taken back since.
      guard receipt.deposit?.held == row.amount.amount else { throw DepositRefusal.released }
      receipt.deposit?.held = 0
      switch row.kind {
      case .giveBack: try giveBack(row, &receipt, loan, in: &draft)
      case .apply: try apply(row, &receipt, loan, in: &draft)
      }
      draft.put(\.receipts, receipt)
      row.state = .approved
      row.bookedOn = draft.today
    case .reject(let note):
      row.state = .rejected
      row.note = note
    }
    row = draft.put(\.depositActs, row)
    draft.made.subject = row.id.value
    Self.happen(row, of: draft.find(\.loans, row.loanID) ?? loan, in: &draft)
    return row
  }

  private func release(_ row: DepositAct, in draft: inout Draft) throws {
    try DepositDesk.post(
      .depositReleased, of: row.receiptID, row.borrowerID, for: row.loanID, row.amount, on: draft.today, in: &draft)
  }

  /// It is given back where it is not needed: the loan has ended, or nothing would be missing without it.
  private func giveBack(
    _ row: DepositAct, _ receipt: inout CashReceipt, _ loan: Loan, in draft: inout Draft
  ) throws {
    try requireFree(row, loan, in: draft)
    try release(row, in: &draft)
    let agreed = (draft.base.waterfallsOf[row.borrowerID] ?? []).terms(on: draft.today)
    // Nobody claims any of it: a division that leaves it all, so that it can be taken back like other money.
    let explanation = try agreed.waterfalls[.collateral].explain(row.amount, claims: [])
    draft.made.explanations.append(
      ExplanationRow(explanation, of: receipt.id, row.borrowerID, recordedAt: draft.now))
    receipt.remainder = try receipt.remainder.adding(row.amount.amount)
    receipt.remainderReason = .nothingDue
  }

  private func requireFree(_ row: DepositAct, _ loan: Loan, in draft: Draft) throws {
    guard loan.isRunning, let terms = loan.terms.margin else { return }
    let running = MarginDesk.calls(of: row.borrowerID, in: draft).first {
      $0.call.loanID == loan.id && !$0.call.state.isEnded
    }
    if let running { throw DepositRefusal.callRuns(running.id) }
    let mark = draft.base.valuation.tradingMarks[loan.terms.chipModelID] ?? nil
    let known = mark.flatMap { $0.effectiveOn <= draft.today ? $0 : nil }
    let (outcome, test) = try MarginDesk.look(
      at: loan, terms, on: draft.today, known, less: row.amount.amount, in: draft)
    guard let test else { throw DepositRefusal.untested(outcome) }
    guard !test.isBreach else { throw DepositRefusal.needed(test.shortfall) }
  }

  /// It pays what is due, the loan that it was pledged for first.
  private func apply(_ row: DepositAct, _ receipt: inout CashReceipt, _ loan: Loan, in draft: inout Draft) throws {
    guard loan.isRunning, !loan.collectable.isZero else { throw DepositRefusal.nothingDue }
    try release(row, in: &draft)
    let money = RecordCashReceipt(
      receivedOn: draft.today, amount: row.amount, source: .collateral, payerID: row.borrowerID,
      reference: receipt.reference)
    let (allocations, remainder) = try money.allocate(receipt.id, row.borrowerID, own: [loan.id], &draft)
    draft.made.allocations += allocations
    receipt.remainder = try receipt.remainder.adding(remainder)
    receipt.remainderReason = RecordCashReceipt.reason(of: remainder, row.amount.currency, row.borrowerID, draft)
  }

  static func happen(_ act: DepositAct, of loan: Loan, in draft: inout Draft) {
    draft.happen(
      "deposit_act.\(act.state.rawValue)", act.id, version: act.version, of: loan,
      [
        ("kind", .text(act.kind.rawValue)), ("amount", .number(act.amount.amount)),
        ("currency", .text(act.amount.currency.code)), ("cash_receipt_id", .text(act.receiptID.description)),
        ("loan_id", .text(act.loanID.description)),
      ])
  }
}

/// Why a deposit is not taken, or not released.
package enum DepositRefusal: Refusal, Hashable {
  /// It names no loan of the startup that runs, or the loan is in another currency.
  case noLoan
  case noDeposit
  case released
  case proposedAlready(DepositActID)
  case notProposed(SecondPersonState)
  case callRuns(MarginCallID)
  case needed(Money)
  case untested(MarginTestRow.Outcome)
  case nothingDue
  case held(Money)

  package var kind: RefusalKind {
    switch self {
    case .noLoan: .invalid
    case .noDeposit, .released, .proposedAlready, .notProposed, .callRuns, .needed, .untested, .nothingDue, .held:
      .conflict
    }
  }

  package var code: String {
    switch self {
    case .noLoan: "deposit.no_loan"
    case .noDeposit: "deposit.none"
    case .released: "deposit.released"
    case .proposedAlready: "deposit.proposed_already"
    case .notProposed: "deposit.not_proposed"
    case .callRuns: "deposit.call_runs"
    case .needed: "deposit.needed"
    case .untested: "deposit.untested"
    case .nothingDue: "deposit.nothing_due"
    case .held: "deposit.held"
    }
  }

  package var detail: String {
    switch self {
    case .noLoan: "A deposit is for a loan of its payer that runs, in that loan's currency."
    case .noDeposit: "The receipt is no deposit."
    case .released: "The deposit was released or taken back, all of it or a part."
    case .proposedAlready(let id): "\(id) waits for a decision on this deposit."
    case .notProposed(let state): "It is \(state.rawValue); only what is proposed is decided."
    case .callRuns(let id): "The margin call \(id) runs; a deposit is not given back before it has ended."
    case .needed(let shortfall): "Without the deposit \(shortfall) would be missing."
    case .untested(let outcome): "Whether it is needed cannot be tested: \(outcome.rawValue)."
    case .nothingDue: "Nothing of the loan is due, so a deposit pays nothing of it."
    case .held(let amount):
      "A deposit of \(amount) is held for the loan; it is given back or taken for what is due first."
    }
  }

  package var pointer: String? { self == .noLoan ? "/loan_id" : nil }
}
