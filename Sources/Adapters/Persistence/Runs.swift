import Matching
import Postgres
import Primitives

/// A settlement run as it is asked for.
package struct PlannedRun: Sendable, Hashable {
  package let id: SettlementRunID
  package let job: String
  package let businessDate: CalendarDate
  package let requestedBy: PersonID?
  /// What its maker was shown: the run does exactly this, or nothing.
  package let previewHash: DigestSum?
  package let createdAt: Instant

  package init(
    id: SettlementRunID, job: String, businessDate: CalendarDate, requestedBy: PersonID?,
    previewHash: DigestSum? = nil, createdAt: Instant
  ) {
    self.id = id
    self.job = job
    self.businessDate = businessDate
    self.requestedBy = requestedBy
    self.previewHash = previewHash
    self.createdAt = createdAt
  }
}

/// A match round as it is asked for.
package struct PlannedMatchRound: Sendable, Hashable {
  package let id: MatchRoundID
  package let segment: MatchSegment
  package let businessAt: Instant
  package let requestedBy: PersonID?

  package init(id: MatchRoundID, segment: MatchSegment, businessAt: Instant, requestedBy: PersonID?) {
    self.id = id
    self.segment = segment
    self.businessAt = businessAt
    self.requestedBy = requestedBy
  }
}

/// Life cycle of a run or round: planned -> running -> succeeded | failed; a running one whose lease ran out is taken up
/// again where it stopped, since every effect is a command with a key of its own.
package enum RunState: String, Sendable, Hashable, CaseIterable {
  case planned, running, succeeded, failed, cancelled
}

/// Whether a run waits for a second person.
package enum RunApproval: String, Sendable, Hashable, CaseIterable {
  case notNeeded = "not_needed"
  /// Its shards are planned, and none of them is done before somebody other than its maker approves.
  case awaited
  case given
}

/// A settlement run as stored.
package struct SettlementRun: Sendable, Hashable {
  package let id: SettlementRunID
  package let job: String
  package let businessDate: CalendarDate
  package var state: RunState
  /// Shards planned so far, over all stages.
  package let total: Int64
  package var done: Int64
  /// Shards that were given up.
  package var dead: Int64
  /// JSON object of sums by name.
  package var totals: [UInt8]
  package var error: String?
  /// JSON array of what each stage does; empty until it was planned.
  package let stages: [UInt8]
  /// The present stage, from 0.
  package let stage: Int32
  /// The shards of the stage are there.
  package let isPlanned: Bool
  package let previewHash: DigestSum?
  /// Of all that it did; nil before its end.
  package let effectsHash: DigestSum?
  package let approval: RunApproval
  package let approvedBy: PersonID?
  package let endedAt: Instant?
  package let attempt: Int32
  package let requestedBy: PersonID?
  package let version: Int64
  package let createdAt: Instant
  package let updatedAt: Instant
}

/// A match round as stored.
package struct MatchRoundRow: Sendable, Hashable {
  package let id: MatchRoundID
  package let state: RunState
  package let segment: MatchSegment
  package let businessAt: Instant
  package let digest: SHA256Digest?
  /// JSON of the result, without the snapshot.
  package let result: [UInt8]?
  package let offersMade: Int64
  package let offersRefused: Int64
  package let error: String?
  package let attempt: Int32
  package let version: Int64
  package let createdAt: Instant
  package let updatedAt: Instant
}

/// Runs and rounds: planned in the transaction of the command that asks for them, claimed by any worker, and every later
/// write of a worker carries its attempt number, so that one whose lease was taken over changes nothing.
package enum RunSQL {
  static let insertRuns = Statement(
    "settlement_runs_plan",
    """
    insert into settlement_runs
      (id, job, business_date, state, total, done, totals, attempt, requested_by, preview_hash, version, created_at,
       updated_at)
    select u.id, u.job, u.business_date, 'planned', 0, 0, '{}', 0, u.requested_by, u.preview_hash, 1, u.created_at,
      u.created_at
    from unnest($1::uuid[], $2::text[], $3::date[], $4::uuid[], $5::timestamptz[], $6::bytea[])
      as u (id, job, business_date, requested_by, created_at, preview_hash)
    """,
    parameters: [.uuidArray, .textArray, .dateArray, .uuidArray, .timestamptzArray, .byteaArray])

  static let insertRounds = Statement(
    "match_rounds_plan",
    """
    insert into match_rounds
      (id, state, segment_chip_model_id, segment_region, business_at, offers_made, offers_refused, attempt, requested_by,
       version, created_at, updated_at)
    select u.id, 'planned', u.chip_model_id, u.region, u.business_at, 0, 0, 0, u.requested_by, 1, u.business_at,
      u.business_at
    from unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::uuid[])
      as u (id, chip_model_id, region, business_at, requested_by)
    """,
    parameters: [.uuidArray, .textArray, .textArray, .timestamptzArray, .uuidArray])

  static let runColumns: SQL = """
    id, job, business_date, state, total, done, dead, totals, error, stages, stage, is_planned, preview_hash,
    effects_hash, approval, approved_by, ended_at, attempt, requested_by, version, created_at, updated_at
    """
  static let runTypes: [PostgresType] = [
    .uuid, .text, .date, .text, .int8, .int8, .int8, .jsonb, .text, .jsonb, .int4, .bool, .bytea, .bytea, .text, .uuid,
    .timestamptz, .int4, .uuid, .int8, .timestamptz, .timestamptz,
  ]
  static let roundColumns: SQL = """
    id, state, segment_chip_model_id, segment_region, business_at, digest, result, offers_made, offers_refused, error,
    attempt, version, created_at, updated_at
    """
  static let roundTypes: [PostgresType] = [
    .uuid, .text, .text, .text, .timestamptz, .bytea, .jsonb, .int8, .int8, .text, .int4, .int8, .timestamptz,
    .timestamptz,
  ]

  /// Takes the oldest run that is planned, or whose worker's lease ran out before its shards were there. Leases go by wall
  /// time.
  package static let claimRun = Statement(
    "settlement_runs_claim",
    "update settlement_runs set state = 'running', attempt = attempt + 1, leased_until = $2, version = version + 1"
      + """
      where id = (
        select id from settlement_runs
        where state = 'planned' or (state = 'running' and not is_planned and leased_until < $1)
        order by created_at, id limit 1 for update skip locked)
      returning
      """ + runColumns,
    parameters: [.timestamptz, .timestamptz], columns: runTypes)

  /// Progress, lease and end of a run, by the attempt that holds it.
  package static let advanceRun = Statement(
    "settlement_runs_advance",
    """
    update settlement_runs set state = $3, total = $4, done = $5, totals = $6, error = $7, leased_until = $8,
      updated_at = $9, version = version + 1
    where id = $1 and attempt = $2 and state = 'running'
    """,
    parameters: [.uuid, .int4, .text, .int8, .int8, .jsonb, .text, .timestamptz, .timestamptz])

  package static let runByID = Statement(
    "settlement_run_by_id", "select" + runColumns + "from settlement_runs where id = $1", parameters: [.uuid],
    columns: runTypes)
  package static let roundByID = Statement(
    "match_round_by_id", "select" + roundColumns + "from match_rounds where id = $1", parameters: [.uuid],
    columns: roundTypes)
  package static let runsPage = Statement(
    "settlement_runs_page",
    "select" + runColumns
      + "from settlement_runs where (created_at, id) > ($1, $2) order by created_at, id limit $3",
    parameters: [.timestamptz, .uuid, .int8], columns: runTypes)
  package static let roundsPage = Statement(
    "match_rounds_page",
    "select" + roundColumns + "from match_rounds where (created_at, id) > ($1, $2) order by created_at, id limit $3",
    parameters: [.timestamptz, .uuid, .int8], columns: roundTypes)

  package static var statements: [Statement] {
    [
      insertRuns, insertRounds, claimRun, advanceRun, runByID, roundByID, runsPage, roundsPage,
    ]
  }

  package static func planning(_ runs: [PlannedRun]) -> Query {
    Query(
      insertRuns,
      [
        .uuidArray(runs.map(\.id.value.bits)), .textArray(runs.map(\.job)),
        .dateArray(runs.map(\.businessDate.dayNumber)), .uuidArray(runs.map { $0.requestedBy?.value.bits }),
        .timestamptzArray(runs.map(\.createdAt.microseconds)), .byteaArray(runs.map { $0.previewHash?.bytes }),
      ])
  }

  package static func planning(_ rounds: [PlannedMatchRound]) -> Query {
    Query(
      insertRounds,
      [
        .uuidArray(rounds.map(\.id.value.bits)), .textArray(rounds.map { $0.segment.chipModel?.value }),
        .textArray(rounds.map(\.segment.region)), .timestamptzArray(rounds.map(\.businessAt.microseconds)),
        .uuidArray(rounds.map { $0.requestedBy?.value.bits }),
      ])
  }

  package static func decodeRun(_ row: Row) throws -> SettlementRun {
    var reader = RowReader(row)
    let id: SettlementRunID = try reader.id()
    return SettlementRun(
      id: id, job: try reader.text(), businessDate: try reader.date(), state: try reader.value(),
      total: try reader.int(), done: try reader.int(), dead: try reader.int(), totals: try reader.jsonBytes(),
      error: try reader.textOrNull(), stages: try reader.jsonBytes(), stage: try reader.int4(),
      isPlanned: try reader.bool(), previewHash: try reader.bytesOrNull().flatMap { DigestSum(bytes: $0) },
      effectsHash: try reader.bytesOrNull().flatMap { DigestSum(bytes: $0) }, approval: try reader.value(),
      approvedBy: try reader.idOrNull(), endedAt: try reader.instantOrNull(), attempt: try reader.int4(),
      requestedBy: try reader.idOrNull(), version: try reader.int(),
      createdAt: try reader.instant(), updatedAt: try reader.instant())
  }

  package static func decodeRound(_ row: Row) throws -> MatchRoundRow {
    var reader = RowReader(row)
    let id: MatchRoundID = try reader.id()
    return MatchRoundRow(
      id: id, state: try reader.value(),
      segment: MatchSegment(chipModel: try reader.parsedOrNull { ChipModelID($0) }, region: try reader.textOrNull()),
      businessAt: try reader.instant(),
      digest: try reader.bytesOrNull().flatMap { SHA256Digest(bytes: $0) }, result: try reader.jsonBytesOrNull(),
      offersMade: try reader.int(), offersRefused: try reader.int(), error: try reader.textOrNull(),
      attempt: try reader.int4(), version: try reader.int(), createdAt: try reader.instant(),
      updatedAt: try reader.instant())
  }
}
