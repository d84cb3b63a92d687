import DomainFixtures
import Identity
import Logging
import Parties
import Persistence
import Postgres
import PostgresHarness
import Primitives
import SchemaFixtures
import Testing
import TokenMint
import Tokens

/// An issuer of the test's own, on loopback, with a key of each algorithm.
struct TestIssuer: Sendable {
  let mint = TokenMint()
  let p256 = MintKey.p256("p256")
  let ed25519 = MintKey.ed25519("ed25519")
  let rsa: MintKey
  let pss: MintKey
  let server: KeySetServer

  var keys: [MintKey] { [p256, ed25519, rsa, pss] }

  init() throws {
    rsa = try MintKey.rsa("rsa")
    pss = try MintKey.rsa("pss", isPSS: true)
    server = try KeySetServer([p256, ed25519, rsa, pss])
  }

  /// Waits that a test can wait for.
  static var timing: IssuerKeys.Timing {
    var timing = IssuerKeys.Timing()
    timing.gap = .milliseconds(300)
    timing.wait = .seconds(2)
    timing.read = .milliseconds(700)
    return timing
  }

  /// What a process of the service has of it; it reads the keys when the first token comes.
  func verifier(_ timing: IssuerKeys.Timing = timing, source: KeySetSource? = nil) throws -> TokenVerifier {
    var logger = Logger(label: "issuer")
    logger.logLevel = .critical
    let place = try #require(source ?? KeySetSource(url: server.url))
    let rules = try #require(TokenRules(issuer: mint.issuer, audience: mint.audience))
    return TokenVerifier(rules: rules, keys: IssuerKeys(source: place, timing: timing, logger: logger))
  }

  /// A token of somebody who is bound to an organisation.
  func holder(
    _ http: HTTPMarket, of organization: OrganizationID, _ roles: Set<Role>, duties: Set<Duty> = [],
    scopes: Set<KeyScope> = [], person: UInt64
  ) async throws -> String {
    let subject = "person-\(person)"
    try await bind(http, subject, to: organization, roles, duties: duties, scopes: scopes, person: person)
    return try mint.token(p256, subject, at: http.seconds)
  }

  /// A binding, put into the database beside the pipeline.
  @discardableResult
  func bind(
    _ http: HTTPMarket, _ subject: String, to organization: OrganizationID, _ roles: Set<Role>, duties: Set<Duty> = [],
    scopes: Set<KeyScope> = [], person: UInt64
  ) async throws -> IdentityBindingID {
    let (high, low) = http.market.clock.randomBits()
    var ids = IdentifierSource(milliseconds: UInt64(http.seconds * 1_000), seed: (high, low))
    let binding = IdentityBinding(
      id: ids.next(), organizationID: organization, issuer: mint.issuer, subject: subject,
      personID: PersonID(UUIDValue(high: 21, low: person)), roles: roles, duties: duties, scopes: scopes,
      expiresAt: nil, createdBy: .key(ids.next()), createdAt: http.market.clock.now())
    try await http.market.database.withConnection { connection in
      _ = try await connection.run(Tables.identityBindings.inserting([binding]), deadline: soon())
    }
    return binding.id
  }
}

extension HTTPMarket {
  /// Wall time, in whole seconds.
  var seconds: Int64 { market.clock.now().microseconds / 1_000_000 }
}

extension TokenVerifier {
  /// The subject of a token that is taken.
  func subject(_ token: String, at seconds: Int64) async throws -> String? {
    let now = try #require(Instant(microseconds: seconds * 1_000_000))
    return await identity(of: token, digest: SHA256Digest(of: token), at: now)?.subject
  }

  func troubles(_ reason: KeySetTrouble) -> Int {
    keys.standing.troubles.first { $0.reason == reason }?.count ?? 0
  }
}
