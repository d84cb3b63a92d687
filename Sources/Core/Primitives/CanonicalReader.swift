/// Why bytes are not those of a canonical value.
package enum CanonicalBytesError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The bytes end before the value does.
  case truncated(offset: Int)
  /// More bytes follow the value.
  case trailing(count: Int)
  /// The bytes are of another kind of value, or of another version of it.
  case wrongVersion(found: String, expected: String)
  /// A value that its type does not admit.
  case invalid(offset: Int, String)
  /// The value has another spelling: its own bytes differ from these.
  case notCanonical

  package var description: String {
    switch self {
    case .truncated(let offset): "the bytes end within a value, at \(offset)"
    case .trailing(let count): "\(count) bytes follow the end"
    case .wrongVersion(let found, let expected): "the bytes are of \"\(found)\", not \"\(expected)\""
    case .invalid(let offset, let what): "no such \(what), at \(offset)"
    case .notCanonical: "the bytes are not the one spelling of what they say"
    }
  }
}

/// Reads what `CanonicalBytes` wrote, in the same order. Damaged bytes throw; none of them traps or takes memory past
/// their own length.
package struct CanonicalReader: Sendable {
  private let bytes: [UInt8]
  package private(set) var offset = 0

  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  private var left: Int { bytes.count - offset }

  /// To be called after the last value.
  package func finish() throws(CanonicalBytesError) {
    if left > 0 { throw .trailing(count: left) }
  }

  package func invalid(_ what: String) -> CanonicalBytesError { .invalid(offset: offset, what) }

  package mutating func byte() throws(CanonicalBytesError) -> UInt8 {
    guard left >= 1 else { throw .truncated(offset: offset) }
    defer { offset += 1 }
    return bytes[offset]
  }

  private mutating func word() throws(CanonicalBytesError) -> UInt64 {
    guard left >= 8 else { throw .truncated(offset: offset) }
    var bits: UInt64 = 0
    for index in offset..<(offset + 8) { bits = bits << 8 | UInt64(bytes[index]) }
    offset += 8
    return bits
  }

  package mutating func int64() throws(CanonicalBytesError) -> Int64 { Int64(bitPattern: try word()) }

  package mutating func int128() throws(CanonicalBytesError) -> Int128 {
    let high = try int64()
    return Int128(high) << 64 | Int128(try word())
  }

  package mutating func bool() throws(CanonicalBytesError) -> Bool {
    let value = try int64()
    guard value == 0 || value == 1 else { throw invalid("truth value") }
    return value == 1
  }

  package mutating func uuid() throws(CanonicalBytesError) -> UUIDValue {
    let high = try word()
    return UUIDValue(high: high, low: try word())
  }

  package mutating func id<Noun>() throws(CanonicalBytesError) -> Identifier<Noun> { Identifier(try uuid()) }

  package mutating func digest() throws(CanonicalBytesError) -> SHA256Digest {
    guard left >= 32, let digest = SHA256Digest(bytes: Array(bytes[offset..<offset + 32])) else {
      throw .truncated(offset: offset)
    }
    offset += 32
    return digest
  }

  package mutating func date() throws(CanonicalBytesError) -> CalendarDate {
    guard let date = CalendarDate(dayNumber: try int64()) else { throw invalid("date") }
    return date
  }

  package mutating func text() throws(CanonicalBytesError) -> String {
    let length = try count(ofAtLeast: 1)
    guard let text = String(validating: bytes[offset..<offset + length], as: UTF8.self) else { throw invalid("text") }
    offset += length
    return text
  }

  /// A text that a type parses.
  package mutating func parsed<Value>(
    _ what: String, _ parse: (String) -> Value?
  ) throws(CanonicalBytesError) -> Value {
    guard let value = parse(try text()) else { throw invalid(what) }
    return value
  }

  /// How many members follow; never more than there are bytes for.
  /// - Parameter size: the least bytes a member takes, at least 1.
  package mutating func count(ofAtLeast size: Int) throws(CanonicalBytesError) -> Int {
    guard let count = Int(exactly: try int64()), count >= 0 else { throw invalid("count") }
    guard count <= left / size else { throw .truncated(offset: offset) }
    return count
  }

  package mutating func list<Value>(
    ofAtLeast size: Int, _ read: (inout CanonicalReader) throws(CanonicalBytesError) -> Value
  ) throws(CanonicalBytesError) -> [Value] {
    let count = try count(ofAtLeast: size)
    var values: [Value] = []
    values.reserveCapacity(count)
    for _ in 0..<count { values.append(try read(&self)) }
    return values
  }

  package mutating func texts() throws(CanonicalBytesError) -> [String] {
    try list(ofAtLeast: 8) { reader throws(CanonicalBytesError) in try reader.text() }
  }

  package mutating func optional<Value>(
    _ read: (inout CanonicalReader) throws(CanonicalBytesError) -> Value
  ) throws(CanonicalBytesError) -> Value? {
    switch try byte() {
    case 0: nil
    case 1: try read(&self)
    default: throw invalid("mark of presence")
    }
  }
}
