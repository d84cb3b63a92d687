import Catalogue
import Interest
import Ledger
import Parties
import Primitives
import Valuation

/// Life cycle of a loan.
package enum LoanState: String, Sendable, Hashable, CaseIterable {
  /// Accepted, chips still reserved -> inTransit
  case agreed
  /// Dispatched by the lender -> active
  case inTransit = "in_transit"
  /// Delivery accepted, the fee accrues -> due, closed, titlePending, recalled, frozen, defaulted
  case active
  /// A round, maturity, change of control, casualty or recall made it due -> active or recalled (a part was due, or the
  /// maturity was extended), closed, titlePending, overdue, frozen, defaulted
  case due
  /// Due and past its grace -> active, due (a holiday was agreed), recalled, closed, titlePending, defaulted, frozen
  case overdue
  /// The lender declared it; what more becomes due does not change it -> closed, titlePending, frozen, and by a cure
  /// active or recalled
  case defaulted
  /// The lender called it back -> active (called off), due, closed, titlePending, defaulted, frozen
  case recalled
  /// A rule or a dispute stopped it; cash still discharges the debt -> active, due, overdue, recalled, defaulted (what
  /// the other facts say once the hold ends), closed, titlePending
  case frozen
  /// The debt is paid; title waits for a verdict that lets it pass -> closed, and by a claw-back due, defaulted, frozen
  case titlePending = "title_pending"
  /// Ended, see `closedAs` -> reinstated
  case closed
  /// A payment was taken back after it had closed; all that is owed again is due -> closed, overdue, defaulted, frozen
  case reinstated
}

/// How a closed loan ended.
package enum LoanEnding: String, Sendable, Hashable, CaseIterable {
  case paidOff = "paid_off"
  case returned
  /// Part was returned, the rest paid for.
  case mixed
  case casualty, forgiven, assumed
  /// The lender sold all that was left of it to another lender, whose loan goes on in its place.
  case assigned
}

/// Who holds the chips.
package enum Possession: String, Sendable, Hashable, CaseIterable {
  case lender
  case inTransit = "in_transit"
  case borrower
}

/// Who owns the chips that stay with the borrower.
package enum Title: String, Sendable, Hashable, CaseIterable {
  case lender
  /// Paid for, and waiting for a verdict.
  case pending
  case borrower
  /// Another lender bought the loan, and the chips with it.
  case assigned
}

/// How returned units are credited.
package enum ReturnCreditRule: String, Sendable, Hashable, CaseIterable {
  /// Outstanding principal over units still out.
  case proRataOutstanding = "pro_rata_outstanding"
  /// Stipulated values.
  case schedule
  case lowerOfMark = "lower_of_mark"
}

/// Whether a lender may sell a loan, as its listing says.
package enum Assignability: String, Sendable, Hashable, CaseIterable {
  /// The borrower is told.
  case freely
  /// The borrower is asked: silence is consent after ``LoanAssignment/consentDays``, and in default nobody asks it.
  case withConsent = "with_consent"
  case never
}

/// The lender's security interest in the chips, as filed with a registry. Its number stays with it when another lender
/// buys the loan.
package struct SecurityInterest: Sendable, Hashable {
  package var registry: String
  package var number: String
  package var filedOn: CalendarDate
  package var releasedOn: CalendarDate?

  package init(registry: String, number: String, filedOn: CalendarDate, releasedOn: CalendarDate? = nil) {
    self.registry = registry
    self.number = number
    self.filedOn = filedOn
    self.releasedOn = releasedOn
  }
}

/// What is owed on a loan, in minor units of its currency.
package struct Debt: Sendable, Hashable {
  /// Charges, penalties, and the sales tax on the fee.
  package var charges: Int64
  package var fee: Int64
  package var principal: Int64
  /// Of the charges: sales tax on the fee, at most all of them.
  package var tax: Int64

  package init(charges: Int64, fee: Int64, principal: Int64, tax: Int64 = 0) {
    self.charges = charges
    self.fee = fee
    self.principal = principal
    self.tax = tax
  }

  package static let none = Debt(charges: 0, fee: 0, principal: 0)

  package var isZero: Bool { charges == 0 && fee == 0 && principal == 0 }

  /// - Throws: `ArithmeticOverflow` past Int64.
  package func total() throws(ArithmeticOverflow) -> Int64 {
    try charges.adding(fee).adding(principal)
  }
}

/// Why a loan, or part of it, is due.
package struct LoanDue: Sendable, Hashable {
  package enum Cause: String, Sendable, Hashable, CaseIterable {
    case fundingRound = "funding_round"
    case changeOfControl = "change_of_control"
    case maturity
    /// Chips were lost: their value is due.
    case casualty
    /// A recall's notice ran out with chips still out.
    case recall
    /// Default made everything due.
    case acceleration
    /// Money that had paid it was taken back.
    case clawBack = "claw_back"
    /// A margin call ran out with something missing.
    case margin
  }

  package var cause: Cause
  /// The round or closing, the claw-back, or the margin call; the loan itself for every other cause.
  package var causeID: UUIDValue
  package var since: CalendarDate
  /// What is still due in minor units; nil when the whole debt is, whatever it grows to.
  package var amount: Int64?

  package init(cause: Cause, causeID: UUIDValue, since: CalendarDate, amount: Int64?) {
    self.cause = cause
    self.causeID = causeID
    self.since = since
    self.amount = amount
  }
}

/// Chips of one lot, lent by one lender to one startup.
package struct Loan: Sendable, Hashable {
  /// What was fixed at trade and never changes.
  package struct Terms: Sendable, Hashable {
    package let borrowerID: OrganizationID
    package let lenderID: OrganizationID
    package let lotID: LotID
    package let listingID: ListingID
    package let requestID: LoanRequestID
    package let offerID: OfferID
    package let chipModelID: ChipModelID
    package let site: Site
    package let endUse: String
    package let deliveryMode: DeliveryMode
    package let legalForm: LegalForm
    package let quantity: Int64
    package let markID: ValuationID
    package let markAmount: Money
    package let advanceRate: BasisPoints
    /// `quantity x mark x advance rate`, never re-marked.
    package let principal: Money
    package let rate: BasisPoints
    package let dayCount: DayCountConvention
    package let returnCredit: ReturnCreditRule
    package let repayment: RepaymentTerms
    /// Rank in the waterfall; 1 is paid first. Lenders accede to it at acceptance.
    package let rank: Int64
    package let tradeOn: CalendarDate
    package let termDays: Int64
    package let maturesOn: CalendarDate
    package let recallNoticeDays: Int64?
    package let assignability: Assignability
    package let penalty: PenaltyTerms
    /// How the maturity was moved at trade, and how notices are counted.
    package let businessDay: BusinessDayConvention
    /// nil: the fee bears no tax lines.
    package let tax: TaxTerms?
    /// What must stand behind the debt; nil where the lender asked for nothing.
    package let margin: MarginTerms?

    package init(
      borrowerID: OrganizationID, lenderID: OrganizationID, lotID: LotID, listingID: ListingID,
      requestID: LoanRequestID, offerID: OfferID, chipModelID: ChipModelID, site: Site, endUse: String,
      deliveryMode: DeliveryMode, legalForm: LegalForm, quantity: Int64, markID: ValuationID, markAmount: Money,
      advanceRate: BasisPoints, principal: Money, rate: BasisPoints, dayCount: DayCountConvention,
      returnCredit: ReturnCreditRule, repayment: RepaymentTerms, rank: Int64, tradeOn: CalendarDate, termDays: Int64,
      maturesOn: CalendarDate, recallNoticeDays: Int64?, assignability: Assignability = .withConsent,
      penalty: PenaltyTerms = .none, businessDay: BusinessDayConvention = .unadjusted, tax: TaxTerms? = nil,
      margin: MarginTerms? = nil
    ) {
      self.margin = margin
      self.assignability = assignability
      self.tax = tax
      self.penalty = penalty
      self.businessDay = businessDay
      self.borrowerID = borrowerID
      self.lenderID = lenderID
      self.lotID = lotID
      self.listingID = listingID
      self.requestID = requestID
      self.offerID = offerID
      self.chipModelID = chipModelID
      self.site = site
      self.endUse = endUse
      self.deliveryMode = deliveryMode
      self.legalForm = legalForm
      self.quantity = quantity
      self.markID = markID
      self.markAmount = markAmount
      self.advanceRate = advanceRate
      self.principal = principal
      self.rate = rate
      self.dayCount = dayCount
      self.returnCredit = returnCredit
      self.repayment = repayment
      self.rank = rank
      self.tradeOn = tradeOn
      self.termDays = termDays
      self.maturesOn = maturesOn
      self.recallNoticeDays = recallNoticeDays
    }
  }

  package let id: LoanID
  package let terms: Terms
  package internal(set) var state: LoanState
  package internal(set) var closedAs: LoanEnding?
  /// Units with the borrower.
  package internal(set) var unitsOut: Int64
  /// Units on the way back or in inspection: still part of the debt.
  package internal(set) var unitsReturning: Int64
  package internal(set) var unitsReturned: Int64
  /// Units whose title passed.
  package internal(set) var unitsOwned: Int64
  package internal(set) var outstanding: Debt
  /// All fee posted since delivery, in minor units.
  package var feeAccruedTotal: Int64
  /// What rounding left over: a numerator over `10,000 x 360` or `x 365`, carried into the next accrual.
  package var accrualResidue: Int64
  /// The fee is posted for all days before this one; nil until delivery is accepted.
  package var accruedThrough: CalendarDate?
  package internal(set) var due: LoanDue?
  package internal(set) var possession: Possession
  package internal(set) var title: Title
  package internal(set) var securityInterest: SecurityInterest?
  package internal(set) var dispatchedOn: CalendarDate?
  package internal(set) var deliveredOn: CalendarDate?
  package internal(set) var closedOn: CalendarDate?
  /// What happened to it beside its state.
  package internal(set) var life: LoanLife
  package var version: Int64
  package let createdAt: Instant
  package var updatedAt: Instant

  /// A loan as agreed.
  package init(id: LoanID, terms: Terms, createdAt: Instant) {
    self.init(
      id: id, terms: terms, state: .agreed, closedAs: nil, unitsOut: 0, unitsReturning: 0, unitsReturned: 0,
      unitsOwned: 0, outstanding: .none, feeAccruedTotal: 0, accrualResidue: 0, accruedThrough: nil, due: nil,
      possession: .lender, title: .lender, securityInterest: nil, dispatchedOn: nil, deliveredOn: nil, closedOn: nil,
      version: 1, createdAt: createdAt, updatedAt: createdAt)
  }

  /// A loan as stored.
  package init(
    id: LoanID, terms: Terms, state: LoanState, closedAs: LoanEnding?, unitsOut: Int64, unitsReturning: Int64,
    unitsReturned: Int64, unitsOwned: Int64, outstanding: Debt, feeAccruedTotal: Int64, accrualResidue: Int64,
    accruedThrough: CalendarDate?, due: LoanDue?, possession: Possession, title: Title,
    securityInterest: SecurityInterest?, dispatchedOn: CalendarDate?, deliveredOn: CalendarDate?,
    closedOn: CalendarDate?, life: LoanLife = LoanLife(), version: Int64, createdAt: Instant, updatedAt: Instant
  ) {
    self.id = id
    self.terms = terms
    self.state = state
    self.closedAs = closedAs
    self.unitsOut = unitsOut
    self.unitsReturning = unitsReturning
    self.unitsReturned = unitsReturned
    self.unitsOwned = unitsOwned
    self.outstanding = outstanding
    self.feeAccruedTotal = feeAccruedTotal
    self.accrualResidue = accrualResidue
    self.accruedThrough = accruedThrough
    self.due = due
    self.possession = possession
    self.title = title
    self.securityInterest = securityInterest
    self.dispatchedOn = dispatchedOn
    self.deliveredOn = deliveredOn
    self.closedOn = closedOn
    self.life = life
    self.version = version
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }

  package var currency: Currency { terms.principal.currency }

  /// Delivered and not ended: the fee accrues, and money can be taken on it.
  package var isRunning: Bool {
    switch state {
    case .active, .due, .overdue, .defaulted, .recalled, .frozen, .reinstated: true
    case .agreed, .inTransit, .titlePending, .closed: false
    }
  }

  /// What of the debt may be collected now: nothing before it is due, all of it or the due amount after.
  package var collectable: Debt {
    guard isRunning, let due else { return .none }
    guard let amount = due.amount else { return outstanding }
    let charges = min(outstanding.charges, amount)
    let fee = min(outstanding.fee, amount - charges)
    var part = outstanding.ofCharges(charges)
    (part.fee, part.principal) = (fee, min(outstanding.principal, amount - charges - fee))
    return part
  }
}

extension Loan {
  /// Whether nothing but the posting of a fee lies between the two.
  package func isAccrual(of before: Loan) -> Bool {
    var after = before
    after.outstanding.fee = outstanding.fee
    after.feeAccruedTotal = feeAccruedTotal
    after.accrualResidue = accrualResidue
    after.accruedThrough = accruedThrough
    after.version = version
    after.updatedAt = updatedAt
    return after == self
  }
}
