import Primitives

/// Why a lender declares a default.
package enum DefaultCause: String, Sendable, Hashable, CaseIterable {
  /// Only once the loan is overdue: what is due and within grace is no default.
  case nonPayment = "non_payment"
  case covenantBreach = "covenant_breach"
  case insolvency
  case unlawfulUse = "unlawful_use"
}

/// A rate that holds from a day on, as both sides agreed it.
package struct RateChange: Sendable, Hashable {
  package let from: CalendarDate
  package let rate: BasisPoints

  package init(from: CalendarDate, rate: BasisPoints) {
    self.from = from
    self.rate = rate
  }
}

/// Days at one rate.
package struct RatePeriod: Sendable, Hashable {
  package let from: CalendarDate
  /// The first day that is no longer of it.
  package let to: CalendarDate
  package let rate: BasisPoints

  package init(from: CalendarDate, to: CalendarDate, rate: BasisPoints) {
    self.from = from
    self.to = to
    self.rate = rate
  }
}

/// The facts of a loan's life that stand beside its state. Several can hold at once: a loan that was called back, became
/// due and is frozen is all three, and goes back to what the others say when one of them ends.
package struct LoanLife: Sendable, Hashable {
  /// The lender called the chips back.
  package struct Recall: Sendable, Hashable {
    package let on: CalendarDate
    /// The chips are to be back by that day; past it the loan is due and overdue.
    package let dueOn: CalendarDate

    package init(on: CalendarDate, dueOn: CalendarDate) {
      self.on = on
      self.dueOn = dueOn
    }
  }

  /// Compliance stopped every movement of chips and title.
  package struct Hold: Sendable, Hashable {
    package let on: CalendarDate
    package let reason: String

    package init(on: CalendarDate, reason: String) {
      self.on = on
      self.reason = reason
    }
  }

  /// The lender declared a default.
  package struct Default: Sendable, Hashable {
    package let cause: DefaultCause
    package let on: CalendarDate
    /// Until then the borrower may cure it, where the lender gave time.
    package let cureUntil: CalendarDate?
    package var acceleratedOn: CalendarDate?

    package init(
      cause: DefaultCause, on: CalendarDate, cureUntil: CalendarDate?, acceleratedOn: CalendarDate? = nil
    ) {
      self.cause = cause
      self.on = on
      self.cureUntil = cureUntil
      self.acceleratedOn = acceleratedOn
    }
  }

  /// The loan came to its lender from another one, with its history.
  package struct Acquisition: Sendable, Hashable {
    /// From that day on the fee, the claim and the chips are this lender's.
    package let on: CalendarDate
    /// The loans that it was before, the last first; never empty. Where lenders agreed on a place for one of them, that
    /// is its place.
    package let lineage: [LoanID]

    package init(on: CalendarDate, lineage: [LoanID]) {
      self.on = on
      self.lineage = lineage
    }
  }

  /// What a most-favoured-nation clause lifted since the trade; nil what it did not. The rate is among `rates`.
  package struct Lifted: Sendable, Hashable {
    /// Share of a round that is swept.
    package var sweep: BasisPoints?
    /// For conversion into shares.
    package var discount: BasisPoints?
    /// Valuation at most, for conversion, minor units of the loan's currency.
    package var cap: Int64?
    /// Of principal, with what the loan came with.
    package var coverage: BasisPoints?

    package init(
      sweep: BasisPoints? = nil, discount: BasisPoints? = nil, cap: Int64? = nil, coverage: BasisPoints? = nil
    ) {
      self.sweep = sweep
      self.discount = discount
      self.cap = cap
      self.coverage = coverage
    }
  }

  /// What was agreed after the trade, by day, no two of one day; the trade's own rate holds before the first.
  package var rates: [RateChange]
  /// The maturity that both sides agreed on later; nil while the trade's holds.
  package var extendedTo: CalendarDate?
  /// A payment holiday: what is due does not become overdue before that day. The fee goes on.
  package var pausedUntil: CalendarDate?
  package var recall: Recall?
  package var hold: Hold?
  package var overdueSince: CalendarDate?
  package var `default`: Default?
  /// How much of the claim the lender wrote off in its own accounting, minor units; the claim itself stands.
  package var writtenOff: Int64
  /// Minor units that the lender released the borrower from, in all.
  package var forgiven: Int64
  /// Units of a casualty.
  package var unitsLost: Int64
  /// Units taken back in default.
  package var unitsRepossessed: Int64
  /// Of those, units that were sold on, and units that the lender keeps.
  package var unitsResold: Int64
  package var unitsKept: Int64
  /// Principal that is due for lost units and not yet paid: what other units are credited with has no share in it.
  package var casualtyPrincipal: Int64
  /// nil: its lender made the trade.
  package var acquired: Acquisition?
  /// Units that the lender sold with their part of the claim, and the part of `terms.principal` that went with them.
  package var unitsAssigned: Int64
  package var principalAssigned: Int64
  /// Payment holidays, as they were agreed, in order.
  package var pauses: [Pause]
  package var penalty: Penalty
  /// nil before the delinquency step first found something due.
  package var lateness: Lateness?
  package var tax: Tax
  package var lifted: Lifted

  package init(
    rates: [RateChange] = [], extendedTo: CalendarDate? = nil, pausedUntil: CalendarDate? = nil,
    recall: Recall? = nil, hold: Hold? = nil, overdueSince: CalendarDate? = nil, default: Default? = nil,
    writtenOff: Int64 = 0, forgiven: Int64 = 0, unitsLost: Int64 = 0, unitsRepossessed: Int64 = 0,
    unitsResold: Int64 = 0, unitsKept: Int64 = 0, casualtyPrincipal: Int64 = 0, acquired: Acquisition? = nil,
    unitsAssigned: Int64 = 0, principalAssigned: Int64 = 0, pauses: [Pause] = [], penalty: Penalty = Penalty(),
    lateness: Lateness? = nil, tax: Tax = Tax(), lifted: Lifted = Lifted()
  ) {
    self.tax = tax
    self.lifted = lifted
    self.acquired = acquired
    self.unitsAssigned = unitsAssigned
    self.principalAssigned = principalAssigned
    self.pauses = pauses
    self.penalty = penalty
    self.lateness = lateness
    self.rates = rates
    self.extendedTo = extendedTo
    self.pausedUntil = pausedUntil
    self.recall = recall
    self.hold = hold
    self.overdueSince = overdueSince
    self.default = `default`
    self.writtenOff = writtenOff
    self.forgiven = forgiven
    self.unitsLost = unitsLost
    self.unitsRepossessed = unitsRepossessed
    self.unitsResold = unitsResold
    self.unitsKept = unitsKept
    self.casualtyPrincipal = casualtyPrincipal
  }
}

extension Loan {
  /// Days that what is due may stay unpaid before the loan is overdue.
  package static let graceDays: Int64 = 5
  /// The longest time that a chain of re-rates may have, so that a loan's row stays a row.
  package static let mostRateChanges = 100

  /// The day the loan matures, as agreed last.
  package var maturesOn: CalendarDate { life.extendedTo ?? terms.maturesOn }

  /// The rate of a day.
  package func rate(on date: CalendarDate) -> BasisPoints {
    life.rates.last { $0.from <= date }?.rate ?? terms.rate
  }

  /// The days from one date to another, the other excluded, by the rate they have. None when there are no days.
  package func ratePeriods(from start: CalendarDate, to end: CalendarDate) -> [RatePeriod] {
    Self.periods(life.rates, before: terms.rate, from: start, to: end)
  }

  static func periods(
    _ changes: [RateChange], before first: BasisPoints, from start: CalendarDate, to end: CalendarDate
  ) -> [RatePeriod] {
    guard start < end else { return [] }
    var periods: [RatePeriod] = []
    var (from, rate) = (start, changes.last { $0.from <= start }?.rate ?? first)
    for change in changes where change.from > start && change.from < end {
      if change.rate != rate {
        periods.append(RatePeriod(from: from, to: change.from, rate: rate))
        (from, rate) = (change.from, change.rate)
      }
    }
    periods.append(RatePeriod(from: from, to: end, rate: rate))
    return periods
  }

  /// Share of a round that is swept.
  package var sweep: BasisPoints { life.lifted.sweep ?? terms.repayment.sweep }

  /// A most-favoured-nation clause lifts terms, from now on.
  package mutating func lift(to lifted: LoanLife.Lifted) { life.lifted = lifted }

  /// Whether it was traded as it is: it did not come of another loan by sale or assumption.
  package var isFromTrade: Bool {
    // Chips of an assumed loan were delivered under the loan that it was.
    life.acquired == nil && (dispatchedOn != nil || deliveredOn == nil)
  }

  /// Where the lender's custody has the units that are out.
  package var custodyOfUnitsOut: CustodyState { life.hold == nil ? .onLoan : .frozen }

  /// The state that the facts beside it come to while the loan runs.
  package var standing: LoanState {
    if life.hold != nil { return .frozen }
    if life.default != nil { return .defaulted }
    if due != nil { return life.overdueSince == nil ? .due : .overdue }
    return life.recall == nil ? .active : .recalled
  }

  /// Units taken back and neither sold nor kept yet.
  package var unitsToDispose: Int64 { life.unitsRepossessed - life.unitsResold - life.unitsKept }

  /// Units whose value is principal without a due date of its own: what a return or a sale is credited for.
  package var unitsInDebt: Int64 { unitsOut + unitsReturning }

  /// The principal of those units.
  package var principalOfUnits: Int64 { outstanding.principal - min(outstanding.principal, life.casualtyPrincipal) }
}
