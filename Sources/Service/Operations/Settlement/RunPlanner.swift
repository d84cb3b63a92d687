import LedgerExport
import Parties
import Persistence
import Postgres
import Primitives

/// Cuts stages of settlement runs into shards, and says what a run would do.
package struct RunPlanner: Sendable {
  private let pool: PostgresPool
  private let pipeline: CommandPipeline
  private let reference: ReferenceStore
  /// Rows after which a shard is full. One transaction should be short beside a lease, and long beside its own overhead.
  private let shardWeight: Int64

  /// Accrual over 50,000 loans ran at 0.55 of set-based SQL with 500 and at 0.66 with 2,000; a shard of 2,000 holds the heads
  /// of its lenders for a third of a second.
  package static let usualShardWeight: Int64 = 1_000

  package init(
    pool: PostgresPool, pipeline: CommandPipeline, reference: ReferenceStore,
    shardWeight: Int64 = usualShardWeight
  ) {
    self.pool = pool
    self.pipeline = pipeline
    self.reference = reference
    self.shardWeight = shardWeight
  }

  private var deadline: ContinuousClock.Instant { .now + .seconds(60) }

  // MARK: shards

  /// The shards of a stage as the books are now, in a fixed order.
  package func shards(of stage: SettlementStage) async throws -> [ShardPlan] {
    switch stage.step {
    case .accrual, .dayAccrual:
      return pack(try await RunQueries.borrowersWithRunningLoans(pool, deadline: deadline), stage)
    case .sweep:
      return pack(try await RunQueries.borrowersToSweep(through: stage.on, pool, deadline: deadline), stage)
    case .maturity:
      return pack(try await RunQueries.borrowersWithMaturedLoans(on: stage.on, pool, deadline: deadline), stage)
    case .recalls:
      return pack(try await RunQueries.borrowersWithRecalls(on: stage.on, pool, deadline: deadline), stage)
    case .delinquency: return pack(try await RunQueries.borrowersWithDues(pool, deadline: deadline), stage)
    case .margin: return pack(try await RunQueries.borrowersToTest(pool, deadline: deadline), stage)
    case .payout:
      return try await RunQueries.lendersToPay(pool, deadline: deadline).map { lender, amount in
        ShardPlan(
          step: stage.step.rawValue, on: stage.on, subjects: [lender.value], details: [amount.currency.code], weight: 1)
      }
    case .fees:
      return pack(try await RunQueries.lendersToInvoice(through: stage.on, pool, deadline: deadline), stage)
    case .statements:
      guard let month = StatementDocument.month(of: stage.on) else { return [] }
      return pack(
        try await RunQueries.booksToState(from: month.first, through: month.last, pool, deadline: deadline), stage)
    case .close, .reconcile, .marks:
      return [ShardPlan(step: stage.step.rawValue, on: stage.on, subjects: [OrganizationID.platform.value], weight: 1)]
    }
  }

  /// Neighbours together until a shard is full; whoever fills one alone has it alone.
  private func pack(_ parties: [RunQueries.Weighted], _ stage: SettlementStage) -> [ShardPlan] {
    var shards: [ShardPlan] = []
    var (subjects, weight): ([UUIDValue], Int64) = ([], 0)
    func close() {
      guard !subjects.isEmpty else { return }
      shards.append(ShardPlan(step: stage.step.rawValue, on: stage.on, subjects: subjects, weight: weight))
      (subjects, weight) = ([], 0)
    }
    for (party, rows) in parties {
      if weight > 0, weight + rows > shardWeight { close() }
      subjects.append(party.value)
      weight += rows
    }
    close()
    return shards
  }

  /// Whether what a stage moves is so much that a second person must say yes: net of nothing, what is held for lenders in
  /// some currency is above the platform's limit.
  package func needsApproval(_ stage: SettlementStage) async throws -> Bool {
    guard stage.step == .payout else { return false }
    var sums: [Currency: Int64] = [:]
    for (_, amount) in try await RunQueries.lendersToPay(pool, deadline: deadline) {
      sums[amount.currency] = try sums[amount.currency, default: 0].adding(amount.amount)
    }
    return sums.values.contains { $0 > reference.current.parameters.payoutApprovalLimit }
  }

  // MARK: previews

  /// What a run would do now.
  package struct Preview: Sendable {
    package let stages: [SettlementStage]
    package let shards: [ShardPlan]
    package let totals: [String: Int64]
    /// Of everything; nil for a job of several stages, of which each depends on those before.
    package let hash: DigestSum?
    /// The first entries, and how many there are.
    package let entries: [EntryPreview]
    package let entryCount: Int64
    /// Parts that would be refused, with why.
    package let refusals: [String: Int64]
  }

  package typealias EntryPreview = SettleShard.Settled.Entry

  /// Does every shard and keeps nothing.
  /// - Parameter mostEntries: entries that are shown.
  package func preview(
    _ job: SettlementJob, on date: CalendarDate, closedThrough: CalendarDate?, mostEntries: Int = 200
  ) async throws -> Preview {
    let stages = try SettlementStage.of(job, on: date, closedThrough: closedThrough)
    var shards: [ShardPlan] = []
    for stage in stages where stage.step != .close { shards += try await self.shards(of: stage) }
    var totals: [String: Int64] = [:]
    var refusals: [String: Int64] = [:]
    var hash = DigestSum()
    var entries: [EntryPreview] = []
    var count: Int64 = 0
    for index in shards.indices {
      switch try await preview(shards[index]) {
      case .success(let settled):
        try totals.add(settled.totals)
        hash.add(settled.effects)
        shards[index].expected = settled.effects
        count += Int64(settled.entries.count)
        entries += settled.shown.prefix(max(0, mostEntries - entries.count))
      case .failure(let refusal): refusals[refusal.code, default: 0] += 1
      }
    }
    return Preview(
      stages: stages, shards: shards, totals: totals, hash: stages.count == 1 && refusals.isEmpty ? hash : nil,
      entries: entries, entryCount: count, refusals: refusals)
  }

  private func preview(_ plan: ShardPlan) async throws -> Result<SettleShard.Settled, PreviewRefusal> {
    let command = try SettleShard(plan, of: SettlementRunID(UUIDValue(high: 0, low: 0)), lease: nil)
    do {
      return .success(
        try await pipeline.outcome(of: command, by: .automation, validateOnly: true, weight: .heavy))
    } catch let refusal as any Refusal { return .failure(PreviewRefusal(code: refusal.code)) }
  }

  private struct PreviewRefusal: Error { let code: String }
}
