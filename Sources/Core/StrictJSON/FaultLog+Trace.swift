/// What a log does where a parser is run to be described (see ``BodyShape/traced(_:)``).
extension FaultLog {
  /// Whether the value was to be described, and is.
  mutating func noted(_ shape: BodyShape) -> Bool {
    guard isTracing else { return false }
    trace?.note(shape)
    return true
  }

  @usableFromInline
  mutating func isNoted(_ expected: StaticString, isText: Bool, bytes: ClosedRange<Int>) -> Bool {
    guard isTracing else { return false }
    let text = expected.description
    return noted(isText ? .parsedText(expected: text, bytes: bytes) : .parsedInteger(expected: text))
  }

  /// The word that this run is about; nil where nothing is described.
  @usableFromInline
  mutating func choice(among words: [String]) -> Int? {
    guard !words.isEmpty, noted(.words(words)) else { return nil }
    return trace?.choice(of: words.count)
  }

  @usableFromInline
  mutating func beginsArray() -> Bool {
    guard isTracing else { return false }
    trace?.beginArray()
    return true
  }

  @usableFromInline
  mutating func endArray(count: ClosedRange<Int>) { trace?.endArray(count: count) }

  @usableFromInline
  mutating func endSet() { trace?.markSet() }

  @usableFromInline
  mutating func traced<Value>(_ node: JSONNode, _ read: (inout ObjectReader) -> Value?) -> Value? {
    trace?.beginObject()
    var reader = ObjectReader(node, log: self)
    let value = read(&reader)
    self = reader.endTrace()
    trace?.endObject()
    return value
  }
}

extension ObjectReader {
  /// Says more of the member that was just read, where a body is described; otherwise nothing happens.
  package mutating func describe(_ shape: () -> BodyShape) {
    if log.isTracing { log.trace?.note(shape()) }
  }

  var trace: BodyTrace? { log.trace }

  /// Its log, without a look at members that nobody asked for: there are none.
  consuming func endTrace() -> FaultLog { log }
}
