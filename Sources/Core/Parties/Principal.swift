import Primitives

/// Who acts: an organisation through a key, and the person behind the key where one is named.
package struct Principal: Sendable, Hashable {
  package let organizationID: OrganizationID
  package let roles: Set<Role>
  package let personID: PersonID?
  package let keyID: APIKeyID

  package init(organizationID: OrganizationID, roles: Set<Role>, personID: PersonID?, keyID: APIKeyID) {
    self.organizationID = organizationID
    self.roles = roles
    self.personID = personID
    self.keyID = keyID
  }

  /// Platform staff: acts for the platform on objects of any tenant.
  package var isStaff: Bool { roles.contains(.admin) }
  /// May read objects of any tenant.
  package var readsEverything: Bool { isStaff || roles.contains(.auditor) }

  /// The platform's own automation (settlement runs, match rounds). No person: it is never a checker.
  package static let automation = Principal(
    organizationID: .platform, roles: [.admin], personID: nil,
    keyID: APIKeyID(UUIDValue(high: 0x0000_0000_0000_7000, low: 0x8000_0000_0000_0001)))
}

/// A key to the interface: shown once, kept as a digest.
package struct APIKey: Sendable, Hashable {
  package let id: APIKeyID
  package let organizationID: OrganizationID
  package var roles: Set<Role>
  package var scopes: [String]
  package var personID: PersonID?
  /// SHA-256 of the secret.
  package var secretDigest: SHA256Digest
  /// Wall time, as for all of a key's life.
  package var expiresAt: Instant?
  package var revokedAt: Instant?
  package var version: Int64
  package var createdAt: Instant

  package init(
    id: APIKeyID, organizationID: OrganizationID, roles: Set<Role>, scopes: [String], personID: PersonID?,
    secretDigest: SHA256Digest, expiresAt: Instant?, revokedAt: Instant? = nil, version: Int64 = 1, createdAt: Instant
  ) {
    self.id = id
    self.organizationID = organizationID
    self.roles = roles
    self.scopes = scopes
    self.personID = personID
    self.secretDigest = secretDigest
    self.expiresAt = expiresAt
    self.revokedAt = revokedAt
    self.version = version
    self.createdAt = createdAt
  }
}
