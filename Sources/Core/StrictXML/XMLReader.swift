/// A pull reader of the part of XML 1.0 that data files are written in: elements, attributes, text, CDATA, comments,
/// processing instructions (skipped), namespaces, character references and the five entities that XML itself defines.
///
/// A document type declaration is refused where it stands, so there are no entities to expand and nothing to fetch; only
/// UTF-8 is taken; names are ASCII. Everything is bounded (``XMLLimits``).
///
/// Foundation's `XMLParser` was weighed and left: it links libxml2 and all of Foundation into a layer that has neither,
/// expands entities of the document's own before a delegate can refuse them, and hands out text in pieces that must be
/// put together again. What is left of XML once those are forbidden is the 300 lines of this target, and they name a
/// line for each refusal.
package struct XMLReader: Sendable {
  /// What comes next in the document.
  package enum Event: Sendable, Hashable {
    case start(XMLTag)
    /// Character data that are not all white space.
    case text(String)
    case end
  }

  private struct Open: Sendable {
    let qualifiedName: String
    let name: String
    /// How many namespace declarations were in force outside of it.
    let bindings: Int
  }

  var source: XMLBytes
  let limits: XMLLimits
  private var open: [Open] = []
  private var bindings: [(prefix: String, namespace: String)] = []
  private var elements = 0
  private var rootEnded = false
  /// An element written `<a/>` has started, and its end is to be told.
  private var endsAtOnce = false
  /// One spelling of each element's name: files repeat the same forty names.
  private var names: [ArraySlice<UInt8>: String] = [:]

  /// - Throws: `XMLFault` for bytes that are too many, not UTF-8, or in another encoding by their own declaration.
  package init(_ bytes: [UInt8], limits: XMLLimits = XMLLimits()) throws(XMLFault) {
    self.limits = limits
    source = XMLBytes(bytes)
    guard bytes.count <= limits.maxBytes else { throw fault(.tooLarge, "has more than \(limits.maxBytes) bytes") }
    if bytes.starts(with: [0xFE, 0xFF]) || bytes.starts(with: [0xFF, 0xFE]) {
      throw fault(.forbidden, "is in UTF-16; only UTF-8 is read")
    }
    if let offset = XMLBytes.firstIllegal(in: bytes) {
      let line = bytes[..<offset].reduce(1) { $1 == 0x0A ? $0 + 1 : $0 }
      // A character cut in two at the very end is a cut file, not a wrong encoding.
      let cut = bytes.count - offset < 4 && bytes[offset] >= 0xC2
      throw XMLFault(
        cut ? .truncated : .malformed, line: line, path: "",
        cut ? "ends within a character" : "has a byte that is no character of XML in UTF-8")
    }
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { source.skip(3) }
    if source.starts(with: "<?xml"), bytes.count > source.position + 5,
      XMLBytes.isSpace(bytes[source.position + 5])
    {
      try readDeclaration()
    }
  }

  /// The open elements, outermost first.
  package var path: String { open.map(\.name).joined(separator: "/") }
  /// The line that the reader has come to, from 1.
  package var line: Int { source.line }

  func fault(_ kind: XMLFault.Kind, _ reason: String) -> XMLFault {
    XMLFault(kind, line: source.line, path: path, reason)
  }

  /// The next event; nil at the end of a whole document.
  package mutating func next() throws(XMLFault) -> Event? {
    if endsAtOnce {
      endsAtOnce = false
      close()
      return .end
    }
    while true {
      if open.isEmpty {
        source.skipSpace()
        if source.atEnd {
          guard rootEnded else { throw fault(.truncated, "has no element") }
          return nil
        }
        guard source.peek == 0x3C else { throw fault(.malformed, "has text outside of its element") }
      } else if source.atEnd {
        throw fault(.truncated, "ends before its last element does")
      } else if source.peek != 0x3C || source.starts(with: "<![CDATA[") {
        let text = try readText()
        if text.utf8.contains(where: { !XMLBytes.isSpace($0) }) { return .text(text) }
        continue
      }
      if source.starts(with: "<!--") {
        try skipComment()
      } else if source.starts(with: "<?") {
        try skipInstruction()
      } else if source.starts(with: "</") {
        try readEnd()
        return .end
      } else if source.endsWithin("<!--") || source.endsWithin("<![CDATA[") {
        throw fault(.truncated, "ends within markup")
      } else if source.starts(with: "<!") {
        throw fault(.forbidden, "has a document type declaration, which is never read")
      } else {
        return .start(try readStart())
      }
    }
  }

  /// The whole of an element whose start was just read.
  /// - Throws: `XMLFault` also where text and elements are mixed.
  package mutating func element(_ tag: XMLTag) throws(XMLFault) -> XMLNode {
    var children: [XMLNode] = []
    var text = ""
    while let event = try next() {
      switch event {
      case .end:
        if !children.isEmpty, !text.isEmpty { throw fault(.malformed, "mixes text and elements in \(tag.name)") }
        return XMLNode(tag: tag, children: children, text: text)
      case .text(let more):
        text += more
        guard text.utf8.count <= limits.maxTextBytes else {
          throw fault(.tooLarge, "has a text of more than \(limits.maxTextBytes) bytes")
        }
      case .start(let child): children.append(try element(child))
      }
    }
    throw fault(.truncated, "ends before \(tag.name) does")
  }

  // MARK: Elements

  private mutating func readStart() throws(XMLFault) -> XMLTag {
    let line = source.line
    guard !rootEnded || !open.isEmpty else { throw fault(.malformed, "has a second element at the top") }
    guard open.count < limits.maxDepth else { throw fault(.tooLarge, "is nested deeper than \(limits.maxDepth)") }
    elements += 1
    guard elements <= limits.maxElements else {
      throw fault(.tooLarge, "has more than \(limits.maxElements) elements")
    }
    source.skip(1)
    let qualified = try readName()
    var plain: [(name: String, value: String)] = []
    let outside = bindings.count
    while true {
      let spaced = source.skipSpace()
      if source.atEnd { throw fault(.truncated, "ends within a tag") }
      if source.peek == 0x3E || source.starts(with: "/>") { break }
      guard spaced else { throw fault(.malformed, "has no space before an attribute of \(qualified)") }
      let attribute = try readAttribute()
      guard !plain.contains(where: { $0.name == attribute.name }) else {
        throw fault(.malformed, "has the attribute \(attribute.name) twice in \(qualified)")
      }
      plain.append(attribute)
      guard plain.count <= limits.maxAttributes else {
        throw fault(.tooLarge, "has more than \(limits.maxAttributes) attributes in \(qualified)")
      }
      if attribute.name == "xmlns" {
        bindings.append(("", attribute.value))
      } else if attribute.name.hasPrefix("xmlns:") {
        guard !attribute.value.isEmpty else { throw fault(.malformed, "takes a prefix back") }
        bindings.append((String(attribute.name.dropFirst(6)), attribute.value))
      }
    }
    let (prefix, name) = try split(qualified)
    let tag = XMLTag(
      name: name, namespace: try namespace(of: prefix), attributes: try unprefixed(plain), line: line)
    endsAtOnce = source.peek == 0x2F
    source.skip(endsAtOnce ? 2 : 1)
    open.append(Open(qualifiedName: qualified, name: name, bindings: outside))
    return tag
  }

  private func unprefixed(_ all: [(name: String, value: String)]) throws(XMLFault) -> [XMLTag.Attribute] {
    var attributes: [XMLTag.Attribute] = []
    for (name, value) in all where name != "xmlns" {
      let (prefix, local) = try split(name)
      if prefix.isEmpty {
        attributes.append(XMLTag.Attribute(name: local, value: value))
      } else if prefix != "xmlns" {
        _ = try namespace(of: prefix)
      }
    }
    return attributes
  }

  private func split(_ qualified: String) throws(XMLFault) -> (prefix: String, name: String) {
    let parts = qualified.split(separator: ":", omittingEmptySubsequences: false)
    if parts.count == 1 { return ("", qualified) }
    guard parts.count == 2, let first = parts[1].utf8.first, XMLBytes.startsName(first), !parts[0].isEmpty else {
      throw fault(.malformed, "has the name \(qualified), which is none")
    }
    return (String(parts[0]), String(parts[1]))
  }

  private func namespace(of prefix: String) throws(XMLFault) -> String {
    if let found = bindings.last(where: { $0.prefix == prefix }) { return found.namespace }
    if prefix.isEmpty { return "" }
    if prefix == "xml" { return "http://www.w3.org/XML/1998/namespace" }
    throw fault(.malformed, "uses the prefix \(prefix), which it does not declare")
  }

  private mutating func readEnd() throws(XMLFault) {
    source.skip(2)
    let name = try readName()
    source.skipSpace()
    if source.atEnd { throw fault(.truncated, "ends within a tag") }
    guard source.peek == 0x3E, open.last?.qualifiedName == name else {
      throw fault(.malformed, "ends \(name) where it cannot")
    }
    source.skip(1)
    close()
  }

  private mutating func close() {
    guard let last = open.popLast() else { return }
    bindings.removeSubrange(last.bindings...)
    if open.isEmpty { rootEnded = true }
  }

  mutating func readName() throws(XMLFault) -> String {
    let start = source.position
    if source.atEnd { throw fault(.truncated, "ends within a tag") }
    guard XMLBytes.startsName(source.peek) else { throw fault(.malformed, "has a name that does not start as one") }
    while XMLBytes.continuesName(source.peek) || source.peek == 0x3A { source.skip(1) }
    let spelling = source.bytes[start..<source.position]
    if let known = names[spelling] { return known }
    let name = String(decoding: spelling, as: UTF8.self)
    // Bounded, so that a file of invented names does not fill memory with them.
    if names.count < 1_024 { names[ArraySlice(Array(spelling))] = name }
    return name
  }
}
