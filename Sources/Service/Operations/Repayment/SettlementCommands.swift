import Ledger
import Lending
import Parties
import Persistence
import Primitives
import Repayment

/// Posts the fee of all running loans of one borrower up to a business date. Done twice, the second posts nothing.
package struct AccrueBorrower: Command {
  package static let action = "settlement.accrue"
  package var staffDuty: Duty? { .operations }
  package let borrowerID: OrganizationID
  /// The fee of all days before this one.
  package let through: CalendarDate
  /// The business date it belongs to; that day itself when nil. At the end of a day its own fee has been earned: then it
  /// is accrued through the next and booked on the day.
  package let booked: CalendarDate?

  package init(borrowerID: OrganizationID, through: CalendarDate, booked: CalendarDate? = nil) {
    self.borrowerID = borrowerID
    self.through = through
    self.booked = booked
  }

  package func needs(_ state: BatchState) -> Set<Need> { [.loansOfBorrower(borrowerID)] }
  package func heads(_ state: BatchState) -> Set<OrganizationID> { LoanBook.heads(of: borrowerID, state) }
  package var foresees: Bool { true }

  /// Minor units posted by currency, and loans that got any.
  package struct Accrued: Sendable {
    package let loans: Int64
    package let posted: [Currency: Int64]
    package let penalties: [Currency: Int64]
    /// Loans whose fee was not posted since a day of it has no tax rule.
    package let heldForTax: Int64
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Accrued {
    try principal.require(.admin)
    var posted: [Currency: Int64] = [:]
    var penalties: [Currency: Int64] = [:]
    var (loans, heldForTax): (Int64, Int64) = (0, 0)
    for loan in LoanBook.running(of: borrowerID, in: draft) {
      let (after, amount): (Loan, Int64)
      do {
        (after, amount) = try LoanDesk.accrue(loan, through: through, booked: booked, in: &draft)
      } catch RepaymentRefusal.noTaxRule(let jurisdiction, let on) {
        // The fee waits with its tax; other loans do not.
        (after, amount) = (try LoanDesk.accruePenalty(loan, through: through, booked: booked, in: &draft), 0)
        heldForTax += 1
        draft.happen(
          "loan.accrual_held", loan.id, version: loan.version, to: (loan.terms.borrowerID, loan.terms.lenderID),
          [
            ("reason_code", .text("repayment.no_tax_rule")), ("jurisdiction", .text(jurisdiction.value)),
            ("on", .text(on.description)),
          ])
      }
      let penalty = after.life.penalty.total - loan.life.penalty.total
      if penalty != 0 { penalties[loan.currency] = try penalties[loan.currency, default: 0].adding(penalty) }
      guard after.accruedThrough != loan.accruedThrough else { continue }
      loans += 1
      posted[loan.currency] = try posted[loan.currency, default: 0].adding(amount)
    }
    draft.made.subject = borrowerID.value
    return Accrued(loans: loans, posted: posted, penalties: penalties, heldForTax: heldForTax)
  }
}

/// The loans of a borrower as commands over all of them see them.
enum LoanBook {
  /// The borrower and every lender of its loans.
  static func heads(of borrower: OrganizationID, _ state: BatchState) -> Set<OrganizationID> {
    var heads: Set<OrganizationID> = [borrower]
    for id in state.loansOfBorrower[borrower] ?? [] {
      if let loan = state.loans[id] { heads.insert(loan.terms.lenderID) }
    }
    return heads
  }

  /// What closing any of them needs.
  static func needs(of borrower: OrganizationID, _ state: BatchState) -> Set<Need> {
    var needs: Set<Need> = [.loansOfBorrower(borrower), .organization(borrower)]
    for id in state.loansOfBorrower[borrower] ?? [] {
      if let loan = state.loans[id] { needs.formUnion(LoanDesk.needsToClose(loan)) }
    }
    return needs
  }

  /// By id, so that every run posts in the same order.
  static func running(of borrower: OrganizationID, in draft: Draft) -> [Loan] {
    (draft.base.loansOfBorrower[borrower] ?? []).compactMap { draft.find(\.loans, $0) }.filter(\.isRunning)
      .sorted { $0.id < $1.id }
  }
}

/// Sweeps one verified closing: tests the covenant of each loan and makes due what the closing makes due. A change of
/// control makes everything due.
package struct SweepClosing: Command {
  package static let action = "settlement.sweep"
  package var staffDuty: Duty? { .operations }
  package let closingID: ClosingID
  package let roundID: FundingRoundID
  package let borrowerID: OrganizationID
  package let on: CalendarDate

  package init(closingID: ClosingID, roundID: FundingRoundID, borrowerID: OrganizationID, on: CalendarDate) {
    self.closingID = closingID
    self.roundID = roundID
    self.borrowerID = borrowerID
    self.on = on
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    var needs: Set<Need> = [
      .round(roundID), .loansOfBorrower(borrowerID), .closingsOfBorrower(borrowerID), .waterfalls(borrowerID),
    ]
    if state.rounds[roundID]?.chooseBy != nil { needs.insert(.controlChoices(borrowerID)) }
    for id in state.closingsOfBorrower[borrowerID] ?? [] {
      if let closing = state.shelves.closings[id] { needs.insert(.round(closing.roundID)) }
    }
    return needs.union(FXDesk.needs(ofBorrower: borrowerID, state))
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> { LoanBook.heads(of: borrowerID, state) }

  /// What each loan owes because of the closing.
  package struct Swept: Sendable {
    package struct Line: Sendable {
      package let loanID: LoanID
      package let qualified: Bool
      /// In minor units of the loan's own currency.
      package let amount: Int64
      package let currency: Currency
    }
    package let lines: [Line]
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Swept {
    try principal.require(.admin)
    let closings = (draft.base.closingsOfBorrower[borrowerID] ?? []).compactMap { draft.find(\.closings, $0) }
    guard let round = draft.find(\.rounds, roundID), round.borrowerID == borrowerID,
      var closing = closings.first(where: { $0.id == closingID && $0.roundID == roundID })
    else { throw PartiesRefusal.notFound("closing") }
    guard round.state == .verified, closing.state == .verified else {
      throw RoundRefusal.closingNotVerified(closing.state.rawValue)
    }
    guard closing.closedOn <= on else { throw RoundRefusal.notYetClosed(closing.closedOn, on: on) }
    if let chooseBy = round.chooseBy, round.isOpenToChoice(on: on) {
      throw RoundRefusal.choicesOpen(until: chooseBy)
    }
    // What nobody brought to its end in time is accelerated with the rest.
    for id in draft.base.controlChoicesOf[borrowerID] ?? [] {
      guard var choice = draft.find(\.controlChoices, id), choice.roundID == roundID, choice.isOpen else { continue }
      choice.end(.lapsed)
      choice = draft.put(\.controlChoices, choice)
      draft.happen(
        "control_choice.lapsed", choice.id, version: choice.version, to: (choice.borrowerID, choice.lenderID),
        [("loan_id", .text(choice.loanID.description))])
    }
    var loans: [LoanID: Loan] = [:]
    var positions: [LoanID: LoanPosition] = [:]
    let agreed = (draft.base.waterfallsOf[borrowerID] ?? []).terms(on: on)
    for loan in LoanBook.running(of: borrowerID, in: draft) {
      let accrued = try LoanDesk.accrue(loan, through: on, in: &draft).loan
      guard let position = try LoanPosition(accrued, by: agreed) else { continue }
      loans[loan.id] = accrued
      positions[loan.id] = position
    }
    // A closing is swept once, its state says so: none of its cash made anything due before. What other closings made
    // due stands in the positions.
    let input = SweepClosingInput(
      id: closing.id, roundID: round.id, closedOn: closing.closedOn, netNewCash: closing.netNewCash)
    let explanation = try Sweep.explain(
      input, rounds: SweepDesk.rounds(closings) { draft.find(\.rounds, $0) }, loans: Array(positions.values),
      FXDesk.table(in: draft))
    for due in explanation.due where due.amount.amount > 0 {
      guard var loan = loans[due.loanID], var position = positions[due.loanID] else {
        continue
      }
      if due.cause == .changeOfControl { position.becomeDueInFull() } else { try position.becomeDue(due.amount.amount) }
      try loan.becomeDue(
        LoanDue(
          cause: due.cause == .changeOfControl ? .changeOfControl : .fundingRound, causeID: round.id.value, since: on,
          amount: position.due == .all ? nil : due.amount.amount))
      loan = draft.put(\.loans, loan)
      draft.happen(
        "loan.due", loan.id, version: loan.version, to: (loan.terms.borrowerID, loan.terms.lenderID),
        [("amount", .number(due.amount.amount)), ("funding_round_id", .text(round.id.description))])
    }
    draft.made.explanations.append(ExplanationRow(explanation, of: borrowerID, recordedAt: draft.now))
    closing.state = .swept
    closing.sweptOn = on
    closing = draft.put(\.closings, closing)
    draft.made.subject = round.id.value
    let amounts = Dictionary(
      explanation.due.map { ($0.loanID, $0.amount.amount) }, uniquingKeysWith: { first, _ in first })
    let qualified = Set(explanation.candidates.map(\.loanID))
    return Swept(
      lines: loans.values.sorted { $0.id < $1.id }.map {
        Swept.Line(
          loanID: $0.id, qualified: qualified.contains($0.id), amount: amounts[$0.id] ?? 0, currency: $0.currency)
      })
  }
}

/// Makes loans due that have matured.
package struct MatureLoans: Command {
  package static let action = "settlement.mature"
  package var staffDuty: Duty? { .operations }
  package let borrowerID: OrganizationID
  package let on: CalendarDate

  package init(borrowerID: OrganizationID, on: CalendarDate) {
    self.borrowerID = borrowerID
    self.on = on
  }

  package func needs(_ state: BatchState) -> Set<Need> { [.loansOfBorrower(borrowerID)] }
  package func heads(_ state: BatchState) -> Set<OrganizationID> { LoanBook.heads(of: borrowerID, state) }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Int64 {
    try principal.require(.admin)
    var matured: Int64 = 0
    for loan in LoanBook.running(of: borrowerID, in: draft) where loan.maturesOn <= on {
      if let due = loan.due, due.amount == nil { continue }
      var loan = try LoanDesk.accrue(loan, through: on, in: &draft).loan
      guard Loan.Act.becomeDue.from.contains(loan.state) else { continue }
      try loan.becomeDue(LoanDue(cause: .maturity, causeID: loan.id.value, since: on, amount: nil))
      loan = draft.put(\.loans, loan)
      matured += 1
      draft.happen(
        "loan.due", loan.id, version: loan.version, to: (loan.terms.borrowerID, loan.terms.lenderID),
        [("cause", .text(LoanDue.Cause.maturity.rawValue))])
    }
    draft.made.subject = borrowerID.value
    return matured
  }
}
