import Lending
import Parties
import Persistence
import Primitives

/// One side proposes a change of the loan's terms. Nothing changes until the other accepts.
package struct ProposeAmendment: LoanCommand {
  package static let action = "loan_amendment.propose"
  package var staffDuty: Duty? { nil }
  package let loanID: LoanID
  package let terms: AmendmentTerms
  package let reason: String?
  /// How long it can be accepted.
  package let validDays: Int64?
  package let ifVersion: Int64?

  package init(loanID: LoanID, terms: AmendmentTerms, reason: String?, validDays: Int64?, ifVersion: Int64?) {
    self.loanID = loanID
    self.terms = terms
    self.reason = reason
    self.validDays = validDays
    self.ifVersion = ifVersion
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    loanNeeds(state).union(AmendmentDesk.needs(of: loanID, terms, state))
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> AmendmentDesk.Answered {
    let loan = try loan(&draft, for: .either, principal)
    let present = (draft.base.amendmentsOfLoan[loanID] ?? []).compactMap { draft.find(\.amendments, $0) }
    if present.contains(where: { $0.state == .proposed && $0.terms.kind == terms.kind }) {
      throw LendingRefusal.loan(.alreadyProposed(terms.kind.rawValue))
    }
    guard let validUntil = draft.today.adding(days: validDays ?? LoanAmendment.defaultValidDays) else {
      throw LendingRefusal.overflow
    }
    // What cannot be done today is not proposed; the same is tried again on the day it is accepted. The trial's entries
    // are dropped with the copy, and the numbers it would come to are the answer's.
    var trial = draft
    let amendment = LoanAmendment(
      id: draft.ids.next(), borrowerID: loan.terms.borrowerID, lenderID: loan.terms.lenderID, loanID: loanID,
      terms: terms, proposedBy: principal.organizationID, proposedOn: draft.today, validUntil: validUntil,
      reason: reason, createdAt: draft.now, updatedAt: draft.now)
    let (_, preview) = try AmendmentDesk.apply(amendment.terms, to: loan, by: principal, in: &trial)
    draft.put(\.amendments, amendment)
    draft.made.subject = amendment.id.value
    LoanDesk.announce("loan.amendment_proposed", loan, AmendmentDesk.facts(amendment), in: &draft)
    return AmendmentDesk.Answered(amendment: amendment, loan: loan, restatement: preview)
  }
}

/// The other side accepts or rejects an amendment, or the side that proposed it takes it back.
package struct AnswerAmendment: Command {
  package static let action = "loan_amendment.answer"
  package var staffDuty: Duty? { nil }
  package let loanID: LoanID
  package let amendmentID: AmendmentID
  package let act: LoanAmendment.Act
  /// Of the amendment.
  package let ifVersion: Int64?

  package init(loanID: LoanID, amendmentID: AmendmentID, act: LoanAmendment.Act, ifVersion: Int64?) {
    self.loanID = loanID
    self.amendmentID = amendmentID
    self.act = act
    self.ifVersion = ifVersion
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    var needs: Set<Need> = [.amendment(amendmentID), .loan(loanID)]
    if let loan = state.loans[loanID] { needs.formUnion(LoanDesk.needsToClose(loan)) }
    return needs.union(AmendmentDesk.needs(of: loanID, state.shelves.amendments[amendmentID]?.terms, state))
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> {
    state.loans[loanID].map { LoanDesk.books(of: $0) } ?? []
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> AmendmentDesk.Answered {
    guard var loan = draft.find(\.loans, loanID), LoanDesk.books(of: loan).contains(principal.organizationID),
      var amendment = draft.find(\.amendments, amendmentID), amendment.loanID == loanID
    else { throw PartiesRefusal.notFound("amendment") }
    try principal.require(.lender, .startup)
    try checkVersion(ifVersion, amendment.version)
    draft.made.subject = amendmentID.value
    try amendment.conclude(act, by: principal.organizationID, on: draft.today)
    if act == .accept {
      let (changed, restatement) = try AmendmentDesk.apply(amendment.terms, to: loan, by: principal, in: &draft)
      loan = changed
      if let restatement { amendment.record(restatement) }
    }
    amendment = draft.put(\.amendments, amendment)
    LoanDesk.announce(
      "loan.amendment_\(amendment.state.rawValue)", loan, AmendmentDesk.facts(amendment), in: &draft)
    return AmendmentDesk.Answered(amendment: amendment, loan: loan, restatement: amendment.restatement)
  }
}

/// Amendments of one borrower's loans that nobody accepted in time lapse. Done twice, the second does nothing.
package struct LapseAmendments: Command {
  package static let action = "settlement.lapse_amendments"
  package var staffDuty: Duty? { .operations }
  package let borrowerID: OrganizationID
  package let on: CalendarDate

  package init(borrowerID: OrganizationID, on: CalendarDate) {
    self.borrowerID = borrowerID
    self.on = on
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    var needs: Set<Need> = [.loansOfBorrower(borrowerID)]
    for id in state.loansOfBorrower[borrowerID] ?? [] { needs.insert(.amendmentsOfLoan(id)) }
    return needs
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> { LoanBook.heads(of: borrowerID, state) }

  /// - Returns: how many lapsed.
  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Int64 {
    try principal.require(.admin)
    draft.made.subject = borrowerID.value
    var lapsed: Int64 = 0
    for loanID in draft.base.loansOfBorrower[borrowerID] ?? [] {
      guard let loan = draft.find(\.loans, loanID) else { continue }
      for id in draft.base.amendmentsOfLoan[loanID] ?? [] {
        guard var amendment = draft.find(\.amendments, id), amendment.state == .proposed, amendment.validUntil < on
        else { continue }
        try amendment.conclude(.lapse, by: nil, on: on)
        amendment = draft.put(\.amendments, amendment)
        LoanDesk.announce("loan.amendment_lapsed", loan, AmendmentDesk.facts(amendment), in: &draft)
        lapsed += 1
      }
    }
    return lapsed
  }
}

/// What proposing and accepting an amendment share.
package enum AmendmentDesk {
  /// The amendment, the loan as it is then, and what a backdated rate comes to: on the day, for a proposal.
  package struct Answered: Sendable {
    package let amendment: LoanAmendment
    package let loan: Loan
    package let restatement: FeeRestatement?
  }

  static func needs(of loanID: LoanID, _ terms: AmendmentTerms?, _ state: BatchState) -> Set<Need> {
    guard let loan = state.loans[loanID] else { return [] }
    let needs: Set<Need> = [.amendmentsOfLoan(loanID), .principalMoves(loan.terms.borrowerID, loanID)]
    guard let serials = terms?.serials else { return needs }
    return needs.union(UnitDesk.needs(serials.out + serials.with, of: loan))
  }

  static func facts(_ amendment: LoanAmendment) -> [(StaticString, EventFact)] {
    [
      ("amendment_id", .text(amendment.id.description)), ("kind", .text(amendment.terms.kind.rawValue)),
      ("reason_code", .text(amendment.terms.kind.rawValue)),
      ("proposed_by", .text(amendment.proposedBy.description)),
    ]
  }

  /// Changes the loan as agreed, as of the draft's day. The fee is posted up to that day at the old rate first, so that
  /// what a backdated rate takes back is all of it.
  static func apply(
    _ terms: AmendmentTerms, to loan: Loan, by principal: Principal, in draft: inout Draft
  ) throws -> (Loan, FeeRestatement?) {
    let today = draft.today
    // Whatever changes, the days before today bear their penalty as things were.
    var loan = try LoanDesk.accruePenalty(loan, through: today, in: &draft)
    var restatement: FeeRestatement?
    if let change = terms.rateChange {
      try loan.require(.reRate)
      let before = try LoanDesk.accrue(loan, through: today, in: &draft).loan
      loan = before
      try loan.reRate(change)
      if let found = try LoanFee.restatement(
        from: change.from, before: before, after: loan, moves: draft.base.principalMoves[loan.id] ?? [:])
      {
        let taken = try loan.restateFee(
          reversed: found.reversed, restated: found.restated, residue: found.residue)
        let credited = try taken.total()
        try LoanDesk.postRestatement(
          loan, reversed: found.reversed, restated: found.restated, taken: taken, on: today, in: &draft)
        let taxes = try LoanTaxes.restated(
          from: change.from, before: before, after: loan, moves: draft.base.principalMoves[loan.id] ?? [:],
          draft.reference.taxes)
        loan = try LoanDesk.restateTax(taxes, on: loan, in: &draft)
        restatement = FeeRestatement(reversed: found.reversed, restated: found.restated, credited: credited)
      }
    }
    if let serials = terms.serials {
      try loan.require(.substitute)
      try UnitDesk.substitute(
        serials.out, with: serials.with, in: loan, on: today, by: principal, in: &draft)
    }
    if let date = terms.maturity { try loan.extend(to: date, on: today) }
    if let date = terms.pause { try loan.pause(until: date, on: today) }
    loan = draft.put(\.loans, loan)
    loan = try LoanDesk.releaseWriteOff(loan, on: today, in: &draft)
    return (try LoanDesk.complete(loan, on: today, in: &draft), restatement)
  }
}
