import Catalogue
import Parties
import Postgres
import Primitives
import Screening
import StrictJSON

/// Every table of the schema, each as one value. A test prepares each statement and compares types with the catalogue.
package enum Tables {}

extension Tables {
  package static let organizations = Table<Organization>(
    "organizations", sql: "organizations", key: ["org_id"], idColumn: "org_id",
    columns: [
      .uuid("org_id") { $0.id.value },
      .text("legal_name") { $0.legalName },
      .text("jurisdiction") { $0.jurisdiction.value },
      .text("ultimate_parent_jurisdiction") { $0.ultimateParentJurisdiction?.value },
      .uuid("group_id") { $0.groupID.value },
      .texts("roles") { $0.roles.map(\.rawValue).sorted() },
      .json("owners") { writeOwners($0.owners) },
      .json("sites") { writeSites($0.sites) },
      .text("verification_state") { $0.verification.state.rawValue },
      .text("verification_evidence") { $0.verification.evidence },
      .date("verified_on") { $0.verification.verifiedOn },
      .date("verification_expires_on") { $0.verification.expiresOn },
      .uuidOrNull("verified_by") { $0.verification.verifiedBy?.value },
      .text("verification_reason") { $0.verification.reason },
      .text("credit_grade") { $0.creditGrade },
      .json("screening_decisions") { writeDecisions($0.screeningDecisions) },
      .int8("version") { $0.version },
      .instant("created_at") { $0.createdAt },
      .instant("updated_at") { $0.updatedAt },
    ],
    names: ("organizations_by_id", "organizations_insert", "organizations_update")
  ) { row in
    Organization(
      id: try row.id(), legalName: try row.text(), jurisdiction: try row.country(),
      ultimateParentJurisdiction: try row.parsedOrNull { CountryCode($0) }, groupID: try row.id(),
      roles: Set(try row.values(Role.self)), owners: try readOwners(row.json()), sites: try readSites(row.json()),
      verification: Verification(
        state: try row.value(), evidence: try row.textOrNull(), verifiedOn: try row.dateOrNull(),
        expiresOn: try row.dateOrNull(), verifiedBy: try row.idOrNull(), reason: try row.textOrNull()),
      creditGrade: try row.textOrNull(), screeningDecisions: try readDecisions(row.json()), version: try row.int(),
      createdAt: try row.instant(),
      updatedAt: try row.instant())
  }

  package static let licences = Table<LicenceRecord>(
    "licences", sql: "licences", key: ["lender_id", "id"], idColumn: "id",
    columns: [
      .uuid("lender_id") { $0.licence.holder.value },
      .uuid("id") { $0.id.value },
      .uuidOrNull("consignee_id") { $0.licence.consignee?.value },
      .text("chip_model_id") { $0.licence.chip?.value },
      .text("export_class") { $0.licence.exportClass?.rawValue },
      .text("destination") { $0.licence.destination.value },
      .int8("quota") { $0.licence.quota },
      .int8("used") { $0.licence.used },
      .date("valid_from") { $0.licence.validity.from },
      .date("valid_to") { $0.licence.validity.to },
      .text("reference") { $0.reference },
      .int8("version") { $0.version },
      .instant("created_at") { $0.createdAt },
      .instant("updated_at") { $0.updatedAt },
    ],
    names: ("licences_by_id", "licences_insert", "licences_update")
  ) { row in
    let holder: OrganizationID = try row.id()
    let id: LicenceID = try row.id()
    let consignee: OrganizationID? = try row.idOrNull()
    let chip = try row.parsedOrNull { ChipModelID($0) }
    let exportClass = try row.valueOrNull(ExportClass.self)
    guard let subject = chip.map({ Licence.Subject.chip($0) }) ?? exportClass.map({ .exportClass($0) }) else {
      throw StoredValueError(column: "chip_model_id", value: "null")
    }
    let licence = try Licence(
      id: id, holder: holder, consignee: consignee, subject: subject, destination: try row.country(),
      quota: try row.int(), used: try row.int(), validFrom: try row.date(), validTo: try row.dateOrNull())
    return LicenceRecord(
      licence: licence, reference: try row.text(), version: try row.int(), createdAt: try row.instant(),
      updatedAt: try row.instant())
  }

  private static func writeDecisions(_ decisions: [ScreeningDecision]) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginArray()
    for decision in decisions {
      writer.beginObject()
      writer.field("id", decision.id.description)
      writer.field("list_id", decision.listID)
      writer.field("entry_id", decision.entryID)
      writer.field("entry_sha256", decision.entryDigest.description)
      writer.field("name", decision.name)
      writer.field("is_same", decision.isSame)
      writer.field("reason", decision.reason)
      writer.field("by", decision.by.description)
      writer.field("on", decision.on.description)
      writer.field("state", decision.state.rawValue)
      writer.field("decided_by", decision.decidedBy?.description)
      writer.endObject()
    }
    writer.endArray()
    return writer.bytes
  }

  private static func readDecisions(_ node: JSONNode) throws -> [ScreeningDecision] {
    try node.elements.map { decision in
      guard let id = decision["id"]?.asString.flatMap({ ScreeningDecisionID($0) }),
        let list = decision["list_id"]?.asString, let entry = decision["entry_id"]?.asString,
        let digest = decision["entry_sha256"]?.asString.flatMap({ SHA256Digest(hexadecimal: $0) }),
        let name = decision["name"]?.asString, let isSame = decision["is_same"]?.asBool,
        let reason = decision["reason"]?.asString, let by = decision["by"]?.asString.flatMap({ PersonID($0) }),
        let on = decision["on"]?.asString.flatMap({ CalendarDate($0) }),
        let state = decision["state"]?.asString.flatMap({ ScreeningDecision.State(rawValue: $0) })
      else { throw StoredValueError(column: "screening_decisions", value: decision.pointer) }
      return ScreeningDecision(
        id: id, listID: list, entryID: entry, entryDigest: digest, name: name, isSame: isSame, reason: reason, by: by,
        on: on, state: state, decidedBy: decision["decided_by"]?.asString.flatMap { PersonID($0) })
    }
  }

  private static func writeOwners(_ owners: [BeneficialOwner]) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginArray()
    for owner in owners {
      writer.beginObject()
      writer.field("name", owner.name)
      writer.field("share_bps", owner.share.value)
      writer.field("jurisdiction", owner.jurisdiction.value)
      writer.field("listed", owner.listed)
      writer.endObject()
    }
    writer.endArray()
    return writer.bytes
  }

  private static func readOwners(_ node: JSONNode) throws -> [BeneficialOwner] {
    try node.elements.map { owner in
      guard let name = owner["name"]?.asString, let share = owner["share_bps"]?.asInteger,
        let jurisdiction = owner["jurisdiction"]?.asString.flatMap({ CountryCode($0) }),
        let listed = owner["listed"]?.asBool
      else { throw StoredValueError(column: "owners", value: owner.pointer) }
      return BeneficialOwner(name: name, share: BasisPoints(share), jurisdiction: jurisdiction, listed: listed)
    }
  }

  private static func writeSites(_ sites: [Site]) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginArray()
    for site in sites {
      writer.beginObject()
      writer.field("country", site.country.value)
      writer.field("region", site.region)
      writer.endObject()
    }
    writer.endArray()
    return writer.bytes
  }

  private static func readSites(_ node: JSONNode) throws -> [Site] {
    try node.elements.map { site in
      guard let country = site["country"]?.asString.flatMap({ CountryCode($0) }), let region = site["region"]?.asString
      else { throw StoredValueError(column: "sites", value: site.pointer) }
      return Site(country: country, region: region)
    }
  }
}
