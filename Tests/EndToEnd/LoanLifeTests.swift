import Foundation
import PostgresHarness
import ServiceHarness
import StrictJSON
import Testing

extension EndToEnd {
  @Test(
    "the life of a loan over HTTP: recall, amendments, holds, claims, quotes, and a timeline that says who did what")
  func loanLife() async throws {
    try await withDeployment { deployment in
      let service = try deployment.serve()
      let stage = try LoanStage(deployment, service)
      try stage.quotes()
      try stage.amends()
      try stage.recalls()
      try stage.holds()
      try stage.claims()
      try stage.tells()
      try expectBooksHold(deployment)
    }
  }
}

/// A loan of 64 chips that was delivered on the first day: 16,000,000 minor units at the market's rate.
private struct LoanStage {
  let deployment: Deployment
  let service: Service
  let lender: Party
  let startup: Party
  let loan: String

  init(_ deployment: Deployment, _ service: Service) throws {
    self.deployment = deployment
    self.service = service
    lender = try deployment.enrol(service, "Lender", role: "lender")
    startup = try deployment.enrol(service, "Startup", role: "startup")
    try deployment.openMarket(service)
    let lot = try deployment.post(service, "/v1/lots", as: lender.key, Goods.lot(of: 64)).text("id")
    try deployment.post(
      service, "/v1/listings", as: lender.key,
      """
      {"lot_id":"\(lot)","quantity":64,"ask_rate_bps":900,"min_term_days":30,"max_term_days":730,"min_quantity":8,\
      "return_credit":"lower_of_mark","recall":{"notice_days":10}}
      """)
    try deployment.post(service, "/v1/loan-requests", as: startup.key, Goods.request("life"))
    let round = try deployment.post(service, "/v1/match-rounds", as: deployment.admin).text("id")
    let http = RawHTTP(port: service.port)
    let ended = try eventually(within: 20) {
      try http.get("/v1/match-rounds/\(round)", as: deployment.admin).text("state") == "succeeded"
    }
    try #require(ended)
    let offers = try http.get("/v1/offers?state=pending", as: startup.key).json()
    let offer = try #require(offers["data"]?.elements.first?["id"]?.asString)
    loan = try deployment.handOver(service, offer: offer, of: lender, to: startup)
  }

  private func act(_ verb: String, as key: String, _ body: String = "{}", query: String = "") throws -> Answer {
    try RawHTTP(port: service.port).post(
      "/v1/loans/\(loan)/\(verb)\(query)", as: key, body, idempotency: UUID().uuidString)
  }

  private func done(_ verb: String, as key: String, _ body: String = "{}") throws -> Answer {
    try deployment.post(service, "/v1/loans/\(loan)/\(verb)", as: key, body)
  }

  private func get(_ path: String, as key: String) throws -> Answer {
    try RawHTTP(port: service.port).get("/v1/loans/\(loan)\(path)", as: key)
  }

  private func move(to day: String) throws {
    try deployment.post(
      service, "/v1/sandbox/clock", as: deployment.admin, #"{"now":"\#(day)T09:00:00Z"}"#)
  }

  func quotes() throws {
    let quote = try get("/payoff-quote?on=2023-04-13", as: startup.key).json()
    let total = try #require(quote["total"]?["amount"]?.asInteger)
    let perDay = try #require(quote["per_diem"]?["amount"]?.asInteger)
    #expect(abs(total - 16_000_000 - 10 * perDay) <= 10)
    let schedule = try get("/schedule", as: lender.key).json()
    #expect(schedule["fees"]?.elements.count == 6)
    #expect(schedule["maturity"]?["on"]?.asString == "2023-09-30")
    // The thirtieth of September 2023 was a Saturday.
    #expect(schedule["maturity"]?["business_date"]?.asString == "2023-10-02")
  }

  func amends() throws {
    let body = #"{"kind":"re_rate","from_on":"2023-04-03","rate_bps":3600}"#
    try move(to: "2023-04-13")
    let bad = try act("amendments", as: lender.key, #"{"kind":"extend","rate_bps":1}"#)
    #expect(bad.status == 422 && bad.text.contains("/matures_on") && bad.text.contains("/rate_bps"))
    let proposed = try done("amendments", as: lender.key, body)
    #expect(proposed.status == 201)
    let id = try proposed.text("id")
    #expect(try proposed.json()["fee_restatement"]?["restated"]?["amount"]?.asInteger == 160_000)
    #expect(try act("amendments/\(id)/accept", as: lender.key).status == 403)
    let trial = try act("amendments/\(id)/accept", as: startup.key, query: "?validate_only=true")
    #expect(trial.status == 200)
    #expect(try get("/amendments/\(id)", as: startup.key).text("state") == "proposed")
    let accepted = try done("amendments/\(id)/accept", as: startup.key).json()
    #expect(accepted["amendment"]?["state"]?.asString == "accepted")
    #expect(accepted["loan"]?["rate_bps"]?.asInteger == 3_600)
    #expect(accepted["loan"]?["accrued_fee"]?["amount"]?.asInteger == 160_000)
    #expect(try act("amendments/\(id)/reject", as: startup.key).status == 409)
    #expect(try get("/amendments", as: startup.key).json()["data"]?.elements.count == 1)
  }

  func recalls() throws {
    #expect(try act("recall", as: startup.key).status == 403)
    #expect(try act("recall", as: lender.key, #"{"notice_days":3}"#).text.contains("/notice_days"))
    let recalled = try done("recall", as: lender.key, #"{"reason":"own use"}"#).json()
    #expect(recalled["state"]?.asString == "recalled")
    #expect(recalled["recall"]?["due_on"]?.asString == "2023-04-23")
    #expect(try done("recall/withdraw", as: lender.key).text("state") == "active")
  }

  func holds() throws {
    #expect(try act("freeze", as: lender.key, #"{"reason":"x"}"#).status == 403)
    let frozen = try done("freeze", as: deployment.admin, #"{"reason":"a list of this week"}"#)
    #expect(try frozen.text("state") == "frozen")
    #expect(!frozen.text.contains("a list of this week"))
    #expect(try act("returns", as: startup.key, #"{"quantity":8,"occurred_on":"2023-04-13"}"#).status == 409)
    #expect(try done("unfreeze", as: deployment.admin).text("state") == "active")
    let event = #"{"kind":"failed","quantity":2,"occurred_on":"2023-04-13","note":"ECC"}"#
    _ = try done("device-events", as: startup.key, event)
    #expect(try act("device-events", as: startup.key, event.replacing("failed", with: "lost")).status == 422)
    let units = try get("/units", as: lender.key).json()
    #expect(units["events"]?.elements.first?["kind"]?.asString == "failed")
  }

  func claims() throws {
    let lost = #"{"quantity":4,"occurred_on":"2023-04-13","cause":"theft"}"#
    let casualty = try done("casualty", as: startup.key, lost).json()
    #expect(casualty["value"]?["amount"]?.asInteger == 1_000_000)
    #expect(casualty["loan"]?["due"]?["cause"]?.asString == "casualty")
    let off = try done("write-off", as: lender.key, #"{"amount":{"amount":500,"currency":"USD"}}"#).json()
    #expect(off["written_off"]?["amount"]?.asInteger == 500)
    #expect(try !get("", as: startup.key).text.contains("written_off"))
    let less = #"{"principal":{"amount":1000,"currency":"USD"},"reason":"goodwill"}"#
    #expect(try done("forgive", as: lender.key, less).json()["forgiven"]?["amount"]?.asInteger == 1_000)
    #expect(try act("forgive", as: startup.key, less).status == 403)
    #expect(try act("forgive", as: lender.key).status == 422)
    #expect(try act("repossess", as: lender.key, #"{"quantity":1,"occurred_on":"2023-04-13"}"#).status == 409)
    #expect(try done("default", as: lender.key, #"{"cause":"insolvency"}"#).text("state") == "defaulted")
    let taken = try done("repossess", as: lender.key, #"{"quantity":60,"occurred_on":"2023-04-13"}"#).json()
    #expect(taken["loan"]?["units"]?["repossessed"]?.asInteger == 60)
    #expect(taken["verdict"]?["effect"]?.asString == "clear")
    #expect(try done("accelerate", as: lender.key).json()["due"]?["cause"]?.asString == "acceleration")
    #expect(try act("cure", as: lender.key).status == 409)
  }

  func tells() throws {
    let timeline = try get("/timeline", as: startup.key).json()
    let events = Array(try #require(timeline["events"]).elements)
    let types = events.compactMap { $0["type"]?.asString }
    #expect(
      types == [
        "loan.agreed", "loan.dispatched", "loan.activated", "loan.amendment_proposed", "loan.amendment_accepted",
        "loan.recalled", "loan.recall_withdrawn", "loan.frozen", "loan.unfrozen", "loan.device_event",
        "loan.casualty", "loan.forgiven", "loan.defaulted", "loan.repossessed", "loan.accelerated",
      ])
    let declared = events.first { $0["type"]?.asString == "loan.defaulted" }
    let fallen = try #require(declared)
    #expect(fallen["side"]?.asString == "lender" && fallen["reason_code"]?.asString == "insolvency")
    // The other side's person is that side's own to know.
    #expect(fallen["person_id"]?.asString == nil)
    #expect(events.first { $0["type"]?.asString == "loan.casualty" }?["person_id"]?.asString != nil)
    #expect(try RawHTTP(port: service.port).get("/v1/loans/\(loan)/timeline", as: deployment.admin).status == 200)
    let outsider = try deployment.enrol(service, "Outsider", role: "lender")
    for path in ["/timeline", "/schedule", "/units", "/amendments", "/payoff-quote"] {
      #expect(try get(path, as: outsider.key).status == 404, "\(path)")
    }
  }
}
