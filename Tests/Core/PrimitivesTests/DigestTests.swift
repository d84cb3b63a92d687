import Primitives
import PropertyKit
import Testing

@Suite("Digests and canonical bytes")
struct DigestTests {
  @Test(
    "SHA-256 gives the known answers of FIPS 180-4",
    arguments: [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
      (
        String(repeating: "a", count: 1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
      ),
    ])
  func knownAnswers(message: String, digest: String) {
    #expect(SHA256Digest(of: Array(message.utf8)).description == digest)
  }

  @Test("a stored digest has 32 bytes, no more and no fewer")
  func stored() {
    let bytes = (0..<32).map { UInt8($0 * 8) }
    #expect(SHA256Digest(bytes: bytes)?.bytes == bytes)
    #expect(SHA256Digest(bytes: Array(bytes.dropLast())) == nil)
    #expect(SHA256Digest(bytes: bytes + [0]) == nil)
    #expect(SHA256Digest(bytes: []) == nil)
    #expect(SHA256Digest.zero == SHA256Digest(bytes: [UInt8](repeating: 0, count: 32)))
    #expect(SHA256Digest.zero.description == String(repeating: "0", count: 64))
  }

  @Test("bytes print as two lower-case digits each")
  func hexadecimalDigits() {
    #expect(hexadecimal([0x00, 0x0A, 0xF0, 0xFF]) == "000af0ff")
    #expect(hexadecimal([]) == "")
  }

  @Test("the canonical bytes of one value of each kind are these")
  func layout() {
    var bytes = CanonicalBytes()
    bytes.append(Int64(-2))
    bytes.append("é")
    bytes.append(UUIDValue(high: 1, low: 2))
    bytes.append(optional: Int64?.none) { $0.append($1) }
    bytes.append(optional: Int64?(3)) { $0.append($1) }
    #expect(
      hexadecimal(bytes.bytes) == "fffffffffffffffe" + "0000000000000002c3a9"
        + "00000000000000010000000000000002" + "00" + "010000000000000003")
    #expect(bytes.digest == SHA256Digest(of: bytes.bytes))
    bytes.append(SHA256Digest.zero)
    #expect(bytes.bytes.suffix(32) == ArraySlice(SHA256Digest.zero.bytes))
  }

  @Test("no two sequences of texts give the same bytes, whatever they hold and however they are cut")
  func textSequences() {
    // Pieces that imitate a length, the end of one, and each other's joints.
    let pieces = ["", "a", "b", "ab", "aa", "\u{0}", "\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{1}", "a\u{0}"]
    var sequences: [[String]] = [[]]
    var last = sequences
    for _ in 0..<3 {
      last = last.flatMap { start in pieces.map { start + [$0] } }
      sequences += last
    }
    let written = sequences.map { texts in
      var bytes = CanonicalBytes()
      for text in texts { bytes.append(text) }
      return bytes.bytes
    }
    #expect(sequences.count == 585)
    #expect(Set(written).count == sequences.count)
  }

  @Test("values read back from their bytes: given the kinds, each sequence of values has bytes of its own")
  func uniquelyDecodable() throws {
    try forAll(seeds: 1...500) { random in
      let values = (0..<random.int(in: 0...8)).map { _ in Value.drawn(&random) }
      var bytes = CanonicalBytes()
      for value in values { value.write(to: &bytes) }
      var rest = bytes.bytes[...]
      for value in values {
        try hold(value.read(from: &rest) == value, "\(value) of \(values)")
      }
      try hold(rest.isEmpty, "\(rest.count) bytes too many after \(values)")
    }
  }
}

/// One value of a canonical sequence, with a reader that shares no code with the writer.
private enum Value: Equatable {
  case number(Int64)
  case text(String)
  case uuid(UInt64, UInt64)
  case digest([UInt8])
  case optionalText(String?)

  static func drawn(_ random: inout SplitMix64) -> Value {
    let text = String(
      (0..<random.int(in: 0...5)).map { _ in ["a", "\u{0}", "é", "\u{1}"][random.int(in: 0...3)] }.joined())
    switch random.int(in: 0...4) {
    case 0: return .number(random.edgyInt64())
    case 1: return .text(text)
    case 2: return .uuid(random.next(), random.next())
    case 3: return .digest((0..<32).map { _ in UInt8(truncatingIfNeeded: random.next()) })
    default: return .optionalText(random.oneIn(2) ? text : nil)
    }
  }

  func write(to bytes: inout CanonicalBytes) {
    switch self {
    case .number(let number): bytes.append(number)
    case .text(let text): bytes.append(text)
    case .uuid(let high, let low): bytes.append(UUIDValue(high: high, low: low))
    case .digest(let digest): bytes.append(SHA256Digest(bytes: digest) ?? .zero)
    case .optionalText(let text): bytes.append(optional: text) { $0.append($1) }
    }
  }

  /// Reads a value of the same kind; nil when the bytes end too early.
  func read(from bytes: inout ArraySlice<UInt8>) -> Value? {
    func word() -> UInt64? {
      guard bytes.count >= 8 else { return nil }
      defer { bytes = bytes.dropFirst(8) }
      return bytes.prefix(8).reduce(0) { $0 * 256 + UInt64($1) }
    }
    func text() -> String? {
      guard let count = word(), bytes.count >= count else { return nil }
      defer { bytes = bytes.dropFirst(Int(count)) }
      return String(decoding: bytes.prefix(Int(count)), as: UTF8.self)
    }
    switch self {
    case .number: return word().map { .number(Int64(bitPattern: $0)) }
    case .text: return text().map { .text($0) }
    case .uuid:
      guard let high = word(), let low = word() else { return nil }
      return .uuid(high, low)
    case .digest:
      defer { bytes = bytes.dropFirst(32) }
      return .digest(Array(bytes.prefix(32)))
    case .optionalText:
      switch bytes.popFirst() {
      case 0: return .optionalText(nil)
      case 1: return text().map { .optionalText($0) }
      default: return nil
      }
    }
  }
}
