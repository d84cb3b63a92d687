import Matching
import Postgres
import Primitives

/// A worker's hold on a segment of the market, for one round. The token goes up with every claim anywhere, so that what
/// a worker writes after it lost its hold is told from what the next one writes.
package struct RoundLease: Sendable, Hashable {
  package let segment: MatchSegment
  package let roundID: MatchRoundID
  package let token: Int64

  package init(segment: MatchSegment, roundID: MatchRoundID, token: Int64) {
    self.segment = segment
    self.roundID = roundID
    self.token = token
  }
}

/// The lease row of a segment, as a batch sees it: locked against a claim until the batch commits.
package struct MatchLeaseRow: Sendable, Hashable {
  package let segment: String
  package let roundID: MatchRoundID?
  package let token: Int64
  /// Wall time.
  package let leasedUntil: Instant?

  /// Whether this very hold still stands: nobody took it over, and it has not run out.
  package func holds(_ lease: RoundLease, at wallTime: Instant) -> Bool {
    guard let leasedUntil, leasedUntil >= wallTime else { return false }
    return segment == lease.segment.description && roundID == lease.roundID && token == lease.token
  }
}

/// Claims of match rounds, one at a time in overlapping segments over any number of workers, and what a claimed round
/// writes: every statement carries the lease, and one whose lease was lost changes nothing. Leases go by wall time.
package enum RoundSQL {
  /// Whether a segment of these parts overlaps that of the lease row.
  private static let overlaps: SQL = """
    (l.chip_model_id is null or r.segment_chip_model_id is null or l.chip_model_id = r.segment_chip_model_id)
    and (l.region is null or r.segment_region is null or l.region = r.segment_region)
    """
  private static let claimable: SQL =
    """
    match_rounds r where r.state in ('planned', 'running') and not exists (
      select 1 from match_leases l where l.leased_until >= $1 and
    """ + overlaps + ")"

  /// Looked at before anything is locked: workers ask twice a second.
  static let peek = Statement(
    "match_rounds_peek", "select exists (select 1 from" + claimable + ")", parameters: [.timestamptz],
    columns: [.bool])
  /// Claims go one by one: what one sees, none changes.
  static let gate = Statement(
    "match_leases_gate", "select token from match_leases where segment = '*' for update", columns: [.int8])
  static let candidate = Statement(
    "match_rounds_candidate",
    "select" + RunSQL.roundColumns + "from" + claimable + "order by r.created_at, r.id limit 1",
    parameters: [.timestamptz], columns: RunSQL.roundTypes)
  /// What ran out in an overlapping segment: whoever held it writes nothing more.
  static let revoke = Statement(
    "match_leases_revoke",
    """
    update match_leases l set round_id = null, leased_until = null
    from match_rounds r where r.id = $2 and l.leased_until < $1 and
    """ + overlaps,
    parameters: [.timestamptz, .uuid])
  static let take = Statement(
    "match_leases_take",
    """
    insert into match_leases (segment, chip_model_id, region, round_id, token, leased_until)
    values ($1, $2, $3, $4, (select max(token) + 1 from match_leases), $5)
    on conflict (segment) do update set round_id = excluded.round_id, token = excluded.token,
      leased_until = excluded.leased_until
    returning token
    """,
    parameters: [.text, .text, .text, .uuid, .timestamptz], columns: [.int8])
  static let start = Statement(
    "match_rounds_start",
    """
    update match_rounds set state = 'running', attempt = attempt + 1, version = version + 1
    where id = $1 and state in ('planned', 'running')
    returning
    """ + RunSQL.roundColumns,
    parameters: [.uuid], columns: RunSQL.roundTypes)

  /// `$1...$3` are the lease, `$4` the present, `$5` until when it is held from now on.
  private static let held: SQL = """
    with held as (
      update match_leases set leased_until = $5
      where segment = $1 and round_id = $2 and token = $3 and leased_until >= $4 returning token)
    """
  private static let heldTypes: [PostgresType] = [.text, .uuid, .int8, .timestamptz, .timestamptz]

  static let renew = Statement(
    "match_leases_renew", held + "select token from held", parameters: heldTypes, columns: [.int8])
  static let record = Statement(
    "match_rounds_record",
    held
      + """
      update match_rounds set digest = $6, snapshot = $7, record = $8, result = $9, parameters = $10, updated_at = $4,
        version = version + 1
      where id = $2 and state = 'running' and exists (select 1 from held)
      """, parameters: heldTypes + [.bytea, .bytea, .bytea, .jsonb, .jsonb])
  static let progress = Statement(
    "match_rounds_progress",
    held
      + """
      update match_rounds set offers_made = $6, offers_refused = $7, updated_at = $4, version = version + 1
      where id = $2 and state = 'running' and exists (select 1 from held)
      """, parameters: heldTypes + [.int8, .int8])
  /// Ends the round and gives the segment back. `$8` are members for the result, `$9` for its timings.
  static let finish = Statement(
    "match_rounds_finish",
    """
    with held as (
      update match_leases set round_id = null, leased_until = null
      where segment = $1 and round_id = $2 and token = $3 and leased_until >= $4 returning token)
    update match_rounds set state = $5, offers_made = $6, offers_refused = $7,
      result = result || $8 || jsonb_build_object('timings', (result -> 'timings') || $9),
      error = $10, updated_at = $4, version = version + 1
    where id = $2 and state = 'running' and exists (select 1 from held)
    """,
    parameters: [.text, .uuid, .int8, .timestamptz, .text, .int8, .int8, .jsonb, .jsonb, .text])

  /// A batch that writes for a round shares its lease row: a claim waits until the batch has committed, and the batch
  /// sees a claim that came first.
  static let share = Statement(
    "match_leases_share",
    """
    select segment, round_id, token, leased_until from match_leases where segment = any($1) order by segment for share
    """, parameters: [.textArray], columns: [.text, .uuid, .int8, .timestamptz])

  /// What a round is replayed from.
  package static let stored = Statement(
    "match_round_record", "select state, digest, snapshot, record, parameters from match_rounds where id = $1",
    parameters: [.uuid], columns: [.text, .bytea, .bytea, .bytea, .jsonb])

  package static var statements: [Statement] {
    [peek, gate, candidate, revoke, take, start, renew, record, progress, finish, share, stored, RoundsDue.state]
  }

  static func sharing(_ segments: Set<MatchSegment>) -> Query {
    Query(share, [.textArray(segments.map(\.description).sorted())])
  }

  static func decodeLease(_ row: Row) throws -> MatchLeaseRow {
    var reader = RowReader(row)
    return MatchLeaseRow(
      segment: try reader.text(), roundID: try reader.idOrNull(), token: try reader.int(),
      leasedUntil: try reader.instantOrNull())
  }
}

/// What rounds of a schedule are due for.
package struct RoundsDue: Sendable, Hashable {
  /// The sequence of the newest order, whatever became of it: wall-clock microseconds of its arrival.
  package let newestOrder: Int64?
  /// A round of the whole market waits to be claimed.
  package let isPlanned: Bool

  static let state = Statement(
    "match_rounds_due",
    """
    select
      greatest((select max(sequence) from listings), (select max(sequence) from loan_requests)),
      exists (
        select 1 from match_rounds
        where state = 'planned' and segment_chip_model_id is null and segment_region is null)
    """, columns: [.int8, .bool])

  package static func read(_ pool: PostgresPool, deadline: ContinuousClock.Instant) async throws -> RoundsDue {
    let row = try await pool.withConnection(deadline: deadline) {
      try await $0.run(Query(state), deadline: deadline).single()
    }
    var reader = RowReader(row)
    return RoundsDue(newestOrder: try reader.intOrNull(), isPlanned: try reader.bool())
  }
}

/// What was kept of a cleared round, to go on with or to replay.
package struct StoredRound: Sendable {
  package let state: RunState
  package let digest: SHA256Digest?
  /// Canonical bytes of the `MatchSnapshot`; nil where none was kept.
  package let snapshot: [UInt8]?
  /// Canonical bytes of the `MatchRoundResult`.
  package let record: [UInt8]?
  /// JSON of what the engine was told and which engine it was.
  package let parameters: [UInt8]?

  package static func decode(_ row: Row) throws -> StoredRound {
    var reader = RowReader(row)
    return StoredRound(
      state: try reader.value(), digest: try reader.bytesOrNull().flatMap { SHA256Digest(bytes: $0) },
      snapshot: try reader.bytesOrNull(), record: try reader.bytesOrNull(), parameters: try reader.jsonBytesOrNull())
  }
}
