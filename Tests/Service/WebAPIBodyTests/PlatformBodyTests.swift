import Catalogue
import Foundation
import Lending
import Ledger
import Matching
import Operations
import Parties
import Primitives
import StrictJSON
import Testing
import WebAPI

// Runs and rounds as stored come out of rows only; here they are made by hand.
@testable import Persistence

@Suite("Bodies of runs, rounds, licences, verdicts and records")
struct PlatformBodyTests {
  @Test("a settlement run names a job and a date, a match round a segment or none, a clock its moment")
  func jobs() throws {
    let run = Sample(["job": "\"accrual\"", "business_date": "\"2024-03-01\""])
    let changes: [[Change]] = [
      requiredChanges("job", "business_date"), dateChanges("business_date"), Change.good("job", "\"payout\""),
      Change.bad("job", "enum", "\"everything\""), Change.good("parameters", nil, "null", "{}"),
      Change.bad("parameters", "unknown", at: "/parameters/x", "{\"x\":1}"), Change.bad("parameters", "type", "[]"),
    ]
    check(run, changes) { PlanSettlementRun.parse(&$0) }
    #expect(try read(run) { PlanSettlementRun.parse(&$0) }.job == .accrual)
    let segment = Sample(["segment": #"{"chip_model_id":"h20","region":"CN-north"}"#])
    let segments: [[Change]] = [
      optionalChanges("segment"), Change.good("segment", "{}", #"{"region":"CN-north"}"#, #"{"chip_model_id":"h20"}"#),
      Change.bad("segment", "type", "\"CN-north\"", "[]"),
      Change.bad("segment", "format", at: "/segment/region", #"{"region":"CN north"}"#),
      Change.bad("segment", "format", at: "/segment/chip_model_id", #"{"chip_model_id":"H20"}"#),
      Change.bad("segment", "unknown", at: "/segment/term", #"{"term":1}"#),
    ]
    check(segment, segments) { PlanMatchRound.parse(&$0) }
    let part = try read(segment) { PlanMatchRound.parse(&$0) }.segment
    #expect(part == MatchSegment(chipModel: ChipModelID("h20"), region: "CN-north"))
    let whole = try read(Sample([:])) { PlanMatchRound.parse(&$0) }.segment
    #expect(whole == .whole)
    let clock = Sample(["now": "\"2024-03-01T08:00:00+08:00\""])
    let moments: [[Change]] = [
      requiredChanges("now"), Change.good("now", "\"1970-01-01T00:00:00Z\"", "\"9999-12-31T23:59:59.999999Z\""),
      Change.bad("now", "format", "\"1969-12-31T23:59:59Z\"", "\"2024-03-01\"", "\"9999-12-31T23:59:59-01:00\""),
      Change.bad("now", "type", "1700000000"),
    ]
    check(clock, moments) { MoveClock.parse(&$0, isSandbox: true) }
    #expect(try read(clock) { MoveClock.parse(&$0, isSandbox: true) }.to == Instant("2024-03-01T00:00:00Z"))
  }

  @Test("a licence is for a model or a class, one of the two")
  func licences() throws {
    let sample = Sample([
      "holder_organization_id": "\"\(lender)\"", "consignee_organization_id": "\"\(borrower)\"",
      "chip_model_id": "\"h20\"", "destination": "\"CN\"", "quota": "500", "valid_from": "\"2024-01-01\"",
      "valid_to": "\"2025-01-01\"", "reference": "\"BIS-1\"",
    ])
    let changes: [[Change]] = [
      requiredChanges("holder_organization_id", "destination", "quota", "valid_from", "reference"),
      optionalChanges("consignee_organization_id", "valid_to"),
      idChanges("holder_organization_id", prefix: "org"), idChanges("consignee_organization_id", prefix: "org"),
      quantityChanges("quota"), dateChanges("valid_from"), dateChanges("valid_to"), textChanges("reference", 200),
      Change.bad("destination", "format", "\"China\""),
    ]
    check(sample, changes) { AddLicence.parse(&$0) }
    func found(_ sample: Sample) -> [String] { faults(sample) { AddLicence.parse(&$0) } }
    let byNeither = sample.with("chip_model_id", nil)
    #expect(found(byNeither) == ["field.missing /chip_model_id"])
    #expect(found(sample.with("export_class", "\"3A090.a\"")) == ["field.conflict /export_class"])
    for word in ["not_controlled", "unknown", "3A090.c"] {
      #expect(found(byNeither.with("export_class", "\"\(word)\"")) == ["field.enum /export_class"])
    }
    let byClass = sample.with("chip_model_id", nil).with("export_class", "\"3A090.a\"")
    guard case .exportClass(.eccn3A090a) = try read(byClass, { AddLicence.parse(&$0) }).subject else {
      Issue.record("not for a class")
      return
    }
    let licence = try Licence(
      id: LicenceID(uuid(21)), holder: lender, subject: .exportClass(.eccn3A090b),
      destination: try #require(CountryCode("CN")), quota: 10, used: 4, validFrom: try date("2024-01-01"), validTo: nil)
    let moment = try instant("2024-01-01T00:00:00Z")
    let record = LicenceRecord(licence: licence, reference: "BIS-1", createdAt: moment, updatedAt: moment)
    #expect(
      try written { record.write(to: &$0) }
        == golden(
          """
          {"id":"\(LicenceID(uuid(21)))","holder_organization_id":"\(lender)","consignee_organization_id":null,
          "chip_model_id":null,"export_class":"3A090.b","destination":"CN","quota":10,"used":4,"remaining":6,
          "valid_from":"2024-01-01","valid_to":null,"reference":"BIS-1",
          "version":1,"created_at":"2024-01-01T00:00:00Z","updated_at":"2024-01-01T00:00:00Z"}
          """))
  }

  let exportCheck = Sample([
    "chip_model_id": "\"nvidia-h100-sxm5-80\"", "quantity": "8", "act": "\"hand_over\"", "on": "\"2023-12-01\"",
    "from_organization_id": "\"\(lender)\"", "to_organization_id": "\"\(borrower)\"",
    "from_site": "{\"country\":\"SG\",\"region\":\"SG\"}", "to_site": "{\"country\":\"CN\",\"region\":\"CN-north\"}",
    "delivery_mode": "\"physical\"", "end_use": "\"training\"",
  ])

  @Test("an export check states everything that may change its answer")
  func exportChecks() throws {
    let changes: [[Change]] = [
      requiredChanges(
        "chip_model_id", "quantity", "act", "on", "from_organization_id", "to_organization_id", "from_site", "to_site",
        "delivery_mode", "end_use"),
      quantityChanges("quantity"), dateChanges("on"), textChanges("end_use", 500),
      idChanges("from_organization_id", prefix: "org"), idChanges("to_organization_id", prefix: "org"),
      Change.good("act", "\"return\"", "\"title_transfer\""), Change.bad("act", "enum", "\"smuggle\""),
      Change.bad("to_site", "missing", at: "/to_site/region", "{\"country\":\"CN\"}"),
    ]
    check(exportCheck, changes) { ExportCheckBody.parse(&$0) }
    let body = try read(exportCheck) { ExportCheckBody.parse(&$0) }
    #expect(body.act == .handOver)
    #expect((body.fromSite.country.value, body.toSite.region) == ("SG", "CN-north"))
  }

  static func seed(_ name: String) throws -> [UInt8] {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    return Array(try Data(contentsOf: root.appending(path: "schema/seed/\(name)")))
  }

  @Test("a verdict shows its effect and each rule with what was measured, in answers and in records")
  func verdicts() throws {
    let countries = try CountryScope(fromCSV: try Self.seed("country-scope.csv"))
    let rules = try ExportRules(parsing: try Self.seed("export-rules.json"), countries: countries)
    let models = try ChipModel.models(fromCSV: try Self.seed("chip-models.csv"))
    let chip = try #require(models.first { $0.id.value.contains("h100-sxm") })
    let body = try read(exportCheck.with("chip_model_id", "\"\(chip.id)\"")) { ExportCheckBody.parse(&$0) }
    let act = try ExportAct(
      kind: body.act, date: body.on, chip: chip, quantity: body.quantity, from: body.fromSite, to: body.toSite,
      deliveryMode: body.deliveryMode, endUse: body.endUse,
      parties: [
        ExportParty(organizationID: lender, role: .lender, jurisdiction: body.fromSite.country),
        ExportParty(organizationID: borrower, role: .borrower, jurisdiction: body.toSite.country),
      ])
    let verdict = rules.verdict(on: act)
    #expect(!verdict.isClear)
    let options = rules.lawfulOptions(for: verdict, of: act, catalogue: models)
    let root = try JSONDocument(
      parsing: Array(try written { body.write(verdict, options: options, to: &$0) }.utf8)
    ).root
    #expect(root["verdict"]?.asString == verdict.effect.rawValue)
    #expect(root["class"]?.asString == "3A090.a")
    #expect(root["rules"]?.elements.count == verdict.findings.count)
    let rule = try #require(root["rules"]?.elements.first)
    for name in ["id", "measured", "threshold", "effect", "source"] { #expect(rule[name] != nil, "\(name)") }
    #expect(root["options"]?.elements.count == options.count)
    #expect(root["from_site"]?["country"]?.asString == "SG")
    let alone = try JSONDocument(parsing: Array(try written { verdict.write(to: &$0) }.utf8)).root
    #expect(alone["effect"]?.asString == verdict.effect.rawValue)
    #expect(alone["verdict"]?.asString == verdict.effect.rawValue)
    #expect(alone["act"]?.asString == "hand_over")
    #expect(alone["on"]?.asString == "2023-12-01")
    let row = VerdictRow(
      id: VerdictID(uuid(22)), borrowerID: borrower, lenderID: lender, act: verdict.kind.rawValue, on: verdict.date,
      subject: uuid(11), chipModelID: chip.id, quantity: 8, effect: verdict.effect.rawValue, licenceID: nil,
      findings: verdict.findingsJSON, acted: false, recordedAt: try instant("2023-12-01T00:00:00Z"))
    let stored = try JSONDocument(parsing: Array(try written { row.write(to: &$0) }.utf8)).root
    #expect(stored["rules"]?.elements.count == verdict.findings.count)
    #expect(stored["subject_id"]?.asString == uuid(11).description)
    #expect(stored["acted"]?.asBool == false)
    let model = try JSONDocument(
      parsing: Array(try written { chip.write(to: &$0, classification: verdict.classification) }.utf8)
    ).root
    #expect(model["tpp"]?.asString == chip.tpp?.description)
    #expect(model["performance_density"]?.asString == chip.displayedPerformanceDensity?.description)
    #expect(model["memory_gb"]?.asString == "80")
    #expect(model["export_class"]?["class"]?.asString == "3A090.a")
  }

  @Test("lawful options are told apart by their kind")
  func options() throws {
    let shown: [(LawfulOption, String)] = [
      (
        .licence(ruleIDs: ["r1"], reviewPolicies: ["denial"]),
        "{\"kind\":\"licence\",\"rule_ids\":[\"r1\"],\"review_policies\":[\"denial\"]}"
      ),
      (
        .notification(ruleIDs: ["r2"], days: 25), "{\"kind\":\"notification\",\"rule_ids\":[\"r2\"],\"days\":25}"
      ),
      (
        .substitute(try #require(ChipModelID("h20")), name: "H20"),
        "{\"kind\":\"substitute\",\"chip_model_id\":\"h20\",\"name\":\"H20\"}"
      ),
    ]
    for (option, text) in shown { #expect(try written { option.write(to: &$0) } == text) }
  }

  @Test("a run shows its progress and sums, a round the members of its record")
  func runs() throws {
    let moment = try instant("2024-03-01T00:00:00Z")
    let run = SettlementRun(
      id: SettlementRunID(uuid(18)), job: "accrual", businessDate: try date("2024-03-01"), state: .running, total: 10,
      done: 3, dead: 0, totals: Array("{}".utf8), error: nil, stages: Array("[]".utf8), stage: 0, isPlanned: true,
      previewHash: nil, effectsHash: nil, approval: .notNeeded, approvedBy: nil, endedAt: nil, attempt: 1,
      requestedBy: nil, version: 3, createdAt: moment, updatedAt: moment)
    var counted = RunProgress()
    (counted.done, counted.totals) = (4, ["fee_usd": 12])
    let root = try JSONDocument(parsing: Array(try written { run.with(counted).write(to: &$0) }.utf8)).root
    #expect(root["progress"]?["done"]?.asInteger == 4)
    #expect(root["progress"]?["total"]?.asInteger == 10)
    #expect(root["totals"]?["fee_usd"]?.asInteger == 12)
    #expect(root["error"]?.isNull == true)
    let planned = PlannedRun(
      id: run.id, job: "accrual", businessDate: run.businessDate, requestedBy: nil, createdAt: moment)
    let first = try JSONDocument(parsing: Array(try written { planned.write(to: &$0) }.utf8)).root
    #expect(first["state"]?.asString == "planned")
    #expect(first["totals"]?.members.isEmpty == true)
    let digest = SHA256Digest(of: [1])
    let record =
      #"{"leftovers":[{"order":"req_1"}],"id":7,"objective":12345678901234567890123,"#
      + #""classes":[{"clearing_rate_bps":1200}],"matched_pairs":2}"#
    let round = MatchRoundRow(
      id: MatchRoundID(uuid(7)), state: .succeeded, segment: MatchSegment(region: "CN-north"), businessAt: moment,
      digest: digest,
      result: Array(record.utf8), offersMade: 2, offersRefused: 0, error: nil, attempt: 1, version: 2,
      createdAt: moment, updatedAt: moment)
    let shown = try JSONDocument(parsing: Array(try written { round.write(to: &$0) }.utf8)).root
    #expect(shown["digest"]?.asString == digest.description)
    #expect(shown["objective"]?.rawNumber == "12345678901234567890123")
    #expect(shown["segment"]?["region"]?.asString == "CN-north" && shown["segment"]?["chip_model_id"]?.isNull == true)
    #expect(shown["classes"]?.elements.first?["clearing_rate_bps"]?.asInteger == 1_200)
    #expect(shown["matched_pairs"]?.asInteger == 2)
    #expect(shown["leftovers"]?.elements.count == 1)
    #expect(shown["id"]?.asString == MatchRoundID(uuid(7)).description)
    #expect(shown["bound"]?.isNull == true)
    let outside = try JSONDocument(parsing: Array(try written { round.write(to: &$0, view: .market) }.utf8)).root
    #expect(outside["leftovers"] == nil)
    #expect(outside["classes"]?.elements.count == 1)
    #expect(outside["matched_pairs"]?.asInteger == 2)
  }

  @Test("an entry shows its lines with accounts and assets, an audit row who did what")
  func records() throws {
    let moment = try instant("2024-03-01T00:00:00Z")
    let entry = JournalEntryRow(
      book: lender, id: JournalEntryID(uuid(23)), sequence: 5, kind: .feeAccrued, businessDate: try date("2024-03-01"),
      subject: uuid(11), recordedAt: moment)
    let usd = Asset.currency(.usd)
    let rows = [
      JournalLineRow(
        entryID: entry.id, number: 1,
        line: JournalLine(AccountRef(lender, .receivableFee, uuid(11), asset: usd), 40)),
      JournalLineRow(
        entryID: entry.id, number: 2, line: JournalLine(AccountRef(lender, .paidOut, asset: usd), -40)),
    ]
    let root = try JSONDocument(parsing: Array(try written { entry.write(to: &$0, lines: rows) }.utf8)).root
    #expect(root["sequence"]?.asInteger == 5)
    #expect(root["kind"]?.asString == "fee_accrued")
    let lines = try #require(root["lines"]?.elements.map { $0 })
    #expect(lines.map { $0["amount"]?.asInteger } == [40, -40])
    #expect(lines.map { $0["account"]?.asString } == ["receivable.fee", "paid_out"])
    #expect(lines.map { $0["asset"]?.asString } == ["USD", "USD"])
    #expect(lines[1]["subject_id"]?.isNull == true)
    let audit = AuditRow(
      organizationID: lender, id: uuid(24), at: moment, recordedAt: moment, credential: .key(APIKeyID(uuid(9))),
      personID: nil, action: "lot.create", subject: uuid(3), outcome: "done", requestID: nil)
    let shown = try JSONDocument(parsing: Array(try written { audit.write(to: &$0) }.utf8)).root
    #expect(shown["action"]?.asString == "lot.create")
    #expect(shown["key_id"]?.asString == APIKeyID(uuid(9)).description && shown["binding_id"]?.isNull == true)
    #expect(shown["person_id"]?.isNull == true)
  }
}
