import Parties
import Postgres
import Primitives

extension Tables {
  package static let identityBindings = Table<IdentityBinding>(
    "identity_bindings", sql: "identity_bindings", key: ["org_id", "id"], idColumn: "id",
    columns: [
      .uuid("org_id") { $0.organizationID.value },
      .uuid("id") { $0.id.value },
      .text("issuer") { $0.issuer },
      .text("subject") { $0.subject },
      .uuidOrNull("person_id") { $0.personID?.value },
      .texts("roles") { $0.roles.map(\.rawValue).sorted() },
      .texts("duties") { $0.duties.map(\.rawValue).sorted() },
      .texts("scopes") { $0.scopes.texts },
      .instant("expires_at") { $0.expiresAt },
      .instant("revoked_at") { $0.revokedAt },
      .uuidOrNull("created_by_key") { $0.createdBy.keyID?.value },
      .uuidOrNull("created_by_binding") { $0.createdBy.bindingID?.value },
      .int8("version") { $0.version },
      .instant("created_at") { $0.createdAt },
    ],
    names: ("identity_bindings_by_id", "identity_bindings_insert", "identity_bindings_update")
  ) { row in
    let organization: OrganizationID = try row.id()
    let id: IdentityBindingID = try row.id()
    let (issuer, subject, person): (String, String, PersonID?) = (try row.text(), try row.text(), try row.idOrNull())
    let (roles, duties) = (Set(try row.values(Role.self)), Set(try row.values(Duty.self)))
    let scopes = Set(try row.parsedList { KeyScope($0) })
    let (expiresAt, revokedAt) = (try row.instantOrNull(), try row.instantOrNull())
    let (key, binding): (APIKeyID?, IdentityBindingID?) = (try row.idOrNull(), try row.idOrNull())
    guard let maker = key.map(Credential.key) ?? binding.map(Credential.binding) else {
      throw StoredValueError(column: "created_by_key", value: "null")
    }
    return IdentityBinding(
      id: id, organizationID: organization, issuer: issuer, subject: subject, personID: person, roles: roles,
      duties: duties, scopes: scopes, expiresAt: expiresAt, revokedAt: revokedAt, createdBy: maker,
      version: try row.int(), createdAt: try row.instant())
  }
}

/// Reads of bindings: for those who may see them, for the pipeline, and for those who present a token.
package enum BindingSQL {
  private static let columns = Tables.identityBindings.types
  private static let inForce = Statement(
    "identity_binding_in_force",
    Tables.identityBindings.selectList + "where issuer = $1 and subject = $2 and revoked_at is null",
    parameters: [.text, .text], columns: columns)
  private static let one = Statement(
    "read_identity_binding", Tables.identityBindings.selectList + "where ($1::uuid is null or org_id = $1) and id = $2",
    parameters: [.uuid, .uuid], columns: columns)
  /// `$2` is a state and `$3` the wall time that it is told by.
  private static let page = Statement(
    "page_identity_bindings",
    Tables.identityBindings.selectList
      + """
      where ($1::uuid is null or org_id = $1)
        and ($2::text is null or $2 = case when revoked_at is not null then 'revoked' when expires_at <= $3 then 'expired'
          else 'active' end)
        and (created_at, id) > ($4, $5) order by created_at, id limit $6
      """,
    parameters: [.uuid, .text, .timestamptz, .timestamptz, .uuid, .int8], columns: columns)

  package static var reads: [Statement] { [one, page] }
  package static var statements: [Statement] { reads + [inForce] }

  /// Whoever an issuer means by a subject; at most one row.
  package static func inForce(issuer: String, subject: String) -> Query {
    Query(inForce, [.text(issuer), .text(subject)])
  }

  static func lookup(issuer: String, subject: String) -> Loader.Lookup {
    Loader.Lookup(query: inForce(issuer: issuer, subject: subject)) { result, state in
      for row in try Tables.identityBindings.decode(result) {
        state.shelves.identityBindings.load(row)
        state.bindingsOf[issuer, default: [:]][subject] = row.id
      }
    }
  }

  /// - Parameter scope: the tenant, or null for those who read everything.
  package static func one(_ id: IdentityBindingID, scope: Bind) -> Query {
    Query(one, [scope, .uuid(id.value.bits)])
  }

  package static func page(
    of state: APIKey.State?, after position: PagePosition, limit: Int64, now: Instant, scope: Bind
  ) -> Query {
    Query(
      page,
      [
        scope, .text(state?.rawValue), .timestamptz(now.microseconds),
        .timestamptz(position.createdAt.microseconds), .uuid(position.id.bits), .int8(limit),
      ])
  }
}
