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
    switch limiter.admit(key: principal.credential, of: principal.organizationID, kind, now: limiter.now) {
    case .admitted(let standing):
      defer { limiter.ended(principal.organizationID) }
      var response: Response
      do { response = try await next(request, context) } catch {
        // What a handler throws is an answer like another, and tells the quotas too.
        var problem = Problem(any: error)
        guard problem.status.code < 500, !(error is HTTPError) else { throw error }
        let said = Set(problem.headers.map(\.0))
        problem.headers += fields(standing, kind).filter { !said.contains($0.name) }.map { ($0.name, $0.value) }
        throw problem
      }
      // A batch has said what is left after all its operations.
      for field in fields(standing, kind) where response.headers[field.name] == nil {
        response.headers[field.name] = field.value
      }
      return response
    case .refused(let standing, let retryAfter):
      var problem = Problem(quota: standing, retryAfter: retryAfter)
      problem.headers += fields(standing, kind).map { ($0.name, $0.value) }
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
      HTTPField(name: .rateLimit, value: standing.text),
    ]
  }
}

extension RateLimiter.Standing {
  /// As the field `RateLimit` says it.
  package var text: String { "\"\(policy)\";r=\(remaining);t=\(fullAfter)" }
}

extension Problem {
  /// A quota is used up.
  package init(quota: RateLimiter.Standing, retryAfter: Int64) {
    self.init(
      .tooManyRequests, "request.quota_exceeded",
      "The quota \(quota.policy) is used up. It fills evenly; this request fits in \(retryAfter) s.")
    headers = [(.retryAfter, "\(retryAfter)")]
  }
}

extension HTTPField.Name {
  package static let rateLimit = ours("RateLimit")
  static let rateLimitPolicy = ours("RateLimit-Policy")

  /// A name of ours; that it is a token is a fact of this source.
  private static func ours(_ text: String) -> HTTPField.Name {
    guard let name = HTTPField.Name(text) else { preconditionFailure("\(text) is not a field name") }
    return name
  }
}
