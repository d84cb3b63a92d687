import Operations
import Parties
import Primitives
import StrictJSON

/// The roles that an organisation can hold; staff and auditors are persons of the platform with keys.
private enum TradingRole: String, CaseIterable {
  case lender, startup

  var role: Role {
    switch self {
    case .lender: .lender
    case .startup: .startup
    }
  }
}

extension CreateOrganization {
  /// `legal_name`, `jurisdiction`, `roles`, and what is known of parents, owners (at most 100) and sites (at most 50).
  package static func parse(_ reader: inout ObjectReader) -> CreateOrganization? {
    let legalName = reader.string("legal_name", bytes: BodyBounds.name)
    let jurisdiction = reader.country("jurisdiction")
    let roles = reader.set("roles", count: 1...2) { $1.enumeration($0, as: TradingRole.self) }
    let ultimateParent = reader.optionalCountry("ultimate_parent_jurisdiction")
    let parent = reader.optionalID("parent_organization_id", of: OrganizationNoun.self)
    let owners = reader.optionalObjects("owners", count: 0...100) { BeneficialOwner.parse(&$0) }
    let sites = reader.optionalSet("sites", count: 0...50) { node, log in log.object(node) { Site.parse(&$0) } }
    guard let legalName, let jurisdiction, let roles else { return nil }
    return CreateOrganization(
      legalName: legalName, jurisdiction: jurisdiction, ultimateParentJurisdiction: ultimateParent, groupID: parent,
      roles: Set(roles.map(\.role)), owners: owners ?? [], sites: sites ?? [])
  }
}

extension BeneficialOwner {
  /// `listed` is what staff found on a screening list; only staff record organisations.
  static func parse(_ reader: inout ObjectReader) -> BeneficialOwner? {
    let name = reader.string("name", bytes: BodyBounds.name)
    let share = reader.rate("share_bps", BodyBounds.shareBps)
    let jurisdiction = reader.country("jurisdiction")
    let listed = reader.optionalBool("listed")
    guard let name, let share, let jurisdiction else { return nil }
    return BeneficialOwner(name: name, share: share, jurisdiction: jurisdiction, listed: listed ?? false)
  }
}

extension DecideVerification {
  /// `evidence`, `expires_on`?, `credit_grade`?
  package static func parseVerify(
    _ reader: inout ObjectReader, _ id: OrganizationID, ifVersion: Int64?
  ) -> DecideVerification? {
    let evidence = reader.string("evidence", bytes: BodyBounds.evidence)
    let expiresOn = reader.optionalDate("expires_on")
    let grade = reader.optionalCreditGrade("credit_grade")
    guard let evidence else { return nil }
    let act = Act.verify(evidence: evidence, expiresOn: expiresOn, creditGrade: grade)
    return DecideVerification(organizationID: id, act: act, ifVersion: ifVersion)
  }

  /// `reason`
  package static func parseSuspend(
    _ reader: inout ObjectReader, _ id: OrganizationID, ifVersion: Int64?
  ) -> DecideVerification? {
    guard let reason = reader.string("reason", bytes: BodyBounds.reason) else { return nil }
    return DecideVerification(organizationID: id, act: .suspend(reason: reason), ifVersion: ifVersion)
  }
}

private let expectedGrade: StaticString = "a credit grade: 1 to 16 of A-Z, a-z, 0-9, plus and hyphen"

extension ObjectReader {
  mutating func optionalCreditGrade(_ name: StaticString) -> String? {
    optionalParsed(name, expected: expectedGrade, bytes: 1...16) { isGrade($0) ? $0 : nil }
  }
}

extension FaultLog {
  mutating func creditGrade(_ node: JSONNode) -> String? {
    parsed(node, expected: expectedGrade, bytes: 1...16) { isGrade($0) ? $0 : nil }
  }
}

private func isGrade(_ text: String) -> Bool { isWord(text) { $0 == 0x2B || $0 == 0x2D } }

extension Organization {
  /// As its own members, staff and auditors see it.
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("state", verification.state)
      writer.field("legal_name", legalName)
      writer.field("jurisdiction", jurisdiction)
      writer.field("roles", roles.names)
      writer.field("ultimate_parent_jurisdiction", ultimateParentJurisdiction)
      writer.field("parent_organization_id", groupID == id ? nil : groupID)
      writer.array("owners", owners) { writer, owner in
        writer.object { writer in
          writer.field("name", owner.name)
          writer.field("share_bps", owner.share)
          writer.field("jurisdiction", owner.jurisdiction)
          writer.field("listed", owner.listed)
        }
      }
      writer.array("sites", sites) { writer, site in writer.object { site.writeMembers(to: &$0) } }
      writer.object("verification") { verification.writeMembers(to: &$0) }
      writer.field("credit_grade", creditGrade)
      writer.history(version: version, createdAt: createdAt, updatedAt: updatedAt)
    }
  }
}

extension Verification {
  fileprivate func writeMembers(to writer: inout JSONWriter) {
    writer.field("state", state)
    writer.field("evidence", evidence)
    writer.field("verified_on", verifiedOn)
    writer.field("expires_on", expiresOn)
    writer.field("verified_by", verifiedBy)
    writer.field("reason", reason)
  }
}

extension Set<Role> {
  /// In one order, whatever the set's.
  var names: [String] { Role.allCases.filter(contains).map(\.rawValue) }
}
