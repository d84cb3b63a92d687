import Lending
import Parties
import Persistence
import Primitives
import Repayment

/// A lender declines what a closing's sweep made due to it, as the waterfall among the lenders lets it: in time, and before
/// any of the money is divided. The debt stays; what was due goes to other lenders of the sweep, or to nobody.
package struct DeclinePrepayment: LoanCommand {
  package static let action = "loan.decline_prepayment"
  package var staffDuty: Duty? { nil }
  package let loanID: LoanID
  package let closingID: ClosingID
  package let ifVersion: Int64?

  package init(loanID: LoanID, closingID: ClosingID, ifVersion: Int64? = nil) {
    self.loanID = loanID
    self.closingID = closingID
    self.ifVersion = ifVersion
  }

  /// The decision with its record, and the loan after it.
  package struct Declined: Sendable {
    package let decline: PrepaymentDecline
    package let dues: DeclinedDues
    package let loan: Loan
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    var needs: Set<Need> = [.loan(loanID), .sweepOfClosing(closingID), .declinesOfClosing(closingID)]
    guard let borrower = state.loans[loanID]?.terms.borrowerID else { return needs }
    needs.formUnion([.loansOfBorrower(borrower), .closingsOfBorrower(borrower), .waterfalls(borrower)])
    return needs
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> {
    guard let loan = state.loans[loanID] else { return [] }
    return LoanBook.heads(of: loan.terms.borrowerID, state).union(LoanDesk.books(of: loan))
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Declined {
    var loan = try loan(&draft, for: .lender, principal)
    let borrower = loan.terms.borrowerID
    guard (draft.base.closingsOfBorrower[borrower] ?? []).contains(closingID),
      let closing = draft.find(\.closings, closingID)
    else { throw PartiesRefusal.notFound("closing") }
    guard closing.state == .swept, let sweptOn = closing.sweptOn else {
      throw RoundRefusal.notSwept(closing.state.rawValue)
    }
    let waterfall = (draft.base.waterfallsOf[borrower] ?? []).terms(on: sweptOn).waterfalls[.round]
    guard let rule = waterfall.decline else { throw RepaymentRefusal.mayNotDecline(loanID) }
    let earlier = draft.base.declinesOfClosing[closingID] ?? []
    guard !earlier.contains(where: { $0.loanID == loanID }) else { throw RoundRefusal.alreadyDeclined }
    guard (draft.base.paidSinceSweep[closingID] ?? [:]).values.allSatisfy({ $0 == 0 }) else {
      throw RoundRefusal.alreadyDivided
    }
    let record = try SweepRecords.least(draft.base.sweepsOfClosing[closingID] ?? [])
    let dues = try SweepRecords.after(earlier, record.amounts)
    guard let candidate = record.candidates.first(where: { $0.loanID == loanID }),
      record.due.first(where: { $0.loanID == loanID })?.cause == .fundingRound,
      let amount = dues[loanID], amount > 0, loan.due?.cause == .fundingRound
    else { throw RoundRefusal.nothingToDecline }
    let candidates = Set(record.candidates.map(\.loanID))
    let soldSince = (draft.base.loansOfBorrower[borrower] ?? []).compactMap { draft.find(\.loans, $0) }.contains {
      !candidates.contains($0.id) && $0.life.acquired?.lineage.contains(loanID) == true
    }
    guard !soldSince else { throw RoundRefusal.soldSince }
    let declinedBefore = Set(earlier.map(\.loanID))
    var takers: [DeclinedDues.Taker] = []
    for other in record.candidates where other.loanID != loanID && !declinedBefore.contains(other.loanID) {
      guard let taker = draft.find(\.loans, other.loanID), taker.isRunning, taker.currency == loan.currency,
        Loan.Act.becomeDue.from.contains(taker.state)
      else { continue }
      let accrued = try LoanDesk.accrue(taker, through: draft.today, in: &draft).loan
      let open = try accrued.outstanding.total().subtracting(accrued.collectable.total())
      takers.append(
        DeclinedDues.Taker(
          loanID: other.loanID, lenderID: taker.terms.lenderID, rank: other.rank, hasAcceded: other.hasAcceded,
          open: open))
    }
    let declined = try DeclinedDues(
      closingID: closingID, loanID: loanID, lenderID: loan.terms.lenderID, rank: candidate.rank,
      hasAcceded: candidate.hasAcceded, amount: amount, rule: rule, noticeOn: sweptOn, declinedOn: draft.today,
      takers: takers)
    try loan.withdrawDue(amount)
    loan = draft.put(\.loans, loan)
    LoanDesk.announce(
      "loan.prepayment_declined", loan,
      [
        ("amount", .number(amount)), ("closing_id", .text(closingID.description)),
        ("goes_to", .text(declined.goesTo.rawValue)),
      ], in: &draft)
    for line in declined.lines { try becomeDue(line, of: closing.roundID, in: &draft) }
    let row = PrepaymentDecline(
      declined, id: draft.ids.next(), of: borrower, closing.roundID, loan.currency, by: principal.personID,
      recordedAt: draft.now)
    draft.made.declines.append(row)
    return Declined(decline: row, dues: declined, loan: loan)
  }

  private func becomeDue(_ line: DeclinedDues.Line, of round: FundingRoundID, in draft: inout Draft) throws {
    guard var loan = draft.find(\.loans, line.loanID) else { throw PartiesRefusal.notFound("loan") }
    try loan.becomeDue(
      LoanDue(cause: .fundingRound, causeID: round.value, since: draft.today, amount: line.amount))
    loan = draft.put(\.loans, loan)
    draft.happen(
      "loan.due", loan.id, version: loan.version, to: (loan.terms.borrowerID, loan.terms.lenderID),
      [("amount", .number(line.amount)), ("funding_round_id", .text(round.description))])
  }
}

/// The records of a closing's sweep, its corrections, and what lenders declined of it.
enum SweepRecords {
  /// Each correction lowers, so the last record is that of the least cash.
  static func least(_ rows: [ExplanationRow]) throws -> SweepExplanation {
    let records = try rows.map { try SweepExplanation(canonicalBytes: $0.bytes) }
    guard let last = records.min(by: { $0.closing.netNewCash.amount < $1.closing.netNewCash.amount }) else {
      throw RoundRefusal.noRecord
    }
    return last
  }

  /// Dues as they are after every decision on them, in the order in which these were made.
  static func after(_ declines: [PrepaymentDecline], _ dues: [LoanID: Int64]) throws -> [LoanID: Int64] {
    try declines.reduce(dues) { dues, decline in
      try DeclinedDues(canonicalBytes: decline.bytes).applied(to: dues)
    }
  }
}
