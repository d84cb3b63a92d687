import Foundation
import PostgresHarness
import ServiceHarness
import StrictJSON
import Testing

extension EndToEnd {
  @Test("half of a loan is sold over HTTP, fees go on for both halves, and a round pays both lenders to the minor unit")
  func assignment() async throws {
    try await withDeployment { deployment in
      let service = try deployment.serve()
      let stage = try SaleStage(deployment, service)
      try stage.lapses()
      let sale = try stage.proposes()
      try stage.answers(sale)
      let bought = try stage.settles(sale)
      try stage.keepsApart(bought)
      try expectBooksHold(deployment)
      try stage.isPaid(bought)
      try expectBooksHold(deployment)
    }
  }
}

/// A loan of 64 chips, 16,000,000 minor units, half of a round's cash to be swept; and a lender that buys half of it.
private struct SaleStage {
  let deployment: Deployment
  let service: Service
  let lender: Party
  let buyer: Party
  let stranger: Party
  let startup: Party
  let loan: String

  init(_ deployment: Deployment, _ service: Service) throws {
    self.deployment = deployment
    self.service = service
    lender = try deployment.enrol(service, "Lender", role: "lender")
    buyer = try deployment.enrol(service, "Buyer", role: "lender")
    stranger = try deployment.enrol(service, "Stranger", role: "lender")
    startup = try deployment.enrol(service, "Startup", role: "startup")
    try deployment.openMarket(service)
    loan = try deployment.lend(service, from: lender, to: startup)
  }

  private func get(_ target: String, as key: String) throws -> Answer {
    try RawHTTP(port: service.port).get(target, as: key)
  }

  private func act(_ target: String, as key: String, _ body: String = "{}", idempotency: String? = nil) throws -> Answer
  {
    try RawHTTP(port: service.port).post(
      target, as: key, body, idempotency: idempotency ?? UUID().uuidString)
  }

  private func move(to day: String) throws {
    try deployment.post(service, "/v1/sandbox/clock", as: deployment.admin, #"{"now":"\#(day)T09:00:00Z"}"#)
  }

  private func runs(_ job: String, on day: String) throws {
    let run = try deployment.post(
      service, "/v1/settlement-runs", as: deployment.admin, #"{"job":"\#(job)","business_date":"\#(day)"}"#
    ).text("id")
    let ended = try eventually(within: 20) {
      let state = try get("/v1/settlement-runs/\(run)", as: deployment.admin)
      if try state.text("approval") == "awaited" {
        _ = try act("/v1/settlement-runs/\(run)/approve", as: deployment.checker)
      }
      return try state.text("state") == "succeeded"
    }
    try #require(ended)
  }

  private func money(_ node: JSONNode?) -> Int64? { node?["amount"]?.asInteger }

  /// A proposal that nobody answers is ended by the service itself, in the days after.
  func lapses() throws {
    let sale = try deployment.post(
      service, "/v1/loans/\(loan)/assignments", as: lender.key,
      """
      {"buyer_organization_id":"\(buyer.id)","price":{"amount":1,"currency":"USD"},"valid_days":1}
      """
    ).text("id")
    try move(to: "2023-04-05")
    let ended = try eventually(within: 20) {
      try get("/v1/loan-assignments/\(sale)", as: buyer.key).text("state") == "lapsed"
    }
    #expect(ended)
  }

  func proposes() throws -> String {
    let target = "/v1/loans/\(loan)/assignments"
    func body(_ more: String, buyer: String? = nil) -> String {
      #"{"buyer_organization_id":"\#(buyer ?? self.buyer.id)","price":{"amount":7900000,"currency":"USD"}\#(more)}"#
    }
    for (text, pointer) in [
      ("{}", "/price"), (body(#","why":1"#), "/why"), (body(#","quantity":0"#), "/quantity"),
      (body(#","effective_on":"soon""#), "/effective_on"), (body("", buyer: "org_x"), "/buyer_organization_id"),
      (body(#","effective_on":"2023-04-01""#), "/effective_on"), (body("", buyer: lender.id), "/buyer_organization_id"),
      (body(#","quantity":12"#), "/quantity"),
    ] {
      let answer = try act(target, as: lender.key, text)
      #expect(answer.status == 422 && answer.text.contains(#""\#(pointer)""#), "\(text): \(answer.text)")
    }
    let offered = body(#","quantity":32,"effective_on":"2023-04-13""#)
    #expect(try act(target, as: startup.key, offered).status == 403)
    #expect(try act(target, as: stranger.key, offered).status == 404)
    let shown = try act(target + "?validate_only=true", as: lender.key, offered)
    #expect(shown.status == 201)
    #expect(money(try shown.json()["claim"]?["principal"]) == 8_000_000)
    #expect(try get("/v1/loan-assignments?state=proposed", as: lender.key).json()["data"]?.elements.count == 0)
    let proposed = try deployment.post(service, target, as: lender.key, offered)
    let id = try proposed.text("id")
    #expect(proposed.headers["location"] == "/v1/loan-assignments/\(id)")
    #expect(try act(target, as: lender.key, offered).text("code") == "loan.assignment_pending")
    return id
  }

  /// Until the buyer has accepted, the borrower hears nothing of it; it is never told the price.
  func answers(_ sale: String) throws {
    let target = "/v1/loan-assignments/\(sale)"
    let seen = try get(target, as: buyer.key).json()
    #expect(money(seen["price"]) == 7_900_000)
    #expect(money(seen["offered"]?["outstanding"]) == 8_000_000 && seen["offered"]?["quantity"]?.asInteger == 32)
    #expect(try get("/v1/loans/\(loan)", as: buyer.key).status == 404)
    for party in [startup, stranger] {
      #expect(try get(target, as: party.key).status == 404)
      #expect(try act(target + "/accept", as: party.key, #"{"accedes":true}"#).status == 404)
    }
    #expect(try act(target + "/accept", as: buyer.key).status == 422)
    #expect(try act(target + "/accept", as: buyer.key, #"{"accedes":false}"#).status == 422)
    #expect(try act(target + "/accept", as: lender.key, #"{"accedes":true}"#).status == 403)
    let accepted = try deployment.post(service, target + "/accept", as: buyer.key, #"{"accedes":true}"#).json()
    #expect(accepted["state"]?.asString == "accepted" && accepted["consent_by"]?.asString == "2023-04-15")
    #expect(try act(target + "/settle", as: lender.key).text("code") == "loan.not_yet_effective")
    let asked = try get(target, as: startup.key)
    #expect(asked.status == 200 && !asked.text.contains("price"))
    try move(to: "2023-04-13")
    #expect(try act(target + "/settle", as: lender.key).text("code") == "loan.consent_awaited")
    let consented = try deployment.post(service, target + "/consent", as: startup.key)
    #expect(!consented.text.contains("7900000"))
  }

  func settles(_ sale: String) throws -> String {
    let target = "/v1/loan-assignments/\(sale)/settle"
    #expect(try act(target, as: buyer.key).status == 403)
    #expect(try act(target + "?validate_only=true", as: lender.key).status == 200)
    let settled = try act(target, as: lender.key, idempotency: "settle")
    try #require(settled.status == 200, "\(settled.text)")
    let again = try act(target, as: lender.key, idempotency: "settle")
    #expect(again.body == settled.body && again.headers["idempotency-replayed"] == "true")
    #expect(try act(target, as: lender.key).status == 409)
    let claim = try settled.json()["claim"]
    #expect(money(claim?["principal"]) == 8_000_000)
    let fee = try #require(money(claim?["fee"]))
    #expect(fee > 0)
    let bought = try settled.text("assigned_loan_id")
    let (left, gone) = (
      try get("/v1/loans/\(loan)", as: lender.key).json(), try get("/v1/loans/\(bought)", as: buyer.key).json()
    )
    // What does not divide stays with the seller.
    #expect(money(gone["accrued_fee"]) == fee && (0...1).contains((money(left["accrued_fee"]) ?? -1) - fee))
    #expect(left["units"]?["assigned"]?.asInteger == 32 && gone["quantity"]?.asInteger == 32)
    #expect(gone["assigned_from"]?.asString == loan && gone["lender_id"]?.asString == buyer.id)
    #expect(gone["security_interest"]?["number"]?.asString == left["security_interest"]?["number"]?.asString)
    #expect(gone["security_interest"]?["assigned_on"]?.asString == "2023-04-13")
    return bought
  }

  /// Each lender sees its own loan, the startup both; the custody of each is a lot of its own.
  func keepsApart(_ bought: String) throws {
    for (key, own) in [(lender.key, loan), (buyer.key, bought)] {
      for id in [loan, bought] {
        for part in ["", "/timeline", "/assignments"] {
          #expect(try get("/v1/loans/\(id)\(part)", as: key).status == (id == own ? 200 : 404))
        }
      }
      let lots = try get("/v1/lots", as: key).json()["data"]
      #expect(lots?.elements.count == 1)
    }
    for id in [loan, bought] { #expect(try get("/v1/loans/\(id)", as: startup.key).status == 200) }
    let told = try get("/v1/events?after=0", as: buyer.key).text
    #expect(told.contains("loan.acquired") && !told.contains("loan.assigned\""))
    #expect(try get("/v1/events?after=0", as: startup.key).text.contains("loan.consent_asked"))
    let types = try get("/v1/loans/\(loan)/timeline", as: startup.key).json()["events"]?.elements.compactMap {
      $0["type"]?.asString
    }
    #expect(types?.suffix(2) == ["loan.consent_asked", "loan.assigned"])
  }

  func isPaid(_ bought: String) throws {
    try move(to: "2023-04-23")
    try runs("accrual", on: "2023-04-23")
    let owed = try [(loan, lender), (bought, buyer)].map { id, party in
      let body = try get("/v1/loans/\(id)", as: party.key).json()
      return try #require(money(body["outstanding"])) + #require(money(body["accrued_fee"]))
    }
    let round = try deployment.post(
      service, "/v1/funding-rounds", as: startup.key,
      """
      {"kind":"priced","name":"A","announced_on":"2023-04-23",\
      "closings":[{"closed_on":"2023-04-23","net_new_cash":{"amount":90000000,"currency":"USD"}}]}
      """
    ).text("id")
    try deployment.post(
      service, "/v1/funding-rounds/\(round)/verify", as: deployment.checker, #"{"evidence":"bank letter"}"#)
    try runs("sweep", on: "2023-04-23")
    let received = try deployment.post(
      service, "/v1/cash-receipts", as: deployment.admin,
      """
      {"received_on":"2023-04-23","amount":{"amount":\(owed[0] + owed[1]),"currency":"USD"},"source":"round",\
      "payer_organization_id":"\(startup.id)"}
      """
    ).json()
    #expect(money(received["remainder"]) == 0)
    for (id, sum) in zip([loan, bought], owed) {
      let parts = received["allocations"]?.elements.filter { $0["loan_id"]?.asString == id }
      #expect(parts?.reduce(0) { $0 + (money($1["amount"]) ?? 0) } == sum)
    }
    try runs("payout", on: "2023-04-23")
    for (party, sum) in zip([lender, buyer], owed) {
      let paid = try get("/v1/payouts", as: party.key).json()["data"]?.elements.first
      #expect(money(paid?["gross"]) == sum)
    }
    for (id, party) in [(loan, lender), (bought, buyer)] {
      #expect(try get("/v1/loans/\(id)", as: party.key).text("closed_as") == "paid_off")
      let certificate = try get("/v1/loans/\(id)/lien-release", as: party.key)
      #expect(certificate.status == 200 && certificate.text.contains("\nlender: \(party.id) "), "\(certificate.text)")
    }
  }
}
