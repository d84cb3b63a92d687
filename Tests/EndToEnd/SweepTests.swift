import PostgresHarness
import ServiceHarness
import StrictJSON
import Testing

extension EndToEnd {
  @Test("a round over HTTP: previewed, swept, paid and explained, to each side what is its own")
  func sweeps() async throws {
    try await withDeployment { deployment in
      let service = try deployment.serve()
      let stage = try SweepStage(deployment, service)
      try stage.asksInVain()
      try stage.previewsSizes()
      let round = try stage.previewsRound()
      try stage.sweeps(round)
      try stage.paysAndExplains(round)
      try stage.setsWaterfalls()
      try stage.corrects(round)
      try stage.releasesLien()
      try expectBooksHold(deployment)
    }
  }
}

/// A loan of 64 chips, 16,000,000 minor units, half of a round's cash to be swept; a lender that lends nothing.
private struct SweepStage {
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

  private var preview: String { "/v1/startups/\(startup.id)/sweep-preview" }

  private func money(_ node: JSONNode?) -> Int64? { node?["amount"]?.asInteger }

  func asksInVain() throws {
    let base = preview + "?currency=USD"
    for bad in [
      preview + "?amount=5", base, base + "&amount=-1", base + "&amount=x", base + "&amount=1&kind=lottery",
      base + "&amount=1&closed_on=2023-04-02", base + "&amount=1&closed_on=2033-04-10", base + "&amount=1&dates=1,2",
      base + "&amount=1&post_money=0", base + "&amounts=1,2&post_money=9", base + "&amount=1,2",
      base + "&amounts=" + Array(repeating: "1", count: 401).joined(separator: ","),
    ] { #expect(try get(bad, as: startup.key).status == 422, "\(bad)") }
    let sizes = Array(repeating: "1", count: 201).joined(separator: ",")
    let wide = try get(base + "&amounts=\(sizes)&dates=2023-04-03,2023-04-04", as: startup.key)
    #expect(wide.status == 422)
    #expect(try wide.text("code") == "repayment.grid_too_large")
    #expect(try get(base + "&amount=1", as: stranger.key).status == 404)
    #expect(try get("/v1/startups/org_x/sweep-preview?currency=USD&amount=1", as: startup.key).status == 404)
  }

  func previewsSizes() throws {
    let query = preview + "?currency=USD&amounts=2000000,100000000&dates=2023-04-03,2023-04-13"
    for (key, isWhole) in [(startup.key, true), (deployment.admin, true), (lender.key, false)] {
      let cells = Array(try #require(try get(query, as: key).json()["cells"]?.elements))
      #expect(cells.count == 4)
      let paid = cells.map { $0["lenders"]?.elements.first?["paid"] }
      // Half of the cash; a large round pays the loan off, with its fee of ten days where it closes later.
      let sums = paid.map { (money($0?["principal"]) ?? 0) + (money($0?["fee"]) ?? 0) }
      #expect(sums.prefix(3) == [1_000_000, 1_000_000, 16_000_000])
      let fee = try #require(money(paid[3]?["fee"]))
      #expect(fee > 0)
      #expect(money(cells[0]["net_cash"]) == (isWhole ? 1_000_000 : nil))
      #expect(money(cells[3]["net_cash"]) == (isWhole ? 84_000_000 - fee : nil))
      #expect(cells.map { $0["loans"]?.elements.first?["is_paid_off"]?.asBool } == [false, false, true, true])
    }
  }

  func previewsRound() throws -> String {
    let round = try deployment.post(
      service, "/v1/funding-rounds", as: startup.key,
      """
      {"kind":"priced","name":"A","announced_on":"2023-04-03",\
      "closings":[{"closed_on":"2023-04-03","net_new_cash":{"amount":20000000,"currency":"USD"}}]}
      """
    ).text("id")
    let target = "/v1/funding-rounds/\(round)/sweep-preview"
    let own = try get(target, as: startup.key).json()
    #expect(money(own["paid"]) == 10_000_000)
    #expect(money(own["net_cash"]) == 10_000_000)
    let closing = try #require(own["closings"]?.elements.first)
    #expect(money(closing["pool"]) == 10_000_000)
    #expect(closing["dues"]?.elements.first?["limit"]?.asString == "own_share")
    let seen = try get(target, as: lender.key).json()
    #expect(seen["net_cash"]?.isNull == true)
    #expect(seen["closings"]?.elements.first?["pool"]?.isNull == true)
    #expect(money(seen["lenders"]?.elements.first?["paid"]?["principal"]) == 10_000_000)
    #expect(try get(target, as: stranger.key).status == 404)
    #expect(try get("/v1/funding-rounds/\(round)/explanation", as: lender.key).status == 404)
    return round
  }

  func sweeps(_ round: String, on date: String = "2023-04-03") throws {
    try deployment.post(
      service, "/v1/funding-rounds/\(round)/verify", as: deployment.checker, #"{"evidence":"bank letter"}"#)
    let run = try deployment.post(
      service, "/v1/settlement-runs", as: deployment.admin, #"{"job":"sweep","business_date":"\#(date)"}"#
    ).text("id")
    let ended = try eventually(within: 20) {
      try get("/v1/settlement-runs/\(run)", as: deployment.admin).text("state") == "succeeded"
    }
    try #require(ended)
    let after = try get("/v1/funding-rounds/\(round)/sweep-preview", as: startup.key)
    #expect(after.status == 409)
    #expect(try after.text("code") == "repayment.nothing_to_sweep")
  }

  func setsWaterfalls() throws {
    let target = "/v1/startups/\(startup.id)/waterfalls"
    let http = RawHTTP(port: service.port)
    func body(_ rank: Int, _ steps: String) -> String {
      """
      {"effective_on":"2023-04-03","evidence":"agreement","loans":[{"loan_id":"\(loan)","rank":\(rank),\
      "has_acceded":true}],"waterfalls":[{"source":"round","order":"step_then_rank","steps":[\(steps)]}]}
      """
    }
    let steps = #"{"step":"fee"},{"step":"principal"},{"step":"charges"}"#
    for (number, bad) in [
      body(0, steps), body(1, #"{"step":"fee"},{"step":"fee"}"#), body(1, ""), #"{"evidence":"x"}"#,
    ].enumerated() {
      let answer = try http.post(target, as: deployment.admin, bad, idempotency: "waterfall\(number)")
      #expect(answer.status == 422, "\(bad): \(answer.text)")
    }
    let set = try deployment.post(service, target, as: deployment.admin, body(3, steps))
    #expect(set.status == 201)
    for (key, shown) in [(startup.key, 1), (lender.key, 1), (deployment.admin, 1)] {
      let row = try #require(try get(target, as: key).json()["data"]?.elements.first)
      #expect(row["id"]?.asString == (try set.text("id")))
      #expect(row["waterfalls"]?.elements.count == 5)
      #expect(row["loans"]?.elements.count == shown)
      #expect(row["loans"]?.elements.first?["rank"]?.asInteger == 3)
    }
    #expect(try get(target, as: stranger.key).status == 404)
  }

  /// A larger round pays the loan off: both sides get one certificate, and a byte that is changed shows.
  func releasesLien() throws {
    let target = "/v1/loans/\(loan)/lien-release"
    let early = try get(target, as: lender.key)
    #expect(early.status == 409)
    #expect(try early.text("code") == "repayment.not_releasable")
    try deployment.post(service, "/v1/sandbox/clock", as: deployment.admin, #"{"now":"2023-04-13T09:00:00Z"}"#)
    let round = try deployment.post(
      service, "/v1/funding-rounds", as: startup.key,
      """
      {"kind":"priced","name":"B","announced_on":"2023-04-13",\
      "closings":[{"closed_on":"2023-04-13","net_new_cash":{"amount":90000000,"currency":"USD"}}]}
      """
    ).text("id")
    let preview = try get("/v1/funding-rounds/\(round)/sweep-preview", as: startup.key).json()
    let paid = try #require(money(preview["paid"]))
    try sweeps(round, on: "2023-04-13")
    try deployment.post(
      service, "/v1/cash-receipts", as: deployment.admin,
      """
      {"received_on":"2023-04-13","amount":{"amount":\(paid),"currency":"USD"},"source":"round",\
      "payer_organization_id":"\(startup.id)"}
      """)
    let certificate = try get(target, as: startup.key)
    try #require(certificate.status == 200, "\(certificate.text)")
    #expect(certificate.text.hasPrefix("chipbridge-lien-release: 1\nloan: \(loan)\nlender: \(lender.id) Lender\n"))
    #expect(certificate.text.contains("\nreleased: 2023-04-13\n"))
    #expect(try get(target, as: lender.key).body == certificate.body)
    #expect(try get(target, as: stranger.key).status == 404)
    // The digest by another program than the one that made it out.
    let console = try deployment.console()
    func digest(_ text: String) throws -> String {
      try console.rows("select encode(sha256(convert_to($t$\(text)$t$, 'UTF8')), 'hex')")[0][0]
    }
    let tag = try #require(certificate.headers["etag"])
    #expect(tag == "\"\(try digest(certificate.text))\"")
    let forged = certificate.text.replacing("released: 2023-04-13", with: "released: 2023-04-12")
    #expect(tag != "\"\(try digest(forged))\"")
    // So is the digest of the payments, from the entries of the journal.
    let payments = try console.rows(
      """
      select 'jrn_' || e.id || ' ' || e.business_date || ' ' || split_part(l.account_code, '.', 2) || ' ' || l.amount
        || ' ' || l.asset from journal_entries e join journal_lines l on l.org_id = e.org_id and l.entry_id = e.id
      where e.kind = 'debt_paid' and l.account_code like 'payable.%'
      order by e.business_date, e.id, split_part(l.account_code, '.', 2)
      """)
    #expect(payments.count >= 3)
    let listed = payments.map { $0[0] + "\n" }.joined()
    #expect(certificate.text.contains("\npaid: sha256 \(try digest(listed))\n"))
  }

  /// The round turns out smaller after all of its dues were paid: nothing is asked back, and both records stand.
  func corrects(_ round: String) throws {
    let target = "/v1/funding-rounds/\(round)/correct"
    let closing = try #require(
      try get("/v1/funding-rounds/\(round)", as: startup.key).json()["closings"]?.elements.first?["id"]?.asString)
    let http = RawHTTP(port: service.port)
    func body(_ amount: String, _ more: String = "") -> String {
      #"{"closing_id":"\#(closing)","net_new_cash":{"amount":\#(amount),"currency":"USD"},"reason":"late"\#(more)}"#
    }
    for (text, status) in [
      (body("-1"), 422), (body("1", #","why":1"#), 422), (body("20000000"), 409), ("{}", 422),
    ] {
      let answer = try http.post(target, as: deployment.checker, text, idempotency: "correct\(text.hashValue)")
      #expect(answer.status == status, "\(text): \(answer.text)")
    }
    #expect(try http.post(target, as: startup.key, body("1"), idempotency: "own").status == 403)
    #expect(try http.post(target, as: stranger.key, body("1"), idempotency: "strange").status == 404)
    let shown = try http.post(
      target + "?validate_only=true", as: deployment.checker, body("8000000"), idempotency: "shown")
    #expect(shown.status == 200)
    let done = try deployment.post(service, target, as: deployment.checker, body("8000000"))
    let due = try #require(try done.json()["dues"]?.elements.first)
    #expect(money(due["withdrawn"]) == 0)
    #expect(money(due["kept"]) == 6_000_000)
    let sweeps = try get("/v1/funding-rounds/\(round)/explanation", as: lender.key).json()["sweeps"]?.elements
    #expect(sweeps?.map { $0["kind"]?.asString } == ["sweep", "correction"])
  }

  func paysAndExplains(_ round: String) throws {
    let receipt = try deployment.post(
      service, "/v1/cash-receipts", as: deployment.admin,
      """
      {"received_on":"2023-04-03","amount":{"amount":10000000,"currency":"USD"},"source":"round",\
      "payer_organization_id":"\(startup.id)"}
      """
    ).text("id")
    for (target, list, lines) in [
      ("/v1/funding-rounds/\(round)/explanation", "sweeps", "dues"),
      ("/v1/cash-receipts/\(receipt)/explanation", nil, "allocations"),
    ] as [(String, String?, String)] {
      var digests: Set<String> = []
      for (key, isWhole) in [(startup.key, true), (deployment.admin, true), (lender.key, false)] {
        let answer = try get(target, as: key)
        #expect(answer.status == 200)
        let root = try answer.json()
        let record = try #require(list == nil ? root : root["sweeps"]?.elements.first)
        digests.insert(try #require(record["digest"]?.asString))
        #expect((record["bytes"]?.asString != nil) == isWhole)
        let line = try #require(record[lines]?.elements.first)
        #expect(line["loan_id"]?.asString == loan)
        #expect(money(line["amount"]) == 10_000_000)
        #expect(line["sentence"]?.asString?.hasPrefix("\(loan) ") == true)
      }
      #expect(digests.count == 1)
      #expect(try get(target, as: stranger.key).status == 404)
    }
  }
}
