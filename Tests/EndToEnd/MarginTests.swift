import Foundation
import PostgresHarness
import ServiceHarness
import StrictJSON
import Testing

extension EndToEnd {
  private static let chip = "nvidia-t4"

  /// The real prices of the chip in a retail market, up to a day, as a file of their own: what was known by then.
  private func prices(upTo date: String) throws -> String {
    let seed = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../schema/seed/chip-prices.csv").standardized
    let lines = try String(contentsOf: seed, encoding: .utf8).split(separator: "\n")
    let known = lines.dropFirst().filter { line in
      line.contains(",\(Self.chip),unit_price,USD,") && line.prefix(10) <= date
    }
    let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).csv")
    try ([lines[0]] + known).joined(separator: "\n").appending("\n").write(to: file, atomically: true, encoding: .utf8)
    return file.path
  }

  @Test(
    "a loan over real prices, through HTTP: a call opens, is disputed, refused, cured by principal; the next one clears"
  )
  func margin() async throws {
    try await withDeployment { deployment in
      let service = try deployment.serve()
      let http = RawHTTP(port: service.port)
      /// Lets days pass until one, makes known what prices were by then, and closes the days.
      func close(_ date: String) throws {
        try deployment.post(service, "/v1/sandbox/clock", as: deployment.admin, "{\"now\":\"\(date)T18:00:00Z\"}")
        let file = try self.prices(upTo: date)
        defer { try? FileManager.default.removeItem(atPath: file) }
        let imported = try deployment.run(["import", "chip-prices", file, "--keys", deployment.keysFile])
        try #require(imported.status == 0, "\(imported.output)")
        let closed = try deployment.run(["settle", "day_close", "--date", date])
        try #require(closed.status == 0, "\(closed.output)")
      }
      try deployment.post(service, "/v1/sandbox/clock", as: deployment.admin, #"{"now":"2023-04-03T09:00:00Z"}"#)
      let lender = try deployment.enrol(service, "Lender", role: "lender")
      let startup = try deployment.enrol(service, "Startup", role: "startup")
      let stranger = try deployment.enrol(service, "Stranger", role: "lender")
      let loan = try self.loanOnMargin(deployment, service, http, lender: lender, startup: startup)

      // The price fell from 1,439.99 to 1,293.00 in a month; nine tenths and a little of the expected value were asked.
      try close("2023-04-03")
      try close("2023-04-17")
      let calls = try http.get("/v1/margin-calls?state=running", as: startup.key).json()["data"]?.elements.map { $0 }
      let call = try #require(calls?.first)
      let id = try #require(call["id"]?.asString)
      #expect(call["state"]?.asString == "open" && call["opened_on"]?.asString == "2023-04-15")
      #expect(call["due_on"]?.asString == "2023-06-14")
      let testID = try #require(call["margin_test_id"]?.asString)
      let test = try http.get("/v1/margin-tests/\(testID)", as: lender.key).json()
      let called = try #require(call["called"]?["amount"]?.asInteger)
      #expect(test["mark"]?["amount"]?["amount"]?.asInteger == 129_300)
      #expect(test["mark"]?["effective_on"]?.asString == "2023-04-15")
      // 64 chips of 1,439.99 along the curve to 99.2 %, of which 91 % must be there; 64 of 1,293.00 are.
      #expect(test["result"]?["expected"]?["amount"]?.asInteger == 9_142_209)
      #expect(test["result"]?["required"]?["amount"]?.asInteger == 8_319_411)
      #expect(test["result"]?["held"]?["amount"]?.asInteger == 8_275_200)
      #expect(called == 44_211 && test["result"]?["shortfall"]?["amount"]?.asInteger == called)
      #expect(try http.get("/v1/margin-calls/\(id)", as: stranger.key).status == 404)
      #expect(try http.get("/v1/margin-calls", as: stranger.key).json()["data"]?.elements.isEmpty == true)

      try self.disputeAndCure(deployment, service, http, call: id, called: called, startup: startup, lender: lender)

      // Five months later the price is 1,057.00, and 1,139.00 a month after that.
      for date in ["2023-05-17", "2023-06-17", "2023-07-17", "2023-08-17", "2023-09-18"] { try close(date) }
      let second = try #require(
        try http.get("/v1/margin-calls?state=running", as: lender.key).json()["data"]?.elements.first)
      #expect(second["opened_on"]?.asString == "2023-09-15" && second["loan_id"]?.asString == loan)
      let exposed = try http.get("/v1/lenders/\(lender.id)/exposure", as: lender.key).json()
      #expect(exposed["margin_calls_running"]?.elements.map { $0["calls"]?.asInteger } == [1])
      let held = try #require(exposed["coverage"]?.elements.first)
      #expect(exposed["coverage"]?.elements.count == 1 && held["loans_without_mark"]?.asInteger == 0)
      #expect(held["marked_value"]?["amount"]?.asInteger == 64 * 105_700 && held["units"]?.asInteger == 64)
      let alone = try http.get("/v1/loans/\(loan)/coverage", as: lender.key).json()
      let owed = try #require(alone["inputs"]?["outstanding"]?["amount"]?.asInteger)
      #expect(held["outstanding"]?["amount"]?.asInteger == owed && held["deposits"]?["amount"]?.asInteger == 0)
      #expect(held["coverage_bps"]?.asInteger == alone["coverage_bps"]?.asInteger)
      let bare = try #require(exposed["debt_over_valuation"]?.elements.first)
      #expect(bare["startup_id"]?.asString == startup.id && bare["lack"]?.asString == "no_valuation")
      #expect(bare["debt_over_valuation_bps"]?.isNull == true && bare["debt"]?["amount"]?.asInteger == owed)
      try close("2023-10-16")
      let ended = try http.get("/v1/margin-calls/\(second["id"]?.asString ?? "")", as: lender.key).json()
      #expect(ended["state"]?.asString == "cleared" && ended["ended_on"]?.asString == "2023-10-15")

      try self.deposit(deployment, service, http, loan: loan, startup: startup, lender: lender)
      try self.coverage(http, loan: loan, lender: lender, startup: startup, stranger: stranger)
      let asked = try self.askForHaircut(deployment, service, http, lender: lender)
      try close("2023-10-18")
      try self.haircutTaken(http, asked, loan: loan, lender: lender)
      let told = try http.get("/v1/loans/\(loan)/timeline", as: lender.key).json()["events"]?.elements
        .compactMap { $0["type"]?.asString }.filter { $0.hasPrefix("margin_call.") }
      #expect(
        told == [
          "margin_call.opened", "margin_call.disputed", "margin_call.decided", "margin_call.cured",
          "margin_call.opened", "margin_call.cleared",
        ])
      for party in [lender, startup] {
        let events = try http.get("/v1/events?limit=200", as: party.key).text
        #expect(events.contains("margin_call.opened") && events.contains(id), "both sides are told")
      }
      // Every day was looked at, and no day twice.
      let tests = try deployment.console().number("select count(*) from margin_tests where outcome = 'tested'")
      #expect(tests == 199)
      try expectBooksHold(deployment)
      // A deposit is held in them.
      try expectHledgerChecks(deployment)
    }
  }

  /// 64 chips at nine tenths of the day's mark, which a series derived from real quotes.
  private func loanOnMargin(
    _ deployment: Deployment, _ service: Service, _ http: RawHTTP, lender: Party, startup: Party
  ) throws -> String {
    let series = #"""
      {"kind":"unit_price","quote_basis":"retail marketplace, median of price changes in the month","currency":"USD",
       "least_quotes":1,"window_days":45}
      """#
    let id = try deployment.post(
      service, "/v1/chip-models/\(Self.chip)/mark-series", as: deployment.admin, series
    ).text("id")
    try deployment.post(service, "/v1/mark-series/\(id)/approve", as: deployment.checker)
    let file = try prices(upTo: "2023-04-03")
    defer { try? FileManager.default.removeItem(atPath: file) }
    let imported = try deployment.run(["import", "chip-prices", file, "--keys", deployment.keysFile])
    try #require(imported.status == 0, "\(imported.output)")
    let marked = try deployment.run(["settle", "marks", "--date", "2023-04-03"])
    try #require(marked.status == 0 && marked.output.contains("marks 1"), "\(marked.output)")
    let goods = Goods.lot(of: 64).replacing(Goods.chip, with: Self.chip)
    let lot = try deployment.post(service, "/v1/lots", as: lender.key, goods).text("id")
    let margin =
      #"{"threshold_bps":9100,"cure_days":60,"consequence":"due","expected":{"points":["#
      + [(1, 9_800), (2, 9_000), (3, 8_500), (4, 8_450), (5, 8_400), (6, 8_350), (7, 8_300)].map {
        "{\"age_months\":\($0),\"residual_bps\":\($1)}"
      }.joined(separator: ",") + "]}}"
    let listing =
      #"{"lot_id":"\#(lot)","quantity":64,"ask_rate_bps":900,"min_term_days":30,"max_term_days":730,"min_quantity":8,"#
      + #""delivery_modes":["physical"],"advance_rate_bps":9000,"margin":\#(margin)}"#
    for (wrong, pointer) in [
      (listing.replacing("\"due\"", with: "\"recall\""), "/margin"),
      (listing.replacing("8300}", with: "8400}"), "/margin/expected/points"),
      (listing.replacing("\"cure_days\":60", with: "\"cure_days\":91"), "/margin/cure_days"),
      (listing.replacing("\"threshold_bps\"", with: "\"share_bps\""), "/margin/threshold_bps"),
    ] {
      let refused = try http.post("/v1/listings", as: lender.key, wrong, idempotency: UUID().uuidString)
      #expect(refused.status == 422 && refused.text.contains("\"\(pointer)\""), "\(refused.text)")
    }
    try deployment.post(service, "/v1/listings", as: lender.key, listing)
    let request = Goods.request("margin").replacing(Goods.chip, with: Self.chip)
      .replacing("\"term_days\":180", with: "\"term_days\":360")
    try deployment.post(service, "/v1/loan-requests", as: startup.key, request)
    let round = try deployment.post(service, "/v1/match-rounds", as: deployment.admin).text("id")
    let ended = try eventually(within: 20) {
      try http.get("/v1/match-rounds/\(round)", as: deployment.admin).text("state") == "succeeded"
    }
    #expect(ended)
    let offers = try http.get("/v1/offers?state=pending", as: startup.key).json()["data"]?.elements
    let offer = try #require(offers?.first?["id"]?.asString)
    return try deployment.handOver(service, offer: offer, of: lender, to: startup)
  }

  private func disputeAndCure(
    _ deployment: Deployment, _ service: Service, _ http: RawHTTP, call id: String, called: Int64, startup: Party,
    lender: Party
  ) throws {
    let path = "/v1/margin-calls/\(id)"
    let dispute = #"{"amount":{"amount":10000,"currency":"USD"},"reason":"one shop, not the market"}"#
    #expect(try http.post("\(path)/dispute", as: lender.key, dispute, idempotency: "other").status == 403)
    for (wrong, pointer) in [
      (dispute.replacing("10000", with: "\(called + 1)"), "/amount"),
      (dispute.replacing("reason", with: "why"), "/reason"),
    ] {
      let refused = try http.post("\(path)/dispute", as: startup.key, wrong, idempotency: UUID().uuidString)
      #expect(refused.status == 422 && refused.text.contains("\"\(pointer)\""), "\(refused.text)")
    }
    let disputed = try deployment.post(service, "\(path)/dispute", as: startup.key, dispute).json()
    #expect(
      disputed["state"]?.asString == "partly_agreed" && disputed["missing"]?["amount"]?.asInteger == called - 10_000)
    let decision = #"{"upheld":false,"reason":"the series is what was agreed"}"#
    #expect(try http.post("\(path)/decide", as: startup.key, decision, idempotency: "own").status == 403)
    let looked = try http.post(
      "\(path)/decide?validate_only=true", as: deployment.checker, decision, idempotency: UUID().uuidString)
    #expect(looked.status == 200 && looked.text.contains("agreed"))
    let decided = try deployment.post(service, "\(path)/decide", as: deployment.checker, decision).json()
    #expect(decided["state"]?.asString == "agreed" && decided["decision"]?["upheld"]?.asBool == false)
    try deployment.post(service, "/v1/sandbox/clock", as: deployment.admin, #"{"now":"2023-04-18T09:00:00Z"}"#)
    let receipt = try deployment.post(
      service, "/v1/cash-receipts", as: deployment.admin,
      #"{"received_on":"2023-04-18","amount":{"amount":\#(called + 500),"currency":"USD"},"source":"instalment","#
        + #""payer_organization_id":"\#(startup.id)","margin_call_id":"\#(id)"}"#
    ).json()
    #expect(receipt["remainder"]?["amount"]?.asInteger == 500)
    #expect(receipt["allocations"]?.elements.map { $0["step"]?.asString } == ["principal"])
    let cured = try http.get(path, as: startup.key).json()
    #expect(cured["state"]?.asString == "cured" && cured["ended_on"]?.asString == "2023-04-18")
  }

  /// Cash that is pledged counts, is nobody's to take, and goes back on two persons' word.
  private func deposit(
    _ deployment: Deployment, _ service: Service, _ http: RawHTTP, loan: String, startup: Party, lender: Party
  ) throws {
    let body =
      #"{"received_on":"2023-10-17","amount":{"amount":70000,"currency":"USD"},"source":"deposit","#
      + #""payer_organization_id":"\#(startup.id)","loan_id":"\#(loan)"}"#
    try deployment.post(service, "/v1/sandbox/clock", as: deployment.admin, #"{"now":"2023-10-17T09:00:00Z"}"#)
    let receipt = try deployment.post(service, "/v1/cash-receipts", as: deployment.admin, body).json()
    #expect(receipt["deposit"]?["held"]?["amount"]?.asInteger == 70_000)
    #expect(receipt["remainder"]?["amount"]?.asInteger == 0)
    let now = try http.get("/v1/loans/\(loan)/coverage", as: lender.key).json()
    #expect(now["inputs"]?["deposits"]?["amount"]?.asInteger == 70_000)
    for path in ["/v1/lenders/\(lender.id)/exposure", "/v1/startups/\(startup.id)/exposure"] {
      let party = path.hasPrefix("/v1/lenders") ? lender : startup
      let book = try http.get(path, as: party.key).json()["coverage"]?.elements.first
      #expect(book?["deposits"]?["amount"]?.asInteger == 70_000)
      #expect(book?["coverage_bps"]?.asInteger == now["coverage_bps"]?.asInteger)
    }
    let path = "/v1/cash-receipts/\(try #require(receipt["id"]?.asString))/deposit-acts"
    let asked = #"{"kind":"return","reason":"nothing is missing without it"}"#
    #expect(try http.post(path, as: startup.key, asked, idempotency: "startup").status == 403)
    let made = try deployment.post(service, path, as: deployment.admin, asked)
    #expect(made.status == 202)
    let act = try #require(made.headers["location"])
    #expect(try http.post("\(act)/approve", as: deployment.admin, "{}", idempotency: "own").status == 403)
    #expect(try deployment.post(service, "\(act)/approve", as: deployment.checker).text("state") == "approved")
    for party in [startup, lender] {
      let list = try http.get("/v1/deposit-acts?loan_id=\(loan)", as: party.key).json()["data"]?.elements
      #expect(list?.first?["state"]?.asString == "approved")
    }
  }

  private func coverage(
    _ http: RawHTTP, loan: String, lender: Party, startup: Party, stranger: Party
  ) throws {
    for key in [lender.key, startup.key] {
      let now = try http.get("/v1/loans/\(loan)/coverage?on=2023-10-16", as: key).json()
      #expect(now["outcome"]?.asString == "tested" && now["result"]?["breach"]?.asBool == false)
      #expect(
        now["inputs"]?["units"]?.asInteger == 64 && now["inputs"]?["repaid_for_calls"]?["amount"]?.asInteger == 44_211)
      #expect(now["last_test"]?["on"]?.asString == "2023-10-16")
      // The day of the first call: its own figures again, before the principal came and whatever is known since.
      let then = try http.get("/v1/loans/\(loan)/coverage?on=2023-04-15", as: key).json()
      #expect(then["result"]?["shortfall"]?["amount"]?.asInteger == 44_211 && then["result"]?["breach"]?.asBool == true)
      #expect(then["mark"]?["amount"]?["amount"]?.asInteger == 129_300)
      // As it was known the evening before, the month's price was not out.
      let before = try http.get("/v1/loans/\(loan)/coverage?on=2023-04-15&known_at=2023-04-14T00:00:00Z", as: key)
        .json()
      #expect(before["mark"]?["amount"]?["amount"]?.asInteger == 143_999)
      #expect(before["last_test"]?["on"]?.asString == "2023-04-03")
    }
    #expect(try http.get("/v1/loans/\(loan)/coverage", as: stranger.key).status == 404)
    let list = try http.get("/v1/margin-tests?loan_id=\(loan)&limit=3", as: lender.key).json()
    #expect(list["data"]?.elements.count == 3 && list["next_cursor"]?.asString != nil)
    #expect(try http.get("/v1/margin-tests?loan_id=\(loan)&on=2023-04-15", as: lender.key).status == 422)
  }

  /// The platform asks for a tenth off these chips from the next day on: one person proposes it, another adopts it.
  private func askForHaircut(
    _ deployment: Deployment, _ service: Service, _ http: RawHTTP, lender: Party
  ) throws -> String {
    func body(_ from: String) -> String {
      #"{"chip_model_id":"\#(Self.chip)","from_on":"\#(from)","haircut_bps":1000,"source":"sales of the quarter"}"#
    }
    let late = try http.post("/v1/haircuts", as: deployment.admin, body("2023-10-17"), idempotency: "late")
    #expect(late.status == 422 && late.text.contains("\"reference.not_ahead\""), "\(late.text)")
    #expect(try http.post("/v1/haircuts", as: lender.key, body("2023-10-18"), idempotency: "lender").status == 403)
    let id = try deployment.post(service, "/v1/haircuts", as: deployment.admin, body("2023-10-18")).text("id")
    func listed(_ query: String = "", as key: String) throws -> JSONNode {
      try http.get("/v1/haircuts\(query)", as: key).json()
    }
    #expect(try listed(as: deployment.checker)["proposed"]?.elements.map { $0["id"]?.asString } == [id])
    #expect(try listed(as: lender.key)["proposed"]?.elements.isEmpty == true)
    #expect(
      try http.post("/v1/haircuts/\(id)/adopt", as: deployment.admin, "{}", idempotency: "own-haircut").status == 403)
    let adopted = try deployment.post(service, "/v1/haircuts/\(id)/adopt", as: deployment.checker).json()
    #expect(adopted["state"]?.asString == "adopted" && adopted["haircut_bps"]?.asInteger == 1_000)
    #expect(try listed(as: lender.key)["data"]?.elements.map { $0["id"]?.asString } == [id])
    #expect(try listed("?on=2023-10-17", as: lender.key)["data"]?.elements.isEmpty == true)
    #expect(try listed("?on=2023-10-18", as: lender.key)["data"]?.elements.map { $0["id"]?.asString } == [id])
    return id
  }

  /// The day's test and what is told of it take a tenth off 64 chips of 1,139.00; the days before stand as they were.
  private func haircutTaken(_ http: RawHTTP, _ id: String, loan: String, lender: Party) throws {
    let last = try http.get("/v1/loans/\(loan)/coverage?on=2023-10-18", as: lender.key).json()
    #expect(last["haircut"]?["haircut_bps"]?.asInteger == 1_000)
    #expect(last["haircut"]?["least_haircut_id"]?.asString == id)
    #expect(last["terms"]?["haircut_bps"]?.asInteger == 0)
    #expect(last["result"]?["held"]?["amount"]?.asInteger == 6_560_640)
    let test = try http.get("/v1/margin-tests/\(last["last_test"]?["id"]?.asString ?? "")", as: lender.key).json()
    #expect(test["on"]?.asString == "2023-10-18" && test["least_haircut_id"]?.asString == id)
    #expect(test["haircut_bps"]?.asInteger == 1_000 && test["vendor_class"]?.asString == "data-centre")
    #expect(test["result"]?["held"]?["amount"]?.asInteger == 6_560_640)
    let before = try http.get("/v1/loans/\(loan)/coverage?on=2023-10-16", as: lender.key).json()
    #expect(before["haircut"]?["haircut_bps"]?.asInteger == 0)
    #expect(before["haircut"]?["least_haircut_id"]?.isNull == true)
  }
}
