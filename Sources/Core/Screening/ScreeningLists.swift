import Primitives

/// All lists that are in force here, made ready to be asked for names. Built once, asked many times.
package struct ScreeningLists: Sendable {
  /// The day up to which whoever made the document had followed the lists; nil before the first was adopted.
  package let asOf: CalendarDate?
  package let lists: [ScreeningList]

  private struct Known: Sendable {
    let list: Int
    let entry: Int
    let name: Int
    let words: [String]
    let weight: Int
  }

  private let known: [Known]
  private let byText: [String: [Int32]]
  private let byBag: [String: [Int32]]
  /// Names by each of their words.
  private let byWord: [String: [Int32]]
  /// And by the least of them, so that what is within another is found once.
  private let byLeast: [String: [Int32]]
  private let headers: [ScreeningList.Header]

  /// What is within another name and weighs less than this, in UTF-8 bytes over at least two words, is no hint: half the
  /// world is called so.
  private static let leastWeight = 8

  package static let none = ScreeningLists(asOf: nil, lists: [])

  package init(asOf: CalendarDate?, lists: [ScreeningList]) {
    self.asOf = asOf
    self.lists = lists
    headers = lists.map(\.header)
    var known: [Known] = []
    var (byText, byBag): ([String: [Int32]], [String: [Int32]]) = ([:], [:])
    var (byWord, byLeast): ([String: [Int32]], [String: [Int32]]) = ([:], [:])
    for (listIndex, list) in lists.enumerated() {
      for (entryIndex, entry) in list.entries.enumerated() {
        for (nameIndex, text) in entry.names.enumerated() {
          let name = ScreeningName(text)
          guard !name.words.isEmpty else { continue }
          let number = Int32(truncatingIfNeeded: known.count)
          known.append(
            Known(list: listIndex, entry: entryIndex, name: nameIndex, words: name.words, weight: name.weight))
          byText[name.text, default: []].append(number)
          byBag[name.bag, default: []].append(number)
          for word in Set(name.words) { byWord[word, default: []].append(number) }
          if Self.isTelling(name.words, name.weight), let least = name.words.min() {
            byLeast[least, default: []].append(number)
          }
        }
      }
    }
    (self.known, self.byText, self.byBag, self.byWord, self.byLeast) = (known, byText, byBag, byWord, byLeast)
  }

  package var isEmpty: Bool { known.isEmpty }

  /// Who is on a list, on a day, under that name: each entry once, by its surest name, in the order of the lists.
  /// - Parameter jurisdiction: of whoever bears the name.
  package func matches(
    of text: String, in jurisdiction: CountryCode, on date: CalendarDate
  ) -> [ScreeningMatch] {
    guard !isEmpty else { return [] }
    let name = ScreeningName(text)
    guard !name.words.isEmpty else { return [] }
    var found: [Place: (grade: ScreeningGrade, name: Int)] = [:]
    func note(_ number: Int32, _ grade: ScreeningGrade) {
      let hit = known[Int(number)]
      let entry = lists[hit.list].entries[hit.entry]
      guard entry.holds(on: date) else { return }
      let elsewhere = entry.jurisdiction.map { $0 != jurisdiction } ?? false
      let grade = elsewhere ? .likely : grade
      let place = Place(list: hit.list, entry: hit.entry)
      if let before = found[place], before.grade == .same || grade == .likely { return }
      found[place] = (grade, hit.name)
    }
    for number in byText[name.text] ?? [] { note(number, .same) }
    for number in byBag[name.bag] ?? [] { note(number, .likely) }
    for number in contained(in: name) + containing(name) { note(number, .likely) }
    return found.sorted { $0.key < $1.key }.map { place, hit in
      let entry = lists[place.list].entries[place.entry]
      return ScreeningMatch(
        list: headers[place.list], entry: entry, listedName: entry.names[hit.name], grade: hit.grade)
    }
  }

  private struct Place: Hashable, Comparable {
    let list: Int
    let entry: Int

    static func < (left: Place, right: Place) -> Bool {
      left.list != right.list ? left.list < right.list : left.entry < right.entry
    }
  }

  private static func isTelling(_ words: [String], _ weight: Int) -> Bool { words.count >= 2 && weight >= leastWeight }

  /// Listed names of which every word is in the name.
  private func contained(in name: ScreeningName) -> [Int32] {
    let words = Set(name.words)
    var found: [Int32] = []
    for word in words.sorted() {
      found += (byLeast[word] ?? []).filter { number in known[Int(number)].words.allSatisfy(words.contains) }
    }
    return found
  }

  /// Listed names that have every word of the name.
  private func containing(_ name: ScreeningName) -> [Int32] {
    guard Self.isTelling(name.words, name.weight) else { return [] }
    let words = Set(name.words)
    let postings = words.map { byWord[$0] ?? [] }
    guard let rarest = postings.min(by: { $0.count < $1.count }) else { return [] }
    return rarest.filter { number in words.isSubset(of: known[Int(number)].words) }
  }
}
