/// Reads a text once, front to back, and writes the tape. No recursion, so no stack to exhaust; open containers form a
/// list inside the tape itself (see `TapeEntry.next`), so nesting costs no memory of its own.
struct TapeParser {
  /// Stands for "no parent".
  static let none = UInt32.max
  /// Objects up to this size compare a new name with those before it; larger ones are checked by hashing when closed.
  static let fewNames = 16

  let source: UnsafeBufferPointer<UInt8>
  let limits: JSONLimits
  var position = 0
  var entries: [TapeEntry] = []
  var unescaped: [UInt8] = []
  /// The innermost open container.
  var container = TapeParser.none
  var containerIsObject = false
  private var depth = 0
  private var values = 0

  init(source: UnsafeBufferPointer<UInt8>, limits: JSONLimits) {
    self.source = source
    self.limits = limits
    // Bodies of this service have an entry for each 9 to 12 bytes: one allocation is the ordinary case.
    entries.reserveCapacity(min(source.count / 8, 2 * limits.maxMembers) + 8)
  }

  /// The byte at `offset`, or 0 past the end. No JSON text has a 0 byte, so the end needs no case of its own, and every
  /// access is in bounds by this one test.
  @inline(__always)
  func byte(at offset: Int) -> UInt8 {
    offset < source.count ? source[offset] : 0
  }

  mutating func parse() throws(JSONFault) {
    skipWhitespace()
    repeat {
      while try !beginValue() {}
    } while try anotherValueFollows()
    skipWhitespace()
    guard position == source.count else { throw unexpected("the end of the text", inMember: false) }
  }

  /// Reads a scalar or an empty container and returns true, or opens a container, stops at its first value and returns
  /// false.
  private mutating func beginValue() throws(JSONFault) -> Bool {
    if container != Self.none && !containerIsObject { entries[Int(container)].length += 1 }
    guard values < limits.maxMembers else {
      let detail = "more than \(limits.maxMembers) values"
      throw fault(JSONFaultCode.tooManyValues, detail, inMember: true)
    }
    values += 1
    switch byte(at: position) {
    case UInt8(ascii: "\""):
      let text = try scanString(inMember: true)
      append(.string, start: text.start, length: text.length, flag: text.isUnescaped)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      try scanNumber()
    case UInt8(ascii: "{"):
      try open(.object)
      guard byte(at: position) == UInt8(ascii: "}") else {
        try scanName()
        return false
      }
      try close()
    case UInt8(ascii: "["):
      try open(.array)
      guard byte(at: position) == UInt8(ascii: "]") else { return false }
      try close()
    case UInt8(ascii: "t"): try scanWord("true", .yes)
    case UInt8(ascii: "f"): try scanWord("false", .no)
    case UInt8(ascii: "n"): try scanWord("null", .null)
    default: throw unexpected("a value", inMember: true)
    }
    return true
  }

  /// After a complete value: closes what ends here. True when another value stands at the position; false at the root.
  private mutating func anotherValueFollows() throws(JSONFault) -> Bool {
    while container != Self.none {
      skipWhitespace()
      let next = byte(at: position)
      if next == UInt8(ascii: ",") {
        position += 1
        skipWhitespace()
        if containerIsObject { try scanName() }
        return true
      }
      guard next == (containerIsObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
        throw unexpected(containerIsObject ? "',' or '}'" : "',' or ']'", inMember: false)
      }
      try close()
    }
    return false
  }

  private mutating func open(_ kind: TapeEntry.Kind) throws(JSONFault) {
    guard depth < limits.maxDepth else {
      let detail = "nested deeper than \(limits.maxDepth) levels"
      throw fault(JSONFaultCode.tooDeep, detail, inMember: true)
    }
    depth += 1
    position += 1
    entries.append(TapeEntry(start: 0, length: 0, next: container, kind: kind, flag: false))
    container = UInt32(truncatingIfNeeded: entries.count - 1)
    containerIsObject = kind == .object
    skipWhitespace()
  }

  private mutating func close() throws(JSONFault) {
    if containerIsObject && entries[Int(container)].length > Self.fewNames { try refuseRepeatedNames() }
    position += 1
    depth -= 1
    let closed = Int(container)
    container = entries[closed].next
    entries[closed].next = UInt32(truncatingIfNeeded: entries.count)
    containerIsObject = container != Self.none && entries[Int(container)].kind == .object
  }

  @inline(__always)
  mutating func append(_ kind: TapeEntry.Kind, start: Int, length: Int, flag: Bool) {
    // Offsets fit by `JSONLimits.maxBytes`, indexes by `maxMembers`.
    entries.append(
      TapeEntry(
        start: UInt32(truncatingIfNeeded: start), length: UInt32(truncatingIfNeeded: length),
        next: UInt32(truncatingIfNeeded: entries.count + 1), kind: kind, flag: flag))
  }

  @inline(__always)
  mutating func skipWhitespace() {
    while position < source.count {
      switch source[position] {
      case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"): position += 1
      default: return
      }
    }
  }

  private mutating func scanWord(_ word: StaticString, _ kind: TapeEntry.Kind) throws(JSONFault) {
    let start = position
    let matches = word.withUTF8Buffer { expected in
      for (offset, letter) in expected.enumerated() where byte(at: start + offset) != letter { return false }
      return true
    }
    guard matches else { throw unexpected("a value", inMember: true) }
    append(kind, start: start, length: word.utf8CodeUnitCount, flag: false)
    position += word.utf8CodeUnitCount
  }

  /// RFC 8259 section 6: no leading zero, no plus sign, a digit on both sides of the point.
  private mutating func scanNumber() throws(JSONFault) {
    let start = position
    var isPlain = true
    if byte(at: position) == UInt8(ascii: "-") { position += 1 }
    if byte(at: position) == UInt8(ascii: "0") { position += 1 } else { try scanDigits() }
    if byte(at: position) == UInt8(ascii: ".") {
      isPlain = false
      position += 1
      try scanDigits()
    }
    if byte(at: position) | 0x20 == UInt8(ascii: "e") {
      isPlain = false
      position += 1
      let sign = byte(at: position)
      if sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { position += 1 }
      try scanDigits()
    }
    append(.number, start: start, length: position - start, flag: !isPlain)
  }

  @inline(__always)
  private mutating func scanDigits() throws(JSONFault) {
    let start = position
    while byte(at: position) &- UInt8(ascii: "0") < 10 { position += 1 }
    guard position > start else { throw unexpected("a digit", inMember: true) }
  }
}
