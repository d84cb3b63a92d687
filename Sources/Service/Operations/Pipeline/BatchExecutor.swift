import Parties
import Persistence
import Postgres
import Primitives
import Synchronization
import Traces

/// Runs one batch: claims its keys, loads, locks, decides, applies, commits; and sorts out what goes wrong.
struct BatchExecutor: Sendable {
  let pool: PostgresPool
  let reference: ReferenceStore
  let clock: any WallClock
  let batchSeconds: Int64
  let counters: PipelineCounters
  /// Order of arrival over all batches of this process, strictly increasing.
  private let lastSequence = SequenceCounter()

  init(
    pool: PostgresPool, reference: ReferenceStore, clock: any WallClock, batchSeconds: Int64, counters: PipelineCounters
  ) {
    self.pool = pool
    self.reference = reference
    self.clock = clock
    self.batchSeconds = batchSeconds
    self.counters = counters
  }

  /// Serves every pending submission of the batch, whatever happens.
  func execute(_ batch: [CommandPipeline.Pending]) async {
    counters.batches.add(1, ordering: .relaxed)
    for pending in batch { pending.queue?.end() }
    await execute(batch, deadline: .now + .seconds(batchSeconds), attempt: 1)
  }

  private func execute(
    _ batch: [CommandPipeline.Pending], deadline: ContinuousClock.Instant, attempt: Int
  ) async {
    do {
      let results = try await BatchSpans.of(batch, attempt: attempt) {
        try await pool.transaction(deadline: deadline) { transaction in
          try await BatchRun(executor: self, submissions: batch.map(\.submission)).run(in: transaction)
        }
      }
      await conclude(batch, results, deadline: deadline, attempt: attempt)
    } catch let error as PostgresError where error.kind == .commitOutcomeUnknown {
      await settleUnknown(batch, deadline: deadline, attempt: attempt)
    } catch let error as PostgresError where error.constraint == "idempotency_pkey" && attempt < 8 {
      // Another process decided one of these keys at the same moment: the next look-up finds its answer.
      counters.repeats.add(1, ordering: .relaxed)
      await execute(batch, deadline: deadline, attempt: attempt + 1)
    } catch let error as RowsMoved where error.statement == PlatformSQL.requireOpen.name && attempt < 8 {
      // A day was closed since the batch looked: decided again, what belongs to it is refused.
      counters.repeats.add(1, ordering: .relaxed)
      await execute(batch, deadline: deadline, attempt: attempt + 1)
    } catch let error as PostgresError where Self.isPassing(error) {
      await repeatOrGiveUp(batch, deadline: deadline, attempt: attempt)
    } catch {
      await isolate(batch, error, deadline: deadline, attempt: attempt)
    }
  }

  /// Whether the connection, the server or somebody's lock is the reason, and no command of the batch. A value that cannot
  /// be sent, or a stored one that cannot be read, is a command's own: it must not take its neighbours with it.
  private static func isPassing(_ error: PostgresError) -> Bool {
    switch error.kind {
    case .connectionLost, .connectFailed, .deadlineExceeded, .cancelled, .poolExhausted, .poolClosed,
      .protocolViolation:
      return true
    case .server:
      if error.isRetryable || error.asksForReconnect { return true }
      // A lock or a statement timeout, or a server short of disk or memory.
      guard let state = error.sqlState else { return false }
      return state == "55P03" || state == "57014" || state.hasPrefix("53")
    case .commitOutcomeUnknown, .decoding, .encoding, .statementMisuse, .migration: return false
    }
  }

  /// Answers what was decided; what must be seen again (its heads moved) goes into another transaction.
  private func conclude(
    _ batch: [CommandPipeline.Pending], _ results: [BatchRun.Result], deadline: ContinuousClock.Instant, attempt: Int
  ) async {
    var again: [CommandPipeline.Pending] = []
    for (pending, result) in zip(batch, results) {
      switch result {
      case .answered(let answered):
        counters.commands.add(1, ordering: .relaxed)
        if answered.replayed { counters.replays.add(1, ordering: .relaxed) }
        pending.finish(.success(answered))
      case .failed(let error): pending.finish(.failure(error))
      case .again: again.append(pending)
      }
    }
    if again.isEmpty { return }
    if attempt >= 16 {
      for pending in again { pending.finish(.failure(.unavailable)) }
    } else {
      await execute(again, deadline: deadline, attempt: attempt + 1)
    }
  }

  /// The commit went out and no answer came. The stored answers tell: a repeated batch finds them if it committed, and
  /// inserting a key waits for a transaction that is still deciding. A command without a key cannot be told.
  private func settleUnknown(
    _ batch: [CommandPipeline.Pending], deadline: ContinuousClock.Instant, attempt: Int
  ) async {
    let keyed = batch.filter { $0.submission.idempotency != nil }
    for pending in batch where pending.submission.idempotency == nil { pending.finish(.failure(.outcomeUnknown)) }
    await repeatOrGiveUp(keyed, deadline: deadline, attempt: attempt, giveUp: .outcomeUnknown)
  }

  /// The connection, not the command, failed: the whole batch may be repeated while there is time.
  private func repeatOrGiveUp(
    _ batch: [CommandPipeline.Pending], deadline: ContinuousClock.Instant, attempt: Int,
    giveUp: PipelineError = .unavailable
  ) async {
    if batch.isEmpty { return }
    let pause = Duration.milliseconds(min(50 << min(attempt, 5), 1_000))
    guard attempt < 12, ContinuousClock.now + pause < deadline else {
      for pending in batch { pending.finish(.failure(giveUp)) }
      return
    }
    counters.repeats.add(1, ordering: .relaxed)
    do { try await Task.sleep(for: pause) } catch {
      for pending in batch { pending.finish(.failure(giveUp)) }
      return
    }
    await execute(batch, deadline: deadline, attempt: attempt + 1)
  }

  /// One command of the batch breaks it: halves are tried apart until the poison one is alone.
  private func isolate(
    _ batch: [CommandPipeline.Pending], _ error: any Error, deadline: ContinuousClock.Instant, attempt: Int
  ) async {
    guard batch.count > 1 else {
      // The full description stays in the process; the caller is told only that it failed.
      let text = (error as? PostgresError)?.description ?? String(describing: type(of: error))
      batch.first?.finish(.failure(.defect(text)))
      return
    }
    counters.splits.add(1, ordering: .relaxed)
    let middle = batch.count / 2
    await execute(Array(batch[..<middle]), deadline: .now + .seconds(batchSeconds), attempt: attempt)
    await execute(Array(batch[middle...]), deadline: .now + .seconds(batchSeconds), attempt: attempt)
  }

  /// The next `count` sequence numbers: wall-clock microseconds, never repeated within the process.
  func sequences(_ count: Int, now: Instant) -> Int64 { lastSequence.take(count, from: now.microseconds) }
}

/// Strictly increasing numbers that follow the wall clock.
final class SequenceCounter: Sendable {
  private let last = Mutex<Int64>(0)

  /// The first of `count` consecutive numbers.
  func take(_ count: Int, from start: Int64) -> Int64 {
    last.withLock { last in
      let first = max(start, last + 1)
      last = first + Int64(count) - 1
      return first
    }
  }
}
