/// Character data, attributes, and what is skipped.
extension XMLReader {
  /// `<?xml version="1.0" encoding="UTF-8"?>`: another version or encoding is refused by name.
  mutating func readDeclaration() throws(XMLFault) {
    source.skip(5)
    while source.skipSpace(), XMLBytes.startsName(source.peek) {
      let (name, value) = try readAttribute()
      switch (name, value.lowercased()) {
      case ("version", "1.0"), ("encoding", "utf-8"), ("encoding", "us-ascii"), ("standalone", "yes"),
        ("standalone", "no"):
        continue
      case ("encoding", _): throw fault(.forbidden, "is in \(value); only UTF-8 is read")
      default: throw fault(.malformed, "declares \(name) \(value)")
      }
    }
    if source.endsWithin("?>") { throw fault(.truncated, "ends within its declaration") }
    guard source.starts(with: "?>") else { throw fault(.malformed, "has a declaration that does not end") }
    source.skip(2)
  }

  mutating func readAttribute() throws(XMLFault) -> (name: String, value: String) {
    let name = try readName()
    source.skipSpace()
    if source.atEnd { throw fault(.truncated, "ends within a tag") }
    guard source.peek == 0x3D else { throw fault(.malformed, "has the attribute \(name) without a value") }
    source.skip(1)
    source.skipSpace()
    let quote = source.peek
    if source.atEnd { throw fault(.truncated, "ends within a tag") }
    guard quote == 0x22 || quote == 0x27 else { throw fault(.malformed, "has the value of \(name) without quotes") }
    source.skip(1)
    var value: [UInt8] = []
    while source.peek != quote {
      if source.atEnd { throw fault(.truncated, "ends within the value of \(name)") }
      switch source.peek {
      case 0x3C: throw fault(.malformed, "has < in the value of \(name)")
      case 0x26: value += try readReference()
      case let byte:
        value.append(XMLBytes.isSpace(byte) ? 0x20 : byte)
        source.skip(1)
      }
      guard value.count <= limits.maxTextBytes else {
        throw fault(.tooLarge, "has a value of more than \(limits.maxTextBytes) bytes")
      }
    }
    source.skip(1)
    return (name, String(decoding: value, as: UTF8.self))
  }

  /// Text and CDATA up to the next tag, comment or instruction; line ends become line feeds.
  mutating func readText() throws(XMLFault) -> String {
    var text: [UInt8] = []
    while !source.atEnd {
      if source.starts(with: "<![CDATA[") {
        source.skip(9)
        guard let content = source.take(until: "]]>") else { throw fault(.truncated, "ends within CDATA") }
        text += content
      } else if source.peek == 0x3C {
        break
      } else if source.peek == 0x26 {
        text += try readReference()
      } else if source.starts(with: "]]>") {
        throw fault(.malformed, "has ]]> in a text")
      } else {
        if source.peek == 0x0D {
          if !source.starts(with: "\r\n") { text.append(0x0A) }
        } else {
          text.append(source.peek)
        }
        source.advance()
      }
      guard text.count <= limits.maxTextBytes else {
        throw fault(.tooLarge, "has a text of more than \(limits.maxTextBytes) bytes")
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// `&amp;` and its four fellows, `&#38;`, `&#x26;`. Any other name would be an entity of the document's own.
  private mutating func readReference() throws(XMLFault) -> [UInt8] {
    let rest = source.bytes[source.position...].dropFirst().prefix(12)
    guard let length = rest.firstIndex(of: 0x3B).map({ $0 - rest.startIndex }) else {
      throw fault(rest.count < 12 ? .truncated : .malformed, "has & that starts no reference")
    }
    let name = String(decoding: rest.prefix(length), as: UTF8.self)
    let bytes: [UInt8]
    switch name {
    case "amp": bytes = [0x26]
    case "lt": bytes = [0x3C]
    case "gt": bytes = [0x3E]
    case "quot": bytes = [0x22]
    case "apos": bytes = [0x27]
    default:
      guard name.hasPrefix("#") else { throw fault(.forbidden, "uses the entity \(name), which XML does not define") }
      guard let character = Self.character(name.dropFirst()) else {
        throw fault(.malformed, "refers to &\(name); which is no character")
      }
      bytes = Array(String(character).utf8)
    }
    source.skip(length + 2)
    return bytes
  }

  private static func character(_ digits: Substring) -> Unicode.Scalar? {
    let number =
      digits.hasPrefix("x") ? UInt32(digits.dropFirst(), radix: 16) : digits.first == "+" ? nil : UInt32(digits)
    guard let number, let scalar = Unicode.Scalar(number),
      XMLBytes.firstIllegal(in: Array(String(scalar).utf8)) == nil
    else { return nil }
    return scalar
  }

  mutating func skipComment() throws(XMLFault) {
    source.skip(4)
    guard source.take(until: "--") != nil else { throw fault(.truncated, "ends within a comment") }
    if source.atEnd { throw fault(.truncated, "ends within a comment") }
    guard source.peek == 0x3E else { throw fault(.malformed, "has -- in a comment") }
    source.skip(1)
  }

  mutating func skipInstruction() throws(XMLFault) {
    source.skip(2)
    let target = try readName()
    if source.atEnd { throw fault(.truncated, "ends within an instruction") }
    guard target.lowercased() != "xml" else { throw fault(.malformed, "has its declaration in the middle") }
    guard source.take(until: "?>") != nil else { throw fault(.truncated, "ends within an instruction") }
  }
}
