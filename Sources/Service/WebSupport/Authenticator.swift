import HTTPTypes
import Identity
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import Synchronization

/// Finds whom a bearer key or a token of the outside issuer stands for. A revocation of either, or of the binding that a
/// token's subject has, is effective within a second.
package final class Authenticator: Sendable {
  private let pool: PostgresPool
  private let clock: any WallClock
  /// Nil where no outside issuer is set: then a token is a wrong key.
  package let tokens: TokenVerifier?
  private let keys: RowCache<APIKeyID, APIKey>
  private let bindings: RowCache<TokenVerifier.Identity, IdentityBinding>
  /// Keys that were found good, by the digest of the whole header: a busy client is not parsed and compared each time.
  private let known = Mutex<[SHA256Digest: (principal: Principal, until: ContinuousClock.Instant)]>([:])
  /// Keys that were taken and whose day is not written yet.
  private let used = Mutex<Set<APIKeyID>>([])
  private static let capacity = 10_000

  package init(pool: PostgresPool, clock: any WallClock, tokens: TokenVerifier? = nil) {
    self.pool = pool
    self.clock = clock
    self.tokens = tokens
    keys = RowCache(pool: pool) {
      Tables.apiKeys.rows(by: [$0.value])
    } decode: {
      try $0.first.map { try Tables.apiKeys.decode($0) }
    }
    bindings = RowCache(pool: pool) {
      BindingSQL.inForce(issuer: $0.issuer, subject: $0.subject)
    } decode: {
      try $0.first.map { try Tables.identityBindings.decode($0) }
    }
  }

  /// - Throws: a 401 problem; the same for whatever is wrong with a key or a token, or for one that is revoked, expired or
  ///   bound to nothing.
  package func principal(authorization: String?) async throws -> Principal {
    guard let authorization else { throw Self.unauthorized("No API key and no token is given.") }
    let header = SHA256Digest(of: authorization)
    let now = ContinuousClock.now
    if let found = known.withLock({ $0[header] }), found.until > now { return found.principal }
    let prefix = "Bearer "
    guard authorization.utf8.count > prefix.utf8.count,
      authorization.prefix(prefix.count).lowercased() == prefix.lowercased()
    else { throw Self.unauthorized() }
    let text = String(authorization.dropFirst(prefix.count))
    guard let secret = APIKeySecret(text) else { return try await holder(ofToken: text, digest: header) }
    let principal = try await holder(of: secret)
    // No longer than the row itself is trusted, so that a revocation is seen as soon.
    let until = keys.refreshAt(secret.keyID) ?? now
    known.withLock { known in
      if known.count >= Self.capacity { known.removeAll(keepingCapacity: true) }
      known[header] = (principal, until)
    }
    return principal
  }

  private func holder(of secret: APIKeySecret) async throws -> Principal {
    guard let key = try await keys.row(secret.keyID),
      equalInConstantTime(key.secretDigest.bytes, secret.digest.bytes),
      APIKey.State(revokedAt: key.revokedAt, expiresAt: key.expiresAt, at: clock.now()) == .active
    else { throw Self.unauthorized() }
    // Past the bound a day may be missed; the next note of the same key makes up for it.
    used.withLock { if $0.count < Self.capacity { $0.insert(key.id) } }
    return Principal(
      organizationID: key.organizationID, roles: key.roles, personID: key.personID, keyID: key.id,
      duties: key.duties, scopes: key.scopes)
  }

  private func holder(ofToken text: String, digest: SHA256Digest) async throws -> Principal {
    let now = clock.now()
    guard let tokens, let identity = await tokens.identity(of: text, digest: digest, at: now),
      let binding = try await bindings.row(identity), binding.state(at: now) == .active
    else { throw Self.unauthorized() }
    return binding.principal
  }

  /// Writes on which day the keys that were taken since the last call were used: off the path of any request, and in one
  /// statement for all of them. On failure they are written next time.
  package func noteUses() async {
    let keys = used.withLock { used in
      defer { used = [] }
      return used
    }
    if keys.isEmpty { return }
    let deadline = ContinuousClock.now + .seconds(5)
    let query = KeySQL.noteUse(of: keys.sorted(), on: clock.now().date)
    do {
      _ = try await pool.withConnection(deadline: deadline) { try await $0.run(query, deadline: deadline) }
    } catch {
      used.withLock { if $0.count + keys.count <= Self.capacity { $0.formUnion(keys) } }
    }
  }

  private static func unauthorized(_ detail: String = "The API key or token is not valid.") -> Problem {
    var problem = Problem(.unauthorized, "auth.unauthorized", detail)
    problem.headers = [(.wwwAuthenticate, "Bearer realm=\"chipbridge\"")]
    return problem
  }
}
