import Foundation
import ServiceHarness
import StrictJSON
import Testing

extension EndToEnd {
  @Test("the stress run of 17 November 2023 names each lender's loss, by hand, and changes nothing")
  func stressOfTheBanDay() async throws {
    try await withDeployment { deployment in
      let service = try deployment.serve()
      try StressWalk(deployment, service).run()
    }
  }

  @Test("a startup reports its cash and reads what it could borrow, with both dates of every input")
  func borrowingPower() async throws {
    try await withDeployment { deployment in
      let service = try deployment.serve()
      try BorrowingWalk(deployment, service).run()
      let verified = try deployment.run(["verify"])
      #expect(verified.status == 0, "\(verified.output)")
    }
  }
}

extension EndToEnd {
  @Test("a startup whose valuation is stale or disputed is matched nothing and takes nothing until that is settled")
  func unreliableValuation() async throws {
    try await withDeployment { deployment in
      let service = try deployment.serve()
      let http = RawHTTP(port: service.port)
      let lender = try deployment.enrol(service, "Lender", role: "lender")
      let startup = try deployment.enrol(service, "Startup", role: "startup")
      try deployment.openMarket(service)
      func value(_ day: String) throws -> String {
        try deployment.mark(
          service, "/v1/startups/\(startup.id)/valuations",
          """
          {"method":"priced_round","basis":"post_money","amount":{"amount":50000000,"currency":"USD"},\
          "effective_on":"\(day)","source":"a round"}
          """)
      }
      _ = try value("2022-04-02")
      #expect(try deployment.offers(service, lender: lender, startup: startup, requests: 1).isEmpty)
      let request = try #require(
        try http.get("/v1/loan-requests", as: startup.key).json()["data"]?.elements.first?["id"]?.asString)
      func blocks() throws -> [String] {
        let answer = try http.get("/v1/loan-requests/\(request)/explanation", as: startup.key).json()
        return answer["blocks"]?.asArray?.compactMap { $0["code"]?.asString } ?? []
      }
      #expect(try blocks() == ["valuation.mark_stale"])
      let fresh = try value("2022-04-03")
      #expect(try blocks() == [])
      let round = try deployment.post(service, "/v1/match-rounds", as: deployment.admin).text("id")
      let ended = try eventually(within: 20) {
        try http.get("/v1/match-rounds/\(round)", as: deployment.admin).text("state") == "succeeded"
      }
      try #require(ended)
      let offer = try #require(
        try http.get("/v1/offers?state=pending", as: startup.key).json()["data"]?.elements.first?["id"]?.asString)
      let dispute = try deployment.post(
        service, "/v1/valuations/\(fresh)/dispute", as: startup.key, #"{"reason":"the round did not close"}"#
      ).text("id")
      let refused = try http.post("/v1/offers/\(offer)/accept", as: startup.key, "{}", idempotency: "disputed")
      #expect(refused.status == 409)
      #expect(try refused.text("code") == "valuation.mark_disputed")
      try deployment.post(service, "/v1/valuation-disputes/\(dispute)/withdraw", as: startup.key)
      _ = try deployment.handOver(service, offer: offer, of: lender, to: startup)
      let verified = try deployment.run(["verify"])
      #expect(verified.status == 0, "\(verified.output)")
    }
  }
}

private func amount(_ node: JSONNode?) -> Int64? { node?["amount"]?.asInteger }

/// Before the ban two lenders lent A800 to a startup, and one of them A10 to another: 64 chips each, 16,000,000 owed.
private struct StressWalk {
  let deployment: Deployment
  let service: Service
  let lenders: [Party]
  let startups: [Party]

  init(_ deployment: Deployment, _ service: Service) throws {
    self.deployment = deployment
    self.service = service
    lenders = try ["First Lender", "Second Lender"].map { try deployment.enrol(service, $0, role: "lender") }
    startups = try ["First Startup", "Second Startup"].map { try deployment.enrol(service, $0, role: "startup") }
    try deployment.openMarket(service)
    let banned = "nvidia-a800-sxm4-80"
    try deployment.markChip(service, banned)
    for lender in lenders { _ = try deployment.lend(service, from: lender, to: startups[0], chip: banned) }
    _ = try deployment.lend(service, from: lenders[0], to: startups[1])
    for startup in startups {
      try deployment.mark(
        service, "/v1/startups/\(startup.id)/valuations",
        """
        {"method":"priced_round","basis":"post_money","amount":{"amount":50000000,"currency":"USD"},\
        "effective_on":"2023-03-15","source":"round A"}
        """)
    }
  }

  private var http: RawHTTP { RawHTTP(port: service.port) }

  private func stress(_ body: String, as key: String? = nil) throws -> JSONNode {
    try deployment.post(service, "/v1/stress-tests", as: key ?? deployment.admin, body).json()
  }

  private func lines(_ answer: JSONNode) -> [JSONNode] { answer["loans"].map { Array($0.elements) } ?? [] }

  private func loss(_ answer: JSONNode, of lender: Party) -> Int64? {
    amount(answer["lenders"]?.elements.first { $0["organization_id"]?.asString == lender.id }?["loss_after"])
  }

  /// The valuations fall by half: the first startup owes 32,000,000 and is worth 25,000,000, the second owes 16,000,000.
  private static let fall = #""all_startups_loss_bps":5000,"all_chips_loss_bps":2000,"sale_haircut_bps":1000"#

  func run() throws {
    let events = try http.get("/v1/events?after=0&limit=200", as: deployment.admin).text
    let calm = try stress("{}")
    #expect(lines(calm).count == 3 && amount(calm["totals"]?.elements.first?["loss_after"]) == 0)
    #expect(lines(calm).allSatisfy { amount($0["before"]?["recoverable"]) == 16_000_000 })
    // A down round with a new generation: of 16,000,000 a sale brings 72 %, and 4,480,000 are lost on each A800 loan.
    let down = try stress("{\(Self.fall)}")
    #expect(lenders.map { loss(down, of: $0) } == [4_480_000, 4_480_000])
    #expect(down["totals"]?.elements.first?["breaches_after"]?.asInteger == 3)
    // With the rules of the ban day the A800 bring nothing: all of it is lost.
    let ban = try stress(#"{"rules":{"on":"2023-11-17"},\#(Self.fall)}"#)
    #expect(lenders.map { loss(ban, of: $0) } == [16_000_000, 16_000_000])
    for line in lines(ban) {
      let isBanned = line["borrower_id"]?.asString == startups[0].id
      #expect(line["after"]?["fails"]?.asBool == isBanned)
      #expect(amount(line["after"]?["recoverable"]) == (isBanned ? 0 : 11_520_000))
    }
    let eve = try stress(#"{"rules":{"on":"2023-11-16"},\#(Self.fall)}"#)
    #expect(lenders.map { loss(eve, of: $0) } == [4_480_000, 4_480_000])
    try addsUp(ban)
    try ofALender(ban)
    try refusals()
    try concentrated()
    #expect(try http.get("/v1/events?after=0&limit=200", as: deployment.admin).text == events)
    let verified = try deployment.run(["verify"])
    #expect(verified.status == 0, "\(verified.output)")
  }

  /// Each lender's loss is that of its loans, and all of them are the book's.
  private func addsUp(_ answer: JSONNode) throws {
    let sums = Array(try #require(answer["lenders"]?.elements))
    #expect(sums.count == 2)
    for sum in sums {
      let own = lines(answer).filter { $0["lender_id"]?.asString == sum["organization_id"]?.asString }
      #expect(amount(sum["loss_after"]) == own.reduce(0) { $0 + (amount($1["after"]?["loss"]) ?? 0) })
      #expect(amount(sum["outstanding"]) == Int64(own.count) * 16_000_000)
    }
    let total = try #require(answer["totals"]?.elements.first)
    #expect(amount(total["loss_after"]) == sums.reduce(0) { $0 + (amount($1["loss_after"]) ?? 0) })
    #expect(answer["marks"]?.elements.count == 4)
  }

  /// A lender sees its own loans, and of the startup's debt what it is owed itself: by that alone nobody fails.
  private func ofALender(_ all: JSONNode) throws {
    let own = try stress(#"{"rules":{"on":"2023-11-17"},\#(Self.fall)}"#, as: lenders[1].key)
    #expect(lines(own).count == 1 && lines(own).first?["lender_id"]?.asString == lenders[1].id)
    #expect(lines(own).first?["after"]?["debt_over_valuation_bps"]?.asInteger == 6_400)
    #expect(amount(own["totals"]?.elements.first?["uncovered_after"]) == 16_000_000)
    #expect(try http.post("/v1/stress-tests", as: startups[0].key, "{}", idempotency: UUID().uuidString).status == 403)
  }

  private func refusedWith(_ body: String) throws -> Int {
    try http.post("/v1/stress-tests", as: deployment.admin, body, idempotency: UUID().uuidString).status
  }

  private func refusals() throws {
    for body in [
      #"{"all_chips_loss_bps":10001}"#, #"{"sale_haircut_bps":10000}"#, #"{"chips":[{"chip_model_id":"x"}]}"#,
      #"{"chips":[{"chip_model_id":"x","loss_bps":1},{"chip_model_id":"x","loss_bps":2}]}"#, #"{"x":1}"#,
      #"{"rules":{"on":"yesterday"}}"#,
    ] { #expect(try refusedWith(body) == 422, "\(body)") }
    #expect(try http.get("/v1/risk/concentration?by=colour", as: deployment.admin).status == 422)
  }

  private func concentrated() throws {
    for dimension in ["startup", "group", "chip_model", "lender", "region"] {
      let answer = try http.get("/v1/risk/concentration?by=\(dimension)", as: deployment.checker)
      try #require(answer.status == 200, "\(answer.text)")
      let parts = Array(try #require(try answer.json()["data"]?.elements))
      let shares = parts.compactMap { $0["share_bps"]?.asInteger }
      // Each is rounded up, so their sum is the whole and less than one for each more.
      #expect((10_000...10_000 + Int64(parts.count)).contains(shares.reduce(0, +)), "\(dimension): \(shares)")
      #expect(shares == shares.sorted(by: >))
    }
  }
}

private struct BorrowingWalk {
  let deployment: Deployment
  let service: Service
  let lender: Party
  let startup: Party

  init(_ deployment: Deployment, _ service: Service) throws {
    self.deployment = deployment
    self.service = service
    lender = try deployment.enrol(service, "Lender", role: "lender")
    startup = try deployment.enrol(service, "Startup", role: "startup")
    try deployment.openMarket(service)
    _ = try deployment.lend(service, from: lender, to: startup)
  }

  private var http: RawHTTP { RawHTTP(port: service.port) }

  private func power(_ query: String = "") throws -> JSONNode {
    let answer = try http.get("/v1/startups/\(startup.id)/borrowing-power\(query)", as: startup.key)
    try #require(answer.status == 200, "\(answer.text)")
    return try answer.json()
  }

  private func lacks(_ node: JSONNode) -> [String] { node["lacks"]?.asArray?.compactMap(\.asString) ?? [] }

  private func report(_ cash: Int, on date: String = "2023-03-31", _ more: String = "") -> String {
    """
    {"on":"\(date)","cash":{"amount":\(cash),"currency":"USD"},"monthly_burn":{"amount":1000000,"currency":"USD"},\
    "evidence":"bank statement of March"\(more)}
    """
  }

  func run() throws {
    // 64 chips at 250,000: 16,000,000 owed, 70 % of as much in chips, and nothing else known.
    let bare = try power()
    #expect(amount(bare["debt"]) == 16_000_000 && amount(bare["chip_limit"]) == 11_200_000)
    #expect(amount(bare["power"]) == 0 && amount(bare["excess"]) == 4_800_000)
    #expect(lacks(bare) == ["no_valuation", "no_runway_report"])
    try deployment.mark(
      service, "/v1/startups/\(startup.id)/valuations",
      """
      {"method":"priced_round","basis":"post_money","amount":{"amount":200000000,"currency":"USD"},\
      "effective_on":"2023-03-15","source":"round A"}
      """)
    // 16,000,000 over 200,000,000, for either side; 64 chips at 250,000 behind it.
    for path in ["/v1/lenders/\(lender.id)/exposure", "/v1/startups/\(startup.id)/exposure"] {
      let key = path.hasPrefix("/v1/lenders") ? lender.key : startup.key
      let exposed = try http.get(path, as: key).json()
      let line = exposed["debt_over_valuation"]?.elements.first
      #expect(line?["debt_over_valuation_bps"]?.asInteger == 800 && line?["lack"]?.isNull == true, "\(path)")
      #expect(amount(line?["valuation"]?["amount"]) == 200_000_000)
      let book = exposed["coverage"]?.elements.first
      #expect(book?["coverage_bps"]?.asInteger == 10_000 && amount(book?["marked_value"]) == 16_000_000)
    }
    let target = "/v1/startups/\(startup.id)/runway-reports"
    let first = try deployment.post(service, target, as: startup.key, report(9_000_000)).text("id")
    // A tenth of 200,000,000, by half for 9 months of cash; 11,200,000 for the chips; 16,000,000 owed.
    let half = try power()
    #expect(lacks(half).isEmpty && half["runway_factor_bps"]?.asInteger == 5_000)
    #expect(amount(half["power"]) == 5_200_000)
    for (name, on) in [("valuation", "effective_on"), ("runway", "on")] {
      #expect(half[name]?[on]?.asString != nil && half[name]?["recorded_at"]?.asString != nil, "\(name)")
    }
    #expect(half["chips"]?.elements.first?["effective_on"]?.asString == "2023-03-01")
    let before = try #require(half["known_at"]?.asString)
    // Corrected: known from then on, and as known before it still says what it said.
    try deployment.post(service, "/v1/sandbox/clock", as: deployment.admin, #"{"now":"2023-04-04T09:00:00Z"}"#)
    try deployment.post(
      service, target, as: startup.key, report(6_000_000, on: "2023-03-31", #","supersedes":"\#(first)""#))
    #expect(amount(try power()["excess"]) == 4_800_000)
    #expect(amount(try power("?known_at=\(before)")["power"]) == 5_200_000)
    try refusals(target, first)
    let listed = try http.get(target, as: deployment.checker).json()["data"]?.elements
    #expect(listed?.compactMap { amount($0["cash"]) } == [9_000_000, 6_000_000])
    try fall()
  }

  /// A down round: what the startup has borrowed, is offered and asks for waits for a person, each once, and nothing is
  /// done by itself.
  private func fall() throws {
    func items() throws -> [JSONNode] {
      Array(
        try #require(try http.get("/v1/compliance-items?state=open", as: deployment.admin).json()["data"]?.elements))
    }
    let offers = try deployment.offers(service, lender: lender, startup: startup, requests: 1)
    let offer = try #require(offers.first)
    let wanted = Goods.request("of a round at 150").replacingOccurrences(
      of: #""sweep_bps":5000"#,
      with: #""sweep_bps":5000,"least_post_money":{"amount":150000000,"currency":"USD"}"#)
    let request = try deployment.post(service, "/v1/loan-requests", as: startup.key, wanted).text("id")
    #expect(try items().isEmpty)
    for (worth, day) in [(250_000_000, "2023-03-20"), (100_000_000, "2023-03-25"), (90_000_000, "2023-03-26")] {
      try deployment.mark(
        service, "/v1/startups/\(startup.id)/valuations",
        """
        {"method":"priced_round","basis":"post_money","amount":{"amount":\(worth),"currency":"USD"},\
        "effective_on":"\(day)","source":"round of \(day)"}
        """)
      #expect(try items().count == (worth == 250_000_000 ? 0 : 3))
    }
    let waiting = try items()
    let suggested = waiting.map { "\($0["subject_kind"]?.asString ?? "") \($0["suggestion"]?.asString ?? "")" }
    #expect(suggested.sorted() == ["loan review", "loan_request freeze", "offer freeze"])
    for item in waiting {
      let rules = item["rules"]?.asArray?.compactMap(\.asString) ?? []
      let isRequest = item["subject_id"]?.asString == request
      #expect(rules.first == "valuation.fell" && rules.contains("repayment.least_post_money") == isRequest)
      #expect(item["since_on"]?.asString == "2023-03-25" && item["borrower_id"]?.asString == startup.id)
    }
    #expect(waiting.contains { $0["subject_id"]?.asString == offer })
    #expect(try http.get("/v1/offers/\(offer)", as: startup.key).text("state") == "pending")
    #expect(try http.get("/v1/loan-requests/\(request)", as: startup.key).text("state") == "open")
    let events = try http.get("/v1/events?after=0&limit=200", as: deployment.admin).json()["data"]?.elements
    #expect(events?.count { $0["type"]?.asString == "valuation.fell" } == 2)
  }

  private func refusals(_ target: String, _ first: String) throws {
    func answer(_ body: String, as key: String? = nil) throws -> (Int, String) {
      let answer = try http.post(target, as: key ?? startup.key, body, idempotency: UUID().uuidString)
      return (answer.status, try answer.text("code"))
    }
    #expect(try answer(report(1, on: "2023-04-05")) == (422, "valuation.reported_ahead"))
    #expect(
      try answer(report(1, on: "2023-03-31", #","supersedes":"\#(first)""#)) == (409, "valuation.report_corrected"))
    let unknown = first.dropLast(1) + (first.hasSuffix("0") ? "1" : "0")
    #expect(
      try answer(report(1, on: "2023-03-31", #","supersedes":"\#(unknown)""#)) == (422, "valuation.report_unknown"))
    #expect(try answer(report(1), as: lender.key) == (404, "parties.not_found"))
    #expect(try answer(report(-1)) == (422, "request.invalid"))
    let other = report(1).replacingOccurrences(of: #"1000000,"currency":"USD""#, with: #"1000000,"currency":"CNY""#)
    #expect(try answer(other) == (422, "request.invalid"))
    for path in ["borrowing-power", "runway-reports"] {
      #expect(try http.get("/v1/startups/\(startup.id)/\(path)", as: lender.key).status == 404)
    }
  }
}
