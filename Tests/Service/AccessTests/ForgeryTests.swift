import Crypto
import DomainFixtures
import Foundation
import HTTPTypes
import Parties
import Primitives
import Testing
import TokenMint
import Tokens

@Suite("Forged tokens", .timeLimit(.minutes(2)))
struct ForgeryTests {
  @Test("are all answered as a wrong key is, byte for byte; good ones of each algorithm are taken")
  func all() async throws {
    let issuer = try TestIssuer()
    defer { issuer.server.stop() }
    try await HTTPMarket.with(tokens: try issuer.verifier()) { http in
      let own = try await http.market.lender("Own")
      try await issuer.bind(http, "ann", to: own.id, [.lender], person: 5)
      let wrong = try await http.get("/v1/lots", as: String(repeating: "x", count: 110))
      #expect(wrong.status == 401 && wrong.headers[.wwwAuthenticate] == "Bearer realm=\"chipbridge\"")
      for key in issuer.keys {
        let answer = try await http.get("/v1/lots", as: try issuer.mint.token(key, "ann", at: http.seconds))
        #expect(answer.status == 200, "\(key.algorithm)")
      }
      let forgeries = try Forgeries(issuer, at: http.seconds).all()
      #expect(forgeries.count >= 75)
      for (name, token) in forgeries {
        let answer = try await http.get("/v1/lots", as: token)
        #expect(answer.status == 401 && answer.anonymous == wrong.anonymous, "\(name): \(answer.text)")
        #expect(answer.headers[.wwwAuthenticate] == wrong.headers[.wwwAuthenticate], "\(name)")
        #expect(answer.headers[.contentType] == wrong.headers[.contentType], "\(name)")
      }
      // None of them was about a key that had to be looked for again and again.
      #expect(issuer.server.calls < 20)
    }
  }

  @Test("so are good ones where no issuer is set up, of nobody who is bound, and of one whose binding has ended")
  func unbound() async throws {
    let issuer = try TestIssuer()
    defer { issuer.server.stop() }
    try await HTTPMarket.with { http in
      let wrong = try await http.get("/v1/lots", as: String(repeating: "x", count: 110))
      let answer = try await http.get("/v1/lots", as: try issuer.mint.token(issuer.p256, "ann", at: http.seconds))
      #expect(answer.status == 401 && answer.anonymous == wrong.anonymous && issuer.server.calls == 0)
      try await HTTPMarket.on(http.market, tokens: try issuer.verifier()) { http in
        let unknown = try await http.get("/v1/lots", as: try issuer.mint.token(issuer.p256, "ann", at: http.seconds))
        #expect(unknown.status == 401 && unknown.anonymous == wrong.anonymous && issuer.server.calls == 1)
        let none = try await http.get("/v1/lots", as: nil)
        #expect(none.status == 401 && none.code == wrong.code)
      }
    }
  }
}

/// Tokens that must not be taken, each with what is wrong with it.
private struct Forgeries {
  let issuer: TestIssuer
  let now: Int64
  let good: String
  let parts: [String]
  let claims: String

  init(_ issuer: TestIssuer, at now: Int64) throws {
    self.issuer = issuer
    self.now = now
    good = try issuer.mint.token(issuer.p256, "ann", at: now)
    parts = good.split(separator: ".").map { String($0) }
    claims = issuer.mint.claims("ann", at: now)
  }

  func all() throws -> [(String, String)] { try headers() + moments() + parties() + signatures() + shapes() }

  private func with(_ header: [String: String?]) throws -> String {
    try TokenMint.token(issuer.p256, header: TokenMint.header(issuer.p256, header), claims: claims)
  }

  private func claiming(_ changes: [String: String?]) throws -> String {
    try TokenMint.token(issuer.p256, claims: issuer.mint.claims("ann", at: now, changes))
  }

  /// Signed by nobody.
  private func unsigned(_ header: String, _ signature: String = "") -> String {
    Base64URL.encode(header.utf8) + "." + parts[1] + "." + signature
  }

  private func headers() throws -> [(String, String)] {
    var all: [(String, String)] = []
    for name in ["none", "None", "NONE", "nOnE", ""] {
      all.append(("alg \(name)", unsigned(#"{"alg":"\#(name)","kid":"p256"}"#)))
      all.append(("alg \(name), signed", unsigned(#"{"alg":"\#(name)","kid":"p256"}"#, parts[2])))
    }
    for key in issuer.keys {
      for form in key.publicForms {
        let signed = Base64URL.encode(#"{"alg":"HS256","kid":"\#(key.id)"}"#.utf8) + "." + parts[1]
        let code = HMAC<SHA256>.authenticationCode(for: Data(signed.utf8), using: SymmetricKey(data: form))
        all.append(("HS256 with the public key \(key.id)", signed + "." + Base64URL.encode(code)))
      }
    }
    let changes: [(String, [String: String?])] = [
      ("no alg", ["alg": nil]), ("alg of another key", ["alg": #""EdDSA""#]), ("alg ES384", ["alg": #""ES384""#]),
      ("an unknown kid", ["kid": #""p257""#]), ("no kid", ["kid": nil]), ("an empty kid", ["kid": #""""#]),
      ("kid of another key", ["kid": #""rsa""#]), ("kid of a key of the same size", ["kid": #""ed25519""#]),
      ("kid in capitals", ["kid": #""P256""#]), ("kid with a path", ["kid": #""../../../../dev/null""#]),
      ("kid with an escape", ["kid": #""p256\u0000""#]), ("kid as a number", ["kid": "256"]),
      ("kid as SQL", ["kid": #""p256' or '1'='1""#]), ("crit", ["crit": #"["exp"]"#]),
      ("jku", ["jku": #""https://attacker.example/keys""#]), ("x5u", ["x5u": #""https://attacker.example/c""#]),
      ("jwk", ["jwk": try issuer.p256.jwk()]), ("x5c", ["x5c": #"["MIIB"]"#]), ("b64", ["b64": "false"]),
      ("cty", ["cty": #""JWT""#]), ("typ JWE", ["typ": #""JWE""#]), ("typ dpop", ["typ": #""dpop+jwt""#]),
    ]
    for (name, change) in changes { all.append((name, try with(change))) }
    let own = MintKey.p256("p256")
    all.append(
      (
        "signed by the key it brings",
        try TokenMint.token(
          own, header: TokenMint.header(own, ["jwk": try own.jwk()]), claims: claims)
      ))
    for header in [
      #"{"alg":"ES256","alg":"none","kid":"p256"}"#, #"{"alg":"none","alg":"ES256","kid":"p256"}"#,
      #"{"alg":"ES256","kid":"p257","kid":"p256"}"#, #"{"alg":"ES256","kid":"p256",}"#,
    ] {
      all.append(("header \(header)", try TokenMint.token(issuer.p256, header: header, claims: claims)))
    }
    return all
  }

  private func moments() throws -> [(String, String)] {
    let changes: [(String, [String: String?])] = [
      ("expired", ["iat": "\(now - 601)", "exp": "\(now - 1)"]),
      ("expiring now", ["iat": "\(now - 600)", "exp": "\(now)"]),
      ("not yet", ["nbf": "\(now + 61)"]), ("no exp", ["exp": nil]), ("no iat", ["iat": nil]),
      ("exp as text", ["exp": "\"\(now + 600)\""]), ("exp with a fraction", ["exp": "\(now + 600).5"]),
      ("exp as a power", ["exp": "2e9"]), ("exp past all years", ["exp": "99999999999999999999"]),
      ("exp null", ["exp": "null"]), ("exp negative", ["exp": "-1"]), ("a life too long", ["exp": "\(now + 3_601)"]),
      ("issued in the future", ["iat": "\(now + 61)"]), ("nbf as text", ["nbf": #""now""#]),
    ]
    return try changes.map { ($0.0, try claiming($0.1)) }
  }

  private func parties() throws -> [(String, String)] {
    let changes: [(String, [String: String?])] = [
      ("another audience", ["aud": #""other""#]), ("no audience", ["aud": nil]), ("an empty audience", ["aud": "[]"]),
      ("an audience that begins alike", ["aud": #""chipbridge2""#]),
      ("audiences of two kinds", ["aud": #"["chipbridge",1]"#]),
      ("another issuer", ["iss": #""https://issuer.example""#]), ("no issuer", ["iss": nil]),
      ("no subject", ["sub": nil]), ("an empty subject", ["sub": #""""#]),
      ("a subject too long", ["sub": "\"\(String(repeating: "a", count: 256))\""]),
      ("another subject", ["sub": #""ANN""#]),
      ("a subject with a zero", ["sub": #""ann\u0000""#]), ("a subject as a list", ["sub": #"["ann"]"#]),
    ]
    var all = try changes.map { ($0.0, try claiming($0.1)) }
    let twice = claims.dropLast() + #","sub":"ann"}"#
    all.append(("a claim twice", try TokenMint.token(issuer.p256, claims: String(twice))))
    all.append(("claims as a list", try TokenMint.token(issuer.p256, claims: "[\(claims)]")))
    all.append(("a token in a token", try TokenMint.token(issuer.p256, claims: good)))
    all.append(("a token as a text", try TokenMint.token(issuer.p256, claims: "\"\(good)\"")))
    return all
  }

  private func signatures() throws -> [(String, String)] {
    let signed = "\(parts[0]).\(parts[1])"
    let signature = try #require(Base64URL.decode(parts[2].utf8))
    let raw = try P256.Signing.ECDSASignature(rawRepresentation: Data(signature))
    let other = try P384.Signing.PrivateKey().signature(for: Data(signed.utf8)).rawRepresentation
    let another = try issuer.mint.token(issuer.p256, "bob", at: now).split(separator: ".").map { String($0) }
    var flipped = signature
    flipped[40] ^= 1
    let bad: [(String, [UInt8])] = [
      ("another curve", Array(other)), ("r and s swapped", Array(signature.suffix(32) + signature.prefix(32))),
      ("cut short", Array(signature.dropLast())), ("a zero more", signature + [0]),
      ("half", Array(signature.prefix(32))),
      ("DER", Array(raw.derRepresentation)), ("r = s = 0", [UInt8](repeating: 0, count: 64)),
      ("r = 0", [UInt8](repeating: 0, count: 32) + signature.suffix(32)),
      ("all ones", [UInt8](repeating: 255, count: 64)),
      ("one bit", flipped), ("of another's key", try MintKey.p256("p256").sign(signed)),
      ("by Ed25519", try issuer.ed25519.sign(signed)), ("by RSA", try issuer.rsa.sign(signed)),
      ("of the payload alone", try issuer.p256.sign(parts[1])),
    ]
    var all = bad.map { ("signature \($0.0)", signed + "." + Base64URL.encode($0.1)) }
    all.append(("of another token", signed + "." + another[2]))
    all.append(("with another's payload", "\(parts[0]).\(another[1]).\(parts[2])"))
    for key in [issuer.ed25519, issuer.rsa, issuer.pss] {
      let text = try issuer.mint.token(key, "ann", at: now)
      var bytes = try #require(Base64URL.decode(text.split(separator: ".")[2].utf8))
      let stem = text.split(separator: ".").prefix(2).joined(separator: ".")
      all.append(("\(key.id) of zeros", stem + "." + Base64URL.encode([UInt8](repeating: 0, count: bytes.count))))
      bytes[7] ^= 128
      all.append(("\(key.id) with one bit", stem + "." + Base64URL.encode(bytes)))
    }
    // The same key, by the other padding: what a key is for was fixed when it was read.
    if case .rsa(let secret, _) = issuer.rsa.secret {
      all.append(
        ("RS256's key as PS256", try TokenMint.token(MintKey("rsa", .rsa(secret, isPSS: true)), claims: claims)))
    }
    return all
  }

  private func shapes() throws -> [(String, String)] {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    let last = try #require(good.last.flatMap { alphabet.firstIndex(of: $0) })
    let long = issuer.mint.claims("ann", at: now, ["more": "\"\(String(repeating: "x", count: 8_000))\""])
    let invalid = [UInt8](claims.utf8.dropLast()) + Array(#","x":""#.utf8) + [0xC3, 0x28] + Array(#""}"#.utf8)
    let signedInvalid = parts[0] + "." + Base64URL.encode(invalid)
    return [
      ("too long", try TokenMint.token(issuer.p256, claims: long)), ("two parts", "\(parts[0]).\(parts[1])"),
      ("an empty signature", "\(parts[0]).\(parts[1])."), ("five parts", good + "." + parts[0] + "." + parts[1]),
      ("four parts", good + "."), ("padding", good + "=="), ("padding inside", "\(parts[0])=.\(parts[1]).\(parts[2])"),
      ("bits past the end", String(good.dropLast()) + String(alphabet[last ^ 1])),
      ("a space inside", good.replacing(".", with: ". ", maxReplacements: 1)), ("a tab at the end", good + "\t."),
      ("base64's own alphabet", "\(parts[0]).\(parts[1]).\(parts[2].dropLast(2))+/"), ("dots alone", ".."),
      ("no UTF-8", signedInvalid + "." + Base64URL.encode(try issuer.p256.sign(signedInvalid))),
      ("a key's beginning", "cbk_" + good), ("Bearer twice", "Bearer " + good),
    ]
  }
}
