import Hummingbird
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import StrictJSON
import WebSupport

/// What the platform took, as it told each lender.
extension WebAPI {
  func addInvoiceRoutes(_ routes: inout Routes) {
    routes.get("/v1/platform-invoices") { request, _ in
      try await gateway.list(
        request, Resources.platformInvoices, name: "platform-invoices", filter: "currency",
        position: { PagePosition(createdAt: $0.createdAt, id: $0.id.value) },
        besides: expanding(request, Expansions.invoice), write: { $0.write(to: &$1) })
    }
    routes.get("/v1/platform-invoices/{id}") { request, context in
      let principal = try await gateway.principal(of: request)
      let id: InvoiceID = try Gateway.pathID(context, noun: "invoice")
      let row = try await gateway.reader.one(Resources.platformInvoices, id.value, as: principal, noun: "invoice")
      let query = Query(InvoiceSQL.linesOfInvoice, [gateway.reader.scope(principal), .uuid(id.value.bits)])
      let lines = try await Tables.invoiceLines.decode(gateway.reader.run([query], as: principal)[0])
      let more = try await expanding(request, Expansions.invoice)?([row], principal)
      return gateway.object(request, version: nil, besides: more) { row.write(to: &$0, lines: lines) }
    }
  }
}

extension PlatformInvoice {
  /// - Parameter lines: nil in a list.
  func write(to writer: inout JSONWriter, lines: [InvoiceLine]? = nil) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("number", number)
      writer.field("lender_id", lenderID)
      writer.field("from_on", from)
      writer.field("through_on", through)
      writer.field("fee_income", Money(feeIncome, currency))
      writer.field("platform_fee", Money(platformFee, currency))
      if let lines {
        writer.array("lines", lines) { writer, line in
          writer.object { writer in
            writer.field("payout_id", line.payoutID)
            writer.field("entry_id", line.entryID)
            writer.field("business_date", line.on)
            writer.field("fee_income", Money(line.feeIncome, currency))
            writer.field("platform_fee", Money(line.platformFee, currency))
          }
        }
      }
      writer.field("settlement_run_id", runID)
      writer.field("created_at", createdAt)
    }
  }
}
