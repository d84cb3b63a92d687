import Ledger
import Lending
import Parties
import Persistence
import Primitives
import Repayment

/// Takes money of a receipt back: one computation for what is shown before, and for what is booked.
enum ClawbackDesk {
  /// Who loses what, as it would be at a moment or as it was booked.
  struct Effect: Sendable {
    /// nil where the receipt was never divided: then all of it is in suspense.
    let explanation: ClawbackExplanation?
    let lines: [ClawbackLine]
    let booking: ReceiptClawback.Booking
  }

  /// What must be seen to take money of a receipt back.
  static func needs(of receipt: CashReceiptID, _ state: BatchState) -> Set<Need> {
    var needs: Set<Need> = [
      .receipt(receipt), .division(receipt), .accounts(.platform, .bankClient), .accounts(.platform, .bankOwn),
    ]
    guard let row = state.shelves.receipts[receipt] else { return needs }
    if let payer = row.startup(platform: .platform) { needs.insert(.accounts(payer, .cashAtPlatform)) }
    for line in dividedLines(of: receipt, state) {
      needs.insert(.loan(line.loanID))
      needs.insert(.accounts(line.lenderID, .cashAtPlatform))
    }
    return needs
  }

  /// All whose books a claw-back of a receipt may touch.
  static func heads(of receipt: CashReceiptID, _ state: BatchState) -> Set<OrganizationID> {
    var heads: Set<OrganizationID> = [.platform]
    if let payer = state.shelves.receipts[receipt]?.startup(platform: .platform) { heads.insert(payer) }
    return heads.union(dividedLines(of: receipt, state).map(\.lenderID))
  }

  private static func dividedLines(of receipt: CashReceiptID, _ state: BatchState) -> [Allocation.Line] {
    guard let row = state.divisions[receipt]?.division else { return [] }
    return (try? AllocationExplanation(canonicalBytes: row.bytes))?.allocation.lines ?? []
  }

  /// Takes the money back: what no claim had taken first, then lines in the order of loss. Each lender gives what the
  /// platform still holds for it; what was paid out already it owes to the platform from now on, less the platform's own
  /// fee on it. The platform puts its own money into the client account for that, as far as it has any.
  ///
  /// Everything is in the draft afterwards but the claw-back itself. A preview throws its draft away.
  static func takeBack(_ clawback: ReceiptClawback, of receipt: CashReceipt, in draft: inout Draft) throws -> Effect {
    guard clawback.amount.currency == receipt.amount.currency else {
      throw ClawbackRefusal.otherCurrency(clawback.amount.currency, receipt: receipt.amount.currency)
    }
    let left = try receipt.amount.amount.subtracting(receipt.clawedBack)
    guard clawback.amount.amount <= left else {
      throw ClawbackRefusal.moreThanReceived(clawback.amount.amount, left: left)
    }
    let isClosed = draft.closedThrough.map { clawback.takenBackOn <= $0 } == true
    let date = isClosed ? draft.today : clawback.takenBackOn
    var receipt = receipt
    let effect: Effect
    if let deposit = receipt.deposit, deposit.held > 0 {
      // It was never divided, and nobody but the startup has lost by it: its loan is tested without it from now on.
      let booking = ReceiptClawback.Booking(
        number: number(of: receipt, draft), on: date, fromRemainder: clawback.amount.amount, advanced: 0, uncovered: 0)
      try postDeposit(clawback, of: receipt, for: deposit.loanID, on: date, in: &draft)
      receipt.deposit?.held = try deposit.held.subtracting(clawback.amount.amount)
      // So that what is left over, less what was taken of it, stays as it was.
      receipt.remainder = try receipt.remainder.adding(clawback.amount.amount)
      effect = Effect(explanation: nil, lines: [], booking: booking)
    } else if let payer = receipt.startup(platform: .platform) {
      effect = try takeBack(clawback, of: receipt, paidBy: payer, on: date, in: &draft)
    } else {
      let booking = ReceiptClawback.Booking(
        number: number(of: receipt, draft), on: date, fromRemainder: clawback.amount.amount, advanced: 0, uncovered: 0)
      try postSuspense(clawback, on: date, in: &draft)
      effect = Effect(explanation: nil, lines: [], booking: booking)
    }
    receipt.clawedBack = try receipt.clawedBack.adding(clawback.amount.amount)
    receipt.remainder = try receipt.remainder.subtracting(effect.booking.fromRemainder)
    draft.put(\.receipts, receipt)
    return effect
  }

  /// The next number of a claw-back of the receipt.
  private static func number(of receipt: CashReceipt, _ draft: Draft) -> Int64 {
    let booked = (draft.base.divisions[receipt.id]?.clawbacks ?? []).filter { id in
      draft.find(\.clawbacks, id)?.booking != nil
    }
    return Int64(booked.count) + 1
  }

  private static func takeBack(
    _ clawback: ReceiptClawback, of receipt: CashReceipt, paidBy payer: OrganizationID, on date: CalendarDate,
    in draft: inout Draft
  ) throws -> Effect {
    guard let divided = draft.base.divisions[receipt.id], let division = divided.division else {
      throw ClawbackRefusal.noRecord
    }
    var allocation = try AllocationExplanation(canonicalBytes: division.bytes).allocation
    for record in divided.records {
      allocation = try allocation.less(ClawbackExplanation(canonicalBytes: record.bytes).clawback)
    }
    let onAccount = AccountRef(payer, .cashAtPlatform, asset: .currency(receipt.amount.currency))
    let explanation = try ClawbackExplanation(
      clawback.amount, of: allocation, remainderLeft: max(0, draft.balance(onAccount)), order: clawback.order)
    draft.made.explanations.append(
      ExplanationRow(explanation, of: clawback.id, payer, recordedAt: draft.now))
    var lines: [ClawbackLine] = []
    var returns = FeeReturns(divided.lines, rate: draft.reference.parameters.platformFee)
    for loanID in explanation.clawback.loans {
      guard let loan = draft.find(\.loans, loanID) else { throw PartiesRefusal.notFound("loan") }
      let lost = explanation.clawback.lines.filter { $0.loanID == loanID }
      lines += try reinstate(loan, lost, clawback, receipt, on: date, &returns, in: &draft)
    }
    draft.made.clawbackLines += lines
    let fromRemainder = explanation.clawback.fromRemainder
    // Parts of one receipt.
    let held = lines.reduce(Int64(0)) { $0 + $1.held }
    let paidOut = clawback.amount.amount - fromRemainder - held
    let own = try draft.balance(AccountRef(.platform, .bankOwn, asset: .currency(receipt.amount.currency)))
    let advanced = min(paidOut, max(0, own))
    try postAdvance(advanced, clawback, on: date, in: &draft)
    try postCash(clawback, paidBy: payer, on: date, in: &draft)
    return Effect(
      explanation: explanation, lines: lines,
      booking: ReceiptClawback.Booking(
        number: number(of: receipt, draft), on: date, fromRemainder: fromRemainder, advanced: advanced,
        uncovered: paidOut - advanced))
  }

  /// What a lender had borne of the platform's fee on fee that is gone. For each lender it is the fee on all that is gone
  /// of one receipt at the present rate, rounded as a payout rounds it, so that parts of a receipt return what the whole
  /// would.
  private struct FeeReturns {
    private var gone: [OrganizationID: Int64] = [:]
    private let rate: BasisPoints

    init(_ earlier: [ClawbackLine], rate: BasisPoints) {
      self.rate = rate
      for line in earlier where line.step == WaterfallStep.fee.rawValue {
        // Parts of one receipt.
        gone[line.lenderID, default: 0] += line.cash.amount - line.held
      }
    }

    /// - Parameter amount: fee that was paid out to the lender and is gone, minor units.
    mutating func returned(_ amount: Int64, to lender: OrganizationID) throws -> Int64 {
      let before = gone[lender] ?? 0
      gone[lender] = try before.adding(amount)
      return try fee(on: before.adding(amount)) - fee(on: before)
    }

    private func fee(on amount: Int64) throws -> Int64 {
      try PlatformFee.split(StepAmounts(charges: 0, fee: amount, principal: 0), rate: rate).platformFee
    }
  }

  /// The debt of one loan is owed again, in both its books; its lender gives the cash back, or owes it.
  private static func reinstate(
    _ present: Loan, _ lost: [Clawback.Line], _ clawback: ReceiptClawback, _ receipt: CashReceipt,
    on date: CalendarDate, _ returns: inout FeeReturns, in draft: inout Draft
  ) throws -> [ClawbackLine] {
    // The fee of the days until then is on what was owed until then.
    var loan = try LoanDesk.accrue(present, through: date, in: &draft).loan
    var debt = Debt.none
    for line in lost {
      // A discount would have discharged more than it cost; no loan of this market has one.
      guard line.reinstated == line.cash else { throw ClawbackRefusal.noRecord }
      switch line.step {
      case .charges, .prepayment: debt.charges += line.cash
      case .tax:
        debt.charges += line.cash
        debt.tax += line.cash
      case .fee: debt.fee += line.cash
      case .principal: debt.principal += line.cash
      }
    }
    let hadEnded = try loan.reinstate(debt, because: clawback.id, on: date)
    loan = draft.put(\.loans, loan)
    let entry: JournalEntryID = draft.ids.next()
    let lender = loan.terms.lenderID
    let currency = Asset.currency(loan.currency)
    var cash: [UUIDValue: Int64] = [:]
    var lines: [ClawbackLine] = []
    for line in lost {
      let part = line.step == .fee ? AccountRef.feePart : AccountRef.principalPart
      let account = AccountRef(lender, .cashAtPlatform, part, asset: currency)
      let held = min(line.cash, max(0, try draft.balance(account) - cash[part, default: 0]))
      cash[part, default: 0] += held
      let returned = line.step == .fee ? try returns.returned(line.cash - held, to: lender) : 0
      lines.append(
        ClawbackLine(
          borrowerID: loan.terms.borrowerID, clawbackID: clawback.id, loanID: loan.id, step: line.step.rawValue,
          lenderID: lender, receiptID: receipt.id, cash: Money(line.cash, loan.currency), held: held,
          feeReturned: returned, reinstates: hadEnded, entryID: entry, bookedOn: date))
    }
    try postDebt(loan, debt, lines, entry, cash: cash, on: date, in: &draft)
    let parties = (loan.terms.borrowerID, loan.terms.lenderID)
    draft.happen(
      "loan.payment_taken_back", loan.id, version: loan.version, to: parties,
      [
        ("charges", .number(debt.charges)), ("fee", .number(debt.fee)), ("principal", .number(debt.principal)),
        ("cash_receipt_id", .text(receipt.id.description)), ("claw_back_id", .text(clawback.id.description)),
        ("reason_code", .text(clawback.reason.rawValue)), ("state", .text(loan.state.rawValue)),
      ])
    if hadEnded {
      draft.happen(
        "loan.reinstated", loan.id, version: loan.version, to: parties,
        [
          ("state", .text(loan.state.rawValue)), ("due", .number(try loan.outstanding.total())),
          ("reinstated_on", .text(date.description)), ("title", .text(loan.title.rawValue)),
        ])
    }
    return lines
  }

  // MARK: postings

  private static func postDebt(
    _ loan: Loan, _ debt: Debt, _ lines: [ClawbackLine], _ entry: JournalEntryID, cash: [UUIDValue: Int64],
    on date: CalendarDate, in draft: inout Draft
  ) throws {
    let (lender, borrower) = (LoanDesk.lender(loan), LoanDesk.borrower(loan))
    let asset = Asset.currency(loan.currency)
    // Parts of one receipt.
    let total = lines.reduce(Int64(0)) { $0 + $1.cash.amount }
    let held = lines.reduce(Int64(0)) { $0 + $1.held }
    let claimed = lines.reduce(Int64(0)) { $0 + $1.claimed }
    let returned = lines.reduce(Int64(0)) { $0 + $1.feeReturned }
    let books: [(OrganizationID, [JournalLine])] = [
      (
        lender.organization,
        lender.claim(debt, 1) + [
          lender.cash(AccountRef.feePart, -(cash[AccountRef.feePart] ?? 0)),
          lender.cash(AccountRef.principalPart, -(cash[AccountRef.principalPart] ?? 0)),
          JournalLine(AccountRef(lender.organization, .payableClawback, asset: asset), -claimed),
          JournalLine(AccountRef(lender.organization, .expensePlatformFee, asset: asset), -returned),
        ]
      ),
      (
        borrower.organization,
        borrower.debt(debt, 1) + [borrower.cash(AccountRef.noSubject, total)]
      ),
      (
        .platform,
        [
          JournalLine(AccountRef(.platform, .clientMoney, borrower.organization.value, asset: asset), -total),
          JournalLine(AccountRef(.platform, .clientMoney, lender.organization.value, asset: asset), held),
          JournalLine(AccountRef(.platform, .receivableClawback, lender.organization.value, asset: asset), claimed),
          JournalLine(AccountRef(.platform, .incomePlatformFee, asset: asset), returned),
        ]
      ),
    ]
    for (book, lines) in books {
      try draft.post(
        EntryDraft(
          id: entry, book: book, kind: .debtReinstated, businessDate: date, subject: loan.id.value,
          lines: lines.filter { $0.amount != 0 }))
    }
  }

  private static func postAdvance(
    _ amount: Int64, _ clawback: ReceiptClawback, on date: CalendarDate, in draft: inout Draft
  ) throws {
    if amount == 0 { return }
    let asset = Asset.currency(clawback.amount.currency)
    try draft.post(
      EntryDraft(
        id: draft.ids.next(), book: .platform, kind: .clientMoneyAdvanced, businessDate: date,
        subject: clawback.id.value,
        lines: [
          JournalLine(AccountRef(.platform, .bankClient, asset: asset), amount),
          JournalLine(AccountRef(.platform, .bankOwn, asset: asset), -amount),
        ]))
  }

  /// The money leaves, the other way round than it came.
  private static func postCash(
    _ clawback: ReceiptClawback, paidBy payer: OrganizationID, on date: CalendarDate, in draft: inout Draft
  ) throws {
    let asset = Asset.currency(clawback.amount.currency)
    let amount = clawback.amount.amount
    let entry: JournalEntryID = draft.ids.next()
    let books: [(OrganizationID, [JournalLine])] = [
      (
        .platform,
        [JournalLine(AccountRef(.platform, .clientMoney, payer.value, asset: asset), amount)]
          + (try leaving(amount, asset, draft))
      ),
      (
        payer,
        [
          JournalLine(AccountRef(payer, .cashAtPlatform, asset: asset), -amount),
          JournalLine(AccountRef(payer, .fundingReceived, asset: asset), amount),
        ]
      ),
    ]
    for (book, lines) in books {
      try draft.post(
        EntryDraft(
          id: entry, book: book, kind: .cashTakenBack, businessDate: date, subject: clawback.id.value, lines: lines))
    }
  }

  private static func postDeposit(
    _ clawback: ReceiptClawback, of receipt: CashReceipt, for loan: LoanID, on date: CalendarDate,
    in draft: inout Draft
  ) throws {
    let (asset, amount) = (Asset.currency(clawback.amount.currency), clawback.amount.amount)
    let (startup, entry): (OrganizationID, JournalEntryID) = (receipt.organizationID, draft.ids.next())
    let books: [(OrganizationID, [JournalLine])] = [
      (
        .platform,
        [JournalLine(AccountRef(.platform, .depositHeld, loan.value, asset: asset), amount)]
          + (try leaving(amount, asset, draft))
      ),
      (
        startup,
        [
          JournalLine(AccountRef(startup, .depositPledged, loan.value, asset: asset), -amount),
          JournalLine(AccountRef(startup, .fundingReceived, asset: asset), amount),
        ]
      ),
    ]
    for (book, lines) in books {
      try draft.post(
        EntryDraft(
          id: entry, book: book, kind: .cashTakenBack, businessDate: date, subject: clawback.id.value, lines: lines))
    }
  }

  private static func postSuspense(
    _ clawback: ReceiptClawback, on date: CalendarDate, in draft: inout Draft
  ) throws {
    let asset = Asset.currency(clawback.amount.currency)
    let amount = clawback.amount.amount
    let suspense = AccountRef(.platform, .suspense, clawback.receiptID.value, asset: asset)
    try draft.post(
      EntryDraft(
        id: draft.ids.next(), book: .platform, kind: .cashTakenBack, businessDate: date, subject: clawback.id.value,
        lines: [JournalLine(suspense, amount)] + (try leaving(amount, asset, draft))))
  }

  /// A bank takes what it takes: what the client accounts do not hold is owed to it.
  private static func leaving(_ amount: Int64, _ asset: Asset, _ draft: Draft) throws -> [JournalLine] {
    let client = AccountRef(.platform, .bankClient, asset: asset)
    let there = min(amount, max(0, try draft.balance(client)))
    let lines = [
      JournalLine(client, -there), JournalLine(AccountRef(.platform, .payableBank, asset: asset), there - amount),
    ]
    return lines.filter { $0.amount != 0 }
  }
}

/// Why money is not taken back, or a top-up is not decided.
package enum ClawbackRefusal: Refusal, Hashable {
  case beforeReceipt(CalendarDate, received: CalendarDate)
  case notYet(CalendarDate, today: CalendarDate)
  case otherCurrency(Currency, receipt: Currency)
  case moreThanReceived(Int64, left: Int64)
  /// It was divided before records of divisions were kept: nobody knows in which order.
  case noRecord
  case notProposed(what: String, state: SecondPersonState)

  package var kind: RefusalKind {
    switch self {
    case .beforeReceipt, .notYet, .otherCurrency: .invalid
    case .moreThanReceived, .noRecord, .notProposed: .conflict
    }
  }

  package var code: String {
    switch self {
    case .beforeReceipt: "claw_back.before_receipt"
    case .notYet: "claw_back.not_yet"
    case .otherCurrency: "claw_back.other_currency"
    case .moreThanReceived: "claw_back.more_than_received"
    case .noRecord: "claw_back.no_record"
    case .notProposed: "claw_back.not_proposed"
    }
  }

  package var detail: String {
    switch self {
    case .beforeReceipt(let date, let received): "\(date) is before the money came, on \(received)."
    case .notYet(let date, let today): "\(date) is after today, \(today): only what has happened is recorded."
    case .otherCurrency(let currency, let receipt): "The money came in \(receipt), not in \(currency)."
    case .moreThanReceived(let amount, let left):
      "\(amount) minor units are more than the \(left) that are left of the receipt."
    case .noRecord: "The receipt has no record of its division from which it could be taken back."
    case .notProposed(let what, let state): "The \(what) is \(state.rawValue); only a proposed one is decided."
    }
  }

  package var pointer: String? {
    switch self {
    case .beforeReceipt, .notYet: "/taken_back_on"
    case .otherCurrency, .moreThanReceived: "/amount"
    case .noRecord, .notProposed: nil
    }
  }
}
