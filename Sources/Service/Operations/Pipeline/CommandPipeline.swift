import Persistence
import Postgres
import Primitives
import Synchronization
import Traces

/// The one way to change anything: load, decide, apply, in batches.
///
/// Commands that arrive while a batch commits form the next one; a batch is one transaction. Heavy commands have a lane
/// of their own, so that they never sit on the tail of others.
package final class CommandPipeline: Sendable {
  package struct Limits: Sendable {
    /// Submissions waiting; past it callers get `busy` at once.
    package var queue = 4_096
    /// Commands a transaction; past about a hundred little is gained.
    package var batch = 256
    /// How long one batch may take, in seconds, before its callers are told that nothing is known or nothing was done.
    package var batchSeconds: Int64 = 15

    package init() {}
  }

  /// Which lane a command takes.
  package enum Weight: Sendable {
    case light, heavy
  }

  /// A submission and whoever waits for it.
  struct Pending: Sendable {
    let submission: Submission
    let continuation: CheckedContinuation<Result<Answered, PipelineError>, Never>
    /// What the command is done for, and that it waits; nil where no trace is kept of it.
    let request: Span?
    let queue: Span?

    func finish(_ result: Result<Answered, PipelineError>) { continuation.resume(returning: result) }
  }

  private let light: Lane<Pending>
  private let heavy: Lane<Pending>
  private let executor: BatchExecutor
  /// Counts since start, for metrics.
  package let counters = PipelineCounters()

  package init(pool: PostgresPool, reference: ReferenceStore, clock: any WallClock, limits: Limits = Limits()) {
    self.light = Lane(capacity: limits.queue, batchLimit: limits.batch)
    self.heavy = Lane(capacity: limits.queue, batchLimit: 1)
    self.executor = BatchExecutor(
      pool: pool, reference: reference, clock: clock, batchSeconds: limits.batchSeconds, counters: counters)
  }

  /// Hands a command in and waits for its answer.
  /// - Throws: `PipelineError`.
  package func submit(_ submission: Submission, weight: Weight = .light) async throws -> Answered {
    // Several at once are decided on a state that is theirs alone.
    let lane = weight == .light && submission.gather == nil ? light : heavy
    let result = await withCheckedContinuation { continuation in
      let request = Span.current
      let pending = Pending(
        submission: submission, continuation: continuation, request: request, queue: request?.child("pipeline.queue"))
      if !lane.offer(pending) { pending.finish(.failure(.busy)) }
    }
    return try result.get()
  }

  /// Serves both lanes until `close`; what is queued then is still decided.
  package func run() async {
    await withTaskGroup(of: Void.self) { group in
      // Batches go before the requests that are being parsed, or one would hold its transaction open while it waits for a
      // thread. A second consumer of the light lane was tried: smaller batches, 0.8 of the rate at 64 connections.
      // Heavy commands take two: what foresees reads and decides while another writes, and behind one lock they queue anyway.
      for lane in [light, heavy, heavy] {
        group.addTask(priority: .high) {
          while let batch = await lane.take() { await self.executor.execute(batch) }
        }
      }
    }
  }

  package func close() {
    light.close()
    heavy.close()
  }

  package var depth: Int { light.depth + heavy.depth }
}

/// What the pipeline has done since the process started.
package final class PipelineCounters: Sendable {
  package let batches = Atomic<Int>(0)
  package let commands = Atomic<Int>(0)
  package let refusals = Atomic<Int>(0)
  package let replays = Atomic<Int>(0)
  package let splits = Atomic<Int>(0)
  package let repeats = Atomic<Int>(0)
}

/// Wall time and random bits: two real implementations, the system's and a test's.
package protocol WallClock: Sendable {
  /// Wall time now.
  func now() -> Instant
  /// 128 random bits.
  func randomBits() -> (UInt64, UInt64)
  /// So many times 128 random bits.
  func randomBits(_ count: Int) -> [(UInt64, UInt64)]
}

extension WallClock {
  package func randomBits(_ count: Int) -> [(UInt64, UInt64)] { (0..<count).map { _ in randomBits() } }
}
