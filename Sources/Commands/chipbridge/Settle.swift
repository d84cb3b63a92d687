import ArgumentParser
import Foundation
import Logging
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import ServiceAssembly
import Settlement
import StrictJSON

/// Does a settlement run in this process, beside whatever workers there are, and shows how far it is.
struct Settle: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Plan a settlement run and work on it to its end, with what it came to.",
    discussion: """
      The jobs: accrual, sweep, maturity, delinquency, payout, rescreen, reconcile, marks, margin, fees, statements, day_close. day_close does what every day since the
      last that was closed needs at its end, closes them one by one, and prints what a person signs. Workers of a service on
      the same database take part. Ended on the way, the run goes on with whoever comes next; nothing is done twice.
      """)
  @OptionGroup var database: DatabaseOptions
  @Argument(help: "The job.") var job: String
  @Option(help: "The business date, YYYY-MM-DD; today of the business clock when left out.") var date: String?
  @Flag(help: "Show what it would do, with totals and hash; change nothing.") var validateOnly = false
  @Option(help: "Do exactly what a preview with this hash showed, or nothing.") var previewHash: String?
  @Flag(help: "One JSON object.") var json = false

  func validate() throws {
    guard SettlementJob(rawValue: job) != nil else {
      throw ValidationError("JOB is one of \(SettlementJob.allCases.map(\.rawValue).joined(separator: ", ")).")
    }
    if let date, CalendarDate(date) == nil { throw ValidationError("--date is a date, YYYY-MM-DD.") }
    if let previewHash, DigestSum(text: previewHash) == nil {
      throw ValidationError("--preview-hash is 64 lower-case hexadecimal digits.")
    }
  }

  func run() async throws {
    var configuration = try database.configuration()
    configuration.role = "chipbridge_writer"
    let pool = try PostgresPool(configuration: configuration, size: 4, waiters: 64)
    try await pool.closing { pool in
      let desk = try await SettleDesk(pool: pool)
      do {
        try await settle(desk)
        await desk.stop()
      } catch {
        await desk.stop()
        throw error
      }
    }
  }

  private func settle(_ desk: SettleDesk) async throws {
    let state = try await desk.marketTime()
    let on = date.flatMap { CalendarDate($0) } ?? state.now.date
    guard let job = SettlementJob(rawValue: job) else { throw Failure("There is no job \(self.job).") }
    if validateOnly {
      guard job.steps != nil else { throw Failure("A \(job.rawValue) run has no preview.") }
      let preview = try await told { try await desk.planner.preview(job, on: on, closedThrough: state.closedThrough) }
      print(json ? SettleText.json(preview) : SettleText.text(preview, job, on))
      return
    }
    let id = try await told {
      try await desk.plan(job, on: on, previewHash: previewHash.flatMap { DigestSum(text: $0) })
    }
    let run = try await desk.work(on: id, bar: json ? nil : ProgressBar.ifTerminal())
    let report = try await report(run, on, closedBefore: state.closedThrough, desk)
    print(json ? SettleText.json(run, report) : SettleText.text(run, report))
    if run.state == .succeeded { return }
    if run.approval == .awaited {
      throw Failure("It waits for a second person: POST /v1/settlement-runs/\(run.id)/approve.")
    }
    throw Failure("The run \(run.state.rawValue): \(run.error ?? "somebody ended it").")
  }

  /// Of the days that a day close has closed.
  private func report(
    _ run: SettlementRun, _ on: CalendarDate, closedBefore: CalendarDate?, _ desk: SettleDesk
  ) async throws -> CloseReport? {
    guard run.job == SettlementJob.dayClose.rawValue, run.state == .succeeded else { return nil }
    return try await desk.report(from: closedBefore?.adding(days: 1) ?? on, to: on)
  }

  /// A refusal in one sentence.
  private func told<Value>(_ body: () async throws -> Value) async throws -> Value {
    do { return try await body() } catch let refusal as any Refusal { throw Failure(refusal.detail) }
  }
}

/// A pipeline and a worker of this process.
struct SettleDesk {
  private let pool: PostgresPool
  private let pipeline: CommandPipeline
  private let worker: RunWorker
  private let clock = SystemClock()
  private let running: Task<Void, Never>
  let planner: RunPlanner

  init(pool: PostgresPool) async throws {
    self.pool = pool
    let reference = try await ReferenceStore.load(from: pool, deadline: .now + .seconds(30))
    let pipeline = CommandPipeline(pool: pool, reference: reference, clock: clock)
    self.pipeline = pipeline
    planner = RunPlanner(pool: pool, pipeline: pipeline, reference: reference)
    var logger = Logger(label: "settle")
    logger.logLevel = .critical
    worker = RunWorker(pool: pool, pipeline: pipeline, reference: reference, clock: clock, logger: logger)
    running = Task { await pipeline.run() }
  }

  func stop() async {
    pipeline.close()
    await running.value
  }

  private var deadline: ContinuousClock.Instant { .now + .seconds(30) }

  func marketTime() async throws -> PlatformState {
    try await MarketTime.read(pool: pool, clock: clock, deadline: deadline)
  }

  func plan(_ job: SettlementJob, on date: CalendarDate, previewHash: DigestSum?) async throws -> SettlementRunID {
    try await pipeline.outcome(
      of: PlanSettlementRun(job: job, businessDate: date, previewHash: previewHash), by: .automation
    ).id
  }

  /// Works until the run has ended or waits for a person, and shows its progress.
  func work(on id: SettlementRunID, bar: ProgressBar?) async throws -> SettlementRun {
    let working = Task { try await worker.workOnSettlement() }
    var bar = bar
    do {
      while true {
        let run = try await run(id)
        bar?.show(run)
        if run.state != .planned, run.state != .running || run.approval == .awaited {
          bar?.clear()
          working.cancel()
          return run
        }
        try await Task.sleep(for: .milliseconds(100))
      }
    } catch {
      working.cancel()
      throw error
    }
  }

  private func run(_ id: SettlementRunID) async throws -> SettlementRun {
    let deadline = deadline
    let results = try await pool.withConnection(deadline: deadline) { connection in
      try await connection.pipeline(
        [Query(RunSQL.runByID, [.uuid(id.value.bits)])] + ShardStore.progressQueries(id), deadline: deadline)
    }
    return try RunSQL.decodeRun(results[0].single()).with(ShardStore.decode(Array(results[1...3])))
  }

  func report(from first: CalendarDate, to last: CalendarDate) async throws -> CloseReport {
    let results = try await pool.transaction(
      .repeatableRead, access: .readOnly, deadline: .now + .seconds(300)
    ) { try await $0.pipeline(CloseReportSQL.queries(from: first, to: last)) }
    return try CloseReport(from: first, to: last, results)
  }
}
