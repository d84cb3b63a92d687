/// Checks of one value. Each returns nil after recording why.
///
/// What takes a closure or a type of the caller's is `@inlinable`: left generic across the module boundary, reading a
/// body took 1.7 times as long (3.4 against 2.0 microseconds for 592 bytes).
extension FaultLog {
  /// An integer within `range`, in any exact notation (see ``JSONNode/asInteger``).
  @usableFromInline
  package mutating func int(_ node: JSONNode, _ range: ClosedRange<Int64>) -> Int64? {
    if noted(.integer(range)) { return nil }
    switch node.integerReading {
    case .exact(let value) where range.contains(value): return value
    case .exact, .tooLarge:
      record(node, code: JSONFaultCode.range, detail: "must be from \(range.lowerBound) to \(range.upperBound)")
    case .fractional: record(node, code: JSONFaultCode.type, detail: "must be an integer, without a fraction")
    case nil: recordType(node, expected: "an integer")
    }
    return nil
  }

  /// An integer that `parse` takes; `expected` completes "must be".
  @inlinable
  package mutating func parsedInt<Value>(
    _ node: JSONNode, expected: StaticString, _ parse: (Int64) -> Value?
  ) -> Value? {
    if isNoted(expected, isText: false, bytes: 0...0) { return nil }
    guard let integer = int(node, .min ... .max) else { return nil }
    if let value = parse(integer) { return value }
    recordUnparsed(node, expected: expected)
    return nil
  }

  /// A truth value.
  package mutating func bool(_ node: JSONNode) -> Bool? {
    if noted(.boolean) { return nil }
    if let value = node.asBool { return value }
    recordType(node, expected: "true or false")
    return nil
  }

  /// A text of `bytes` UTF-8 bytes without control characters (U+0000 to U+001F, U+007F to U+009F); line feed and tab
  /// are taken when `allowMultiline`.
  @usableFromInline
  package mutating func string(
    _ node: JSONNode, bytes: ClosedRange<Int>, allowMultiline: Bool = false
  ) -> String? {
    if noted(.text(bytes: bytes, isMultiline: allowMultiline)) { return nil }
    guard let count = node.utf8Count else {
      recordType(node, expected: "a string")
      return nil
    }
    guard bytes.contains(count) else {
      let detail = "must have from \(bytes.lowerBound) to \(bytes.upperBound) bytes in UTF-8"
      record(node, code: JSONFaultCode.length, detail: detail)
      return nil
    }
    let isPrintable = node.tape.withText(node.index) { !hasControlCharacter($0, allowMultiline: allowMultiline) }
    guard isPrintable else {
      let exception = allowMultiline ? " but line feed and tab" : ""
      record(node, code: JSONFaultCode.format, detail: "must have no control characters\(exception)")
      return nil
    }
    return node.tape.string(node.index)
  }

  /// A text, as in `string`, that `parse` takes; `expected` completes "must be", say "a calendar date YYYY-MM-DD".
  @inlinable
  package mutating func parsed<Value>(
    _ node: JSONNode, expected: StaticString, bytes: ClosedRange<Int>, _ parse: (String) -> Value?
  ) -> Value? {
    if isNoted(expected, isText: true, bytes: bytes) { return nil }
    guard let text = string(node, bytes: bytes) else { return nil }
    if let value = parse(text) { return value }
    recordUnparsed(node, expected: expected)
    return nil
  }

  /// One of the type's words, byte by byte. `init(rawValue:)` would also take canonically equal texts, such as the
  /// Kelvin sign for K, which then are not what was stored or signed.
  @inlinable
  package mutating func enumeration<Value: RawRepresentable & CaseIterable>(
    _ node: JSONNode, as type: Value.Type
  ) -> Value? where Value.RawValue == String {
    if let choice = choice(among: type.allCases.map(\.rawValue)) {
      return Array(type.allCases)[choice]
    }
    for known in type.allCases where node.isText(known.rawValue) { return known }
    recordUnknownWord(node, known: type.allCases.map(\.rawValue))
    return nil
  }

  /// An array of `count` elements, each of which `each` takes; nil when any one is refused.
  @inlinable
  package mutating func array<Value>(
    _ node: JSONNode, count: ClosedRange<Int>, _ each: (JSONNode, inout FaultLog) -> Value?
  ) -> [Value]? {
    if beginsArray() {
      _ = each(node, &self)
      endArray(count: count)
      return nil
    }
    guard var walk = walk(node, count: count) else { return nil }
    var values: [Value] = []
    values.reserveCapacity(walk.count)
    while let element = walk.next() {
      if let value = noting(element, { log in each(element, &log) }) { values.append(value) }
    }
    return values.count == walk.count ? values : nil
  }

  /// An array as in `array`, no two of whose values are equal.
  @inlinable
  package mutating func set<Value: Hashable>(
    _ node: JSONNode, count: ClosedRange<Int>, _ each: (JSONNode, inout FaultLog) -> Value?
  ) -> [Value]? {
    if isTracing {
      _ = array(node, count: count, each)
      endSet()
      return nil
    }
    guard let values = array(node, count: count, each), var walk = walk(node, count: count) else { return nil }
    var seen: Set<Value> = []
    for value in values {
      guard let element = walk.next() else { break }
      if !seen.insert(value).inserted { recordRepeated(element) }
    }
    return seen.count == values.count ? values : nil
  }

  /// An object, read member by member; members that `read` did not ask for are recorded as unknown.
  @inlinable
  package mutating func object<Value>(_ node: JSONNode, _ read: (inout ObjectReader) -> Value?) -> Value? {
    if isTracing { return traced(node, read) }
    return noting(node) { log in
      var reader = ObjectReader(node, log: log)
      // One owner at a time, or each record would copy the log.
      log = FaultLog()
      let value = reader.isObject ? read(&reader) : nil
      log = reader.close()
      return value
    }
  }

  /// The caller's own check said nil: makes sure that it left a reason, so that no refusal goes unreported.
  @inlinable
  mutating func noting<Value>(_ node: JSONNode, _ check: (inout FaultLog) -> Value?) -> Value? {
    let before = count
    let value = check(&self)
    if value == nil && count == before { recordUnexplained(node) }
    return value
  }

  /// The elements of an array of `count` elements; nil after recording why.
  @usableFromInline
  mutating func walk(_ node: JSONNode, count: ClosedRange<Int>) -> ElementWalk? {
    guard let elements = node.asArray else {
      recordType(node, expected: "an array")
      return nil
    }
    if count.contains(elements.count) { return ElementWalk(elements) }
    let detail = "must have from \(count.lowerBound) to \(count.upperBound) elements"
    record(node, code: JSONFaultCode.length, detail: detail)
    return nil
  }

  @usableFromInline
  mutating func recordUnparsed(_ node: JSONNode, expected: StaticString) {
    let code = node.kind == .number ? JSONFaultCode.range : JSONFaultCode.format
    record(node, code: code, detail: "must be \(expected)")
  }

  @usableFromInline
  mutating func recordUnknownWord(_ node: JSONNode, known: [String]) {
    guard node.kind == .string else { return recordType(node, expected: "a string") }
    record(node, code: JSONFaultCode.enumeration, detail: "must be one of: \(known.joined(separator: ", "))")
  }

  @usableFromInline
  mutating func recordRepeated(_ node: JSONNode) {
    record(node, code: JSONFaultCode.duplicate, detail: "must not stand in the array twice")
  }

  @usableFromInline
  mutating func recordUnexplained(_ node: JSONNode) {
    let fault = JSONFault.unexplained(at: node.pointer)
    record(node, code: fault.code, detail: fault.detail)
  }

  @usableFromInline
  mutating func recordType(_ node: JSONNode, expected: StaticString) {
    record(node, code: JSONFaultCode.type, detail: "must be \(expected), not \(node.kind.described)")
  }
}

/// The elements of an array, one after another.
@usableFromInline
struct ElementWalk {
  @usableFromInline let count: Int
  private var rest: JSONElements.Iterator

  init(_ elements: JSONElements) {
    count = elements.count
    rest = elements.makeIterator()
  }

  @usableFromInline
  mutating func next() -> JSONNode? { rest.next() }
}

extension JSONKind {
  fileprivate var described: String {
    switch self {
    case .null: "null"
    case .boolean: "a boolean"
    case .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}

/// C0, DEL and C1. Valid UTF-8 is given, so C1 is C2 followed by 80 to 9F.
private func hasControlCharacter(_ text: UnsafeBufferPointer<UInt8>, allowMultiline: Bool) -> Bool {
  var offset = 0
  while offset < text.count {
    offset += lengthOfPrintableASCII(text, from: offset)
    guard offset < text.count else { return false }
    switch text[offset] {
    case 0x09, 0x0A: if !allowMultiline { return true }
    case 0x00..<0x20, 0x7F: return true
    case 0xC2: if offset + 1 < text.count && text[offset + 1] < 0xA0 { return true }
    default: break
    }
    offset += 1
  }
  return false
}

/// How many whole words of eight bytes, all from U+0020 to U+007E, stand at `offset`; in bytes.
private func lengthOfPrintableASCII(_ text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
  let ones: UInt64 = 0x0101_0101_0101_0101
  let raw = UnsafeRawBufferPointer(text)
  var offset = start
  while offset + 8 <= text.count {
    let word = raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    // A byte below 0x20 borrows into its top bit, 0x7F carries into it, and the rest of the top bits stand for C2.
    let marks = (word &- ones &* 0x20) | (word &+ ones) | word
    if marks & (ones &* 0x80) != 0 { break }
    offset += 8
  }
  return offset - start
}
