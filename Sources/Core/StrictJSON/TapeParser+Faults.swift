/// What a refusal says, and where it points. Off the fast path: at most one is made per text.
extension TapeParser {
  /// A fault at the position.
  func fault(_ code: String, _ detail: String, inMember: Bool) -> JSONFault {
    JSONFault(pointer: pointer(inMember: inMember), code: code, detail: "\(detail) at byte \(position)")
  }

  /// Something other than `expected` stands at the position.
  func unexpected(_ expected: StaticString, inMember: Bool) -> JSONFault {
    guard position < source.count else {
      let detail = "the text ends where \(expected) was expected"
      return fault(JSONFaultCode.syntax, detail, inMember: inMember)
    }
    // The first characters of JSON are ASCII: a zero among the first four bytes is the mark of UTF-16 and UTF-32.
    let isWide = position < 4 && source.prefix(4).contains(0)
    if isWide || lengthOfUTF8Sequence(at: position) == 0 {
      return fault(JSONFaultCode.notUTF8, "bytes that are not UTF-8", inMember: inMember)
    }
    if position == 0 && source.starts(with: [0xEF, 0xBB, 0xBF]) {
      return fault(JSONFaultCode.syntax, "a byte order mark", inMember: inMember)
    }
    return fault(JSONFaultCode.syntax, "something other than \(expected)", inMember: inMember)
  }

  /// The pointer of the innermost open container, or (`inMember`) of the member or element being read in it.
  func pointer(inMember: Bool) -> String {
    var tokens: [String] = []
    var child = entries.count
    var parent = container
    if !inMember, parent != Self.none {
      child = Int(parent)
      parent = entries[child].next
    }
    while parent != Self.none {
      let entry = entries[Int(parent)]
      // A member's name stands right before its value; an open array's last element is the one being read.
      tokens.append(entry.kind == .object ? withText(child - 1, pointerToken) : "/\(max(entry.length, 1) - 1)")
      child = Int(parent)
      parent = entry.next
    }
    return tokens.reversed().joined()
  }
}
