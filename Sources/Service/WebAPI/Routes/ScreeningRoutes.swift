import Hummingbird
import Operations
import Parties
import Persistence
import Primitives
import Screening
import StrictJSON
import WebSupport

/// Lists of parties, and what they say of one: for staff and auditors. Whoever is on a list is not told so here.
extension WebAPI {
  func addScreeningRoutes(_ routes: inout Routes) {
    routes.get("/v1/screening-lists") { request, _ in
      let principal = try await gateway.principal(of: request)
      try principal.require(.admin, .auditor)
      let date = try await businessDate(request)
      let lists = try await reference.refreshed(writer).screening
      return gateway.object(request, version: nil) { writer in
        writer.object { writer in
          writer.field("as_of", lists.asOf)
          writer.field("on", date)
          writer.array("lists", lists.lists) { writer, list in list.write(on: date, to: &writer) }
        }
      }
    }
    routes.get("/v1/organizations/{id}/screening") { request, context in
      let principal = try await gateway.principal(of: request)
      try principal.require(.admin, .auditor)
      let id: OrganizationID = try Gateway.pathID(context, noun: "organization")
      let row = try await gateway.reader.one(Resources.organizations, id.value, as: principal, noun: "organization")
      let date = try await businessDate(request)
      let party = ScreenedParty(row, try await reference.refreshed(writer).screening, on: date)
      return gateway.object(request, version: row.version) { party.write(to: &$0) }
    }
    addDecisionRoutes(&routes)
  }

  private func addDecisionRoutes(_ routes: inout Routes) {
    let decided = Gateway.Rendering<ScreenedParty>(
      version: { $0.organization.version }, write: { $0.write(to: &$1) })
    routes.post("/v1/organizations/{id}/screening/decisions") { request, context in
      let id: OrganizationID = try Gateway.pathID(context, noun: "organization")
      return try await gateway.post(request, context, render: decided) { reader, posted in
        DecideScreening.parse(&reader, id, ifVersion: posted.ifVersion)
      }
    }
    for (verb, isApproved) in [("approve", true), ("reject", false)] {
      routes.post("/v1/organizations/{id}/screening/decisions/{decision}/\(verb)") { request, context in
        let id: OrganizationID = try Gateway.pathID(context, noun: "organization")
        let decision: ScreeningDecisionID = try Gateway.pathID(context, "decision", noun: "screening decision")
        return try await gateway.post(request, context, render: decided) { reader, posted -> ReviewScreening? in
          guard EmptyBody.parse(&reader) != nil else { return nil }
          return ReviewScreening(
            organizationID: id, decisionID: decision, isApproved: isApproved, ifVersion: posted.ifVersion)
        }
      }
    }
  }
}
