/// The 128 bits of a UUID (RFC 9562), ordered as PostgreSQL orders `uuid`.
package struct UUIDValue: Sendable, Hashable, Comparable, CustomStringConvertible {
  package let high: UInt64
  package let low: UInt64

  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// Parses exactly the canonical form: 36 bytes, lower-case hexadecimal, hyphens at 8, 13, 18, 23.
  /// One form only, so that an id has one spelling in URLs, logs and idempotency fingerprints.
  package init?(_ text: some StringProtocol) {
    var digits: (UInt64, UInt64) = (0, 0)
    var count = 0
    var position = 0
    for byte in text.utf8 {
      if position == 8 || position == 13 || position == 18 || position == 23 {
        guard byte == 0x2D else { return nil }
      } else {
        let nibble: UInt64
        switch byte {
        case 0x30...0x39: nibble = UInt64(byte - 0x30)
        case 0x61...0x66: nibble = UInt64(byte - 0x61 + 10)
        default: return nil
        }
        if count < 16 { digits.0 = digits.0 << 4 | nibble } else { digits.1 = digits.1 << 4 | nibble }
        count += 1
        guard count <= 32 else { return nil }
      }
      position += 1
    }
    guard position == 36, count == 32 else { return nil }
    self.init(high: digits.0, low: digits.1)
  }

  /// The canonical form.
  package var description: String {
    String(unsafeUninitializedCapacity: 36) { buffer in
      write(to: buffer, at: 0)
      return 36
    }
  }

  /// Writes the 36 bytes of the canonical form.
  fileprivate func write(to buffer: UnsafeMutableBufferPointer<UInt8>, at start: Int) {
    var position = start
    var word = high
    for nibble in 0..<32 {
      if nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20 {
        buffer[position] = 0x2D
        position += 1
      }
      if nibble == 16 { word = low }
      buffer[position] = hexadecimalDigit(UInt8(truncatingIfNeeded: word >> 60))
      word <<= 4
      position += 1
    }
  }

  package static func < (left: UUIDValue, right: UUIDValue) -> Bool {
    left.high != right.high ? left.high < right.high : left.low < right.low
  }

  /// Big-endian bytes, as hashed and as stored.
  package var bytes: [UInt8] {
    (0..<16).map { UInt8(truncatingIfNeeded: ($0 < 8 ? high : low) >> UInt64((7 - $0 % 8) * 8)) }
  }
}

/// Names a kind of thing that has ids; the prefix is what people and logs see (`loan_0192...`).
package protocol IdentifiedNoun: Sendable {
  static var prefix: StaticString { get }
}

/// The id of one kind of thing. Two kinds never mix: they are different types.
package struct Identifier<Noun: IdentifiedNoun>: Sendable, Hashable, Comparable, CustomStringConvertible {
  package let value: UUIDValue

  package init(_ value: UUIDValue) { self.value = value }

  /// Parses `prefix_` and a canonical UUID; anything else is nil.
  package init?(_ text: some StringProtocol) {
    let prefix = "\(Noun.prefix)_"
    guard text.utf8.count == prefix.utf8.count + 36, text.utf8.starts(with: prefix.utf8) else { return nil }
    let start = text.utf8.index(text.utf8.startIndex, offsetBy: prefix.utf8.count)
    guard let value = UUIDValue(text[start...]) else { return nil }
    self.value = value
  }

  package var description: String {
    String(unsafeUninitializedCapacity: Self.length) { buffer in
      write(to: buffer)
      return Self.length
    }
  }

  /// The bytes of ``description``, without a text being made of them.
  package func withUTF8<Result>(_ body: (UnsafeBufferPointer<UInt8>) throws -> Result) rethrows -> Result {
    try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.length) { buffer in
      write(to: buffer)
      return try body(UnsafeBufferPointer(rebasing: buffer[..<Self.length]))
    }
  }

  /// Of ``description``, in bytes.
  private static var length: Int { Noun.prefix.utf8CodeUnitCount + 37 }

  private func write(to buffer: UnsafeMutableBufferPointer<UInt8>) {
    Noun.prefix.withUTF8Buffer { text in
      for (offset, byte) in text.enumerated() { buffer[offset] = byte }
    }
    buffer[Self.length - 37] = 0x5F
    value.write(to: buffer, at: Self.length - 36)
  }

  package static func < (left: Self, right: Self) -> Bool { left.value < right.value }
}

/// Fresh UUIDv7 ids (RFC 9562, 5.7), monotonic within one source, made from a time and random bits that the caller gives:
/// Core neither reads a clock nor draws random numbers.
package struct IdentifierSource: Sendable {
  private let milliseconds: UInt64
  private var counter: UInt16
  private var random: UInt64

  /// - Parameters:
  ///   - milliseconds: wall-clock milliseconds since 1970, 48 bits are used.
  ///   - seed: 128 random bits from the system's generator.
  package init(milliseconds: UInt64, seed: (UInt64, UInt64)) {
    self.milliseconds = milliseconds & 0xFFFF_FFFF_FFFF
    // Half of the counter's space is left free, so that it cannot wrap within a source of 2,048 * 2^62 ids.
    self.counter = UInt16(truncatingIfNeeded: seed.0) & 0x7FF
    self.random = seed.1 & 0x3FFF_FFFF_FFFF_FFFF
  }

  /// The next id: the 62 random bits count up by one, and carry into the 12-bit counter.
  package mutating func next<Noun>() -> Identifier<Noun> { Identifier(nextValue()) }

  package mutating func nextValue() -> UUIDValue {
    random = (random &+ 1) & 0x3FFF_FFFF_FFFF_FFFF
    if random == 0 { counter = (counter &+ 1) & 0xFFF }
    return UUIDValue(
      high: milliseconds << 16 | 0x7000 | UInt64(counter), low: 0x8000_0000_0000_0000 | random)
  }
}
