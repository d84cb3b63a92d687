import Primitives

/// How a numbered unit is.
package enum UnitCondition: String, Sendable, Hashable, CaseIterable {
  /// -> failed, inRepair, banned, lost
  case inService = "in_service"
  /// -> inRepair, banned, lost
  case failed
  /// With its maker or a workshop; the loan and its fee go on -> inService, lost
  case inRepair = "in_repair"
  /// Stopped by its maker or by a rule -> inService, lost
  case banned
  /// Final.
  case lost
  /// Another lender bought it with its loan, and has it as a unit of its own. Final, unless its lender buys it back.
  case assigned
}

/// What happens to units of a loan, numbered or not: the links of the chain of custody.
package enum UnitEventKind: String, Sendable, Hashable, CaseIterable {
  // Made by the acts of the loan.
  case dispatched, accepted, returned, lost, repossessed, assigned
  // Reported by one of its sides.
  case failed
  case sentToRepair = "sent_to_repair"
  case backFromRepair = "back_from_repair"
  case banned
  case banLifted = "ban_lifted"

  /// Those that a side may report by themselves.
  package static let reported: [UnitEventKind] = [.failed, .sentToRepair, .backFromRepair, .banned, .banLifted]

  /// The conditions from which it can happen, and the one it leads to; nil where it leaves the condition as it is.
  var change: (from: Set<UnitCondition>, to: UnitCondition)? {
    switch self {
    case .failed: ([.inService], .failed)
    case .sentToRepair: ([.inService, .failed], .inRepair)
    case .backFromRepair: ([.inRepair], .inService)
    case .banned: ([.inService, .failed], .banned)
    case .banLifted: ([.banned], .inService)
    case .lost: ([.inService, .failed, .inRepair, .banned], .lost)
    case .dispatched, .accepted, .returned, .repossessed, .assigned: nil
    }
  }
}

/// What a lender does with chips of a lot that no loan has. Raw values are those of the interface, and name the event in
/// the chain of custody.
package enum LotServiceAct: String, Sendable, Hashable, CaseIterable {
  /// From those on hand.
  case sentToRepair = "sent_to_repair"
  /// On hand again.
  case backFromRepair = "back_from_repair"
  /// In repair, and beyond it.
  case lost

  /// The states of the lot between which it moves chips.
  package var move: (from: CustodyState, to: CustodyState) {
    switch self {
    case .sentToRepair: (.available, .inRepair)
    case .backFromRepair: (.inRepair, .available)
    case .lost: (.inRepair, .lost)
    }
  }

  package var event: UnitEventKind {
    switch self {
    case .sentToRepair: .sentToRepair
    case .backFromRepair: .backFromRepair
    case .lost: .lost
    }
  }

  /// What a numbered unit may be before it. A unit that came back damaged has failed, and lies with the lot's chips in
  /// repair at once.
  var conditions: Set<UnitCondition> {
    switch self {
    case .sentToRepair: [.inService]
    case .backFromRepair, .lost: [.failed, .inRepair, .banned]
    }
  }

  var condition: UnitCondition {
    switch self {
    case .sentToRepair: .inRepair
    case .backFromRepair: .inService
    case .lost: .lost
    }
  }
}

/// One chip by its serial number. It has one place for a loan: it cannot be in two.
package struct ChipUnit: Sendable, Hashable {
  package let id: UnitID
  package let lenderID: OrganizationID
  package let chipModelID: ChipModelID
  package internal(set) var lotID: LotID
  package let serial: String
  package internal(set) var loanID: LoanID?
  package internal(set) var borrowerID: OrganizationID?
  package internal(set) var condition: UnitCondition
  package var version: Int64
  package let createdAt: Instant
  package var updatedAt: Instant

  package init(
    id: UnitID, lenderID: OrganizationID, chipModelID: ChipModelID, lotID: LotID, serial: String,
    loanID: LoanID? = nil, borrowerID: OrganizationID? = nil, condition: UnitCondition = .inService,
    version: Int64 = 1, createdAt: Instant, updatedAt: Instant
  ) {
    self.id = id
    self.lenderID = lenderID
    self.chipModelID = chipModelID
    self.lotID = lotID
    self.serial = serial
    self.loanID = loanID
    self.borrowerID = borrowerID
    self.condition = condition
    self.version = version
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }

  /// It goes out with a loan.
  package mutating func lend(_ loan: Loan) throws(LendingRefusal) {
    if loanID != nil { throw .loan(.unitInLoan(serial)) }
    guard condition == .inService else {
      throw .illegalState(object: "unit \(serial)", state: condition.rawValue, act: "lend")
    }
    loanID = loan.id
    borrowerID = loan.terms.borrowerID
    lotID = loan.terms.lotID
  }

  /// It is the lender's again.
  package mutating func release(from loan: LoanID, condition: UnitCondition) throws(LendingRefusal) {
    guard loanID == loan else { throw .loan(.unitNotInLoan(serial)) }
    loanID = nil
    borrowerID = nil
    self.condition = condition
  }

  /// Something happens to it while no loan has it. What is back from a workshop is whole, whatever was said of it before.
  package mutating func service(_ act: LotServiceAct) throws(LendingRefusal) {
    if loanID != nil { throw .loan(.unitInLoan(serial)) }
    guard act.conditions.contains(condition) else {
      throw .illegalState(object: "unit \(serial)", state: condition.rawValue, act: act.rawValue)
    }
    condition = act.condition
  }

  /// Whether it is in a loan and still the lender's: neither lost nor sold with the loan.
  package var isLent: Bool { loanID != nil && condition != .lost && condition != .assigned }

  /// It goes to another lender with its loan; the row stays as the seller's record of it.
  package mutating func assign(from loan: LoanID) throws(LendingRefusal) {
    guard loanID == loan, isLent else { throw .loan(.unitNotInLoan(serial)) }
    condition = .assigned
  }

  /// A lender buys back, with a loan, a unit that it had sold with one. It is as it was with the seller.
  package mutating func acquire(_ seller: ChipUnit, with loan: Loan) throws(LendingRefusal) {
    guard condition == .assigned else { throw .loan(.unitInLoan(serial)) }
    loanID = loan.id
    borrowerID = loan.terms.borrowerID
    lotID = loan.terms.lotID
    condition = seller.condition
  }

  /// Something happens to it while it is in a loan.
  package mutating func happen(_ kind: UnitEventKind, in loan: LoanID) throws(LendingRefusal) {
    guard loanID == loan else { throw .loan(.unitNotInLoan(serial)) }
    guard let change = kind.change else { return }
    guard change.from.contains(condition) else {
      throw .illegalState(object: "unit \(serial)", state: condition.rawValue, act: kind.rawValue)
    }
    condition = change.to
  }
}
