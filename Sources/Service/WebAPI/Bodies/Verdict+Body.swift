import Catalogue
import Operations
import Persistence
import Primitives
import StrictJSON

extension Verdict {
  /// The verdict with every rule that applies, the strictest first.
  package func write(to writer: inout JSONWriter) {
    writer.object { writeMembers(to: &$0) }
  }

  /// The effect goes by two names: a verdict shown by itself has an `effect`, as its rules do, and the answer to an
  /// export check calls its outcome the `verdict`.
  func writeMembers(to writer: inout JSONWriter) {
    writer.field("verdict", effect)
    writer.field("effect", effect)
    writer.field("act", kind)
    writer.field("on", date)
    writer.field("regulatory_act", regulatoryAct)
    writer.field("chip_model_id", chip)
    writer.field("quantity", quantity)
    writer.field("delivery_mode", deliveryMode)
    writer.field("class", classification.exportClass)
    writer.field("paragraph", classification.paragraph)
    writer.field("licence_id", licenceUse?.licenceID)
    writer.array("measured", measured) { writer, value in
      writer.object { writer in
        writer.field("field", value.field)
        writer.field("value", value.value)
      }
    }
    writer.array("rules", findings) { $1.write(to: &$0) }
  }
}

extension VerdictRow {
  /// As it was recorded. `subject_id` is the offer, the loan, or whatever the act was about.
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("effect", effect)
      writer.field("act", act)
      writer.field("on", on)
      writer.field("borrower_id", borrowerID)
      writer.field("lender_id", lenderID)
      writer.field("subject_id", subject)
      writer.field("chip_model_id", chipModelID)
      writer.field("quantity", quantity)
      writer.field("licence_id", licenceID)
      writer.field("acted", acted)
      writer.rawField("rules", findings)
      writer.field("recorded_at", recordedAt)
    }
  }
}

/// An act to be judged before anybody does it.
package struct ExportCheckBody: Sendable, Hashable {
  package let chipModelID: ChipModelID
  package let quantity: Int64
  package let act: ActKind
  package let on: CalendarDate
  package let fromOrganizationID: OrganizationID
  package let toOrganizationID: OrganizationID
  package let fromSite: ActSite
  package let toSite: ActSite
  package let deliveryMode: DeliveryMode
  package let endUse: String

  /// All ten members of api.md's export check; none has a default, since each may change the answer.
  package static func parse(_ reader: inout ObjectReader) -> ExportCheckBody? {
    let chip = reader.chipModel("chip_model_id")
    let quantity = reader.quantity("quantity")
    let act = reader.enumeration("act", as: ActKind.self)
    let on = reader.date("on")
    let from = reader.id("from_organization_id", of: OrganizationNoun.self)
    let to = reader.id("to_organization_id", of: OrganizationNoun.self)
    let fromSite = reader.site("from_site")
    let toSite = reader.site("to_site")
    let mode = reader.enumeration("delivery_mode", as: DeliveryMode.self)
    let endUse = reader.string("end_use", bytes: BodyBounds.endUse)
    guard let chip, let quantity, let act, let on, let from, let to, let fromSite, let toSite, let mode, let endUse
    else { return nil }
    return ExportCheckBody(
      chipModelID: chip, quantity: quantity, act: act, on: on, fromOrganizationID: from, toOrganizationID: to,
      fromSite: fromSite.act, toSite: toSite.act, deliveryMode: mode, endUse: endUse)
  }

  /// What was asked, the effect as `verdict`, the rules, and what may lawfully be done about them.
  package func write(_ answer: Verdict, options: [LawfulOption], to writer: inout JSONWriter) {
    writer.object { writer in
      answer.writeMembers(to: &writer)
      writer.field("from_organization_id", fromOrganizationID)
      writer.field("to_organization_id", toOrganizationID)
      writer.object("from_site") { fromSite.writeMembers(to: &$0) }
      writer.object("to_site") { toSite.writeMembers(to: &$0) }
      writer.field("end_use", endUse)
      writer.array("options", options) { $1.write(to: &$0) }
    }
  }
}

extension ActSite {
  fileprivate func writeMembers(to writer: inout JSONWriter) {
    writer.field("country", country)
    writer.field("region", region)
  }
}

extension LawfulOption {
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in
      switch self {
      case .licence(let ruleIDs, let policies):
        writer.field("kind", "licence")
        writer.field("rule_ids", ruleIDs)
        writer.field("review_policies", policies)
      case .notification(let ruleIDs, let days):
        writer.field("kind", "notification")
        writer.field("rule_ids", ruleIDs)
        writer.field("days", days)
      case .substitute(let chip, let name):
        writer.field("kind", "substitute")
        writer.field("chip_model_id", chip)
        writer.field("name", name)
      }
    }
  }
}
