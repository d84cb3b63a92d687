import Foundation
import PostgresHarness
import ServiceHarness
import StrictJSON
import Testing

extension EndToEnd {
  @Suite("two persons", .serialized)
  struct TwoPersonTests {
    @Test(
      "where two are asked for, money and compliance wait for the second, over a restart and a cut, and the books hold")
    func held() async throws {
      try await withDeployment { deployment in
        let service = try deployment.serve(options: ["--two-persons"])
        var http = RawHTTP(port: service.port)
        func hold(_ target: String, _ body: String) throws -> String {
          let answer = try http.post(target, as: deployment.admin, body, idempotency: UUID().uuidString)
          #expect(answer.status == 202, "\(target): \(answer.status) \(answer.text)")
          let own = try answer.text("id")
          let mine = try http.post(
            "/v1/approvals/\(own)/approve", as: deployment.admin, "{}", idempotency: UUID().uuidString)
          #expect(mine.status == 403 && mine.text.contains("parties.same_person"), "\(mine.text)")
          return own
        }
        try deployment.post(
          service, "/v1/sandbox/clock", as: deployment.admin, #"{"now":"2023-04-03T09:00:00Z"}"#)
        let made = try deployment.post(
          service, "/v1/organizations", as: deployment.admin,
          #"{"legal_name":"Loom","jurisdiction":"CN","roles":["startup"],"sites":[]}"#)
        let startup = try made.text("id")
        let verification = try hold("/v1/organizations/\(startup)/verify", #"{"evidence":"register extract"}"#)
        let receipt = try hold(
          "/v1/cash-receipts",
          #"{"received_on":"2023-04-03","amount":{"amount":90000,"currency":"USD"},"source":"instalment"}"#)
        let atOnce = try http.post(
          "/v1/startups/\(startup)/valuations?second_person=false", as: deployment.admin, "{}",
          idempotency: UUID().uuidString)
        #expect(atOnce.status == 422, "\(atOnce.text)")
        // What waits is in the database: another process does it, and the key's answer is the same wherever it is asked.
        service.child.signal(SIGKILL)
        _ = service.child.wait(seconds: 10)
        let next = try deployment.serve(options: ["--two-persons"])
        http = RawHTTP(port: next.port)
        var first: [String: Answer] = [:]
        for id in [verification, receipt] {
          let answer = try http.post(
            "/v1/approvals/\(id)/approve", as: deployment.checker, "{}", idempotency: "yes-\(id)")
          #expect(answer.status == 200, "\(answer.text)")
          first[id] = answer
        }
        next.child.signal(SIGKILL)
        _ = next.child.wait(seconds: 10)
        let last = try deployment.serve(options: ["--two-persons"])
        http = RawHTTP(port: last.port)
        for (id, answer) in first {
          let again = try http.post(
            "/v1/approvals/\(id)/approve", as: deployment.checker, "{}", idempotency: "yes-\(id)")
          #expect(again.body == answer.body)
        }
        let organization = try http.get("/v1/organizations/\(startup)", as: deployment.admin).json()
        #expect(organization["verification"]?["state"]?.asString == "verified")
        let money = try #require(try first[receipt]?.json()["result"]?["location"]?.asString)
        #expect(try http.get(money, as: deployment.admin).status == 200)
        // Who asked and who agreed are both in the audit log, under the acts that they are.
        let log =
          try http.get("/v1/audit-log?limit=200", as: deployment.admin).json()["data"]?.elements.map { $0 } ?? []
        // A refused approval is there too, under its maker: only what was done counts here.
        func persons(_ action: String) -> Set<String> {
          Set(
            log.filter { $0["action"]?.asString == action && $0["outcome"]?.asString == "done" }
              .compactMap { $0["person_id"]?.asString })
        }
        let (makers, checkers) = (persons("held_act.propose"), persons("held_act.decide"))
        #expect(makers.count == 1 && checkers.count == 1 && makers.isDisjoint(with: checkers))
        #expect(persons("cash_receipt.record") == checkers)
        let events = try http.get("/v1/events?limit=200", as: deployment.admin).text
        #expect(events.contains("held_act.proposed") && events.contains("held_act.approved"))
        last.child.signal(SIGTERM)
        #expect(last.child.wait(seconds: 30) == 0)
        let verify = try deployment.run(["verify"])
        #expect(verify.status == 0, "\(verify.output)")
      }
    }

    @Test("outside a sandbox two are asked for whatever the options say")
    func always() async throws {
      try await withDeployment { deployment in
        let service = try deployment.serve(isSandbox: false)
        let http = RawHTTP(port: service.port)
        let made = try deployment.post(
          service, "/v1/organizations", as: deployment.admin,
          #"{"legal_name":"Loom","jurisdiction":"CN","roles":["startup"],"sites":[]}"#)
        let verified = try http.post(
          "/v1/organizations/\(try made.text("id"))/verify", as: deployment.admin, #"{"evidence":"register extract"}"#,
          idempotency: UUID().uuidString)
        #expect(verified.status == 202, "\(verified.text)")
      }
    }
  }
}
