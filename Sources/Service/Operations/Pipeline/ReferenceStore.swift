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
    let rows = try await transaction.run(Query(ReferenceSQL.newest))
    let loaded = try ReferenceSQL.decode(rows, version: version)
    held.withLock { if $0.version < loaded.version { $0 = loaded } }
    return loaded
  }

  /// Loads what the database has; for the start of a process.
  package static func load(from pool: PostgresPool, deadline: ContinuousClock.Instant) async throws -> ReferenceStore {
    try await pool.transaction(access: .readOnly, deadline: deadline) { transaction in
      let results = try await transaction.pipeline([Query(PlatformSQL.state), Query(ReferenceSQL.newest)])
      let version = try PlatformSQL.decode(results[0].single(), wallTime: .epoch).referenceVersion
      return ReferenceStore(try ReferenceSQL.decode(results[1], version: version))
    }
  }
}
