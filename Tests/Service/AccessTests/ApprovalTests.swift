import DomainFixtures
import Operations
import Parties
import Persistence
import Primitives
import StrictJSON
import Testing

@Suite("Approvals", .timeLimit(.minutes(2)))
struct ApprovalTests {
  @Test("show whatever waits, of every kind, and each is decided with its own duty and no other")
  func kinds() async throws {
    try await HTTPMarket.with { http in
      let book = try await MatrixBook(http)
      let listed = try await http.get("/v1/approvals", as: book.keys[.auditor]).list("data")
      let kinds = Set(listed.compactMap { $0["kind"]?.asString })
      // The book's runs need no second person, and its one piece of reference data is a calendar.
      let rare: Set<String> = [Approval.Kind.settlementRun.rawValue, Approval.Kind.taxRule.rawValue]
      #expect(kinds == Set(Approval.Kind.allCases.map(\.rawValue)).subtracting(rare))
      #expect(listed.allSatisfy { $0["state"]?.asString == "pending" })
      for approval in listed {
        let (id, kind) = (approval["id"]?.asString ?? "", approval["kind"]?.asString ?? "")
        #expect(try await http.get("/v1/approvals/\(id)", as: book.keys[.risk]).member("kind") == kind)
        let only = try await http.get("/v1/approvals?kind=\(kind)", as: book.keys[.risk])
        #expect(try only.json()["data"]?.elements.contains { $0["id"]?.asString == id } == true)
        for (caller, duty) in [
          (RoleMatrix.Caller.operations, Duty.operations), (.risk, .risk), (.compliance, .compliance),
          (.treasury, .treasury),
        ] {
          let answer = try await http.post("/v1/approvals/\(id)/approve?validate_only=true", as: book.keys[caller])
          let isTheirs = approval["duty"]?.asString == duty.rawValue
          #expect((answer.code == "parties.duty_required") == !isTheirs, "\(kind) as \(duty): \(answer.text)")
          #expect(isTheirs || answer.member("detail").contains(approval["duty"]?.asString ?? "?"))
        }
      }
      for query in ["kind=nothing", "state=open", "limit=0"] {
        #expect(try await http.get("/v1/approvals?\(query)", as: book.keys[.auditor]).status == 422)
      }
    }
  }

  @Test("are decided once, by another person than the maker, and a repeated request has its first answer")
  func payee() async throws {
    try await HTTPMarket.with { http in
      let lender = try await http.market.lender()
      let maker = try await http.staff([.treasury], person: 31)
      let checker = try await http.staff([.treasury], person: 32)
      let body = #"{"currency":"EUR","name":"Lender","iban":"DE89370400440532013000"}"#
      let made = try await http.post("/v1/organizations/\(lender.id)/payees", as: maker, body)
      #expect(made.status < 300, "\(made.text)")
      let id = made.member("id")
      let waiting = try await http.get("/v1/approvals?kind=payee", as: checker).list("data")
      #expect(waiting.compactMap { $0["id"]?.asString } == [id])
      #expect(waiting.first?["organization_id"]?.asString == "\(lender.id)")
      #expect(waiting.first?["facts"]?["currency"]?.asString == "EUR")
      #expect(try await http.post("/v1/approvals/\(id)/approve", as: maker).code == "parties.same_person")
      let approved = try await http.post("/v1/approvals/\(id)/approve", as: checker, key: "once")
      #expect(approved.status == 200 && approved.member("state") == "approved", "\(approved.text)")
      let again = try await http.post("/v1/approvals/\(id)/approve", as: checker, key: "once")
      #expect(again.status == 200 && again.text == approved.text)
      // A verified payee can be withdrawn on its own route, and an approval takes nothing back.
      let late = try await http.post("/v1/approvals/\(id)/reject", as: checker, #"{"reason":"late"}"#)
      #expect(late.status == 409 && late.code == "approvals.already_decided")
      #expect(try await http.get("/v1/approvals/\(id)", as: maker).member("state") == "approved")
      #expect(try await http.get("/v1/approvals", as: maker).json()["data"]?.elements.isEmpty == true)
    }
  }

  @Test("are rejected with a reason, which is kept where the object keeps one")
  func rejected() async throws {
    try await HTTPMarket.with { http in
      let book = try await MatrixBook(http)
      let key = try await http.staff(person: 33)
      for (kind, body) in [
        (Approval.Kind.fxRate, #"{"reason":"wrong day"}"#), (.mark, #"{"reason":"too high"}"#), (.calendar, "{}"),
      ] {
        let waiting = try await http.get("/v1/approvals?kind=\(kind.rawValue)", as: key)
        let id = try #require(try waiting.json()["data"]?.elements.first?["id"]?.asString)
        let wrong = body == "{}" ? #"{"reason":"none is kept"}"# : "{}"
        #expect(try await http.post("/v1/approvals/\(id)/reject", as: key, wrong).status == 422, "\(kind)")
        let answer = try await http.post("/v1/approvals/\(id)/reject", as: key, body)
        #expect(answer.status == 200 && answer.member("state") == "rejected", "\(kind): \(answer.text)")
        let shown = try await http.get("/v1/approvals?kind=\(kind.rawValue)&state=rejected", as: key)
        #expect(shown.text.contains(id))
      }
      for key in [book.keys[.lenderA], book.keys[.startupA]] {
        #expect(try await http.get("/v1/approvals", as: key).status == 403)
      }
    }
  }
}
