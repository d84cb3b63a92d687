import Foundation
import PostgresHarness
import ServiceHarness
import StrictJSON
import Testing

extension EndToEnd {
  @Test("a round in one currency over loans in two, over HTTP: rates, sweep, money on account, its conversion")
  func currencies() async throws {
    try await withDeployment { deployment in
      let service = try deployment.serve()
      let stage = try CurrencyStage(deployment, service)
      try stage.asksInVain()
      try stage.bringsRates()
      try stage.sweeps()
      try stage.converts()
      try stage.shows()
      try expectBooksHold(deployment)
    }
  }
}

/// Two loans of 64 chips, half of a round's cash to be swept on each: 16,000,000 cents and 112,000,000 fen.
private struct CurrencyStage {
  let deployment: Deployment
  let service: Service
  let lender: Party
  let abroad: Party
  let startup: Party
  let loans: [String]

  init(_ deployment: Deployment, _ service: Service) throws {
    self.deployment = deployment
    self.service = service
    lender = try deployment.enrol(service, "Lender", role: "lender")
    abroad = try deployment.enrol(service, "Lender abroad", role: "lender")
    startup = try deployment.enrol(service, "Startup", role: "startup")
    try deployment.openMarket(service)
    var loans: [String] = []
    for party in [lender, abroad] {
      let loan = try deployment.lend(service, from: party, to: startup)
      loans.append(loan)
      try deployment.post(
        service, "/v1/chip-models/\(Goods.chip)/marks", as: deployment.admin,
        """
        {"method":"market_quote","amount":{"amount":1750000,"currency":"CNY"},"effective_on":"2023-04-03",\
        "source":"quote in yuan \(loans.count)"}
        """)
    }
    self.loans = loans
  }

  private var http: RawHTTP { RawHTTP(port: service.port) }
  private func get(_ target: String, as key: String) throws -> Answer { try http.get(target, as: key) }
  private func money(_ node: JSONNode?) -> Int64? { node?["amount"]?.asInteger }
  private let asked = "/v1/fx-rates?base=USD&quote=CNY&on=2023-04-03"

  private func rate(_ price: String, _ more: String = "") -> String {
    #"{"base":"USD","quote":"CNY","on":"2023-04-03","rate":"\#(price)","source":"CFETS"\#(more)}"#
  }

  func asksInVain() throws {
    for (body, pointer) in [
      (rate("7,0"), "/rate"), (rate("0"), "/rate"), (rate("7", #","why":1"#), "/why"),
      (rate("7", #","supersedes":"fx_1""#), "/supersedes"),
      (#"{"base":"USD","quote":"USD","on":"2023-04-03","rate":"1","source":"x"}"#, "/quote"),
      (#"{"base":"USD","quote":"XXX","on":"2023-04-03","rate":"1","source":"x"}"#, "/quote"),
      (#"{"base":"USD","quote":"CNY","on":"2023-04-04","rate":"1","source":"x"}"#, "/on"),
    ] {
      let answer = try http.post("/v1/fx-rates", as: deployment.admin, body, idempotency: UUID().uuidString)
      #expect(answer.status == 422, "\(body): \(answer.text)")
      #expect(try answer.json()["errors"]?.elements.first?["pointer"]?.asString == pointer, "\(answer.text)")
    }
    #expect(try http.post("/v1/fx-rates", as: startup.key, rate("7"), idempotency: "own").status == 403)
    let none = try get(asked, as: startup.key)
    #expect(none.status == 409)
    #expect(try none.text("code") == "repayment.no_rate")
    for bad in ["?base=USD", "?base=USD&quote=USD&on=2023-04-03", "?base=X&quote=USD&on=2023-04-03", "?on=2023-04-03"] {
      #expect(try get("/v1/fx-rates\(bad)", as: startup.key).status == 422, "\(bad)")
    }
  }

  func bringsRates() throws {
    let shown = try deployment.post(service, "/v1/fx-rates?validate_only=true", as: deployment.admin, rate("7"))
    #expect(try get("/v1/fx-rates/\(shown.text("id"))", as: deployment.admin).status == 404)
    let wrong = try deployment.post(service, "/v1/fx-rates", as: deployment.admin, rate("6.0"))
    let id = try wrong.text("id")
    #expect(wrong.headers["location"] == "/v1/fx-rates/\(id)")
    #expect(try get(asked, as: startup.key).status == 409)
    #expect(
      try http.post("/v1/fx-rates/\(id)/approve", as: deployment.admin, "{}", idempotency: "same").text("code")
        == "parties.same_person")
    try deployment.post(service, "/v1/fx-rates/\(id)/approve", as: deployment.checker)
    #expect(try get(asked, as: startup.key).json()["data"]?.elements.first?["rate"]?.asString == "6.0")
    // It was wrong: what was known then is still told.
    try deployment.post(service, "/v1/sandbox/clock", as: deployment.admin, #"{"now":"2023-04-03T10:00:00Z"}"#)
    let right = try deployment.post(
      service, "/v1/fx-rates", as: deployment.admin, rate("7.0000", #","supersedes":"\#(id)""#)
    ).text("id")
    try deployment.post(service, "/v1/fx-rates/\(right)/approve", as: deployment.checker)
    for (more, price) in [("", "7.0000"), ("&known_at=2023-04-03T09:30:00Z", "6.0")] {
      #expect(try get(asked + more, as: lender.key).json()["data"]?.elements.first?["rate"]?.asString == price)
    }
    #expect(try get(asked + "&known_at=2023-04-03T08:00:00Z", as: lender.key).status == 409)
    #expect(try get("/v1/fx-rates/\(id)", as: lender.key).text("state") == "superseded")

    func file(_ text: String, as key: String) throws -> Answer {
      try http.send(
        "POST", "/v1/fx-rates/import",
        headers: [
          ("Authorization", "Bearer \(key)"), ("Content-Type", "text/csv"), ("Idempotency-Key", UUID().uuidString),
        ], body: Array(text.utf8))
    }
    let lines = "base,quote,on,rate,source\nEUR,USD,2023-03-31,1.0875,ECB\nEUR,USD,2023-03-30,1.0886,ECB\n"
    #expect(try file(lines, as: startup.key).status == 403)
    let broken = try file(lines + "EUR,USD,2023-03-29,?,ECB\n", as: deployment.admin)
    #expect(broken.status == 422)
    #expect(try broken.text("code") == "repayment.unreadable_rates")
    let brought = try file(lines, as: deployment.admin)
    #expect(brought.status == 201)
    let ids = try #require(try brought.json()["data"]?.elements.compactMap { $0["id"]?.asString })
    #expect(ids.count == 2)
    let list = ids.map { "\"\($0)\"" }.joined(separator: ",")
    try deployment.post(service, "/v1/fx-rates/approve", as: deployment.checker, #"{"ids":[\#(list)]}"#)
    // Monday has Friday's; a week later there is none.
    let friday = try get("/v1/fx-rates?base=USD&quote=EUR&on=2023-04-03", as: startup.key).json()
    #expect(friday["data"]?.elements.first?["on"]?.asString == "2023-03-31")
    #expect(try get("/v1/fx-rates?base=USD&quote=EUR&on=2023-04-06", as: startup.key).status == 409)
    #expect(try get("/v1/fx-rates?state=approved", as: startup.key).json()["data"]?.elements.count == 3)
  }

  func sweeps() throws {
    let round = try deployment.post(
      service, "/v1/funding-rounds", as: startup.key,
      """
      {"kind":"priced","name":"A","announced_on":"2023-04-03",\
      "closings":[{"closed_on":"2023-04-03","net_new_cash":{"amount":20000000,"currency":"USD"}}]}
      """
    ).text("id")
    let preview = try get("/v1/funding-rounds/\(round)/sweep-preview", as: startup.key).json()
    #expect(money(preview["paid"]) == 10_000_000)
    let dues = preview["loans"]?.elements.map { "\($0["due"]?["currency"]?.asString ?? "") \(money($0["due"]) ?? 0)" }
    #expect(Set(dues ?? []) == ["USD 5000000", "CNY 35000000"])
    try deployment.post(
      service, "/v1/funding-rounds/\(round)/verify", as: deployment.checker, #"{"evidence":"bank letter"}"#)
    let run = try deployment.post(
      service, "/v1/settlement-runs", as: deployment.admin, #"{"job":"sweep","business_date":"2023-04-03"}"#
    ).text("id")
    try #require(
      try eventually(within: 20) {
        try get("/v1/settlement-runs/\(run)", as: deployment.admin).text("state") == "succeeded"
      })
    let told = try get("/v1/funding-rounds/\(round)/explanation", as: abroad.key).json()
    let line = try #require(told["sweeps"]?.elements.first?["dues"]?.elements.first)
    #expect(money(line["amount"]) == 5_000_000)
    #expect(money(line["due"]) == 35_000_000)
    #expect(line["rate"]?["rate"]?.asString == "7.0000")
    #expect(line["rate"]?["source"]?.asString == "CFETS")
    // A round thought of in a third currency, on a day to come: today's rate, named.
    let query = "/v1/startups/\(startup.id)/sweep-preview?currency=USD&amount=1000&closed_on=2024-04-03"
    #expect(try get(query, as: startup.key).status == 200)
    #expect(try get(query.replacing("USD", with: "JPY"), as: startup.key).text("code") == "repayment.no_rate")
  }

  func converts() throws {
    let receipt = try deployment.post(
      service, "/v1/cash-receipts", as: deployment.admin,
      """
      {"received_on":"2023-04-03","amount":{"amount":10000000,"currency":"USD"},"source":"round",\
      "payer_organization_id":"\(startup.id)"}
      """)
    #expect(try money(receipt.json()["remainder"]) == 5_000_000)
    #expect(try receipt.text("remainder_reason") == "other_currency")
    let target = try "/v1/cash-receipts/\(receipt.text("id"))/convert"
    func body(_ into: Int64, _ more: String = "") -> String {
      """
      {"amount":{"amount":5000000,"currency":"USD"},"into":{"amount":\(into),"currency":"CNY"},\
      "converted_on":"2023-04-03","evidence":"advice of the bank"\(more)}
      """
    }
    for (text, status, code) in [
      (body(35_000_000, #","x":1"#), 422, "request.invalid"), (body(0), 422, "request.invalid"),
      (body(20_000_000), 409, "conversion.rate_too_far"), ("{}", 422, "request.invalid"),
    ] {
      let answer = try http.post(target, as: deployment.admin, text, idempotency: UUID().uuidString)
      #expect(answer.status == status, "\(answer.text)")
      #expect(try answer.text("code") == code)
    }
    let stated = try deployment.post(service, target, as: deployment.admin, body(35_000_000))
    let id = try stated.text("id")
    #expect(try get("/v1/cash-conversions/\(id)", as: startup.key).text("state") == "proposed")
    #expect(try get("/v1/cash-conversions/\(id)", as: lender.key).status == 404)
    let approve = "/v1/cash-conversions/\(id)/approve"
    #expect(
      try http.post(approve, as: deployment.admin, "{}", idempotency: "own").text("code") == "parties.same_person")
    let booked = try deployment.post(service, approve, as: deployment.checker).json()
    #expect(booked["receipt"]?["allocations"]?.elements.first?["loan_id"]?.asString == loans[1])
    let loan = try get("/v1/loans/\(loans[1])", as: abroad.key).json()
    #expect(money(loan["outstanding"]) == 77_000_000 || money(loan["outstanding"]?["principal"]) == 77_000_000)
    #expect(try get("/v1/cash-conversions?state=approved", as: startup.key).json()["data"]?.elements.count == 1)
  }

  /// 11,000,000 cents and 77,000,000 fen are owed still.
  func shows() throws {
    let target = "/v1/startups/\(startup.id)/exposure"
    let plain = try get(target, as: startup.key).json()
    #expect(plain["debt"]?.elements.count == 2)
    #expect(plain["debt_in_currency"] == nil)
    let one = try get(target + "?currency=USD", as: startup.key).json()["debt_in_currency"]
    #expect(money(one?["total"]) == 22_000_000)
    #expect(one?["rates"]?.elements.first?["rate"]?.asString == "7.0000")
    #expect(try get(target + "?currency=JPY", as: startup.key).text("code") == "repayment.no_rate")
    #expect(try get(target + "?currency=x", as: startup.key).status == 422)
  }
}
