import Ledger
import Lending
import Parties
import Persistence
import Primitives
import Repayment

// The postings of a loan's life beside delivery, fees, payments and returns.
extension LoanDesk {
  /// The fee of past days at another rate: one entry takes it back, the next puts it in anew, in both books. What the
  /// lower rate gave back beyond the unpaid fee is in the second, against principal and charges.
  static func postRestatement(
    _ loan: Loan, reversed: Int64, restated: Int64, taken: Debt, on date: CalendarDate, in draft: inout Draft
  ) throws {
    let (lender, borrower) = (lender(loan), borrower(loan))
    try post(
      .feeReversed, of: loan, on: date,
      [
        lender.organization: [lender.money(.receivableFee, -reversed), lender.money(.incomeFee, reversed)],
        borrower.organization: [borrower.money(.expenseFee, -reversed), borrower.money(.payableFee, reversed)],
      ], in: &draft)
    let toFee = try restated.adding(taken.principal).adding(taken.charges)
    try post(
      .feeRestated, of: loan, on: date,
      [
        lender.organization: [
          lender.money(.receivableFee, toFee), lender.money(.incomeFee, -restated),
        ] + lender.claim(taken, -1),
        borrower.organization: [
          borrower.money(.payableFee, -toFee), borrower.money(.expenseFee, restated),
        ] + borrower.debt(taken, -1),
      ], in: &draft)
  }

  /// The claim goes down in both books: the lender's expense, the borrower's income. Tax that is forgiven is owed to the
  /// authority as before: whether it gives relief is between it and the lender.
  static func postForgiveness(
    _ loan: Loan, _ amounts: Debt, on date: CalendarDate, in draft: inout Draft
  ) throws {
    let (lender, borrower) = (lender(loan), borrower(loan))
    let total = try amounts.total()
    try post(
      .debtForgiven, of: loan, on: date,
      [
        lender.organization: lender.claim(amounts, -1) + [lender.money(.expenseForgiveness, total)],
        borrower.organization: borrower.debt(amounts, -1) + [borrower.money(.incomeForgiveness, -total)],
      ], in: &draft)
  }

  /// The lender's own accounting: an allowance against the claim, which stands.
  /// - Parameter amount: above zero for a write-off, below for what of one is released.
  static func postAllowance(
    _ kind: EntryKind, _ loan: Loan, _ amount: Int64, on date: CalendarDate, in draft: inout Draft
  ) throws {
    let book = lender(loan)
    try post(
      kind, of: loan, on: date,
      [book.organization: [book.money(.expenseWriteOff, amount), book.money(.allowanceLoan, -amount)]], in: &draft)
  }

  /// Takes back the part of a write-off that is no longer claimed: it was paid, credited or forgiven after all. Called
  /// wherever a claim goes down.
  static func releaseWriteOff(_ loan: Loan, on date: CalendarDate, in draft: inout Draft) throws -> Loan {
    if loan.life.writtenOff == 0 { return loan }
    var loan = loan
    let released = try loan.releaseWriteOff()
    if released == 0 { return loan }
    loan = draft.put(\.loans, loan)
    try postAllowance(.writeOffReleased, loan, -released, on: date, in: &draft)
    return loan
  }

  /// Units of the loan go from one state of custody to another.
  /// - Parameter leaving: they leave the borrower, whose memorandum follows.
  static func moveUnits(
    _ kind: EntryKind, of loan: Loan, _ count: Int64, from: CustodyState, to: CustodyState, leaving: Bool,
    on date: CalendarDate, in draft: inout Draft
  ) throws {
    if count == 0 { return }
    guard var lot = draft.find(\.lots, loan.terms.lotID) else { throw PartiesRefusal.notFound("lot") }
    try lot.move(count, from: from, to: to)
    draft.put(\.lots, lot)
    let book = borrower(loan)
    var books = [lot.lenderID: lot.lines(count, from: from.account, to: to.account)]
    if leaving {
      books[book.organization] = [book.chips(.holdingsOnLoan, -count), book.chips(.holdingsSource, count)]
    }
    try post(kind, of: loan, on: date, books, in: &draft)
  }

  /// Tells both sides that something happened to their loan.
  static func announce(
    _ type: String, _ loan: Loan, _ facts: [(StaticString, EventFact)] = [], in draft: inout Draft
  ) {
    draft.happen(
      type, loan.id, version: loan.version, to: (loan.terms.borrowerID, loan.terms.lenderID),
      [("state", .text(loan.state.rawValue))] + facts)
  }
}

/// A command on one loan: it sees the loan and what closing it needs, and holds both its books.
package protocol LoanCommand: Command {
  var loanID: LoanID { get }
  /// The version that If-Match named.
  var ifVersion: Int64? { get }
}

/// Who may do an act of a loan.
package enum LoanSide: Sendable, Hashable {
  case lender, either, staff
}

extension LoanCommand {
  package func needs(_ state: BatchState) -> Set<Need> { loanNeeds(state) }

  func loanNeeds(_ state: BatchState) -> Set<Need> {
    var needs: Set<Need> = [.loan(loanID)]
    if let loan = state.loans[loanID] { needs.formUnion(LoanDesk.needsToClose(loan)) }
    return needs
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> {
    state.loans[loanID].map { LoanDesk.books(of: $0) } ?? []
  }

  /// The loan, where the principal is of the side that may act.
  /// - Throws: `parties.not_found` for outsiders too; `parties.not_yours` for the other side.
  func loan(_ draft: inout Draft, for side: LoanSide, _ principal: Principal) throws -> Loan {
    guard let loan = draft.find(\.loans, loanID),
      principal.isStaff || LoanDesk.books(of: loan).contains(principal.organizationID)
    else { throw PartiesRefusal.notFound("loan") }
    switch side {
    case .lender:
      guard principal.organizationID == loan.terms.lenderID else { throw PartiesRefusal.notYours("loan") }
      try principal.require(.lender)
    case .either:
      guard LoanDesk.books(of: loan).contains(principal.organizationID) else {
        throw PartiesRefusal.notYours("loan")
      }
      try principal.require(.lender, .startup)
    case .staff:
      try principal.require(.admin)
      _ = try principal.requirePerson()
    }
    try checkVersion(ifVersion, loan.version)
    draft.made.subject = loanID.value
    return loan
  }
}
