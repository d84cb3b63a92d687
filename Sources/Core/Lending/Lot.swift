import Ledger
import Parties
import Primitives

/// Where the chips of a lot can be. The states (on order apart) sum to what was received.
package enum CustodyState: String, Sendable, Hashable, CaseIterable {
  /// Bought, not yet arrived -> available, promised
  case onOrder = "on_order"
  /// Bought, not yet arrived, and held for a pending offer or an agreed loan -> reserved, onOrder
  case promised
  /// -> reserved, inRepair
  case available
  /// Held for a pending offer or a loan not yet dispatched -> available, inTransit
  case reserved
  /// On the way to the borrower -> onLoan, available
  case inTransit = "in_transit"
  /// With the borrower (or hosted for it) -> returning, sold, lost, frozen, repossessed
  case onLoan = "on_loan"
  /// On the way back -> inInspection
  case returning
  /// Back, not yet graded -> available, inRepair
  case inInspection = "in_inspection"
  /// -> available
  case inRepair = "in_repair"
  /// Held by a rule or a dispute -> onLoan, returning
  case frozen
  /// -> inInspection
  case repossessed
  /// Final.
  case lost
  /// Title passed to somebody else: to a borrower, to whoever bought what was taken back, or to another lender with its
  /// loan. Final.
  case sold

  /// The custody account of the state in the lender's book.
  package var account: AccountCode {
    switch self {
    case .onOrder: .custodyOnOrder
    case .promised: .custodyPromised
    case .available: .custodyAvailable
    case .reserved: .custodyReserved
    case .inTransit: .custodyInTransit
    case .onLoan: .custodyOnLoan
    case .returning: .custodyReturning
    case .inInspection: .custodyInInspection
    case .inRepair: .custodyInRepair
    case .frozen: .custodyFrozen
    case .repossessed: .custodyRepossessed
    case .lost: .custodyLost
    case .sold: .custodySold
    }
  }
}

/// A quantity of one chip model of one lender at one site.
package struct Lot: Sendable, Hashable {
  package let id: LotID
  package let lenderID: OrganizationID
  package let chipModelID: ChipModelID
  /// Units bought in all.
  package let quantity: Int64
  package let site: Site
  package let availableOn: CalendarDate
  /// Sold in boards of this many.
  package let multipleOf: Int64
  package let serials: [String]
  /// What one unit cost the lender, as it states it.
  package let unitCost: Money?
  /// Units in each state; a state with none is absent. Mirrors the custody accounts, in one row.
  package private(set) var custody: [CustodyState: Int64]
  /// Units that open or paused listings still offer; never more than could be lent.
  package private(set) var listed: Int64
  package var version: Int64
  package let createdAt: Instant
  package var updatedAt: Instant

  package init(
    id: LotID, lenderID: OrganizationID, chipModelID: ChipModelID, quantity: Int64, site: Site,
    availableOn: CalendarDate, multipleOf: Int64, serials: [String], unitCost: Money?,
    custody: [CustodyState: Int64], listed: Int64 = 0, version: Int64 = 1, createdAt: Instant, updatedAt: Instant
  ) {
    self.id = id
    self.lenderID = lenderID
    self.chipModelID = chipModelID
    self.quantity = quantity
    self.site = site
    self.availableOn = availableOn
    self.multipleOf = multipleOf
    self.serials = serials
    self.unitCost = unitCost
    self.custody = custody.filter { $0.value != 0 }
    self.listed = listed
    self.version = version
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }

  /// Units in that state now.
  package func units(_ state: CustodyState) -> Int64 { custody[state, default: 0] }

  /// Units that a new listing may offer: on hand or on order, not yet offered by another listing.
  package var unlisted: Int64 { max(0, units(.available) + units(.onOrder) - listed) }

  /// Moves units from one state to another.
  /// - Throws: `LendingRefusal.insufficientChips` when the first holds fewer.
  package mutating func move(_ count: Int64, from: CustodyState, to: CustodyState) throws(LendingRefusal) {
    guard count > 0 else { throw .quantityNotPositive }
    let present = units(from)
    guard present >= count else {
      throw .insufficientChips(lot: id, state: from.rawValue, wanted: count, present: present)
    }
    custody[from] = present == count ? nil : present - count
    custody[to, default: 0] += count
  }

  /// Takes units for a listing.
  package mutating func list(_ count: Int64) throws(LendingRefusal) {
    guard count > 0 else { throw .quantityNotPositive }
    guard count <= unlisted else {
      throw .insufficientChips(lot: id, state: "unlisted", wanted: count, present: unlisted)
    }
    listed += count
  }

  /// Gives units back from a listing that no longer offers them.
  package mutating func unlist(_ count: Int64) { listed = max(0, listed - count) }

  /// Units that a match may offer, and from which day: those on hand, today; where there are none, those on order, from
  /// the day they are due. What is overdue and not here is promised to nobody.
  package func offerable(on today: CalendarDate) -> (units: Int64, from: CalendarDate) {
    if units(.available) > 0 || availableOn <= today { return (units(.available), min(availableOn, today)) }
    return (units(.onOrder), availableOn)
  }

  /// Units that went from one state to another.
  package struct Move: Sendable, Hashable {
    package let count: Int64
    package let from: CustodyState
    package let to: CustodyState
  }

  /// Holds units for an offer: those on hand first, then, where they come in time, those on order. Units of a lot are
  /// alike: what is held is not tied to one offer, and the lender dispatches first to whom it will.
  /// - Parameters:
  ///   - latest: the last day on which the chips may become available.
  package mutating func reserve(
    _ count: Int64, by latest: CalendarDate, today: CalendarDate
  ) throws(LendingRefusal) -> [Move] {
    guard count > 0 else { throw .quantityNotPositive }
    let onHand = min(count, units(.available))
    let coming = availableOn > today && availableOn <= latest ? units(.onOrder) : 0
    guard count - onHand <= coming else {
      throw .insufficientChips(lot: id, state: "available", wanted: count, present: onHand + coming)
    }
    return try moving([
      Move(count: onHand, from: .available, to: .reserved), Move(count: count - onHand, from: .onOrder, to: .promised),
    ])
  }

  /// Gives back what was held for an offer that ended, the promised first: whoever still waits is nearer to its chips.
  package mutating func release(_ count: Int64) throws(LendingRefusal) -> [Move] {
    let promised = min(count, units(.promised))
    return try moving([
      Move(count: promised, from: .promised, to: .onOrder),
      Move(count: count - promised, from: .reserved, to: .available),
    ])
  }

  /// Units on order arrive, the promised first.
  package mutating func receive(_ count: Int64) throws(LendingRefusal) -> [Move] {
    guard count > 0 else { throw .quantityNotPositive }
    let promised = min(count, units(.promised))
    guard count - promised <= units(.onOrder) else {
      throw .insufficientChips(
        lot: id, state: CustodyState.onOrder.rawValue, wanted: count, present: units(.promised) + units(.onOrder))
    }
    return try moving([
      Move(count: promised, from: .promised, to: .reserved),
      Move(count: count - promised, from: .onOrder, to: .available),
    ])
  }

  private mutating func moving(_ moves: [Move]) throws(LendingRefusal) -> [Move] {
    let moves = moves.filter { $0.count != 0 }
    for step in moves { try move(step.count, from: step.from, to: step.to) }
    return moves
  }

  /// The custody lines of moves, in the lender's book.
  package func lines(_ moves: [Move]) -> [JournalLine] {
    moves.flatMap { lines($0.count, from: $0.from.account, to: $0.to.account) }
  }

  /// The two custody lines of a move, in the lender's book.
  package func lines(_ count: Int64, from: AccountCode, to: AccountCode) -> [JournalLine] {
    let asset = Asset.chip(chipModelID)
    return [
      JournalLine(AccountRef(lenderID, from, id.value, asset: asset), -count),
      JournalLine(AccountRef(lenderID, to, id.value, asset: asset), count),
    ]
  }
}

/// What a lender keeps for itself, by month.
package struct ReservePlan: Sendable, Hashable {
  package struct Month: Sendable, Hashable {
    /// The first day of the month.
    package let month: CalendarDate
    package let quantity: Int64

    package init(month: CalendarDate, quantity: Int64) {
      self.month = month
      self.quantity = quantity
    }
  }

  package let id: ReservePlanID
  package let lenderID: OrganizationID
  package let chipModelID: ChipModelID
  package var months: [Month]
  package var version: Int64
  package let createdAt: Instant
  package var updatedAt: Instant

  package init(
    id: ReservePlanID, lenderID: OrganizationID, chipModelID: ChipModelID, months: [Month], version: Int64 = 1,
    createdAt: Instant, updatedAt: Instant
  ) {
    self.id = id
    self.lenderID = lenderID
    self.chipModelID = chipModelID
    self.months = months
    self.version = version
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }

  /// Units reserved now and later: the largest of the present and the coming months, since chips lent today are out
  /// for longer than a month.
  package func reserved(from date: CalendarDate) -> Int64 {
    let (year, month, _) = date.components
    guard let start = CalendarDate(year: year, month: month, day: 1) else { return 0 }
    return months.filter { $0.month >= start }.map(\.quantity).max() ?? 0
  }
}
