import Primitives

// Money that had paid a debt is taken back. What passed with the payment does not come back with it: title that passed
// stays passed, and the lien that was released stays released.
extension Loan {
  /// Whether its debt was paid off once before, and title to what stayed passed then, or nothing stayed. Its debt since is
  /// unsecured.
  package var hasClosedBefore: Bool { securityInterest?.releasedOn != nil }

  /// The debt, or a part of it, is owed again. What paid it was due then, and is due again now. A loan that had ended runs
  /// again, as reinstated; one that waited for its title is due again, its chips the lender's. All that they owe is due, and
  /// the fee goes on from that day.
  /// - Parameters:
  ///   - debt: what is owed again, not all zero.
  ///   - date: the day on which the money was taken back.
  /// - Returns: whether the loan had ended.
  /// - Throws: `illegalState` before delivery, and `termsDisagree` for amounts below zero, nothing at all, or more
  ///   principal than was ever lent; nothing is changed then.
  @discardableResult
  package mutating func reinstate(
    _ debt: Debt, because clawback: ClawbackID, on date: CalendarDate
  ) throws(LendingRefusal) -> Bool {
    try require(.reinstate)
    guard debt.otherCharges >= 0, debt.tax >= 0, debt.fee >= 0, debt.principal >= 0, !debt.isZero else {
      throw .termsDisagree(pointer: "/amount", detail: "Nothing, or less than nothing, is owed again.")
    }
    let (owed, amount): (Debt, Int64)
    do throws(ArithmeticOverflow) {
      owed = Debt(
        charges: try outstanding.charges.adding(debt.charges), fee: try outstanding.fee.adding(debt.fee),
        principal: try outstanding.principal.adding(debt.principal), tax: try outstanding.tax.adding(debt.tax))
      _ = try owed.total()
      amount = try debt.total()
    } catch { throw .overflow }
    guard owed.principal <= terms.principal.amount else {
      throw .termsDisagree(pointer: "/amount", detail: "More principal would be owed than was lent.")
    }
    let (wasPaidOff, hadEnded) = (!isRunning, state == .closed)
    outstanding = owed
    if terms.tax?.withholding != nil { life.tax.feePaid = max(0, life.tax.feePaid - debt.fee) }
    keepUnitsApart(debt.principal)
    guard wasPaidOff else {
      claim(LoanDue(cause: .clawBack, causeID: clawback.value, since: date, amount: amount))
      return false
    }
    due = LoanDue(cause: .clawBack, causeID: clawback.value, since: date, amount: nil)
    accruedThrough = max(accruedThrough ?? date, date)
    if title == .pending { title = .lender }
    closedAs = nil
    closedOn = nil
    state = hadEnded && standing == .due ? .reinstated : standing
    return hadEnded
  }

  /// Where units are gone, those still in the debt carry no more of what is owed again than up to their part of the
  /// principal at trade, rounded up: the rest belongs to units that are gone, and no return is credited with it.
  private mutating func keepUnitsApart(_ again: Int64) {
    guard life.unitsLost > 0 || unitsInDebt == 0 else { return }
    let (product, count) = (Int128(terms.principal.amount) * Int128(unitsInDebt), Int128(terms.quantity))
    // At most the principal, since no more units are in the debt than were lent.
    let most = Int64((product + count - 1) / count)
    life.casualtyPrincipal += min(again, max(0, principalOfUnits - most))
  }
}
