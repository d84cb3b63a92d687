import Primitives

/// Who acts: an organisation through a key or a binding, and the person behind it where one is named.
package struct Principal: Sendable, Hashable {
  package let organizationID: OrganizationID
  package let roles: Set<Role>
  package let personID: PersonID?
  package let credential: Credential
  /// What staff may do; empty for others.
  package let duties: Set<Duty>
  /// What the key or the binding is confined to; empty for one that is not.
  package let scopes: Set<KeyScope>

  package init(
    organizationID: OrganizationID, roles: Set<Role>, personID: PersonID?, credential: Credential,
    duties: Set<Duty> = [], scopes: Set<KeyScope> = []
  ) {
    self.organizationID = organizationID
    self.roles = roles
    self.personID = personID
    self.credential = credential
    self.duties = duties
    self.scopes = scopes
  }

  /// Through an API key.
  package init(
    organizationID: OrganizationID, roles: Set<Role>, personID: PersonID?, keyID: APIKeyID, duties: Set<Duty> = [],
    scopes: Set<KeyScope> = []
  ) {
    self.init(
      organizationID: organizationID, roles: roles, personID: personID, credential: .key(keyID), duties: duties,
      scopes: scopes)
  }

  /// Platform staff: acts for the platform on objects of any tenant.
  package var isStaff: Bool { roles.contains(.admin) }
  /// May read objects of any tenant.
  package var readsEverything: Bool { isStaff || roles.contains(.auditor) }

  /// The platform's own automation (settlement runs, match rounds). No person: it is never a checker.
  package static let automation = Principal(
    organizationID: .platform, roles: [.admin], personID: nil,
    keyID: APIKeyID(UUIDValue(high: 0x0000_0000_0000_7000, low: 0x8000_0000_0000_0001)),
    duties: Set(Duty.allCases))
}
