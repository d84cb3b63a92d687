import Postgres
import Primitives

/// A part of a stage of a settlement run, as it is planned.
package struct ShardPlan: Sendable, Hashable {
  package let step: String
  package let on: CalendarDate
  /// Whom or what it is about: borrowers, lenders.
  package let subjects: [UUIDValue]
  /// A word beside each subject, a currency for example; empty where none has one.
  package let details: [String]
  /// How much work it is, in rows of whatever the step works through.
  package let weight: Int64
  /// What its maker was shown of it: it does exactly this, or nothing.
  package var expected: DigestSum?

  package init(
    step: String, on: CalendarDate, subjects: [UUIDValue], details: [String] = [], weight: Int64,
    expected: DigestSum? = nil
  ) {
    self.expected = expected
    self.step = step
    self.on = on
    self.subjects = subjects
    self.details = details
    self.weight = weight
  }

  /// Its first and second half; nil for one subject, which cannot be cut, and where what was shown binds the whole.
  package var halves: (ShardPlan, ShardPlan)? {
    guard subjects.count > 1, expected == nil else { return nil }
    let middle = subjects.count / 2
    func part(_ range: Range<Int>) -> ShardPlan {
      ShardPlan(
        step: step, on: on, subjects: Array(subjects[range]), details: details.isEmpty ? [] : Array(details[range]),
        weight: max(1, weight * Int64(range.count) / Int64(subjects.count)))
    }
    return (part(0..<middle), part(middle..<subjects.count))
  }
}

/// A worker's hold on a shard. The attempt goes up with every claim, so that what a worker that lost its hold still
/// writes is told from what the next one writes.
package struct ShardLease: Sendable, Hashable {
  package let runID: SettlementRunID
  package let number: Int32
  package let attempt: Int32

  package init(runID: SettlementRunID, number: Int32, attempt: Int32) {
    self.runID = runID
    self.number = number
    self.attempt = attempt
  }
}

/// A shard that a worker holds.
package struct ClaimedShard: Sendable {
  package let lease: ShardLease
  package let plan: ShardPlan
  package let job: String
  /// This one included, since it was planned or a person revived it.
  package let tries: Int32
}

/// A shard's row as a batch sees it, locked until the batch commits.
package struct ShardRow: Sendable, Hashable {
  package let attempt: Int32
  package let isRunning: Bool
  /// Wall time.
  package let leasedUntil: Instant?

  package func holds(_ lease: ShardLease, at wallTime: Instant) -> Bool {
    guard let leasedUntil, leasedUntil >= wallTime else { return false }
    return isRunning && attempt == lease.attempt
  }
}

/// That a shard is done, written in the transaction of its effects.
package struct ShardCompletion: Sendable, Hashable {
  package let lease: ShardLease
  /// JSON object of sums by name.
  package let totals: [UInt8]
  package let effects: DigestSum

  package init(lease: ShardLease, totals: [UInt8], effects: DigestSum) {
    self.lease = lease
    self.totals = totals
    self.effects = effects
  }
}

/// Life cycle of a shard: planned -> running -> done; running -> planned again after a failure that may pass, -> split
/// where one of several subjects cannot be done, -> dead where it is alone; planned -> cancelled with its run.
package enum ShardState: String, Sendable, Hashable, CaseIterable {
  case planned, running, done, split, dead, cancelled
}

/// Statements about shards. Whatever a worker writes carries its attempt. Leases go by wall time.
enum ShardSQL {
  static let insert = Statement(
    "settlement_shards_insert",
    """
    insert into settlement_shards
      (run_id, number, stage, step, on_date, subjects, details, weight, expected_hash, state, attempt, totals, updated_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'planned', 0, '{}', $10)
    """,
    parameters: [.uuid, .int4, .int4, .text, .date, .textArray, .textArray, .int8, .bytea, .timestamptz])
  /// The shards of the stage are there: whoever comes may take one. Fenced by the attempt that planned them.
  static let plannedStage = Statement(
    "settlement_runs_planned_stage",
    """
    update settlement_runs set is_planned = true, leased_until = null, total = total + $3, stages = $4, approval = $5,
      updated_at = $6, version = version + 1
    where id = $1 and attempt = $2 and state = 'running' and not is_planned
    """,
    parameters: [.uuid, .int4, .int8, .jsonb, .text, .timestamptz])
  static let lastNumber = Statement(
    "settlement_shards_last", "select coalesce(max(number), 0)::int from settlement_shards where run_id = $1",
    parameters: [.uuid], columns: [.int4])
  static let claim = Statement(
    "settlement_shards_claim",
    """
    update settlement_shards s set state = 'running', attempt = s.attempt + 1, leased_until = $2, updated_at = $1
    from settlement_runs r
    where r.id = s.run_id and (s.run_id, s.number) = (
      select c.run_id, c.number from settlement_shards c join settlement_runs o on o.id = c.run_id
      where o.state = 'running' and o.is_planned and o.approval <> 'awaited'
        and ((c.state = 'planned' and (c.not_before is null or c.not_before <= $1))
          or (c.state = 'running' and c.leased_until < $1))
      order by o.created_at, c.run_id, c.number limit 1 for update of c skip locked)
    returning s.run_id, s.number, s.attempt, s.step, s.on_date, s.subjects, s.details, s.weight, s.expected_hash,
      r.job, s.attempt - s.revived_at_attempt
    """,
    parameters: [.timestamptz, .timestamptz],
    columns: [.uuid, .int4, .int4, .text, .date, .textArray, .textArray, .int8, .bytea, .text, .int4])

  private static let heldTypes: [PostgresType] = [.uuid, .int4, .int4]
  static let renew = Statement(
    "settlement_shards_renew",
    """
    update settlement_shards set leased_until = $4
    where run_id = $1 and number = $2 and attempt = $3 and state = 'running'
    """, parameters: heldTypes + [.timestamptz])
  /// Gives a shard back, for good or until later.
  static let release = Statement(
    "settlement_shards_release",
    """
    update settlement_shards set state = $4, leased_until = null, not_before = $5, error = $6, updated_at = $7
    where run_id = $1 and number = $2 and attempt = $3 and state = 'running'
    """, parameters: heldTypes + [.text, .timestamptz, .text, .timestamptz])
  /// In the batch that has its effects.
  static let complete = Statement(
    "settlement_shards_complete",
    """
    update settlement_shards set state = 'done', leased_until = null, error = null, totals = $4, effects_hash = $5,
      updated_at = $6
    where run_id = $1 and number = $2 and attempt = $3 and state = 'running'
    """, parameters: heldTypes + [.jsonb, .bytea, .timestamptz])
  /// A batch that does a shard holds its row against a claim.
  static let hold = Statement(
    "settlement_shards_hold",
    """
    select attempt, state, leased_until from settlement_shards where run_id = $1 and number = $2 for update
    """, parameters: [.uuid, .int4], columns: [.int4, .text, .timestamptz])

  /// Runs whose present stage has no shard that is open.
  static let idleRuns = Statement(
    "settlement_runs_idle",
    """
    select r.id from settlement_runs r
    where r.state = 'running' and r.is_planned and r.approval <> 'awaited' and not exists (
      select 1 from settlement_shards s where s.run_id = r.id and s.state in ('planned', 'running'))
    order by r.created_at, r.id limit 100
    """, columns: [.uuid])
  static let lockRun = Statement(
    "settlement_runs_lock", "select" + RunSQL.runColumns + "from settlement_runs where id = $1 for update",
    parameters: [.uuid], columns: RunSQL.runTypes)
  static let counts = Statement(
    "settlement_shards_counts",
    "select state, count(*) from settlement_shards where run_id = $1 group by state order by state",
    parameters: [.uuid], columns: [.text, .int8])
  static let sums = Statement(
    "settlement_shards_sums",
    """
    select t.key, sum(t.value::bigint)::bigint from settlement_shards s, jsonb_each_text(s.totals) t
    where s.run_id = $1 and s.state = 'done' group by t.key order by t.key
    """, parameters: [.uuid], columns: [.text, .int8])
  static let effects = Statement(
    "settlement_shards_effects",
    "select effects_hash from settlement_shards where run_id = $1 and state = 'done' order by number",
    parameters: [.uuid], columns: [.bytea])
  static let deadShards = Statement(
    "settlement_shards_dead",
    """
    select number, step, on_date, subjects, attempt, error from settlement_shards
    where run_id = $1 and state = 'dead' order by number limit 100
    """, parameters: [.uuid], columns: [.int4, .text, .date, .textArray, .int4, .text])
  /// The next stage waits for its shards: the caller holds the run's row and plans them under the new attempt.
  static let nextStage = Statement(
    "settlement_runs_next_stage",
    """
    update settlement_runs set stage = stage + 1, is_planned = false, attempt = attempt + 1, leased_until = $2,
      done = $3, updated_at = $4, version = version + 1
    where id = $1
    returning
    """ + RunSQL.runColumns,
    parameters: [.uuid, .timestamptz, .int8, .timestamptz], columns: RunSQL.runTypes)
  static let end = Statement(
    "settlement_runs_end",
    """
    update settlement_runs set state = $2, done = $3, dead = $4, totals = $5, effects_hash = $6, error = $7,
      leased_until = null, ended_at = $8, updated_at = $8, version = version + 1
    where id = $1 and state = 'running'
    """, parameters: [.uuid, .text, .int8, .int8, .jsonb, .bytea, .text, .timestamptz])
  /// A run that could not be planned.
  static let fail = Statement(
    "settlement_runs_fail",
    """
    update settlement_runs set state = 'failed', error = $3, leased_until = null, ended_at = $4, updated_at = $4,
      version = version + 1
    where id = $1 and attempt = $2 and state = 'running'
    """, parameters: [.uuid, .int4, .text, .timestamptz])

  // What persons do to a run.

  static let approve = Statement(
    "settlement_runs_approve",
    """
    update settlement_runs set approval = 'given', approved_by = $2, updated_at = $3, version = version + 1
    where id = $1 and approval = 'awaited' and state in ('planned', 'running')
    """, parameters: [.uuid, .uuid, .timestamptz])
  static let cancel = Statement(
    "settlement_runs_cancel",
    """
    update settlement_runs set state = 'cancelled', leased_until = null, ended_at = $2, updated_at = $2,
      version = version + 1
    where id = $1 and state in ('planned', 'running')
    """, parameters: [.uuid, .timestamptz])
  static let cancelShards = Statement(
    "settlement_shards_cancel",
    """
    update settlement_shards set state = 'cancelled', updated_at = $2 where run_id = $1 and state = 'planned'
    """, parameters: [.uuid, .timestamptz])
  static let resume = Statement(
    "settlement_runs_resume",
    """
    update settlement_runs set state = 'running', error = null, ended_at = null, dead = 0, effects_hash = null,
      leased_until = case when is_planned then null else $2::timestamptz end, updated_at = $2, version = version + 1
    where id = $1 and state = 'failed'
    """, parameters: [.uuid, .timestamptz])
  static let reviveShards = Statement(
    "settlement_shards_revive",
    """
    update settlement_shards set state = 'planned', revived_at_attempt = attempt, not_before = null, updated_at = $2
    where run_id = $1 and state = 'dead'
    """, parameters: [.uuid, .timestamptz])

  static var statements: [Statement] {
    [
      insert, plannedStage, lastNumber, claim, renew, release, complete, hold, idleRuns, lockRun, counts, sums, effects,
      deadShards, nextStage, end, fail, approve, cancel, cancelShards, resume, reviveShards,
    ]
  }

  static func binds(_ lease: ShardLease) -> [Bind] {
    [.uuid(lease.runID.value.bits), .int4(lease.number), .int4(lease.attempt)]
  }

  static func completing(_ done: ShardCompletion, at now: Instant) -> Query {
    Query(
      complete, binds(done.lease) + [.jsonb(done.totals), .bytea(done.effects.bytes), .timestamptz(now.microseconds)])
  }

  static func holding(_ lease: ShardLease) -> Query {
    Query(hold, [.uuid(lease.runID.value.bits), .int4(lease.number)])
  }

  static func decode(_ row: Row) throws -> ShardRow {
    var reader = RowReader(row)
    let attempt = try reader.int4()
    let state: ShardState = try reader.value()
    return ShardRow(attempt: attempt, isRunning: state == .running, leasedUntil: try reader.instantOrNull())
  }
}

extension RowReader {
  /// A list of ids of whatever kind, as text.
  mutating func uuidTexts() throws -> [UUIDValue] { try parsedList { UUIDValue($0) } }
}
