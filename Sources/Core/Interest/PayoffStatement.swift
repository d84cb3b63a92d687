import Primitives

/// Something that changes what a borrower owes.
package struct LoanCashEvent: Sendable, Hashable {
  /// Raw values are the words of case files.
  package enum Kind: String, Sendable, Hashable, CaseIterable {
    /// Money from the borrower: interest due first, then principal; what is left over is not taken.
    case payment
    /// Money to the borrower: more principal.
    case drawdown
  }

  package let date: CalendarDate
  package let kind: Kind
  /// Whole minor units, at least 0.
  package let amount: DecimalNumeral

  package init(date: CalendarDate, kind: Kind, amount: DecimalNumeral) {
    self.date = date
    self.kind = kind
    self.amount = amount
  }
}

/// What closes a loan on a date, and how it came to that.
///
/// Interest is simple, on principal only. It is rounded half to even to minor units at every event and on the payoff
/// date, and what is due bears no interest. The first day counts, the day of an event or of the payoff does not; an
/// event is applied after the accrual up to its date, one on the payoff date included.
///
/// Amounts keep the places in which they are given (see `DecimalNumeral`): principal that no money in minor units has
/// touched is printed as it was stated.
package struct PayoffStatement: Sendable, Hashable {
  /// What an event did.
  package struct EventRow: Sendable, Hashable {
    package let date: CalendarDate
    /// Interest since the event before it, or since the start.
    package let accrued: DecimalNumeral
    /// 0 for a drawdown.
    package let paidInterest: DecimalNumeral
    /// 0 for a drawdown.
    package let paidPrincipal: DecimalNumeral
    /// After the event.
    package let principal: DecimalNumeral
    /// After the event.
    package let interestDue: DecimalNumeral
  }

  package let events: [EventRow]
  package let accruedSinceLastEvent: DecimalNumeral
  package let interestDue: DecimalNumeral
  package let principal: DecimalNumeral
  /// Interest of the payoff day alone, rounded half to even: what one day's delay costs. For showing, never for
  /// posting. Nil on the calendar's last day.
  package let perDiem: DecimalNumeral?

  /// Principal and interest due.
  package var payoff: DecimalNumeral { principal + interestDue }

  /// - Parameters:
  ///   - principal: at the start, in whole minor units, at least 0.
  ///   - events: by date; those of one date in the order in which they are applied.
  /// - Throws: `InterestRefusal` with the member at fault as its pointer.
  package init(
    principal: DecimalNumeral, currency: Currency, convention: DayCountConvention, rates: RateHistory,
    from start: CalendarDate, events: [LoanCashEvent], payoffOn date: CalendarDate
  ) throws(InterestRefusal) {
    guard start <= date else { throw .periodReversed(start: start, end: date) }
    var book = LoanBook(
      principal: try InterestBounds.amount(principal, "principal", in: currency), accruedThrough: start,
      currency: currency, convention: convention, rates: rates)
    // Also for a loan paid off on its first day: it had no rate.
    _ = try rates.value(on: start)
    var rows: [EventRow] = []
    for (index, event) in events.enumerated() {
      guard event.date >= start, event.date <= date else { throw .eventOutsideTerm(index: index) }
      guard event.date >= book.accruedThrough else { throw .eventsUnsorted(index: index) }
      let amount = try InterestBounds.amount(event.amount, "events/\(index)/amount", in: currency)
      rows.append(try book.apply(event.kind, amount, on: event.date))
    }
    self.events = rows
    accruedSinceLastEvent = try book.accrue(through: date)
    interestDue = book.interestDue
    self.principal = book.principal
    perDiem = try date.adding(days: 1).map { next throws(InterestRefusal) in try book.interest(through: next) }
  }
}

/// A loan's balances as they move from event to event.
private struct LoanBook {
  var principal: DecimalNumeral
  var interestDue = DecimalNumeral.zero
  var accruedThrough: CalendarDate
  let currency: Currency
  let convention: DayCountConvention
  let rates: RateHistory

  init(
    principal: DecimalNumeral, accruedThrough: CalendarDate, currency: Currency, convention: DayCountConvention,
    rates: RateHistory
  ) {
    self.principal = principal
    self.accruedThrough = accruedThrough
    self.currency = currency
    self.convention = convention
    self.rates = rates
  }

  /// Interest from the last accrual to a date, in minor units.
  func interest(through date: CalendarDate) throws(InterestRefusal) -> DecimalNumeral {
    let fraction = try rates.accruedFraction(from: accruedThrough, to: date, by: convention)
    return (principal.rational * fraction).rounded(places: currency.minorUnitDigits, rounding: .halfEven)
  }

  mutating func accrue(through date: CalendarDate) throws(InterestRefusal) -> DecimalNumeral {
    let accrued = try interest(through: date)
    interestDue = interestDue + accrued
    accruedThrough = date
    return accrued
  }

  mutating func apply(
    _ kind: LoanCashEvent.Kind, _ amount: DecimalNumeral, on date: CalendarDate
  ) throws(InterestRefusal) -> PayoffStatement.EventRow {
    let accrued = try accrue(through: date)
    var (paidInterest, paidPrincipal) = (DecimalNumeral.zero, DecimalNumeral.zero)
    switch kind {
    case .payment:
      // Negative rates can leave less than nothing due; that is set off against principal only at payoff.
      paidInterest = interestDue.isNegative ? .zero : amount.atMost(interestDue)
      interestDue = interestDue - paidInterest
      paidPrincipal = (amount - paidInterest).atMost(principal)
      principal = principal - paidPrincipal
    case .drawdown: principal = principal + amount
    }
    return PayoffStatement.EventRow(
      date: date, accrued: accrued, paidInterest: paidInterest, paidPrincipal: paidPrincipal, principal: principal,
      interestDue: interestDue)
  }
}
