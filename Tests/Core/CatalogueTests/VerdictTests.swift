import Primitives
import StrictCSV
import Testing

@testable import Catalogue

@Suite("Verdicts")
struct VerdictTests {
  @Test("3,000 acts have the effect and the rules of an independent evaluation of the gathered rule file")
  func knownAnswers() throws {
    let rules = try CatalogueFixtures.rules()
    let chips = try CatalogueFixtures.chips()
    let answers = try CatalogueFixtures.answers("verdict-answers.csv")
    #expect(answers.rows.count == 3_000)
    var plan = try ActPlan("nvidia-a800-sxm4-80", on: "2023-04-15")
    for row in answers.rows {
      plan.chip = try #require(chips[chipID(row["chip"])])
      plan.on = try #require(row["on"])
      plan.from = try #require(row["from"])
      plan.to = try #require(row["to"])
      plan.lender = try #require(row["lender_hq"])
      plan.borrower = try #require(row["borrower_hq"])
      plan.borrowerParent = row["borrower_parent"].flatMap { $0.isEmpty ? nil : $0 }
      plan.listedBps = try #require(row["listed_bps"].flatMap { Int64($0) })
      let act = try plan.act()
      let verdict = rules.verdict(on: act)
      #expect(verdict.effect.rawValue == row["effect"], "\(row.fields)")
      #expect(verdict.regulatoryAct.rawValue == row["act"], "\(row.fields)")
      let found = verdict.findings.filter { !$0.informationOnly && !$0.ruleID.hasPrefix("us-3a090") }
      let named = found.map { "\($0.ruleID)=\($0.effect.rawValue)" }.sorted().joined(separator: " ")
      #expect(named == row["rules"], "\(row.fields)")
      #expect(rules.effect(of: act) == verdict.effect, "\(row.fields)")
    }
  }

  @Test("A800 in China is clear in spring 2023 and needs a licence from the day of the 2023 rule, presumed denied")
  func a800() throws {
    let spring = try ActPlan("nvidia-a800-sxm4-80", on: "2023-04-15").verdict()
    #expect(spring.effect == .clear)
    #expect(spring.findings.isEmpty)
    #expect(spring.regulatoryAct == .transferInCountry)
    #expect(try ActPlan("nvidia-a800-sxm4-80", on: "2023-11-16").verdict().effect == .clear)

    let held = try ActPlan("nvidia-a800-sxm4-80", on: "2023-11-17").verdict()
    #expect(held.effect == .holdLicence)
    #expect(held.ruleIDs == ["us-dest-2023", "us-hq-2023"])
    let finding = try #require(held.finding("us-dest-2023"))
    #expect(finding.reviewPolicy == "presumption_of_denial")
    #expect(finding.citation == "88 FR 73458")
    #expect(finding.source?.isEmpty == false)
    #expect(finding.validFrom.description == "2023-11-17")
    #expect(finding.measured.contains(MeasuredValue("class", "3A090.a (a.1)")))
    #expect(finding.measured.contains(MeasuredValue("tpp", "4992")))
    #expect(finding.measured.contains(MeasuredValue("pd", "6.0436 (4992 / 826 mm2)")))
    #expect(finding.measured.contains(MeasuredValue("destination", "CN")))
    #expect(finding.threshold.hasSuffix("a.1: tpp >= 4800"))
  }

  @Test("A100 in China needs a licence from the first rule on")
  func a100() throws {
    #expect(try ActPlan("nvidia-a100-sxm4-80", on: "2022-10-20").verdict().effect == .clear)
    let held = try ActPlan("nvidia-a100-sxm4-80", on: "2022-10-21").verdict()
    #expect(held.effect == .holdLicence)
    #expect(held.ruleIDs == ["us-dest-2022"])
  }

  @Test(
    "chips that no rule controls stay clear in China after the 2023 rule",
    arguments: ["nvidia-a10", "nvidia-h20-96", "nvidia-l20", "nvidia-l2", "nvidia-v100-sxm2-32", "nvidia-t4"])
  func uncontrolled(_ chip: String) throws {
    #expect(try ActPlan(chip, on: "2024-02-01").verdict().effect == .clear)
  }

  @Test("L4 is controlled by its density, L40 by the second paragraph with an exception for data-centre parts")
  func density() throws {
    let l4 = try ActPlan("nvidia-l4", on: "2024-02-01").verdict()
    #expect(l4.effect == .holdLicence)
    #expect(l4.classification.paragraph == "a.2")
    var l40 = try ActPlan("nvidia-l40", on: "2024-02-01")
    l40.from = "SG"
    let verdict = try l40.verdict()
    #expect(verdict.effect == .holdNotification)
    #expect(verdict.finding("us-dest-2023")?.replacedBy == "us-nac-2023")
  }

  @Test("RTX 4090 needs notification when it crosses a border to China, and a licence when it changes hands inside")
  func rtx4090() throws {
    var plan = try ActPlan("nvidia-rtx-4090", on: "2024-02-01")
    (plan.from, plan.lender) = ("US", "US")
    let export = try plan.verdict()
    #expect(export.regulatoryAct == .export)
    #expect(export.effect == .holdNotification)
    let finding = try #require(export.finding("us-hq-2023"))
    #expect(finding.effect == .holdNotification)
    #expect(finding.statedEffect == .holdLicence)
    #expect(finding.notificationDays == 25)
    (plan.from, plan.lender) = ("CN", "CN")
    // The exception's own text names exports and reexports; that transfers need no notification is secondary knowledge.
    #expect(try plan.verdict().effect == .holdLicence)
  }

  @Test("between the mainland, Hong Kong and Macau chips are reexported, and Hong Kong follows China")
  func hongKong() throws {
    var plan = try ActPlan("nvidia-a100-sxm4-80", on: "2023-06-01")
    (plan.to, plan.borrower) = ("HK", "HK")
    let verdict = try plan.verdict()
    #expect(verdict.regulatoryAct == .reexport)
    #expect(verdict.effect == .holdLicence)
    (plan.from, plan.lender, plan.on) = ("SG", "SG", "2024-06-01")
    #expect(try plan.verdict().ruleIDs == ["us-dest-2023", "us-hq-2023"])
  }

  @Test("Macau is in the 2022 rule from its own day")
  func macau() throws {
    var plan = try ActPlan("nvidia-a100-sxm4-80", on: "2023-01-16")
    (plan.from, plan.lender, plan.to, plan.borrower) = ("SG", "SG", "MO", "MO")
    #expect(try plan.verdict().effect == .clear)
    plan.on = "2023-01-17"
    #expect(try plan.verdict().effect == .holdLicence)
    plan.on = "2023-11-17"
    #expect(try plan.verdict().ruleIDs == ["us-dest-2023", "us-hq-2023"])
  }

  @Test("Cyprus and Israel are carved out, the Emirates are not and are presumed approved")
  func destinations() throws {
    for (place, expected) in [("CY", VerdictEffect.clear), ("IL", .clear), ("DE", .clear), ("AE", .holdLicence)] {
      var plan = try ActPlan.europe("nvidia-h100-sxm5-80", on: "2024-05-01")
      (plan.to, plan.borrower) = (place, place)
      let verdict = try plan.verdict()
      #expect(verdict.effect == expected, "\(place)")
      if place == "AE" {
        #expect(verdict.finding("us-dest-2023")?.reviewPolicy == "presumption_of_approval")
        plan.borrowerParent = "CN"
        #expect(try plan.verdict().finding("us-dest-2023")?.reviewPolicy == "presumption_of_denial")
      }
    }
  }

  @Test("a country that moves between groups is judged by its group on the act's date")
  func cambodia() throws {
    var plan = try ActPlan.europe("nvidia-a30", on: "2026-02-02")
    (plan.to, plan.borrower) = ("KH", "KH")
    #expect(try plan.verdict().effect == .holdNotification)
    plan.on = "2026-02-03"
    #expect(try plan.verdict().effect == .clear)
  }

  @Test("headquarters in China hold a chip anywhere, also through the ultimate parent and of the lender")
  func headquarters() throws {
    var plan = try ActPlan.europe("nvidia-h100-sxm5-80", on: "2024-05-01")
    #expect(try plan.verdict().effect == .clear)
    plan.borrowerParent = "CN"
    #expect(try plan.verdict().ruleIDs == ["us-hq-2023"])
    plan.borrowerParent = nil
    plan.lender = "MO"
    #expect(try plan.verdict().ruleIDs == ["us-hq-2023"])
  }

  @Test("the exception without notification serves D:4 from its first day, and nobody headquartered in D:5")
  func aca() throws {
    var plan = try ActPlan.europe("nvidia-a30", on: "2024-04-03")
    (plan.to, plan.borrower) = ("SA", "SA")
    #expect(try plan.verdict().effect == .holdLicence)
    plan.on = "2024-04-04"
    let clear = try plan.verdict()
    #expect(clear.effect == .clear)
    #expect(clear.finding("us-dest-2023")?.replacedBy == "us-aca-2024")
    plan.borrowerParent = "CN"
    #expect(try plan.verdict().effect == .holdNotification)
  }

  @Test("Ascend 910B is refused everywhere from its day, whatever the delivery mode, and marked chips with it")
  func ascend() throws {
    var plan = try ActPlan.europe("huawei-ascend-910b2", on: "2025-05-12")
    #expect(try plan.verdict().effect == .clear)
    plan.on = "2025-05-13"
    #expect(try plan.verdict().effect == .refuse)
    #expect(try plan.verdict().ruleIDs == ["us-gp10-ascend"])
    plan.mode = .hosted
    #expect(try plan.verdict().effect == .refuse)
    var draft = plan.chip.facts
    draft.id = try chipID("huawei-next")
    plan.chip = try ChipModel(draft)
    #expect(try plan.verdict().effect == .refuse)
    draft.gp10Named = false
    plan.chip = try ChipModel(draft)
    #expect(try plan.verdict().effect == .clear)
  }

  @Test("an unknown class is held for review wherever it goes, and hosted too")
  func unknownClass() throws {
    var plan = try ActPlan.europe("amd-mi308x", on: "2024-05-01")
    for mode in DeliveryMode.allCases {
      plan.mode = mode
      let verdict = try plan.verdict()
      #expect(verdict.effect == .holdReview)
      let finding = try #require(verdict.finding("us-3a090-2023"))
      #expect(finding.measured.contains(MeasuredValue("tpp", "unknown")))
    }
    plan = try ActPlan("metax-c500", on: "2024-05-01")
    #expect(try plan.verdict().effect == .holdReview)
  }

  @Test("a letter informs everybody but its addressee")
  func letters() throws {
    var plan = try ActPlan("nvidia-h20-96", on: "2025-04-09")
    (plan.from, plan.lender) = ("SG", "SG")
    let informed = try plan.verdict()
    #expect(informed.effect == .clear)
    #expect(informed.informationIDs == ["us-letter-h20"])
    plan.letters = ["us-letter-h20"]
    let bound = try plan.verdict()
    #expect(bound.effect == .holdLicence)
    #expect(bound.finding("us-letter-h20")?.reviewPolicy == "case_by_case")
    plan.on = "2025-04-08"
    #expect(try plan.verdict().findings.isEmpty)
    // The letter that brought the 2023 rule forward names groups that the table knows only from that rule on.
    plan = try ActPlan("nvidia-a800-sxm4-80", on: "2023-10-23")
    (plan.from, plan.lender, plan.letters) = ("SG", "SG", ["us-letter-2023-10"])
    #expect(try plan.verdict().effect == .holdLicence)
  }

  @Test("owners on a list weigh from half of the shares on, while the rule is in force")
  func affiliates() throws {
    var plan = try ActPlan.europe("nvidia-t4", on: "2025-09-29")
    for (bps, on, expected) in [
      (Int64(4_999), "2025-09-29", VerdictEffect.clear), (5_000, "2025-09-28", .clear),
      (5_000, "2025-09-29", .holdLicence),
      (5_000, "2025-11-09", .holdLicence), (5_000, "2025-11-10", .clear), (5_000, "2026-11-09", .clear),
      (5_000, "2026-11-10", .holdReview),
    ] {
      (plan.listedBps, plan.on) = (bps, on)
      #expect(try plan.verdict().effect == expected, "\(bps) on \(on)")
    }
  }

  @Test("a rule that nobody enforces is shown and holds nothing")
  func notEnforced() throws {
    let verdict = try ActPlan.europe("nvidia-h100-sxm5-80", on: "2025-06-01").verdict()
    #expect(verdict.effect == .clear)
    #expect(verdict.informationIDs == ["us-diffusion-2025"])
  }

  @Test("the 2026 rule changes how an export from the United States is reviewed, and nothing else")
  func review2026() throws {
    var plan = try ActPlan("nvidia-h200-sxm-141", on: "2026-01-14")
    (plan.from, plan.lender) = ("US", "US")
    #expect(try plan.verdict().finding("us-dest-2023")?.reviewPolicy == "presumption_of_denial")
    plan.on = "2026-01-15"
    let export = try plan.verdict()
    #expect(export.effect == .holdLicence)
    #expect(export.finding("us-dest-2023")?.reviewPolicy == "case_by_case")
    #expect(export.finding("us-review-2026")?.informationOnly == true)
    plan.chip = try CatalogueFixtures.chip("nvidia-b200")
    #expect(try plan.verdict().finding("us-dest-2023")?.reviewPolicy == "presumption_of_denial")
    plan.chip = try CatalogueFixtures.chip("nvidia-h200-sxm-141")
    (plan.from, plan.lender) = ("SG", "SG")
    #expect(try plan.verdict().finding("us-dest-2023")?.reviewPolicy == "presumption_of_denial")
    var draft = plan.chip.facts
    draft.memoryBandwidthGBs = nil
    (plan.chip, plan.from, plan.lender) = (try ChipModel(draft), "US", "US")
    #expect(try plan.verdict().finding("us-dest-2023")?.reviewPolicy == "presumption_of_denial")
  }

  @Test("hosting what could not be delivered to the same parties goes to review, and what could be stays clear")
  func hosted() throws {
    var plan = try ActPlan("nvidia-h800-sxm5-80", on: "2023-11-17")
    plan.mode = .hosted
    let verdict = try plan.verdict()
    #expect(verdict.regulatoryAct == .hostedAccess)
    #expect(verdict.effect == .holdReview)
    #expect(verdict.finding("us-dest-2023")?.statedEffect == .holdLicence)
    plan.on = "2023-11-16"
    #expect(try plan.verdict().effect == .clear)
    // Chips that stay in Germany for a borrower at home in the Emirates: delivery would have gone there.
    plan = try ActPlan.europe("nvidia-h800-sxm5-80", on: "2024-05-01")
    (plan.mode, plan.to, plan.borrower) = (.hosted, "DE", "AE")
    #expect(try plan.verdict().effect == .holdReview)
    plan.borrower = "FR"
    #expect(try plan.verdict().effect == .clear)
    (plan.borrower, plan.chip) = ("CN", try CatalogueFixtures.chip("nvidia-rtx-4090"))
    #expect(try plan.verdict().effect == .holdReview)
    // A notification would hold delivery too, and that is enough.
    plan = try ActPlan.europe("nvidia-a30", on: "2024-05-01")
    (plan.to, plan.borrower) = ("KH", "KH")
    #expect(try plan.verdict().effect == .holdNotification)
    plan.mode = .hosted
    #expect(try plan.verdict().effect == .holdReview)
  }

  @Test(
    "every kind of act is judged alike, a return to the lender and a title in place included",
    arguments: ActKind.allCases)
  func kinds(_ kind: ActKind) throws {
    var plan = try ActPlan("nvidia-a800-sxm4-80", on: "2024-05-01")
    plan.kind = kind
    #expect(try plan.verdict().effect == .holdLicence)
    plan.on = "2023-04-15"
    #expect(try plan.verdict().effect == .clear)
  }

  @Test("a declared military end use goes to a person, whatever the chip, the place and the mode")
  func endUse() throws {
    var plan = try ActPlan.europe("nvidia-t4", on: "2024-05-01")
    plan.endUse = "Training models for a Military command"
    for mode in DeliveryMode.allCases {
      plan.mode = mode
      let verdict = try plan.verdict()
      #expect(verdict.effect == .holdReview)
      #expect(verdict.ruleIDs == ["us-end-use-744"])
    }
  }

  @Test("the site's aggregate performance stands in the verdict")
  func aggregate() throws {
    var plan = try ActPlan.europe("nvidia-t4", on: "2024-05-01")
    plan.aggregate = try decimal("8320.5")
    #expect(try plan.verdict().measured.contains(MeasuredValue("aggregate_tpp_at_site", "8320.5")))
  }

  @Test("an act of no chips, or of nobody, is no act")
  func malformedActs() throws {
    var plan = try ActPlan.europe("nvidia-t4", on: "2024-05-01")
    plan.quantity = 0
    #expect(throws: CatalogueRefusal.invalidQuantity(0)) { try plan.act() }
    plan.quantity = 1
    let act = try plan.act()
    #expect(throws: CatalogueRefusal.noParty) {
      try ExportAct(
        kind: .offer, date: act.date, chip: act.chip, quantity: 1, from: act.from, to: act.to, deliveryMode: .physical,
        endUse: "", parties: [])
    }
  }
}
