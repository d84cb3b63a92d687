import HTTPTypes
import Hummingbird
import Operations
import Parties
import Persistence
import Primitives
import StrictJSON
import WebSupport

extension WebAPI {
  func addPartyRoutes(_ routes: inout Routes) {
    routes.post("/v1/organizations") { request, context in
      try await gateway.post(
        request, context,
        render: .init(
          status: .created, location: { "/v1/organizations/\($0.id)" }, version: { $0.version },
          write: { $0.write(to: &$1) })
      ) { reader, _ in CreateOrganization.parse(&reader) }
    }
    routes.get("/v1/organizations") { request, _ in
      try await gateway.list(
        request, Resources.organizations, name: "organizations", filter: "verification_state",
        position: { PagePosition(createdAt: $0.createdAt, id: $0.id.value) }, write: { $0.write(to: &$1) })
    }
    routes.get("/v1/organizations/{id}") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: OrganizationID = try Gateway.pathID(context, noun: "organization")
      let row = try await gateway.reader.one(Resources.organizations, id.value, as: principal, noun: "organization")
      return gateway.object(request, version: row.version) { row.write(to: &$0) }
    }
    let decided = Gateway.Rendering<Organization>(version: { $0.version }, write: { $0.write(to: &$1) })
    routes.post("/v1/organizations/{id}/verify") { request, context in
      let id: OrganizationID = try Gateway.pathID(context, noun: "organization")
      return try await gateway.post(request, context, render: decided) { reader, posted in
        DecideVerification.parseVerify(&reader, id, ifVersion: posted.ifVersion)
      }
    }
    routes.post("/v1/organizations/{id}/suspend") { request, context in
      let id: OrganizationID = try Gateway.pathID(context, noun: "organization")
      return try await gateway.post(request, context, render: decided) { reader, posted in
        DecideVerification.parseSuspend(&reader, id, ifVersion: posted.ifVersion).map { AtOnce($0) }
      }
    }
    addKeyRoutes(&routes)
    addLicenceRoutes(&routes)
  }

  private func addLicenceRoutes(_ routes: inout Routes) {
    routes.post("/v1/licences") { request, context in
      try await gateway.post(
        request, context,
        render: .init(
          status: .created, location: { "/v1/licences/\($0.id)" }, version: { $0.version },
          write: { $0.write(to: &$1) })
      ) { reader, _ in AddLicence.parse(&reader) }
    }
    routes.get("/v1/licences") { request, _ in
      try await gateway.list(
        request, Resources.licences, name: "licences", filter: "chip_model_id",
        position: { PagePosition(createdAt: $0.createdAt, id: $0.id.value) }, write: { $0.write(to: &$1) })
    }
    routes.get("/v1/licences/{id}") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: LicenceID = try Gateway.pathID(context, noun: "licence")
      let row = try await gateway.reader.one(Resources.licences, id.value, as: principal, noun: "licence")
      return gateway.object(request, version: row.version) { row.write(to: &$0) }
    }
  }
}
