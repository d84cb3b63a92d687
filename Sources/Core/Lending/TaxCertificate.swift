import Primitives

/// Tax that a borrower kept back of a fee that it paid across a border, and remitted to its authority, whose certificate
/// says so. The borrower records it; only when a person of the staff has confirmed it is it booked.
package struct TaxCertificate: Sendable, Hashable {
  package enum State: String, Sendable, Hashable, CaseIterable {
    /// -> confirmed, rejected
    case proposed
    /// Booked. Final.
    case confirmed
    /// Final; the same certificate may be recorded again.
    case rejected
  }

  /// What a confirmation booked.
  package struct Booking: Sendable, Hashable {
    package let entryID: JournalEntryID
    package let on: CalendarDate
    /// What was discharged without cash, minor units; both 0 where the tax came on top of the fee.
    package let fee: Int64
    package let principal: Int64

    package init(entryID: JournalEntryID, on: CalendarDate, fee: Int64, principal: Int64) {
      self.entryID = entryID
      self.on = on
      self.fee = fee
      self.principal = principal
    }
  }

  package let id: TaxCertificateID
  package let borrowerID: OrganizationID
  package let lenderID: OrganizationID
  package let loanID: LoanID
  /// Of the borrower, whose tax it is.
  package let jurisdiction: CountryCode
  /// Whether the lender has its whole fee: then the tax comes on top of it.
  package let isGrossedUp: Bool
  /// The fee paid in cash that it relates to; above 0.
  package let fee: Money
  /// Above 0, in the fee's currency.
  package let withheld: Money
  /// When the authority was paid.
  package let paidOn: CalendarDate
  package let authority: String
  /// The authority's own, so that one certificate counts once.
  package let reference: String
  /// The rule that held on that day, and its rate.
  package let ruleID: ReferenceEntryID
  package let rate: BasisPoints
  package private(set) var state: State
  /// nil where a program recorded it.
  package let recordedBy: PersonID?
  package private(set) var decidedBy: PersonID?
  package private(set) var decidedAt: Instant?
  /// Why it was rejected.
  package private(set) var reason: String?
  package private(set) var booking: Booking?
  package var version: Int64
  package let createdAt: Instant
  package var updatedAt: Instant

  package init(
    id: TaxCertificateID, borrowerID: OrganizationID, lenderID: OrganizationID, loanID: LoanID,
    jurisdiction: CountryCode, isGrossedUp: Bool, fee: Money, withheld: Money, paidOn: CalendarDate,
    authority: String, reference: String, ruleID: ReferenceEntryID, rate: BasisPoints, state: State = .proposed,
    recordedBy: PersonID?, decidedBy: PersonID? = nil, decidedAt: Instant? = nil, reason: String? = nil,
    booking: Booking? = nil, version: Int64 = 1, createdAt: Instant, updatedAt: Instant
  ) {
    self.id = id
    self.borrowerID = borrowerID
    self.lenderID = lenderID
    self.loanID = loanID
    self.jurisdiction = jurisdiction
    self.isGrossedUp = isGrossedUp
    self.fee = fee
    self.withheld = withheld
    self.paidOn = paidOn
    self.authority = authority
    self.reference = reference
    self.ruleID = ruleID
    self.rate = rate
    self.state = state
    self.recordedBy = recordedBy
    self.decidedBy = decidedBy
    self.decidedAt = decidedAt
    self.reason = reason
    self.booking = booking
    self.version = version
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }

  /// - Throws: `illegalState` unless it is proposed.
  package mutating func confirm(by person: PersonID, as booking: Booking, at now: Instant) throws(LendingRefusal) {
    try decide(.confirmed, by: person, at: now)
    self.booking = booking
  }

  /// - Throws: `illegalState` unless it is proposed.
  package mutating func reject(by person: PersonID, reason: String, at now: Instant) throws(LendingRefusal) {
    try decide(.rejected, by: person, at: now)
    self.reason = reason
  }

  /// - Throws: `illegalState` unless it is proposed.
  package func requireProposed(for next: State) throws(LendingRefusal) {
    guard state == .proposed else {
      throw .illegalState(object: "tax certificate", state: state.rawValue, act: next.rawValue)
    }
  }

  private mutating func decide(_ next: State, by person: PersonID, at now: Instant) throws(LendingRefusal) {
    try requireProposed(for: next)
    state = next
    decidedBy = person
    decidedAt = now
  }
}

extension Loan {
  /// A certificate of withheld tax relates to fee that was paid in cash. Where the lender bears the tax, it discharges as
  /// much of the fee without cash; and where the cash had paid all of the fee already, what it paid too much of it counts on
  /// the principal, as if it had been paid so.
  /// - Returns: what was discharged.
  /// - Throws: `illegalState`, and `loan.more_than_claimed` for more than is owed, or was paid and not certified.
  package mutating func certify(fee: Int64, withheld: Int64) throws(LendingRefusal) -> Debt {
    var taken = Debt.none
    if terms.tax?.withholding == .net {
      try require(.pay)
      taken.fee = min(withheld, outstanding.fee)
      taken.principal = withheld - taken.fee
      guard withheld > 0, taken.principal <= outstanding.principal else {
        throw .loan(
          .moreThanClaimed(
            pointer: "/withheld/amount", wanted: withheld, claimed: outstanding.fee + outstanding.principal))
      }
    }
    let open = life.tax.feePaid - taken.principal - life.tax.feeCertified
    guard fee > 0, fee <= open else {
      throw .loan(.moreThanClaimed(pointer: "/fee/amount", wanted: fee, claimed: max(0, open)))
    }
    life.tax.feePaid -= taken.principal
    life.tax.feeCertified += fee
    outstanding.fee -= taken.fee
    takePrincipal(taken.principal)
    if let amount = due?.amount {
      let left = amount - taken.fee - taken.principal
      if left > 0 { due?.amount = left } else { due = nil }
    }
    settle()
    return taken
  }
}
