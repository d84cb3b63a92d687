import Parties
import Postgres
import Primitives

/// A key as it is shown: all but the digest of its secret, and when it was last used.
package struct APIKeyView: Sendable, Hashable {
  package let id: APIKeyID
  package let organizationID: OrganizationID
  package let roles: Set<Role>
  package let duties: Set<Duty>
  package let scopes: Set<KeyScope>
  package let personID: PersonID?
  package let expiresAt: Instant?
  package let revokedAt: Instant?
  package let replaces: APIKeyID?
  package let replacedBy: APIKeyID?
  /// The last day on which it was taken, in UTC; written within a minute or so.
  package let lastUsedOn: CalendarDate?
  package let version: Int64
  package let createdAt: Instant
}

extension APIKeyView {
  /// A key that was just made or changed; of its use nothing is said.
  package init(_ key: APIKey) {
    self.init(
      id: key.id, organizationID: key.organizationID, roles: key.roles, duties: key.duties, scopes: key.scopes,
      personID: key.personID, expiresAt: key.expiresAt, revokedAt: key.revokedAt, replaces: key.replaces,
      replacedBy: key.replacedBy, lastUsedOn: nil, version: key.version, createdAt: key.createdAt)
  }

  package func state(at now: Instant) -> APIKey.State {
    APIKey.State(revokedAt: revokedAt, expiresAt: expiresAt, at: now)
  }
}

extension Tables {
  package static let apiKeys = Table<APIKey>(
    "api_keys", sql: "api_keys", key: ["org_id", "id"], idColumn: "id",
    columns: [
      .uuid("org_id") { $0.organizationID.value },
      .uuid("id") { $0.id.value },
      .texts("roles") { $0.roles.map(\.rawValue).sorted() },
      .texts("duties") { $0.duties.map(\.rawValue).sorted() },
      .texts("scopes") { $0.scopes.texts },
      .uuidOrNull("person_id") { $0.personID?.value },
      .bytes("secret_sha256") { $0.secretDigest.bytes },
      .instant("expires_at") { $0.expiresAt },
      .instant("revoked_at") { $0.revokedAt },
      .uuidOrNull("replaces") { $0.replaces?.value },
      .uuidOrNull("replaced_by") { $0.replacedBy?.value },
      .int8("version") { $0.version },
      .instant("created_at") { $0.createdAt },
    ],
    names: ("api_keys_by_id", "api_keys_insert", "api_keys_update")
  ) { row in
    let organization: OrganizationID = try row.id()
    return APIKey(
      id: try row.id(), organizationID: organization, roles: Set(try row.values(Role.self)),
      duties: Set(try row.values(Duty.self)), scopes: Set(try row.parsedList { KeyScope($0) }),
      personID: try row.idOrNull(), secretDigest: try row.digest(), expiresAt: try row.instantOrNull(),
      revokedAt: try row.instantOrNull(), replaces: try row.idOrNull(), replacedBy: try row.idOrNull(),
      version: try row.int(), createdAt: try row.instant())
  }
}

/// Reads of keys for those who hold them, and the note of their use.
package enum KeySQL {
  private static let shown: SQL = """
    select org_id, id, roles, duties, scopes, person_id, expires_at, revoked_at, replaces, replaced_by, last_used_on,
      version, created_at
    from api_keys where ($1::uuid is null or org_id = $1)
    """
  private static let columns: [PostgresType] = [
    .uuid, .uuid, .textArray, .textArray, .textArray, .uuid, .timestamptz, .timestamptz, .uuid, .uuid, .date, .int8,
    .timestamptz,
  ]
  private static let one = Statement(
    "read_api_key", shown + "and id = $2", parameters: [.uuid, .uuid], columns: columns)
  /// `$2` is a state and `$3` the wall time that it is told by.
  private static let page = Statement(
    "page_api_keys",
    shown + """
      and ($2::text is null or $2 = case when revoked_at is not null then 'revoked' when expires_at <= $3 then 'expired'
        else 'active' end)
      and (created_at, id) > ($4, $5) order by created_at, id limit $6
      """,
    parameters: [.uuid, .text, .timestamptz, .timestamptz, .uuid, .int8], columns: columns)
  private static let use = Statement(
    "note_key_use",
    "update api_keys set last_used_on = $2 where id = any($1) and (last_used_on is null or last_used_on < $2)",
    parameters: [.uuidArray, .date])

  package static var reads: [Statement] { [one, page] }
  package static var statements: [Statement] { reads + [use] }

  /// - Parameter scope: the tenant, or null for those who read everything.
  package static func one(_ id: APIKeyID, scope: Bind) -> Query { Query(one, [scope, .uuid(id.value.bits)]) }

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

  package static func decode(_ row: Row) throws -> APIKeyView {
    var row = RowReader(row)
    let organization: OrganizationID = try row.id()
    return APIKeyView(
      id: try row.id(), organizationID: organization, roles: Set(try row.values(Role.self)),
      duties: Set(try row.values(Duty.self)), scopes: Set(try row.parsedList { KeyScope($0) }),
      personID: try row.idOrNull(), expiresAt: try row.instantOrNull(), revokedAt: try row.instantOrNull(),
      replaces: try row.idOrNull(), replacedBy: try row.idOrNull(), lastUsedOn: try row.dateOrNull(),
      version: try row.int(), createdAt: try row.instant())
  }

  /// Notes the day of these keys, where it is not noted. A column of its own statement: no decision looks at it.
  package static func noteUse(of keys: some Sequence<APIKeyID>, on day: CalendarDate) -> Query {
    Query(use, [.uuidArray(keys.map(\.value.bits)), .date(day.dayNumber)])
  }
}
