import Hummingbird
import Lending
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import StrictJSON
import WebSupport

extension WebAPI {
  func addLoanRoutes(_ routes: inout Routes) {
    routes.get("/v1/loans") { request, _ in
      try await gateway.list(
        request, Resources.loans, name: "loans", filter: "state",
        position: { PagePosition(createdAt: $0.createdAt, id: $0.id.value) },
        besides: expanding(request, Expansions.loan), write: { $0.write(to: &$1) })
    }
    routes.get("/v1/loans/{id}") { request, context in
      let principal = try await gateway.principal(of: request)
      let loan = try await self.loan(context, as: principal)
      let more = try await expanding(request, Expansions.loan)?([loan], principal)
      return gateway.object(request, version: loan.version, besides: more) { loan.write(to: &$0) }
    }
    routes.post("/v1/loans/{id}/deliveries") { request, context in
      let id: LoanID = try Gateway.pathID(context, noun: "loan")
      return try await gateway.post(
        request, context, limits: .withSerials,
        render: Gateway.Rendering<RecordDelivery.Delivered>(version: { $0.loan.version }) { delivered, writer in
          writer.object { writer in
            writer.field("state", delivered.loan.state)
            writer.key("loan")
            delivered.loan.write(to: &writer)
            writer.object("verdict", delivered.verdict) { writer, verdict in verdict.writeMembers(to: &writer) }
          }
        }
      ) { reader, posted in RecordDelivery.parse(&reader, loanID: id, ifVersion: posted.ifVersion) }
    }
    routes.post("/v1/loans/{id}/returns") { request, context in
      let id: LoanID = try Gateway.pathID(context, noun: "loan")
      return try await gateway.post(
        request, context, limits: .withSerials,
        render: Gateway.Rendering<RecordReturn.Returned>(version: { $0.loan.version }) { returned, writer in
          writer.object { writer in
            writer.field("state", returned.entry.state)
            writer.key("return")
            returned.entry.write(to: &writer, currency: returned.loan.currency)
            writer.key("loan")
            returned.loan.write(to: &writer)
            writer.object("verdict", returned.verdict) { writer, verdict in verdict.writeMembers(to: &writer) }
          }
        }
      ) { reader, _ in ReturnBody.parse(&reader)?.command(loanID: id) }
    }
    routes.get("/v1/loans/{id}/returns") { request, context in
      let principal = try await gateway.principal(of: request)
      let loan = try await self.loan(context, as: principal)
      let query = Query(Details.returnsOfLoan, [gateway.reader.scope(principal), .uuid(loan.id.value.bits)])
      let rows = try await gateway.reader.run([query], as: principal)[0].map { try Tables.loanReturns.decode($0) }
      return gateway.page(rows, next: nil) { $0.write(to: &$1, currency: loan.currency) }
    }
  }

  func loan(_ context: ChipBridgeContext, as principal: Principal) async throws -> Loan {
    let id: LoanID = try Gateway.pathID(context, noun: "loan")
    return try await gateway.reader.one(Resources.loans, id.value, as: principal, noun: "loan")
  }
}
