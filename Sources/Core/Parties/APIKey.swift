import Primitives

/// A key to the interface: shown once, kept as a digest.
package struct APIKey: Sendable, Hashable {
  package let id: APIKeyID
  package let organizationID: OrganizationID
  package var roles: Set<Role>
  /// Only of a key with the role `admin`.
  package var duties: Set<Duty>
  package var scopes: Set<KeyScope>
  package var personID: PersonID?
  /// SHA-256 of the secret.
  package var secretDigest: SHA256Digest
  /// Wall time, as for all of a key's life.
  package var expiresAt: Instant?
  package var revokedAt: Instant?
  /// The key in whose place this one was made.
  package var replaces: APIKeyID?
  /// The key that was made in this one's place, which still counts until it expires.
  package var replacedBy: APIKeyID?
  package var version: Int64
  package var createdAt: Instant

  package init(
    id: APIKeyID, organizationID: OrganizationID, roles: Set<Role>, duties: Set<Duty> = [], scopes: Set<KeyScope>,
    personID: PersonID?, secretDigest: SHA256Digest, expiresAt: Instant?, revokedAt: Instant? = nil,
    replaces: APIKeyID? = nil, replacedBy: APIKeyID? = nil, version: Int64 = 1, createdAt: Instant
  ) {
    self.id = id
    self.organizationID = organizationID
    self.roles = roles
    self.duties = duties
    self.scopes = scopes
    self.personID = personID
    self.secretDigest = secretDigest
    self.expiresAt = expiresAt
    self.revokedAt = revokedAt
    self.replaces = replaces
    self.replacedBy = replacedBy
    self.version = version
    self.createdAt = createdAt
  }

  package enum State: String, Sendable, Hashable, CaseIterable {
    /// -> expired, revoked
    case active
    case expired
    case revoked

    package init(revokedAt: Instant?, expiresAt: Instant?, at now: Instant) {
      let isPast = expiresAt.map { $0 <= now } ?? false
      self = revokedAt != nil ? .revoked : isPast ? .expired : .active
    }
  }

  /// The longest time that a key goes on beside the one that takes its place: a week, in seconds.
  package static let longestOverlap: Int64 = 604_800

  /// A key with the same rights in this one's place; this one goes on for so many seconds, and no longer than it would have.
  /// - Parameter overlapSeconds: 0 to `longestOverlap`.
  /// - Throws: `PartiesRefusal.alreadyRevoked`, `.keyExpired` or `.keyReplaced`.
  package mutating func rotate(
    to id: APIKeyID, _ digest: SHA256Digest, overlapSeconds: Int64, at now: Instant
  ) throws(PartiesRefusal) -> APIKey {
    switch State(revokedAt: revokedAt, expiresAt: expiresAt, at: now) {
    case .revoked: throw .alreadyRevoked
    case .expired: throw .keyExpired
    case .active: break
    }
    guard replacedBy == nil else { throw .keyReplaced }
    let next = APIKey(
      id: id, organizationID: organizationID, roles: roles, duties: duties, scopes: scopes, personID: personID,
      secretDigest: digest, expiresAt: expiresAt, replaces: self.id, createdAt: now)
    replacedBy = id
    let overlap = min(max(overlapSeconds, 0), Self.longestOverlap)
    // Past the last moment there is, the key's own end holds.
    if let end = now.adding(seconds: overlap) { expiresAt = min(expiresAt ?? end, end) }
    return next
  }
}
