import Primitives

/// What a loan costs besides while something of it is overdue, as the lender listed it. Fixed at trade.
package struct PenaltyTerms: Sendable, Hashable {
  /// A year, on what is overdue; 0 for none.
  package let rate: BasisPoints
  /// Days after the due day that bear no penalty, at least 0.
  package let graceDays: Int64
  /// The most that all penalties of the loan come to, as a share of its principal at trade; nil for no cap.
  package let cap: BasisPoints?

  package init(rate: BasisPoints, graceDays: Int64, cap: BasisPoints?) {
    self.rate = rate
    self.graceDays = graceDays
    self.cap = cap
  }

  /// No penalty: what every loan has that was agreed without a word about it.
  package static let none = PenaltyTerms(rate: BasisPoints(0), graceDays: 0, cap: nil)
}

extension LoanLife {
  /// Days of a payment holiday, as agreed: lateness does not grow in them.
  package struct Pause: Sendable, Hashable {
    package let from: CalendarDate
    /// The last day of it.
    package let through: CalendarDate

    package init(from: CalendarDate, through: CalendarDate) {
      self.from = from
      self.through = through
    }
  }

  /// How far penalties were charged.
  package struct Penalty: Sendable, Hashable {
    /// Charged for all days before this one; nil before the first.
    package var through: CalendarDate?
    /// All that was charged and not taken back, minor units.
    package var total: Int64
    /// Exact penalty less `total`, over basis points times days of the year; at most half a minor unit either way.
    package var residue: Int64
    /// The most that the penalties of this very loan come to, once a cap was shared with a loan that came of it or that it
    /// came of; nil while the cap is the one of its terms, or there is none. Minor units.
    package var most: Int64?

    package init(through: CalendarDate? = nil, total: Int64 = 0, residue: Int64 = 0, most: Int64? = nil) {
      self.through = through
      self.total = total
      self.residue = residue
      self.most = most
    }

    /// The same after a charge, or after one was taken back.
    package func now(through: CalendarDate?, total: Int64, residue: Int64) -> Penalty {
      Penalty(through: through, total: total, residue: residue, most: most)
    }

    /// Where a loan begins that takes this one's place, or a part of it: no day is charged twice, and what was charged stays
    /// with the loan that it was charged on. Less than half a minor unit stays behind.
    /// - Parameter room: what of the cap goes along; nil where there is none.
    func handedOn(room: Int64?) -> Penalty { Penalty(through: through, most: room) }
  }

  /// How late the loan was at the end of a business date, as the delinquency step found it.
  package struct Lateness: Sendable, Hashable {
    package var on: CalendarDate
    package var daysPastDue: Int64
    /// `current`, `1-29`, `90+`.
    package var bucket: String

    package init(on: CalendarDate, daysPastDue: Int64, bucket: String) {
      self.on = on
      self.daysPastDue = daysPastDue
      self.bucket = bucket
    }
  }
}

extension Loan {
  /// What bears a penalty while it is unpaid: the amount that is due without the charges in it, or the whole principal
  /// where everything is due. It changes only by an event, never by the passing of days, so that penalties charged day by
  /// day or at once come to the same; and charges, penalties among them, bear none. Sales tax grows with the days, so it is
  /// not taken off an amount that is due; where everything is due, it bears none.
  package var penaltyBase: Int64 {
    guard isRunning, let due else { return 0 }
    guard let amount = due.amount else { return outstanding.principal }
    return max(0, amount - outstanding.otherCharges)
  }

  /// The first day of the present dues that bears a penalty; nil while nothing is due, where none was agreed, and while the
  /// borrower's insolvency stays all claims.
  package var penaltyFrom: CalendarDate? {
    guard isRunning, terms.penalty.rate.value > 0, life.default?.cause != .insolvency else { return nil }
    return due?.since.adding(days: terms.penalty.graceDays)
  }

  /// The most that penalties come to in all; nil for no cap. It counts over the whole life of the debt: a loan that was
  /// sold, or assumed, has what was left of it, and all that came of one loan have together what it had.
  /// - Throws: `overflow` past Int64.
  package func penaltyCap() throws(LendingRefusal) -> Int64? {
    if let most = life.penalty.most { return most }
    guard let cap = terms.penalty.cap else { return nil }
    do throws(ArithmeticOverflow) {
      return try (Int128(terms.principal.amount) * Int128(cap.value)).divided(by: 10_000, rounding: .down).asInt64()
    } catch { throw .overflow }
  }

  /// What of the cap is not charged yet; nil for no cap.
  /// - Throws: `overflow` past Int64.
  package func penaltyRoom() throws(LendingRefusal) -> Int64? {
    guard let cap = try penaltyCap() else { return nil }
    // Both are at least 0.
    return max(0, cap - life.penalty.total)
  }

  /// Gives up some of the cap to a loan that takes this one's place, or a part of it.
  /// - Parameter room: at most `penaltyRoom`, so that what was charged stays below what is left.
  mutating func giveUpPenaltyRoom(_ room: Int64?) throws(LendingRefusal) {
    guard let room, let cap = try penaltyCap() else { return }
    life.penalty.most = cap - room
  }

  /// A penalty is a charge that is due at once.
  /// - Parameter now: how far penalties are charged with it.
  /// - Throws: `overflow` when the debt in all would pass Int64; nothing is changed then.
  package mutating func addPenalty(_ amount: Int64, now: LoanLife.Penalty) throws(LendingRefusal) {
    var loan = self
    try loan.addCharge(amount)
    if let due = loan.due?.amount {
      do throws(ArithmeticOverflow) { loan.due?.amount = try due.adding(amount) } catch { throw .overflow }
    }
    loan.life.penalty = now
    self = loan
  }

  /// A penalty turns out not to be owed: what of it was paid already is taken off the fee, then off the principal, and off
  /// tax that is owed last.
  /// - Parameters:
  ///   - amount: at least 0, at most what is owed.
  ///   - now: how far penalties are charged without it.
  /// - Returns: what was taken off each part.
  package mutating func takeBackPenalty(
    _ amount: Int64, now: LoanLife.Penalty
  ) throws(LendingRefusal) -> Debt {
    try require(.charge)
    let charges = min(amount, outstanding.otherCharges)
    let fee = min(amount - charges, outstanding.fee)
    let principal = min(amount - charges - fee, outstanding.principal)
    let tax = amount - charges - fee - principal
    let taken = Debt(charges: charges + tax, fee: fee, principal: principal, tax: tax)
    guard amount >= 0, tax <= outstanding.tax else {
      throw .loan(.givesBackMoreThanOwed(amount, owed: outstanding.principal))
    }
    outstanding.charges -= taken.charges
    outstanding.tax -= taken.tax
    outstanding.fee -= taken.fee
    takePrincipal(taken.principal)
    if let due = due?.amount { self.due?.amount = max(0, due - amount) }
    if due?.amount == 0 { due = nil }
    life.penalty = now
    settle()
    return taken
  }

  /// The delinquency step looked at the loan.
  package mutating func found(_ lateness: LoanLife.Lateness) { life.lateness = lateness }

  /// Days that bear a penalty in a span, its end excluded: those outside of every pause.
  package func penaltyDays(from start: CalendarDate, to end: CalendarDate) -> Int64 {
    guard start < end else { return 0 }
    var counted = start.days(to: end)
    // The first day that is not looked at yet.
    var next = start
    for pause in life.pauses.sorted(by: { $0.from < $1.from }) {
      let (from, last) = (max(pause.from, next), pause.through)
      guard from < end, last >= from else { continue }
      let stop = min(last.adding(days: 1) ?? end, end)
      counted -= from.days(to: stop)
      next = stop
    }
    return counted
  }
}
