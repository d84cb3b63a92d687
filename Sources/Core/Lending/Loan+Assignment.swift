import Parties
import Primitives

/// What a lender sells of a loan: units, and the part of the claim that is theirs.
package struct AssignedPart: Sendable, Hashable {
  package let units: Int64
  /// Nothing of the loan is left to the seller.
  package let isWhole: Bool
  package let claim: Debt
  /// The part of the principal as traded: what the buyer's loan has for its own.
  package let principal: Int64
  /// What of it is due; nil where nothing is, or all of it is, whatever it grows to.
  package let dueAmount: Int64?
  /// What the rounding of the fee left over and goes along, see `Loan.accrualResidue`.
  package let residue: Int64
  /// Principal of lost units.
  package let casualtyPrincipal: Int64
  /// What of the cap on penalties goes along; nil where there is none.
  package let penaltyRoom: Int64?
}

extension Loan {
  /// How often a loan can be sold on.
  package static let mostAssignments = 50

  /// The part of the claim that goes with units which are out.
  ///
  /// Each amount is divided by units and rounded down to the minor unit; what is left over stays with the seller. The
  /// principal of lost units has no units to go with: it stays, unless all goes. What was posted of the fee beyond the
  /// exact fee is the seller's, so a residue below zero stays with it, always.
  /// - Parameter credited: what returned units were credited with, over the loan's life: that principal is gone.
  /// - Throws: `illegalState`, `moreThanOut`, and `loan.assignment_barred` while chips are on their way back or wait to
  ///   be disposed of.
  package func part(of count: Int64, credited: Int64) throws(LendingRefusal) -> AssignedPart {
    try require(.assign)
    guard count > 0 else { throw .quantityNotPositive }
    guard count <= unitsOut else { throw .moreThanOut(count, out: unitsOut) }
    guard unitsReturning == 0 else { throw .loan(.assignmentBarred("chips are on their way back")) }
    guard unitsToDispose == 0 else { throw .loan(.assignmentBarred("chips that were taken back are not disposed of")) }
    let isWhole = count == unitsOut
    func share(_ amount: Int64) -> Int64 {
      // At most the amount, which fits.
      isWhole ? amount : Int64(Int128(amount) * Int128(count) / Int128(unitsOut))
    }
    let casualty = isWhole ? min(outstanding.principal, life.casualtyPrincipal) : 0
    let claim = Debt(
      charges: share(outstanding.charges), fee: share(outstanding.fee), principal: share(principalOfUnits) + casualty,
      tax: share(outstanding.tax))
    // What was paid, credited or sold is at most the principal as traded, and lost units keep theirs.
    let present = Int128(terms.principal.amount) - Int128(credited) - Int128(life.principalAssigned)
    let lost = min(outstanding.principal, life.casualtyPrincipal)
    guard present >= Int128(outstanding.principal), credited >= 0, let left = Int64(exactly: present) else {
      throw .termsDisagree(pointer: "/quantity", detail: "More principal is owed than was traded and not yet returned.")
    }
    return AssignedPart(
      units: count, isWhole: isWhole, claim: claim, principal: share(left - lost) + casualty,
      dueAmount: due?.amount.map { min(share($0), claim.charges + claim.fee + claim.principal) },
      residue: share(max(0, accrualResidue)), casualtyPrincipal: casualty,
      penaltyRoom: try penaltyRoom().map(share))
  }

  /// Sells a part: units and claim leave this loan, and are a loan of another lender with the same terms and history.
  /// - Parameters:
  ///   - part: as found by `part(of:credited:)` on this very loan, with the fee posted for all days before `date`.
  ///   - lender: the buyer.
  ///   - lot: where the buyer keeps the chips.
  /// - Returns: the buyer's loan.
  package mutating func assign(
    _ part: AssignedPart, to lender: OrganizationID, as id: LoanID, in lot: LotID, on date: CalendarDate,
    at now: Instant
  ) throws(LendingRefusal) -> Loan {
    try require(.assign)
    guard (life.acquired?.lineage.count ?? 0) < Self.mostAssignments else {
      throw .loan(.soldTooOften(Self.mostAssignments))
    }
    var bought = LoanLife(
      rates: life.rates, extendedTo: life.extendedTo, pausedUntil: life.pausedUntil, recall: life.recall,
      overdueSince: life.overdueSince, default: life.default, casualtyPrincipal: part.casualtyPrincipal,
      acquired: LoanLife.Acquisition(on: date, lineage: [self.id] + (life.acquired?.lineage ?? [])),
      pauses: life.pauses, penalty: life.penalty.handedOn(room: part.penaltyRoom), lateness: life.lateness,
      lifted: life.lifted)
    let dueOfPart = due(of: part, as: id)
    if dueOfPart == nil { bought.overdueSince = nil }
    var loan = Loan(
      id: id, terms: terms.assigned(to: lender, lot: lot, part), state: state, closedAs: nil, unitsOut: part.units,
      unitsReturning: 0, unitsReturned: 0, unitsOwned: 0, outstanding: part.claim, feeAccruedTotal: 0,
      accrualResidue: part.residue, accruedThrough: accruedThrough, due: dueOfPart, possession: possession,
      title: .lender, securityInterest: securityInterest, dispatchedOn: dispatchedOn, deliveredOn: deliveredOn,
      closedOn: nil, life: bought, version: 1, createdAt: now, updatedAt: now)
    loan.state = loan.standing
    try giveUpPenaltyRoom(part.penaltyRoom)
    give(part, on: date)
    return loan
  }

  private func due(of part: AssignedPart, as id: LoanID) -> LoanDue? {
    guard var due, due.amount == nil || part.dueAmount ?? 0 > 0 else { return nil }
    if due.causeID == self.id.value { due.causeID = id.value }
    due.amount = part.dueAmount
    return due
  }

  private mutating func give(_ part: AssignedPart, on date: CalendarDate) {
    unitsOut -= part.units
    life.unitsAssigned += part.units
    life.principalAssigned += part.principal
    life.casualtyPrincipal -= part.casualtyPrincipal
    // Each part is at most what it is a part of.
    outstanding = Debt(
      charges: outstanding.charges - part.claim.charges, fee: outstanding.fee - part.claim.fee,
      principal: outstanding.principal - part.claim.principal, tax: outstanding.tax - part.claim.tax)
    accrualResidue -= part.residue
    if let amount = due?.amount {
      let left = amount - (part.dueAmount ?? 0)
      if left > 0 { due?.amount = left } else { due = nil }
    }
    guard part.isWhole else { return settle() }
    state = .closed
    closedAs = .assigned
    title = .assigned
    due = nil
    life.overdueSince = nil
    life.recall = nil
    closedOn = date
  }
}

extension Loan.Terms {
  /// The terms of the buyer's loan: its units, its part of the principal as traded, and all else as it was.
  fileprivate func assigned(to lender: OrganizationID, lot: LotID, _ part: AssignedPart) -> Loan.Terms {
    Loan.Terms(
      borrowerID: borrowerID, lenderID: lender, lotID: lot, listingID: listingID, requestID: requestID,
      offerID: offerID, chipModelID: chipModelID, site: site, endUse: endUse, deliveryMode: deliveryMode,
      legalForm: legalForm, quantity: part.units, markID: markID, markAmount: markAmount, advanceRate: advanceRate,
      principal: Money(part.principal, principal.currency), rate: rate, dayCount: dayCount, returnCredit: returnCredit,
      repayment: repayment, rank: rank, tradeOn: tradeOn, termDays: termDays, maturesOn: maturesOn,
      recallNoticeDays: recallNoticeDays, assignability: assignability, penalty: penalty, businessDay: businessDay,
      tax: tax, margin: margin)
  }
}
