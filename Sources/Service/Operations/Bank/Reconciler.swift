import BankFiles
import Parties
import Persistence
import Primitives
import Reconciliation

/// Matches the open lines of banks with the open movements of the books, and keeps the list of breaks as it then is.
///
/// A pass is decided on everything that is open, never on one statement alone: a line that came too early finds its
/// receipt later, and a gap is closed by the statement that was missing. Nothing of the books is changed by it.
struct Reconciler {
  /// Days after which a bank that has not booked a movement is late: a payment over a weekend takes that long.
  static let daysToBook: Int64 = 3

  /// What a pass came to.
  struct Found: Sendable {
    /// Lines that it matched, in the order of their dates.
    var matches: [ReconciliationMatch] = []
    /// All that are open after it, old and new.
    var breaks: [ReconciliationBreakRow] = []
    /// Movements that may still come in time.
    var waiting: Int64 = 0
  }

  /// What names a break: one that is found again is the same.
  private struct Subject: Hashable {
    let reason: String
    let statementID: BankStatementID?
    let place: BankPlace?
    let itemKind: BankItem.Kind?
    let itemID: UUIDValue?

    init(_ row: ReconciliationBreakRow) {
      reason = row.reason
      statementID = row.statementID
      place = row.place
      itemKind = row.itemKind
      itemID = row.itemID
    }
  }

  private let statements: [BankStatementRow]
  private let lines: [BankLineRow]
  private let items: [BankItem]
  private let settled: [BankItem]

  /// What must be looked up for a pass over all that is open.
  static func needs(_ state: BatchState) -> Set<Need> {
    guard let book = state.bank else { return [.bankBook] }
    let references = Set(book.lines.flatMap(\.references))
    return references.isEmpty ? [.bankBook] : [.bankBook, .settledItems(references)]
  }

  /// - Parameters:
  ///   - statements, lines: what this command brings, beyond what was there.
  init(_ draft: Draft, statements: [BankStatementRow] = [], lines: [BankLineRow] = []) {
    let book = draft.base.bank ?? BankBook()
    self.statements = book.statements + statements
    self.lines = book.lines + lines.filter { $0.status == .booked }
    self.items = book.items
    let references = Set(self.lines.flatMap(\.references))
    self.settled = references.sorted().flatMap { draft.base.settledItems[$0] ?? [] }
  }

  /// Writes the matches and the breaks into the draft.
  func pass(_ draft: inout Draft) throws -> Found {
    var byID: [BankStatementID: BankStatementRow] = [:]
    for statement in statements { byID[statement.id] = statement }
    var rows: [BankLine.Key: BankLineRow] = [:]
    var shown: [BankLine] = []
    for row in lines {
      guard let statement = byID[row.place.statementID] else { continue }
      let line = try row.line(of: statement)
      rows[line.key] = row
      shown.append(line)
    }
    var byKey: [UUIDValue: BankItem] = [:]
    for item in settled + items { byKey[item.key] = item }
    let covered = self.covered
    let engine = Reconciliation(
      settled: settled.map(Self.expected), through: covered.values.max() ?? draft.today)
    let report = engine.reconcile(lines: shown, items: items.map(Self.expected))

    var found = Found()
    var wanted: [ReconciliationBreakRow] = []
    func match(_ line: BankLine, _ item: ExpectedItem) {
      guard let row = rows[line.key], let item = byKey[item.id] else { return }
      found.matches.append(ReconciliationMatch(place: row.place, item: item, matchedAt: draft.now))
    }
    for pair in report.pairs { match(pair.line, pair.item) }
    for gone in report.breaks {
      let row = gone.line.flatMap { rows[$0.key] }
      let item = gone.item.flatMap { byKey[$0.id] }
      if row == nil, let item {
        // Each currency is covered as far as its own statements go.
        let due = item.on.adding(days: Self.daysToBook) ?? item.on
        guard let last = covered[item.amount.currency], due < last else {
          found.waiting += 1
          continue
        }
        wanted.append(draft.broken("missing_on_statement", nil, item))
        continue
      }
      if case .late = gone.reason, let line = gone.line, let item = gone.item { match(line, item) }
      wanted.append(
        draft.broken(
          gone.reason.code, row, item, measure: gone.reason.measure, expected: gone.reason.expectedCurrency,
          candidates: gone.candidates.compactMap { byKey[$0] }))
    }
    wanted += gaps(&draft)
    draft.made.bank.matches += found.matches
    found.breaks = keep(wanted, &draft)
    return found
  }

  /// Opens what is new, and settles what is no more. A movement that was booked late is matched, so that no later pass
  /// finds it: only a person closes that.
  private func keep(_ wanted: [ReconciliationBreakRow], _ draft: inout Draft) -> [ReconciliationBreakRow] {
    let known = (draft.base.bank?.breakIDs ?? []).compactMap { draft.find(\.breaks, $0) }
    let subjects = Set(wanted.map(Subject.init))
    var open: [ReconciliationBreakRow] = []
    for var row in known where row.state == .open {
      if row.reason == "late" || subjects.contains(Subject(row)) {
        open.append(row)
        continue
      }
      row.state = .settled
      row.decidedAt = draft.now
      row = draft.put(\.breaks, row)
      draft.happen(
        "reconciliation_break.settled", row.id, version: row.version, to: (.platform, nil),
        [("reason", .text(row.reason))])
    }
    let before = Set(known.filter { $0.state != .settled }.map(Subject.init))
    for row in wanted where !before.contains(Subject(row)) {
      let row = draft.put(\.breaks, row)
      open.append(row)
      draft.happen(
        "reconciliation_break.opened", row.id, version: row.version, to: (.platform, nil),
        [("reason", .text(row.reason)), ("amount", .number(row.amount.amount))])
    }
    return open
  }

  /// The day through which all accounts of a currency have statements.
  private var covered: [Currency: CalendarDate] {
    var last: [BankAccount: (currency: Currency, day: CalendarDate)] = [:]
    for statement in statements {
      let day = max(last[statement.account]?.day ?? statement.closedOn, statement.closedOn)
      last[statement.account] = (statement.closing.currency, day)
    }
    var covered: [Currency: CalendarDate] = [:]
    for (currency, day) in last.values { covered[currency] = min(covered[currency] ?? day, day) }
    return covered
  }

  private func gaps(_ draft: inout Draft) -> [ReconciliationBreakRow] {
    var rows: [ReconciliationBreakRow] = []
    for (account, group) in Dictionary(grouping: statements, by: \.account).sorted(by: { $0.key < $1.key }) {
      let spans = group.map {
        StatementSpan(
          account: account, statement: $0.statement, closesOn: $0.closedOn, opening: $0.opening.amount,
          closing: $0.closing.amount, electronicSequence: $0.electronicSequence)
      }
      for gap in BalanceChecks.gaps(spans) {
        guard let statement = group.first(where: { $0.statement == gap.statement }) else { continue }
        let (reason, measure): (String, Int64) =
          switch gap.kind {
          case .balance(let differsBy): ("opening_differs", differsBy)
          case .missing(let count): ("statements_missing", count)
          case .notAfter(let number): ("number_not_after", number)
          }
        rows.append(
          ReconciliationBreakRow(
            id: draft.ids.next(), reason: reason, place: (statement.id, nil, nil), item: nil, reference: nil,
            amount: statement.opening, on: statement.openedOn, measure: measure, expectedCurrency: nil, candidates: [],
            createdAt: draft.now, updatedAt: draft.now))
      }
    }
    return rows
  }

  private static func expected(_ item: BankItem) -> ExpectedItem {
    ExpectedItem(
      id: item.key, reference: item.reference, currency: item.amount.currency, amount: item.amount.amount,
      date: item.on, dueDate: item.on.adding(days: daysToBook) ?? item.on, takesBack: item.kind == .clawBack)
  }
}

extension Reconciler.Found {
  /// Open breaks by reason.
  var reasons: [String: Int64] {
    breaks.reduce(into: [:]) { $0[$1.reason, default: 0] += 1 }
  }
}

extension BankLineRow {
  /// As reconciliation looks at it.
  /// - Throws: `StoredValueError` for places past Int, which nothing writes.
  fileprivate func line(of statement: BankStatementRow) throws -> BankLine {
    guard let entry = Int(exactly: place.entry), let detail = Int(exactly: place.detail) else {
      throw StoredValueError(column: "entry", value: "\(place.entry)")
    }
    return BankLine(
      key: BankLine.Key(account: statement.account, statement: statement.statement, entry: entry, detail: detail),
      currency: amount.currency, amount: amount.amount, bookingDate: bookedOn, isBooked: status == .booked,
      isReversal: isReversal, references: Set(references), counterparty: counterpartyAccount)
  }
}

extension Draft {
  /// A break about a line, an item, or both.
  fileprivate mutating func broken(
    _ reason: String, _ line: BankLineRow?, _ item: BankItem?, measure: Int64? = nil, expected: Currency? = nil,
    candidates: [BankItem] = []
  ) -> ReconciliationBreakRow {
    ReconciliationBreakRow(
      id: ids.next(), reason: reason, place: (line?.place.statementID, line?.place.entry, line?.place.detail),
      item: item.map { ($0.kind, $0.id) }, reference: item?.reference,
      // One of the two is there.
      amount: line?.amount ?? item?.amount ?? Money(0, .usd), on: line?.bookedOn ?? item?.on ?? today,
      measure: measure, expectedCurrency: expected, candidates: candidates.map(\.named), createdAt: now, updatedAt: now)
  }
}

extension BankItem {
  /// Kind and id, as people and interfaces see them.
  package var named: String { "\(kind.rawValue) \(idText)" }

  package var idText: String { kind.idText(id) }
}

extension BankItem.Kind {
  package func idText(_ id: UUIDValue) -> String {
    switch self {
    case .receipt, .advanceReturned: CashReceiptID(id).description
    case .payout, .platformFee, .advanceRepaid: PayoutID(id).description
    case .clawBack, .advance: ClawbackID(id).description
    case .topUp: TopUpID(id).description
    case .conversion: CashConversionID(id).description
    }
  }
}

extension BreakReason {
  /// The number that goes with the reason.
  fileprivate var measure: Int64? {
    switch self {
    case .late(let days): days
    case .amountDiffers(let by): by
    default: nil
    }
  }

  fileprivate var expectedCurrency: Currency? {
    if case .currencyDiffers(let expected) = self { expected } else { nil }
  }
}
