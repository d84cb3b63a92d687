import Operations
import Parties
import Primitives
import StrictJSON
import Testing
import WebAPI

@Suite("Bodies of parties and keys")
struct PartyBodyTests {
  let organization = Sample([
    "legal_name": "\"Zero One\"", "jurisdiction": "\"CN\"", "roles": "[\"startup\"]",
    "ultimate_parent_jurisdiction": "\"KY\"",
    "parent_organization_id": "\"org_01920000-0000-7000-8000-000000000005\"",
    "owners": "[{\"name\":\"Founder\",\"share_bps\":6000,\"jurisdiction\":\"CN\",\"listed\":true}]",
    "sites": "[{\"country\":\"CN\",\"region\":\"CN-north\"}]",
  ])

  @Test("an organisation is read member by member, each within its bounds")
  func organizations() {
    let owner = "{\"name\":\"A\",\"share_bps\":0,\"jurisdiction\":\"SG\"}"
    let changes: [[Change]] = [
      requiredChanges("legal_name", "jurisdiction", "roles"), textChanges("legal_name", 200),
      optionalChanges("ultimate_parent_jurisdiction", "parent_organization_id", "owners", "sites"),
      Change.bad("jurisdiction", "format", "\"cn\"", "\"CHN\"", "\"C1\""),
      Change.good("roles", "[\"lender\",\"startup\"]"), Change.bad("roles", "length", "[]"),
      Change.bad("roles", "enum", at: "/roles/0", "[\"admin\"]", "[\"auditor\"]", "[\"Lender\"]"),
      Change.bad("roles", "duplicate", at: "/roles/1", "[\"lender\",\"lender\"]"),
      idChanges("parent_organization_id", prefix: "org"),
      Change.good("owners", "[]", array(100) { _ in owner }), Change.bad("owners", "length", array(101) { _ in owner }),
      Change.good("owners", "[{\"name\":\"A\",\"share_bps\":10000,\"jurisdiction\":\"SG\"}]"),
      Change.bad(
        "owners", "range", at: "/owners/1/share_bps", "[\(owner),\(owner.replacing("0", with: "10001"))]",
        "[\(owner),\(owner.replacing("0", with: "-1"))]"),
      Change.bad("owners", "missing", at: "/owners/0/name", "[{\"share_bps\":0,\"jurisdiction\":\"SG\"}]"),
      Change.bad("owners", "type", "{}", "\"A\""),
      Change.good("sites", array(50) { "{\"country\":\"SG\",\"region\":\"r\($0)\"}" }),
      Change.bad("sites", "length", array(51) { "{\"country\":\"SG\",\"region\":\"r\($0)\"}" }),
      Change.bad("sites", "format", at: "/sites/0/region", "[{\"country\":\"SG\",\"region\":\"a b\"}]"),
      Change.bad("sites", "length", at: "/sites/0/region", "[{\"country\":\"SG\",\"region\":\(text(65))}]"),
      Change.bad(
        "sites", "duplicate", at: "/sites/1", array(2) { _ in "{\"country\":\"SG\",\"region\":\"a\"}" }),
    ]
    check(organization, changes) { CreateOrganization.parse(&$0) }
  }

  @Test("what was sent of an organisation is what the command says")
  func organizationFields() throws {
    let command = try read(organization) { CreateOrganization.parse(&$0) }
    #expect(command.legalName == "Zero One")
    #expect(command.jurisdiction == CountryCode("CN"))
    #expect(command.ultimateParentJurisdiction == CountryCode("KY"))
    #expect(command.groupID == OrganizationID(uuid(5)))
    #expect(command.roles == [.startup])
    #expect(command.owners.map(\.share) == [BasisPoints(6_000)])
    #expect(command.owners.map(\.listed) == [true])
    #expect(command.sites.map(\.region) == ["CN-north"])
    let least = Sample(["legal_name": "\"A\"", "jurisdiction": "\"SG\"", "roles": "[\"lender\"]"])
    let bare = try read(least) { CreateOrganization.parse(&$0) }
    #expect(bare.groupID == nil)
    #expect(bare.owners == [])
    #expect(bare.sites == [])
  }

  @Test("verification needs evidence, suspension a reason")
  func verification() throws {
    let verify = Sample(["evidence": "\"register\"", "expires_on": "\"2027-01-01\"", "credit_grade": "\"BB+\""])
    let changes: [[Change]] = [
      requiredChanges("evidence"), textChanges("evidence", 500), optionalChanges("expires_on", "credit_grade"),
      dateChanges("expires_on"), Change.good("credit_grade", "\"A-1\"", text(16)),
      Change.bad("credit_grade", "length", text(17), "\"\""), Change.bad("credit_grade", "format", "\"A B\"", "\"А\""),
    ]
    check(verify, changes) { DecideVerification.parseVerify(&$0, lender, ifVersion: 3) }
    let command = try read(verify) { DecideVerification.parseVerify(&$0, lender, ifVersion: 3) }
    #expect(command.ifVersion == 3)
    guard case .verify(let evidence, let expiresOn, let grade) = command.act else {
      Issue.record("not a verification")
      return
    }
    #expect((evidence, grade) == ("register", "BB+"))
    #expect(expiresOn == CalendarDate("2027-01-01"))
    check(Sample(["reason": "\"sanctions hit\""]), [requiredChanges("reason"), textChanges("reason", 1_000)]) {
      DecideVerification.parseSuspend(&$0, lender, ifVersion: nil)
    }
  }

  @Test("a key carries roles and scopes within their bounds, and the digest of its secret")
  func keys() throws {
    let digest = SHA256Digest(of: [1])
    let parse: Parse<CreateAPIKey> = { CreateAPIKey.parse(&$0, keyID: APIKeyID(uuid(9)), secretDigest: digest) }
    let sample = Sample([
      "organization_id": "\"\(lender)\"", "roles": "[\"admin\",\"auditor\"]", "duties": "[\"risk\"]",
      "scopes": "[\"loans:read\"]",
      "expires_at": "\"2027-01-01T00:00:00+08:00\"", "person_id": "\"per_01920000-0000-7000-8000-000000000007\"",
    ])
    let changes: [[Change]] = [
      requiredChanges("organization_id", "roles"), optionalChanges("duties", "scopes", "expires_at", "person_id"),
      idChanges("organization_id", prefix: "org"), idChanges("person_id", prefix: "per"),
      Change.good("roles", "[\"admin\",\"auditor\",\"lender\",\"startup\"]"), Change.bad("roles", "length", "[]"),
      Change.bad("roles", "enum", at: "/roles/0", "[\"root\"]"),
      Change.good("duties", "[]", "[\"operations\",\"risk\",\"compliance\",\"treasury\"]"),
      Change.bad("duties", "enum", at: "/duties/0", "[\"all\"]"),
      Change.good("scopes", "[]", "[\"read\",\"write\",\"loans:write\"]"),
      Change.bad("scopes", "length", array(51) { "\"s\($0)\"" }),
      Change.bad(
        "scopes", "format", at: "/scopes/0", "[\"a b\"]", "[\"*\"]", "[\"unknown:read\"]", "[\"loans\"]",
        "[\"loans:read:\"]", "[\"Loans:read\"]"),
      Change.bad("scopes", "length", at: "/scopes/0", "[\"\"]", "[\(text(65))]"),
      Change.bad("scopes", "duplicate", at: "/scopes/1", "[\"read\",\"read\"]"),
      Change.bad("expires_at", "format", "\"2027-01-01\"", "\"1969-12-31T23:59:59Z\"", "\"2027-01-01T00:00:60Z\""),
      Change.bad("expires_at", "type", "1830000000"),
    ]
    check(sample, changes, parse)
    let command = try read(sample, parse)
    #expect(command.keyID == APIKeyID(uuid(9)))
    #expect(command.secretDigest == digest)
    #expect(command.expiresAt == Instant("2026-12-31T16:00:00Z"))
    #expect(command.personID == PersonID(uuid(7)))
    #expect(command.roles == [.admin, .auditor])
  }

  @Test("a binding is read member by member, its issuer and subject in visible ASCII alone")
  func bindings() throws {
    let parse: Parse<CreateIdentityBinding> = { CreateIdentityBinding.parse(&$0) }
    let sample = Sample([
      "organization_id": "\"\(lender)\"", "issuer": "\"https://issuer.example/\"", "subject": "\"ann|7\"",
      "roles": "[\"lender\"]", "scopes": "[\"loans:read\"]",
    ])
    var changes: [[Change]] = [
      requiredChanges("organization_id", "issuer", "subject", "roles"),
      optionalChanges("duties", "scopes", "expires_at", "person_id"), idChanges("organization_id", prefix: "org"),
      Change.bad("roles", "length", "[]"),
    ]
    for name in ["issuer", "subject"] {
      changes.append(Change.good(name, text(255), "\"~!\""))
      changes.append(Change.bad(name, "length", text(256), "\"\""))
      changes.append(Change.bad(name, "format", "\"a b\"", "\"é\"", "\"a\\u0000\"", "\"a\\n\""))
    }
    check(sample, changes, parse)
    let command = try read(sample, parse)
    #expect(command.issuer == "https://issuer.example/" && command.subject == "ann|7" && command.personID == nil)
    #expect(command.roles == [.lender] && command.duties == nil && command.scopes == [KeyScope(.read, of: "loans")])
  }

  @Test("an organisation is shown with its verification, and what can be sent again is taken again")
  func renderedOrganization() throws {
    let moment = try instant("2026-01-02T03:04:05Z")
    var shown = Organization(
      id: lender, legalName: "Züri \"Chips\"", jurisdiction: try #require(CountryCode("CH")),
      ultimateParentJurisdiction: nil, groupID: lender, roles: [.startup, .lender],
      owners: [
        BeneficialOwner(name: "A", share: BasisPoints(10_000), jurisdiction: try #require(CountryCode("CH")))
      ],
      sites: [Site(country: try #require(CountryCode("CH")), region: "EU-central")],
      verification: Verification(
        state: .verified, evidence: "doc 1", verifiedOn: try date("2026-01-01"), expiresOn: nil,
        verifiedBy: PersonID(uuid(7))),
      creditGrade: "AA", version: 2, createdAt: moment, updatedAt: moment)
    #expect(
      try written { shown.write(to: &$0) }
        == golden(
          #"""
          {"id":"org_01920000-0000-7000-8000-000000000001","state":"verified","legal_name":"Züri \"Chips\"",
          "jurisdiction":"CH","roles":["lender","startup"],"ultimate_parent_jurisdiction":null,
          "parent_organization_id":null,
          "owners":[{"name":"A","share_bps":10000,"jurisdiction":"CH","listed":false}],
          "sites":[{"country":"CH","region":"EU-central"}],
          "verification":{"state":"verified","evidence":"doc 1","verified_on":"2026-01-01","expires_on":null,
          "verified_by":"per_01920000-0000-7000-8000-000000000007","reason":null},
          "credit_grade":"AA","version":2,"created_at":"2026-01-02T03:04:05Z","updated_at":"2026-01-02T03:04:05Z"}
          """#))
    shown.groupID = borrower
    let again = try resent(
      try written { shown.write(to: &$0) },
      leavingOut: ["id", "state", "verification", "credit_grade", "version", "created_at", "updated_at"]
    ) { CreateOrganization.parse(&$0) }
    #expect(again.legalName == shown.legalName)
    #expect(again.roles == shown.roles)
    #expect(again.owners == shown.owners)
    #expect(again.sites == shown.sites)
    #expect(again.groupID == borrower)
  }

  @Test("a key shows its secret when it is made, and never its digest")
  func renderedKey() throws {
    let key = APIKey(
      id: APIKeyID(uuid(9)), organizationID: lender, roles: [.lender], scopes: [KeyScope(.read, of: "lots")],
      personID: nil,
      secretDigest: SHA256Digest(of: [7]), expiresAt: nil, createdAt: try instant("2026-01-02T03:04:05.5Z"))
    let head = """
      {"id":"key_01920000-0000-7000-8000-000000000009","state":"active",
      "organization_id":"org_01920000-0000-7000-8000-000000000001","roles":["lender"],"duties":[],"scopes":["lots:read"],
      "expires_at":null,"person_id":null,"revoked_at":null,"replaces":null,"replaced_by":null,"last_used_on":null,
      """
    let tail = """
      "version":1,"created_at":"2026-01-02T03:04:05.500000Z","updated_at":"2026-01-02T03:04:05.500000Z"}
      """
    #expect(try written { key.write(to: &$0) } == golden(head + tail))
    #expect(try written { key.write(to: &$0, secret: "cb_x") } == golden(head + "\"secret\":\"cb_x\"," + tail))
    var revoked = key
    revoked.revokedAt = try instant("2026-02-01T00:00:00Z")
    #expect(try written { revoked.write(to: &$0) }.contains("\"state\":\"revoked\""))
  }

  @Test("an act without words takes nothing and an empty object, and no member")
  func emptyBodies() throws {
    for body in ["", "{}", " { } "] {
      _ = try RequestBody.read(Array(body.utf8), mayBeEmpty: true) { EmptyBody.parse(&$0) }
    }
    let refused = #expect(throws: JSONFaults.self) {
      try RequestBody.read(Array("{\"reason\":1}".utf8), mayBeEmpty: true) { EmptyBody.parse(&$0) }
    }
    #expect(refused?.faults.map(\.pointer) == ["/reason"])
    let nothing = #expect(throws: JSONFaults.self) { try RequestBody.read([]) { EmptyBody.parse(&$0) } }
    #expect(nothing?.isSyntax == true)
  }
}

/// Reads an answer as a request again, without the members that only answers have.
func resent<Value>(_ answer: String, leavingOut: Set<String>, _ parse: Parse<Value>) throws -> Value {
  var writer = JSONWriter()
  let root = try JSONDocument(parsing: Array(answer.utf8)).root
  for name in leavingOut { #expect(root[name] != nil, "\(name) is no member of the answer") }
  writer.object { writer in
    for member in root.members where !leavingOut.contains(member.name) {
      writer.key(dynamic: member.name)
      copy(member.value, to: &writer)
    }
  }
  return try RequestBody.read(writer.bytes, parse)
}

private func copy(_ node: JSONNode, to writer: inout JSONWriter) {
  switch node.kind {
  case .null: writer.null()
  case .boolean: writer.bool(node.asBool == true)
  case .number: writer.int(node.asInteger ?? 0)
  case .string: writer.string(node.asString ?? "")
  case .array: writer.array(node.elements) { copy($1, to: &$0) }
  case .object:
    writer.object { writer in
      for member in node.members {
        writer.key(dynamic: member.name)
        copy(member.value, to: &writer)
      }
    }
  }
}
