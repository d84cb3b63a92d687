import PropertyKit
import StrictXML
import Testing

@Suite("Strict XML")
struct XMLReaderTests {
  private func read(_ text: String, limits: XMLLimits = XMLLimits()) throws -> XMLNode {
    try read(Array(text.utf8), limits: limits)
  }

  private func read(_ bytes: [UInt8], limits: XMLLimits = XMLLimits()) throws -> XMLNode {
    var reader = try XMLReader(bytes, limits: limits)
    guard case .start(let tag) = try reader.next() else { throw PropertyViolation("no element") }
    let node = try reader.element(tag)
    try hold(try reader.next() == nil, "something follows the element")
    return node
  }

  @Test("elements, attributes, references, CDATA, comments and instructions are read as XML says")
  func reads() throws {
    let node = try read(
      """
      \u{FEFF}<?xml version='1.0' encoding="UTF-8" standalone="yes"?>
      <!-- a -->
      <a x="1 &lt;\t2" y='"'><?skip this?>
        <b>1 &amp; 2 <![CDATA[<&]]> &#x4E2D;&#25991;</b><c/>
        <!-- b --><b>line\r
      two</b>
      </a>

      """)
    #expect(node.name == "a")
    #expect(node.tag[attribute: "x"] == "1 < 2")
    #expect(node.tag[attribute: "y"] == "\"")
    #expect(node.tag[attribute: "z"] == nil)
    #expect(node.all("b").map(\.text) == ["1 & 2 <& 中文", "line\ntwo"])
    #expect(node.children.map(\.line) == [4, 4, 5])
    #expect(node.all("c").first?.text == "")
  }

  @Test("namespaces follow their declarations, whatever the prefix")
  func namespaces() throws {
    let node = try read(
      """
      <n:a xmlns:n="urn:one" xmlns:xsi="urn:xsi" xsi:schemaLocation="urn:one one.xsd"><n:b/><c xmlns="urn:two"><d/></c>\
      <e/></n:a>
      """)
    #expect(node.tag.namespace == "urn:one")
    #expect(node.tag.attributes.allSatisfy { $0.name != "schemaLocation" })
    #expect(node.children.map(\.tag.namespace) == ["urn:one", "urn:two", ""])
    #expect(node.children[1].children[0].tag.namespace == "urn:two")
  }

  @Test(
    "what is not well-formed is refused with its line",
    arguments: [
      ("<a>\n<b></a></b>", 2), ("<a b=1/>", 1), ("<a b='1' b='2'/>", 1), ("<a\nb='<'/>", 2), ("<a>]]></a>", 1),
      ("<a/><b/>", 1), ("x<a/>", 1), ("<a/>\nx", 2), ("<1/>", 1), ("<a b='1'c='2'/>", 1), ("<p:a/>", 1),
      ("<a p:x='1'/>", 1), ("<a:b:c/>", 1), ("<a>&#0;</a>", 1), ("<a>&#xD800;</a>", 1), ("<a>&#+1;</a>", 1),
      ("<a>\u{1}</a>", 1), ("<a><!-- -- --></a>", 1), ("<a>text<b/></a>", 1), ("<a><?xml version='1.0'?></a>", 1),
      ("<a>&aaaaaaaaaaaaaaaaaaaa</a>", 1), ("<a>\u{FFFF}</a>", 1), ("<?xml version='1.1'?><a/>", 1),
    ])
  func malformed(_ text: String, _ line: Int) throws {
    let fault = try #require(throws: XMLFault.self) { try read(text) }
    #expect(fault.kind == .malformed, "\(fault)")
    #expect(fault.line == line, "\(fault)")
  }

  @Test(
    "declarations of types, entities and other encodings are refused before they do anything",
    arguments: [
      "<!DOCTYPE a [<!ENTITY b 'bbbbbbbb'>]><a>&b;</a>", "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
      "<a><!DOCTYPE b></a>", "<a>&b;</a>", "<a b='&c;'/>", "<?xml version='1.0' encoding='ISO-8859-1'?><a/>",
    ])
  func forbidden(_ text: String) throws {
    let fault = try #require(throws: XMLFault.self) { try read(text) }
    #expect(fault.kind == .forbidden, "\(fault)")
  }

  @Test("UTF-16, overlong forms, surrogates and stray bytes are refused")
  func encodings() throws {
    let wrong: [[UInt8]] = [[0xC0, 0x80], [0xED, 0xA0, 0x80], [0x80], [0xE0, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80]]
    for bytes in wrong {
      let fault = try #require(throws: XMLFault.self) { try read(Array("<a>\n".utf8) + bytes + Array("</a>".utf8)) }
      #expect(fault.kind == .malformed && fault.line == 2, "\(bytes): \(fault)")
    }
    let wide = try #require(throws: XMLFault.self) { try read([0xFF, 0xFE, 0x3C, 0x00]) }
    #expect(wide.kind == .forbidden)
  }

  @Test("every limit is held")
  func limits() throws {
    var limits = XMLLimits()
    (limits.maxBytes, limits.maxDepth, limits.maxElements, limits.maxTextBytes, limits.maxAttributes) = (60, 3, 4, 5, 2)
    #expect(try read("<a><b><c/></b><d>12345</d></a>", limits: limits).children.count == 2)
    for text in [
      "<a><b><c><d/></c></b></a>", "<a><b/><b/><b/><b/></a>", "<a>123456</a>", "<a>12<!-- -->3456</a>",
      "<a x='123456'/>", "<a x='1' y='2' z='3'/>", "<a>" + String(repeating: " ", count: 60) + "</a>",
    ] {
      let fault = try #require(throws: XMLFault.self) { try read(text, limits: limits) }
      #expect(fault.kind == .tooLarge, "\(text): \(fault)")
    }
  }

  @Test("a document cut anywhere is told to be cut, never read")
  func truncation() throws {
    let bytes = Array("<?xml version=\"1.0\"?><a x=\"&lt;\"><!-- c --><b>t&#x4E2D;<![CDATA[中]]></b><?p i?></a>".utf8)
    #expect(try read(bytes).all("b").first?.text == "t中中")
    for end in 0..<bytes.count {
      let fault = try #require(throws: XMLFault.self) { try read(Array(bytes[..<end])) }
      #expect(fault.kind == .truncated, "cut at \(end): \(fault)")
    }
  }

  @Test("bytes changed at random are read or refused, never a crash")
  func fuzz() throws {
    let good = Array("<?xml version=\"1.0\"?><a x=\"&lt;\"><!-- c --><b>t&#x4E2D;<![CDATA[中]]></b></a>".utf8)
    var refused = 0
    try forAll(seeds: 1...2_000) { random in
      var bytes = good
      for _ in 0..<random.int(in: 1...4) { bytes[random.int(in: 0...(bytes.count - 1))] = UInt8(random.next() & 0xFF) }
      do { _ = try read(bytes) } catch is XMLFault { refused += 1 } catch is PropertyViolation { refused += 1 }
    }
    #expect(refused > 1_000)
  }
}
