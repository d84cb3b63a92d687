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

/// The value behind loans: tests day by day, and calls for what is missing.
extension WebAPI {
  func addMarginRoutes(_ routes: inout Routes) {
    routes.get("/v1/margin-calls") { request, _ in
      try await marginList(
        request, Resources.marginCalls, name: "margin-calls", words: ["state"], at: { $0.createdAt },
        id: { $0.id.value }, expansions: Expansions.marginCall
      ) { $0.write(to: &$1) }
    }
    routes.get("/v1/margin-calls/{id}") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: MarginCallID = try Gateway.pathID(context, noun: "margin call")
      let row = try await gateway.reader.one(Resources.marginCalls, id.value, as: principal, noun: "margin call")
      let more = try await expanding(request, Expansions.marginCall)?([row], principal)
      return gateway.object(request, version: row.version, besides: more) { row.write(to: &$0) }
    }
    routes.get("/v1/margin-tests") { request, _ in
      try await marginList(
        request, Resources.marginTests, name: "margin-tests", words: ["outcome", "on"], at: { $0.recordedAt },
        id: { $0.id.value }, expansions: Expansions.marginTest
      ) { $0.write(to: &$1) }
    }
    routes.get("/v1/margin-tests/{id}") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: MarginTestID = try Gateway.pathID(context, noun: "margin test")
      let row = try await gateway.reader.one(Resources.marginTests, id.value, as: principal, noun: "margin test")
      let more = try await expanding(request, Expansions.marginTest)?([row], principal)
      return gateway.object(request, version: nil, besides: more) { row.write(to: &$0) }
    }
    let answered = Gateway.Rendering<MarginCallRow>(version: { $0.version }, write: { $0.write(to: &$1) })
    routes.post("/v1/margin-calls/{id}/agree") { request, context in
      let id: MarginCallID = try Gateway.pathID(context, noun: "margin call")
      return try await gateway.post(request, context, render: answered) { reader, posted -> AnswerMarginCall? in
        guard EmptyBody.parse(&reader) != nil else { return nil }
        return AnswerMarginCall(id: id, answer: .agree, ifVersion: posted.ifVersion)
      }
    }
    routes.post("/v1/margin-calls/{id}/dispute") { request, context in
      let id: MarginCallID = try Gateway.pathID(context, noun: "margin call")
      return try await gateway.post(request, context, render: answered) { reader, posted in
        AnswerMarginCall.parseDispute(&reader, id, ifVersion: posted.ifVersion)
      }
    }
    routes.post("/v1/margin-calls/{id}/decide") { request, context in
      let id: MarginCallID = try Gateway.pathID(context, noun: "margin call")
      return try await gateway.post(request, context, render: answered) { reader, posted in
        DecideMarginCall.parse(&reader, id, person: posted.principal.personID, ifVersion: posted.ifVersion)
      }
    }
    addDepositRoutes(&routes)
    routes.get("/v1/loans/{id}/coverage") { request, context in
      let principal = try await gateway.principal(of: request)
      let loan = try await self.loan(context, as: principal)
      let date = try await businessDate(request)
      let now = try await MarketTime.read(pool: writer, clock: clock, deadline: .now + .seconds(5)).now
      let coverage = try await CoverageReport.read(
        loan, on: date, knownAt: try Gateway.instant(request, "known_at") ?? now,
        reference: try await reference.refreshed(writer), as: principal, gateway.reader)
      return gateway.object(request, version: nil) { coverage.write(to: &$0) }
    }
  }

  private func addDepositRoutes(_ routes: inout Routes) {
    routes.post("/v1/cash-receipts/{id}/deposit-acts") { request, context in
      let id: CashReceiptID = try Gateway.pathID(context, noun: "cash receipt")
      return try await gateway.post(
        request, context,
        render: .init(
          status: .accepted, location: { "/v1/deposit-acts/\($0.id)" }, version: { $0.version },
          write: { $0.write(to: &$1) })
      ) { reader, _ in ProposeDepositAct.parse(&reader, id) }
    }
    let decided = Gateway.Rendering<DepositAct>(version: { $0.version }, write: { $0.write(to: &$1) })
    routes.post("/v1/deposit-acts/{id}/approve") { request, context in
      let id: DepositActID = try Gateway.pathID(context, noun: "deposit act")
      return try await gateway.post(request, context, render: decided) { reader, posted -> DecideDepositAct? in
        guard EmptyBody.parse(&reader) != nil else { return nil }
        return DecideDepositAct(id: id, act: .approve, ifVersion: posted.ifVersion)
      }
    }
    routes.post("/v1/deposit-acts/{id}/reject") { request, context in
      let id: DepositActID = try Gateway.pathID(context, noun: "deposit act")
      return try await gateway.post(request, context, render: decided) { reader, posted -> DecideDepositAct? in
        DecideClawback.Act.parseReject(&reader).map { DecideDepositAct(id: id, act: $0, ifVersion: posted.ifVersion) }
      }
    }
    routes.get("/v1/deposit-acts") { request, _ in
      try await marginList(
        request, Resources.depositActs, name: "deposit-acts", words: ["state"], at: { $0.createdAt },
        id: { $0.id.value }, expansions: Expansions.depositAct
      ) { $0.write(to: &$1) }
    }
    routes.get("/v1/deposit-acts/{id}") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: DepositActID = try Gateway.pathID(context, noun: "deposit act")
      let row = try await gateway.reader.one(Resources.depositActs, id.value, as: principal, noun: "deposit act")
      let more = try await expanding(request, Expansions.depositAct)?([row], principal)
      return gateway.object(request, version: row.version, besides: more) { row.write(to: &$0) }
    }
  }

  /// A page of rows of loans, filtered by `loan_id` or by one of the words.
  private func marginList<Row>(
    _ request: Request, _ resource: ResourceQuery<Row>, name: String, words: [Substring],
    at createdAt: @escaping (Row) -> Instant, id: @escaping (Row) -> UUIDValue, expansions: [Expansion<Row>],
    write: (Row, inout JSONWriter) throws -> Void
  ) async throws -> Response {
    let principal = try await gateway.principal(of: request)
    let query = try gateway.listQuery(request, list: name)
    var filters = try words.compactMap { try Gateway.text(request, $0) }
    if let text = try Gateway.text(request, "loan_id") {
      // An id of another kind is of no loan.
      filters.append(LoanID(text)?.value.description ?? text)
    }
    guard filters.count <= 1 else {
      throw Problem(
        .unprocessableContent, "request.invalid",
        "This list has one filter at a time: \(words.joined(separator: ", ")) "
          + "or loan_id.")
    }
    let rows = try await gateway.reader.page(
      resource, after: query.position, limit: query.limit + 1, filter: filters.first, as: principal)
    let shown = rows.prefix(Int(query.limit))
    let next = rows.count > shown.count ? shown.last : nil
    let more = try await expanding(request, expansions)?(Array(shown), principal)
    return try gateway.page(
      Array(shown),
      next: next.map {
        gateway.cursors.encode(PagePosition(createdAt: createdAt($0), id: id($0)), list: name)
      }, besides: more, write)
  }
}

extension CoverageReport {
  func write(to writer: inout JSONWriter) {
    let currency = loan.currency
    writer.object { writer in
      writer.field("loan_id", loan.id)
      writer.field("on", on)
      writer.field("known_at", knownAt)
      writer.field("outcome", outcome)
      writer.object("mark", mark) { writer, mark in
        MarginTestRow.Mark(mark).writeMembers(to: &writer)
        writer.field("method", mark.method)
        writer.field("source", mark.source)
        writer.field("fresh_through_on", StalenessRule.of(mark.method).freshThrough(mark.effectiveOn))
      }
      writer.object("inputs") { writer in
        inputs.writeMembers(to: &writer)
        writer.field("basis", "the borrower's book by business date, as known then")
      }
      // Value over debt; null where nothing is owed.
      writer.field("coverage_bps", coverage)
      writer.object("terms", loan.terms.margin) { writer, margin in
        margin.listed?.writeMembers(to: &writer)
        writer.field("first_price", loan.terms.markAmount)
        writer.field("from_on", margin.curve.firstPriceOn)
        writer.field("source", margin.curve.source)
      }
      // The greater of what the terms say and what the platform asks for of the model or its class on the day.
      writer.object("haircut", haircut) { writer, taken in taken.writeMembers(to: &writer) }
      writer.field("expected_per_chip_micros", expectedMicros)
      writer.object("result", test) { writer, test in
        MarginTestRow.Result(test).writeMembers(to: &writer, currency)
        writer.field("breach", test.isBreach)
      }
      writer.object("last_test", stored) { writer, row in
        writer.field("id", row.id)
        writer.field("on", row.on)
        writer.field("outcome", row.outcome)
        writer.field("recorded_at", row.recordedAt)
      }
      writer.field("rounding", "expected and required up, marked value and coverage down")
    }
  }
}
