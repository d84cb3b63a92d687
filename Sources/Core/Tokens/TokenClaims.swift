import Primitives
import StrictJSON

/// Whose tokens are taken, for whom they must be, and how long they may live.
package struct TokenRules: Sendable, Hashable {
  /// Compared byte for byte.
  package let issuer: String
  package let audience: String
  /// From `iat` to `exp`, in seconds: 60 to 86,400.
  package let longestLife: Int64
  /// How far clocks may be apart, in seconds: a token is taken so much before its beginning, never after its end.
  package static let leeway: Int64 = 60

  /// - Parameters:
  ///   - issuer: 1 to 255 visible ASCII characters, as the audience.
  package init?(issuer: String, audience: String, longestLife: Int64 = 3_600) {
    guard IssuerText.isValid(issuer), IssuerText.isValid(audience), (60...86_400).contains(longestLife) else {
      return nil
    }
    self.issuer = issuer
    self.audience = audience
    self.longestLife = longestLife
  }
}

/// Names that an issuer gives: ASCII, so that no two of them are alike to one comparison and different to another.
package enum IssuerText {
  package static func isValid(_ text: String) -> Bool {
    (1...255).contains(text.utf8.count) && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
  }
}

/// What is taken from the claims of a token whose signature is good: who it is about and until when. Rights are never taken
/// from it.
package struct TokenClaims: Sendable, Hashable {
  package let subject: String
  /// The first second of the epoch at which it is taken, the leeway included, and the first at which it is not any more.
  package let from: Int64
  package let until: Int64

  package init(_ claims: JSONNode, rules: TokenRules, at now: Instant) throws(TokenFault) {
    guard let issuer = claims["iss"], issuer.isText(rules.issuer), let audience = claims["aud"],
      Self.names(audience, rules.audience)
    else { throw .party }
    let end = try Self.seconds(claims["exp"])
    let issued = try Self.seconds(claims["iat"])
    let beginning = try claims["nbf"].map { node throws(TokenFault) in try Self.seconds(node) } ?? issued
    guard end > issued, end - issued <= rules.longestLife else { throw .time }
    guard let subject = claims["sub"]?.asString, IssuerText.isValid(subject) else { throw .subject }
    self.subject = subject
    self.from = max(issued, beginning) - TokenRules.leeway
    self.until = end
    guard isTaken(at: now) else { throw .time }
  }

  package func isTaken(at now: Instant) -> Bool { (from..<max(until, from)).contains(now.microseconds / 1_000_000) }

  private static func names(_ node: JSONNode, _ audience: String) -> Bool {
    if node.kind == .string { return node.isText(audience) }
    guard let elements = node.asArray, elements.allSatisfy({ $0.kind == .string }) else { return false }
    return elements.contains { $0.isText(audience) }
  }

  /// The last second of the year 9999.
  private static let lastSecond: Int64 = 253_402_300_799

  /// A moment as whole seconds, written with digits alone: `1e9` and `1.0` are integers too, and nobody needs them here.
  private static func seconds(_ node: JSONNode?) throws(TokenFault) -> Int64 {
    guard let text = node?.rawNumber, text.utf8.count <= 12, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let seconds = Int64(text), seconds <= lastSecond
    else { throw .time }
    return seconds
  }
}
