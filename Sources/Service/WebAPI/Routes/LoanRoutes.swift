import HTTPTypes
import Hummingbird
import Ledger
import Lending
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import Repayment
import StrictJSON
import WebSupport

extension WebAPI {
  func addLoanRoutes(_ routes: inout Routes) {
    routes.get("/v1/loans") { request, _ in
      try await gateway.list(
        request, Resources.loans, name: "loans", filter: "state",
        position: { PagePosition(createdAt: $0.createdAt, id: $0.id.value) }, write: { $0.write(to: &$1) })
    }
    routes.get("/v1/loans/{id}") { request, context in
      let principal = try await gateway.principal(of: request)
      let loan = try await self.loan(context, as: principal)
      return gateway.object(request, version: loan.version) { loan.write(to: &$0) }
    }
    routes.post("/v1/loans/{id}/deliveries") { request, context in
      let id: LoanID = try Gateway.pathID(context, noun: "loan")
      return try await gateway.post(
        request, context, limits: .withSerials,
        render: Gateway.Rendering<RecordDelivery.Delivered>(version: { $0.loan.version }) { delivered, writer in
          writer.object { writer in
            writer.field("state", delivered.loan.state)
            writer.key("loan")
            delivered.loan.write(to: &writer)
            writer.object("verdict", delivered.verdict) { writer, verdict in verdict.writeMembers(to: &writer) }
          }
        }
      ) { reader, posted in RecordDelivery.parse(&reader, loanID: id, ifVersion: posted.ifVersion) }
    }
    routes.post("/v1/loans/{id}/returns") { request, context in
      let id: LoanID = try Gateway.pathID(context, noun: "loan")
      return try await gateway.post(
        request, context, limits: .withSerials,
        render: Gateway.Rendering<RecordReturn.Returned>(version: { $0.loan.version }) { returned, writer in
          writer.object { writer in
            writer.field("state", returned.entry.state)
            writer.key("return")
            returned.entry.write(to: &writer, currency: returned.loan.currency)
            writer.key("loan")
            returned.loan.write(to: &writer)
            writer.object("verdict", returned.verdict) { writer, verdict in verdict.writeMembers(to: &writer) }
          }
        }
      ) { reader, _ in ReturnBody.parse(&reader)?.command(loanID: id) }
    }
    routes.get("/v1/loans/{id}/returns") { request, context in
      let principal = try await gateway.principal(of: request)
      let loan = try await self.loan(context, as: principal)
      let query = Query(Details.returnsOfLoan, [Reader.scope(principal), .uuid(loan.id.value.bits)])
      let rows = try await gateway.reader.run([query], as: principal)[0].map { try Tables.loanReturns.decode($0) }
      return gateway.page(rows, next: nil) { $0.write(to: &$1, currency: loan.currency) }
    }
    routes.get("/v1/loans/{id}/timeline") { request, context in try await timeline(request, context) }
    routes.get("/v1/loans/{id}/payoff-quote") { request, context in try await payoffQuote(request, context) }
  }

  func loan(_ context: ChipBridgeContext, as principal: Principal) async throws -> Loan {
    let id: LoanID = try Gateway.pathID(context, noun: "loan")
    return try await gateway.reader.one(Resources.loans, id.value, as: principal, noun: "loan")
  }

  /// What was posted for the loan and which verdicts were taken, in order.
  private func timeline(_ request: Request, _ context: ChipBridgeContext) async throws -> Response {
    let principal = try await gateway.principal(of: request)
    let loan = try await self.loan(context, as: principal)
    let scope = Reader.scope(principal)
    let results = try await gateway.reader.run(
      [
        Query(Details.entriesOfSubject, [scope, .uuid(loan.id.value.bits)]),
        Query(Details.verdictsOfSubject, [scope, .uuid(loan.id.value.bits)]),
      ], as: principal)
    let entries = try Tables.journalEntries.decode(results[0])
    let verdicts = try Tables.verdicts.decode(results[1])
    let lineQuery = Query(Details.linesOfEntry, [scope, .uuidArray(entries.map(\.id.value.bits))])
    let lines = try await Tables.journalLines.decode(gateway.reader.run([lineQuery], as: principal)[0])
    let byEntry = Dictionary(grouping: lines) { "\($0.line.account.book)\($0.entryID)" }
    return gateway.object(request, version: loan.version) { writer in
      writer.object { writer in
        writer.field("loan_id", loan.id)
        writer.array("entries", entries) { writer, entry in
          entry.write(to: &writer, lines: byEntry["\(entry.book)\(entry.id)"] ?? [])
        }
        writer.array("verdicts", verdicts) { $1.write(to: &$0) }
      }
    }
  }

  private func payoffQuote(_ request: Request, _ context: ChipBridgeContext) async throws -> Response {
    let principal = try await gateway.principal(of: request)
    let loan = try await self.loan(context, as: principal)
    let date = try await businessDate(request)
    guard let through = loan.accruedThrough, loan.isRunning else {
      throw LendingRefusal.illegalState(object: "loan", state: loan.state.rawValue, act: "quote a payoff")
    }
    let accrual = try FeeAccrual(
      dayCount: loan.terms.dayCount, accruedThrough: through, accruedTotal: loan.feeAccruedTotal,
      residue: loan.accrualResidue)
    let owed = StepAmounts(
      charges: loan.outstanding.charges, fee: loan.outstanding.fee, principal: loan.outstanding.principal)
    let quote = try PayoffQuote(on: date, owed: owed, rate: loan.terms.rate, accrual: accrual)
    return gateway.object(request, version: loan.version) { writer in
      writer.object { writer in
        writer.field("loan_id", loan.id)
        writer.field("on", quote.on)
        writer.field("principal", Money(quote.principal, loan.currency))
        writer.field("fee", Money(quote.fee, loan.currency))
        writer.field("charges", Money(quote.charges, loan.currency))
        writer.field("total", Money(quote.total, loan.currency))
        writer.field("per_diem", Money(quote.perDiem, loan.currency))
      }
    }
  }
}
