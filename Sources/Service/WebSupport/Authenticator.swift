import HTTPTypes
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import Synchronization

/// Finds who a bearer key belongs to. Rows are kept for less than a second, so that a revocation is effective within one
/// everywhere and a busy key costs no query a request. After half a second the next request reads the row again while the
/// others still go by the old one: were all to ask at once, a busy key would cost hundreds of queries each time.
package final class Authenticator: Sendable {
  private struct Cached {
    let key: APIKey?
    /// When one request reads the row again.
    var refreshAt: ContinuousClock.Instant
    /// When nobody goes by it any more.
    let until: ContinuousClock.Instant
  }

  private let pool: PostgresPool
  private let clock: any WallClock
  private let cache = Mutex<[APIKeyID: Cached]>([:])
  /// Keys that were found good, by the digest of the whole header: a busy client is not parsed and compared each time.
  private let known = Mutex<[SHA256Digest: (principal: Principal, until: ContinuousClock.Instant)]>([:])
  /// Keys that were taken and whose day is not written yet.
  private let used = Mutex<Set<APIKeyID>>([])
  private static let refreshAfter = Duration.milliseconds(500)
  private static let lifetime = Duration.milliseconds(750)
  private static let capacity = 10_000

  package init(pool: PostgresPool, clock: any WallClock) {
    self.pool = pool
    self.clock = clock
  }

  /// - Throws: a 401 problem; the same for a wrong key, a revoked and an expired one.
  package func principal(authorization: String?) async throws -> Principal {
    guard let authorization else { throw Self.unauthorized("No API key is given.") }
    let header = SHA256Digest(of: authorization)
    let now = ContinuousClock.now
    if let found = known.withLock({ $0[header] }), found.until > now { return found.principal }
    let prefix = "Bearer "
    guard authorization.utf8.count > prefix.utf8.count,
      authorization.prefix(prefix.count).lowercased() == prefix.lowercased(),
      let secret = APIKeySecret(String(authorization.dropFirst(prefix.count)))
    else { throw Self.unauthorized("The API key is not valid.") }
    guard let key = try await row(secret.keyID),
      equalInConstantTime(key.secretDigest.bytes, secret.digest.bytes), key.revokedAt == nil
    else { throw Self.unauthorized("The API key is not valid.") }
    if let expiresAt = key.expiresAt, expiresAt <= clock.now() {
      throw Self.unauthorized("The API key is not valid.")
    }
    let principal = Principal(
      organizationID: key.organizationID, roles: key.roles, personID: key.personID, keyID: key.id,
      duties: key.duties, scopes: key.scopes)
    // Past the bound a day may be missed; the next note of the same key makes up for it.
    used.withLock { if $0.count < Self.capacity { $0.insert(key.id) } }
    // No longer than the row itself is trusted, so that a revocation is seen as soon.
    let until = cache.withLock { $0[secret.keyID]?.refreshAt } ?? now
    known.withLock { known in
      if known.count >= Self.capacity { known.removeAll(keepingCapacity: true) }
      known[header] = (principal, until)
    }
    return principal
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

  private func row(_ id: APIKeyID) async throws -> APIKey? {
    let now = ContinuousClock.now
    let cached: Cached? = cache.withLock { cache in
      guard let cached = cache[id], cached.until > now else { return nil }
      guard cached.refreshAt <= now else { return cached }
      // This request reads the row, and until it has, the others take what is there.
      cache[id]?.refreshAt = cached.until
      return nil
    }
    if let cached { return cached.key }
    let deadline = now + .seconds(5)
    let result: ResultSet
    do {
      result = try await pool.withConnection(deadline: deadline) {
        try await $0.run(Tables.apiKeys.rows(by: [id.value]), deadline: deadline)
      }
    } catch is PostgresError {
      throw Problem(PipelineError.unavailable)
    }
    let key = try result.first.map { try Tables.apiKeys.decode($0) }
    cache.withLock { cache in
      if cache.count >= Self.capacity { cache.removeAll(keepingCapacity: true) }
      cache[id] = Cached(key: key, refreshAt: now + Self.refreshAfter, until: now + Self.lifetime)
    }
    return key
  }

  private static func unauthorized(_ detail: String) -> Problem {
    var problem = Problem(.unauthorized, "auth.unauthorized", detail)
    problem.headers = [(.wwwAuthenticate, "Bearer realm=\"chipbridge\"")]
    return problem
  }
}
