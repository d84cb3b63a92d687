import Primitives
import Testing

@testable import Catalogue

@Suite("Licences")
struct LicenceTests {
  private func licence(
    _ number: UInt64 = 1, subject: Licence.Subject? = nil, to: String = "CN", quota: Int64 = 100, used: Int64 = 0,
    holder: UInt64 = 1, consignee: UInt64? = nil, from: String = "2023-11-17", until: String? = "2024-12-31"
  ) throws -> Licence {
    try Licence(
      id: LicenceID(UUIDValue(high: 1, low: number)), holder: CatalogueFixtures.organization(holder),
      consignee: consignee.map { CatalogueFixtures.organization($0) },
      subject: try subject ?? .chip(chipID("nvidia-a800-sxm4-80")), destination: try country(to), quota: quota,
      used: used, validFrom: try date(from), validTo: try until.map { try date($0) })
  }

  @Test("a licence with enough quota clears what only a licence was wanting, and says what it uses")
  func covers() throws {
    let plan = try ActPlan("nvidia-a800-sxm4-80", on: "2024-05-01")
    let verdict = try plan.verdict(licences: [licence(quota: 8)])
    #expect(verdict.effect == .clear)
    #expect(verdict.licenceUse?.quantity == 8)
    #expect(verdict.licenceUse?.licenceID == (try licence()).id)
    #expect(verdict.findings.map(\.licenceID).allSatisfy { $0 != nil })
    #expect(verdict.findings.map(\.statedEffect) == [.holdLicence, .holdLicence])
    let byClass = try plan.verdict(licences: [licence(subject: .exportClass(.eccn3A090a))])
    #expect(byClass.effect == .clear)
  }

  @Test("a licence that falls short in one respect covers nothing")
  func shortfalls() throws {
    let plan = try ActPlan("nvidia-a800-sxm4-80", on: "2024-05-01")
    let short = try [
      licence(quota: 7), licence(quota: 100, used: 93), licence(to: "HK"), licence(holder: 9), licence(consignee: 9),
      licence(consignee: 1), licence(from: "2024-05-02"), licence(until: "2024-05-01"),
      licence(subject: .chip(chipID("nvidia-h800-sxm5-80"))), licence(subject: .exportClass(.eccn3A090b)),
    ]
    for candidate in short {
      #expect(try plan.verdict(licences: [candidate]).effect == .holdLicence)
    }
    // Two quotas never add up to one act.
    #expect(try plan.verdict(licences: [licence(1, quota: 4), licence(2, quota: 4)]).effect == .holdLicence)
    var hosted = plan
    hosted.mode = .hosted
    #expect(try hosted.verdict(licences: [licence()]).effect == .holdReview)
  }

  @Test("a licence clears neither a review nor a refusal")
  func limits() throws {
    var plan = try ActPlan("nvidia-a800-sxm4-80", on: "2024-05-01")
    plan.endUse = "military"
    let verdict = try plan.verdict(licences: [licence()])
    #expect(verdict.effect == .holdReview)
    #expect(verdict.licenceUse == nil)
    #expect(verdict.finding("us-dest-2023")?.licenceID != nil)
    plan = try ActPlan("huawei-ascend-910b2", on: "2025-06-01")
    let refused = try plan.verdict(licences: [licence(subject: .exportClass(.eccn3A090a), until: nil)])
    #expect(refused.effect == .refuse)
    #expect(refused.licenceUse == nil)
  }

  @Test("a hold for listed owners is met only by a licence that names the party")
  func listedOwners() throws {
    var plan = try ActPlan.europe("nvidia-t4", on: "2025-10-01")
    plan.listedBps = 6_000
    let subject = Licence.Subject.chip(try chipID("nvidia-t4"))
    let nameless = try licence(subject: subject, to: "FR", until: nil)
    #expect(try plan.verdict(licences: [nameless]).effect == .holdLicence)
    let named = try licence(subject: subject, to: "FR", consignee: 2, until: nil)
    #expect(try plan.verdict(licences: [named]).effect == .clear)
  }

  @Test("of several licences the one that ends first is used, then the smaller id, in whatever order they come")
  func choice() throws {
    let plan = try ActPlan("nvidia-a800-sxm4-80", on: "2024-05-01")
    let all = try [licence(3, until: nil), licence(2, until: "2024-06-01"), licence(1, until: "2024-06-01")]
    #expect(try plan.verdict(licences: all).licenceUse?.licenceID == all[2].id)
    #expect(try plan.verdict(licences: all.reversed()).licenceUse?.licenceID == all[2].id)
  }

  @Test("a quota never goes below zero nor above what was granted")
  func quota() throws {
    var licence = try licence(quota: 10, used: 4)
    try licence.use(6)
    #expect(licence.remaining == 0)
    #expect(throws: CatalogueRefusal.licenceExhausted(asked: 1, remaining: 0)) { try licence.use(1) }
    #expect(throws: CatalogueRefusal.releaseExceedsUse(asked: 11, used: 10)) { try licence.release(11) }
    try licence.release(10)
    #expect(licence.used == 0)
    #expect(throws: CatalogueRefusal.invalidQuantity(-1)) { try licence.use(-1) }
    #expect(throws: CatalogueRefusal.invalidQuantity(.min)) { try licence.release(.min) }
    #expect(throws: CatalogueRefusal.invalidQuota(quota: 1, used: 2)) { try self.licence(quota: 1, used: 2) }
    #expect(throws: CatalogueRefusal.invalidValidity) { try self.licence(from: "2024-01-01", until: "2024-01-01") }
  }

  @Test("the options of a held act are a licence, a notification or another product, and nothing else")
  func options() throws {
    let rules = try CatalogueFixtures.rules()
    let chips = Array(try CatalogueFixtures.chips().values)
    var plan = try ActPlan("nvidia-a800-sxm4-80", on: "2024-05-01")
    let act = try plan.act()
    let options = rules.lawfulOptions(for: rules.verdict(on: act), of: act, catalogue: chips)
    #expect(
      options.first
        == .licence(ruleIDs: ["us-dest-2023", "us-hq-2023"], reviewPolicies: ["presumption_of_denial"]))
    let substitutes = options.dropFirst().compactMap { option -> ChipModelID? in
      if case .substitute(let id, _) = option { id } else { nil }
    }
    #expect(substitutes.count == 5)
    #expect(substitutes.count == options.count - 1)
    for id in substitutes {
      var other = plan
      other.chip = try CatalogueFixtures.chip(id.value)
      #expect(try other.verdict().effect == .clear)
      #expect(try #require(other.chip.facts.releasedOn).latest <= act.date)
    }
    let tpps = try substitutes.map { try #require(CatalogueFixtures.chip($0.value).tpp) }
    #expect(tpps == tpps.sorted(by: >))

    plan = try ActPlan("nvidia-rtx-4090", on: "2024-05-01")
    (plan.from, plan.lender) = ("US", "US")
    let export = try plan.act()
    let notify = rules.lawfulOptions(for: rules.verdict(on: export), of: export, catalogue: [])
    #expect(notify == [.notification(ruleIDs: ["us-nac-2023"], days: 25)])

    plan = try ActPlan("huawei-ascend-910b2", on: "2025-06-01")
    let refused = try plan.act()
    #expect(rules.lawfulOptions(for: rules.verdict(on: refused), of: refused, catalogue: []).isEmpty)
    plan = try ActPlan.europe("nvidia-t4", on: "2025-06-01")
    let clear = try plan.act()
    #expect(rules.lawfulOptions(for: rules.verdict(on: clear), of: clear, catalogue: chips).isEmpty)
  }
}
