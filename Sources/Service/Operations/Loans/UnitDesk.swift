import Catalogue
import Ledger
import Lending
import Parties
import Persistence
import Primitives

/// Numbered units of loans: which go out, what happens to them, which come back.
enum UnitDesk {
  /// What a command that names serial numbers must see: those units, and all of the loan's.
  static func needs(_ serials: [String], of loan: Loan) -> Set<Need> {
    var needs: Set<Need> = [.unitsOfLoan(loan.id)]
    for serial in serials { needs.insert(.unit(key(serial, of: loan))) }
    return needs
  }

  private static func key(_ serial: String, of loan: Loan) -> UnitKey {
    UnitKey(lenderID: loan.terms.lenderID, chipModelID: loan.terms.chipModelID, serial: serial)
  }

  /// The loan's units, by serial number.
  static func units(of loan: Loan, in draft: Draft) -> [ChipUnit] {
    (draft.base.unitsOfLoan[loan.id] ?? []).compactMap { draft.find(\.units, $0) }.filter { $0.loanID == loan.id }
      .sorted { $0.serial < $1.serial }
  }

  /// The units that are meant: those named, or all of the loan's where that many are meant. None where the loan's units
  /// have no numbers.
  /// - Throws: `loan.serials_required` where some of a loan's numbered units are meant and nobody says which.
  static func named(
    _ serials: [String], quantity: Int64, of loan: Loan, in draft: Draft
  ) throws -> [ChipUnit] {
    let own = units(of: loan, in: draft).filter(\.isLent)
    if serials.isEmpty {
      guard own.isEmpty || Int64(own.count) == quantity else { throw LendingRefusal.loan(.serialsRequired) }
      return own
    }
    let bySerial = Dictionary(own.map { ($0.serial, $0) }, uniquingKeysWith: { first, _ in first })
    return try serials.map { serial in
      guard let unit = bySerial[serial] else { throw LendingRefusal.loan(.unitNotInLoan(serial)) }
      return unit
    }
  }

  /// Units go out with the loan.
  @discardableResult
  static func dispatch(
    _ serials: [String], with loan: Loan, from lot: Lot, on date: CalendarDate, by principal: Principal,
    in draft: inout Draft
  ) throws -> [ChipUnit] {
    var lent: [ChipUnit] = []
    if serials.isEmpty { return lent }
    let known = Set(lot.serials)
    for serial in serials {
      guard known.contains(serial) else { throw LendingRefusal.loan(.unknownSerial(serial)) }
      let found = draft.base.unitBySerial[key(serial, of: loan)].flatMap { draft.find(\.units, $0) }
      var unit =
        found
        ?? ChipUnit(
          id: draft.ids.next(), lenderID: loan.terms.lenderID, chipModelID: loan.terms.chipModelID, lotID: lot.id,
          serial: serial, createdAt: draft.now, updatedAt: draft.now)
      try unit.lend(loan)
      unit = draft.put(\.units, unit)
      record(.dispatched, unit.id, 1, of: loan, on: date, by: principal, in: &draft)
      lent.append(unit)
    }
    return lent
  }

  /// Units are the lender's again: graded, taken back, or exchanged.
  /// - Parameter condition: as graded; nil leaves them as they are.
  static func release(
    _ units: [ChipUnit], from loan: Loan, _ kind: UnitEventKind, condition: UnitCondition?, on date: CalendarDate,
    by principal: Principal, in draft: inout Draft
  ) throws {
    for unit in units {
      var unit = unit
      try unit.release(from: loan.id, condition: condition ?? unit.condition)
      unit = draft.put(\.units, unit)
      record(kind, unit.id, 1, of: loan, on: date, by: principal, in: &draft)
    }
  }

  /// Numbered units of a loan are exchanged for as many others of its lot, on one day: both movements have verdicts of
  /// their own. What went out whole is available again, anything else goes to repair.
  static func substitute(
    _ out: [String], with new: [String], in loan: Loan, on date: CalendarDate, by principal: Principal,
    in draft: inout Draft
  ) throws {
    guard var lot = draft.find(\.lots, loan.terms.lotID) else { throw PartiesRefusal.notFound("lot") }
    let count = Int64(out.count)
    guard count > 0, new.count == out.count else { throw LendingRefusal.loan(.serialsRequired) }
    let leaving = try named(out, quantity: count, of: loan, in: draft)
    for kind in [ActKind.return, .handOver] {
      let act = try LoanDesk.act(kind, of: loan, units: count, on: date, in: draft)
      let verdict = try ExportDesk.judge(act, subject: loan.id.value, in: &draft)
      guard verdict.isClear else { throw verdict.refusal }
    }
    let whole = Int64(leaving.count { $0.condition == .inService })
    try lot.move(count, from: .available, to: .onLoan)
    if whole > 0 { try lot.move(whole, from: .onLoan, to: .available) }
    if whole < count { try lot.move(count - whole, from: .onLoan, to: .inRepair) }
    lot = draft.put(\.lots, lot)
    if whole < count {
      try LoanDesk.post(
        .chipsSubstituted, of: loan, on: date,
        [lot.lenderID: lot.lines(count - whole, from: .custodyAvailable, to: .custodyInRepair)], in: &draft)
    }
    try release(leaving, from: loan, .returned, condition: nil, on: date, by: principal, in: &draft)
    let lent = try dispatch(new, with: loan, from: lot, on: date, by: principal, in: &draft)
    try happen(.accepted, to: lent, of: loan, on: date, by: principal, in: &draft)
  }

  /// Something happens to units while they are in the loan.
  static func happen(
    _ kind: UnitEventKind, to units: [ChipUnit], of loan: Loan, on date: CalendarDate, note: String? = nil,
    by principal: Principal, in draft: inout Draft
  ) throws {
    for unit in units {
      var unit = unit
      try unit.happen(kind, in: loan.id)
      if kind != .accepted { unit = draft.put(\.units, unit) }
      record(kind, unit.id, 1, of: loan, on: date, note: note, by: principal, in: &draft)
    }
  }

  static func record(
    _ kind: UnitEventKind, _ unit: UnitID?, _ quantity: Int64, of loan: Loan, on date: CalendarDate,
    note: String? = nil, by principal: Principal, in draft: inout Draft
  ) {
    draft.made.unitEvents.append(
      UnitEventRow(
        id: draft.ids.next(), lenderID: loan.terms.lenderID, borrowerID: loan.terms.borrowerID, loanID: loan.id,
        unitID: unit, quantity: quantity, kind: kind, occurredOn: date, note: note,
        actorID: principal.organizationID, personID: principal.personID, recordedAt: draft.now))
  }
}

/// Something happened to chips while they are out: a failure, a repair, a ban. The loan and its fee go on as they are; the
/// borrower bears what happens to chips in its hands.
package struct RecordDeviceEvent: LoanCommand {
  package static let action = "loan.device_event"
  package var staffDuty: Duty? { nil }
  package let loanID: LoanID
  package let kind: UnitEventKind
  package let quantity: Int64
  /// As many as the quantity, or none.
  package let serials: [String]
  package let occurredOn: CalendarDate
  package let note: String?
  package let ifVersion: Int64?

  package init(
    loanID: LoanID, kind: UnitEventKind, quantity: Int64, serials: [String], occurredOn: CalendarDate, note: String?,
    ifVersion: Int64?
  ) {
    self.loanID = loanID
    self.kind = kind
    self.quantity = quantity
    self.serials = serials
    self.occurredOn = occurredOn
    self.note = note
    self.ifVersion = ifVersion
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    loanNeeds(state).union(state.loans[loanID].map { UnitDesk.needs(serials, of: $0) } ?? [])
  }

  /// The loan, and the numbered units as they are now.
  package struct Recorded: Sendable {
    package let loan: Loan
    package let units: [ChipUnit]
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Recorded {
    var loan = try loan(&draft, for: .either, principal)
    try loan.require(.reportDevice)
    guard occurredOn <= draft.today else { throw LendingRefusal.futureDate(given: occurredOn, today: draft.today) }
    let earliest = loan.deliveredOn ?? loan.terms.tradeOn
    guard occurredOn >= earliest else { throw LendingRefusal.dateOutOfOrder(given: occurredOn, earliest: earliest) }
    guard quantity <= loan.unitsOut else { throw LendingRefusal.moreThanOut(quantity, out: loan.unitsOut) }
    let units = try UnitDesk.named(serials, quantity: quantity, of: loan, in: draft)
    if units.isEmpty {
      UnitDesk.record(kind, nil, quantity, of: loan, on: occurredOn, note: note, by: principal, in: &draft)
    } else {
      try UnitDesk.happen(kind, to: units, of: loan, on: occurredOn, note: note, by: principal, in: &draft)
    }
    loan = draft.put(\.loans, loan)
    LoanDesk.announce(
      "loan.device_event", loan,
      [
        ("reason_code", .text(kind.rawValue)), ("quantity", .number(quantity)),
        ("occurred_on", .text(occurredOn.description)),
      ], in: &draft)
    return Recorded(loan: loan, units: units.compactMap { draft.find(\.units, $0.id) })
  }
}
