import Postgres
import PostgresHarness
import Synchronization

/// Now plus so many seconds.
func soon(_ seconds: Int = 20) -> ContinuousClock.Instant { .now + .seconds(seconds) }

/// Runs `body` with a connection to a fresh database.
func withConnection<R>(
  isolation: isolated (any Actor)? = #isolation, _ body: (PostgresConnection) async throws -> R
) async throws -> R {
  try await TestDatabase.with { database in
    let connection = try await PostgresConnection.connect(
      database.configuration(), reactor: Reactor(), deadline: soon())
    let value = try await body(connection)
    await connection.close()
    return value
  }
}

/// Runs `body` with a pool on a fresh database, and shuts the pool down.
func withPool<R>(
  size: Int = 4, waiters: Int = 100, isolation: isolated (any Actor)? = #isolation,
  _ body: (PostgresPool) async throws -> R
) async throws -> R {
  try await TestDatabase.with { database in
    let pool = try PostgresPool(configuration: database.configuration(), size: size, waiters: waiters)
    do {
      let value = try await body(pool)
      await pool.shutdown()
      return value
    } catch {
      await pool.shutdown()
      throw error
    }
  }
}

/// The error of `body`, or nil if it succeeds or throws something else.
func failure<R>(
  isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> R
) async -> PostgresError? {
  do {
    _ = try await body()
    return nil
  } catch {
    return error as? PostgresError
  }
}

enum Probe {
  static let one = Statement("probe_one", "select 1::int8", columns: [.int8])
  static let add = Statement("probe_add", "select $1 + $2", parameters: [.int8, .int8], columns: [.int8])
  static let divide = Statement("probe_divide", "select 1 / $1", parameters: [.int4], columns: [.int4])
  static let sleep = Statement("probe_sleep", "select 1 from pg_sleep(30)", columns: [.int4])
  static let pid = Statement("probe_pid", "select pg_backend_pid()", columns: [.int4])
  static let create = Statement(
    "probe_create", "create table loans (id int8 not null, note text, constraint loans_key primary key (id))")
  static let insert = Statement(
    "probe_insert", "insert into loans (id, note) select unnest($1), $2", parameters: [.int8Array, .text])
  static let count = Statement("probe_count", "select count(*) from loans", columns: [.int8])

  static func insert(_ ids: [Int64], _ note: String = "") -> Query {
    Query(insert, [.int8Array(ids), .text(note)])
  }
}

/// Counts from several tasks.
final class Tally: Sendable {
  private let count = Atomic<Int>(0)

  var value: Int { count.load(ordering: .sequentiallyConsistent) }

  func add() {
    count.add(1, ordering: .sequentiallyConsistent)
  }
}
