import Catalogue
import Lending
import Logging
import Operations
import Persistence
import Postgres
import Primitives
import Repayment

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
  /// Longer than a failover gap: a worker that is cut off for less keeps its run.
  let leaseSeconds: Int64 = 30
  let rounds: RoundStore

  package init(
    pool: PostgresPool, pipeline: CommandPipeline, reference: ReferenceStore, clock: any WallClock, logger: Logger,
    schedule: RoundSchedule = .never
  ) {
    self.pool = pool
    self.rounds = RoundStore(pool: pool)
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
      try await lapseOffers()
      try await planDueRounds(&planned)
      while !Task.isCancelled {
        let round = try await claimRound()
        if let round { await clear(round) }
        let run = try await claimRun()
        if let run { await settle(run) }
        if round == nil, run == nil { return }
      }
    } catch {
      logger.warning("worker could not reach its database", metadata: ["error": "\(error)"])
    }
  }

  var deadline: ContinuousClock.Instant { .now + .seconds(30) }

  /// Until when a lease taken or renewed now holds, by wall time.
  func leaseEnd() -> Instant {
    let now = clock.now()
    return now.adding(seconds: leaseSeconds) ?? now
  }

  private func lease() -> Int64 { leaseEnd().microseconds }

  // MARK: claims

  private func claimRun() async throws -> SettlementRun? {
    try await claim(RunSQL.claimRun).map(RunSQL.decodeRun)
  }

  func claimRound() async throws -> ClaimedRound? {
    try await rounds.claim(now: clock.now(), until: leaseEnd())
  }

  private func claim(_ statement: Statement) async throws -> Row? {
    let query = Query(statement, [.timestamptz(clock.now().microseconds), .timestamptz(lease())])
    let deadline = deadline
    return try await pool.withConnection(deadline: deadline) { try await $0.run(query, deadline: deadline) }.first
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

  // MARK: settlement runs

  private func settle(_ run: SettlementRun) async {
    do {
      guard let job = SettlementJob(rawValue: run.job) else { throw UnknownJob(name: run.job) }
      let steps = try await steps(of: job, run)
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
      logger.info("a settlement run was taken over", metadata: ["run": "\(run.id)"])
    } catch let error as PipelineError where error == .busy || error == .unavailable {
      // It stays `running`; when its lease has run out, any worker takes it up again.
      logger.warning("a settlement run waits for the database", metadata: ["run": "\(run.id)"])
    } catch {
      logger.error("a settlement run failed", metadata: ["run": "\(run.id)", "error": "\(error)"])
      try? await advance(run, state: .failed, total: 0, done: 0, totals: [:], error: "\(error)")
    }
  }

  private typealias Step = @Sendable () async throws -> ChildOutcome

  private func steps(of job: SettlementJob, _ run: SettlementRun) async throws -> [Step] {
    let date = run.businessDate
    switch job {
    case .accrual:
      return try await RunQueries.borrowersWithRunningLoans(pool, deadline: deadline).map { borrower in
        step(AccrueBorrower(borrowerID: borrower, through: date), run, borrower.value) { accrued in
          var sums: [String: Int64] = ["loans": accrued.loans]
          for (currency, amount) in accrued.posted { sums["fee.\(currency)"] = amount }
          return sums
        }
      }
    case .sweep:
      return try await RunQueries.closings(through: date, pool, deadline: deadline).map { closing, round, borrower in
        step(
          SweepClosing(closingID: closing, roundID: round, borrowerID: borrower, on: date), run, closing.value
        ) { swept in
          // The engine bounds each amount by what a loan owes; the sum of one borrower's stays far inside Int64.
          [
            "closings": 1, "loans_due": Int64(swept.lines.count { $0.amount > 0 }),
            "due.\(swept.currency)": swept.lines.reduce(0) { $0 &+ $1.amount },
          ]
        }
      }
    case .maturity:
      return try await RunQueries.borrowersWithMaturedLoans(on: date, pool, deadline: deadline).map { borrower in
        step(MatureLoans(borrowerID: borrower, on: date), run, borrower.value) { ["loans_due": $0] }
      }
    case .payout:
      return try await RunQueries.lendersToPay(pool, deadline: deadline).map { lender, currency in
        step(
          PayOutLender(lenderID: lender, currency: currency, runID: run.id, on: date), run, lender.value,
          suffix: currency.code
        ) { payout in
          guard let payout else { return [:] }
          return [
            "payouts": 1, "net.\(currency)": payout.net, "platform_fee.\(currency)": payout.platformFee,
          ]
        }
      }
    case .rescreen: return try await rescreenSteps(run)
    }
  }

  private func step<C: Command>(
    _ command: C, _ run: SettlementRun, _ subject: UUIDValue, suffix: String = "",
    sums: @escaping @Sendable (C.Outcome) -> [String: Int64]
  ) -> Step {
    let key = "\(run.id):\(C.action):\(subject)\(suffix.isEmpty ? "" : ":" + suffix)"
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
    return loans + requests + [listings]
  }

  // MARK: offers that nobody answered

  private func lapseOffers() async throws {
    let state = try await MarketTime.read(pool: pool, clock: clock, deadline: deadline).now
    for offer in try await RunQueries.lapsedOffers(at: state, pool, deadline: deadline) {
      _ = try await pipeline.runChild(
        EndOffer(offerID: offer, outcome: .lapsed, ifVersion: nil), key: "\(offer):lapse"
      ) { _ in ["lapsed": 1] }
    }
  }
}

/// A job this program does not know: a newer one planned it.
struct UnknownJob: Error, CustomStringConvertible {
  let name: String
  var description: String { "this program knows no job \(name)" }
}
