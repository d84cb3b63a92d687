import Foundation
import PostgresHarness
import ServiceHarness
import StrictJSON
import Testing

extension EndToEnd {
  /// Events pushed to receivers, through the binary.
  @Suite("webhooks", .serialized)
  struct Webhooks {
    private static let options = ["--webhook-loopback", "--lease-seconds", "3"]

    private func create(
      _ deployment: Deployment, _ service: Service, _ party: Party, _ url: String, types: String = "[]"
    ) throws -> (id: String, secret: String) {
      let made = try deployment.post(
        service, "/v1/webhooks", as: party.key, #"{"url":"\#(url)","types":\#(types)}"#)
      return (try made.text("id"), try made.text("secret"))
    }

    @Test("are made, told, signed so that the reference library agrees, logged, paused, rotated and closed")
    func life() async throws {
      let receiver = try WebhookReceiver()
      defer { receiver.stop() }
      try await withDeployment { deployment in
        let service = try deployment.serve(options: Self.options)
        let http = RawHTTP(port: service.port)
        let lender = try deployment.enrol(service, "Lender", role: "lender")
        let other = try deployment.enrol(service, "Other", role: "lender")
        for url in [
          "http://example.com/", "https://10.0.0.1/", "https://localhost/", "https://[::ffff:127.0.0.1]/",
          "https://2130706433/", "https://user@hooks.lender.com/", "https://hooks.lender.com:22/", "ftp://x.com/",
        ] {
          let refused = try http.post("/v1/webhooks", as: lender.key, #"{"url":"\#(url)"}"#, idempotency: url)
          #expect(refused.status == 422, "\(url): \(refused.status) \(refused.text)")
        }
        for body in [
          #"{}"#, #"{"url":"http://127.0.0.1:9/","x":1}"#, #"{"url":"http://127.0.0.1:9/","types":["Loan"]}"#,
        ] {
          #expect(try http.post("/v1/webhooks", as: lender.key, body, idempotency: body).status == 422, "\(body)")
        }
        let url = receiver.url("/in")
        let body = #"{"url":"\#(url)","types":["lot.*"],"description":"books"}"#
        let made = try http.post("/v1/webhooks", as: lender.key, body, idempotency: "hook")
        #expect(made.status == 201 && made.headers["location"] != nil, "\(made.text)")
        let (id, secret) = (try made.text("id"), try made.text("secret"))
        let replay = try http.post("/v1/webhooks", as: lender.key, body, idempotency: "hook")
        #expect(replay.status == 201 && !replay.text.contains("whsec_"))
        let read = try http.get("/v1/webhooks/\(id)", as: lender.key)
        #expect(read.status == 200 && !read.text.contains("whsec_") && !read.text.contains("sealed"))
        #expect(try http.get("/v1/webhooks/\(id)", as: other.key).status == 404)
        #expect(try http.get("/v1/webhooks/\(id)/deliveries", as: other.key).status == 404)
        try deployment.post(service, "/v1/webhooks/\(id)/ping", as: lender.key)
        try deployment.post(service, "/v1/lots", as: lender.key, Goods.lot("hooked"))
        try deployment.post(service, "/v1/lots", as: other.key, Goods.lot("not told"))
        #expect(eventually(within: 15) { receiver.all.count >= 2 }, "\(service.child.output)")
        let log = try http.get("/v1/webhooks/\(id)/deliveries", as: lender.key)
        let logged = try log.json()["data"]?.elements.map { $0 } ?? []
        #expect(logged.count == 2, "\(log.text)")
        #expect(logged.first?["log"]?.elements.first?["outcome"]?.asString == "delivered", "\(log.text)")
        let types = receiver.all.compactMap { $0.headers["webhook-id"] == nil ? nil : $0.text.prefix(32) }
        #expect(types.count == 2)
        // Rotated: both secrets sign. The reference library takes each with its own.
        let rotated = try deployment.post(service, "/v1/webhooks/\(id)/rotate-secret", as: lender.key)
        let second = try rotated.text("secret")
        #expect(second != secret && second.hasPrefix("whsec_"))
        try deployment.post(service, "/v1/webhooks/\(id)/ping", as: lender.key)
        #expect(eventually(within: 15) { receiver.all.count == 3 })
        let calls = receiver.all
        try StandardWebhooks.verify(calls[0], secret: secret)
        try StandardWebhooks.verify(calls[1], secret: secret)
        try StandardWebhooks.verify(calls[2], secret: secret)
        try StandardWebhooks.verify(calls[2], secret: second)
        #expect(throws: (any Error).self, "a signature of another secret") {
          try StandardWebhooks.verify(calls[0], secret: second)
        }
        // What happens while it pauses is kept, and told when it goes on.
        try deployment.post(service, "/v1/webhooks/\(id)/pause", as: lender.key)
        try deployment.post(service, "/v1/lots", as: lender.key, Goods.lot("while paused"))
        usleep(700_000)
        #expect(receiver.all.count == 3)
        try deployment.post(service, "/v1/webhooks/\(id)/resume", as: lender.key)
        #expect(eventually(within: 15) { receiver.all.count == 4 })
        // Told again under the same id.
        let event = calls[1].id
        try deployment.post(service, "/v1/webhooks/\(id)/redeliver", as: lender.key, #"{"event_id":"\#(event)"}"#)
        #expect(eventually(within: 15) { receiver.all.count { $0.id == event } == 2 })
        let closed = try deployment.post(service, "/v1/webhooks/\(id)/close", as: lender.key)
        #expect(try closed.json()["state"]?.asString == "closed")
        let again = try http.post("/v1/webhooks/\(id)/ping", as: lender.key, "{}", idempotency: "late")
        #expect(again.status == 409)
        // Nobody else ever sees the secrets: not the database in the clear, not the log.
        let console = try deployment.console()
        let clear = try console.number(
          "select count(*) from webhook_secrets where position('whsec_' in encode(sealed, 'escape')) > 0")
        #expect(clear == 0)
        let kept = try console.number("select count(*) from idempotency where encode(body, 'escape') like '%whsec%'")
        #expect(kept == 0 && !service.child.output.contains(secret))
        let metrics = try http.send("GET", "/metrics").text
        #expect(metrics.contains("chipbridge_webhook_deliveries_total 5"), "\(metrics.prefix(2_000))")
      }
    }

    @Test("a service that is killed in the middle of deliveries loses none, and keeps each object's order")
    func kills() async throws {
      let receiver = try WebhookReceiver { _, _, earlier in
        // Slow enough that kills meet deliveries under way.
        usleep(UInt32.random(in: 1_000...40_000))
        return earlier == 0 && Int.random(in: 0..<20) == 0 ? .closes : .accepts
      }
      defer { receiver.stop() }
      try await withDeployment { deployment in
        var service = try deployment.serve(options: Self.options)
        let port = service.port
        let lender = try deployment.enrol(service, "Lender", role: "lender")
        let startup = try deployment.enrol(service, "Startup", role: "startup")
        _ = try create(deployment, service, startup, receiver.url(), types: #"["loan_request.*"]"#)
        let load = WriteLoad("hooks", lender: lender, startup: startup)
        let ended = DispatchGroup()
        ended.enter()
        Thread.detachNewThread {
          do { try load.run(writers: 2, port: port) } catch { load.strange.append("\(error)") }
          ended.leave()
        }
        for _ in 0..<3 {
          usleep(1_200_000)
          try service.kill()
          service = try deployment.serve(port: port, options: Self.options)
        }
        usleep(500_000)
        load.stop()
        ended.wait()
        let console = try deployment.console()
        let drained = try eventually(within: 120) {
          try console.number(
            """
            select (select count(*) from outbox where type like 'loan_request.%' and org_a = '\(startup.id.dropFirst(4))')
              - (select count(*) from webhook_deliveries where state = 'delivered')
            """) == 0
        }
        #expect(drained)
        let wanted = Set(
          try console.rows(
            "select 'evt_' || id from outbox where type like 'loan_request.%' and org_a = '\(startup.id.dropFirst(4))'"
          ).map { $0[0] })
        let told = receiver.all.filter(\.behaviour.isTaken)
        #expect(Set(told.map(\.id)) == wanted)
        print("webhooks: \(wanted.count) events, \(receiver.all.count) requests over 3 kills")
        #expect(wanted.count > 50)
      }
    }
  }
}

/// The reference library of Standard Webhooks, in an environment of its own: it knows nothing of our signatures.
enum StandardWebhooks {
  /// A test without it would hold nothing, so it fails.
  struct Refused: Error, CustomStringConvertible {
    let description: String
  }

  private static let program = """
    import json, sys
    from standardwebhooks.webhooks import Webhook
    given = json.load(sys.stdin)
    Webhook(given["secret"]).verify(given["body"], given["headers"])
    """

  private static let python = Result { try PythonTools.folder(with: ["standardwebhooks==1.1.0"]) + "/bin/python" }

  /// - Throws: `Refused` when the library does not take the signature; `HarnessError` when there is no library.
  static func verify(_ call: WebhookReceiver.Call, secret: String) throws {
    let python = try python.get()
    let headers = call.headers.filter { $0.key.hasPrefix("webhook-") }
    let given: [String: Any] = ["secret": secret, "body": call.text, "headers": headers]
    let input = String(decoding: try JSONSerialization.data(withJSONObject: given), as: UTF8.self)
    let (status, output) = try PythonTools.run([python, "-c", program], input: input)
    guard status == 0 else { throw Refused(description: output) }
  }
}
