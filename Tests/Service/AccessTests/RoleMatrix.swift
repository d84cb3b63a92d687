import HTTPTypes

/// Who may use which route. Each row: method, path, then one sign a caller, in the order of `Caller`:
///
/// - `+` may: it was done, or refused for the state of things only;
/// - `x` 403: sees it, or could, and may not;
/// - `0` 404: it is not there, and nothing tells that it is another's.
///
/// A row without signs is open to those without a key. `~` before the path: the book holds no such object.
enum RoleMatrix {
  enum Caller: Int, CaseIterable, Sendable {
    /// The lender and the startup whose objects these are.
    case lenderA, startupA
    /// Of the same roles, and no party of them; one of them suspended.
    case lenderB, startupB, suspended
    /// Staff with one duty each.
    case operations, risk, compliance, treasury
    case auditor

    var isOutsider: Bool { self == .lenderB || self == .startupB || self == .suspended }
    var readsEverything: Bool { isStaff || self == .auditor }
    var isStaff: Bool { self == .operations || self == .risk || self == .compliance || self == .treasury }
  }

  struct Row: Sendable {
    let method: HTTPRequest.Method
    /// With a query where the route needs one.
    let target: String
    let isThere: Bool
    let classes: String

    var template: String { target.split(separator: "?").first.map { String($0) } ?? target }
    var key: String { "\(method.rawValue.lowercased()) \(template)" }
    /// It works something out, and has nothing to validate only.
    var isCalculation: Bool { RoleMatrix.calculations.contains(template) }
    var file: String? { RoleMatrix.files[template]?.body }
    var mediaType: String { RoleMatrix.files[template]?.type ?? "application/json" }
    /// Whose faults tell what the body lacks: whoever comes as far as the body.
    var filler: Caller { classes.hasPrefix("+") ? .lenderA : .operations }
  }

  static let rows: [Row] = table.split(separator: "\n").compactMap { line -> Row? in
    let words = line.split(separator: " ")
    guard words.count >= 2 else { return nil }
    return Row(
      method: words[0] == "get" ? .get : .post, target: String(words[1]).replacing("~", with: ""),
      isThere: !words[1].hasPrefix("~"), classes: words.dropFirst(2).joined())
  }

  static func symbol(of answer: HTTPAnswer, to row: Row) -> Character {
    switch answer.status {
    case 401: "k"
    case 403: "x"
    case 404: "0"
    // A file is looked at after the one who sends it.
    case 422 where row.file == nil && answer.code == "request.invalid": "?"
    case 400, 500...: "!"
    default: "+"
    }
  }

  /// Routes that show everybody what is nobody's own: prices, calendars, rounds without names.
  static func isPublic(_ row: Row) -> Bool {
    let parts = row.template.split(separator: "/")
    return parts.count > 1 && publicFamilies.contains(String(parts[1]))
  }

  /// Posts that change nothing.
  static let calculations: Set<String> = [
    "/v1/export-checks", "/v1/stress-tests", "/v1/match-rounds/{id}/replay",
  ]

  /// Posts that need no duty: what changes nothing, and webhooks, which each organisation has of its own.
  static let forAnyStaff: Set<String> = calculations.union(["/v1/webhooks"])

  private static let publicFamilies: Set<String> = [
    "chip-models", "chip-quotes", "fx-rates", "calendars", "tax-rules", "match-rounds", "rate-index",
  ]

  /// Bodies that are files.
  static let files: [String: (type: String, body: String)] = [
    "/v1/bank-statements": ("text/csv", "x"), "/v1/fx-rates/import": ("text/csv", "x"),
    "/v1/rule-packs": ("application/json", "{}"),
  ]

  /// Members that one route means otherwise than others.
  static let overrides: [String: [String: String]] = [
    "/v1/loans/{id}/forgive": ["principal": #"{"amount":1000,"currency":"USD"}"#],
    "/v1/loans/{id}/device-events": ["kind": "\"failed\""], "/v1/warrants/{id}/exercise": ["kind": "\"net\""],
  ]

}
