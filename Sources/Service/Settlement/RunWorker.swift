import Catalogue
import Lending
import Logging
import Operations
import Persistence
import Postgres
import Primitives
import Repayment
import Traces

/// Does settlement runs and match rounds. Any number of workers in any number of processes may run: a claim is one row, its
/// lease is renewed as work goes on, and everything it does is a command with a key of its own, so a run that a dead worker
/// left is taken up where it stopped.
package struct RunWorker: Sendable {
  let pool: PostgresPool
  let pipeline: CommandPipeline
  let reference: ReferenceStore
  let clock: any WallClock
  let logger: Logger
  let schedule: RoundSchedule
  let leaseSeconds: Int64
  let rounds: RoundStore
  let shards: ShardStore
  let planner: RunPlanner
  /// Begins the spans of runs and rounds; nil where none are exported.
  let tracer: Tracer?

  /// Longer than a failover gap: a worker that is cut off for less keeps its run.
  package static let usualLeaseSeconds: Int64 = 30

  package init(
    pool: PostgresPool, pipeline: CommandPipeline, reference: ReferenceStore, clock: any WallClock, logger: Logger,
    schedule: RoundSchedule = .never, shardWeight: Int64 = RunPlanner.usualShardWeight,
    leaseSeconds: Int64 = usualLeaseSeconds, tracer: Tracer? = nil
  ) {
    self.tracer = tracer
    self.leaseSeconds = leaseSeconds
    self.pool = pool
    self.rounds = RoundStore(pool: pool)
    self.shards = ShardStore(pool: pool)
    self.planner = RunPlanner(pool: pool, pipeline: pipeline, reference: reference, shardWeight: shardWeight)
    self.pipeline = pipeline
    self.reference = reference
    self.clock = clock
    self.logger = logger
    self.schedule = schedule
  }

  /// Polls until the task is cancelled. A hint (something was planned here) cuts the wait short.
  package func run(hints: AsyncStream<Void>) async {
    await withTaskGroup(of: Void.self) { group in
      let (ticks, tick) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
      group.addTask {
        for await _ in hints { tick.yield() }
      }
      group.addTask {
        while !Task.isCancelled {
          tick.yield()
          // Jitter keeps the workers of many processes apart.
          do { try await Task.sleep(for: .milliseconds(500 + Int.random(in: 0..<250))) } catch { break }
        }
        tick.finish()
      }
      var planned = PlannedSoFar()
      for await _ in ticks { await workUntilIdle(&planned) }
      group.cancelAll()
    }
  }

  private func workUntilIdle(_ planned: inout PlannedSoFar) async {
    do {
      try await lapse()
      try await planDueRounds(&planned)
      try await endIdleStages()
      while !Task.isCancelled {
        let round = try await claimRound()
        if let round {
          await traced("match_round.clear", [SpanAttribute("chipbridge.round.id", "\(round.round.id)")]) {
            await clear(round)
          }
        }
        if try await !workOnRuns(), round == nil { return }
      }
    } catch {
      logger.warning("worker could not reach its database", metadata: ["error": "\(error)"])
    }
  }

  /// Works on settlement runs, whichever are open, until the task is cancelled: for a process that waits for one.
  package func workOnSettlement() async throws {
    while !Task.isCancelled {
      try await endIdleStages()
      if try await !workOnRuns() { try await Task.sleep(for: .milliseconds(50)) }
    }
  }

  /// Shards under way at a time: while the server writes what one posts, the next is read and decided.
  private static let hands = 2
  /// Shards that each hand does before the worker looks after match rounds and offers again.
  static let shardsInARow = 16

  /// Takes up one run that waits for its shards, or some shards.
  /// - Returns: whether there was anything to do.
  func workOnRuns() async throws -> Bool {
    if let run = try await shards.claimRun(now: clock.now(), until: leaseEnd()) {
      let named = [
        SpanAttribute("chipbridge.run.id", "\(run.id)"), SpanAttribute("chipbridge.run.job", run.job),
        SpanAttribute("chipbridge.run.stage", Int64(run.stage)),
      ]
      if run.job == SettlementJob.rescreen.rawValue {
        await traced("settlement.rescreen", named) { await rescreen(run) }
      } else {
        await traced("settlement.plan", named) { await plan(run) }
      }
      return true
    }
    return try await withThrowingTaskGroup(of: Bool.self) { group in
      for _ in 0..<Self.hands { group.addTask { try await settleInARow() } }
      return try await group.reduce(false) { $0 || $1 }
    }
  }

  /// - Returns: whether there was any.
  func settleInARow(most count: Int = shardsInARow) async throws -> Bool {
    for done in 0..<count {
      guard !Task.isCancelled, let shard = try await shards.claim(now: clock.now(), until: leaseEnd()) else {
        return done > 0
      }
      await traced(
        "settlement.shard",
        [
          SpanAttribute("chipbridge.run.id", "\(shard.lease.runID)"),
          SpanAttribute("chipbridge.shard.number", Int64(shard.lease.number)),
          SpanAttribute("chipbridge.shard.tries", Int64(shard.tries)),
        ]
      ) { await settle(shard) }
    }
    return true
  }

  /// Does a step of a job within a trace of its own. What went wrong in it is noted by `Span.fail`.
  func traced(
    _ name: String, _ attributes: @autoclosure () -> [SpanAttribute], _ step: () async -> Void
  ) async {
    guard let span = tracer?.begin(name, .consumer) else { return await step() }
    await Span.within(span) { await step() }
    span.end(attributes())
  }

  var deadline: ContinuousClock.Instant { .now + .seconds(30) }

  /// Until when a lease taken or renewed now holds, by wall time.
  func leaseEnd() -> Instant {
    let now = clock.now()
    return now.adding(seconds: leaseSeconds) ?? now
  }

  private func lease() -> Int64 { leaseEnd().microseconds }

  // MARK: claims

  func claimRound() async throws -> ClaimedRound? {
    try await rounds.claim(now: clock.now(), until: leaseEnd())
  }

  /// Writes progress under the attempt's number.
  /// - Throws: `LeaseLost` when another worker has taken the run over.
  private func advance(
    _ run: SettlementRun, state: RunState, total: Int, done: Int, totals: [String: Int64], error: String? = nil
  ) async throws {
    let query = Query(
      RunSQL.advanceRun,
      [
        .uuid(run.id.value.bits), .int4(run.attempt), .text(state.rawValue), .int8(Int64(total)), .int8(Int64(done)),
        .jsonb(totals.jsonBytes), .text(error), .timestamptz(state == .running ? lease() : nil),
        .timestamptz(clock.now().microseconds),
      ])
    let deadline = deadline
    let result = try await pool.withConnection(deadline: deadline) { try await $0.run(query, deadline: deadline) }
    guard result.affectedRows == 1 else { throw LeaseLost() }
  }

  // MARK: rescreening

  /// Takes verdicts again over the whole market, child command by child command: each has a key of its own, so that a run
  /// taken up again goes on where it stopped.
  private func rescreen(_ run: SettlementRun) async {
    do {
      let steps = try await rescreenSteps(run)
      var totals: [String: Int64] = [:]
      for (index, step) in steps.enumerated() {
        let outcome = try await step()
        if let refusal = outcome.refusal { try totals.add(["refused.\(refusal)": 1]) }
        try totals.add(outcome.sums)
        if index % 20 == 19 {
          try await advance(run, state: .running, total: steps.count, done: index + 1, totals: totals)
        }
      }
      try await advance(run, state: .succeeded, total: steps.count, done: steps.count, totals: totals)
    } catch is LeaseLost {
      Span.current?.fail("lease_lost")
      logger.info("a settlement run was taken over", metadata: ["run": "\(run.id)"])
    } catch let error where Task.isCancelled || Self.isPassing(error) {
      // It stays `running`; when its lease has run out, any worker takes it up again.
      Span.current?.fail("database_unavailable")
      logger.warning("a settlement run waits for the database", metadata: ["run": "\(run.id)"])
    } catch {
      Span.current?.fail("failed")
      logger.error("a settlement run failed", metadata: ["run": "\(run.id)", "error": "\(error)"])
      try? await advance(run, state: .failed, total: 0, done: 0, totals: [:], error: "\(error)")
    }
  }

  private typealias Step = @Sendable () async throws -> ChildOutcome

  private func step<C: Command>(
    _ command: C, _ run: SettlementRun, _ subject: UUIDValue,
    sums: @escaping @Sendable (C.Outcome) -> [String: Int64]
  ) -> Step {
    let key = "\(run.id):\(C.action):\(subject)"
    return { try await pipeline.runChild(command, key: key, weight: .heavy, sums: sums) }
  }

  private func rescreenSteps(_ run: SettlementRun) async throws -> [Step] {
    let loans = try await RunQueries.liveLoans(pool, deadline: deadline).map { loan in
      step(RescreenLoan(loanID: loan, on: run.businessDate), run, loan.value) { rescreened in
        ["loans.\(rescreened.effect.rawValue)": 1, "units_released": rescreened.released]
      }
    }
    let market = try await MarketReader.read(pool: pool, reference: reference, clock: clock, deadline: deadline)
    let requests = try market.snapshot().held.sorted { $0.key < $1.key }.map { id, screening in
      step(
        HoldLoanRequest(requestID: id, held: screening.holdsAll, candidates: screening.held), run, id.value
      ) { request in ["requests.\(request.state.rawValue)": 1] }
    }
    let controlled = market.listings.filter { listing in
      market.reference.chips[listing.chipModelID].map {
        market.reference.rules.classify($0, on: run.businessDate).exportClass != .notControlled
      } ?? true
    }
    let listings: Step = { [count = Int64(controlled.count), all = Int64(market.listings.count)] in
      ChildOutcome(sums: ["listings": all, "listings.controlled": count])
    }
    return loans + requests + [listings, try await worklist(run, market)]
  }

  /// What the screening finds waits for a person: freeze, hold, unwind, or nothing, but nothing in silence.
  private func worklist(_ run: SettlementRun, _ market: Market) async throws -> Step {
    let screen = try await ComplianceScreen.read(market, pool: pool, deadline: deadline)
    let findings = try screen.findings(on: run.businessDate)
    return step(OpenComplianceItems(findings: findings, runID: run.id), run, run.id.value) { ["items.opened": $0] }
  }

  // MARK: what nobody did in time

  /// Ends offers, sales of loans and warrants whose time is over.
  func lapse() async throws {
    let state = try await MarketTime.read(pool: pool, clock: clock, deadline: deadline).now
    for offer in try await RunQueries.lapsedOffers(at: state, pool, deadline: deadline) {
      _ = try await pipeline.runChild(
        EndOffer(offerID: offer, outcome: .lapsed, ifVersion: nil), key: "\(offer):lapse"
      ) { _ in ["lapsed": 1] }
    }
    for sale in try await RunQueries.lapsedAssignments(on: state.date, pool, deadline: deadline) {
      _ = try await pipeline.runChild(LapseAssignment(assignmentID: sale), key: "\(sale):lapse") { _ in ["lapsed": 1] }
    }
    for warrant in try await RunQueries.lapsedWarrants(on: state.date, pool, deadline: deadline) {
      // By day: what was claimed that day and disputed later lapses later.
      let key = "\(warrant):lapse:\(state.date)"
      _ = try await pipeline.runChild(LapseWarrant(warrantID: warrant), key: key) { _ in ["lapsed": 1] }
    }
  }
}

/// A job this program does not know: a newer one planned it.
struct UnknownJob: Error, CustomStringConvertible {
  let name: String
  var description: String { "this program knows no job \(name)" }
}
