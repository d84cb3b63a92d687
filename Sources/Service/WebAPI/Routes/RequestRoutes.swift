import HTTPTypes
import Hummingbird
import Lending
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import StrictJSON
import Synchronization
import Valuation
import WebSupport

extension WebAPI {
  func addRequestRoutes(_ routes: inout Routes) {
    routes.post("/v1/loan-requests") { request, context in
      let drafted = Drafted()
      return try await gateway.post(
        request, context,
        render: .init(
          status: .created, location: { "/v1/loan-requests/\($0.id)" }, version: { $0.version },
          write: { row, writer in
            row.write(to: &writer)
            drafted.request.withLock { $0 = row }
          }),
        preview: { principal in try await outlook(for: drafted.request.withLock { $0 }, principal) }
      ) { reader, _ in CreateLoanRequest.parse(&reader) }
    }
    routes.get("/v1/loan-requests") { request, _ in
      try await gateway.list(
        request, Resources.loanRequests, name: "loan-requests", filter: "state",
        position: { PagePosition(createdAt: $0.createdAt, id: $0.id.value) },
        besides: expanding(request, Expansions.loanRequest), write: { $0.write(to: &$1) })
    }
    routes.get("/v1/loan-requests/{id}") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: LoanRequestID = try Gateway.pathID(context, noun: "loan request")
      let row = try await gateway.reader.one(Resources.loanRequests, id.value, as: principal, noun: "loan request")
      let holds = try await self.holds(of: [id], as: principal)[id] ?? []
      let more = try await expanding(request, Expansions.loanRequest)?([row], principal)
      return gateway.object(request, version: row.version, besides: more) { row.write(to: &$0, holds: holds) }
    }
    routes.post("/v1/loan-requests/{id}/cancel") { request, context in
      let id: LoanRequestID = try Gateway.pathID(context, noun: "loan request")
      return try await gateway.post(
        request, context, render: .init(version: { $0.version }, write: { $0.write(to: &$1) })
      ) { reader, posted in
        EmptyBody.parse(&reader).map { _ in CancelLoanRequest(requestID: id, ifVersion: posted.ifVersion) }
      }
    }
    routes.get("/v1/loan-requests/{id}/explanation") { request, context in
      try await explanation(request, context)
    }
    addOfferRoutes(&routes)
    addRoundRoutes(&routes)
  }

  /// Of each request the newest verdict for each chip that holds it.
  func holds(of ids: [LoanRequestID], as principal: Principal) async throws -> [LoanRequestID: [[UInt8]]] {
    if ids.isEmpty { return [:] }
    let query = Query(
      Expandables.verdictsOfSubjects, [gateway.reader.scope(principal), .uuidArray(ids.map(\.value.bits))])
    let rows = try await gateway.reader.run([query], as: principal)[0].map { try Tables.verdicts.decode($0) }
    return Dictionary(grouping: rows.filter { !$0.acted }) { LoanRequestID($0.subject) }.mapValues { rows in
      var newest: [ChipModelID: VerdictRow] = [:]
      for row in rows { newest[row.chipModelID] = row }
      return newest.values.sorted { $0.chipModelID < $1.chipModelID }.map { row in
        var writer = JSONWriter()
        row.write(to: &writer)
        return writer.bytes
      }
    }
  }

  private func explanation(_ request: Request, _ context: ChipBridgeContext) async throws -> Response {
    let principal = try await gateway.principal(of: request)
    let id: LoanRequestID = try Gateway.pathID(context, noun: "loan request")
    let row = try await gateway.reader.one(Resources.loanRequests, id.value, as: principal, noun: "loan request")
    let holds = try await self.holds(of: [id], as: principal)[id] ?? []
    let reasons = try await RoundReasons.latest(of: id.description, reader: gateway.reader)
    let advice = try await advice(for: id, reasons)
    let block = row.remaining > 0 ? try await valuationBlock(of: row.borrowerID) : nil
    return gateway.object(request, version: row.version) { writer in
      writer.object { writer in
        writer.field("loan_request_id", id)
        writer.field("state", row.state)
        writer.field("remaining_quantity", row.remaining)
        writer.field("match_round_id", reasons?.roundID)
        writer.array("reasons", reasons?.reasons ?? []) { writer, reason in
          writer.object { writer in
            writer.field("constraint", reason.constraint)
            writer.field("effect", reason.effect)
            writer.field("candidates", reason.candidates)
          }
        }
        writer.array("blocks", [block].compactMap { $0 }) { writer, block in
          writer.object { writer in
            writer.field("code", block.code)
            writer.field("detail", block.detail)
          }
        }
        advice?.write(to: &writer)
        writer.array("holds", holds) { $0.raw($1) }
      }
    }
  }

  /// Why nothing is matched for a startup whatever it asks for: what is known of its value is stale, or disputed.
  private func valuationBlock(of startup: OrganizationID) async throws -> ValuationRefusal? {
    let subject = Bind.uuidArray([startup.value.bits])
    let results = try await gateway.reader.run(
      [Query(MarkSQL.tradingStartups, [subject]), Query(MarkQueries.disputedOfStartups, [subject])], as: .automation)
    let today = try await MarketTime.read(pool: writer, clock: clock, deadline: .now + .seconds(5)).now.date
    guard let mark = try Tables.startupMarks.decode(results[0]).first, mark.effectiveOn <= today else { return nil }
    let disputed = try Set(results[1].map { ValuationID(try $0.uuid(0).value) })
    return MarkDesk.flaw(of: mark, isDisputed: disputed.contains(mark.id), on: today)
  }

  /// A request as a command drafted it, for the preview that follows.
  private final class Drafted: Sendable {
    let request = Mutex<LoanRequest?>(nil)
  }

  /// What a round now would make of a request that is not placed.
  private func outlook(
    for request: LoanRequest?, _ principal: Principal
  ) async throws -> (@Sendable (inout JSONWriter) -> Void)? {
    guard let request else { return nil }
    guard adviser.admitsPreview(of: principal.organizationID, at: clock.now()) else {
      var problem = Problem(
        .tooManyRequests, "request.rate_limited",
        "An organisation may preview \(MatchAdviser.previewsAMinute) orders a minute.")
      problem.headers = [(.retryAfter, "60")]
      throw problem
    }
    let market = try await MarketReader.read(
      pool: writer, reference: reference, clock: clock, deadline: .now + .seconds(10), borrower: request.borrowerID)
    guard let outlook = try await adviser.preview(request, in: market) else { return nil }
    return { outlook.write(to: &$0) }
  }

  /// What would have matched the request in the last round that left it over.
  private func advice(for id: LoanRequestID, _ reasons: RoundReasons?) async throws -> MatchAdvice? {
    guard let reasons else { return nil }
    let query = Query(RoundSQL.stored, [.uuid(reasons.roundID.value.bits)])
    let rows = try await gateway.reader.run([query], as: .automation)
    guard let stored = try rows[0].first.map(StoredRound.decode) else { return nil }
    return try await adviser.advise(
      id, in: stored, isHeldByRule: reasons.reasons.contains { $0.constraint == "export_verdict" })
  }

  private func addOfferRoutes(_ routes: inout Routes) {
    routes.get("/v1/offers") { request, _ in
      try await gateway.list(
        request, Resources.offers, name: "offers", filter: "state",
        position: { PagePosition(createdAt: $0.createdAt, id: $0.id.value) },
        besides: expanding(request, Expansions.offer), write: { $0.write(to: &$1) })
    }
    routes.get("/v1/offers/{id}") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: OfferID = try Gateway.pathID(context, noun: "offer")
      let row = try await gateway.reader.one(Resources.offers, id.value, as: principal, noun: "offer")
      let more = try await expanding(request, Expansions.offer)?([row], principal)
      return gateway.object(request, version: row.version, besides: more) { row.write(to: &$0) }
    }
    routes.post("/v1/offers/{id}/accept") { request, context in
      let id: OfferID = try Gateway.pathID(context, noun: "offer")
      return try await gateway.post(
        request, context, render: .init(version: { $0.version }, write: { $0.write(to: &$1) })
      ) { reader, posted in
        EmptyBody.parse(&reader).map { _ in AcceptOffer(offerID: id, ifVersion: posted.ifVersion) }
      }
    }
    routes.post("/v1/offers/{id}/decline") { request, context in
      let id: OfferID = try Gateway.pathID(context, noun: "offer")
      return try await gateway.post(
        request, context, render: .init(version: { $0.version }, write: { $0.write(to: &$1) })
      ) { reader, posted in
        EmptyBody.parse(&reader).map { _ in
          EndOffer(offerID: id, outcome: .declined, ifVersion: posted.ifVersion)
        }
      }
    }
  }

  private func addRoundRoutes(_ routes: inout Routes) {
    routes.post("/v1/match-rounds") { request, context in
      let response = try await gateway.post(
        request, context,
        render: .init(
          status: .accepted, location: { "/v1/match-rounds/\($0.id)" }, version: { _ in 1 },
          write: { $0.write(to: &$1) })
      ) { reader, _ in PlanMatchRound.parse(&reader) }
      workPlanned()
      return response
    }
    routes.get("/v1/match-rounds/{id}") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: MatchRoundID = try Gateway.pathID(context, noun: "match round")
      // A round is the platform's record; tenants are shown the market's side of it, never the orders of others.
      let rows = try await gateway.reader.run([Query(RunSQL.roundByID, [.uuid(id.value.bits)])], as: .automation)
      guard let row = rows[0].first else { throw PartiesRefusal.notFound("match round") }
      let round = try RunSQL.decodeRound(row)
      let view: MatchRoundView = principal.readsEverything ? .whole : .market
      return gateway.object(request, version: round.version) { round.write(to: &$0, view: view) }
    }
    routes.post("/v1/match-rounds/{id}/replay") { request, context in
      let principal = try await gateway.principal(of: request)
      try principal.require(.admin)
      let id: MatchRoundID = try Gateway.pathID(context, noun: "match round")
      _ = try Gateway.parse(await gateway.collect(request)) { EmptyBody.parse(&$0) }
      let rows = try await gateway.reader.run([Query(RoundSQL.stored, [.uuid(id.value.bits)])], as: .automation)
      guard let stored = try rows[0].first.map(StoredRound.decode) else {
        throw PartiesRefusal.notFound("match round")
      }
      let replay = try await replayer.replay(stored)
      return gateway.object(request, version: nil) { replay.write(to: &$0) }
    }
    routes.get("/v1/match-rounds") { request, _ in
      let principal = try await gateway.principal(of: request)
      let query = try gateway.listQuery(request, list: "match-rounds")
      let page = Query(
        RunSQL.roundsPage,
        [
          .timestamptz(query.position.createdAt.microseconds), .uuid(query.position.id.bits), .int8(query.limit + 1),
        ])
      let rows = try await gateway.reader.run([page], as: principal)[0].map(RunSQL.decodeRound)
      return try runPage(rows, query, list: "match-rounds", created: { ($0.createdAt, $0.id.value) }) {
        $0.write(to: &$1)
      }
    }
    routes.get("/v1/order-book") { request, _ in
      // Depth is everybody's; the names behind it are not read.
      _ = try await gateway.principal(of: request)
      let chipModel = try Gateway.text(request, "chip_model")
      let region = try Gateway.text(request, "region")
      let answers = try await gateway.reader.run(
        OrderBook.queries(chipModel: chipModel, region: region), as: .automation)
      let book = try OrderBook(answers, chipModel: chipModel, reference: reference.current)
      return gateway.object(request, version: nil) { book.write(to: &$0) }
    }
  }

  /// A page of runs or rounds.
  func runPage<Row>(
    _ rows: [Row], _ query: Gateway.ListQuery, list: String, created: (Row) -> (Instant, UUIDValue),
    write: (Row, inout JSONWriter) throws -> Void
  ) throws -> Response {
    let shown = Array(rows.prefix(Int(query.limit)))
    let last = rows.count > shown.count ? shown.last.map(created) : nil
    let next = last.map { gateway.cursors.encode(PagePosition(createdAt: $0.0, id: $0.1), list: list) }
    return try gateway.page(shown, next: next, write)
  }
}
