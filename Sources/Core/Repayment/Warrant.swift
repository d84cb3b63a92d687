import Primitives

/// When warrants may be exercised.
package enum WarrantOccasion: String, Sendable, Hashable, CaseIterable {
  case anyTime = "any_time"
  /// In a verified round that meets the covenant of the loan they came with.
  case qualifyingRound = "qualifying_round"
  /// In a verified acquisition of the startup.
  case changeOfControl = "change_of_control"
}

/// The warrants that a lender asks for with a loan, as it lists them. Part of the listing from its first day.
package struct ListingWarrants: Sendable, Hashable {
  /// What a share costs, in a currency.
  package struct Strike: Sendable, Hashable {
    package let price: SharePrice
    package let currency: Currency

    package init(price: SharePrice, currency: Currency) {
      self.price = price
      self.currency = currency
    }
  }

  package let listingID: ListingID
  package let lenderID: OrganizationID
  /// Of principal, above 0 and at most 100 %.
  package let coverage: BasisPoints
  /// nil: the price of the startup's next priced round after the trade.
  package let strike: Strike?
  /// From the trade date.
  package let expiresAfterDays: Int64
  package let occasion: WarrantOccasion

  package init(
    listingID: ListingID, lenderID: OrganizationID, coverage: BasisPoints, strike: Strike?, expiresAfterDays: Int64,
    occasion: WarrantOccasion
  ) {
    self.listingID = listingID
    self.lenderID = lenderID
    self.coverage = coverage
    self.strike = strike
    self.expiresAfterDays = expiresAfterDays
    self.occasion = occasion
  }
}

/// Rights to buy shares of a startup at a fixed price, issued to the lender of a loan at its trade. They are the lender's own
/// from then on: neither the end of the loan nor its sale moves them. They are exercised whole.
package struct Warrant: Sendable, Hashable {
  package enum State: String, Sendable, Hashable, CaseIterable {
    /// -> claimed, exercised, lapsed
    case outstanding
    /// The lender says that it paid for the shares -> exercised, outstanding
    case claimed
    /// Final.
    case exercised
    /// Final.
    case lapsed
  }

  package struct Strike: Sendable, Hashable {
    package let price: SharePrice
    /// The round that it is the price of; nil where it was listed.
    package let roundID: FundingRoundID?

    package init(price: SharePrice, roundID: FundingRoundID? = nil) {
      self.price = price
      self.roundID = roundID
    }
  }

  /// How it was, or is to be, exercised.
  package struct Exercise: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
      /// Paid outside of the platform.
      case cash
      /// Without money: the gain is paid in shares.
      case net
    }

    package let kind: Kind
    /// The round or acquisition in which; nil where none is needed.
    package let roundID: FundingRoundID?
    /// Of a share in that round; nil for cash.
    package let price: SharePrice?
    /// Issued to the lender.
    package let shares: Int64
    /// What the shares cost at the strike, rounded up to the minor unit; 0 without money.
    package let cost: Int64
    /// Of the payment.
    package let evidence: String?
    package let by: PersonID
    package let on: CalendarDate
    /// Of the startup; nil until it confirms the payment, and without money.
    package internal(set) var confirmedBy: PersonID?
    package internal(set) var confirmedOn: CalendarDate?

    package init(
      kind: Kind, roundID: FundingRoundID?, price: SharePrice?, shares: Int64, cost: Int64, evidence: String?,
      by: PersonID, on: CalendarDate, confirmedBy: PersonID? = nil, confirmedOn: CalendarDate? = nil
    ) {
      self.kind = kind
      self.roundID = roundID
      self.price = price
      self.shares = shares
      self.cost = cost
      self.evidence = evidence
      self.by = by
      self.on = on
      self.confirmedBy = confirmedBy
      self.confirmedOn = confirmedOn
    }
  }

  package let id: WarrantID
  /// Whose shares.
  package let borrowerID: OrganizationID
  /// Whose right.
  package let lenderID: OrganizationID
  package let loanID: LoanID
  /// Whose terms they are of.
  package let listingID: ListingID
  package let coverage: BasisPoints
  /// `coverage` of the principal as traded, rounded down.
  package let covered: Money
  package private(set) var strike: Strike?
  /// Shares that `covered` buys at the strike, rounded down; nil until there is one.
  package private(set) var count: Int64?
  package let occasion: WarrantOccasion
  package let issuedOn: CalendarDate
  /// The last day on which they may be exercised.
  package let expiresOn: CalendarDate
  package private(set) var state: State
  package private(set) var exercise: Exercise?
  /// When they were exercised or lapsed.
  package private(set) var endedOn: CalendarDate?
  package var version: Int64
  package let createdAt: Instant
  package var updatedAt: Instant

  package init(
    id: WarrantID, borrowerID: OrganizationID, lenderID: OrganizationID, loanID: LoanID, listingID: ListingID,
    coverage: BasisPoints, covered: Money, strike: Strike?, count: Int64?, occasion: WarrantOccasion,
    issuedOn: CalendarDate, expiresOn: CalendarDate, state: State = .outstanding, exercise: Exercise? = nil,
    endedOn: CalendarDate? = nil, version: Int64 = 1, createdAt: Instant, updatedAt: Instant
  ) {
    self.id = id
    self.borrowerID = borrowerID
    self.lenderID = lenderID
    self.loanID = loanID
    self.listingID = listingID
    self.coverage = coverage
    self.covered = covered
    self.strike = strike
    self.count = count
    self.occasion = occasion
    self.issuedOn = issuedOn
    self.expiresOn = expiresOn
    self.state = state
    self.exercise = exercise
    self.endedOn = endedOn
    self.version = version
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }

  /// Issues the warrants of a principal by listed terms.
  /// - Parameter coverage: of the terms, or less.
  /// - Throws: `WarrantRefusal.otherCurrency` where the strike is not in the principal's currency; `overflow` for dates
  ///   and counts that do not fit.
  package init(
    _ id: WarrantID, of principal: Money, by terms: ListingWarrants, coverage: BasisPoints, to lender: OrganizationID,
    from borrower: OrganizationID, with loan: LoanID, on date: CalendarDate, at now: Instant
  ) throws(WarrantRefusal) {
    if let listed = terms.strike, listed.currency != principal.currency {
      throw .otherCurrency(listed.currency, loan: principal.currency)
    }
    guard let expiresOn = date.adding(days: terms.expiresAfterDays), principal.amount >= 0 else { throw .overflow }
    let covered: Int64
    do throws(ArithmeticOverflow) {
      covered = try (Int128(principal.amount) * Int128(coverage.value)).divided(by: 10_000, rounding: .down).asInt64()
    } catch { throw .overflow }
    self.init(
      id: id, borrowerID: borrower, lenderID: lender, loanID: loan, listingID: terms.listingID, coverage: coverage,
      covered: Money(covered, principal.currency), strike: nil, count: nil, occasion: terms.occasion, issuedOn: date,
      expiresOn: expiresOn, createdAt: now, updatedAt: now)
    if let price = terms.strike?.price { try fix(Strike(price: price)) }
  }

  private mutating func fix(_ strike: Strike) throws(WarrantRefusal) {
    do throws(RepaymentRefusal) { count = try strike.price.buys(covered.amount).shares } catch { throw .overflow }
    self.strike = strike
  }

  /// The startup's first priced round since they were issued gives them their strike. One that has a strike keeps it.
  /// - Returns: whether it has one now that it had not before.
  package mutating func take(
    _ price: SharePrice, of round: FundingRoundID, in currency: Currency, on date: CalendarDate
  ) throws(WarrantRefusal) -> Bool {
    guard state == .outstanding, strike == nil, currency == covered.currency, issuedOn <= date, date <= expiresOn else {
      return false
    }
    try fix(Strike(price: price, roundID: round))
    return true
  }

  private func require(
    _ states: State..., act: String, on date: CalendarDate? = nil
  ) throws(WarrantRefusal) {
    guard states.contains(state) else { throw .illegalState(state, act: act) }
    if let date, date > expiresOn { throw .expired(expiresOn) }
  }

  private func terms(act: String, on date: CalendarDate) throws(WarrantRefusal) -> (Strike, Int64) {
    try require(.outstanding, act: act, on: date)
    guard let strike, let count else { throw .noStrike }
    return (strike, count)
  }

  /// Exercises them without money, at the price of a round.
  /// - Throws: `warrant.illegal_state`, `.expired`, `.no_strike`, and `.no_share` where the gain buys none.
  package mutating func exercise(
    at price: SharePrice, in round: FundingRoundID, by person: PersonID, on date: CalendarDate
  ) throws(WarrantRefusal) {
    let (strike, count) = try terms(act: "exercised", on: date)
    let shares: Int64
    do throws(RepaymentRefusal) {
      shares = try WarrantTerms(coverage: coverage, strike: strike.price).netShares(count, at: price)
    } catch { throw .overflow }
    guard shares > 0 else { throw .noShare }
    exercise = Exercise(
      kind: .net, roundID: round, price: price, shares: shares, cost: 0, evidence: nil, by: person, on: date)
    state = .exercised
    endedOn = date
  }

  /// The lender says that it paid the startup for all shares at the strike.
  package mutating func claim(
    evidence: String, in round: FundingRoundID?, by person: PersonID, on date: CalendarDate
  ) throws(WarrantRefusal) {
    let (strike, count) = try terms(act: "exercised", on: date)
    guard count > 0 else { throw .noShare }
    let cost: Int64
    do throws(ArithmeticOverflow) {
      cost = try Int128(count).multiplied(by: Int128(strike.price.minorUnits))
        .divided(by: Int128(strike.price.shares), rounding: .up).asInt64()
    } catch { throw .overflow }
    exercise = Exercise(
      kind: .cash, roundID: round, price: nil, shares: count, cost: cost, evidence: evidence, by: person, on: date)
    state = .claimed
  }

  /// The startup confirms that it was paid, whenever it gets to it: the claim was in time.
  package mutating func confirm(by person: PersonID, on date: CalendarDate) throws(WarrantRefusal) {
    try require(.claimed, act: "confirmed")
    guard person != exercise?.by else { throw .samePerson }
    exercise?.confirmedBy = person
    exercise?.confirmedOn = date
    state = .exercised
    endedOn = date
  }

  /// The startup was not paid: they stand as before.
  package mutating func dispute() throws(WarrantRefusal) {
    try require(.claimed, act: "disputed")
    exercise = nil
    state = .outstanding
  }

  /// Their time is over.
  /// - Throws: `warrant.illegal_state`, and `.not_expired` on the last day and before.
  package mutating func lapse(on date: CalendarDate) throws(WarrantRefusal) {
    try require(.outstanding, act: "lapsed")
    guard date > expiresOn else { throw .notExpired(expiresOn) }
    state = .lapsed
    endedOn = date
  }
}

/// Why warrants are not issued, exercised or ended.
package enum WarrantRefusal: Refusal, Hashable {
  case illegalState(Warrant.State, act: String)
  case expired(CalendarDate)
  case notExpired(CalendarDate)
  /// It is the price of a round that has not been.
  case noStrike
  case noShare
  case otherCurrency(Currency, loan: Currency)
  /// They may be exercised on an occasion only, or at a price, and no round was named.
  case roundMissing(WarrantOccasion)
  case notTheOccasion(WarrantOccasion)
  case roundNotVerified(String)
  /// Before they were issued.
  case roundBefore(CalendarDate, issuedOn: CalendarDate)
  case tooLate(CalendarDate)
  case noPrice
  case samePerson
  case overflow

  package var kind: RefusalKind {
    switch self {
    case .roundMissing: .invalid
    case .samePerson: .forbidden
    default: .conflict
    }
  }

  package var code: String {
    switch self {
    case .illegalState: "warrant.illegal_state"
    case .expired: "warrant.expired"
    case .notExpired: "warrant.not_expired"
    case .noStrike: "warrant.no_strike"
    case .noShare: "warrant.no_share"
    case .otherCurrency: "warrant.other_currency"
    case .roundMissing: "warrant.round_missing"
    case .notTheOccasion: "warrant.not_the_occasion"
    case .roundNotVerified: "warrant.round_not_verified"
    case .roundBefore: "warrant.round_before"
    case .tooLate: "warrant.too_late"
    case .noPrice: "warrant.no_price"
    case .samePerson: "warrant.same_person"
    case .overflow: "warrant.overflow"
    }
  }

  package var detail: String {
    switch self {
    case .illegalState(let state, let act): "The warrants are \(state.rawValue); they cannot be \(act)."
    case .expired(let date): "The warrants could be exercised until \(date)."
    case .notExpired(let date): "The warrants can be exercised until \(date)."
    case .noStrike: "The strike is the price of the next priced round, and there was none since they were issued."
    case .noShare: "They buy no whole share."
    case .otherCurrency(let given, let loan): "The loan is in \(loan), not in \(given)."
    case .roundMissing(let occasion): "It takes a round; they are exercisable on \(occasion.rawValue)."
    case .notTheOccasion(let occasion): "They are exercisable on \(occasion.rawValue); the round is none."
    case .roundNotVerified(let state): "The round is \(state); only in a verified one they are exercised."
    case .roundBefore(let date, let issuedOn): "The round is of \(date); they were issued on \(issuedOn)."
    case .tooLate(let date): "In that round they could be exercised until \(date)."
    case .noPrice: "The round states no price of a share."
    case .samePerson: "Who says that the shares were paid for does not confirm it."
    case .overflow: "The numbers do not fit."
    }
  }

  package var pointer: String? {
    switch self {
    case .roundMissing, .notTheOccasion, .roundNotVerified, .roundBefore, .tooLate, .noPrice: "/funding_round_id"
    default: nil
    }
  }
}
