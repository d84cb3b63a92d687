import Primitives
import PropertyKit
import Testing

@Suite("A digest of a collection") struct DigestSumTests {
  private func digests(_ count: Int) -> [SHA256Digest] { (0..<count).map { SHA256Digest(of: "member \($0)") } }

  private func sum(_ digests: some Sequence<SHA256Digest>) -> DigestSum {
    digests.reduce(into: DigestSum()) { $0.add($1) }
  }

  @Test("does not depend on the order of its members, nor on how they were grouped")
  func order() {
    let members = digests(40)
    let whole = sum(members)
    #expect(sum(members.reversed()) == whole)
    for cut in [0, 1, 17, 40] {
      var parts = sum(members[cut...])
      parts.add(sum(members[..<cut]))
      #expect(parts == whole)
    }
  }

  @Test("counts a member each time, and tells any member missing, added or changed")
  func members() {
    let members = digests(20)
    let whole = sum(members)
    #expect(sum(members + [members[3]]) != whole)
    #expect(sum(members + [members[3], members[3]]) != whole)
    for missing in members.indices {
      #expect(sum(members.enumerated().filter { $0.offset != missing }.map(\.element)) != whole)
    }
    #expect(DigestSum() != whole && sum([]) == DigestSum())
  }

  @Test("is the sum modulo 2^256: carries go through, the last one falls off")
  func arithmetic() throws {
    func number(_ bytes: [UInt8]) throws -> DigestSum { try #require(DigestSum(bytes: bytes)) }
    let one = try number([UInt8](repeating: 0, count: 31) + [1])
    let most = try number([UInt8](repeating: 255, count: 32))
    var wrapped = most
    wrapped.add(one)
    #expect(wrapped == DigestSum())
    var carried = try number([UInt8](repeating: 0, count: 8) + [UInt8](repeating: 255, count: 24))
    carried.add(one)
    let expected = try number([UInt8](repeating: 0, count: 7) + [1] + [UInt8](repeating: 0, count: 24))
    #expect(carried == expected)
    // One digest alone is its own number.
    let digest = SHA256Digest(of: "alone")
    #expect(sum([digest]).bytes == digest.bytes)
  }

  @Test("is read back from its text, and from nothing else")
  func text() {
    let whole = sum(digests(5))
    #expect(DigestSum(text: whole.text) == whole)
    let text = whole.text
    for wrong in [
      "", String(text.dropLast()), text + "0", text.uppercased(), "g" + text.dropFirst(), " " + text.dropFirst(),
    ]
    where wrong != text {
      #expect(DigestSum(text: wrong) == nil, "\(wrong)")
    }
    #expect(DigestSum(bytes: [1, 2, 3]) == nil)
  }
}
