import Foundation
import Primitives
import StrictCSV
import Testing

@testable import Catalogue

/// The seed that the service is delivered with, and the known answers, read from the working copy.
enum CatalogueFixtures {
  static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  static func bytes(_ path: String) throws -> [UInt8] {
    Array(try Data(contentsOf: root.appending(path: path)))
  }

  static func seed(_ name: String) throws -> [UInt8] { try bytes("schema/seed/\(name)") }

  static func answers(_ name: String) throws -> CSVTable {
    try CSVTable(parsing: try bytes("Tests/Fixtures/catalogue/\(name)"))
  }

  static func countries() throws -> CountryScope { try CountryScope(fromCSV: try seed("country-scope.csv")) }

  static func rules() throws -> ExportRules {
    try ExportRules(parsing: try seed("export-rules.json"), countries: try countries())
  }

  /// The pack with one piece of its text replaced, to see what a changed rule does.
  static func rules(replacing old: String, with new: String) throws -> ExportRules {
    let text = try #require(String(validating: try seed("export-rules.json"), as: UTF8.self))
    try #require(text.contains(old))
    return try ExportRules(parsing: Array(text.replacing(old, with: new).utf8), countries: try countries())
  }

  static func chips() throws -> [ChipModelID: ChipModel] {
    let models = try ChipModel.models(fromCSV: try seed("chip-models.csv"))
    return Dictionary(uniqueKeysWithValues: models.map { ($0.id, $0) })
  }

  static func chip(_ id: String) throws -> ChipModel {
    try #require(try chips()[chipID(id)])
  }

  static func organization(_ number: UInt64) -> OrganizationID {
    OrganizationID(UUIDValue(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_0000 | number))
  }
}

func date(_ text: String) throws -> CalendarDate { try #require(CalendarDate(text)) }
func chipID(_ text: String?) throws -> ChipModelID { try #require(text.flatMap { ChipModelID($0) }) }
func country(_ text: String) throws -> CountryCode { try #require(CountryCode(text)) }
func decimal(_ text: String) throws -> ExactDecimal { try #require(ExactDecimal(text)) }

/// An act in its plainest form; each test changes what it is about.
struct ActPlan {
  var kind = ActKind.handOver
  var chip: ChipModel
  var on: String
  var quantity: Int64 = 8
  var from = "CN"
  var to = "CN"
  var mode = DeliveryMode.physical
  var endUse = "training of language models"
  var lender = "CN"
  var borrower = "CN"
  var borrowerParent: String?
  var listedBps: Int64 = 0
  var letters: Set<String> = []
  var aggregate: ExactDecimal?

  init(_ chip: String, on: String) throws {
    self.chip = try CatalogueFixtures.chip(chip)
    self.on = on
  }

  /// Chips of a European lender at home, for a borrower at home: nothing but the chip can matter.
  static func europe(_ chip: String, on: String) throws -> ActPlan {
    var plan = try ActPlan(chip, on: on)
    (plan.from, plan.to, plan.lender, plan.borrower) = ("DE", "FR", "DE", "FR")
    return plan
  }

  func act() throws -> ExportAct {
    let listed = PartyOwner(share: BasisPoints(listedBps), jurisdiction: try country("CN"), isListed: true)
    let free = PartyOwner(share: BasisPoints(10_000 - listedBps), jurisdiction: try country("SG"), isListed: false)
    return try ExportAct(
      kind: kind, date: try date(on), chip: chip, quantity: quantity,
      from: ActSite(country: try country(from), region: "r1"), to: ActSite(country: try country(to), region: "r2"),
      deliveryMode: mode, endUse: endUse,
      parties: [
        ExportParty(
          organizationID: CatalogueFixtures.organization(1), role: .lender, jurisdiction: try country(lender),
          letterRuleIDs: letters),
        ExportParty(
          organizationID: CatalogueFixtures.organization(2), role: .borrower, jurisdiction: try country(borrower),
          ultimateParentJurisdiction: try borrowerParent.map { try country($0) }, owners: [listed, free]),
      ], aggregateTPPAtSite: aggregate)
  }

  func verdict(_ rules: ExportRules? = nil, licences: [Licence] = []) throws -> Verdict {
    let rules = try rules ?? CatalogueFixtures.rules()
    return rules.verdict(on: try act(), licences: licences)
  }
}

extension Verdict {
  /// Rules with consequence, strictest first.
  var ruleIDs: [String] { findings.filter { !$0.informationOnly }.map(\.ruleID) }
  var informationIDs: [String] { findings.filter(\.informationOnly).map(\.ruleID) }
  func finding(_ id: String) -> RuleFinding? { findings.first { $0.ruleID == id } }
}
