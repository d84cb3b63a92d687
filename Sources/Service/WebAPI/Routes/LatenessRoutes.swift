import Hummingbird
import Lending
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import StrictJSON
import WebSupport

/// How late loans are, and what that cost.
extension WebAPI {
  func addLatenessRoutes(_ routes: inout Routes) {
    routes.get("/v1/delinquency") { request, _ in
      let principal = try await gateway.principal(of: request)
      let date = try await businessDate(request)
      let query = Query(Details.loansWithDues, [gateway.reader.scope(principal)])
      let loans = try await Tables.loans.decode(gateway.reader.run([query], as: principal)[0])
      let report = try LatenessReport(loans, on: date)
      return gateway.object(request, version: nil) { report.write(to: &$0) }
    }
    routes.get("/v1/loans/{id}/penalties") { request, context in
      let principal = try await gateway.principal(of: request)
      let loan = try await self.loan(context, as: principal)
      let query = Query(Details.penaltiesOfLoan, [gateway.reader.scope(principal), .uuid(loan.id.value.bits)])
      let rows = try await Tables.penalties.decode(gateway.reader.run([query], as: principal)[0])
      return gateway.page(rows, next: nil) { $0.write(to: &$1, currency: loan.currency) }
    }
  }
}

extension LatenessReport {
  func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("on", on)
      writer.field("basis", "loans as they stand now, aged to the date; days of a payment holiday do not count")
      writer.array("data", lines) { writer, line in
        writer.object { writer in
          writer.field("lender_id", line.key.lenderID)
          writer.field("startup_id", line.key.borrowerID)
          writer.field("bucket", line.bucket)
          writer.field("loans", line.loans)
          writer.field("days_past_due", line.mostDaysPastDue)
          writer.field("due", Money(line.due, line.key.currency))
          writer.field("owed", Money(line.owed, line.key.currency))
          writer.field("non_accrual", line.nonAccrual)
        }
      }
      writer.nullField("next_cursor")
    }
  }
}

extension PenaltyRow {
  /// With everything that it was computed from.
  func write(to writer: inout JSONWriter, currency: Currency) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("reverses", reverses)
      writer.field("from_on", from)
      writer.field("to_on", to)
      writer.field("days", days)
      writer.field("base", Money(base, currency))
      writer.field("rate_bps", rate)
      writer.field("year_days", yearDays)
      writer.field("amount", Money(amount, currency))
      writer.field("residue_before", residueBefore)
      writer.field("residue_after", residueAfter)
      writer.field("rounding", Rounding.halfEven)
      writer.field("capped", isCapped)
      writer.field("entry_id", entryID)
      writer.field("booked_on", bookedOn)
      writer.field("recorded_at", recordedAt)
    }
  }
}
