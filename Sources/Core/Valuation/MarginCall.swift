import Primitives

/// A demand for what a margin test found missing, from its opening to its end.
package struct MarginCall: Sendable, Hashable {
  package enum State: String, Sendable, Hashable, CaseIterable {
    /// Successors: all others.
    case open
    /// All of it is agreed. Successors: `cured`, `cleared`, `lapsed`.
    case agreed
    /// Part is agreed and the rest disputed; the agreed part is due at the deadline. Successors: `agreed`, `cured`,
    /// `cleared`, `lapsed`.
    case partlyAgreed = "partly_agreed"
    /// All of it is disputed; no deadline runs out. Successors: `agreed`, `partly_agreed`, `cleared`.
    case disputed
    /// What was called for was brought.
    case cured
    /// The value came back by itself, or a dispute was upheld, or the loan ended: nothing is missing any more.
    case cleared
    /// The deadline passed with something undisputed unpaid: the consequence follows.
    case lapsed

    package var isEnded: Bool { self == .cured || self == .cleared || self == .lapsed }
  }

  package let id: MarginCallID
  package let loanID: LoanID
  package let openedOn: CalendarDate
  /// The last day to cure it.
  package let dueOn: CalendarDate
  package let consequence: MarginTerms.Consequence
  /// What is called for, above zero; less once a dispute is upheld.
  package private(set) var called: Money
  /// The part of it that the borrower says is wrong, in minor units.
  package private(set) var disputed: Int64
  /// Brought in cash or deposits, in minor units; at most what is called for.
  package private(set) var cured: Int64
  package private(set) var state: State
  package private(set) var reason: String?
  package private(set) var endedOn: CalendarDate?

  /// Called for and not disputed, in minor units: due at the deadline.
  package var undisputed: Int64 { called.amount - disputed }
  /// Of the undisputed part, what has not been brought.
  package var missing: Int64 { max(0, undisputed - cured) }

  /// Opens a call for what a test found missing.
  /// - Throws: `MarginRefusal` where nothing is missing, or the deadline is past the calendar.
  package init(
    id: MarginCallID, loanID: LoanID, test: MarginTest, terms: MarginTerms
  ) throws(MarginRefusal) {
    guard test.isBreach else { throw .nothingMissing }
    guard let dueOn = test.on.adding(days: terms.cureDays) else { throw .dateOutOfRange }
    self.id = id
    self.loanID = loanID
    openedOn = test.on
    self.dueOn = dueOn
    consequence = terms.consequence
    called = test.shortfall
    (disputed, cured, state) = (0, 0, .open)
  }

  /// A call as stored.
  package init(
    id: MarginCallID, loanID: LoanID, openedOn: CalendarDate, dueOn: CalendarDate,
    consequence: MarginTerms.Consequence, called: Money, disputed: Int64, cured: Int64, state: State, reason: String?,
    endedOn: CalendarDate?
  ) {
    self.id = id
    self.loanID = loanID
    self.openedOn = openedOn
    self.dueOn = dueOn
    self.consequence = consequence
    self.called = called
    self.disputed = disputed
    self.cured = cured
    self.state = state
    self.reason = reason
    self.endedOn = endedOn
  }

  private func requireRunning(_ act: String) throws(MarginRefusal) {
    if state.isEnded { throw .ended(state, act: act) }
  }

  /// The borrower agrees that all of it is owed; a dispute of its own ends with that.
  package mutating func agree() throws(MarginRefusal) {
    try requireRunning("agreed to")
    disputed = 0
    reason = nil
    state = .agreed
  }

  /// The borrower says that a part, or all, is wrong. The rest stays due.
  /// - Parameter amount: minor units, 1 up to what is called for.
  package mutating func dispute(_ amount: Int64, reason: String) throws(MarginRefusal) {
    try requireRunning("disputed")
    guard state == .open else { throw .answeredAlready(state) }
    guard (1...called.amount).contains(amount) else { throw .amountOutOfRange(amount, most: called.amount) }
    disputed = amount
    self.reason = reason
    state = amount == called.amount ? .disputed : .partlyAgreed
  }

  /// Staff, other than whoever opened the call, decide a dispute: what was disputed is owed after all, or is called for no
  /// more.
  package mutating func decideDispute(isUpheld: Bool, on date: CalendarDate) throws(MarginRefusal) {
    try requireRunning("decided")
    guard disputed > 0 else { throw .notDisputed }
    if isUpheld {
      let left = called.amount - disputed
      guard left > 0 else {
        state = .cleared
        disputed = 0
        endedOn = date
        return
      }
      called = Money(left, called.currency)
    }
    disputed = 0
    state = .agreed
    cured = min(cured, called.amount)
    endIfCured(on: date)
  }

  /// Cash or a deposit came in for it.
  /// - Parameter amount: minor units above zero; what is more than is called for stays with the borrower.
  /// - Returns: what was taken, in minor units.
  package mutating func cure(_ amount: Money, on date: CalendarDate) throws(MarginRefusal) -> Int64 {
    try requireRunning("cured")
    guard amount.currency == called.currency else { throw .currencyDiffers(amount.currency, called.currency) }
    guard amount.amount > 0 else { throw .amountOutOfRange(amount.amount, most: called.amount - cured) }
    let taken = min(amount.amount, called.amount - cured)
    // At most what is called for.
    cured += taken
    endIfCured(on: date)
    return taken
  }

  private mutating func endIfCured(on date: CalendarDate) {
    guard cured >= called.amount else { return }
    state = .cured
    disputed = 0
    endedOn = date
  }

  /// A later test of the same loan: where nothing is missing any more the call is cleared, whatever its state.
  /// - Returns: whether it was.
  package mutating func retest(_ test: MarginTest) throws(MarginRefusal) -> Bool {
    try requireRunning("tested")
    guard test.on >= openedOn else { throw .dateOutOfRange }
    guard !test.isBreach else { return false }
    state = .cleared
    disputed = 0
    endedOn = test.on
    return true
  }

  /// The loan is over, sold or taken over: nothing of this one is to be covered any more.
  package mutating func endWithLoan(on date: CalendarDate) throws(MarginRefusal) {
    try requireRunning("ended")
    state = .cleared
    disputed = 0
    endedOn = max(date, openedOn)
  }

  /// The end of a day: past the deadline, with something undisputed missing, it lapses. A part that is disputed does not
  /// lapse, and what is undisputed does not wait for it.
  /// - Returns: whether it did.
  package mutating func endDay(_ date: CalendarDate) throws(MarginRefusal) -> Bool {
    try requireRunning("ended")
    guard date > dueOn, missing > 0 else { return false }
    state = .lapsed
    endedOn = date
    return true
  }
}

/// Why an act on a margin call is refused.
package enum MarginRefusal: Refusal, Hashable {
  case nothingMissing
  case dateOutOfRange
  case ended(MarginCall.State, act: String)
  case answeredAlready(MarginCall.State)
  case notDisputed
  case currencyDiffers(Currency, Currency)
  case amountOutOfRange(Int64, most: Int64)

  package var kind: RefusalKind {
    switch self {
    case .currencyDiffers, .amountOutOfRange, .dateOutOfRange: .invalid
    case .nothingMissing, .ended, .answeredAlready, .notDisputed: .conflict
    }
  }

  package var code: String {
    switch self {
    case .nothingMissing: "margin.nothing_missing"
    case .dateOutOfRange: "margin.date_out_of_range"
    case .ended: "margin.call_ended"
    case .answeredAlready: "margin.answered_already"
    case .notDisputed: "margin.not_disputed"
    case .currencyDiffers: "margin.currency_differs"
    case .amountOutOfRange: "margin.amount_out_of_range"
    }
  }

  package var detail: String {
    switch self {
    case .nothingMissing: "Nothing is missing, so nothing is called for."
    case .dateOutOfRange: "The date is before the call, or past the calendar."
    case .ended(let state, let act): "The call is \(state.rawValue); it cannot be \(act)."
    case .answeredAlready(let state): "The call is \(state.rawValue); it was answered already."
    case .notDisputed: "Nothing of the call is disputed."
    case .currencyDiffers(let given, let called): "The call is in \(called), not in \(given)."
    case .amountOutOfRange(let amount, let most): "The amount is from 1 to \(most) minor units; \(amount) was given."
    }
  }

  package var pointer: String? {
    switch self {
    case .currencyDiffers, .amountOutOfRange: "/amount"
    default: nil
    }
  }
}
