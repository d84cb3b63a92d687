import Operations
import Parties
import Persistence
import Primitives
import StrictJSON

private let expectedScope: StaticString = "a scope: read, write, or one of these for a family of routes, as loans:read"

extension CreateAPIKey {
  /// `organization_id`, `roles`, `duties`? (of staff; those of the maker's key when left out), `scopes`? (at most 50),
  /// `expires_at`?, `person_id`?
  /// - Parameters:
  ///   - keyID: the id under which the secret was made.
  ///   - secretDigest: of the secret, which is shown once and kept nowhere.
  package static func parse(
    _ reader: inout ObjectReader, keyID: APIKeyID, secretDigest: SHA256Digest
  ) -> CreateAPIKey? {
    let organization = reader.id("organization_id", of: OrganizationNoun.self)
    let rights = GivenRights.parse(&reader)
    guard let organization, let rights else { return nil }
    return CreateAPIKey(
      keyID: keyID, organizationID: organization, roles: rights.roles, duties: rights.duties, scopes: rights.scopes,
      expiresAt: rights.expiresAt, personID: rights.personID, secretDigest: secretDigest)
  }
}

/// What a key or a binding is given, and until when.
struct GivenRights {
  let roles: Set<Role>
  let duties: Set<Duty>?
  let scopes: Set<KeyScope>
  let expiresAt: Instant?
  let personID: PersonID?

  static func parse(_ reader: inout ObjectReader) -> GivenRights? {
    let roles = reader.set("roles", count: 1...4) { $1.enumeration($0, as: Role.self) }
    let duties = reader.optionalSet("duties", count: 0...4) { $1.enumeration($0, as: Duty.self) }
    let scopes = reader.optionalSet("scopes", count: 0...50) { node, log in
      log.parsed(node, expected: expectedScope, bytes: 1...64) { KeyScope($0) }
    }
    let expiresAt = reader.optionalInstant("expires_at")
    let person = reader.optionalID("person_id", of: PersonNoun.self)
    guard let roles else { return nil }
    return GivenRights(
      roles: Set(roles), duties: duties.map { Set($0) }, scopes: Set(scopes ?? []), expiresAt: expiresAt,
      personID: person)
  }
}

extension RotateAPIKey {
  /// `overlap_seconds`: how long the old key goes on, 0 to 604800.
  package static func parse(
    _ reader: inout ObjectReader, keyID: APIKeyID, newKeyID: APIKeyID, secretDigest: SHA256Digest
  ) -> RotateAPIKey? {
    guard let overlap = reader.int("overlap_seconds", 0...APIKey.longestOverlap) else { return nil }
    return RotateAPIKey(keyID: keyID, newKeyID: newKeyID, secretDigest: secretDigest, overlapSeconds: overlap)
  }
}

extension APIKey {
  /// - Parameter secret: given at its creation only; otherwise the member is left out.
  package func write(to writer: inout JSONWriter, secret: String? = nil) {
    // As it was left by the act that is answered: a moment past its expiry is no concern of that.
    APIKeyView(self).write(to: &writer, state: revokedAt == nil ? .active : .revoked, secret: secret)
  }
}

extension APIKeyView {
  package func write(to writer: inout JSONWriter, state: APIKey.State, secret: String? = nil) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("state", state.rawValue)
      writer.field("organization_id", organizationID)
      writer.field("roles", roles.names)
      writer.field("duties", duties.map(\.rawValue).sorted())
      writer.field("scopes", scopes.texts)
      writer.field("expires_at", expiresAt)
      writer.field("person_id", personID)
      writer.field("revoked_at", revokedAt)
      writer.field("replaces", replaces)
      writer.field("replaced_by", replacedBy)
      writer.field("last_used_on", lastUsedOn)
      writer.fieldIfPresent("secret", secret)
      writer.history(version: version, createdAt: createdAt, updatedAt: revokedAt ?? createdAt)
    }
  }
}
