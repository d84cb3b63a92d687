import Catalogue
import Ledger
import Lending
import Parties
import Persistence
import Primitives

/// The lender declares a default. From that day the fee stands still.
package struct DeclareDefault: LoanCommand {
  package static let action = "loan.default"
  package var staffDuty: Duty? { .risk }
  package let loanID: LoanID
  package let cause: DefaultCause
  /// Time for the borrower to cure it, from that day: until it is over, nothing is accelerated or taken back.
  package let cureDays: Int64?
  package let reason: String?
  package let ifVersion: Int64?

  package init(loanID: LoanID, cause: DefaultCause, cureDays: Int64?, reason: String?, ifVersion: Int64?) {
    self.loanID = loanID
    self.cause = cause
    self.cureDays = cureDays
    self.reason = reason
    self.ifVersion = ifVersion
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Loan {
    var loan = try loan(&draft, for: .lender, principal)
    try loan.require(.declareDefault)
    loan = try LoanDesk.accrue(loan, through: draft.today, in: &draft).loan
    var cureUntil: CalendarDate?
    if let cureDays {
      guard let date = draft.today.adding(days: cureDays) else { throw LendingRefusal.overflow }
      cureUntil = date
    }
    try loan.declareDefault(cause, on: draft.today, cureUntil: cureUntil)
    loan = draft.put(\.loans, loan)
    LoanDesk.announce(
      "loan.defaulted", loan,
      [
        ("cause", .text(cause.rawValue)), ("cure_until", cureUntil.map { .text($0.description) } ?? .absent),
        ("reason", reason.map { .text($0) } ?? .absent),
      ], in: &draft)
    return loan
  }
}

/// A default is over: nothing is due any more. Either side may say so where it was for non-payment, since the books tell;
/// whether another cause is gone is the lender's to say.
package struct CureDefault: LoanCommand {
  package static let action = "loan.cure"
  package var staffDuty: Duty? { .risk }
  package let loanID: LoanID
  package let reason: String?
  package let ifVersion: Int64?

  package init(loanID: LoanID, reason: String?, ifVersion: Int64?) {
    self.loanID = loanID
    self.reason = reason
    self.ifVersion = ifVersion
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Loan {
    var loan = try loan(&draft, for: .either, principal)
    let cause = loan.life.default?.cause
    if let cause, cause != .nonPayment, principal.organizationID != loan.terms.lenderID {
      throw PartiesRefusal.notYours("default")
    }
    try loan.cure()
    loan = draft.put(\.loans, loan)
    // The contract goes on: the days in default have their fee as every other.
    loan = try LoanDesk.accrue(loan, through: draft.today, in: &draft).loan
    LoanDesk.announce(
      "loan.cured", loan,
      [("cause", cause.map { .text($0.rawValue) } ?? .absent), ("reason", reason.map { .text($0) } ?? .absent)],
      in: &draft)
    return loan
  }
}

/// The lender makes everything due because of a default, once the time to cure it is over.
package struct AccelerateLoan: LoanCommand {
  package static let action = "loan.accelerate"
  package var staffDuty: Duty? { .risk }
  package let loanID: LoanID
  package let ifVersion: Int64?

  package init(loanID: LoanID, ifVersion: Int64?) {
    self.loanID = loanID
    self.ifVersion = ifVersion
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Loan {
    var loan = try loan(&draft, for: .lender, principal)
    try loan.require(.accelerate)
    loan = try LoanDesk.accruePenalty(loan, through: draft.today, in: &draft)
    try loan.accelerate(on: draft.today)
    loan = draft.put(\.loans, loan)
    LoanDesk.announce(
      "loan.accelerated", loan,
      [("cause", .text(LoanDue.Cause.acceleration.rawValue)), ("amount", .number(try loan.outstanding.total()))],
      in: &draft)
    return loan
  }
}

/// The lender takes chips back in default: an act with a verdict of its own day. What they bring is collateral money, and
/// what it leaves of the debt is the deficiency.
package struct RepossessChips: LoanCommand {
  package static let action = "loan.repossess"
  package var staffDuty: Duty? { .risk }
  package let loanID: LoanID
  package let quantity: Int64
  package let serials: [String]
  package let occurredOn: CalendarDate
  package let ifVersion: Int64?

  package init(loanID: LoanID, quantity: Int64, serials: [String] = [], occurredOn: CalendarDate, ifVersion: Int64?) {
    self.loanID = loanID
    self.quantity = quantity
    self.serials = serials
    self.occurredOn = occurredOn
    self.ifVersion = ifVersion
  }

  /// The loan, and the verdict that let the act happen.
  package struct Repossessed: Sendable {
    package let loan: Loan
    package let verdict: Verdict
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    loanNeeds(state).union(state.loans[loanID].map { UnitDesk.needs(serials, of: $0) } ?? [])
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Repossessed {
    var loan = try loan(&draft, for: .lender, principal)
    try loan.require(.repossess)
    guard occurredOn <= draft.today else { throw LendingRefusal.futureDate(given: occurredOn, today: draft.today) }
    try loan.repossess(quantity, on: occurredOn)
    let act = try LoanDesk.act(.repossession, of: loan, units: quantity, on: occurredOn, in: draft)
    let verdict = try ExportDesk.judge(act, subject: loanID.value, in: &draft)
    guard verdict.isClear else { throw verdict.refusal }
    let taken = try UnitDesk.named(serials, quantity: quantity, of: loan, in: draft)
    try UnitDesk.release(
      taken, from: loan, .repossessed, condition: .inService, on: occurredOn, by: principal, in: &draft)
    loan = draft.put(\.loans, loan)
    try LoanDesk.moveUnits(
      .chipsRepossessed, of: loan, quantity, from: .onLoan, to: .repossessed, leaving: true, on: occurredOn, in: &draft)
    LoanDesk.announce(
      "loan.repossessed", loan,
      [("quantity", .number(quantity)), ("effect", .text(verdict.effect.rawValue))], in: &draft)
    return Repossessed(loan: loan, verdict: verdict)
  }
}

/// What the lender did with chips that it took back. What a sale brought is recorded as collateral money when it comes; what
/// that leaves of the debt is the deficiency, what it leaves of the money stays the borrower's.
package struct DisposeChips: LoanCommand {
  package static let action = "loan.dispose"
  package var staffDuty: Duty? { .risk }
  package let loanID: LoanID
  package let quantity: Int64
  package let outcome: Disposal
  package let occurredOn: CalendarDate
  package let ifVersion: Int64?

  package init(loanID: LoanID, quantity: Int64, outcome: Disposal, occurredOn: CalendarDate, ifVersion: Int64?) {
    self.loanID = loanID
    self.quantity = quantity
    self.outcome = outcome
    self.occurredOn = occurredOn
    self.ifVersion = ifVersion
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Loan {
    var loan = try loan(&draft, for: .lender, principal)
    try loan.require(.dispose)
    guard occurredOn <= draft.today else { throw LendingRefusal.futureDate(given: occurredOn, today: draft.today) }
    if let declared = loan.life.default?.on, occurredOn < declared {
      throw LendingRefusal.dateOutOfOrder(given: occurredOn, earliest: declared)
    }
    try loan.dispose(quantity, outcome)
    loan = draft.put(\.loans, loan)
    try LoanDesk.moveUnits(
      .chipsDisposed, of: loan, quantity, from: .repossessed, to: outcome == .sold ? .sold : .available,
      leaving: false, on: occurredOn, in: &draft)
    LoanDesk.announce(
      "loan.chips_disposed", loan, [("reason_code", .text(outcome.rawValue)), ("quantity", .number(quantity))],
      in: &draft)
    return loan
  }
}
