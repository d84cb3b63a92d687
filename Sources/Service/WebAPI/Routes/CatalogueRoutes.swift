import Catalogue
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
  func addCatalogueRoutes(_ routes: inout Routes) {
    routes.get("/v1/chip-models") { request, _ in
      _ = try await gateway.principal(of: request)
      let (data, date) = (reference.current, try await businessDate(request))
      let chips = data.chips.values.sorted { $0.id < $1.id }
      return gateway.page(chips, next: nil) { chip, writer in
        chip.write(to: &writer, classification: data.rules.classify(chip, on: date))
      }
    }
    routes.get("/v1/chip-models/{id}") { request, context in
      _ = try await gateway.principal(of: request)
      let chip = try chip(context)
      let date = try await businessDate(request)
      return gateway.object(request, version: nil) { writer in
        chip.write(to: &writer, classification: reference.current.rules.classify(chip, on: date))
      }
    }
    routes.get("/v1/export-rules") { request, _ in
      _ = try await gateway.principal(of: request)
      return gateway.page(reference.current.rules.licenceRules.map(\.header), next: nil) { header, writer in
        writer.object { writer in
          writer.field("id", header.id)
          writer.field("citation", header.citation)
          writer.field("source", header.source)
          writer.field("valid_from", header.validity.from)
          writer.field("valid_to", header.validity.to)
          writer.field("certainty", header.certainty)
          writer.field("grade", header.grade)
        }
      }
    }
    routes.post("/v1/export-checks") { request, _ in try await exportCheck(request) }
  }

  func chip(_ context: ChipBridgeContext) throws -> ChipModel {
    if BodyProbe.current != nil, let any = reference.current.chips.values.first { return any }
    guard let text = context.parameters.get("id"), let id = ChipModelID(text), let chip = reference.current.chips[id]
    else { throw PartiesRefusal.notFound("chip model") }
    return chip
  }

  /// The date asked for, else today by the business clock.
  func businessDate(_ request: Request) async throws -> CalendarDate {
    if let date = try Gateway.date(request, "on") { return date }
    return try await MarketTime.read(pool: writer, clock: clock, deadline: .now + .seconds(5)).now.date
  }

  /// The marks of chips as of today, as known now; a chip without one is not among them.
  func chipMarks(
    _ chips: Set<ChipModelID>, as principal: Principal
  ) async throws -> [ChipModelID: ValuationMark] {
    if chips.isEmpty { return [:] }
    let query = Query(Expandables.chipMarks, [.textArray(chips.sorted().map(\.value))])
    let marks = try await Tables.chipMarks.decode(gateway.reader.run([query], as: principal)[0])
    let now = try await MarketTime.read(pool: writer, clock: clock, deadline: .now + .seconds(5)).now
    var found: [ChipModelID: ValuationMark] = [:]
    for (chip, marks) in Dictionary(grouping: marks, by: \.subject.chipModel) {
      guard let chip else { continue }
      found[chip] = try MarkHistory(subject: .chipModel(chip), marks: marks)
        .asOf(now.date, knownAt: now, basis: .perChip)
    }
    return found
  }

  /// Changes nothing, so it needs no key. The parties' facts are looked up by the platform and shown to nobody.
  private func exportCheck(_ request: Request) async throws -> Response {
    let principal = try await gateway.principal(of: request)
    let check = try Gateway.parse(await gateway.collect(request)) { ExportCheckBody.parse(&$0) }
    let (fromID, toID) = (check.fromOrganizationID, check.toOrganizationID)
    let query = Tables.organizations.rows(by: [fromID.value, toID.value])
    let parties = try await Tables.organizations.decode(gateway.reader.run([query], as: .automation)[0])
    guard let from = parties.first(where: { $0.id == fromID }), let to = parties.first(where: { $0.id == toID }),
      principal.readsEverything || [from.id, to.id].contains(principal.organizationID)
    else { throw PartiesRefusal.notFound("organization") }
    let data = reference.current
    let act = ExportDesk.Act(
      kind: check.act, date: check.on, chip: check.chipModelID, quantity: check.quantity, lender: from, borrower: to,
      from: Site(country: check.fromSite.country, region: check.fromSite.region),
      to: Site(country: check.toSite.country, region: check.toSite.region), deliveryMode: check.deliveryMode,
      endUse: check.endUse)
    let verdict = try ExportDesk.verdict(on: act, reference: data)
    let options = try ExportDesk.lawfulOptions(for: verdict, of: act, reference: data)
    return gateway.object(request, version: nil) { check.write(verdict, options: options, to: &$0) }
  }
}
