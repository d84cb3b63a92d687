import Primitives

extension Loan {
  /// Another organisation takes the loan over as it is: debt, rate, maturity, chips and lien. A loan is kept by its
  /// borrower, so the old one ends and a new one begins, with the principal that was still owed.
  ///
  /// Only a loan that runs without anything due is taken over, and only whole: what came back, was lost or written off is
  /// settled between those whom it happened to.
  /// - Parameters:
  ///   - id: of the new loan.
  ///   - date: fees are posted for all days before it.
  /// - Returns: the new loan.
  /// - Throws: `illegalState`, and `loan.not_whole`.
  package mutating func assume(
    by acquirer: OrganizationID, as id: LoanID, on date: CalendarDate, createdAt: Instant
  ) throws(LendingRefusal) -> Loan {
    try require(.assume)
    guard unitsOut == terms.quantity, life.writtenOff == 0 else { throw .loan(.notWhole) }
    let room = try penaltyRoom()
    let taken = Loan(
      id: id,
      terms: Terms(
        borrowerID: acquirer, lenderID: terms.lenderID, lotID: terms.lotID, listingID: terms.listingID,
        requestID: terms.requestID, offerID: terms.offerID, chipModelID: terms.chipModelID, site: terms.site,
        endUse: terms.endUse, deliveryMode: terms.deliveryMode, legalForm: terms.legalForm, quantity: unitsOut,
        markID: terms.markID, markAmount: terms.markAmount, advanceRate: terms.advanceRate,
        principal: Money(outstanding.principal, currency), rate: terms.rate, dayCount: terms.dayCount,
        returnCredit: terms.returnCredit, repayment: terms.repayment, rank: terms.rank, tradeOn: date,
        termDays: max(0, date.days(to: maturesOn)), maturesOn: maturesOn, recallNoticeDays: terms.recallNoticeDays,
        assignability: terms.assignability, penalty: terms.penalty, businessDay: terms.businessDay,
        tax: terms.tax, margin: terms.margin),
      state: .active, closedAs: nil, unitsOut: unitsOut, unitsReturning: 0, unitsReturned: 0, unitsOwned: 0,
      outstanding: outstanding, feeAccruedTotal: 0, accrualResidue: max(0, accrualResidue),
      accruedThrough: accruedThrough,
      due: nil, possession: possession, title: title, securityInterest: securityInterest, dispatchedOn: nil,
      deliveredOn: date, closedOn: nil,
      life: LoanLife(
        rates: life.rates, pausedUntil: life.pausedUntil, pauses: life.pauses,
        penalty: life.penalty.handedOn(room: room), lifted: life.lifted),
      version: 1, createdAt: createdAt, updatedAt: createdAt)
    // Nothing of the new loan's fee was rounded up yet, so what was stays behind: less than half a minor unit.
    // The lien stays on the chips: it is released with the new loan.
    try giveUpPenaltyRoom(room)
    unitsOut = 0
    outstanding = .none
    accrualResidue = 0
    state = .closed
    closedAs = .assumed
    closedOn = date
    return taken
  }
}

extension ChipUnit {
  /// It stays where it is, in the loan that took its own one's place, whatever its condition.
  /// - Throws: `loan.unit_not_in_loan`.
  package mutating func pass(from loan: LoanID, to other: Loan) throws(LendingRefusal) {
    guard loanID == loan else { throw .loan(.unitNotInLoan(serial)) }
    loanID = other.id
    borrowerID = other.terms.borrowerID
  }
}
