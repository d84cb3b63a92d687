import DomainFixtures
import Lending
import Logging
import Operations
import Parties
import Persistence
import Postgres
import PostgresHarness
import Primitives
import Repayment
import SchemaFixtures
import StrictJSON
import Testing

@testable import Settlement

/// A loan whose chips are with the startup: so many chips of 1,000,000 minor units at 90 %, 1,000 basis points a year,
/// ACT/360. For sixteen chips a day is 4,000.
struct LentLoan: Sendable {
  let id: LoanID
  let lender: Party
  let startup: Party
}

extension Marketplace {
  var today: CalendarDate { clock.now().date }

  /// So many loans, each of a startup of its own, all of one lender.
  func lend(_ count: Int, chips: Int64 = 16, tax: TaxTerms? = nil) async throws -> [LentLoan] {
    try await mark()
    let lender = try await lender()
    let lot = try await lot(of: lender, quantity: chips * Int64(count))
    var terms = listingCommand(of: lot, quantity: chips * Int64(count)).terms
    terms.tax = tax
    let listing = try await run(CreateListing(terms: terms, lenderID: lender.id), by: lender.principal)
    var loans: [LentLoan] = []
    for number in 0..<count {
      let startup = try await startup("Startup \(number)")
      let request = try await request(of: startup, quantity: chips)
      let offer = try await offer(request, listing, quantity: chips)
      let accepted = try await run(AcceptOffer(offerID: offer.id, ifVersion: nil), by: startup.principal)
      let id = try #require(accepted.loanID)
      let delivery = RecordDelivery(loanID: id, quantity: nil, occurredOn: today, ifVersion: nil)
      _ = try await run(delivery, by: lender.principal)
      _ = try await run(delivery, by: startup.principal)
      loans.append(LentLoan(id: id, lender: lender, startup: startup))
    }
    return loans
  }

  /// Moves both clocks on, and leaves the business clock set, as in a sandbox: then a day can be closed on itself.
  func pass(days: Int64) async throws {
    clock.advance(days: days)
    _ = try await run(MoveClock(to: clock.now(), isSandbox: true), by: Self.staff())
  }

  func loan(_ id: LoanID) async throws -> Loan {
    try await database.withConnection { connection in
      let rows = try Tables.loans.decode(await connection.run(Tables.loans.rows(by: [id.value]), deadline: soon()))
      return try #require(rows.first)
    }
  }

  /// Makes all of a loan due today: a change of control of its startup.
  func makeDue(_ loan: LentLoan) async throws {
    let report = ReportFundingRound.Report(
      kind: .acquisition, name: "Sale", announcedOn: today, currency: .usd, amount: nil, preMoney: nil, postMoney: nil,
      acquirer: "Buyer", evidence: nil, closings: [(closedOn: today, netNewCash: 0)])
    let reported = try await run(ReportFundingRound(report: report), by: loan.startup.principal)
    _ = try await run(
      DecideFundingRound(roundID: reported.round.id, decision: .verify(evidence: "filing"), ifVersion: nil),
      by: Self.staff())
    _ = try await run(SweepBorrower(borrowerID: loan.startup.id, on: today), by: .automation)
  }

  func pay(_ amount: Int64, by startup: Party) async throws {
    _ = try await run(
      RecordCashReceipt(
        receivedOn: today, amount: Money(amount, .usd), source: .round, payerID: startup.id, reference: nil),
      by: Self.staff())
  }

  // MARK: runs

  func planner(shardWeight: Int64 = RunPlanner.usualShardWeight) -> RunPlanner {
    RunPlanner(pool: pool, pipeline: pipeline, reference: reference, shardWeight: shardWeight)
  }

  func worker(shardWeight: Int64) -> RunWorker {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return RunWorker(
      pool: pool, pipeline: pipeline, reference: reference, clock: clock, logger: logger, shardWeight: shardWeight)
  }

  func planRun(_ job: SettlementJob, previewHash: DigestSum? = nil) async throws -> SettlementRunID {
    try await run(
      PlanSettlementRun(job: job, businessDate: today, previewHash: previewHash), by: Self.staff()
    ).id
  }

  /// Plans a run and works until nothing is left to do.
  func settle(
    _ job: SettlementJob, workers: Int = 1, shardWeight: Int64 = RunPlanner.usualShardWeight,
    previewHash: DigestSum? = nil
  ) async throws -> SettlementRun {
    let id = try await planRun(job, previewHash: previewHash)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<workers { group.addTask { try await worker(shardWeight: shardWeight).workToEnd() } }
      try await group.waitForAll()
    }
    // A worker that found nothing may have left before another was done.
    try await worker(shardWeight: shardWeight).workToEnd()
    return try await run(id)
  }

  func run(_ id: SettlementRunID) async throws -> SettlementRun {
    try await database.withConnection { connection in
      try RunSQL.decodeRun(
        await connection.run(Query(RunSQL.runByID, [.uuid(id.value.bits)]), deadline: soon()).single())
    }
  }

  func deadShards(_ id: SettlementRunID) async throws -> [DeadShard] {
    try await database.withConnection { connection in
      try ShardStore.decodeDead(await connection.run(ShardStore.deadShardsQuery(id), deadline: soon()))
    }
  }

  func closedThrough() async throws -> CalendarDate? {
    try await MarketTime.read(pool: pool, clock: clock, deadline: soon()).closedThrough
  }

  func closedDays(from first: CalendarDate, to last: CalendarDate) async throws -> Int {
    try await database.withConnection { connection in
      try await connection.run(ClosedDay.query(from: first, to: last), deadline: soon()).count
    }
  }

  /// Everything that the laws say against the books: those of the tests and those of `chipbridge verify`.
  func lawBreaches() async throws -> [String] {
    let reports = try await BookVerifier(pool: pool).verify(deadline: .now + .seconds(30))
    return try await breaches() + reports.flatMap(\.breaches)
  }
}

extension RunWorker {
  /// Works until there is nothing to do now.
  func workToEnd() async throws {
    try await endIdleStages()
    while try await workOnRuns() {}
    try await endIdleStages()
    while try await workOnRuns() {}
  }
}

extension SettlementRun {
  var sums: [String: Int64] {
    get throws {
      let root = try JSONDocument(parsing: totals).root
      return Dictionary(
        uniqueKeysWithValues: (root.asObject.map(Array.init) ?? []).map { ($0.name, $0.value.asInteger ?? 0) })
    }
  }
}
