import Lending
import Parties
import Postgres
import Primitives

extension Tables {
  package static let chipUnits = Table<ChipUnit>(
    "chip_units", sql: "chip_units", key: ["lender_id", "id"], idColumn: "id",
    columns: [
      .uuid("lender_id") { $0.lenderID.value },
      .uuid("id") { $0.id.value },
      .text("chip_model_id") { $0.chipModelID.value },
      .uuid("lot_id") { $0.lotID.value },
      .text("serial") { $0.serial },
      .uuidOrNull("loan_id") { $0.loanID?.value },
      .uuidOrNull("borrower_id") { $0.borrowerID?.value },
      .text("condition") { $0.condition.rawValue },
      .int8("version") { $0.version },
      .instant("created_at") { $0.createdAt },
      .instant("updated_at") { $0.updatedAt },
    ],
    names: ("chip_units_by_id", "chip_units_insert", "chip_units_update")
  ) { row in
    let lender: OrganizationID = try row.id()
    return ChipUnit(
      id: try row.id(), lenderID: lender, chipModelID: try row.chipModel(), lotID: try row.id(),
      serial: try row.text(), loanID: try row.idOrNull(), borrowerID: try row.idOrNull(), condition: try row.value(),
      version: try row.int(), createdAt: try row.instant(), updatedAt: try row.instant())
  }

  package static let unitEvents = Table<UnitEventRow>(
    "unit_events", sql: "unit_events", key: ["lender_id", "id"], idColumn: "id",
    columns: [
      .uuid("lender_id") { $0.lenderID.value },
      .uuid("id") { $0.id.value },
      .uuidOrNull("borrower_id") { $0.borrowerID?.value },
      .uuidOrNull("loan_id") { $0.loanID?.value },
      .uuidOrNull("lot_id") { $0.lotID?.value },
      .uuidOrNull("unit_id") { $0.unitID?.value },
      .int8("quantity") { $0.quantity },
      .text("kind") { $0.kind.rawValue },
      .date("occurred_on") { $0.occurredOn },
      .text("note") { $0.note },
      .uuid("actor_id") { $0.actorID.value },
      .uuidOrNull("person_id") { $0.personID?.value },
      .instant("recorded_at") { $0.recordedAt },
    ],
    names: ("unit_events_by_id", "unit_events_insert", nil)
  ) { row in
    let lender: OrganizationID = try row.id()
    return UnitEventRow(
      id: try row.id(), lenderID: lender, borrowerID: try row.idOrNull(), loanID: try row.idOrNull(),
      lotID: try row.idOrNull(), unitID: try row.idOrNull(), quantity: try row.int(), kind: try row.value(),
      occurredOn: try row.date(), note: try row.textOrNull(), actorID: try row.id(), personID: try row.idOrNull(),
      recordedAt: try row.instant())
  }
}

/// A link of the chain of custody: what happened to a numbered unit, or to so many units without numbers, of a loan or,
/// while no loan has them, of a lot.
package struct UnitEventRow: Sendable, Hashable {
  package let id: LoanEventID
  package let lenderID: OrganizationID
  /// With the loan.
  package let borrowerID: OrganizationID?
  package let loanID: LoanID?
  /// Only where there is no loan.
  package let lotID: LotID?
  package let unitID: UnitID?
  package let quantity: Int64
  package let kind: UnitEventKind
  package let occurredOn: CalendarDate
  package let note: String?
  package let actorID: OrganizationID
  package let personID: PersonID?
  package let recordedAt: Instant

  package init(
    id: LoanEventID, lenderID: OrganizationID, borrowerID: OrganizationID?, loanID: LoanID?, lotID: LotID? = nil,
    unitID: UnitID?, quantity: Int64, kind: UnitEventKind, occurredOn: CalendarDate, note: String?,
    actorID: OrganizationID,
    personID: PersonID?, recordedAt: Instant
  ) {
    self.id = id
    self.lenderID = lenderID
    self.borrowerID = borrowerID
    self.loanID = loanID
    self.lotID = lotID
    self.unitID = unitID
    self.quantity = quantity
    self.kind = kind
    self.occurredOn = occurredOn
    self.note = note
    self.actorID = actorID
    self.personID = personID
    self.recordedAt = recordedAt
  }
}

/// A unit by what is printed on it.
package struct UnitKey: Sendable, Hashable {
  package let lenderID: OrganizationID
  package let chipModelID: ChipModelID
  package let serial: String

  package init(lenderID: OrganizationID, chipModelID: ChipModelID, serial: String) {
    self.lenderID = lenderID
    self.chipModelID = chipModelID
    self.serial = serial
  }
}
