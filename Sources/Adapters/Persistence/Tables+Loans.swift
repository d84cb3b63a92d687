import Catalogue
import Interest
import Lending
import Parties
import Postgres
import Primitives

extension Tables {
  package static let loans = Table<Loan>(
    "loans", sql: "loans", key: ["borrower_id", "id"], idColumn: "id",
    columns: loanTermColumns + taxTermColumns { $0.terms.tax } + loanLatenessColumns + loanStateColumns
      + loanLifeColumns + loanAssignmentColumns + loanLiftColumns + loanTaxColumns + loanMarginColumns
      + loanHistoryColumns,
    names: ("loans_by_id", "loans_insert", "loans_update"), read: readLoan
  ).narrowed(
    "loans_accrue",
    to: ["outstanding_fee", "fee_accrued_total", "accrual_residue", "accrued_through", "version", "updated_at"]
  ) { $0.isAccrual(of: $1) }

  private static let loanTermColumns: [Column<Loan>] = [
    .uuid("borrower_id") { $0.terms.borrowerID.value },
    .uuid("id") { $0.id.value },
    .uuid("lender_id") { $0.terms.lenderID.value },
    .uuid("lot_id") { $0.terms.lotID.value },
    .uuid("listing_id") { $0.terms.listingID.value },
    .uuid("request_id") { $0.terms.requestID.value },
    .uuid("offer_id") { $0.terms.offerID.value },
    .text("chip_model_id") { $0.terms.chipModelID.value },
    .text("country") { $0.terms.site.country.value },
    .text("region") { $0.terms.site.region },
    .text("end_use") { $0.terms.endUse },
    .text("delivery_mode") { $0.terms.deliveryMode.rawValue },
    .text("legal_form") { $0.terms.legalForm.rawValue },
    .int8("quantity") { $0.terms.quantity },
    .uuid("mark_id") { $0.terms.markID.value },
    .int8("mark_amount") { $0.terms.markAmount.amount },
    .int8("advance_rate_bps") { $0.terms.advanceRate.value },
    .int8("principal") { $0.terms.principal.amount },
    .text("currency") { $0.terms.principal.currency.code },
    .int8("rate_bps") { $0.terms.rate.value },
    .text("day_count") { $0.terms.dayCount.rawValue },
    .text("return_credit") { $0.terms.returnCredit.rawValue },
    .text("repayment_pattern") { $0.terms.repayment.pattern.rawValue },
    .int8("least_amount") { $0.terms.repayment.leastAmount?.amount },
    .int8("least_post_money") { $0.terms.repayment.leastPostMoney?.amount },
    .text("covenant_currency") { loan in
      (loan.terms.repayment.leastAmount ?? loan.terms.repayment.leastPostMoney)?.currency.code
    },
    .int8("sweep_bps") { $0.terms.repayment.sweep.value },
    .int8("rank") { $0.terms.rank },
    .date("trade_on") { $0.terms.tradeOn },
    .int8("term_days") { $0.terms.termDays },
    .date("matures_on") { $0.terms.maturesOn },
    .int8("recall_notice_days") { $0.terms.recallNoticeDays },
  ]

  private static let loanStateColumns: [Column<Loan>] = [
    .text("state") { $0.state.rawValue },
    .text("closed_as") { $0.closedAs?.rawValue },
    .int8("units_out") { $0.unitsOut },
    .int8("units_returning") { $0.unitsReturning },
    .int8("units_returned") { $0.unitsReturned },
    .int8("units_owned") { $0.unitsOwned },
    .int8("outstanding_charges") { $0.outstanding.charges },
    .int8("outstanding_fee") { $0.outstanding.fee },
    .int8("outstanding_principal") { $0.outstanding.principal },
    .int8("fee_accrued_total") { $0.feeAccruedTotal },
    .int8("accrual_residue") { $0.accrualResidue },
    .date("accrued_through") { $0.accruedThrough },
    .text("due_cause") { $0.due?.cause.rawValue },
    .uuidOrNull("due_cause_id") { $0.due?.causeID },
    .date("due_since") { $0.due?.since },
    .int8("due_amount") { $0.due?.amount },
    .text("possession") { $0.possession.rawValue },
    .text("title") { $0.title.rawValue },
    .text("lien_registry") { $0.securityInterest?.registry },
    .text("lien_number") { $0.securityInterest?.number },
    .date("lien_filed_on") { $0.securityInterest?.filedOn },
    .date("lien_released_on") { $0.securityInterest?.releasedOn },
    .date("dispatched_on") { $0.dispatchedOn },
    .date("delivered_on") { $0.deliveredOn },
    .date("closed_on") { $0.closedOn },
  ]

  private static let loanHistoryColumns: [Column<Loan>] = [
    .int8("version") { $0.version },
    .instant("created_at") { $0.createdAt },
    .instant("updated_at") { $0.updatedAt },
  ]

  private static func readLoan(_ row: inout RowReader) throws -> Loan {
    let borrower: OrganizationID = try row.id()
    let id: LoanID = try row.id()
    let (terms, lateness) = try readTerms(borrower, &row)
    let state = try row.value(LoanState.self)
    let closedAs = try row.valueOrNull(LoanEnding.self)
    let (out, returning, returned, owned) = (try row.int(), try row.int(), try row.int(), try row.int())
    var debt = Debt(charges: try row.int(), fee: try row.int(), principal: try row.int())
    let (accrued, residue, through) = (try row.int(), try row.int(), try row.dateOrNull())
    let due = try readDue(&row)
    let (possession, title) = (try row.value(Possession.self), try row.value(Title.self))
    let lien = try readLien(&row)
    let (dispatched, delivered, closed) = (try row.dateOrNull(), try row.dateOrNull(), try row.dateOrNull())
    var life = try readLife(&row)
    let assignability = try row.value(Assignability.self)
    life.acquired = try readAcquisition(&row)
    (life.unitsAssigned, life.principalAssigned) = (try row.int(), try row.int())
    life.lifted = try readLifts(&row)
    (life.pauses, life.penalty, life.lateness) = lateness
    (debt.tax, life.tax) = try readTax(&row)
    let agreed = try terms(assignability, &row)
    return Loan(
      id: id, terms: agreed, state: state, closedAs: closedAs, unitsOut: out, unitsReturning: returning,
      unitsReturned: returned, unitsOwned: owned, outstanding: debt, feeAccruedTotal: accrued, accrualResidue: residue,
      accruedThrough: through, due: due, possession: possession, title: title, securityInterest: lien,
      dispatchedOn: dispatched, deliveredOn: delivered, closedOn: closed, life: life, version: try row.int(),
      createdAt: try row.instant(), updatedAt: try row.instant())
  }

  /// All but the last of the terms, which came later and stand further behind, and what stands between.
  private static func readTerms(_ borrower: OrganizationID, _ row: inout RowReader) throws -> (
    (Assignability, inout RowReader) throws -> Loan.Terms,
    (pauses: [LoanLife.Pause], penalty: LoanLife.Penalty, lateness: LoanLife.Lateness?)
  ) {
    let (lender, lot, listing): (OrganizationID, LotID, ListingID) = (try row.id(), try row.id(), try row.id())
    let (request, offer): (LoanRequestID, OfferID) = (try row.id(), try row.id())
    let (chip, site, endUse) = (try row.chipModel(), try row.site(), try row.text())
    let (mode, form) = (try row.value(DeliveryMode.self), try row.value(LegalForm.self))
    let quantity = try row.int()
    let markID: ValuationID = try row.id()
    let (mark, advance, principal) = (try row.int(), try row.bps(), try row.money())
    let (rate, dayCount) = (try row.bps(), try row.value(DayCountConvention.self))
    let (credit, pattern) = (try row.value(ReturnCreditRule.self), try row.value(RepaymentPattern.self))
    let (leastAmount, leastPostMoney) = (try row.intOrNull(), try row.intOrNull())
    let covenantCurrency = try row.parsedOrNull { Currency($0) }
    let repayment = RepaymentTerms(
      pattern: pattern, leastAmount: try money(leastAmount, covenantCurrency),
      leastPostMoney: try money(leastPostMoney, covenantCurrency), sweep: try row.bps())
    let (rank, tradeOn, term) = (try row.int(), try row.date(), try row.int())
    let (maturesOn, notice) = (try row.date(), try row.intOrNull())
    let tax = try readTaxTerms(&row)
    let penalty = PenaltyTerms(
      rate: try row.bps(), graceDays: try row.int(), cap: try row.intOrNull().map { BasisPoints($0) })
    let businessDay: BusinessDayConvention = try row.value()
    let terms = { (assignability: Assignability, row: inout RowReader) throws in
      let markAmount = Money(mark, principal.currency)
      let margin = try readMargin(&row, mark: markAmount, listing: listing)
      return Loan.Terms(
        borrowerID: borrower, lenderID: lender, lotID: lot, listingID: listing, requestID: request, offerID: offer,
        chipModelID: chip, site: site, endUse: endUse, deliveryMode: mode, legalForm: form, quantity: quantity,
        markID: markID, markAmount: markAmount, advanceRate: advance, principal: principal,
        rate: rate, dayCount: dayCount, returnCredit: credit, repayment: repayment, rank: rank, tradeOn: tradeOn,
        termDays: term, maturesOn: maturesOn, recallNoticeDays: notice, assignability: assignability,
        penalty: penalty, businessDay: businessDay, tax: tax, margin: margin)
    }
    return (terms, try readLateness(&row))
  }

  private static func readDue(_ row: inout RowReader) throws -> LoanDue? {
    let cause = try row.valueOrNull(LoanDue.Cause.self)
    let (causeID, since, amount) = (try row.uuidOrNull(), try row.dateOrNull(), try row.intOrNull())
    guard let cause, let causeID, let since else { return nil }
    return LoanDue(cause: cause, causeID: causeID, since: since, amount: amount)
  }

  private static func readLien(_ row: inout RowReader) throws -> SecurityInterest? {
    let (registry, number) = (try row.textOrNull(), try row.textOrNull())
    let (filed, released) = (try row.dateOrNull(), try row.dateOrNull())
    guard let registry, let number, let filed else { return nil }
    return SecurityInterest(registry: registry, number: number, filedOn: filed, releasedOn: released)
  }

  package static let loanReturns = Table<LoanReturn>(
    "loan_returns", sql: "loan_returns", key: ["borrower_id", "id"], idColumn: "id",
    columns: [
      .uuid("borrower_id") { $0.borrowerID.value },
      .uuid("id") { $0.id.value },
      .uuid("lender_id") { $0.lenderID.value },
      .uuid("loan_id") { $0.loanID.value },
      .uuid("lot_id") { $0.lotID.value },
      .int8("quantity") { $0.quantity },
      .date("started_on") { $0.startedOn },
      .text("state") { $0.state.rawValue },
      .date("arrived_on") { $0.arrivedOn },
      .date("inspected_on") { $0.inspectedOn },
      .text("condition") { $0.condition?.rawValue },
      .int8("condition_charge") { $0.conditionCharge },
      .int8("credit") { $0.credit },
      .int8("version") { $0.version },
      .instant("created_at") { $0.createdAt },
      .instant("updated_at") { $0.updatedAt },
    ],
    names: ("loan_returns_by_id", "loan_returns_insert", "loan_returns_update")
  ) { row in
    let borrower: OrganizationID = try row.id()
    return LoanReturn(
      id: try row.id(), borrowerID: borrower, lenderID: try row.id(), loanID: try row.id(), lotID: try row.id(),
      quantity: try row.int(), startedOn: try row.date(), state: try row.value(), arrivedOn: try row.dateOrNull(),
      inspectedOn: try row.dateOrNull(), condition: try row.valueOrNull(), conditionCharge: try row.int(),
      credit: try row.int(), version: try row.int(), createdAt: try row.instant(), updatedAt: try row.instant())
  }
}
