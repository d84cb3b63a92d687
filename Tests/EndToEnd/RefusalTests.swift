import Foundation
import PostgresHarness
import ServiceHarness
import StrictJSON
import Testing

extension EndToEnd {
  @Suite("bad input", .serialized)
  struct BadInput {
    /// Tables that a refusal may add to: its stored answer and its audit row.
    static let mayGrow: Set<String> = ["audit_log", "idempotency"]

    @Test("every bad request gets a problem document that names the fault, and changes nothing")
    func table() async throws {
      try await withDeployment { deployment in
        let service = try deployment.serve()
        let stage = try BadInputStage(deployment, service)
        let console = try deployment.console()
        let before = try console.counts(except: Self.mayGrow)
        let http = RawHTTP(port: service.port)
        let cases = stage.malformed + stage.invalid + stage.envelope
        for bad in cases {
          let answer: Answer
          do { answer = try http.send(bad.method, bad.target, headers: bad.headers, body: bad.body) } catch {
            Issue.record("\(bad.name): no answer, \(error)")
            continue
          }
          let faults = Self.faults(answer, bad)
          #expect(faults.isEmpty, "\(bad.name): \(faults.joined(separator: "; ")) in \(answer.text.prefix(300))")
          let after = try console.counts(except: Self.mayGrow)
          let changed = before.filter { after[$0.key] != $0.value }.keys.sorted()
          #expect(changed.isEmpty, "\(bad.name) changed \(changed)")
        }
        print("bad input: \(cases.count) refused requests, each judged")
        let alive = service.child.isRunning
        #expect(alive, "the process ended: \(service.child.output.suffix(300))")
        let good = try http.post("/v1/loan-requests", as: stage.startup.key, Goods.request("good"), idempotency: "good")
        #expect(good.status == 201)
      }
    }

    /// What an answer lacks of what it owes.
    private static func faults(_ answer: Answer, _ bad: BadCase) -> [String] {
      var faults: [String] = []
      if answer.status != bad.status { faults.append("\(answer.status) instead of \(bad.status)") }
      guard answer.headers["content-type"] == "application/problem+json", let body = try? answer.json() else {
        return faults + ["no problem document"]
      }
      if body["status"]?.asInteger != Int64(answer.status) { faults.append("status in the body") }
      for name in ["type", "title", "detail", "code"] where (body[name]?.asString ?? "").isEmpty {
        faults.append("no \(name)")
      }
      if body["request_id"]?.asString == nil, answer.headers["x-request-id"] == nil { faults.append("no request id") }
      if let naming = bad.naming, !answer.text.contains(naming) { faults.append("does not name \(naming)") }
      if answer.status == 401, answer.headers["www-authenticate"] == nil { faults.append("no WWW-Authenticate") }
      if let allow = bad.allow, answer.headers["allow"] != allow {
        faults.append("Allow is \(answer.headers["allow"] ?? "missing")")
      }
      return faults
    }

    @Test("what belongs to another tenant answers exactly as what does not exist")
    func foreign() async throws {
      try await withDeployment { deployment in
        let service = try deployment.serve()
        let stage = try BadInputStage(deployment, service)
        let lot = try deployment.post(service, "/v1/lots", as: stage.lender.key, Goods.lot("own")).text("id")
        let http = RawHTTP(port: service.port)
        let nobody = "00000000-0000-7000-8000-000000000000"
        for (path, id) in [
          ("/v1/loan-requests", stage.request), ("/v1/lots", lot), ("/v1/organizations", stage.startup.id),
        ] {
          let prefix = id.prefix(4)
          let foreign = try http.get("\(path)/\(id)", as: stage.other.key)
          let unknown = try http.get("\(path)/\(prefix)\(nobody)", as: stage.other.key)
          let same = Self.withoutRequestID(foreign) == Self.withoutRequestID(unknown)
          #expect(foreign.status == 404 && unknown.status == 404, "\(path): \(foreign.status), \(unknown.status)")
          #expect(same, "\(foreign.text) is told from \(unknown.text)")
        }
        let acts = [stage.request, "req_" + nobody].map { id in
          try? http.post("/v1/loan-requests/\(id)/cancel", as: stage.other.key, "", idempotency: UUID().uuidString)
        }
        #expect(acts[0]?.status == 404)
        #expect(acts[0]?.body == acts[1]?.body)
        let kept = try http.get("/v1/loan-requests/\(stage.request)", as: stage.startup.key).text("state")
        #expect(kept == "open")
      }
    }

    private static func withoutRequestID(_ answer: Answer) -> String {
      answer.text.replacing(/"request_id":"[^"]*",?/, with: "")
    }

    @Test("what is no proper HTTP ends at the door: large bodies, long headers, two framings of one body")
    func door() async throws {
      try await withDeployment { deployment in
        let service = try deployment.serve()
        let stage = try BadInputStage(deployment, service)
        let console = try deployment.console()
        let before = try console.counts(except: Self.mayGrow)
        let large = stage.post("10 MiB", 413, body: [UInt8](repeating: 0x20, count: 10 << 20))
        let http = RawHTTP(port: service.port)
        let answer = try http.send(large.method, large.target, headers: large.headers, body: large.body)
        #expect(answer.status == 413)
        #expect(answer.headers["content-type"] == "application/problem+json")

        let head =
          "POST /v1/loan-requests HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(stage.startup.key)\r\n"
          + "Content-Type: application/json\r\nIdempotency-Key: smuggled\r\n"
        let body = Goods.request("smuggled")
        let chunked = "\(String(body.utf8.count, radix: 16))\r\n\(body)\r\n0\r\n\r\n"
        let requests = [
          "length and chunks": head + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked,
          "two lengths": head + "Content-Length: 0\r\nContent-Length: \(body.utf8.count)\r\n\r\n" + body,
          "negative length": head + "Content-Length: -1\r\n\r\n" + body,
          "length of words": head + "Content-Length: many\r\n\r\n" + body,
          "chunk size overflowing": head + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n" + body,
          "unknown coding": head + "Transfer-Encoding: identity, chunked, x\r\n\r\n" + chunked,
          "space before the colon": head + "Content-Length : \(body.utf8.count)\r\n\r\n" + body,
          "200 KB of headers": head + "X-Long: \(String(repeating: "a", count: 200_000))\r\n\r\n",
          "no HTTP at all": "\u{16}\u{3}\u{1}\u{0}\r\n\r\n",
        ]
        for (name, text) in requests {
          let client = RawHTTP(port: service.port, timeoutSeconds: 5)
          if let answer = try? client.exchange(Array(text.utf8)) {
            #expect((400...499).contains(answer.status), "\(name): \(answer.status)")
            // Whatever follows on such a connection must not be taken for a request.
            #expect(!client.isConnected || (try? client.read()) == nil, "\(name): the connection goes on")
          }
          let after = try console.counts(except: Self.mayGrow)
          #expect(after == before, "\(name) changed something")
        }
        let alive = service.child.isRunning
        #expect(alive)
        let good = try RawHTTP(port: service.port).post(
          "/v1/loan-requests", as: stage.startup.key, Goods.request("good"), idempotency: "good")
        #expect(good.status == 201)
      }
    }
  }
}
