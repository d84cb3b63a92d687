import Catalogue
import Ledger
import Lending
import Parties
import Persistence
import Primitives
import Repayment

/// The postings of a loan: every movement in the lender's and the borrower's book, and in the platform's where cash moves,
/// as entries that share one id.
package enum LoanDesk {
  /// The books of a loan, as `heads` of a command.
  package static func books(of loan: Loan) -> Set<OrganizationID> { [loan.terms.lenderID, loan.terms.borrowerID] }

  /// What a command must see to close a loan.
  package static func needsToClose(_ loan: Loan) -> Set<Need> {
    [
      .organization(loan.terms.lenderID), .organization(loan.terms.borrowerID), .lot(loan.terms.lotID),
      .returnsOfLoan(loan.id), .licencesOf(loan.terms.lenderID), .licencesOf(loan.terms.borrowerID),
    ]
  }

  /// Lines of one book, with the accounts of one loan.
  struct Book {
    let organization: OrganizationID
    let loan: Loan

    func money(_ code: AccountCode, _ amount: Int64) -> JournalLine {
      JournalLine(AccountRef(organization, code, loan.id.value, asset: .currency(loan.currency)), amount)
    }

    func chips(_ code: AccountCode, _ count: Int64) -> JournalLine {
      JournalLine(AccountRef(organization, code, loan.id.value, asset: .chip(loan.terms.chipModelID)), count)
    }

    func custody(_ code: AccountCode, _ count: Int64) -> JournalLine {
      JournalLine(AccountRef(organization, code, loan.terms.lotID.value, asset: .chip(loan.terms.chipModelID)), count)
    }

    func cash(_ part: UUIDValue, _ amount: Int64) -> JournalLine {
      JournalLine(AccountRef(organization, .cashAtPlatform, part, asset: .currency(loan.currency)), amount)
    }
  }

  static func lender(_ loan: Loan) -> Book { Book(organization: loan.terms.lenderID, loan: loan) }
  static func borrower(_ loan: Loan) -> Book { Book(organization: loan.terms.borrowerID, loan: loan) }

  /// Posts one movement: an entry for each book that has lines other than zero, all of them with one id.
  /// - Returns: the id.
  @discardableResult
  static func post(
    _ kind: EntryKind, of loan: Loan, on date: CalendarDate, _ books: [OrganizationID: [JournalLine]],
    in draft: inout Draft
  ) throws -> JournalEntryID {
    let id: JournalEntryID = draft.ids.next()
    for (book, lines) in books.sorted(by: { $0.key < $1.key }) {
      let lines = lines.filter { $0.amount != 0 }
      if lines.isEmpty { continue }
      try draft.post(
        EntryDraft(id: id, book: book, kind: kind, businessDate: date, subject: loan.id.value, lines: lines))
    }
    return id
  }

  /// Chips leave the lender.
  static func postDispatch(_ loan: Loan, on date: CalendarDate, in draft: inout Draft) throws {
    let book = lender(loan)
    try post(
      .chipsDispatched, of: loan, on: date,
      [
        book.organization: [
          book.custody(.custodyReserved, -loan.terms.quantity), book.custody(.custodyInTransit, loan.terms.quantity),
        ]
      ], in: &draft)
  }

  /// Chips reach the borrower, and the principal is owed.
  static func postDelivery(_ loan: Loan, on date: CalendarDate, in draft: inout Draft) throws {
    let (lender, borrower) = (lender(loan), borrower(loan))
    let (quantity, principal) = (loan.terms.quantity, loan.terms.principal.amount)
    try post(
      .deliveryAccepted, of: loan, on: date,
      [
        lender.organization: [
          lender.custody(.custodyInTransit, -quantity), lender.custody(.custodyOnLoan, quantity),
          lender.money(.receivablePrincipal, principal), lender.money(.clearingChips, -principal),
        ],
        borrower.organization: [
          borrower.chips(.holdingsSource, -quantity), borrower.chips(.holdingsOnLoan, quantity),
          borrower.money(.clearingChips, principal), borrower.money(.payablePrincipal, -principal),
        ],
      ], in: &draft)
  }

  /// Posts the fee of all days before a date, and the penalty of those on which something was overdue. Nothing happens when
  /// they are posted already.
  /// - Returns: the loan as it is then, and the fee that was posted, in minor units.
  package static func accrue(
    _ loan: Loan, through date: CalendarDate, booked: CalendarDate? = nil, in draft: inout Draft
  ) throws -> (loan: Loan, posted: Int64) {
    let (accrued, posted) = try accrueFee(loan, through: date, booked: booked, in: &draft)
    return (try accruePenalty(accrued, through: date, booked: booked, in: &draft), posted)
  }

  private static func accrueFee(
    _ loan: Loan, through date: CalendarDate, booked: CalendarDate?, in draft: inout Draft
  ) throws -> (loan: Loan, posted: Int64) {
    guard loan.isRunning, let through = loan.accruedThrough, through < date, loan.life.default == nil else {
      return (loan, 0)
    }
    let start = try LoanFee.state(of: loan, through: through)
    let (amount, state) = try LoanFee.accrued(on: loan, from: start, through: date)
    // Before anything is posted: a day without a tax rule posts no fee either.
    let taxes =
      loan.terms.tax == nil ? [] : try LoanTaxes.accrued(on: loan, from: start, through: date, draft.reference.taxes)
    var loan = loan
    try loan.addFee(amount)
    loan.accruedThrough = date
    loan.accrualResidue = state.residue
    loan = draft.put(\.loans, loan)
    let (lender, borrower) = (lender(loan), borrower(loan))
    try post(
      .feeAccrued, of: loan, on: booked ?? date,
      [
        lender.organization: [lender.money(.receivableFee, amount), lender.money(.incomeFee, -amount)],
        borrower.organization: [borrower.money(.expenseFee, amount), borrower.money(.payableFee, -amount)],
      ], in: &draft)
    return (taxes.isEmpty ? loan : try postTax(taxes, on: loan, booked: booked ?? date, in: &draft), amount)
  }

  /// Takes a payment out of what the platform holds for the borrower, and gives it to the lender's account here.
  static func pay(_ loan: Loan, _ payment: Debt, on date: CalendarDate, in draft: inout Draft) throws -> Loan {
    var loan = loan
    try loan.pay(payment)
    loan = draft.put(\.loans, loan)
    loan = try releaseWriteOff(loan, on: date, in: &draft)
    let (lender, borrower) = (lender(loan), borrower(loan))
    let total = try payment.total()
    let currency = Asset.currency(loan.currency)
    try post(
      .debtPaid, of: loan, on: date,
      [
        lender.organization: [
          lender.cash(AccountRef.principalPart, payment.charges + payment.principal),
          lender.cash(AccountRef.feePart, payment.fee),
        ] + lender.claim(payment, -1),
        borrower.organization: borrower.debt(payment, -1) + [borrower.cash(AccountRef.noSubject, -total)],
        .platform: [
          JournalLine(AccountRef(.platform, .clientMoney, borrower.organization.value, asset: currency), total),
          JournalLine(AccountRef(.platform, .clientMoney, lender.organization.value, asset: currency), -total),
        ],
      ], in: &draft)
    return loan
  }

  /// Closes a loan without debt: title passes to what stays when the verdict on that very day is clear, else it waits, as
  /// it does while compliance holds the loan.
  /// - Parameter forgiven: the last of the debt was forgiven, not paid.
  package static func complete(
    _ loan: Loan, on date: CalendarDate, forgiven: Bool = false, in draft: inout Draft
  ) throws -> Loan {
    switch loan.completion {
    case .running: return loan
    case .closable:
      var loan = loan
      // Debt that was reinstated after a close is paid: title, custody and the value of the chips were settled then.
      let isSettled = loan.hasClosedBefore
      loan.close(on: date, titlePasses: false, forgiven: forgiven)
      return try finish(loan, on: date, units: 0, isSettled: isSettled, in: &draft)
    case .titleAct(let units):
      if let hold = loan.life.hold {
        return waiting(loan, [("held_on", .text(hold.on.description))], in: &draft)
      }
      return try passTitle(loan, units: units, on: date, forgiven: forgiven, in: &draft)
    }
  }

  /// The title act: judged on its own date, recorded either way. Cash has discharged the debt whatever the verdict.
  static func passTitle(
    _ loan: Loan, units: Int64, on date: CalendarDate, forgiven: Bool = false, in draft: inout Draft
  ) throws -> Loan {
    let act = try act(.titleTransfer, of: loan, units: units, on: date, in: draft)
    let verdict = try ExportDesk.judge(act, subject: loan.id.value, in: &draft)
    var loan = loan
    guard verdict.isClear else { return waiting(loan, [("effect", .text(verdict.effect.rawValue))], in: &draft) }
    loan.close(on: date, titlePasses: true, forgiven: forgiven)
    return try finish(loan, on: date, units: units, in: &draft)
  }

  /// A loan without debt whose title cannot pass yet.
  private static func waiting(_ loan: Loan, _ facts: [(StaticString, EventFact)], in draft: inout Draft) -> Loan {
    if loan.state == .titlePending { return loan }
    var loan = loan
    loan.awaitTitle()
    loan = draft.put(\.loans, loan)
    draft.happen(
      "loan.title_pending", loan.id, version: loan.version, to: (loan.terms.borrowerID, loan.terms.lenderID), facts)
    return loan
  }

  private static func finish(
    _ loan: Loan, on date: CalendarDate, units: Int64, isSettled: Bool = false, in draft: inout Draft
  ) throws -> Loan {
    let loan = draft.put(\.loans, loan)
    if units > 0, var lot = draft.find(\.lots, loan.terms.lotID) {
      try lot.move(units, from: .onLoan, to: .sold)
      draft.put(\.lots, lot)
    }
    let credited = (draft.base.returnsOfLoan[loan.id] ?? []).compactMap { draft.find(\.returns, $0)?.credit }
      .reduce(Int64(0), +)
    let value = isSettled ? 0 : loan.terms.principal.amount - credited - loan.life.principalAssigned
    let (lender, borrower) = (lender(loan), borrower(loan))
    try post(
      .titleTransferred, of: loan, on: date,
      [
        lender.organization: [
          lender.custody(.custodyOnLoan, -units), lender.custody(.custodySold, units),
          lender.money(.clearingChips, value), lender.money(.chipsSettled, -value),
        ],
        borrower.organization: [
          borrower.chips(.holdingsOnLoan, -units), borrower.chips(.holdingsOwned, units),
          borrower.money(.clearingChips, -value), borrower.money(.chipsSettled, value),
        ],
      ], in: &draft)
    draft.happen(
      "loan.closed", loan.id, version: loan.version, to: (loan.terms.borrowerID, loan.terms.lenderID),
      [("closed_as", loan.closedAs.map { .text($0.rawValue) } ?? .absent), ("units_owned", .number(loan.unitsOwned))])
    return loan
  }

  /// An act on chips of a loan. A return goes back to the lot's site, a delivery goes to the borrower's, title passes in
  /// place.
  static func act(
    _ kind: ActKind, of loan: Loan, units: Int64, on date: CalendarDate, in draft: Draft
  ) throws -> ExportDesk.Act {
    guard let lender = draft.find(\.organizations, loan.terms.lenderID),
      let borrower = draft.find(\.organizations, loan.terms.borrowerID)
    else { throw PartiesRefusal.notFound("organization") }
    let home = loan.terms.site
    let away =
      loan.terms.deliveryMode == .hosted ? home : ExportDesk.destination(of: borrower, from: home)
    let (from, to) =
      switch kind {
      case .return, .repossession: (away, home)
      case .titleTransfer: (away, away)
      default: (home, away)
      }
    return ExportDesk.Act(
      kind: kind, date: date, chip: loan.terms.chipModelID, quantity: units, lender: lender, borrower: borrower,
      from: from, to: to, deliveryMode: loan.terms.deliveryMode, endUse: loan.terms.endUse)
  }
}
