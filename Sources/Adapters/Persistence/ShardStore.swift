import Postgres
import Primitives

/// How far a run is.
package struct RunProgress: Sendable, Hashable {
  package var done: Int64 = 0
  package var dead: Int64 = 0
  /// Planned or running.
  package var open: Int64 = 0
  package var totals: [String: Int64] = [:]
  /// Of all that its shards did so far.
  package var effects = DigestSum()

  package init() {}
}

extension SettlementRun {
  /// With how far its parts are, where they were counted now.
  package func with(_ progress: RunProgress) -> SettlementRun {
    guard state == .running, isPlanned || stage > 0 else { return self }
    var run = self
    (run.done, run.dead, run.totals) = (progress.done, progress.dead, progress.totals.jsonBytes)
    return run
  }
}

/// A shard that was given up, for the person who looks after it.
package struct DeadShard: Sendable, Hashable {
  package let number: Int32
  package let step: String
  package let on: CalendarDate
  package let subjects: [UUIDValue]
  package let attempt: Int32
  package let error: String?
}

/// What comes after a stage whose shards are all done.
package enum StageEnd: Sendable {
  /// The next one is to be planned, by the caller, under the attempt of this row.
  case next(SettlementRun)
  case ended(RunState)
  /// Another worker was first, or a shard is open after all.
  case notYet
}

/// What workers read and write of settlement runs and their shards, outside the pipeline.
package struct ShardStore: Sendable {
  private let pool: PostgresPool

  package init(pool: PostgresPool) { self.pool = pool }

  private var deadline: ContinuousClock.Instant { .now + .seconds(30) }

  private func run(_ query: Query) async throws -> ResultSet {
    let deadline = deadline
    return try await pool.withConnection(deadline: deadline) { try await $0.run(query, deadline: deadline) }
  }

  /// Takes the oldest run that waits for its shards.
  package func claimRun(now: Instant, until: Instant) async throws -> SettlementRun? {
    try await run(
      Query(RunSQL.claimRun, [.timestamptz(now.microseconds), .timestamptz(until.microseconds)])
    ).first.map(RunSQL.decodeRun)
  }

  /// Writes the shards of the run's present stage, all or none.
  /// - Throws: `LeaseLost` when the run was taken over, or ended.
  package func plan(
    _ run: SettlementRun, stages: [UInt8], _ shards: [ShardPlan], approval: RunApproval, now: Instant
  ) async throws {
    let id = Bind.uuid(run.id.value.bits)
    try await pool.transaction(deadline: deadline) { transaction in
      let planned = try await transaction.run(
        Query(
          ShardSQL.plannedStage,
          [
            id, .int4(run.attempt), .int8(Int64(shards.count)), .jsonb(stages), .text(approval.rawValue),
            .timestamptz(now.microseconds),
          ]))
      guard planned.affectedRows == 1 else { throw LeaseLost() }
      let last = try await transaction.run(Query(ShardSQL.lastNumber, [id])).single().int4(0)
      let inserts = shards.enumerated().map { offset, shard in
        Self.inserting(shard, run.id, number: last + Int32(offset) + 1, stage: run.stage, now)
      }
      // Pieces: one pipeline holds its whole answer in memory.
      for start in stride(from: 0, to: inserts.count, by: 500) {
        _ = try await transaction.pipeline(Array(inserts[start..<min(start + 500, inserts.count)]))
      }
    }
  }

  private static func inserting(
    _ shard: ShardPlan, _ run: SettlementRunID, number: Int32, stage: Int32, _ now: Instant
  ) -> Query {
    Query(
      ShardSQL.insert,
      [
        .uuid(run.value.bits), .int4(number), .int4(stage), .text(shard.step), .date(shard.on.dayNumber),
        .textArray(shard.subjects.map(\.description)), .textArray(shard.details), .int8(shard.weight),
        .bytea(shard.expected?.bytes),
        .timestamptz(now.microseconds),
      ])
  }

  package func fail(_ run: SettlementRun, error: String, now: Instant) async throws {
    _ = try await self.run(
      Query(
        ShardSQL.fail,
        [.uuid(run.id.value.bits), .int4(run.attempt), .text(error), .timestamptz(now.microseconds)]))
  }

  // MARK: shards

  /// Takes the first shard that is open, or whose worker's lease ran out.
  package func claim(now: Instant, until: Instant) async throws -> ClaimedShard? {
    try await run(
      Query(ShardSQL.claim, [.timestamptz(now.microseconds), .timestamptz(until.microseconds)])
    ).first.map { row in
      var reader = RowReader(row)
      let lease = ShardLease(runID: try reader.id(), number: try reader.int4(), attempt: try reader.int4())
      let plan = ShardPlan(
        step: try reader.text(), on: try reader.date(), subjects: try reader.uuidTexts(), details: try reader.texts(),
        weight: try reader.int(), expected: try reader.bytesOrNull().flatMap { DigestSum(bytes: $0) })
      return ClaimedShard(lease: lease, plan: plan, job: try reader.text(), tries: try reader.int4())
    }
  }

  /// - Throws: `LeaseLost` when the shard was taken over or ended.
  package func renew(_ lease: ShardLease, until: Instant) async throws {
    try await expectOne(Query(ShardSQL.renew, ShardSQL.binds(lease) + [.timestamptz(until.microseconds)]))
  }

  /// Gives a shard back: to be tried again from `notBefore` on, or for good when that is nil.
  package func release(_ lease: ShardLease, error: String, notBefore: Instant?, now: Instant) async throws {
    let state: ShardState = notBefore == nil ? .dead : .planned
    try await expectOne(
      Query(
        ShardSQL.release,
        ShardSQL.binds(lease) + [
          .text(state.rawValue), .timestamptz(notBefore?.microseconds), .text(error), .timestamptz(now.microseconds),
        ]))
  }

  /// Puts two halves in the place of a shard that holds a subject which cannot be done, so that it will be alone.
  package func split(
    _ shard: ClaimedShard, _ halves: (ShardPlan, ShardPlan), error: String, now: Instant
  ) async throws {
    let lease = shard.lease
    let id = Bind.uuid(lease.runID.value.bits)
    try await pool.transaction(deadline: deadline) { transaction in
      let run = try RunSQL.decodeRun(await transaction.run(Query(ShardSQL.lockRun, [id])).single())
      let released = try await transaction.run(
        Query(
          ShardSQL.release,
          ShardSQL.binds(lease) + [
            .text(ShardState.split.rawValue), .timestamptz(nil), .text(error), .timestamptz(now.microseconds),
          ]))
      guard released.affectedRows == 1 else { throw LeaseLost() }
      let last = try await transaction.run(Query(ShardSQL.lastNumber, [id])).single().int4(0)
      _ = try await transaction.pipeline([
        Self.inserting(halves.0, lease.runID, number: last + 1, stage: run.stage, now),
        Self.inserting(halves.1, lease.runID, number: last + 2, stage: run.stage, now),
      ])
    }
  }

  private func expectOne(_ query: Query) async throws {
    guard try await run(query).affectedRows == 1 else { throw LeaseLost() }
  }

  // MARK: stages

  /// Runs of which no shard is open: their stage has ended, whoever did its last shard.
  package func idleRuns() async throws -> [SettlementRunID] {
    try await run(Query(ShardSQL.idleRuns)).map { SettlementRunID(try $0.uuid(0).value) }
  }

  /// Ends a stage of which no shard is open: the run goes on with the next, or ends.
  /// - Parameter stageCount: of the run as it was planned.
  package func endStage(
    _ id: SettlementRunID, stageCount: (SettlementRun) throws -> Int, now: Instant, until: Instant
  ) async throws -> StageEnd {
    let bind = Bind.uuid(id.value.bits)
    return try await pool.transaction(deadline: deadline) { transaction in
      guard let row = try await transaction.run(Query(ShardSQL.lockRun, [bind])).first else { return .notYet }
      let run = try RunSQL.decodeRun(row)
      let progress = try await Self.progress(bind, transaction)
      guard run.state == .running, run.isPlanned, progress.open == 0 else { return .notYet }
      if progress.dead == 0, Int(run.stage) + 1 < (try stageCount(run)) {
        let next = try await transaction.run(
          Query(
            ShardSQL.nextStage,
            [bind, .timestamptz(until.microseconds), .int8(progress.done), .timestamptz(now.microseconds)]))
        return .next(try RunSQL.decodeRun(next.single()))
      }
      let state: RunState = progress.dead == 0 ? .succeeded : .failed
      let error = progress.dead == 0 ? nil : "\(progress.dead) of \(run.total) parts were given up"
      _ = try await transaction.run(
        Query(
          ShardSQL.end,
          [
            bind, .text(state.rawValue), .int8(progress.done), .int8(progress.dead), .jsonb(progress.totals.jsonBytes),
            .bytea(progress.effects.bytes), .text(error), .timestamptz(now.microseconds),
          ]))
      return .ended(state)
    }
  }

  private static func progress(_ id: Bind, _ transaction: Transaction) async throws -> RunProgress {
    try decode(try await transaction.pipeline(progressQueries(id)))
  }

  /// Counts, sums and effects of a run's shards.
  package static func progressQueries(_ id: SettlementRunID) -> [Query] { progressQueries(.uuid(id.value.bits)) }

  private static func progressQueries(_ id: Bind) -> [Query] {
    [Query(ShardSQL.counts, [id]), Query(ShardSQL.sums, [id]), Query(ShardSQL.effects, [id])]
  }

  /// From the results of `progressQueries`.
  package static func decode(_ results: [ResultSet]) throws -> RunProgress {
    var progress = RunProgress()
    for row in results[0] {
      var reader = RowReader(row)
      let state: ShardState = try reader.value()
      let count = try reader.int()
      switch state {
      case .done: progress.done = count
      case .dead: progress.dead = count
      case .planned, .running: progress.open += count
      case .split, .cancelled: break
      }
    }
    for row in results[1] { progress.totals[try row.text(0)] = try row.int8(1) }
    for row in results[2] {
      if let sum = DigestSum(bytes: try row.bytea(0)) { progress.effects.add(sum) }
    }
    return progress
  }

  package static func deadShardsQuery(_ id: SettlementRunID) -> Query {
    Query(ShardSQL.deadShards, [.uuid(id.value.bits)])
  }

  package static func decodeDead(_ result: ResultSet) throws -> [DeadShard] {
    try result.map { row in
      var reader = RowReader(row)
      return DeadShard(
        number: try reader.int4(), step: try reader.text(), on: try reader.date(), subjects: try reader.uuidTexts(),
        attempt: try reader.int4(), error: try reader.textOrNull())
    }
  }
}
