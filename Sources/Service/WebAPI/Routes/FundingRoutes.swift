import Catalogue
import HTTPTypes
import Hummingbird
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import Repayment
import StrictJSON
import WebSupport

extension WebAPI {
  func addFundingRoutes(_ routes: inout Routes) {
    routes.post("/v1/funding-rounds") { request, context in
      try await gateway.post(
        request, context,
        render: .init(
          status: .created, location: { "/v1/funding-rounds/\($0.round.id)" }, version: { $0.round.version },
          write: { $0.write(to: &$1) })
      ) { reader, _ in ReportFundingRound.parse(&reader) }
    }
    routes.get("/v1/funding-rounds") { request, _ in
      try await gateway.list(
        request, Resources.fundingRounds, name: "funding-rounds", filter: "state",
        position: { PagePosition(createdAt: $0.createdAt, id: $0.id.value) },
        write: { ReportFundingRound.Reported(round: $0, closings: []).write(to: &$1) })
    }
    routes.get("/v1/funding-rounds/{id}") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: FundingRoundID = try Gateway.pathID(context, noun: "funding round")
      let round = try await gateway.reader.one(Resources.fundingRounds, id.value, as: principal, noun: "funding round")
      let binds = [gateway.reader.scope(principal), Bind.uuid(id.value.bits)]
      let results = try await gateway.reader.run(
        [
          Query(Details.closingsOfRound, binds), Query(Details.loansDueByRound, binds),
          EquitySQL.conversions(in: id, scope: gateway.reader.scope(principal)),
        ], as: principal)
      let closings = try Tables.fundingClosings.decode(results[0])
      let loans = try Tables.loans.decode(results[1])
      let conversions = try Tables.loanConversions.decode(results[2])
      let digests = try await digests(of: conversions)
      return gateway.object(request, version: round.version) { writer in
        ReportFundingRound.Reported(round: round, closings: closings).write(
          to: &writer, sweeps: loans, conversions: conversions.map { ($0, digests[$0.id]) })
      }
    }
    let decided = Gateway.Rendering<ReportFundingRound.Reported>(
      version: { $0.round.version }, write: { $0.write(to: &$1) })
    routes.post("/v1/funding-rounds/{id}/verify") { request, context in
      let id: FundingRoundID = try Gateway.pathID(context, noun: "funding round")
      return try await gateway.post(request, context, render: decided) { reader, posted in
        DecideFundingRound.parseVerify(&reader, id, ifVersion: posted.ifVersion)
      }
    }
    routes.post("/v1/funding-rounds/{id}/reject") { request, context in
      let id: FundingRoundID = try Gateway.pathID(context, noun: "funding round")
      return try await gateway.post(request, context, render: decided) { reader, posted in
        DecideFundingRound.parseReject(&reader, id, ifVersion: posted.ifVersion)
      }
    }
    addCashRoutes(&routes)
  }

  private func addCashRoutes(_ routes: inout Routes) {
    routes.post("/v1/cash-receipts") { request, context in
      try await gateway.post(
        request, context, weight: .heavy,
        render: .init(
          status: .created, location: { "/v1/cash-receipts/\($0.receipt.id)" }, version: { $0.receipt.version },
          write: { $0.write(to: &$1) })
      ) { reader, _ in RecordCashReceipt.parse(&reader) }
    }
    routes.get("/v1/cash-receipts") { request, _ in
      try await gateway.list(
        request, Resources.cashReceipts, name: "cash-receipts", filter: "source",
        position: { PagePosition(createdAt: $0.createdAt, id: $0.id.value) },
        write: { $0.write(to: &$1, allocations: []) })
    }
    routes.get("/v1/cash-receipts/{id}") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: CashReceiptID = try Gateway.pathID(context, noun: "cash receipt")
      let receipt = try await gateway.reader.one(
        Resources.cashReceipts, id.value, as: principal, noun: "cash receipt")
      let query = Query(Details.allocationsOfReceipt, [gateway.reader.scope(principal), .uuid(id.value.bits)])
      let rows = try await Tables.allocations.decode(gateway.reader.run([query], as: principal)[0])
      return gateway.object(request, version: receipt.version) { receipt.write(to: &$0, allocations: rows) }
    }
    routes.post("/v1/cash-receipts/{id}/assign") { request, context in
      let id: CashReceiptID = try Gateway.pathID(context, noun: "cash receipt")
      return try await gateway.post(
        request, context, weight: .heavy,
        render: .init(version: { $0.receipt.version }, write: { $0.write(to: &$1) })
      ) { reader, posted in AssignCashReceipt.parse(&reader, id, ifVersion: posted.ifVersion) }
    }
    routes.get("/v1/payouts") { request, _ in
      try await gateway.list(
        request, Resources.payouts, name: "payouts", filter: "currency",
        position: { PagePosition(createdAt: $0.recordedAt, id: $0.id.value) },
        besides: expanding(request, Expansions.payout), write: { $0.write(to: &$1) })
    }
    routes.get("/v1/payouts/{id}") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: PayoutID = try Gateway.pathID(context, noun: "payout")
      let row = try await gateway.reader.one(Resources.payouts, id.value, as: principal, noun: "payout")
      let more = try await expanding(request, Expansions.payout)?([row], principal)
      return gateway.object(request, version: nil, besides: more) { row.write(to: &$0) }
    }
  }
}
