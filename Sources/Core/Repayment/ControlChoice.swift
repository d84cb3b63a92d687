import Primitives

/// What the startup chooses for one of its loans when it is bought, and what became of the choice. Nothing chosen by the
/// deadline, or nothing done, is acceleration: the sweep of the acquisition makes due what is still owed.
package struct ControlChoice: Sendable, Hashable {
  package enum Kind: String, Sendable, Hashable, CaseIterable {
    /// The whole debt is due at once.
    case accelerate
    /// The acquirer takes the loan over, once the lender consents and a verdict lets it.
    case assume
    /// Units go back; what their credit does not cover is due at once.
    case `return`
  }

  package enum State: String, Sendable, Hashable, CaseIterable {
    /// An assumption that waits for the lender -> consented, replaced, lapsed
    case proposed
    /// It waits for the acquirer -> done, held, replaced, lapsed
    case consented
    /// A verdict holds it; the acquirer may try again -> done, replaced, lapsed
    case held
    /// Final.
    case done
    /// Another choice took its place. Final.
    case replaced
    /// The deadline passed. Final.
    case lapsed
  }

  package let id: ControlChoiceID
  package let borrowerID: OrganizationID
  package let roundID: FundingRoundID
  package let loanID: LoanID
  package let lenderID: OrganizationID
  /// For an assumption.
  package let acquirerID: OrganizationID?
  package let kind: Kind
  /// Units that go back, for a return.
  package let quantity: Int64?
  package private(set) var state: State
  package let chosenBy: PersonID
  package let chosenOn: CalendarDate
  package private(set) var consentedBy: PersonID?
  package private(set) var consentedOn: CalendarDate?
  /// Who of the acquirer took the loan over.
  package private(set) var assumedBy: PersonID?
  package private(set) var doneOn: CalendarDate?
  /// The acquirer's loan.
  package private(set) var intoLoanID: LoanID?
  /// What rounding of fees it begins with, over basis points times days of the year.
  package private(set) var handedResidue: Int64?
  package var version: Int64
  package let createdAt: Instant
  package var updatedAt: Instant

  package init(
    id: ControlChoiceID, borrowerID: OrganizationID, roundID: FundingRoundID, loanID: LoanID, lenderID: OrganizationID,
    acquirerID: OrganizationID?, kind: Kind, quantity: Int64?, state: State, chosenBy: PersonID,
    chosenOn: CalendarDate, consentedBy: PersonID? = nil, consentedOn: CalendarDate? = nil,
    assumedBy: PersonID? = nil, doneOn: CalendarDate? = nil, intoLoanID: LoanID? = nil, handedResidue: Int64? = nil,
    version: Int64 = 1, createdAt: Instant, updatedAt: Instant
  ) {
    self.handedResidue = handedResidue
    self.id = id
    self.borrowerID = borrowerID
    self.roundID = roundID
    self.loanID = loanID
    self.lenderID = lenderID
    self.acquirerID = acquirerID
    self.kind = kind
    self.quantity = quantity
    self.state = state
    self.chosenBy = chosenBy
    self.chosenOn = chosenOn
    self.consentedBy = consentedBy
    self.consentedOn = consentedOn
    self.assumedBy = assumedBy
    self.doneOn = doneOn
    self.intoLoanID = intoLoanID
    self.version = version
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }

  /// It waits for somebody.
  package var isOpen: Bool { state == .proposed || state == .consented || state == .held }

  /// The lender consents.
  /// - Throws: `ControlRefusal.illegalState` unless it is proposed.
  package mutating func consent(by person: PersonID, on date: CalendarDate) throws(ControlRefusal) {
    guard state == .proposed else { throw .illegalState(state, act: "consented to") }
    state = .consented
    consentedBy = person
    consentedOn = date
  }

  /// The acquirer takes the loan over.
  /// - Parameter loan: that it became; nil where a verdict holds it.
  /// - Throws: `ControlRefusal.illegalState` before the lender's consent, and once it is done.
  package mutating func assume(
    by person: PersonID, into loan: LoanID?, residue: Int64 = 0, on date: CalendarDate
  ) throws(ControlRefusal) {
    guard state == .consented || state == .held else { throw .illegalState(state, act: "taken over") }
    assumedBy = person
    guard let loan else {
      state = .held
      return
    }
    state = .done
    doneOn = date
    intoLoanID = loan
    handedResidue = residue
  }

  /// Another choice takes its place, or the deadline passed. What is done stays done.
  package mutating func end(_ ending: State) { if isOpen { state = ending } }
}

/// Why nothing is chosen, or done of what was chosen.
package enum ControlRefusal: Refusal, Hashable {
  /// The acquisition makes everything due at once: it left no time to choose.
  case noChoice
  case tooLate(CalendarDate)
  case roundNotVerified(String)
  case doneBefore(LoanID)
  case illegalState(ControlChoice.State, act: String)
  case acquirerUnknown
  case acquirerNotVerified
  /// The acquirer is a side of the loan already.
  case acquirerIsParty
  case onlyOfAcquisitions
  case deadlineBeforeClosing(CalendarDate, closing: CalendarDate)
  /// An assumption moves an obligation: three persons stand for three sides.
  case samePerson

  package var kind: RefusalKind {
    switch self {
    case .onlyOfAcquisitions, .deadlineBeforeClosing, .acquirerUnknown: .invalid
    case .samePerson: .forbidden
    case .noChoice, .tooLate, .roundNotVerified, .doneBefore, .illegalState, .acquirerNotVerified, .acquirerIsParty:
      .conflict
    }
  }

  package var code: String {
    switch self {
    case .noChoice: "control.no_choice"
    case .tooLate: "control.too_late"
    case .roundNotVerified: "control.round_not_verified"
    case .doneBefore: "control.done_before"
    case .illegalState: "control.illegal_state"
    case .acquirerUnknown: "control.acquirer_unknown"
    case .acquirerNotVerified: "control.acquirer_not_verified"
    case .acquirerIsParty: "control.acquirer_is_party"
    case .onlyOfAcquisitions: "control.only_of_acquisitions"
    case .deadlineBeforeClosing: "control.deadline_before_closing"
    case .samePerson: "control.same_person"
    }
  }

  package var detail: String {
    switch self {
    case .noChoice: "The acquisition names no choose_by: it makes every loan due at once."
    case .tooLate(let date): "Choices were open until \(date); what is owed is due."
    case .roundNotVerified(let state): "The acquisition is \(state); choices open once it is verified."
    case .doneBefore(let loan): "What was chosen for \(loan) is done."
    case .illegalState(let state, let act): "The choice is \(state.rawValue); it cannot be \(act)."
    case .acquirerUnknown: "An assumption needs an acquirer that is an organisation here, with the role startup."
    case .acquirerNotVerified: "The acquirer is not verified; it takes no loan over."
    case .acquirerIsParty: "The acquirer is a side of the loan already."
    case .onlyOfAcquisitions: "Only an acquisition has a time to choose and an acquirer."
    case .deadlineBeforeClosing(let date, let closing): "\(date) is before the closing on \(closing)."
    case .samePerson: "The same person has acted for another side of the assumption."
    }
  }

  package var pointer: String? {
    switch self {
    case .acquirerUnknown, .acquirerNotVerified, .acquirerIsParty: "/acquirer_organization_id"
    case .onlyOfAcquisitions, .deadlineBeforeClosing: "/choose_by"
    case .doneBefore: "/loan_id"
    default: nil
    }
  }
}
