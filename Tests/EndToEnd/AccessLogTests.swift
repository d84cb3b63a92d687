import Foundation
import PostgresHarness
import ServiceHarness
import StrictJSON
import Testing

extension EndToEnd {
  @Suite("the log of requests", .serialized)
  struct AccessLogTests {
    @Test("each request is one line of JSON with its trace and its route; events are lines of the same kind")
    func lines() async throws {
      try await withDeployment { deployment in
        let service = try deployment.serve(options: ["--access-log", "stdout", "--log-level", "debug"])
        let startup = try deployment.enrol(service, "Startup", role: "startup")
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        let http = RawHTTP(port: service.port)
        let headers = [("Authorization", "Bearer \(startup.key)"), ("traceparent", "00-\(trace)-00f067aa0ba902b7-01")]
        _ = try http.send("GET", "/v1/loan-requests?state=open", headers: headers)
        _ = try http.send(
          "GET", "/v1/nothing/x%0d%0aforged", headers: [("traceparent", "00-\(trace)-zz-01")])
        _ = try http.send("GET", "/v1/loan-requests", headers: [("Authorization", "Bearer nobody")])
        _ = try http.post(
          "/v1/loan-requests", as: startup.key, Goods.request("logged"), idempotency: "logged")
        _ = try http.post("/v1/loan-requests", as: startup.key, "{\"half\":", idempotency: "half")
        let isLogged = eventually(within: 5) {
          service.child.output.split(separator: "\n").count { $0.contains("\"status\":400") } == 1
        }
        #expect(isLogged)
        let lines = service.child.output.split(separator: "\n").filter { $0.hasPrefix("{") }
        let parsed = lines.compactMap { try? JSONDocument(parsing: Array($0.utf8)).root }
        #expect(parsed.count == lines.count)
        let traced = parsed.filter { $0["trace_id"]?.asString == trace }
        #expect(traced.count == 1 && traced.first?["route"]?.asString == "/v1/loan-requests")
        #expect(traced.first?["organization"]?.asString == startup.id)
        #expect(parsed.contains { $0["status"]?.asInteger == 201 && $0["route"]?.asString == "/v1/loan-requests" })
        #expect(parsed.contains { $0["status"]?.asInteger == 401 && $0["level"]?.asString == "warning" })
        // Events go to stderr, which the harness puts into the same file.
        let events = parsed.filter { $0["message"]?.asString != "request" }
        #expect(events.contains { $0["label"]?.asString == "chipbridge" && $0["source"]?.asString != nil })
        #expect(!service.child.output.contains("\nforged"))
      }
    }
  }
}
