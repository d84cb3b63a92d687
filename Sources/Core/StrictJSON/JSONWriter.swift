/// Writes JSON text in the order of its calls: same calls, same bytes, so that stored answers replay equal and digests
/// hold. Commas are kept by the writer. Calls that would not make JSON (a value without its key, an end without its
/// beginning) are defects of our own code and stop the process.
///
/// Not for embedding in HTML: `<` and `&` are written as they are.
@usableFromInline
package struct JSONWriter: Sendable {
  /// What was written is at the beginning; the rest is room. Bytes are put in place with one check of room for each call,
  /// since an answer is made of thousands of small pieces.
  private var storage: [UInt8]
  private var count = 0
  /// Open containers, innermost in the lowest bit: 1 for an object, 0 for an array.
  private var objects: UInt128 = 0
  private var depth = 0
  private var needsComma = false
  private var isAfterKey = false

  /// Open containers at one time, at most.
  package static let maxDepth = 128

  /// - Parameter capacity: bytes to set aside; a guess that fits saves copies.
  package init(capacity: Int = 512) {
    storage = [UInt8](repeating: 0, count: max(capacity, 64))
  }

  /// What was written so far, copied; one whole JSON text once ``isComplete``.
  package var bytes: [UInt8] { Array(storage[..<count]) }

  /// What was written so far, where it is.
  package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try storage.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
  }

  /// True when one value has been written and all that was begun is ended.
  package var isComplete: Bool { depth == 0 && count > 0 }

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
    name.withUTF8Buffer { name in
      beginKey()
      if name.contains(where: Self.isEscaped) {
        if needsComma { append(UInt8(ascii: ",")) }
        append(quoting: name)
        return append(UInt8(ascii: ":"))
      }
      reserve(name.count + 4)
      let (start, isNext) = (count, needsComma)
      count = storage.withUnsafeMutableBufferPointer { out in
        var end = start
        if isNext {
          out[end] = UInt8(ascii: ",")
          end += 1
        }
        out[end] = UInt8(ascii: "\"")
        end = Self.copy(name, into: out, at: end + 1)
        out[end] = UInt8(ascii: "\"")
        out[end + 1] = UInt8(ascii: ":")
        return end + 2
      }
    }
  }

  /// Begins a member whose name is known only at run time. The caller sees to it that names differ.
  package mutating func key(dynamic name: String) {
    beginKey()
    if needsComma { append(UInt8(ascii: ",")) }
    append(quoting: name)
    append(UInt8(ascii: ":"))
  }

  /// A text.
  package mutating func string(_ value: String) {
    beginValue()
    append(quoting: value)
  }

  /// A text of ASCII that has nothing to escape, such as an id.
  package mutating func string(plain text: UnsafeBufferPointer<UInt8>) {
    assert(text.allSatisfy { $0 < 0x80 && !Self.isEscaped($0) }, "a text to escape")
    beginValue()
    reserve(text.count + 2)
    let start = count
    count = storage.withUnsafeMutableBufferPointer { out in
      out[start] = UInt8(ascii: "\"")
      let end = Self.copy(text, into: out, at: start + 1)
      out[end] = UInt8(ascii: "\"")
      return end + 1
    }
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
    value.withUnsafeBufferPointer { append($0) }
  }

  private var isInObject: Bool { depth > 0 && objects & 1 == 1 }

  private mutating func begin(_ bracket: UInt8, isObject: Bool) {
    beginValue()
    precondition(depth < Self.maxDepth, "nested deeper than the writer's limit")
    append(bracket)
    objects = objects << 1 | (isObject ? 1 : 0)
    depth += 1
    needsComma = false
  }

  private mutating func end(_ bracket: UInt8) {
    precondition(!isAfterKey, "a key without its value")
    append(bracket)
    objects >>= 1
    depth -= 1
    needsComma = true
  }

  private mutating func beginKey() {
    precondition(isInObject && !isAfterKey, "a key outside an object")
    isAfterKey = true
  }

  private mutating func beginValue() {
    if isAfterKey {
      isAfterKey = false
    } else {
      precondition(depth == 0 ? count == 0 : !isInObject, "a value without its key, or a second text")
      if needsComma { append(UInt8(ascii: ",")) }
    }
    needsComma = true
  }

  // MARK: bytes

  /// Makes room for so many bytes more.
  private mutating func reserve(_ more: Int) {
    let wanted = count + more
    if wanted <= storage.count { return }
    storage.append(contentsOf: repeatElement(0, count: max(wanted, 2 * storage.count) - storage.count))
  }

  /// - Returns: where it ends.
  private static func copy(
    _ text: UnsafeBufferPointer<UInt8>, into out: UnsafeMutableBufferPointer<UInt8>, at start: Int
  ) -> Int {
    UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(out)[start...])
      .copyMemory(from: UnsafeRawBufferPointer(text))
    return start + text.count
  }

  private mutating func append(_ byte: UInt8) {
    reserve(1)
    storage[count] = byte
    count += 1
  }

  private mutating func append(_ text: UnsafeBufferPointer<UInt8>) {
    reserve(text.count)
    let start = count
    count = storage.withUnsafeMutableBufferPointer { Self.copy(text, into: $0, at: start) }
  }

  private mutating func append(_ word: StaticString) {
    word.withUTF8Buffer { append($0) }
  }

  private mutating func append(decimal value: Int64) {
    if value < 0 { append(UInt8(ascii: "-")) }
    var rest = value.magnitude
    // Digits come out last first; 20 hold every UInt64.
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
      var start = 20
      repeat {
        start -= 1
        digits.initializeElement(at: start, to: UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
        rest /= 10
      } while rest > 0
      append(UnsafeBufferPointer(rebasing: digits[start...]))
    }
  }

  private mutating func append(quoting text: String) {
    var text = text
    text.withUTF8 { append(quoting: $0) }
  }

  private static func isEscaped(_ byte: UInt8) -> Bool {
    byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
  }

  /// RFC 8259 section 7: escapes what must be and nothing else, the short form where there is one.
  private mutating func append(quoting text: UnsafeBufferPointer<UInt8>) {
    append(UInt8(ascii: "\""))
    var run = 0
    for offset in 0..<text.count where Self.isEscaped(text[offset]) {
      append(UnsafeBufferPointer(rebasing: text[run..<offset]))
      append(escapeOf: text[offset])
      run = offset + 1
    }
    append(UnsafeBufferPointer(rebasing: text[run...]))
    append(UInt8(ascii: "\""))
  }

  private mutating func append(escapeOf byte: UInt8) {
    append(UInt8(ascii: "\\"))
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): append(byte)
    case 0x08: append(UInt8(ascii: "b"))
    case 0x09: append(UInt8(ascii: "t"))
    case 0x0A: append(UInt8(ascii: "n"))
    case 0x0C: append(UInt8(ascii: "f"))
    case 0x0D: append(UInt8(ascii: "r"))
    default:
      append("u00")
      for digit in [byte >> 4, byte & 0xF] {
        append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
      }
    }
  }
}
