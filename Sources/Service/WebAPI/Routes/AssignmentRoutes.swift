import Hummingbird
import Lending
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import StrictJSON
import WebSupport

// The sale of a loan by one lender to another: proposed under the loan, answered and settled by its own id, since the buyer
// does not see the loan.
extension WebAPI {
  func addAssignmentRoutes(_ routes: inout Routes) {
    routes.post("/v1/loans/{id}/assignments") { request, context in
      let id: LoanID = try Gateway.pathID(context, noun: "loan")
      return try await gateway.post(
        request, context, limits: .withSerials,
        render: Gateway.Rendering<AssignmentDesk.Answered>(
          status: .created, location: { "/v1/loan-assignments/\($0.assignment.id)" },
          version: { $0.assignment.version }, write: { $0.write(to: &$1) })
      ) { reader, posted in ProposeAssignment.parse(&reader, loanID: id, ifVersion: posted.ifVersion) }
    }
    routes.get("/v1/loans/{id}/assignments") { request, context in
      let principal = try await gateway.principal(of: request)
      let loan = try await self.loan(context, as: principal)
      let query = Query(Details.assignmentsOfLoan, [gateway.reader.scope(principal), .uuid(loan.id.value.bits)])
      let rows = try await Tables.loanAssignments.decode(gateway.reader.run([query], as: principal)[0])
      return gateway.page(rows, next: nil) { $0.write(to: &$1, for: principal.viewer) }
    }
    routes.get("/v1/loan-assignments") { request, _ in
      let principal = try await gateway.principal(of: request)
      return try await gateway.list(
        request, Resources.loanAssignments, name: "loan-assignments", filter: "state",
        position: { PagePosition(createdAt: $0.createdAt, id: $0.id.value) },
        write: { $0.write(to: &$1, for: principal.viewer) })
    }
    routes.get("/v1/loan-assignments/{id}") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: LoanAssignmentID = try Gateway.pathID(context, noun: "sale of a loan")
      let sale = try await gateway.reader.one(
        Resources.loanAssignments, id.value, as: principal, noun: "sale of a loan")
      return gateway.object(request, version: sale.version) { sale.write(to: &$0, for: principal.viewer) }
    }
    for act in AnswerAssignment.Act.allCases {
      routes.post("/v1/loan-assignments/{id}/\(act.rawValue)") { request, context in
        let id: LoanAssignmentID = try Gateway.pathID(context, noun: "sale of a loan")
        return try await gateway.post(
          request, context,
          render: Gateway.Rendering<AssignmentDesk.Answered>(
            version: { $0.assignment.version }, write: { $0.write(to: &$1) })
        ) { reader, posted in AnswerAssignment.parse(&reader, id, act, ifVersion: posted.ifVersion) }
      }
    }
    routes.post("/v1/loan-assignments/{id}/settle") { request, context in
      let id: LoanAssignmentID = try Gateway.pathID(context, noun: "sale of a loan")
      return try await gateway.post(
        request, context,
        render: Gateway.Rendering<AssignmentDesk.Answered>(
          version: { $0.assignment.version }, write: { $0.write(to: &$1) })
      ) { _, posted in SettleAssignment(assignmentID: id, ifVersion: posted.ifVersion) }
    }
  }
}

extension Principal {
  /// Whose eyes an answer is for; nil for those who read everything.
  fileprivate var viewer: OrganizationID? { readsEverything ? nil : organizationID }
}
