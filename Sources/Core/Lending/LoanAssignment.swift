import Parties
import Primitives

/// Where the sale of a loan, or of units of it, stands. A share is sold by units: they become a loan of their own.
package enum LoanAssignmentState: String, Sendable, Hashable, CaseIterable {
  /// -> accepted, rejected, withdrawn, lapsed
  case proposed
  /// The buyer wants it, and takes the seller's place among the lenders. The borrower may be asked; the price is on its
  /// way -> settled, refused, lapsed
  case accepted
  /// The seller has its price: claim, chips and security interest are the buyer's. Final.
  case settled
  /// The buyer does not want it. Final.
  case rejected
  /// The borrower refused its consent. Final.
  case refused
  /// The seller took it back before the buyer accepted. Final.
  case withdrawn
  /// Nobody answered, or it was not settled in time. Final.
  case lapsed

  /// Something is still to come of it; a loan has one such sale at most.
  package var isOpen: Bool { self == .proposed || self == .accepted }
}

/// The sale of a loan, or of units of it, by one lender to another, for a price that is paid outside of the platform.
///
/// Trades of loans close when the price has come: so it is here, and the seller, who alone can know, says so. The accrued
/// fee goes with the claim, and the price is for both; the fee of days before the settlement stays the seller's income.
package struct LoanAssignment: Sendable, Hashable {
  package enum Act: String, Sendable, Hashable, CaseIterable {
    case accept, reject, withdraw, consent, refuse, settle, lapse
  }

  /// How long it can be accepted where its maker names no other time.
  package static let defaultValidDays: Int64 = 14
  /// Days in which the borrower answers; after them its silence is consent, as is usual with loans that are traded.
  package static let consentDays: Int64 = 10
  /// Days in which it is settled, from the acceptance, or from the agreed day where that is later.
  package static let settleDays: Int64 = 30
  /// The longest that the agreed day lies ahead.
  package static let mostDaysAhead: Int64 = 90

  package let id: LoanAssignmentID
  package let borrowerID: OrganizationID
  package let sellerID: OrganizationID
  package let buyerID: OrganizationID
  package let loanID: LoanID
  package let quantity: Int64
  /// The numbered units that are meant; none where the loan's have no numbers, or all go.
  package let serials: [String]
  /// Paid by the buyer to the seller outside of the platform, for the claim with its accrued fee.
  package let price: Money
  /// It is settled on that day or later.
  package let effectiveOn: CalendarDate
  package let proposedOn: CalendarDate
  /// The last day on which it can be accepted.
  package let validUntil: CalendarDate
  package let reason: String?
  /// A JSON object: the loan as the buyer was shown it, on the day of the proposal.
  package let offered: [UInt8]
  package let proposedBy: PersonID?

  package private(set) var state: LoanAssignmentState = .proposed
  package private(set) var acceptedOn: CalendarDate?
  package private(set) var acceptedBy: PersonID?
  /// The claim that the buyer accepted, as it was on that day.
  package private(set) var acceptedClaim: Debt?
  /// The last day on which the borrower can refuse; nil where it is not asked.
  package private(set) var consentBy: CalendarDate?
  package private(set) var consentedOn: CalendarDate?
  /// The last day on which it can be settled.
  package private(set) var settleBy: CalendarDate?
  /// When it ended, by whatever.
  package private(set) var endedOn: CalendarDate?
  /// The buyer's loan, and the claim that it began with.
  package private(set) var assignedLoanID: LoanID?
  package private(set) var settledClaim: Debt?
  /// What rounding of fees had left of that part, over basis points times days of the year.
  package private(set) var settledResidue: Int64?
  package var version: Int64 = 1
  package let createdAt: Instant
  package var updatedAt: Instant

  /// A sale as proposed.
  package init(
    id: LoanAssignmentID, borrowerID: OrganizationID, sellerID: OrganizationID, buyerID: OrganizationID,
    loanID: LoanID, quantity: Int64, serials: [String], price: Money, effectiveOn: CalendarDate,
    proposedOn: CalendarDate, validUntil: CalendarDate, reason: String?, offered: [UInt8], proposedBy: PersonID?,
    createdAt: Instant, updatedAt: Instant
  ) {
    self.id = id
    self.borrowerID = borrowerID
    self.sellerID = sellerID
    self.buyerID = buyerID
    self.loanID = loanID
    self.quantity = quantity
    self.serials = serials
    self.price = price
    self.effectiveOn = effectiveOn
    self.proposedOn = proposedOn
    self.validUntil = validUntil
    self.reason = reason
    self.offered = offered
    self.proposedBy = proposedBy
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }

  /// What a stored sale has beyond its proposal.
  package struct Progress: Sendable, Hashable {
    package var state: LoanAssignmentState
    package var acceptedOn: CalendarDate?
    package var acceptedBy: PersonID?
    package var acceptedClaim: Debt?
    package var consentBy: CalendarDate?
    package var consentedOn: CalendarDate?
    package var settleBy: CalendarDate?
    package var endedOn: CalendarDate?
    package var assignedLoanID: LoanID?
    package var settledClaim: Debt?
    package var settledResidue: Int64?

    package init(
      state: LoanAssignmentState, acceptedOn: CalendarDate?, acceptedBy: PersonID?, acceptedClaim: Debt?,
      consentBy: CalendarDate?, consentedOn: CalendarDate?, settleBy: CalendarDate?, endedOn: CalendarDate?,
      assignedLoanID: LoanID?, settledClaim: Debt?, settledResidue: Int64?
    ) {
      self.settledResidue = settledResidue
      self.state = state
      self.acceptedOn = acceptedOn
      self.acceptedBy = acceptedBy
      self.acceptedClaim = acceptedClaim
      self.consentBy = consentBy
      self.consentedOn = consentedOn
      self.settleBy = settleBy
      self.endedOn = endedOn
      self.assignedLoanID = assignedLoanID
      self.settledClaim = settledClaim
    }
  }

  /// A sale as stored.
  package init(_ proposed: LoanAssignment, _ progress: Progress, version: Int64) {
    self = proposed
    state = progress.state
    acceptedOn = progress.acceptedOn
    acceptedBy = progress.acceptedBy
    acceptedClaim = progress.acceptedClaim
    consentBy = progress.consentBy
    consentedOn = progress.consentedOn
    settleBy = progress.settleBy
    endedOn = progress.endedOn
    assignedLoanID = progress.assignedLoanID
    settledClaim = progress.settledClaim
    settledResidue = progress.settledResidue
    self.version = version
  }

  private func require(_ act: Act, in states: LoanAssignmentState...) throws(LendingRefusal) {
    guard states.contains(state) else {
      throw .illegalState(object: "sale of a loan", state: state.rawValue, act: act.rawValue)
    }
  }

  /// The buyer wants it.
  /// - Parameters:
  ///   - claim: what it would get today.
  ///   - asksBorrower: whether the loan's terms want the borrower's consent.
  package mutating func accept(
    by person: PersonID?, claim: Debt, asksBorrower: Bool, on date: CalendarDate
  ) throws(LendingRefusal) {
    try require(.accept, in: .proposed)
    guard date <= validUntil else { throw .loan(.assignmentLapsed(validUntil)) }
    guard let settleBy = max(date, effectiveOn).adding(days: Self.settleDays),
      let consentBy = date.adding(days: Self.consentDays)
    else { throw .overflow }
    state = .accepted
    acceptedOn = date
    acceptedBy = person
    acceptedClaim = claim
    self.consentBy = asksBorrower ? consentBy : nil
    self.settleBy = settleBy
  }

  /// The buyer does not want it.
  package mutating func reject(on date: CalendarDate) throws(LendingRefusal) {
    try require(.reject, in: .proposed)
    end(.rejected, on: date)
  }

  /// The seller takes it back. Once the buyer accepted, both are bound until it is settled or its time runs out.
  package mutating func withdraw(on date: CalendarDate) throws(LendingRefusal) {
    try require(.withdraw, in: .proposed)
    end(.withdrawn, on: date)
  }

  /// The borrower has nothing against the buyer.
  package mutating func consent(on date: CalendarDate) throws(LendingRefusal) {
    try requireQuestion(.consent, on: date)
    consentedOn = date
  }

  /// The borrower does not want to owe the buyer.
  package mutating func refuse(on date: CalendarDate) throws(LendingRefusal) {
    try requireQuestion(.refuse, on: date)
    end(.refused, on: date)
  }

  private func requireQuestion(_ act: Act, on date: CalendarDate) throws(LendingRefusal) {
    try require(act, in: .accepted)
    guard let consentBy, consentedOn == nil else {
      throw .illegalState(object: "sale of a loan", state: state.rawValue, act: act.rawValue)
    }
    guard date <= consentBy else { throw .loan(.assignmentLapsed(consentBy)) }
  }

  /// The seller has its price. What the buyer gets is what it accepted, and the fee and the tax since: what was paid or credited
  /// meanwhile went to the seller, so the price is for another claim then.
  package mutating func settle(
    as loan: LoanID, claim: Debt, residue: Int64 = 0, on date: CalendarDate, consentIsNeeded: Bool
  ) throws(LendingRefusal) {
    try require(.settle, in: .accepted)
    guard let settleBy, let acceptedClaim else { throw .overflow }
    guard date <= settleBy else { throw .loan(.assignmentLapsed(settleBy)) }
    guard date >= effectiveOn else { throw .loan(.notYetEffective(effectiveOn)) }
    if consentIsNeeded, let consentBy, consentedOn == nil, date <= consentBy {
      throw .loan(.consentAwaited(until: consentBy))
    }
    guard claim.principal == acceptedClaim.principal, claim.otherCharges == acceptedClaim.otherCharges,
      claim.fee >= acceptedClaim.fee, claim.tax >= acceptedClaim.tax
    else {
      // Both are parts of a debt that fits.
      throw .loan(
        .claimChanged(
          accepted: acceptedClaim.principal + acceptedClaim.fee + acceptedClaim.charges,
          present: claim.principal + claim.fee + claim.charges))
    }
    assignedLoanID = loan
    settledClaim = claim
    settledResidue = residue
    end(.settled, on: date)
  }

  /// Its time ran out. One that can still be answered or settled does not lapse.
  package mutating func lapse(on date: CalendarDate) throws(LendingRefusal) {
    guard isOverdue(on: date) else {
      throw .illegalState(object: "sale of a loan", state: state.rawValue, act: Act.lapse.rawValue)
    }
    end(.lapsed, on: date)
  }

  /// Open, and past the day until which the next step could be taken.
  package func isOverdue(on date: CalendarDate) -> Bool {
    switch state {
    case .proposed: date > validUntil
    case .accepted: settleBy.map { date > $0 } ?? false
    default: false
    }
  }

  private mutating func end(_ ending: LoanAssignmentState, on date: CalendarDate) {
    state = ending
    endedOn = date
  }
}
