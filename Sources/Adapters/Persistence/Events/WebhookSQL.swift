import Parties
import Postgres
import Primitives

/// A worker's hold on a webhook. The token goes up with every claim, so that what a worker writes after it lost its hold is
/// told from what the next one writes.
package struct WebhookLease: Sendable {
  package let organizationID: OrganizationID
  package let webhookID: WebhookID
  package let token: Int64
  package let url: String
  /// Since when it has failed without a success between.
  package let failingSince: Instant?

  var binds: [Bind] { [.uuid(organizationID.value.bits), .uuid(webhookID.value.bits), .int8(token)] }
}

/// How an event stands with a webhook.
package enum DeliveryState: String, Sendable, Hashable, CaseIterable {
  case pending, delivered
  /// Every try failed; it may be asked for again.
  case dead
}

/// An event that is due.
package struct DueDelivery: Sendable {
  package let position: Int64
  package let subject: String
  package let event: StoredEvent
}

/// A row of the log of deliveries.
package struct DeliveryRecord: Sendable {
  package struct Attempt: Sendable {
    package let number: Int64
    package let at: Instant
    package let latencyMilliseconds: Int64
    package let outcome: String
    package let status: Int32?
    package let excerpt: String?
  }

  package let position: Int64
  package let eventID: EventID
  package let type: String
  package let subject: String
  package let state: DeliveryState
  package let attempts: Int64
  package let nextAttemptAt: Instant
  package let createdAt: Instant
  package let updatedAt: Instant
  package var log: [Attempt] = []

  package init(_ row: Row) throws {
    var reader = RowReader(row)
    (position, eventID) = (try reader.int(), try reader.id())
    (type, subject, state) = (try reader.text(), try reader.text(), try reader.value())
    (attempts, nextAttemptAt) = (Int64(try reader.int4()), try reader.instant())
    (createdAt, updatedAt) = (try reader.instant(), try reader.instant())
  }
}

/// Dealing events to webhooks, and what a worker that holds one writes. All times are wall time.
package enum WebhookSQL {
  private static let key: [PostgresType] = [.uuid, .uuid]

  // MARK: acts of persons

  static let addSecret = Statement(
    "webhook_secrets_insert",
    "insert into webhook_secrets (org_id, webhook_id, id, sealed, created_at) values ($1, $2, $3, $4, $5)",
    parameters: key + [.uuid, .bytea, .timestamptz])
  static let retireSecrets = Statement(
    "webhook_secrets_retire",
    """
    update webhook_secrets set valid_until = $4
    where org_id = $1 and webhook_id = $2 and (valid_until is null or valid_until > $4) and created_at <= $3
    """, parameters: key + [.timestamptz, .timestamptz])
  static let addLease = Statement(
    "webhook_leases_insert",
    "insert into webhook_leases (org_id, webhook_id, token, claimed_at) values ($1, $2, 0, $3)",
    parameters: key + [.timestamptz])
  static let forgive = Statement(
    "webhook_leases_forgive",
    "update webhook_leases set failing_since = null where org_id = $1 and webhook_id = $2", parameters: key)
  static let hasten = Statement(
    "webhook_deliveries_hasten",
    """
    update webhook_deliveries set next_attempt_at = $3
    where org_id = $1 and webhook_id = $2 and state = 'pending' and next_attempt_at > $3
    """, parameters: key + [.timestamptz])
  static let drop = Statement(
    "webhook_deliveries_drop",
    """
    update webhook_deliveries set state = 'dead', updated_at = $3
    where org_id = $1 and webhook_id = $2 and state = 'pending'
    """, parameters: key + [.timestamptz])
  /// An event goes to a webhook of who is told of it; a ping to the one that was pinged, whatever it asks for.
  private static let wanted: SQL = """
    case when o.type = 'webhook.ping' then o.subject = 'whk_' || w.id
      else cardinality(w.types) = 0 or o.type = any(w.types) or split_part(o.type, '.', 1) || '.*' = any(w.types) end
    """
  /// Only what was dealt already: what comes is dealt by itself.
  private static func redelivering(_ events: SQL) -> SQL {
    """
    insert into webhook_deliveries (org_id, webhook_id, position, event_id, subject, type, state, attempts,
      next_attempt_at, created_at, updated_at)
    select w.org_id, w.id, o.position, o.id, o.subject, o.type, 'pending', 0, $4::timestamptz, $4, $4
    from webhooks w join outbox o on w.org_id in (o.org_a, o.org_b)
    where w.org_id = $1 and w.id = $2 and o.position <= (select position from webhook_dealing where id = 1) and
    """ + events + "and" + wanted
      + """
      order by o.position limit 10000
      on conflict (org_id, webhook_id, position) do update
        set state = 'pending', attempts = 0, next_attempt_at = excluded.next_attempt_at, updated_at = excluded.updated_at
      """
  }
  static let redeliverOne = Statement(
    "webhook_redeliver_one", redelivering("o.id = $3"), parameters: key + [.uuid, .timestamptz])
  static let redeliverSince = Statement(
    "webhook_redeliver_since", redelivering("o.id >= $3"), parameters: key + [.uuid, .timestamptz])

  // MARK: dealing

  static let lockDealing = Statement(
    "webhook_dealing_lock", "select position from webhook_dealing where id = 1 for update skip locked",
    columns: [.int8])
  static let deal = Statement(
    "webhook_deliveries_deal",
    """
    insert into webhook_deliveries (org_id, webhook_id, position, event_id, subject, type, state, attempts,
      next_attempt_at, created_at, updated_at)
    select w.org_id, w.id, o.position, o.id, o.subject, o.type, 'pending', 0,
      greatest($3, (
        select max(d.next_attempt_at) from webhook_deliveries d
        where d.org_id = w.org_id and d.webhook_id = w.id and d.subject = o.subject and d.state = 'pending')),
      $3, $3
    from outbox o join webhooks w on w.org_id in (o.org_a, o.org_b) and w.state in ('active', 'paused')
    where o.position > $1 and o.position <= $2 and o.position > w.from_position and
    """ + wanted + "on conflict (org_id, webhook_id, position) do nothing",
    parameters: [.int8, .int8, .timestamptz])
  static let dealt = Statement(
    "webhook_dealing_move", "update webhook_dealing set position = $1 where id = 1", parameters: [.int8])

  // MARK: delivering

  /// Webhooks that have something due and nobody who delivers for them; `$4` those that fail, or those that do not, so that the
  /// first never take all places.
  static let claim = Statement(
    "webhook_leases_claim",
    """
    with open as (
      select l.org_id, l.webhook_id, w.url from webhook_leases l
        join webhooks w on w.org_id = l.org_id and w.id = l.webhook_id
      where w.state = 'active' and (l.leased_until is null or l.leased_until < $1)
        and (l.failing_since is not null) = $4
        and exists (
          select 1 from webhook_deliveries d
          where d.org_id = l.org_id and d.webhook_id = l.webhook_id and d.state = 'pending' and d.next_attempt_at <= $1)
      order by l.claimed_at limit $3 for update of l skip locked)
    update webhook_leases l set token = l.token + 1, leased_until = $2, claimed_at = $1 from open
    where l.org_id = open.org_id and l.webhook_id = open.webhook_id
    returning l.org_id, l.webhook_id, l.token, open.url, l.failing_since
    """, parameters: [.timestamptz, .timestamptz, .int8, .bool],
    columns: [.uuid, .uuid, .int8, .text, .timestamptz])
  /// The first pending event of each object that has one due.
  static let due = Statement(
    "webhook_deliveries_due",
    """
    select d.position from webhook_deliveries d
    where d.org_id = $1 and d.webhook_id = $2 and d.state = 'pending' and d.next_attempt_at <= $3 and not exists (
      select 1 from webhook_deliveries e
      where e.org_id = $1 and e.webhook_id = $2 and e.state = 'pending' and e.subject = d.subject
        and e.position < d.position)
    order by d.position limit $4
    """, parameters: key + [.timestamptz, .int8], columns: [.int8])
  static let secrets = Statement(
    "webhook_secrets_valid",
    """
    select sealed from webhook_secrets where org_id = $1 and webhook_id = $2 and (valid_until is null or valid_until > $3)
    order by created_at desc, id desc limit 3
    """, parameters: key + [.timestamptz], columns: [.bytea])

  /// `$1...$3` are the lease, `$4` the present, `$5` until when it is held from now on.
  private static let held: SQL = """
    with held as (
      update webhook_leases l set leased_until = $5 from webhooks w
      where l.org_id = $1 and l.webhook_id = $2 and l.token = $3 and l.leased_until >= $4
        and w.org_id = $1 and w.id = $2 and w.state = 'active'
      returning l.token)
    """
  private static let heldTypes: [PostgresType] = [.uuid, .uuid, .int8, .timestamptz, .timestamptz]
  /// Counted before it is made: a try that ends the process counts too.
  static let begin = Statement(
    "webhook_deliveries_begin",
    held
      + """
      update webhook_deliveries set attempts = attempts + 1, updated_at = $4
      where org_id = $1 and webhook_id = $2 and position = $6 and state = 'pending' and exists (select 1 from held)
      returning attempts
      """, parameters: heldTypes + [.int8], columns: [.int4])
  /// What a try came to; nothing where the lease was lost meanwhile.
  static let finish = Statement(
    "webhook_deliveries_finish",
    """
    with held as (
      update webhook_leases set leased_until = $5,
        failing_since = case when $7 = 'delivered' then null else coalesce(failing_since, $4) end
      where org_id = $1 and webhook_id = $2 and token = $3 and leased_until >= $4 returning failing_since),
    logged as (
      insert into webhook_attempts (org_id, webhook_id, position, id, number, at, latency_ms, outcome, status, excerpt)
      select $1, $2, $6, $9::uuid, $10::integer, $4, $11::bigint, $12::text, $13::integer, $14::text from held)
    update webhook_deliveries set state = $7, next_attempt_at = $8, updated_at = $4
    where org_id = $1 and webhook_id = $2 and position = $6 and state = 'pending' and exists (select 1 from held)
    returning (select failing_since from held)
    """,
    parameters: heldTypes + [
      .int8, .text, .timestamptz, .uuid, .int4, .int8, .text, .int4, .text,
    ], columns: [.timestamptz])
  /// Those of the same object wait as long as the one before them.
  static let postpone = Statement(
    "webhook_deliveries_postpone",
    """
    update webhook_deliveries set next_attempt_at = $5
    where org_id = $1 and webhook_id = $2 and subject = $3 and position > $4 and state = 'pending'
      and next_attempt_at < $5
    """, parameters: [.uuid, .uuid, .text, .int8, .timestamptz])
  static let renew = Statement(
    "webhook_leases_renew",
    """
    update webhook_leases set leased_until = $5
    where org_id = $1 and webhook_id = $2 and token = $3 and leased_until >= $4
    """, parameters: heldTypes)
  static let release = Statement(
    "webhook_leases_release",
    "update webhook_leases set leased_until = null where org_id = $1 and webhook_id = $2 and token = $3",
    parameters: [.uuid, .uuid, .int8])

  // MARK: looking

  static let backlog = Statement(
    "webhook_backlog",
    """
    select count(*), min(d.created_at) from webhook_deliveries d
      join webhooks w on w.org_id = d.org_id and w.id = d.webhook_id
    where d.state = 'pending' and w.state = 'active'
    """, columns: [.int8, .timestamptz])
  private static let log = Statement(
    "webhook_deliveries_page",
    """
    select position, event_id, type, subject, state, attempts, next_attempt_at, created_at, updated_at
    from webhook_deliveries
    where ($1::uuid is null or org_id = $1) and webhook_id = $2 and position < $3 and ($4::text is null or state = $4)
    order by position desc limit $5
    """, parameters: [.uuid, .uuid, .int8, .text, .int8],
    columns: [.int8, .uuid, .text, .text, .text, .int4, .timestamptz, .timestamptz, .timestamptz])
  private static let attempts = Statement(
    "webhook_attempts_of",
    """
    select position, number, at, latency_ms, outcome, status, excerpt from (
      select *, row_number() over (partition by position order by at desc, id desc) as recency from webhook_attempts
      where ($1::uuid is null or org_id = $1) and webhook_id = $2 and position = any($3)) as newest
    where recency <= 20 order by position, at, id
    """, parameters: [.uuid, .uuid, .int8Array],
    columns: [.int8, .int4, .timestamptz, .int8, .text, .int4, .text])
  static let ofOrganizations = Statement(
    "webhooks_of_organizations",
    Tables.webhooks.selectList + "where org_id = any($1) and state <> 'closed' order by id",
    parameters: [.uuidArray], columns: Tables.webhooks.types)

  package static func log(
    of webhook: WebhookID, before position: Int64, state: String?, limit: Int64, scope: Bind
  ) -> Query {
    Query(log, [scope, .uuid(webhook.value.bits), .int8(position), .text(state), .int8(limit)])
  }

  package static func attempts(of webhook: WebhookID, at positions: [Int64], scope: Bind) -> Query {
    Query(attempts, [scope, .uuid(webhook.value.bits), .int8Array(positions.map { $0 })])
  }

  package static func attempt(_ row: Row) throws -> (position: Int64, DeliveryRecord.Attempt) {
    var reader = RowReader(row)
    let position = try reader.int()
    return (
      position,
      DeliveryRecord.Attempt(
        number: Int64(try reader.int4()), at: try reader.instant(), latencyMilliseconds: try reader.int(),
        outcome: try reader.text(), status: try row.int4OrNull(5), excerpt: try row.textOrNull(6))
    )
  }

  static func lookups(of organizations: [OrganizationID]) -> [Loader.Lookup] {
    guard !organizations.isEmpty else { return [] }
    let sorted = organizations.sorted()
    return [
      Loader.Lookup(query: Query(ofOrganizations, [.uuidArray(sorted.map(\.value.bits))])) { result, state in
        for organization in sorted { state.webhooksOf[organization] = [] }
        for row in try Tables.webhooks.decode(result) {
          state.shelves.webhooks.load(row)
          state.webhooksOf[row.organizationID]?.append(row.id)
        }
      }
    ]
  }

  package static var statements: [Statement] {
    [
      addSecret, retireSecrets, addLease, forgive, hasten, drop, redeliverOne, redeliverSince, lockDealing, deal, dealt,
      claim, due,
      secrets, begin, finish, postpone, renew, release, backlog, log, attempts, ofOrganizations,
      Resources.webhooks.byID,
      Resources.webhooks.page,
    ]
  }
}
