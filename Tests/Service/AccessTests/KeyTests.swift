import DomainFixtures
import Operations
import Parties
import Persistence
import PostgresHarness
import Primitives
import StrictJSON
import Testing
import WebSupport

@Suite("API keys", .timeLimit(.minutes(2)))
struct KeyTests {
  private static func body(_ organization: OrganizationID, _ roles: String, _ more: String = "") -> String {
    #"{"organization_id":"\#(organization)","roles":[\#(roles)]\#(more)}"#
  }

  @Test("are listed and read by their organisation and by staff, never with a secret, and are not there for others")
  func reads() async throws {
    try await HTTPMarket.with { http in
      let (own, other) = (try await http.market.lender("Own"), try await http.market.lender("Other"))
      let key = try await http.key(of: own.id, [.lender], person: 5)
      let stranger = try await http.key(of: other.id, [.lender], person: 6)
      let made = try await http.post("/v1/api-keys", as: key, Self.body(own.id, "\"lender\""))
      #expect(made.status == 201)
      let (id, secret) = (made.member("id"), made.member("secret"))
      #expect(secret.hasPrefix("cbk_"))
      for reader in [key, try await http.staff(), try await http.key(of: .platform, [.auditor], person: 7)] {
        let shown = try await http.get("/v1/api-keys/\(id)", as: reader)
        #expect(shown.status == 200 && shown.member("state") == "active")
        #expect(!shown.text.contains("secret") && !shown.text.contains(secret))
      }
      let unknown = try await http.get("/v1/api-keys/key_01920000-0000-7000-8000-000000000009", as: stranger)
      let foreign = try await http.get("/v1/api-keys/\(id)", as: stranger)
      #expect(foreign.status == 404 && foreign.anonymous == unknown.anonymous)
      let mine = try await http.get("/v1/api-keys", as: key).json()["data"]?.elements.count
      let theirs = try await http.get("/v1/api-keys", as: stranger).json()["data"]?.elements.count
      #expect(mine == 2 && theirs == 1)
      #expect(try await http.post("/v1/api-keys/\(id)/revoke", as: stranger).status == 404)
      #expect(try await http.post("/v1/api-keys/\(id)/revoke", as: key).status == 200)
      let revoked = try await http.get("/v1/api-keys?state=revoked", as: key)
      #expect(try revoked.json()["data"]?.elements.compactMap { $0["id"]?.asString } == [id])
      #expect(try await http.get("/v1/api-keys?state=gone", as: key).status == 422)
      var seen: [String] = []
      var cursor = ""
      repeat {
        let page = try await http.get("/v1/api-keys?limit=1\(cursor)", as: key)
        seen += try page.json()["data"]?.elements.compactMap { $0["id"]?.asString } ?? []
        let next = page.member("next_cursor")
        cursor = next.isEmpty ? "" : "&cursor=\(next)"
      } while !cursor.isEmpty
      #expect(seen.count == 2 && Set(seen).count == 2 && seen.contains(id))
    }
  }

  @Test("are rotated in a chain; the old one goes on for its overlap and is refused after it, in every process")
  func rotation() async throws {
    try await HTTPMarket.with { http in
      let own = try await http.market.lender()
      let first = try await http.key(of: own.id, [.lender], scopes: [KeyScope(.write), KeyScope(.read)], person: 5)
      let id = try #require(APIKeySecret(first)).keyID
      try await HTTPMarket.on(http.market) { second in
        for process in [http, second] { #expect(try await process.get("/v1/lots", as: first).status == 200) }
        for body in ["{}", #"{"overlap_seconds":-1}"#, #"{"overlap_seconds":604801}"#] {
          #expect(try await http.post("/v1/api-keys/\(id)/rotate", as: first, body).status == 422)
        }
        let rotated = try await http.post("/v1/api-keys/\(id)/rotate", as: first, #"{"overlap_seconds":60}"#)
        #expect(rotated.status == 201)
        let next = rotated.member("secret")
        #expect(rotated.member("replaces") == "\(id)")
        let old = try await http.get("/v1/api-keys/\(id)", as: next)
        #expect(old.member("replaced_by") == rotated.member("id") && old.member("state") == "active")
        let again = try await http.post("/v1/api-keys/\(id)/rotate", as: next, #"{"overlap_seconds":60}"#)
        #expect(again.code == "parties.key_already_replaced")
        for process in [http, second] {
          #expect(try await process.get("/v1/lots", as: first).status == 200)
          #expect(try await process.get("/v1/lots", as: next).status == 200)
        }
        // What a process keeps of a key it keeps for less than a second.
        try await Task.sleep(for: .seconds(1))
        http.market.clock.advance(seconds: 61)
        for process in [http, second] {
          #expect(try await process.get("/v1/lots", as: first).status == 401)
          #expect(try await process.get("/v1/lots", as: next).status == 200)
        }
        let expired = try await http.get("/v1/api-keys?state=expired", as: next)
        #expect(expired.text.contains("\(id)"))
        let late = try await http.post("/v1/api-keys/\(id)/rotate", as: next, #"{"overlap_seconds":0}"#)
        #expect(late.code == "parties.key_expired")
        // Without an overlap the old key ends at once.
        let nextID = rotated.member("id")
        let last = try await http.post("/v1/api-keys/\(nextID)/rotate", as: next, #"{"overlap_seconds":0}"#)
        try await Task.sleep(for: .seconds(1))
        for process in [http, second] {
          #expect(try await process.get("/v1/lots", as: next).status == 401)
          #expect(try await process.get("/v1/lots", as: last.member("secret")).status == 200)
        }
        // Revoked in one process, refused in the other within a second.
        let lastID = last.member("id")
        #expect(try await http.post("/v1/api-keys/\(lastID)/revoke", as: last.member("secret")).status == 200)
        try await Task.sleep(for: .seconds(1))
        for process in [http, second] {
          #expect(try await process.get("/v1/lots", as: last.member("secret")).status == 401)
        }
      }
    }
  }

  @Test("do only what their scopes give, and make no key that may do more")
  func scopes() async throws {
    try await HTTPMarket.with { http in
      let own = try await http.market.party("Both", [.lender, .startup])
      let reader = try await http.key(of: own.id, [.lender], scopes: [KeyScope(.read)], person: 5)
      let lots = try await http.key(
        of: own.id, [.lender], scopes: [KeyScope(.read, of: "lots"), KeyScope(.write, of: "api-keys")], person: 5)
      for (key, target, isGiven) in [
        (reader, "/v1/lots", true), (reader, "/v1/loans", true), (lots, "/v1/lots", true), (lots, "/v1/loans", false),
        (lots, "/v1/api-keys", false),
      ] {
        let answer = try await http.get(target, as: key)
        #expect(answer.status == (isGiven ? 200 : 403), "\(target)")
        if !isGiven { #expect(answer.code == "auth.scope_required" && answer.member("detail").contains(":read")) }
      }
      let refused = try await http.post("/v1/lots", as: reader)
      #expect(refused.status == 403 && refused.member("detail").contains("lots:write"))
      for (scopes, status) in [
        ("", 422), (#","scopes":[]"#, 422), (#","scopes":["read"]"#, 422), (#","scopes":["lots:write"]"#, 422),
        (#","scopes":["lots:read"]"#, 201), (#","scopes":["lots:admin"]"#, 422), (#","scopes":["everything"]"#, 422),
      ] {
        let made = try await http.post("/v1/api-keys", as: lots, Self.body(own.id, "\"lender\"", scopes))
        #expect(made.status == status, "\(scopes): \(made.text)")
      }
      // A key that lends cannot get hold of one that borrows.
      let borrower = try await http.key(of: own.id, [.startup], person: 6)
      let lender = try await http.key(of: own.id, [.lender], person: 5)
      let id = try #require(APIKeySecret(borrower)).keyID
      let taken = try await http.post("/v1/api-keys/\(id)/rotate", as: lender, #"{"overlap_seconds":0}"#)
      #expect(taken.code == "parties.roles_not_held")
    }
  }

  @Test("of staff carry duties, and nobody gives a duty that the own key has not")
  func duties() async throws {
    try await HTTPMarket.with { http in
      let all = try await http.staff()
      let plain = try await http.post("/v1/api-keys", as: all, Self.body(.platform, "\"admin\""))
      #expect(try plain.json()["duties"]?.elements.compactMap(\.asString) == Duty.allCases.map(\.rawValue).sorted())
      let compliance = try await http.staff([.compliance], person: 2)
      for (duties, status) in [
        (#"["compliance"]"#, 201), (#"["treasury"]"#, 422), (#"["compliance","risk"]"#, 422), ("[]", 201),
      ] {
        let made = try await http.post(
          "/v1/api-keys", as: compliance, Self.body(.platform, "\"admin\"", ",\"duties\":\(duties)"))
        #expect(made.status == status, "\(duties)")
      }
      let lender = try await http.market.lender()
      let odd = try await http.post(
        "/v1/api-keys", as: all, Self.body(lender.id, "\"lender\"", #","duties":["risk"]"#))
      #expect(odd.code == "parties.duties_not_held")
      let treasury = try await http.staff([.treasury], person: 3)
      let refused = try await http.post("/v1/api-keys", as: treasury, Self.body(lender.id, "\"lender\""))
      #expect(refused.code == "parties.duty_required" && refused.member("detail").contains("compliance"))
      let id = try #require(APIKeySecret(all)).keyID
      #expect(try await http.post("/v1/api-keys/\(id)/revoke", as: treasury).code == "parties.duty_required")
      let stolen = try await http.post("/v1/api-keys/\(id)/rotate", as: compliance, #"{"overlap_seconds":0}"#)
      #expect(stolen.code == "parties.duties_not_held")
      // One's own key needs no duty, and an auditor changes nothing.
      let own = try #require(APIKeySecret(treasury)).keyID
      #expect(try await http.post("/v1/api-keys/\(own)/rotate", as: treasury, #"{"overlap_seconds":9}"#).status == 201)
      let auditor = try await http.key(of: .platform, [.auditor], person: 4)
      #expect(try await http.post("/v1/api-keys/\(id)/revoke", as: auditor).code == "parties.role_required")
    }
  }

  @Test("tell on which day they were last used, once that was noted")
  func lastUse() async throws {
    try await HTTPMarket.with { http in
      let own = try await http.market.lender()
      let key = try await http.key(of: own.id, [.lender], person: 5)
      let id = try #require(APIKeySecret(key)).keyID
      #expect(try await http.get("/v1/api-keys/\(id)", as: key).member("last_used_on") == "")
      await http.authenticator.noteUses()
      #expect(try await http.get("/v1/api-keys/\(id)", as: key).member("last_used_on") == "2026-06-02")
      try await Task.sleep(for: .seconds(1))
      http.market.clock.advance(days: 2)
      #expect(try await http.get("/v1/api-keys/\(id)", as: key).status == 200)
      await http.authenticator.noteUses()
      #expect(try await http.get("/v1/api-keys/\(id)", as: key).member("last_used_on") == "2026-06-04")
    }
  }
}
