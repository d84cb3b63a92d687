import HledgerHarness
import ServiceHarness
import StrictJSON
import Testing

extension EndToEnd {
  /// The story's month ends: one command closes it, prints what a person signs, and nothing is posted to it any more.
  func closes(_ deployment: Deployment, _ service: Service) throws {
    let http = RawHTTP(port: service.port)
    // The day after the story ends is the first that one could close without a fee too few.
    _ = try http.post(
      "/v1/sandbox/clock", as: deployment.admin, #"{"now":"2023-11-30T18:00:00Z"}"#, idempotency: "month-end-clock")
    let preview = try deployment.run(["settle", "accrual", "--date", "2023-11-30", "--validate-only"])
    #expect(preview.status == 0 && preview.output.contains("nothing was changed"), "\(preview.output)")
    let first = try deployment.run(["settle", "day_close", "--date", "2023-11-21"])
    try #require(first.status == 0, "\(first.output)")
    let month = try deployment.run(["settle", "day_close", "--date", "2023-11-30"])
    try #require(month.status == 0, "\(month.output)")
    for line in [
      "Close of 2023-11-22 to 2023-11-30: 9 days closed", "Trial balance, USD", "covered", "Loans that go on:",
      "2 title_pending", "1 active", "Due and unpaid: nothing",
    ] {
      #expect(month.output.contains(line), "\(line) is not in:\n\(month.output)")
    }
    #expect(!month.output.contains("DOES NOT HOLD") && !month.output.contains("NOT COVERED"))
    let again = try deployment.run(["settle", "day_close", "--date", "2023-11-30"])
    #expect(again.status == 1 && again.output.contains("are closed"), "\(again.output)")
    // What the report says is what the books say, and a late receipt is refused with the reason.
    let report = try http.get("/v1/close-report?from=2023-11-22&to=2023-11-30", as: deployment.admin)
    #expect(report.status == 200)
    #expect(try report.json()["final"]?.asBool == true)
    let balance = try http.get("/v1/ledger/trial-balance?on=2023-11-30", as: deployment.admin)
    var ours: [String: Int64] = [:]
    for row in try #require(try balance.json()["data"]?.asArray) {
      let asset = try #require(row["asset"]?.asString)
      guard asset == "USD" else { continue }
      ours[try #require(row["account"]?.asString)] = try #require(row["balance"]?.asInteger)
    }
    var shown: [String: Int64] = [:]
    for row in try #require(try report.json()["accounts"]?.asArray) {
      shown[try #require(row["account"]?.asString)] = try #require(row["closing"]?.asInteger)
    }
    #expect(shown == ours && shown.count > 8)
    let late = try http.post(
      "/v1/cash-receipts", as: deployment.admin,
      #"{"received_on":"2023-11-29","amount":{"amount":100,"currency":"USD"},"source":"round"}"#, idempotency: "late")
    #expect(late.status == 409)
    #expect(try late.text("code") == "settlement.day_closed")
    try statements(deployment, http)
    // The exported book is whole after the close too.
    let exported = try deployment.run(["export", "--format", "hledger"])
    let hledger = try Hledger(journal: exported.output)
    defer { hledger.remove() }
    #expect(try hledger.check().status == 0)
    try expectBooksHold(deployment)
  }

  /// A statement is of its date: in the summer Beidou Search was owed its principal, at the end of November nothing.
  private func statements(_ deployment: Deployment, _ http: RawHTTP) throws {
    let console = try deployment.console()
    let id = try #require(
      try console.rows("select org_id from organizations where legal_name = 'Beidou Search'").first?.first)
    func owed(on date: String) throws -> [Int64?] {
      let answer = try http.get("/v1/statements?on=\(date)&organization_id=org_\(id)", as: deployment.admin)
      let claim = try answer.json()["owed_to_it"]?.elements.first
      return ["principal", "fee"].map { claim?[$0]?["amount"]?.asInteger }
    }
    // 2,048 chips of 10,000.00 from 7 April; the fee of 84 days to 30 June at 12 %, ACT/360.
    #expect(try owed(on: "2023-06-30") == [2_048_000_000, 2_048_000_000 * 1_200 * 84 / 3_600_000])
    #expect(try owed(on: "2023-11-30") == [0, 0])
    #expect(try owed(on: "2023-01-01") == [nil, nil])
  }

  @Test("a run over HTTP: preview, the hash that binds it, its stream of progress, and what a tenant sees of it")
  func settlementRun() async throws {
    try await withDeployment { deployment in
      let service = try deployment.serve()
      let http = RawHTTP(port: service.port)
      let body = #"{"job":"accrual","business_date":"2023-11-30"}"#
      _ = try http.post(
        "/v1/sandbox/clock", as: deployment.admin, #"{"now":"2023-11-30T18:00:00Z"}"#, idempotency: "clock")
      let preview = try http.post(
        "/v1/settlement-runs?validate_only=true", as: deployment.admin, body, idempotency: "preview")
      try #require(preview.status == 202, "\(preview.text)")
      let hash = try #require(try preview.json()["preview_hash"]?.asString)
      #expect(hash.utf8.count == 64)
      #expect(try preview.json()["preview"]?["entry_count"]?.asInteger == 0)
      let bound =
        #"{"job":"accrual","business_date":"2023-11-30","parameters":{"preview_hash":""# + hash + #""}}"#
      let planned = try http.post("/v1/settlement-runs", as: deployment.admin, bound, idempotency: "run")
      try #require(planned.status == 202, "\(planned.text)")
      let id = try planned.text("id")
      let ended = try eventually(within: 20) {
        try http.get("/v1/settlement-runs/\(id)", as: deployment.admin).text("state") == "succeeded"
      }
      #expect(ended)
      let run = try http.get("/v1/settlement-runs/\(id)", as: deployment.admin).json()
      #expect(run["effects_hash"]?.asString == hash && run["preview_hash"]?.asString == hash)
      let stream = try http.get("/v1/settlement-runs/\(id)/events", as: deployment.admin)
      #expect(stream.status == 200)
      #expect(stream.text.contains("event: end") && stream.text.contains("\"state\":\"succeeded\""))
      for wrong in [
        #"{"job":"accrual","business_date":"2023-11-30","parameters":{"preview_hash":"00"}}"#,
        #"{"job":"day_close","business_date":"2023-11-30","parameters":{"preview_hash":""# + hash + #""}}"#,
        #"{"job":"accrual","business_date":"2023-12-01"}"#, #"{"job":"tea","business_date":"2023-11-30"}"#,
      ] {
        let refused = try http.post("/v1/settlement-runs", as: deployment.admin, wrong, idempotency: wrong)
        #expect(refused.status == 422, "\(wrong): \(refused.text)")
      }
      // It ended: nobody can cancel, approve or resume it any more.
      for act in ["cancel", "approve", "resume"] {
        let refused = try http.post(
          "/v1/settlement-runs/\(id)/\(act)", as: deployment.admin, "{}", idempotency: "act-\(act)")
        #expect(refused.status == 409, "\(act): \(refused.text)")
      }
      // To a tenant there are no runs.
      let lender = try deployment.enrol(service, "Lender", role: "lender")
      #expect(try http.get("/v1/settlement-runs/\(id)", as: lender.key).status == 404)
      #expect(try http.get("/v1/settlement-runs/\(id)/events", as: lender.key).status == 404)
      #expect(try http.get("/v1/close-report", as: lender.key).status == 404)
    }
  }
}
