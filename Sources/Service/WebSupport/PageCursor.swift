import Crypto
import Persistence
import Primitives

/// Signed, opaque positions of pages: nobody can make one up, and none tells more than where to go on.
package struct PageCursor: Sendable {
  private let key: SymmetricKey

  package init(secret: [UInt8]) {
    self.key = SymmetricKey(data: Primitives.SHA256Digest(of: Array("page cursor".utf8) + secret).bytes)
  }

  /// - Parameter list: the list it belongs to: a cursor of one list is none of another.
  package func encode(_ position: PagePosition, list: String) -> String {
    let bytes = Self.bytes(position)
    return hexadecimal(bytes + tag(bytes, list))
  }

  package func decode(_ text: String, list: String) -> PagePosition? {
    guard text.utf8.count == 80, let bytes = Self.unhex(text) else { return nil }
    let (payload, given) = (Array(bytes[..<24]), Array(bytes[24...]))
    guard equalInConstantTime(given, tag(payload, list)) else { return nil }
    func word(_ start: Int) -> UInt64 { payload[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) } }
    guard let instant = Instant(microseconds: Int64(bitPattern: word(0))) else { return nil }
    return PagePosition(createdAt: instant, id: UUIDValue(high: word(8), low: word(16)))
  }

  private static func bytes(_ position: PagePosition) -> [UInt8] {
    var bytes = CanonicalBytes()
    bytes.append(position.createdAt.microseconds)
    bytes.append(position.id)
    return bytes.bytes
  }

  /// The first 16 bytes of an HMAC-SHA256.
  private func tag(_ payload: [UInt8], _ list: String) -> [UInt8] {
    Array(HMAC<SHA256>.authenticationCode(for: payload + Array(list.utf8), using: key).prefix(16))
  }

  private static func unhex(_ text: String) -> [UInt8]? {
    var bytes: [UInt8] = []
    var high: UInt8?
    for byte in text.utf8 {
      let nibble: UInt8
      switch byte {
      case 0x30...0x39: nibble = byte - 0x30
      case 0x61...0x66: nibble = byte - 0x61 + 10
      default: return nil
      }
      if let first = high {
        bytes.append(first << 4 | nibble)
        high = nil
      } else {
        high = nibble
      }
    }
    return bytes
  }
}
