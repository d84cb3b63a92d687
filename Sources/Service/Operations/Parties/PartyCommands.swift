import Catalogue
import Ledger
import Parties
import Persistence
import Primitives
import Screening

extension Principal {
  /// - Throws: `PartiesRefusal.roleRequired` unless the key carries one of the roles.
  package func require(_ roles: Role...) throws(PartiesRefusal) {
    guard roles.contains(where: self.roles.contains) else { throw .roleRequired(Set(roles)) }
  }

  /// - Throws: `PartiesRefusal.dutyRequired` unless the key of staff carries the duty.
  package func require(duty: Duty) throws(PartiesRefusal) {
    guard duties.contains(duty) else { throw .dutyRequired(duty) }
  }

  /// - Throws: `personRequired` unless the key names a person.
  package func requirePerson() throws(PartiesRefusal) -> PersonID {
    guard let personID else { throw .personRequired }
    return personID
  }
}

/// Records an organisation. It starts unverified.
package struct CreateOrganization: Command {
  package static let action = "organization.create"
  package var staffDuty: Duty? { .compliance }
  package let legalName: String
  package let jurisdiction: CountryCode
  package let ultimateParentJurisdiction: CountryCode?
  package let groupID: OrganizationID?
  package let roles: Set<Role>
  package let owners: [BeneficialOwner]
  package let sites: [Site]

  package init(
    legalName: String, jurisdiction: CountryCode, ultimateParentJurisdiction: CountryCode?, groupID: OrganizationID?,
    roles: Set<Role>, owners: [BeneficialOwner], sites: [Site]
  ) {
    self.legalName = legalName
    self.jurisdiction = jurisdiction
    self.ultimateParentJurisdiction = ultimateParentJurisdiction
    self.groupID = groupID
    self.roles = roles
    self.owners = owners
    self.sites = sites
  }

  package func needs(_ state: BatchState) -> Set<Need> { Set(groupID.map { [.organization($0)] } ?? []) }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Organization {
    try principal.require(.admin)
    // The group of the parent, so that a grandchild is an affiliate of the whole group.
    let parent = groupID.flatMap { draft.find(\.organizations, $0) }
    if groupID != nil, parent == nil { throw PartiesRefusal.notFound("parent organization") }
    // At most 100 owners of at most 10,000 bps each, as the interface bounds them.
    let shares = owners.reduce(Int64(0)) { $0 + $1.share.value }
    guard shares <= BasisPoints.whole.value else { throw PartiesRefusal.ownersExceedWhole(shares) }
    let id: OrganizationID = draft.ids.next()
    let organization = draft.put(
      \.organizations,
      Organization(
        id: id, legalName: legalName, jurisdiction: jurisdiction,
        ultimateParentJurisdiction: ultimateParentJurisdiction, groupID: parent?.groupID ?? id, roles: roles,
        owners: owners,
        sites: sites, verification: Verification(state: .unverified), creditGrade: nil, createdAt: draft.now,
        updatedAt: draft.now))
    draft.open(Head(organizationID: id))
    if let finding = ComplianceScreen.finding(organization, draft.reference, on: draft.today) {
      // Screened before anything is done with it; nothing of it waits yet.
      OpenComplianceItems.open(finding, runID: nil, in: &draft)
    }
    draft.made.subject = id.value
    draft.happen("organization.created", id, version: 1, to: (id, nil))
    return organization
  }
}

/// Verifies or suspends an organisation.
package struct DecideVerification: Command {
  package enum Act: Sendable {
    case verify(evidence: String, expiresOn: CalendarDate?, creditGrade: String?)
    case suspend(reason: String)
  }

  package static let action = "organization.decide_verification"
  package static let asksSecondPerson = true
  package var staffDuty: Duty? { .compliance }
  package let organizationID: OrganizationID
  package let act: Act
  package let ifVersion: Int64?

  package init(organizationID: OrganizationID, act: Act, ifVersion: Int64?) {
    self.organizationID = organizationID
    self.act = act
    self.ifVersion = ifVersion
  }

  package func needs(_ state: BatchState) -> Set<Need> { [.organization(organizationID)] }
  package func heads(_ state: BatchState) -> Set<OrganizationID> { [organizationID] }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Organization {
    try principal.require(.admin)
    let person = try principal.requirePerson()
    guard var organization = draft.find(\.organizations, organizationID) else {
      throw PartiesRefusal.notFound("organization")
    }
    try checkVersion(ifVersion, organization.version)
    switch act {
    case .verify(let evidence, let expiresOn, let creditGrade):
      let open = organization.screening(by: draft.reference.screening, on: draft.today).hits.filter(\.isOpen)
      guard open.isEmpty else { throw ScreeningRefusal.undecided(open.map(\.ruleID)) }
      organization.verification = Verification(
        state: .verified, evidence: evidence, verifiedOn: draft.today, expiresOn: expiresOn, verifiedBy: person)
      organization.creditGrade = creditGrade ?? organization.creditGrade
    case .suspend(let reason):
      guard organization.verification.state != .suspended else {
        throw PartiesRefusal.illegalVerification(from: .suspended, act: "suspended")
      }
      organization.verification.state = .suspended
      organization.verification.reason = reason
    }
    organization = draft.put(\.organizations, organization)
    draft.made.subject = organizationID.value
    draft.happen(
      "organization.\(organization.verification.state.rawValue)", organizationID, version: organization.version,
      to: (organizationID, nil))
    return organization
  }
}

/// - Throws: `PartiesRefusal.staleVersion` when an If-Match names another version.
package func checkVersion(_ given: Int64?, _ present: Int64) throws(PartiesRefusal) {
  if let given, given != present { throw .staleVersion(given: given, present: present) }
}
