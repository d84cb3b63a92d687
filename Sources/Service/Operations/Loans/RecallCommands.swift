import Lending
import Parties
import Persistence
import Primitives

/// The lender calls the chips back, where the listing gave it the right. The fee goes on until they are back.
package struct RecallLoan: LoanCommand {
  package static let action = "loan.recall"
  package var staffDuty: Duty? { nil }
  package let loanID: LoanID
  /// The notice of the contract when nil; never less.
  package let noticeDays: Int64?
  package let reason: String?
  package let ifVersion: Int64?

  package init(loanID: LoanID, noticeDays: Int64?, reason: String?, ifVersion: Int64?) {
    self.loanID = loanID
    self.noticeDays = noticeDays
    self.reason = reason
    self.ifVersion = ifVersion
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Loan {
    var loan = try loan(&draft, for: .lender, principal)
    let days = noticeDays ?? loan.terms.recallNoticeDays ?? 0
    try loan.recall(
      on: draft.today, noticeDays: days,
      adjusted: BusinessDays.endOfNotice(days, from: draft.today, of: loan, draft.reference.calendars))
    loan = draft.put(\.loans, loan)
    LoanDesk.announce(
      "loan.recalled", loan,
      [
        ("due_on", loan.life.recall.map { .text($0.dueOn.description) } ?? .absent), ("notice_days", .number(days)),
        ("reason", reason.map { .text($0) } ?? .absent),
      ], in: &draft)
    return loan
  }
}

/// The lender calls a recall off.
package struct WithdrawRecall: LoanCommand {
  package static let action = "loan.withdraw_recall"
  package var staffDuty: Duty? { nil }
  package let loanID: LoanID
  package let ifVersion: Int64?

  package init(loanID: LoanID, ifVersion: Int64?) {
    self.loanID = loanID
    self.ifVersion = ifVersion
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Loan {
    var loan = try loan(&draft, for: .lender, principal)
    try loan.withdrawRecall()
    loan = draft.put(\.loans, loan)
    LoanDesk.announce("loan.recall_withdrawn", loan, in: &draft)
    return loan
  }
}

/// Recalls of one borrower whose notice has run out with chips still out: due and overdue. Done twice, the second does
/// nothing.
package struct EscalateRecalls: Command {
  package static let action = "settlement.escalate_recalls"
  package var staffDuty: Duty? { .operations }
  package let borrowerID: OrganizationID
  package let on: CalendarDate

  package init(borrowerID: OrganizationID, on: CalendarDate) {
    self.borrowerID = borrowerID
    self.on = on
  }

  package func needs(_ state: BatchState) -> Set<Need> { [.loansOfBorrower(borrowerID)] }
  package func heads(_ state: BatchState) -> Set<OrganizationID> { LoanBook.heads(of: borrowerID, state) }

  /// - Returns: how many loans it made overdue.
  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Int64 {
    try principal.require(.admin)
    draft.made.subject = borrowerID.value
    var escalated: Int64 = 0
    for present in LoanBook.running(of: borrowerID, in: draft) where present.life.recall != nil {
      var loan = present
      // What is due already bears its penalty up to the day on which all of it is.
      if let dueOn = loan.life.recall?.dueOn, dueOn < on, loan.due != nil {
        loan = try LoanDesk.accruePenalty(loan, through: dueOn, booked: on, in: &draft)
      }
      guard try loan.escalateRecall(on: on) else { continue }
      loan = draft.put(\.loans, loan)
      LoanDesk.announce(
        "loan.overdue", loan, [("cause", .text(LoanDue.Cause.recall.rawValue)), ("units_out", .number(loan.unitsOut))],
        in: &draft)
      escalated += 1
    }
    return escalated
  }
}

/// Loans of one borrower whose dues are past their grace, and past a payment holiday: overdue; and how late each is, by days
/// and bucket. Done twice, the second does nothing.
package struct AgeDelinquency: Command {
  package static let action = "settlement.age_delinquency"
  package var staffDuty: Duty? { .operations }
  package let borrowerID: OrganizationID
  package let on: CalendarDate

  package init(borrowerID: OrganizationID, on: CalendarDate) {
    self.borrowerID = borrowerID
    self.on = on
  }

  package func needs(_ state: BatchState) -> Set<Need> { [.loansOfBorrower(borrowerID)] }
  package func heads(_ state: BatchState) -> Set<OrganizationID> { LoanBook.heads(of: borrowerID, state) }

  /// - Returns: how many loans it made overdue.
  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Int64 {
    try principal.require(.admin)
    draft.made.subject = borrowerID.value
    var aged: Int64 = 0
    for loan in LoanBook.running(of: borrowerID, in: draft) { try Lateness.record(loan, on: on, in: &draft) }
    for present in LoanBook.running(of: borrowerID, in: draft) where Loan.Act.fallOverdue.from.contains(present.state) {
      guard let due = present.due, let from = present.overdueFrom, from < on else { continue }
      var loan = present
      try loan.fallOverdue(since: from)
      loan = draft.put(\.loans, loan)
      LoanDesk.announce(
        "loan.overdue", loan,
        [("cause", .text(due.cause.rawValue)), ("due_since", .text(due.since.description))], in: &draft)
      aged += 1
    }
    return aged
  }
}
