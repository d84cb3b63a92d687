/// Writes JSON text in the order of its calls: same calls, same bytes, so that stored answers replay equal and digests
/// hold. Commas are kept by the writer. Calls that would not make JSON (a value without its key, an end without its
/// beginning) are defects of our own code and stop the process.
///
/// Not for embedding in HTML: `<` and `&` are written as they are.
@usableFromInline
package struct JSONWriter: Sendable {
  /// What was written so far; one whole JSON text once ``isComplete``.
  package private(set) var bytes: [UInt8] = []
  /// Open containers, innermost in the lowest bit: 1 for an object, 0 for an array.
  private var objects: UInt128 = 0
  private var depth = 0
  private var needsComma = false
  private var isAfterKey = false

  /// Open containers at one time, at most.
  package static let maxDepth = 128

  /// - Parameter capacity: bytes to set aside; a guess that fits saves copies.
  package init(capacity: Int = 512) {
    bytes.reserveCapacity(capacity)
  }

  /// True when one value has been written and all that was begun is ended.
  package var isComplete: Bool { depth == 0 && !bytes.isEmpty }

  /// Begins an object; members follow.
  @usableFromInline
  package mutating func beginObject() {
    begin(UInt8(ascii: "{"), isObject: true)
  }

  /// Ends the object begun last.
  @usableFromInline
  package mutating func endObject() {
    precondition(isInObject, "no object to end")
    end(UInt8(ascii: "}"))
  }

  /// Begins an array; elements follow.
  @usableFromInline
  package mutating func beginArray() {
    begin(UInt8(ascii: "["), isObject: false)
  }

  /// Ends the array begun last.
  @usableFromInline
  package mutating func endArray() {
    precondition(depth > 0 && !isInObject, "no array to end")
    end(UInt8(ascii: "]"))
  }

  /// Begins a member; its value follows.
  @usableFromInline
  package mutating func key(_ name: StaticString) {
    beginKey()
    name.withUTF8Buffer { append(quoting: $0) }
    bytes.append(UInt8(ascii: ":"))
  }

  /// Begins a member whose name is known only at run time. The caller sees to it that names differ.
  package mutating func key(dynamic name: String) {
    beginKey()
    append(quoting: name)
    bytes.append(UInt8(ascii: ":"))
  }

  /// A text.
  package mutating func string(_ value: String) {
    beginValue()
    append(quoting: value)
  }

  /// An integer. Past 2^53 some readers lose digits; such amounts go out as strings.
  package mutating func int(_ value: Int64) {
    beginValue()
    append(decimal: value)
  }

  /// An integer.
  package mutating func int(_ value: Int) {
    int(Int64(value))
  }

  /// A truth value.
  package mutating func bool(_ value: Bool) {
    beginValue()
    append(value ? "true" : "false")
  }

  /// `null`.
  @usableFromInline
  package mutating func null() {
    beginValue()
    append("null")
  }

  /// One JSON value that is already text, say a stored one. Not checked: only for bytes that a writer or a strict
  /// reader vouched for.
  package mutating func raw(_ value: [UInt8]) {
    precondition(!value.isEmpty, "no value")
    beginValue()
    bytes.append(contentsOf: value)
  }

  private var isInObject: Bool { depth > 0 && objects & 1 == 1 }

  private mutating func begin(_ bracket: UInt8, isObject: Bool) {
    beginValue()
    precondition(depth < Self.maxDepth, "nested deeper than the writer's limit")
    bytes.append(bracket)
    objects = objects << 1 | (isObject ? 1 : 0)
    depth += 1
    needsComma = false
  }

  private mutating func end(_ bracket: UInt8) {
    precondition(!isAfterKey, "a key without its value")
    bytes.append(bracket)
    objects >>= 1
    depth -= 1
    needsComma = true
  }

  private mutating func beginKey() {
    precondition(isInObject && !isAfterKey, "a key outside an object")
    if needsComma { bytes.append(UInt8(ascii: ",")) }
    isAfterKey = true
  }

  private mutating func beginValue() {
    if isAfterKey {
      isAfterKey = false
    } else {
      precondition(depth == 0 ? bytes.isEmpty : !isInObject, "a value without its key, or a second text")
      if needsComma { bytes.append(UInt8(ascii: ",")) }
    }
    needsComma = true
  }

  private mutating func append(_ word: StaticString) {
    word.withUTF8Buffer { bytes.append(contentsOf: $0) }
  }

  private mutating func append(decimal value: Int64) {
    if value < 0 { bytes.append(UInt8(ascii: "-")) }
    var rest = value.magnitude
    // Digits come out last first; 20 hold every UInt64.
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
      var start = 20
      repeat {
        start -= 1
        digits.initializeElement(at: start, to: UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
        rest /= 10
      } while rest > 0
      bytes.append(contentsOf: UnsafeBufferPointer(rebasing: digits[start...]))
    }
  }

  private mutating func append(quoting text: String) {
    var text = text
    text.withUTF8 { append(quoting: $0) }
  }

  /// RFC 8259 section 7: escapes what must be and nothing else, the short form where there is one.
  private mutating func append(quoting text: UnsafeBufferPointer<UInt8>) {
    bytes.append(UInt8(ascii: "\""))
    var run = 0
    for offset in 0..<text.count {
      let byte = text[offset]
      guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
      bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[run..<offset]))
      append(escapeOf: byte)
      run = offset + 1
    }
    bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[run...]))
    bytes.append(UInt8(ascii: "\""))
  }

  private mutating func append(escapeOf byte: UInt8) {
    bytes.append(UInt8(ascii: "\\"))
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
    case 0x08: bytes.append(UInt8(ascii: "b"))
    case 0x09: bytes.append(UInt8(ascii: "t"))
    case 0x0A: bytes.append(UInt8(ascii: "n"))
    case 0x0C: bytes.append(UInt8(ascii: "f"))
    case 0x0D: bytes.append(UInt8(ascii: "r"))
    default:
      append("u00")
      for digit in [byte >> 4, byte & 0xF] {
        bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
      }
    }
  }
}
