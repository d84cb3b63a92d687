import Catalogue
import Ledger
import Lending
import Parties
import Persistence
import Primitives
import Valuation

/// Tests of the value behind loans, and what follows from them.
enum MarginDesk {
  /// What was found behind a loan on a day.
  struct Found {
    let row: MarginTestRow
    /// nil where there was nothing to test by.
    let test: MarginTest?
  }

  /// Looks at the value behind a loan by the mark that is known now for a day. A mark that is stale or disputed, that is
  /// missing, or that a dispute of this very loan was upheld against, tests nothing: that is recorded too.
  static func test(_ loan: Loan, _ terms: MarginTerms, on date: CalendarDate, in draft: inout Draft) throws -> Found {
    let mark = draft.base.valuation.dayMarks[ChipDay(loan.terms.chipModelID, on: date)] ?? nil
    let (outcome, test) = try look(at: loan, terms, on: date, mark, in: draft)
    let row = MarginTestRow(
      id: draft.ids.next(), borrowerID: loan.terms.borrowerID, lenderID: loan.terms.lenderID, loanID: loan.id, on: date,
      outcome: outcome, mark: mark.map { MarginTestRow.Mark($0) }, inputs: try inputs(of: loan, in: draft),
      threshold: terms.threshold, haircut: haircut(of: loan, terms, on: date, in: draft),
      result: test.map { MarginTestRow.Result($0) },
      recordedAt: draft.now)
    return Found(row: row, test: test)
  }

  private static func inputs(of loan: Loan, in draft: Draft) throws -> MarginTestRow.Inputs {
    MarginTestRow.Inputs(
      units: loan.unitsOut, outstanding: Money(try loan.outstanding.total(), loan.currency),
      deposits: try DepositDesk.held(for: loan, in: draft), repaid: max(0, draft.base.margin.repaid[loan.id] ?? 0))
  }

  /// What the parties agreed on, or what the platform asks for at least where that is more.
  private static func haircut(
    of loan: Loan, _ terms: MarginTerms, on date: CalendarDate, in draft: Draft
  ) -> TakenHaircut {
    draft.reference.haircut(agreed: terms.haircut, chip: loan.terms.chipModelID, on: date)
  }

  /// - Parameter less: of what is deposited, this is left out.
  static func look(
    at loan: Loan, _ terms: MarginTerms, on date: CalendarDate, _ mark: ValuationMark?, less: Int64 = 0,
    in draft: Draft
  ) throws -> (MarginTestRow.Outcome, MarginTest?) {
    let outcome = outcome(mark, loan, on: date, in: draft)
    guard outcome == .tested, let mark else { return (outcome, nil) }
    let inputs = try inputs(of: loan, in: draft)
    return (
      outcome,
      try MarginTest(
        terms, on: date, units: inputs.units, mark: mark.amount,
        deposits: Money(max(0, inputs.deposits - less), loan.currency), outstanding: inputs.outstanding,
        repaid: Money(inputs.repaid, loan.currency), haircut: haircut(of: loan, terms, on: date, in: draft).haircut)
    )
  }

  private static func outcome(
    _ mark: ValuationMark?, _ loan: Loan, on date: CalendarDate, in draft: Draft
  ) -> MarginTestRow.Outcome {
    let subject = ValuationSubject.chipModel(loan.terms.chipModelID)
    let disputes = (draft.base.valuation.openDisputes[subject] ?? []).compactMap { draft.find(\.markDisputes, $0) }
    let upheld = calls(of: loan.terms.borrowerID, in: draft).contains {
      $0.call.loanID == loan.id && $0.markID == mark?.id && $0.decision?.isUpheld == true
    }
    let isDisputed = upheld || disputes.contains { $0.markID == mark?.id && $0.state == .open }
    return MarginTestRow.Outcome(mark, in: loan.currency, on: date, isDisputed: isDisputed)
  }

  /// The calls of a borrower that run, and those of which a dispute was upheld.
  static func calls(of borrower: OrganizationID, in draft: Draft) -> [MarginCallRow] {
    (draft.base.margin.callsOf[borrower] ?? []).compactMap { draft.find(\.marginCalls, $0) }
  }

  /// What a command on one call must see.
  static func needs(_ id: MarginCallID, _ state: BatchState) -> Set<Need> {
    var needs: Set<Need> = [.margin(.call(id))]
    if let row = state.shelves.marginCalls[id] { needs.insert(.loan(row.call.loanID)) }
    return needs
  }

  static func heads(_ id: MarginCallID, _ state: BatchState) -> Set<OrganizationID> {
    Set([state.shelves.marginCalls[id]?.borrowerID].compactMap { $0 })
  }

  /// Keeps a call as it is now, and tells both sides what happened to it.
  @discardableResult
  static func put(
    _ row: MarginCallRow, _ event: String, of loan: Loan, _ facts: [(StaticString, EventFact)] = [],
    in draft: inout Draft
  ) -> MarginCallRow {
    let row = draft.put(\.marginCalls, row)
    draft.happen(
      "margin_call.\(event)", row.id, version: row.version, of: loan,
      [
        ("loan_id", .text(loan.id.description)), ("state", .text(row.call.state.rawValue)),
        ("called", .number(row.call.called.amount)), ("currency", .text(row.call.called.currency.code)),
        ("disputed", .number(row.call.disputed)), ("cured", .number(row.call.cured)),
        ("due_on", .text(row.call.dueOn.description)),
      ] + facts)
    return row
  }

  /// Money was brought for a call.
  static func cure(
    _ row: MarginCallRow, _ amount: Money, on date: CalendarDate, by receipt: CashReceiptID, in draft: inout Draft
  ) throws {
    guard amount.amount > 0, let loan = draft.find(\.loans, row.call.loanID) else { return }
    var row = row
    let taken = try row.call.cure(amount, on: date)
    put(
      row, row.call.state == .cured ? "cured" : "paid", of: loan,
      [("amount", .number(taken)), ("cash_receipt_id", .text(receipt.description))], in: &draft)
  }

  /// What a test says of a loan's call: it is opened where something is missing and none runs, cleared where nothing is
  /// missing any more, and after its deadline it lapses.
  /// - Returns: what happened, by the name of its sum.
  static func follow(
    _ found: Found, _ terms: MarginTerms, of loan: Loan, in draft: inout Draft
  ) throws -> [String: Int64] {
    let running = calls(of: loan.terms.borrowerID, in: draft).first {
      $0.call.loanID == loan.id && !$0.call.state.isEnded
    }
    guard var row = running else {
      guard let test = found.test, test.isBreach, let mark = found.row.mark else { return [:] }
      // Where all of the loan is due already, nothing more can be asked for.
      if let due = loan.due, due.amount == nil { return [:] }
      let call = try MarginCall(id: draft.ids.next(), loanID: loan.id, test: test, terms: terms)
      put(
        MarginCallRow(
          call: call, borrowerID: loan.terms.borrowerID, lenderID: loan.terms.lenderID, testID: found.row.id,
          markID: mark.id, createdAt: draft.now, updatedAt: draft.now), "opened", of: loan,
        [
          ("consequence", .text(call.consequence.rawValue)), ("expected", .number(test.expected.amount)),
          ("required", .number(test.required.amount)), ("held", .number(test.held.amount)),
          ("valuation_id", .text(mark.id.description)),
        ], in: &draft)
      return ["calls_opened": 1]
    }
    // A day before the call says nothing of it.
    guard found.row.on >= row.call.openedOn else { return [:] }
    if let test = found.test, try row.call.retest(test) {
      put(row, "cleared", of: loan, [("cause", .text("value_recovered"))], in: &draft)
      return ["calls_cleared": 1]
    }
    guard try row.call.endDay(found.row.on) else { return [:] }
    row = put(row, "lapsed", of: loan, [("consequence", .text(row.call.consequence.rawValue))], in: &draft)
    try enforce(row, on: loan, since: found.row.on, in: &draft)
    return ["calls_lapsed": 1]
  }

  /// What the terms say of a call that ran out. What is due or called back already stays as it is.
  private static func enforce(
    _ row: MarginCallRow, on loan: Loan, since date: CalendarDate, in draft: inout Draft
  ) throws {
    switch row.call.consequence {
    case .due:
      var loan = try LoanDesk.accrue(loan, through: date, in: &draft).loan
      guard Loan.Act.becomeDue.from.contains(loan.state), loan.due == nil || loan.due?.amount != nil else { return }
      try loan.becomeDue(LoanDue(cause: .margin, causeID: row.id.value, since: date, amount: nil))
      loan = draft.put(\.loans, loan)
      LoanDesk.announce(
        "loan.due", loan,
        [("cause", .text(LoanDue.Cause.margin.rawValue)), ("margin_call_id", .text(row.id.description))], in: &draft)
    case .recall:
      guard Loan.Act.recall.from.contains(loan.state), loan.life.recall == nil, let days = loan.terms.recallNoticeDays
      else { return }
      var loan = loan
      try loan.recall(
        on: date, noticeDays: days,
        adjusted: BusinessDays.endOfNotice(days, from: date, of: loan, draft.reference.calendars))
      loan = draft.put(\.loans, loan)
      LoanDesk.announce(
        "loan.recalled", loan,
        [
          ("cause", .text(LoanDue.Cause.margin.rawValue)), ("margin_call_id", .text(row.id.description)),
          ("due_on", loan.life.recall.map { .text($0.dueOn.description) } ?? .absent), ("notice_days", .number(days)),
        ], in: &draft)
    }
  }
}

/// Tests the loans of one borrower that state margin terms, once for a day, and does what follows. Done twice, the second
/// does nothing.
package struct TestMargins: Command {
  package static let action = "settlement.test_margins"
  package var staffDuty: Duty? { .operations }
  package let borrowerID: OrganizationID
  package let on: CalendarDate

  package init(borrowerID: OrganizationID, on: CalendarDate) {
    self.borrowerID = borrowerID
    self.on = on
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    var needs: Set<Need> = [
      .loansOfBorrower(borrowerID), .margin(.calls(of: borrowerID)),
      .margin(.tested(MarginDay(borrowerID, on: on))), .accounts(borrowerID, .depositPledged),
    ]
    for id in state.loansOfBorrower[borrowerID] ?? [] {
      guard let loan = state.loans[id], loan.terms.margin != nil else { continue }
      let chip = loan.terms.chipModelID
      needs.formUnion([.valuation(.dayMark(ChipDay(chip, on: on))), .valuation(.disputes(of: .chipModel(chip)))])
    }
    // Calls of loans that have closed are told to their lenders.
    for id in state.margin.callsOf[borrowerID] ?? [] {
      if let row = state.shelves.marginCalls[id], !row.call.state.isEnded { needs.insert(.loan(row.call.loanID)) }
    }
    return needs
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> { LoanBook.heads(of: borrowerID, state) }

  /// - Returns: `loans_tested`, `loans_untested`, `calls_opened`, `calls_cleared`, `calls_lapsed`.
  package func decide(_ draft: inout Draft, by principal: Principal) throws -> [String: Int64] {
    try principal.require(.admin)
    guard on <= draft.today else { throw PlatformRefusal.dateAhead(on, today: draft.today) }
    draft.made.subject = borrowerID.value
    let tested = draft.base.margin.tested[MarginDay(borrowerID, on: on)] ?? [:]
    var totals: [String: Int64] = ["loans_tested": 0]
    let running = LoanBook.running(of: borrowerID, in: draft)
    for loan in running {
      // Days before it came to its lender are of the loan that it was then.
      guard let terms = loan.terms.margin, on >= terms.curve.firstPriceOn, on >= loan.deliveredOn ?? .latest,
        on >= loan.life.acquired?.on ?? on
      else { continue }
      let days = tested[loan.id]
      if days?.hasDay == true { continue }
      let found = try MarginDesk.test(loan, terms, on: on, in: &draft)
      draft.made.marginTests.append(found.row)
      totals[found.test == nil ? "loans_untested" : "loans_tested", default: 0] += 1
      if found.test == nil {
        LoanDesk.announce(
          "loan.margin_untested", loan,
          [("on", .text(on.description)), ("reason_code", .text(found.row.outcome.rawValue))], in: &draft)
      }
      // A day that is looked at late says nothing of what days after it found.
      if let latest = days?.latest, latest > on { continue }
      try totals.add(MarginDesk.follow(found, terms, of: loan, in: &draft))
    }
    let live = Set(running.map(\.id))
    for var row in MarginDesk.calls(of: borrowerID, in: draft)
    where !row.call.state.isEnded && !live.contains(row.call.loanID) {
      guard let loan = draft.find(\.loans, row.call.loanID) else { continue }
      try row.call.endWithLoan(on: on)
      MarginDesk.put(row, "cleared", of: loan, [("cause", .text("loan_ended"))], in: &draft)
      try totals.add(["calls_cleared": 1])
    }
    return totals
  }
}
