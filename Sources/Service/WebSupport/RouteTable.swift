import HTTPTypes

/// Every route of the interface, so that a wrong method on a known path is told from an unknown path.
package struct RouteTable: Sendable {
  package struct Route: Sendable, Hashable {
    package let method: HTTPRequest.Method
    /// `/v1/loans/{id}`.
    package let template: String
  }

  package private(set) var routes: [Route] = []
  private var segments: [(parts: [Substring], method: HTTPRequest.Method)] = []

  package init() {}

  package mutating func add(_ method: HTTPRequest.Method, _ template: String) {
    routes.append(Route(method: method, template: template))
    segments.append((template.split(separator: "/", omittingEmptySubsequences: true), method))
  }

  /// The template that a path is meant by; nil for a path of no route with that method.
  package func template(of path: some StringProtocol, _ method: HTTPRequest.Method) -> String? {
    let parts = path.split(separator: "/", omittingEmptySubsequences: true)
    let found = zip(routes, segments).filter { route, entry in
      route.method == method && entry.parts.count == parts.count
        && zip(entry.parts, parts).allSatisfy { template, part in
          template.hasPrefix("{") || template.elementsEqual(part)
        }
    }
    // As below: a word before an id.
    func open(_ entry: (parts: [Substring], method: HTTPRequest.Method)) -> Int {
      entry.parts.count { $0.hasPrefix("{") }
    }
    return found.min { left, right in open(left.1) < open(right.1) }?.0.template
  }

  /// The methods that a path answers to, sorted; empty for a path of no route.
  package func methods(of path: some StringProtocol) -> [HTTPRequest.Method] {
    let parts = path.split(separator: "/", omittingEmptySubsequences: true)
    let found = segments.filter { entry in
      entry.parts.count == parts.count
        && zip(entry.parts, parts).allSatisfy { template, part in
          template.hasPrefix("{") || template.elementsEqual(part)
        }
    }
    // A word of a path is meant before an id: `fx-rates/import` is no rate.
    let open = found.map { entry in entry.parts.count { $0.hasPrefix("{") } }
    let fewest = open.min()
    let methods = zip(found, open).filter { $0.1 == fewest }.map(\.0.method)
    // What answers GET answers HEAD.
    return Set(methods.contains(.get) ? methods + [.head] : methods).sorted { $0.rawValue < $1.rawValue }
  }
}
