import HTTPTypes
import Hummingbird
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import Repayment
import WebSupport

/// Rates between currencies, and money that was turned from one into another.
extension WebAPI {
  private static let rateFileTypes: Set<String> = ["text/csv"]
  /// Five thousand lines of a hundred bytes, with long names of sources.
  private static let largestRateFile = 2 << 20

  func addFXRoutes(_ routes: inout Routes) {
    routes.post("/v1/fx-rates") { request, context in
      try await gateway.post(
        request, context,
        render: .init(
          status: .created, location: { rates in rates.first.map { "/v1/fx-rates/\($0.id)" } },
          version: { $0.first?.version }, write: { rates, writer in rates.first?.write(to: &writer) })
      ) { reader, _ in ProposeFXRates.parse(&reader) }
    }
    routes.post("/v1/fx-rates/import") { request, context in
      try await gateway.postFile(
        request, context, types: Self.rateFileTypes, limit: Self.largestRateFile,
        render: .init(status: .created, write: { $0.write(to: &$1) })
      ) { file, posted -> ProposeFXRates in
        // Before the work of reading it: a stranger's file is not looked at.
        try posted.principal.require(.admin)
        try posted.principal.require(duty: .treasury)
        return ProposeFXRates(try FXRate.rates(fromCSV: file).map { ProposeFXRates.Proposal(rate: $0) })
      }
    }
    routes.post("/v1/fx-rates/approve") { request, context in
      try await gateway.post(
        request, context, weight: .heavy, limits: .withSerials, render: .init(write: { $0.write(to: &$1) })
      ) { reader, _ in DecideFXRates.parseApprove(&reader) }
    }
    let decided = Gateway.Rendering<[RecordedFXRate]>(
      version: { $0.first?.version }, write: { rates, writer in rates.first?.write(to: &writer) })
    routes.post("/v1/fx-rates/{id}/approve") { request, context in
      let id: FXRateID = try Gateway.pathID(context, noun: "rate")
      return try await gateway.post(request, context, render: decided) { _, posted in
        DecideFXRates(ids: [id], decision: .approve, ifVersion: posted.ifVersion)
      }
    }
    routes.post("/v1/fx-rates/{id}/reject") { request, context in
      let id: FXRateID = try Gateway.pathID(context, noun: "rate")
      return try await gateway.post(request, context, render: decided) { reader, posted in
        DecideFXRates.parseReject(&reader, id, ifVersion: posted.ifVersion)
      }
    }
    routes.get("/v1/fx-rates") { request, _ in try await fxRates(request) }
    routes.get("/v1/fx-rates/{id}") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: FXRateID = try Gateway.pathID(context, noun: "rate")
      let rate = try await gateway.reader.one(Resources.fxRates, id.value, as: principal, noun: "rate")
      return gateway.object(request, version: rate.version) { rate.write(to: &$0) }
    }
    addConversionRoutes(&routes)
  }

  private func addConversionRoutes(_ routes: inout Routes) {
    routes.post("/v1/cash-receipts/{id}/convert") { request, context in
      let id: CashReceiptID = try Gateway.pathID(context, noun: "cash receipt")
      return try await gateway.post(
        request, context,
        render: .init(
          status: .created, location: { "/v1/cash-conversions/\($0.id)" }, version: { $0.version },
          write: { $0.write(to: &$1) })
      ) { reader, _ in ProposeConversion.parse(&reader, id) }
    }
    let decided = Gateway.Rendering<DecideConversion.Decided>(
      version: { $0.conversion.version },
      write: { decided, writer in decided.conversion.write(to: &writer, received: decided.received) })
    routes.post("/v1/cash-conversions/{id}/approve") { request, context in
      let id: CashConversionID = try Gateway.pathID(context, noun: "cash conversion")
      return try await gateway.post(request, context, weight: .heavy, render: decided) { _, posted in
        DecideConversion(conversionID: id, decision: .approve, ifVersion: posted.ifVersion)
      }
    }
    routes.post("/v1/cash-conversions/{id}/reject") { request, context in
      let id: CashConversionID = try Gateway.pathID(context, noun: "cash conversion")
      return try await gateway.post(request, context, render: decided) { reader, posted in
        DecideConversion.parseReject(&reader, id, ifVersion: posted.ifVersion)
      }
    }
    routes.get("/v1/cash-conversions") { request, _ in
      try await gateway.list(
        request, Resources.cashConversions, name: "cash-conversions", filter: "state",
        position: { PagePosition(createdAt: $0.createdAt, id: $0.id.value) }, write: { $0.write(to: &$1) })
    }
    routes.get("/v1/cash-conversions/{id}") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: CashConversionID = try Gateway.pathID(context, noun: "cash conversion")
      let row = try await gateway.reader.one(
        Resources.cashConversions, id.value, as: principal, noun: "cash conversion")
      return gateway.object(request, version: row.version) { row.write(to: &$0) }
    }
  }

  /// The rates that are in use between pairs of currencies, on some days.
  func fxTable(_ spans: Set<FXSpan>) async throws -> FXTable {
    if spans.isEmpty { return .empty }
    let rows = try await gateway.reader.run([FXSQL.querying(spans)], as: .automation)[0]
    return try FXTable(
      try Tables.fxRates.decode(rows).map(\.rate), maxStalenessDays: reference.current.parameters.oldestRateDays)
  }

  /// With `base`, `quote` and `on` the one rate of that day, the latest before it where it has none of its own and that is
  /// not too old, as known at `known_at` (now where it is left out). Without them every rate, proposals too, by `state`.
  /// - Throws: `repayment.no_rate` where no rate is of that day.
  private func fxRates(_ request: Request) async throws -> Response {
    let principal = try await gateway.principal(of: request)
    let (base, quote) = (try Self.currency(request, "base"), try Self.currency(request, "quote"))
    let (on, knownAt) = (try Gateway.date(request, "on"), try Gateway.instant(request, "known_at"))
    guard base != nil || quote != nil || on != nil || knownAt != nil else {
      return try await gateway.list(
        request, Resources.fxRates, name: "fx-rates", filter: "state",
        position: { PagePosition(createdAt: $0.createdAt, id: $0.id.value) }, write: { $0.write(to: &$1) })
    }
    guard let base, let quote, base != quote, let on else {
      throw Problem(
        .unprocessableContent, "request.invalid",
        "base and quote, two currencies, and on, a day, are asked for together.")
    }
    let now = try await MarketTime.read(pool: writer, clock: clock, deadline: .now + .seconds(5)).now
    let moment = knownAt ?? now
    let span = FXDesk.span(FXPair(base, quote), from: on, through: on)
    let rows = try await gateway.reader.run([FXSQL.history(span)], as: principal)[0]
    let known = try Tables.fxRates.decode(rows).filter { $0.isKnown(at: moment) }
    let table = try FXTable(known.map(\.rate), maxStalenessDays: reference.current.parameters.oldestRateDays)
    let rate = try table.rate(between: base, and: quote, asOf: on)
    return gateway.page(known.filter { $0.rate == rate }, next: nil) { $0.write(to: &$1) }
  }

  static func currency(_ request: Request, _ name: Substring) throws -> Currency? {
    guard let text = request.uri.queryParameters[name] else { return nil }
    guard let currency = Currency(text) else {
      throw Problem(.unprocessableContent, "request.invalid", "\(name) is one of ISO 4217, such as USD.")
    }
    return currency
  }
}
