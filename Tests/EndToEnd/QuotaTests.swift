import Foundation
import ServiceHarness
import StrictJSON
import Testing

extension EndToEnd {
  @Test("a quota that is used up is told as 429 with when to come again, and then the next request is let in")
  func quota() async throws {
    try await withDeployment { deployment in
      let service = try deployment.serve()
      let (startup, other) = (
        try deployment.enrol(service, "Startup", role: "startup"),
        try deployment.enrol(service, "Other", role: "startup")
      )
      // Thirty a minute: one fits in every two seconds.
      let narrow = try deployment.serve(options: ["--key-quota", "30"])
      let http = RawHTTP(port: narrow.port)
      for number in 0..<30 {
        let answer = try http.get("/v1/loans", as: startup.key)
        let standing = try #require(answer.headers["ratelimit"])
        try #require(
          answer.status == 200 && standing.hasPrefix("\"key\";r="), "\(number): \(answer.status) \(standing)")
        #expect(answer.headers["ratelimit-policy"] == "\"key\";q=30;w=60, \"organization\";q=2000000;w=60")
      }
      let body = Goods.request("past-the-quota")
      let refused = try http.post("/v1/loan-requests", as: startup.key, body, idempotency: "past-the-quota")
      #expect(refused.status == 429 && refused.headers["content-type"] == "application/problem+json")
      #expect(try refused.text("code") == "request.quota_exceeded")
      #expect(try refused.json()["request_id"]?.asString == refused.headers["x-request-id"])
      let wait = try #require(refused.headers["retry-after"].flatMap { Int($0) })
      #expect((1...2).contains(wait))
      #expect(refused.headers["ratelimit"]?.hasPrefix("\"key\";r=0;t=") == true, "\(refused.headers)")
      #expect(refused.headers["ratelimit-policy"]?.contains("\"key\";q=30;w=60") == true)
      // Nobody else's quota is touched, and who has no key is told that and not of quotas.
      #expect(try http.get("/v1/loans", as: other.key).status == 200)
      #expect(try http.get("/v1/loans", as: "nobody").status == 401)
      usleep(UInt32(wait) * 1_000_000 + 100_000)
      // Nothing was stored of the refusal: the same key now does what was asked.
      let admitted = try http.post("/v1/loan-requests", as: startup.key, body, idempotency: "past-the-quota")
      #expect(admitted.status == 201 && admitted.headers["idempotency-replayed"] == nil, "\(admitted.text)")
      let metrics = try http.send("GET", "/metrics").text
      #expect(metrics.contains("\nchipbridge_rate_limited_total 1\n"))
    }
  }
}
