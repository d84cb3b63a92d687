import Crypto

/// A SHA-256 digest (FIPS 180-4), 32 bytes. The one place where Core touches the cryptography library.
package struct SHA256Digest: Sendable, Hashable, CustomStringConvertible {
  package let bytes: [UInt8]

  /// The digest of these bytes.
  package init(of message: [UInt8]) {
    self.bytes = Array(SHA256.hash(data: message))
  }

  /// A stored digest; nil unless it has 32 bytes.
  package init?(bytes: [UInt8]) {
    guard bytes.count == 32 else { return nil }
    self.bytes = bytes
  }

  /// 32 zero bytes: what the first link of a chain points to.
  package static let zero = SHA256Digest(unchecked: [UInt8](repeating: 0, count: 32))

  private init(unchecked bytes: [UInt8]) { self.bytes = bytes }

  /// 64 lower-case hexadecimal digits.
  package var description: String { hexadecimal(bytes) }
}

/// Lower-case hexadecimal digits of the bytes.
package func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
  var text = ""
  for byte in bytes {
    let digits = String(byte, radix: 16)
    text += byte < 16 ? "0" + digits : digits
  }
  return text
}

/// Bytes with one meaning, for hashing: each value is length- or width-delimited, so that no two sequences of values
/// of the same kinds write the same bytes. Kinds are not written (a UUID reads as two numbers), and a list whose length
/// varies writes its count first, or comes last.
package struct CanonicalBytes: Sendable {
  package private(set) var bytes: [UInt8] = []

  package init() {}

  package mutating func append(_ value: Int64) {
    let bits = UInt64(bitPattern: value)
    for shift in stride(from: UInt64(56), through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: bits >> shift)) }
  }

  /// Sixteen bytes, the most significant first.
  package mutating func append(wide value: Int128) {
    append(Int64(truncatingIfNeeded: value >> 64))
    append(Int64(truncatingIfNeeded: value))
  }

  package mutating func append(_ value: UUIDValue) { bytes += value.bytes }

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
