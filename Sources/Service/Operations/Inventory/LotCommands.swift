import Ledger
import Lending
import Parties
import Persistence
import Primitives

/// Records a lot: chips on hand, or on order until they arrive.
package struct CreateLot: Command {
  package static let action = "lot.create"
  package var staffDuty: Duty? { nil }
  package let chipModelID: ChipModelID
  package let quantity: Int64
  package let site: Site
  package let availableOn: CalendarDate
  package let multipleOf: Int64
  package let serials: [String]
  package let unitCost: Money?
  private let lenderID: OrganizationID

  package init(
    chipModelID: ChipModelID, quantity: Int64, site: Site, availableOn: CalendarDate, multipleOf: Int64,
    serials: [String], unitCost: Money?, lenderID: OrganizationID
  ) {
    self.lenderID = lenderID
    self.chipModelID = chipModelID
    self.quantity = quantity
    self.site = site
    self.availableOn = availableOn
    self.multipleOf = multipleOf
    self.serials = serials
    self.unitCost = unitCost
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> { [lenderID] }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Lot {
    try principal.require(.lender)
    guard draft.reference.chips[chipModelID] != nil else {
      throw LendingRefusal.unknownChipModel(chipModelID.value, pointer: "/chip_model_id")
    }
    guard quantity % multipleOf == 0 else { throw LendingRefusal.notInBoards(quantity, multipleOf: multipleOf) }
    guard serials.isEmpty || Int64(serials.count) == quantity else {
      throw LendingRefusal.termsDisagree(
        pointer: "/serials", detail: "\(serials.count) serial numbers are given for \(quantity) units.")
    }
    let onHand = availableOn <= draft.today
    let id: LotID = draft.ids.next()
    let lot = draft.put(
      \.lots,
      Lot(
        id: id, lenderID: principal.organizationID, chipModelID: chipModelID, quantity: quantity, site: site,
        availableOn: availableOn, multipleOf: multipleOf, serials: serials, unitCost: unitCost,
        custody: [onHand ? .available : .onOrder: quantity], createdAt: draft.now, updatedAt: draft.now))
    try draft.post(
      EntryDraft(
        id: draft.ids.next(), book: principal.organizationID, kind: onHand ? .lotReceived : .lotOrdered,
        businessDate: draft.today, subject: id.value,
        lines: lot.lines(
          quantity, from: onHand ? .custodyReceived : .custodyOrdered, to: onHand ? .custodyAvailable : .custodyOnOrder
        )))
    draft.made.subject = id.value
    draft.happen(
      "lot.created", id, version: 1, to: (lot.lenderID, nil),
      [("quantity", .number(quantity)), ("chip_model_id", .text(chipModelID.value))])
    return lot
  }
}

/// Chips that were on order have arrived.
package struct ReceiveLot: Command {
  package static let action = "lot.receive"
  package var staffDuty: Duty? { nil }
  package let lotID: LotID
  package let quantity: Int64

  package init(lotID: LotID, quantity: Int64) {
    self.lotID = lotID
    self.quantity = quantity
  }

  package func needs(_ state: BatchState) -> Set<Need> { [.lot(lotID)] }
  package func heads(_ state: BatchState) -> Set<OrganizationID> {
    Set([state.lots[lotID]?.lenderID].compactMap { $0 })
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Lot {
    guard var lot = draft.find(\.lots, lotID), lot.lenderID == principal.organizationID else {
      throw PartiesRefusal.notFound("lot")
    }
    try principal.require(.lender)
    let moves = try lot.receive(quantity)
    lot = draft.put(\.lots, lot)
    try draft.post(
      EntryDraft(
        id: draft.ids.next(), book: lot.lenderID, kind: .lotReceived, businessDate: draft.today, subject: lot.id.value,
        lines: moves.flatMap { move in
          lot.lines(move.count, from: move.from.account, to: .custodyOrdered)
            + lot.lines(move.count, from: .custodyReceived, to: move.to.account)
        }))
    draft.made.subject = lot.id.value
    draft.happen(
      "lot.received", lot.id, version: lot.version, to: (lot.lenderID, nil), [("quantity", .number(quantity))])
    return lot
  }
}

/// States what a lender keeps for itself of one chip model, by month; replaces an earlier plan.
package struct SetReservePlan: Command {
  package static let action = "reserve_plan.set"
  package var staffDuty: Duty? { nil }
  package let chipModelID: ChipModelID
  package let months: [ReservePlan.Month]
  private let lenderID: OrganizationID

  package init(chipModelID: ChipModelID, months: [ReservePlan.Month], lenderID: OrganizationID) {
    self.chipModelID = chipModelID
    self.months = months
    self.lenderID = lenderID
  }

  /// The plan, and what it leaves to lend.
  package struct Planned: Sendable {
    package let plan: ReservePlan
    package let lendable: Int64
  }

  package func needs(_ state: BatchState) -> Set<Need> { [.reservePlans(lenderID), .lotsOfLender(lenderID)] }
  package func heads(_ state: BatchState) -> Set<OrganizationID> { [lenderID] }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Planned {
    try principal.require(.lender)
    guard draft.reference.chips[chipModelID] != nil else {
      throw LendingRefusal.unknownChipModel(chipModelID.value, pointer: "/chip_model_id")
    }
    let sorted = months.sorted { $0.month < $1.month }
    for (earlier, later) in zip(sorted, sorted.dropFirst()) where earlier.month == later.month {
      throw LendingRefusal.termsDisagree(pointer: "/months", detail: "The month \(later.month) is given twice.")
    }
    let present = (draft.base.reservePlans[lenderID] ?? []).compactMap { draft.find(\.reservePlans, $0) }
      .first { $0.chipModelID == chipModelID }
    var plan =
      present
      ?? ReservePlan(
        id: draft.ids.next(), lenderID: lenderID, chipModelID: chipModelID, months: [], createdAt: draft.now,
        updatedAt: draft.now)
    plan.months = sorted
    plan = draft.put(\.reservePlans, plan)
    draft.made.subject = plan.id.value
    return Planned(plan: plan, lendable: ReserveDesk.lendable(chipModelID, of: lenderID, plan: plan, in: draft))
  }
}

/// What a reserve plan leaves to lend.
enum ReserveDesk {
  /// Units of a model on hand or on order, less those listed, less the reserve, never below zero.
  static func lendable(
    _ chip: ChipModelID, of lender: OrganizationID, plan: ReservePlan?, in draft: Draft
  ) -> Int64 {
    let unlisted = (draft.base.lotsOfLender[lender] ?? []).compactMap { draft.find(\.lots, $0) }
      .filter { $0.chipModelID == chip }.reduce(Int64(0)) { $0 + $1.unlisted }
    return max(0, unlisted - (plan?.reserved(from: draft.today) ?? 0))
  }
}
