import BankFiles
import Ledger
import Lending
import Parties
import Persistence
import Primitives
import Repayment
import Valuation

/// Records cleared money and allocates it over what is due, by the waterfall of its source. Money from a payer that nobody
/// knows goes to suspense and waits for a person; so does what comes for a startup from somebody else's account, or in
/// somebody else's name.
package struct RecordCashReceipt: Command {
  package static let action = "cash_receipt.record"
  package static let asksSecondPerson = true
  package var staffDuty: Duty? { .treasury }
  package let receivedOn: CalendarDate
  package let amount: Money
  package let source: ReceiptSource
  /// The startup whose debt it pays; of `clawBack` the lender that owes for money which was taken back.
  package let payerID: OrganizationID?
  package let reference: String?
  /// Who paid, as the bank shows it; nil where nobody looked.
  package let payer: CashReceipt.Payer?
  /// The margin call that it is brought for: an instalment pays principal of that call's loan, and nothing else; a deposit is
  /// held for it.
  package let marginCallID: MarginCallID?
  /// The loan that a deposit is pledged for, where no call is named.
  package let depositFor: LoanID?

  package init(
    receivedOn: CalendarDate, amount: Money, source: ReceiptSource, payerID: OrganizationID?, reference: String?,
    payer: CashReceipt.Payer? = nil, marginCallID: MarginCallID? = nil,
    depositFor: LoanID? = nil
  ) {
    self.depositFor = depositFor
    self.payer = payer
    self.marginCallID = marginCallID
    self.receivedOn = receivedOn
    self.amount = amount
    self.source = source
    self.payerID = payerID
    self.reference = reference
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    guard let payerID else { return [] }
    var known: Set<Need> = payer == nil ? [] : [.payees(payerID)]
    if source == .clawBack { return ClaimDesk.needs(of: payerID).union(known) }
    if let marginCallID { known.insert(.margin(.call(marginCallID))) }
    return LoanBook.needs(of: payerID, state).union([.waterfalls(payerID), .penalties(payerID)]).union(known)
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> {
    guard let payerID else { return [.platform] }
    if source == .clawBack { return [payerID, .platform] }
    return LoanBook.heads(of: payerID, state).union([.platform])
  }

  /// The receipt and what it paid.
  package struct Received: Sendable {
    package let receipt: CashReceipt
    package let allocations: [AllocationRow]
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Received {
    try principal.require(.admin)
    _ = try principal.requirePerson()
    guard receivedOn <= draft.today else { throw CashRefusal.notCleared(receivedOn, today: draft.today) }
    if let payerID, draft.find(\.organizations, payerID) == nil { throw CashRefusal.unknownPayer }
    let id: CashReceiptID = draft.ids.next()
    draft.made.subject = id.value
    let suspense = suspense(draft)
    let owner = suspense == nil ? payerID : nil
    let called = try marginCall(draft)
    var allocations: [AllocationRow] = []
    var remainder = amount.amount
    var reason: CashReceipt.RemainderReason?
    var claim = ClawbackRepayment.none
    if let owner, source == .clawBack {
      claim = try ClaimDesk.repay(
        amount, by: owner, id, from: AccountRef(.platform, .bankClient, asset: .currency(amount.currency)),
        on: receivedOn, in: &draft)
      remainder = amount.amount - claim.paid
      if remainder > 0 { reason = .nothingDue }
    } else {
      try postReceipt(id, of: owner, &draft)
    }
    let pledged = try pledge(called, draft)
    if let owner, let pledged {
      remainder = 0
      try DepositDesk.post(.depositPledged, of: id, owner, for: pledged, amount, on: receivedOn, in: &draft)
    } else if let owner, source != .clawBack {
      (allocations, remainder) = try allocate(id, owner, for: called?.call, &draft)
      reason = Self.reason(of: remainder, amount.currency, owner, draft)
    }
    let receipt = draft.put(
      \.receipts,
      CashReceipt(
        id: id, organizationID: owner ?? .platform, receivedOn: receivedOn, amount: amount, source: source,
        reference: reference, remainder: remainder, suspense: suspense, payer: payer, remainderReason: reason,
        // What is nobody's yet is brought for nothing.
        marginCallID: owner == nil ? nil : marginCallID,
        deposit: owner == nil ? nil : pledged.map { CashReceipt.Deposit(loanID: $0, held: amount.amount) },
        claim: claim, createdAt: draft.now))
    draft.made.allocations += allocations
    if let called, owner != nil {
      let divided = try allocations.reduce(Int64(0)) { sum, row in try sum.adding(row.amount.amount) }
      let paid = pledged == nil ? divided : amount.amount
      try MarginDesk.cure(called, Money(paid, amount.currency), on: receivedOn, by: id, in: &draft)
    }
    draft.happen(
      "cash_receipt.recorded", id, version: 1, to: (receipt.organizationID, nil),
      [("amount", .number(amount.amount)), ("remainder", .number(remainder))]
        + (reason.map { [("remainder_reason", .text($0.rawValue))] } ?? []) + claim.facts)
    if let suspense {
      draft.happen(
        "cash_receipt.in_suspense", id, version: 1, to: (.platform, nil),
        [
          ("reason_code", .text(suspense.reason.rawValue)),
          ("named_payer", suspense.namedPayer.map { .text($0.description) } ?? .absent),
        ])
    }
    return Received(receipt: receipt, allocations: allocations)
  }

  /// The call that the money is brought for: it runs, is of the payer, and was opened by that day.
  private func marginCall(_ draft: Draft) throws -> MarginCallRow? {
    guard let marginCallID else { return nil }
    guard let row = draft.find(\.marginCalls, marginCallID), row.borrowerID == payerID else {
      throw PartiesRefusal.notFound("margin call")
    }
    guard source == .instalment || source == .deposit else { throw CashRefusal.notForACall(source) }
    guard !row.call.state.isEnded else { throw MarginRefusal.ended(row.call.state, act: "paid for") }
    guard amount.currency == row.call.called.currency else {
      throw MarginRefusal.currencyDiffers(amount.currency, row.call.called.currency)
    }
    guard receivedOn >= row.call.openedOn else { throw MarginRefusal.dateOutOfRange }
    return row
  }

  /// The loan that a deposit is pledged for; nil for money that is none.
  private func pledge(_ called: MarginCallRow?, _ draft: Draft) throws -> LoanID? {
    guard source == .deposit else { return nil }
    guard let id = called?.call.loanID ?? depositFor, let loan = draft.find(\.loans, id), loan.isRunning,
      loan.terms.borrowerID == payerID, loan.currency == amount.currency
    else { throw DepositRefusal.noLoan }
    return id
  }

  /// Why a part of money was left over, once it was divided.
  static func reason(
    of remainder: Int64, _ currency: Currency, _ payer: OrganizationID, _ draft: Draft
  ) -> CashReceipt.RemainderReason? {
    if remainder == 0 { return nil }
    let owesElsewhere = LoanBook.running(of: payer, in: draft).contains {
      $0.currency != currency && !$0.collectable.isZero
    }
    return owesElsewhere ? .otherCurrency : .nothingDue
  }

  /// Why the money is nobody's yet; nil where it is the startup's.
  private func suspense(_ draft: Draft) -> CashReceipt.Suspense? {
    guard let payerID else { return CashReceipt.Suspense(reason: .unknownPayer, namedPayer: nil) }
    guard let payer, !isKnown(payer, of: payerID, draft) else { return nil }
    return CashReceipt.Suspense(reason: .thirdPartyPayer, namedPayer: payerID)
  }

  /// Whether a startup itself pays so. An account is its own when a second person has verified it, and it was not
  /// withdrawn. A name alone is its legal name or that of the holder of such an account; beside an account it proves
  /// nothing.
  private func isKnown(_ payer: CashReceipt.Payer, of startup: OrganizationID, _ draft: Draft) -> Bool {
    let holders = (draft.base.payeesOf[startup] ?? []).compactMap { draft.find(\.payees, $0) }
      .filter { $0.state == .verified }.map(\.holder)
    if let account = payer.account {
      return holders.contains { $0.account.description == account }
    }
    guard let name = payer.name.map(Self.plain) else { return true }
    let names = holders.map(\.name) + [draft.find(\.organizations, startup)?.legalName].compactMap(\.self)
    return names.contains { Self.plain($0) == name }
  }

  /// Without regard to capitals and to how many spaces there are.
  private static func plain(_ name: String) -> String {
    name.lowercased().split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }

  /// - Parameter owner: nil for suspense.
  private func postReceipt(_ id: CashReceiptID, of owner: OrganizationID?, _ draft: inout Draft) throws {
    let asset = Asset.currency(amount.currency)
    let entry: JournalEntryID = draft.ids.next()
    let owed =
      owner.map { AccountRef(.platform, .clientMoney, $0.value, asset: asset) }
      ?? AccountRef(.platform, .suspense, id.value, asset: asset)
    try draft.post(
      EntryDraft(
        id: entry, book: .platform, kind: .cashReceived, businessDate: receivedOn, subject: id.value,
        lines: [
          JournalLine(AccountRef(.platform, .bankClient, asset: asset), amount.amount),
          JournalLine(owed, -amount.amount),
        ]))
    guard let owner else { return }
    try draft.post(
      EntryDraft(
        id: entry, book: owner, kind: .cashReceived, businessDate: receivedOn, subject: id.value,
        lines: [
          JournalLine(AccountRef(owner, .cashAtPlatform, asset: asset), amount.amount),
          JournalLine(AccountRef(owner, .fundingReceived, asset: asset), -amount.amount),
        ]))
  }

  /// Fees run to the day the money came; then the waterfall of the source divides it, and what is paid off closes.
  /// - Parameters:
  ///   - call: what the money was brought for: it goes to the principal of that loan, as far as it is called for, due
  ///   or not. Nothing of it is divided among others.
  ///   - own: loans whose collateral it is.
  func allocate(
    _ id: CashReceiptID, _ payerID: OrganizationID, for call: MarginCall? = nil, own: Set<LoanID> = [],
    _ draft: inout Draft
  ) throws -> ([AllocationRow], Int64) {
    var loans: [LoanID: Loan] = [:]
    var claims: [Claim] = []
    // Money that came before days which bore a penalty: theirs is charged anew on what it leaves.
    var penalized: [LoanID: [Penalties.Part]] = [:]
    let agreed = (draft.base.waterfallsOf[payerID] ?? []).terms(on: receivedOn)
    for loan in LoanBook.running(of: payerID, in: draft)
    where loan.currency == amount.currency && (call.map { $0.loanID == loan.id } ?? !loan.collectable.isZero) {
      var accrued = try LoanDesk.accrue(loan, through: receivedOn, in: &draft).loan
      (accrued, penalized[loan.id]) = try LoanDesk.takeBackPenalty(accrued, from: receivedOn, in: &draft)
      guard let position = try LoanPosition(accrued, by: agreed) else { continue }
      loans[loan.id] = accrued
      claims.append(
        call.map { Self.claim(of: accrued, $0, rank: position.rank) } ?? position.claim(on: receivedOn))
    }
    // Pledged money that is divided after all, because nobody knew in time whose it was, is collateral. Whose source has no
    // waterfall is not allocated: see `ClaimDesk`.
    guard let source = source == .deposit ? .collateral : source.waterfall else { return ([], amount.amount) }
    let waterfall =
      try call == nil
      ? agreed.waterfalls[source]
      : WaterfallDefinition(source: source, steps: [.principal], order: .rankThenStep, ownLoansFirst: false)
    let explanation = try waterfall.explain(amount, claims: claims, ownLoans: own.intersection(loans.keys))
    let allocation = explanation.allocation
    draft.made.explanations.append(ExplanationRow(explanation, of: id, payerID, recordedAt: draft.now))
    var payments: [LoanID: Debt] = [:]
    var rows: [AllocationRow] = []
    for line in allocation.lines {
      var debt = payments[line.loanID] ?? .none
      switch line.step {
      // The debt of a loan keeps tax and premiums among its charges.
      case .charges, .prepayment: debt.charges += line.amount
      case .tax:
        debt.charges += line.amount
        debt.tax += line.amount
      case .fee: debt.fee += line.amount
      case .principal: debt.principal += line.amount
      }
      payments[line.loanID] = debt
      rows.append(
        AllocationRow(
          borrowerID: payerID, receiptID: id, loanID: line.loanID, step: line.step.rawValue, lenderID: line.lenderID,
          amount: Money(line.amount, amount.currency), allocatedOn: receivedOn))
    }
    for (loanID, loan) in loans.sorted(by: { $0.key < $1.key }) {
      guard let payment = payments[loanID] else {
        let parts = penalized[loanID] ?? []
        _ = try LoanDesk.chargePenaltyAgain(loan, parts, less: 0, due: loan.due, in: &draft)
        continue
      }
      var paid = try LoanDesk.pay(loan, payment, on: receivedOn, in: &draft)
      paid = try LoanDesk.chargePenaltyAgain(
        paid, penalized[loanID] ?? [], less: max(0, loan.penaltyBase - paid.penaltyBase), due: loan.due, in: &draft)
      draft.happen(
        "loan.paid", paid.id, version: paid.version, to: (paid.terms.borrowerID, paid.terms.lenderID),
        [
          ("charges", .number(payment.otherCharges)), ("fee", .number(payment.fee)),
          ("principal", .number(payment.principal)),
        ] + (payment.tax == 0 ? [] : [("tax", .number(payment.tax))]))
      _ = try LoanDesk.complete(paid, on: receivedOn, in: &draft)
    }
    return (rows, allocation.remainder)
  }

  /// Of the principal, what is called for and was not brought yet.
  private static func claim(of loan: Loan, _ call: MarginCall, rank: Int64) -> Claim {
    Claim(
      loanID: loan.id, lenderID: loan.terms.lenderID, rank: rank,
      due: StepAmounts(
        charges: 0, fee: 0, principal: min(loan.outstanding.principal, call.called.amount - call.cured)))
  }
}

extension ClawbackRepayment {
  /// Of the event that tells of it; none where no claim was paid.
  var facts: [(StaticString, EventFact)] { paid == 0 ? [] : [("claw_back_repaid", .number(paid))] }
}

/// Why money is not taken.
package enum CashRefusal: Refusal, Hashable {
  case unknownPayer
  /// Only cleared money is recorded: a date ahead is a promise.
  case notCleared(CalendarDate, today: CalendarDate)
  /// Only what the startup brings itself is brought for a margin call.
  case notForACall(ReceiptSource)

  package var kind: RefusalKind { .invalid }

  package var code: String {
    switch self {
    case .unknownPayer: "repayment.unknown_payer"
    case .notCleared: "repayment.not_cleared"
    case .notForACall: "repayment.not_for_a_call"
    }
  }

  package var detail: String {
    switch self {
    case .unknownPayer: "There is no such organisation; leave payer_organization_id out to book into suspense."
    case .notCleared(let date, let today): "\(date) is after today, \(today): only cleared money is recorded."
    case .notForACall(let source): "Money of the source \(source.rawValue) is not brought for a margin call."
    }
  }

  package var pointer: String? {
    switch self {
    case .unknownPayer: "/payer_organization_id"
    case .notCleared: "/received_on"
    case .notForACall: "/source"
    }
  }
}
