import Operations
import Postgres
import Synchronization

/// Rows that tell who may do what, kept for less than a second, so that a revocation is effective within one everywhere and a
/// busy caller costs no query a request. After half a second the next request reads the row again while the others still go
/// by the old one: were all to ask at once, a busy key would cost hundreds of queries each time.
final class RowCache<Key: Hashable & Sendable, Row: Sendable>: Sendable {
  private struct Cached {
    /// Nil where there is no such row.
    let row: Row?
    /// When one request reads the row again.
    var refreshAt: ContinuousClock.Instant
    /// When nobody goes by it any more.
    let until: ContinuousClock.Instant
  }

  private let pool: PostgresPool
  private let query: @Sendable (Key) -> Query
  private let decode: @Sendable (ResultSet) throws -> Row?
  private let cache = Mutex<[Key: Cached]>([:])
  private static var refreshAfter: Duration { .milliseconds(500) }
  private static var lifetime: Duration { .milliseconds(750) }
  private static var capacity: Int { 10_000 }

  init(
    pool: PostgresPool, query: @escaping @Sendable (Key) -> Query,
    decode: @escaping @Sendable (ResultSet) throws -> Row?
  ) {
    self.pool = pool
    self.query = query
    self.decode = decode
  }

  /// - Throws: 503 when the database does not answer.
  func row(_ key: Key) async throws -> Row? {
    let now = ContinuousClock.now
    let cached: Cached? = cache.withLock { cache in
      guard let cached = cache[key], cached.until > now else { return nil }
      guard cached.refreshAt <= now else { return cached }
      // This request reads the row, and until it has, the others take what is there.
      cache[key]?.refreshAt = cached.until
      return nil
    }
    if let cached { return cached.row }
    let deadline = now + .seconds(5)
    let result: ResultSet
    do {
      result = try await pool.withConnection(deadline: deadline) { [query] in
        try await $0.run(query(key), deadline: deadline)
      }
    } catch is PostgresError {
      throw Problem(PipelineError.unavailable)
    }
    let row = try decode(result)
    cache.withLock { cache in
      if cache.count >= Self.capacity { cache.removeAll(keepingCapacity: true) }
      cache[key] = Cached(row: row, refreshAt: now + Self.refreshAfter, until: now + Self.lifetime)
    }
    return row
  }

  /// When the row is read again; nil for one that is not kept.
  func refreshAt(_ key: Key) -> ContinuousClock.Instant? { cache.withLock { $0[key]?.refreshAt } }
}
