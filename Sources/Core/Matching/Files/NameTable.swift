/// Texts by number: each distinct byte string once, end to end in one buffer, numbered in order of first appearance.
///
/// A market of a million orders has two million ids; as `String`s in a dictionary they would outweigh all else.
package struct NameTable: Sendable {
  private var bytes: [UInt8] = []
  /// Where each text ends; it starts where the one before it ends.
  private var ends: [Int] = []
  /// Open addressing with linear steps; a power of two, at most half full. 0 when empty, else 32 bits of the text's
  /// hash and, below them, its number plus 1: few texts that differ are ever compared, and growing hashes none again.
  private var slots: [UInt64] = Array(repeating: 0, count: 16)

  package init() {}

  package var count: Int { ends.count }

  /// The text of a number.
  package subscript(number: Int32) -> String {
    String(decoding: bytes[range(number)], as: UTF8.self)
  }

  /// Appends the text of a number to a buffer.
  package func append(_ number: Int32, to buffer: inout [UInt8]) {
    buffer.append(contentsOf: bytes[range(number)])
  }

  /// The number of a text, or nil for one never seen.
  package func number(of text: UnsafeBufferPointer<UInt8>) -> Int32? {
    let found = slots[place(of: text, Self.hash(text))]
    return found == 0 ? nil : Self.number(found)
  }

  /// The number of a text, given to it now if it is new.
  package mutating func intern(_ text: UnsafeBufferPointer<UInt8>) -> (number: Int32, isNew: Bool) {
    let hash = Self.hash(text)
    let place = place(of: text, hash)
    if slots[place] != 0 { return (Self.number(slots[place]), false) }
    let number = Int32(ends.count)
    slots[place] = hash << 32 | UInt64(number + 1)
    bytes.append(contentsOf: text)
    ends.append(bytes.count)
    if ends.count * 2 > slots.count { grow() }
    return (number, true)
  }

  private func range(_ number: Int32) -> Range<Int> {
    (number == 0 ? 0 : ends[Int(number) - 1])..<ends[Int(number)]
  }

  private static func number(_ slot: UInt64) -> Int32 { Int32(truncatingIfNeeded: slot & 0xFFFF_FFFF) - 1 }

  /// The slot that holds the text, or the empty one where it belongs.
  private func place(of text: UnsafeBufferPointer<UInt8>, _ hash: UInt64) -> Int {
    let mask = slots.count - 1
    var place = Int(hash) & mask
    while slots[place] != 0, slots[place] >> 32 != hash || !isText(Self.number(slots[place]), text) {
      place = (place + 1) & mask
    }
    return place
  }

  private func isText(_ number: Int32, _ text: UnsafeBufferPointer<UInt8>) -> Bool {
    let range = range(number)
    guard range.count == text.count else { return false }
    for offset in 0..<text.count where bytes[range.lowerBound + offset] != text[offset] { return false }
    return true
  }

  private mutating func grow() {
    var larger = [UInt64](repeating: 0, count: slots.count * 2)
    let mask = larger.count - 1
    for slot in slots where slot != 0 {
      var place = Int(slot >> 32) & mask
      while larger[place] != 0 { place = (place + 1) & mask }
      larger[place] = slot
    }
    slots = larger
  }

  /// 32 bits. Seeded, so that no file can be made to collide.
  private static func hash(_ text: UnsafeBufferPointer<UInt8>) -> UInt64 {
    var hasher = Hasher()
    hasher.combine(bytes: UnsafeRawBufferPointer(text))
    return UInt64(UInt32(truncatingIfNeeded: hasher.finalize()))
  }
}
