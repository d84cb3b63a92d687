import Catalogue
import Interest
import Parties
import Primitives
import Valuation

/// The legal form of a loan of chips.
package enum LegalForm: String, Sendable, Hashable, CaseIterable {
  /// The lender keeps title until the option is exercised by payment in full.
  case leasePurchaseOption = "lease_purchase_option"
  /// The lender sells against payment over time and keeps a security interest.
  case securedSale = "secured_sale"
}

/// How a loan is repaid.
package enum RepaymentPattern: String, Sendable, Hashable, CaseIterable {
  /// By a share of each qualifying funding round.
  case roundSweep = "round_sweep"
  /// In one sum at maturity.
  case bullet
}

/// Life cycle of a listing.
package enum ListingState: String, Sendable, Hashable, CaseIterable {
  /// -> paused, exhausted, withdrawn, expired
  case open
  /// -> open, exhausted (nothing remains), withdrawn, expired
  case paused
  /// Nothing remains; a lapsed offer reopens it -> open, paused (so that none does), withdrawn, expired
  case exhausted
  /// Final.
  case withdrawn
  /// Final.
  case expired
}

/// A standing offer to lend from a lot.
package struct Listing: Sendable, Hashable {
  /// Whom the lender takes as a debtor.
  package struct Eligibility: Sendable, Hashable {
    /// Any when nil.
    package var creditGrades: [String]?
    package var jurisdictions: [CountryCode]?
    /// Largest outstanding principal to one startup.
    package var maxExposure: Money?

    package init(creditGrades: [String]? = nil, jurisdictions: [CountryCode]? = nil, maxExposure: Money? = nil) {
      self.creditGrades = creditGrades
      self.jurisdictions = jurisdictions
      self.maxExposure = maxExposure
    }
  }

  package let id: ListingID
  package let lenderID: OrganizationID
  package let lotID: LotID
  package let chipModelID: ChipModelID
  package let site: Site
  package let quantity: Int64
  /// Not yet reserved or lent.
  package internal(set) var remaining: Int64
  /// Least units to one borrower.
  package let minQuantity: Int64
  /// How units that come back early are credited.
  package let returnCredit: ReturnCreditRule
  /// Whether a loan of it may be sold on.
  package let assignability: Assignability
  package let penalty: PenaltyTerms
  /// How the maturity of its loans is moved that is no business day.
  package let businessDay: BusinessDayConvention
  /// Which taxes the fee of its loans bears; nil for no tax lines.
  package let tax: TaxTerms?
  /// What must stand behind the debt of its loans; nil for nothing.
  package let margin: MarginTerms.Listed?
  package let multipleOf: Int64
  /// A year, on outstanding principal.
  package let askRate: BasisPoints
  package let minTermDays: Int64
  package let maxTermDays: Int64
  package let legalForm: LegalForm
  package let deliveryModes: [DeliveryMode]
  /// Share of the frozen mark that is principal.
  package let advanceRate: BasisPoints
  package let repaymentPatterns: [RepaymentPattern]
  /// Notice of recall in days, where recall is contracted.
  package let recallNoticeDays: Int64?
  package let eligibility: Eligibility
  package let validUntil: Instant?
  package let availableOn: CalendarDate
  /// Order of arrival among all orders of the market; time priority.
  package let sequence: Int64
  package internal(set) var state: ListingState
  package var version: Int64
  package let createdAt: Instant
  package var updatedAt: Instant

  package init(
    id: ListingID, lot: Lot, quantity: Int64, remaining: Int64, minQuantity: Int64, askRate: BasisPoints,
    minTermDays: Int64, maxTermDays: Int64, legalForm: LegalForm, deliveryModes: [DeliveryMode],
    advanceRate: BasisPoints, repaymentPatterns: [RepaymentPattern], recallNoticeDays: Int64?, eligibility: Eligibility,
    validUntil: Instant?, sequence: Int64, state: ListingState, version: Int64 = 1, createdAt: Instant,
    updatedAt: Instant, returnCredit: ReturnCreditRule = .proRataOutstanding,
    assignability: Assignability = .withConsent, penalty: PenaltyTerms = .none,
    businessDay: BusinessDayConvention = .unadjusted, tax: TaxTerms? = nil, margin: MarginTerms.Listed? = nil
  ) {
    self.init(
      id: id, lenderID: lot.lenderID, lotID: lot.id, chipModelID: lot.chipModelID, site: lot.site, quantity: quantity,
      remaining: remaining, minQuantity: minQuantity, multipleOf: lot.multipleOf, askRate: askRate,
      minTermDays: minTermDays, maxTermDays: maxTermDays, legalForm: legalForm, deliveryModes: deliveryModes,
      advanceRate: advanceRate, repaymentPatterns: repaymentPatterns, recallNoticeDays: recallNoticeDays,
      eligibility: eligibility, validUntil: validUntil, availableOn: lot.availableOn, sequence: sequence, state: state,
      version: version, createdAt: createdAt, updatedAt: updatedAt, returnCredit: returnCredit,
      assignability: assignability, penalty: penalty, businessDay: businessDay, tax: tax, margin: margin)
  }

  /// A listing as stored.
  package init(
    id: ListingID, lenderID: OrganizationID, lotID: LotID, chipModelID: ChipModelID, site: Site, quantity: Int64,
    remaining: Int64, minQuantity: Int64, multipleOf: Int64, askRate: BasisPoints, minTermDays: Int64,
    maxTermDays: Int64, legalForm: LegalForm, deliveryModes: [DeliveryMode], advanceRate: BasisPoints,
    repaymentPatterns: [RepaymentPattern], recallNoticeDays: Int64?, eligibility: Eligibility, validUntil: Instant?,
    availableOn: CalendarDate, sequence: Int64, state: ListingState, version: Int64, createdAt: Instant,
    updatedAt: Instant, returnCredit: ReturnCreditRule = .proRataOutstanding,
    assignability: Assignability = .withConsent, penalty: PenaltyTerms = .none,
    businessDay: BusinessDayConvention = .unadjusted, tax: TaxTerms? = nil, margin: MarginTerms.Listed? = nil
  ) {
    self.penalty = penalty
    self.businessDay = businessDay
    self.tax = tax
    self.margin = margin
    self.returnCredit = returnCredit
    self.assignability = assignability
    self.id = id
    self.lenderID = lenderID
    self.lotID = lotID
    self.chipModelID = chipModelID
    self.site = site
    self.quantity = quantity
    self.remaining = remaining
    self.minQuantity = minQuantity
    self.multipleOf = multipleOf
    self.askRate = askRate
    self.minTermDays = minTermDays
    self.maxTermDays = maxTermDays
    self.legalForm = legalForm
    self.deliveryModes = deliveryModes
    self.advanceRate = advanceRate
    self.repaymentPatterns = repaymentPatterns
    self.recallNoticeDays = recallNoticeDays
    self.eligibility = eligibility
    self.validUntil = validUntil
    self.availableOn = availableOn
    self.sequence = sequence
    self.state = state
    self.version = version
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }
}
