import Parties
import Persistence
import Primitives

/// Tells an organisation's events to a URL of its own. The secret is made outside; here only its sealed form is seen.
package struct CreateWebhook: Command {
  package static let action = "webhook.create"
  /// Staff has webhooks of its own organisation as others have.
  package var staffDuty: Duty? { nil }
  package static let most = 20
  package let webhookID: WebhookID
  package let url: String
  package let description: String?
  package let types: [String]
  package let fromPosition: Int64
  package let secret: SealedSecret
  package let owner: OrganizationID

  package init(
    webhookID: WebhookID, owner: OrganizationID, url: String, description: String?, types: [String],
    fromPosition: Int64, secret: SealedSecret
  ) {
    self.webhookID = webhookID
    self.owner = owner
    self.url = url
    self.description = description
    self.types = types
    self.fromPosition = fromPosition
    self.secret = secret
  }

  package func needs(_ state: BatchState) -> Set<Need> { [.webhooks(owner)] }
  package func heads(_ state: BatchState) -> Set<OrganizationID> { [owner] }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Webhook {
    guard principal.organizationID == owner else { throw PartiesRefusal.notFound("organization") }
    let others = draft.base.webhooksOf[owner, default: []].count { id in
      draft.find(\.webhooks, id).map { $0.state != .closed } ?? false
    }
    guard others < Self.most else { throw WebhookRefusal.tooMany(Self.most) }
    let webhook = draft.put(
      \.webhooks,
      Webhook(
        id: webhookID, organizationID: owner, url: url, description: description, types: types,
        fromPosition: fromPosition, createdAt: draft.wallTime, updatedAt: draft.wallTime))
    draft.made.webhookActs.append((.begin(webhook, secret), draft.wallTime))
    draft.made.subject = webhookID.value
    draft.happen("webhook.created", webhookID, version: 1, to: (owner, nil))
    return webhook
  }
}

/// Changes what a webhook is told or where, or how it stands.
package struct ChangeWebhook: Command {
  package enum Change: Sendable {
    /// Nil leaves a member as it is.
    case update(url: String?, description: String?, types: [String]?)
    case pause
    /// What was kept while it paused is sent; a disabled one begins with what happens from now on.
    case resume
    case close
    /// The earlier secrets sign too for so many seconds.
    case rotate(SealedSecret, overlapSeconds: Int64)
    /// Sends an event that means nothing, whatever types it asks for.
    case ping
    case redeliver(EventID)
    /// All that it was told since then, and what it was not told while it was disabled; at most 10,000 events.
    case redeliverSince(Instant)
    /// By the worker that delivers.
    case disable(reason: String)
  }

  package static let action = "webhook.change"
  package var staffDuty: Duty? { nil }
  package let webhookID: WebhookID
  package let change: Change
  package let ifVersion: Int64?

  package init(webhookID: WebhookID, change: Change, ifVersion: Int64?) {
    self.webhookID = webhookID
    self.change = change
    self.ifVersion = ifVersion
  }

  package func needs(_ state: BatchState) -> Set<Need> { [.webhook(webhookID)] }
  package func heads(_ state: BatchState) -> Set<OrganizationID> {
    Set(state.shelves.webhooks[webhookID].map { [$0.organizationID] } ?? [])
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Webhook {
    guard var webhook = draft.find(\.webhooks, webhookID),
      webhook.organizationID == principal.organizationID || (isOfWorker && principal == .automation)
    else { throw PartiesRefusal.notFound("webhook") }
    try checkVersion(ifVersion, webhook.version)
    guard webhook.state != .closed else { throw WebhookRefusal.closed }
    draft.made.subject = webhookID.value
    let (event, act) = try apply(to: &webhook, at: draft.wallTime)
    webhook.updatedAt = draft.wallTime
    webhook = draft.put(\.webhooks, webhook)
    if let act { draft.made.webhookActs.append((act, draft.wallTime)) }
    let facts: [(StaticString, EventFact)] = webhook.disabledReason.map { [("reason", .text($0))] } ?? []
    draft.happen(event, webhookID, version: webhook.version, to: (webhook.organizationID, nil), facts)
    return webhook
  }

  private var isOfWorker: Bool {
    if case .disable = change { return true }
    return false
  }

  private func apply(to webhook: inout Webhook, at now: Instant) throws -> (event: String, act: WebhookAct?) {
    switch change {
    case .update(let url, let description, let types):
      webhook.url = url ?? webhook.url
      webhook.description = description ?? webhook.description
      webhook.types = types ?? webhook.types
      return ("webhook.updated", nil)
    case .pause:
      guard webhook.state == .active else { throw WebhookRefusal.illegalState(webhook.state.rawValue, act: "paused") }
      webhook.state = .paused
      return ("webhook.paused", nil)
    case .resume:
      guard webhook.state != .active else { throw WebhookRefusal.illegalState("active", act: "resumed") }
      webhook.state = .active
      webhook.disabledReason = nil
      return ("webhook.resumed", .revive(webhook))
    case .close:
      webhook.state = .closed
      webhook.disabledReason = nil
      return ("webhook.closed", .end(webhook))
    case .rotate(let secret, let seconds):
      let until = now.adding(seconds: seconds) ?? now
      return ("webhook.secret_rotated", .rotate(webhook, secret, until: until))
    case .ping:
      guard webhook.state == .active else { throw WebhookRefusal.illegalState(webhook.state.rawValue, act: "pinged") }
      return ("webhook.ping", nil)
    case .redeliver(let event): return ("webhook.redelivery_asked", .redeliver(webhook, event: event))
    case .redeliverSince(let since):
      // Ids begin with the wall time, in milliseconds, at which they were made.
      let first = UUIDValue(high: UInt64(max(since.microseconds / 1_000, 0)) << 16, low: 0)
      return ("webhook.redelivery_asked", .redeliverSince(webhook, firstID: first))
    case .disable(let reason):
      guard webhook.state == .active else { throw WebhookRefusal.illegalState(webhook.state.rawValue, act: "disabled") }
      webhook.state = .disabled
      webhook.disabledReason = reason
      return ("webhook.disabled", nil)
    }
  }
}
