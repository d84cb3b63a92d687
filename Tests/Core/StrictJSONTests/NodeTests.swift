import StrictJSON
import Testing

@Suite("JSON values")
struct NodeTests {
  @Test(
    "integers are exact in every notation",
    arguments: [
      ("0", 0), ("-0", 0), ("7", 7), ("-7", -7), ("14460.0", 14460), ("1e3", 1000), ("1E+3", 1000), ("1.5e1", 15),
      ("-1.50e1", -15), ("100e-2", 1), ("1000000e-6", 1), ("0.0", 0), ("0e999999999999999999999", 0),
      ("-0.000e-99999999999999999999", 0), ("0.0001e4", 1), ("0.00123e5", 123), ("12.340e2", 1234),
      ("999999999999999999", 999_999_999_999_999_999), ("-99999999999999999", -99_999_999_999_999_999),
      ("9223372036854775807", .max), ("-9223372036854775808", .min), ("9223372036854775807.000", .max),
      ("9223372036854775.807e3", .max), ("-92233720368547758080e-1", .min), ("922337203685477580700000e-5", .max),
      ("9007199254740993", 9_007_199_254_740_993), ("1e18", 1_000_000_000_000_000_000),
      ("1" + String(repeating: "0", count: 400) + "e-400", 1), ("0." + String(repeating: "0", count: 399) + "5e400", 5),
    ] as [(String, Int64)])
  func readsIntegers(text: String, value: Int64) throws {
    #expect(try root(text).asInteger == value)
    #expect(try root(text).rawNumber == text)
  }

  @Test(
    "fractions and integers past Int64 are no integers",
    arguments: [
      "1.5", "-0.1", "1e-1", "15e-1", "0.00000000000000000001", "1.000000000000000000000000000001",
      "9223372036854775808", "-9223372036854775809", "9223372036854775807.5", "18446744073709551615",
      "18446744073709551616", "1e19", "-1e19", "1e400", "1e-400", "1e99999999999999999999999",
      "1e-99999999999999999999999",
      "123456789012345678901234567890", "123456789012345678901234567890e-1", "99999999999999999999.5",
      "92233720368547758.08e2",
    ])
  func refusesOtherNumbers(text: String) throws {
    let node = try root(text)
    #expect(node.asInteger == nil)
    #expect(node.kind == .number)
    #expect(node.rawNumber == text)
  }

  @Test("every integer near a boundary agrees with the standard library's own parsing")
  func agreesWithTheStandardLibrary() throws {
    var generator = SeededGenerator(state: 20_230_501)
    for _ in 0..<20_000 {
      let wide =
        Int128(Int64.random(in: .min ... .max, using: &generator)) << Int128.random(in: -63...1, using: &generator)
      for text in ["\(wide)", "\(wide).0", "\(wide)e0", "\(wide).00e0"] {
        #expect(try root(text).asInteger == Int64(exactly: wide), "\(text)")
      }
    }
  }

  @Test("a value answers for its own kind only")
  func answersForItsKind() throws {
    let values = try root(#"[null,true,1,"1",[1],{"a":1}]"#).elements.map { $0 }
    #expect(values.map(\.kind) == [.null, .boolean, .number, .string, .array, .object])
    #expect(values.map(\.isNull) == [true, false, false, false, false, false])
    #expect(values.map(\.asBool) == [nil, true, nil, nil, nil, nil])
    #expect(values.map(\.asInteger) == [nil, nil, 1, nil, nil, nil])
    #expect(values.map(\.asString) == [nil, nil, nil, "1", nil, nil])
    #expect(values.map(\.utf8Count) == [nil, nil, nil, 1, nil, nil])
    #expect(values.map(\.rawNumber) == [nil, nil, "1", nil, nil, nil])
    #expect(values.map { $0.asArray?.count } == [nil, nil, nil, nil, 1, nil])
    #expect(values.map { $0.asObject?.count } == [nil, nil, nil, nil, nil, 1])
    #expect(values.map(\.elements.count) == [0, 0, 0, 0, 1, 0])
    #expect(values.map(\.members.isEmpty) == [true, true, true, true, true, false])
    #expect(values.map { $0["a"]?.asInteger } == [nil, nil, nil, nil, nil, 1])
  }

  @Test("lengths are in bytes: one character may be very long")
  func countsBytes() throws {
    let text = "e" + String(repeating: "\u{301}", count: 1000)
    #expect(text.count == 1)
    #expect(try root("\"\(text)\"").utf8Count == 2001)
  }

  @Test("members and elements keep their order and can be gone through again")
  func keepsOrder() throws {
    let object = try root(#"{"z":{"deep":[1,[2]]},"a":[],"m":3}"#)
    let members = try #require(object.asObject)
    #expect(members.map(\.name) == ["z", "a", "m"])
    #expect(members.map(\.value.kind) == [.object, .array, .number])
    #expect(members.first?.name == "z")
    let elements = try #require(try root(#"[[1,2],{"a":[]},"x",4]"#).asArray)
    #expect(elements.map(\.kind) == [.array, .object, .string, .number])
    #expect(elements.dropFirst(3).first?.asInteger == 4)
    #expect(elements.distance(from: elements.startIndex, to: elements.endIndex) == elements.count)
  }

  @Test("pointers name each value, with tilde and slash escaped and long names cut")
  func pointsAtValues() throws {
    let document = try root(#"{"a":[10,{"b/c":{"~":true,"":[[]]}}],"m":1}"#)
    var found: [String] = []
    func visit(_ node: JSONNode) {
      found.append(node.pointer)
      for element in node.elements { visit(element) }
      for member in node.members { visit(member.value) }
    }
    visit(document)
    #expect(found == ["", "/a", "/a/0", "/a/1", "/a/1/b~1c", "/a/1/b~1c/~0", "/a/1/b~1c/", "/a/1/b~1c//0", "/m"])
    let long = String(repeating: "芯", count: 50)
    let pointer = try #require(try root("{\"\(long)\":1}")[long]).pointer
    #expect(pointer == "/" + String(repeating: "芯", count: 42) + "…")
  }
}
