import Foundation
import PostgresHarness
import ServiceHarness
import StrictJSON
import Testing

extension EndToEnd {
  @Test("a lender declines its part of a sweep over HTTP; the other is due it instead, and each is shown its own")
  func declines() async throws {
    try await withDeployment { deployment in
      let service = try deployment.serve()
      let http = RawHTTP(port: service.port)
      let startup = try deployment.enrol(service, "Startup", role: "startup")
      let lenders = try ["First", "Second"].map { try deployment.enrol(service, $0, role: "lender") }
      try deployment.openMarket(service)
      let loans = try lenders.map { lender in
        try deployment.lend(service, from: lender, to: startup)
      }
      let steps = #"{"step":"charges"},{"step":"fee"},{"step":"principal"}"#
      try deployment.post(
        service, "/v1/startups/\(startup.id)/waterfalls", as: deployment.admin,
        """
        {"effective_on":"2023-04-03","evidence":"agreement","waterfalls":[{"source":"round",\
        "order":"rank_then_step","steps":[\(steps)],"decline":{"goes_to":"same_rank","deadline_days":3}}]}
        """)
      let round = try deployment.post(
        service, "/v1/funding-rounds", as: startup.key,
        """
        {"kind":"priced","name":"A","announced_on":"2023-04-03",\
        "closings":[{"closed_on":"2023-04-03","net_new_cash":{"amount":20000000,"currency":"USD"}}]}
        """)
      let (id, closing) = (
        try round.text("id"), try #require(round.json()["closings"]?.elements.first?["id"]?.asString)
      )
      let preview = try http.get("/v1/funding-rounds/\(id)/sweep-preview", as: lenders[0].key).json()
      #expect(preview["decline"]?["deadline_days"]?.asInteger == 3)
      try deployment.post(
        service, "/v1/funding-rounds/\(id)/verify", as: deployment.checker, #"{"evidence":"bank letter"}"#)
      let run = try deployment.post(
        service, "/v1/settlement-runs", as: deployment.admin, #"{"job":"sweep","business_date":"2023-04-03"}"#
      ).text("id")
      let ended = try eventually(within: 20) {
        try http.get("/v1/settlement-runs/\(run)", as: deployment.admin).text("state") == "succeeded"
      }
      try #require(ended)

      let (target, body) = ("/v1/loans/\(loans[0])/decline-prepayment", #"{"closing_id":"\#(closing)"}"#)
      for (key, text, status) in [
        (lenders[0].key, "{}", 422), (lenders[0].key, #"{"closing_id":"x"}"#, 422), (startup.key, body, 403),
        (lenders[1].key, body, 404),
      ] {
        let answer = try http.post(target, as: key, text, idempotency: UUID().uuidString)
        #expect(answer.status == status, "\(answer.text)")
      }
      let shown = try http.post(target + "?validate_only=true", as: lenders[0].key, body, idempotency: "shown")
      #expect(shown.status == 200)
      let declined = try deployment.post(service, target, as: lenders[0].key, body).json()
      #expect(declined["loan"]?["due"]?.isNull == true)
      #expect(declined["decline"]?["amount"]?["amount"]?.asInteger == 5_000_000)
      #expect(declined["decline"]?["deadline_on"]?.asString == "2023-04-06")
      // What others are due is theirs to know.
      #expect(declined["decline"]?["due_instead"]?.elements.count == 0)
      let due = try http.get("/v1/loans/\(loans[1])", as: lenders[1].key).json()["due"]
      #expect(due?["amount"]?["amount"]?.asInteger == 10_000_000)
      for (key, amount, instead) in [
        (startup.key, Int64(5_000_000), 1), (lenders[0].key, 5_000_000, 0), (lenders[1].key, nil, 1),
      ] as [(String, Int64?, Int)] {
        let explained = try http.get("/v1/funding-rounds/\(id)/explanation", as: key).json()
        let decline = try #require(explained["declines"]?.elements.first)
        #expect(decline["amount"]?["amount"]?.asInteger == amount)
        #expect(decline["due_instead"]?.elements.count == instead)
      }
      try expectBooksHold(deployment)
    }
  }
}
