import PropertyKit
import Screening
import Testing

@Suite("names of parties")
struct ScreeningNameTests {
  @Test(
    "spellings of one name have the same words",
    arguments: [
      ("Example Cloud Technology Co., Ltd.", "EXAMPLE CLOUD TECHNOLOGY"),
      ("Example Cloud Technology Co Ltd", "example   cloud-technology"),
      ("S.A. Très Grande Société", "sa tres grande societe"),
      ("Tre\u{301}s", "Tr\u{e9}s"),
      ("The Example Company, Inc.", "Example"),
      ("O'Example GmbH", "OExample AG"),
      ("北京示例科技有限公司", "北京示例科技"),
      ("北京示例科技股份有限公司", "北京示例科技有限责任公司"),
      ("Straße & Söhne KG", "strasse sohne"),
      ("İstanbul Işık A.Ş.", "istanbul isik as"),
    ])
  func spellings(_ one: String, _ other: String) {
    #expect(ScreeningName(one).words == ScreeningName(other).words, "\(ScreeningName(one).words)")
  }

  @Test(
    "different names keep what tells them apart",
    arguments: [
      ("Example Cloud", "Example Clouds"), ("Example 1", "Example 2"), ("北京示例科技", "上海示例科技"),
      ("Limited", "Company"), ("Co", "Ltd"),
    ])
  func different(_ one: String, _ other: String) {
    #expect(ScreeningName(one).words != ScreeningName(other).words)
  }

  @Test("a name without letters and digits has no words")
  func empty() {
    #expect(ScreeningName("--- & ...").words.isEmpty)
    #expect(ScreeningName("").words.isEmpty)
  }

  @Test("case, punctuation and company form never matter")
  func noise() throws {
    try forAll(seeds: 1...2_000) { random in
      // Five letters and more: no form of a company is that long and made of these.
      let words = (0..<random.int(in: 1...4)).map { _ in
        String((0..<random.int(in: 5...8)).map { _ in Character(Unicode.Scalar(UInt8(97 + random.int(in: 0...9)))) })
      }
      var noisy = ""
      for (index, word) in words.enumerated() {
        if index > 0 { noisy += [" ", ", ", "-", " / ", "  "][random.int(in: 0...4)] }
        noisy += random.int(in: 0...1) == 0 ? word.uppercased() : word
      }
      noisy += ["", " Co., Ltd.", " GmbH", ", Inc.", " PLC"][random.int(in: 0...4)]
      try hold(ScreeningName(noisy).words == words, "\(noisy) has the words \(ScreeningName(noisy).words)")
    }
  }
}
