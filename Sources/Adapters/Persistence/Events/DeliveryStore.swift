import Parties
import Postgres
import Primitives

/// What workers that deliver read and write.
package struct DeliveryStore: Sendable {
  package let pool: PostgresPool

  package init(pool: PostgresPool) { self.pool = pool }

  private static var deadline: ContinuousClock.Instant { .now + .seconds(10) }
  /// Events dealt in one transaction.
  private static let most: Int64 = 5_000

  private func run(_ query: Query) async throws -> ResultSet {
    let deadline = Self.deadline
    return try await pool.withConnection(deadline: deadline) { try await $0.run(query, deadline: deadline) }
  }

  /// Deals events up to the horizon to the webhooks that want them. Another process that does it already is left to it.
  /// - Returns: whether they are dealt.
  package func deal(through horizon: Int64, now: Instant) async throws -> Bool {
    while true {
      let position: Int64? = try await pool.transaction(deadline: Self.deadline) { transaction in
        guard let row = try await transaction.run(Query(WebhookSQL.lockDealing)).first else { return nil }
        let position = try row.int8(0)
        guard position < horizon else { return horizon }
        let through = min(horizon, position + Self.most)
        _ = try await transaction.pipeline([
          Query(WebhookSQL.deal, [.int8(position), .int8(through), .timestamptz(now.microseconds)]),
          Query(WebhookSQL.dealt, [.int8(through)]),
        ])
        return through
      }
      guard let position else { return false }
      if position >= horizon { return true }
    }
  }

  package func claim(_ most: Int, failing: Bool, now: Instant, until: Instant) async throws -> [WebhookLease] {
    guard most > 0 else { return [] }
    let query = Query(
      WebhookSQL.claim,
      [.timestamptz(now.microseconds), .timestamptz(until.microseconds), .int8(Int64(most)), .bool(failing)])
    return try await run(query).map { row in
      var reader = RowReader(row)
      return WebhookLease(
        organizationID: try reader.id(), webhookID: try reader.id(), token: try reader.int(), url: try reader.text(),
        failingSince: try reader.instantOrNull())
    }
  }

  /// Events that are due, each the first of its object that is pending; and the sealed secrets, the newest first.
  package func due(
    _ lease: WebhookLease, most: Int, now: Instant
  ) async throws -> (due: [DueDelivery], secrets: [[UInt8]]) {
    let deadline = Self.deadline
    let key = Array(lease.binds.prefix(2))
    return try await pool.withConnection(deadline: deadline) { connection in
      let results = try await connection.pipeline(
        [
          Query(WebhookSQL.due, key + [.timestamptz(now.microseconds), .int8(Int64(most))]),
          Query(WebhookSQL.secrets, key + [.timestamptz(now.microseconds)]),
        ], deadline: deadline)
      let positions = try results[0].map { try $0.int8(0) }
      if positions.isEmpty { return ([], []) }
      let events = try await connection.run(
        Query(EventSQL.atPositions, [key[0], .int8Array(positions.map { $0 })]), deadline: deadline
      ).map { try StoredEvent($0) }
      return (
        events.map { DueDelivery(position: $0.position, subject: $0.subject, event: $0) },
        try results[1].map { try $0.bytea(0) }
      )
    }
  }

  /// - Returns: the number of the try; nil when the lease is lost, or the event is not pending any more.
  package func begin(_ lease: WebhookLease, _ position: Int64, now: Instant, until: Instant) async throws -> Int64? {
    let query = Query(
      WebhookSQL.begin,
      lease.binds + [.timestamptz(now.microseconds), .timestamptz(until.microseconds), .int8(position)])
    return try await run(query).first.map { Int64(try $0.int4(0)) }
  }

  /// What a try came to.
  package struct Attempt: Sendable {
    package let id: UUIDValue
    package let number: Int64
    package let latencyMilliseconds: Int64
    package let outcome: String
    package let status: Int?
    /// At most 4,096 bytes.
    package let excerpt: String?

    package init(
      id: UUIDValue, number: Int64, latencyMilliseconds: Int64, outcome: String, status: Int?, excerpt: String?
    ) {
      self.id = id
      self.number = number
      self.latencyMilliseconds = latencyMilliseconds
      self.outcome = outcome
      self.status = status
      self.excerpt = excerpt
    }
  }

  /// - Returns: since when the webhook has failed; nil when it has not, or the lease is lost.
  package func finish(
    _ lease: WebhookLease, _ delivery: DueDelivery, _ attempt: Attempt, state: DeliveryState, next: Instant,
    now: Instant, until: Instant
  ) async throws -> Instant? {
    var binds: [Bind] = lease.binds + [.timestamptz(now.microseconds), .timestamptz(until.microseconds)]
    binds += [.int8(delivery.position), .text(state.rawValue), .timestamptz(next.microseconds), .uuid(attempt.id.bits)]
    binds += [.int4(Int32(clamping: attempt.number)), .int8(attempt.latencyMilliseconds), .text(attempt.outcome)]
    binds += [.int4(attempt.status.map { Int32(clamping: $0) }), .text(attempt.excerpt)]
    let finish = Query(WebhookSQL.finish, binds)
    let postpone = Query(
      WebhookSQL.postpone,
      Array(lease.binds.prefix(2)) + [
        .text(delivery.subject), .int8(delivery.position), .timestamptz(next.microseconds),
      ])
    return try await pool.transaction(deadline: Self.deadline) { transaction in
      let row = try await transaction.run(finish).first
      if row != nil, state == .pending { _ = try await transaction.run(postpone) }
      guard let since = try row?.timestamptzOrNull(0) else { return nil }
      return Instant(microseconds: since)
    }
  }

  package func renew(_ lease: WebhookLease, until: Instant, now: Instant) async throws {
    _ = try await run(
      Query(
        WebhookSQL.renew, lease.binds + [.timestamptz(now.microseconds), .timestamptz(until.microseconds)]))
  }

  package func release(_ lease: WebhookLease) async throws { _ = try await run(Query(WebhookSQL.release, lease.binds)) }

  /// How many events wait to be delivered, and since when the oldest does.
  package func backlog() async throws -> (count: Int64, oldest: Instant?) {
    var reader = RowReader(try await run(Query(WebhookSQL.backlog)).single())
    return (try reader.int(), try reader.instantOrNull())
  }
}
