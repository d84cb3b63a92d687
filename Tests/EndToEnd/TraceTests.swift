import Foundation
import PostgresHarness
import ServiceHarness
import StrictJSON
import Testing

extension EndToEnd {
  @Suite("traces, exported", .serialized)
  struct Traces {
    static func environment(_ collector: WebhookReceiver) -> [String: String] {
      ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:\(collector.port)", "OTEL_BSP_SCHEDULE_DELAY": "100"]
    }

    @Test("a loan's path is read by the peer library: each trace whole, in order, and part of the caller's")
    func loan() async throws {
      let (collector, receiver) = (try WebhookReceiver(), try WebhookReceiver())
      defer {
        collector.stop()
        receiver.stop()
      }
      let (given, unsampled) = ("4bf92f3577b34da6a3ce929d0e0e4736", "5bf92f3577b34da6a3ce929d0e0e4736")
      try await withDeployment { deployment in
        let service = try deployment.serve(
          options: ["--webhook-loopback", "--lease-seconds", "3", "--access-log", "stdout"],
          environment: Self.environment(collector))
        let lender = try deployment.enrol(service, "Lender", role: "lender")
        let startup = try deployment.enrol(service, "Startup", role: "startup")
        try deployment.post(service, "/v1/webhooks", as: lender.key, #"{"url":"\#(receiver.url("/in"))","types":[]}"#)
        try deployment.openMarket(service)
        let loan = try deployment.lend(service, from: lender, to: startup)
        let run = try deployment.post(
          service, "/v1/settlement-runs", as: deployment.admin, #"{"job":"accrual","business_date":"2023-04-03"}"#)
        let path = "/v1/settlement-runs/\(try run.text("id"))"
        let http = RawHTTP(port: service.port)
        let isSettled = try eventually(within: 20) {
          try http.get(path, as: deployment.admin).text("state") == "succeeded"
        }
        #expect(isSettled)
        // At once, so that transactions are shared.
        try concurrently(12) { number in
          let http = RawHTTP(port: service.port)
          for turn in 0..<8 {
            let marker = "shared-\(number)-\(turn)"
            let made = try http.post("/v1/loan-requests", as: startup.key, Goods.request(marker), idempotency: marker)
            #expect(made.status == 201)
          }
        }
        for (trace, flags) in [(given, "01"), (unsampled, "00")] {
          let headers = [
            ("Authorization", "Bearer \(startup.key)"), ("traceparent", "00-\(trace)-00f067aa0ba902b7-\(flags)"),
            ("tracestate", "rojo=1"),
          ]
          #expect(try http.send("GET", "/v1/loans/\(loan)", headers: headers).status == 200)
        }
        let invalid = [("Authorization", "Bearer \(startup.key)"), ("traceparent", "00-\(given)-zz-01")]
        #expect(try http.send("GET", "/v1/loans", headers: invalid).status == 200)
        #expect(try http.get("/v1/nothing/here", as: startup.key).status == 404)
        #expect(eventually(within: 15) { receiver.all.count > 5 })
        let metrics = try http.send("GET", "/metrics").text
        #expect(metrics.contains("\nchipbridge_spans_dropped_total 0\n"), "\(metrics.prefix(3_000))")
        #expect(metrics.contains("\nchipbridge_span_export_failures_total 0\n"))
        service.child.signal(SIGTERM)
        #expect(service.child.wait(seconds: 30) == 0)
        let log = service.child.output
        #expect(log.contains("\"trace_id\":\"\(given)\"") && log.contains("\"trace_id\":\"\(unsampled)\""))
      }
      let spans = try ExportedSpan.read(collector.all.map(\.text))
      try judge(spans, given: given, unsampled: unsampled)
      // Each webhook was told with the span of its own try.
      let tries = Dictionary(
        spans.filter { $0.name == "POST webhook" }.map { ("00-\($0.trace)-\($0.id)-01", $0) }, uniquingKeysWith: { $1 })
      for call in receiver.all {
        let header = try #require(call.headers["traceparent"])
        let span = try #require(tries[header], "\(header) is no exported span")
        #expect(span.kind == 3 && span.attributes["chipbridge.event.id"] == call.id)
        #expect(
          span.attributes["http.response.status_code"] == "200" && span.attributes["server.address"] == "127.0.0.1")
      }
    }

    private func judge(_ spans: [ExportedSpan], given: String, unsampled: String) throws {
      expectNone(ExportedSpan.faults(of: spans, remoteParents: ["00f067aa0ba902b7"]), "a trace is not whole")
      #expect(spans.count > 500)
      let named = Dictionary(grouping: spans, by: \.name)
      for name in [
        "POST /v1/loan-requests", "GET /v1/loans/{id}", "pipeline.queue", "pipeline.transaction",
        "pipeline.shared_transaction", "COMMIT", "BEGIN", "settlement.plan", "settlement.shard", "match_round.clear",
        "POST webhook", "GET",
      ] { #expect(named[name] != nil, "no span \(name)") }
      let request = try #require(named["POST /v1/loan-requests"]?.first)
      #expect(request.kind == 2 && request.attributes["http.route"] == "/v1/loan-requests")
      #expect(request.attributes["http.request.method"] == "POST" && request.attributes["url.scheme"] == "http")
      #expect(request.attributes["http.response.status_code"] == "201")
      let statement = try #require(spans.first { $0.name == "reader_identify" })
      #expect(statement.kind == 3 && statement.attributes["db.system.name"] == "postgresql")
      #expect(statement.attributes["db.operation.name"] == "reader_identify")
      // What many requests shared is linked to each of them, and each of them to it.
      let shared = try #require(named["pipeline.transaction"]?.first { $0.links.count > 1 })
      #expect(shared.parent == "" && shared.attributes["chipbridge.batch.commands"] == "\(shared.links.count)")
      let roots = Set(spans.filter { $0.kind == 2 }.map(\.id))
      #expect(shared.links.allSatisfy { roots.contains($0) })
      let halves = named["pipeline.shared_transaction"]?.filter { $0.links == [shared.id] } ?? []
      #expect(Set(halves.map(\.parent)) == Set(shared.links))
      // The caller's span is the parent of ours, and its decision ours.
      let continued = spans.filter { $0.trace == given }
      #expect(continued.count > 2 && continued.count { $0.parent == "00f067aa0ba902b7" } == 1)
      #expect(continued.allSatisfy { $0.state == "rojo=1" })
      #expect(!spans.contains { $0.trace == unsampled })
    }

    @Test("a collector that is down or silent holds nothing up, neither a request nor the end")
    func noCollector() async throws {
      let (down, silent) = (try WebhookReceiver(), try WebhookReceiver { _, _, _ in .isSilent })
      down.stop()
      defer { silent.stop() }
      try await withDeployment { deployment in
        for collector in [down, silent] {
          let service = try deployment.serve(environment: Self.environment(collector))
          let http = RawHTTP(port: service.port)
          for _ in 0..<300 { #expect(try http.get("/v1/loans", as: deployment.admin).status == 200) }
          let failed = try eventually(within: 5) {
            let text = try http.send("GET", "/metrics").text
            return !text.contains("\nchipbridge_span_export_failures_total 0\n")
          }
          #expect(failed || collector === silent)
          service.child.signal(SIGTERM)
          #expect(service.child.wait(seconds: 25) == 0)
        }
      }
    }

    @Test("wrong variables end the start, all told at once and none of their values")
    func wrongVariables() async throws {
      try await withDeployment { deployment in
        do {
          _ = try deployment.serve(environment: [
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://user:canary-7@c/", "OTEL_EXPORTER_OTLP_HEADERS": "canary-7",
            "OTEL_TRACES_SAMPLER_ARG": "canary-7",
          ])
          Issue.record("it started")
        } catch let error as HarnessError {
          let text = "\(error)"
          #expect(text.contains("OTEL_EXPORTER_OTLP_ENDPOINT") && text.contains("OTEL_EXPORTER_OTLP_HEADERS"))
          #expect(text.contains("OTEL_TRACES_SAMPLER_ARG") && !text.contains("canary-7"), "\(text)")
        }
      }
    }
  }
}

/// A span as the peer library reads it.
struct ExportedSpan: Sendable {
  let trace: String
  let id: String
  /// Empty for a root.
  let parent: String
  let name: String
  let kind: Int64
  let state: String
  let began: UInt64
  let ended: UInt64
  /// The identities of the spans.
  let links: [String]
  let attributes: [String: String]

  private static let program = """
    import base64, json, sys
    from google.protobuf import json_format
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    def binary(node):
        if isinstance(node, dict):
            return {key: base64.b64encode(bytes.fromhex(value)).decode() if key in ("traceId", "spanId", "parentSpanId")
                    else binary(value) for key, value in node.items()}
        return [binary(item) for item in node] if isinstance(node, list) else node
    spans = []
    for body in json.load(sys.stdin):
        request = json_format.ParseDict(binary(json.loads(body)), ExportTraceServiceRequest())
        for resource in request.resource_spans:
            names = {a.key: a.value.string_value for a in resource.resource.attributes}
            assert names["service.name"] == "chipbridge", names
            for scope in resource.scope_spans:
                for s in scope.spans:
                    assert len(s.trace_id) == 16 and len(s.span_id) == 8 and len(s.parent_span_id) in (0, 8)
                    spans.append({
                        "trace": s.trace_id.hex(), "id": s.span_id.hex(), "parent": s.parent_span_id.hex(),
                        "name": s.name, "kind": s.kind, "state": s.trace_state, "began": str(s.start_time_unix_nano),
                        "ended": str(s.end_time_unix_nano), "links": [link.span_id.hex() for link in s.links],
                        "attributes": {a.key: str(getattr(a.value, a.value.WhichOneof("value"))) for a in s.attributes}})
    json.dump(spans, sys.stdout)
    """

  /// - Parameter bodies: of exports, as they were posted.
  /// - Throws: when the peer library takes one of them for no export.
  static func read(_ bodies: [String]) throws -> [ExportedSpan] {
    let python = try PythonTools.folder(with: ["opentelemetry-proto==1.45.2"]) + "/bin/python"
    let input = String(decoding: try JSONSerialization.data(withJSONObject: bodies), as: UTF8.self)
    let (status, output) = try PythonTools.run([python, "-c", program], input: input)
    guard status == 0 else { throw HarnessError("the peer library refuses: \(output.suffix(2_000))") }
    let limits = JSONLimits(maxBytes: 256 << 20, maxMembers: 20_000_000)
    let root = try JSONDocument(parsing: Array(output.utf8), limits: limits).root
    return root.elements.map { node in
      func text(_ name: String) -> String { node[name]?.asString ?? "" }
      let attributes = node["attributes"]?.asObject.map(Array.init) ?? []
      return ExportedSpan(
        trace: text("trace"), id: text("id"), parent: text("parent"), name: text("name"),
        kind: node["kind"]?.asInteger ?? 0, state: text("state"), began: UInt64(text("began")) ?? 0,
        ended: UInt64(text("ended")) ?? 0, links: node["links"]?.elements.compactMap(\.asString) ?? [],
        attributes: Dictionary(attributes.map { ($0.name, $0.value.asString ?? "") }, uniquingKeysWith: { $1 }))
    }
  }

  /// What speaks against traces: more roots than one, a parent that is not there, a part outside of the time of its whole.
  static func faults(of spans: [ExportedSpan], remoteParents: Set<String>) -> [String] {
    var faults: [String] = []
    let known = Dictionary(grouping: spans, by: \.id)
    for (id, same) in known where same.count > 1 { faults.append("\(id) was exported \(same.count) times") }
    for (trace, parts) in Dictionary(grouping: spans, by: \.trace) {
      let roots = parts.filter { $0.parent.isEmpty || remoteParents.contains($0.parent) }
      if roots.count != 1 { faults.append("\(trace) has \(roots.count) roots: \(parts.map(\.name).prefix(20))") }
    }
    for span in spans where !span.parent.isEmpty && !remoteParents.contains(span.parent) {
      guard let parent = known[span.parent]?.first else {
        faults.append("the parent of \(span.name) is not there")
        continue
      }
      if parent.trace != span.trace { faults.append("\(span.name) and its parent are of two traces") }
      if span.began < parent.began || span.ended > parent.ended || span.began > span.ended {
        faults.append("\(span.name) is not within \(parent.name)")
      }
    }
    return faults
  }
}
