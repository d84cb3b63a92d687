/// Reads an object's members one by one, remembers faults instead of stopping at the first, and refuses members that
/// nobody asked for. No body is half understood: an unknown member may be a misspelt limit.
///
/// A reading method returns nil when it recorded a fault (or, for `optional…`, when the member is absent or null). Read
/// everything, call ``finish()``, then unwrap; or use ``read(_:_:)``, which does all three.
@usableFromInline
package struct ObjectReader: Sendable {
  /// The object.
  package let node: JSONNode
  /// False when the value is no object, which is already recorded; every reading method then returns nil in silence.
  @usableFromInline
  package let isObject: Bool
  @usableFromInline var log: FaultLog
  /// Where the search for the next member starts.
  private var cursor: MemberPlace
  /// Which members were asked for: bits for the first 64, a set for the rest, which only odd bodies have.
  private var readBits: UInt64 = 0
  private var readBeyond: Set<Int> = []
  private var isClosed = false

  /// Records `field.type` when `node` is no object.
  @usableFromInline
  package init(_ node: JSONNode, log: FaultLog = FaultLog()) {
    self.node = node
    self.log = log
    isObject = node.kind == .object
    cursor = .start(of: node)
    if !isObject { self.log.recordType(node, expected: "an object") }
  }

  /// Reads a whole document.
  package init(_ document: JSONDocument) {
    self.init(document.root)
  }

  /// Reads `node` with `body`, then finishes.
  /// - Throws: everything recorded; when `body` returns nil without a reason, a `field.format` of the object.
  @inlinable
  package static func read<Value>(
    _ node: JSONNode, _ body: (inout ObjectReader) -> Value?
  ) throws(JSONFaults) -> Value {
    var log = FaultLog()
    let value = log.object(node, body)
    if let value, log.isEmpty { return value }
    throw log.refusal
  }

  /// Records members that were not asked for.
  /// - Throws: all faults so far, in document order, with `isSyntax` false; those of nested objects included.
  package mutating func finish() throws(JSONFaults) {
    recordUnknownMembers()
    if let faults = log.faults { throw faults }
  }

  /// Records unknown members and hands on the log.
  @usableFromInline
  consuming func close() -> FaultLog {
    recordUnknownMembers()
    return log
  }

  /// True when the member is present and not null. Does not count as reading it.
  package func has(_ name: StaticString) -> Bool {
    presence(name) == .value
  }

  /// Whether a member is there: a change request tells "leave as it is" (absent) from "clear" (null).
  package enum Presence: Sendable, Hashable {
    case absent, null, value
  }

  /// Whether the member is absent, null or a value. Does not count as reading it.
  package func presence(_ name: StaticString) -> Presence {
    guard let place = name.withUTF8Buffer({ node.member($0, from: cursor) }) else { return .absent }
    return place.value(in: node.tape).isNull ? .null : .value
  }

  /// Takes note of a member without looking at its value: it is known, whatever it holds.
  package mutating func ignore(_ name: StaticString) {
    _ = take(name)
  }

  /// Records a fault of the caller's own, at the member whether it is present or not.
  package mutating func fault(_ name: StaticString, code: String, detail: String) {
    if let value = take(name) {
      log.record(value, code: code, detail: detail)
    } else {
      log.record(absent: name, of: node, code: code, detail: detail)
    }
  }

  /// Records a fault of the object as a whole, say of two members that do not go together.
  package mutating func fault(code: String, detail: String) {
    log.record(node, code: code, detail: detail)
  }

  /// The member's value, which may be null; records `field.missing` when it is absent.
  @usableFromInline
  package mutating func required(_ name: StaticString) -> JSONNode? {
    if log.isTracing { return described(name, isRequired: true) }
    if let value = take(name) { return value }
    if isObject { log.record(absent: name, of: node, code: JSONFaultCode.missing, detail: "is required") }
    return nil
  }

  /// The member's value, or nil when it is absent or null.
  @usableFromInline
  package mutating func optional(_ name: StaticString) -> JSONNode? {
    if log.isTracing { return described(name, isRequired: false) }
    guard let value = take(name), !value.isNull else { return nil }
    return value
  }

  /// Notes that a member is asked for; whatever stands here, its own reading method notes what it has to be.
  private mutating func described(_ name: StaticString, isRequired: Bool) -> JSONNode {
    log.trace?.member(name, isRequired: isRequired)
    return node
  }

  /// Finds a member and marks it as read.
  private mutating func take(_ name: StaticString) -> JSONNode? {
    guard let place = name.withUTF8Buffer({ node.member($0, from: cursor) }) else { return nil }
    if place.ordinal < 64 { readBits |= 1 << UInt64(place.ordinal) } else { readBeyond.insert(place.ordinal) }
    cursor = place.next(in: node.tape)
    return place.value(in: node.tape)
  }

  private mutating func recordUnknownMembers() {
    guard isObject, !isClosed else { return }
    isClosed = true
    // Names within an object differ, so as many members read as there are means that none is unknown.
    guard readBits.nonzeroBitCount + readBeyond.count < node.members.count else { return }
    var place = MemberPlace.start(of: node)
    for _ in 0..<node.members.count {
      let isRead = place.ordinal < 64 ? readBits >> UInt64(place.ordinal) & 1 == 1 : readBeyond.contains(place.ordinal)
      if !isRead { log.record(place.value(in: node.tape), code: JSONFaultCode.unknown, detail: "is not known here") }
      place = place.next(in: node.tape)
    }
  }
}
