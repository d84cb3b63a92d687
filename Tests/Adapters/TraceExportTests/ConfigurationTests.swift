import Testing
import TraceExport
import Traces

@Suite("where spans go, by the variables of OpenTelemetry")
struct ConfigurationTests {
  @Test("an endpoint is enough; the path is added to the common one")
  func good() throws {
    #expect(try ExportConfiguration(environment: [:]) == nil)
    #expect(try ExportConfiguration(environment: ["OTEL_EXPORTER_OTLP_ENDPOINT": " "]) == nil)
    for (given, endpoint) in [
      "http://127.0.0.1:4318": "http://127.0.0.1:4318/v1/traces", "https://c.example/": "https://c.example/v1/traces",
      "https://c.example/otlp//": "https://c.example/otlp/v1/traces",
    ] {
      let made = try #require(try ExportConfiguration(environment: ["OTEL_EXPORTER_OTLP_ENDPOINT": given]))
      #expect(made.endpoint == endpoint && made.ratio == 1 && made.serviceName == "chipbridge" && made.headers.isEmpty)
    }
    let made = try #require(
      try ExportConfiguration(environment: [
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://unused", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c/x?a=1",
        "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20abc, x-team = chips", "OTEL_SERVICE_NAME": "bridge",
        "OTEL_TRACES_SAMPLER_ARG": "0.25", "OTEL_BSP_MAX_QUEUE_SIZE": "1000", "OTEL_BSP_SCHEDULE_DELAY": "100",
        "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "10", "OTEL_EXPORTER_OTLP_TIMEOUT": "2000",
      ]))
    #expect(made.endpoint == "http://c/x?a=1" && made.serviceName == "bridge" && made.ratio == 0.25)
    #expect(made.headers.map(\.name) == ["authorization", "x-team"])
    #expect(made.headers.map(\.value) == ["Bearer abc", "chips"])
    #expect(made.limits.queue == 1_000 && made.limits.batch == 10 && made.delay == .milliseconds(100))
    #expect(made.timeout == .seconds(2))
    let off = ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_SDK_DISABLED": "TRUE"]
    #expect(try ExportConfiguration(environment: off) == nil)
  }

  @Test("all faults are told at once, by name and without a value")
  func bad() throws {
    let bad = [
      "OTEL_EXPORTER_OTLP_ENDPOINT": "http://user:canary@c/", "OTEL_EXPORTER_OTLP_HEADERS": "canary",
      "OTEL_TRACES_SAMPLER": "canary", "OTEL_BSP_MAX_QUEUE_SIZE": "canary", "OTEL_BSP_SCHEDULE_DELAY": "-1",
      "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_TIMEOUT": "0",
      "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip", "OTEL_SERVICE_NAME": "canary\u{1}",
    ]
    let faults = #expect(throws: ExportConfiguration.Faults.self) { try ExportConfiguration(environment: bad) }
    let text = try #require(faults).description
    #expect(faults?.faults.count == bad.count && !text.contains("canary"), "\(text)")
    for name in bad.keys { #expect(text.contains(name), "\(name)") }
    for endpoint in [
      "c:4318", "ftp://c", "http://", "http://c:0", "http://c/#x", "http://c/?a=1", "http://c/ x", "http://c:99999",
    ] {
      #expect(throws: ExportConfiguration.Faults.self, "\(endpoint)") {
        try ExportConfiguration(environment: ["OTEL_EXPORTER_OTLP_ENDPOINT": endpoint])
      }
    }
    for headers in ["=x", "a b=x", "a=%zz", "a=x%0D%0Ab", "host=x", "content-length=1", "a=%C3%A9"] {
      #expect(throws: ExportConfiguration.Faults.self, "\(headers)") {
        try ExportConfiguration(environment: [
          "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_EXPORTER_OTLP_HEADERS": headers,
        ])
      }
    }
    for ratio in ["2", "-0.1", "nan", "much"] {
      #expect(throws: ExportConfiguration.Faults.self, "\(ratio)") {
        try ExportConfiguration(environment: [
          "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_TRACES_SAMPLER_ARG": ratio,
        ])
      }
    }
  }
}
