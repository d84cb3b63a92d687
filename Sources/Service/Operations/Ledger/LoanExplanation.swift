import Ledger
import Lending
import Persistence
import Postgres
import Primitives
import Repayment

/// Why a part of a loan's debt is what it is: the lines of one book that it is the sum of, each with the rule that made it
/// and what the rule was given.
///
/// A fee's inputs are not stored with it: that would double what a day of accrual writes. They are found again, by running
/// the accrual engine over the same journal; a fee that does not come out to the minor unit is told as such, and tests hold
/// that none is.
package struct LoanExplanation: Sendable {
  /// The part of the debt.
  package enum Field: String, Sendable, Hashable, CaseIterable {
    case outstanding
    case accruedFee = "accrued_fee"
    /// Beside the tax.
    case charges
    /// Sales tax on the fee.
    case tax
  }

  /// One line of the journal on the loan's account of the field.
  package struct Part: Sendable {
    package let field: Field
    package let entryID: JournalEntryID
    package let kind: EntryKind
    package let on: CalendarDate
    /// What it did to the field, minor units, a rise positive.
    package let amount: Int64
    package let rule: Rule
  }

  /// What made a part, with its inputs.
  package enum Rule: Sendable {
    /// Quantity x mark x advance rate, rounded half to even once.
    case principal(Loan.Terms)
    case fee(FeeStep)
    /// The fee of past days at the rate that both sides agreed on later.
    case restated(LoanAmendment)
    /// Money that a waterfall divided.
    case allocation([AllocationRow], rank: Int64)
    case returned(LoanReturn)
    case penalty([PenaltyRow])
    case tax([TaxLineRow])
    /// The entry says all there is to say.
    case act
    /// No rule gives the amount: the books, or this program, are at fault.
    case unexplained
  }

  /// A posting of fee, run again.
  package struct FeeStep: Sendable, Hashable {
    package let periods: [RatePeriod]
    package let principal: Int64
    package let before: FeeAccrual
    package let after: FeeAccrual
  }

  package let loan: Loan
  /// In the order of the book.
  package let parts: [Part]
  /// The fee as it stands after all entries of the book.
  package let fee: FeeAccrual?

  /// A line of the book, with its entry.
  struct Line {
    let entryID: JournalEntryID
    let kind: EntryKind
    let on: CalendarDate
    let field: Field
    let amount: Int64
  }

  /// - Parameter results: of `queries`, in order.
  package init(_ loan: Loan, _ results: [ResultSet]) throws {
    let lines = try results[0].compactMap(Self.line)
    let penalties = try Dictionary(grouping: Tables.penalties.decode(results[1]), by: \.entryID)
    let amendments = try Tables.loanAmendments.decode(results[2]).filter { $0.state == .accepted }
    let allocations = try Tables.allocations.decode(results[3])
    let returns = try Tables.loanReturns.decode(results[4])
    let sales = try Tables.loanAssignments.decode(results[5]).filter { $0.state == .settled }
    let taxes = try Dictionary(grouping: Tables.taxLines.decode(results[7]), by: \.entryID)
    var replay = try FeeReplay(loan, amendments, sales, assumption: results[6].first)
    var payments = Self.payments(allocations)
    var inspected = returns.filter { $0.state == .accepted }
    var parts: [Part] = []
    for entry in Self.entries(lines) {
      let rule: Rule
      switch entry[0].kind {
      case .deliveryAccepted: rule = .principal(loan.terms)
      case .feeAccrued: rule = try replay.accrued(entry).map { .fee($0) } ?? .unexplained
      case .feeReversed, .feeRestated: rule = try replay.restated(entry).map { .restated($0) } ?? .unexplained
      case .debtPaid: rule = Self.paid(entry, &payments, rank: loan.terms.rank)
      case .returnInspected: rule = Self.returned(entry, &inspected)
      case .penaltyCharged, .penaltyTakenBack:
        rule = penalties[entry[0].entryID].map { .penalty($0) } ?? .unexplained
      case .taxAccrued, .taxRestated: rule = taxes[entry[0].entryID].map { .tax($0) } ?? .unexplained
      default: rule = .act
      }
      try replay.move(entry)
      parts += entry.map {
        Part(field: $0.field, entryID: $0.entryID, kind: $0.kind, on: $0.on, amount: $0.amount, rule: rule)
      }
    }
    self.loan = loan
    self.parts = parts
    fee = replay.state
  }

  /// What of a field was booked up to a date.
  package func parts(of field: Field, on date: CalendarDate) -> [Part] {
    parts.filter { $0.field == field && $0.on <= date }
  }

  /// - Throws: `ArithmeticOverflow` for sums that no book holds.
  package static func sum(_ parts: [Part]) throws -> Int64 { try parts.reduce(0) { try $0.adding($1.amount) } }

  // MARK: lookups

  /// - Parameters:
  ///   - scope: the reader, or nil for who reads everything.
  ///   - book: whose book it is explained from: a side of the loan.
  package static func queries(for loan: Loan, of book: OrganizationID, scope: Bind) -> [Query] {
    let id = Bind.uuid(loan.id.value.bits)
    return [
      Query(Details.debtLinesOfLoan, [scope, .uuid(book.value.bits), id]), Query(Details.penaltiesOfLoan, [scope, id]),
      Query(Details.amendmentsOfLoan, [scope, id]), Query(Details.allocationsOfLoan, [scope, id]),
      Query(Details.returnsOfLoan, [scope, id]), Query(Details.assignmentsOfLoan, [scope, id]),
      Query(Details.assumptionOfLoan, [scope, id]), Query(TaxSQL.linesOfLoan, [scope, id]),
    ]
  }

  private static func line(_ row: Row) throws -> Line? {
    var reader = RowReader(row)
    let (id, kind): (JournalEntryID, EntryKind) = (try reader.id(), try reader.value())
    let on = try reader.date()
    let (code, amount): (AccountCode, Int64) = (try reader.value(), try reader.int())
    let field: Field
    switch code {
    case .receivablePrincipal, .payablePrincipal: field = .outstanding
    case .receivableFee, .payableFee: field = .accruedFee
    case .receivableCharges, .payableCharges: field = .charges
    case .receivableTax, .payableTax: field = .tax
    default: return nil
    }
    // A debt stands on the credit side.
    let isDebt = [.payablePrincipal, .payableFee, .payableCharges, .payableTax].contains(code)
    return Line(entryID: id, kind: kind, on: on, field: field, amount: isDebt ? 0 &- amount : amount)
  }

  /// Lines of one entry together, in the order of the book.
  private static func entries(_ lines: [Line]) -> [[Line]] {
    var entries: [[Line]] = []
    for line in lines {
      if entries.last?.first?.entryID == line.entryID {
        entries[entries.count - 1].append(line)
      } else {
        entries.append([line])
      }
    }
    return entries
  }

  private static func payments(_ rows: [AllocationRow]) -> [[AllocationRow]] {
    Dictionary(grouping: rows, by: \.receiptID).values.sorted {
      ($0[0].allocatedOn, $0[0].receiptID) < ($1[0].allocatedOn, $1[0].receiptID)
    }
  }

  /// The division that an entry paid: that of its day which gives each part. Two that are alike are told apart by nothing.
  private static func paid(_ entry: [Line], _ payments: inout [[AllocationRow]], rank: Int64) -> Rule {
    var wanted: [Field: Int64] = [:]
    for line in entry { wanted[line.field, default: 0] &-= line.amount }
    let found = payments.firstIndex { rows in
      guard rows[0].allocatedOn == entry[0].on else { return false }
      var sums: [Field: Int64] = [:]
      for row in rows { sums[field(of: row.step), default: 0] &+= row.amount.amount }
      return sums == wanted
    }
    guard let found else { return .unexplained }
    return .allocation(payments.remove(at: found), rank: rank)
  }

  private static func field(of step: String) -> Field {
    switch WaterfallStep(rawValue: step) {
    case .fee: .accruedFee
    case .principal: .outstanding
    case .tax: .tax
    case .charges, .prepayment, nil: .charges
    }
  }

  private static func returned(_ entry: [Line], _ returns: inout [LoanReturn]) -> Rule {
    let credit = entry.filter { $0.field == .outstanding }.reduce(0) { $0 &- $1.amount }
    guard let found = returns.firstIndex(where: { $0.inspectedOn == entry[0].on && $0.credit == credit }) else {
      return .unexplained
    }
    return .returned(returns.remove(at: found))
  }
}

/// Runs the accrual engine over a loan's journal again.
private struct FeeReplay {
  private let loan: Loan
  /// Accepted changes of the rate, in order.
  private var rateChanges: [LoanAmendment]
  private var rates: [RateChange] = []
  private var principal: Int64 = 0
  private var moves: [CalendarDate: Int64] = [:]
  private(set) var state: FeeAccrual?
  /// The restatement whose first entry was seen.
  private var restating: LoanAmendment?

  /// Sales of parts of the loan, in order.
  private var sales: [LoanAssignment]
  /// Where a loan began that took the place of another, or of a part of one.
  private let opening: (on: CalendarDate, residue: Int64)?

  init(_ loan: Loan, _ amendments: [LoanAmendment], _ sales: [LoanAssignment], assumption: Row?) throws {
    self.loan = loan
    self.sales = sales.filter { $0.loanID == loan.id }
    if let bought = sales.first(where: { $0.assignedLoanID == loan.id }), let on = bought.endedOn {
      opening = (on, bought.settledResidue ?? 0)
    } else if let row = assumption {
      var reader = RowReader(row)
      opening = (try reader.date(), try reader.int())
    } else {
      opening = nil
    }
    rateChanges = amendments.filter { $0.terms.rateChange != nil }.sorted {
      ($0.decidedOn ?? .latest, $0.updatedAt, $0.id) < ($1.decidedOn ?? .latest, $1.updatedAt, $1.id)
    }
  }

  /// The loan as the engine saw it at an entry.
  private func shadow(rates: [RateChange]) -> Loan {
    var life = LoanLife()
    life.rates = rates
    return Loan(
      id: loan.id, terms: loan.terms, state: .active, closedAs: nil, unitsOut: 0, unitsReturning: 0, unitsReturned: 0,
      unitsOwned: 0, outstanding: Debt(charges: 0, fee: 0, principal: max(0, principal)),
      feeAccruedTotal: state?.accruedTotal ?? 0, accrualResidue: state?.residue ?? 0,
      accruedThrough: state?.accruedThrough, due: nil, possession: .borrower, title: .lender, securityInterest: nil,
      dispatchedOn: nil, deliveredOn: nil, closedOn: nil, life: life, version: 1, createdAt: loan.createdAt,
      updatedAt: loan.createdAt)
  }

  /// A later rate counts from its day on, over whatever was agreed for later days before: as `Loan.reRate` has it.
  private static func adding(_ change: RateChange, to rates: [RateChange]) -> [RateChange] {
    rates.filter { $0.from < change.from } + [change]
  }

  /// Takes over the rates that were agreed before a day: accrual up to it was made after them.
  private mutating func takeRates(before date: CalendarDate) throws {
    while let next = rateChanges.first, let decided = next.decidedOn, decided < date,
      let change = next.terms.rateChange
    {
      let restated = next.restatement
      // Its entries were passed already, or there are none because it came to nothing.
      if restated == nil || (restated?.reversed == 0 && restated?.restated == 0) {
        if restated != nil { _ = try restate(change) } else { rates = Self.adding(change, to: rates) }
        rateChanges.removeFirst()
      } else {
        return
      }
    }
  }

  private mutating func restate(_ change: RateChange) throws -> (reversed: Int64, restated: Int64)? {
    let (before, later) = (shadow(rates: rates), Self.adding(change, to: rates))
    let found = try LoanFee.restatement(from: change.from, before: before, after: shadow(rates: later), moves: moves)
    rates = later
    guard let found, let state else { return nil }
    let total = try state.accruedTotal.subtracting(found.reversed).adding(found.restated)
    self.state = try FeeAccrual(
      dayCount: loan.terms.dayCount, accruedThrough: state.accruedThrough, accruedTotal: total,
      residue: found.residue)
    return (found.reversed, found.restated)
  }

  private func step(through date: CalendarDate, rates: [RateChange]) throws -> (Int64, LoanExplanation.FeeStep)? {
    guard let state, date > state.accruedThrough else { return nil }
    let loan = shadow(rates: rates)
    let (amount, after) = try LoanFee.accrued(on: loan, from: state, through: date)
    return (
      amount,
      LoanExplanation.FeeStep(
        periods: loan.ratePeriods(from: state.accruedThrough, to: date), principal: principal, before: state,
        after: after)
    )
  }

  /// The fee up to an entry's day; at the close of a day its own fee is booked on it.
  mutating func accrued(_ entry: [LoanExplanation.Line]) throws -> LoanExplanation.FeeStep? {
    let posted = entry.reduce(0) { $0 &+ $1.amount }
    for date in [entry[0].on, entry[0].on.adding(days: 1)].compactMap({ $0 }) {
      var trial = self
      try trial.takeRates(before: date)
      guard let (amount, step) = try trial.step(through: date, rates: trial.rates), amount == posted else { continue }
      trial.state = step.after
      self = trial
      return step
    }
    return nil
  }

  /// The two entries of a rate for past days: the first takes back, the second posts anew.
  mutating func restated(_ entry: [LoanExplanation.Line]) throws -> LoanAmendment? {
    if let restating, entry[0].kind == .feeRestated {
      self.restating = nil
      return restating
    }
    try takeRates(before: entry[0].on)
    guard let next = rateChanges.first, let change = next.terms.rateChange, let told = next.restatement else {
      return nil
    }
    // What accrued to that day and came to no minor unit has no entry.
    if let (amount, step) = try step(through: entry[0].on, rates: rates), amount == 0 { state = step.after }
    rateChanges.removeFirst()
    guard let found = try restate(change), found.reversed == told.reversed, found.restated == told.restated else {
      return nil
    }
    // A side that comes to nothing has no entry.
    if entry[0].kind == .feeReversed, told.restated != 0 || told.credited != 0 { restating = next }
    return next
  }

  /// The principal after an entry. What accrued before it and came to no minor unit has no entry of its own.
  mutating func move(_ entry: [LoanExplanation.Line]) throws {
    let change = entry.filter { $0.field == .outstanding }.reduce(0) { $0 &+ $1.amount }
    if change == 0 { return }
    let on = entry[0].on
    if state == nil {
      state = try FeeAccrual(
        dayCount: loan.terms.dayCount, accruedThrough: opening?.on ?? loan.deliveredOn ?? on,
        residue: opening?.residue ?? 0)
    } else {
      var trial = self
      try trial.takeRates(before: on)
      if let (amount, step) = try trial.step(through: on, rates: trial.rates), amount == 0 {
        trial.state = step.after
        self = trial
      }
    }
    if entry[0].kind == .loanAssigned, let sold = sales.first, sold.endedOn == on, let before = state {
      // The part took its own share of what rounding had left.
      sales.removeFirst()
      state = try FeeAccrual(
        dayCount: loan.terms.dayCount, accruedThrough: before.accruedThrough, accruedTotal: before.accruedTotal,
        residue: before.residue - (sold.settledResidue ?? 0))
    }
    principal = try principal.adding(change)
    moves[on] = try moves[on, default: 0].adding(change)
  }
}
