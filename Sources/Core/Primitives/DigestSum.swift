/// A digest of a collection in which order and grouping do not matter: the sum of its members' SHA-256 digests modulo
/// 2^256, so that parts which were taken apart add up to the whole, however they were cut.
///
/// Equal members count each time, unlike in a sum of exclusive ors. It tells one run of ours from another; it is no proof
/// against somebody who can choose the members (Bellare and Micciancio, 1997, on AdHash).
package struct DigestSum: Sendable, Hashable {
  /// Most significant word first.
  private var words: SIMD4<UInt64> = .zero

  /// Of nothing.
  package init() {}

  /// - Returns: nil unless these are 32 bytes.
  package init?(bytes: [UInt8]) {
    guard bytes.count == 32 else { return nil }
    for (position, byte) in bytes.enumerated() {
      words[position / 8] = words[position / 8] << 8 | UInt64(byte)
    }
  }

  package var bytes: [UInt8] {
    (0..<32).map { UInt8(truncatingIfNeeded: words[$0 / 8] >> UInt64((7 - $0 % 8) * 8)) }
  }

  package mutating func add(_ other: DigestSum) {
    var carry: UInt64 = 0
    for position in (0..<4).reversed() {
      let (partial, first) = words[position].addingReportingOverflow(other.words[position])
      let (sum, second) = partial.addingReportingOverflow(carry)
      words[position] = sum
      carry = first || second ? 1 : 0
    }
  }

  package mutating func add(_ digest: SHA256Digest) {
    var summand = DigestSum()
    summand.words = digest.bigEndianWords
    add(summand)
  }

  /// 64 lower-case hexadecimal digits.
  package var text: String { hexadecimal(bytes) }

  /// Parses exactly that.
  package init?(text: String) {
    guard text.utf8.count == 64 else { return nil }
    var bytes: [UInt8] = []
    var high: UInt8?
    for digit in text.utf8 {
      let value: UInt8
      switch digit {
      case 0x30...0x39: value = digit - 0x30
      case 0x61...0x66: value = digit - 0x61 + 10
      default: return nil
      }
      if let first = high {
        bytes.append(first << 4 | value)
        high = nil
      } else {
        high = value
      }
    }
    self.init(bytes: bytes)
  }
}
