import Ledger
import Lending
import Parties
import Persistence
import Primitives

/// Compliance stops the chips and the title of a loan. The debt is what it was, and cash still discharges it.
package struct FreezeLoan: LoanCommand {
  package static let action = "loan.freeze"
  package var staffDuty: Duty? { .risk }
  package let loanID: LoanID
  package let reason: String
  package let ifVersion: Int64?

  package init(loanID: LoanID, reason: String, ifVersion: Int64?) {
    self.loanID = loanID
    self.reason = reason
    self.ifVersion = ifVersion
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Loan {
    var loan = try loan(&draft, for: .staff, principal)
    try loan.freeze(on: draft.today, reason: reason)
    loan = draft.put(\.loans, loan)
    try LoanDesk.moveUnits(
      .chipsFrozen, of: loan, loan.unitsOut, from: .onLoan, to: .frozen, leaving: false, on: draft.today, in: &draft)
    // The reason stays with compliance: it may be what a party must not be told.
    LoanDesk.announce("loan.frozen", loan, [("reason_code", .text("compliance_hold"))], in: &draft)
    return loan
  }
}

/// A hold ends. A loan whose debt was paid meanwhile goes on to its title, by a verdict of this day.
package struct UnfreezeLoan: LoanCommand {
  package static let action = "loan.unfreeze"
  package static let asksSecondPerson = true
  package var staffDuty: Duty? { .risk }
  package let loanID: LoanID
  package let ifVersion: Int64?

  package init(loanID: LoanID, ifVersion: Int64?) {
    self.loanID = loanID
    self.ifVersion = ifVersion
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Loan {
    var loan = try loan(&draft, for: .staff, principal)
    try loan.unfreeze()
    loan = draft.put(\.loans, loan)
    try LoanDesk.moveUnits(
      .chipsReleased, of: loan, loan.unitsOut, from: .frozen, to: .onLoan, leaving: false, on: draft.today, in: &draft)
    LoanDesk.announce("loan.unfrozen", loan, in: &draft)
    guard loan.state == .titlePending, loan.unitsOut > 0 else {
      return try LoanDesk.complete(loan, on: draft.today, in: &draft)
    }
    return try LoanDesk.passTitle(loan, units: loan.unitsOut, on: draft.today, in: &draft)
  }
}
