import Ledger
import Lending
import Parties
import Persistence
import Primitives
import Repayment

/// The lender writes part of its claim off. It is the lender's accounting alone: the borrower owes what it owed.
package struct WriteOffLoan: LoanCommand {
  package static let action = "loan.write_off"
  package var staffDuty: Duty? { nil }
  package let loanID: LoanID
  /// All that is not written off yet, when nil.
  package let amount: Money?
  package let reason: String?
  package let ifVersion: Int64?

  package init(loanID: LoanID, amount: Money?, reason: String?, ifVersion: Int64?) {
    self.loanID = loanID
    self.amount = amount
    self.reason = reason
    self.ifVersion = ifVersion
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Loan {
    var loan = try loan(&draft, for: .lender, principal)
    try LoanDesk.requireCurrency(of: loan, amount, pointer: "/amount/currency")
    let wanted = try amount?.amount ?? loan.outstanding.total().subtracting(loan.life.writtenOff)
    try loan.writeOff(wanted)
    loan = draft.put(\.loans, loan)
    try LoanDesk.postAllowance(.debtWrittenOff, loan, wanted, on: draft.today, in: &draft)
    // The borrower is told nothing: what it owes has not changed.
    draft.happen(
      "loan.written_off", "\(loan.id)", version: loan.version, to: (loan.terms.lenderID, nil),
      [("amount", .number(wanted)), ("reason", reason.map { .text($0) } ?? .absent)])
    return loan
  }
}

/// The lender releases the borrower from part of the debt, in both books. Nobody else can.
package struct ForgiveDebt: LoanCommand {
  package static let action = "loan.forgive"
  package var staffDuty: Duty? { nil }
  package let loanID: LoanID
  package let charges: Money?
  /// Sales tax on the fee.
  package let tax: Money?
  package let fee: Money?
  package let principal: Money?
  package let reason: String?
  package let ifVersion: Int64?

  package init(
    loanID: LoanID, charges: Money?, fee: Money?, principal: Money?, reason: String?, ifVersion: Int64?,
    tax: Money? = nil
  ) {
    self.tax = tax
    self.loanID = loanID
    self.charges = charges
    self.fee = fee
    self.principal = principal
    self.reason = reason
    self.ifVersion = ifVersion
  }

  package func decide(_ draft: inout Draft, by actor: Principal) throws -> Loan {
    var loan = try loan(&draft, for: .lender, actor)
    try loan.require(.forgive)
    for (money, pointer) in [(charges, "/charges"), (tax, "/tax"), (fee, "/fee"), (principal, "/principal")] {
      try LoanDesk.requireCurrency(of: loan, money, pointer: pointer + "/currency")
    }
    loan = try LoanDesk.accrue(loan, through: draft.today, in: &draft).loan
    let taxAmount = tax?.amount ?? 0
    let amounts = Debt(
      charges: try (charges?.amount ?? 0).adding(taxAmount), fee: fee?.amount ?? 0, principal: principal?.amount ?? 0,
      tax: taxAmount)
    try loan.forgive(amounts)
    loan = draft.put(\.loans, loan)
    try LoanDesk.postForgiveness(loan, amounts, on: draft.today, in: &draft)
    loan = try LoanDesk.releaseWriteOff(loan, on: draft.today, in: &draft)
    LoanDesk.announce(
      "loan.forgiven", loan,
      [
        ("charges", .number(amounts.otherCharges)), ("fee", .number(amounts.fee)),
        ("principal", .number(amounts.principal)), ("reason", reason.map { .text($0) } ?? .absent),
      ] + (amounts.tax == 0 ? [] : [("tax", .number(amounts.tax))]), in: &draft)
    return try LoanDesk.complete(loan, on: draft.today, forgiven: true, in: &draft)
  }
}

extension LoanDesk {
  /// - Throws: `lending.terms_disagree` for money of another currency than the loan's.
  static func requireCurrency(of loan: Loan, _ money: Money?, pointer: String) throws(LendingRefusal) {
    guard let money, money.currency != loan.currency else { return }
    throw .termsDisagree(pointer: pointer, detail: "The amount is not in the loan's currency, \(loan.currency).")
  }
}

/// Why chips were lost.
package enum CasualtyCause: String, Sendable, Hashable, CaseIterable {
  case fire, water, theft
  /// Damaged beyond repair.
  case destruction
  case other
}

/// Chips are lost. The borrower bears it from delivery on: the principal of those units is due. Insurance money is cash of
/// its own source, and the lender is its payee.
package struct RecordCasualty: LoanCommand {
  package static let action = "loan.casualty"
  package var staffDuty: Duty? { nil }
  package let loanID: LoanID
  package let quantity: Int64
  package let serials: [String]
  package let occurredOn: CalendarDate
  package let cause: CasualtyCause
  package let reason: String?
  package let ifVersion: Int64?

  package init(
    loanID: LoanID, quantity: Int64, serials: [String] = [], occurredOn: CalendarDate, cause: CasualtyCause,
    reason: String?,
    ifVersion: Int64?
  ) {
    self.loanID = loanID
    self.quantity = quantity
    self.serials = serials
    self.occurredOn = occurredOn
    self.cause = cause
    self.reason = reason
    self.ifVersion = ifVersion
  }

  /// The loan, and the value that is due.
  package struct Lost: Sendable {
    package let loan: Loan
    package let value: Money
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    loanNeeds(state).union(state.loans[loanID].map { UnitDesk.needs(serials, of: $0) } ?? [])
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Lost {
    var loan = try loan(&draft, for: .either, principal)
    try loan.require(.loseUnits)
    guard occurredOn <= draft.today else { throw LendingRefusal.futureDate(given: occurredOn, today: draft.today) }
    guard quantity <= loan.unitsOut else { throw LendingRefusal.moreThanOut(quantity, out: loan.unitsOut) }
    loan = try LoanDesk.accrue(loan, through: occurredOn, in: &draft).loan
    let value = try ReturnCredit.proRataOutstanding.amount(
      units: quantity, of: loan.unitsInDebt, principal: loan.principalOfUnits, on: occurredOn
    ).gross
    let lost = try UnitDesk.named(serials, quantity: quantity, of: loan, in: draft)
    try UnitDesk.happen(.lost, to: lost, of: loan, on: occurredOn, note: reason, by: principal, in: &draft)
    let custody = loan.custodyOfUnitsOut
    try loan.loseUnits(quantity, principal: value, on: occurredOn)
    loan = draft.put(\.loans, loan)
    try LoanDesk.moveUnits(
      .chipsLost, of: loan, quantity, from: custody, to: .lost, leaving: true, on: occurredOn, in: &draft)
    LoanDesk.announce(
      "loan.casualty", loan,
      [
        ("cause", .text(cause.rawValue)), ("quantity", .number(quantity)), ("value", .number(value)),
        ("occurred_on", .text(occurredOn.description)), ("reason", reason.map { .text($0) } ?? .absent),
      ], in: &draft)
    return Lost(
      loan: try LoanDesk.complete(loan, on: occurredOn, in: &draft), value: Money(value, loan.currency))
  }
}
