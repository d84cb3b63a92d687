import Catalogue
import Ledger
import Lending
import Parties
import Persistence
import Primitives

/// A delivery, from either side: the lender's record is the dispatch, the borrower's is the acceptance that makes the
/// loan active. The hand-over is judged on the day it happened.
package struct RecordDelivery: Command {
  package static let action = "loan.deliver"
  package var staffDuty: Duty? { nil }
  package let loanID: LoanID
  package let quantity: Int64?
  /// The numbered units that go out, or arrive; none where they have no numbers.
  package let serials: [String]
  package let occurredOn: CalendarDate
  package let ifVersion: Int64?

  package init(
    loanID: LoanID, quantity: Int64?, serials: [String] = [], occurredOn: CalendarDate, ifVersion: Int64?
  ) {
    self.serials = serials
    self.loanID = loanID
    self.quantity = quantity
    self.occurredOn = occurredOn
    self.ifVersion = ifVersion
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    var needs: Set<Need> = [.loan(loanID)]
    if let loan = state.loans[loanID] {
      needs.formUnion(LoanDesk.needsToClose(loan).union(UnitDesk.needs(serials, of: loan)))
    }
    return needs
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> {
    state.loans[loanID].map { LoanDesk.books(of: $0) } ?? []
  }

  /// The loan, and the verdict of the hand-over where this record is the dispatch.
  package struct Delivered: Sendable {
    package let loan: Loan
    package let verdict: Verdict?
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Delivered {
    guard var loan = draft.find(\.loans, loanID), var lot = draft.find(\.lots, loan.terms.lotID),
      LoanDesk.books(of: loan).contains(principal.organizationID)
    else { throw PartiesRefusal.notFound("loan") }
    try principal.require(.lender, .startup)
    try checkVersion(ifVersion, loan.version)
    guard occurredOn <= draft.today else { throw LendingRefusal.futureDate(given: occurredOn, today: draft.today) }
    if let quantity, quantity != loan.terms.quantity { throw LendingRefusal.wholeQuantityOnly(loan.terms.quantity) }
    draft.made.subject = loanID.value
    let units = loan.terms.quantity
    if principal.organizationID == loan.terms.lenderID {
      try loan.dispatch(on: occurredOn)
      let act = try LoanDesk.act(.handOver, of: loan, units: units, on: occurredOn, in: draft)
      let verdict = try ExportDesk.judge(act, subject: loanID.value, in: &draft)
      guard verdict.isClear else { throw verdict.refusal }
      try lot.move(units, from: .reserved, to: .inTransit)
      draft.put(\.lots, lot)
      loan = draft.put(\.loans, loan)
      try UnitDesk.dispatch(serials, with: loan, from: lot, on: occurredOn, by: principal, in: &draft)
      try LoanDesk.postDispatch(loan, on: occurredOn, in: &draft)
      announce("loan.dispatched", loan, &draft)
      return Delivered(loan: loan, verdict: verdict)
    }
    try loan.acceptDelivery(on: occurredOn)
    try lot.move(units, from: .inTransit, to: .onLoan)
    draft.put(\.lots, lot)
    loan = draft.put(\.loans, loan)
    let arrived = try UnitDesk.named(serials, quantity: units, of: loan, in: draft)
    try UnitDesk.happen(.accepted, to: arrived, of: loan, on: occurredOn, by: principal, in: &draft)
    try LoanDesk.postDelivery(loan, on: occurredOn, in: &draft)
    announce("loan.activated", loan, &draft)
    return Delivered(loan: loan, verdict: nil)
  }

  private func announce(_ type: String, _ loan: Loan, _ draft: inout Draft) {
    draft.happen(
      type, loan.id, version: loan.version, to: (loan.terms.borrowerID, loan.terms.lenderID),
      [("state", .text(loan.state.rawValue)), ("occurred_on", .text(occurredOn.description))])
  }
}
