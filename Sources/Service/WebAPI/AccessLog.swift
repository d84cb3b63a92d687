import HTTPTypes
import Hummingbird
import Operations
import Parties
import Primitives
import StrictJSON
import Telemetry
import Traces
import WebSupport

/// One line of JSON for each request: who asked what of which route, and what came of it. No header, query or body is in
/// it, and thus no secret; a path is its route's template.
struct AccessLog: RouterMiddleware {
  typealias Context = ChipBridgeContext
  let lines: LineWriter
  let authenticator: Authenticator
  let clock: any WallClock

  func handle(
    _ request: Request, context: Context, next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    let started = ContinuousClock.now
    let response = try await next(request, context)
    let (seconds, attoseconds) = (ContinuousClock.now - started).components
    let status = response.status.code
    // Nobody is asked for again who was not found, or while the database does not answer.
    let isKnown = status != 401 && status != 503
    let principal =
      isKnown ? try? await authenticator.principal(authorization: request.headers[.authorization]) : nil
    var writer = JSONWriter(capacity: 384)
    writer.beginObject()
    writer.field("time", clock.now())
    writer.field("level", status >= 500 ? "error" : status == 401 || status == 403 ? "warning" : "info")
    writer.field("message", "request")
    writer.field("request_id", context.id)
    let trace = Span.current?.record.trace ?? request.headers[.traceParent].flatMap(TraceParent.init)?.trace
    writer.field("trace_id", trace?.description)
    writer.field("organization", principal.map { "\($0.organizationID)" })
    writer.field("key_id", principal?.credential.keyID.map { "\($0)" })
    writer.field("binding_id", principal?.credential.bindingID.map { "\($0)" })
    writer.field("method", MetricsRegistry.known(request.method.rawValue))
    writer.field("route", context.endpointPath ?? "none")
    writer.field("status", Int64(status))
    writer.field("ms", seconds * 1_000 + attoseconds / 1_000_000_000_000_000)
    writer.field("bytes", response.headers[.contentLength].flatMap { Int64($0) })
    writer.endObject()
    lines.add(writer.bytes)
    return response
  }
}
