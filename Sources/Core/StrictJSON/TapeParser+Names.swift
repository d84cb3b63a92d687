/// Member names: no object may have one twice. Compared after escapes are resolved and byte by byte, so `a` and its
/// escape are one name while composed and decomposed letters are two, as they are to every other reader.
extension TapeParser {
  /// Reads `"name" :` and leaves the position at the value.
  mutating func scanName() throws(JSONFault) {
    guard byte(at: position) == UInt8(ascii: "\"") else { throw unexpected("a member name", inMember: false) }
    let text = try scanString(inMember: false)
    append(.string, start: text.start, length: text.length, flag: text.isUnescaped)
    try refuseRepeatedName()
    skipWhitespace()
    guard byte(at: position) == UInt8(ascii: ":") else { throw unexpected("':'", inMember: true) }
    position += 1
    skipWhitespace()
  }

  /// Checks the name just read against those before it, while the object is small.
  private mutating func refuseRepeatedName() throws(JSONFault) {
    let object = Int(container)
    entries[object].length += 1
    let count = Int(entries[object].length)
    guard count <= Self.fewNames else { return }
    let name = entries.count - 1
    // 32 buckets by length and outer letters. An unused bucket proves the name new, which is nearly always so.
    let bucket: UInt32 = withText(name) { text in
      guard let first = text.first, let last = text.last else { return 1 }
      return 1 << ((UInt32(first) &* 5 &+ UInt32(last) &* 3 &+ UInt32(truncatingIfNeeded: text.count)) & 31)
    }
    guard entries[object].start & bucket != 0 else {
      entries[object].start |= bucket
      return
    }
    var earlier = object + 1
    while earlier < name {
      if sameText(earlier, name) { throw repeated(name) }
      earlier = Int(entries[earlier + 1].next)
    }
  }

  /// Checks all names of the object about to close, in expected linear time. `Hasher` is keyed afresh in each process,
  /// so nobody outside can choose names that collide.
  func refuseRepeatedNames() throws(JSONFault) {
    let object = Int(container)
    let count = Int(entries[object].length)
    var size = 64
    while size < 2 * count { size *= 2 }
    // Index 0 is the root, never a name: it marks a free slot.
    var table = [UInt32](repeating: 0, count: size)
    var name = object + 1
    while name < entries.count {
      var hasher = Hasher()
      withText(name) { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
      var slot = hasher.finalize() & (size - 1)
      while table[slot] != 0 {
        if sameText(Int(table[slot]), name) { throw repeated(name) }
        slot = (slot + 1) & (size - 1)
      }
      table[slot] = UInt32(truncatingIfNeeded: name)
      name = Int(entries[name + 1].next)
    }
  }

  private func repeated(_ name: Int) -> JSONFault {
    JSONFault(
      pointer: pointer(inMember: false) + withText(name, pointerToken), code: JSONFaultCode.duplicateMember,
      detail: "the object names this member twice")
  }

  private func sameText(_ left: Int, _ right: Int) -> Bool {
    guard entries[left].length == entries[right].length else { return false }
    return withText(left) { leftText in withText(right) { sameBytes(leftText, $0) } }
  }

  /// The bytes of the name at `index`, escapes resolved.
  @inline(__always)
  func withText<Result>(_ index: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
    let entry = entries[index]
    let range = Int(entry.start)..<(Int(entry.start) + Int(entry.length))
    guard entry.flag else { return body(UnsafeBufferPointer(rebasing: source[range])) }
    return unescaped.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[range])) }
  }
}
