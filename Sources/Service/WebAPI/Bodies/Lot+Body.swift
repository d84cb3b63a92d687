import Lending
import Operations
import Parties
import Primitives
import StrictJSON

extension CreateLot {
  /// `chip_model_id`, `quantity`, `site`, `available_on`, `multiple_of`?, `serials`?, `unit_cost`?
  package static func parse(_ reader: inout ObjectReader, lenderID: OrganizationID) -> CreateLot? {
    let chip = reader.chipModel("chip_model_id")
    let quantity = reader.quantity("quantity")
    let site = reader.site("site")
    let availableOn = reader.date("available_on")
    let multipleOf = reader.optionalQuantity("multiple_of")
    let serials = reader.optionalSet("serials", count: 0...BodyBounds.serials.upperBound) {
      $1.string($0, bytes: BodyBounds.serial)
    }
    let unitCost = reader.optionalMoney("unit_cost", BodyBounds.price)
    guard let chip, let quantity, let site, let availableOn else { return nil }
    return CreateLot(
      chipModelID: chip, quantity: quantity, site: site, availableOn: availableOn, multipleOf: multipleOf ?? 1,
      serials: serials ?? [], unitCost: unitCost, lenderID: lenderID)
  }
}

extension ReceiveLot {
  /// `quantity`
  package static func parse(_ reader: inout ObjectReader, lotID: LotID) -> ReceiveLot? {
    reader.quantity("quantity").map { ReceiveLot(lotID: lotID, quantity: $0) }
  }
}

extension ServiceChips {
  /// `kind`, `quantity` or `serials`, `occurred_on`, `note`?
  package static func parse(_ reader: inout ObjectReader, lotID: LotID, ifVersion: Int64?) -> ServiceChips? {
    let act = reader.enumeration("kind", as: LotServiceAct.self)
    let (quantity, serials) = reader.units(isRequired: true)
    let occurredOn = reader.date("occurred_on")
    let note = reader.optionalString("note", bytes: BodyBounds.reason)
    guard let act, let quantity, let occurredOn else { return nil }
    return ServiceChips(
      lotID: lotID, act: act, quantity: quantity, serials: serials, occurredOn: occurredOn, note: note,
      ifVersion: ifVersion)
  }
}

extension ServiceChips.Serviced {
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.array("units", units) { $1.write(to: &$0) }
      writer.key("lot")
      lot.write(to: &writer)
    }
  }
}

extension Lot {
  /// `custody` names every state, those without units too.
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("lender_id", lenderID)
      writer.field("chip_model_id", chipModelID)
      writer.field("quantity", quantity)
      writer.field("site", site)
      writer.field("available_on", availableOn)
      writer.field("multiple_of", multipleOf)
      writer.field("serials", serials)
      writer.field("unit_cost", unitCost)
      writer.object("custody") { writer in
        for state in CustodyState.allCases {
          writer.key(dynamic: state.rawValue)
          writer.int(units(state))
        }
      }
      writer.field("listed", listed)
      writer.field("unlisted", unlisted)
      writer.history(version: version, createdAt: createdAt, updatedAt: updatedAt)
    }
  }
}

private let expectedMonth: StaticString = "a month YYYY-MM, or its first day YYYY-MM-01"

extension SetReservePlan {
  /// `chip_model_id`, `months` [{`month`, `quantity`}], at most 60; none ends the plan.
  package static func parse(_ reader: inout ObjectReader, lenderID: OrganizationID) -> SetReservePlan? {
    let chip = reader.chipModel("chip_model_id")
    let months = reader.objects("months", count: 0...60) { reader -> ReservePlan.Month? in
      let month = reader.parsed("month", expected: expectedMonth, bytes: 1...64) { firstDay(ofMonth: $0) }
      let quantity = reader.int("quantity", 0...BodyBounds.quantity.upperBound)
      guard let month, let quantity else { return nil }
      return ReservePlan.Month(month: month, quantity: quantity)
    }
    guard let chip, let months else { return nil }
    return SetReservePlan(chipModelID: chip, months: months, lenderID: lenderID)
  }
}

private func firstDay(ofMonth text: String) -> CalendarDate? {
  let date = CalendarDate(text.utf8.count == 7 ? text + "-01" : text)
  return date?.components.day == 1 ? date : nil
}

extension ReservePlan {
  /// - Parameter lendable: units that the plan leaves to lend today; not told in lists.
  package func write(to writer: inout JSONWriter, lendable: Int64? = nil) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("lender_id", lenderID)
      writer.field("chip_model_id", chipModelID)
      writer.array("months", months) { writer, month in
        writer.object { writer in
          writer.field("month", String(month.month.description.dropLast(3)))
          writer.field("quantity", month.quantity)
        }
      }
      writer.field("lendable", lendable)
      writer.history(version: version, createdAt: createdAt, updatedAt: updatedAt)
    }
  }
}

extension SetReservePlan.Planned {
  package func write(to writer: inout JSONWriter) { plan.write(to: &writer, lendable: lendable) }
}
