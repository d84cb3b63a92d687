import Catalogue
import HTTPTypes
import Hummingbird
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import StrictJSON
import Valuation
import WebSupport

extension WebAPI {
  func addValuationRoutes(_ routes: inout Routes) {
    routes.post("/v1/startups/{id}/valuations") { request, context in
      let id: OrganizationID = try Gateway.pathID(context, noun: "startup")
      return try await postMark(request, context, of: .startup(id), at: "/v1/startups/\(id)/valuations")
    }
    routes.post("/v1/chip-models/{id}/marks") { request, context in
      let chip = try self.chip(context)
      return try await postMark(request, context, of: .chipModel(chip.id), at: "/v1/chip-models/\(chip.id)/marks")
    }
    routes.get("/v1/startups/{id}/valuations") { request, context in try await startupMarks(request, context) }
    routes.get("/v1/chip-models/{id}/marks") { request, context in
      let principal = try await gateway.principal(of: request)
      let chip = try self.chip(context)
      let query = Query(Details.chipMarks, [.text(chip.id.value)])
      return try await marks(request, of: .chipModel(chip.id), as: principal, all: query)
    }
    routes.get("/v1/startups/{id}/round-reports") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: OrganizationID = try Gateway.pathID(context, noun: "startup")
      guard principal.readsEverything || principal.organizationID == id else {
        throw PartiesRefusal.notFound("startup")
      }
      let now = try await MarketTime.read(pool: writer, clock: clock, deadline: .now + .seconds(5)).now
      let known = try Gateway.instant(request, "known_at") ?? now
      let query = Query(MarkQueries.reports, [.uuid(id.value.bits), .timestamptz(known.microseconds)])
      let rows = try await Tables.roundReports.decode(gateway.reader.run([query], as: principal)[0])
      return gateway.page(rows, next: nil) { $0.write(to: &$1, on: now.date) }
    }
    routes.get("/v1/valuations") { request, _ in try await allMarks(request) }
    addProposalRoutes(&routes)
    addDisputeRoutes(&routes)
    addImportRoutes(&routes)
  }

  /// Recorded at once, vouched for by whoever posts it; with `second_person=true` proposed, for another to approve. Where the
  /// deployment asks for two persons, it is proposed.
  private func postMark(
    _ request: Request, _ context: ChipBridgeContext, of subject: ValuationSubject, at path: String
  ) async throws -> Response {
    let isOfTwo = gateway.secondPerson != nil
    switch request.uri.queryParameters["second_person"] {
    case "false"? where isOfTwo:
      throw Problem(.unprocessableContent, "request.invalid", "second_person is true here: marks are of two persons.")
    case nil where !isOfTwo, "false"?:
      return try await gateway.post(
        request, context, render: .init(status: .created, location: { _ in path }) { $0.write(to: &$1) }
      ) { reader, posted in
        RecordValuation.parse(&reader, subject: subject).map { RecordMark($0, person: posted.principal.personID) }
      }
    case nil, "true"?:
      let proposed = Gateway.Rendering<MarkProposal>(
        status: .accepted, location: { "/v1/valuation-proposals/\($0.id)" }, version: { $0.version },
        write: { $0.write(to: &$1) })
      return try await gateway.post(request, context, render: proposed) { reader, _ in
        RecordValuation.parse(&reader, subject: subject)
      }
    default:
      throw Problem(.unprocessableContent, "request.invalid", "second_person is true or false.")
    }
  }

  private func addProposalRoutes(_ routes: inout Routes) {
    routes.get("/v1/valuation-proposals") { request, _ in
      try await gateway.list(
        request, Resources.markProposals, name: "valuation-proposals", filter: "state",
        position: { PagePosition(createdAt: $0.createdAt, id: $0.id.value) }, write: { $0.write(to: &$1) })
    }
    routes.get("/v1/valuation-proposals/{id}") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: ValuationID = try Gateway.pathID(context, noun: "valuation")
      let row = try await gateway.reader.one(Resources.markProposals, id.value, as: principal, noun: "valuation")
      return gateway.object(request, version: row.version) { row.write(to: &$0) }
    }
    let decided = Gateway.Rendering<MarkProposal>(version: { $0.version }, write: { $0.write(to: &$1) })
    routes.post("/v1/valuation-proposals/{id}/approve") { request, context in
      let id: ValuationID = try Gateway.pathID(context, noun: "valuation")
      return try await gateway.post(request, context, render: decided) { reader, posted -> DecideValuation? in
        guard EmptyBody.parse(&reader) != nil else { return nil }
        return DecideValuation(
          id: id, decision: .approve, person: posted.principal.personID, ifVersion: posted.ifVersion)
      }
    }
    routes.post("/v1/valuation-proposals/{id}/reject") { request, context in
      let id: ValuationID = try Gateway.pathID(context, noun: "valuation")
      return try await gateway.post(request, context, render: decided) { reader, posted -> DecideValuation? in
        guard let reason = ReasonBody.parse(&reader) else { return nil }
        return DecideValuation(
          id: id, decision: .reject(reason: reason), person: posted.principal.personID, ifVersion: posted.ifVersion)
      }
    }
  }

  private func addDisputeRoutes(_ routes: inout Routes) {
    routes.post("/v1/valuations/{id}/dispute") { request, context in
      let id: ValuationID = try Gateway.pathID(context, noun: "valuation")
      return try await gateway.post(
        request, context,
        render: .init(
          status: .created, location: { "/v1/valuation-disputes/\($0.id)" }, version: { $0.version },
          write: { $0.write(to: &$1) })
      ) { reader, posted -> DisputeMark? in
        guard let reason = ReasonBody.parse(&reader) else { return nil }
        return DisputeMark(markID: id, reason: reason, organizationID: posted.principal.organizationID)
      }
    }
    routes.get("/v1/valuation-disputes") { request, _ in
      try await gateway.list(
        request, Resources.markDisputes, name: "valuation-disputes", filter: "state",
        position: { PagePosition(createdAt: $0.createdAt, id: $0.id.value) }, write: { $0.write(to: &$1) })
    }
    routes.get("/v1/valuation-disputes/{id}") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: MarkDisputeID = try Gateway.pathID(context, noun: "dispute")
      let row = try await gateway.reader.one(Resources.markDisputes, id.value, as: principal, noun: "dispute")
      return gateway.object(request, version: row.version) { row.write(to: &$0) }
    }
    let closed = Gateway.Rendering<MarkDispute>(version: { $0.version }, write: { $0.write(to: &$1) })
    routes.post("/v1/valuation-disputes/{id}/withdraw") { request, context in
      let id: MarkDisputeID = try Gateway.pathID(context, noun: "dispute")
      return try await gateway.post(request, context, render: closed) { reader, posted -> CloseDispute? in
        guard EmptyBody.parse(&reader) != nil else { return nil }
        return CloseDispute(id: id, act: .withdraw, ifVersion: posted.ifVersion)
      }
    }
    routes.post("/v1/valuation-disputes/{id}/dismiss") { request, context in
      let id: MarkDisputeID = try Gateway.pathID(context, noun: "dispute")
      return try await gateway.post(request, context, render: closed) { reader, posted -> CloseDispute? in
        guard let reason = ReasonBody.parse(&reader) else { return nil }
        return CloseDispute(id: id, act: .dismiss(reason: reason), ifVersion: posted.ifVersion)
      }
    }
  }

  private func addImportRoutes(_ routes: inout Routes) {
    routes.get("/v1/valuation-imports") { request, _ in
      try await gateway.list(
        request, Resources.valuationImports, name: "valuation-imports", filter: "kind",
        position: { PagePosition(createdAt: $0.createdAt, id: $0.id.value) }, write: { $0.write(to: &$1) })
    }
    routes.get("/v1/valuation-imports/{id}") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: ValuationImportID = try Gateway.pathID(context, noun: "import")
      let row = try await gateway.reader.one(Resources.valuationImports, id.value, as: principal, noun: "import")
      return gateway.object(request, version: row.version) { row.write(to: &$0) }
    }
    let decided = Gateway.Rendering<DecideImport.Decided>(write: { $0.write(to: &$1) })
    routes.post("/v1/valuation-imports/{id}/approve") { request, context in
      let id: ValuationImportID = try Gateway.pathID(context, noun: "import")
      return try await gateway.post(request, context, weight: .heavy, render: decided) {
        reader, posted -> DecideImport? in
        guard EmptyBody.parse(&reader) != nil else { return nil }
        return DecideImport(id: id, decision: .approve, person: posted.principal.personID)
      }
    }
    routes.post("/v1/valuation-imports/{id}/reject") { request, context in
      let id: ValuationImportID = try Gateway.pathID(context, noun: "import")
      return try await gateway.post(request, context, weight: .heavy, render: decided) {
        reader, posted -> DecideImport? in
        guard let reason = ReasonBody.parse(&reader) else { return nil }
        return DecideImport(id: id, decision: .reject(reason: reason), person: posted.principal.personID)
      }
    }
  }

  // MARK: reads

  private func startupMarks(_ request: Request, _ context: ChipBridgeContext) async throws -> Response {
    let principal = try await gateway.principal(of: request)
    let id: OrganizationID = try Gateway.pathID(context, noun: "startup")
    // A lender that is exposed to the startup sees its valuations; to others it does not exist.
    let loans = try await gateway.reader.run(
      [Query(Details.loansOfStartup, [gateway.reader.scope(principal), .uuid(id.value.bits)])], as: principal)[0]
    guard principal.readsEverything || principal.organizationID == id || !loans.isEmpty else {
      throw PartiesRefusal.notFound("startup")
    }
    let query = Query(Details.startupMarks, [.uuid(nil), .uuid(id.value.bits)])
    return try await marks(request, of: .startup(id), as: principal, all: query)
  }

  /// All marks, or with `as_of` or `known_at` the one that held on that day as known at that moment, explained.
  private func marks(
    _ request: Request, of subject: ValuationSubject, as principal: Principal, all: Query
  ) async throws -> Response {
    let table = MarkQueries.table(of: subject)
    let (asOf, knownAt) = (try Gateway.date(request, "as_of"), try Gateway.instant(request, "known_at"))
    let basis = try Self.basis(request) ?? subject.usualBasis
    guard asOf != nil || knownAt != nil else {
      let rows = try await table.decode(gateway.reader.run([all], as: principal)[0])
      return gateway.page(rows, next: nil) { $0.write(to: &$1) }
    }
    let now = try await MarketTime.read(pool: writer, clock: clock, deadline: .now + .seconds(5)).now
    let (date, moment) = (asOf ?? now.date, knownAt ?? now)
    let query = MarkQueries.of(subject, basis, on: date, knownAt: moment)
    guard let mark = try await table.decode(gateway.reader.run([query], as: principal)[0]).first else {
      return gateway.page([ValuationMark](), next: nil) { $0.write(to: &$1) }
    }
    let before = mark.effectiveOn.adding(days: -1) ?? .earliest
    var queries = [
      MarkQueries.of(subject, basis, on: before, knownAt: moment),
      Query(MarkQueries.disputed, [.uuidArray([mark.id.value.bits])]),
    ]
    if let startup = subject.startup {
      queries.append(
        Query(MarkQueries.reports, [.uuid(startup.value.bits), .timestamptz(moment.microseconds)]))
    }
    // What a lender may see of a mark includes what it follows from; the reports themselves are the startup's own.
    let results = try await gateway.reader.run(queries, as: .automation)
    let reports = results.count > 2 ? try Tables.roundReports.decode(results[2]) : []
    let explanation = MarkExplanation(
      mark, asOf: date, previous: try table.decode(results[0]).first,
      report: reports.first { $0.id.description == mark.evidence }?.report, reports: reports.map(\.report))
    return gateway.page([explanation], next: nil) { $0.write(to: &$1, isDisputed: !results[1].isEmpty) }
  }

  private static func basis(_ request: Request) throws -> ValuationBasis? {
    guard let text = try Gateway.text(request, "basis") else { return nil }
    guard let basis = ValuationBasis(rawValue: text) else {
      let known = ValuationBasis.allCases.map(\.rawValue).joined(separator: ", ")
      throw Problem(.unprocessableContent, "request.invalid", "basis is one of \(known).")
    }
    return basis
  }

  /// Of all subjects at once: `subject` is `startups` or `chip_models`.
  private func allMarks(_ request: Request) async throws -> Response {
    let principal = try await gateway.principal(of: request)
    let list = "valuations"
    let page = try gateway.listQuery(request, list: list)
    let now = try await MarketTime.read(pool: writer, clock: clock, deadline: .now + .seconds(5)).now
    let date = try Gateway.date(request, "as_of") ?? now.date
    let moment = try Gateway.instant(request, "known_at") ?? now
    let rows: [ValuationMark]
    switch try Gateway.text(request, "subject") ?? "startups" {
    case "startups":
      let basis = try Self.basis(request) ?? .postMoney
      let query = Query(
        MarkQueries.ofStartups,
        [
          .uuid(page.position.id.bits), .text(basis.rawValue), .date(date.dayNumber),
          .timestamptz(moment.microseconds), gateway.reader.scope(principal), .int8(page.limit + 1),
        ])
      rows = try await Tables.startupMarks.decode(gateway.reader.run([query], as: principal)[0])
    case "chip_models":
      let models = reference.current.chips.keys.sorted()
      let basis = try Self.basis(request) ?? .perChip
      let query = MarkQueries.ofChips(models, basis, on: date, knownAt: moment)
      rows = try await Tables.chipMarks.decode(gateway.reader.run([query], as: principal)[0])
    default: throw Problem(.unprocessableContent, "request.invalid", "subject is startups or chip_models.")
    }
    // The catalogue is small and comes whole; startups come in pages, in the order of their ids.
    let shown = rows.first?.subject.startup == nil ? rows : Array(rows.prefix(Int(page.limit)))
    let next = (rows.count > shown.count ? shown.last?.subject.startup : nil).map {
      gateway.cursors.encode(PagePosition(createdAt: .epoch, id: $0.value), list: list)
    }
    let disputes = Query(MarkQueries.disputed, [.uuidArray(shown.map(\.id.value.bits))])
    let disputed = try await Set(
      gateway.reader.run([disputes], as: .automation)[0].map { ValuationID(try $0.uuid(0).value) })
    return gateway.page(shown, next: next) { mark, writer in
      mark.write(to: &writer, on: date, isDisputed: disputed.contains(mark.id))
    }
  }
}
