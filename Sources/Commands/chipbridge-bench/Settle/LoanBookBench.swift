import Foundation
import Lending
import Logging
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import Repayment
import ServiceAssembly
import Settlement

/// A book of many running loans on the bench's database.
struct LoanBookBench {
  let loans: Int
  let borrowers: Int
  let lenders = 200
  private let database: BenchDatabase
  private let market: RoundMarket
  private let shard: Int64
  private let today: CalendarDate
  /// A startup has so many on average.
  private static let loansOfOne = 10

  /// Copies one loan that went through the market so many times, each time to another lender and startup, and makes twins of
  /// the tables for the reference.
  init(_ database: BenchDatabase, loans: Int, shard: Int64) async throws {
    self.loans = loans
    self.database = database
    self.shard = shard
    borrowers = max(1, loans / Self.loansOfOne)
    market = try await RoundMarket(database)
    today = market.clock.now().date
    let loan = try await market.lendOnce()
    try copyParties(loan)
    try copyLoans(loan, loans, "bench_borrowers", borrowers, lenders)
    _ = try database.rows("delete from loans where id = '\(loan.value)'")
    _ = try database.rows("create schema twin")
    for table in ["loans", "journal_entries", "journal_lines", "accounts", "heads", "chain_links"] {
      _ = try database.rows("create table twin.\(table) (like public.\(table) including all)")
    }
    // Copied tables have no foreign keys and no triggers of their own: what binds ours binds the reference.
    _ = try database.rows(
      """
      alter table twin.journal_lines add constraint journal_lines_entry
        foreign key (org_id, entry_id) references twin.journal_entries (org_id, id);
      create trigger journal_lines_balance after insert on twin.journal_lines
        referencing new table as added for each statement execute function check_entry_balance()
      """)
    _ = try database.rows(
      """
      insert into twin.loans select * from loans; insert into twin.heads select * from heads;
      insert into twin.accounts select * from accounts
      """)
    _ = try database.rows("vacuum analyze")
  }

  func stop() async { await market.stop() }

  // MARK: copies

  private func columns(_ table: String) throws -> [String] {
    try database.rows(
      """
      select column_name from information_schema.columns
      where table_schema = 'public' and table_name = '\(table)' and is_identity = 'NO' order by ordinal_position
      """)
  }

  /// A statement that copies rows of a table with other values in some columns.
  private func copy(_ table: String, _ values: [String: String], from source: String) throws -> String {
    let columns = try columns(table)
    let fresh = columns.map { values[$0] ?? "t.\($0)" }.joined(separator: ", ")
    return "insert into \(table) (\(columns.joined(separator: ", "))) select \(fresh) from \(source)"
  }

  private func copyParties(_ loan: LoanID) throws {
    for (table, count, column) in [
      ("bench_borrowers", borrowers, "borrower_id"), ("bench_lenders", lenders, "lender_id"),
    ] {
      let rows = [
        "create table \(table) as select n, gen_random_uuid() as id from generate_series(0, \(count - 1)) n",
        try copy(
          "organizations", ["org_id": "b.id", "legal_name": "'Party ' || b.n", "group_id": "b.id"],
          from:
            "organizations t join loans l on l.\(column) = t.org_id and l.id = '\(loan.value)' cross join \(table) b"),
        """
        insert into heads (org_id, version, journal_sequence, chain_number, chain_hash)
        select id, 1, 0, 0, decode(repeat('00', 32), 'hex') from \(table)
        """,
      ]
      for row in rows { _ = try database.rows(row) }
    }
  }

  /// Foreign keys are not looked at: the requests and offers of the copies are not there.
  /// - Parameter isWhole: each copy also gets a lot of its own and all its accounts, so that it can end.
  private func copyLoans(
    _ loan: LoanID, _ count: Int, _ parties: String, _ borrowers: Int, _ lenders: Int, isWhole: Bool = false
  ) throws {
    let template = "'\(loan.value)'"
    let copies = """
      drop table if exists bench_copies;
      create table bench_copies as
        select b.id as borrower_id, d.id as lender_id, gen_random_uuid() as loan_id,
          \(isWhole ? "gen_random_uuid()" : "null::uuid") as lot_id
        from generate_series(0, \(count - 1)) as s (i) join \(parties) b on b.n = s.i % \(borrowers)
        join bench_lenders d on d.n = (s.i / \(borrowers) + s.i * 7) % \(lenders)
      """
    let insert = try copy(
      "loans",
      [
        "borrower_id": "c.borrower_id", "lender_id": "c.lender_id", "id": "c.loan_id", "offer_id": "gen_random_uuid()",
        "request_id": "gen_random_uuid()", "lot_id": "coalesce(c.lot_id, t.lot_id)",
      ], from: "loans t cross join bench_copies c where t.id = \(template)")
    _ = try database.rows(copies)
    _ = try database.rows("set session_replication_role = replica; \(insert)")
    guard isWhole else { return }
    let lots = try copy(
      "lots", ["lender_id": "c.lender_id", "id": "c.lot_id"],
      from: "lots t join loans l on l.lot_id = t.id and l.id = \(template) cross join bench_copies c")
    _ = try database.rows(lots)
    _ = try database.rows(
      """
      insert into accounts (org_id, account_code, subject_id, asset, balance)
      select case when a.org_id = l.lender_id then c.lender_id else c.borrower_id end, a.account_code,
        case when a.subject_id = l.id then c.loan_id else c.lot_id end, a.asset, a.balance
      from accounts a join loans l on l.id = \(template) and a.subject_id in (l.id, l.lot_id) cross join bench_copies c
      """)
  }

  // MARK: accrual

  /// A settlement run for the next day of the business clock, from its planning to its end.
  func accrue(workers: Int) async throws -> SettleReport.Accrual {
    try await market.moveClock(days: 1)
    let before = try count("journal_lines")
    var desks: [SettleWorker] = []
    for _ in 0..<workers { desks.append(try await SettleWorker(database, shard: shard)) }
    let began = ContinuousClock.now
    let run = try await desks[0].finish(.accrual, helpedBy: Array(desks.dropFirst()))
    let seconds = (ContinuousClock.now - began).seconds
    for desk in desks { await desk.stop() }
    guard run.state == .succeeded else { throw BenchFailure("the run \(run.state): \(run.error ?? "")") }
    let lines = try count("journal_lines") - before
    guard lines == loans * 4 else { throw BenchFailure("\(lines) lines for \(loans) loans") }
    return SettleReport.Accrual(seconds: seconds, shards: Int(run.total), lines: lines)
  }

  private func count(_ table: String) throws -> Int {
    Int(try database.rows("select count(*) from \(table)").first ?? "") ?? 0
  }

  /// The same rows by one transaction of set-based statements, over the twins. The hash of a link is of nothing: hashing
  /// is no part of what SQL is compared in.
  func reference() throws -> Double {
    let before = try count("twin.journal_lines")
    let script = """
      begin;
      create temp table fee on commit drop as
        select borrower_id, lender_id, id, gen_random_uuid() as entry, currency,
          (outstanding_principal * rate_bps + accrual_residue + 1800000) / 3600000 as amount,
          outstanding_principal * rate_bps + accrual_residue as exact
        from twin.loans
        where state in ('active', 'due', 'overdue', 'recalled', 'frozen', 'reinstated');
      update twin.loans l set outstanding_fee = l.outstanding_fee + f.amount,
        fee_accrued_total = l.fee_accrued_total + f.amount, accrual_residue = f.exact - f.amount * 3600000,
        accrued_through = l.accrued_through + 1, version = l.version + 1, updated_at = now()
        from fee f where f.borrower_id = l.borrower_id and f.id = l.id;
      insert into twin.journal_entries (org_id, id, sequence, kind, business_date, subject_id, recorded_at)
        select b.org_id, b.entry, h.journal_sequence + row_number() over (partition by b.org_id order by b.id),
          'fee_accrued', current_date, b.id, now()
        from (select lender_id as org_id, entry, id from fee union all select borrower_id, entry, id from fee) b
        join twin.heads h on h.org_id = b.org_id;
      insert into twin.journal_lines (org_id, entry_id, line_no, account_code, subject_id, asset, amount)
        select lender_id, entry, 1, 'receivable.fee', id, currency, amount from fee union all
        select lender_id, entry, 2, 'income.fee', id, currency, -amount from fee union all
        select borrower_id, entry, 1, 'expense.fee', id, currency, amount from fee union all
        select borrower_id, entry, 2, 'payable.fee', id, currency, -amount from fee;
      insert into twin.accounts (org_id, account_code, subject_id, asset, balance)
        select lender_id, 'receivable.fee', id, currency, amount from fee union all
        select lender_id, 'income.fee', id, currency, -amount from fee union all
        select borrower_id, 'expense.fee', id, currency, amount from fee union all
        select borrower_id, 'payable.fee', id, currency, -amount from fee
        on conflict (org_id, account_code, subject_id, asset)
        do update set balance = twin.accounts.balance + excluded.balance;
      insert into twin.chain_links (org_id, number, first_sequence, last_sequence, previous_hash, hash)
        select h.org_id, h.chain_number + 1, h.journal_sequence + 1, h.journal_sequence + n.count, h.chain_hash, h.chain_hash
        from twin.heads h join (
          select org_id, count(*) from (select lender_id as org_id from fee union all select borrower_id from fee) b
          group by org_id) n on n.org_id = h.org_id;
      update twin.heads h set journal_sequence = h.journal_sequence + n.count, chain_number = h.chain_number + 1,
        version = h.version + 1
        from (
          select org_id, count(*) from (select lender_id as org_id from fee union all select borrower_id from fee) b
          group by org_id) n where n.org_id = h.org_id;
      commit;
      """
    let seconds = try RoundTrip.timed(database, script) / 1_000
    let lines = try count("twin.journal_lines") - before
    guard lines == loans * 4 else { throw BenchFailure("the reference wrote \(lines) lines for \(loans) loans") }
    return seconds
  }

  // MARK: sweep

  /// The round of one startup with so many loans of so many lenders: swept, and paid in full.
  func sweep(loans count: Int, lenders: Int) async throws -> SettleReport.Sweep {
    let loan = try await market.lendOnce()
    let borrower = try await market.borrower(of: loan)
    _ = try database.rows(
      "create table bench_one as select 0 as n, borrower_id as id from loans where id = '\(loan.value)'")
    try copyLoans(loan, count, "bench_one", 1, lenders, isWhole: true)
    try await market.acquire(borrower)
    let desk = try await SettleWorker(database, shard: shard)
    let began = ContinuousClock.now
    let run = try await desk.finish(.sweep, helpedBy: [])
    let swept = (ContinuousClock.now - began).milliseconds
    await desk.stop()
    guard run.state == .succeeded else { throw BenchFailure("the sweep \(run.state): \(run.error ?? "")") }
    let due =
      Int64(
        try database.rows(
          """
          select sum(outstanding_principal + outstanding_fee + outstanding_charges) from loans
          where borrower_id = '\(borrower.value)'
          """
        ).first ?? "") ?? 0
    let paying = ContinuousClock.now
    let lines = try await market.pay(due, by: borrower)
    return SettleReport.Sweep(
      loans: count, lenders: lenders, sweepMilliseconds: swept,
      receiptMilliseconds: (ContinuousClock.now - paying).milliseconds, allocations: lines)
  }
}

/// A worker with connections and a pipeline of its own, as a process of the service has them.
struct SettleWorker {
  private let pool: PostgresPool
  private let pipeline: CommandPipeline
  private let worker: RunWorker
  private let running: Task<Void, Never>

  init(_ database: BenchDatabase, shard: Int64) async throws {
    var configuration = try PostgresConfiguration(url: database.url)
    configuration.role = "chipbridge_writer"
    pool = try PostgresPool(configuration: configuration, size: 3, waiters: 64)
    let reference = try await ReferenceStore.load(from: pool, deadline: .now + .seconds(30))
    let clock = RoundMarket.clock
    let pipeline = CommandPipeline(pool: pool, reference: reference, clock: clock)
    self.pipeline = pipeline
    var logger = Logger(label: "bench")
    logger.logLevel = .error
    worker = RunWorker(
      pool: pool, pipeline: pipeline, reference: reference, clock: clock, logger: logger, shardWeight: shard)
    running = Task { await pipeline.run() }
  }

  func stop() async {
    pipeline.close()
    await running.value
    await pool.shutdown()
  }

  /// Plans a run for today of the business clock, and works on it to its end.
  func finish(_ job: SettlementJob, helpedBy others: [SettleWorker]) async throws -> SettlementRun {
    let deadline = ContinuousClock.now + .seconds(3_600)
    let today = try await MarketTime.read(pool: pool, clock: RoundMarket.clock, deadline: deadline).now.date
    let id = try await pipeline.outcome(
      of: PlanSettlementRun(job: job, businessDate: today), by: .automation
    ).id
    return try await withThrowingTaskGroup(of: Void.self) { group in
      for desk in [self] + others { group.addTask { try await desk.worker.workOnSettlement() } }
      defer { group.cancelAll() }
      while true {
        let run = try await pool.withConnection(deadline: deadline) { connection in
          try RunSQL.decodeRun(
            await connection.run(Query(RunSQL.runByID, [.uuid(id.value.bits)]), deadline: deadline).single())
        }
        if run.state != .planned, run.state != .running { return run }
        guard ContinuousClock.now < deadline else { throw BenchFailure("the run took an hour") }
        try await Task.sleep(for: .milliseconds(5))
      }
    }
  }
}
