import Catalogue
import Ledger
import Lending
import Parties
import Persistence
import Primitives
import Repayment

/// The startup chooses what becomes of one of its loans, now that it is bought. Acceleration and a return are done at once;
/// an assumption waits for the lender, then for the acquirer.
package struct ChooseAtControl: Command {
  package static let action = "control_choice.choose"
  package var staffDuty: Duty? { nil }
  package let roundID: FundingRoundID
  package let loanID: LoanID
  package let kind: ControlChoice.Kind
  /// Units that go back, for a return.
  package let quantity: Int64?
  package let serials: [String]

  package init(
    roundID: FundingRoundID, loanID: LoanID, kind: ControlChoice.Kind, quantity: Int64? = nil, serials: [String] = []
  ) {
    self.roundID = roundID
    self.loanID = loanID
    self.kind = kind
    self.quantity = quantity
    self.serials = serials
  }

  private func giveBack(on date: CalendarDate) -> RecordReturn {
    RecordReturn(
      loanID: loanID, quantity: quantity ?? 0, serials: serials, occurredOn: date, condition: nil, conditionCharge: nil)
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    // What a return needs is what closing the loan needs, and more.
    var needs = giveBack(on: .earliest).needs(state).union([.round(roundID)])
    guard let round = state.rounds[roundID] else { return needs }
    needs.insert(.controlChoices(round.borrowerID))
    if let acquirer = round.acquirerID { needs.insert(.organization(acquirer)) }
    return needs
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> { giveBack(on: .earliest).heads(state) }

  /// The choice, and the loan as it is after it.
  package struct Chosen: Sendable {
    package let choice: ControlChoice
    package let loan: Loan
    /// What may be collected on it now.
    package let due: Money
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Chosen {
    guard let round = draft.find(\.rounds, roundID), round.borrowerID == principal.organizationID else {
      throw PartiesRefusal.notFound("funding round")
    }
    try principal.require(.startup)
    let person = try principal.requirePerson()
    try ControlDesk.requireOpen(round, in: draft)
    guard var loan = draft.find(\.loans, loanID), loan.terms.borrowerID == round.borrowerID else {
      throw PartiesRefusal.notFound("loan")
    }
    for var other in ControlDesk.choices(of: loanID, roundID, in: draft) {
      guard other.state != .done else { throw ControlRefusal.doneBefore(loanID) }
      guard other.isOpen else { continue }
      other.end(.replaced)
      draft.put(\.controlChoices, other)
    }
    try loan.require(.becomeDue)
    switch kind {
    case .accelerate: loan = try accelerate(loan, round, in: &draft)
    case .return: loan = try sendBack(loan, round, by: principal, in: &draft)
    case .assume:
      try loan.require(.assume)
      try ControlDesk.requireAcquirer(of: round, for: loan, in: draft)
    }
    let isDone = kind != .assume
    let choice = draft.put(
      \.controlChoices,
      ControlChoice(
        id: draft.ids.next(), borrowerID: round.borrowerID, roundID: roundID, loanID: loanID,
        lenderID: loan.terms.lenderID, acquirerID: isDone ? nil : round.acquirerID, kind: kind, quantity: quantity,
        state: isDone ? .done : .proposed, chosenBy: person, chosenOn: draft.today,
        doneOn: isDone ? draft.today : nil, createdAt: draft.now, updatedAt: draft.now))
    draft.made.subject = choice.id.value
    draft.happen(
      "control_choice.made", choice.id, version: choice.version, to: (choice.borrowerID, choice.lenderID),
      [("loan_id", .text(loanID.description)), ("choice", .text(kind.rawValue))])
    return Chosen(choice: choice, loan: loan, due: Money(try loan.collectable.total(), loan.currency))
  }

  /// All of it is due today, not at the deadline.
  private func accelerate(_ loan: Loan, _ round: FundingRound, in draft: inout Draft) throws -> Loan {
    var loan = try LoanDesk.accrue(loan, through: draft.today, in: &draft).loan
    try ControlDesk.becomeDue(&loan, nil, round, in: &draft)
    return loan
  }

  /// Units go on their way back, as a verdict of today lets them; what their credit will not cover is due today.
  private func sendBack(
    _ loan: Loan, _ round: FundingRound, by principal: Principal, in draft: inout Draft
  ) throws -> Loan {
    guard let quantity else { throw LendingRefusal.quantityNotPositive }
    var loan = try LoanDesk.accrue(loan, through: draft.today, in: &draft).loan
    let control = ChangeOfControl(on: draft.today, chooseBy: round.chooseBy ?? draft.today)
    let effects = try control.effects(
      on: [
        ControlledLoan(
          loanID: loanID, owed: loan.outstanding.steps, unitsOut: loan.unitsInDebt,
          returnCredit: try ReturnDesk.rule(of: loan, on: draft.today, in: draft))
      ], choices: [loanID: .returnOfChips(units: quantity)], today: draft.today)
    for effect in effects where effect.due > 0 {
      // What is due already is part of it.
      let present = try loan.collectable.total()
      if effect.due > present { try ControlDesk.becomeDue(&loan, effect.due - present, round, in: &draft) }
    }
    return try giveBack(on: draft.today).decide(&draft, by: principal).loan
  }
}

/// The lender consents to an assumption.
package struct ConsentToAssumption: Command {
  package static let action = "control_choice.consent"
  package var staffDuty: Duty? { nil }
  package let choiceID: ControlChoiceID
  package let ifVersion: Int64?

  package init(choiceID: ControlChoiceID, ifVersion: Int64?) {
    self.choiceID = choiceID
    self.ifVersion = ifVersion
  }

  package func needs(_ state: BatchState) -> Set<Need> { ControlDesk.needs(choiceID, state) }

  package func heads(_ state: BatchState) -> Set<OrganizationID> {
    Set([state.shelves.controlChoices[choiceID]?.borrowerID].compactMap { $0 })
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> ControlChoice {
    var (choice, round) = try ControlDesk.choice(choiceID, in: draft, by: principal)
    guard principal.organizationID == choice.lenderID else { throw PartiesRefusal.notYours("choice") }
    try principal.require(.lender)
    let person = try principal.requirePerson()
    try checkVersion(ifVersion, choice.version)
    try ControlDesk.requireOpen(round, in: draft)
    guard person != choice.chosenBy else { throw ControlRefusal.samePerson }
    try choice.consent(by: person, on: draft.today)
    choice = draft.put(\.controlChoices, choice)
    draft.made.subject = choice.id.value
    draft.happen(
      "control_choice.consented", choice.id, version: choice.version, to: (choice.borrowerID, choice.lenderID),
      [("loan_id", .text(choice.loanID.description))])
    return choice
  }
}

/// The acquirer takes a loan over: an act with a verdict of its own date. Where that is not clear, the choice is held and the
/// acquirer may try again until the deadline.
package struct AssumeLoan: Command {
  package static let action = "control_choice.assume"
  package var staffDuty: Duty? { nil }
  package let choiceID: ControlChoiceID
  package let ifVersion: Int64?

  package init(choiceID: ControlChoiceID, ifVersion: Int64?) {
    self.choiceID = choiceID
    self.ifVersion = ifVersion
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    var needs = ControlDesk.needs(choiceID, state)
    guard let choice = state.shelves.controlChoices[choiceID] else { return needs }
    needs.formUnion([.loan(choice.loanID), .unitsOfLoan(choice.loanID)])
    if let loan = state.loans[choice.loanID] {
      needs.formUnion(LoanDesk.needsToClose(loan).union([DepositDesk.need(of: loan)]))
    }
    if let acquirer = choice.acquirerID { needs.formUnion([.organization(acquirer), .licencesOf(acquirer)]) }
    return needs
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> {
    guard let choice = state.shelves.controlChoices[choiceID] else { return [] }
    return Set([choice.borrowerID, choice.lenderID, choice.acquirerID].compactMap { $0 })
  }

  /// The choice, and the acquirer's loan; none where a verdict holds it.
  package struct Assumed: Sendable {
    package let choice: ControlChoice
    package let loan: Loan?
    package let effect: String
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Assumed {
    var (choice, round) = try ControlDesk.choice(choiceID, in: draft, by: principal)
    guard principal.organizationID == choice.acquirerID else { throw PartiesRefusal.notYours("choice") }
    try principal.require(.startup)
    let person = try principal.requirePerson()
    try checkVersion(ifVersion, choice.version)
    try ControlDesk.requireOpen(round, in: draft)
    guard person != choice.chosenBy, person != choice.consentedBy else { throw ControlRefusal.samePerson }
    guard let before = draft.find(\.loans, choice.loanID) else { throw PartiesRefusal.notFound("loan") }
    let acquirer = try ControlDesk.requireAcquirer(of: round, for: before, in: draft)
    try DepositDesk.requireNone(for: before, in: draft)
    var loan = try LoanDesk.accrue(before, through: draft.today, in: &draft).loan
    let id: LoanID = draft.ids.next()
    let old = loan
    // Decided before the verdict is taken: a licence is used only for what is done.
    var taken = try loan.assume(by: acquirer.id, as: id, on: draft.today, createdAt: draft.now)
    var act = try LoanDesk.act(.assumption, of: old, units: old.unitsOut, on: draft.today, in: draft)
    // The chips stay where the startup has them; who uses them changes.
    act.from = act.to
    act.borrower = acquirer
    let verdict = try ExportDesk.judge(act, subject: id.value, in: &draft)
    try choice.assume(
      by: person, into: verdict.isClear ? id : nil, residue: taken.accrualResidue, on: draft.today)
    choice = draft.put(\.controlChoices, choice)
    draft.made.subject = choice.id.value
    guard verdict.isClear else {
      draft.happen(
        "control_choice.held", choice.id, version: choice.version, to: (acquirer.id, choice.lenderID),
        [("effect", .text(verdict.effect.rawValue))])
      return Assumed(choice: choice, loan: nil, effect: verdict.effect.rawValue)
    }
    loan = draft.put(\.loans, loan)
    taken = draft.put(\.loans, taken)
    for unit in UnitDesk.units(of: old, in: draft) {
      var unit = unit
      try unit.pass(from: old.id, to: taken)
      draft.put(\.units, unit)
    }
    try ControlDesk.postAssumption(of: old, into: taken, on: draft.today, in: &draft)
    let facts: [(StaticString, EventFact)] = [
      ("from_loan_id", .text(loan.id.description)), ("into_loan_id", .text(taken.id.description)),
      ("principal", .number(taken.outstanding.principal)),
    ]
    draft.happen("loan.assumed", loan.id, version: loan.version, to: (choice.borrowerID, choice.lenderID), facts)
    draft.happen("loan.assumed", taken.id, version: taken.version, to: (acquirer.id, choice.lenderID), facts)
    return Assumed(choice: choice, loan: taken, effect: verdict.effect.rawValue)
  }
}

/// What choices at a change of control share.
enum ControlDesk {
  static func needs(_ id: ControlChoiceID, _ state: BatchState) -> Set<Need> {
    var needs: Set<Need> = [.controlChoice(id)]
    if let choice = state.shelves.controlChoices[id] { needs.insert(.round(choice.roundID)) }
    return needs
  }

  /// - Throws: `parties.not_found` for whoever is no side of it.
  static func choice(
    _ id: ControlChoiceID, in draft: Draft, by principal: Principal
  ) throws -> (ControlChoice, FundingRound) {
    guard let choice = draft.find(\.controlChoices, id), let round = draft.find(\.rounds, choice.roundID),
      principal.isStaff
        || [choice.borrowerID, choice.lenderID, choice.acquirerID].contains(principal.organizationID)
    else { throw PartiesRefusal.notFound("choice") }
    return (choice, round)
  }

  static func choices(of loan: LoanID, _ round: FundingRoundID, in draft: Draft) -> [ControlChoice] {
    draft.base.controlChoicesOf.values.joined().compactMap { draft.find(\.controlChoices, $0) }
      .filter { $0.loanID == loan && $0.roundID == round }
  }

  /// - Throws: `ControlRefusal` unless the acquisition is verified, leaves a choice, and its time is not over.
  static func requireOpen(_ round: FundingRound, in draft: Draft) throws(ControlRefusal) {
    guard let chooseBy = round.chooseBy else { throw .noChoice }
    guard round.state == .verified else { throw .roundNotVerified(round.state.rawValue) }
    guard draft.today <= chooseBy else { throw .tooLate(chooseBy) }
  }

  @discardableResult
  static func requireAcquirer(
    of round: FundingRound, for loan: Loan, in draft: Draft
  ) throws(ControlRefusal) -> Organization {
    guard let id = round.acquirerID, let acquirer = draft.find(\.organizations, id), acquirer.roles.contains(.startup)
    else { throw .acquirerUnknown }
    guard id != loan.terms.lenderID, id != loan.terms.borrowerID else { throw .acquirerIsParty }
    guard acquirer.verification.holds(on: draft.today) else { throw .acquirerNotVerified }
    return acquirer
  }

  /// - Parameter amount: more that is due; nil for all of it, whatever it grows to.
  static func becomeDue(_ loan: inout Loan, _ amount: Int64?, _ round: FundingRound, in draft: inout Draft) throws {
    let owed = try loan.outstanding.total()
    try loan.becomeDue(
      LoanDue(cause: .changeOfControl, causeID: round.id.value, since: draft.today, amount: amount))
    loan = draft.put(\.loans, loan)
    draft.happen(
      "loan.due", loan.id, version: loan.version, to: (loan.terms.borrowerID, loan.terms.lenderID),
      [("amount", .number(amount ?? owed)), ("funding_round_id", .text(round.id.description))])
  }

  /// The lender's claim goes from the one loan to the other; the startup's debt leaves for a clearing account, at which the
  /// acquirer's arrives. The chips that the debt is for cross with it: custody with the lender stays as it is.
  static func postAssumption(of old: Loan, into taken: Loan, on date: CalendarDate, in draft: inout Draft) throws {
    let debt = taken.outstanding
    let beyond = try debt.fee.adding(debt.charges)
    // Nothing was returned, so all of the chips' value is in clearing; what was paid of it is settled.
    let (value, units) = (old.terms.principal.amount, taken.unitsOut)
    let settled = value - debt.principal
    let (from, into) = (LoanDesk.lender(old), LoanDesk.lender(taken))
    let (startup, acquirer) = (LoanDesk.borrower(old), LoanDesk.borrower(taken))
    let clearing = { (book: LoanDesk.Book, amount: Int64) in
      JournalLine(
        AccountRef(book.organization, .clearingAssumption, taken.id.value, asset: .currency(taken.currency)), amount)
    }
    try LoanDesk.post(
      .loanAssumed, of: old, on: date,
      [
        from.organization: from.claim(debt, -1) + into.claim(debt, 1) + [
          from.money(.clearingChips, value), from.money(.chipsSettled, -settled),
          into.money(.clearingChips, -debt.principal),
        ],
        startup.organization: startup.debt(debt, -1) + [
          startup.money(.clearingChips, -value), startup.money(.chipsSettled, settled), clearing(startup, -beyond),
          startup.chips(.holdingsOnLoan, -units), startup.chips(.holdingsSource, units),
        ],
        acquirer.organization: acquirer.debt(debt, 1) + [
          acquirer.money(.clearingChips, debt.principal), clearing(acquirer, beyond),
          acquirer.chips(.holdingsSource, -units), acquirer.chips(.holdingsOnLoan, units),
        ],
      ], in: &draft)
  }
}
