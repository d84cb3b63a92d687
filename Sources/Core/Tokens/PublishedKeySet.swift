import StrictJSON

/// A public key of an issuer, as its key set (JWKS, RFC 7517) tells it.
package struct PublishedKey: Sendable, Hashable {
  /// In base64url, as published, decoded once to see that it is canonical.
  package enum Material: Sendable, Hashable {
    case rsa(modulus: String, exponent: String)
    case p256(x: String, y: String)
    case ed25519(x: String)
  }

  package let id: String
  /// Fixed here: whatever a token says, the key is used with this one.
  package let algorithm: TokenAlgorithm
  package let material: Material
  /// Bytes of its signatures; every other length is refused unseen.
  package let signatureBytes: Int

  /// 1 to 255 visible ASCII characters: names that are alike to one comparison and different to another are none.
  package static func isID(_ text: String) -> Bool { IssuerText.isValid(text) }

  /// - Returns: nil for a key that is not taken here: of another kind, for another use, too weak, or malformed.
  package init?(_ node: JSONNode) {
    guard node.kind == .object, let id = node["kid"]?.asString, Self.isID(id), node["d"] == nil else { return nil }
    if let use = node["use"], !use.isText("sig") { return nil }
    if let uses = node["key_ops"] {
      guard let uses = uses.asArray, uses.contains(where: { $0.isText("verify") }) else { return nil }
    }
    let stated: TokenAlgorithm?
    if let name = node["alg"] {
      guard let algorithm = name.asString.flatMap({ TokenAlgorithm(rawValue: $0) }) else { return nil }
      stated = algorithm
    } else {
      stated = nil
    }
    switch node["kty"]?.asString {
    case "RSA":
      guard stated ?? .rs256 == .rs256 || stated == .ps256, let n = node["n"]?.asString, let e = node["e"]?.asString,
        let modulus = Base64URL.decode(n.utf8), let exponent = Base64URL.decode(e.utf8),
        Self.isSound(modulus, exponent)
      else { return nil }
      (algorithm, material) = (stated ?? .rs256, .rsa(modulus: n, exponent: e))
      signatureBytes = modulus.count
    case "EC":
      guard stated ?? .es256 == .es256, let curve = node["crv"], curve.isText("P-256"),
        let x = Self.coordinate(node["x"]), let y = Self.coordinate(node["y"])
      else { return nil }
      (algorithm, material, signatureBytes) = (.es256, .p256(x: x, y: y), 64)
    case "OKP":
      guard stated ?? .edDSA == .edDSA, let curve = node["crv"], curve.isText("Ed25519"),
        let x = Self.coordinate(node["x"])
      else { return nil }
      (algorithm, material, signatureBytes) = (.edDSA, .ed25519(x: x), 64)
    default: return nil
    }
    self.id = id
  }

  /// 32 bytes.
  private static func coordinate(_ node: JSONNode?) -> String? {
    guard let text = node?.asString, Base64URL.decode(text.utf8)?.count == 32 else { return nil }
    return text
  }

  /// A modulus of 2,048 to 8,192 bits and an odd exponent of 3 to 2^32 - 1, both without zeros before them (RFC 7518, 2):
  /// smaller moduli are broken, larger ones and exponents cost time.
  private static func isSound(_ modulus: [UInt8], _ exponent: [UInt8]) -> Bool {
    guard let first = modulus.first, let last = modulus.last, first != 0, last & 1 == 1 else { return false }
    let bits = modulus.count * 8 - first.leadingZeroBitCount
    guard (2_048...8_192).contains(bits), (1...4).contains(exponent.count), exponent.first != 0,
      let lowest = exponent.last, lowest & 1 == 1
    else { return false }
    return exponent != [1]
  }
}

/// Why a key set is not taken. What was there before it stays.
package enum KeySetFault: String, Error, Sendable, Hashable, CaseIterable {
  case malformed, empty, tooManyKeys = "too_many_keys", repeatedID = "repeated_id"
}

/// The keys of a set that are taken, by id.
package struct PublishedKeySet: Sendable {
  package let keys: [String: PublishedKey]
  /// Keys that are not taken; an issuer may publish such for others.
  package let passedOver: Int

  package static let mostBytes = 256 << 10
  package static let mostKeys = 64

  package init(parsing bytes: [UInt8]) throws(KeySetFault) {
    let limits = JSONLimits(maxBytes: Self.mostBytes, maxDepth: 8, maxMembers: 5_000)
    guard let root = try? JSONDocument(parsing: bytes, limits: limits).root, root.kind == .object,
      let elements = root["keys"]?.asArray
    else { throw .malformed }
    guard elements.count <= Self.mostKeys else { throw .tooManyKeys }
    var keys: [String: PublishedKey] = [:]
    for element in elements {
      guard let key = PublishedKey(element) else { continue }
      // Which of two keys an id names must not depend on their order.
      guard keys.updateValue(key, forKey: key.id) == nil else { throw .repeatedID }
    }
    guard !keys.isEmpty else { throw .empty }
    self.keys = keys
    self.passedOver = elements.count - keys.count
  }
}
