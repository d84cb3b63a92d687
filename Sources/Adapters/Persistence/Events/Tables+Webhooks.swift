import Parties
import Postgres
import Primitives

/// Where an organisation wants its events sent.
package struct Webhook: Sendable, Hashable {
  package enum State: String, Sendable, Hashable, CaseIterable {
    /// Events are sent -> paused, disabled, closed
    case active
    /// Events are kept for it, and sent when it goes on -> active, closed
    case paused
    /// It failed for days, or said that it is gone: nothing is kept for it -> active, closed
    case disabled
    case closed
  }

  package let id: WebhookID
  package let organizationID: OrganizationID
  package var url: String
  package var description: String?
  /// As `EventFilter` has them; none: all.
  package var types: [String]
  package var state: State
  /// `gone` or `failing`.
  package var disabledReason: String?
  /// The position of the feed after which it is told.
  package let fromPosition: Int64
  package var version: Int64
  /// Wall time, as for all that is about delivering.
  package let createdAt: Instant
  package var updatedAt: Instant

  package init(
    id: WebhookID, organizationID: OrganizationID, url: String, description: String?, types: [String],
    state: State = .active, disabledReason: String? = nil, fromPosition: Int64, version: Int64 = 1,
    createdAt: Instant, updatedAt: Instant
  ) {
    self.id = id
    self.organizationID = organizationID
    self.url = url
    self.description = description
    self.types = types
    self.state = state
    self.disabledReason = disabledReason
    self.fromPosition = fromPosition
    self.version = version
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }
}

extension Webhook: Stored {}

/// A secret that signs for a webhook, sealed.
package struct SealedSecret: Sendable, Hashable {
  package let id: UUIDValue
  package let sealed: [UInt8]

  package init(id: UUIDValue, sealed: [UInt8]) {
    self.id = id
    self.sealed = sealed
  }
}

/// What a person does to a webhook's deliveries, in the transaction of the command that decided it.
package enum WebhookAct: Sendable {
  /// Its first secret, and the row that whoever delivers holds.
  case begin(Webhook, SealedSecret)
  /// Another secret; those before it sign too until then.
  case rotate(Webhook, SealedSecret, until: Instant)
  /// It is not failing any more: what waits is tried at once.
  case revive(Webhook)
  /// Everything that was dealt to it is forgotten: nothing more is sent.
  case end(Webhook)
  /// What it was told, or would have been, is sent again: one event, or all whose ids are not below this one.
  case redeliver(Webhook, event: EventID)
  case redeliverSince(Webhook, firstID: UUIDValue)

  /// - Parameter wallTime: now.
  func queries(at wallTime: Instant) -> [(Query, rows: Int?)] {
    let now = Bind.timestamptz(wallTime.microseconds)
    func key(_ webhook: Webhook) -> [Bind] { [.uuid(webhook.organizationID.value.bits), .uuid(webhook.id.value.bits)] }
    switch self {
    case .begin(let webhook, let secret):
      return [
        (Query(WebhookSQL.addSecret, key(webhook) + [.uuid(secret.id.bits), .bytea(secret.sealed), now]), 1),
        (Query(WebhookSQL.addLease, key(webhook) + [now]), 1),
      ]
    case .rotate(let webhook, let secret, let until):
      return [
        (Query(WebhookSQL.retireSecrets, key(webhook) + [now, .timestamptz(until.microseconds)]), nil),
        (Query(WebhookSQL.addSecret, key(webhook) + [.uuid(secret.id.bits), .bytea(secret.sealed), now]), 1),
      ]
    case .revive(let webhook):
      return [
        (Query(WebhookSQL.forgive, key(webhook)), 1), (Query(WebhookSQL.hasten, key(webhook) + [now]), nil),
      ]
    case .end(let webhook): return [(Query(WebhookSQL.drop, key(webhook) + [now]), nil)]
    case .redeliver(let webhook, let event):
      return [(Query(WebhookSQL.redeliverOne, key(webhook) + [.uuid(event.value.bits), now]), nil)]
    case .redeliverSince(let webhook, let first):
      return [(Query(WebhookSQL.redeliverSince, key(webhook) + [.uuid(first.bits), now]), nil)]
    }
  }
}

extension Tables {
  package static let webhooks = Table<Webhook>(
    "webhooks", sql: "webhooks", key: ["org_id", "id"], idColumn: "id",
    columns: [
      .uuid("org_id") { $0.organizationID.value },
      .uuid("id") { $0.id.value },
      .text("url") { $0.url },
      .text("description") { $0.description },
      .texts("types") { $0.types },
      .text("state") { $0.state.rawValue },
      .text("disabled_reason") { $0.disabledReason },
      .int8("from_position") { $0.fromPosition },
      .int8("version") { $0.version },
      .instant("created_at") { $0.createdAt },
      .instant("updated_at") { $0.updatedAt },
    ],
    names: ("webhooks_by_id", "webhooks_insert", "webhooks_update")
  ) { row in
    let organization: OrganizationID = try row.id()
    return Webhook(
      id: try row.id(), organizationID: organization, url: try row.text(), description: try row.textOrNull(),
      types: try row.texts(), state: try row.value(), disabledReason: try row.textOrNull(),
      fromPosition: try row.int(), version: try row.int(), createdAt: try row.instant(), updatedAt: try row.instant())
  }
}

extension Resources {
  package static let webhooks = ResourceQuery(
    Tables.webhooks, visible: "org_id = $1", filter: "state = $2", names: ("read_webhook", "page_webhooks"))
}
