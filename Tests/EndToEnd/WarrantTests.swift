import Foundation
import PostgresHarness
import ServiceHarness
import StrictJSON
import Testing

extension EndToEnd {
  @Test("warrants over HTTP: listed, seen before the offer is accepted, issued, paid for, confirmed")
  func warrants() async throws {
    try await withDeployment { deployment in
      let service = try deployment.serve()
      let lender = try deployment.enrol(service, "Lender", role: "lender")
      let startup = try deployment.enrol(service, "Startup", role: "startup")
      let stranger = try deployment.enrol(service, "Stranger", role: "lender")
      try deployment.openMarket(service)
      let http = RawHTTP(port: service.port)
      let lot = try deployment.post(service, "/v1/lots", as: lender.key, Goods.lot(of: 64)).text("id")
      func listing(_ warrants: String) -> String {
        """
        {"lot_id":"\(lot)","quantity":64,"ask_rate_bps":900,"min_term_days":30,"max_term_days":730,"min_quantity":8,\
        "advance_rate_bps":10000,"options":{"warrants":\(warrants)}}
        """
      }
      let good =
        #"{"coverage_bps":1000,"strike":{"amount":{"amount":250,"currency":"USD"}},"expires_after_days":365,"#
        + #""exercisable":"any_time"}"#
      for bad in [
        "{}", good.replacing("1000", with: "0"), good.replacing("any_time", with: "never"),
        good.replacing("365", with: "0"), good.replacing("250", with: "0"), good.replacing("coverage", with: "cover"),
      ] {
        let answer = try http.post("/v1/listings", as: lender.key, listing(bad), idempotency: UUID().uuidString)
        #expect(answer.status == 422, "\(bad): \(answer.text)")
      }
      let listed = try deployment.post(service, "/v1/listings", as: lender.key, listing(good)).text("id")
      let shown = try http.get("/v1/listings/\(listed)/options", as: lender.key).json()["warrants"]
      #expect(shown?["coverage_bps"]?.asInteger == 1_000 && shown?["strike"]?["amount"]?["amount"]?.asInteger == 250)
      try deployment.post(service, "/v1/loan-requests", as: startup.key, Goods.request("to be offered"))
      let round = try deployment.post(service, "/v1/match-rounds", as: deployment.admin).text("id")
      try #require(
        try eventually(within: 20) {
          try http.get("/v1/match-rounds/\(round)", as: deployment.admin).text("state") == "succeeded"
        })
      let offer = try #require(
        try http.get("/v1/offers?state=pending", as: startup.key).json()["data"]?.elements.first?["id"]?.asString)
      #expect(
        try http.get("/v1/offers/\(offer)/options", as: startup.key).json()["warrants"]?["coverage_bps"]?.asInteger
          == 1_000)
      let loan = try deployment.handOver(service, offer: offer, of: lender, to: startup)
      // A tenth of 16,000,000 at 2.50 a share.
      for key in [lender.key, startup.key] {
        for target in ["/v1/warrants", "/v1/loans/\(loan)/warrants"] {
          let row = try http.get(target, as: key).json()["data"]?.elements.first
          #expect(row?["count"]?.asInteger == 6_400 && row?["covered"]?["amount"]?.asInteger == 1_600_000, "\(target)")
        }
      }
      let id = try #require(
        try http.get("/v1/warrants", as: lender.key).json()["data"]?.elements.first?["id"]?.asString)
      let target = "/v1/warrants/\(id)"
      #expect(try http.get(target, as: stranger.key).status == 404)
      let cash = #"{"kind":"cash","evidence":"wire 7"}"#
      for (key, body, status, code) in [
        (stranger.key, cash, 404, "parties.not_found"), (startup.key, cash, 403, "parties.not_yours"),
        (lender.key, #"{"kind":"cash"}"#, 422, "/evidence"), (lender.key, #"{"kind":"net"}"#, 422, "round_missing"),
        (lender.key, #"{"kind":"net","evidence":"x"}"#, 422, "/evidence"), (lender.key, "{}", 422, "/kind"),
      ] {
        let answer = try http.post("\(target)/exercise", as: key, body, idempotency: UUID().uuidString)
        #expect(answer.status == status && answer.text.contains(code), "\(body): \(answer.status) \(answer.text)")
      }
      let tried = try deployment.post(service, "\(target)/exercise?validate_only=true", as: lender.key, cash)
      #expect(try tried.text("state") == "claimed")
      #expect(try http.get(target, as: lender.key).text("state") == "outstanding")
      try deployment.post(service, "\(target)/exercise", as: lender.key, cash)
      let disputed = try deployment.post(
        service, "\(target)/dispute", as: startup.key, #"{"reason":"nothing came"}"#)
      #expect(try disputed.text("state") == "outstanding")
      try deployment.post(service, "\(target)/exercise", as: lender.key, cash)
      let done = try deployment.post(service, "\(target)/confirm", as: startup.key)
      #expect(try done.text("state") == "exercised")
      #expect(try done.json()["exercise"]?["cost"]?["amount"]?.asInteger == 1_600_000)
      let events = try http.get("/v1/events", as: lender.key).text
      for event in ["warrant.issued", "warrant.claimed", "warrant.disputed", "warrant.exercised"] {
        #expect(events.contains(event), "\(event)")
      }
      try expectBooksHold(deployment)
    }
  }
}
