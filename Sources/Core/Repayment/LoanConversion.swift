import Primitives

/// What a lender asks of a loan beside its fee, as it lists it: the right to take shares of a priced round in place of cash.
/// Part of the listing from its first day, so that whoever accepts an offer of it has agreed to it.
package struct ListingOptions: Sendable, Hashable {
  package let listingID: ListingID
  package let lenderID: OrganizationID
  /// Valuation at most, above 0; nil for uncapped. A round in another currency does not know it.
  package let cap: Money?
  /// 0 to below 100 %.
  package let discount: BasisPoints
  /// Of the debt, above 0 and at most 100 %.
  package let share: BasisPoints

  package init(
    listingID: ListingID, lenderID: OrganizationID, cap: Money?, discount: BasisPoints, share: BasisPoints
  ) {
    self.listingID = listingID
    self.lenderID = lenderID
    self.cap = cap
    self.discount = discount
    self.share = share
  }
}

/// The price of a round's shares, as its startup reports it and the platform verifies it.
package struct RoundPricing: Sendable, Hashable {
  /// In minor units of the round's currency.
  package let price: SharePrice
  /// Shares, fully diluted, before the round: over them a cap is spread. Above 0.
  package let capitalisation: Int64

  /// - Throws: `RepaymentRefusal.notPositive`.
  package init(price: SharePrice, capitalisation: Int64) throws(RepaymentRefusal) {
    guard capitalisation > 0 else { throw .notPositive(what: "capitalisation", capitalisation) }
    self.price = price
    self.capitalisation = capitalisation
  }
}

/// Debt of a loan that its lender took shares for, with all that the count was computed from.
package struct LoanConversion: Sendable, Hashable {
  package let id: LoanConversionID
  package let borrowerID: OrganizationID
  package let lenderID: OrganizationID
  package let loanID: LoanID
  package let roundID: FundingRoundID
  package let options: ListingOptions
  package let pricing: RoundPricing
  package let currency: Currency
  /// What the lender asked to convert, minor units.
  package let amount: Int64
  /// Whole shares, rounded down.
  package let shares: Int64
  /// What the shares cost, rounded up to the minor unit: the debt falls by it. The rest of `amount` stays owed.
  package let converted: Int64
  package let basis: Conversion.Basis
  package let convertedBy: PersonID
  package let convertedOn: CalendarDate
  package let recordedAt: Instant

  package init(
    id: LoanConversionID, borrowerID: OrganizationID, lenderID: OrganizationID, loanID: LoanID,
    roundID: FundingRoundID, options: ListingOptions, pricing: RoundPricing, currency: Currency, amount: Int64,
    shares: Int64, converted: Int64, basis: Conversion.Basis, convertedBy: PersonID, convertedOn: CalendarDate,
    recordedAt: Instant
  ) {
    self.id = id
    self.borrowerID = borrowerID
    self.lenderID = lenderID
    self.loanID = loanID
    self.roundID = roundID
    self.options = options
    self.pricing = pricing
    self.currency = currency
    self.amount = amount
    self.shares = shares
    self.converted = converted
    self.basis = basis
    self.convertedBy = convertedBy
    self.convertedOn = convertedOn
    self.recordedAt = recordedAt
  }

  /// Computes it anew from what it was computed from.
  /// - Throws: `RepaymentRefusal` as `Conversion` does.
  package static func compute(
    _ amount: Int64, options: ListingOptions, pricing: RoundPricing
  ) throws(RepaymentRefusal) -> Conversion {
    try Conversion(
      amount, terms: ConversionTerms(cap: options.cap?.amount, discount: options.discount), roundPrice: pricing.price,
      capitalisation: pricing.capitalisation)
  }

  package var isReproduced: Bool {
    guard let again = try? Self.compute(amount, options: options, pricing: pricing) else { return false }
    return again.shares == shares && again.converted == converted && again.basis == basis
  }
}

/// Why no debt is turned into shares.
package enum EquityRefusal: Refusal, Hashable {
  case noOption
  /// The round has no verified price, or is not of shares.
  case noPrice
  case otherCurrency(Currency, round: Currency)
  case notVerified(String)
  case tradedAfter(CalendarDate, verifiedOn: CalendarDate)
  case tooLate(CalendarDate)
  case moreThanShare(Int64, left: Int64)
  case lessThanShare

  package var kind: RefusalKind { self == .lessThanShare ? .invalid : .conflict }

  package var code: String {
    switch self {
    case .noOption: "equity.no_option"
    case .noPrice: "equity.no_price"
    case .otherCurrency: "equity.other_currency"
    case .notVerified: "equity.round_not_verified"
    case .tradedAfter: "equity.traded_after"
    case .tooLate: "equity.too_late"
    case .moreThanShare: "equity.more_than_share"
    case .lessThanShare: "equity.less_than_share"
    }
  }

  package var detail: String {
    switch self {
    case .noOption: "The loan was agreed without a right to convert."
    case .noPrice: "The round states no price of a share and no capitalisation, or is not a priced one."
    case .otherCurrency(let loan, let round): "The loan or its cap is in \(loan), the round in \(round)."
    case .notVerified(let state): "The round is \(state); only a verified one is converted in."
    case .tradedAfter(let trade, let date): "The loan was traded on \(trade), after the round of \(date)."
    case .tooLate(let date): "Shares could be taken until \(date)."
    case .moreThanShare(let amount, let left): "\(left) minor units may be converted; \(amount) are more."
    case .lessThanShare: "The amount buys no whole share."
    }
  }

  package var pointer: String? {
    switch self {
    case .moreThanShare, .lessThanShare: "/amount"
    case .noPrice, .otherCurrency, .notVerified, .tradedAfter, .tooLate: "/funding_round_id"
    case .noOption: nil
    }
  }
}
