import Foundation
import PostgresHarness
import ServiceHarness
import StrictJSON
import Testing

extension EndToEnd {
  @Test("a most-favoured-nation clause over HTTP: listed, told, shown without naming another lender, claimed")
  func mostFavoured() async throws {
    try await withDeployment { deployment in
      let service = try deployment.serve()
      let lender = try deployment.enrol(service, "Lender", role: "lender")
      let rival = try deployment.enrol(service, "Rival", role: "lender")
      let startup = try deployment.enrol(service, "Startup", role: "startup")
      let stranger = try deployment.enrol(service, "Stranger", role: "lender")
      try deployment.openMarket(service)
      let http = RawHTTP(port: service.port)
      func list(_ party: Party, ask: Int, _ options: String) throws {
        let lot = try deployment.post(service, "/v1/lots", as: party.key, Goods.lot(of: 64)).text("id")
        try deployment.post(
          service, "/v1/listings", as: party.key,
          """
          {"lot_id":"\(lot)","quantity":64,"ask_rate_bps":\(ask),"min_term_days":30,"max_term_days":730,\
          "min_quantity":8,"advance_rate_bps":10000\(options)}
          """)
      }
      func offered(on day: String) throws -> String {
        try deployment.post(
          service, "/v1/loan-requests", as: startup.key,
          Goods.request("to be lent on").replacing("2023-04-03", with: day))
        let round = try deployment.post(service, "/v1/match-rounds", as: deployment.admin).text("id")
        try #require(
          try eventually(within: 20) {
            try http.get("/v1/match-rounds/\(round)", as: deployment.admin).text("state") == "succeeded"
          })
        return try #require(
          try http.get("/v1/offers?state=pending", as: startup.key).json()["data"]?.elements.first?["id"]?.asString)
      }
      try list(lender, ask: 900, #","options":{"most_favoured_nation":{"extent":"term_by_term"}}"#)
      let loan = try deployment.handOver(service, offer: offered(on: "2023-04-03"), of: lender, to: startup)
      try deployment.post(
        service, "/v1/sandbox/clock", as: deployment.admin, #"{"now":"2023-04-04T09:00:00Z"}"#)
      try list(
        rival, ask: 900,
        #","options":{"warrants":{"coverage_bps":500,"expires_after_days":90,"exercisable":"any_time"}}"#)
      let offer = try offered(on: "2023-04-04")
      let other = try deployment.post(service, "/v1/offers/\(offer)/accept", as: startup.key).text("loan_id")
      let target = "/v1/loans/\(loan)/most-favoured-nation"
      for key in [lender.key, startup.key] {
        let shown = try http.get(target, as: key)
        let lift = try shown.json()["lifts"]?.elements.first { $0["term"]?.asString == "warrant_coverage" }
        #expect(lift?["because"]?.asString == "a later loan of 2023-04-04" && lift?["to"]?.asInteger == 500)
        #expect(try shown.json()["left_out"]?.elements.first?.asString == "rank")
        for secret in [other, rival.id] { #expect(!shown.text.contains(secret)) }
      }
      #expect(try http.get(target, as: rival.key).status == 404)
      #expect(try http.get("/v1/events", as: lender.key).text.contains("loan.better_terms_traded"))
      for (key, loan, status, code) in [
        (stranger.key, loan, 404, "parties.not_found"), (startup.key, loan, 403, "parties.not_yours"),
        (rival.key, other, 409, "most_favoured.no_clause"),
      ] {
        let answer = try http.post(
          "/v1/loans/\(loan)/most-favoured-nation/claim", as: key, "{}", idempotency: UUID().uuidString)
        #expect(answer.status == status && answer.text.contains(code), "\(answer.status) \(answer.text)")
      }
      let tried = try deployment.post(service, "\(target)/claim?validate_only=true", as: lender.key)
      #expect(try tried.json()["claim"]?["digest"]?.asString?.isEmpty == false)
      let claimed = try deployment.post(service, "\(target)/claim", as: lender.key)
      #expect(try claimed.json()["loan"]?["lifted"]?["warrant_coverage_bps"]?.asInteger == 500)
      for secret in [other, rival.id] { #expect(!claimed.text.contains(secret)) }
      let again = try http.post("\(target)/claim", as: lender.key, "{}", idempotency: "again")
      #expect(again.status == 409 && again.text.contains("most_favoured.nothing_better"))
      let claim = try http.get(target, as: lender.key).json()["claims"]?.elements.first
      #expect(claim?["digest"]?.asString?.isEmpty == false && claim?["bytes"]?.asString == nil)
      let whole = try http.get(target, as: startup.key).json()["claims"]?.elements.first
      #expect(whole?["bytes"]?.asString?.isEmpty == false)
      #expect(try http.get("/v1/loans/\(loan)/warrants", as: lender.key).json()["data"]?.elements.count == 1)
      try expectBooksHold(deployment)
    }
  }
}
