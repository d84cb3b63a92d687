import Operations
import Parties
import Persistence
import Primitives
import StrictJSON
import Tokens

private let expectedName: StaticString = "1 to 255 visible ASCII characters, as the issuer writes them in its tokens"

extension CreateIdentityBinding {
  /// `organization_id`, `issuer`, `subject`, `roles`, `duties`? (of staff; those of the maker when left out), `scopes`? (at
  /// most 50), `expires_at`?, `person_id`?
  /// - Parameter statesDuties: whether duties of staff must be said: what is held is done by its checker, whose duties may be
  ///   more than the maker's.
  package static func parse(_ reader: inout ObjectReader, statesDuties: Bool = false) -> CreateIdentityBinding? {
    let organization = reader.id("organization_id", of: OrganizationNoun.self)
    func name(_ text: String) -> String? { IssuerText.isValid(text) ? text : nil }
    let issuer = reader.parsed("issuer", expected: expectedName, bytes: 1...255, name)
    let subject = reader.parsed("subject", expected: expectedName, bytes: 1...255, name)
    let rights = GivenRights.parse(&reader)
    if statesDuties, let rights, rights.roles.contains(.admin), rights.duties == nil {
      reader.fault("duties", code: JSONFaultCode.missing, detail: "is required where a second person agrees")
      return nil
    }
    guard let organization, let issuer, let subject, let rights else { return nil }
    return CreateIdentityBinding(
      organizationID: organization, issuer: issuer, subject: subject, personID: rights.personID, roles: rights.roles,
      duties: rights.duties, scopes: rights.scopes, expiresAt: rights.expiresAt)
  }
}

extension IdentityBinding {
  /// As it was left by the act that is answered: a moment past its expiry is no concern of that.
  package func write(to writer: inout JSONWriter) { write(to: &writer, state: revokedAt == nil ? .active : .revoked) }

  package func write(to writer: inout JSONWriter, state: APIKey.State) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("state", state.rawValue)
      writer.field("organization_id", organizationID)
      writer.field("issuer", issuer)
      writer.field("subject", subject)
      writer.field("roles", roles.names)
      writer.field("duties", duties.map(\.rawValue).sorted())
      writer.field("scopes", scopes.texts)
      writer.field("expires_at", expiresAt)
      writer.field("person_id", personID)
      writer.field("revoked_at", revokedAt)
      writer.field("created_by", "\(createdBy)")
      writer.history(version: version, createdAt: createdAt, updatedAt: revokedAt ?? createdAt)
    }
  }
}
