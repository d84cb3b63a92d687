import Catalogue
import Ledger
import Lending
import Parties
import Primitives
import Testing

/// Lots, listings, requests, offers and loans as the tests need them; every default is an ordinary value.
enum LendingFixtures {
  static let lender = OrganizationID(UUIDValue(high: 1, low: 1))
  static let borrower = OrganizationID(UUIDValue(high: 1, low: 2))
  static let lotID = LotID(UUIDValue(high: 2, low: 1))
  static let listingID = ListingID(UUIDValue(high: 3, low: 1))
  static let requestID = LoanRequestID(UUIDValue(high: 4, low: 1))
  static let offerID = OfferID(UUIDValue(high: 5, low: 1))
  static let loanID = LoanID(UUIDValue(high: 6, low: 1))
  static let markID = ValuationID(UUIDValue(high: 7, low: 1))
  static let roundID = MatchRoundID(UUIDValue(high: 8, low: 1))
  static let quantity: Int64 = 512

  static func day(_ text: String) throws -> CalendarDate { try #require(CalendarDate(text)) }
  static func time(_ text: String) throws -> Instant { try #require(Instant(text)) }
  static func chip(_ name: String = "nvidia-a800-sxm4-80") throws -> ChipModelID { try #require(ChipModelID(name)) }
  static func site() throws -> Site { Site(country: try #require(CountryCode("CN")), region: "CN-north") }

  static func lot(
    quantity: Int64 = 2_000, multipleOf: Int64 = 8, custody: [CustodyState: Int64]? = nil, listed: Int64 = 0,
    availableOn: CalendarDate? = nil
  ) throws -> Lot {
    Lot(
      id: lotID, lenderID: lender, chipModelID: try chip(), quantity: quantity, site: try site(),
      availableOn: try availableOn ?? day("2026-01-01"), multipleOf: multipleOf, serials: [], unitCost: nil,
      custody: custody ?? [.available: quantity], listed: listed, createdAt: .epoch, updatedAt: .epoch)
  }

  static func listing(
    state: ListingState = .open, quantity: Int64 = 1_024, remaining: Int64? = nil, minQuantity: Int64 = 64,
    validUntil: Instant? = nil
  ) throws -> Listing {
    Listing(
      id: listingID, lot: try lot(), quantity: quantity, remaining: remaining ?? quantity, minQuantity: minQuantity,
      askRate: BasisPoints(1_200), minTermDays: 30, maxTermDays: 720, legalForm: .leasePurchaseOption,
      deliveryModes: [.physical], advanceRate: BasisPoints(8_000), repaymentPatterns: [.roundSweep],
      recallNoticeDays: nil, eligibility: Listing.Eligibility(), validUntil: validUntil, sequence: 1, state: state,
      createdAt: .epoch, updatedAt: .epoch)
  }

  static func repayment() -> RepaymentTerms {
    RepaymentTerms(
      pattern: .roundSweep, leastAmount: Money(1_000_000_000, .usd), leastPostMoney: nil, sweep: BasisPoints(3_000))
  }

  static func request(
    state: LoanRequestState = .open, offered: Int64 = 0, matched: Int64 = 0, validUntil: Instant? = nil
  ) throws -> LoanRequest {
    LoanRequest(
      id: requestID, borrowerID: borrower, workload: .training, endUse: "training of a language model",
      quantity: quantity, minQuantity: 64, multipleOf: 8, sameModel: true, sameSite: false, maxLenders: nil,
      acceptable: [AcceptableChip(choice: .model(try chip()), maxRate: BasisPoints(1_500))], regions: ["CN-north"],
      termDays: 360, startOn: try day("2026-02-01"), startByOn: try day("2026-03-01"), deliveryMode: .physical,
      repayment: repayment(), autoAccept: false, validUntil: validUntil, sequence: 2, offered: offered,
      matched: matched, state: state, createdAt: .epoch, updatedAt: .epoch)
  }

  static func offer(
    state: OfferState = .pending, quantity: Int64 = quantity, mark: Int64 = 1_000_000,
    advanceRate: BasisPoints = BasisPoints(8_000), expiresAt: Instant
  ) throws -> Offer {
    Offer(
      id: offerID, borrowerID: borrower, lenderID: lender, requestID: requestID, listingID: listingID, lotID: lotID,
      roundID: roundID, chipModelID: try chip(), quantity: quantity, rate: BasisPoints(1_400), markID: markID,
      markAmount: Money(mark, .usd), markSource: "market survey", advanceRate: advanceRate, expiresAt: expiresAt,
      state: state, createdAt: .epoch, updatedAt: .epoch)
  }

  static func terms(
    principal: Int64 = 409_600_000, quantity: Int64 = quantity, penalty: PenaltyTerms = .none
  ) throws -> Loan.Terms {
    Loan.Terms(
      borrowerID: borrower, lenderID: lender, lotID: lotID, listingID: listingID, requestID: requestID,
      offerID: offerID, chipModelID: try chip(), site: try site(), endUse: "training of a language model",
      deliveryMode: .physical, legalForm: .leasePurchaseOption, quantity: quantity, markID: markID,
      markAmount: Money(1_000_000, .usd), advanceRate: BasisPoints(8_000), principal: Money(principal, .usd),
      rate: BasisPoints(1_400), dayCount: .act360, returnCredit: .proRataOutstanding, repayment: repayment(), rank: 1,
      tradeOn: try day("2026-02-01"), termDays: 360, maturesOn: try day("2027-01-27"), recallNoticeDays: 30,
      penalty: penalty)
  }

  /// A loan as agreed.
  static func agreed(principal: Int64 = 409_600_000) throws -> Loan {
    Loan(id: loanID, terms: try terms(principal: principal), createdAt: .epoch)
  }

  /// A loan whose delivery was accepted on 2026-02-11.
  static func delivered(principal: Int64 = 409_600_000) throws -> Loan {
    var loan = try agreed(principal: principal)
    try loan.dispatch(on: day("2026-02-03"))
    try loan.acceptDelivery(on: day("2026-02-11"))
    return loan
  }

  /// A loan as it might be stored in any state: units everywhere and something of each part owed.
  static func stored(
    _ state: LoanState, outstanding: Debt = Debt(charges: 10, fee: 20, principal: 1_000), unitsOut: Int64 = 384,
    unitsReturning: Int64 = 64, unitsReturned: Int64 = 64, due: LoanDue? = nil, closedAs: LoanEnding? = nil,
    life: LoanLife = LoanLife(), penalty: PenaltyTerms = .none
  ) throws -> Loan {
    Loan(
      id: loanID, terms: try terms(penalty: penalty), state: state, closedAs: closedAs, unitsOut: unitsOut,
      unitsReturning: unitsReturning, unitsReturned: unitsReturned, unitsOwned: 0, outstanding: outstanding,
      feeAccruedTotal: 20, accrualResidue: 0, accruedThrough: try day("2026-02-11"), due: due, possession: .borrower,
      title: .lender, securityInterest: nil, dispatchedOn: nil, deliveredOn: nil, closedOn: nil, life: life,
      version: 1, createdAt: .epoch, updatedAt: .epoch)
  }

  /// A claim for an amount, or for the whole debt when it is nil.
  static func claim(_ amount: Int64?, since: String = "2026-06-01", cause: LoanDue.Cause = .fundingRound) throws
    -> LoanDue
  {
    LoanDue(cause: cause, causeID: UUIDValue(high: 9, low: 1), since: try day(since), amount: amount)
  }
}
