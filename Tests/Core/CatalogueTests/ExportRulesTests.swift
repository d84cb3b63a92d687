import Primitives
import StrictCSV
import StrictJSON
import Testing

@testable import Catalogue

@Suite("Rule packs")
struct ExportRulesTests {
  @Test("the seed reads whole, and every rule of it names its source and its approval")
  func seed() throws {
    let rules = try CatalogueFixtures.rules()
    #expect(rules.classificationRules.map(\.header.id) == ["us-3a090-2022", "us-3a090-2023"])
    #expect(rules.licenceRules.count == 14)
    for header in rules.classificationRules.map(\.header) + rules.licenceRules.map(\.header) {
      #expect(header.source != nil, "\(header.id)")
      #expect((header.approval == nil) == (header.grade == .recollection), "\(header.id)")
    }
  }

  @Test(
    "a pack that is misspelt or contradicts itself is refused, with the place",
    arguments: [
      (#""min": 1, "as_of""#, #""as_of""#, "/min"),
      (#""thesholds": [], "id": "us-dest-2023""#, #""id": "us-dest-2023""#, "/licence/3/thesholds"),
      (#""id": "us-dest-2022""#, #""id": "us-dest-2023""#, ""),
      (#""certainty": "maybe""#, #""certainty": "P, step date R""#, "/classification/0/certainty"),
      (#""valid_to": "2022-10-20""#, #""valid_to": "2023-11-17""#, "/classification/0/valid_to"),
      (#""valid_to": "2023-11-18""#, #""valid_to": "2023-11-17""#, ""),
      (#""op": "=>""#, #""op": ">=""#, "/classification/0/classes/0/when/all/0/op"),
      (#""value": "4.8e3""#, #""value": "4800""#, "/classification/0/classes/0/when/all/1/value"),
      (#""value": 4800"#, #""value": "4800""#, "/classification/0/classes/0/when/all/1/value"),
      (#""class": "3A090.c""#, #""class": "3A090""#, "/classification/0/classes/0/class"),
      (#""effect": "allow""#, #""effect": "refuse""#, "/licence/9/effect"),
      (#""binds": "some""#, #""binds": "all""#, "/licence/1/binds"),
      (
        #""D:5 and MO": "presumption_of_denial""#, #""D:5 or MO or hq D:5/MO": "presumption_of_denial""#,
        "/licence/3/review"
      ),
    ])
  func refusals(_ new: String, _ old: String, _ pointer: String) throws {
    let faults = #expect(throws: JSONFaults.self) { try CatalogueFixtures.rules(replacing: old, with: new) }
    #expect(faults?.faults.first?.pointer == pointer)
  }

  @Test("A:5 can be excepted and never reached, since its countries are not known")
  func groupA5() throws {
    #expect(throws: JSONFaults.self) {
      try CatalogueFixtures.rules(
        replacing: #""party_hq_or_ultimate_parent_in": ["#, with: #""party_hq_or_ultimate_parent_in": ["A:5","#)
    }
  }

  @Test("any cut of the pack is refused, never a crash")
  func truncation() throws {
    let bytes = try CatalogueFixtures.seed("export-rules.json")
    let countries = try CatalogueFixtures.countries()
    for end in stride(from: 0, to: bytes.count - 2, by: 211) {
      #expect(throws: JSONFaults.self) { try ExportRules(parsing: Array(bytes[..<end]), countries: countries) }
    }
  }

  @Test(
    "patterns over chip ids",
    arguments: [
      ("nvidia-a100-*", "nvidia-a100-pcie-40", true), ("nvidia-a100-*", "nvidia-a100", false),
      ("nvidia-a100-*", "nvidia-a1000-x", false), ("huawei-ascend-910b*", "huawei-ascend-910b", true),
      ("*-910c", "huawei-ascend-910c", true), ("*", "x", true), ("a*b*a", "aba", true), ("a*b*a", "aa", false),
      ("ab*ba", "aba", false), ("a**b", "ab", true), ("x", "x", true), ("x", "xx", false), ("*b*b", "ab", false),
      ("a*ab*b", "aabb", true),
    ])
  func patterns(_ pattern: String, _ id: String, _ expected: Bool) throws {
    #expect(try #require(ChipPattern(pattern)).matches(chipID(id)) == expected)
  }

  @Test("a country table is refused where a line is no country, date or scope")
  func countryTable() throws {
    func scope(_ row: String) throws -> CountryScope {
      try CountryScope(fromCSV: Array("iso2,name,scope,valid_from,valid_to,source,notes\n\(row)\n".utf8))
    }
    let china = try scope("CN,China,D5,2023-11-17,,x,")
    #expect(china.groups(of: try country("CN"), on: try date("2024-01-01")) == .d5)
    #expect(china.groups(of: try country("HK"), on: try date("2024-01-01")) == .d5)
    #expect(china.groups(of: try country("MO"), on: try date("2024-01-01")) == [])
    for row in [
      "cn,China,D5,2023-11-17,,x,", "CN,China,D6,2023-11-17,,x,", "CN,China,D5,,,x,", "CN,China,D5,2023-11-17,x,x,",
    ] {
      #expect(throws: CSVFailure.self) { try scope(row) }
    }
    #expect(throws: CSVFailure.self) { try scope("CN,China,D5,2023-11-17,2023-11-17,x,") }
    #expect(throws: CSVFailure.self) { try CountryScope(fromCSV: Array("iso2,scope\n".utf8)) }
  }

  @Test("of a date known to the month the stricter end counts: in early, out late, carved out late")
  func partialDates() throws {
    let text = """
      iso2,name,scope,valid_from,valid_to,source,notes
      NI,Nicaragua,D5,2024-03,2026-05,x,
      CY,Cyprus,A6_carve_out,2024-03,2026-05,x,
      CN,China,D5,2023-11-17,,x,

      """
    let table = try CountryScope(fromCSV: Array(text.dropLast().utf8) + [0x0A])
    func groups(_ code: String, _ on: String) throws -> CountryGroups {
      table.groups(of: try country(code), on: try date(on))
    }
    #expect(try groups("NI", "2024-02-29") == [])
    #expect(try groups("NI", "2024-03-01") == .d5)
    #expect(try groups("NI", "2026-05-31") == .d5)
    #expect(try groups("NI", "2026-06-01") == [])
    #expect(try groups("CY", "2024-03-30") == [])
    #expect(try groups("CY", "2024-03-31") == .a6)
    #expect(try groups("CY", "2026-04-30") == .a6)
    #expect(try groups("CY", "2026-05-01") == [])
  }

  @Test("figures that are unknown leave a test unknown unless what is known settles it")
  func truth() throws {
    var draft = ChipModelDraft(id: try chipID("x"))
    (draft.vendor, draft.model) = ("X", "x")
    let blank = try ChipModel(draft)
    draft.interconnectGBs = ExactDecimal(700)
    let linked = try ChipModel(draft)
    let bound = ExactDecimal(600)
    for (comparison, expected) in [
      (RuleComparison.atLeast, Truth.yes), (.above, .yes), (.below, .no), (.atMost, .no), (.equal, .no),
    ] {
      #expect(RuleCondition.figure(.ioTotalGBs, comparison, bound).truth(for: linked) == expected)
      #expect(RuleCondition.figure(.ioTotalGBs, comparison, bound).truth(for: blank) == .unknown)
    }
    let unknown = RuleCondition.figure(.tpp, .atLeast, bound)
    let yes = RuleCondition.figure(.interconnectGBs, .equal, ExactDecimal(700))
    let no = RuleCondition.figure(.interconnectGBs, .below, ExactDecimal(700))
    #expect(RuleCondition.all([unknown, yes]).truth(for: linked) == .unknown)
    #expect(RuleCondition.all([unknown, no]).truth(for: linked) == .no)
    #expect(RuleCondition.any([unknown, yes]).truth(for: linked) == .yes)
    #expect(RuleCondition.any([unknown, no]).truth(for: linked) == .unknown)
    #expect(RuleCondition.flag(.datacentre, true).truth(for: linked) == .unknown)
  }
}
