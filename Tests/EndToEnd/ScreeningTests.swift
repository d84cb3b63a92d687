import Foundation
import ServiceHarness
import StrictJSON
import Testing

extension EndToEnd {
  @Test("lists of parties, over HTTP: loaded, switched on by a second person, asked at each act, decided on by persons")
  func screeningLists() async throws {
    try await withDeployment { deployment in
      let service = try deployment.serve()
      let stage = try ScreeningStage(deployment, service)
      try stage.isLoaded()
      try stage.isSwitchedOn()
      try stage.holdsActs()
      try stage.holdsPayments()
      try stage.isDecided()
      try stage.isDated()
      try stage.beginsTheDay()
      let verified = try deployment.run(["verify"])
      #expect(verified.status == 0, "\(verified.output)")
    }
  }
}

/// A lender and a startup with a running loan, of which a part is paid, before the first list is loaded.
private final class ScreeningStage {
  let deployment: Deployment
  let service: Service
  let lender: Party
  let startup: Party
  let loan: String
  var pack = ""

  init(_ deployment: Deployment, _ service: Service) throws {
    self.deployment = deployment
    self.service = service
    lender = try deployment.enrol(service, "Harbour Compute Partners Ltd.", role: "lender")
    startup = try deployment.enrol(service, "Example Cloud Models", role: "startup")
    try deployment.openMarket(service)
    loan = try deployment.lend(service, from: lender, to: startup)
    try hasDebtDue()
    try pay(1_000_000, "first")
  }

  /// A round makes half of its cash due of the loan.
  private func hasDebtDue() throws {
    let round = try deployment.post(
      service, "/v1/funding-rounds", as: startup.key,
      """
      {"kind":"priced","name":"A","announced_on":"2023-04-03","post_money":{"amount":900000000,"currency":"USD"},\
      "closings":[{"closed_on":"2023-04-03","net_new_cash":{"amount":20000000,"currency":"USD"}}]}
      """
    ).text("id")
    try deployment.post(
      service, "/v1/funding-rounds/\(round)/verify", as: deployment.checker, #"{"evidence":"filing"}"#)
    try ended(
      try deployment.post(
        service, "/v1/settlement-runs", as: deployment.admin, #"{"job":"sweep","business_date":"2023-04-03"}"#
      ).text("id"))
  }

  private func pay(_ amount: Int, _ reference: String) throws {
    try deployment.post(
      service, "/v1/cash-receipts", as: deployment.admin,
      """
      {"received_on":"2023-04-03","amount":{"amount":\(amount),"currency":"USD"},"source":"round",\
      "payer_organization_id":"\(startup.id)","reference":"\(reference)"}
      """)
  }

  private var http: RawHTTP { RawHTTP(port: service.port) }
  private func get(_ target: String, as key: String? = nil) throws -> Answer {
    try http.get(target, as: key ?? deployment.admin)
  }
  private func refused(_ target: String, as key: String, _ body: String = "{}") throws -> (Int, String) {
    let answer = try http.post(target, as: key, body, idempotency: UUID().uuidString)
    return (answer.status, try answer.text("code"))
  }

  /// The startup's name is within a listed one, the lender's is one, but for the form of the company.
  private static let document = """
    {"as_of":"2023-04-01","lists":[{"id":"licence-list","title":"a licence list","authority":"an authority",\
    "source":"its gazette","effect":"hold_licence","blocks_payments":false,"entries":[{"id":"L1","names":\
    ["示例云模型","Example Cloud Models (Shenzhen) Co., Ltd."],"jurisdiction":"CN","listed_on":"2023-01-01",\
    "citation":"notice 7"}]},{"id":"blocked-list","title":"a blocked list","authority":"an authority",\
    "source":"its gazette","effect":"refuse","owned_at_least_bps":5000,"blocks_payments":true,"entries":\
    [{"id":"B1","names":["HARBOUR COMPUTE PARTNERS, LIMITED"],"listed_on":"2023-03-15","delisted_on":"2024-03-15"}]}]}
    """

  func isLoaded() throws {
    let target = "/v1/rule-packs?kind=screening_lists"
    #expect(try refused(target, as: startup.key, Self.document).0 == 403)
    let wrong = Self.document.replacingOccurrences(of: "listed_on", with: "listed")
    #expect(try refused(target, as: deployment.admin, wrong).0 == 422)
    #expect(try refused("/v1/rule-packs?kind=lists", as: deployment.admin, Self.document) == (422, "request.invalid"))
    let loaded = try deployment.post(service, target, as: deployment.admin, Self.document)
    pack = try loaded.text("id")
    #expect(try loaded.text("kind") == "screening_lists")
    #expect(try loaded.json()["difference"]?["added_count"]?.asInteger == 4)
    #expect(try refused(target, as: deployment.admin, Self.document) == (409, "rule_pack.another_waits"))
    // What it would do is shown and not done.
    let shown = try get("/v1/rule-packs/\(pack)/screening").json()["changes"]?.elements
    let parties = (shown.map { Array($0) } ?? []).filter { $0["after"]?["subject_kind"]?.asString == "organization" }
    #expect(Set(parties.compactMap { $0["after"]?["effect"]?.asString }) == ["hold_review", "refuse"])
    #expect(try get("/v1/organizations/\(lender.id)/screening").text("effect") == "clear")
  }

  private func items() throws -> [JSONNode] {
    Array(try #require(try get("/v1/compliance-items?state=open").json()["data"]?.elements))
  }

  func isSwitchedOn() throws {
    #expect(try refused("/v1/rule-packs/\(pack)/switch-on", as: deployment.admin).1 == "parties.same_person")
    let done = try deployment.post(service, "/v1/rule-packs/\(pack)/switch-on", as: deployment.checker)
    try ended(try done.text("run_id"))
    let found = try items()
    let parties = found.filter { $0["subject_kind"]?.asString == "organization" }
    #expect(Set(parties.compactMap { $0["subject_id"]?.asString }) == [lender.id, startup.id])
    #expect(parties.allSatisfy { $0["chip_model_id"]?.isNull == true && $0["quantity"]?.isNull == true })
    let loans = found.filter { $0["subject_kind"]?.asString == "loan" }
    #expect(loans.count == 1 && loans.first?["effect"]?.asString == "refuse")
    #expect(loans.first?["suggestion"]?.asString == "unwind")
    let lists = try get("/v1/screening-lists", as: deployment.checker).json()["lists"]?.elements
    #expect(lists?.map { $0["entries_in_force"]?.asInteger } == [1, 1])
    // Whoever is on a list is not told so.
    #expect(try get("/v1/screening-lists", as: lender.key).status == 403)
    #expect(try get("/v1/organizations/\(lender.id)/screening", as: lender.key).status == 403)
    #expect(try get("/v1/organizations/\(lender.id)", as: lender.key).text.contains("B1") == false)
  }

  private func ended(_ run: String) throws {
    try #require(
      try eventually(within: 20) { try get("/v1/settlement-runs/\(run)").text("state") == "succeeded" })
  }

  private func verdict() throws -> JSONNode {
    try deployment.post(
      service, "/v1/export-checks", as: deployment.admin,
      """
      {"chip_model_id":"\(Goods.chip)","quantity":8,"act":"hand_over","on":"2023-04-03",\
      "from_organization_id":"\(lender.id)","to_organization_id":"\(startup.id)",\
      "from_site":{"country":"CN","region":"CN-north"},"to_site":{"country":"CN","region":"CN-north"},\
      "delivery_mode":"physical","end_use":"training"}
      """
    ).json()
  }

  private func rules(_ verdict: JSONNode) -> [String] {
    verdict["rules"]?.asArray?.compactMap { $0["id"]?.asString } ?? []
  }

  func holdsActs() throws {
    let verdict = try verdict()
    #expect(verdict["verdict"]?.asString == "refuse")
    #expect(rules(verdict).starts(with: ["blocked-list/B1", "licence-list/L1"]), "\(rules(verdict))")
    // Nothing of either is matched.
    #expect(try deployment.offers(service, lender: lender, startup: startup, requests: 1).isEmpty)
    // A party that is recorded now is found at once, and not verified before somebody has looked.
    let twin = try deployment.post(
      service, "/v1/organizations", as: deployment.admin,
      """
      {"legal_name":"Northern Rack GmbH","jurisdiction":"DE","roles":["lender"],\
      "owners":[{"name":"Harbour Compute Partners","share_bps":6000,"jurisdiction":"CN"}]}
      """
    ).text("id")
    #expect(try items().contains { $0["subject_id"]?.asString == twin && $0["effect"]?.asString == "refuse" })
    let verify = "/v1/organizations/\(twin)/verify"
    #expect(try refused(verify, as: deployment.checker, #"{"evidence":"x"}"#) == (409, "screening.undecided"))
    let owned = try get("/v1/organizations/\(twin)/screening").json()["hits"]?.elements.first
    #expect(owned?["subject"]?.asString == "owner" && owned?["listed_owners_bps"]?.asInteger == 6_000)
  }

  private func payout() throws -> JSONNode? {
    let run = try deployment.post(
      service, "/v1/settlement-runs", as: deployment.admin, #"{"job":"payout","business_date":"2023-04-03"}"#
    ).text("id")
    try ended(run)
    return try get("/v1/settlement-runs/\(run)").json()["totals"]
  }

  func holdsPayments() throws {
    let held = try payout()
    #expect(held?["payouts_held"]?.asInteger == 1 && held?["payouts"] == nil)
    #expect(try get("/v1/payouts", as: lender.key).json()["data"]?.elements.isEmpty == true)
    // Cash of whoever is on a list still discharges what it owes.
    let before = try get("/v1/loans/\(loan)").json()["outstanding"]?["amount"]?.asInteger
    try pay(500_000, "second")
    let after = try get("/v1/loans/\(loan)").json()["outstanding"]?["amount"]?.asInteger
    #expect(before.flatMap { before in after.map { before - $0 } } == 500_000)
  }

  private func decision(_ list: String, _ entry: String, _ name: String, _ isSame: Bool) -> String {
    #"{"list_id":"\#(list)","entry_id":"\#(entry)","name":"\#(name)","is_same":\#(isSame),"reason":"register compared"}"#
  }

  func isDecided() throws {
    let target = "/v1/organizations/\(lender.id)/screening/decisions"
    let name = "Harbour Compute Partners Ltd."
    #expect(try refused(target, as: lender.key, decision("blocked-list", "B1", name, false)).0 == 403)
    let other = decision("blocked-list", "B1", "Harbour", false)
    #expect(try refused(target, as: deployment.admin, other) == (422, "screening.no_hit"))
    let proposed = try deployment.post(
      service, target, as: deployment.admin, decision("blocked-list", "B1", name, false))
    // One person clears nobody.
    #expect(try proposed.text("effect") == "refuse")
    let id = try #require(try proposed.json()["decisions"]?.elements.first?["id"]?.asString)
    #expect(try refused("\(target)/\(id)/approve", as: deployment.admin) == (403, "parties.same_person"))
    let cleared = try deployment.post(service, "\(target)/\(id)/approve", as: deployment.checker)
    #expect(try cleared.text("effect") == "clear")
    #expect(try cleared.json()["payments_blocked"]?.asBool == false)
    #expect(try refused("\(target)/\(id)/reject", as: deployment.checker) == (409, "screening.illegal_state"))
    let paid = try payout()
    #expect(paid?["payouts"]?.asInteger == 1 && paid?["payouts_held"] == nil)
    // A likeness that is confirmed does what the list says of it, at once.
    let own = "/v1/organizations/\(startup.id)/screening/decisions"
    #expect(rules(try verdict()) == ["licence-list/L1"])
    #expect(try verdict()["verdict"]?.asString == "hold_review")
    let confirmed = try deployment.post(
      service, own, as: deployment.admin, decision("licence-list", "L1", "Example Cloud Models", true))
    #expect(try confirmed.text("effect") == "hold_licence")
    #expect(try verdict()["verdict"]?.asString == "hold_licence")
    #expect(
      try refused(own, as: deployment.checker, decision("licence-list", "L1", "Example Cloud Models", true))
        == (409, "screening.decided_already"))
  }

  func isDated() throws {
    let target = "/v1/organizations/\(lender.id)/screening"
    for (day, hits) in [("2023-03-14", 0), ("2023-03-15", 1), ("2024-03-14", 1), ("2024-03-15", 0)] {
      #expect(try get("\(target)?on=\(day)").json()["hits"]?.elements.count == hits, "\(day)")
    }
  }

  func beginsTheDay() throws {
    try deployment.post(
      service, "/v1/sandbox/clock", as: deployment.admin, #"{"now":"2023-04-04T09:00:00Z"}"#)
    let run = try deployment.post(
      service, "/v1/settlement-runs", as: deployment.admin, #"{"job":"day_close","business_date":"2023-04-03"}"#
    ).text("id")
    try ended(run)
    let screened = try eventually(within: 20) {
      let runs = try get("/v1/settlement-runs?limit=200").json()["data"]?.elements
      return runs?.contains {
        $0["job"]?.asString == "rescreen" && $0["business_date"]?.asString == "2023-04-04"
          && $0["state"]?.asString == "succeeded"
      } == true
    }
    #expect(screened)
  }
}
