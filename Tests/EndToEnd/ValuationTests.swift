import Foundation
import PostgresHarness
import ServiceHarness
import StrictJSON
import Testing

extension EndToEnd {
  private static let seed = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../schema/seed").standardized

  @Test(
    "rounds are imported from the command line under kill -9, approved over HTTP, and read as of a day as known then")
  func valuations() async throws {
    try await withDeployment { deployment in
      let service = try deployment.serve()
      let http = RawHTTP(port: service.port)
      func moveClock(_ to: String) throws {
        try deployment.post(service, "/v1/sandbox/clock", as: deployment.admin, "{\"now\":\"\(to)\"}")
      }
      try moveClock("2026-06-10T09:00:00Z")
      let file = Self.seed.appending(path: "funding-rounds.csv").path
      let rounds = ["import", "rounds", file, "--keys", deployment.keysFile]
      let dry = try deployment.run(rounds + ["--dry-run"])
      #expect(dry.status == 0 && dry.output.contains("nothing was changed: 92 lines, 92 recorded"), "\(dry.output)")
      let console = try deployment.console()
      #expect(try console.number("select count(*) from round_reports") == 0)
      try self.imports(deployment, rounds)
      let again = try deployment.run(rounds + ["--json"])
      let summary = try JSONDocument(parsing: Array(again.output.utf8)).root
      #expect(again.status == 0 && summary["lines_done_before"]?.asInteger == 92, "\(again.output)")
      #expect(summary["recorded"]?.asInteger == 92 && summary["proposed"]?.asInteger == 44)
      #expect(try console.number("select count(*) from round_reports") == 92)
      #expect(try console.number("select count(*) from startup_marks") == 0)
      // Who imported does not approve; the other person does.
      let id = try #require(summary["id"]?.asString)
      #expect(try http.get("/v1/valuation-imports", as: deployment.admin).status == 200)
      #expect(try http.get("/v1/valuation-imports/\(id)", as: deployment.admin).status == 200)
      let path = "/v1/valuation-imports/\(id)/approve"
      #expect(try http.post(path, as: deployment.admin, "{}", idempotency: "own").status == 403)
      try deployment.post(service, path, as: deployment.checker)
      #expect(try console.number("select count(*) from startup_marks") == 44)
      try self.reads(deployment, service, http, moveClock)
      let prices = Self.seed.appending(path: "chip-prices.csv").path
      try moveClock("2026-11-26T09:00:00Z")
      let quotes = try deployment.run(["import", "chip-prices", prices, "--keys", deployment.keysFile])
      #expect(quotes.status == 0 && quotes.output.contains("726 recorded"), "\(quotes.output)")
      try self.series(deployment, service, http)
      let verify = try deployment.run(["verify"])
      #expect(verify.status == 0, "\(verify.output)")
    }
  }

  /// One line a transaction, and killed again and again until a run comes to its end.
  private func imports(_ deployment: Deployment, _ rounds: [String]) throws {
    let console = try deployment.console()
    var killed = 0
    for attempt in 0..<40 {
      let log = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
      defer { try? FileManager.default.removeItem(atPath: log) }
      let child = try Child(
        [try chipbridgeBinary()] + rounds + ["--batch", "1"], environment: ["DATABASE_URL": deployment.databaseURL],
        log: log)
      let before = try console.number("select coalesce(sum(lines_done), 0) from valuation_imports")
      // Killed somewhere after its first lines.
      _ = try eventually(within: 10) {
        try console.number("select coalesce(sum(lines_done), 0) from valuation_imports") > before + attempt
          || !child.isRunning
      }
      if child.isRunning {
        child.signal(SIGKILL)
        killed += 1
      }
      _ = child.wait(seconds: 10)
      let done = try console.number("select coalesce(sum(lines_done), 0) from valuation_imports")
      #expect(try console.number("select count(*) from round_reports") == done, "a line and its record are one")
      if done == 92 { break }
    }
    #expect(killed > 2, "an import that was never cut proves nothing")
    let last = try deployment.run(rounds)
    #expect(last.status == 0, "\(last.output)")
  }

  private func reads(
    _ deployment: Deployment, _ service: Service, _ http: RawHTTP, _ moveClock: (String) throws -> Void
  ) throws {
    let console = try deployment.console()
    let id =
      "org_\(try #require(try console.rows("select org_id from organizations where legal_name = 'Moonshot AI'").first?.first))"
    func worth(_ query: String) throws -> JSONNode? {
      let answer = try http.get("/v1/startups/\(id)/valuations?\(query)", as: deployment.admin)
      #expect(answer.status == 200, "\(answer.text)")
      return try answer.json()["data"]?.elements.first
    }
    let mark = try #require(try worth("as_of=2024-12-31"))
    #expect(mark["amount"]?["amount"]?.asInteger == 330_000_000_000)
    #expect(mark["explanation"]?["round"]?["step_up_bps"]?.asInteger == 12_000)
    #expect(mark["explanation"]?["round"]?["class"]?.asString == "up")
    #expect(mark["is_stale"]?.asBool == false)
    #expect(try worth("as_of=2025-12-30")?["is_stale"]?.asBool == true)
    #expect(try worth("as_of=2024-12-31&known_at=2026-06-10T08:59:59Z") == nil)
    // A correction a month later: the old answer stays for whoever asks what was known.
    try moveClock("2026-07-10T09:00:00Z")
    let wrong = try #require(mark["id"]?.asString)
    try deployment.mark(
      service, "/v1/startups/\(id)/valuations",
      """
      {"method":"priced_round","amount":{"amount":300000000000,"currency":"USD"},"effective_on":"2024-08-06",\
      "source":"share register","supersedes":"\(wrong)","evidence":"extract of the register"}
      """)
    #expect(try worth("as_of=2024-12-31")?["amount"]?["amount"]?.asInteger == 300_000_000_000)
    #expect(
      try worth("as_of=2024-12-31&known_at=2026-07-10T08:59:59Z")?["amount"]?["amount"]?.asInteger == 330_000_000_000)
    let reports = try http.get("/v1/startups/\(id)/round-reports", as: deployment.admin).json()["data"]
    #expect(reports?.elements.count == 5)
    #expect(reports?.elements.compactMap { $0["no_mark_since"]?.asString }.count == 2, "two are reported, not closed")
    // All at once, in pages.
    var seen = 0
    var cursor = ""
    repeat {
      let page = try http.get("/v1/valuations?as_of=2026-06-01&limit=10\(cursor)", as: deployment.checker).json()
      seen += page["data"]?.elements.count ?? 0
      cursor = page["next_cursor"]?.asString.map { "&cursor=\($0)" } ?? ""
    } while !cursor.isEmpty
    let startups = try console.number(
      "select count(distinct borrower_id) from startup_marks where effective_on <= '2026-06-01' and basis = 'post_money'"
    )
    #expect(seen == startups && seen > 15)
    // Whoever lends it nothing sees nothing of it, one by one or together.
    let lender = try deployment.enrol(service, "Lender", role: "lender")
    #expect(try http.get("/v1/startups/\(id)/valuations", as: lender.key).status == 404)
    #expect(try http.get("/v1/valuations", as: lender.key).json()["data"]?.elements.count == 0)
    #expect(try http.get("/v1/valuations?subject=planets", as: deployment.admin).status == 422)
  }

  /// A series is declared, approved, and the day's marks follow from the real prices.
  private func series(_ deployment: Deployment, _ service: Service, _ http: RawHTTP) throws {
    let chip = "nvidia-h100-sxm5-80"
    let body = #"""
      {"kind":"hourly_rate","quote_basis":"on-demand list price, median of quotes in the month, as posted",
       "currency":"USD","least_quotes":1,"window_days":31}
      """#
    let id = try deployment.post(service, "/v1/chip-models/\(chip)/mark-series", as: deployment.admin, body).text("id")
    try deployment.post(service, "/v1/mark-series/\(id)/approve", as: deployment.checker)
    let run = try deployment.run(["settle", "marks", "--date", "2026-09-20"])
    #expect(run.status == 0 && run.output.contains("marks 1"), "\(run.output)")
    let marks = try http.get(
      "/v1/chip-models/\(chip)/marks?as_of=2026-09-20&basis=per_chip_hour", as: deployment.admin
    ).json()
    let mark = try #require(marks["data"]?.elements.first)
    #expect(mark["method"]?.asString == "index")
    let markID = try #require(mark["id"]?.asString)
    let why = try http.get("/v1/chip-models/\(chip)/marks/\(markID)/explanation", as: deployment.admin).json()
    #expect(why["derivation"]?["quotes"]?.elements.isEmpty == false)
    let quotes = try http.get("/v1/chip-quotes?chip_model_id=\(chip)&limit=5", as: deployment.checker).json()
    #expect(quotes["data"]?.elements.count == 5 && quotes["next_cursor"]?.asString != nil)
    let index = try http.get("/v1/rate-index?chip_model=\(chip)", as: deployment.admin).json()
    #expect(index["state"]?.asString == "provisional" && index["classes"]?.elements.isEmpty == true)
  }
}
