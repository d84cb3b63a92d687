import Foundation
import PostgresHarness
import ServiceHarness
import StrictJSON
import Testing

extension EndToEnd {
  @Test("a loan whose fee bears tax, over HTTP: rules, a rate that changes, cash pays it off, report, books, verify")
  func taxes() async throws {
    try await withDeployment { deployment in
      let service = try deployment.serve()
      let stage = try TaxStage(deployment, service)
      try stage.rules()
      try stage.lends()
      try stage.accrues()
      try stage.paysOff()
      try stage.reports()
      try expectBooksHold(deployment)
      try expectHledgerChecks(deployment)
    }
  }
}

/// One loan of 64 chips, 16,000,000 cents; its fee bears 13 %, and from 20 April on 9 %. The borrower is abroad, and may
/// keep 10 % of the fee back.
private final class TaxStage {
  let deployment: Deployment
  let service: Service
  let lender: Party
  let startup: Party
  let stranger: Party
  let other: Party
  private var loan = ""
  /// Of another startup, which accounts for the tax itself.
  private var reversed = ""
  private var firstRule = ""

  init(_ deployment: Deployment, _ service: Service) throws {
    self.deployment = deployment
    self.service = service
    try deployment.openMarket(service)
    lender = try deployment.enrol(service, "Lender", role: "lender")
    startup = try deployment.enrol(service, "Startup", role: "startup", jurisdiction: "SG")
    other = try deployment.enrol(service, "Other", role: "startup")
    stranger = try deployment.enrol(service, "Stranger", role: "lender")
  }

  private var http: RawHTTP { RawHTTP(port: service.port) }
  private func money(_ node: JSONNode?) -> Int64? { node?["amount"]?.asInteger }

  private func rule(_ rate: Int, from: String, _ more: String = "") -> String {
    #"{"kind":"sales","jurisdiction":"CN","from_on":"\#(from)","rate_bps":\#(rate),"source":"an act"\#(more)}"#
  }

  private func refused(_ path: String, as key: String, _ body: String) throws -> Answer {
    try http.post(path, as: key, body, idempotency: UUID().uuidString)
  }

  /// Proposed by one, adopted by another, refused where a day has one already.
  func rules() throws {
    let admin = deployment.admin
    #expect(try refused("/v1/tax-rules", as: lender.key, rule(1_300, from: "2023-01-01")).status == 403)
    let made = try deployment.post(service, "/v1/tax-rules", as: admin, rule(1_300, from: "2023-01-01"))
    let path = try #require(made.headers["location"])
    firstRule = try http.get(path, as: admin).text("id")
    #expect(try http.get(path, as: lender.key).status == 404)
    #expect(try refused("\(path)/adopt", as: admin, "{}").status == 403)
    try deployment.post(service, "\(path)/adopt", as: deployment.checker)
    #expect(try refused("\(path)/adopt", as: deployment.checker, "{}").status == 409)
    for (body, pointer) in [
      (rule(900, from: "2023-04-20"), "/from_on"),
      (rule(10_001, from: "2023-04-20"), "/rate_bps"),
      (rule(900, from: "2023-04-20", #","through_on":"2023-04-19""#), "/through_on"),
      (rule(900, from: "2023-04-20", #","supersedes":"\#(loanlike)""#), "/supersedes"),
      (rule(900, from: "2023-04-20").replacing("CN", with: "China"), "/jurisdiction"),
      (rule(900, from: "2023-04-20").replacing("an act", with: ""), "/source"),
      (rule(900, from: "2023-04-20", #","rate":1"#), "/rate"),
    ] {
      let answer = try refused("/v1/tax-rules", as: admin, body)
      #expect(answer.status == 422 && answer.text.contains("\"\(pointer)\""), "\(answer.status) \(answer.text)")
    }
    let successor = rule(900, from: "2023-04-20", #","supersedes":"\#(firstRule)""#)
    let next = try #require(try deployment.post(service, "/v1/tax-rules", as: admin, successor).headers["location"])
    #expect(try rates(on: "2023-04-20") == [1_300])
    try deployment.post(service, "\(next)/adopt", as: deployment.checker)
    #expect(try rates(on: "2023-04-19") == [1_300])
    #expect(try rates(on: "2023-04-20") == [900])
    #expect(try rates(on: "2022-12-31").isEmpty)
    let abroad = rule(1_000, from: "2023-01-01").replacing("sales", with: "withholding").replacing("CN", with: "SG")
    let withholding = try #require(try deployment.post(service, "/v1/tax-rules", as: admin, abroad).headers["location"])
    try deployment.post(service, "\(withholding)/adopt", as: deployment.checker)
    let known = try http.get("/v1/tax-rules?known_at=2023-04-03T08:00:00Z", as: lender.key).json()
    #expect(known["data"]?.elements.isEmpty == true)
  }

  private var loanlike: String { "ref_00000000-0000-7000-8000-000000000000" }

  private func rates(on date: String) throws -> [Int64] {
    let rules = try http.get("/v1/tax-rules?on=\(date)", as: lender.key).json()["data"]?.elements
    return (rules.map { Array($0) } ?? []).filter { $0["kind"]?.asString == "sales" }
      .compactMap { $0["rate_bps"]?.asInteger }
  }

  func lends() throws {
    let id = try deployment.post(service, "/v1/lots", as: lender.key, Goods.lot(of: 64)).text("id")
    func listing(_ tax: String) -> String {
      """
      {"lot_id":"LOT","quantity":64,"ask_rate_bps":900,"min_term_days":30,"max_term_days":730,"min_quantity":8,\
      "delivery_modes":["physical"],"advance_rate_bps":10000,"recall":{"notice_days":10},"tax":\(tax)}
      """
    }
    for (tax, pointer) in [
      ("{}", "/tax/sales"), (#"{"sales":{"treatment":"none","jurisdiction":"CN"}}"#, "/tax/sales/treatment"),
      (#"{"sales":{"treatment":"standard","jurisdiction":"SG"}}"#, "/tax/sales/jurisdiction"),
      (#"{"withholding":{}}"#, "/tax/withholding/gross_up"),
    ] {
      let answer = try refused("/v1/listings", as: lender.key, listing(tax).replacing("LOT", with: id))
      #expect(answer.status == 422 && answer.text.contains("\"\(pointer)\""), "\(answer.status) \(answer.text)")
    }
    loan = try lend(
      to: startup, listing(#"{"sales":{"treatment":"standard","jurisdiction":"CN"},"withholding":{"gross_up":false}}"#))
    let body = try http.get("/v1/loans/\(loan)", as: startup.key).json()
    #expect(body["tax"]?["sales"]?["treatment"]?.asString == "standard")
    try deployment.post(service, "/v1/loans/\(loan)/recall", as: lender.key)
    reversed = try lend(to: other, listing(#"{"sales":{"treatment":"reverse_charge","jurisdiction":"CN"}}"#))
  }

  /// From a listing to the delivery.
  private func lend(to party: Party, _ listing: String) throws -> String {
    let lot = try deployment.post(service, "/v1/lots", as: lender.key, Goods.lot(of: 64)).text("id")
    try deployment.post(service, "/v1/listings", as: lender.key, listing.replacing("LOT", with: lot))
    try deployment.post(service, "/v1/loan-requests", as: party.key, Goods.request("taxed"))
    let round = try deployment.post(service, "/v1/match-rounds", as: deployment.admin).text("id")
    let ended = try eventually(within: 20) {
      try http.get("/v1/match-rounds/\(round)", as: deployment.admin).text("state") == "succeeded"
    }
    #expect(ended)
    let offers = try http.get("/v1/offers?state=pending", as: party.key).json()["data"]?.elements
    let offer = try #require(offers?.first?["id"]?.asString)
    return try deployment.handOver(service, offer: offer, of: lender, to: party)
  }

  /// The days of April, closed one after the other; the rate changes in the middle.
  func accrues() throws {
    for date in ["2023-04-03", "2023-04-30"] {
      try deployment.post(
        service, "/v1/sandbox/clock", as: deployment.admin, "{\"now\":\"\(date)T18:00:00Z\"}")
      let closed = try deployment.run(["settle", "day_close", "--date", date])
      try #require(closed.status == 0, "\(closed.output)")
    }
    let body = try http.get("/v1/loans/\(loan)", as: startup.key).json()
    let lines = try http.get("/v1/loans/\(loan)/tax-lines", as: lender.key).json()["data"]?.elements.map { $0 } ?? []
    #expect(Set(lines.compactMap { $0["rate_bps"]?.asInteger }) == [1_300, 900])
    let exact = lines.reduce(Int64(0)) { sum, line in
      sum + (money(line["taxable_fee"]) ?? 0) * (line["rate_bps"]?.asInteger ?? 0)
    }
    let tax = lines.reduce(Int64(0)) { $0 + (money($1["tax"]) ?? 0) }
    #expect(tax == (exact + 5_000) / 10_000 && tax > 0)
    #expect(money(body["tax"]?["owed"]) == tax && money(body["charges"]) == 0)
    #expect(lines.reduce(Int64(0)) { $0 + (money($1["taxable_fee"]) ?? 0) } == money(body["fee_accrued_total"]))
    #expect(try http.get("/v1/loans/\(loan)/tax-lines", as: stranger.key).status == 404)
    for key in [lender.key, startup.key, deployment.admin] {
      let explained = try http.get("/v1/loans/\(loan)/explain?field=tax&on=2023-04-30", as: key).json()
      let parts = explained["parts"]?.elements.map { $0 } ?? []
      #expect(money(explained["value"]) == tax && !parts.isEmpty)
      #expect(parts.allSatisfy { $0["rule"]?.asString == "sales_tax" })
    }
    let schedule = try http.get("/v1/loans/\(loan)/schedule", as: startup.key).json()
    #expect(money(schedule["fees"]?.elements.first?["tax"]) ?? 0 > 0)
    let statement = try http.get("/v1/statements?on=2023-04-30", as: lender.key).json()
    #expect(money(statement["owed_to_it"]?.elements.first?["tax"]) == tax)
    #expect(money(statement["taxes"]?.elements.first?["balance"]) == -tax)
    try reverseCharge()
  }

  /// No tax is billed, and both statements say why, with what the borrower accounts for.
  private func reverseCharge() throws {
    let body = try http.get("/v1/loans/\(reversed)", as: other.key).json()
    let fee = try #require(money(body["fee_accrued_total"]))
    let memorandum = try #require(money(body["tax"]?["memorandum"]))
    #expect(memorandum > 0 && money(body["tax"]?["owed"]) == 0)
    for (party, side) in [(lender, "lender"), (other, "borrower")] {
      let statement = try http.get("/v1/statements?on=2023-04-30", as: party.key).json()
      let untaxed = try #require(statement["untaxed_fees"]?.elements.first)
      #expect(untaxed["side"]?.asString == side && untaxed["treatment"]?.asString == "reverse_charge")
      #expect(money(untaxed["fee"]) == fee && money(untaxed["memorandum"]) == memorandum)
    }
    let quote = try http.get("/v1/loans/\(reversed)/payoff-quote?on=2023-05-02", as: other.key).json()
    #expect(money(quote["tax"]) == 0 && money(quote["charges"]) == 0)
  }

  func paysOff() throws {
    try deployment.post(
      service, "/v1/sandbox/clock", as: deployment.admin, #"{"now":"2023-05-02T09:00:00Z"}"#)
    let quote = try http.get("/v1/loans/\(loan)/payoff-quote?on=2023-05-02", as: startup.key).json()
    let total = try #require(money(quote["total"]))
    let parts = ["principal", "fee", "tax", "charges"].compactMap { money(quote[$0]) }
    #expect(parts.count == 4 && parts.reduce(0, +) == total && parts[2] > 0)
    // Kept back of the fee: the lender gets it as a credit with the borrower's authority.
    let kept = try #require(money(quote["withholding"]?["of_fee_owed"]))
    #expect(kept == (parts[1] + 5) / 10 && money(quote["withholding"]?["of_fee_paid"]) == 0)
    let receipt = try deployment.post(
      service, "/v1/cash-receipts", as: deployment.admin,
      """
      {"received_on":"2023-05-02","amount":{"amount":\(total - kept),"currency":"USD"},"source":"instalment",\
      "payer_organization_id":"\(startup.id)"}
      """
    ).json()
    let steps = receipt["allocations"]?.elements.compactMap { $0["step"]?.asString } ?? []
    #expect(Set(steps) == ["principal", "fee", "tax"] && money(receipt["remainder"]) == 0)
    #expect(money(try http.get("/v1/loans/\(loan)", as: startup.key).json()["outstanding"]) == kept)
    try certifies(fee: parts[1] - kept, kept: kept)
  }

  /// The borrower brings its authority's certificate, staff confirms it, and the loan is paid off.
  private func certifies(fee: Int64, kept: Int64) throws {
    func body(_ fee: Int64, _ withheld: Int64, _ more: String = "") -> String {
      """
      {"fee":{"amount":\(fee),"currency":"USD"},"withheld":{"amount":\(withheld),"currency":"USD"},\
      "paid_on":"2023-05-02","authority":"IRAS","reference":"W-1"\(more)}
      """
    }
    let path = "/v1/loans/\(loan)/tax-certificates"
    #expect(try refused(path, as: lender.key, body(fee, kept)).status == 403)
    #expect(try refused(path, as: stranger.key, body(fee, kept)).status == 404)
    #expect(try refused(path, as: startup.key, body(fee, kept, #","more":1"#)).text.contains("\"/more\""))
    let tooMuch = try refused(path, as: startup.key, body(fee, 2 * kept))
    #expect(tooMuch.status == 409 && tooMuch.text.contains("tax.more_than_rule"), "\(tooMuch.text)")
    let preview = try http.post(path + "?validate_only=true", as: startup.key, body(fee, kept), idempotency: "preview")
    let none = try http.get(path, as: lender.key).json()["data"]?.elements
    #expect(preview.status < 300 && none?.isEmpty == true)
    let made = try deployment.post(service, path, as: startup.key, body(fee, kept))
    let again = try refused(path, as: startup.key, body(fee, kept))
    #expect(again.status == 409 && again.text.contains("tax.certificate_known"), "\(again.text)")
    let act = "\(path)/\(try made.text("id"))/confirm"
    #expect(try refused(act, as: startup.key, "{}").status == 403)
    let confirmed = try deployment.post(service, act, as: deployment.checker)
    #expect(try confirmed.text("state") == "confirmed")
    let booked = try confirmed.json()
    #expect(money(booked["discharged_principal"]) == kept)
    let seen = try http.get(path, as: lender.key).json()["data"]?.elements.first
    #expect(seen?["state"]?.asString == "confirmed")
    #expect(try http.get("/v1/loans/\(loan)", as: startup.key).text("state") == "closed")
    for (party, account, sign) in [(lender, "tax.credit", Int64(1)), (startup, "tax.withheld", -1)] {
      let report = try http.get("/v1/tax-report?from=2023-05-01&through=2023-05-31", as: party.key).json()
      #expect(money(report["withheld"]?.elements.first?["tax"]) == kept)
      let moved = report["accounts"]?.elements.first { $0["account"]?.asString == account }
      #expect(money(moved?["change"]) == sign * kept)
      let trial = try http.get("/v1/ledger/trial-balance?on=2023-05-31", as: party.key).json()["data"]?.elements
      let balance = trial?.first { $0["account"]?.asString == account }
      #expect(balance?["balance"]?.asInteger == sign * kept)
    }
  }

  /// What each side's report says of a period is what its tax accounts moved by in it.
  func reports() throws {
    let sides = [(lender, "lender", "tax.output", Int64(-1)), (startup, "borrower", "tax.input", 1)]
    for (party, side, account, sign) in sides {
      for (from, through) in [("2023-04-01", "2023-05-31"), ("2023-04-20", "2023-04-30"), ("2023-05-01", "2023-05-31")]
      {
        let report = try http.get("/v1/tax-report?from=\(from)&through=\(through)", as: party.key).json()
        let lines = (report["lines"]?.elements.map { $0 } ?? []).filter { $0["treatment"]?.asString == "standard" }
        let tax = lines.reduce(Int64(0)) { $0 + (money($1["tax"]) ?? 0) }
        #expect(!lines.isEmpty && lines.allSatisfy { $0["side"]?.asString == side })
        let moved = report["accounts"]?.elements.first { $0["account"]?.asString == account }
        #expect(money(moved?["change"]) == sign * tax, "\(side) \(from)")
      }
      let all = try http.get("/v1/tax-report?from=2023-04-01&through=2023-05-31", as: party.key).json()
      let billed = (all["lines"]?.elements.map { $0 } ?? []).filter { $0["treatment"]?.asString == "standard" }
      let tax = billed.reduce(Int64(0)) { $0 + (money($1["tax"]) ?? 0) }
      let trial = try http.get("/v1/ledger/trial-balance?on=2023-05-31", as: party.key).json()["data"]?.elements
      let balance = trial?.first { $0["account"]?.asString == account }
      #expect(balance?["balance"]?.asInteger == sign * tax, "\(String(describing: trial?.map { $0 }))")
    }
    let other = try http.get("/v1/tax-report?from=2023-04-01&through=2023-05-31", as: stranger.key).json()
    #expect(other["lines"]?.elements.isEmpty == true && other["accounts"]?.elements.isEmpty == true)
    let foreign = "/v1/tax-report?from=2023-04-01&through=2023-05-31&organization_id=\(lender.id)"
    #expect(try http.get(foreign, as: stranger.key).status == 404)
    #expect(try http.get("/v1/tax-report?from=2023-05-01&through=2023-04-01", as: lender.key).status == 422)
  }
}
