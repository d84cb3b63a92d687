import HTTPTypes
import Hummingbird

/// What a route promises: the text that people read, and what its query may hold. Everything else of its description
/// follows from the route itself (its body from its parser, its status from its rendering).
package struct OperationContract: Sendable {
  /// What kind of route it is; a test compares it with what the route does.
  package enum Kind: Sendable, Hashable {
    case read
    /// Changes something: needs an idempotency key, takes `validate_only`.
    case command
    /// Works something out of its body and changes nothing.
    case calculation
    /// A command whose body is a file.
    case upload
    /// For operators: without a key, and not JSON.
    case probe
  }

  package let method: HTTPRequest.Method
  package let template: String
  package let kind: Kind
  package let summary: String
  package let query: [QueryParameter]

  package init(
    _ method: HTTPRequest.Method, _ template: String, _ kind: Kind, _ summary: String, _ query: [QueryParameter] = []
  ) {
    self.method = method
    self.template = template
    self.kind = kind
    self.summary = summary
    self.query = kind == .command || kind == .upload ? query + [.validateOnly] : query
  }

  package static func get(_ path: String, _ summary: String, _ query: [QueryParameter] = []) -> OperationContract {
    OperationContract(.get, "/v1/" + path, .read, summary, query)
  }

  package static func post(_ path: String, _ summary: String, _ query: [QueryParameter] = []) -> OperationContract {
    OperationContract(.post, "/v1/" + path, .command, summary, query)
  }

  package static func compute(_ path: String, _ summary: String, _ query: [QueryParameter] = []) -> OperationContract {
    OperationContract(.post, "/v1/" + path, .calculation, summary, query)
  }

  package static func upload(_ path: String, _ summary: String, _ query: [QueryParameter] = []) -> OperationContract {
    OperationContract(.post, "/v1/" + path, .upload, summary, query)
  }

  package static func probe(_ template: String, _ summary: String) -> OperationContract {
    OperationContract(.get, template, .probe, summary)
  }

  /// The resource it belongs to: the first part of its path.
  package var tag: String {
    let parts = template.split(separator: "/")
    return parts.count > 1 && parts[0] == "v1" ? String(parts[1]) : "operations"
  }

  /// Whether a query is never left out.
  package var needsQuery: Bool { query.contains(where: \.isRequired) }

  /// Stable, and derived from the route alone: `POST /v1/loans/{id}/recall` is `post-loans-by-id-recall`.
  package var operationID: String {
    let parts = template.split(separator: "/").filter { $0 != "v1" }.map { part in
      part.hasPrefix("{") ? "by-" + part.dropFirst().dropLast() : String(part).replacing(".", with: "-")
    }
    return ([method.rawValue.lowercased()] + parts).joined(separator: "-")
  }

  /// Names of the parts of its path that are ids.
  package var pathParameters: [String] {
    template.split(separator: "/").filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
  }

  /// Refuses a query that the route does not know: a parameter that is misspelt, said twice or malformed is not left out
  /// in silence.
  /// - Throws: 422, each parameter at fault named as `?name`.
  package func check(_ request: Request) throws {
    let given = request.uri.queryParameters
    var errors: [Problem.Item] = []
    var seen: Set<Substring> = []
    for (name, value) in given {
      let pointer = "?" + name.prefix(64)
      guard let parameter = query.first(where: { $0.name.utf8.elementsEqual(name.utf8) }) else {
        errors.append(.init(pointer: pointer, code: "parameter.unknown", detail: "is not known here"))
        continue
      }
      if !seen.insert(name).inserted {
        errors.append(.init(pointer: pointer, code: "parameter.repeated", detail: "is given more than once"))
      } else if !parameter.takes(value) {
        errors.append(.init(pointer: pointer, code: "parameter.format", detail: "must be \(parameter.expectation)"))
      }
    }
    for parameter in query where parameter.isRequired && given[Substring(parameter.name)] == nil {
      errors.append(.init(pointer: "?\(parameter.name)", code: "parameter.missing", detail: "is required"))
    }
    guard !errors.isEmpty else { return }
    let first = errors[0]
    var problem = Problem(
      .unprocessableContent, "request.invalid",
      errors.count == 1
        ? "The query has a fault: \(first.pointer.dropFirst()) \(first.detail)."
        : "The query has \(errors.count) faults.")
    problem.errors = Array(errors.prefix(20))
    throw problem
  }
}
