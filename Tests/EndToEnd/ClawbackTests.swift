import Foundation
import PostgresHarness
import ServiceHarness
import StrictJSON
import Testing

extension EndToEnd {
  @Test(
    "money is taken back over HTTP after it was paid out: two persons, both sides, a top-up, and the loan paid again")
  func clawbacks() async throws {
    try await withDeployment { deployment in
      let service = try deployment.serve()
      let stage = try ClawbackStage(deployment, service)
      let receipt = try stage.paysOff()
      try stage.asksInVain(receipt)
      let clawback = try stage.takesBack(receipt)
      try stage.showsEachItsOwn(receipt, clawback)
      try stage.toppedUp()
      try expectBooksHold(deployment)
      try stage.givesBack()
      try stage.paysAgain()
      try stage.thirdParty()
      try expectBooksHold(deployment)
    }
  }
}

/// A loan of 64 chips, 16,000,000 minor units, paid off on its first day and paid out.
private struct ClawbackStage {
  static let principal = 16_000_000

  let deployment: Deployment
  let service: Service
  let lender: Party
  let stranger: Party
  let startup: Party
  let loan: String

  init(_ deployment: Deployment, _ service: Service) throws {
    self.deployment = deployment
    self.service = service
    lender = try deployment.enrol(service, "Lender", role: "lender")
    stranger = try deployment.enrol(service, "Stranger", role: "lender")
    startup = try deployment.enrol(service, "Startup", role: "startup")
    try deployment.openMarket(service)
    loan = try deployment.lend(service, from: lender, to: startup)
  }

  private func get(_ target: String, as key: String) throws -> Answer {
    try RawHTTP(port: service.port).get(target, as: key)
  }

  private func money(_ node: JSONNode?) -> Int64? { node?["amount"]?.asInteger }

  private func settle(_ job: String, on date: String = "2023-04-03") throws -> String {
    let run = try deployment.post(
      service, "/v1/settlement-runs", as: deployment.admin, #"{"job":"\#(job)","business_date":"\#(date)"}"#
    ).text("id")
    let target = "/v1/settlement-runs/\(run)"
    var approved = false
    let ended = try eventually(within: 20) {
      let answer = try get(target, as: deployment.admin)
      if !approved, try answer.json()["approval"]?.asString == "awaited" {
        approved = true
        try deployment.post(service, "\(target)/approve", as: deployment.checker)
      }
      return try ["succeeded", "failed"].contains(answer.text("state"))
    }
    try #require(ended)
    return try get(target, as: deployment.admin).text("state")
  }

  private func pay(_ amount: Int, reference: String, more: String = "") throws -> Answer {
    try deployment.post(
      service, "/v1/cash-receipts", as: deployment.admin,
      """
      {"received_on":"2023-04-03","amount":{"amount":\(amount),"currency":"USD"},"source":"round",\
      "reference":"\(reference)","payer_organization_id":"\(startup.id)"\(more)}
      """)
  }

  func paysOff() throws -> String {
    let round = try deployment.post(
      service, "/v1/funding-rounds", as: startup.key,
      """
      {"kind":"priced","name":"A","announced_on":"2023-04-03",\
      "closings":[{"closed_on":"2023-04-03","net_new_cash":{"amount":90000000,"currency":"USD"}}]}
      """
    ).text("id")
    try deployment.post(
      service, "/v1/funding-rounds/\(round)/verify", as: deployment.checker, #"{"evidence":"bank letter"}"#)
    #expect(try settle("sweep") == "succeeded")
    let receipt = try pay(Self.principal + 700, reference: "WIRE").text("id")
    #expect(try get("/v1/loans/\(loan)", as: startup.key).text("state") == "closed")
    #expect(try settle("payout") == "succeeded")
    return receipt
  }

  private func body(_ amount: Int, _ more: String = "") -> String {
    #"{"amount":{"amount":\#(amount),"currency":"USD"},"taken_back_on":"2023-04-03","reason":"bank_recall"\#(more)}"#
  }

  func asksInVain(_ receipt: String) throws {
    let http = RawHTTP(port: service.port)
    let target = "/v1/cash-receipts/\(receipt)/claw-back"
    for (text, status, naming) in [
      (body(0), 422, "/amount"), (body(5, #","order":"random""#), 422, "/order"), (body(5, #","why":1"#), 422, "/why"),
      (body(5).replacing("bank_recall", with: "regret"), 422, "/reason"), ("{}", 422, "/taken_back_on"),
      (body(5).replacing("04-03", with: "04-02"), 422, "claw_back.before_receipt"),
      (body(Self.principal + 701), 409, "claw_back.more_than_received"),
      (body(5).replacing("USD", with: "CNY"), 422, "claw_back.other_currency"),
    ] {
      let answer = try http.post(target, as: deployment.admin, text, idempotency: UUID().uuidString)
      #expect(answer.status == status && answer.text.contains(naming), "\(text): \(answer.status) \(answer.text)")
    }
    #expect(try http.post(target, as: startup.key, body(5), idempotency: "own").status == 403)
    #expect(try get("/v1/cash-receipts/\(receipt)/claw-backs", as: stranger.key).status == 404)
    #expect(try get("/v1/claw-backs/clw_x", as: deployment.admin).status == 404)
    let shown = try http.post(
      target + "?validate_only=true", as: deployment.admin, body(6_000_700), idempotency: "shown")
    #expect(shown.status == 202, "\(shown.text)")
    let line = try #require(try shown.json()["lines"]?.elements.first)
    #expect(line["loan_id"]?.asString == loan && money(line["owed_by_lender"]) == 6_000_000)
    let list = try get("/v1/cash-receipts/\(receipt)/claw-backs", as: deployment.admin)
    #expect(try list.json()["data"]?.elements.isEmpty == true)
  }

  func takesBack(_ receipt: String) throws -> String {
    let http = RawHTTP(port: service.port)
    let target = "/v1/cash-receipts/\(receipt)/claw-back"
    let proposed = try http.post(target, as: deployment.admin, body(6_000_700), idempotency: "taken")
    try #require(proposed.status == 202, "\(proposed.text)")
    #expect(try http.post(target, as: deployment.admin, body(6_000_700), idempotency: "taken").body == proposed.body)
    let clawback = try #require(proposed.headers["location"])
    #expect(try get(clawback, as: deployment.admin).text("state") == "proposed")
    #expect(try get(clawback, as: startup.key).status == 404)
    let own = try http.post("\(clawback)/approve", as: deployment.admin, "{}", idempotency: "approve-own")
    #expect(own.status == 403 && own.text.contains("parties.same_person"))
    let done = try deployment.post(service, "\(clawback)/approve", as: deployment.checker)
    #expect(try done.text("state") == "approved")
    #expect(try money(done.json()["from_remainder"]) == 700)
    // The platform had no fee of it, and has no means of its own.
    #expect(try money(done.json()["client_money"]?["uncovered"]) == 6_000_000)
    let after = try get("/v1/loans/\(loan)", as: lender.key).json()
    #expect(after["state"]?.asString == "reinstated" && after["title"]?.asString == "borrower")
    #expect(money(after["outstanding"]) == 6_000_000 && after["due"]?["cause"]?.asString == "claw_back")
    let seen = try get("/v1/cash-receipts/\(receipt)", as: startup.key).json()
    #expect(money(seen["clawed_back"]) == 6_000_700 && money(seen["remainder"]) == 0)
    let certificate = try get("/v1/loans/\(loan)/lien-release", as: startup.key)
    #expect(certificate.status == 200 && certificate.headers["reinstated-on"] == "2023-04-03")
    let types = try get("/v1/loans/\(loan)/timeline", as: startup.key).text
    #expect(types.contains("loan.reinstated") && types.contains("loan.payment_taken_back"))
    return clawback
  }

  func showsEachItsOwn(_ receipt: String, _ clawback: String) throws {
    let list = "/v1/cash-receipts/\(receipt)/claw-backs"
    var digests: Set<String> = []
    for (key, isWhole) in [(deployment.admin, true), (startup.key, true), (lender.key, false)] {
      let rows = Array(try #require(try get(list, as: key).json()["data"]?.elements))
      #expect(rows.count == 1)
      #expect(money(rows[0]["amount"]) == (isWhole ? 6_000_700 : nil))
      #expect(money(rows[0]["lines"]?.elements.first?["amount"]) == 6_000_000)
      digests.insert(try #require(rows[0]["digest"]?.asString))
      #expect((try get(clawback, as: key).json()["bytes"]?.asString != nil) == isWhole)
    }
    #expect(digests.count == 1)
    #expect(try get(list, as: stranger.key).status == 404)
    #expect(try get(clawback, as: stranger.key).status == 404)
    let owed = try get("/v1/statements?on=2023-04-03", as: lender.key).json()["claw_backs_owed"]?.elements
    #expect(owed?.compactMap { money($0["amount"]) } == [6_000_000])
  }

  func toppedUp() throws {
    let http = RawHTTP(port: service.port)
    #expect(try settle("day_close") == "failed")
    let target = "/v1/client-money/top-ups"
    let text = #"{"amount":{"amount":6000000,"currency":"USD"},"on":"2023-04-03","reference":"OWN-1"}"#
    for bad in ["{}", text.replacing("6000000", with: "0"), text.replacing("OWN-1", with: "")] {
      #expect(try http.post(target, as: deployment.admin, bad, idempotency: UUID().uuidString).status == 422, "\(bad)")
    }
    #expect(try http.post(target, as: lender.key, text, idempotency: "lender").status == 403)
    let proposed = try http.post(target, as: deployment.admin, text, idempotency: "top-up")
    try #require(proposed.status == 202, "\(proposed.text)")
    let topUp = try #require(proposed.headers["location"])
    #expect(try http.post("\(topUp)/approve", as: deployment.admin, "{}", idempotency: "top-own").status == 403)
    #expect(try deployment.post(service, "\(topUp)/approve", as: deployment.checker).text("state") == "approved")
    #expect(try get(topUp, as: lender.key).status == 404)
    #expect(try get(target, as: deployment.admin).json()["data"]?.elements.count == 1)
    let report = try get("/v1/close-report?from=2023-04-03&to=2023-04-03", as: deployment.admin).json()
    #expect(report["claw_backs"]?.elements.first?["amount"]?.asInteger == 6_000_700)
    #expect(report["client_money"]?.elements.first?["covered"]?.asBool == true)
  }

  /// The lender pays a part of what it owes in cash.
  func givesBack() throws {
    let http = RawHTTP(port: service.port)
    func body(_ amount: Int, from payer: String, _ currency: String = "USD") -> String {
      """
      {"received_on":"2023-04-03","amount":{"amount":\(amount),"currency":"\(currency)"},"source":"claw_back",\
      "reference":"BACK","payer_organization_id":"\(payer)"}
      """
    }
    let target = "/v1/cash-receipts"
    for (text, status, code) in [
      (body(5, from: stranger.id), 409, "claw_back.nothing_owed"),
      (body(5, from: lender.id, "CNY"), 422, "claw_back.owed_in_other_currency"),
    ] {
      let answer = try http.post(target, as: deployment.admin, text, idempotency: UUID().uuidString)
      #expect(answer.status == status && answer.text.contains(code), "\(text): \(answer.text)")
    }
    let shown = try http.post(
      target + "?validate_only=true", as: deployment.admin, body(9_000_000, from: lender.id), idempotency: "more")
    #expect(try shown.status == 201 && money(shown.json()["claw_back_repaid"]) == 6_000_000, "\(shown.text)")
    #expect(try money(shown.json()["remainder"]) == 3_000_000)
    let given = try deployment.post(service, target, as: deployment.admin, body(1_000_000, from: lender.id))
    #expect(try money(given.json()["claw_back_repaid"]) == 1_000_000 && money(given.json()["remainder"]) == 0)
    let seen = try get("/v1/cash-receipts/\(given.text("id"))", as: lender.key)
    #expect(try seen.json()["source"]?.asString == "claw_back")
    #expect(try get("/v1/cash-receipts/\(given.text("id"))", as: startup.key).status == 404)
    let owed = try get("/v1/statements?on=2023-04-03", as: lender.key).json()["claw_backs_owed"]?.elements
    #expect(owed?.compactMap { money($0["amount"]) } == [5_000_000])
  }

  /// What comes for the lender goes against what it owes, and the certificate is what it was.
  func paysAgain() throws {
    let before = try get("/v1/loans/\(loan)/lien-release", as: lender.key)
    // The day that did not close has posted its fee.
    let fee = try #require(money(try get("/v1/loans/\(loan)", as: lender.key).json()["accrued_fee"]))
    _ = try pay(6_000_000 + Int(fee), reference: "AGAIN")
    let closed = try get("/v1/loans/\(loan)", as: lender.key).json()
    #expect(closed["state"]?.asString == "closed" && closed["closed_as"]?.asString == "paid_off")
    #expect(try get("/v1/loans/\(loan)/lien-release", as: lender.key).body == before.body)
    #expect(try settle("payout") == "succeeded")
    let payouts = Array(try #require(try get("/v1/payouts", as: lender.key).json()["data"]?.elements))
    #expect(payouts.map { money($0["clawback_netted"]) } == [0, 5_000_000])
    let share = try #require(money(payouts.last?["platform_fee"]))
    #expect(share > 0 && payouts.map { money($0["net"]) } == [Int64(Self.principal), 1_000_000 + fee - share])
    let owed = try get("/v1/statements?on=2023-04-03", as: lender.key).json()["claw_backs_owed"]?.elements
    #expect(owed?.isEmpty == true)
  }

  /// Somebody else's account: the money waits, and nothing is allocated.
  func thirdParty() throws {
    let answer = try pay(900, reference: "UNCLE", more: #","payer_name":"Uncle Ltd","payer_account":"0200 8""#)
    let suspense = try answer.json()["suspense"]
    #expect(suspense?["reason"]?.asString == "third_party_payer" && suspense?["waits"]?.asBool == true)
    #expect(suspense?["named_payer_id"]?.asString == startup.id)
    let waiting = try get("/v1/cash-receipts?source=suspense", as: deployment.admin).json()["data"]?.elements
    #expect(try waiting?.map { $0["id"]?.asString } == [answer.text("id")])
    #expect(try get("/v1/cash-receipts/\(answer.text("id"))", as: startup.key).status == 404)
  }
}
