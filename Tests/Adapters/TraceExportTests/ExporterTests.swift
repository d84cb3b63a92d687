import Logging
import ServiceHarness
import StrictJSON
import Synchronization
import Testing
import TraceExport
import Traces

@Suite("spans on their way to a collector", .serialized)
struct ExporterTests {
  private func exporter(_ endpoint: String, timeout: Int = 1_000, queue: Int = 2_048) throws -> SpanExporter {
    let configuration = try #require(
      try ExportConfiguration(environment: [
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_EXPORTER_OTLP_TIMEOUT": "\(timeout)",
        "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20abc", "OTEL_BSP_MAX_QUEUE_SIZE": "\(queue)",
        "OTEL_BSP_SCHEDULE_DELAY": "20", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "10",
      ]))
    var logger = Logger(label: "export")
    logger.logLevel = .critical
    return SpanExporter(configuration, logger: logger)
  }

  private func exported(_ exporter: SpanExporter) -> Int { exporter.tracer.counters.exported.load(ordering: .relaxed) }
  private func failures(_ exporter: SpanExporter) -> Int {
    exporter.tracer.counters.failedTries.load(ordering: .relaxed)
  }

  /// Runs the exporter while `body` does, then stops it as the service does.
  private func running(_ exporter: SpanExporter, _ body: () async throws -> Void) async throws {
    let running = Task { await exporter.run() }
    try await body()
    running.cancel()
    await running.value
    await exporter.finish()
  }

  private func wait(within seconds: Int = 15, _ condition: () -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while !condition(), ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(5)) }
    #expect(condition())
  }

  @Test("are posted as OTLP has them, with the headers, in batches")
  func good() async throws {
    let collector = try WebhookReceiver()
    defer { collector.stop() }
    let exporter = try exporter("http://127.0.0.1:\(collector.port)")
    let parent = try #require(TraceParent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"))
    try await running(exporter) {
      let root = try #require(
        exporter.tracer.begin("GET /x", .server, parent: parent, state: TraceState("a=1")))
      let child = root.child("say \"hi\"", .client)
      child.end([SpanAttribute("n", .max), SpanAttribute("t", "x\ny")], links: [root.link], error: "500")
      root.end()
      try await wait { exported(exporter) == 2 }
    }
    let call = try #require(collector.all.first)
    #expect(call.path == "/v1/traces" && call.headers["content-type"] == "application/json")
    #expect(call.headers["authorization"] == "Bearer abc")
    let resource = try #require(try JSONDocument(parsing: call.body).root["resourceSpans"]?.elements.first)
    let name = resource["resource"]?["attributes"]?.elements.first
    #expect(name?["key"]?.asString == "service.name" && name?["value"]?["stringValue"]?.asString == "chipbridge")
    let spans = resource["scopeSpans"]?.elements.first?["spans"]?.elements.map { $0 } ?? []
    try #require(spans.count == 2)
    let (child, root) = (spans[0], spans[1])
    #expect(root["traceId"]?.asString == parent.traceID && root["parentSpanId"]?.asString == "00f067aa0ba902b7")
    #expect(root["kind"]?.asInteger == 2 && root["traceState"]?.asString == "a=1" && root["status"] == nil)
    #expect(child["parentSpanId"]?.asString == root["spanId"]?.asString && child["kind"]?.asInteger == 3)
    #expect(child["status"]?["code"]?.asInteger == 2 && child["name"]?.asString == "say \"hi\"")
    let attributes = child["attributes"]?.elements.map { $0 } ?? []
    #expect(attributes.first?["value"]?["intValue"]?.asString == "9223372036854775807")
    #expect(attributes.last?["key"]?.asString == "error.type")
    #expect(child["links"]?.elements.first?["spanId"]?.asString == root["spanId"]?.asString)
    let began = UInt64(child["startTimeUnixNano"]?.asString ?? "") ?? 0
    #expect(began > 1_600_000_000_000_000_000 && began <= UInt64(child["endTimeUnixNano"]?.asString ?? "") ?? 0)
  }

  @Test("a busy collector is asked again when it says so, and has every span once")
  func busy() async throws {
    let collector = try WebhookReceiver { _, _, earlier in earlier == 0 ? .isBusy : .accepts }
    defer { collector.stop() }
    let exporter = try exporter("http://127.0.0.1:\(collector.port)")
    let began = ContinuousClock.now
    try await running(exporter) {
      for _ in 0..<35 { exporter.tracer.begin("a")?.end() }
      try await wait { exported(exporter) == 35 }
    }
    #expect(ContinuousClock.now - began > .milliseconds(900) && failures(exporter) == 1)
    #expect(exporter.tracer.dropped == 0)
    let taken = try collector.all.dropFirst().flatMap { call in
      try JSONDocument(parsing: call.body).root["resourceSpans"]?.elements.first?["scopeSpans"]?.elements.first?[
        "spans"]?
        .elements.compactMap { $0["spanId"]?.asString } ?? []
    }
    #expect(taken.count == 35 && Set(taken).count == 35)
  }

  @Test(
    "a collector that is bad costs spans, and each is counted",
    arguments: [
      WebhookReceiver.Behaviour.fails, .refuses, .redirects, .isSilent, .drips, .resets, .closes,
    ])
  func bad(_ behaviour: WebhookReceiver.Behaviour) async throws {
    let collector = try WebhookReceiver { _, _, _ in behaviour }
    defer { collector.stop() }
    let exporter = try exporter("http://127.0.0.1:\(collector.port)", timeout: 300)
    try await running(exporter) {
      for _ in 0..<10 { exporter.tracer.begin("a")?.end() }
      try await wait { exporter.tracer.dropped == 10 }
    }
    #expect(exported(exporter) == 0 && failures(exporter) == 1 && collector.all.count == 1)
  }

  @Test("an answer without an end is read to its bound")
  func huge() async throws {
    let collector = try WebhookReceiver { _, _, _ in .isHuge }
    defer { collector.stop() }
    let exporter = try exporter("http://127.0.0.1:\(collector.port)", timeout: 5_000)
    try await running(exporter) {
      exporter.tracer.begin("a")?.end()
      try await wait { exported(exporter) == 1 }
    }
  }

  @Test("nobody listens: the queue stays bounded, nobody waits, and the end comes in time")
  func down() async throws {
    let collector = try WebhookReceiver()
    collector.stop()
    let exporter = try exporter("http://127.0.0.1:\(collector.port)", queue: 100)
    let began = ContinuousClock.now
    try await running(exporter) {
      for _ in 0..<5_000 { exporter.tracer.begin("a")?.end() }
      #expect(ContinuousClock.now - began < .seconds(1))
      try await wait { failures(exporter) >= 1 }
    }
    #expect(ContinuousClock.now - began < .seconds(12))
    #expect(exported(exporter) == 0 && exporter.tracer.dropped == 5_000)
  }

  @Test("what waits when the service stops is exported then, also what a pause held back")
  func atTheEnd() async throws {
    let collector = try WebhookReceiver { _, _, earlier in earlier == 0 ? .isBusy : .accepts }
    defer { collector.stop() }
    let exporter = try exporter("http://127.0.0.1:\(collector.port)")
    try await running(exporter) {
      for _ in 0..<25 { exporter.tracer.begin("a")?.end() }
      try await wait { failures(exporter) == 1 }
    }
    #expect(exported(exporter) == 25 && exporter.tracer.dropped == 0)
  }

  @Test("what a collector says it did not take is read where it says so")
  func partial() {
    for (text, count) in [
      #"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"x"}}"#: 3, #"{"partialSuccess":{"rejectedSpans":7}}"#: 7,
      "{}": 0, "": 0, "ok": 0, #"{"partialSuccess":{"rejectedSpans":"many"}}"#: 0, #"{"partialSuccess":null}"#: 0,
      #"{"partialSuccess":[]}"#: 0, "[1]": 0,
    ] { #expect(SpanExporter.rejected(Array(text.utf8)) == count, "\(text)") }
  }
}
