import Catalogue
import Hummingbird
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import StrictJSON
import WebSupport

/// What is taken off the value of chips at least, where the value behind a loan is tested: dated data that a second person
/// adopts.
extension WebAPI {
  func addHaircutRoutes(_ routes: inout Routes) {
    routes.get("/v1/haircuts") { request, _ in try await haircuts(request) }
    routes.post("/v1/haircuts") { request, context in
      try await gateway.post(
        request, context,
        render: .init(
          status: .created, location: { "/v1/haircuts/\($0.id)" }, version: { $0.version },
          write: { $0.write(to: &$1) })
      ) { reader, _ in LeastHaircut.parse(&reader).map { ProposeReference(fact: .leastHaircut($0)) } }
    }
    addReferenceRoutes(&routes, "/v1/haircuts", noun: "haircut", kind: .leastHaircut)
  }

  /// All that were adopted, in that order; with `on` those that hold on a day. Staff sees beside them what waits.
  private func haircuts(_ request: Request) async throws -> Response {
    let principal = try await gateway.principal(of: request)
    let on = try Gateway.date(request, "on")
    let adopted = try await Tables.referenceEntries.decode(
      gateway.reader.run([Query(ReferenceSQL.adoptedHaircuts)], as: principal)[0])
    let holding = on.map { date in Set(HaircutTable(adopted: adopted).holding(on: date).map(\.id)) }
    let shown = adopted.filter { entry in holding?.contains(entry.id) ?? true }
    let proposed =
      principal.isStaff || principal.readsEverything
      ? try await gateway.reader.page(
        Resources.referenceEntries, after: .start, limit: 200, filter: "least_haircut:proposed", as: principal) : []
    return gateway.object(request, version: nil) { writer in
      writer.object { writer in
        writer.field("on", on)
        writer.array("data", shown) { $1.write(to: &$0) }
        writer.array("proposed", proposed) { $1.write(to: &$0) }
        writer.nullField("next_cursor")
      }
    }
  }
}

extension LeastHaircut {
  /// `chip_model_id` or `vendor_class` (data-centre, workstation, consumer), `from_on`, `haircut_bps`, `source`
  package static func parse(_ reader: inout ObjectReader) -> LeastHaircut? {
    let model = reader.optionalChipModel("chip_model_id")
    let vendorClass = reader.optionalEnumeration("vendor_class", as: VendorClass.self)
    let from = reader.date("from_on")
    let haircut = reader.rate("haircut_bps", range)
    let source = reader.string("source", bytes: BodyBounds.source)
    switch (reader.has("chip_model_id"), reader.has("vendor_class")) {
    case (true, true):
      reader.fault("vendor_class", code: BodyFaultCode.conflict, detail: "must not stand beside chip_model_id")
    case (false, false):
      reader.fault("chip_model_id", code: JSONFaultCode.missing, detail: "is required where no vendor_class is given")
    default: break
    }
    let chips = model.map(Chips.model) ?? vendorClass.map(Chips.vendorClass)
    guard let chips, let from, let haircut, let source else { return nil }
    return LeastHaircut(chips: chips, from: from, haircut: haircut, source: source)
  }

  func writeMembers(to writer: inout JSONWriter) {
    switch chips {
    case .model(let id):
      writer.field("chip_model_id", id)
      writer.nullField("vendor_class")
    case .vendorClass(let vendorClass):
      writer.nullField("chip_model_id")
      writer.field("vendor_class", vendorClass)
    }
    writer.field("from_on", from)
    writer.field("haircut_bps", haircut)
    writer.field("source", source)
  }
}
