import Primitives

/// Money on account in one currency that a bank turned into another. One person states what the bank did, another approves;
/// only then it is booked, and what it became is a receipt of its own that pays what is due in its currency.
package struct CashConversion: Sendable, Hashable {
  package enum State: String, Sendable, Hashable, CaseIterable {
    /// -> approved, rejected
    case proposed
    /// Booked. Final.
    case approved
    /// Final.
    case rejected
  }

  package let id: CashConversionID
  /// Whose money it is.
  package let organizationID: OrganizationID
  /// The receipt of which a part was left over.
  package let receiptID: CashReceiptID
  package let amount: Money
  /// What the bank credited, in another currency.
  package let into: Money
  package let convertedOn: CalendarDate
  /// The day's approved rate, as text, against which the bank's was looked at.
  package let marketRate: String
  /// Where the bank's confirmation is.
  package let evidence: String
  package private(set) var state: State
  package let proposedBy: PersonID
  package private(set) var decidedBy: PersonID?
  package private(set) var decidedAt: Instant?
  /// Why it was rejected.
  package private(set) var reason: String?
  package private(set) var intoReceiptID: CashReceiptID?
  package var version: Int64
  package let createdAt: Instant
  package var updatedAt: Instant

  package init(
    id: CashConversionID, organizationID: OrganizationID, receiptID: CashReceiptID, amount: Money, into: Money,
    convertedOn: CalendarDate, marketRate: String, evidence: String, state: State = .proposed, proposedBy: PersonID,
    decidedBy: PersonID? = nil, decidedAt: Instant? = nil, reason: String? = nil, intoReceiptID: CashReceiptID? = nil,
    version: Int64 = 1, createdAt: Instant, updatedAt: Instant
  ) {
    self.id = id
    self.organizationID = organizationID
    self.receiptID = receiptID
    self.amount = amount
    self.into = into
    self.convertedOn = convertedOn
    self.marketRate = marketRate
    self.evidence = evidence
    self.state = state
    self.proposedBy = proposedBy
    self.decidedBy = decidedBy
    self.decidedAt = decidedAt
    self.reason = reason
    self.intoReceiptID = intoReceiptID
    self.version = version
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }

  /// - Throws: `ConversionRefusal.illegalState` unless it is proposed.
  package mutating func approve(
    by person: PersonID, as receipt: CashReceiptID, at now: Instant
  ) throws(ConversionRefusal) {
    guard state == .proposed else { throw .illegalState(state, act: "approved") }
    state = .approved
    decidedBy = person
    decidedAt = now
    intoReceiptID = receipt
  }

  /// - Throws: `ConversionRefusal.illegalState` unless it is proposed.
  package mutating func reject(by person: PersonID, reason: String, at now: Instant) throws(ConversionRefusal) {
    guard state == .proposed else { throw .illegalState(state, act: "rejected") }
    state = .rejected
    decidedBy = person
    decidedAt = now
    self.reason = reason
  }

  /// How far a bank's own rate may lie from the day's: its margin, and a slip of the keyboard is further off.
  package static let mostDeviation = BasisPoints(300)

  /// Looks at what the bank gave against the day's rate.
  /// - Parameter rate: between the two currencies.
  /// - Returns: what the day's rate would have given, to the nearest minor unit, ties to even.
  /// - Throws: `ConversionRefusal.rateTooFar` for more than `mostDeviation` either way; `RepaymentRefusal` past Int64 as the
  ///   rate does.
  package static func expected(of amount: Money, into: Money, at rate: FXRate) throws -> Money {
    let expected = try rate.convert(amount, rounding: .halfEven)
    let difference = (Int128(into.amount) - Int128(expected.amount)).magnitude
    // One minor unit is always within: small amounts round far.
    guard difference <= 1 || difference * 10_000 <= UInt128(expected.amount.magnitude) * UInt128(mostDeviation.value)
    else { throw ConversionRefusal.rateTooFar(given: into, expected: expected, rate: rate.description) }
    return expected
  }
}

/// Why money is not converted.
package enum ConversionRefusal: Refusal, Hashable {
  case illegalState(CashConversion.State, act: String)
  /// Nobody knows whose it is.
  case inSuspense
  /// It is what a lender paid beyond what it owed, and leaves with its next payout.
  case paidAClaim
  case sameCurrency(Currency)
  case otherCurrency(Currency, receipt: Currency)
  case moreThanLeft(Money, left: Money)
  case dateAhead(CalendarDate, today: CalendarDate)
  case beforeReceipt(CalendarDate, receivedOn: CalendarDate)
  case rateTooFar(given: Money, expected: Money, rate: String)

  package var kind: RefusalKind {
    switch self {
    case .illegalState, .inSuspense, .paidAClaim, .moreThanLeft, .rateTooFar: .conflict
    case .sameCurrency, .otherCurrency, .dateAhead, .beforeReceipt: .invalid
    }
  }

  package var code: String {
    switch self {
    case .illegalState: "conversion.illegal_state"
    case .inSuspense: "conversion.in_suspense"
    case .paidAClaim: "conversion.paid_a_claim"
    case .sameCurrency: "conversion.same_currency"
    case .otherCurrency: "conversion.other_currency"
    case .moreThanLeft: "conversion.more_than_left"
    case .dateAhead: "conversion.date_ahead"
    case .beforeReceipt: "conversion.before_receipt"
    case .rateTooFar: "conversion.rate_too_far"
    }
  }

  package var detail: String {
    switch self {
    case .illegalState(let state, let act): "The conversion is \(state.rawValue); it cannot be \(act)."
    case .inSuspense: "The money is in suspense; it is converted once its payer is known."
    case .paidAClaim: "The money is a lender's, beyond what it owed, and leaves with its next payout."
    case .sameCurrency(let currency): "Both amounts are in \(currency)."
    case .otherCurrency(let given, let receipt): "The receipt is in \(receipt), not in \(given)."
    case .moreThanLeft(let amount, let left): "\(left) of the receipt are on account; \(amount) is more."
    case .dateAhead(let date, let today): "\(date) is after today, \(today): only what a bank has done is booked."
    case .beforeReceipt(let date, let receivedOn): "\(date) is before the money came, on \(receivedOn)."
    case .rateTooFar(let given, let expected, let rate):
      "\(given) is more than 3 % from the \(expected) that \(rate) gives."
    }
  }

  package var pointer: String? {
    switch self {
    case .illegalState, .inSuspense, .paidAClaim: nil
    case .otherCurrency, .moreThanLeft: "/amount"
    case .sameCurrency, .rateTooFar: "/into"
    case .dateAhead, .beforeReceipt: "/converted_on"
    }
  }
}
