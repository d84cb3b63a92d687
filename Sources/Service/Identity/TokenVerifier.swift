import Primitives
import Synchronization
import Tokens

/// Says about whom a token is, when it is one of the issuer's and good: its form, its key, its signature and its claims.
package final class TokenVerifier: Sendable {
  /// Who it is: an issuer's name for somebody. Both are ASCII.
  package struct Identity: Sendable, Hashable {
    package let issuer: String
    package let subject: String

    package init(issuer: String, subject: String) {
      self.issuer = issuer
      self.subject = subject
    }
  }

  private struct Accepted {
    let claims: TokenClaims
    let generation: Int
  }

  private struct Refused {
    let generation: Int
    let until: ContinuousClock.Instant
  }

  package let rules: TokenRules
  package let keys: IssuerKeys
  /// Tokens that were found good, by their digest: a busy client's is verified once, not with each request. Each counts only as
  /// long as the set that its key was of.
  private let accepted = Mutex<[SHA256Digest: Accepted]>([:])
  /// Tokens that were found bad a moment ago: several parts of the service ask about the same request, and wait once.
  private let refused = Mutex<[SHA256Digest: Refused]>([:])
  private let counted = Mutex<[TokenFault: Int]>([:])
  private static let remembered = Duration.seconds(1)
  private static let capacity = 10_000

  package init(rules: TokenRules, keys: IssuerKeys) {
    self.rules = rules
    self.keys = keys
  }

  /// - Parameter digest: of the token.
  package func identity(of token: String, digest: SHA256Digest, at now: Instant) async -> Identity? {
    if let known = accepted.withLock({ $0[digest] }), keys.isCurrent(known.generation), known.claims.isTaken(at: now) {
      return Identity(issuer: rules.issuer, subject: known.claims.subject)
    }
    if let known = refused.withLock({ $0[digest] }), known.until > .now, known.generation == keys.generation {
      return nil
    }
    do {
      let found = try await verify(token, at: now)
      accepted.withLock { accepted in
        if accepted.count >= Self.capacity { accepted.removeAll(keepingCapacity: true) }
        accepted[digest] = found
      }
      return Identity(issuer: rules.issuer, subject: found.claims.subject)
    } catch {
      counted.withLock { $0[error, default: 0] += 1 }
      let entry = Refused(generation: keys.generation, until: .now + Self.remembered)
      refused.withLock { refused in
        if refused.count >= Self.capacity { refused.removeAll(keepingCapacity: true) }
        refused[digest] = entry
      }
      return nil
    }
  }

  private func verify(_ text: String, at now: Instant) async throws(TokenFault) -> Accepted {
    let token = try CompactToken(text)
    guard let found = await keys.key(token.keyID), found.key.algorithm == token.algorithm else { throw .key }
    guard found.key.verifies(token) else { throw .signature }
    return Accepted(
      claims: try TokenClaims(token.claims, rules: rules, at: now), generation: found.generation)
  }

  /// Tokens refused so far, by reason, each of them.
  package var refusals: [(fault: TokenFault, count: Int)] {
    counted.withLock { counted in TokenFault.allCases.map { ($0, counted[$0, default: 0]) } }
  }
}
