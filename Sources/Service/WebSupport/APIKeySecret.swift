import Parties
import Primitives

/// The text of an API key: `cbk_<key id>_<64 hex>_<8 hex>`. The id finds the row, the secret has 256 random bits, the last
/// eight digits are a checksum, so that a mistyped key is refused without asking the database.
package struct APIKeySecret: Sendable {
  package let keyID: APIKeyID
  package let text: String

  /// A fresh secret from the system's random generator.
  package init(keyID: APIKeyID) {
    var generator = SystemRandomNumberGenerator()
    var bytes: [UInt8] = []
    for _ in 0..<4 {
      let word = generator.next()
      for shift in stride(from: UInt64(56), through: 0, by: -8) {
        bytes.append(UInt8(truncatingIfNeeded: word >> shift))
      }
    }
    let stem = "cbk_\(hexadecimal(keyID.value.bytes))_\(hexadecimal(bytes))"
    self.keyID = keyID
    self.text = "\(stem)_\(Self.checksum(of: stem))"
  }

  /// Parses a presented key; nil when its shape or checksum is wrong.
  package init?(_ text: String) {
    let parts = text.split(separator: "_", omittingEmptySubsequences: false)
    guard text.utf8.count == 110, parts.count == 4, parts[0] == "cbk", parts[1].utf8.count == 32,
      parts[2].utf8.count == 64, parts[3] == Self.checksum(of: String(text.dropLast(9)))
    else { return nil }
    let hex = Array(parts[1])
    let canonical =
      String(hex[0..<8]) + "-" + String(hex[8..<12]) + "-" + String(hex[12..<16]) + "-" + String(hex[16..<20]) + "-"
      + String(hex[20..<32])
    guard let value = UUIDValue(canonical) else { return nil }
    self.keyID = APIKeyID(value)
    self.text = text
  }

  private static func checksum(of stem: String) -> String {
    String(SHA256Digest(of: stem).description.prefix(8))
  }

  /// What is stored of it.
  package var digest: SHA256Digest { SHA256Digest(of: text) }
}

/// Equal without telling by time where they differ.
package func equalInConstantTime(_ left: [UInt8], _ right: [UInt8]) -> Bool {
  guard left.count == right.count else { return false }
  var difference: UInt8 = 0
  for (a, b) in zip(left, right) { difference |= a ^ b }
  return difference == 0
}
