import StrictJSON
import Testing

/// What a general-purpose decoder was seen to let through, each of which made two readers of one body disagree, or the
/// database refuse what the service had taken. Every one ends here, with the stated code.
@Suite("What a lenient decoder lets through")
struct StackFindingsTests {
  @Test(
    "bodies that a lenient decoder takes are refused",
    arguments: [
      ("a trailing comma", Array(#"{"a":1,}"#.utf8), "json.syntax"),
      ("a byte order mark", [0xEF, 0xBB, 0xBF] + Array(#"{"a":1}"#.utf8), "json.syntax"),
      (
        "UTF-16, little end first", Array(#"{"a":1}"#.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }),
        "json.not_utf8"
      ),
      (
        "UTF-16, big end first", Array(#"{"a":1}"#.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }),
        "json.not_utf8"
      ),
      ("UTF-32", Array(#"{"a":1}"#.utf8.flatMap { [$0, 0, 0, 0] }), "json.not_utf8"),
      ("UTF-32, big end first", Array(#"{"a":1}"#.utf8.flatMap { [0, 0, 0, $0] }), "json.not_utf8"),
      ("an amount given twice", Array(#"{"amount":1,"amount":100}"#.utf8), "json.duplicate_member"),
      ("an amount given twice, once escaped", Array(#"{"amount":1,"am\u006funt":100}"#.utf8), "json.duplicate_member"),
      ("512 levels", [UInt8](repeating: 0x5B, count: 512) + [UInt8](repeating: 0x5D, count: 512), "json.too_deep"),
      ("a lone surrogate", Array(#"{"a":"\ud800"}"#.utf8), "json.syntax"),
    ] as [(String, [UInt8], String)])
  func refuses(what: String, bytes: [UInt8], code: String) {
    #expect(refusal(bytes)?.code == code, "\(what)")
  }

  @Test("integers written as floating point are taken when exact, as JSON Schema has it, and refused when not")
  func takesExactIntegers() throws {
    var reader = ObjectReader(try root(#"{"a":14460.0,"b":1e3}"#))
    #expect(reader.int("a", 0...99_999) == 14_460)
    #expect(reader.int("b", 0...99_999) == 1_000)
    #expect(throws: Never.self) { try reader.finish() }
    #expect(try faults(#"{"a":1.5}"#) { _ = $0.int("a", 0...9) } == ["field.type /a"])
  }

  @Test("numbers that would trap a conversion are faults of their field")
  func survivesHugeNumbers() throws {
    for number in [
      "9223372036854775808", "-9223372036854775809", "1e19", "1e400", String(repeating: "9", count: 5_000),
    ] {
      #expect(try faults("{\"a\":\(number)}") { _ = $0.int("a", .min ... .max) } == ["field.range /a"])
    }
  }

  @Test("U+0000, which the database refuses, never gets past a text field, multiline or not")
  func refusesNull() throws {
    #expect(try faults(#"{"a":"x\u0000y"}"#) { _ = $0.string("a", bytes: 0...9) } == ["field.format /a"])
    #expect(
      try faults(#"{"a":"x\u0000y"}"#) { _ = $0.string("a", bytes: 0...9, allowMultiline: true) } == ["field.format /a"]
    )
    #expect(
      try faults(#"{"a":"x\u0000y"}"#) { _ = $0.parsed("a", expected: "x", bytes: 0...9) { $0 } } == ["field.format /a"]
    )
  }

  @Test("one character of 200 KB is too long for a short field")
  func measuresBytes() throws {
    let grapheme = "e" + String(repeating: "\u{301}", count: 100_000)
    #expect(grapheme.count == 1)
    #expect(try faults("{\"a\":\"\(grapheme)\"}") { _ = $0.string("a", bytes: 1...80) } == ["field.length /a"])
  }
}
