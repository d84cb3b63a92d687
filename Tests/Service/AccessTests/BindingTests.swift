import DomainFixtures
import HTTPTypes
import Operations
import Parties
import PostgresHarness
import Primitives
import StrictJSON
import Testing
import TokenMint
import WebSupport

@Suite("Identity bindings", .timeLimit(.minutes(2)))
struct BindingTests {
  private static let path = "/v1/identity-bindings"

  private static func body(
    _ organization: OrganizationID, _ subject: String, _ roles: String, _ more: String = ""
  ) -> String {
    """
    {"organization_id":"\(organization)","issuer":"https://issuer.example/","subject":"\(subject)",\
    "roles":[\(roles)]\(more)}
    """
  }

  @Test(
    "give a token's holder what they say, whatever the token claims, and are read by their organisation and by staff")
  func rights() async throws {
    let issuer = try TestIssuer()
    defer { issuer.server.stop() }
    try await HTTPMarket.with(tokens: try issuer.verifier()) { http in
      let (own, other) = (try await http.market.lender("Own"), try await http.market.lender("Other"))
      let key = try await http.key(of: own.id, [.lender], person: 5)
      let stranger = try await http.key(of: other.id, [.lender], person: 6)
      let more =
        #","scopes":["lots:read","identity-bindings:read"],"person_id":"per_00000000-0000-0015-0000-000000000005""#
      let made = try await http.post(Self.path, as: key, Self.body(own.id, "ann", "\"lender\"", more))
      #expect(made.status == 201, "\(made.text)")
      let id = made.member("id")
      #expect(id.hasPrefix("idb_") && made.headers[.location] == "\(Self.path)/\(id)")
      let claims = issuer.mint.claims(
        "ann", at: http.seconds, ["roles": #"["admin"]"#, "scope": #""write""#, "organization_id": "\"\(other.id)\""])
      let ann = try TokenMint.token(issuer.p256, claims: claims)
      #expect(try await http.get("/v1/lots", as: ann).status == 200)
      #expect(try await http.get("/v1/loans", as: ann).code == "auth.scope_required")
      #expect(try await http.post("/v1/lots", as: ann).code == "auth.scope_required")
      let shown = try await http.get("\(Self.path)/\(id)", as: ann)
      #expect(shown.status == 200 && shown.member("state") == "active" && shown.member("subject") == "ann")
      #expect(shown.member("created_by") == "\(try #require(APIKeySecret(key)).keyID)")
      for reader in [key, try await http.staff(), try await http.key(of: .platform, [.auditor], person: 7)] {
        #expect(try await http.get("\(Self.path)/\(id)", as: reader).status == 200)
      }
      let unknown = try await http.get("\(Self.path)/idb_01920000-0000-7000-8000-000000000009", as: stranger)
      let foreign = try await http.get("\(Self.path)/\(id)", as: stranger)
      #expect(foreign.status == 404 && foreign.anonymous == unknown.anonymous)
      #expect(try await http.get(Self.path, as: stranger).list("data").isEmpty)
      #expect(try await http.get("\(Self.path)?state=active", as: key).list("data").count == 1)
      #expect(try await http.get("\(Self.path)?state=revoked", as: key).list("data").isEmpty)
      #expect(try await http.post("\(Self.path)/\(id)/revoke", as: stranger).status == 404)
    }
  }

  @Test(
    "follow the rules of keys: no role, duty or scope that the maker has not, and staff need the duty of compliance")
  func rules() async throws {
    try await HTTPMarket.with { http in
      let lender = try await http.market.lender("Lender")
      let key = try await http.key(of: lender.id, [.lender], person: 5)
      let confined = try await http.key(
        of: lender.id, [.lender], scopes: [KeyScope(.read, of: "lots"), KeyScope(.write, of: "identity-bindings")],
        person: 5)
      let (compliance, treasury) = (try await http.staff([.compliance]), try await http.staff([.treasury]))
      let auditor = try await http.key(of: .platform, [.auditor], person: 7)
      let cases: [(String, String, String?)] = [
        (key, Self.body(lender.id, "a", "\"startup\""), "parties.roles_not_held"),
        (key, Self.body(lender.id, "a", "\"admin\""), "parties.roles_not_held"),
        (key, Self.body(.platform, "a", "\"admin\""), "parties.not_found"),
        (key, Self.body(lender.id, "a", "\"lender\"", #","duties":["risk"]"#), "parties.duties_not_held"),
        (confined, Self.body(lender.id, "a", "\"lender\""), "parties.scopes_not_held"),
        (confined, Self.body(lender.id, "a", "\"lender\"", #","scopes":["write"]"#), "parties.scopes_not_held"),
        (confined, Self.body(lender.id, "a", "\"lender\"", #","scopes":["lots:read"]"#), nil),
        (treasury, Self.body(lender.id, "b", "\"lender\""), "parties.duty_required"),
        (auditor, Self.body(.platform, "b", "\"auditor\""), "parties.role_required"),
        (compliance, Self.body(.platform, "b", "\"admin\"", #","duties":["treasury"]"#), "parties.duties_not_held"),
        (compliance, Self.body(.platform, "b", "\"admin\""), nil),
        (compliance, Self.body(lender.id, "c", "\"lender\""), nil),
        (compliance, Self.body(lender.id, "c", "\"lender\""), "parties.binding_exists"),
        (key, Self.body(lender.id, "b", "\"lender\""), "parties.binding_exists"),
      ]
      for (caller, body, code) in cases {
        let answer = try await http.post(Self.path, as: caller, body)
        #expect(code == nil ? answer.status == 201 : answer.code == code, "\(body): \(answer.text)")
      }
      let staff = try await http.get("\(Self.path)?state=active", as: compliance).list("data")
      let admin = try #require(staff.first { $0["organization_id"]?.asString == "\(OrganizationID.platform)" })
      #expect(admin["duties"]?.elements.compactMap(\.asString) == ["compliance"])
      let id = admin["id"]?.asString ?? ""
      #expect(try await http.post("\(Self.path)/\(id)/revoke", as: treasury).code == "parties.duty_required")
      #expect(try await http.post("\(Self.path)/\(id)/revoke", as: compliance).status == 200)
      #expect(
        try await http.post("\(Self.path)/\(id)/revoke", as: compliance).code == "parties.binding_already_revoked")
      // The subject is free again.
      #expect(try await http.post(Self.path, as: key, Self.body(lender.id, "b", "\"lender\"")).status == 201)
      for subject in ["", "a b", "é", String(repeating: "x", count: 256)] {
        let answer = try await http.post(Self.path, as: key, Self.body(lender.id, subject, "\"lender\""))
        #expect(answer.status == 422 && answer.code == "request.invalid", "\(subject)")
      }
    }
  }

  @Test("that are bound at once in two processes are bound once")
  func race() async throws {
    try await HTTPMarket.with { one in
      let (a, b) = (try await one.market.lender("A"), try await one.market.lender("B"))
      let keys = [try await one.key(of: a.id, [.lender], person: 5), try await one.key(of: b.id, [.lender], person: 6)]
      let second = try await Marketplace(one.market.database, seed: 77)
      try await HTTPMarket.on(second) { two in
        for number in 0..<10 {
          async let first = one.post(Self.path, as: keys[0], Self.body(a.id, "s\(number)", "\"lender\""))
          async let other = two.post(Self.path, as: keys[1], Self.body(b.id, "s\(number)", "\"lender\""))
          let answers = [try await first, try await other]
          #expect(answers.map(\.status).sorted() == [201, 409], "\(answers.map(\.text))")
        }
      }
      await second.stop()
    }
  }

  @Test("end within a second in every process, and once their time is over")
  func end() async throws {
    let issuer = try TestIssuer()
    defer { issuer.server.stop() }
    try await HTTPMarket.with(tokens: try issuer.verifier()) { one in
      let own = try await one.market.lender("Own")
      let key = try await one.key(of: own.id, [.lender], person: 5)
      try await HTTPMarket.on(one.market, tokens: try issuer.verifier()) { two in
        let made = try await one.post(Self.path, as: key, Self.body(own.id, "ann", "\"lender\""))
        let token = try issuer.mint.token(issuer.p256, "ann", at: one.seconds)
        for http in [one, two] { #expect(try await http.get("/v1/lots", as: token).status == 200) }
        // Whoever acts through it may end it.
        let revoked = try await one.post("\(Self.path)/\(made.member("id"))/revoke", as: token)
        let at = ContinuousClock.now
        #expect(revoked.status == 200 && revoked.member("state") == "revoked", "\(revoked.text)")
        for http in [one, two] {
          while try await http.get("/v1/lots", as: token).status == 200, .now - at < .seconds(5) {
            try await Task.sleep(for: .milliseconds(10))
          }
        }
        #expect(.now - at < .seconds(1))
        let more = #","expires_at":"2026-06-02T08:05:00Z""#
        #expect(try await one.post(Self.path, as: key, Self.body(own.id, "ann", "\"lender\"", more)).status == 201)
        try await Task.sleep(for: .milliseconds(800))
        for http in [one, two] { #expect(try await http.get("/v1/lots", as: token).status == 200) }
        one.market.clock.advance(seconds: 300)
        for http in [one, two] { #expect(try await http.get("/v1/lots", as: token).status == 401) }
        #expect(try await one.get("\(Self.path)?state=expired", as: key).list("data").count == 1)
      }
    }
  }

  @Test("are what the audit log names, and what a repeated request is told by")
  func record() async throws {
    let issuer = try TestIssuer()
    defer { issuer.server.stop() }
    try await HTTPMarket.with(tokens: try issuer.verifier()) { http in
      let startup = try await http.market.startup("Startup")
      let id = try await issuer.bind(http, "ann", to: startup.id, [.startup], person: 5)
      let token = try issuer.mint.token(issuer.rsa, "ann", at: http.seconds)
      let made = try await http.post(
        Self.path, as: token, Self.body(startup.id, "bob", "\"startup\""), key: "once")
      let again = try await http.post(
        Self.path, as: try issuer.mint.token(issuer.pss, "ann", at: http.seconds - 5),
        Self.body(startup.id, "bob", "\"startup\""), key: "once")
      #expect(made.status == 201 && again.text == made.text && made.member("created_by") == "\(id)")
      let rows = try await http.get("/v1/audit-log", as: token).list("data")
      let row = try #require(rows.first { $0["action"]?.asString == "identity_binding.create" })
      #expect(row["binding_id"]?.asString == "\(id)" && row["key_id"]?.isNull == true)
      #expect(row["person_id"]?.asString == "\(PersonID(UUIDValue(high: 21, low: 5)))")
    }
  }
}
