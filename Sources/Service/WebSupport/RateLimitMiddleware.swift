import HTTPTypes
import Hummingbird
import Parties

/// Holds each request with a good key to its quotas, and tells what is left of them (`RateLimit` and `RateLimit-Policy`
/// of the IETF draft, revision 10). A request without a good key is refused for that reason further in.
package struct RateLimitMiddleware: RouterMiddleware {
  package typealias Context = ChipBridgeContext
  private let limiter: RateLimiter
  private let authenticator: Authenticator
  private let classes: [String: RateLimiter.Class]
  private let policies: [RateLimiter.Class?: String]
  private let started = ContinuousClock.now

  package init(limiter: RateLimiter, authenticator: Authenticator, routes: RouteTable) {
    self.limiter = limiter
    self.authenticator = authenticator
    var classes: [String: RateLimiter.Class] = [:]
    for route in routes.routes { classes[route.template] = RateLimiter.Class(route.template) }
    self.classes = classes
    let kinds: [RateLimiter.Class?] = RateLimiter.Class.allCases + [nil]
    var policies: [RateLimiter.Class?: String] = [:]
    for kind in kinds {
      policies[kind] = limiter.policies(kind).map { "\"\($0.name)\";q=\($0.quota.requests);w=\($0.quota.seconds)" }
        .joined(separator: ", ")
    }
    self.policies = policies
  }

  package func handle(
    _ request: Request, context: Context, next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    guard let template = context.endpointPath, template.hasPrefix("/v1/") else {
      return try await next(request, context)
    }
    let principal: Principal
    do { principal = try await authenticator.principal(authorization: request.headers[.authorization]) } catch {
      // Where the database does not answer, it would not answer further in either, and the caller would wait twice.
      if let problem = error as? Problem, problem.status == .serviceUnavailable { throw problem }
      return try await next(request, context)
    }
    let kind = classes[template]
    let (seconds, attoseconds) = (ContinuousClock.now - started).components
    let verdict = limiter.admit(
      key: principal.credential, of: principal.organizationID, kind,
      now: seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    switch verdict {
    case .admitted(let standing):
      defer { limiter.ended(principal.organizationID) }
      var response: Response
      do { response = try await next(request, context) } catch {
        // What a handler throws is an answer like another, and tells the quotas too.
        var problem = Problem(any: error)
        guard problem.status.code < 500, !(error is HTTPError) else { throw error }
        problem.headers += fields(standing, kind).map { ($0.name, $0.value) }
        throw problem
      }
      for field in fields(standing, kind) { response.headers[field.name] = field.value }
      return response
    case .refused(let standing, let retryAfter):
      var problem = Problem(
        .tooManyRequests, "request.quota_exceeded",
        "The quota \(standing.policy) is used up. It fills evenly; the next request fits in \(retryAfter) s.")
      problem.headers = [(.retryAfter, "\(retryAfter)")] + fields(standing, kind).map { ($0.name, $0.value) }
      throw problem
    case .crowded:
      var problem = Problem(
        .tooManyRequests, "request.too_many_at_once", "Too many requests of this organisation are under way.")
      problem.headers = [(.retryAfter, "1")]
      throw problem
    }
  }

  private func fields(_ standing: RateLimiter.Standing, _ kind: RateLimiter.Class?) -> [HTTPField] {
    [
      HTTPField(name: .rateLimitPolicy, value: policies[kind] ?? ""),
      HTTPField(
        name: .rateLimit, value: "\"\(standing.policy)\";r=\(standing.remaining);t=\(standing.fullAfter)"),
    ]
  }
}

extension HTTPField.Name {
  static let rateLimit = ours("RateLimit")
  static let rateLimitPolicy = ours("RateLimit-Policy")

  /// A name of ours; that it is a token is a fact of this source.
  private static func ours(_ text: String) -> HTTPField.Name {
    guard let name = HTTPField.Name(text) else { preconditionFailure("\(text) is not a field name") }
    return name
  }
}
