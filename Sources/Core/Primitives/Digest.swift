import Crypto

/// A SHA-256 digest (FIPS 180-4), 32 bytes. The one place where Core touches the cryptography library.
package struct SHA256Digest: Sendable, Hashable, CustomStringConvertible {
  /// The bytes in order, eight to a word, as they lie in memory: a digest is compared and hashed without an allocation.
  private let words: SIMD4<UInt64>

  /// The digest of these bytes.
  package init(of message: [UInt8]) {
    self = message.withUnsafeBytes { SHA256Digest(hashing: $0) }
  }

  /// The digest of a text's UTF-8 bytes.
  package init(of text: String) {
    var text = text
    self = text.withUTF8 { SHA256Digest(hashing: UnsafeRawBufferPointer($0)) }
  }

  private init(hashing message: UnsafeRawBufferPointer) {
    var hash = SHA256()
    hash.update(bufferPointer: message)
    self.words = hash.finalize().withUnsafeBytes { $0.loadUnaligned(as: SIMD4<UInt64>.self) }
  }

  /// A stored digest; nil unless it has 32 bytes.
  package init?(bytes: [UInt8]) {
    guard bytes.count == 32 else { return nil }
    self.words = bytes.withUnsafeBytes { $0.loadUnaligned(as: SIMD4<UInt64>.self) }
  }

  /// The digest that `description` gave; nil for any other text.
  package init?(hexadecimal text: String) {
    let digits = Array(text.utf8)
    guard digits.count == 64 else { return nil }
    var bytes: [UInt8] = []
    for pair in stride(from: 0, to: 64, by: 2) {
      guard let high = Self.nibble(digits[pair]), let low = Self.nibble(digits[pair + 1]) else { return nil }
      bytes.append(high << 4 | low)
    }
    self.init(bytes: bytes)
  }

  private static func nibble(_ digit: UInt8) -> UInt8? {
    switch digit {
    case 0x30...0x39: digit - 0x30
    case 0x61...0x66: digit - 0x61 + 10
    default: nil
    }
  }

  /// 32 zero bytes: what the first link of a chain points to.
  package static let zero = SHA256Digest(words: .zero)

  private init(words: SIMD4<UInt64>) { self.words = words }

  /// The bytes as four numbers, the first the most significant.
  var bigEndianWords: SIMD4<UInt64> {
    SIMD4(words[0].bigEndian, words[1].bigEndian, words[2].bigEndian, words[3].bigEndian)
  }

  /// The 32 bytes.
  package var bytes: [UInt8] { withUnsafeBytes(of: words) { Array($0) } }

  /// 64 lower-case hexadecimal digits.
  package var description: String { hexadecimal(bytes) }
}

/// Lower-case hexadecimal digits of the bytes.
package func hexadecimal(_ bytes: some Collection<UInt8>) -> String {
  let length = bytes.count * 2
  return String(unsafeUninitializedCapacity: length) { buffer in
    for (offset, byte) in bytes.enumerated() {
      buffer[offset * 2] = hexadecimalDigit(byte >> 4)
      buffer[offset * 2 + 1] = hexadecimalDigit(byte & 0xF)
    }
    return length
  }
}

/// The lower-case digit of a value below sixteen.
@inline(__always)
func hexadecimalDigit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x61 + value - 10 }

/// Bytes with one meaning, for hashing: each value is length- or width-delimited, so that no two sequences of values
/// of the same kinds write the same bytes. Kinds are not written (a UUID reads as two numbers), and a list whose length
/// varies writes its count first, or comes last.
package struct CanonicalBytes: Sendable {
  package private(set) var bytes: [UInt8] = []

  package init() {}

  package mutating func append(_ value: Int64) {
    withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
  }

  package mutating func append(_ value: UUIDValue) {
    withUnsafeBytes(of: (value.high.bigEndian, value.low.bigEndian)) { bytes.append(contentsOf: $0) }
  }

  /// Sixteen bytes, the most significant first.
  package mutating func append(wide value: Int128) {
    append(Int64(truncatingIfNeeded: value >> 64))
    append(Int64(truncatingIfNeeded: value))
  }

  package mutating func append(_ value: SHA256Digest) { bytes += value.bytes }

  package mutating func append(_ text: String) {
    append(Int64(text.utf8.count))
    bytes += text.utf8
  }

  /// Absent and present are told apart by one byte.
  package mutating func append<Value>(optional value: Value?, _ write: (inout CanonicalBytes, Value) -> Void) {
    if let value {
      bytes.append(1)
      write(&self, value)
    } else {
      bytes.append(0)
    }
  }

  package var digest: SHA256Digest { SHA256Digest(of: bytes) }
}
