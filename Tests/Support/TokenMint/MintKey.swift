import Crypto
import CryptoExtras
import Foundation
import Tokens

/// A key pair of an issuer of our own.
package struct MintKey: Sendable {
  package enum Secret: Sendable {
    case p256(P256.Signing.PrivateKey)
    case ed25519(Curve25519.Signing.PrivateKey)
    /// With PSS, or with PKCS #1 1.5.
    case rsa(_RSA.Signing.PrivateKey, isPSS: Bool)
  }

  package let id: String
  package let secret: Secret

  package init(_ id: String, _ secret: Secret) {
    self.id = id
    self.secret = secret
  }

  package static func p256(_ id: String) -> MintKey { MintKey(id, .p256(P256.Signing.PrivateKey())) }
  package static func ed25519(_ id: String) -> MintKey { MintKey(id, .ed25519(Curve25519.Signing.PrivateKey())) }
  package static func rsa(_ id: String, isPSS: Bool = false) throws -> MintKey {
    MintKey(id, .rsa(try _RSA.Signing.PrivateKey(keySize: .bits2048), isPSS: isPSS))
  }

  package var algorithm: String {
    switch secret {
    case .p256: "ES256"
    case .ed25519: "EdDSA"
    case .rsa(_, let isPSS): isPSS ? "PS256" : "RS256"
    }
  }

  package func sign(_ text: String) throws -> [UInt8] {
    let data = Data(text.utf8)
    return switch secret {
    case .p256(let key): Array(try key.signature(for: data).rawRepresentation)
    case .ed25519(let key): Array(try key.signature(for: data))
    case .rsa(let key, let isPSS):
      Array(
        try key.signature(for: SHA256.hash(data: data), padding: isPSS ? .PSS : .insecurePKCS1v1_5).rawRepresentation)
    }
  }

  /// The members of its JWK that say what it is; each a JSON text.
  package func members() throws -> [(String, String)] {
    func text(_ bytes: some Sequence<UInt8>) -> String { "\"\(Base64URL.encode(bytes))\"" }
    switch secret {
    case .p256(let key):
      let point = key.publicKey.rawRepresentation
      return [("kty", #""EC""#), ("crv", #""P-256""#), ("x", text(point.prefix(32))), ("y", text(point.suffix(32)))]
    case .ed25519(let key):
      return [("kty", #""OKP""#), ("crv", #""Ed25519""#), ("x", text(key.publicKey.rawRepresentation))]
    case .rsa(let key, _):
      let numbers = try key.publicKey.getKeyPrimitives()
      return [("kty", #""RSA""#), ("n", text(numbers.modulus)), ("e", text(numbers.publicExponent))]
    }
  }

  /// - Parameter statesAlgorithm: whether the JWK carries `alg`.
  package func jwk(statesAlgorithm: Bool = true) throws -> String {
    var all = [("kid", "\"\(id)\""), ("use", #""sig""#)] + (try members())
    if statesAlgorithm { all.append(("alg", "\"\(algorithm)\"")) }
    return "{" + all.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}"
  }

  /// The public key as programs pass it around: PEM and DER.
  package var publicForms: [[UInt8]] {
    switch secret {
    case .p256(let key): [Array(key.publicKey.pemRepresentation.utf8), Array(key.publicKey.derRepresentation)]
    case .ed25519(let key): [Array(key.publicKey.rawRepresentation)]
    case .rsa(let key, _): [Array(key.publicKey.pemRepresentation.utf8), Array(key.publicKey.derRepresentation)]
    }
  }
}

/// Writes tokens, good and bad.
package struct TokenMint: Sendable {
  package let issuer: String
  package let audience: String

  package init(issuer: String = "https://issuer.example/", audience: String = "chipbridge") {
    self.issuer = issuer
    self.audience = audience
  }

  package static func set(_ jwks: [String]) -> String { "{\"keys\":[\(jwks.joined(separator: ","))]}" }
  package static func set(_ keys: [MintKey]) throws -> String { set(try keys.map { try $0.jwk() }) }

  /// The claims of a token that begins at `now` (in seconds) and is good for ten minutes.
  /// - Parameter changes: members by name; each a JSON text, or nil to leave the member out.
  package func claims(_ subject: String, at now: Int64, _ changes: [String: String?] = [:]) -> String {
    let usual: [String: String?] = [
      "iss": "\"\(issuer)\"", "aud": "\"\(audience)\"", "sub": "\"\(subject)\"", "iat": "\(now)", "exp": "\(now + 600)",
    ]
    return Self.object(usual.merging(changes) { $1 })
  }

  /// - Parameter changes: as for `claims`.
  package static func header(_ key: MintKey, _ changes: [String: String?] = [:]) -> String {
    let usual: [String: String?] = ["alg": "\"\(key.algorithm)\"", "kid": "\"\(key.id)\"", "typ": #""JWT""#]
    return object(usual.merging(changes) { $1 })
  }

  package static func object(_ members: [String: String?]) -> String {
    "{"
      + members.sorted { $0.key < $1.key }.compactMap { name, value in value.map { "\"\(name)\":\($0)" } }
      .joined(separator: ",") + "}"
  }

  package static func token(_ key: MintKey, header: String? = nil, claims: String) throws -> String {
    let signed = Base64URL.encode((header ?? Self.header(key)).utf8) + "." + Base64URL.encode(claims.utf8)
    return signed + "." + Base64URL.encode(try key.sign(signed))
  }

  package func token(_ key: MintKey, _ subject: String, at now: Int64) throws -> String {
    try Self.token(key, claims: claims(subject, at: now))
  }
}
