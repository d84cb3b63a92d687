import Catalogue
import Persistence
import Postgres
import Primitives
import StrictJSON
import Synchronization

/// Keeps the newest reference data of this process, and reloads it when a batch finds a later version in the database.
package final class ReferenceStore: Sendable {
  private let held: Mutex<ReferenceData>

  package init(_ initial: ReferenceData) {
    self.held = Mutex(initial)
  }

  /// What this process has now.
  package var current: ReferenceData { held.withLock { $0 } }

  /// At least that version, read in the transaction that asked for it.
  package func atLeast(_ version: Int64, in transaction: Transaction) async throws -> ReferenceData {
    let present = current
    if present.version >= version { return present }
    let results = try await transaction.pipeline(ReferenceSQL.loading)
    let loaded = try ReferenceSQL.decode(results, version: version)
    held.withLock { if $0.version < loaded.version { $0 = loaded } }
    return loaded
  }

  /// What the database has now, for reads that should show what another process adopted.
  package func refreshed(_ pool: PostgresPool) async throws -> ReferenceData {
    let deadline = ContinuousClock.now + .seconds(5)
    return try await pool.transaction(access: .readOnly, deadline: deadline) { transaction in
      let state = try await transaction.run(Query(PlatformSQL.state)).single()
      return try await self.atLeast(
        PlatformSQL.decode(state, wallTime: .epoch).referenceVersion, in: transaction)
    }
  }

  /// Loads what the database has; for the start of a process.
  package static func load(from pool: PostgresPool, deadline: ContinuousClock.Instant) async throws -> ReferenceStore {
    try await pool.transaction(access: .readOnly, deadline: deadline) { transaction in
      let results = try await transaction.pipeline([Query(PlatformSQL.state)] + ReferenceSQL.loading)
      let version = try PlatformSQL.decode(results[0].single(), wallTime: .epoch).referenceVersion
      return ReferenceStore(try ReferenceSQL.decode(Array(results.dropFirst()), version: version))
    }
  }
}
