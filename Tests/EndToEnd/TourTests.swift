import Foundation
import PostgresHarness
import ServiceHarness
import StrictJSON
import Testing

extension EndToEnd {
  @Test("operations that no story needs answer as they are described")
  func tour() async throws {
    try await withDeployment { deployment in
      let service = try deployment.serve()
      let tour = try Tour(deployment, service)
      try tour.inventory()
      try tour.compliance()
      try tour.valuation()
      try tour.runs()
      try tour.loanActs()
      try tour.lists()
      try expectBooksHold(deployment)
    }
  }
}

/// One loan of 64 chips and one offer that waits; acts are only tried where they would end what is still needed.
private struct Tour {
  let deployment: Deployment
  let service: Service
  let lender: Party
  let startup: Party
  let offer: String
  let loan: String

  init(_ deployment: Deployment, _ service: Service) throws {
    self.deployment = deployment
    self.service = service
    lender = try deployment.enrol(service, "Lender", role: "lender")
    startup = try deployment.enrol(service, "Startup", role: "startup")
    try deployment.openMarket(service)
    let offers = try deployment.offers(service, lender: lender, startup: startup, requests: 2)
    offer = try #require(offers.last)
    loan = try deployment.handOver(service, offer: try #require(offers.first), of: lender, to: startup)
  }

  private var admin: String { deployment.admin }
  private var checker: String { deployment.checker }

  @discardableResult
  private func get(_ target: String, as key: String? = nil) throws -> Answer {
    let answer = try RawHTTP(port: service.port).get("/v1/" + target, as: key ?? admin)
    #expect(answer.status == 200, "\(target): \(answer.status) \(answer.text)")
    return answer
  }

  @discardableResult
  private func post(_ target: String, as key: String, _ body: String = "{}") throws -> Answer {
    try deployment.post(service, "/v1/" + target, as: key, body)
  }

  @discardableResult
  private func tried(_ target: String, as key: String, _ body: String = "{}") throws -> Answer {
    try post(target + "?validate_only=true", as: key, body)
  }

  func inventory() throws {
    let ordered = Goods.lot(of: 16).replacing("2023-03-01", with: "2023-06-01")
    let lot = try post("lots", as: lender.key, ordered).text("id")
    try tried("lots/\(lot)/receipts", as: lender.key, #"{"quantity":8}"#)
    let marked = try post("lots", as: lender.key, Goods.lot("unit 1")).text("id")
    try post(
      "lots/\(marked)/device-events", as: lender.key,
      #"{"kind":"sent_to_repair","serials":["unit 1"],"occurred_on":"2023-04-03","note":"fan"}"#)
    try get("lots/\(marked)", as: lender.key)
    try get("lots/\(marked)/units", as: lender.key)
    try post(
      "reserve-plans", as: lender.key,
      #"{"chip_model_id":"\#(Goods.chip)","months":[{"month":"2023-05","quantity":8}]}"#)
    try get("reserve-plans", as: lender.key)
    let listing = try #require(try get("listings", as: lender.key).json()["data"]?.elements.first?["id"]?.asString)
    try get("listings/\(listing)", as: lender.key)
    for act in ["pause", "withdraw"] { try tried("listings/\(listing)/\(act)", as: lender.key) }
    try post("listings/\(listing)/pause", as: lender.key)
    try post("listings/\(listing)/resume", as: lender.key)
    try get("offers/\(offer)", as: startup.key)
    try tried("offers/\(offer)/decline", as: startup.key)
  }

  func compliance() throws {
    let licence = try post(
      "licences", as: admin,
      """
      {"holder_organization_id":"\(lender.id)","chip_model_id":"\(Goods.chip)","destination":"CN","quota":100,\
      "valid_from":"2023-01-01","reference":"L1"}
      """
    ).text("id")
    try get("licences")
    try get("licences/\(licence)")
    try get("chip-models")
    try get("chip-models/\(Goods.chip)")
    try get("export-rules")
    try get("organizations")
    try tried("organizations/\(lender.id)/suspend", as: admin, #"{"reason":"a check"}"#)
    let payee = try #require(
      try post(
        "organizations/\(lender.id)/payees", as: lender.key,
        #"{"currency":"USD","name":"Lender","iban":"GB29NWBK60161331926819","bic":"NWBKGB2L"}"#
      ).headers["location"])
    try get(String(payee.dropFirst(4)), as: lender.key)
    try get("rule-packs")
  }

  func valuation() throws {
    let proposed = try post(
      "startups/\(startup.id)/valuations?second_person=true", as: admin,
      """
      {"method":"priced_round","amount":{"amount":90000000000,"currency":"USD"},"effective_on":"2023-03-01",\
      "source":"register"}
      """
    ).text("id")
    try get("valuation-proposals")
    try get("valuation-proposals/\(proposed)")
    try tried("valuation-proposals/\(proposed)/reject", as: checker, #"{"reason":"no evidence"}"#)
    try post("valuation-proposals/\(proposed)/approve", as: checker)
    let dispute = try post("valuations/\(proposed)/dispute", as: startup.key, #"{"reason":"too low"}"#).text("id")
    try get("valuation-disputes")
    try get("valuation-disputes/\(dispute)")
    try tried("valuation-disputes/\(dispute)/dismiss", as: checker, #"{"reason":"it stands"}"#)
    try post("valuation-disputes/\(dispute)/withdraw", as: startup.key)
    try get("valuation-imports")
    try get("chip-models/\(Goods.chip)/mark-series")
  }

  func runs() throws {
    let run = try post("settlement-runs", as: admin, #"{"job":"accrual","business_date":"2023-04-03"}"#).text("id")
    let ended = try eventually(within: 20) {
      try get("settlement-runs/\(run)").text("state") == "succeeded"
    }
    #expect(ended)
    try get("settlement-runs")
    try get("sandbox/clock")
  }

  func loanActs() throws {
    try post("loans/\(loan)/returns", as: startup.key, #"{"quantity":8,"occurred_on":"2023-04-03"}"#)
    try get("loans/\(loan)/returns", as: lender.key)
    try post("loans/\(loan)/default", as: lender.key, #"{"cause":"insolvency","reason":"a filing"}"#)
    try tried("loans/\(loan)/cure", as: lender.key)
    try post("loans/\(loan)/accelerate", as: lender.key)
    try post("loans/\(loan)/repossess", as: lender.key, #"{"quantity":8,"occurred_on":"2023-04-03"}"#)
    try post(
      "loans/\(loan)/dispose", as: lender.key, #"{"quantity":1,"outcome":"sold","occurred_on":"2023-04-03"}"#)
    try get("loans/\(loan)/coverage", as: lender.key)
    try get("loans/\(loan)/most-favoured-nation", as: lender.key)
    try get("loans/\(loan)/options", as: startup.key)
  }

  func lists() throws {
    for target in [
      "ledger/accounts", "ledger/entries", "audit-log", "funding-rounds", "margin-tests", "deposit-acts", "payouts",
      "platform-invoices", "client-money/top-ups", "reconciliation-breaks", "screening-lists", "chip-quotes",
      "valuations", "match-rounds", "events", "warrants", "control-choices", "cash-conversions", "loan-assignments",
      "statement-documents", "bank-statements", "fx-rates", "tax-rules", "calendars", "compliance-items",
      "risk/concentration", "delinquency", "close-report", "ledger/trial-balance", "ledger/clearing", "statements",
    ] {
      try get(target)
      try get(target, as: lender.key, or: [403, 404])
    }
  }

  /// A read that not everybody may do.
  private func get(_ target: String, as key: String, or refusals: [Int]) throws {
    let answer = try RawHTTP(port: service.port).get("/v1/" + target, as: key)
    #expect(answer.status == 200 || refusals.contains(answer.status), "\(target): \(answer.status) \(answer.text)")
  }
}
