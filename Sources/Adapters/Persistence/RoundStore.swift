import Matching
import Postgres
import Primitives

/// The lease was taken over or has run out: this worker writes nothing more of the round.
package struct LeaseLost: Error {
  package init() {}
}

/// A match round that a worker holds.
package struct ClaimedRound: Sendable {
  package let round: MatchRoundRow
  package let lease: RoundLease
}

/// What a worker writes of the rounds it holds.
package struct RoundStore: Sendable {
  private let pool: PostgresPool

  package init(pool: PostgresPool) { self.pool = pool }

  private var deadline: ContinuousClock.Instant { .now + .seconds(30) }

  /// Takes the oldest round that is planned, or whose worker's lease ran out, and whose segment nobody clears now.
  package func claim(now: Instant, until: Instant) async throws -> ClaimedRound? {
    let deadline = deadline
    let isThere = try await pool.withConnection(deadline: deadline) { connection in
      try await connection.run(Query(RoundSQL.peek, [.timestamptz(now.microseconds)]), deadline: deadline)
        .single().bool(0)
    }
    guard isThere else { return nil }
    do { return try await take(now, until, deadline) } catch is LeaseLost {
      // Ended in this very moment by a worker whose lease had all but run out.
      return nil
    }
  }

  private func take(
    _ now: Instant, _ until: Instant, _ deadline: ContinuousClock.Instant
  ) async throws -> ClaimedRound? {
    try await pool.transaction(deadline: deadline) { transaction in
      _ = try await transaction.run(Query(RoundSQL.gate))
      let rows = try await transaction.run(Query(RoundSQL.candidate, [.timestamptz(now.microseconds)]))
      guard let found = try rows.first.map(RunSQL.decodeRound) else { return nil }
      let id = Bind.uuid(found.id.value.bits)
      let segment = found.segment
      let answers = try await transaction.pipeline([
        Query(RoundSQL.revoke, [.timestamptz(now.microseconds), id]),
        Query(
          RoundSQL.take,
          [
            .text(segment.description), .text(segment.chipModel?.value), .text(segment.region), id,
            .timestamptz(until.microseconds),
          ]), Query(RoundSQL.start, [id]),
      ])
      guard let started = try answers[2].first.map(RunSQL.decodeRound) else { throw LeaseLost() }
      let lease = RoundLease(segment: segment, roundID: found.id, token: try answers[1].single().int8(0))
      return ClaimedRound(round: started, lease: lease)
    }
  }

  /// Holds the segment for longer.
  /// - Throws: `LeaseLost`, as all of these.
  package func renew(_ lease: RoundLease, now: Instant, until: Instant) async throws {
    let deadline = deadline
    let query = Query(RoundSQL.renew, Self.binds(lease, now, until))
    let rows = try await pool.withConnection(deadline: deadline) { try await $0.run(query, deadline: deadline) }
    if rows.isEmpty { throw LeaseLost() }
  }

  /// Keeps what was decided, before any offer is made of it.
  package func record(
    _ lease: RoundLease, digest: SHA256Digest, snapshot: [UInt8], record: [UInt8], result: [UInt8],
    parameters: [UInt8], now: Instant, until: Instant
  ) async throws {
    try await write(
      Query(
        RoundSQL.record,
        Self.binds(lease, now, until) + [
          .bytea(digest.bytes), .bytea(snapshot), .bytea(record), .jsonb(result), .jsonb(parameters),
        ]))
  }

  package func progress(_ lease: RoundLease, made: Int64, refused: Int64, now: Instant, until: Instant) async throws {
    try await write(Query(RoundSQL.progress, Self.binds(lease, now, until) + [.int8(made), .int8(refused)]))
  }

  /// - Parameters:
  ///   - members: a JSON object, added to the stored result.
  ///   - timings: a JSON object, added to its timings.
  package func finish(
    _ lease: RoundLease, _ state: RunState, made: Int64, refused: Int64, members: [UInt8] = Array("{}".utf8),
    timings: [UInt8] = Array("{}".utf8), error: String? = nil, now: Instant
  ) async throws {
    try await write(
      Query(
        RoundSQL.finish,
        Array(Self.binds(lease, now, now).dropLast()) + [
          .text(state.rawValue), .int8(made), .int8(refused), .jsonb(members), .jsonb(timings), .text(error),
        ]))
  }

  /// What an earlier attempt decided.
  package func stored(_ id: MatchRoundID) async throws -> StoredRound? {
    let deadline = deadline
    let query = Query(RoundSQL.stored, [.uuid(id.value.bits)])
    return try await pool.withConnection(deadline: deadline) { try await $0.run(query, deadline: deadline) }
      .first.map(StoredRound.decode)
  }

  private func write(_ query: Query) async throws {
    let deadline = deadline
    let result = try await pool.withConnection(deadline: deadline) { try await $0.run(query, deadline: deadline) }
    guard result.affectedRows == 1 else { throw LeaseLost() }
  }

  private static func binds(_ lease: RoundLease, _ now: Instant, _ until: Instant) -> [Bind] {
    [
      .text(lease.segment.description), .uuid(lease.roundID.value.bits), .int8(lease.token),
      .timestamptz(now.microseconds), .timestamptz(until.microseconds),
    ]
  }
}
