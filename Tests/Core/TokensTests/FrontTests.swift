import Primitives
import StrictJSON
import Testing
import Tokens

@Suite("The front before tokens")
struct FrontTests {
  @Test("base64url is read in its one canonical form and back")
  func base64url() {
    let known: [(String, [UInt8])] = [
      ("", []), ("AA", [0]), ("_w", [255]), ("AAA", [0, 0]), ("__8", [255, 255]), ("AAAA", [0, 0, 0]),
      ("-_-_", [251, 255, 191]), ("Zm9vYmFy", Array("foobar".utf8)),
    ]
    for (text, bytes) in known {
      #expect(Base64URL.decode(text.utf8) == bytes && Base64URL.encode(bytes) == text)
    }
    for bad in ["A", "AAAAA", "AA==", "AB", "_x", "AAB", "A+==", "A/", "AA\n", " AA", "AA ", "ÄA", "A\u{0}", "AAA="] {
      #expect(Base64URL.decode(bad.utf8) == nil, "\(bad)")
    }
    var generator = SystemRandomNumberGenerator()
    for length in 0..<200 {
      let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
      #expect(Base64URL.decode(Base64URL.encode(bytes).utf8) == bytes)
    }
  }

  private func token(_ header: String, _ claims: String = "{}", signature: String = "AAAA") -> String {
    Base64URL.encode(header.utf8) + "." + Base64URL.encode(claims.utf8) + "." + signature
  }

  @Test("a token is taken apart as it came")
  func good() throws {
    let text = token(#"{"alg":"ES256","kid":"a","typ":"at+JWT","x5t":"ignored"}"#, #"{"sub":"s","more":[{"a":1}]}"#)
    let found = try CompactToken(text)
    #expect(found.algorithm == .es256 && found.keyID == "a" && found.signature == [0, 0, 0])
    #expect(found.signed == Array(text.utf8.dropLast(5)) && found.claims["sub"]?.isText("s") == true)
    for name in TokenAlgorithm.allCases {
      #expect(try CompactToken(token(#"{"alg":"\#(name.rawValue)","kid":"a"}"#)).algorithm == name)
    }
  }

  @Test(
    "a header that says anything else is refused",
    arguments: [
      #"{"alg":"none","kid":"a"}"#, #"{"alg":"None","kid":"a"}"#, #"{"alg":"nOnE","kid":"a"}"#,
      #"{"alg":"","kid":"a"}"#,
      #"{"kid":"a"}"#, #"{"alg":null,"kid":"a"}"#, #"{"alg":["ES256"],"kid":"a"}"#, #"{"alg":"es256","kid":"a"}"#,
      #"{"alg":"HS256","kid":"a"}"#, #"{"alg":"ES384","kid":"a"}"#, #"{"alg":"RS512","kid":"a"}"#, #"{"alg":"ES256"}"#,
      #"{"alg":"ES256","kid":""}"#, #"{"alg":"ES256","kid":7}"#, #"{"alg":"ES256","kid":"a b"}"#,
      #"{"alg":"ES256","kid":"\u00e9"}"#, #"{"alg":"ES256","kid":"a\u0000"}"#,
      #"{"alg":"ES256","kid":"a","typ":"JWE"}"#,
      #"{"alg":"ES256","kid":"a","typ":7}"#, #"{"alg":"ES256","kid":"a","typ":"JWT "}"#,
      #"{"alg":"ES256","kid":"a","crit":[]}"#, #"{"alg":"ES256","kid":"a","jku":"https://x"}"#,
      #"{"alg":"ES256","kid":"a","jwk":{}}"#, #"{"alg":"ES256","kid":"a","x5u":"https://x"}"#,
      #"{"alg":"ES256","kid":"a","x5c":[]}"#, #"{"alg":"ES256","kid":"a","b64":false}"#,
      #"{"alg":"ES256","kid":"a","zip":"DEF"}"#, #"{"alg":"ES256","kid":"a","cty":"JWT"}"#,
      #"{"alg":"ES256","kid":"a","enc":null}"#,
    ])
  func header(_ header: String) {
    #expect(throws: TokenFault.header) { try CompactToken(token(header)) }
  }

  @Test(
    "what is no strict JSON object is refused",
    arguments: [
      #"{"alg":"ES256","alg":"none","kid":"a"}"#, #"{"alg":"ES256","kid":"a","kid":"b"}"#,
      #"{"alg":"ES256","kid":"a",}"#,
      #"["ES256"]"#, "null", "", #"{"alg":"ES256","kid":"a"} {}"#, "\u{FEFF}" + #"{"alg":"ES256","kid":"a"}"#,
      #"{"alg":"ES256","kid":"a","d":\#(String(repeating: "[", count: 9) + String(repeating: "]", count: 9))}"#,
    ])
  func json(_ text: String) {
    #expect(throws: TokenFault.json) { try CompactToken(token(text)) }
    #expect(throws: TokenFault.json) { try CompactToken(token(#"{"alg":"ES256","kid":"a"}"#, text)) }
  }

  @Test("what has not the shape of a token is refused, whatever its length")
  func shape() {
    let good = token(#"{"alg":"ES256","kid":"a"}"#)
    let parts = good.split(separator: ".").map { String($0) }
    let bad = [
      "", ".", "..", "...", "a.b.c", parts[0], "\(parts[0]).\(parts[1])", "\(parts[0]).\(parts[1]).", good + ".",
      good + ".AAAA", good + ".AAAA.AAAA", " " + good, good + " ", good + "\n", good.replacing(".", with: " . "),
      good + "=", "\(parts[0])=.\(parts[1]).AAAA", "\(parts[0]).\(parts[1]).AAB",
      token(#"{"alg":"ES256","kid":"a"}"#, "{\"a\":\"\(String(repeating: "x", count: 8_192))\"}"),
    ]
    for text in bad { #expect(throws: TokenFault.shape, "\(text.prefix(60))") { try CompactToken(text) } }
    let invalid = Base64URL.encode([0x7B, 0x22, 0xFF, 0x22, 0x3A, 0x31, 0x7D])
    #expect(throws: TokenFault.json) { try CompactToken("\(parts[0]).\(invalid).AAAA") }
  }
}

@Suite("The claims of tokens")
struct ClaimTests {
  private static let now: Int64 = 1_800_000_000

  private func claims(_ changes: [String: String?], life: Int64 = 3_600) throws -> TokenClaims {
    let usual: [String: String?] = [
      "iss": #""i""#, "aud": #""a""#, "sub": #""s""#, "iat": "\(Self.now)", "exp": "\(Self.now + 600)",
    ]
    let members = usual.merging(changes) { $1 }.compactMap { name, value in value.map { "\"\(name)\":\($0)" } }
    let document = try JSONDocument(parsing: Array("{\(members.joined(separator: ","))}".utf8))
    let rules = try #require(TokenRules(issuer: "i", audience: "a", longestLife: life))
    return try TokenClaims(
      document.root, rules: rules, at: try #require(Instant(microseconds: Self.now * 1_000_000 + 999_999)))
  }

  @Test("are taken within their time, and until its end exactly")
  func good() throws {
    let found = try claims(["aud": #"["b","a"]"#, "nbf": "\(Self.now + 60)", "roles": #"["admin"]"#])
    #expect(found.subject == "s" && found.from == Self.now && found.until == Self.now + 600)
    #expect(try claims(["iat": "\(Self.now + 60)", "exp": "\(Self.now + 61)"]).from == Self.now)
    #expect(try claims(["iat": "\(Self.now - 3_599)", "exp": "\(Self.now + 1)"]).until == Self.now + 1)
    let last = try #require(Instant(microseconds: (Self.now + 600) * 1_000_000 - 1))
    let past = try #require(last.adding(seconds: 1))
    #expect(found.isTaken(at: last) && !found.isTaken(at: past))
    #expect(try claims(["sub": "\"\(String(repeating: "s", count: 255))\""]).subject.utf8.count == 255)
  }

  @Test("of another issuer or for another audience are refused")
  func party() {
    let bad: [[String: String?]] = [
      ["iss": nil], ["iss": #""j""#], ["iss": #""i/""#], ["iss": #"["i"]"#], ["iss": "null"], ["aud": nil],
      ["aud": #""b""#], ["aud": "[]"], ["aud": #"["b"]"#], ["aud": #"["a",7]"#], ["aud": "7"], ["aud": #"{"a":1}"#],
      ["aud": #""A""#],
    ]
    for changes in bad { #expect(throws: TokenFault.party, "\(changes)") { try claims(changes) } }
  }

  @Test("with a moment that is missing, no whole second in digits, past, not yet, or too long a life are refused")
  func time() {
    let now = Self.now
    let bad: [[String: String?]] = [
      ["exp": nil], ["exp": "\"\(now + 600)\""], ["exp": "\(now + 600).0"], ["exp": "\(now + 600).5"], ["exp": "1.8e9"],
      ["exp": "18e8"], ["exp": "999999999999999999999999"], ["exp": "253402300800"], ["exp": "-1"], ["exp": "null"],
      ["exp": "true"], ["exp": "\(now)"], ["exp": "\(now - 1)"], ["iat": nil], ["iat": "\(now + 61)"],
      ["iat": "\"\(now)\""], ["iat": "\(now).0"], ["nbf": "\(now + 61)"], ["nbf": "\"\(now)\""], ["nbf": "1e1"],
      ["nbf": "null"], ["exp": "\(now + 3_601)"], ["iat": "\(now - 3_001)", "exp": "\(now + 600)"],
      ["iat": "\(now + 10)", "exp": "\(now + 10)"], ["iat": "\(now + 10)", "exp": "\(now + 5)"], ["iat": "0"],
    ]
    for changes in bad { #expect(throws: TokenFault.time, "\(changes)") { try claims(changes) } }
  }

  @Test("without a subject of 1 to 255 visible ASCII characters are refused")
  func subject() {
    let bad: [String?] = [
      nil, #""""#, "7", "null", #"["s"]"#, "\"\(String(repeating: "s", count: 256))\"", #""a b""#, #""\u00e9""#,
      #""a\u0000""#,
    ]
    for value in bad { #expect(throws: TokenFault.subject, "\(value ?? "none")") { try claims(["sub": value]) } }
  }

  @Test("are held to rules that are within bounds")
  func rules() {
    let long = String(repeating: "i", count: 256)
    #expect(TokenRules(issuer: "", audience: "a") == nil && TokenRules(issuer: long, audience: "a") == nil)
    #expect(TokenRules(issuer: "i", audience: "a b") == nil && TokenRules(issuer: "é", audience: "a") == nil)
    #expect(TokenRules(issuer: "i", audience: "a", longestLife: 59) == nil)
    #expect(TokenRules(issuer: "i", audience: "a", longestLife: 86_401) == nil)
    #expect(TokenRules(issuer: "i", audience: "a", longestLife: 86_400) != nil)
  }
}
