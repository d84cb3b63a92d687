import Logging
import Operations
import Parties
import Persistence
import Primitives
import StrictJSON
import Synchronization
import Traces
import Webhooks

/// What the deliverer counts, for operators.
package final class DeliveryCounters: Sendable {
  package let delivered = Atomic<Int>(0)
  package let failed = Atomic<Int>(0)
  package let dead = Atomic<Int>(0)
  package let disabled = Atomic<Int>(0)
  /// Events that wait, and for how many seconds the oldest has, as they were some seconds ago.
  package let waiting = Atomic<Int>(0)
  package let oldestSeconds = Atomic<Int>(0)

  package init() {}
}

/// Tells webhooks of events: at least once, those of one object in order, the same id each time.
///
/// Any number of workers in any number of processes may run. A webhook is held by one of them at a time, by a lease with a token
/// that everything carries that is written for it. One that fails takes none of the places of those that do not.
package struct WebhookWorker: Sendable {
  package struct Limits: Sendable {
    /// Webhooks that are delivered to at a time.
    package var webhooks = 24
    /// Beside them, of those that fail.
    package var failing = 8
    /// Events under way to one webhook, each of another object.
    package var ofOne = 4
    package var leaseSeconds: Int64 = 30
    package var poll = Duration.milliseconds(250)
    /// One that has always something due lets others go first after so long.
    package var turn = Duration.seconds(20)
    /// A webhook that has failed for so many seconds without one success is disabled.
    package var disableAfterSeconds: Int64 = 5 * 86_400
    package var schedule = DeliverySchedule.usual

    package init() {}
  }

  private let feed: EventFeed
  private let store: DeliveryStore
  private let sender: WebhookSender
  private let secrets: WebhookSecrets
  private let pipeline: CommandPipeline
  private let clock: any WallClock
  private let logger: Logger
  private let limits: Limits
  private let counters: DeliveryCounters
  /// Begins the spans of tries; nil where none are exported.
  private let tracer: Tracer?

  package init(
    feed: EventFeed, store: DeliveryStore, sender: WebhookSender, secrets: WebhookSecrets, pipeline: CommandPipeline,
    clock: any WallClock, logger: Logger, limits: Limits = Limits(), counters: DeliveryCounters = DeliveryCounters(),
    tracer: Tracer? = nil
  ) {
    self.tracer = tracer
    self.feed = feed
    self.store = store
    self.sender = sender
    self.secrets = secrets
    self.pipeline = pipeline
    self.clock = clock
    self.logger = logger
    self.limits = limits
    self.counters = counters
  }

  /// Larger bodies are thin: they name the event, and it is read by its id.
  static let largestBody = 20_000

  private func leaseEnd() -> Instant {
    let now = clock.now()
    return now.adding(seconds: limits.leaseSeconds) ?? now
  }

  /// Delivers until the task is cancelled.
  package func run() async {
    let busy = Busy()
    await withDiscardingTaskGroup { group in
      var dealt: Int64 = -1
      var looked = ContinuousClock.now - .seconds(60)
      while !Task.isCancelled {
        do {
          let horizon = try await feed.advance()
          if horizon != dealt, try await store.deal(through: horizon, now: clock.now()) { dealt = horizon }
          for failing in [false, true] {
            let free = (failing ? limits.failing : limits.webhooks) - busy.count(failing: failing)
            let leases = try await store.claim(free, failing: failing, now: clock.now(), until: leaseEnd())
            for lease in leases {
              busy.add(1, failing: failing)
              group.addTask {
                await serve(lease)
                busy.add(-1, failing: failing)
              }
            }
          }
          if ContinuousClock.now - looked > .seconds(5) {
            looked = .now
            try await look()
          }
        } catch  where Task.isCancelled {
          break
        } catch {
          logger.warning("the deliverer could not reach its database", metadata: ["error": "\(error)"])
        }
        do { try await Task.sleep(for: limits.poll) } catch { break }
      }
      group.cancelAll()
    }
  }

  private func look() async throws {
    let (count, oldest) = try await store.backlog()
    counters.waiting.store(Int(clamping: count), ordering: .relaxed)
    let age = oldest.map { (clock.now().microseconds - $0.microseconds) / 1_000_000 } ?? 0
    counters.oldestSeconds.store(Int(clamping: max(0, age)), ordering: .relaxed)
  }

  /// How many webhooks are being delivered to.
  private final class Busy: Sendable {
    private let counts = Mutex((usual: 0, failing: 0))

    func count(failing: Bool) -> Int { counts.withLock { failing ? $0.failing : $0.usual } }
    func add(_ change: Int, failing: Bool) {
      counts.withLock { if failing { $0.failing += change } else { $0.usual += change } }
    }
  }

  // MARK: one webhook

  /// What the tries of a turn say of the webhook.
  private struct Standing {
    var isGone = false
    var failingSince: Instant?
    var isLost = false
    var hasFailed = false
  }

  /// Delivers what is due to a webhook, and gives it back. It says that it is there as long as it works on it.
  private func serve(_ lease: WebhookLease) async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        while !Task.isCancelled {
          do { try await Task.sleep(for: .seconds(limits.leaseSeconds) / 3) } catch { return }
          _ = try? await store.renew(lease, until: leaseEnd(), now: clock.now())
        }
      }
      group.addTask {
        do { try await deliver(lease) } catch  where Task.isCancelled {
          // The service stops: what was under way is tried again by whoever comes next.
        } catch {
          logger.warning(
            "deliveries wait", metadata: ["webhook": "\(lease.webhookID)", "error": "\(error)"])
        }
      }
      await group.next()
      group.cancelAll()
    }
    // Also when the task is cancelled, so that nobody has to wait for the lease to run out.
    await Task.detached { try? await store.release(lease) }.value
  }

  private func deliver(_ lease: WebhookLease) async throws {
    let began = ContinuousClock.now
    while ContinuousClock.now - began < limits.turn {
      let (due, sealed) = try await store.due(lease, most: limits.ofOne, now: clock.now())
      if due.isEmpty { return }
      let opened = sealed.compactMap { try? secrets.open($0, for: lease.webhookID) }
      let standing = try await withThrowingTaskGroup(of: Standing.self) { group in
        for delivery in due { group.addTask { try await tell(lease, delivery, opened) } }
        var all = Standing()
        for try await one in group {
          all.isGone = all.isGone || one.isGone
          all.isLost = all.isLost || one.isLost
          all.hasFailed = all.hasFailed || one.hasFailed
          all.failingSince = one.failingSince ?? all.failingSince
        }
        return all
      }
      if standing.isLost { return }
      let age = standing.failingSince.map { (clock.now().microseconds - $0.microseconds) / 1_000_000 } ?? 0
      if standing.isGone || age > limits.disableAfterSeconds {
        return try await disable(lease, reason: standing.isGone ? "gone" : "failing")
      }
      if standing.hasFailed { return }
    }
  }

  private func tell(_ lease: WebhookLease, _ delivery: DueDelivery, _ opened: [[UInt8]]) async throws -> Standing {
    guard let number = try await store.begin(lease, delivery.position, now: clock.now(), until: leaseEnd()) else {
      return Standing(isLost: true)
    }
    let began = ContinuousClock.now
    let outcome = opened.isEmpty ? SendOutcome(.secretUnreadable) : await send(lease, delivery, opened, number: number)
    try Task.checkCancellation()
    let (seconds, attoseconds) = (ContinuousClock.now - began).components
    let now = clock.now()
    let (high, low) = clock.randomBits()
    var ids = IdentifierSource(milliseconds: UInt64(now.microseconds / 1_000), seed: (high, low))
    let isDelivered = outcome.kind == .delivered
    let pause = limits.schedule.pause(
      after: Int(number), retryAfter: outcome.retryAfter, jitter: Int64(low % 1_001))
    let state: DeliveryState = isDelivered ? .delivered : pause == nil ? .dead : .pending
    let next = pause.flatMap { Instant(microseconds: now.microseconds + $0 * 1_000) } ?? now
    let since = try await store.finish(
      lease, delivery,
      DeliveryStore.Attempt(
        id: ids.nextValue(), number: number, latencyMilliseconds: seconds * 1_000 + attoseconds / 1_000_000_000_000_000,
        outcome: outcome.kind.rawValue, status: outcome.status, excerpt: outcome.excerpt),
      state: state, next: state == .pending ? next : now, now: now, until: leaseEnd())
    count(state)
    return Standing(isGone: outcome.kind == .gone, failingSince: since, hasFailed: !isDelivered)
  }

  private func count(_ state: DeliveryState) {
    switch state {
    case .delivered: counters.delivered.add(1, ordering: .relaxed)
    case .pending: counters.failed.add(1, ordering: .relaxed)
    case .dead:
      counters.failed.add(1, ordering: .relaxed)
      counters.dead.add(1, ordering: .relaxed)
    }
  }

  private func send(
    _ lease: WebhookLease, _ delivery: DueDelivery, _ opened: [[UInt8]], number: Int64
  ) async -> SendOutcome {
    let event = delivery.event
    let body = Self.body(of: event, for: lease.organizationID)
    let (id, timestamp) = (event.id.description, clock.now().microseconds / 1_000_000)
    var headers = [
      ("content-type", "application/json"), ("user-agent", "chipbridge-webhooks/1"), ("webhook-id", id),
      ("webhook-timestamp", String(timestamp)),
      ("webhook-signature", WebhookSecrets.signature(of: body, id: id, timestamp: timestamp, secrets: opened)),
    ]
    let span = tracer?.begin("POST webhook", .client)
    if let span { headers.append(("traceparent", span.traceparent)) }
    let outcome = await sender.send(body, headers: headers, to: lease.url, now: clock.now())
    if let span { Self.end(span, of: lease, event, number: number, outcome) }
    return outcome
  }

  /// What a span tells of a try: where it went, but not the target, which may be a secret of the receiver.
  private static func end(
    _ span: Span, of lease: WebhookLease, _ event: StoredEvent, number: Int64, _ outcome: SendOutcome
  ) {
    var attributes = [
      SpanAttribute("http.request.method", "POST"), SpanAttribute("chipbridge.webhook.id", "\(lease.webhookID)"),
      SpanAttribute("chipbridge.event.id", "\(event.id)"), SpanAttribute("chipbridge.event.type", event.type),
    ]
    if number > 1 { attributes.append(SpanAttribute("http.request.resend_count", number - 1)) }
    if let url = try? WebhookURL(lease.url, allowsLoopback: true) {
      attributes.append(SpanAttribute("server.address", url.host))
      attributes.append(SpanAttribute("server.port", Int64(url.port)))
    }
    if let status = outcome.status { attributes.append(SpanAttribute("http.response.status_code", Int64(status))) }
    span.end(attributes, error: outcome.kind == .delivered ? nil : outcome.kind.rawValue)
  }

  /// `type`, `timestamp` and `data`, as Standard Webhooks have them; `data` is the event as it is read.
  static func body(of event: StoredEvent, for organization: OrganizationID) -> [UInt8] {
    func bytes(isThin: Bool) -> [UInt8] {
      var writer = JSONWriter(capacity: 1_024)
      writer.beginObject()
      writer.field("type", event.type)
      writer.field("timestamp", event.businessAt.description)
      writer.key("data")
      event.write(to: &writer, for: organization, isThin: isThin)
      writer.endObject()
      return writer.bytes
    }
    let whole = bytes(isThin: false)
    return whole.count <= largestBody ? whole : bytes(isThin: true)
  }

  private func disable(_ lease: WebhookLease, reason: String) async throws {
    let change = ChangeWebhook(webhookID: lease.webhookID, change: .disable(reason: reason), ifVersion: nil)
    let submission = Submission(change, by: .automation, idempotency: nil) { result in
      // A webhook that was changed meanwhile is as its owner wants it.
      StoredAnswer(status: (try? result.get()) == nil ? 409 : 200, headers: [], body: [])
    }
    if try await pipeline.submit(submission).answer.status == 200 { counters.disabled.add(1, ordering: .relaxed) }
    logger.notice("a webhook was disabled", metadata: ["webhook": "\(lease.webhookID)", "reason": "\(reason)"])
  }
}
