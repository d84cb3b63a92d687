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

// What happens to a loan between its delivery and its end, beside payments and returns.
extension WebAPI {
  func addLoanLifeRoutes(_ routes: inout Routes) {
    addLoanActs(&routes)
    addAmendmentRoutes(&routes)
    addUnitRoutes(&routes)
    routes.get("/v1/loans/{id}/timeline") { request, context in try await timeline(request, context) }
    routes.get("/v1/loans/{id}/schedule") { request, context in try await schedule(request, context) }
    routes.get("/v1/loans/{id}/payoff-quote") { request, context in try await payoffQuote(request, context) }
  }

  /// An act whose answer is the loan.
  private func addAct<C: LoanCommand>(
    _ routes: inout Routes, _ verb: String,
    _ parse: @escaping @Sendable (inout ObjectReader, LoanID, Int64?) -> C?
  ) where C.Outcome == Loan {
    addAct(&routes, verb, version: { $0.version }, write: { $0.write(to: &$1) }, parse)
  }

  private func addAct<C: LoanCommand>(
    _ routes: inout Routes, _ verb: String, version: @escaping @Sendable (C.Outcome) -> Int64?,
    write: @escaping @Sendable (C.Outcome, inout JSONWriter) -> Void,
    _ parse: @escaping @Sendable (inout ObjectReader, LoanID, Int64?) -> C?
  ) {
    routes.post("/v1/loans/{id}/\(verb)") { request, context in
      let id: LoanID = try Gateway.pathID(context, noun: "loan")
      return try await gateway.post(
        request, context, limits: .withSerials, render: Gateway.Rendering<C.Outcome>(version: version, write: write)
      ) { reader, posted in parse(&reader, id, posted.ifVersion) }
    }
  }

  private func addLoanActs(_ routes: inout Routes) {
    addAct(&routes, "recall") { RecallLoan.parse(&$0, loanID: $1, ifVersion: $2) }
    addAct(&routes, "recall/withdraw") { WithdrawRecall(loanID: $1, ifVersion: $2) }
    addAct(&routes, "default") { DeclareDefault.parse(&$0, loanID: $1, ifVersion: $2) }
    addAct(&routes, "cure") { CureDefault.parse(&$0, loanID: $1, ifVersion: $2) }
    addAct(&routes, "accelerate") { AccelerateLoan(loanID: $1, ifVersion: $2) }
    addAct(&routes, "dispose") { DisposeChips.parse(&$0, loanID: $1, ifVersion: $2) }
    addAct(&routes, "forgive") { ForgiveDebt.parse(&$0, loanID: $1, ifVersion: $2) }
    addAct(&routes, "freeze") { FreezeLoan.parse(&$0, loanID: $1, ifVersion: $2) }
    addAct(&routes, "unfreeze") { UnfreezeLoan(loanID: $1, ifVersion: $2) }
    addAct(
      &routes, "write-off", version: { $0.version },
      write: { loan, writer in
        writer.object { writer in
          // The lender's own accounting: no other answer about a loan shows it.
          writer.field("written_off", Money(loan.life.writtenOff, loan.currency))
          writer.key("loan")
          loan.write(to: &writer)
        }
      }
    ) { WriteOffLoan.parse(&$0, loanID: $1, ifVersion: $2) }
    addAct(
      &routes, "casualty", version: { $0.loan.version },
      write: { lost, writer in
        writer.object { writer in
          writer.field("value", lost.value)
          writer.key("loan")
          lost.loan.write(to: &writer)
        }
      }
    ) { RecordCasualty.parse(&$0, loanID: $1, ifVersion: $2) }
    addAct(
      &routes, "repossess", version: { $0.loan.version },
      write: { taken, writer in
        writer.object { writer in
          writer.key("loan")
          taken.loan.write(to: &writer)
          writer.key("verdict")
          taken.verdict.write(to: &writer)
        }
      }
    ) { RepossessChips.parse(&$0, loanID: $1, ifVersion: $2) }
  }

  private func addUnitRoutes(_ routes: inout Routes) {
    addAct(
      &routes, "device-events", version: { $0.loan.version },
      write: { recorded, writer in
        writer.object { writer in
          writer.array("units", recorded.units) { $1.write(to: &$0) }
          writer.key("loan")
          recorded.loan.write(to: &writer)
        }
      }
    ) { RecordDeviceEvent.parse(&$0, loanID: $1, ifVersion: $2) }
    routes.get("/v1/loans/{id}/units") { request, context in
      let principal = try await gateway.principal(of: request)
      let loan = try await self.loan(context, as: principal)
      let binds = [gateway.reader.scope(principal), Bind.uuid(loan.id.value.bits)]
      let results = try await gateway.reader.run(
        [Query(Details.unitsOfLoan, binds), Query(Details.unitEventsOfLoan, binds)], as: principal)
      let units = try Tables.chipUnits.decode(results[0])
      let events = try Dictionary(grouping: Tables.unitEvents.decode(results[1]), by: \.unitID)
      return gateway.object(request, version: nil) { writer in
        writer.object { writer in
          writer.field("loan_id", loan.id)
          // Numbered units that are in the loan, or were and came back; then what was said of units without numbers.
          writer.array("data", units) { $1.write(to: &$0, events: events[$1.id] ?? []) }
          writer.array("events", events[nil] ?? []) { $1.write(to: &$0) }
        }
      }
    }
  }

  // MARK: amendments

  private func addAmendmentRoutes(_ routes: inout Routes) {
    routes.get("/v1/loans/{id}/amendments") { request, context in
      let principal = try await gateway.principal(of: request)
      let loan = try await self.loan(context, as: principal)
      let query = Query(Details.amendmentsOfLoan, [gateway.reader.scope(principal), .uuid(loan.id.value.bits)])
      let rows = try await Tables.loanAmendments.decode(gateway.reader.run([query], as: principal)[0])
      return gateway.page(rows, next: nil) { $0.write(to: &$1, currency: loan.currency) }
    }
    routes.get("/v1/loans/{id}/amendments/{amendment}") { request, context in
      let principal = try await gateway.principal(of: request)
      let loan = try await self.loan(context, as: principal)
      let id: AmendmentID = try Gateway.pathID(context, "amendment", noun: "amendment")
      let query = Query(Details.amendmentsOfLoan, [gateway.reader.scope(principal), .uuid(loan.id.value.bits)])
      let rows = try await Tables.loanAmendments.decode(gateway.reader.run([query], as: principal)[0])
      guard let row = rows.first(where: { $0.id == id }) else { throw PartiesRefusal.notFound("amendment") }
      return gateway.object(request, version: row.version) { row.write(to: &$0, currency: loan.currency) }
    }
    routes.post("/v1/loans/{id}/amendments") { request, context in
      let id: LoanID = try Gateway.pathID(context, noun: "loan")
      return try await gateway.post(
        request, context,
        render: Gateway.Rendering<AmendmentDesk.Answered>(
          status: .created, location: { "/v1/loans/\($0.loan.id)/amendments/\($0.amendment.id)" },
          version: { $0.amendment.version },
          write: { $0.amendment.write(to: &$1, currency: $0.loan.currency, preview: $0.restatement) })
      ) { reader, posted in ProposeAmendment.parse(&reader, loanID: id, ifVersion: posted.ifVersion) }
    }
    for (verb, act) in [("accept", LoanAmendment.Act.accept), ("reject", .reject), ("withdraw", .withdraw)] {
      routes.post("/v1/loans/{id}/amendments/{amendment}/\(verb)") { request, context in
        let id: LoanID = try Gateway.pathID(context, noun: "loan")
        let amendment: AmendmentID = try Gateway.pathID(context, "amendment", noun: "amendment")
        return try await gateway.post(
          request, context,
          render: Gateway.Rendering<AmendmentDesk.Answered>(version: { $0.amendment.version }) { answered, writer in
            writer.object { writer in
              writer.key("amendment")
              answered.amendment.write(to: &writer, currency: answered.loan.currency)
              writer.key("loan")
              answered.loan.write(to: &writer)
            }
          }
        ) { _, posted in AnswerAmendment(loanID: id, amendmentID: amendment, act: act, ifVersion: posted.ifVersion) }
      }
    }
  }

  // MARK: reads

  /// What happened and who did it, what was posted, and which verdicts were taken, each in order.
  private func timeline(_ request: Request, _ context: ChipBridgeContext) async throws -> Response {
    let principal = try await gateway.principal(of: request)
    let loan = try await self.loan(context, as: principal)
    let binds = [gateway.reader.scope(principal), Bind.uuid(loan.id.value.bits)]
    let results = try await gateway.reader.run(
      [
        Query(Details.eventsOfLoan, binds), Query(Details.entriesOfSubject, binds),
        Query(Details.verdictsOfSubject, binds),
      ], as: principal)
    let events = try Tables.loanEvents.decode(results[0])
    let entries = try Tables.journalEntries.decode(results[1])
    let verdicts = try Tables.verdicts.decode(results[2])
    let lineQuery = Query(Details.linesOfEntry, [binds[0], .uuidArray(entries.map(\.id.value.bits))])
    let lines = try await Tables.journalLines.decode(gateway.reader.run([lineQuery], as: principal)[0])
    let byEntry = Dictionary(grouping: lines) { "\($0.line.account.book)\($0.entryID)" }
    return gateway.object(request, version: loan.version) { writer in
      writer.object { writer in
        writer.field("loan_id", loan.id)
        writer.array("events", events) { $1.write(to: &$0, for: principal) }
        writer.array("entries", entries) { writer, entry in
          entry.write(to: &writer, lines: byEntry["\(entry.book)\(entry.id)"] ?? [])
        }
        writer.array("verdicts", verdicts) { $1.write(to: &$0) }
      }
    }
  }

  /// The fee to come by calendar month, and what is owed at maturity, if nothing is paid before.
  private func schedule(_ request: Request, _ context: ChipBridgeContext) async throws -> Response {
    let principal = try await gateway.principal(of: request)
    let loan = try await self.loan(context, as: principal)
    let reference = try await reference.refreshed(writer)
    let months = try LoanFee.months(of: loan, taxes: reference.taxes)
    let owed = loan.outstanding
    let fee = try months.reduce(owed.fee) { try $0.adding($1.fee) }
    // Unknown where a day to come has no rule yet.
    let tax =
      try loan.terms.tax == nil
      ? owed.tax
      : months.reduce(owed.tax as Int64?) { sum, month in
        guard loan.bearsTax else { return sum }
        guard let sum, let more = month.tax else { return nil }
        return try sum.adding(more)
      }
    let total = try tax.map { tax in
      try Debt(charges: owed.otherCharges.adding(tax), fee: fee, principal: owed.principal).total()
    }
    let settled = BusinessDays.settlementDay(loan.maturesOn, of: loan.currency, reference.calendars)
    return gateway.object(request, version: loan.version) { writer in
      writer.object { writer in
        writer.field("loan_id", loan.id)
        writer.field("accrued_through", loan.accruedThrough)
        writer.field("paused_until", loan.life.pausedUntil)
        writer.array("fees", months) { writer, month in
          writer.object { writer in
            writer.field("from_on", month.from)
            writer.field("to_on", month.to)
            writer.field("fee", Money(month.fee, loan.currency))
            if loan.bearsTax { writer.field("tax", month.tax.map { Money($0, loan.currency) }) }
          }
        }
        writer.object("maturity") { writer in
          writer.field("on", loan.maturesOn)
          writer.field("business_date", settled.date)
          writer.field("business_date_basis", settled.basis)
          writer.field("principal", Money(owed.principal, loan.currency))
          writer.field("fee", Money(fee, loan.currency))
          writer.field("charges", Money(owed.otherCharges, loan.currency))
          writer.field("tax", tax.map { Money($0, loan.currency) })
          writer.field("total", total.map { Money($0, loan.currency) })
        }
      }
    }
  }

  private func payoffQuote(_ request: Request, _ context: ChipBridgeContext) async throws -> Response {
    let principal = try await gateway.principal(of: request)
    let loan = try await self.loan(context, as: principal)
    let taxes = loan.terms.tax == nil ? .empty : try await reference.refreshed(writer).taxes
    let quote = try LoanFee.payoff(of: loan, on: try await businessDate(request), taxes: taxes)
    let withheld = try await withholding(of: loan, fee: quote.fee, on: quote.on)
    return gateway.object(request, version: loan.version) { writer in
      writer.object { writer in
        writer.field("loan_id", loan.id)
        writer.field("on", quote.on)
        writer.field("principal", Money(quote.principal, loan.currency))
        writer.field("fee", Money(quote.fee, loan.currency))
        writer.field("charges", Money(quote.charges, loan.currency))
        writer.field("tax", Money(quote.tax, loan.currency))
        writer.field("total", Money(quote.total, loan.currency))
        writer.field("per_diem", Money(quote.perDiem, loan.currency))
        // What may be kept back, with a certificate; the total is what is owed before it.
        if loan.terms.tax?.withholding != nil {
          writer.object("withholding", withheld) { $1.writeMembers(to: &$0, currency: loan.currency) }
        }
      }
    }
  }
}
