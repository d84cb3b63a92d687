import HTTPTypes
import Hummingbird
import Telemetry
import Traces
import WebSupport

/// A span for each request, named by its route, from its head to that of its answer. It holds what the log of requests holds
/// of it, and thus no path, query, header or body. Probes have none: they come every few seconds and tell nothing.
struct RequestSpans: RouterMiddleware {
  typealias Context = ChipBridgeContext
  let tracer: Tracer

  private static let probes: Set<String> = ["/livez", "/readyz", "/metrics"]

  func handle(
    _ request: Request, context: Context, next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    let route = context.endpointPath
    if let route, Self.probes.contains(route) { return try await next(request, context) }
    let method = MetricsRegistry.known(request.method.rawValue)
    // A second header is a second opinion: then there is none.
    let parents = request.headers[values: .traceParent]
    let parent = parents.count == 1 ? TraceParent(parents[0]) : nil
    let span = tracer.begin(
      route.map { "\(method) \($0)" } ?? method, .server, parent: parent,
      state: TraceState(request.headers[values: .traceState].joined(separator: ",")))
    guard let span else { return try await next(request, context) }
    var attributes = [SpanAttribute("http.request.method", method), SpanAttribute("url.scheme", "http")]
    if let route { attributes.append(SpanAttribute("http.route", route)) }
    do {
      let response = try await Span.within(span) { try await next(request, context) }
      let status = response.status.code
      attributes.append(SpanAttribute("http.response.status_code", Int64(status)))
      span.end(attributes, error: status >= 500 ? "\(status)" : nil)
      return response
    } catch {
      // Nothing comes this far but the end of the task.
      span.end(attributes, error: "cancelled")
      throw error
    }
  }
}
