import Interest
import Lending
import Operations
import Primitives
import Repayment
import StrictJSON
import Valuation

extension Loan {
  /// As both its sides see it. Amounts are of the loan's currency; `outstanding` is principal.
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("state", state)
      writeParties(to: &writer)
      writer.field("chip_model_id", terms.chipModelID)
      writer.field("site", terms.site)
      writer.field("end_use", terms.endUse)
      writer.field("delivery_mode", terms.deliveryMode)
      writer.field("legal_form", terms.legalForm)
      writer.field("quantity", terms.quantity)
      writer.object("units") { writer in
        writer.field("out", unitsOut)
        writer.field("returning", unitsReturning)
        writer.field("returned", unitsReturned)
        writer.field("owned", unitsOwned)
        writer.field("lost", life.unitsLost)
        writer.field("repossessed", life.unitsRepossessed)
        writer.field("resold", life.unitsResold)
        writer.field("kept", life.unitsKept)
        writer.field("assigned", life.unitsAssigned)
      }
      writeMoney(to: &writer)
      writer.field("trade_on", terms.tradeOn)
      writer.field("term_days", terms.termDays)
      writer.field("matures_on", maturesOn)
      writer.field("dispatched_on", dispatchedOn)
      writer.field("delivered_on", deliveredOn)
      writer.field("closed_on", closedOn)
      writer.object("recall", terms.recallNoticeDays) { writer, days in
        writer.field("notice_days", days)
        writer.field("recalled_on", life.recall?.on)
        writer.field("due_on", life.recall?.dueOn)
      }
      writeLife(to: &writer)
      writer.object("covenant") { terms.repayment.writeMembers(to: &$0) }
      // By a most-favoured-nation clause, since the trade.
      writer.object("lifted", life.lifted == LoanLife.Lifted() ? nil : life.lifted) { writer, lifted in
        lifted.writeMembers(to: &writer, currency)
      }
      writer.field("possession", possession)
      writer.field("title", title)
      writer.object("security_interest", securityInterest) { writer, lien in
        writer.field("registry", lien.registry)
        writer.field("number", lien.number)
        writer.field("filed_on", lien.filedOn)
        writer.field("released_on", lien.releasedOn)
        // The filing keeps its number; its holder is noted.
        writer.field("assigned_on", life.acquired?.on)
      }
      writer.field("closed_as", closedAs)
      writer.field("assignable", terms.assignability)
      writer.field("assigned_from", life.acquired?.lineage.first)
      writer.field("principal_assigned", Money(life.principalAssigned, currency))
      writer.history(version: version, createdAt: createdAt, updatedAt: updatedAt)
    }
  }

  private func writeParties(to writer: inout JSONWriter) {
    writer.field("lender_id", terms.lenderID)
    writer.field("borrower_id", terms.borrowerID)
    writer.field("lot_id", terms.lotID)
    writer.field("listing_id", terms.listingID)
    writer.field("loan_request_id", terms.requestID)
    writer.field("offer_id", terms.offerID)
  }

  private func writeMoney(to writer: inout JSONWriter) {
    writer.object("mark") { writer in
      writer.field("id", terms.markID)
      writer.field("amount", terms.markAmount)
    }
    writer.field("advance_rate_bps", terms.advanceRate)
    writer.field("principal", terms.principal)
    writer.field("outstanding", Money(outstanding.principal, currency))
    writer.field("accrued_fee", Money(outstanding.fee, currency))
    writer.field("fee_accrued_total", Money(feeAccruedTotal, currency))
    writer.field("charges", Money(outstanding.otherCharges, currency))
    writeTax(to: &writer)
    writer.object("due", due) { writer, due in
      writer.field("cause", due.cause)
      writer.field("cause_id", due.causeName)
      writer.field("since", due.since)
      // What is due without an amount is the whole debt, whatever it grows to.
      writer.field("amount", (due.amount ?? (try? outstanding.total())).map { Money($0, currency) })
    }
    // As agreed last; `rates` says from which day.
    writer.field("rate_bps", life.rates.last?.rate ?? terms.rate)
    writer.field("day_count", terms.dayCount)
    writer.field("accrued_through", accruedThrough)
    writer.field("return_credit", terms.returnCredit)
    writer.field("rank", terms.rank)
    terms.penalty.writeMembers(to: &writer)
    writer.field("penalty_total", Money(life.penalty.total, currency))
    writer.field("business_day", terms.businessDay)
    writer.object("margin", terms.margin) { writer, margin in
      margin.listed?.writeMembers(to: &writer)
      writer.field("first_price", terms.markAmount)
      writer.field("from_on", margin.curve.firstPriceOn)
    }
    // As the delinquency step found it last; what is paid is not late.
    let lateness = due == nil ? nil : life.lateness
    writer.field("days_past_due", lateness?.daysPastDue ?? 0)
    writer.field("bucket", lateness?.bucket ?? Delinquency.current)
    writer.field("aged_on", lateness?.on)
  }
}

extension LoanDue {
  /// The cause by its id: a funding round, a claw-back, a margin call, or the loan itself where it matured.
  fileprivate var causeName: String {
    switch cause {
    case .fundingRound, .changeOfControl: FundingRoundID(causeID).description
    case .maturity, .casualty, .recall, .acceleration: LoanID(causeID).description
    case .clawBack: ClawbackID(causeID).description
    case .margin: MarginCallID(causeID).description
    }
  }
}
