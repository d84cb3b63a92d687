/// Where a scanned text lies: in the source, or in the side buffer when it had escapes.
struct ScannedText {
  let start: Int
  let length: Int
  let isUnescaped: Bool
}

extension TapeParser {
  /// Reads a text whose opening quote stands at the position; leaves the position past the closing quote.
  mutating func scanString(inMember: Bool) throws(JSONFault) -> ScannedText {
    position += 1
    let start = position
    try skipPlainText(inMember: inMember)
    if byte(at: position) == UInt8(ascii: "\"") {
      position += 1
      return ScannedText(start: start, length: position - 1 - start, isUnescaped: false)
    }
    // An escape: from here on the text is built in the side buffer. It never grows past the size of the source.
    let begin = unescaped.count
    var run = start
    while true {
      unescaped.append(contentsOf: source[run..<position])
      if byte(at: position) == UInt8(ascii: "\"") { break }
      try scanEscape(inMember: inMember)
      run = position
      try skipPlainText(inMember: inMember)
    }
    position += 1
    return ScannedText(start: begin, length: unescaped.count - begin, isUnescaped: true)
  }

  /// Moves to the next quote or backslash, checking all that lies before it.
  private mutating func skipPlainText(inMember: Bool) throws(JSONFault) {
    while true {
      skipPlainASCII()
      let next = byte(at: position)
      if next == UInt8(ascii: "\"") || next == UInt8(ascii: "\\") { return }
      guard next >= 0x80 else {
        if position >= source.count { throw unexpected("'\"'", inMember: inMember) }
        throw fault(JSONFaultCode.syntax, "an unescaped control character", inMember: inMember)
      }
      let length = lengthOfUTF8Sequence(at: position)
      guard length > 0 else { throw fault(JSONFaultCode.notUTF8, "bytes that are not UTF-8", inMember: inMember) }
      position += length
    }
  }

  /// Moves over ASCII other than quotes, backslashes and control characters, eight bytes at a time.
  @inline(__always)
  private mutating func skipPlainASCII() {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let highs: UInt64 = 0x8080_8080_8080_8080
    let raw = UnsafeRawBufferPointer(source)
    while position + 8 <= source.count {
      let word = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: position, as: UInt64.self))
      let quotes = word ^ (ones &* 0x22)
      let slashes = word ^ (ones &* 0x5C)
      // `x - ones & ~x & highs` marks the zero bytes of x, and possibly some above the lowest one: the lowest is exact.
      let marks =
        ((word &- ones &* 0x20) & ~word) | ((quotes &- ones) & ~quotes) | ((slashes &- ones) & ~slashes) | word
      let stops = marks & highs
      guard stops == 0 else {
        position += stops.trailingZeroBitCount / 8
        return
      }
      position += 8
    }
    while position < source.count {
      let next = source[position]
      if next < 0x20 || next >= 0x80 || next == 0x22 || next == 0x5C { return }
      position += 1
    }
  }

  /// The length of the UTF-8 sequence that starts at `offset`, or 0 when there is no valid one (Unicode 16, table 3-7:
  /// nothing overlong, no surrogates, nothing past U+10FFFF).
  func lengthOfUTF8Sequence(at offset: Int) -> Int {
    func isContinuation(_ distance: Int) -> Bool { byte(at: offset + distance) & 0xC0 == 0x80 }
    let second = byte(at: offset + 1)
    switch byte(at: offset) {
    case 0x00...0x7F: return 1
    case 0xC2...0xDF: return isContinuation(1) ? 2 : 0
    case 0xE0: return 0xA0...0xBF ~= second && isContinuation(2) ? 3 : 0
    case 0xED: return 0x80...0x9F ~= second && isContinuation(2) ? 3 : 0
    case 0xE1...0xEF: return isContinuation(1) && isContinuation(2) ? 3 : 0
    case 0xF0: return 0x90...0xBF ~= second && isContinuation(2) && isContinuation(3) ? 4 : 0
    case 0xF4: return 0x80...0x8F ~= second && isContinuation(2) && isContinuation(3) ? 4 : 0
    case 0xF1...0xF3: return isContinuation(1) && isContinuation(2) && isContinuation(3) ? 4 : 0
    default: return 0
    }
  }

  /// Resolves the escape whose backslash stands at the position, into the side buffer.
  private mutating func scanEscape(inMember: Bool) throws(JSONFault) {
    let letter = byte(at: position + 1)
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): unescaped.append(letter)
    case UInt8(ascii: "b"): unescaped.append(0x08)
    case UInt8(ascii: "f"): unescaped.append(0x0C)
    case UInt8(ascii: "n"): unescaped.append(0x0A)
    case UInt8(ascii: "r"): unescaped.append(0x0D)
    case UInt8(ascii: "t"): unescaped.append(0x09)
    case UInt8(ascii: "u"):
      try scanUnicodeEscape(inMember: inMember)
      return
    default: throw fault(JSONFaultCode.syntax, "an unknown escape", inMember: inMember)
    }
    position += 2
  }

  private mutating func scanUnicodeEscape(inMember: Bool) throws(JSONFault) {
    guard let unit = hexUnit(at: position + 2) else {
      throw fault(JSONFaultCode.syntax, "an escape without four hexadecimal digits", inMember: inMember)
    }
    var value = unit
    var length = 6
    if 0xD800...0xDBFF ~= unit, byte(at: position + 6) == UInt8(ascii: "\\"),
      byte(at: position + 7) == UInt8(ascii: "u"), let low = hexUnit(at: position + 8), 0xDC00...0xDFFF ~= low
    {
      value = 0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)
      length = 12
    }
    // Fails for surrogates alone: no UTF-8 says what they say, and databases refuse them.
    guard let scalar = Unicode.Scalar(value) else {
      throw fault(JSONFaultCode.syntax, "an unpaired surrogate escape", inMember: inMember)
    }
    unescaped.append(contentsOf: scalar.utf8)
    position += length
  }

  private func hexUnit(at offset: Int) -> UInt32? {
    var unit: UInt32 = 0
    for place in offset..<offset + 4 {
      let digit = byte(at: place)
      switch digit {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): unit = unit << 4 | UInt32(digit - UInt8(ascii: "0"))
      case UInt8(ascii: "a")...UInt8(ascii: "f"): unit = unit << 4 | UInt32(digit - UInt8(ascii: "a") + 10)
      case UInt8(ascii: "A")...UInt8(ascii: "F"): unit = unit << 4 | UInt32(digit - UInt8(ascii: "A") + 10)
      default: return nil
      }
    }
    return unit
  }
}
