import Operations
import Parties
import Primitives
import StrictJSON

private let expectedScope: StaticString = "a scope: 1 to 64 of A-Z, a-z, 0-9, colon, point, underscore, hyphen and *"

extension CreateAPIKey {
  /// `organization_id`, `roles`, `scopes`? (at most 50), `expires_at`?, `person_id`?
  /// - Parameters:
  ///   - keyID: the id under which the secret was made.
  ///   - secretDigest: of the secret, which is shown once and kept nowhere.
  package static func parse(
    _ reader: inout ObjectReader, keyID: APIKeyID, secretDigest: SHA256Digest
  ) -> CreateAPIKey? {
    let organization = reader.id("organization_id", of: OrganizationNoun.self)
    let roles = reader.set("roles", count: 1...4) { $1.enumeration($0, as: Role.self) }
    let scopes = reader.optionalSet("scopes", count: 0...50) { node, log in
      log.parsed(node, expected: expectedScope, bytes: 1...64) { isScope($0) ? $0 : nil }
    }
    let expiresAt = reader.optionalInstant("expires_at")
    let person = reader.optionalID("person_id", of: PersonNoun.self)
    guard let organization, let roles else { return nil }
    return CreateAPIKey(
      keyID: keyID, organizationID: organization, roles: Set(roles), scopes: scopes ?? [], expiresAt: expiresAt,
      personID: person, secretDigest: secretDigest)
  }
}

private func isScope(_ text: String) -> Bool {
  isWord(text) { [0x3A, 0x2E, 0x5F, 0x2D, 0x2A].contains($0) }
}

extension APIKey {
  /// - Parameter secret: given at its creation only; otherwise the member is left out.
  package func write(to writer: inout JSONWriter, secret: String? = nil) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("state", revokedAt == nil ? "active" : "revoked")
      writer.field("organization_id", organizationID)
      writer.field("roles", roles.names)
      writer.field("scopes", scopes)
      writer.field("expires_at", expiresAt)
      writer.field("person_id", personID)
      writer.field("revoked_at", revokedAt)
      writer.fieldIfPresent("secret", secret)
      writer.history(version: version, createdAt: createdAt, updatedAt: revokedAt ?? createdAt)
    }
  }
}
