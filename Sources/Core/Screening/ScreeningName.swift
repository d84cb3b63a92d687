/// A name of a party or of an owner, reduced to what its many spellings share: case, marks on Latin letters, punctuation
/// and the form of the company (`Co., Ltd.`, `GmbH`, 有限公司) are left out.
///
/// Two scripts are never bridged: a list that knows a party under a Chinese and an English name states both.
package struct ScreeningName: Sendable, Hashable {
  /// In their order, at least one unless the name had neither letter nor digit.
  package let words: [String]

  package init(_ text: String) {
    var words = Self.words(of: text)
    if words.count > 1, words.first == "the" { words.removeFirst() }
    while words.count > 1, let last = words.last, Self.companyForms.contains(last) { words.removeLast() }
    self.words = words
  }

  /// Words in one order, whatever theirs.
  var bag: String { words.sorted().joined(separator: " ") }
  var text: String { words.joined(separator: " ") }
  /// UTF-8 bytes of all words: what is short is shared by many.
  var weight: Int { words.reduce(0) { $0 + $1.utf8.count } }

  private static let companyForms: Set<String> = [
    "co", "company", "corp", "corporation", "inc", "incorporated", "ltd", "limited", "llc", "llp", "lp", "plc", "gmbh",
    "ag", "kg", "se", "sa", "sas", "sarl", "srl", "spa", "bv", "nv", "pte", "pty", "sdn", "bhd", "pt", "tbk", "oy",
    "oyj",
    "ab", "as", "asa", "aps", "kk", "jsc", "pjsc", "ojsc", "cjsc", "ooo", "oao", "zao", "fze", "fzco", "fzc", "dmcc",
  ]
  /// Longest first: each ends with the next.
  private static let chineseForms = ["股份有限公司", "有限责任公司", "有限公司", "公司", "株式会社"]

  private static func words(of text: String) -> [String] {
    var words: [String] = []
    var word = ""
    func end() {
      guard !word.isEmpty else { return }
      let form = chineseForms.first { word.hasSuffix($0) && word != $0 }
      words.append(form.map { String(word.dropLast($0.count)) } ?? word)
      word = ""
    }
    for scalar in text.unicodeScalars {
      let properties = scalar.properties
      if let plain = folded[scalar] {
        word += plain
      } else if properties.isAlphabetic || properties.numericType != nil {
        word += properties.lowercaseMapping
      } else if scalar == "." || scalar == "'" || scalar == "\u{2019}" || properties.generalCategory == .nonspacingMark
      {
        // `S.A.` and `SA` are one word, and so is a letter with its mark apart.
        continue
      } else {
        end()
      }
    }
    end()
    return words
  }

  /// Latin letters with a mark, U+00C0 to U+017F, by the letter that stays without it. The standard library decomposes no
  /// text, and this layer has no other.
  private static let folded: [Unicode.Scalar: String] = {
    let rows: [(String, String)] = [
      ("a", "ÀÁÂÃÄÅàáâãäåĀāĂăĄą"), ("ae", "Ææ"), ("c", "ÇçĆćĈĉĊċČč"), ("d", "ÐðĎďĐđ"), ("e", "ÈÉÊËèéêëĒēĔĕĖėĘęĚě"),
      ("g", "ĜĝĞğĠġĢģ"), ("h", "ĤĥĦħ"), ("i", "ÌÍÎÏìíîïĨĩĪīĬĭĮįİı"), ("j", "Ĵĵ"), ("k", "Ķķ"), ("l", "ĹĺĻļĽľĿŀŁł"),
      ("n", "ÑñŃńŅņŇň"), ("o", "ÒÓÔÕÖØòóôõöøŌōŎŏŐő"), ("oe", "Œœ"), ("r", "ŔŕŖŗŘř"), ("s", "ŚśŜŝŞşŠš"), ("ss", "ß"),
      ("t", "ŢţŤťŦŧ"), ("th", "Þþ"), ("u", "ÙÚÛÜùúûüŨũŪūŬŭŮůŰűŲų"), ("w", "Ŵŵ"), ("y", "ÝýÿŶŷŸ"), ("z", "ŹźŻżŽž"),
    ]
    var folded: [Unicode.Scalar: String] = [:]
    for (plain, letters) in rows {
      for letter in letters.unicodeScalars { folded[letter] = plain }
    }
    return folded
  }()
}
