import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Traces

/// Turns every error into a problem document, a wrong method into 405 with the exact Allow, and stamps the request id.
package struct ProblemMiddleware: RouterMiddleware {
  package typealias Context = ChipBridgeContext
  private let routes: RouteTable
  private let standing: [HTTPField]

  package init(routes: RouteTable, standing: StandingHeaders = StandingHeaders()) {
    self.routes = routes
    self.standing = standing.fields
  }

  package func handle(
    _ request: Request, context: Context, next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    var response: Response
    do {
      try AcceptedTypes.check(request.headers[.accept])
      response = try await next(request, context)
    } catch {
      let problem = self.problem(for: error, request)
      if problem.status.code >= 500, !(error is Problem) {
        // The route's template: a path may hold whatever a caller put there.
        var metadata: Logger.Metadata = ["error": "\(error)", "route": "\(context.endpointPath ?? "none")"]
        if let trace = request.headers[.traceParent].flatMap(TraceParent.init) {
          metadata["trace_id"] = "\(trace.traceID)"
        }
        context.logger.error("request failed", metadata: metadata)
      }
      response = problem.response(requestID: context.id.description)
    }
    response.headers[.requestID] = context.id.description
    // What a page says for itself, as its styles, stands.
    for field in standing where response.headers[field.name] == nil { response.headers[field.name] = field.value }
    return request.method == .head ? response.createHeadResponse() : response
  }

  private func problem(for error: any Error, _ request: Request) -> Problem {
    if let error = error as? HTTPError, error.status == .notFound {
      let methods = routes.methods(of: request.uri.path)
      if methods.isEmpty { return Problem(.notFound, "request.no_such_path", "There is no such path.") }
      let allowed = methods.map(\.rawValue).joined(separator: ", ")
      var problem = Problem(
        .methodNotAllowed, "request.method_not_allowed", "This path takes \(allowed).")
      problem.headers = [(.allow, allowed)]
      return problem
    }
    return Problem(any: error)
  }
}
