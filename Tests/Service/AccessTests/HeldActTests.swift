import DomainFixtures
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Operations
import Parties
import Primitives
import StrictJSON
import Testing
import WebSupport

/// Acts of staff that a second person has to agree to, where the deployment asks for two.
@Suite("Held acts", .timeLimit(.minutes(3)))
struct HeldActTests {
  /// Two persons of one duty, one of another, and a market.
  private struct Desk: Sendable {
    let http: HTTPMarket
    let maker: String
    let checker: String
    let outsider: String
    let today: CalendarDate

    func hold(_ target: String, _ body: String = "{}", key: String? = nil) async throws -> HTTPAnswer {
      try await http.post(target, as: maker, body, key: key)
    }

    func approve(_ id: String, as key: String? = nil, once: String? = nil) async throws -> HTTPAnswer {
      try await http.post("/v1/approvals/\(id)/approve", as: key ?? checker, key: once)
    }

    func waiting() async throws -> [JSONNode] {
      try await http.get("/v1/approvals?kind=held_act", as: checker).list("data")
    }

    func organization() async throws -> String {
      let body = #"{"legal_name":"Loom","jurisdiction":"CN","roles":["startup"],"sites":[]}"#
      let made = try await http.post("/v1/organizations", as: maker, body)
      #expect(made.status == 201, "\(made.text)")
      return made.member("id")
    }
  }

  private func with(
    _ duty: Duty, _ body: @escaping @Sendable (Desk) async throws -> Void
  ) async throws {
    try await Marketplace.with { market in
      try await HTTPMarket.on(market, asksSecondPerson: true) { http in
        let other: Duty = duty == .risk ? .operations : .risk
        try await body(
          Desk(
            http: http, maker: try await http.staff([duty], person: 51),
            checker: try await http.staff([duty], person: 52),
            outsider: try await http.staff([other], person: 53), today: market.clock.now().date))
      }
    }
  }

  /// Holds an act, sees that nothing came of it, has it approved by whom it must be, and shows what it came to.
  private func carry(_ desk: Desk, _ target: String, _ body: String, _ action: String) async throws -> JSONNode {
    let held = try await desk.hold(target, body, key: "ask-\(action)")
    #expect(held.status == 202 && held.member("state") == "pending", "\(held.text)")
    let id = held.member("id")
    #expect(held.headers[.location] == "/v1/approvals/\(id)" && held.headers[.eTag] == "\"v1\"")
    let again = try await desk.hold(target, body, key: "ask-\(action)")
    #expect(again.text == held.text && again.headers[.idempotencyReplayed] == "true")
    let waiting = try await desk.waiting()
    #expect(waiting.count == 1 && waiting.first?["id"]?.asString == id)
    #expect(waiting.first?["facts"]?["act"]?.asString == action)
    #expect(waiting.first?["facts"]?["path"]?.asString == target)
    #expect(waiting.first?["facts"]?["body"] != nil)
    let read = try await desk.http.get("/v1/approvals/\(id)", as: desk.maker).json()
    #expect(read["duty"]?.asString == held.member("duty") && read["maker_id"]?.asString == held.member("maker_id"))
    #expect(try await desk.approve(id, as: desk.maker).code == "parties.same_person")
    #expect(try await desk.approve(id, as: desk.outsider).code == "parties.duty_required")
    let tried = try await desk.http.post("/v1/approvals/\(id)/approve?validate_only=true", as: desk.checker)
    #expect(tried.status == 200, "\(tried.text)")
    #expect(try await desk.waiting().count == 1)
    let done = try await desk.approve(id, once: "agree-\(action)")
    #expect(done.status == 200 && done.member("state") == "approved", "\(done.text)")
    let replayed = try await desk.approve(id, once: "agree-\(action)")
    #expect(replayed.text == done.text && replayed.headers[.idempotencyReplayed] == "true")
    #expect(try await desk.approve(id).code == "approvals.already_decided")
    let late = try await desk.http.post("/v1/approvals/\(id)/reject", as: desk.checker, #"{"reason":"late"}"#)
    #expect(late.code == "approvals.already_decided")
    #expect(try await desk.waiting().isEmpty)
    let shown = try await desk.http.get("/v1/approvals/\(id)", as: desk.checker)
    #expect(shown.member("state") == "approved" && shown.member("checker_id") != shown.member("maker_id"))
    return try #require(try done.json()["result"])
  }

  @Test("an organisation is verified by the second person, and suspended by one")
  func verification() async throws {
    try await with(.compliance) { desk in
      let id = try await desk.organization()
      func state() async throws -> String {
        try await desk.http.get("/v1/organizations/\(id)", as: desk.checker).json()["verification"]?["state"]?.asString
          ?? ""
      }
      let target = "/v1/organizations/\(id)/verify"
      let held = try await desk.hold(target, #"{"evidence":"register extract"}"#)
      #expect(try await state() == "unverified")
      let taken = try await desk.http.post(
        "/v1/approvals/\(held.member("id"))/reject", as: desk.maker, #"{"reason":"the wrong extract"}"#)
      #expect(taken.status == 200 && taken.member("state") == "rejected", "\(taken.text)")
      #expect(try await desk.approve(held.member("id")).code == "approvals.already_decided")
      let result = try await carry(
        desk, target, #"{"evidence":"register extract, corrected"}"#, "organization.decide_verification")
      #expect(result["status"]?.asInteger == 200 && result["body"]?["id"]?.asString == id)
      #expect(try await state() == "verified")
      let suspended = try await desk.http.post(
        "/v1/organizations/\(id)/suspend", as: desk.maker, #"{"reason":"a check"}"#)
      #expect(suspended.status == 200, "\(suspended.text)")
      #expect(try await state() == "suspended")
    }
  }

  @Test("a licence is recorded by two persons")
  func licence() async throws {
    try await with(.compliance) { desk in
      let holder = try await desk.http.market.lender()
      let body = """
        {"holder_organization_id":"\(holder.id)","chip_model_id":"nvidia-a10","destination":"CN","quota":100,
         "valid_from":"2023-01-01","reference":"L1"}
        """
      let result = try await carry(desk, "/v1/licences", body, "licence.add")
      #expect(result["status"]?.asInteger == 201)
      let location = try #require(result["location"]?.asString)
      let licence = try await desk.http.get(location, as: desk.checker)
      #expect(licence.status == 200 && licence.member("reference") == "L1", "\(licence.text)")
    }
  }

  @Test("money is received, and assigned, by two persons; the heads are locked as if it were done alone")
  func receipts() async throws {
    try await with(.treasury) { desk in
      let startup = try await desk.http.market.startup()
      let body = """
        {"received_on":"\(desk.today)","amount":{"amount":90000,"currency":"USD"},"source":"instalment"}
        """
      let result = try await carry(desk, "/v1/cash-receipts", body, "cash_receipt.record")
      #expect(result["status"]?.asInteger == 201)
      let receipt = try #require(result["body"]?["id"]?.asString)
      let assigned = try await carry(
        desk, "/v1/cash-receipts/\(receipt)/assign", #"{"payer_organization_id":"\#(startup.id)"}"#,
        "cash_receipt.assign")
      #expect(assigned["body"]?["payer_organization_id"]?.asString == "\(startup.id)", "\(assigned)")
    }
  }

  @Test("identities are bound by two persons, and those of staff say their duties")
  func identities() async throws {
    try await with(.compliance) { desk in
      func binding(_ roles: String, of organization: OrganizationID, _ more: String = "") -> String {
        """
        {"organization_id":"\(organization)","issuer":"https://issuer.example/","subject":"ann-\(roles)",
         "roles":["\(roles)"],"person_id":"\(PersonID(UUIDValue(high: 21, low: 54)))"\(more)}
        """
      }
      // The checker's duties may be more than the maker's.
      let silent = try await desk.hold("/v1/identity-bindings", binding("admin", of: .platform))
      #expect(silent.status == 422 && silent.text.contains("/duties"), "\(silent.text)")
      let duties = #","duties":["compliance"]"#
      let result = try await carry(
        desk, "/v1/identity-bindings", binding("admin", of: .platform, duties), "identity_binding.create")
      #expect(result["status"]?.asInteger == 201)
      #expect(result["body"]?["duties"]?.elements.compactMap(\.asString) == ["compliance"])
      let startup = try await desk.http.market.startup()
      let tenant = try await desk.hold("/v1/identity-bindings", binding("startup", of: startup.id))
      #expect(tenant.status == 202, "\(tenant.text)")
    }
  }

  @Test("a key of staff names its maker or nobody; a party's key is shown to the second person, once")
  func keys() async throws {
    try await with(.compliance) { desk in
      func key(_ person: UInt64?) async throws -> HTTPAnswer {
        let named = person.map { #","person_id":"\#(PersonID(UUIDValue(high: 21, low: $0)))""# } ?? ""
        return try await desk.hold(
          "/v1/api-keys", #"{"organization_id":"\#(OrganizationID.platform)","roles":["admin"]\#(named)}"#)
      }
      #expect(try await key(52).code == "parties.key_of_another_person")
      #expect(try await key(51).status == 201)
      let nobody = try await key(nil)
      #expect(nobody.status == 201)
      // Nobody asks for nothing that another is to agree to.
      let id = try await desk.organization()
      let asked = try await desk.http.post(
        "/v1/organizations/\(id)/verify", as: nobody.member("secret"), #"{"evidence":"e"}"#)
      #expect(asked.code == "parties.person_required", "\(asked.text)")
      let program = try await desk.http.staff([.compliance, .operations], person: 57)
      let made = try await desk.http.post(
        "/v1/api-keys", as: program, #"{"organization_id":"\#(OrganizationID.platform)","roles":["admin"]}"#)
      let run = try await desk.http.post(
        "/v1/settlement-runs", as: made.member("secret"), #"{"job":"payout","business_date":"\#(desk.today)"}"#)
      #expect(run.code == "parties.person_required", "\(run.text)")
      // The secret of a key that is rotated is shown to whoever rotates it.
      let theirs = try await desk.http.get("/v1/api-keys?limit=200", as: desk.checker).list("data").first {
        $0["person_id"]?.asString == "\(PersonID(UUIDValue(high: 21, low: 52)))"
      }
      let other = try #require(theirs?["id"]?.asString)
      let rotated = try await desk.hold("/v1/api-keys/\(other)/rotate", #"{"overlap_seconds":0}"#)
      #expect(rotated.code == "parties.key_of_another_person", "\(rotated.text)")
      #expect(try await desk.hold("/v1/api-keys/\(other)/revoke").status == 200)
    }
  }

  @Test("a party's key is made by two of the staff, and shown once to the one who agreed")
  func partyKeys() async throws {
    try await with(.compliance) { desk in
      let startup = try await desk.http.market.startup()
      let held = try await desk.hold(
        "/v1/api-keys",
        #"{"organization_id":"\#(startup.id)","roles":["startup"],"person_id":"\#(PersonID(UUIDValue(high: 3, low: 3)))"}"#
      )
      #expect(held.status == 202 && held.member("secret").isEmpty, "\(held.text)")
      let id = held.member("id")
      let tried = try await desk.http.post("/v1/approvals/\(id)/approve?validate_only=true", as: desk.checker)
      #expect(tried.status == 200 && tried.member("secret").isEmpty)
      let agreed = try await desk.approve(id, once: "agree")
      let secret = agreed.member("secret")
      #expect(agreed.status == 200 && !secret.isEmpty, "\(agreed.text)")
      #expect(try await desk.http.get("/v1/organizations/\(startup.id)", as: secret).status == 200)
      let again = try await desk.approve(id, once: "agree")
      #expect(again.status == 200 && again.member("secret").isEmpty && again.member("state") == "approved")
      #expect(!(try await desk.http.get("/v1/approvals/\(id)", as: desk.checker).text.contains(secret)))
      let key = try #require(try agreed.json()["result"]?["body"]?["id"]?.asString)
      let rotated = try await desk.hold("/v1/api-keys/\(key)/rotate", #"{"overlap_seconds":0}"#)
      #expect(rotated.code == "parties.key_of_another_person", "\(rotated.text)")
      // The party itself is alone with its keys.
      let own = try await desk.http.post("/v1/api-keys/\(key)/rotate", as: secret, #"{"overlap_seconds":0}"#)
      #expect(own.status == 201, "\(own.text)")
    }
  }

  @Test("what is refused now is not held, and what is refused then goes on waiting")
  func refused() async throws {
    try await with(.compliance) { desk in
      let id = try await desk.organization()
      let target = "/v1/organizations/\(id)/verify"
      #expect(try await desk.hold(target, #"{"evidence":7}"#).status == 422)
      #expect(
        try await desk.hold("/v1/organizations/org_\(UUIDValue(high: 1, low: 1))/verify", #"{"evidence":"e"}"#).status
          == 404)
      #expect(try await desk.waiting().isEmpty)
      // Bound to the version that its maker saw.
      var fields: HTTPFields = [.authorization: "Bearer \(desk.maker)", .contentType: "application/json"]
      fields[.ifMatch] = "\"v1\""
      fields[.idempotencyKey] = "bound"
      let held = try await desk.http.client.execute(
        uri: target, method: .post, headers: fields, body: ByteBuffer(string: #"{"evidence":"as it was"}"#))
      #expect(held.status == .accepted)
      let waiting = try #require(try await desk.waiting().first?["id"]?.asString)
      #expect(
        try await desk.http.post("/v1/organizations/\(id)/suspend", as: desk.maker, #"{"reason":"news"}"#).status == 200
      )
      let stale = try await desk.approve(waiting)
      #expect(stale.status == 412, "\(stale.text)")
      #expect(try await desk.waiting().count == 1)
      #expect(try await desk.http.get("/v1/organizations/\(id)", as: desk.maker).text.contains("suspended"))
    }
  }

  @Test("a batch takes none of them, and what only tries changes nothing")
  func batches() async throws {
    try await with(.treasury) { desk in
      let body = """
        {"received_on":"\(desk.today)","amount":{"amount":90000,"currency":"USD"},"source":"instalment"}
        """
      let tried = try await desk.http.post("/v1/cash-receipts?validate_only=true", as: desk.maker, body)
      #expect(tried.status == 201, "\(tried.text)")
      let note = #"{"path":"/v1/cash-receipts","body":\#(body)}"#
      let batch = try await desk.hold("/v1/batches", #"{"operations":[\#(note)]}"#)
      #expect(batch.status == 422 && batch.text.contains("batch.not_combinable"), "\(batch.text)")
      let id = try await desk.http.staff([.compliance], person: 55)
      let made = try await desk.http.post(
        "/v1/organizations", as: id, #"{"legal_name":"Loom","jurisdiction":"CN","roles":["startup"],"sites":[]}"#)
      let verify = #"{"path":"/v1/organizations/\#(made.member("id"))/verify","body":{"evidence":"e"}}"#
      let mixed = try await desk.http.post("/v1/batches", as: id, #"{"operations":[\#(verify)]}"#)
      #expect(mixed.status == 422 && mixed.text.contains("batch.not_combinable"), "\(mixed.text)")
      #expect(try await desk.waiting().isEmpty)
    }
  }

  @Test("numbers that the database could not read, and a path with an empty part, wait as any other")
  func shapes() async throws {
    try await with(.treasury) { desk in
      func body(_ zeros: Int) -> String {
        """
        {"received_on":"\(desk.today)","amount":{"amount":90000.\(String(repeating: "0", count: zeros)),"currency":"USD"},
         "source":"instalment"}
        """
      }
      let result = try await carry(desk, "/v1/cash-receipts", body(20_000), "cash_receipt.record")
      #expect(result["body"]?["amount"]?["amount"]?.asInteger == 90_000)
      let held = try await desk.hold("//v1//cash-receipts", body(1))
      #expect(held.status == 202, "\(held.text)")
      #expect(try await desk.waiting().first?["facts"]?["path"]?.asString == "/v1/cash-receipts")
      // One key for the whole staff: the maker's refusal is not what the checker is told.
      let id = held.member("id")
      #expect(try await desk.approve(id, as: desk.maker, once: "the-same").code == "parties.same_person")
      #expect(try await desk.approve(id, once: "the-same").code == "idempotency.key_reused")
      #expect(try await desk.approve(id).status == 200)
    }
  }

  @Test("two who agree at once do it once")
  func race() async throws {
    try await with(.treasury) { desk in
      let body = """
        {"received_on":"\(desk.today)","amount":{"amount":90000,"currency":"USD"},"source":"instalment"}
        """
      let id = try await desk.hold("/v1/cash-receipts", body).member("id")
      let checkers = [desk.checker, try await desk.http.staff([.treasury], person: 56)]
      let answers = try await withThrowingTaskGroup(of: Int.self) { group in
        for index in 0..<8 { group.addTask { try await desk.approve(id, as: checkers[index % 2]).status } }
        return try await group.reduce(into: [Int]()) { $0.append($1) }
      }
      #expect(answers.filter { $0 == 200 }.count == 1 && answers.filter { $0 == 409 }.count == 7, "\(answers)")
      #expect(try await desk.http.get("/v1/cash-receipts", as: desk.checker).list("data").count == 1)
    }
  }
}
