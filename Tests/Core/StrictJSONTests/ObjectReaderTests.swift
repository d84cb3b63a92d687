import StrictJSON
import Testing

@Suite("Reading objects")
struct ObjectReaderTests {
  enum Workload: String, CaseIterable { case training, inference, kelvin = "K" }

  struct Acceptable: Equatable {
    let model: String
    let rateBps: Int64
  }

  struct LoanRequest: Equatable {
    let workload: Workload
    let quantity: Int64
    let acceptable: [Acceptable]
    let regions: [String]
    let sweepBps: Int64?
    let note: String?
    let isUrgent: Bool
  }

  func readRequest(_ text: String) throws -> LoanRequest {
    try ObjectReader.read(try root(text)) { reader in
      let workload = reader.enumeration("workload", as: Workload.self)
      let quantity = reader.int("quantity", 1...10_000)
      let acceptable = reader.objects("acceptable", count: 1...3) { reader -> Acceptable? in
        let model = reader.string("chip_model_id", bytes: 1...40)
        let rate = reader.int("max_rate_bps", 0...10_000)
        guard let model, let rate else { return nil }
        return Acceptable(model: model, rateBps: rate)
      }
      let regions = reader.set("regions", count: 1...4) { node, log in log.string(node, bytes: 2...16) }
      let sweep = reader.optionalObject("repayment") { $0.int("sweep_bps", 0...10_000) }
      let note = reader.optionalString("note", bytes: 1...20, allowMultiline: true)
      let isUrgent = reader.bool("is_urgent")
      guard let workload, let quantity, let acceptable, let regions, let isUrgent else { return nil }
      return LoanRequest(
        workload: workload, quantity: quantity, acceptable: acceptable, regions: regions, sweepBps: sweep, note: note,
        isUrgent: isUrgent)
    }
  }

  @Test("a loan request is read whole, in any order of members")
  func readsARequest() throws {
    let members = [
      #""workload":"training""#, #""quantity":512"#, #""acceptable":[{"chip_model_id":"a800","max_rate_bps":1400.0}]"#,
      #""regions":["CN-north","SG"]"#, #""repayment":{"sweep_bps":2e3}"#, #""note":"a\nb\tc""#, #""is_urgent":false"#,
    ]
    let expected = LoanRequest(
      workload: .training, quantity: 512, acceptable: [Acceptable(model: "a800", rateBps: 1400)],
      regions: ["CN-north", "SG"], sweepBps: 2000, note: "a\nb\tc", isUrgent: false)
    #expect(try readRequest("{\(members.joined(separator: ","))}") == expected)
    #expect(try readRequest("{\(members.reversed().joined(separator: ","))}") == expected)
    var generator = SeededGenerator(state: 7)
    for _ in 0..<50 {
      #expect(try readRequest("{\(members.shuffled(using: &generator).joined(separator: ","))}") == expected)
    }
  }

  @Test("all faults come at once, in document order, missing members first, nested ones among them")
  func reportsAllFaults() throws {
    let text = #"""
      {"extra":1,"quantity":0,"acceptable":[{"max_rate_bps":1.5,"chip_model_id":""},{"chip_model_id":"x","typo":1}],
       "workload":"mining","repayment":{"sweep_bps":null},"regions":["SG","CN","SG"],"note":7,"z":{}}
      """#
    let thrown = try #require(throws: JSONFaults.self) { try readRequest(text) }
    #expect(!thrown.isSyntax)
    #expect(thrown.omitted == 0)
    #expect(
      thrown.faults.map { "\($0.code) \($0.pointer)" } == [
        "field.missing /is_urgent", "field.unknown /extra", "field.range /quantity",
        "field.type /acceptable/0/max_rate_bps",
        "field.length /acceptable/0/chip_model_id", "field.missing /acceptable/1/max_rate_bps",
        "field.unknown /acceptable/1/typo", "field.enum /workload", "field.type /repayment/sweep_bps",
        "field.duplicate /regions/2", "field.type /note", "field.unknown /z",
      ])
    let details = Dictionary(thrown.faults.map { ($0.pointer, $0.detail) }) { first, _ in first }
    #expect(details["/quantity"] == "must be from 1 to 10000")
    #expect(details["/workload"] == "must be one of: training, inference, K")
    #expect(details["/note"] == "must be a string, not a number")
    #expect(details["/repayment/sweep_bps"] == "must be an integer, not null")
  }

  @Test(
    "integers keep to their bounds",
    arguments: [
      ("1", nil), ("10", nil), ("10.0", nil), ("1e1", nil), ("0", "field.range"), ("11", "field.range"),
      ("9223372036854775808", "field.range"), ("-1e300", "field.range"), ("1.5", "field.type"), ("\"5\"", "field.type"),
      ("true", "field.type"), ("null", "field.type"), ("[5]", "field.type"), ("{}", "field.type"),
    ] as [(String, String?)])
  func checksIntegers(value: String, code: String?) throws {
    let found = try faults("{\"n\":\(value)}") { reader in
      #expect((reader.int("n", 1...10) == nil) == (code != nil))
    }
    #expect(found == (code.map { ["\($0) /n"] } ?? []))
  }

  @Test(
    "texts are measured in bytes and have no control characters",
    arguments: [
      (#""ab""#, nil), (#""12345678""#, nil), (#""é""#, nil), (#""芯芯""#, nil), ("\"a\u{A0}\"", nil),
      (#""a/\"\\""#, nil),
      (#""a""#, "field.length"), (#""123456789""#, "field.length"), (#""芯芯芯""#, "field.length"),
      (#""""#, "field.length"),
      (#""ab\u0000""#, "field.format"), (#""ab\n""#, "field.format"), (#""ab\t""#, "field.format"),
      (#""\u001fb""#, "field.format"), ("\"a\u{7F}\"", "field.format"), (#""a\u007f""#, "field.format"),
      ("\"\u{80}\"", "field.format"), ("\"123456\u{9F}\"", "field.format"), (#""1234567\u0001""#, "field.format"),
      ("\"1234567\u{7F}\"", "field.format"), ("3", "field.type"), ("null", "field.type"),
    ] as [(String, String?)])
  func checksTexts(value: String, code: String?) throws {
    let found = try faults("{\"t\":\(value)}") { reader in
      #expect((reader.string("t", bytes: 2...8) == nil) == (code != nil))
    }
    #expect(found == (code.map { ["\($0) /t"] } ?? []))
  }

  @Test("line feed and tab pass in multiline texts, every other control character does not")
  func checksMultilineTexts() throws {
    for value in 0..<0xA0 as Range<UInt32> {
      let scalar = try #require(Unicode.Scalar(value))
      let isControl = value < 0x20 || value >= 0x7F
      let hex = String(value, radix: 16)
      let escape = #"\u"# + String(repeating: "0", count: 4 - hex.utf8.count) + hex
      for padding in ["", "1234567", "12345678"] {
        let text = #"{"t":"\#(padding)\#(escape)"}"#
        let strict = try faults(text) { _ = $0.string("t", bytes: 1...20) }
        #expect(strict.isEmpty == !isControl)
        let multiline = try faults(text) { reader in
          let read = reader.string("t", bytes: 1...20, allowMultiline: true)
          if !isControl { #expect(read == padding + String(Character(scalar))) }
        }
        #expect(multiline.isEmpty == (!isControl || value == 9 || value == 10))
      }
    }
  }

  @Test("words of an enumeration are told by their bytes: the Kelvin sign is not K")
  func checksWords() throws {
    #expect("\u{212A}" == "K")
    var reader = ObjectReader(try root(#"{"w":"K"}"#))
    #expect(reader.enumeration("w", as: Workload.self) == .kelvin)
    for other in ["\"\u{212A}\"", "\"k\"", "\"Training\"", "\"\"", "\"training \""] {
      #expect(try faults("{\"w\":\(other)}") { _ = $0.enumeration("w", as: Workload.self) } == ["field.enum /w"])
    }
    #expect(try faults(#"{"w":1}"#) { _ = $0.optionalEnumeration("w", as: Workload.self) } == ["field.type /w"])
  }

  @Test("optional members may be absent or null, and are checked when they are there")
  func readsOptionals() throws {
    var present = 0
    func readAll(_ reader: inout ObjectReader) {
      present = 0
      if reader.optionalInt("a", 1...9) != nil { present += 1 }
      if reader.optionalString("b", bytes: 1...9) != nil { present += 1 }
      if reader.optionalBool("c") != nil { present += 1 }
      if reader.optionalParsed("d", expected: "digits", bytes: 1...9, { Int($0) }) != nil { present += 1 }
      if reader.optionalEnumeration("e", as: Workload.self) != nil { present += 1 }
      if reader.optionalArray("f", count: 0...2, { $1.bool($0) }) != nil { present += 1 }
      if reader.optionalSet("g", count: 0...2, { $1.int($0, 0...9) }) != nil { present += 1 }
      if reader.optionalObject("h", { $0.optionalInt("x", 0...9) ?? 0 }) != nil { present += 1 }
      if reader.optionalObjects("i", count: 0...2, { $0.int("x", 0...9) }) != nil { present += 1 }
      if reader.optionalParsedInt("j", expected: "even", { $0 % 2 == 0 ? $0 : nil }) != nil { present += 1 }
    }
    let letters = "abcdefghij"
    let nulls = letters.map { "\"\($0)\":null" }.joined(separator: ",")
    for text in ["{}", "{\(nulls)}"] {
      #expect(try faults(text, readAll) == [])
      #expect(present == 0)
    }
    let good = #"{"a":1,"b":"x","c":true,"d":"42","e":"K","f":[true],"g":[1,2],"h":{},"i":[{"x":1}],"j":4}"#
    #expect(try faults(good, readAll) == [])
    #expect(present == 10)
    let bad = #"{"a":0,"b":"","c":0,"d":"x","e":"x","f":[1],"g":[1,1.0],"h":{"x":-1},"i":[{}],"j":3}"#
    #expect(
      try faults(bad, readAll) == [
        "field.range /a", "field.length /b", "field.type /c", "field.format /d", "field.enum /e", "field.type /f/0",
        "field.duplicate /g/1", "field.range /h/x", "field.missing /i/0/x", "field.range /j",
      ])
    // The object's own closure made do without its member: a value comes out, and finishing withholds it.
    #expect(present == 1)
  }

  @Test("required members of each kind are missed by name")
  func missesRequired() throws {
    let found = try faults("{}") { reader in
      _ = reader.int("a", 0...1)
      _ = reader.string("b", bytes: 0...1)
      _ = reader.bool("c")
      _ = reader.parsed("d", expected: "x", bytes: 0...1) { $0 }
      _ = reader.enumeration("e", as: Workload.self)
      _ = reader.array("f", count: 0...1) { $1.bool($0) }
      _ = reader.set("g", count: 0...1) { $1.bool($0) }
      _ = reader.object("h") { $0.bool("x") }
      _ = reader.objects("i~/", count: 0...1) { $0.bool("x") }
      _ = reader.parsedInt("j", expected: "x") { $0 }
    }
    #expect(found == "a b c d e f g h i~0~1 j".split(separator: " ").map { "field.missing /\($0)" })
  }

  @Test("a body that is no object is one fault, not a list of missing members")
  func refusesOtherRoots() throws {
    for text in ["[]", "null", "1", "\"{}\""] {
      let found = try faults(text) { reader in
        #expect(!reader.isObject)
        _ = reader.int("a", 0...1)
        _ = reader.object("b") { $0.bool("x") }
        #expect(!reader.has("a"))
      }
      #expect(found == ["field.type "])
    }
  }

  @Test("an array of the wrong length is refused before its elements are looked at")
  func checksCounts() throws {
    for (text, isTaken) in [("[]", false), ("[1]", true), ("[1,2]", true), ("[1,2,3]", false)] {
      var seen = 0
      let found = try faults("{\"a\":\(text)}") { reader in
        _ = reader.array("a", count: 1...2) { node, log in
          seen += 1
          return log.int(node, 0...9)
        }
      }
      #expect(found == (isTaken ? [] : ["field.length /a"]))
      #expect((seen > 0) == isTaken)
    }
  }

  @Test("presence tells absent, null and value apart and does not count as reading")
  func tellsPresence() throws {
    let found = try faults(#"{"a":null,"b":0,"c":1,"d":2}"#) { reader in
      #expect(reader.presence("a") == .null)
      #expect(reader.presence("b") == .value)
      #expect(reader.presence("x") == .absent)
      #expect(reader.has("b") && !reader.has("a") && !reader.has("x"))
      reader.ignore("c")
      _ = reader.optionalInt("d", 0...9)
      _ = reader.optionalInt("d", 0...9)
    }
    #expect(found == ["field.unknown /a", "field.unknown /b"])
  }

  @Test("faults of the caller's own stand with the rest, at the member or where it should be")
  func takesOwnFaults() throws {
    let found = try faults(#"{"from":5,"to":3,"x":0}"#) { reader in
      let from = reader.int("from", 0...9)
      let to = reader.int("to", 0...9)
      reader.fault("until", code: "field.missing", detail: "is required with from")
      if let from, let to, from > to {
        reader.fault("to", code: "lending.term_reversed", detail: "ends before it starts")
      }
      reader.fault(code: "own.code", detail: "no")
    }
    #expect(found == ["field.missing /until", "own.code ", "lending.term_reversed /to", "field.unknown /x"])
  }

  @Test("a closure that says no without a reason leaves one all the same")
  func explainsEachRefusal() throws {
    let found = try faults(#"{"a":[1,2],"o":{}}"#) { reader in
      #expect(reader.array("a", count: 0...9) { node, _ in node.asInteger == 1 ? 1 : nil } == nil)
      #expect(reader.object("o") { _ in Int?.none } == nil)
    }
    #expect(found == ["field.format /a/1", "field.format /o"])
    let thrown = try #require(throws: JSONFaults.self) { try ObjectReader.read(try root("{}")) { _ in Int?.none } }
    #expect(thrown.faults.map(\.code) == ["field.format"])
  }

  @Test("a value with an unknown member beside it is not handed out")
  func withholdsHalfUnderstoodBodies() throws {
    #expect(try ObjectReader.read(try root(#"{"a":1}"#)) { $0.int("a", 0...9) } == 1)
    #expect(throws: JSONFaults.self) { try ObjectReader.read(try root(#"{"a":1,"b":2}"#)) { $0.int("a", 0...9) } }
  }

  @Test("members past the sixty-fourth are tracked as well", arguments: [63, 64, 65, 66, 200])
  func tracksManyMembers(count: Int) throws {
    let text = "{" + (0..<count).map { "\"m\($0)\":\($0)" }.joined(separator: ",") + ",\"last\":1}"
    let found = try faults(text) { reader in
      #expect(reader.int("last", 1...1) == 1)
      #expect(reader.int("m0", 0...0) == 0)
      #expect(reader.int("m62", 62...62) == 62)
      #expect(reader.int("last", 1...1) == 1)
    }
    #expect(found.count == min(count - 2, 100))
    #expect(found.first == "field.unknown /m1")
    #expect(!found.contains("field.unknown /last") && !found.contains("field.unknown /m62"))
  }

  @Test("ten thousand mistakes are answered with a hundred faults and a count")
  func boundsTheAnswer() throws {
    let text = "{\"a\":[" + Array(repeating: "0", count: 9_000).joined(separator: ",") + "]}"
    var reader = ObjectReader(try root(text))
    _ = reader.array("a", count: 0...10_000) { node, log in log.int(node, 1...9) }
    let thrown = try #require(throws: JSONFaults.self) { try reader.finish() }
    #expect(thrown.faults.count == 100)
    #expect(thrown.omitted == 8_900)
    #expect(thrown.faults.last?.pointer == "/a/99")
  }

  @Test("finishing twice reports the same faults once each")
  func finishesOnce() throws {
    var reader = ObjectReader(try JSONDocument(parsing: Array(#"{"a":1}"#.utf8)))
    let first = try #require(throws: JSONFaults.self) { try reader.finish() }
    let second = try #require(throws: JSONFaults.self) { try reader.finish() }
    #expect(first == second && first.faults.count == 1)
  }
}
