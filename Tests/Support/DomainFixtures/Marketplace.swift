import Catalogue
import Ledger
import Lending
import Operations
import Parties
import Persistence
import Postgres
import PostgresHarness
import Primitives
import Schema
import SchemaFixtures
import Synchronization

/// A service without its HTTP: a migrated and seeded database of its own, and a pipeline on it that runs as the writer.
package struct Marketplace: Sendable {
  package let database: TestDatabase
  package let pool: PostgresPool
  package let reference: ReferenceStore
  package let clock: SettableClock
  package let pipeline: CommandPipeline
  private let running: Task<Void, Never>

  /// The first moment of every marketplace: 2 June 2026, 08:00 UTC.
  package static let start: Instant = Instant("2026-06-02T08:00:00Z") ?? .epoch

  /// A database with the reference data of this binary and the platform's own organisation.
  private static let template = TemplateDatabase { configuration in
    _ = try await MigratedDatabase.migrate(configuration)
    let pool = try PostgresPool(configuration: configuration, size: 1, waiters: 1)
    let documents = [
      (ReferenceDocument.Name.chipModels, Schema.chipModels), (.exportRules, Schema.exportRules),
      (.countryScope, Schema.countryScope), (.holidayCalendars, Schema.holidayCalendars),
    ].map { ReferenceDocument(name: $0.0, content: $0.1, source: "seed", approvedBy: "seed") }
    _ = try await Bootstrap.seed(documents, pool: pool, now: start, deadline: soon())
    await pool.shutdown()
  }

  /// Runs `body` with a marketplace of its own, stops its pipeline and drops its database.
  package static func with<R>(
    limits: CommandPipeline.Limits = .init(), seed: UInt64 = 1, isolation: isolated (any Actor)? = #isolation,
    _ body: (Marketplace) async throws -> R
  ) async throws -> R {
    await Gate.shared.enter()
    defer { Gate.shared.leave() }
    return try await template.with(isolation: isolation) { database in
      let market = try await Marketplace(database, limits: limits, seed: seed)
      do {
        let value = try await body(market)
        await market.stop()
        return value
      } catch {
        await market.stop()
        throw error
      }
    }
  }

  /// A pipeline on a database that has a marketplace already: a second process of the service.
  ///
  /// - Parameter configuration: how this process reaches the database; directly when nil.
  package init(
    _ database: TestDatabase, limits: CommandPipeline.Limits = .init(), seed: UInt64,
    configuration: PostgresConfiguration? = nil, clock: SettableClock? = nil
  ) async throws {
    var configuration = try configuration ?? database.configuration()
    configuration.role = "chipbridge_writer"
    self.database = database
    self.pool = try PostgresPool(configuration: configuration, size: 3, waiters: 100)
    self.clock = clock ?? SettableClock(Self.start, seed: seed)
    self.reference = try await ReferenceStore.load(from: pool, deadline: soon())
    let pipeline = CommandPipeline(pool: pool, reference: reference, clock: self.clock, limits: limits)
    self.pipeline = pipeline
    self.running = Task { await pipeline.run() }
  }

  /// Decides what is queued, then closes every connection.
  package func stop() async {
    pipeline.close()
    await running.value
    await pool.shutdown()
  }
}

/// Lets so many marketplaces be at a time: a test process starts all its tests at once, a server has a hundred
/// connections, and what is timed should not wait for thirty others.
private final class Gate: Sendable {
  static let shared = Gate(places: 8)

  private let state: Mutex<(free: Int, waiting: [CheckedContinuation<Void, Never>])>

  private init(places: Int) { state = Mutex((places, [])) }

  func enter() async {
    await withCheckedContinuation { continuation in
      let mayEnter = state.withLock { state -> Bool in
        guard state.free > 0 else {
          state.waiting.append(continuation)
          return false
        }
        state.free -= 1
        return true
      }
      if mayEnter { continuation.resume() }
    }
  }

  func leave() {
    let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
      guard state.waiting.isEmpty else { return state.waiting.removeFirst() }
      state.free += 1
      return nil
    }
    next?.resume()
  }
}

/// What became of a command that was handed in.
package struct Decided<Outcome: Sendable>: Sendable {
  package let answer: StoredAnswer
  package let replayed: Bool
  /// What it decided; nil for an answer that was stored earlier.
  package let result: Result<Outcome, any Error>?

  /// The outcome.
  /// - Throws: the refusal, or `Replayed` when nothing was decided.
  package func get() throws -> Outcome {
    guard let result else { throw Replayed() }
    return try result.get()
  }

  /// The code of the refusal; nil for a command that was done or replayed.
  package var refusalCode: String? {
    guard case .failure(let error) = result else { return nil }
    return (error as? any Refusal)?.code
  }
}

/// An answer was replayed where a decision was asked for.
package struct Replayed: Error {
  package init() {}
}

extension Marketplace {
  /// Counts renderings, so that an answer decided anew is never byte-equal to an earlier one.
  private static let rendered = Atomic<Int>(0)

  /// Hands a command in and waits.
  ///
  /// - Parameters:
  ///   - key: of the principal's organisation; nil for none.
  ///   - request: what the fingerprint is of.
  /// - Throws: `PipelineError`. A refusal is a decision and is in the result.
  package func submit<C: Command>(
    _ command: C, by principal: Principal, key: String? = nil, request: String = "", validateOnly: Bool = false,
    weight: CommandPipeline.Weight = .light
  ) async throws -> Decided<C.Outcome> {
    let holder = Holder<C.Outcome>()
    let idempotency = key.map {
      IdempotencyKey(
        organizationID: principal.organizationID, key: $0, fingerprint: SHA256Digest(of: Array(request.utf8)))
    }
    let submission = Submission(
      command, by: principal, idempotency: idempotency, validateOnly: validateOnly, requestID: key
    ) { result in
      holder.keep(result)
      let number = Self.rendered.add(1, ordering: .relaxed).newValue
      switch result {
      case .success:
        return StoredAnswer(status: 201, headers: [("Number", "\(number)")], body: Array("done \(number)".utf8))
      case .failure(let error):
        let code = (error as? any Refusal)?.code ?? "defect"
        return StoredAnswer(status: 409, headers: [], body: Array("\(code) \(number)".utf8))
      }
    }
    let answered = try await pipeline.submit(submission, weight: weight)
    return Decided(
      answer: answered.answer, replayed: answered.replayed, result: answered.replayed ? nil : holder.kept)
  }

  /// Hands a command in and returns its outcome.
  /// - Throws: its refusal, or `PipelineError`.
  package func run<C: Command>(_ command: C, by principal: Principal) async throws -> C.Outcome {
    try await submit(command, by: principal).get()
  }
}

/// Takes a result out of the closure that renders it; the last rendering counts, since a batch may run again.
private final class Holder<Outcome: Sendable>: Sendable {
  private let result = Mutex<Result<Outcome, any Error>?>(nil)

  func keep(_ value: Result<Outcome, any Error>) { result.withLock { $0 = value } }

  var kept: Result<Outcome, any Error>? { result.withLock { $0 } }
}
