import StrictJSON
import Testing

@Suite("Repeated members and limits")
struct DuplicateAndLimitTests {
  @Test(
    "a member named twice is refused, at its second place",
    arguments: [
      (#"{"amount":1,"amount":100}"#, "/amount"), (#"{"a":1,"b":{"x":1,"y":2,"x":3}}"#, "/b/x"),
      (#"[{"a":1},{"a":1,"\u0061":2}]"#, "/1/a"), (#"{"\u0061":1,"a":2}"#, "/a"), (#"{"\u0061":1,"\u0061":2}"#, "/a"),
      (#"{"":1,"":2}"#, "/"), (#"{"a/b":1,"a\/b":2}"#, "/a~1b"), (#"{"é":{"k":[1,2,3]},"z":[],"\u00e9":2}"#, "/é"),
      (#"{"a":{"a":{"a":1,"b":2,"b":3}}}"#, "/a/a/b"),
    ])
  func refusesRepeats(text: String, pointer: String) throws {
    let fault = try #require(refusal(Array(text.utf8)))
    #expect(fault.code == "json.duplicate_member")
    #expect(fault.pointer == pointer)
  }

  @Test("names that only look alike are two members, as they are to the database")
  func tellsCanonicallyEqualNamesApart() throws {
    let composed = "caf\u{E9}"
    let decomposed = "cafe\u{301}"
    #expect(composed == decomposed)
    let object = try root("{\"\(composed)\":1,\"\(decomposed)\":2}")
    #expect(object.members.count == 2)
    #expect(object[composed]?.asInteger == 1)
    #expect(object[decomposed]?.asInteger == 2)
  }

  @Test(
    "a repeat is found in objects of every size, wherever the two stand, and nothing else is",
    arguments: [2, 3, 15, 16, 17, 18, 33, 64, 100])
  func findsRepeatsAtEverySize(count: Int) throws {
    // Equal lengths and outer letters: all share one bucket of the quick test.
    let names = (0..<count).map { "a\(1000 + $0)z" }
    let sound = "{" + names.map { #""\#($0)":[{}]"# }.joined(separator: ",") + "}"
    #expect(try root(sound).members.count == count)
    for second in 1..<count {
      var repeated = names
      repeated[second] = names[(second * 7) % second]
      let text = "{" + repeated.map { #""\#($0)":[{}]"# }.joined(separator: ",") + "}"
      let fault = try #require(refusal(Array(text.utf8)))
      #expect(fault.code == "json.duplicate_member")
      #expect(fault.pointer == "/" + repeated[second])
    }
  }

  @Test("a hundred thousand members are checked in time that does not grow with their square", .timeLimit(.minutes(1)))
  func checksLargeObjects() throws {
    let limits = JSONLimits(maxBytes: 1 << 24, maxMembers: 1 << 20)
    let names = (0..<100_000).map { #""\u0061\#($0)":0"# }
    let sound = Array("{\(names.joined(separator: ","))}".utf8)
    #expect(try JSONDocument(parsing: sound, limits: limits).root.members.count == 100_000)
    let repeated = Array("{\(names.joined(separator: ",")),\"a99999\":1}".utf8)
    #expect(try #require(refusal(repeated, limits: limits)).pointer == "/a99999")
  }

  @Test("nesting is taken up to the limit and refused one level past it", arguments: [0, 1, 2, 64])
  func limitsDepth(maxDepth: Int) throws {
    let limits = JSONLimits(maxBytes: 10_000, maxDepth: maxDepth)
    func nested(_ depth: Int) -> [UInt8] {
      Array((String(repeating: "[", count: depth) + "1" + String(repeating: "]", count: depth)).utf8)
    }
    #expect(refusal(nested(maxDepth), limits: limits) == nil)
    #expect(throws: Never.self) { try JSONDocument(parsing: nested(maxDepth), limits: limits) }
    let fault = try #require(refusal(nested(maxDepth + 1), limits: limits))
    #expect(fault.code == "json.too_deep")
    #expect(fault.pointer == String(repeating: "/0", count: maxDepth))
    // Levels are given back when they close.
    if maxDepth > 1 { #expect(refusal(Array("[[],{},[]]".utf8), limits: limits) == nil) }
  }

  @Test("the request limit stops 512 levels, and a body of brackets alone, at level 65")
  func stopsDeepBodies() throws {
    for count in [512, 100_000] {
      let fault = try #require(refusal([UInt8](repeating: 0x5B, count: count)))
      #expect(fault.code == "json.too_deep")
      #expect(fault.detail == "nested deeper than 64 levels at byte 64")
    }
    let objects = Array(String(repeating: #"{"a":"#, count: 512).utf8)
    #expect(try #require(refusal(objects)).pointer == String(repeating: "/a", count: 64))
  }

  @Test("a hundred thousand levels are read without exhausting the stack when the limits allow them")
  func readsDeepTexts() throws {
    let depth = 100_000
    let text = [UInt8](repeating: 0x5B, count: depth) + [UInt8](repeating: 0x5D, count: depth)
    let limits = JSONLimits(maxBytes: 1 << 20, maxDepth: depth, maxMembers: depth)
    #expect(try JSONDocument(parsing: text, limits: limits).root.elements.count == 1)
    #expect(try #require(refusal(Array(text.dropLast()), limits: limits)).code == "json.syntax")
  }

  @Test("values are counted over the whole text: root, members and elements")
  func limitsValues() throws {
    let text = Array(#"{"a":[1,2],"b":{"c":null}}"#.utf8)
    #expect(refusal(text, limits: JSONLimits(maxBytes: 100, maxMembers: 6)) == nil)
    #expect(try JSONDocument(parsing: text, limits: JSONLimits(maxBytes: 100, maxMembers: 6)).root.members.count == 2)
    let fault = try #require(refusal(text, limits: JSONLimits(maxBytes: 100, maxMembers: 5)))
    #expect(fault.code == "json.too_many_values")
    #expect(fault.pointer == "/b/c")
    let ones = Array(("[" + String(repeating: "1,", count: 20_000) + "1]").utf8)
    #expect(try #require(refusal(ones)).pointer == "/9999")
  }

  @Test("a text past the size limit is refused before a byte of it is read")
  func limitsBytes() throws {
    let limits = JSONLimits(maxBytes: 4)
    #expect(refusal(Array("null".utf8), limits: limits) == nil)
    #expect(try JSONDocument(parsing: Array("null".utf8), limits: limits).root.isNull)
    for text in ["null ", "\u{FEFF}", "xxxxx"] where text.utf8.count > 4 {
      #expect(try #require(refusal(Array(text.utf8), limits: limits)).code == "json.too_large")
    }
    let hostile = [UInt8](repeating: 0x5B, count: 10 << 20)
    #expect(try #require(refusal(hostile)).code == "json.too_large")
  }

  @Test("limits outside their range move to its nearest end")
  func clampsLimits() {
    let low = JSONLimits(maxBytes: -1, maxDepth: .min, maxMembers: -5)
    #expect([low.maxBytes, low.maxDepth, low.maxMembers] == [0, 0, 0])
    let high = JSONLimits(maxBytes: .max, maxMembers: .max)
    #expect([high.maxBytes, high.maxMembers] == [Int(Int32.max), 1 << 30])
    #expect(refusal([], limits: JSONLimits(maxBytes: -1))?.code == "json.syntax")
    #expect(refusal(Array("1".utf8), limits: JSONLimits(maxBytes: 9, maxMembers: 0))?.code == "json.too_many_values")
  }
}
