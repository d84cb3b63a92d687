import Foundation
import ServiceHarness
import TokenMint
import Tokens

/// The issuer that the hostile corpus forges tokens of. Nobody is bound: a good token is refused as well, and looked at whole.
enum HostileIssuer {
  static let mint = TokenMint()
  static let key = MintKey.p256("k")

  /// Writes the key set, and says how a service is told of it.
  static func options(_ file: String) throws -> [String] {
    try TokenMint.set([key]).write(toFile: file, atomically: true, encoding: .utf8)
    return ["--token-issuer", mint.issuer, "--token-audience", mint.audience, "--token-jwks-file", file]
  }

  static func forged() throws -> [String] {
    let now = Int64(Date().timeIntervalSince1970)
    let claims = mint.claims("admin", at: now)
    let good = try TokenMint.token(key, claims: claims)
    let parts = good.split(separator: ".").map { String($0) }
    func with(_ header: [String: String?]) throws -> String {
      try TokenMint.token(key, header: TokenMint.header(key, header), claims: claims)
    }
    func claiming(_ changes: [String: String?]) throws -> String {
      try TokenMint.token(key, claims: mint.claims("admin", at: now, changes))
    }
    let deep = String(repeating: "[", count: 900) + String(repeating: "]", count: 900)
    let zeros = Base64URL.encode([UInt8](repeating: 0, count: 64))
    var forged = [
      good, "\(parts[0]).\(parts[1]).", "\(parts[0]).\(parts[1]).\(zeros)", good + "=", good + ".\(parts[2])",
      String(good.dropLast()) + "_", try claiming(["exp": "9223372036854775807"]), try claiming(["exp": "1e400"]),
      try claiming(["exp": "-9223372036854775808"]), try claiming(["iat": "-9223372036854775808"]),
      try claiming(["nbf": "18446744073709551616"]), try claiming(["deep": deep]), try with(["deep": deep]),
      try claiming(["sub": #""\ud800""#]), try claiming(["sub": #""\u0000""#]),
      try with(["kid": #""../../../etc/passwd""#]),
      try with(["kid": #""' or 1=1 --""#]), try with(["jku": #""http://127.0.0.1:1/""#]),
      try with(["crit": #"["exp"]"#]),
      try with(["alg": #""none""#]), try with(["alg": #""HS256""#]), try TokenMint.token(key, claims: "{}"),
      try TokenMint.token(key, claims: "[]"), try TokenMint.token(key, claims: ""), "..", "...",
      String(repeating: ".", count: 7_000), String(repeating: "e30.", count: 1_500),
    ]
    forged += ["none", "k\u{0}", ""].compactMap { try? TokenMint.token(MintKey($0, key.secret), claims: claims) }
    return forged
  }
}

extension HostileStage {
  func forgedTokens() throws -> [HostileCase] {
    try HostileIssuer.forged().map { text in
      HostileCase("forged token \(text.prefix(40))", get("/v1/loan-requests", as: text), .status(401))
    }
  }
}
