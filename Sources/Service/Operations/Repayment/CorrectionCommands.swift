import Lending
import Parties
import Persistence
import Primitives
import Repayment

/// Staff other than the reporter lower what a closing brought. Before its sweep that is all; after it, what the smaller
/// closing would not have made due is withdrawn as far as it is not paid. What was paid stays paid: it lowered the debt.
package struct CorrectFundingRound: Command {
  package static let action = "funding_round.correct"
  package static let asksSecondPerson = true
  package var staffDuty: Duty? { .operations }
  package let roundID: FundingRoundID
  package let closingID: ClosingID
  package let netNewCash: Money
  package let reason: String
  package let ifVersion: Int64?

  package init(roundID: FundingRoundID, closingID: ClosingID, netNewCash: Money, reason: String, ifVersion: Int64?) {
    self.roundID = roundID
    self.closingID = closingID
    self.netNewCash = netNewCash
    self.reason = reason
    self.ifVersion = ifVersion
  }

  /// The correction, the round after it, and what became of dues.
  package struct Corrected: Sendable {
    package struct Line: Sendable {
      package let loanID: LoanID
      package let lenderID: OrganizationID
      package let withdrawn: Money
      /// Was too much, but is paid, or is due for another reason by now.
      package let kept: Money
    }

    package let correction: ClosingCorrection
    package let reported: ReportFundingRound.Reported
    /// By loan id.
    package let lines: [Line]
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    var needs: Set<Need> = [.round(roundID), .closingsOfRound(roundID), .sweepOfClosing(closingID)]
    guard let borrower = state.rounds[roundID]?.borrowerID else { return needs }
    needs.formUnion([.closingsOfBorrower(borrower), .loansOfBorrower(borrower), .declinesOfClosing(closingID)])
    for id in state.closingsOfBorrower[borrower] ?? [] {
      if let closing = state.shelves.closings[id] { needs.insert(.round(closing.roundID)) }
    }
    for id in sweptLoans(state) { needs.insert(.loan(id)) }
    for id in (state.paidSinceSweep[closingID] ?? [:]).keys { needs.insert(.loan(id)) }
    return needs.union(FXDesk.needs(ofBorrower: borrower, also: sweptLoans(state), state))
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> {
    guard let borrower = state.rounds[roundID]?.borrowerID else { return [] }
    // Loans that were bought since the sweep, too.
    var heads = LoanBook.heads(of: borrower, state)
    for id in sweptLoans(state) {
      if let loan = state.loans[id] { heads.insert(loan.terms.lenderID) }
    }
    return heads
  }

  private func sweptLoans(_ state: BatchState) -> [LoanID] {
    // The sweep names every candidate of its corrections.
    guard let row = state.sweepsOfClosing[closingID]?.first(where: { $0.kind == .sweep }),
      let record = try? SweepExplanation(canonicalBytes: row.bytes)
    else { return [] }
    return record.candidates.map(\.loanID)
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Corrected {
    guard var round = draft.find(\.rounds, roundID),
      principal.isStaff || principal.organizationID == round.borrowerID
    else { throw PartiesRefusal.notFound("funding round") }
    try principal.require(.admin)
    let person = try principal.requirePerson()
    guard person != round.reportedBy else { throw PartiesRefusal.samePerson("reported the round") }
    try checkVersion(ifVersion, round.version)
    guard round.state == .verified else { throw RoundRefusal.notVerified(round.state.rawValue) }
    guard (draft.base.closingsOfRound[roundID] ?? []).contains(closingID),
      var closing = draft.find(\.closings, closingID)
    else { throw PartiesRefusal.notFound("closing") }
    guard netNewCash.currency == closing.netNewCash.currency else {
      throw RoundRefusal.otherCurrency(netNewCash.currency, round: closing.netNewCash.currency)
    }
    guard netNewCash.amount < closing.netNewCash.amount else {
      throw RoundRefusal.notLower(netNewCash.amount, present: closing.netNewCash.amount)
    }
    let correction = ClosingCorrection(
      id: draft.ids.next(), borrowerID: round.borrowerID, roundID: roundID, closingID: closingID,
      was: closing.netNewCash.amount, becomes: netNewCash, reason: reason, isAfterSweep: closing.state == .swept,
      correctedOn: draft.today, correctedBy: person, recordedAt: draft.now)
    closing.netNewCash = netNewCash
    closing = draft.put(\.closings, closing)
    let lines = closing.state == .swept ? try withdraw(correction, in: &draft) : []
    draft.made.corrections.append(correction)
    // Its closings are part of what readers are shown of a round.
    round = draft.put(\.rounds, round)
    draft.made.subject = roundID.value
    draft.happen(
      "funding_round.corrected", roundID, version: round.version, to: (round.borrowerID, nil),
      [
        ("closing_id", .text(closingID.description)), ("was", .number(correction.was)),
        ("becomes", .number(netNewCash.amount)),
      ])
    let closings = (draft.base.closingsOfRound[roundID] ?? []).compactMap { draft.find(\.closings, $0) }
    return Corrected(
      correction: correction, reported: ReportFundingRound.Reported(round: round, closings: closings), lines: lines)
  }

  /// Shares the smaller pool from the state in which the closing was swept, keeps the record of that, and takes back what
  /// is too much.
  private func withdraw(_ correction: ClosingCorrection, in draft: inout Draft) throws -> [Corrected.Line] {
    let last = try SweepRecords.least(draft.base.sweepsOfClosing[closingID] ?? [])
    let closings = (draft.base.closingsOfBorrower[correction.borrowerID] ?? []).compactMap {
      draft.find(\.closings, $0)
    }
    var covenants: [LoanID: Covenant] = [:]
    for candidate in last.candidates {
      covenants[candidate.loanID] = draft.find(\.loans, candidate.loanID).flatMap { Covenant($0) }
    }
    let corrected = try last.corrected(
      netNewCash: netNewCash.amount, covenants: covenants,
      rounds: SweepDesk.rounds(closings) { draft.find(\.rounds, $0) }, rates: FXDesk.table(in: draft))
    draft.made.explanations.append(
      ExplanationRow(
        corrected, of: correction.borrowerID, correction: correction.id, recordedAt: draft.now))
    let family = family(of: Set(last.candidates.map(\.loanID)), correction.borrowerID, in: draft)
    var paid: [LoanID: Int64] = [:]
    for (id, amount) in draft.base.paidSinceSweep[closingID] ?? [:] {
      paid[family.swept[id] ?? id] = try paid[family.swept[id] ?? id, default: 0].adding(amount)
    }
    // Payments discharge what was due before the closing first.
    let earlier = last.alreadyDue
    let declines = draft.base.declinesOfClosing[closingID] ?? []
    let withdrawn = try DuesWithdrawn(
      swept: SweepRecords.after(declines, last.amounts), corrected: SweepRecords.after(declines, corrected.amounts),
      paid: paid.reduce(into: [:]) { $0[$1.key] = max(0, $1.value - (earlier[$1.key] ?? 0)) })
    return try withdrawn.lines.flatMap { line in
      try withdraw(line, from: family.members[line.loanID] ?? [], correction, in: &draft)
    }
  }

  /// Loans that are those of the sweep, or were bought of them since, by the loan of the sweep.
  private func family(
    of candidates: Set<LoanID>, _ borrower: OrganizationID, in draft: Draft
  ) -> (members: [LoanID: [Loan]], swept: [LoanID: LoanID]) {
    var ids = candidates.union(draft.base.loansOfBorrower[borrower] ?? [])
    ids.formUnion((draft.base.paidSinceSweep[closingID] ?? [:]).keys)
    var (members, swept): ([LoanID: [Loan]], [LoanID: LoanID]) = ([:], [:])
    for loan in ids.sorted().compactMap({ draft.find(\.loans, $0) }) {
      let lineage = [loan.id] + (loan.life.acquired?.lineage ?? [])
      guard let root = lineage.first(where: { candidates.contains($0) }) else { continue }
      members[root, default: []].append(loan)
      swept[loan.id] = root
    }
    return (members, swept)
  }

  /// Takes an amount out of what is due on a loan of the sweep and on those that were bought of it, in proportion to what is
  /// due on each, by largest remainder, ties by loan id.
  private func withdraw(
    _ line: DuesWithdrawn.Line, from members: [Loan], _ correction: ClosingCorrection, in draft: inout Draft
  ) throws -> [Corrected.Line] {
    let due = try members.map { try Self.isWithdrawable($0) ? $0.collectable.total() : 0 }
    let all = try due.reduce(Int64(0)) { try $0.adding($1) }
    let shares = try largestRemainderShares(of: min(line.withdrawn, all), weights: due)
    var lines: [Corrected.Line] = []
    var kept = try line.withdrawn.adding(line.kept)
    for (loan, share) in zip(members, shares) {
      let taken = try withdraw(share, from: loan, correction, in: &draft)
      kept -= taken
      guard taken > 0 || loan.id == line.loanID else { continue }
      lines.append(
        Corrected.Line(
          loanID: loan.id, lenderID: loan.terms.lenderID, withdrawn: Money(taken, loan.currency),
          kept: Money(0, loan.currency)))
    }
    return lines.map { made in
      made.loanID == line.loanID
        ? Corrected.Line(
          loanID: made.loanID, lenderID: made.lenderID, withdrawn: made.withdrawn,
          kept: Money(kept, made.withdrawn.currency)) : made
    }
  }

  private static func isWithdrawable(_ loan: Loan) -> Bool {
    loan.due?.cause == .fundingRound && Loan.Act.withdrawDue.from.contains(loan.state)
  }

  /// - Returns: what is not due any more. Nothing where the loan is due for another reason by now: it matured, or a
  ///   default made it due.
  private func withdraw(
    _ amount: Int64, from loan: Loan, _ correction: ClosingCorrection, in draft: inout Draft
  ) throws -> Int64 {
    guard amount > 0, Self.isWithdrawable(loan) else { return 0 }
    var loan = try LoanDesk.accruePenalty(loan, through: draft.today, in: &draft)
    let before = try loan.collectable.total()
    try loan.withdrawDue(amount)
    let taken = before - (try loan.collectable.total())
    loan = draft.put(\.loans, loan)
    draft.happen(
      "loan.due_withdrawn", loan.id, version: loan.version, to: (loan.terms.borrowerID, loan.terms.lenderID),
      [("amount", .number(taken)), ("funding_round_id", .text(correction.roundID.description))])
    return taken
  }
}

extension SweepExplanation {
  /// What is due by it, by loan, in the loan's own currency.
  var amounts: [LoanID: Int64] {
    Dictionary(due.map { ($0.loanID, $0.amount.amount) }, uniquingKeysWith: { first, _ in first })
  }
}
