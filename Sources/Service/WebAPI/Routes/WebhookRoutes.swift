import Delivery
import HTTPTypes
import Hummingbird
import NIOCore
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import StrictJSON
import Synchronization
import WebSupport

/// What webhooks need beside the gateway.
package struct WebhookDesk: Sendable {
  package let secrets: WebhookSecrets
  package let `guard`: WebhookGuard
  package let counters: DeliveryCounters

  package init(secrets: WebhookSecrets, guard: WebhookGuard, counters: DeliveryCounters) {
    self.secrets = secrets
    self.guard = `guard`
    self.counters = counters
  }
}

extension WebAPI {
  /// An organisation's webhooks: where its events are sent, and how that went.
  func addWebhookRoutes(_ routes: inout Routes) {
    routes.post("/v1/webhooks") { request, context in try await createWebhook(request, context) }
    routes.get("/v1/webhooks") { request, _ in
      try await gateway.list(
        request, Resources.webhooks, name: "webhooks", filter: "state",
        position: { PagePosition(createdAt: $0.createdAt, id: $0.id.value) }, write: { $0.write(to: &$1) })
    }
    routes.get("/v1/webhooks/{id}") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: WebhookID = try Gateway.pathID(context, noun: "webhook")
      let row = try await gateway.reader.one(Resources.webhooks, id.value, as: principal, noun: "webhook")
      return gateway.object(request, version: row.version) { row.write(to: &$0) }
    }
    routes.get("/v1/webhooks/{id}/deliveries") { request, context in try await deliveries(request, context) }
    routes.post("/v1/webhooks/{id}/update") { request, context in try await updateWebhook(request, context) }
    routes.post("/v1/webhooks/{id}/rotate-secret") { request, context in try await rotateSecret(request, context) }
    for (verb, change) in [
      ("pause", ChangeWebhook.Change.pause), ("resume", .resume), ("close", .close), ("ping", .ping),
    ] {
      routes.post("/v1/webhooks/{id}/\(verb)") { request, context in
        try await changeWebhook(request, context) { reader in EmptyBody.parse(&reader).map { _ in change } }
      }
    }
    routes.post("/v1/webhooks/{id}/redeliver") { request, context in
      try await changeWebhook(request, context) { reader in
        let event = reader.optionalID("event_id", of: EventNoun.self)
        let since = reader.optionalInstant("since_at")
        switch (event, since) {
        case (let event?, nil): return .redeliver(event)
        case (nil, let since?): return .redeliverSince(since)
        case (nil, nil):
          reader.fault("since_at", code: JSONFaultCode.missing, detail: "is required where no event_id is given")
        default: reader.fault("since_at", code: BodyFaultCode.conflict, detail: "must not stand beside event_id")
        }
        return nil
      }
    }
  }

  private static let changed = Gateway.Rendering<Webhook>(version: { $0.version }, write: { $0.write(to: &$1) })

  private func changeWebhook(
    _ request: Request, _ context: ChipBridgeContext, shownOnce: (name: StaticString, value: String)? = nil,
    _ parse: @Sendable (inout ObjectReader) throws -> ChangeWebhook.Change?
  ) async throws -> Response {
    let id: WebhookID = try Gateway.pathID(context, noun: "webhook")
    return try await gateway.post(request, context, render: Self.changed, shownOnce: shownOnce) { reader, posted in
      try parse(&reader).map { ChangeWebhook(webhookID: id, change: $0, ifVersion: posted.ifVersion) }
    }
  }

  private func freshIDs() -> IdentifierSource {
    IdentifierSource(milliseconds: UInt64(clock.now().microseconds / 1_000), seed: clock.randomBits())
  }

  /// The body as it is, read before the command is made, since where it leads is looked up outside of the pipeline.
  private func webhookBody(_ request: inout Request, isNew: Bool) async throws -> WebhookBody {
    let bytes = try await gateway.collect(request)
    request.body = .init(buffer: ByteBuffer(bytes: bytes))
    return try Gateway.parse(bytes) { reader in WebhookBody.parse(&reader, isNew: isNew) }
  }

  private func createWebhook(_ request: Request, _ context: ChipBridgeContext) async throws -> Response {
    try gateway.describe(.created) { _ = WebhookBody.parse(&$0, isNew: true) }
    let principal = try await gateway.principal(of: request)
    var request = request
    let body = try await webhookBody(&request, isNew: true)
    let url = body.url ?? ""
    _ = try await webhooks.guard.pin(url)
    let position = try await feed.advance()
    var ids = freshIDs()
    let id: WebhookID = ids.next()
    let secret = try webhooks.secrets.fresh(for: id, id: ids.nextValue())
    let command = CreateWebhook(
      webhookID: id, owner: principal.organizationID, url: url, description: body.description,
      types: body.types ?? [], fromPosition: position, secret: secret.sealed)
    return try await gateway.post(
      request, context,
      render: .init(
        status: .created, location: { "/v1/webhooks/\($0.id)" }, version: { $0.version }, write: { $0.write(to: &$1) }),
      // The database keeps it sealed: the stored answer must not give it away.
      shownOnce: ("secret", secret.text)
    ) { reader, _ in WebhookBody.parse(&reader, isNew: true).map { _ in command } }
  }

  private func updateWebhook(_ request: Request, _ context: ChipBridgeContext) async throws -> Response {
    try gateway.describe { _ = WebhookBody.parse(&$0, isNew: false) }
    _ = try await gateway.principal(of: request)
    var request = request
    let body = try await webhookBody(&request, isNew: false)
    if let url = body.url { _ = try await webhooks.guard.pin(url) }
    return try await changeWebhook(request, context) { reader in
      WebhookBody.parse(&reader, isNew: false).map {
        .update(url: $0.url, description: $0.description, types: $0.types)
      }
    }
  }

  private func rotateSecret(_ request: Request, _ context: ChipBridgeContext) async throws -> Response {
    let id: WebhookID = try Gateway.pathID(context, noun: "webhook")
    var ids = freshIDs()
    let secret = try webhooks.secrets.fresh(for: id, id: ids.nextValue())
    return try await changeWebhook(request, context, shownOnce: ("secret", secret.text)) { reader in
      let seconds = reader.optionalInt("overlap_seconds", 0...604_800)
      return .rotate(secret.sealed, overlapSeconds: seconds ?? 86_400)
    }
  }

  /// What became of events, the newest first.
  private func deliveries(_ request: Request, _ context: ChipBridgeContext) async throws -> Response {
    let principal = try await gateway.principal(of: request)
    let id: WebhookID = try Gateway.pathID(context, noun: "webhook")
    _ = try await gateway.reader.one(Resources.webhooks, id.value, as: principal, noun: "webhook")
    let query = try gateway.listQuery(request, list: "webhook-deliveries")
    let state = try Gateway.text(request, "state")
    guard state.map({ DeliveryState(rawValue: $0) != nil }) ?? true else {
      throw Problem(.unprocessableContent, "request.invalid", "state is pending, delivered or dead.")
    }
    // A cursor of this list holds a position where those of other lists hold a time.
    let before = query.position == .start ? Int64.max : query.position.createdAt.microseconds
    let scope = gateway.reader.scope(principal)
    var rows = try await gateway.reader.run(
      [WebhookSQL.log(of: id, before: before, state: state, limit: query.limit + 1, scope: scope)], as: principal)[0]
      .map { try DeliveryRecord($0) }
    let hasMore = rows.count > Int(query.limit)
    rows = Array(rows.prefix(Int(query.limit)))
    let attempts = try await gateway.reader.run(
      [WebhookSQL.attempts(of: id, at: rows.map(\.position), scope: scope)], as: principal)[0]
      .map { try WebhookSQL.attempt($0) }
    let byPosition = Dictionary(grouping: attempts, by: \.position)
    for index in rows.indices { rows[index].log = byPosition[rows[index].position, default: []].map(\.1) }
    let last = hasMore ? rows.last.flatMap { Instant(microseconds: $0.position) } : nil
    let next = last.map {
      gateway.cursors.encode(
        PagePosition(createdAt: $0, id: UUIDValue(high: 0, low: 0)), list: "webhook-deliveries")
    }
    return gateway.page(rows, next: next) { $0.write(to: &$1) }
  }
}
