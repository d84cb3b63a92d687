import Crypto
import Persistence
import Primitives

/// The secrets that sign for webhooks: 32 random bytes, shown once as `whsec_` and their base64, kept sealed (AES-256-GCM) with
/// a key that is derived from what the operator gives or, without one, from the secret of the deployment.
///
/// No description of this, of a sealed form or of an error tells a secret.
package struct WebhookSecrets: Sendable {
  private let key: SymmetricKey

  /// A secret as it is shown once, and as it is kept.
  package struct Fresh: Sendable {
    package let text: String
    package let sealed: SealedSecret
  }

  /// It was sealed with another key, for another webhook, or damaged.
  package struct Unreadable: Error, Sendable {}

  private static let version: UInt8 = 1

  /// - Parameter root: at least 32 random bytes.
  package init(root: [UInt8]) {
    key = HKDF<SHA256>.deriveKey(
      inputKeyMaterial: SymmetricKey(data: root), info: Array("chipbridge webhook secrets".utf8), outputByteCount: 32)
  }

  package func fresh(for webhook: WebhookID, id: UUIDValue) throws -> Fresh {
    let secret = SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }
    let sealed = try seal(secret, for: webhook)
    return Fresh(text: "whsec_" + base64(secret), sealed: SealedSecret(id: id, sealed: sealed))
  }

  func seal(_ secret: [UInt8], for webhook: WebhookID) throws -> [UInt8] {
    let box = try AES.GCM.seal(secret, using: key, authenticating: Array(webhook.description.utf8))
    return [Self.version] + Array(box.nonce) + Array(box.ciphertext) + Array(box.tag)
  }

  /// - Throws: `Unreadable`.
  func open(_ sealed: [UInt8], for webhook: WebhookID) throws(Unreadable) -> [UInt8] {
    guard sealed.first == Self.version, sealed.count > 1 + 12 + 16,
      let box = try? AES.GCM.SealedBox(combined: sealed.dropFirst()),
      let secret = try? AES.GCM.open(box, using: key, authenticating: Array(webhook.description.utf8))
    else { throw Unreadable() }
    return Array(secret)
  }

  /// The header `webhook-signature` of Standard Webhooks 1.0: one signature for each secret.
  static func signature(of body: [UInt8], id: String, timestamp: Int64, secrets: [[UInt8]]) -> String {
    let signed = Array("\(id).\(timestamp).".utf8) + body
    return secrets.map { secret in
      "v1," + base64(Array(HMAC<SHA256>.authenticationCode(for: signed, using: SymmetricKey(data: secret))))
    }.joined(separator: " ")
  }
}

/// RFC 4648, section 4, with padding.
func base64(_ bytes: [UInt8]) -> String {
  let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  var text: [UInt8] = []
  text.reserveCapacity((bytes.count + 2) / 3 * 4)
  for start in stride(from: 0, to: bytes.count, by: 3) {
    let group = bytes[start..<min(start + 3, bytes.count)]
    let word = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
    for index in 0..<4 {
      text.append(index <= group.count ? alphabet[Int(word >> UInt32(18 - 6 * index) & 63)] : UInt8(ascii: "="))
    }
  }
  return String(decoding: text, as: UTF8.self)
}
