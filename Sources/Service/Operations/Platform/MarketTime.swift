import Persistence
import Postgres
import Primitives

/// Business time as the database has it.
package enum MarketTime {
  package static func read(
    pool: PostgresPool, clock: any WallClock, deadline: ContinuousClock.Instant
  ) async throws -> PlatformState {
    let rows = try await pool.withConnection(deadline: deadline) {
      try await $0.run(Query(PlatformSQL.state), deadline: deadline)
    }
    return try PlatformSQL.decode(rows.single(), wallTime: clock.now())
  }
}
