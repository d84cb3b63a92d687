import Crypto
import CryptoExtras
import JWTKit
import Tokens

/// A key of the issuer, ready to verify: jwt-kit's algorithm with this one key in it. Nothing of a token is parsed there, and
/// there is no other key that it could fall back to.
struct IssuerKey: Sendable {
  let algorithm: TokenAlgorithm
  private let signatureBytes: Int
  private let verifier: any JWTAlgorithm

  /// - Throws: what the library says of a key that is none, as of a point that is not on its curve.
  init(_ key: PublishedKey) async throws {
    let keys = JWTKeyCollection()
    switch (key.material, key.algorithm) {
    case (.p256(let x, let y), _): await keys.add(ecdsa: try ES256PublicKey(parameters: (x: x, y: y)))
    case (.ed25519(let x), _): await keys.add(eddsa: try EdDSA.PublicKey(x: x, curve: .ed25519))
    case (.rsa(let modulus, let exponent), .ps256):
      await keys.add(
        pss: try Insecure.RSA.PublicKey(modulus: modulus, exponent: exponent), digestAlgorithm: .sha256)
    case (.rsa(let modulus, let exponent), _):
      await keys.add(
        rsa: try Insecure.RSA.PublicKey(modulus: modulus, exponent: exponent), digestAlgorithm: .sha256)
    }
    verifier = try await keys.getKey()
    algorithm = key.algorithm
    signatureBytes = key.signatureBytes
  }

  /// Whether the token is signed with this key by this key's algorithm.
  func verifies(_ token: CompactToken) -> Bool {
    guard token.algorithm == algorithm, token.signature.count == signatureBytes else { return false }
    // It throws for bytes that can be no signature.
    return (try? verifier.verify(token.signature, signs: token.signed)) ?? false
  }
}
