import Foundation
import PostgresHarness
import ServiceHarness
import StrictJSON
import Testing

extension EndToEnd {
  @Suite("canaries", .serialized)
  struct Canaries {
    @Test("no secret or sensitive input is in anything that the service writes, but where it has to be")
    func canaries() async throws {
      let collector = try WebhookReceiver()
      let receiver = try WebhookReceiver { path, _, _ in path.hasPrefix("/bad") ? .fails : .accepts }
      defer {
        collector.stop()
        receiver.stop()
      }
      try await withDeployment { deployment in
        let file = "/tmp/cb-canaries-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: file) }
        let secrets = OperatorSecrets()
        try secrets.write(to: file + ".key")
        defer { try? FileManager.default.removeItem(atPath: file + ".key") }
        // Both may tell any webhook: what one of them alone could reach, the other would put off for minutes.
        let logged = [
          "--access-log", "stdout", "--log-level", "trace", "--audit-key-file", file + ".key", "--webhook-loopback",
          "--database-url", deployment.databaseURL + "&password=\(secrets.password)",
        ]
        let environment = Traces.environment(collector).merging(
          [
            "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20\(secrets.collector)",
            "CHIPBRIDGE_WEBHOOK_KEY": secrets.webhooks.hexadecimal,
          ]
        ) { $1 }
        let service = try deployment.serve(
          options: logged + ["--audit-seconds", "1", "--audit-checkpoints", file],
          environment: environment)
        let narrow = try deployment.serve(options: logged + ["--key-quota", "6"], environment: environment)
        let walk = try CanaryWalk(deployment, service, narrow, receiver, secrets)
        try walk.succeed()
        try walk.beRefused()
        try walk.meetTheQuota()
        try walk.outlast {
          deployment.server.stop()
        } until: {
          try deployment.server.start()
        }
        #expect(service.becomesReady(within: 20))
        usleep(1_500_000)
        var places: [Place: String] = [.errors: walk.errors.joined(separator: "\n")]
        let http = RawHTTP(port: service.port)
        let wanted: Set = [400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 429, 503]
        #expect(wanted.isSubset(of: walk.statuses), "\(wanted.subtracting(walk.statuses)) were not met")
        places[.metrics] = try http.send("GET", "/metrics").text
        var audit = ["/v1/audit-log/checkpoints", "/v1/audit-log?limit=200"]
        var pages: [String] = [try String(contentsOfFile: file, encoding: .utf8)]
        while let target = audit.popLast() {
          let page = try http.get(target, as: deployment.admin)
          pages.append(page.text)
          if target.contains("limit"), let next = try page.json()["next_cursor"]?.asString {
            audit.append("/v1/audit-log?limit=200&cursor=\(next)")
          }
        }
        places[.audit] = pages.joined(separator: "\n")
        for child in [service.child, narrow.child] {
          child.signal(SIGTERM)
          #expect(child.wait(seconds: 30) == 0)
        }
        places[.log] = service.child.output + narrow.child.output
        places[.spans] = collector.all.map(\.text).joined(separator: "\n")
        let spans = try ExportedSpan.read(collector.all.map(\.text))
        #expect(spans.contains { $0.name == "COMMIT" } && spans.contains { $0.name == "POST webhook" })
        expectNone(try walk.found(in: places), "canaries where they must not be")
        try expectLines(of: places[.log] ?? "")
      }
    }

    /// Every line is an object but the one that tells the port; the pool's troubles and requests are among them.
    private func expectLines(of log: String) throws {
      let lines = log.split(separator: "\n").filter { !$0.hasPrefix("ChipBridge listens on ") }
      let parsed = lines.compactMap { try? JSONDocument(parsing: Array($0.utf8)).root }
      let broken = lines.filter { (try? JSONDocument(parsing: Array($0.utf8))) == nil }
      expectNone(broken.map(String.init), "lines that are no JSON")
      for line in parsed where line["time"]?.asString?.hasSuffix("Z") != true || line["level"] == nil {
        Issue.record("a line has no time or level")
        break
      }
      #expect(parsed.contains { $0["message"]?.asString == "request" && $0["status"]?.asInteger == 503 })
      #expect(parsed.contains { $0["label"]?.asString == "chipbridge" && $0["level"]?.asString == "warning" })
    }
  }
}

/// What the operator gives a service that nobody else is to see.
private struct OperatorSecrets: Sendable {
  struct Seed: Sendable {
    let bytes = (0..<32).map { _ in UInt8.random(in: 0 ... .max) }

    var hexadecimal: String { bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() }
  }

  let seed = Seed()
  let webhooks = Seed()
  let collector = "cnry-of-the-collector"
  let password = "cnry-of-the-database"

  func write(to file: String) throws { try seed.hexadecimal.write(toFile: file, atomically: true, encoding: .utf8) }
}

/// What the service writes, beside its tables and the answers that are meant for the caller.
enum Place: String, Hashable {
  case log, metrics, spans, errors, audit
}

/// A path through the service with something in every input that must not be found elsewhere.
private final class CanaryWalk {
  private struct Canary {
    let what: String
    let text: String
    /// Where it is by design.
    let places: Set<Place>
    /// Tables that have it by design.
    let tables: Set<String>
  }

  private let deployment: Deployment
  private let service: Service
  private let narrow: Service
  private let receiver: WebhookReceiver
  private let http: RawHTTP
  private let lender: Party
  private let startup: Party
  private var canaries: [Canary] = []
  private(set) var errors: [String] = []
  private(set) var statuses: Set<Int> = []

  init(
    _ deployment: Deployment, _ service: Service, _ narrow: Service, _ receiver: WebhookReceiver,
    _ secrets: OperatorSecrets
  ) throws {
    (self.deployment, self.service, self.narrow, self.receiver) = (deployment, service, narrow, receiver)
    http = RawHTTP(port: service.port)
    lender = try deployment.enrol(service, "Lender", role: "lender")
    startup = try deployment.enrol(service, "Startup", role: "startup")
    for (whose, key) in [
      ("admin", deployment.admin), ("checker", deployment.checker), ("lender", lender.key), ("startup", startup.key),
    ] {
      // `cbk_<id>_<secret>_<checksum>`: the identity of a key is no secret, and the log names it.
      keep("the key of \(whose)", String(key.split(separator: "_")[2]))
    }
    keep("the collector's key", secrets.collector)
    keep("the database's password", secrets.password)
    for (what, seed) in [("the seed of checkpoints", secrets.seed), ("the key of webhooks", secrets.webhooks)] {
      keep(what, seed.hexadecimal)
      // As a value tells its bytes that is left to describe itself.
      keep(what, seed.bytes.map { "\($0)" }.joined(separator: ", "))
    }
    let platform = try deployment.console().rows("select encode(secret, 'hex') from platform_state")
    keep("the platform's own secret", platform.first?.first ?? "none", tables: ["platform_state"])
  }

  private func keep(_ what: String, _ text: String, in places: Set<Place> = [], tables: Set<String> = []) {
    canaries.append(Canary(what: what, text: text, places: places, tables: tables))
  }

  /// A fresh one.
  private func canary(_ what: String, in places: Set<Place> = [], tables: Set<String> = []) -> String {
    let text = "cnry" + UUID().uuidString.lowercased().replacing("-", with: "").prefix(20)
    keep(what, text, in: places, tables: tables)
    return text
  }

  /// Asks with a canary in each header that clients and proxies send besides.
  @discardableResult
  private func ask(
    _ method: String, _ target: String, as authorization: String?, more: [(String, String)] = [], _ body: String? = nil,
    of service: Service? = nil
  ) throws -> Answer {
    var headers = [
      ("Cookie", "session=\(canary("a cookie"))"), ("User-Agent", canary("the user agent")),
      ("Referer", "http://x/?\(canary("the referer"))"), ("X-Api-Key", canary("a header with a key")),
      ("Proxy-Authorization", "Basic \(canary("a proxy's password"))"), ("baggage", "user=\(canary("baggage"))"),
      ("X-Request-Id", canary("the client's own request id")), ("X-Forwarded-For", canary("a forwarded address")),
      ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-\(canary("a malformed traceparent"))-01"),
    ]
    if let authorization { headers.append(("Authorization", authorization)) }
    if body != nil, !more.contains(where: { $0.0 == "Content-Type" }) {
      headers.append(("Content-Type", "application/json"))
    }
    if method == "POST", !more.contains(where: { $0.0 == "Idempotency-Key" }) {
      headers.append(("Idempotency-Key", canary("an idempotency key", tables: ["idempotency"])))
    }
    let http = service.map { RawHTTP(port: $0.port) } ?? self.http
    let answer = try http.send(method, target, headers: headers + more, body: body.map { Array($0.utf8) })
    statuses.insert(answer.status)
    if answer.status >= 400 { errors.append("\(answer.status) \(answer.headers) \(answer.text)") }
    return answer
  }

  private func expect(_ status: Int, _ answer: Answer, _ what: String) {
    #expect(answer.status == status, "\(what): \(answer.status) \(answer.text.prefix(300))")
  }

  // MARK: what goes well

  func succeed() throws {
    try deployment.openMarket(service)
    let loan = try deployment.lend(service, from: lender, to: startup)
    let bearer = "Bearer \(startup.key)"
    // A tracing system's own data is passed on to it, and to nobody else.
    let state = canary("the tracestate", in: [.spans])
    let parent = [
      ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), ("tracestate", "r=\(state)"),
    ]
    let read = try http.send("GET", "/v1/loans/\(loan)", headers: [("Authorization", bearer)] + parent)
    expect(200, read, "a read")
    let use = canary("what a body says", tables: ["loan_requests", "outbox", "idempotency"])
    expect(201, try ask("POST", "/v1/loan-requests", as: bearer, Goods.request(use)), "a request")
    let iban = "GB29NWBK60161331926819"
    keep("the number of an account", iban, tables: ["payees", "idempotency"])
    let account = #"{"currency":"EUR","name":"Mueller GmbH","iban":"\#(iban)","bic":"NWBKGB2L"}"#
    expect(
      201, try ask("POST", "/v1/organizations/\(lender.id)/payees", as: "Bearer \(lender.key)", account), "a payee")
    for path in ["in", "bad"] {
      let token = canary("the token of a webhook's URL", tables: ["webhooks", "idempotency"])
      let hook = #"{"url":"\#(receiver.url("/\(path)"))?token=\#(token)","types":[]}"#
      let made = try ask("POST", "/v1/webhooks", as: "Bearer \(lender.key)", hook)
      expect(201, made, "a webhook")
      let id = try made.text("id")
      keepSecret("a webhook's secret", try made.text("secret"))
      let rotated = try ask("POST", "/v1/webhooks/\(id)/rotate-secret", as: "Bearer \(lender.key)", "{}")
      keepSecret("a webhook's second secret", try rotated.text("secret"))
      expect(200, try ask("POST", "/v1/webhooks/\(id)/ping", as: "Bearer \(lender.key)", "{}"), "a ping")
    }
    #expect(eventually(within: 15) { Set(receiver.all.map { $0.path.prefix(4) }).count == 2 })
    let run = #"{"job":"accrual","business_date":"2023-04-03"}"#
    expect(202, try ask("POST", "/v1/settlement-runs", as: "Bearer \(deployment.admin)", run), "a run")
  }

  /// `whsec_` and base64; its bytes are looked for too.
  private func keepSecret(_ what: String, _ text: String) {
    let encoded = String(text.dropFirst("whsec_".count))
    keep(what, encoded)
    if let bytes = Data(base64Encoded: encoded) { keep(what, bytes.map { hex($0) }.joined()) }
  }

  // MARK: what is refused

  func beRefused() throws {
    let bearer = "Bearer \(startup.key)"
    let mine =
      #"{"organization_id":"\#(startup.id)","roles":["startup"],"person_id":"per_\#(startup.id.dropFirst(4))"}"#
    let made = try deployment.post(service, "/v1/api-keys", as: deployment.admin, mine)
    let (revoked, key) = (try made.text("secret"), try made.text("id"))
    keep("a revoked key", String(revoked.split(separator: "_")[2]))
    try deployment.post(service, "/v1/api-keys/\(key)/revoke", as: deployment.admin)
    usleep(1_000_000)
    let basic = "user:" + canary("a password")
    keep("a password in base64", Data(basic.utf8).base64EncodedString())
    for authorization in [
      nil, "Bearer \(canary("a token of no shape"))", "Basic \(Data(basic.utf8).base64EncodedString())",
      "Bearer \(revoked)", "Digest username=x, response=\(canary("a digest"))", canary("a bare word"),
      bearer.dropLast(1) + "x", "Bearer cbk_\(canary("a token like a key"))",
    ] {
      expect(401, try ask("GET", "/v1/loans", as: authorization.map { String($0) }), "no key")
    }
    let name = canary("a name that is refused")
    let organization = #"{"legal_name":"\#(name)","jurisdiction":"CN","roles":["lender"],"sites":[]}"#
    let forbidden = try ask("POST", "/v1/organizations", as: bearer, organization)
    #expect([403, 422].contains(forbidden.status), "\(forbidden.text)")
    expect(403, try ask("GET", "/v1/audit-log/checkpoints", as: bearer), "for auditors")
    expect(404, try ask("GET", "/v1/loans/\(canary("an id"))", as: bearer), "an id")
    expect(404, try ask("GET", "/v1/\(canary("a path"))?api_key=\(canary("a key in the query"))", as: bearer), "a path")
    expect(405, try ask("DELETE", "/v1/loans?token=\(canary("a token in the query"))", as: bearer), "a method")
    let long = #"{"end_use":"\#(canary("a body that is too long"))\#(String(repeating: "x", count: 3 << 20))"}"#
    expect(413, try ask("POST", "/v1/loan-requests", as: bearer, long), "a long body")
    let type = [("Content-Type", "text/\(canary("a media type"))")]
    expect(415, try ask("POST", "/v1/loan-requests", as: bearer, more: type, "{}"), "a media type")
    // What is wrong with a body is said by the names that the caller gave its members.
    let member = canary("the name of a member", in: [.errors])
    let unknown = #"{"\#(member)":"\#(canary("the value of a member"))"}"#
    expect(422, try ask("POST", "/v1/loan-requests", as: bearer, unknown), "a member")
    for body in [
      #"{"url":"https://user:\#(canary("userinfo"))@hooks.lender.com/"}"#,
      #"{"url":"https://10.0.0.1/?token=\#(canary("the token of a URL that is refused"))"}"#,
    ] { expect(422, try ask("POST", "/v1/webhooks", as: "Bearer \(lender.key)", body), "a URL") }
    keep("the number of a wrong account", "GB29NWBK60161331926810")
    let account = #"{"currency":"EUR","name":"M","iban":"GB29NWBK60161331926810","bic":"NWBKGB2L"}"#
    expect(
      422, try ask("POST", "/v1/organizations/\(lender.id)/payees", as: "Bearer \(lender.key)", account), "an account")
    expect(422, try ask("GET", "/v1/loans?cursor=\(canary("a cursor"))", as: bearer), "a cursor")
    let parameter = canary("the name of a parameter", in: [.errors])
    expect(422, try ask("GET", "/v1/loans?\(parameter)=\(canary("its value"))", as: bearer), "a parameter")
    expect(422, try ask("GET", "/v1/loans?limit=\(canary("a limit"))", as: bearer), "a limit")
    expect(
      400, try ask("POST", "/v1/loan-requests", as: bearer, "{\"\(canary("half a body", in: [.errors]))\":"),
      "half a body")
    let longKey = [("Idempotency-Key", String(repeating: "k", count: 250) + canary("a key that is too long"))]
    expect(
      400, try ask("POST", "/v1/loan-requests", as: bearer, more: longKey, Goods.request("a long key")), "a long key")
    let id = try deployment.post(
      service, "/v1/loan-requests", as: startup.key, Goods.request("to be cancelled")
    ).text("id")
    let match = [("If-Match", canary("a version"))]
    expect(412, try ask("POST", "/v1/loan-requests/\(id)/cancel", as: bearer, more: match, "{}"), "a version")
    try deployment.post(service, "/v1/loan-requests/\(id)/cancel", as: startup.key)
    expect(409, try ask("POST", "/v1/loan-requests/\(id)/cancel", as: bearer, "{}"), "a second end")
  }

  func meetTheQuota() throws {
    var refused = false
    for _ in 0..<12 where !refused {
      refused = try ask("GET", "/v1/loans", as: "Bearer \(startup.key)", of: narrow).status == 429
    }
    #expect(refused)
  }

  /// The database goes away for a moment.
  func outlast(_ stop: () -> Void, until start: () throws -> Void) throws {
    stop()
    usleep(1_000_000)
    let use = canary("what a body says while the database is away")
    try ask("GET", "/v1/loans?state=\(canary("a filter"))", as: "Bearer \(startup.key)")
    try ask("POST", "/v1/loan-requests", as: "Bearer \(lender.key)", Goods.request(use))
    try start()
  }

  // MARK: judging

  private func hex(_ byte: UInt8) -> String { String(byte >> 4, radix: 16) + String(byte & 15, radix: 16) }

  /// Looks for every canary, as it is and in hexadecimal, in all places and all tables.
  func found(in places: [Place: String]) throws -> [String] {
    let console = try deployment.console()
    var tables: [String: String] = [:]
    for row in try console.rows("select table_name from information_schema.tables where table_schema = 'public'") {
      tables[row[0]] = try console.rows("select t::text from \"\(row[0])\" t").map { $0[0] }.joined(separator: "\n")
    }
    var faults: [String] = []
    var seen: Set<String> = []
    for canary in canaries {
      let forms = [canary.text, canary.text.utf8.map(hex).joined()]
      for (place, text) in places where forms.contains(where: { text.contains($0) }) {
        seen.insert("\(canary.what) in \(place)")
        if !canary.places.contains(place) {
          faults.append("\(canary.what) is in \(place): \(around(canary.text, text))")
        }
      }
      for (table, text) in tables where forms.contains(where: { text.contains($0) }) {
        seen.insert("\(canary.what) in \(table)")
        if !canary.tables.contains(table) { faults.append("\(canary.what) is in the table \(table)") }
      }
    }
    // What is there by design is found, so that the search is one.
    for (place, text) in [
      Place.log: startup.id, .audit: lender.id, .metrics: "/v1/loan-requests", .spans: "POST webhook",
      .errors: "request.quota_exceeded",
    ] where places[place]?.contains(text) != true { faults.append("\(place) is not what it should be") }
    for sight in [
      "the tracestate in spans", "what a body says in loan_requests", "an idempotency key in idempotency",
      "the token of a webhook's URL in webhooks", "the number of an account in payees",
      "the name of a member in errors",
    ] where !seen.contains(sight) { faults.append("not found: \(sight)") }
    return faults
  }

  private func around(_ needle: String, _ text: String) -> String {
    guard let range = text.range(of: needle) else { return "in hexadecimal" }
    return String(text[..<range.lowerBound].suffix(160) + text[range])
  }
}
