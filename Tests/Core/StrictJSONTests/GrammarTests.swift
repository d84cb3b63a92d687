import StrictJSON
import Testing

/// What is JSON and what is not, in the manner of the public parsing suites, with code and pointer of each refusal.
@Suite("JSON grammar")
struct GrammarTests {
  @Test(
    "sound texts are read, with what they say",
    arguments: [
      ("null", JSONTree.null), (" true ", .bool(true)), ("\t\r\nfalse\n", .bool(false)), ("0", .int(0)),
      ("-0", .int(0)),
      ("[]", .array([])), ("[ ]", .array([])), ("{}", .object([])), ("{ \n}", .object([])), (#""""#, .text([])),
      ("[1,2 , 3]", .array([.int(1), .int(2), .int(3)])), ("[[],{}]", .array([.array([]), .object([])])),
      (#""\"\\\/\b\f\n\r\t""#, .text([0x22, 0x5C, 0x2F, 8, 0x0C, 0x0A, 0x0D, 9])),
      (#""\u0041\u00e9\u20AC\uD83D\ude00""#, .text(Array("A\u{E9}€😀".utf8))), (#""\u0000""#, .text([0])),
      ("\"\u{7F}\u{2028}\u{FFFE}\u{10FFFF}\"", .text(Array("\u{7F}\u{2028}\u{FFFE}\u{10FFFF}".utf8))),
      (#""\ud800\udc00""#, .text(Array("\u{10000}".utf8))), (#""\udbff\udfff""#, .text(Array("\u{10FFFF}".utf8))),
      (#""芯片 lender""#, .text(Array("芯片 lender".utf8))),
      (#""12345678\n""#, .text(Array("12345678\n".utf8))), (#""1234567\\""#, .text(Array(#"1234567\"#.utf8))),
      (
        #"{"a":{"b":[1,null]},"":2}"#,
        .object([
          .init(name: [97], value: .object([.init(name: [98], value: .array([.int(1), .null]))])),
          .init(name: [], value: .int(2)),
        ])
      ),
    ])
  func reads(text: String, tree: JSONTree) throws {
    #expect(JSONTree(try root(text)) == tree)
  }

  @Test(
    "what RFC 8259 does not allow is refused as syntax",
    arguments: [
      ("", ""), (" ", ""), ("nul", ""), ("nulL", ""), ("True", ""), ("truee", ""), ("NaN", ""), ("Infinity", ""),
      ("-Infinity", ""), ("undefined", ""), ("'a'", ""), ("a", ""), ("\u{0C}1", ""), ("\u{A0}1", ""), ("1\u{A0}", ""),
      ("01", ""), ("-01", ""), ("00", ""), ("+1", ""), (".5", ""), ("1.", ""), ("1.e3", ""), ("1e", ""), ("1e+", ""),
      ("-", ""), ("--1", ""), ("0x10", ""), ("1_000", ""), ("1,000", ""), ("1 2", ""), ("１", ""), ("1e1.5", ""),
      ("{}{}", ""), ("[]]", ""), ("null,", ""), ("// c\n1", ""), ("1 /* c */", ""), ("[1 // c\n]", ""),
      ("[", "/0"), ("[1", ""), ("[1,", "/1"), ("[1,]", "/1"), ("[,1]", "/0"), ("[1,,2]", "/1"), ("[1 2]", ""),
      ("[1}", ""), ("[1:2]", ""), ("]", ""), ("}", ""), ("{", ""), (#"{"a""#, "/a"), (#"{"a":"#, "/a"),
      (#"{"a":1"#, ""), (#"{"a":1,"#, ""), (#"{"a":1,}"#, ""), (#"{,"a":1}"#, ""), (#"{"a" 1}"#, "/a"),
      (#"{"a"::1}"#, "/a"), (#"{"a":}"#, "/a"), ("{a:1}", ""), ("{1:1}", ""), (#"{"a":1]"#, ""), ("{'a':1}", ""),
      (#"{"a":1 "b":2}"#, ""), (#"{"quantity":08}"#, ""), (#"{"x":[0,{"y":nope}]}"#, "/x/1/y"),
      (#"{"x":[0,{"y":1 1}]}"#, "/x/1"), (#"{"a/b~":[tru]}"#, "/a~1b~0/0"),
      ("\"a", ""), (#""a\"#, ""), (#""a\""#, ""), (#""\x""#, ""), (#""\'""#, ""), (#""\u12""#, ""), (#""\u12G4""#, ""),
      (#""\u+123""#, ""), (#""\U0041""#, ""), ("\"a\nb\"", ""), ("\"a\tb\"", ""), ("\"\u{0}\"", ""), ("\"\u{1F}\"", ""),
      ("\"12345678\u{1F}\"", ""), (#"["\ud800"]"#, "/0"), (#"["\ud800x"]"#, "/0"), (#"["\ud800\n"]"#, "/0"),
      (#"["\ud800\u0041"]"#, "/0"), (#"["\ud800\ud800"]"#, "/0"), (#"["\udc00\ud800"]"#, "/0"), (#"["\udfff"]"#, "/0"),
      (#"["\ud83d\ude0"]"#, "/0"), ("\u{FEFF}1", ""), ("\u{FEFF}{}", ""), ("{\u{FEFF}}", ""), ("[1] \u{0}", ""),
    ])
  func refusesSyntax(text: String, pointer: String) throws {
    let fault = try #require(refusal(Array(text.utf8)))
    #expect(fault.code == "json.syntax")
    #expect(fault.pointer == pointer)
  }

  @Test(
    "bytes that are not UTF-8 are refused as such, inside texts and outside",
    arguments: [
      [0x22, 0x80, 0x22], [0x22, 0xBF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xC1, 0xBF, 0x22], [0x22, 0xC3, 0x22],
      [0x22, 0xC3, 0x28, 0x22], [0x22, 0xE0, 0x80, 0x80, 0x22], [0x22, 0xE0, 0x9F, 0xBF, 0x22],
      [0x22, 0xE2, 0x82, 0x22],
      [0x22, 0xED, 0xA0, 0x80, 0x22], [0x22, 0xED, 0xBF, 0xBF, 0x22], [0x22, 0xF0, 0x8F, 0xBF, 0xBF, 0x22],
      [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22], [0x22, 0xF5, 0x80, 0x80, 0x80, 0x22], [0x22, 0xF8, 0x88, 0x80, 0x80, 0x22],
      [0x22, 0xFE, 0x22], [0x22, 0xFF, 0x22], [0x22, 0xF0, 0x9F, 0x98], [0x22, 0xE2], [0xFF], [0xC0, 0x80], [0x80],
      [0x22, 0x61, 0x61, 0x61, 0x61, 0x61, 0x61, 0x61, 0x61, 0xC3, 0x22],
      // UTF-16 and UTF-32 of `{}`, either end first, with and without a mark.
      [0xFF, 0xFE, 0x7B, 0, 0x7D, 0], [0xFE, 0xFF, 0, 0x7B, 0, 0x7D], [0x7B, 0, 0x7D, 0], [0, 0x7B, 0, 0x7D],
      [0xFF, 0xFE, 0, 0, 0x7B, 0, 0, 0], [0, 0, 0xFE, 0xFF, 0, 0, 0, 0x7B], [0x7B, 0, 0, 0, 0x7D, 0, 0, 0],
    ] as [[UInt8]])
  func refusesForeignBytes(bytes: [UInt8]) throws {
    #expect(try #require(refusal(bytes)).code == "json.not_utf8")
  }

  @Test("every scalar value passes through, raw and escaped")
  func takesEveryScalar() throws {
    for value in stride(from: UInt32(0), through: 0x10FFFF, by: 1) where value < 0x3000 || value % 61 == 0 {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let expected = Array(String(Character(scalar)).utf8)
      let escaped = scalar.utf16.map { unit in
        let digits = String(unit, radix: 16)
        return #"\u"# + String(repeating: "0", count: 4 - digits.utf8.count) + digits
      }
      let node = try root("\"\(escaped.joined())\"")
      #expect(node.asString.map { Array($0.utf8) } == expected)
      if value >= 0x20 && value != 0x22 && value != 0x5C {
        let raw = try JSONDocument(parsing: [0x22] + expected + [0x22]).root
        #expect(raw.asString.map { Array($0.utf8) } == expected)
      }
    }
  }

  @Test("each control character, and each byte that no UTF-8 has, is seen at every place of a long text")
  func seesEveryPlace() {
    for offset in 0..<24 {
      for byte in UInt8.min ... .max {
        var bytes = [UInt8](repeating: 0x61, count: 26)
        bytes[0] = 0x22
        bytes[25] = 0x22
        bytes[1 + offset] = byte
        // A quote ends the text early, a backslash makes an unknown escape (or, at the end, leaves it open).
        let isSyntax = byte < 0x20 || byte == 0x22 || byte == 0x5C
        let expected = isSyntax ? "json.syntax" : byte >= 0x80 ? "json.not_utf8" : nil
        if refusal(bytes)?.code != expected { Issue.record("byte \(byte) at \(offset)") }
      }
    }
  }

  @Test("the detail of a refusal names the byte and never repeats the text")
  func namesTheByte() throws {
    let fault = try #require(refusal(Array(#"{"secret":hunter2}"#.utf8)))
    #expect(
      fault == JSONFault(pointer: "/secret", code: "json.syntax", detail: "something other than a value at byte 10"))
    let ended = try #require(refusal(Array(#"{"secret":"hunter2"#.utf8)))
    #expect(ended.detail == "the text ends where '\"' was expected at byte 18")
  }
}
