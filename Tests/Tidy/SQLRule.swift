/// SQL has its places: the stores, the queue, the migrator, the schema, and the bench that drives the server raw.
enum SQLRule {
  static let places = [
    "Sources/Adapters/Persistence", "Sources/Adapters/JobQueue", "Sources/Adapters/Postgres",
    "Sources/Commands/chipbridge-bench",
  ]

  /// String literals that read as SQL in a file of `Sources` outside of those places.
  static func breaches(in file: SourceFile) -> [Finding] {
    guard file.isSwift, file.isIn("Sources"), !places.contains(where: file.isIn) else { return [] }
    return SwiftText(file.text).literals.filter { readsAsSQL($0.text) }.map {
      let oneLine = $0.text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
      return Finding(path: file.path, line: $0.line, what: "SQL: \(oneLine.prefix(60))")
    }
  }

  /// Begins with a statement's keyword, all lower or all upper case, and goes on as that statement does. Prose that
  /// begins with the same word ("Create a key", "update the listing") is told apart by what follows.
  static func readsAsSQL(_ literal: String) -> Bool {
    let raw = literal.split(whereSeparator: \.isWhitespace)
    guard let keyword = raw.first, raw.count > 1, keyword == keyword.lowercased() || keyword == keyword.uppercased()
    else { return false }
    let words = raw.map { $0.lowercased() }
    let text = words.joined(separator: " ")
    let second = words[1]
    switch words[0] {
    case "select":
      return text.contains(" from ") || text.contains("(") || text.contains(", ") || second.hasPrefix("$")
        || second.hasPrefix("*") || second.first?.isNumber == true
    case "insert": return second == "into"
    case "update": return words.contains("set")
    case "delete": return second == "from"
    case "merge": return second == "into"
    case "create", "alter", "drop", "comment": return objects.contains(second)
    case "with": return text.contains(" as (") || text.contains(" as materialized") || text.contains(" as not ")
    case "values": return second.hasPrefix("(")
    case "copy": return text.contains(" from stdin") || text.contains(" to stdout")
    case "truncate", "lock": return second == "table"
    case "grant", "revoke": return words.contains("on")
    case "set": return second == "local" || second == "role" || second == "session"
    case "begin": return ["transaction", "isolation", "read"].contains(second)
    case "explain": return true
    case "from": return words.contains("where") || words.contains("join")
    default: return false
    }
  }

  private static let objects: Set<String> = [
    "table", "index", "unique", "view", "materialized", "function", "procedure", "role", "user", "schema", "type",
    "extension", "sequence", "database", "domain", "policy", "trigger", "or", "temporary", "temp", "unlogged",
    "publication", "system", "on",
  ]
}
