import Primitives
import StrictCSV
import StrictJSON
import Testing

@testable import Catalogue

@Suite("Classification")
struct ClassificationTests {
  @Test("all 80 chips have the class of each rule, and the eligibility, that the catalogue states")
  func catalogue() throws {
    let rules = try CatalogueFixtures.rules()
    let chips = try CatalogueFixtures.chips()
    for row in try CatalogueFixtures.answers("chip-classes.csv").rows {
      let chip = try #require(chips[chipID(row["id"])])
      let of2022 = rules.classify(chip, on: try date("2023-11-16"))
      let of2023 = rules.classify(chip, on: try date("2023-11-17"))
      #expect(of2022.exportClass.rawValue == row["class_2022"], "\(chip.id)")
      #expect(of2023.exportClass.rawValue == row["class_2023"], "\(chip.id)")
      #expect(of2022.nacAcaEligible == false, "\(chip.id)")
      let eligible = of2023.nacAcaEligible.map { $0 ? "yes" : "no" } ?? "unknown"
      #expect(eligible == row["nac_aca_2023"], "\(chip.id)")
      let review = try #require(rules.licenceRules.first { $0.header.id == "us-review-2026" })
      let isBoxed = review.applies.condition?.truth(for: chip)
      let box = of2023.exportClass == .unknown ? "unknown" : of2023.exportClass == .notControlled ? "n/a" : nil
      #expect(box ?? (isBoxed == .yes ? "yes" : "no") == row["review_box_2026"], "\(chip.id)")
    }
  }

  @Test("566 chips at and around every threshold have the answers of an independent exact evaluation, on five dates")
  func boundaries() throws {
    let rules = try CatalogueFixtures.rules()
    let bytes = try CatalogueFixtures.bytes("Tests/Fixtures/catalogue/boundary-chips.csv")
    let answers = try CatalogueFixtures.answers("boundary-answers.csv")
    var byDate: [String: [ChipModelID: ClassifyReport.Line]] = [:]
    for on in Set(answers.rows.compactMap { $0["on"] }) {
      let report = try ClassifyReport(csv: bytes, rules: rules, on: try date(on))
      byDate[on] = Dictionary(uniqueKeysWithValues: report.lines.map { ($0.id, $0) })
    }
    #expect(answers.rows.count == 566 * 5)
    for row in answers.rows {
      let id = try chipID(row["id"])
      let line = try #require(byDate[row["on"] ?? ""]?[id])
      let place = "\(row.fields)"
      #expect(line.classification.exportClass.rawValue == row["class"], "\(place)")
      #expect(line.classification.paragraph == row["paragraph"], "\(place)")
      #expect(line.classification.tpp?.description ?? "" == row["tpp"], "\(place)")
      #expect((line.classification.nacAcaEligible ?? false).description == row["nac_aca_eligible"], "\(place)")
    }
  }

  @Test("before the first rule nothing is classified, whatever is unknown")
  func beforeAnyRule() throws {
    let rules = try CatalogueFixtures.rules()
    for id in ["nvidia-h100-sxm5-80", "amd-mi308x"] {
      let result = rules.classify(try CatalogueFixtures.chip(id), on: try date("2022-10-20"))
      #expect(result.exportClass == .notControlled)
      #expect(result.paragraph == "")
      #expect(result.ruleID == nil)
    }
    let first = rules.classify(try CatalogueFixtures.chip("nvidia-h100-sxm5-80"), on: try date("2022-10-21"))
    #expect(first.exportClass == .eccn3A090)
    #expect(first.ruleID == "us-3a090-2022")
  }

  @Test("density decides by products: equal is inside, the last decimal below is outside, whatever the area")
  func exactDensity() throws {
    let rules = try CatalogueFixtures.rules()
    // 665.61 x 5.92 = 3940.4112; a quotient rounded to four places reads 5.92 for all three.
    for (tpp, expected) in [("3940.4112", "a.2"), ("3940.41120001", "a.2"), ("3940.41119999", "b.1")] {
      var draft = ChipModelDraft(id: try #require(ChipModelID("x")))
      (draft.vendor, draft.model, draft.vendorClass) = ("X", "x", .dataCentre)
      draft.givenTPP = try decimal(tpp)
      draft.dieAreaMM2 = try decimal("665.61")
      let chip = try ChipModel(draft)
      #expect(chip.displayedPerformanceDensity?.description == "5.92")
      #expect(rules.classify(chip, on: try date("2024-01-01")).paragraph == expected)
    }
  }

  @Test("a chip of no non-planar die meets no density test and goes to a person; below every bound it need not")
  func planar() throws {
    let rules = try CatalogueFixtures.rules()
    func classify(_ tpp: String) throws -> Classification {
      var draft = ChipModelDraft(id: try #require(ChipModelID("x")))
      (draft.vendor, draft.model, draft.vendorClass) = ("X", "x", .dataCentre)
      (draft.givenTPP, draft.dieAreaMM2) = (try decimal(tpp), .zero)
      return rules.classify(try ChipModel(draft), on: try date("2024-01-01"))
    }
    #expect(try classify("3000").exportClass == .notControlled)
    #expect(try classify("3000").needsReview)
    #expect(try !classify("1599").needsReview)
    #expect(try classify("4800").exportClass == .eccn3A090a)
  }

  @Test("the printed line has the agreed members, an exact decimal and null for what is unknown")
  func jsonLine() throws {
    let rules = try CatalogueFixtures.rules()
    let bytes = try CatalogueFixtures.seed("chip-models.csv")
    let report = try ClassifyReport(csv: bytes, rules: rules, on: try date("2023-12-01"))
    #expect(report.ruleID == "us-3a090-2023")
    let lines = report.lines.map { String(decoding: $0.json, as: UTF8.self) }
    let p100 = #"{"id":"nvidia-p100-pcie-16","tpp":"300.8","class":"not_controlled","paragraph":"","#
    #expect(lines.first == p100 + #""nac_aca_eligible":false}"#)
    #expect(
      lines.contains(
        #"{"id":"nvidia-rtx-4090","tpp":"5284.8","class":"3A090.a","paragraph":"a.1","nac_aca_eligible":true}"#))
    #expect(
      lines.contains(#"{"id":"amd-mi308x","tpp":null,"class":"unknown","paragraph":"","nac_aca_eligible":false}"#))
    for line in report.lines { _ = try JSONDocument(parsing: line.json) }
    let shown = try #require(report.lines.first { $0.id.value == "nvidia-l4" }).text
    #expect(shown == "nvidia-l4  tpp 1940 (fp8 x 8)  3A090.a  a.2  nac/aca no")
  }
}
