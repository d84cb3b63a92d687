import Foundation
import ServiceHarness
import StrictJSON
import Testing

extension EndToEnd {
  @Suite("idempotency and paging", .serialized)
  struct Repeating {
    @Test("a repeated request gets the same bytes: in turn, 32 at once, and after a restart; another body is refused")
    func replay() async throws {
      try await withDeployment { deployment in
        let service = try deployment.serve()
        let startup = try deployment.enrol(service, "Startup", role: "startup")
        let http = RawHTTP(port: service.port)
        let first = try http.post("/v1/loan-requests", as: startup.key, Goods.request("serial"), idempotency: "serial")
        #expect(first.status == 201 && first.headers["idempotency-replayed"] == nil)
        let answers = Gathered<Answer>()
        for _ in 0..<3 {
          answers.append(
            try http.post("/v1/loan-requests", as: startup.key, Goods.request("serial"), idempotency: "serial"))
        }
        try concurrently(32) { _ in
          answers.append(
            try RawHTTP(port: service.port).post(
              "/v1/loan-requests", as: startup.key, Goods.request("crowd"), idempotency: "crowd"))
        }
        let replayed = answers.all.prefix(3).count {
          $0.status == 201 && $0.body == first.body && $0.headers["idempotency-replayed"] == "true"
            && $0.headers["etag"] == first.headers["etag"]
        }
        #expect(replayed == 3)
        let crowd = answers.all.dropFirst(3)
        let created = crowd.count { $0.status == 201 }
        let bodies = Set(crowd.map(\.body)).count
        let originals = crowd.count { $0.headers["idempotency-replayed"] == nil }
        #expect(created == 32)
        #expect(bodies == 1)
        #expect(originals == 1)

        let other = try http.post("/v1/loan-requests", as: startup.key, Goods.request("else"), idempotency: "serial")
        let code = try other.text("code")
        #expect(other.status == 422 && code == "idempotency.key_reused")
        // The same words under another path are another request.
        let elsewhere = try http.post("/v1/lots", as: startup.key, Goods.request("serial"), idempotency: "serial")
        #expect(elsewhere.status == 422)

        // A refusal decided by the pipeline is kept as well, bytes and all.
        let nobodys = "/v1/api-keys/key_\(startup.id.dropFirst(4))/revoke"
        let refused = try http.post(nobodys, as: startup.key, "", idempotency: "no")
        let again = try http.post(nobodys, as: startup.key, "", idempotency: "no")
        #expect(refused.status == 404 && refused.body == again.body)

        try service.kill()
        let restarted = try deployment.serve()
        let after = try RawHTTP(port: restarted.port).post(
          "/v1/loan-requests", as: startup.key, Goods.request("serial"), idempotency: "serial")
        #expect(after.status == 201 && after.body == first.body)
        let rows = try deployment.console().number("select count(*) from loan_requests")
        #expect(rows == 2)
      }
    }

    @Test("validate_only answers like the act and changes nothing")
    func validateOnly() async throws {
      try await withDeployment { deployment in
        let service = try deployment.serve()
        let startup = try deployment.enrol(service, "Startup", role: "startup")
        let lender = try deployment.enrol(service, "Lender", role: "lender")
        let http = RawHTTP(port: service.port)
        let console = try deployment.console()
        let before = try console.counts()
        for (path, party, body) in [
          ("/v1/loan-requests", startup, Goods.request("dry")), ("/v1/lots", lender, Goods.lot("dry")),
        ] {
          let answer = try http.send(
            "POST", path + "?validate_only=true",
            headers: [("Authorization", "Bearer \(party.key)"), ("Content-Type", "application/json")],
            body: Array(body.utf8))
          #expect(answer.status == 201, "\(answer.text)")
          let real = try http.post(path, as: party.key, body.replacing("dry", with: "wet"), idempotency: "wet")
          let names = try (answer.json().members.map(\.name), real.json().members.map(\.name))
          // An order that is not placed is told besides what a round would make of it.
          #expect(names.0.filter { $0 != "outlook" } == names.1)
          #expect(names.0.contains("outlook") == (path == "/v1/loan-requests"))
        }
        let refused = try http.send(
          "POST", "/v1/loan-requests?validate_only=true",
          headers: [("Authorization", "Bearer \(lender.key)"), ("Content-Type", "application/json")],
          body: Array(Goods.request("dry").utf8))
        #expect(refused.status == 403)
        let (dry, lots) = (
          try console.number("select count(*) from loan_requests where end_use = 'dry'"),
          try console.number("select count(*) from lots where serials[1] = 'dry'")
        )
        #expect(dry == 0 && lots == 0)
        // Of the two real acts: an object each and their rows, and nothing of the dry ones.
        let after = try console.counts()
        for table in ["loan_requests", "lots", "journal_entries"] {
          #expect((after[table] ?? 0) - (before[table] ?? 0) == 1, "\(table)")
        }
        for table in ["idempotency", "audit_log", "outbox"] {
          #expect((after[table] ?? 0) - (before[table] ?? 0) == 2, "\(table)")
        }
      }
    }

    @Test("pages hold each row once while rows are added", arguments: [1, 7, 50])
    func paging(limit: Int) async throws {
      try await withDeployment { deployment in
        let service = try deployment.serve()
        let startup = try deployment.enrol(service, "Startup", role: "startup")
        let writer = RawHTTP(port: service.port, isDescribed: false)
        func add(_ marker: String) throws -> String {
          try writer.post("/v1/loan-requests", as: startup.key, Goods.request(marker), idempotency: marker).text("id")
        }
        let count = limit == 1 ? 12 : 60
        let present = try (0..<count).map { try add("before-\($0)") }
        var seen: [String] = []
        var cursor: String?
        var pages = 0
        let reader = RawHTTP(port: service.port)
        repeat {
          let target = "/v1/loan-requests?limit=\(limit)" + (cursor.map { "&cursor=\($0)" } ?? "")
          let page = try reader.get(target, as: startup.key).json()
          let ids = page["data"].map { $0.elements.compactMap { $0["id"]?.asString } } ?? []
          #expect(ids.count <= limit)
          seen += ids
          cursor = page["next_cursor"]?.asString
          pages += 1
          if pages <= 5 { _ = try add("during-\(pages)") }
        } while cursor != nil && pages < 200
        #expect(cursor == nil)
        let twice = seen.count - Set(seen).count
        let leftOut = Set(present).subtracting(seen).count
        let ordered = seen.filter(Set(present).contains) == present
        #expect(twice == 0)
        #expect(leftOut == 0)
        #expect(ordered)
      }
    }
  }
}
