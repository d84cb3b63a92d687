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

/// Numbers back to the entries that they are the sum of, and entries back to their rule and its inputs.
extension WebAPI {
  func addExplainRoutes(_ routes: inout Routes) {
    routes.get("/v1/loans/{id}/explain") { request, context in
      let principal = try await gateway.principal(of: request)
      let loan = try await self.loan(context, as: principal)
      guard let field = try Gateway.text(request, "field").flatMap({ LoanExplanation.Field(rawValue: $0) }) else {
        let known = LoanExplanation.Field.allCases.map(\.rawValue).joined(separator: ", ")
        throw Problem(.unprocessableContent, "request.invalid", "field is one of \(known).")
      }
      let date = try await businessDate(request)
      // Each side from its own book; staff from the borrower's.
      let book = principal.organizationID == loan.terms.lenderID ? loan.terms.lenderID : loan.terms.borrowerID
      let explanation = try await explanation(of: loan, from: book, as: principal)
      let parts = explanation.parts(of: field, on: date)
      let value = try LoanExplanation.sum(parts)
      return gateway.object(request, version: loan.version) { writer in
        writer.object { writer in
          writer.field("loan_id", loan.id)
          writer.field("field", field)
          writer.field("on", date)
          writer.field("book_organization_id", book)
          writer.field("value", Money(value, loan.currency))
          writer.array("parts", parts) { $1.write(to: &$0, loan) }
        }
      }
    }
    routes.get("/v1/ledger/entries/{id}/explanation") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: JournalEntryID = try Gateway.pathID(context, noun: "entry")
      return try await explainEntry(request, id, as: principal)
    }
  }

  private func explanation(
    of loan: Loan, from book: OrganizationID, as principal: Principal
  ) async throws -> LoanExplanation {
    let queries = LoanExplanation.queries(for: loan, of: book, scope: gateway.reader.scope(principal))
    return try LoanExplanation(loan, await gateway.reader.run(queries, as: principal))
  }

  private func explainEntry(_ request: Request, _ id: JournalEntryID, as principal: Principal) async throws -> Response
  {
    let scope = gateway.reader.scope(principal)
    let results = try await gateway.reader.run(
      [
        Query(Details.entryByID, [scope, .uuid(id.value.bits)]),
        Query(Details.linesOfEntry, [scope, .uuidArray([id.value.bits])]),
      ], as: principal)
    let entries = try Tables.journalEntries.decode(results[0])
    guard let entry = entries.first else { throw PartiesRefusal.notFound("entry") }
    let lines = try Tables.journalLines.decode(results[1])
    var parts: (loan: Loan, parts: [LoanExplanation.Part])?
    if let loan = try? await gateway.reader.one(Resources.loans, entry.subject, as: principal, noun: "loan") {
      let book = principal.organizationID == loan.terms.lenderID ? loan.terms.lenderID : loan.terms.borrowerID
      parts = (loan, try await explanation(of: loan, from: book, as: principal).parts.filter { $0.entryID == id })
    }
    let payout =
      entry.kind == .payoutMade
      ? try? await gateway.reader.one(Resources.payouts, entry.subject, as: principal, noun: "payout") : nil
    return gateway.object(request, version: nil) { writer in
      writer.object { writer in
        writer.field("id", id)
        writer.array("entries", entries) { writer, entry in
          entry.write(to: &writer, lines: lines.filter { $0.line.account.book == entry.book })
        }
        writer.field("loan_id", parts?.loan.id)
        writer.array("parts", parts?.parts ?? []) { writer, part in
          if let loan = parts?.loan { part.write(to: &writer, loan) }
        }
        writer.object("payout", payout) { writer, payout in
          writer.field("payout_id", payout.id)
          // The share of fee income alone; charges and principal are the lender's own money coming back.
          let fee = lines.filter {
            $0.line.account.code == .cashAtPlatform && $0.line.account.subject == AccountRef.feePart
          }
          writer.field("rule", "platform_fee")
          writer.field("fee_income", Money(fee.reduce(0) { $0 &- $1.line.amount }, payout.gross.currency))
          writer.field("platform_fee", Money(payout.platformFee, payout.gross.currency))
          writer.field("rounding", Rounding.halfEven)
          writer.field("gross", payout.gross)
          writer.field("net", Money(payout.net, payout.gross.currency))
        }
      }
    }
  }
}

extension LoanExplanation.Part {
  func write(to writer: inout JSONWriter, _ loan: Loan) {
    writer.object { writer in
      writer.field("entry_id", entryID)
      writer.field("kind", kind)
      writer.field("business_date", on)
      writer.field("field", field)
      writer.field("amount", Money(amount, loan.currency))
      writer.field("rule", rule.name)
      writer.key("inputs")
      rule.write(to: &writer, loan)
    }
  }
}

extension LoanExplanation.Rule {
  var name: String {
    switch self {
    case .principal: "principal_at_trade"
    case .fee: "fee_accrual"
    case .restated: "rate_restated"
    case .allocation: "waterfall"
    case .returned: "return_credit"
    case .penalty: "penalty"
    case .tax: "sales_tax"
    case .act: "act"
    case .unexplained: "unexplained"
    }
  }

  fileprivate func write(to writer: inout JSONWriter, _ loan: Loan) {
    switch self {
    case .principal(let terms):
      writer.object { writer in
        writer.field("quantity", terms.quantity)
        writer.field("mark", terms.markAmount)
        writer.field("advance_rate_bps", terms.advanceRate)
        writer.field("rounding", Rounding.halfEven)
      }
    case .fee(let step):
      writer.object { writer in
        writer.field("principal", Money(step.principal, loan.currency))
        writer.field("day_count", loan.terms.dayCount)
        writer.array("periods", step.periods) { writer, period in
          writer.object { writer in
            writer.field("from_on", period.from)
            writer.field("to_on", period.to)
            writer.field("days", period.from.days(to: period.to))
            writer.field("rate_bps", period.rate)
          }
        }
        writer.field("total_before", step.before.accruedTotal)
        writer.field("residue_before", step.before.residue)
        writer.field("residue_after", step.after.residue)
        writer.field("rounding", Rounding.halfEven)
      }
    case .restated(let amendment):
      writer.object { writer in
        writer.field("amendment_id", amendment.id)
        writer.field("from_on", amendment.terms.rateChange?.from)
        writer.field("rate_bps", amendment.terms.rateChange?.rate)
        writer.field("reversed", amendment.restatement?.reversed)
        writer.field("restated", amendment.restatement?.restated)
        writer.field("credited", amendment.restatement?.credited)
      }
    case .allocation(let rows, let rank):
      writer.object { writer in
        writer.field("cash_receipt_id", rows.first?.receiptID)
        writer.field("rank", rank)
        writer.array("steps", rows) { writer, row in
          writer.object { writer in
            writer.field("step", row.step)
            writer.field("amount", row.amount)
          }
        }
      }
    case .returned(let entry):
      writer.object { writer in
        writer.field("return_id", entry.id)
        writer.field("quantity", entry.quantity)
        writer.field("return_credit", loan.terms.returnCredit)
        writer.field("condition", entry.condition?.rawValue)
        writer.field("credit", Money(entry.credit, loan.currency))
        writer.field("condition_charge", Money(entry.conditionCharge, loan.currency))
      }
    case .penalty(let rows): writer.array(rows) { $1.write(to: &$0, currency: loan.currency) }
    case .tax(let rows): writer.array(rows) { $1.write(to: &$0) }
    case .act, .unexplained: writer.null()
    }
  }
}
