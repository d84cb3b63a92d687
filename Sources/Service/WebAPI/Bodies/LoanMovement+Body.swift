import Lending
import Operations
import Primitives
import StrictJSON

extension RecordDelivery {
  /// `quantity` or `serials` (the whole loan without either), `occurred_on`, `condition`?
  ///
  /// What arrives damaged is not accepted here and claimed later: the word is refused, not dropped.
  package static func parse(_ reader: inout ObjectReader, loanID: LoanID, ifVersion: Int64?) -> RecordDelivery? {
    let (quantity, serials) = reader.units(isRequired: false)
    let occurredOn = reader.date("occurred_on")
    if reader.optionalEnumeration("condition", as: ReturnCondition.self) == .damaged {
      reader.fault(
        "condition", code: BodyFaultCode.conflict, detail: "must be good: damaged chips are not to be accepted")
    }
    guard let occurredOn else { return nil }
    return RecordDelivery(
      loanID: loanID, quantity: quantity, serials: serials, occurredOn: occurredOn, ifVersion: ifVersion)
  }
}

/// A step of a return as a client states it: start, arrival or inspection.
package struct ReturnBody: Sendable, Hashable {
  package let quantity: Int64
  package let serials: [String]
  package let occurredOn: CalendarDate
  package let condition: ReturnCondition?
  package let conditionCharge: Money?

  /// `quantity` or `serials`, `occurred_on`, `condition`?, `condition_charge`? (only beside a condition)
  package static func parse(_ reader: inout ObjectReader) -> ReturnBody? {
    let (quantity, serials) = reader.units(isRequired: true)
    let occurredOn = reader.date("occurred_on")
    let condition = reader.optionalEnumeration("condition", as: ReturnCondition.self)
    let charge = reader.optionalMoney("condition_charge", BodyBounds.amount)
    if charge != nil, !reader.has("condition") {
      reader.fault("condition_charge", code: BodyFaultCode.conflict, detail: "must stand beside a condition")
    }
    guard let quantity, let occurredOn else { return nil }
    return ReturnBody(
      quantity: quantity, serials: serials, occurredOn: occurredOn, condition: condition, conditionCharge: charge)
  }

  /// The command; it refuses a charge in another currency than the loan's.
  package func command(loanID: LoanID) -> RecordReturn {
    RecordReturn(
      loanID: loanID, quantity: quantity, serials: serials, occurredOn: occurredOn, condition: condition,
      conditionCharge: conditionCharge)
  }
}

extension LoanReturn {
  /// - Parameter currency: the loan's.
  package func write(to writer: inout JSONWriter, currency: Currency) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("state", state)
      writer.field("loan_id", loanID)
      writer.field("borrower_id", borrowerID)
      writer.field("lender_id", lenderID)
      writer.field("lot_id", lotID)
      writer.field("quantity", quantity)
      writer.field("started_on", startedOn)
      writer.field("arrived_on", arrivedOn)
      writer.field("inspected_on", inspectedOn)
      writer.field("condition", condition)
      writer.field("condition_charge", Money(conditionCharge, currency))
      writer.field("credit", Money(credit, currency))
      writer.history(version: version, createdAt: createdAt, updatedAt: updatedAt)
    }
  }
}
