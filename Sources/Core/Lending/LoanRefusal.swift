import Primitives

/// Why an act of a loan's life is refused. Ordered by precedence.
package enum LoanRefusal: Refusal, Hashable {
  /// The listing gave no right of recall.
  case recallNotContracted
  /// Fewer days of notice than the listing promised.
  case noticeTooShort(Int64, least: Int64)
  /// Compliance holds the loan's chips and title.
  case onHold(since: CalendarDate)
  /// Nothing is overdue that a default for non-payment could rest on.
  case notOverdue(LoanState)
  /// A cure needs that nothing is due any more.
  case stillDue(Int64)
  /// The lender gave the borrower time to cure its default, and it is not over.
  case cureTimeRunning(until: CalendarDate)
  /// The other side, not the one that proposed it, answers an amendment.
  case ownProposal
  /// Only the side that proposed an amendment takes it back.
  case notOwnProposal
  /// An amendment of the kind waits for an answer already.
  case alreadyProposed(String)
  case amendmentLapsed(CalendarDate)
  /// The date lies outside of what the amendment can change.
  case dateOutOfRange(pointer: String, given: CalendarDate, earliest: CalendarDate, latest: CalendarDate)
  /// An amendment that would change nothing.
  case nothingChanges(pointer: String)
  /// More than the claim, or a part of it, comes to.
  case moreThanClaimed(pointer: String, wanted: Int64, claimed: Int64)
  /// What the backdated rate gives back exceeds all that is owed.
  case givesBackMoreThanOwed(Int64, owed: Int64)
  case tooManyChanges(Int)
  /// More chips than were taken back and are still with the lender.
  case moreThanRepossessed(Int64, left: Int64)
  /// The loan's units have numbers, and the act does not say which it means; or it is for numbered units alone.
  case serialsRequired
  /// The lot has no such serial number.
  case unknownSerial(String)
  /// The unit is in another loan.
  case unitInLoan(String)
  /// The unit is not in this loan.
  case unitNotInLoan(String)
  /// The terms of the loan forbid its lender to sell it.
  case notAssignable
  /// Something about the loan must end before it can be sold.
  case assignmentBarred(String)
  /// Who is to buy the loan cannot be its lender.
  case assigneeBarred(String)
  /// A sale of the loan waits to be answered or settled already.
  case assignmentPending
  case assignmentLapsed(CalendarDate)
  /// The borrower may answer until that day.
  case consentAwaited(until: CalendarDate)
  /// The sale was agreed for a later day.
  case notYetEffective(CalendarDate)
  /// The claim is not what the buyer accepted.
  case claimChanged(accepted: Int64, present: Int64)
  /// The loan was sold so often that its history is kept no further.
  case soldTooOften(Int)
  /// Units came back or were lost, or a part was written off: only a whole loan is taken over.
  case notWhole

  package var kind: RefusalKind {
    switch self {
    case .noticeTooShort, .dateOutOfRange, .nothingChanges, .moreThanClaimed, .unknownSerial,
      .serialsRequired, .assigneeBarred:
      .invalid
    case .ownProposal, .notOwnProposal: .forbidden
    default: .conflict
    }
  }

  package var code: String {
    switch self {
    case .recallNotContracted: "loan.recall_not_contracted"
    case .noticeTooShort: "loan.notice_too_short"
    case .onHold: "loan.on_hold"
    case .notOverdue: "loan.not_overdue"
    case .stillDue: "loan.still_due"
    case .cureTimeRunning: "loan.cure_time_running"
    case .ownProposal: "loan.own_proposal"
    case .notOwnProposal: "loan.not_own_proposal"
    case .alreadyProposed: "loan.already_proposed"
    case .amendmentLapsed: "loan.amendment_lapsed"
    case .dateOutOfRange: "loan.date_out_of_range"
    case .nothingChanges: "loan.nothing_changes"
    case .moreThanClaimed: "loan.more_than_claimed"
    case .givesBackMoreThanOwed: "loan.gives_back_more_than_owed"
    case .moreThanRepossessed: "loan.more_than_repossessed"
    case .tooManyChanges: "loan.too_many_changes"
    case .serialsRequired: "loan.serials_required"
    case .unknownSerial: "loan.unknown_serial"
    case .unitInLoan: "loan.unit_in_loan"
    case .unitNotInLoan: "loan.unit_not_in_loan"
    case .notAssignable: "loan.not_assignable"
    case .assignmentBarred: "loan.assignment_barred"
    case .assigneeBarred: "loan.assignee_barred"
    case .assignmentPending: "loan.assignment_pending"
    case .assignmentLapsed: "loan.assignment_lapsed"
    case .consentAwaited: "loan.consent_awaited"
    case .notYetEffective: "loan.not_yet_effective"
    case .claimChanged: "loan.claim_changed"
    case .soldTooOften: "loan.sold_too_often"
    case .notWhole: "loan.not_whole"
    }
  }

  package var detail: String {
    switch self {
    case .recallNotContracted: "The loan gives no right of recall."
    case .noticeTooShort(let days, let least): "\(days) days of notice are fewer than the \(least) that were agreed."
    case .onHold(let date): "Compliance holds the loan since \(date); chips and title do not move."
    case .notOverdue(let state): "The loan is \(state.rawValue), not overdue: non-payment is no default yet."
    case .stillDue(let amount): "\(amount) minor units are still due; a default is cured once nothing is."
    case .cureTimeRunning(let date): "The borrower may cure its default until \(date)."
    case .ownProposal: "Your organisation proposed this amendment; the other side answers it."
    case .notOwnProposal: "The other side proposed this amendment; it alone can withdraw it."
    case .alreadyProposed(let kind): "An amendment of the kind \(kind) waits for an answer already."
    case .amendmentLapsed(let date): "The amendment could be accepted until \(date)."
    case .dateOutOfRange(_, let given, let earliest, let latest):
      "\(given) is not between \(earliest) and \(latest)."
    case .nothingChanges: "That is how it is already; the amendment would change nothing."
    case .moreThanClaimed(_, let wanted, let claimed): "\(wanted) minor units are more than the \(claimed) claimed."
    case .givesBackMoreThanOwed(let amount, let owed):
      "The rate would give back \(amount) minor units, and \(owed) are owed in all."
    case .moreThanRepossessed(let count, let left): "\(count) units are to be disposed of, \(left) were taken back."
    case .tooManyChanges(let most): "The rate was changed \(most) times; no more changes are kept."
    case .serialsRequired: "Name the units that are meant by their serial numbers."
    case .unknownSerial(let serial): "The lot has no unit with the serial number \(serial)."
    case .unitInLoan(let serial): "The unit \(serial) is in another loan."
    case .unitNotInLoan(let serial): "The unit \(serial) is not in this loan."
    case .notAssignable: "The loan's terms do not let its lender sell it."
    case .assignmentBarred(let why): "The loan cannot be sold now: \(why)."
    case .assigneeBarred(let why): "That organisation cannot buy the loan: \(why)."
    case .assignmentPending: "A sale of the loan waits to be answered or settled already."
    case .assignmentLapsed(let date): "The sale could be answered or settled until \(date)."
    case .consentAwaited(let date):
      "The borrower may answer until \(date); its silence is consent from the next day on."
    case .notYetEffective(let date): "The sale was agreed for \(date)."
    case .claimChanged(let accepted, let present):
      "The buyer accepted a claim of \(accepted) minor units; what it would get is \(present)."
    case .soldTooOften(let most): "The loan was sold \(most) times; it is not sold again."
    case .notWhole:
      "Units of the loan came back or were lost, or a part is written off: only a whole loan is taken over."
    }
  }

  package var pointer: String? {
    switch self {
    case .noticeTooShort: "/notice_days"
    case .moreThanRepossessed: "/quantity"
    case .assigneeBarred: "/buyer_organization_id"
    case .notYetEffective: "/effective_on"
    case .dateOutOfRange(let pointer, _, _, _), .nothingChanges(let pointer), .moreThanClaimed(let pointer, _, _):
      pointer
    case .serialsRequired, .unknownSerial, .unitInLoan, .unitNotInLoan: "/serials"
    default: nil
    }
  }
}
