import Primitives

/// Where a return of chips stands.
package enum LoanReturnState: String, Sendable, Hashable, CaseIterable {
  /// A verdict holds it; the chips stay with the borrower -> returning
  case held
  /// -> inInspection
  case returning
  /// -> accepted
  case inInspection = "in_inspection"
  /// Graded and credited. Final.
  case accepted
}

/// The grade that an inspection gives.
package enum ReturnCondition: String, Sendable, Hashable, CaseIterable {
  /// Back to available.
  case good
  /// To repair, with a charge.
  case damaged
}

/// Units of a loan on their way back to the lender.
package struct LoanReturn: Sendable, Hashable {
  package let id: LoanEventID
  package let borrowerID: OrganizationID
  package let lenderID: OrganizationID
  package let loanID: LoanID
  package let lotID: LotID
  package let quantity: Int64
  package let startedOn: CalendarDate
  package internal(set) var state: LoanReturnState
  package internal(set) var arrivedOn: CalendarDate?
  package internal(set) var inspectedOn: CalendarDate?
  package internal(set) var condition: ReturnCondition?
  /// Minor units of the loan's currency.
  package internal(set) var conditionCharge: Int64
  package internal(set) var credit: Int64
  package var version: Int64
  package let createdAt: Instant
  package var updatedAt: Instant

  package init(
    id: LoanEventID, borrowerID: OrganizationID, lenderID: OrganizationID, loanID: LoanID, lotID: LotID,
    quantity: Int64, startedOn: CalendarDate, state: LoanReturnState, arrivedOn: CalendarDate? = nil,
    inspectedOn: CalendarDate? = nil, condition: ReturnCondition? = nil, conditionCharge: Int64 = 0, credit: Int64 = 0,
    version: Int64 = 1, createdAt: Instant, updatedAt: Instant
  ) {
    self.id = id
    self.borrowerID = borrowerID
    self.lenderID = lenderID
    self.loanID = loanID
    self.lotID = lotID
    self.quantity = quantity
    self.startedOn = startedOn
    self.state = state
    self.arrivedOn = arrivedOn
    self.inspectedOn = inspectedOn
    self.condition = condition
    self.conditionCharge = conditionCharge
    self.credit = credit
    self.version = version
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }

  /// A held return may go once a verdict is clear.
  package mutating func start() throws(LendingRefusal) {
    guard state == .held else { throw .illegalState(object: "return", state: state.rawValue, act: "start") }
    state = .returning
  }

  /// The lender has the chips back.
  package mutating func arrive(on date: CalendarDate) throws(LendingRefusal) {
    guard state == .returning else { throw .illegalState(object: "return", state: state.rawValue, act: "arrive") }
    guard date >= startedOn else { throw .dateOutOfOrder(given: date, earliest: startedOn) }
    state = .inInspection
    arrivedOn = date
  }

  /// The lender grades them.
  package mutating func accept(
    on date: CalendarDate, condition: ReturnCondition, charge: Int64, credit: Int64
  ) throws(LendingRefusal) {
    guard state == .inInspection else { throw .illegalState(object: "return", state: state.rawValue, act: "accept") }
    let earliest = arrivedOn ?? startedOn
    guard date >= earliest else { throw .dateOutOfOrder(given: date, earliest: earliest) }
    state = .accepted
    inspectedOn = date
    self.condition = condition
    conditionCharge = charge
    self.credit = credit
  }
}
