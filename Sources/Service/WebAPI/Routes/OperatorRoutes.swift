import Delivery
import HTTPTypes
import Hummingbird
import Identity
import NIOCore
import Operations
import Persistence
import Postgres
import Primitives
import StrictJSON
import Synchronization
import Telemetry
import Traces
import WebSupport

extension WebAPI {
  /// Probes and metrics: for operators, without a key, on loopback.
  func addOperatorRoutes(_ routes: inout Routes) {
    routes.get("/livez") { _, _ in Self.plain("ok\n") }
    routes.get("/readyz") { _, _ in
      do {
        let deadline = ContinuousClock.now + .seconds(2)
        _ = try await MarketTime.read(pool: writer, clock: clock, deadline: deadline)
        return Self.plain("ready\n")
      } catch {
        throw Problem(PipelineError.unavailable)
      }
    }
    routes.get("/metrics") { _, _ in
      Self.plain(metrics.text(gauges: gauges()), type: "text/plain; version=0.0.4")
    }
    routes.post("/v1/sandbox/clock") { request, context in
      try await gateway.post(
        request, context,
        render: .init { now, writer in
          writer.object { $0.field("now", now) }
        }
      ) { reader, _ in MoveClock.parse(&reader, isSandbox: isSandbox) }
    }
    routes.get("/v1/sandbox/clock") { request, _ in
      _ = try await gateway.principal(of: request)
      let deadline = ContinuousClock.now + .seconds(5)
      let state = try await MarketTime.read(pool: writer, clock: clock, deadline: deadline)
      return gateway.object(request, version: nil) { writer in
        writer.object { writer in
          writer.field("now", state.now)
          writer.field("is_sandbox", isSandbox)
        }
      }
    }
  }

  private static func plain(_ text: String, type: String = "text/plain; charset=utf-8") -> Response {
    Response(
      status: .ok, headers: [.contentType: type], body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
  }

  private func gauges() -> [MetricsRegistry.Gauge] {
    let (pool, counters) = (writer.stats, gateway.pipeline.counters)
    func count(_ name: String, _ help: String, _ value: Int) -> MetricsRegistry.Gauge {
      MetricsRegistry.Gauge(name, help, type: "counter", value: value)
    }
    return [
      MetricsRegistry.Gauge("chipbridge_pool_idle_connections", "Writer connections not in use.", value: pool.idle),
      MetricsRegistry.Gauge("chipbridge_pool_used_connections", "Writer connections in use.", value: pool.inUse),
      MetricsRegistry.Gauge("chipbridge_pool_waiting", "Callers waiting for a writer connection.", value: pool.waiting),
      MetricsRegistry.Gauge(
        "chipbridge_pipeline_depth", "Commands waiting for a batch.", value: gateway.pipeline.depth),
      MetricsRegistry.Gauge("chipbridge_event_streams", "Streams of events that are open.", value: feed.streamCount),
      MetricsRegistry.Gauge(
        "chipbridge_webhook_waiting", "Events that wait to be delivered to webhooks.",
        value: webhooks.counters.waiting.load(ordering: .relaxed)),
      MetricsRegistry.Gauge(
        "chipbridge_outbox_age_seconds", "Age of the oldest event that a webhook was not told yet.",
        value: webhooks.counters.oldestSeconds.load(ordering: .relaxed)),
      count(
        "chipbridge_webhook_deliveries_total", "Events delivered.",
        webhooks.counters.delivered.load(ordering: .relaxed)),
      count(
        "chipbridge_webhook_failed_tries_total", "Tries to deliver that failed.",
        webhooks.counters.failed.load(ordering: .relaxed)),
      count(
        "chipbridge_webhook_dead_total", "Events given up after their last try.",
        webhooks.counters.dead.load(ordering: .relaxed)),
      count(
        "chipbridge_webhook_disabled_total", "Webhooks disabled because they failed or are gone.",
        webhooks.counters.disabled.load(ordering: .relaxed)),
      count("chipbridge_pipeline_batches_total", "Batches begun.", counters.batches.load(ordering: .relaxed)),
      count("chipbridge_pipeline_commands_total", "Commands answered.", counters.commands.load(ordering: .relaxed)),
      count("chipbridge_pipeline_refusals_total", "Commands refused.", counters.refusals.load(ordering: .relaxed)),
      count("chipbridge_pipeline_replays_total", "Answers replayed.", counters.replays.load(ordering: .relaxed)),
      count("chipbridge_pipeline_splits_total", "Batches split.", counters.splits.load(ordering: .relaxed)),
      count("chipbridge_rate_limited_total", "Requests refused for a quota.", limiter.refused),
      count("chipbridge_log_dropped_lines_total", "Lines of the log that were dropped.", logs.dropped),
      count(
        "chipbridge_spans_exported_total", "Spans that a collector has.",
        tracer?.counters.exported.load(ordering: .relaxed) ?? 0),
      count(
        "chipbridge_spans_dropped_total", "Spans that did not fit or that no collector took.", tracer?.dropped ?? 0),
      count(
        "chipbridge_span_export_failures_total", "Tries to export spans that failed.",
        tracer?.counters.failedTries.load(ordering: .relaxed) ?? 0),
      count("chipbridge_pipeline_repeats_total", "Batches repeated.", counters.repeats.load(ordering: .relaxed)),
    ] + issuerGauges()
  }

  /// How the outside issuer's keys stand; nothing where none is set up.
  private func issuerGauges() -> [MetricsRegistry.Gauge] {
    guard let tokens = gateway.authenticator.tokens else { return [] }
    let standing = tokens.keys.standing
    func count(_ name: String, _ help: String, _ value: Int) -> MetricsRegistry.Gauge {
      MetricsRegistry.Gauge(name, help, type: "counter", value: value)
    }
    let (unread, untaken) = standing.troubles.reduce(into: (0, 0)) { sums, trouble in
      if trouble.reason.isOfContent { sums.1 += trouble.count } else { sums.0 += trouble.count }
    }
    return [
      MetricsRegistry.Gauge(
        "chipbridge_issuer_keys", "Keys of the outside issuer that are taken.", value: standing.keys),
      MetricsRegistry.Gauge(
        "chipbridge_issuer_keys_age_seconds", "Since the issuer's key set was last read and good; -1 before that.",
        value: Int(standing.ageSeconds ?? -1)),
      count("chipbridge_issuer_key_reads_total", "Readings of the key set that were good.", standing.readings),
      count("chipbridge_issuer_key_read_failures_total", "Readings that brought no key set.", unread),
      count("chipbridge_issuer_key_sets_refused_total", "Key sets that were read and not taken.", untaken),
      count(
        "chipbridge_tokens_refused_total", "Tokens found bad; one that comes again at once counts once.",
        tokens.refusals.reduce(0) { $0 + $1.count }),
    ]
  }
}
