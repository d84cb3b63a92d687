import Logging
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import StrictJSON
import Synchronization
import Traces

/// Why a shard was not done.
struct ShardFailure: Error, CustomStringConvertible {
  /// The refusal's code, or `defect`.
  let code: String
  let description: String
}

extension RunWorker {
  /// A shard that fails so often is given up: it waits for a person. Attempts are counted before they are made, so that one
  /// which brings its worker down ends too.
  static let shardAttempts: Int32 = 8

  // MARK: planning

  /// Cuts the present stage of a run into shards; one that has nothing to do ends at once, and the next is planned.
  func plan(_ run: SettlementRun) async {
    var next: SettlementRun? = run
    while let run = next, !Task.isCancelled {
      next = nil
      guard await planStage(of: run) == 0 else { return }
      next = await stageAfter(run.id)
    }
  }

  /// - Returns: how many shards there are; nil when they are not to be done now.
  private func planStage(of run: SettlementRun) async -> Int? {
    let named: Logger.Metadata = ["run": "\(run.id)"]
    do {
      guard let job = SettlementJob(rawValue: run.job) else { throw UnknownJob(name: run.job) }
      var stages = try SettlementStage.parse(run.stages)
      if stages.isEmpty {
        let state = try await MarketTime.read(pool: pool, clock: clock, deadline: deadline)
        stages = try SettlementStage.of(job, on: run.businessDate, closedThrough: state.closedThrough)
      }
      guard stages.indices.contains(Int(run.stage)) else { throw UnknownJob(name: "\(run.job), stage \(run.stage)") }
      let stage = stages[Int(run.stage)]
      let plans = try await bound(planner.shards(of: stage), by: run, job)
      let isApproved = run.approval != .notNeeded
      let isMuch = try await planner.needsApproval(stage)
      let mustWait = isMuch && !isApproved
      try await shards.plan(
        run, stages: SettlementStage.bytes(stages), plans, approval: mustWait ? .awaited : run.approval,
        now: clock.now())
      if mustWait { logger.notice("a settlement run waits for a second person", metadata: named) }
      return mustWait ? nil : plans.count
    } catch is LeaseLost {
      Span.current?.fail("lease_lost")
      logger.info("a settlement run was taken over", metadata: named)
    } catch let error where Task.isCancelled || Self.isPassing(error) {
      Span.current?.fail("database_unavailable")
      logger.warning("a settlement run waits for the database", metadata: named)
    } catch {
      let text = (error as? any Refusal).map { "\($0.code): \($0.detail)" } ?? "\(error)"
      Span.current?.fail("refused")
      logger.error("a settlement run cannot be planned", metadata: named.merging(["error": "\(text)"]) { $1 })
      try? await shards.fail(run, error: text, now: clock.now())
    }
    return nil
  }

  /// Holds every shard to what the maker of the run was shown, where the maker says so.
  private func bound(_ plans: [ShardPlan], by run: SettlementRun, _ job: SettlementJob) async throws -> [ShardPlan] {
    guard let shown = run.previewHash else { return plans }
    let preview = try await planner.preview(job, on: run.businessDate, closedThrough: nil, mostEntries: 0)
    guard preview.hash == shown else { throw SettlementRefusal.previewDiffers }
    return preview.shards
  }

  // MARK: shards

  /// Does a shard: its effects, and that it is done, in one transaction.
  func settle(_ shard: ClaimedShard) async {
    let named: Logger.Metadata = ["run": "\(shard.lease.runID)", "shard": "\(shard.lease.number)"]
    do {
      guard shard.tries <= Self.shardAttempts else {
        throw ShardFailure(code: "given_up", description: "given up after \(Self.shardAttempts) attempts")
      }
      try await holding(shard.lease) { try await submit(shard) }
    } catch let error where error is LeaseLost || error as? PipelineError == .leaseLost {
      // Also where the commit's answer was lost and it had been done: its row says so.
      Span.current?.fail("lease_lost")
      logger.info("a shard was taken over, or is done", metadata: named)
    } catch let error where Task.isCancelled || Self.isPassing(error) {
      await giveBack(shard, "\(error)", after: Self.backoff(shard.tries), named)
    } catch let failure as ShardFailure {
      await quarantine(shard, failure, named)
    } catch {
      await quarantine(shard, ShardFailure(code: "defect", description: "\(error)"), named)
    }
    await endStage(of: shard.lease.runID)
  }

  private func submit(_ shard: ClaimedShard) async throws {
    let command = try SettleShard(shard.plan, of: shard.lease.runID, lease: shard.lease)
    let refused = Mutex<ShardFailure?>(nil)
    let submission = Submission(command, by: .automation, idempotency: nil) { result in
      switch result {
      case .success:
        refused.set(nil)
        return StoredAnswer(status: 200, headers: [], body: [])
      case .failure(let error):
        let refusal = error as? any Refusal
        refused.set(ShardFailure(code: refusal?.code ?? "defect", description: refusal?.detail ?? "\(error)"))
        return StoredAnswer(status: 409, headers: [], body: [])
      }
    }
    let answered: Answered
    do { answered = try await pipeline.submit(submission, weight: .heavy) } catch PipelineError.defect(let text) {
      throw ShardFailure(code: "defect", description: text)
    }
    guard answered.answer.status == 200 else {
      throw refused.withLock { $0 } ?? ShardFailure(code: "defect", description: "refused without a reason")
    }
  }

  /// Keeps the lease alive while the work goes on.
  private func holding(_ lease: ShardLease, _ work: @escaping @Sendable () async throws -> Void) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await work() }
      group.addTask {
        while true {
          try await Task.sleep(for: .seconds(leaseSeconds / 3))
          // A database that does not answer now may answer the next time; the lease runs out by itself.
          do { try await shards.renew(lease, until: leaseEnd()) } catch is LeaseLost {
            // Done by the very command that is still being answered, or taken over: its own fence tells which.
            return
          } catch {
            logger.debug("a lease could not be renewed", metadata: ["error": "\(error)"])
          }
        }
      }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  /// 1, 4, 9... seconds, with a tenth of jitter either way, a quarter of an hour at most.
  private static func backoff(_ attempt: Int32) -> Int64 {
    let base = min(Int64(attempt) * Int64(attempt) * 1_000, 900_000)
    return base + Int64.random(in: -base / 10...base / 10)
  }

  private func giveBack(_ shard: ClaimedShard, _ error: String, after milliseconds: Int64, _ named: Logger.Metadata)
    async
  {
    let now = clock.now()
    let later = Instant(microseconds: now.microseconds + milliseconds * 1_000) ?? now
    Span.current?.fail("database_unavailable")
    logger.warning("a shard waits for the database", metadata: named)
    // Where this fails too, its lease runs out by itself.
    try? await shards.release(shard.lease, error: error, notBefore: later, now: now)
  }

  /// A shard that cannot be done is cut in two until the subject that cannot is alone; that one waits for a person.
  private func quarantine(_ shard: ClaimedShard, _ failure: ShardFailure, _ named: Logger.Metadata) async {
    let error = "\(failure.code): \(failure.description)"
    Span.current?.fail(failure.code)
    logger.error("a shard was refused", metadata: named.merging(["error": "\(error)"]) { $1 })
    do {
      if let halves = shard.plan.halves, failure.code != "given_up" {
        try await shards.split(shard, halves, error: error, now: clock.now())
      } else {
        try await shards.release(shard.lease, error: error, notBefore: nil, now: clock.now())
      }
    } catch {
      logger.warning("a shard could not be given back", metadata: named)
    }
  }

  // MARK: stages

  /// Ends the run's stage where no shard of it is open, and plans the next.
  func endStage(of run: SettlementRunID) async {
    if let next = await stageAfter(run) { await plan(next) }
  }

  /// Ends the run's stage where no shard of it is open.
  /// - Returns: the run at its next stage, for this worker to plan; nil where it ended, or goes on elsewhere.
  private func stageAfter(_ run: SettlementRunID) async -> SettlementRun? {
    do {
      let end = try await shards.endStage(
        run, stageCount: { try SettlementStage.parse($0.stages).count }, now: clock.now(), until: leaseEnd())
      if case .next(let next) = end { return next }
    } catch {
      // Whoever looks next finds it idle.
      logger.debug("a stage could not be ended", metadata: ["run": "\(run)", "error": "\(error)"])
    }
    return nil
  }

  /// Ends stages whose last worker died between its shard and this.
  func endIdleStages() async throws {
    for run in try await shards.idleRuns() { await endStage(of: run) }
  }
}

extension Mutex where Value == ShardFailure? {
  fileprivate func set(_ value: ShardFailure?) { withLock { $0 = value } }
}
