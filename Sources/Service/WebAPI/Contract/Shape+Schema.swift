import StrictJSON
import WebSupport

/// What is asked of a value, as JSON Schema (2020-12).
extension BodyShape {
  /// The members of the schema; the object around them is the caller's.
  /// - Parameter allowsNull: a member that may be left out may be null as well.
  func writeSchema(to writer: inout JSONWriter, allowsNull: Bool = false) {
    func type(_ name: String) {
      if allowsNull { writer.array("type", [name, "null"]) { $0.string($1) } } else { writer.field("type", name) }
    }
    switch self {
    case .anything: writer.field("description", "Any value.")
    case .integer(let range):
      type("integer")
      writer.field("minimum", range.lowerBound)
      writer.field("maximum", range.upperBound)
    case .parsedInteger(let expected):
      type("integer")
      writer.field("description", "Must be \(expected).")
    case .boolean: type("boolean")
    case .text(let bytes, let isMultiline):
      type("string")
      lengths(bytes, to: &writer)
      writer.field("pattern", isMultiline ? #"^[^\x00-\x08\x0b-\x1f\x7f]*$"# : #"^[^\x00-\x1f\x7f]*$"#)
      writer.field(
        "description", "\(bytes.lowerBound) to \(bytes.upperBound) bytes of UTF-8, without control characters.")
    case .parsedText(let expected, let bytes):
      type("string")
      lengths(bytes, to: &writer)
      if let pattern = Self.pattern(of: expected) { writer.field("pattern", pattern) }
      writer.field("description", "Must be \(expected).")
    case .identifier(let prefix):
      type("string")
      writer.field("pattern", IDPattern.of(prefix))
    case .words(let words):
      if allowsNull {
        writer.key("enum")
        writer.beginArray()
        for word in words { writer.string(word) }
        writer.null()
        writer.endArray()
      } else {
        writer.field("type", "string")
        writer.array("enum", words) { $0.string($1) }
      }
    case .array(let element, let count, let isSet):
      type("array")
      writer.object("items") { element.writeSchema(to: &$0) }
      writer.field("minItems", count.lowerBound)
      writer.field("maxItems", count.upperBound)
      if isSet { writer.field("uniqueItems", true) }
    case .object(let members):
      type("object")
      writer.object("properties") { writer in
        for member in members {
          writer.key(dynamic: member.name)
          writer.object { member.shape.writeSchema(to: &$0, allowsNull: !member.isRequired) }
        }
      }
      let required = members.filter(\.isRequired).map(\.name)
      if !required.isEmpty { writer.array("required", required) { $0.string($1) } }
      writer.field("additionalProperties", false)
    }
  }

  /// Bytes bound characters from above; a character has at least one byte.
  private func lengths(_ bytes: ClosedRange<Int>, to writer: inout JSONWriter) {
    if bytes.lowerBound > 0 { writer.field("minLength", 1) }
    writer.field("maxLength", bytes.upperBound)
  }

  /// Of the kinds of text that a pattern can say; the words say it for all.
  private static func pattern(of expected: String) -> String? {
    patterns.first { expected.hasPrefix($0.begins) }?.pattern
  }

  private static let patterns: [(begins: String, pattern: String)] = [
    ("a calendar date YYYY-MM-DD", #"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"#),
    (
      "a moment of RFC 3339",
      #"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$"#
    ),
    ("a country by", "^[A-Z]{2}$"), ("a currency by", "^[A-Z]{3}$"),
    ("the id of a chip model", #"^[a-z0-9.-]{1,64}$"#), ("a region", "^[A-Za-z0-9_-]{1,64}$"),
    ("64 lower-case hexadecimal digits", "^[0-9a-f]{64}$"), ("a scope", #"^[A-Za-z0-9:._*-]{1,64}$"#),
  ]
}

enum IDPattern {
  static func of(_ prefix: String) -> String {
    "^\(prefix)_[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
  }
}

extension QueryParameter {
  func writeSchema(to writer: inout JSONWriter) {
    switch kind {
    case .integer(let range):
      writer.field("type", "integer")
      writer.field("minimum", range.lowerBound)
      writer.field("maximum", range.upperBound)
    case .boolean: writer.field("type", "boolean")
    case .words(let words):
      writer.field("type", "string")
      writer.array("enum", words) { $0.string($1) }
    case .text(let bytes):
      writer.field("type", "string")
      if bytes.lowerBound > 0 { writer.field("minLength", 1) }
      writer.field("maxLength", bytes.upperBound)
    default:
      writer.field("type", "string")
      writer.field("maxLength", 8_192)
      if let pattern { writer.field("pattern", pattern) }
      if kind == .date { writer.field("format", "date") }
      if kind == .instant { writer.field("format", "date-time") }
    }
  }

  private var pattern: String? {
    switch kind {
    case .month: "^[0-9]{4}-(0[1-9]|1[0-2])$"
    case .currency: "^[A-Z]{3}$"
    case .identifier(let prefix): IDPattern.of(prefix)
    case .chipModel: "^[a-z0-9.-]{1,64}$"
    case .names(let names):
      "^(\(names.joined(separator: "|")))(,(\(names.joined(separator: "|")))){0,\(names.count - 1)}$"
    case .integers: "^[0-9]{1,18}(,[0-9]{1,18})*$"
    case .dates: "^[0-9]{4}-[0-9]{2}-[0-9]{2}(,[0-9]{4}-[0-9]{2}-[0-9]{2})*$"
    default: nil
    }
  }
}
