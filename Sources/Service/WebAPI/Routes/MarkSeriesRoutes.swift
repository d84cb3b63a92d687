import Catalogue
import HTTPTypes
import Hummingbird
import NIOCore
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import StrictJSON
import Valuation
import WebSupport

extension WebAPI {
  /// By which quotes chips are marked, how a derived mark came about, and the index of what chips were lent at.
  func addMarkSeriesRoutes(_ routes: inout Routes) {
    routes.post("/v1/chip-models/{id}/mark-series") { request, context in
      let chip = try self.chip(context)
      return try await gateway.post(
        request, context,
        render: .init(
          status: .accepted, location: { _ in "/v1/chip-models/\(chip.id)/mark-series" }, version: { $0.version },
          write: { $0.write(to: &$1) })
      ) { reader, _ in ProposeSeries.parse(&reader, chip: chip.id) }
    }
    routes.get("/v1/chip-models/{id}/mark-series") { request, context in
      let principal = try await gateway.principal(of: request)
      let chip = try self.chip(context)
      let query = Query(QuoteSQL.seriesOfModel, [.text(chip.id.value)])
      let rows = try await Tables.markSeries.decode(gateway.reader.run([query], as: principal)[0])
      return gateway.page(rows, next: nil) { $0.write(to: &$1) }
    }
    routes.post("/v1/mark-series/{id}/approve") { request, context in
      let id: MarkSeriesID = try Gateway.pathID(context, noun: "mark series")
      return try await gateway.post(
        request, context, render: .init(version: { $0.version }, write: { $0.write(to: &$1) })
      ) { reader, posted -> ApproveSeries? in
        guard EmptyBody.parse(&reader) != nil else { return nil }
        return ApproveSeries(id: id, person: posted.principal.personID, ifVersion: posted.ifVersion)
      }
    }
    routes.get("/v1/chip-models/{id}/marks/{mark}/explanation") { request, context in
      let principal = try await gateway.principal(of: request)
      let chip = try self.chip(context)
      let id: ValuationID = try Gateway.pathID(context, "mark", noun: "valuation")
      let query = Tables.markDerivations.rows(by: [id.value])
      let rows = try await Tables.markDerivations.decode(gateway.reader.run([query], as: principal)[0])
      guard let row = rows.first, row.chip == chip.id else { throw PartiesRefusal.notFound("derivation") }
      return gateway.object(request, version: nil) { writer in
        writer.object { writer in
          writer.field("valuation_id", row.markID)
          writer.field("mark_series_id", row.seriesID)
          writer.field("digest", SHA256Digest(of: row.bytes))
          writer.rawField("derivation", row.bytes)
        }
      }
    }
    routes.get("/v1/chip-quotes") { request, _ in
      try await gateway.list(
        request, Resources.chipQuotes, name: "chip-quotes", filter: "chip_model_id",
        position: { PagePosition(createdAt: $0.recordedAt, id: $0.id.value) }, write: { $0.write(to: &$1) })
    }
    routes.get("/v1/rate-index") { request, _ in try await rateIndex(request) }
  }

  /// `chip_model`, and `on`: today where it is left out.
  private func rateIndex(_ request: Request) async throws -> Response {
    _ = try await gateway.principal(of: request)
    guard let text = try Gateway.text(request, "chip_model"), let id = ChipModelID(text),
      reference.current.chips[id] != nil
    else { throw Problem(.unprocessableContent, "request.invalid", "chip_model is the id of a chip model.") }
    let state = try await MarketTime.read(pool: writer, clock: clock, deadline: .now + .seconds(5))
    let date = try Gateway.date(request, "on") ?? state.now.date
    guard date <= state.now.date else { throw PlatformRefusal.dateAhead(date, today: state.now.date) }
    let from = date.adding(days: 1 - RateIndex.windowDays) ?? .earliest
    let query = Query(
      MarkQueries.trades, [.text(id.value), .date(from.dayNumber), .date(date.dayNumber)])
    // Of all tenants: the index tells no trade of anybody.
    let rows = try await gateway.reader.run([query], as: .automation)[0]
    let index = try RateIndex(rows.map { try MarkQueries.trade($0) })
    let isFinal = state.closedThrough.map { date <= $0 } ?? false
    return gateway.object(request, version: nil) { writer in
      writer.object { writer in
        writer.field("chip_model_id", id)
        writer.field("on", date)
        writer.field("from_on", from)
        writer.field("state", isFinal ? "final" : "provisional")
        writer.field("method", RateIndex.method)
        writer.array("classes", index.entries) { writer, entry in
          writer.object { writer in
            writer.field("region", entry.region)
            writer.field("term_days", entry.bucket)
            writer.field("rate_bps", entry.rate)
            writer.field("trades", entry.trades)
            writer.field("quantity", entry.quantity)
          }
        }
      }
    }
  }
}
