import HTTPTypes
import Hummingbird
import NIOCore
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import WebSupport

extension WebAPI {
  func addPayeeRoutes(_ routes: inout Routes) {
    routes.post("/v1/organizations/{id}/payees") { request, context in
      let id: OrganizationID = try Gateway.pathID(context, noun: "organization")
      return try await gateway.post(
        request, context,
        render: .init(
          status: .created, location: { "/v1/organizations/\(id)/payees/\($0.id)" }, version: { $0.version },
          write: { $0.write(to: &$1) })
      ) { reader, _ in ProposePayee.parse(&reader, id) }
    }
    routes.get("/v1/organizations/{id}/payees") { request, context in
      let id: OrganizationID = try Gateway.pathID(context, noun: "organization")
      return try await payees(request, of: id)
    }
    routes.get("/v1/organizations/{id}/payees/{payee}") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: OrganizationID = try Gateway.pathID(context, noun: "organization")
      let payeeID: PayeeID = try Gateway.pathID(context, "payee", noun: "payee")
      let row = try await gateway.reader.one(Resources.payees, payeeID.value, as: principal, noun: "payee")
      guard row.organizationID == id else { throw PartiesRefusal.notFound("payee") }
      return gateway.object(request, version: row.version) { row.write(to: &$0) }
    }
    let decided = Gateway.Rendering<Payee>(version: { $0.version }, write: { $0.write(to: &$1) })
    routes.post("/v1/organizations/{id}/payees/{payee}/verify") { request, context in
      let id: OrganizationID = try Gateway.pathID(context, noun: "organization")
      let payeeID: PayeeID = try Gateway.pathID(context, "payee", noun: "payee")
      return try await gateway.post(request, context, render: decided) { reader, posted -> DecidePayee? in
        guard EmptyBody.parse(&reader) != nil else { return nil }
        return DecidePayee(organizationID: id, payeeID: payeeID, act: .verify, ifVersion: posted.ifVersion)
      }
    }
    routes.post("/v1/organizations/{id}/payees/{payee}/withdraw") { request, context in
      let id: OrganizationID = try Gateway.pathID(context, noun: "organization")
      let payeeID: PayeeID = try Gateway.pathID(context, "payee", noun: "payee")
      return try await gateway.post(request, context, render: decided) { reader, posted in
        DecidePayee.parseWithdraw(&reader, id, payeeID, ifVersion: posted.ifVersion)
      }
    }
    routes.get("/v1/settlement-runs/{id}/payment-file") { request, context in
      let id: SettlementRunID = try Gateway.pathID(context, noun: "settlement run")
      let file = try await payoutOrders(request, of: id).file()
      var fields = HTTPFields()
      fields[.contentType] = "application/xml"
      return Response(status: .ok, headers: fields, body: ResponseBody(byteBuffer: ByteBuffer(bytes: file)))
    }
    routes.get("/v1/settlement-runs/{id}/payment-orders") { request, context in
      let id: SettlementRunID = try Gateway.pathID(context, noun: "settlement run")
      let orders = try await payoutOrders(request, of: id)
      return gateway.object(request, version: nil) { orders.write(to: &$0) }
    }
  }

  private func payees(_ request: Request, of organization: OrganizationID) async throws -> Response {
    let principal = try await gateway.principal(of: request)
    let list = "payees"
    let query = try gateway.listQuery(request, list: list)
    let rows = try await gateway.reader.page(
      Resources.payees, after: query.position, limit: query.limit + 1, filter: organization.value.description,
      as: principal)
    let shown = Array(rows.prefix(Int(query.limit)))
    let last = rows.count > shown.count ? shown.last : nil
    let next = last.map {
      gateway.cursors.encode(PagePosition(createdAt: $0.createdAt, id: $0.id.value), list: list)
    }
    return gateway.page(shown, next: next) { $0.write(to: &$1) }
  }

  /// What a run paid out, as the bank is to be told; for staff alone, since it spans lenders.
  private func payoutOrders(_ request: Request, of id: SettlementRunID) async throws -> PayoutOrders {
    let principal = try await gateway.principal(of: request)
    try principal.require(.admin)
    let binds = [gateway.reader.scope(principal), Bind.uuid(id.value.bits)]
    let results = try await gateway.reader.run(
      [
        Query(RunSQL.runByID, [.uuid(id.value.bits)]), Query(Details.payoutsOfRun, binds),
        Query(Details.payeesOfRun, binds + [.uuid(OrganizationID.platform.value.bits)]),
      ], as: principal)
    guard let row = results[0].first else { throw PartiesRefusal.notFound("settlement run") }
    return try PayoutOrders(
      RunSQL.decodeRun(row), payouts: Tables.payouts.decode(results[1]), payees: Tables.payees.decode(results[2]),
      calendars: reference.current.calendars)
  }
}
