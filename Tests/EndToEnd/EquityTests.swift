import Foundation
import PostgresHarness
import ServiceHarness
import StrictJSON
import Testing

extension EndToEnd {
  @Test("a listing with a right to convert, over HTTP: shown before it is accepted, used in a priced round")
  func equity() async throws {
    try await withDeployment { deployment in
      let service = try deployment.serve()
      let lender = try deployment.enrol(service, "Lender", role: "lender")
      let startup = try deployment.enrol(service, "Startup", role: "startup")
      let stranger = try deployment.enrol(service, "Stranger", role: "startup")
      try deployment.openMarket(service)
      let http = RawHTTP(port: service.port)
      let lot = try deployment.post(service, "/v1/lots", as: lender.key, Goods.lot(of: 64)).text("id")
      func listing(_ options: String) -> String {
        """
        {"lot_id":"\(lot)","quantity":64,"ask_rate_bps":900,"min_term_days":30,"max_term_days":730,"min_quantity":8,\
        "advance_rate_bps":10000,"options":\(options)}
        """
      }
      for bad in [
        "{}", #"{"conversion":{}}"#, #"{"conversion":{"share_of_debt_bps":0}}"#,
        #"{"conversion":{"share_of_debt_bps":1,"discount_bps":10000}}"#, #"{"warrants":1}"#,
      ] {
        let answer = try http.post("/v1/listings", as: lender.key, listing(bad), idempotency: UUID().uuidString)
        #expect(answer.status == 422, "\(bad): \(answer.text)")
      }
      let listed = try deployment.post(
        service, "/v1/listings", as: lender.key,
        listing(#"{"conversion":{"share_of_debt_bps":5000,"discount_bps":2000}}"#)
      ).text("id")
      try deployment.post(service, "/v1/loan-requests", as: startup.key, Goods.request("to be offered"))
      let round = try deployment.post(service, "/v1/match-rounds", as: deployment.admin).text("id")
      try #require(
        try eventually(within: 20) {
          try http.get("/v1/match-rounds/\(round)", as: deployment.admin).text("state") == "succeeded"
        })
      let offer = try #require(
        try http.get("/v1/offers?state=pending", as: startup.key).json()["data"]?.elements.first?["id"]?.asString)
      for (target, key, status) in [
        ("/v1/offers/\(offer)/options", startup.key, 200), ("/v1/offers/\(offer)/options", stranger.key, 404),
        ("/v1/listings/\(listed)/options", lender.key, 200), ("/v1/listings/\(listed)/options", startup.key, 404),
      ] {
        let answer = try http.get(target, as: key)
        #expect(answer.status == status, "\(target)")
        if status == 200 {
          #expect(try answer.json()["conversion"]?["share_of_debt_bps"]?.asInteger == 5_000)
        }
      }
      let loan = try deployment.handOver(service, offer: offer, of: lender, to: startup)
      func report(_ price: String, kind: String = "priced") -> String {
        """
        {"kind":"\(kind)","name":"A","announced_on":"2023-04-03",\(price)\
        "closings":[{"closed_on":"2023-04-03","net_new_cash":{"amount":20000000,"currency":"USD"}}]}
        """
      }
      let price = #""share_price":{"amount":1000},"capitalisation":5000000,"#
      for bad in [
        report(#""capitalisation":5,"#), report(#""share_price":{"amount":0},"capitalisation":5,"#),
        report(price, kind: "note"),
      ] {
        let answer = try http.post("/v1/funding-rounds", as: startup.key, bad, idempotency: UUID().uuidString)
        #expect(answer.status == 422, "\(bad): \(answer.text)")
      }
      let funded = try deployment.post(service, "/v1/funding-rounds", as: startup.key, report(price)).text("id")
      try deployment.post(
        service, "/v1/funding-rounds/\(funded)/verify", as: deployment.checker, #"{"evidence":"filing"}"#)
      for target in ["/v1/funding-rounds/\(funded)/sweep-preview", "/v1/startups/\(startup.id)/sweep-preview"] {
        let asked = target.hasPrefix("/v1/startups") ? "?currency=USD&amount=20000000" : ""
        for key in [startup.key, lender.key] {
          let outlook = try http.get(target + asked, as: key).json()["conversions"]?.elements.first
          #expect(outlook?["convertible"]?["most"]?["amount"]?.asInteger == 8_000_000, "\(target)")
          // At 10.00 less a fifth; a round that is only thought of has no price.
          #expect(outlook?["shares"]?.asInteger == (asked.isEmpty ? 10_000 : nil))
        }
        #expect(try http.get(target + asked, as: stranger.key).status == 404)
      }
      let target = "/v1/loans/\(loan)/conversions"
      let body = #"{"funding_round_id":"\#(funded)","amount":1000000}"#
      #expect(try http.post(target, as: startup.key, body, idempotency: "own").text("code") == "parties.not_yours")
      #expect(try http.post(target, as: stranger.key, body, idempotency: "strange").status == 404)
      let shown = try deployment.post(service, target + "?validate_only=true", as: lender.key, body)
      #expect(try shown.json()["shares"]?.asInteger == 1_250)
      let taken = try deployment.post(service, target, as: lender.key, body)
      #expect(try taken.text("basis") == "discount")
      let row = try #require(try http.get(target, as: startup.key).json()["data"]?.elements.first)
      #expect(row["converted"]?["amount"]?.asInteger == 1_000_000)
      #expect(try http.get(target, as: stranger.key).status == 404)
      let told = try http.get("/v1/funding-rounds/\(funded)", as: startup.key).json()["conversions"]?.elements.first
      #expect(try told?["digest"]?.asString == taken.text("digest"))
      for key in [startup.key, lender.key] {
        let record = try http.get("/v1/funding-rounds/\(funded)/explanation", as: key).json()["conversions"]?
          .elements.first
        #expect(record?["digest"]?.asString == row["digest"]?.asString)
        #expect(record?["bytes"]?.asString?.isEmpty == false && record?["shares"]?.asInteger == 1_250)
      }
      #expect(try http.get("/v1/loans/\(loan)/options", as: startup.key).status == 200)
      try expectBooksHold(deployment)
    }
  }
}
