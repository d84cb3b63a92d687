import Postgres
import Primitives

/// The one row that every batch reads: business time, and the version of the reference data.
package enum PlatformSQL {
  package static let state = Statement(
    "platform_state", "select business_now, reference_version, closed_through from platform_state where id = 1",
    columns: [.timestamptz, .int8, .date])

  /// Moves a sandbox's clock forward, never back.
  package static let moveClock = Statement(
    "platform_move_clock",
    """
    update platform_state set business_now = $1
    where id = 1 and (business_now is null or business_now <= $1)
    """,
    parameters: [.timestamptz])

  /// Holds the day of the earliest entry of a batch open until the batch commits: a day that closes meanwhile waits, and a
  /// batch that comes after it is decided again.
  package static let requireOpen = Statement(
    "platform_open_days",
    "select id from platform_state where id = 1 and (closed_through is null or closed_through < $1) for share",
    parameters: [.date], columns: [.int4])

  /// Business time is wall time unless a sandbox's clock is set.
  package static func decode(_ row: Row, wallTime: Instant) throws -> PlatformState {
    var reader = RowReader(row)
    let set = try reader.instantOrNull()
    return PlatformState(
      now: set ?? wallTime, clockIsSet: set != nil, referenceVersion: try reader.int(),
      closedThrough: try reader.dateOrNull())
  }
}

/// What the row says.
package struct PlatformState: Sendable, Hashable {
  /// Business time.
  package let now: Instant
  /// Business time is a sandbox's own, not the wall clock's.
  package let clockIsSet: Bool
  package let referenceVersion: Int64
  /// The last business date that is closed; nil before the first.
  package let closedThrough: CalendarDate?

  package init(now: Instant, clockIsSet: Bool, referenceVersion: Int64, closedThrough: CalendarDate? = nil) {
    self.closedThrough = closedThrough
    self.now = now
    self.clockIsSet = clockIsSet
    self.referenceVersion = referenceVersion
  }
}

/// Stored answers by organisation and key.
package enum AnswerSQL {
  private static let select = Statement(
    "idempotency_look_up",
    """
    select i.org_id, i.key, i.fingerprint, i.status, i.headers, i.body, i.created_at
    from unnest($1::uuid[], $2::text[]) as u (org_id, key)
    join idempotency i on i.org_id = u.org_id and i.key = u.key
    """,
    parameters: [.uuidArray, .textArray], columns: Tables.idempotency.types)

  package static let expire = Statement(
    "idempotency_expire", "delete from idempotency where created_at < $1", parameters: [.timestamptz])

  package static func lookUp(_ keys: [(OrganizationID, String)]) -> Query {
    Query(select, [.uuidArray(keys.map(\.0.value.bits)), .textArray(keys.map(\.1))])
  }

  package static var statements: [Statement] {
    [select, expire, PlatformSQL.state, PlatformSQL.moveClock, PlatformSQL.requireOpen]
  }
}
