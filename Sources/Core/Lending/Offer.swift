import Primitives

/// Life cycle of an offer.
package enum OfferState: String, Sendable, Hashable, CaseIterable {
  /// -> accepted, declined, lapsed
  case pending
  /// Final: a loan was agreed.
  case accepted
  /// Final.
  case declined
  /// Final: it expired before anyone answered.
  case lapsed
}

/// A match with chips reserved until it expires. It freezes the mark of the chip.
package struct Offer: Sendable, Hashable {
  package let id: OfferID
  package let borrowerID: OrganizationID
  package let lenderID: OrganizationID
  package let requestID: LoanRequestID
  package let listingID: ListingID
  package let lotID: LotID
  package let roundID: MatchRoundID
  package let chipModelID: ChipModelID
  package let quantity: Int64
  package let rate: BasisPoints
  package let markID: ValuationID
  /// The mark of one chip at the round.
  package let markAmount: Money
  package let markSource: String
  package let advanceRate: BasisPoints
  package let expiresAt: Instant
  package internal(set) var state: OfferState
  package var loanID: LoanID?
  package var version: Int64
  package let createdAt: Instant
  package var updatedAt: Instant

  package init(
    id: OfferID, borrowerID: OrganizationID, lenderID: OrganizationID, requestID: LoanRequestID, listingID: ListingID,
    lotID: LotID, roundID: MatchRoundID, chipModelID: ChipModelID, quantity: Int64, rate: BasisPoints,
    markID: ValuationID, markAmount: Money, markSource: String, advanceRate: BasisPoints, expiresAt: Instant,
    state: OfferState = .pending, loanID: LoanID? = nil, version: Int64 = 1, createdAt: Instant, updatedAt: Instant
  ) {
    self.id = id
    self.borrowerID = borrowerID
    self.lenderID = lenderID
    self.requestID = requestID
    self.listingID = listingID
    self.lotID = lotID
    self.roundID = roundID
    self.chipModelID = chipModelID
    self.quantity = quantity
    self.rate = rate
    self.markID = markID
    self.markAmount = markAmount
    self.markSource = markSource
    self.advanceRate = advanceRate
    self.expiresAt = expiresAt
    self.state = state
    self.loanID = loanID
    self.version = version
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }

  /// `quantity x frozen mark x advance rate`, rounded half-even once, to the minor unit.
  package func principal() throws(ArithmeticOverflow) -> Money {
    try markAmount.multiplied(by: quantity).scaled(by: advanceRate, rounding: .halfEven)
  }

  /// Ends it one way or the other.
  /// - Throws: `offerLapsed` when it expired before now, `illegalState` when it is no longer pending.
  package mutating func conclude(_ outcome: OfferState, at now: Instant) throws(LendingRefusal) {
    guard state == .pending, outcome != .pending else {
      throw .illegalState(object: "offer", state: state.rawValue, act: outcome.rawValue)
    }
    if outcome == .lapsed {
      guard now >= expiresAt else { throw .offerNotExpired(expiresAt) }
    } else {
      guard now < expiresAt else { throw .offerLapsed(expiresAt) }
    }
    state = outcome
  }
}
