import Foundation
import ServiceHarness
import StrictJSON
import Testing

extension EndToEnd {
  @Test("a rule pack is loaded, shown against the book, switched on by a second person, and leaves a worklist")
  func rulePack() async throws {
    try await withDeployment { deployment in
      let service = try deployment.serve()
      let play = ["story", "--url", "http://127.0.0.1:\(service.port)", "--keys", deployment.keysFile]
      try #require(try deployment.run(play).status == 0)
      try RulePackWalk(deployment, service).run()
      let verified = try deployment.run(["verify"])
      #expect(verified.status == 0, "\(verified.output)")
    }
  }
}

/// The story's book on 21 November 2023, and a rule that reaches the chips which none reached before.
private struct RulePackWalk {
  private let deployment: Deployment
  private let service: Service
  private let http: RawHTTP

  init(_ deployment: Deployment, _ service: Service) {
    self.deployment = deployment
    self.service = service
    http = RawHTTP(port: service.port)
  }

  /// The seed's rules with one more: the A10, which the rule of 2023 leaves out, to China from 20 November 2023.
  private static func pack() throws -> String {
    let seed = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("schema/seed/export-rules.json")
    let text = try String(contentsOf: seed, encoding: .utf8)
    let rule = """
      {"id":"test-a10-2023","valid_from":"2023-11-20","certainty":"P","applies":{"chips":["nvidia-a10"],\
      "destinations":["CN"]},"effect":"hold_licence","review":"presumption_of_denial","binds":"all",\
      "source":"a test","approval":{"by":"a test","on":"2023-11-19"}},
      """
    let parts = text.components(separatedBy: "\"licence\": [")
    return try #require(parts.count == 2 ? "\(parts[0])\"licence\": [\n\(rule)\(parts[1])" : nil)
  }

  private func items(_ state: String) throws -> [JSONNode] {
    let answer = try http.get("/v1/compliance-items?state=\(state)", as: deployment.admin)
    try #require(answer.status == 200, "\(answer.text)")
    return Array(try #require(try answer.json()["data"]?.asArray))
  }

  private func text(_ node: JSONNode, _ name: String) -> String { node[name]?.asString ?? "" }

  func run() throws {
    try worklistOfTheStory()
    let id = try load()
    try shown(id)
    try switchedOn(id)
    try refusals(id)
    try screened()
    try resolved()
  }

  /// What the story's own screening of 17 November 2023 left: two loans of A800 and the listings of that chip.
  private func worklistOfTheStory() throws {
    let open = try items("open")
    let loans = open.filter { text($0, "subject_kind") == "loan" }
    #expect(loans.count == 2)
    for loan in loans {
      #expect(text(loan, "effect") == "hold_licence" && text(loan, "suggestion") == "hold")
      #expect(text(loan, "screened_on") == "2023-11-17" && text(loan, "since_on") == "2023-11-17")
      #expect(loan["rules"]?.asArray?.contains { $0.asString == "us-dest-2023" } == true)
    }
    let listings = open.filter { text($0, "subject_kind") == "listing" }
    #expect(listings.count == 2 && listings.allSatisfy { text($0, "suggestion") == "review" })
  }

  private func load() throws -> String {
    let same = try http.post(
      "/v1/rule-packs", as: deployment.admin,
      try Self.pack().replacingOccurrences(of: "\"as_of\"", with: "\"as_of_date\""), idempotency: "pack-bad")
    #expect(same.status == 422, "\(same.text)")
    let loaded = try http.post("/v1/rule-packs", as: deployment.admin, try Self.pack(), idempotency: "pack-1")
    try #require(loaded.status == 201, "\(loaded.text)")
    let body = try loaded.json()
    #expect(body["difference"]?["added"]?.asArray?.compactMap(\.asString) == ["test-a10-2023"])
    #expect(body["difference"]?["removed"]?.asArray?.count == 0)
    #expect(body["difference"]?["changed"]?.asArray?.count == 0)
    return try loaded.text("id")
  }

  /// Loaded is not in force: the answer says what would change, and nothing has.
  private func shown(_ id: String) throws {
    let answer = try http.get("/v1/rule-packs/\(id)/screening", as: deployment.checker)
    try #require(answer.status == 200, "\(answer.text)")
    let changes = try #require(try answer.json()["changes"]?.asArray)
    let loans = changes.filter { $0["after"]?["subject_kind"]?.asString == "loan" }
    #expect(loans.count == 1 && loans.first?["before"]?.isNull == true)
    #expect(loans.first?["after"]?["chip_model_id"]?.asString == "nvidia-a10")
    #expect(loans.first?["after"]?["quantity"]?.asInteger == 1_024)
    #expect(loans.first?["after"]?["effect"]?.asString == "hold_licence")
    #expect(try effectOfA10() == "clear")
    let before = try http.get("/v1/rule-packs/\(id)/screening?on=2023-11-19", as: deployment.checker)
    #expect(try before.json()["changes"]?.asArray?.count == 0)
  }

  private func effectOfA10() throws -> String {
    let loans = try http.get("/v1/loans?state=active", as: deployment.admin)
    let loan = try #require(try loans.json()["data"]?.asArray?.first)
    let answer = try http.post(
      "/v1/export-checks", as: deployment.admin,
      """
      {"chip_model_id":"nvidia-a10","quantity":8,"act":"hand_over","on":"2023-11-21",\
      "from_organization_id":"\(text(loan, "lender_id"))","to_organization_id":"\(text(loan, "borrower_id"))",\
      "from_site":{"country":"CN","region":"CN-north"},"to_site":{"country":"CN","region":"CN-north"},\
      "delivery_mode":"physical","end_use":"training"}
      """, idempotency: UUID().uuidString)
    try #require(answer.status == 200, "\(answer.text)")
    let body = try answer.json()
    if body["verdict"]?.asString == "hold_licence" {
      #expect(body["options"]?.asArray?.first?["kind"]?.asString == "licence")
    }
    return text(body, "verdict")
  }

  private func switchedOn(_ id: String) throws {
    let own = try http.post("/v1/rule-packs/\(id)/switch-on", as: deployment.admin, "{}", idempotency: "on-own")
    #expect(own.status == 403 || own.status == 409, "\(own.text)")
    #expect(try effectOfA10() == "clear")
    let done = try http.post("/v1/rule-packs/\(id)/switch-on", as: deployment.checker, "{}", idempotency: "on-1")
    try #require(done.status == 200, "\(done.text)")
    #expect(try done.text("state") == "switched_on")
    let run = try done.text("run_id")
    for _ in 0..<200 {
      let state = try http.get("/v1/settlement-runs/\(run)", as: deployment.admin).text("state")
      if state == "succeeded" { break }
      usleep(50_000)
    }
    #expect(try http.get("/v1/settlement-runs/\(run)", as: deployment.admin).text("state") == "succeeded")
    #expect(try effectOfA10() == "hold_licence")
  }

  private func refusals(_ id: String) throws {
    let twice = try http.post("/v1/rule-packs/\(id)/switch-on", as: deployment.checker, "{}", idempotency: "on-2")
    #expect(twice.status == 409)
    let same = try http.post("/v1/rule-packs", as: deployment.admin, try Self.pack(), idempotency: "pack-2")
    #expect(same.status == 409)
    #expect(try same.text("code") == "rule_pack.nothing_new")
    // A program that starts again seeds what is missing, and leaves rules that are in force alone.
    let seeded = try deployment.run(["seed"])
    #expect(seeded.status == 0, "\(seeded.output)")
    #expect(try effectOfA10() == "hold_licence")
  }

  private func screened() throws {
    let loans = try items("open").filter { text($0, "subject_kind") == "loan" }
    #expect(loans.count == 3, "the two of the story wait still, once each")
    let fresh = loans.filter { text($0, "chip_model_id") == "nvidia-a10" }
    #expect(fresh.count == 1 && fresh.first?["rules"]?.asArray?.first?.asString == "test-a10-2023")
    #expect(fresh.first?["since_on"]?.asString == "2023-11-20")
  }

  private func resolved() throws {
    let item = try #require(try items("open").first { text($0, "chip_model_id") == "nvidia-a10" })
    let path = "/v1/compliance-items/\(text(item, "id"))/resolve"
    let bare = try http.post(path, as: deployment.admin, #"{"resolution":"hold"}"#, idempotency: "r-0")
    #expect(bare.status == 422)
    let body = #"{"resolution":"hold","note":"Use goes on; the next act waits for a licence."}"#
    let done = try http.post(path, as: deployment.admin, body, idempotency: "r-1")
    try #require(done.status == 200, "\(done.text)")
    #expect(try done.text("state") == "resolved")
    #expect(try done.text("resolution") == "hold")
    let again = try http.post(path, as: deployment.admin, body, idempotency: "r-2")
    #expect(again.status == 409)
    #expect(try again.text("code") == "compliance.item_resolved")
    #expect(try items("resolved").count == 1)
  }
}
