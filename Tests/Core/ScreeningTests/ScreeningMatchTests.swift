import Primitives
import PropertyKit
import Screening
import StrictJSON
import Testing

@Suite("names found on lists")
struct ScreeningMatchTests {
  private func found(
    _ name: String, in place: String = "CN", on day: String = "2025-06-01", _ entries: [ScreeningList.Entry]
  ) throws -> [String] {
    try Lists.lists(Lists.list("l", .refuse, entries))
      .matches(of: name, in: Lists.country(place), on: Lists.day(day)).map { "\($0.entry.id) \($0.grade.rawValue)" }
  }

  @Test("the same words are the same party, another order or another country is for a person")
  func grades() throws {
    let entries = [try Lists.entry("1", ["Example Cloud Technology Co., Ltd."], in: "CN")]
    #expect(try found("EXAMPLE CLOUD TECHNOLOGY", entries) == ["1 same"])
    #expect(try found("Technology Cloud Example", entries) == ["1 likely"])
    #expect(try found("Example Cloud Technology", in: "SG", entries) == ["1 likely"])
    #expect(try found("Example Cloud Technology (Shenzhen)", entries) == ["1 likely"])
    #expect(try found("Example Cloud", entries) == ["1 likely"])
    #expect(try found("Example", entries) == [])
    #expect(try found("Sample Cloud Technology", entries) == [])
  }

  @Test("an entry counts from the day it was listed to the day before it was taken off")
  func dates() throws {
    let entries = [try Lists.entry("1", ["Example Cloud"], from: "2024-03-01", to: "2025-03-01")]
    for (day, hits) in [
      ("2024-02-29", []), ("2024-03-01", ["1 same"]), ("2025-02-28", ["1 same"]), ("2025-03-01", []),
    ] {
      #expect(try found("Example Cloud", on: day, entries) == hits, "\(day)")
    }
  }

  @Test("each entry is found once, by its surest name, in the order of the lists")
  func once() throws {
    let first = Lists.list("b", .refuse, [try Lists.entry("1", ["Cloud Example", "Example Cloud"])])
    let second = Lists.list("a", .holdReview, [try Lists.entry("1", ["Example Cloud"])])
    let matches = try Lists.lists(first, second)
      .matches(of: "Example Cloud", in: Lists.country("CN"), on: Lists.day("2025-01-01"))
    #expect(
      matches.map { "\($0.list.id) \($0.grade.rawValue) \($0.listedName)" } == [
        "b same Example Cloud", "a same Example Cloud",
      ])
  }

  /// What `matches` says, from the definition alone and without any index.
  private func naive(_ lists: ScreeningLists, _ text: String) -> Set<String> {
    let name = ScreeningName(text).words
    func telling(_ words: [String]) -> Bool {
      words.count >= 2 && words.reduce(0) { $0 + $1.utf8.count } >= 8
    }
    var found: Set<String> = []
    for list in lists.lists {
      for entry in list.entries {
        var grade: ScreeningGrade?
        for listed in entry.names.map({ ScreeningName($0).words }) {
          if listed == name { grade = .same }
          let isLikely =
            listed.sorted() == name.sorted() || telling(listed) && Set(listed).isSubset(of: name)
            || telling(name) && Set(name).isSubset(of: listed)
          if isLikely, grade == nil { grade = .likely }
        }
        if let grade { found.insert("\(list.id)/\(entry.id) \(grade.rawValue)") }
      }
    }
    return found
  }

  @Test("a search without index over random lists agrees")
  func twin() throws {
    let words = ["alpha", "beta", "gamma", "delta", "ab", "c", "omega", "sigma"]
    let (place, today) = (try Lists.country("CN"), try Lists.day("2025-01-01"))
    try forAll(seeds: 1...1_500) { random in
      func name() -> String {
        (0..<random.int(in: 1...4)).map { _ in words[random.int(in: 0...words.count - 1)] }.joined(separator: " ")
      }
      let lists = try Lists.lists(
        Lists.list("x", .refuse, (0..<random.int(in: 0...6)).map { try Lists.entry("\($0)", [name(), name()]) }),
        Lists.list("y", .holdReview, (0..<random.int(in: 0...6)).map { try Lists.entry("\($0)", [name()]) }))
      let asked = name()
      let matches = lists.matches(of: asked, in: place, on: today)
      let found = matches.map { "\($0.list.id)/\($0.entry.id) \($0.grade.rawValue)" }
      try hold(Set(found).count == found.count, "an entry twice: \(found)")
      try hold(Set(found) == naive(lists, asked), "\(asked): \(found), not \(naive(lists, asked))")
    }
  }

  @Test("what owners on a list hold counts together; a cleared name counts no more")
  func owners() throws {
    let list = Lists.list(
      "l", .refuse, owned: 5_000,
      [
        try Lists.entry("1", ["Example Holdings One"]), try Lists.entry("2", ["Example Holdings Two"]),
      ])
    let lists = try Lists.lists(list)
    let (place, today) = (try Lists.country("CN"), try Lists.day("2025-01-01"))
    func screening(_ first: Int64, _ second: Int64, _ decisions: [ScreeningDecision] = []) -> PartyScreening {
      PartyScreening(
        [
          .init("Own Name Unlisted", place, .party),
          .init("Example Holdings One", place, .owner(BasisPoints(first)), number: 0),
          .init("Example Holdings Two", place, .owner(BasisPoints(second)), number: 1),
        ], decisions: decisions, lists: lists, on: today)
    }
    #expect(screening(3_000, 2_000).consequences.map(\.effect) == [.refuse, .refuse])
    #expect(screening(3_000, 1_999).consequences.map(\.effect) == [.holdReview, .holdReview])
    #expect(screening(3_000, 2_000).consequences.first?.ownedShare == BasisPoints(5_000))
    #expect(screening(3_000, 2_000).listedOwners == ["Example Holdings One", "Example Holdings Two"])
    func decision(_ entry: Int, isSame: Bool, _ state: ScreeningDecision.State) -> ScreeningDecision {
      ScreeningDecision(
        id: ScreeningDecisionID(UUIDValue(high: 1, low: UInt64(entry))), listID: "l", entryID: list.entries[entry].id,
        entryDigest: list.entries[entry].digest, name: list.entries[entry].names[0], isSame: isSame, reason: "r",
        by: PersonID(UUIDValue(high: 2, low: 2)), on: today, state: state)
    }
    // Only what a second person confirmed clears, and what is left is below the share.
    let proposed = screening(3_000, 2_000, [decision(0, isSame: false, .proposed)])
    #expect(proposed.consequences.map(\.effect) == [.refuse, .refuse])
    let cleared = screening(3_000, 2_000, [decision(0, isSame: false, .inForce)])
    #expect(cleared.consequences.map(\.effect) == [.holdReview])
    #expect(cleared.consequences.first?.ownedShare == BasisPoints(2_000))
    // A person looked at the small holding: it is who it seems, and the list does not reach the party.
    let both = [decision(0, isSame: false, .inForce), decision(1, isSame: true, .inForce)]
    #expect(screening(3_000, 2_000, both).consequences.isEmpty)
  }

  @Test("a decision falls with what the entry said when it was made")
  func digest() throws {
    let (place, today) = (try Lists.country("CN"), try Lists.day("2025-01-01"))
    let old = try Lists.entry("1", ["Example Cloud"])
    let decision = ScreeningDecision(
      id: ScreeningDecisionID(UUIDValue(high: 1, low: 1)), listID: "l", entryID: "1", entryDigest: old.digest,
      name: "Example Cloud", isSame: false, reason: "r", by: PersonID(UUIDValue(high: 2, low: 2)), on: today,
      state: .inForce)
    func effects(_ entry: ScreeningList.Entry) throws -> [ScreeningList.Effect] {
      PartyScreening(
        [.init("Example Cloud", place, .party)], decisions: [decision],
        lists: try Lists.lists(Lists.list("l", .refuse, [entry])), on: today
      ).consequences.map(\.effect)
    }
    #expect(try effects(old) == [])
    #expect(try effects(try Lists.entry("1", ["Example Cloud"], from: "2024-06-01")) == [])
    #expect(try effects(try Lists.entry("1", ["Example Cloud", "Exemplary Cloud"])) == [.refuse])
  }

  private static let document = """
    {"as_of":"2025-01-16","lists":[{"id":"l","title":"t","authority":"a","source":"s","effect":"hold_licence",\
    "blocks_payments":false,"entries":[{"id":"1","names":["Example Cloud","示例云"],"jurisdiction":"CN",\
    "listed_on":"2025-01-16"}]}]}
    """

  @Test("a document is read whole or refused with the place of its fault")
  func parsing() throws {
    let lists = try ScreeningLists(parsing: Array(Self.document.utf8))
    #expect(lists.lists.first?.entries.first?.names.count == 2)
    #expect(lists.asOf == (try Lists.day("2025-01-16")))
    for (old, new, pointer) in [
      ("\"listed_on\"", "\"listed\"", "/lists/0/entries/0/listed"),
      ("[\"Example Cloud\",\"示例云\"]", "[\"---\"]", "/lists/0/entries/0/names"),
      ("\"hold_licence\"", "\"clear\"", "/lists/0/effect"),
      (
        "\"listed_on\":\"2025-01-16\"", "\"listed_on\":\"2025-01-16\",\"delisted_on\":\"2025-01-16\"",
        "/lists/0/entries/0/delisted_on"
      ),
      ("\"blocks_payments\":false", "\"blocks_payments\":0", "/lists/0/blocks_payments"),
    ] {
      let text = Self.document.replacing(old, with: new)
      let faults = #expect(throws: JSONFaults.self) { try ScreeningLists(parsing: Array(text.utf8)) }
      #expect(faults?.faults.contains { $0.pointer == pointer } == true, "\(old): \(faults.map { "\($0)" } ?? "")")
    }
  }

  @Test("two sets of lists differ by entries, and by a list's own terms")
  func difference() throws {
    let old = try Lists.lists(
      Lists.list(
        "l", .refuse,
        [
          try Lists.entry("1", ["A One"]), try Lists.entry("2", ["B Two"]),
        ]))
    let new = try Lists.lists(
      Lists.list(
        "l", .holdLicence,
        [
          try Lists.entry("2", ["B Two", "B Too"]), try Lists.entry("3", ["C Three"]),
        ]))
    let difference = ScreeningDifference(from: old, to: new)
    #expect(difference.added == ["l/3"] && difference.removed == ["l/1"])
    #expect(difference.changed == ["l", "l/2"])
    #expect(ScreeningDifference(from: old, to: old).isEmpty)
  }
}
