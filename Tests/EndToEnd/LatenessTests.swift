import Foundation
import PostgresHarness
import ServiceHarness
import StrictJSON
import Testing

extension EndToEnd {
  @Test(
    "a loan that is paid late, through HTTP: calendar, penalty, lateness, every number explained, statement, verify")
  func lateness() async throws {
    try await withDeployment { deployment in
      let service = try deployment.serve()
      let http = RawHTTP(port: service.port)
      try deployment.openMarket(service)
      let lender = try deployment.enrol(service, "Lender", role: "lender")
      let startup = try deployment.enrol(service, "Startup", role: "startup")
      let stranger = try deployment.enrol(service, "Stranger", role: "lender")
      try calendars(deployment, service, http, lender: lender)
      let loan = try lateLoan(deployment, service, http, lender: lender, startup: startup)

      // Due on 13 April, three days of grace, 36 % a year on 160,000.00: 160.00 a day from 16 April on.
      func close(_ date: String) throws {
        try deployment.post(service, "/v1/sandbox/clock", as: deployment.admin, "{\"now\":\"\(date)T18:00:00Z\"}")
        let closed = try deployment.run(["settle", "day_close", "--date", date])
        try #require(closed.status == 0, "\(closed.output)")
      }
      try close("2023-04-03")
      try close("2023-04-30")
      let body = try http.get("/v1/loans/\(loan)", as: startup.key).json()
      #expect(body["charges"]?["amount"]?.asInteger == 240_000)
      #expect(body["days_past_due"]?.asInteger == 17 && body["bucket"]?.asString == "1-29")
      let report = try http.get("/v1/delinquency?on=2023-05-20", as: lender.key).json()
      #expect(report["data"]?.elements.first?["bucket"]?.asString == "30-59")
      #expect(try http.get("/v1/delinquency", as: stranger.key).json()["data"]?.elements.isEmpty == true)
      let penalties = try http.get("/v1/loans/\(loan)/penalties", as: lender.key).json()
      #expect(penalties["data"]?.elements.isEmpty == false)

      // Each number, from either side, is the sum of its parts, and no part is without a rule.
      for (field, member) in [("outstanding", "outstanding"), ("accrued_fee", "accrued_fee"), ("charges", "charges")] {
        for key in [lender.key, startup.key, deployment.admin] {
          let explained = try http.get("/v1/loans/\(loan)/explain?field=\(field)&on=2023-04-30", as: key).json()
          let parts = explained["parts"]?.elements.map { $0 } ?? []
          let sum = parts.reduce(Int64(0)) { $0 + ($1["amount"]?["amount"]?.asInteger ?? 0) }
          #expect(explained["value"]?["amount"]?.asInteger == sum)
          #expect(body[member]?["amount"]?.asInteger == sum, "\(field)")
          #expect(parts.allSatisfy { $0["rule"]?.asString != "unexplained" })
        }
      }
      #expect(try http.get("/v1/loans/\(loan)/explain?field=charges", as: stranger.key).status == 404)
      #expect(try http.get("/v1/loans/\(loan)/explain?field=tea", as: startup.key).status == 422)
      let entry = try #require(penalties["data"]?.elements.first?["entry_id"]?.asString)
      let told = try http.get("/v1/ledger/entries/\(entry)/explanation", as: startup.key).json()
      #expect(told["parts"]?.elements.first?["rule"]?.asString == "penalty")
      #expect(try http.get("/v1/ledger/entries/\(entry)/explanation", as: stranger.key).status == 404)

      try statementDocuments(deployment, service, http, lender: lender, stranger: stranger)
      try expectBooksHold(deployment)
    }
  }

  /// A second person adopts a calendar.
  private func calendars(
    _ deployment: Deployment, _ service: Service, _ http: RawHTTP, lender: Party
  ) throws {
    let body =
      #"{"code":"CNY","currencies":["CNY"],"from_on":"2023-01-01","through_on":"2023-12-31","#
      + #""holidays":[{"on":"2023-10-02","name":"National Day"}],"source":"circular"}"#
    #expect(try http.post("/v1/calendars", as: lender.key, body, idempotency: "lender").status == 403)
    let made = try deployment.post(service, "/v1/calendars", as: deployment.admin, body)
    let path = try #require(made.headers["location"])
    #expect(try http.get(path, as: lender.key).status == 404)
    let own = try http.post("\(path)/adopt", as: deployment.admin, "{}", idempotency: "own")
    #expect(own.status == 403)
    try deployment.post(service, "\(path)/adopt", as: deployment.checker)
    #expect(try http.get(path, as: lender.key).text("state") == "adopted")
    let all = try http.get("/v1/calendars", as: lender.key).json()
    #expect(all["data"]?.elements.compactMap { $0["code"]?.asString } == ["USD", "TARGET", "CNY"])
    let day = try http.get("/v1/business-days?currency=CNY&on=2023-10-02", as: lender.key).json()
    #expect(day["holiday"]?.asString == "National Day" && day["following"]?.asString == "2023-10-03")
    for (wrong, pointer) in [
      (body.replacing("2023-12-31", with: "2022-12-31"), "/through_on"),
      (body.replacing("2023-10-02", with: "2024-10-02"), "/holidays"),
      (body.replacing("\"CNY\",\"cur", with: "\"c\",\"cur"), "/code"),
      (body.replacing("National Day", with: ""), "/holidays/0/name"),
    ] {
      let refused = try http.post("/v1/calendars", as: deployment.admin, wrong, idempotency: UUID().uuidString)
      #expect(refused.status == 422 && refused.text.contains(pointer), "\(refused.status) \(refused.text)")
    }
  }

  /// A loan of 64 chips of 2,500.00 each, called back with ten days of notice and not given back.
  private func lateLoan(
    _ deployment: Deployment, _ service: Service, _ http: RawHTTP, lender: Party, startup: Party
  ) throws -> String {
    let lot = try deployment.post(service, "/v1/lots", as: lender.key, Goods.lot(of: 64)).text("id")
    try deployment.post(
      service, "/v1/listings", as: lender.key,
      """
      {"lot_id":"\(lot)","quantity":64,"ask_rate_bps":900,"min_term_days":30,"max_term_days":730,"min_quantity":8,\
      "delivery_modes":["physical"],"advance_rate_bps":10000,"recall":{"notice_days":10},"penalty_rate_bps":3600,\
      "penalty_grace_days":3,"penalty_cap_bps":1000}
      """)
    try deployment.post(service, "/v1/loan-requests", as: startup.key, Goods.request("late"))
    let round = try deployment.post(service, "/v1/match-rounds", as: deployment.admin).text("id")
    let ended = try eventually(within: 20) {
      try http.get("/v1/match-rounds/\(round)", as: deployment.admin).text("state") == "succeeded"
    }
    #expect(ended)
    let offers = try http.get("/v1/offers?state=pending", as: startup.key).json()["data"]?.elements
    let offer = try #require(offers?.first?["id"]?.asString)
    let loan = try deployment.handOver(service, offer: offer, of: lender, to: startup)
    try deployment.post(service, "/v1/loans/\(loan)/recall", as: lender.key)
    return loan
  }

  /// The month's statement: issued once, its digest that of its bytes, seen by its own organisation alone.
  private func statementDocuments(
    _ deployment: Deployment, _ service: Service, _ http: RawHTTP, lender: Party, stranger: Party
  ) throws {
    let issued = try deployment.run(["settle", "statements", "--date", "2023-04-30"])
    #expect(issued.status == 0, "\(issued.output)")
    let open = try deployment.run(["settle", "statements", "--date", "2023-05-31"])
    #expect(open.status != 0)
    let list = try http.get("/v1/statement-documents?month=2023-04", as: lender.key).json()["data"]?.elements
    let row = try #require(list?.first)
    #expect(list?.count == 1)
    let id = try #require(row["id"]?.asString)
    let document = try http.get("/v1/statement-documents/\(id)", as: lender.key)
    #expect(document.status == 200)
    #expect(document.headers["etag"] == row["digest"]?.asString.map { "\"\($0)\"" })
    let accounts = try document.json()["accounts"]?.elements.map { $0 } ?? []
    let fee = accounts.first { $0["account"]?.asString == "receivable.charges" }
    #expect(fee?["closing"]?.asInteger == 240_000 && fee?["opening"]?.asInteger == 0)
    let text = try http.get("/v1/statement-documents/\(id)?format=text", as: lender.key)
    #expect(text.text.contains("Statement of Lender") && text.text.contains("USD 2,400.00"))
    #expect(text.text.contains(try #require(row["digest"]?.asString)))
    #expect(try http.get("/v1/statement-documents/\(id)", as: stranger.key).status == 404)
    let clearing = try http.get("/v1/ledger/clearing?on=2023-04-30", as: deployment.admin).json()["data"]?.elements
    let chips = try #require(clearing?.first { $0["account"]?.asString == "clearing.chips" })
    #expect(chips["cleared_bps"]?.asInteger == 0 && chips["oldest_open_days"]?.asInteger == 27)
    #expect(try http.get("/v1/ledger/clearing", as: lender.key).status == 404)
    let fees = try deployment.run(["settle", "fees", "--date", "2023-04-30"])
    #expect(fees.status == 0, "\(fees.output)")
    #expect(try http.get("/v1/platform-invoices", as: lender.key).json()["data"]?.elements.isEmpty == true)
    let verify = try deployment.run(["verify"])
    #expect(verify.status == 0, "\(verify.output)")
  }
}
