/// One value, or one member name, on the tape. 16 bytes.
struct TapeEntry: Sendable {
  enum Kind: UInt8, Sendable {
    case null, no, yes, number, string, array, object
  }

  /// Texts and numbers: the offset of their first byte. Open objects, while parsing: the mask of names seen.
  var start: UInt32
  /// Texts and numbers: bytes. Arrays: elements. Objects: members.
  var length: UInt32
  /// The index just past this value and all it holds. Open containers, while parsing: the index of their parent.
  var next: UInt32
  let kind: Kind
  /// Texts: unescaped, so the bytes lie in the side buffer. Numbers: with a fraction or an exponent.
  let flag: Bool
}

/// A parsed text: its bytes, plus one flat array of entries in document order. An object is followed by name, value,
/// name, value and so on; an array by its elements. Nothing is allocated per value; to pass over a value is one step.
final class Tape: Sendable {
  let bytes: [UInt8]
  /// Texts that had escapes, with the escapes resolved, end to end.
  let unescaped: [UInt8]
  let entries: [TapeEntry]

  init(bytes: [UInt8], unescaped: [UInt8], entries: [TapeEntry]) {
    self.bytes = bytes
    self.unescaped = unescaped
    self.entries = entries
  }

  /// The bytes of a text (escapes resolved) or a number (as written) at `index`; none for other kinds.
  func withText<Result>(_ index: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
    let entry = entries[index]
    guard entry.kind == .string || entry.kind == .number else { return body(UnsafeBufferPointer(start: nil, count: 0)) }
    let range = Int(entry.start)..<(Int(entry.start) + Int(entry.length))
    if entry.kind == .string && entry.flag {
      return unescaped.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[range])) }
    }
    return bytes.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[range])) }
  }

  /// The text at `index`.
  func string(_ index: Int) -> String {
    withText(index) { String(decoding: $0, as: UTF8.self) }
  }

  /// True when the text at `index` is `name`, byte by byte: `String ==` would take canonically equal ones for the same.
  func isText(_ index: Int, _ name: UnsafeBufferPointer<UInt8>) -> Bool {
    // Members are looked up by name several times per object: lengths settle nearly all of those without a look inside.
    guard entries[index].length == name.count else { return false }
    return withText(index) { sameBytes($0, name) }
  }

  /// The RFC 6901 pointer of the value at `target`, found by going down from the root.
  func pointer(to target: Int) -> String {
    var pointer = ""
    var index = 0
    while index < target {
      let container = entries[index]
      var child = index + 1
      var ordinal = 0
      if container.kind == .object {
        // `child` is a name and its value follows; the target may be either.
        while child < container.next, Int(entries[child + 1].next) <= target { child = Int(entries[child + 1].next) }
        pointer += withText(child, pointerToken)
        child += 1
      } else {
        while child < container.next, Int(entries[child].next) <= target {
          child = Int(entries[child].next)
          ordinal += 1
        }
        pointer += "/\(ordinal)"
      }
      index = child
    }
    return pointer
  }
}

/// One step of a pointer: `/`, then the name with `~` and `/` escaped, cut at 128 bytes lest a name fill the answer.
func pointerToken(_ name: UnsafeBufferPointer<UInt8>) -> String {
  let longest = 128
  var end = min(name.count, longest)
  if end < name.count {
    // Not inside a character.
    while end > 0, name[end] & 0xC0 == 0x80 { end -= 1 }
  }
  var token: [UInt8] = [UInt8(ascii: "/")]
  for byte in name[..<end] {
    switch byte {
    case UInt8(ascii: "~"): token += [UInt8(ascii: "~"), UInt8(ascii: "0")]
    case UInt8(ascii: "/"): token += [UInt8(ascii: "~"), UInt8(ascii: "1")]
    default: token.append(byte)
    }
  }
  return String(decoding: token, as: UTF8.self) + (end < name.count ? "…" : "")
}

/// Equal length and bytes.
@inline(__always)
func sameBytes(_ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>) -> Bool {
  guard left.count == right.count else { return false }
  for offset in 0..<left.count where left[offset] != right[offset] { return false }
  return true
}
