import Catalogue
import Lending
import Parties
import Primitives
import StrictJSON
import Testing
import WebAPI

/// A body with each member as JSON text, so that one of them can be put in another's place.
struct Sample {
  var members: [(name: String, value: String)]

  init(_ members: KeyValuePairs<String, String>) { self.members = members.map { ($0.key, $0.value) } }

  /// With the member set, added, or left out where the value is nil.
  func with(_ name: String, _ value: String?) -> Sample {
    var other = self
    if let index = members.firstIndex(where: { $0.name == name }) {
      if let value { other.members[index].value = value } else { other.members.remove(at: index) }
    } else if let value {
      other.members.append((name, value))
    }
    return other
  }

  var json: String { "{" + members.map { "\"\($0.name)\":\($0.value)" }.joined(separator: ",") + "}" }
}

typealias Parse<Value> = (inout ObjectReader) -> Value?

func read<Value>(_ sample: Sample, _ parse: Parse<Value>) throws -> Value {
  try RequestBody.read(Array(sample.json.utf8), limits: .withSerials, parse)
}

/// What is wrong with a body, as `code pointer`, in document order; empty when it is taken.
func faults<Value>(_ sample: Sample, _ parse: Parse<Value>) -> [String] {
  do {
    _ = try read(sample, parse)
    return []
  } catch let thrown as JSONFaults {
    return thrown.isSyntax ? ["syntax"] : thrown.faults.map { "\($0.code) \($0.pointer)" }
  } catch {
    return ["\(error)"]
  }
}

/// One change of a good body and what is said about it.
struct Change: CustomTestStringConvertible {
  let member: String
  /// Nil leaves the member out.
  let value: String?
  /// `code pointer`; none when the changed body is still good.
  let faults: [String]

  /// A value that is taken.
  static func good(_ member: String, _ values: String?...) -> [Change] {
    values.map { Change(member: member, value: $0, faults: []) }
  }

  /// Values that are refused with this code, at the member or somewhere below it.
  static func bad(_ member: String, _ code: String, at pointer: String? = nil, _ values: String?...) -> [Change] {
    values.map { Change(member: member, value: $0, faults: ["field.\(code) \(pointer ?? "/\(member)")"]) }
  }

  var testDescription: String { "\(member): \((value ?? "absent").prefix(60))" }
}

/// Applies each change to the sample alone, and compares what is said.
func check<Value>(
  _ sample: Sample, _ changes: [[Change]], sourceLocation: SourceLocation = #_sourceLocation, _ parse: Parse<Value>
) {
  #expect(faults(sample, parse) == [], "the sample itself is taken", sourceLocation: sourceLocation)
  for change in changes.joined() {
    let found = faults(sample.with(change.member, change.value), parse)
    #expect(found == change.faults, "\(change.testDescription)", sourceLocation: sourceLocation)
  }
  // Nothing is taken that nobody reads, and nothing but an object.
  #expect(faults(sample.with("surprise", "1"), parse) == ["field.unknown /surprise"], sourceLocation: sourceLocation)
  for text in ["[]", "null", "1", "\"x\""] {
    let thrown = #expect(throws: JSONFaults.self, sourceLocation: sourceLocation) {
      try RequestBody.read(Array(text.utf8), parse)
    }
    #expect(thrown?.faults.map(\.code) == ["field.type"], sourceLocation: sourceLocation)
  }
}

/// Changes that a quantity from 1 to 10,000,000 answers to.
func quantityChanges(_ member: String, at pointer: String? = nil) -> [Change] {
  Change.bad(
    member, "range", at: pointer, "0", "-1", "10000001", "9223372036854775808", "1e300", "-9223372036854775809")
    + Change.bad(member, "type", at: pointer, "1.5", "\"8\"", "true", "[]", "{}")
}

/// Changes that a text of so many bytes answers to.
func textChanges(_ member: String, _ most: Int) -> [Change] {
  Change.good(member, text(1), text(most), "\"" + String(repeating: "芯", count: most / 3) + "\"")
    + Change.bad(member, "length", text(0), text(most + 1), "\"" + String(repeating: "芯", count: most / 3 + 1) + "\"")
    + Change.bad(member, "type", "1", "[]", "false") + Change.bad(member, "format", "\"a\\u0000\"", "\"a\\nb\"")
}

/// Changes that a member with a calendar date answers to.
func dateChanges(_ member: String) -> [Change] {
  Change.good(member, "\"2024-02-29\"", "\"9999-12-31\"")
    + Change.bad(member, "format", "\"2023-02-29\"", "\"2024-2-9\"", "\"2024-02-29T00:00:00Z\"", "\"29.02.2024\"")
    + Change.bad(member, "length", "\"\"") + Change.bad(member, "type", "20240229", "{}")
}

/// Changes that a member with money answers to; `least` is 0, or 1 where it is a price.
func moneyChanges(_ member: String, least: Int) -> [Change] {
  let usd = ",\"currency\":\"USD\"}"
  return Change.good(member, "{\"amount\":\(least)\(usd)", "{\"amount\":1000000000000000\(usd)")
    + Change.bad(
      member, "range", at: "/\(member)/amount", "{\"amount\":\(least - 1)\(usd)",
      "{\"amount\":1000000000000001\(usd)", "{\"amount\":99999999999999999999\(usd)")
    + Change.bad(member, "type", at: "/\(member)/amount", "{\"amount\":1.5\(usd)", "{\"amount\":\"15\"\(usd)")
    + Change.bad(
      member, "format", at: "/\(member)/currency", "{\"amount\":5,\"currency\":\"usd\"}",
      "{\"amount\":5,\"currency\":\"XXX\"}", "{\"amount\":5,\"currency\":\"USDT\"}")
    + Change.bad(member, "missing", at: "/\(member)/currency", "{\"amount\":5}")
    + Change.bad(member, "missing", at: "/\(member)/amount", "{\"currency\":\"USD\"}")
    + Change.bad(member, "unknown", at: "/\(member)/cents", "{\"amount\":5,\"currency\":\"USD\",\"cents\":1}")
    + Change.bad(member, "type", "5", "\"USD 5\"", "[]")
}

/// Changes that an id of this prefix answers to.
func idChanges(_ member: String, prefix: String) -> [Change] {
  Change.good(member, "\"\(prefix)_01920000-0000-7000-8000-00000000000a\"")
    + Change.bad(
      member, "format", "\"01920000-0000-7000-8000-00000000000a\"", "\"zzz_01920000-0000-7000-8000-00000000000a\"",
      "\"\(prefix)_01920000-0000-7000-8000-00000000000A\"", "\"\(prefix)_0192\"")
    + Change.bad(member, "type", "1") + Change.bad(member, "length", "\"\"", text(65))
}

/// Required members, each left out or null in turn.
func requiredChanges(_ members: String...) -> [Change] {
  members.flatMap { Change.bad($0, "missing", nil) + Change.bad($0, "type", "null") }
}

/// Optional members, each left out or null in turn.
func optionalChanges(_ members: String...) -> [Change] { members.flatMap { Change.good($0, nil, "null") } }

/// A JSON text of so many bytes.
func text(_ bytes: Int) -> String { "\"" + String(repeating: "x", count: bytes) + "\"" }

/// A JSON array of so many copies, or of what each number makes.
func array(_ count: Int, _ element: (Int) -> String) -> String {
  "[" + (0..<count).map(element).joined(separator: ",") + "]"
}

func uuid(_ number: UInt64) -> UUIDValue { UUIDValue(high: 0x0192_0000_0000_7000, low: 0x8000_0000_0000_0000 | number) }

func date(_ text: String) throws -> CalendarDate { try #require(CalendarDate(text)) }

func instant(_ text: String) throws -> Instant { try #require(Instant(text)) }

let lender = OrganizationID(uuid(1))
let borrower = OrganizationID(uuid(2))

/// The JSON that is written, checked to be read again by the strict reader.
func written(_ write: (inout JSONWriter) -> Void, sourceLocation: SourceLocation = #_sourceLocation) throws -> String {
  var writer = JSONWriter()
  write(&writer)
  #expect(writer.isComplete, sourceLocation: sourceLocation)
  _ = try JSONDocument(parsing: writer.bytes)
  return String(decoding: writer.bytes, as: UTF8.self)
}

/// A golden text without its line breaks and indentation.
func golden(_ text: String) -> String {
  text.split(separator: "\n").map { $0.drop { $0 == " " } }.joined()
}
