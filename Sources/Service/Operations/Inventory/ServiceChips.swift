import Ledger
import Lending
import Parties
import Persistence
import Primitives

/// A lender's own chips go to repair, come back, or turn out to be beyond it, while no loan has them.
package struct ServiceChips: Command {
  package static let action = "lot.service"
  package var staffDuty: Duty? { nil }
  package let lotID: LotID
  package let act: LotServiceAct
  package let quantity: Int64
  /// As many as the quantity, or none. Required for a lot whose chips are numbered.
  package let serials: [String]
  package let occurredOn: CalendarDate
  package let note: String?
  package let ifVersion: Int64?

  package init(
    lotID: LotID, act: LotServiceAct, quantity: Int64, serials: [String], occurredOn: CalendarDate, note: String?,
    ifVersion: Int64?
  ) {
    self.lotID = lotID
    self.act = act
    self.quantity = quantity
    self.serials = serials
    self.occurredOn = occurredOn
    self.note = note
    self.ifVersion = ifVersion
  }

  /// The lot, and the numbered units as they are now.
  package struct Serviced: Sendable {
    package let lot: Lot
    package let units: [ChipUnit]
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    var needs: Set<Need> = [.lot(lotID)]
    if let lot = state.lots[lotID] { needs.formUnion(serials.map { .unit(Self.key($0, of: lot)) }) }
    return needs
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> {
    Set([state.lots[lotID]?.lenderID].compactMap { $0 })
  }

  private static func key(_ serial: String, of lot: Lot) -> UnitKey {
    UnitKey(lenderID: lot.lenderID, chipModelID: lot.chipModelID, serial: serial)
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Serviced {
    guard var lot = draft.find(\.lots, lotID), lot.lenderID == principal.organizationID else {
      throw PartiesRefusal.notFound("lot")
    }
    try principal.require(.lender)
    try checkVersion(ifVersion, lot.version)
    guard occurredOn <= draft.today else { throw LendingRefusal.futureDate(given: occurredOn, today: draft.today) }
    let (from, to) = act.move
    // What a listing offers must be there for whoever takes it: the listing shrinks first.
    if from == .available, quantity > lot.unlisted {
      throw LendingRefusal.insufficientChips(lot: lotID, state: "unlisted", wanted: quantity, present: lot.unlisted)
    }
    try lot.move(quantity, from: from, to: to)
    let units = try serials.isEmpty ? unnumbered(lot, principal, &draft) : numbered(lot, principal, &draft)
    lot = draft.put(\.lots, lot)
    try draft.post(
      EntryDraft(
        id: draft.ids.next(), book: lot.lenderID, kind: .chipsServiced, businessDate: occurredOn, subject: lotID.value,
        lines: lot.lines(quantity, from: from.account, to: to.account)))
    draft.made.subject = lotID.value
    draft.happen(
      "lot.serviced", lotID, version: lot.version, to: (lot.lenderID, nil),
      [
        ("kind", .text(act.rawValue)), ("quantity", .number(quantity)), ("occurred_on", .text(occurredOn.description)),
      ])
    return Serviced(lot: lot, units: units)
  }

  private func unnumbered(_ lot: Lot, _ principal: Principal, _ draft: inout Draft) throws -> [ChipUnit] {
    guard lot.serials.isEmpty else { throw LendingRefusal.loan(.serialsRequired) }
    record(nil, quantity, of: lot, principal, &draft)
    return []
  }

  /// A unit that was never lent has no row yet; from now on it has one.
  private func numbered(_ lot: Lot, _ principal: Principal, _ draft: inout Draft) throws -> [ChipUnit] {
    let known = Set(lot.serials)
    return try serials.map { serial in
      guard known.contains(serial) else { throw LendingRefusal.loan(.unknownSerial(serial)) }
      var unit =
        draft.base.unitBySerial[Self.key(serial, of: lot)].flatMap { draft.find(\.units, $0) }
        ?? ChipUnit(
          id: draft.ids.next(), lenderID: lot.lenderID, chipModelID: lot.chipModelID, lotID: lot.id, serial: serial,
          createdAt: draft.now, updatedAt: draft.now)
      // The same number may stand on two lots of a lender; a unit belongs to the one that it went out from last.
      guard unit.lotID == lot.id else { throw LendingRefusal.loan(.unknownSerial(serial)) }
      try unit.service(act)
      unit = draft.put(\.units, unit)
      record(unit.id, 1, of: lot, principal, &draft)
      return unit
    }
  }

  private func record(
    _ unit: UnitID?, _ count: Int64, of lot: Lot, _ principal: Principal, _ draft: inout Draft
  ) {
    draft.made.unitEvents.append(
      UnitEventRow(
        id: draft.ids.next(), lenderID: lot.lenderID, borrowerID: nil, loanID: nil, lotID: lot.id, unitID: unit,
        quantity: count, kind: act.event, occurredOn: occurredOn, note: note, actorID: principal.organizationID,
        personID: principal.personID, recordedAt: draft.now))
  }
}
