import Parties
import Postgres
import Primitives

/// What an empty database needs before the service can start: the platform's own organisation and the reference data. Done
/// again it changes nothing but documents that are newer.
package enum Bootstrap {
  /// Loads the documents and makes the platform's organisation where it is missing.
  /// - Returns: how many documents are new.
  package static func seed(
    _ documents: [ReferenceDocument], pool: PostgresPool, now: Instant, deadline: ContinuousClock.Instant
  ) async throws -> Int {
    try await pool.transaction(deadline: deadline) { transaction in
      let present = try await transaction.run(Tables.organizations.rows(by: [OrganizationID.platform.value]))
      if present.isEmpty {
        _ = try await transaction.pipeline([
          Tables.organizations.inserting([platform(now)]), Tables.heads.inserting([Head(organizationID: .platform)]),
        ])
      }
      let results = try await transaction.pipeline(documents.map { ReferenceSQL.seeding($0, at: now) })
      let added = results.reduce(0) { $0 + $1.affectedRows }
      if added > 0 { _ = try await transaction.run(Query(ReferenceSQL.bump)) }
      return added
    }
  }

  private static func platform(_ now: Instant) -> Organization {
    let seat = CountryCode("SG")
    guard let seat else { preconditionFailure("SG is a country code") }
    return Organization(
      id: .platform, legalName: "ChipBridge", jurisdiction: seat, ultimateParentJurisdiction: nil, groupID: .platform,
      roles: [.admin, .auditor], owners: [], sites: [], verification: Verification(state: .unverified),
      creditGrade: nil, createdAt: now, updatedAt: now)
  }

  /// The first keys of staff, made by whoever holds the database.
  package static func addKeys(
    _ keys: [APIKey], pool: PostgresPool, deadline: ContinuousClock.Instant
  ) async throws {
    _ = try await pool.transaction(deadline: deadline) { try await $0.run(Tables.apiKeys.inserting(keys)) }
  }

  private static let cursorSecret = Statement(
    "platform_secret", "select secret from platform_state where id = 1", columns: [.bytea])

  /// The secret that signs page cursors.
  package static func cursorSecret(
    pool: PostgresPool, deadline: ContinuousClock.Instant
  ) async throws -> [UInt8] {
    try await pool.withConnection(deadline: deadline) {
      try await $0.run(Query(cursorSecret), deadline: deadline).single().bytea(0)
    }
  }

  package static var statements: [Statement] { [cursorSecret] }
}
