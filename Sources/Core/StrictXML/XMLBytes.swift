/// The bytes with a position, a line number, and the few things that XML asks of single bytes.
struct XMLBytes: Sendable {
  let bytes: [UInt8]
  private(set) var position = 0
  private(set) var line = 1

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var atEnd: Bool { position >= bytes.count }
  /// The byte at the position; zero, which is no character of XML, past the end.
  var peek: UInt8 { position < bytes.count ? bytes[position] : 0 }

  func starts(with text: StaticString) -> Bool {
    text.withUTF8Buffer { wanted in
      position + wanted.count <= bytes.count && bytes[position..<(position + wanted.count)].elementsEqual(wanted)
    }
  }

  /// Whether the bytes end before the text could stand here whole, and agree with it so far.
  func endsWithin(_ text: StaticString) -> Bool {
    text.withUTF8Buffer { wanted in
      let rest = bytes[position...]
      return rest.count < wanted.count && rest.elementsEqual(wanted.prefix(rest.count))
    }
  }

  mutating func advance() {
    if bytes[position] == 0x0A { line += 1 }
    position += 1
  }

  mutating func skip(_ count: Int) { for _ in 0..<count where !atEnd { advance() } }

  /// Skips white space and says whether there was any.
  @discardableResult
  mutating func skipSpace() -> Bool {
    let start = position
    while position < bytes.count, Self.isSpace(bytes[position]) { advance() }
    return position > start
  }

  /// Moves past the next occurrence of the text and returns what stands before it; nil at the end of the bytes.
  mutating func take(until text: StaticString) -> ArraySlice<UInt8>? {
    let start = position
    while !atEnd {
      if starts(with: text) {
        let content = bytes[start..<position]
        skip(text.utf8CodeUnitCount)
        return content
      }
      advance()
    }
    return nil
  }

  static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }

  static func startsName(_ byte: UInt8) -> Bool {
    (byte >= 0x41 && byte <= 0x5A) || (byte >= 0x61 && byte <= 0x7A) || byte == 0x5F
  }

  static func continuesName(_ byte: UInt8) -> Bool {
    startsName(byte) || (byte >= 0x30 && byte <= 0x39) || byte == 0x2D || byte == 0x2E
  }

  /// The offset of the first byte that no XML 1.0 document may have: a control character, or what is not UTF-8
  /// (overlong forms, surrogates and U+FFFE, U+FFFF included); nil when there is none.
  static func firstIllegal(in bytes: [UInt8]) -> Int? {
    var index = 0
    func continues(_ offset: Int, _ range: ClosedRange<UInt8> = 0x80...0xBF) -> Bool {
      index + offset < bytes.count && range.contains(bytes[index + offset])
    }
    while index < bytes.count {
      let byte = bytes[index]
      switch byte {
      case 0x09, 0x0A, 0x0D, 0x20...0x7F: index += 1
      case 0xC2...0xDF:
        guard continues(1) else { return index }
        index += 2
      case 0xE0...0xEF:
        let second: ClosedRange<UInt8> = byte == 0xE0 ? 0xA0...0xBF : byte == 0xED ? 0x80...0x9F : 0x80...0xBF
        guard continues(1, second), continues(2) else { return index }
        if byte == 0xEF, bytes[index + 1] == 0xBF, bytes[index + 2] >= 0xBE { return index }
        index += 3
      case 0xF0...0xF4:
        let second: ClosedRange<UInt8> = byte == 0xF0 ? 0x90...0xBF : byte == 0xF4 ? 0x80...0x8F : 0x80...0xBF
        guard continues(1, second), continues(2), continues(3) else { return index }
        index += 4
      default: return index
      }
    }
    return nil
  }
}
