import BankFiles
import Parties
import Persistence
import Primitives
import Reconciliation

/// Takes the statements of one file in, whole or not at all, and matches them with the books.
package struct ImportBankStatements: Command {
  package static let action = "bank_statement.import"
  package var staffDuty: Duty? { .treasury }
  package let statements: [BankStatement]
  /// Of the file's bytes.
  package let fileDigest: SHA256Digest
  private let references: Set<String>

  package init(statements: [BankStatement], fileDigest: SHA256Digest) {
    self.statements = statements
    self.references = Set(statements.flatMap { $0.lines.flatMap(\.references) })
    self.fileDigest = fileDigest
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    var needs = Set(statements.map { Need.clientMoney($0.closingBalance.date) })
    needs.insert(.bankBook)
    guard let book = state.bank else { return needs }
    let wanted = references.union(book.lines.flatMap(\.references))
    if !wanted.isEmpty { needs.insert(.settledItems(wanted)) }
    return needs
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> { [.platform] }

  /// What came in, and what it agreed with.
  package struct Imported: Sendable {
    package let statements: [BankStatementRow]
    /// Of the new statements and of lines that had waited.
    package let matched: Int64
    /// All that are open now.
    package let breaks: [ReconciliationBreakRow]
    package let waiting: Int64
    /// By closing date.
    package let reviews: [ClientMoneyReview]
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Imported {
    try principal.require(.admin)
    let person = try principal.requirePerson()
    guard !statements.isEmpty else { throw BankRefusal.noStatement }
    let book = draft.base.bank ?? BankBook()
    try check(book.statements, today: draft.today)
    var rows: [BankStatementRow] = []
    var lines: [BankLineRow] = []
    for statement in statements {
      let shown = statement.lines
      let row = BankStatementRow(
        id: draft.ids.next(), statement: statement.id, account: statement.account,
        electronicSequence: statement.electronicSequence,
        opening: Money(statement.openingBalance.amount, statement.currency), openedOn: statement.openingBalance.date,
        closing: Money(statement.closingBalance.amount, statement.currency), closedOn: statement.closingBalance.date,
        fingerprint: statement.fingerprint, fileDigest: fileDigest, lineCount: Int64(shown.count), importedBy: person,
        createdAt: draft.now)
      rows.append(row)
      lines += BankLineRow.rows(of: statement, as: row.id)
      draft.happen(
        "bank_statement.imported", row.id, version: 1, to: (.platform, nil),
        [("lines", .number(row.lineCount)), ("closing", .number(row.closing.amount))])
    }
    draft.made.subject = rows[0].id.value
    draft.made.bank.statements += rows
    draft.made.bank.lines += lines
    let found = try Reconciler(draft, statements: rows, lines: lines).pass(&draft)
    let reviews = try Set(rows.map(\.closedOn)).sorted().map { date in
      try ClientMoneyReview(book.statements + rows, on: date, books: draft.base.clientMoney[date] ?? ClientMoneyDay())
    }
    return Imported(
      statements: rows, matched: Int64(found.matches.count), breaks: found.breaks, waiting: found.waiting,
      reviews: reviews)
  }

  /// Against what came before: a statement comes once, an account has one currency and one statement of a name, and a day
  /// that has not come closes nothing.
  private func check(_ known: [BankStatementRow], today: CalendarDate) throws {
    let byFingerprint = Dictionary(known.map { ($0.fingerprint, $0.id) }, uniquingKeysWith: { first, _ in first })
    for statement in statements {
      if let earlier = byFingerprint[statement.fingerprint] {
        throw BankRefusal.importedBefore(statement.id, as: earlier)
      }
      for other in known where other.account == statement.account {
        guard other.closing.currency == statement.currency else {
          throw BankRefusal.accountInOtherCurrency(
            "\(statement.account)", has: other.closing.currency, says: statement.currency)
        }
        guard other.statement != statement.id else { throw BankRefusal.statementDiffers(statement.id, from: other.id) }
      }
      guard statement.closingBalance.date <= today else {
        throw BankRefusal.notClosedYet(statement.id, statement.closingBalance.date, today: today)
      }
    }
    var currencies: [BankAccount: Currency] = [:]
    for statement in statements {
      let other = currencies[statement.account] ?? statement.currency
      guard other == statement.currency else {
        throw BankRefusal.accountInOtherCurrency("\(statement.account)", has: other, says: statement.currency)
      }
      currencies[statement.account] = statement.currency
    }
  }
}

extension BankLineRow {
  /// Every detail of every entry, in the order of the file.
  fileprivate static func rows(of statement: BankStatement, as id: BankStatementID) -> [BankLineRow] {
    var references: [BankLine.Key: Set<String>] = [:]
    for line in statement.lines { references[line.key] = line.references }
    return statement.entries.flatMap { entry in
      entry.details.enumerated().map { index, detail in
        let key = BankLine.Key(
          account: statement.account, statement: statement.id, entry: entry.number, detail: index + 1)
        return BankLineRow(
          place: BankPlace(statementID: id, entry: Int64(entry.number), detail: Int64(index + 1)),
          amount: Money(detail.amount, statement.currency), bookedOn: entry.bookingDate, valueOn: entry.valueDate,
          status: entry.status, isReversal: entry.isReversal, endToEndID: detail.endToEndID,
          creditorReference: detail.creditorReference, bankReference: entry.bankReference,
          transactionCode: entry.transactionCode, counterpartyName: detail.counterpartyName,
          counterpartyAccount: detail.counterpartyAccount, remittance: detail.remittance,
          references: (references[key] ?? []).sorted())
      }
    }
  }
}

/// Matches again all that is open, and compares the banks' balances of a date with the books.
package struct ReconcileBank: Command {
  package static let action = "settlement.reconcile"
  package var staffDuty: Duty? { .operations }
  package let on: CalendarDate

  package init(on: CalendarDate) { self.on = on }

  package func needs(_ state: BatchState) -> Set<Need> { Reconciler.needs(state).union([.clientMoney(on)]) }
  package func heads(_ state: BatchState) -> Set<OrganizationID> { [.platform] }

  /// - Returns: totals by name: `matched`, `waiting`, `breaks.<reason>`, `drift.<currency>`,
  ///   `client_money_short.<currency>`, `accounts_without_statement`.
  package func decide(_ draft: inout Draft, by principal: Principal) throws -> [String: Int64] {
    try principal.require(.admin)
    let found = try Reconciler(draft).pass(&draft)
    let review = try ClientMoneyReview(
      draft.base.bank?.statements ?? [], on: on, books: draft.base.clientMoney[on] ?? ClientMoneyDay())
    var totals = review.totals
    totals["matched"] = Int64(found.matches.count)
    totals["waiting"] = found.waiting
    for (reason, count) in found.reasons { totals["breaks.\(reason)"] = count }
    return totals
  }
}

/// A person has looked into a break, and says what it was. Its line and its item are done with; no money moves by it.
package struct ResolveBreak: Command {
  package static let action = "reconciliation_break.resolve"
  package static let asksSecondPerson = true
  package var staffDuty: Duty? { .treasury }
  package let breakID: ReconciliationBreakID
  package let note: String
  package let ifVersion: Int64?

  package init(breakID: ReconciliationBreakID, note: String, ifVersion: Int64?) {
    self.breakID = breakID
    self.note = note
    self.ifVersion = ifVersion
  }

  package func needs(_ state: BatchState) -> Set<Need> { [.reconciliationBreak(breakID)] }
  package func heads(_ state: BatchState) -> Set<OrganizationID> { [.platform] }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> ReconciliationBreakRow {
    try principal.require(.admin)
    let person = try principal.requirePerson()
    guard var row = draft.find(\.breaks, breakID) else { throw PartiesRefusal.notFound("reconciliation break") }
    try checkVersion(ifVersion, row.version)
    guard row.state == .open else { throw BankRefusal.breakNotOpen(row.state) }
    row.state = .resolved
    row.note = note
    row.resolvedBy = person
    row.decidedAt = draft.now
    row = draft.put(\.breaks, row)
    draft.made.subject = row.id.value
    draft.happen(
      "reconciliation_break.resolved", row.id, version: row.version, to: (.platform, nil),
      [("reason", .text(row.reason))])
    return row
  }
}

/// Why statements are not taken in, or a break is not closed.
package enum BankRefusal: Refusal, Hashable {
  case noStatement
  case importedBefore(String, as: BankStatementID)
  /// The bank gave another statement of this name for the account before.
  case statementDiffers(String, from: BankStatementID)
  case accountInOtherCurrency(String, has: Currency, says: Currency)
  case notClosedYet(String, CalendarDate, today: CalendarDate)
  case breakNotOpen(ReconciliationBreakRow.State)

  package var kind: RefusalKind {
    switch self {
    case .noStatement, .accountInOtherCurrency, .notClosedYet: .invalid
    case .importedBefore, .statementDiffers, .breakNotOpen: .conflict
    }
  }

  package var code: String {
    switch self {
    case .noStatement: "bank_statement.no_statement"
    case .importedBefore: "bank_statement.imported_before"
    case .statementDiffers: "bank_statement.statement_differs"
    case .accountInOtherCurrency: "bank_statement.account_in_other_currency"
    case .notClosedYet: "bank_statement.not_closed_yet"
    case .breakNotOpen: "reconciliation.break_not_open"
    }
  }

  package var detail: String {
    switch self {
    case .noStatement: "The file has no statement."
    case .importedBefore(let name, let id): "The statement \(name) was imported before, as \(id); nothing was taken."
    case .statementDiffers(let name, let id):
      "Another statement \(name) of this account was imported as \(id), and says something else; nothing was taken."
    case .accountInOtherCurrency(let account, let has, let says):
      "The account \(account) is in \(has), and the statement is in \(says)."
    case .notClosedYet(let name, let date, let today): "The statement \(name) closes on \(date); today is \(today)."
    case .breakNotOpen(let state): "The break is \(state.rawValue); only an open one is resolved."
    }
  }
}
