import Testing
import Tokens

@Suite("Key sets of an issuer")
struct KeySetTests {
  private static let coordinate = Base64URL.encode([UInt8](repeating: 7, count: 32))
  private static func modulus(_ bytes: Int, first: UInt8 = 0x80, last: UInt8 = 1) -> String {
    Base64URL.encode([first] + [UInt8](repeating: 0xAB, count: bytes - 2) + [last])
  }

  private static func ec(_ more: String = #","kid":"e""#, x: String = coordinate, y: String = coordinate) -> String {
    #"{"kty":"EC","crv":"P-256","x":"\#(x)","y":"\#(y)"\#(more)}"#
  }

  private static func rsa(_ n: String = modulus(256), _ more: String = "", e: String = "AQAB") -> String {
    #"{"kty":"RSA","n":"\#(n)","e":"\#(e)","kid":"r"\#(more)}"#
  }

  private func read(_ keys: String...) throws -> PublishedKeySet {
    try PublishedKeySet(parsing: Array("{\"keys\":[\(keys.joined(separator: ","))]}".utf8))
  }

  @Test("fix the algorithm of each key: the one it states, or the one its kind has")
  func algorithms() throws {
    let ed = #"{"kty":"OKP","crv":"Ed25519","x":"\#(Self.coordinate)","kid":"o"}"#
    let set = try read(Self.ec(), Self.rsa(), ed)
    #expect(set.keys.mapValues(\.algorithm) == ["e": .es256, "r": .rs256, "o": .edDSA] && set.passedOver == 0)
    #expect(set.keys.mapValues(\.signatureBytes) == ["e": 64, "r": 256, "o": 64])
    #expect(try read(Self.rsa(Self.modulus(256), #","alg":"PS256""#)).keys["r"]?.algorithm == .ps256)
    #expect(try read(Self.rsa(Self.modulus(256), #","alg":"RS256","use":"sig","key_ops":["verify"]"#)).keys.count == 1)
  }

  @Test("are taken without the keys that are not for us")
  func passedOver() throws {
    let bad = [
      Self.ec(""), Self.ec(#","kid":"""#), Self.ec(#","kid":"a b""#), Self.ec(#","kid":"\u00e9""#),
      Self.ec(#","kid":"x","use":"enc""#), Self.ec(#","kid":"x","key_ops":["sign"]"#),
      Self.ec(#","kid":"x","alg":"ES384""#),
      Self.ec(#","kid":"x","alg":"RS256""#), Self.ec(#","kid":"x","alg":"none""#), Self.ec(#","kid":"x","alg":7"#),
      Self.ec(#","kid":"x","d":"AA""#), Self.ec(#","kid":"x""#, x: "AAAA"),
      Self.ec(#","kid":"x""#, y: Self.coordinate + "="),
      #"{"kty":"EC","crv":"P-384","x":"\#(Self.coordinate)","y":"\#(Self.coordinate)","kid":"x"}"#,
      #"{"kty":"oct","k":"AAAA","kid":"x"}"#, #"{"kty":"OKP","crv":"X25519","x":"\#(Self.coordinate)","kid":"x"}"#,
      Self.rsa(Self.modulus(128)), Self.rsa(Self.modulus(256, first: 0x7F)), Self.rsa(Self.modulus(257, first: 0)),
      Self.rsa(Self.modulus(256, last: 2)), Self.rsa(Self.modulus(1_025)), Self.rsa(e: "AQ"), Self.rsa(e: "Ag"),
      Self.rsa(e: "AAED"), Self.rsa(e: "AQAAAAE"), Self.rsa(Self.modulus(256), #","alg":"HS256""#), "7", "null", "[]",
    ]
    for key in bad {
      let set = try read(Self.ec(), key)
      #expect(set.keys.count == 1 && set.passedOver == 1, "\(key.prefix(80))")
    }
  }

  @Test("that are none, hold nothing for us, too much, or one id twice are refused")
  func refused() {
    func expect(_ fault: KeySetFault, _ text: String) {
      #expect(throws: fault, "\(text.prefix(60))") { try PublishedKeySet(parsing: Array(text.utf8)) }
    }
    for text in ["", "{}", "[]", "null", #"{"keys":{}}"#, "<html>", #"{"keys":[]"#, #"{"keys":[],"keys":[]}"#] {
      expect(.malformed, text)
    }
    expect(.empty, #"{"keys":[]}"#)
    expect(.empty, #"{"keys":[{"kty":"oct","k":"AAAA","kid":"a"}]}"#)
    expect(.repeatedID, #"{"keys":[\#(Self.ec()),\#(Self.ec())]}"#)
    let many = (0..<65).map { Self.ec(",\"kid\":\"k\($0)\"") }.joined(separator: ",")
    expect(.tooManyKeys, "{\"keys\":[\(many)]}")
    expect(.malformed, "{\"keys\":[],\"a\":\"\(String(repeating: "x", count: 256 << 10))\"}")
  }
}
