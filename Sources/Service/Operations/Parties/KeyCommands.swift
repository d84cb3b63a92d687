import Parties
import Persistence
import Primitives

/// Makes a key for an organisation. The secret is made outside; here only its digest is seen.
package struct CreateAPIKey: Command {
  package static let action = "api_key.create"
  package static let asksSecondPerson = true
  /// Whoever could make a party's key alone would be that party, and the person on both sides of what it asks of staff.
  package var asksSecondPerson: Bool { organizationID != .platform }
  package var staffDuty: Duty? { .compliance }
  package let keyID: APIKeyID
  package let organizationID: OrganizationID
  package let roles: Set<Role>
  /// Those of the maker's key, when nil and the key is one of staff.
  package let duties: Set<Duty>?
  package let scopes: Set<KeyScope>
  package let expiresAt: Instant?
  package let personID: PersonID?
  package let secretDigest: SHA256Digest
  /// Whether a key of staff may carry no other person than its maker, who is shown its secret.
  package var namesMakerOnly = false

  package init(
    keyID: APIKeyID, organizationID: OrganizationID, roles: Set<Role>, duties: Set<Duty>? = nil,
    scopes: Set<KeyScope>, expiresAt: Instant?, personID: PersonID?, secretDigest: SHA256Digest
  ) {
    self.keyID = keyID
    self.organizationID = organizationID
    self.roles = roles
    self.duties = duties
    self.scopes = scopes
    self.expiresAt = expiresAt
    self.personID = personID
    self.secretDigest = secretDigest
  }

  package func needs(_ state: BatchState) -> Set<Need> { [.organization(organizationID)] }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> APIKey {
    guard let organization = draft.find(\.organizations, organizationID),
      principal.isStaff || principal.organizationID == organizationID
    else { throw PartiesRefusal.notFound("organization") }
    let duties = duties ?? (roles.contains(.admin) ? principal.duties : [])
    try KeyDesk.require(principal, mayGive: roles, duties, scopes, of: organization)
    if namesMakerOnly, organizationID == .platform, let personID, personID != principal.personID {
      throw PartiesRefusal.keyOfAnotherPerson
    }
    let key = draft.put(
      \.apiKeys,
      APIKey(
        id: keyID, organizationID: organizationID, roles: roles, duties: duties, scopes: scopes, personID: personID,
        secretDigest: secretDigest, expiresAt: expiresAt, createdAt: draft.wallTime))
    draft.made.subject = keyID.value
    return key
  }
}

/// Makes another key in the place of one, with the same rights; the old one goes on for a while.
package struct RotateAPIKey: Command {
  package static let action = "api_key.rotate"
  /// Whoever holds a key may rotate it; the decision looks for the duty where it is another's.
  package var staffDuty: Duty? { nil }
  package let keyID: APIKeyID
  package let newKeyID: APIKeyID
  package let secretDigest: SHA256Digest
  /// 0 to `APIKey.longestOverlap`.
  package let overlapSeconds: Int64
  /// Whether staff rotate keys of their own person only, since they are shown the secret.
  package var namesMakerOnly = false

  package init(keyID: APIKeyID, newKeyID: APIKeyID, secretDigest: SHA256Digest, overlapSeconds: Int64) {
    self.keyID = keyID
    self.newKeyID = newKeyID
    self.secretDigest = secretDigest
    self.overlapSeconds = overlapSeconds
  }

  package func needs(_ state: BatchState) -> Set<Need> { KeyDesk.needs(keyID, state) }
  package func heads(_ state: BatchState) -> Set<OrganizationID> { KeyDesk.heads(keyID, state) }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> APIKey {
    var key = try KeyDesk.find(keyID, in: draft, for: principal)
    guard let organization = draft.find(\.organizations, key.organizationID) else {
      throw PartiesRefusal.notFound("API key")
    }
    if principal.credential != .key(key.id) {
      // Its secret gives its rights, so it is rotated by those only who could have made it.
      try KeyDesk.require(principal, mayGive: key.roles, key.duties, key.scopes, of: organization)
      if namesMakerOnly, key.organizationID != .platform || key.personID != principal.personID {
        throw PartiesRefusal.keyOfAnotherPerson
      }
    }
    let next = try key.rotate(to: newKeyID, secretDigest, overlapSeconds: overlapSeconds, at: draft.wallTime)
    _ = draft.put(\.apiKeys, key)
    draft.made.subject = keyID.value
    return draft.put(\.apiKeys, next)
  }
}

/// Revokes a key; effective within a second in every process.
package struct RevokeAPIKey: Command {
  package static let action = "api_key.revoke"
  /// Whoever holds a key may revoke it; the decision looks for the duty where it is another's.
  package var staffDuty: Duty? { nil }
  package let keyID: APIKeyID

  package init(keyID: APIKeyID) { self.keyID = keyID }

  package func needs(_ state: BatchState) -> Set<Need> { KeyDesk.needs(keyID, state) }
  package func heads(_ state: BatchState) -> Set<OrganizationID> { KeyDesk.heads(keyID, state) }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> APIKey {
    var key = try KeyDesk.find(keyID, in: draft, for: principal)
    guard key.revokedAt == nil else { throw PartiesRefusal.alreadyRevoked }
    key.revokedAt = draft.wallTime
    draft.made.subject = keyID.value
    return draft.put(\.apiKeys, key)
  }
}

/// Who may make, rotate and revoke which keys.
enum KeyDesk {
  static func needs(_ id: APIKeyID, _ state: BatchState) -> Set<Need> {
    let key: Set<Need> = [.apiKey(id)]
    return key.union(state.shelves.apiKeys[id].map { [.organization($0.organizationID)] } ?? [])
  }

  static func heads(_ id: APIKeyID, _ state: BatchState) -> Set<OrganizationID> {
    Set([state.shelves.apiKeys[id]?.organizationID].compactMap { $0 })
  }

  /// The key, where the principal may change it.
  /// - Throws: `parties.not_found` for another tenant's; `parties.role_required` for an auditor, who changes nothing.
  static func find(_ id: APIKeyID, in draft: Draft, for principal: Principal) throws(PartiesRefusal) -> APIKey {
    guard let key = draft.find(\.apiKeys, id),
      principal.isStaff || principal.organizationID == key.organizationID
    else { throw .notFound("API key") }
    try principal.require(.lender, .startup, .admin)
    if principal.isStaff, principal.credential != .key(key.id) { try principal.require(duty: .compliance) }
    return key
  }

  /// An organisation makes keys for itself, never with more than the maker's own roles; staff make them for any. Nobody
  /// gives a duty that the own key does not carry, and a confined key makes confined ones.
  static func require(
    _ principal: Principal, mayGive roles: Set<Role>, _ duties: Set<Duty>, _ scopes: Set<KeyScope>,
    of organization: Organization
  ) throws(PartiesRefusal) {
    try principal.require(.lender, .startup, .admin)
    let allowed = principal.isStaff ? organization.roles : organization.roles.intersection(principal.roles)
    let missing = roles.subtracting(allowed).map(\.rawValue).sorted()
    guard missing.isEmpty else { throw .rolesNotHeld(missing) }
    let given = roles.contains(.admin) ? principal.duties : []
    let foreign = duties.subtracting(given).map(\.rawValue).sorted()
    guard foreign.isEmpty else { throw .dutiesNotHeld(foreign) }
    guard principal.scopes.cover(scopes) else { throw .scopesNotHeld }
  }
}
