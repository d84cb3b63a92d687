import StrictJSON

/// The signatures that are taken. Symmetric ones and `none` are not among them, and never can be.
package enum TokenAlgorithm: String, Sendable, Hashable, CaseIterable {
  /// RSA with PKCS #1 1.5 padding and SHA-256, and with PSS.
  case rs256 = "RS256"
  case ps256 = "PS256"
  /// ECDSA on P-256 with SHA-256.
  case es256 = "ES256"
  /// Ed25519.
  case edDSA = "EdDSA"
}

/// A JSON Web Token (RFC 7519) in compact form (RFC 7515, 7.1), taken apart and held to what is taken here; its signature
/// is not looked at yet, so nothing in it is to be believed.
///
/// This is the front that stands before the library: it leaves nothing to a lenient parser, and takes from the token only
/// which of our keys it claims to be signed with.
package struct CompactToken: Sendable {
  /// As the header says; the key decides whether it is right.
  package let algorithm: TokenAlgorithm
  package let keyID: String
  /// One JSON object.
  package let claims: JSONNode
  /// What the signature is of: the first two parts as they came.
  package let signed: [UInt8]
  package let signature: [UInt8]

  package static let mostBytes = 8_192
  /// Room for what issuers add; deep nesting is nobody's.
  private static let limits = JSONLimits(maxBytes: mostBytes, maxDepth: 8, maxMembers: 500)

  /// Members that bring a key, or that change how the rest is to be read (RFC 7515, 4.1; RFC 7516; RFC 7797).
  private static let refusedMembers = ["crit", "jku", "jwk", "x5u", "x5c", "b64", "zip", "enc", "cty"]

  package init(_ text: String) throws(TokenFault) {
    let bytes = Array(text.utf8)
    guard bytes.count <= Self.mostBytes else { throw .shape }
    let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 3, let header = Base64URL.decode(parts[0]), let claims = Base64URL.decode(parts[1]),
      let signature = Base64URL.decode(parts[2]), !signature.isEmpty
    else { throw .shape }
    let head = try Self.object(header)
    for name in Self.refusedMembers where head[name] != nil { throw .header }
    guard let name = head["alg"]?.asString, let algorithm = TokenAlgorithm(rawValue: name),
      let keyID = head["kid"]?.asString, PublishedKey.isID(keyID)
    else { throw .header }
    if let type = head["typ"] {
      guard let type = type.asString?.lowercased(), type == "jwt" || type == "at+jwt" else { throw .header }
    }
    self.algorithm = algorithm
    self.keyID = keyID
    self.claims = try Self.object(claims)
    self.signed = Array(bytes[..<parts[1].endIndex])
    self.signature = signature
  }

  private static func object(_ bytes: [UInt8]) throws(TokenFault) -> JSONNode {
    guard let root = try? JSONDocument(parsing: bytes, limits: limits).root, root.kind == .object else { throw .json }
    return root
  }
}
