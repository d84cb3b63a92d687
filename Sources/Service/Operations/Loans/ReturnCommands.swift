import Catalogue
import Ledger
import Lending
import Parties
import Persistence
import Primitives
import Repayment
import Valuation

/// A return of chips, step by step: the borrower starts it, the lender records the arrival, then the inspection with its
/// grade. A return that a verdict holds is recorded and waits; the chips stay where they are.
package struct RecordReturn: Command {
  package static let action = "loan.return"
  package var staffDuty: Duty? { nil }
  package let loanID: LoanID
  package let quantity: Int64
  /// Which numbered units; as many as the quantity, or none.
  package let serials: [String]
  package let occurredOn: CalendarDate
  package let condition: ReturnCondition?
  /// In the loan's currency.
  package let conditionCharge: Money?

  package init(
    loanID: LoanID, quantity: Int64, serials: [String] = [], occurredOn: CalendarDate, condition: ReturnCondition?,
    conditionCharge: Money?
  ) {
    self.serials = serials
    self.loanID = loanID
    self.quantity = quantity
    self.occurredOn = occurredOn
    self.condition = condition
    self.conditionCharge = conditionCharge
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    var needs: Set<Need> = [.loan(loanID)]
    if let loan = state.loans[loanID] {
      needs.formUnion(LoanDesk.needsToClose(loan).union(UnitDesk.needs(serials, of: loan)))
      if loan.terms.returnCredit == .lowerOfMark { needs.insert(.chipMarks(loan.terms.chipModelID)) }
    }
    return needs
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> {
    state.loans[loanID].map { LoanDesk.books(of: $0) } ?? []
  }

  package struct Returned: Sendable {
    package let loan: Loan
    package let entry: LoanReturn
    package let verdict: Verdict?
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Returned {
    guard let loan = draft.find(\.loans, loanID), let lot = draft.find(\.lots, loan.terms.lotID),
      LoanDesk.books(of: loan).contains(principal.organizationID)
    else { throw PartiesRefusal.notFound("loan") }
    try principal.require(.lender, .startup)
    guard occurredOn <= draft.today else { throw LendingRefusal.futureDate(given: occurredOn, today: draft.today) }
    if let charge = conditionCharge, charge.currency != loan.currency {
      throw LendingRefusal.termsDisagree(
        pointer: "/condition_charge/currency", detail: "The charge is not in the loan's currency, \(loan.currency).")
    }
    draft.made.subject = loanID.value
    if principal.organizationID == loan.terms.borrowerID { return try start(loan, lot, &draft) }
    let returns = (draft.base.returnsOfLoan[loanID] ?? []).compactMap { draft.find(\.returns, $0) }
      .filter { $0.quantity == quantity }
    if condition == nil, let entry = returns.first(where: { $0.state == .returning }) {
      if !serials.isEmpty { _ = try UnitDesk.named(serials, quantity: quantity, of: loan, in: draft) }
      return try arrive(entry, loan, lot, &draft)
    }
    guard let entry = returns.first(where: { $0.state == .inInspection }) else {
      throw LendingRefusal.illegalState(
        object: "return of \(quantity) units", state: returns.last?.state.rawValue ?? "not started",
        act: condition == nil ? "arrival" : "inspection")
    }
    guard let condition else { throw LendingRefusal.conditionRequired }
    let graded = try UnitDesk.named(serials, quantity: quantity, of: loan, in: draft)
    try UnitDesk.release(
      graded, from: loan, .returned, condition: condition == .good ? .inService : .failed, on: occurredOn,
      by: principal, in: &draft)
    return try inspect(entry, condition, loan, lot, &draft)
  }

  private func start(_ loan: Loan, _ lot: Lot, _ draft: inout Draft) throws -> Returned {
    try loan.require(.startReturn)
    if !serials.isEmpty { _ = try UnitDesk.named(serials, quantity: quantity, of: loan, in: draft) }
    guard quantity <= loan.unitsOut else { throw LendingRefusal.moreThanOut(quantity, out: loan.unitsOut) }
    let earliest = loan.deliveredOn ?? loan.terms.tradeOn
    guard occurredOn >= earliest else { throw LendingRefusal.dateOutOfOrder(given: occurredOn, earliest: earliest) }
    let act = try LoanDesk.act(.return, of: loan, units: quantity, on: occurredOn, in: draft)
    let verdict = try ExportDesk.judge(act, subject: loanID.value, in: &draft)
    var entry = LoanReturn(
      id: draft.ids.next(), borrowerID: loan.terms.borrowerID, lenderID: loan.terms.lenderID, loanID: loanID,
      lotID: lot.id, quantity: quantity, startedOn: occurredOn, state: verdict.isClear ? .returning : .held,
      createdAt: draft.now, updatedAt: draft.now)
    entry = draft.put(\.returns, entry)
    var loan = loan
    if verdict.isClear { loan = try ReturnDesk.send(entry, loan, lot, on: occurredOn, in: &draft) }
    draft.happen(
      "loan.return_\(entry.state.rawValue)", loan.id, version: loan.version,
      to: (loan.terms.borrowerID, loan.terms.lenderID),
      [("quantity", .number(quantity)), ("effect", .text(verdict.effect.rawValue))])
    return Returned(loan: loan, entry: entry, verdict: verdict)
  }

  private func arrive(_ entry: LoanReturn, _ loan: Loan, _ lot: Lot, _ draft: inout Draft) throws -> Returned {
    var (entry, lot) = (entry, lot)
    try entry.arrive(on: occurredOn)
    try lot.move(quantity, from: .returning, to: .inInspection)
    entry = draft.put(\.returns, entry)
    lot = draft.put(\.lots, lot)
    try LoanDesk.post(
      .returnArrived, of: loan, on: occurredOn,
      [lot.lenderID: lot.lines(quantity, from: .custodyReturning, to: .custodyInInspection)], in: &draft)
    draft.happen(
      "loan.return_in_inspection", loan.id, version: loan.version, to: (loan.terms.borrowerID, loan.terms.lenderID),
      [("quantity", .number(quantity))])
    return Returned(loan: loan, entry: entry, verdict: nil)
  }

  private func inspect(
    _ entry: LoanReturn, _ condition: ReturnCondition, _ loan: Loan, _ lot: Lot, _ draft: inout Draft
  ) throws -> Returned {
    var (entry, lot) = (entry, lot)
    // The fee runs on the principal until the credit, so it is posted up to that day first.
    var loan = try LoanDesk.accrue(loan, through: occurredOn, in: &draft).loan
    let charge = conditionCharge?.amount ?? 0
    let amount = try ReturnDesk.rule(of: loan, on: occurredOn, in: draft).amount(
      units: quantity, of: loan.unitsInDebt, principal: loan.principalOfUnits, on: occurredOn, conditionCharge: charge)
    try entry.accept(on: occurredOn, condition: condition, charge: charge, credit: amount.credit)
    try loan.finishReturn(quantity, credit: amount.credit)
    try loan.addCharge(amount.chargeLeft)
    let backTo = condition == .good ? CustodyState.available : .inRepair
    try lot.move(quantity, from: .inInspection, to: backTo)
    entry = draft.put(\.returns, entry)
    lot = draft.put(\.lots, lot)
    loan = try LoanDesk.releaseWriteOff(draft.put(\.loans, loan), on: occurredOn, in: &draft)
    let (lender, borrower) = (LoanDesk.lender(loan), LoanDesk.borrower(loan))
    try LoanDesk.post(
      .returnInspected, of: loan, on: occurredOn,
      [
        lender.organization: lot.lines(quantity, from: .custodyInInspection, to: backTo.account) + [
          lender.money(.clearingChips, amount.credit), lender.money(.receivablePrincipal, -amount.credit),
          lender.money(.receivableCharges, amount.chargeLeft), lender.money(.incomeCharges, -amount.chargeLeft),
        ],
        borrower.organization: [
          borrower.chips(.holdingsOnLoan, -quantity), borrower.chips(.holdingsSource, quantity),
          borrower.money(.payablePrincipal, amount.credit), borrower.money(.clearingChips, -amount.credit),
          borrower.money(.expenseCharges, amount.chargeLeft), borrower.money(.payableCharges, -amount.chargeLeft),
        ],
      ], in: &draft)
    draft.happen(
      "loan.return_accepted", loan.id, version: loan.version, to: (loan.terms.borrowerID, loan.terms.lenderID),
      [("quantity", .number(quantity)), ("credit", .number(amount.credit))])
    loan = try LoanDesk.complete(loan, on: occurredOn, in: &draft)
    return Returned(loan: loan, entry: entry, verdict: nil)
  }
}

/// What the steps of a return share.
enum ReturnDesk {
  /// The loan's rule for what comes back, with what the rule must know.
  /// - Throws: `lending.no_mark` where the rule asks for what the chip is worth, and nobody knows.
  static func rule(of loan: Loan, on date: CalendarDate, in draft: Draft) throws -> ReturnCredit {
    switch loan.terms.returnCredit {
    case .proRataOutstanding: return .proRataOutstanding
    case .schedule: return .schedule(stipulatedValues(of: loan))
    case .lowerOfMark:
      let chip = loan.terms.chipModelID
      let history = try MarkHistory(subject: .chipModel(chip), marks: draft.base.chipMarks[chip] ?? [])
      guard let mark = history.asOf(date, knownAt: draft.now, basis: .perChip), mark.amount.currency == loan.currency
      else { throw LendingRefusal.noMark(chip) }
      return .lowerOfMark(perUnit: mark.amount.amount)
    }
  }

  /// The stipulated values of a loan: its principal a unit, falling in equal monthly steps to nothing at the end of its
  /// term as traded, each rounded down. Before the first month is over the whole of it.
  static func stipulatedValues(of loan: Loan) -> [StipulatedValue] {
    let start = loan.deliveredOn ?? loan.terms.tradeOn
    let months = max(1, (loan.terms.termDays + 29) / 30)
    let unit = Int128(loan.terms.principal.amount)
    return (0...months).compactMap { month in
      guard let from = start.adding(months: Int(month)) else { return nil }
      let value = unit * Int128(months - month) / (Int128(months) * Int128(loan.terms.quantity))
      return Int64(exactly: value).map { StipulatedValue(from: from, perUnit: $0) }
    }
  }

  static func send(
    _ entry: LoanReturn, _ loan: Loan, _ lot: Lot, on date: CalendarDate, in draft: inout Draft
  ) throws -> Loan {
    var (loan, lot) = (loan, lot)
    try loan.startReturn(entry.quantity)
    try lot.move(entry.quantity, from: .onLoan, to: .returning)
    lot = draft.put(\.lots, lot)
    loan = draft.put(\.loans, loan)
    try LoanDesk.post(
      .returnStarted, of: loan, on: date,
      [lot.lenderID: lot.lines(entry.quantity, from: .custodyOnLoan, to: .custodyReturning)], in: &draft)
    return loan
  }
}

/// Screens a loan again: a title that waits, and returns that wait, go on once a verdict of that day is clear.
package struct RescreenLoan: Command {
  package static let action = "loan.rescreen"
  package var staffDuty: Duty? { .compliance }
  package let loanID: LoanID
  package let on: CalendarDate

  package init(loanID: LoanID, on: CalendarDate) {
    self.loanID = loanID
    self.on = on
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    var needs: Set<Need> = [.loan(loanID)]
    if let loan = state.loans[loanID] { needs.formUnion(LoanDesk.needsToClose(loan)) }
    return needs
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> {
    state.loans[loanID].map { LoanDesk.books(of: $0) } ?? []
  }

  /// What became of it: the verdict on going on as it is (a change of nothing), and what was released.
  package struct Rescreened: Sendable {
    package let loan: Loan
    package let effect: VerdictEffect
    package let released: Int64
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Rescreened {
    try principal.require(.admin)
    guard var loan = draft.find(\.loans, loanID), var lot = draft.find(\.lots, loan.terms.lotID) else {
      throw PartiesRefusal.notFound("loan")
    }
    draft.made.subject = loanID.value
    var released: Int64 = 0
    for id in draft.base.returnsOfLoan[loanID] ?? [] {
      // Once the debt is paid there is nothing left to credit: the chips are the borrower's as soon as title may pass.
      guard var entry = draft.find(\.returns, id), entry.state == .held, entry.quantity <= loan.unitsOut,
        Loan.Act.startReturn.from.contains(loan.state)
      else { continue }
      let act = try LoanDesk.act(.return, of: loan, units: entry.quantity, on: on, in: draft)
      let verdict = try ExportDesk.judge(act, subject: loanID.value, in: &draft)
      guard verdict.isClear else { continue }
      try entry.start()
      entry = draft.put(\.returns, entry)
      loan = try ReturnDesk.send(entry, loan, lot, on: on, in: &draft)
      lot = draft.find(\.lots, lot.id) ?? lot
      released += entry.quantity
    }
    let act = try LoanDesk.act(.titleTransfer, of: loan, units: max(loan.unitsOut, 1), on: on, in: draft)
    let standing = try ExportDesk.verdict(on: act, reference: draft.reference)
    if loan.state == .titlePending, loan.unitsOut > 0, loan.life.hold == nil {
      let before = loan.unitsOut
      loan = try LoanDesk.passTitle(loan, units: loan.unitsOut, on: on, in: &draft)
      if loan.state == .closed { released += before }
    }
    return Rescreened(loan: loan, effect: standing.effect, released: released)
  }
}
