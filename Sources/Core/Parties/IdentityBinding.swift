import Primitives

/// What somebody whom an outside issuer knows may do here: the rights of an API key, found by the issuer's name for the
/// person in place of a secret. A token proves who it is; what it claims of rights counts for nothing.
package struct IdentityBinding: Sendable, Hashable {
  package let id: IdentityBindingID
  package let organizationID: OrganizationID
  /// Both as in the token's `iss` and `sub`: 1 to 255 visible ASCII characters, compared byte for byte.
  package let issuer: String
  package let subject: String
  package let personID: PersonID?
  package let roles: Set<Role>
  /// Only with the role `admin`.
  package let duties: Set<Duty>
  package let scopes: Set<KeyScope>
  /// Wall time, as for all of its life.
  package let expiresAt: Instant?
  package var revokedAt: Instant?
  /// What its maker was let in by.
  package let createdBy: Credential
  package var version: Int64
  package let createdAt: Instant

  package init(
    id: IdentityBindingID, organizationID: OrganizationID, issuer: String, subject: String, personID: PersonID?,
    roles: Set<Role>, duties: Set<Duty>, scopes: Set<KeyScope>, expiresAt: Instant?, revokedAt: Instant? = nil,
    createdBy: Credential, version: Int64 = 1, createdAt: Instant
  ) {
    self.id = id
    self.organizationID = organizationID
    self.issuer = issuer
    self.subject = subject
    self.personID = personID
    self.roles = roles
    self.duties = duties
    self.scopes = scopes
    self.expiresAt = expiresAt
    self.revokedAt = revokedAt
    self.createdBy = createdBy
    self.version = version
    self.createdAt = createdAt
  }

  package func state(at now: Instant) -> APIKey.State {
    APIKey.State(revokedAt: revokedAt, expiresAt: expiresAt, at: now)
  }

  /// Who acts through it.
  package var principal: Principal {
    Principal(
      organizationID: organizationID, roles: roles, personID: personID, credential: .binding(id), duties: duties,
      scopes: scopes)
  }

  /// - Throws: `PartiesRefusal.bindingAlreadyRevoked`.
  package mutating func revoke(at now: Instant) throws(PartiesRefusal) {
    guard revokedAt == nil else { throw .bindingAlreadyRevoked }
    revokedAt = now
  }
}
