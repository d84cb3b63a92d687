import Ledger
import Lending
import Parties
import Persistence
import Primitives
import Repayment

/// What being late costs, by the penalty engine: what is charged, quoted and taken back.
package enum Penalties {
  /// A charge for the days since the last one.
  package struct Charge: Sendable, Hashable {
    package let from: CalendarDate
    package let to: CalendarDate
    package let days: Int64
    package let base: Int64
    package let amount: Int64
    package let isCapped: Bool
    package let before: PenaltyAccrual
    package let after: PenaltyAccrual
  }

  /// Where a loan's penalty stands.
  static func state(of loan: Loan) throws -> PenaltyAccrual {
    try PenaltyAccrual(
      dayCount: loan.terms.dayCount, total: loan.life.penalty.total, residue: loan.life.penalty.residue)
  }

  /// The penalty of the days before a date that is not charged yet.
  /// - Returns: nil where there is no such day; a charge of nothing where what was overdue on them came to nothing.
  package static func charge(on loan: Loan, through date: CalendarDate) throws -> Charge? {
    guard let start = loan.penaltyFrom else { return nil }
    let from = max(start, loan.life.penalty.through ?? start)
    guard from < date else { return nil }
    let (days, base, before) = (loan.penaltyDays(from: from, to: date), loan.penaltyBase, try state(of: loan))
    let charged = try before.charging(
      base: base, rate: loan.terms.penalty.rate, days: days, cap: try loan.penaltyCap())
    return Charge(
      from: from, to: date, days: days, base: base, amount: charged.amount, isCapped: charged.isCapped, before: before,
      after: charged.state)
  }

  /// A loan as it is once the penalty of the days before a date is charged: for what is only shown.
  static func charged(_ loan: Loan, through date: CalendarDate) throws -> Loan {
    guard let charge = try charge(on: loan, through: date) else { return loan }
    var loan = loan
    try loan.addPenalty(
      charge.amount,
      now: loan.life.penalty.now(through: date, total: charge.after.total, residue: charge.after.residue))
    return loan
  }

  /// A part of an earlier charge: its days from some day on.
  struct Part {
    let charge: PenaltyRow
    let from: CalendarDate
    let to: CalendarDate
    /// Over the accrual's denominator.
    let exact: Int128
  }

  /// What was charged for the days from a date on and not taken back, in the order in which it was charged.
  static func parts(of rows: [PenaltyRow], on loan: Loan, from date: CalendarDate) throws -> [Part] {
    let state = try state(of: loan)
    return rows.filter { $0.reverses == nil }.compactMap { row in
      let taken = rows.filter { $0.reverses == row.id }
      let end = taken.map(\.from).reduce(row.to, min)
      let from = max(row.from, date)
      guard from < end else { return nil }
      func exact(_ row: PenaltyRow) -> Int128 {
        state.exact(amount: row.amount, residueBefore: row.residueBefore, residueAfter: row.residueAfter)
      }
      let left = taken.reduce(exact(row)) { $0 + exact($1) }
      // A charge that the cap cut is full in its first days.
      let days = Int128(loan.penaltyDays(from: row.from, to: from))
      let kept = min(left, Int128(row.base) * Int128(row.rate.value) * days)
      return Part(charge: row, from: from, to: end, exact: left - kept)
    }
  }
}

extension LoanDesk {
  /// Charges the penalty of all days before a date on what was overdue on them. To be called before whatever changes what
  /// is overdue.
  static func accruePenalty(
    _ loan: Loan, through date: CalendarDate, booked: CalendarDate? = nil, in draft: inout Draft
  ) throws -> Loan {
    guard let charge = try Penalties.charge(on: loan, through: date) else { return loan }
    var loan = loan
    let after = loan.life.penalty.now(through: date, total: charge.after.total, residue: charge.after.residue)
    try loan.addPenalty(charge.amount, now: after)
    loan = draft.put(\.loans, loan)
    // Nothing was overdue, or a payment holiday ran, or the cap is reached.
    if charge.before == charge.after { return loan }
    let entry = try postPenalty(.penaltyCharged, loan, charge.amount, on: booked ?? date, in: &draft)
    keep(
      of: loan, reverses: nil, from: charge.from, to: charge.to, days: charge.days, base: charge.base,
      rate: loan.terms.penalty.rate, amount: charge.amount, charge.before, charge.after, isCapped: charge.isCapped,
      entry, on: booked ?? date, in: &draft)
    return loan
  }

  /// Takes back what was charged for the days from a date on, since money of that date was recorded only now. To be charged
  /// again on what the money leaves, by `chargePenaltyAgain`.
  ///
  /// Nothing is taken back where it is more than all that is owed: then it was paid, and what was paid stays.
  /// - Returns: the loan, and the parts of charges that were taken back, in order.
  static func takeBackPenalty(
    _ loan: Loan, from date: CalendarDate, in draft: inout Draft
  ) throws -> (loan: Loan, parts: [Penalties.Part]) {
    guard let charged = loan.life.penalty.through, date < charged else { return (loan, []) }
    // What is given back is given back today: the days before bear their penalty without it first.
    var loan = try accruePenalty(loan, through: draft.today, in: &draft)
    let through = loan.life.penalty.through ?? charged
    let rows = (draft.base.penaltiesOfLoan[loan.id] ?? []) + draft.made.penalties.filter { $0.loanID == loan.id }
    let parts = try Penalties.parts(of: rows, on: loan, from: date)
    let all = try Penalties.state(of: loan).takingBack(parts.reduce(0) { $0 + $1.exact })
    guard !parts.isEmpty, all.amount <= (try loan.outstanding.total()) else { return (loan, []) }
    for part in parts {
      let before = try Penalties.state(of: loan)
      let (amount, after) = try before.takingBack(part.exact)
      let taken = try loan.takeBackPenalty(
        amount, now: loan.life.penalty.now(through: through, total: after.total, residue: after.residue))
      loan = draft.put(\.loans, loan)
      let entry = try postTakenBack(loan, taken, on: draft.today, in: &draft)
      keep(
        of: loan, reverses: part.charge.id, from: part.from, to: part.to,
        days: loan.penaltyDays(from: part.from, to: part.to), base: part.charge.base, rate: part.charge.rate,
        amount: -amount, before, after, isCapped: false, entry, on: draft.today, in: &draft)
      loan = try releaseWriteOff(loan, on: draft.today, in: &draft)
    }
    return (loan, parts)
  }

  /// Charges anew what `takeBackPenalty` took back: each day bears it on what was overdue on it, less what the money paid.
  /// - Parameters:
  ///   - paid: of the penalty's base.
  ///   - due: as it was before the money: what is charged is due for the same cause, should nothing else be due any more.
  static func chargePenaltyAgain(
    _ loan: Loan, _ parts: [Penalties.Part], less paid: Int64, due: LoanDue?, in draft: inout Draft
  ) throws -> Loan {
    var loan = loan
    for part in parts {
      let (before, base) = (try Penalties.state(of: loan), max(0, part.charge.base - paid))
      let days = loan.penaltyDays(from: part.from, to: part.to)
      let charged = try before.charging(base: base, rate: part.charge.rate, days: days, cap: try loan.penaltyCap())
      if before == charged.state { continue }
      let isOver = loan.due == nil
      try loan.addPenalty(
        charged.amount,
        now: loan.life.penalty.now(
          through: loan.life.penalty.through, total: charged.state.total, residue: charged.state.residue))
      if isOver, charged.amount > 0, let due {
        try loan.becomeDue(
          LoanDue(cause: due.cause, causeID: due.causeID, since: draft.today, amount: charged.amount))
      }
      loan = draft.put(\.loans, loan)
      let entry = try postPenalty(.penaltyCharged, loan, charged.amount, on: draft.today, in: &draft)
      keep(
        of: loan, reverses: nil, from: part.from, to: part.to, days: days, base: base, rate: part.charge.rate,
        amount: charged.amount, before, charged.state, isCapped: charged.isCapped, entry, on: draft.today, in: &draft)
    }
    return loan
  }

  private static func keep(
    of loan: Loan, reverses: PenaltyID?, from: CalendarDate, to: CalendarDate, days: Int64, base: Int64,
    rate: BasisPoints, amount: Int64, _ before: PenaltyAccrual, _ after: PenaltyAccrual, isCapped: Bool,
    _ entry: JournalEntryID?, on date: CalendarDate, in draft: inout Draft
  ) {
    draft.made.penalties.append(
      PenaltyRow(
        id: draft.ids.next(), borrowerID: loan.terms.borrowerID, lenderID: loan.terms.lenderID, loanID: loan.id,
        reverses: reverses, from: from, to: to, days: days, base: base, rate: rate, yearDays: before.yearDays,
        amount: amount, residueBefore: before.residue, residueAfter: after.residue, isCapped: isCapped,
        entryID: entry, bookedOn: date, recordedAt: draft.now))
  }

  /// - Returns: the entry's id; nil for nothing.
  private static func postPenalty(
    _ kind: EntryKind, _ loan: Loan, _ amount: Int64, on date: CalendarDate, in draft: inout Draft
  ) throws -> JournalEntryID? {
    if amount == 0 { return nil }
    let (lender, borrower) = (lender(loan), borrower(loan))
    return try post(
      kind, of: loan, on: date,
      [
        lender.organization: [lender.money(.receivableCharges, amount), lender.money(.incomeCharges, -amount)],
        borrower.organization: [borrower.money(.expenseCharges, amount), borrower.money(.payableCharges, -amount)],
      ], in: &draft)
  }

  private static func postTakenBack(
    _ loan: Loan, _ taken: Debt, on date: CalendarDate, in draft: inout Draft
  ) throws -> JournalEntryID? {
    let total = try taken.total()
    if total == 0 { return nil }
    let (lender, borrower) = (lender(loan), borrower(loan))
    return try post(
      .penaltyTakenBack, of: loan, on: date,
      [
        lender.organization: lender.claim(taken, -1) + [lender.money(.incomeCharges, total)],
        borrower.organization: borrower.debt(taken, -1) + [borrower.money(.expenseCharges, -total)],
      ], in: &draft)
  }
}
