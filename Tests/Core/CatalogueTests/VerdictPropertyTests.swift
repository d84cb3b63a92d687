import Primitives
import Testing

@testable import Catalogue

/// Laws that hold for every act, on acts drawn from a fixed sequence.
@Suite("Verdicts, for all acts")
struct VerdictPropertyTests {
  /// A fixed sequence, so that a failure can be repeated (splitmix64).
  private struct Sequence64 {
    var state: UInt64
    mutating func next(below bound: Int) -> Int {
      state &+= 0x9E37_79B9_7F4A_7C15
      var word = state
      word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
      word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
      return Int((word ^ (word >> 31)) % UInt64(bound))
    }
    mutating func pick<Value>(_ values: [Value]) -> Value { values[next(below: values.count)] }
  }

  private func acts(_ count: Int, seed: UInt64) throws -> [ExportAct] {
    var draw = Sequence64(state: seed)
    let chips = try CatalogueFixtures.chips().values.sorted { $0.id < $1.id }
    let places = ["CN", "HK", "MO", "US", "SG", "AE", "CY", "DE", "RU", "KH"]
    let first = try date("2022-08-01")
    var plan = try ActPlan("nvidia-t4", on: "2024-01-01")
    return try (0..<count).map { _ in
      plan.chip = draw.pick(chips)
      plan.on = try #require(first.adding(days: Int64(draw.next(below: 1_620)))).description
      plan.kind = draw.pick(ActKind.allCases)
      plan.mode = draw.pick(DeliveryMode.allCases)
      (plan.from, plan.to) = (draw.pick(places), draw.pick(places))
      (plan.lender, plan.borrower) = (draw.pick(places), draw.pick(places))
      plan.borrowerParent = draw.pick([nil, nil, "CN", "US"])
      plan.listedBps = draw.pick([0, 0, 0, 5_000])
      plan.endUse = draw.pick(["training", "training", "training", "military use"])
      plan.letters = draw.pick([[], [], ["us-letter-h20", "us-letter-2023-10", "us-letter-2022-08"]])
      return try plan.act()
    }
  }

  private func pack(_ rules: ExportRules, licence: [LicenceRule]) -> ExportRules {
    ExportRules(
      asOf: rules.asOf, classificationRules: rules.classificationRules, licenceRules: licence,
      countries: rules.countries)
  }

  @Test("a rule that neither excepts nor changes a review never loosens; one that changes a review changes no effect")
  func monotone() throws {
    let rules = try CatalogueFixtures.rules()
    let acts = try acts(1_500, seed: 7)
    var tightened = 0
    for (index, rule) in rules.licenceRules.enumerated() where !rule.isException {
      var fewer = rules.licenceRules
      fewer.remove(at: index)
      let without = pack(rules, licence: fewer)
      for act in acts {
        let (before, after) = (without.effect(of: act), rules.effect(of: act))
        #expect(before <= after, "\(rule.header.id) on \(act.date) for \(act.chip.id)")
        if before < after { tightened += 1 }
        if rule.changesReviewOnly || rule.isInformation { #expect(before == after) }
      }
    }
    #expect(tightened > 300)
  }

  @Test("an exception never tightens, and takes nothing that no class requirement asked for")
  func exceptions() throws {
    let rules = try CatalogueFixtures.rules()
    let without = pack(rules, licence: rules.licenceRules.filter { !$0.isException })
    var loosened = 0
    for act in try acts(4_000, seed: 11) {
      let (strict, present) = (without.verdict(on: act), rules.verdict(on: act))
      #expect(present.effect <= strict.effect)
      if present.effect < strict.effect {
        loosened += 1
        #expect(present.findings.contains { $0.replacedBy != nil } || act.deliveryMode == .hosted)
        #expect(present.classification.nacAcaEligible == true)
      }
    }
    #expect(loosened > 30)
  }

  @Test("no act is clear while the class is unknown, and the verdict is the strictest of its findings")
  func unknownAndStrictest() throws {
    let rules = try CatalogueFixtures.rules()
    var unknown = 0
    for act in try acts(6_000, seed: 13) {
      let verdict = rules.verdict(on: act)
      if verdict.classification.exportClass == .unknown {
        unknown += 1
        #expect(verdict.effect >= .holdReview)
      }
      let strictest = verdict.findings.filter { !$0.informationOnly }.map { VerdictEffect($0.effect) }.max()
      #expect(verdict.effect == strictest ?? .clear)
      #expect(verdict.effect == rules.effect(of: act))
      #expect(verdict.findings.map(\.effect) == verdict.findings.map(\.effect).sorted(by: >))
      for finding in verdict.findings {
        #expect(!finding.threshold.isEmpty)
        #expect(!finding.measured.isEmpty)
      }
    }
    #expect(unknown > 300)
  }

  @Test("a pack that nobody approved holds what it held, excepts nothing, and clears nothing by class")
  func unapproved() throws {
    let rules = try CatalogueFixtures.rules()
    let approval = """
      "approval": {
          "by": "seed",
          "on": "2026-11-23"
         }
      """
    let bare = try CatalogueFixtures.rules(replacing: ",\n   " + approval, with: "")
    #expect(bare.licenceRules.allSatisfy { $0.header.approval == nil })
    let firstRule = try date("2022-10-21")
    for act in try acts(3_000, seed: 17) {
      let (approved, unapproved) = (rules.effect(of: act), bare.effect(of: act))
      #expect(unapproved >= approved)
      if act.date >= firstRule, rules.classify(act.chip, on: act.date).exportClass == .notControlled {
        #expect(unapproved >= .holdReview)
      }
    }
  }

  @Test("a rule graded from recollection, or in doubt, takes part in no clearing", arguments: ["R", "doubt"])
  func recollection(_ how: String) throws {
    let rules =
      switch how {
      case "R":
        try CatalogueFixtures.rules(
          replacing: #""certainty": "P eligibility, S mechanics""#, with: #""certainty": "R""#)
      default:
        try CatalogueFixtures.rules(
          replacing: #""certainty": "P eligibility, S mechanics""#,
          with: #""certainty": "P eligibility", "status": "unconfirmed: to be seen""#)
      }
    var plan = try ActPlan("nvidia-rtx-4090", on: "2024-02-01")
    (plan.from, plan.lender) = ("US", "US")
    #expect(try plan.verdict(rules).effect == .holdLicence)
  }

  @Test("a licence makes no verdict stricter, and clears only what nothing else holds")
  func licences() throws {
    let rules = try CatalogueFixtures.rules()
    var used = 0
    for (index, act) in try acts(3_000, seed: 19).enumerated() {
      let licence = try Licence(
        id: LicenceID(UUIDValue(high: 0, low: UInt64(index))), holder: CatalogueFixtures.organization(1),
        consignee: CatalogueFixtures.organization(2), subject: .chip(act.chip.id), destination: act.to.country,
        quota: act.quantity, used: 0, validFrom: act.date, validTo: nil)
      let (plain, covered) = (rules.verdict(on: act), rules.verdict(on: act, licences: [licence]))
      #expect(covered.effect <= plain.effect)
      #expect((covered.licenceUse != nil) == (plain.effect == .holdLicence && covered.isClear))
      guard plain.effect == .holdLicence else {
        #expect(covered == plain)
        continue
      }
      used += 1
      let others = plain.findings.filter { !$0.informationOnly && $0.effect != .holdLicence }
      #expect(covered.effect == others.map { VerdictEffect($0.effect) }.max() ?? .clear)
    }
    #expect(used > 100)
  }

  @Test("acts with one key have one effect, and what rules do not ask for does not enter the key")
  func keys() throws {
    let rules = try CatalogueFixtures.rules()
    let acts = try acts(6_000, seed: 23)
    var effects: [RuleKey: VerdictEffect] = [:]
    for act in acts {
      let key = RuleKey(act)
      let effect = rules.effect(of: act)
      #expect(effects.updateValue(effect, forKey: key) ?? effect == effect)
      for kind in ActKind.allCases {
        let other = try ExportAct(
          kind: kind, date: act.date, chip: act.chip, quantity: act.quantity + 1,
          from: ActSite(country: act.from.country, region: "elsewhere"), to: act.to, deliveryMode: act.deliveryMode,
          endUse: act.endUse.uppercased(), parties: act.parties.reversed())
        #expect(RuleKey(other) == key)
        if kind == .titleTransfer { #expect(rules.effect(of: other) == effect) }
      }
    }
    #expect(effects.count > 5_000)
    #expect(Set(effects.values) == Set(VerdictEffect.allCases))
  }
}
