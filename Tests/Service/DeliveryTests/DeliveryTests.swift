import DomainFixtures
import Logging
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import ServiceHarness
import StrictJSON
import Synchronization
import Testing
import Webhooks

@testable import Delivery

/// Wall time that moves, for leases and pauses.
struct MovingClock: WallClock {
  private let began = ContinuousClock.now

  func now() -> Instant {
    let (seconds, attoseconds) = (ContinuousClock.now - began).components
    let passed = seconds * 1_000_000 + attoseconds / 1_000_000_000_000
    return Instant(microseconds: Marketplace.start.microseconds + passed) ?? .epoch
  }

  func randomBits() -> (UInt64, UInt64) {
    var generator = SystemRandomNumberGenerator()
    return (generator.next(), generator.next())
  }
}

/// A marketplace with a deliverer whose pauses are short.
struct DeliveryBench {
  let market: Marketplace
  let feed: EventFeed
  let clock = MovingClock()
  let secrets = WebhookSecrets(root: Array(repeating: 7, count: 32))
  let counters = DeliveryCounters()
  var limits = WebhookWorker.Limits()

  init(_ market: Marketplace) {
    self.market = market
    feed = EventFeed(pool: market.pool)
    limits.poll = .milliseconds(30)
    limits.schedule = DeliverySchedule(pauses: Array(repeating: 40, count: 9), longest: 1_000)
  }

  func worker(_ guarding: WebhookGuard = WebhookGuard(allowsLoopback: true)) -> WebhookWorker {
    WebhookWorker(
      feed: feed, store: DeliveryStore(pool: market.pool),
      sender: WebhookSender(guard: guarding, timeout: .milliseconds(700)), secrets: secrets,
      pipeline: market.pipeline, clock: clock, logger: Logger(label: "test"), limits: limits, counters: counters)
  }

  /// Runs workers until the condition holds, or the time is over.
  func deliver(
    workers: Int = 1, within seconds: Int = 30, until condition: () async throws -> Bool
  ) async throws -> Bool {
    let running = (0..<workers).map { _ in Task { [worker = worker()] in await worker.run() } }
    defer { for task in running { task.cancel() } }
    let end = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < end {
      if try await condition() { return true }
      try await Task.sleep(for: .milliseconds(50))
    }
    return try await condition()
  }

  func submit<C: Command>(_ command: C) async throws -> C.Outcome {
    let outcome = Mutex<Result<C.Outcome, any Error>?>(nil)
    _ = try await market.pipeline.submit(
      Submission(command, by: .automation, idempotency: nil) { result in
        outcome.withLock { $0 = result }
        return StoredAnswer(status: 200, headers: [], body: [])
      })
    return try #require(outcome.withLock { $0 }).get()
  }

  func create(_ url: String, types: [String] = []) async throws -> Webhook {
    var ids = IdentifierSource(milliseconds: 1_780_000_000_000, seed: clock.randomBits())
    let id: WebhookID = ids.next()
    let secret = try secrets.fresh(for: id, id: ids.nextValue())
    return try await submit(
      CreateWebhook(
        webhookID: id, owner: .platform, url: url, description: nil, types: types,
        fromPosition: try await feed.advance(), secret: secret.sealed))
  }

  func change(_ webhook: Webhook, _ change: ChangeWebhook.Change) async throws -> Webhook {
    try await submit(ChangeWebhook(webhookID: webhook.id, change: change, ifVersion: nil))
  }

  private static let states = Statement(
    "test_delivery_states",
    "select state, count(*) from webhook_deliveries where webhook_id = $1 group by 1 order by 1", parameters: [.uuid],
    columns: [.text, .int8])
  private static let outcomes = Statement(
    "test_attempt_outcomes",
    "select outcome, count(*) from webhook_attempts where webhook_id = $1 group by 1", parameters: [.uuid],
    columns: [.text, .int8])
  private static let tries = Statement(
    "test_delivery_tries",
    "select coalesce(sum(attempts), 0) from webhook_deliveries where webhook_id = $1 and state = $2",
    parameters: [.uuid, .text], columns: [.int8])
  private static let state = Statement(
    "test_webhook_state", "select state || coalesce(' ' || disabled_reason, '') from webhooks where id = $1",
    parameters: [.uuid], columns: [.text])

  private func tally(_ statement: Statement, _ webhook: Webhook) async throws -> [String: Int64] {
    let query = Query(statement, [.uuid(webhook.id.value.bits)])
    let rows = try await market.pool.withConnection(deadline: .now + .seconds(10)) {
      try await $0.run(query, deadline: .now + .seconds(10))
    }
    return Dictionary(uniqueKeysWithValues: try rows.map { (try $0.text(0), try $0.int8(1)) })
  }

  func states(of webhook: Webhook) async throws -> [String: Int64] { try await tally(Self.states, webhook) }
  func outcomes(of webhook: Webhook) async throws -> [String: Int64] { try await tally(Self.outcomes, webhook) }
  func tries(of webhook: Webhook, state: String) async throws -> Int64 {
    let query = Query(Self.tries, [.uuid(webhook.id.value.bits), .text(state)])
    return try await market.pool.withConnection(deadline: .now + .seconds(10)) {
      try await $0.run(query, deadline: .now + .seconds(10)).single().int8(0)
    }
  }
  func state(of webhook: Webhook) async throws -> String {
    let query = Query(Self.state, [.uuid(webhook.id.value.bits)])
    return try await market.pool.withConnection(deadline: .now + .seconds(10)) {
      try await $0.run(query, deadline: .now + .seconds(10)).single().text(0)
    }
  }
}

/// What a receiver took of each object, in the order in which it took it.
func taken(_ receiver: WebhookReceiver, path: String = "/") throws -> [String: [Int64]] {
  var found: [String: [Int64]] = [:]
  for call in receiver.all where call.path == path && call.behaviour.isTaken {
    let data = try #require(try JSONDocument(parsing: call.body).root["data"])
    let subject = try #require(data["subject"]?.asString)
    let number = try #require(data["sequence"]?.asInteger)
    // The same again is no fault: at least once.
    if found[subject]?.last != number { found[subject, default: []].append(number) }
  }
  return found
}

@Suite("Deliveries", .timeLimit(.minutes(5)))
struct DeliveryTests {
  @Test("a receiver that fails in a dozen ways gets every event in the end, those of an object in order")
  func badReceiver() async throws {
    let bad: [WebhookReceiver.Behaviour] = [
      .fails, .isBusy, .redirects, .refuses, .isSilent, .drips, .resets, .closes, .isHuge, .isLate, .isEarly,
    ]
    let turn = Mutex(0)
    let receiver = try WebhookReceiver { _, _, earlier in
      if earlier >= 2 { return .accepts }
      return turn.withLock { turn in
        turn += 1
        return bad[turn % bad.count]
      }
    }
    defer { receiver.stop() }
    try await Marketplace.with { market in
      let bench = DeliveryBench(market)
      let webhook = try await bench.create(receiver.url(), types: ["webhook.updated"])
      var others: [Webhook] = []
      for _ in 0..<4 { others.append(try await bench.change(try await bench.create(receiver.url("/never")), .pause)) }
      for round in 0..<10 {
        for other in others {
          _ = try await bench.change(other, .update(url: nil, description: "round \(round)", types: nil))
        }
      }
      let isDone = try await bench.deliver(workers: 2, within: 120) {
        try await bench.states(of: webhook) == ["delivered": 40]
      }
      let outcomes = try await bench.outcomes(of: webhook)
      #expect(isDone, "\(outcomes)")
      let seen = try taken(receiver)
      // Each was created (1), paused (2), and updated ten times; only updates were asked for.
      for other in others { #expect(seen[other.id.description] == Array(3...12)) }
      #expect(
        Set(outcomes.keys).isSuperset(of: [
          "delivered", "server_error", "client_error", "redirected", "timed_out", "unreachable",
        ]), "\(outcomes)")
      #expect(receiver.all.allSatisfy { $0.path == "/" }, "nobody follows a redirect, a paused webhook is not told")
      // What was kept while it paused is sent when it goes on.
      let resumed = try await bench.change(others[0], .resume)
      let kept = try await bench.deliver { try await bench.states(of: resumed)["pending"] == nil }
      #expect(kept)
    }
  }

  @Test(
    "a slow receiver and a dead one do not hold another back; the dead one's events wait, and are given up in the end")
  func slowAndDead() async throws {
    let receiver = try WebhookReceiver { path, _, _ in path == "/slow" ? .isSilent : .accepts }
    defer { receiver.stop() }
    try await Marketplace.with { market in
      let bench = DeliveryBench(market)
      let slow = try await bench.create(receiver.url("/slow"), types: ["webhook.updated"])
      let dead = try await bench.create("http://127.0.0.1:1/", types: ["webhook.updated"])
      let good = try await bench.create(receiver.url("/good"), types: ["webhook.updated"])
      for round in 0..<20 { _ = try await bench.change(good, .update(url: nil, description: "\(round)", types: nil)) }
      let began = ContinuousClock.now
      let isDone = try await bench.deliver(within: 20) { try await bench.states(of: good) == ["delivered": 20] }
      #expect(isDone && ContinuousClock.now - began < .seconds(10))
      let ofSlow = try await bench.states(of: slow)
      #expect(ofSlow["delivered"] == nil)
      // Ten tries of the first event, then the next of the object has its turn.
      let givenUp = try await bench.deliver(within: 60) { (try await bench.states(of: dead)["dead"] ?? 0) >= 2 }
      #expect(givenUp)
      // A try is counted when it begins, so that one which ends its process counts as well; what it came to is kept when it ends,
      // and the one that was under way when the first deliverer stopped above came to nothing.
      #expect(try await bench.tries(of: dead, state: "dead") >= 20)
      let outcomes = try await bench.outcomes(of: dead)
      let ended = (outcomes["unreachable"] ?? 0) + (outcomes["timed_out"] ?? 0)
      #expect(ended >= 19 && Set(outcomes.keys).isSubset(of: ["unreachable", "timed_out"]), "\(outcomes)")
      #expect(bench.counters.dead.load(ordering: .relaxed) >= 2)
    }
  }

  @Test("410 disables, days of failure disable, and what was missed is sent again when it is asked for")
  func disabling() async throws {
    let isWell = Mutex(false)
    let receiver = try WebhookReceiver { path, _, _ in
      isWell.withLock { $0 } ? .accepts : path == "/gone" ? .isGone : .fails
    }
    defer { receiver.stop() }
    try await Marketplace.with { market in
      var made = DeliveryBench(market)
      made.limits.disableAfterSeconds = 1
      let bench = made
      let gone = try await bench.create(receiver.url("/gone"), types: ["webhook.updated"])
      let failing = try await bench.create(receiver.url("/failing"), types: ["webhook.updated"])
      _ = try await bench.change(gone, .update(url: nil, description: "x", types: nil))
      // The failing one has other news too, that it fails on.
      for round in 0..<30 {
        _ = try await bench.change(failing, .update(url: nil, description: "\(round)", types: nil))
      }
      let disabled = try await bench.deliver(within: 30) {
        let (one, two) = (try await bench.state(of: gone), try await bench.state(of: failing))
        return one == "disabled gone" && two == "disabled failing"
      }
      #expect(disabled)
      // While it is disabled nothing is kept for it.
      _ = try await bench.change(gone, .update(url: nil, description: "y", types: nil))
      try await Task.sleep(for: .milliseconds(200))
      isWell.withLock { $0 = true }
      _ = try await bench.change(gone, .resume)
      _ = try await bench.deliver(within: 10) { try await bench.states(of: gone)["pending"] == nil }
      _ = try await bench.change(gone, .redeliverSince(.epoch))
      let whole = try await bench.deliver(within: 20) { try await bench.states(of: gone) == ["delivered": 32] }
      #expect(whole)
      // The same event has the same id each time it is told.
      let ids = Set(receiver.all.filter { $0.path == "/gone" }.map(\.id))
      #expect(ids.count == 32)
    }
  }

  @Test("a ping goes to the one webhook, whatever it asks for; a rotated secret signs beside the new one")
  func pingAndRotate() async throws {
    let receiver = try WebhookReceiver()
    defer { receiver.stop() }
    try await Marketplace.with { market in
      let bench = DeliveryBench(market)
      let first = try await bench.create(receiver.url("/first"), types: ["loan.*"])
      _ = try await bench.create(receiver.url("/second"), types: ["loan.*"])
      var ids = IdentifierSource(milliseconds: 1_790_000_000_000, seed: (1, 1))
      let secret = try bench.secrets.fresh(for: first.id, id: ids.nextValue())
      #expect(secret.text.hasPrefix("whsec_") && secret.text.utf8.count == 50)
      _ = try await bench.change(first, .rotate(secret.sealed, overlapSeconds: 60))
      _ = try await bench.change(first, .ping)
      let pinged = try await bench.deliver(within: 10) { receiver.all.count == 1 }
      #expect(pinged)
      let call = try #require(receiver.all.first)
      #expect(call.path == "/first" && call.text.hasPrefix(#"{"type":"webhook.ping","timestamp":""#))
      let signatures = call.headers["webhook-signature"]?.split(separator: " ") ?? []
      #expect(signatures.count == 2)
      let opened = try bench.secrets.open(secret.sealed.sealed, for: first.id)
      let timestamp = try #require(Int64(call.headers["webhook-timestamp"] ?? ""))
      let mine = WebhookSecrets.signature(of: call.body, id: call.id, timestamp: timestamp, secrets: [opened])
      #expect(signatures.first.map(String.init) == mine, "the newest signs first")
    }
  }

  @Test("secrets open with their own key, for their own webhook, and not when damaged")
  func sealing() throws {
    let secrets = WebhookSecrets(root: Array(repeating: 1, count: 32))
    let (one, two) = (WebhookID(UUIDValue(high: 1, low: 1)), WebhookID(UUIDValue(high: 1, low: 2)))
    let sealed = try secrets.seal(Array(0..<32), for: one)
    #expect(try secrets.open(sealed, for: one) == Array(0..<32))
    #expect(throws: WebhookSecrets.Unreadable.self) { try secrets.open(sealed, for: two) }
    #expect(throws: WebhookSecrets.Unreadable.self) {
      try WebhookSecrets(root: Array(repeating: 2, count: 32)).open(sealed, for: one)
    }
    for index in sealed.indices {
      var damaged = sealed
      damaged[index] ^= 1
      #expect(throws: WebhookSecrets.Unreadable.self) { try secrets.open(damaged, for: one) }
    }
    #expect(throws: WebhookSecrets.Unreadable.self) { try secrets.open([], for: one) }
    #expect(
      base64([]) == "" && base64([102]) == "Zg==" && base64([102, 111]) == "Zm8="
        && base64(Array("foobar".utf8)) == "Zm9vYmFy")
  }
}

/// Answers a name as it is told to.
final class StubResolver: AddressResolver {
  private let answers: Mutex<[[String]]>
  let asked = Mutex(0)

  init(_ answers: [[String]]) { self.answers = Mutex(answers) }

  func addresses(of host: String) async throws -> [InternetAddress] {
    asked.withLock { $0 += 1 }
    let next = answers.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }
    return next.compactMap { InternetAddress($0) }
  }
}

@Suite("Where deliveries go")
struct GuardTests {
  @Test("a name with any address inside is refused, and so is one with none")
  func addresses() async throws {
    for inside in ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "fd00::1"] {
      for answer in [[inside], ["8.8.8.8", inside], [inside, "8.8.8.8"]] {
        let guarding = WebhookGuard(resolver: StubResolver([answer]))
        await #expect(throws: WebhookRefusal.self, "\(answer)") { try await guarding.pin("https://hooks.lender.com/") }
        // A sandbox's leave is for addresses that are written so, not for names that lead there.
        let sandbox = WebhookGuard(allowsLoopback: true, resolver: StubResolver([answer]))
        await #expect(throws: WebhookRefusal.self, "\(answer)") { try await sandbox.pin("https://hooks.lender.com/") }
      }
    }
    let none = WebhookGuard(resolver: StubResolver([[]]))
    await #expect(throws: WebhookRefusal.self) { try await none.pin("https://hooks.lender.com/") }
    let pinned = try await WebhookGuard(resolver: StubResolver([["8.8.8.8", "2001:4860:4860::8888"]])).pin(
      "https://hooks.lender.com/x")
    #expect(pinned.address == .v4(0x0808_0808) && pinned.url.host == "hooks.lender.com")
  }

  @Test("a name that leads elsewhere the second time is refused then, and is looked up once a try")
  func rebinding() async throws {
    let resolver = StubResolver([["8.8.8.8"], ["127.0.0.1"]])
    let guarding = WebhookGuard(resolver: resolver)
    _ = try await guarding.pin("https://hooks.lender.com/")
    let sender = WebhookSender(guard: guarding, timeout: .seconds(2))
    let outcome = await sender.send([], headers: [], to: "https://hooks.lender.com/", now: .epoch)
    #expect(outcome.kind == .addressRefused)
    #expect(resolver.asked.withLock { $0 } == 2)
  }

  @Test("an answer's wait is read as seconds and as a date")
  func retryAfter() throws {
    let now = try #require(Instant("2026-06-02T08:00:00Z"))
    #expect(WebhookSender.retryAfter("120", now: now) == 120)
    #expect(WebhookSender.retryAfter("Tue, 02 Jun 2026 08:01:00 GMT", now: now) == 60)
    #expect(WebhookSender.retryAfter("Mon, 01 Jun 2026 08:01:00 GMT", now: now) == 0)
    for odd in ["", "-1", "soon", "1.5", "Tue, 02 Foo 2026 08:01:00 GMT"] {
      #expect(WebhookSender.retryAfter(odd, now: now) == nil, "\(odd)")
    }
    #expect(WebhookSender.printable([65, 10, 0, 27, 66]) == "A   B")
  }
}
