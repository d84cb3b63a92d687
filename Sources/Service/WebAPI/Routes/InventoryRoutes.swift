import HTTPTypes
import Hummingbird
import Lending
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import StrictJSON
import Valuation
import WebSupport

extension WebAPI {
  func addInventoryRoutes(_ routes: inout Routes) {
    routes.post("/v1/lots") { request, context in
      try await gateway.post(
        request, context, limits: .withSerials,
        render: .init(
          status: .created, location: { "/v1/lots/\($0.id)" }, version: { $0.version }, write: { $0.write(to: &$1) })
      ) { reader, posted in CreateLot.parse(&reader, lenderID: posted.principal.organizationID) }
    }
    routes.get("/v1/lots") { request, _ in
      try await gateway.list(
        request, Resources.lots, name: "lots", filter: "chip_model_id",
        position: { PagePosition(createdAt: $0.createdAt, id: $0.id.value) },
        besides: expanding(request, Expansions.lot), write: { $0.write(to: &$1) })
    }
    routes.get("/v1/lots/{id}") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: LotID = try Gateway.pathID(context, noun: "lot")
      let row = try await gateway.reader.one(Resources.lots, id.value, as: principal, noun: "lot")
      let more = try await expanding(request, Expansions.lot)?([row], principal)
      return gateway.object(request, version: row.version, besides: more) { row.write(to: &$0) }
    }
    routes.post("/v1/lots/{id}/receipts") { request, context in
      let id: LotID = try Gateway.pathID(context, noun: "lot")
      return try await gateway.post(
        request, context, render: .init(version: { $0.version }, write: { $0.write(to: &$1) })
      ) { reader, _ in ReceiveLot.parse(&reader, lotID: id) }
    }
    addUnitRoutes(&routes)
    routes.get("/v1/reserve-plans") { request, _ in
      try await gateway.list(
        request, Resources.reservePlans, name: "reserve-plans", filter: "chip_model_id",
        position: { PagePosition(createdAt: $0.createdAt, id: $0.id.value) }, write: { $0.write(to: &$1) })
    }
    routes.post("/v1/reserve-plans") { request, context in
      try await gateway.post(
        request, context,
        render: .init(
          status: .created, location: { "/v1/reserve-plans/\($0.plan.id)" }, version: { $0.plan.version },
          write: { $0.write(to: &$1) })
      ) { reader, posted in SetReservePlan.parse(&reader, lenderID: posted.principal.organizationID) }
    }
    addListingRoutes(&routes)
  }

  /// What happens to chips that no loan has, and the units of a lot with all that happened to them.
  private func addUnitRoutes(_ routes: inout Routes) {
    routes.post("/v1/lots/{id}/device-events") { request, context in
      let id: LotID = try Gateway.pathID(context, noun: "lot")
      return try await gateway.post(
        request, context, limits: .withSerials, render: .init(version: { $0.lot.version }, write: { $0.write(to: &$1) })
      ) { reader, posted in ServiceChips.parse(&reader, lotID: id, ifVersion: posted.ifVersion) }
    }
    routes.get("/v1/lots/{id}/units") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: LotID = try Gateway.pathID(context, noun: "lot")
      let (list, scope) = ("lots/\(id)/units", gateway.reader.scope(principal))
      let query = try gateway.listQuery(request, list: list)
      _ = try await gateway.reader.one(Resources.lots, id.value, as: principal, noun: "lot")
      let binds: [Bind] = [
        scope, .uuid(id.value.bits), .timestamptz(query.position.createdAt.microseconds),
        .uuid(query.position.id.bits), .int8(query.limit + 1),
      ]
      let rows = try await Tables.chipUnits.decode(
        gateway.reader.run([Query(Details.unitsOfLot, binds)], as: principal)[0])
      let shown = Array(rows.prefix(Int(query.limit)))
      let next = rows.count > shown.count ? shown.last : nil
      let happened = Query(Details.eventsOfUnits, [scope, .uuidArray(shown.map(\.id.value.bits))])
      let events = try await Dictionary(
        grouping: Tables.unitEvents.decode(gateway.reader.run([happened], as: principal)[0]), by: \.unitID)
      return gateway.page(
        shown,
        next: next.map { gateway.cursors.encode(PagePosition(createdAt: $0.createdAt, id: $0.id.value), list: list) }
      ) { $0.write(to: &$1, events: events[$0.id] ?? []) }
    }
  }

  private func addListingRoutes(_ routes: inout Routes) {
    routes.post("/v1/listings") { request, context in
      try await gateway.post(
        request, context,
        render: .init(
          status: .created, location: { "/v1/listings/\($0.id)" }, version: { $0.version },
          write: { $0.write(to: &$1) })
      ) { reader, posted in CreateListing.parse(&reader, lenderID: posted.principal.organizationID) }
    }
    routes.get("/v1/listings") { request, _ in
      try await gateway.list(
        request, Resources.listings, name: "listings", filter: "state",
        position: { PagePosition(createdAt: $0.createdAt, id: $0.id.value) },
        besides: expanding(request, Expansions.listing), write: { $0.write(to: &$1) })
    }
    routes.get("/v1/listings/{id}") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: ListingID = try Gateway.pathID(context, noun: "listing")
      let row = try await gateway.reader.one(Resources.listings, id.value, as: principal, noun: "listing")
      let mark = try await chipMarks([row.chipModelID], as: principal)[row.chipModelID]
      let more = try await expanding(request, Expansions.listing)?([row], principal)
      return gateway.object(request, version: row.version, besides: more) { row.write(to: &$0, mark: mark?.amount) }
    }
    for (verb, act) in [("pause", Listing.Act.pause), ("resume", .resume), ("withdraw", .withdraw)] {
      routes.post("/v1/listings/{id}/\(verb)") { request, context in
        let id: ListingID = try Gateway.pathID(context, noun: "listing")
        return try await gateway.post(
          request, context, render: .init(version: { $0.version }, write: { $0.write(to: &$1) })
        ) { reader, posted in
          EmptyBody.parse(&reader).map { _ in
            ChangeListing(listingID: id, act: act, ifVersion: posted.ifVersion)
          }
        }
      }
    }
  }
}
