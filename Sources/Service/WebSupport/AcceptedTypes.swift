import HTTPTypes

/// What a client says it takes, against what this interface has.
enum AcceptedTypes {
  /// Types of answers, whatever the route: problem documents are JSON too.
  private static let given = [
    "application/json", "application/problem+json", "text/plain", "text/csv", "text/event-stream", "application/xml",
  ]

  /// - Throws: 406 when no range of `Accept` (RFC 9110, 12.5.1) takes any of them. An unreadable range takes nothing.
  static func check(_ accept: String?) throws {
    guard let accept, accept != "*/*", accept != "application/json" else { return }
    let ranges = accept.lowercased().split(separator: ",").map { $0.filter { !$0.isWhitespace } }
    guard !ranges.isEmpty else { return }
    let takesOne = ranges.contains { range in
      let parts = range.split(separator: ";")
      guard let type = parts.first, !parts.dropFirst().contains(where: Self.isNone) else { return false }
      if type == "*/*" { return true }
      if type.hasSuffix("/*") { return given.contains { $0.hasPrefix(type.dropLast()) } }
      return given.contains { $0.elementsEqual(type) }
    }
    guard takesOne else {
      throw Problem(.notAcceptable, "request.not_acceptable", "Answers are application/json.")
    }
  }

  /// `q=0`, `q=0.0` and so on.
  private static func isNone(_ parameter: Substring) -> Bool {
    guard parameter.hasPrefix("q=0") else { return false }
    return parameter.dropFirst(3).allSatisfy { $0 == "." || $0 == "0" }
  }
}
