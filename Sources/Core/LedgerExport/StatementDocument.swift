import Ledger
import Primitives
import StrictJSON

/// The account of an organisation over a span of closed days: what each of its accounts held, every line since, and what
/// it holds. Made of the journal alone, so that anybody who has the book makes the same one.
///
/// Its canonical bytes are its JSON, written in one way only; the digest is taken of them, as `sha256sum` of the saved
/// file prints it.
package struct StatementDocument: Sendable, Hashable {
  /// A line of the journal, in its account.
  package struct Line: Sendable, Hashable {
    package let entryID: JournalEntryID
    /// Of the entry in its book.
    package let sequence: Int64
    package let kind: EntryKind
    package let on: CalendarDate
    /// Debits positive, in the account's asset.
    package let amount: Int64

    package init(entryID: JournalEntryID, sequence: Int64, kind: EntryKind, on: CalendarDate, amount: Int64) {
      self.entryID = entryID
      self.sequence = sequence
      self.kind = kind
      self.on = on
      self.amount = amount
    }
  }

  package struct Account: Sendable, Hashable {
    package let account: AccountRef
    package let opening: Int64
    package let lines: [Line]
    package let closing: Int64
  }

  package let organizationID: OrganizationID
  package let from: CalendarDate
  package let through: CalendarDate
  /// Those that held something or moved, by code, subject and asset.
  package let accounts: [Account]

  /// - Parameters:
  ///   - opening: balances at the start of the first day.
  ///   - lines: of the span, in the order of their days and of the book.
  /// - Throws: `ArithmeticOverflow` for sums that no book holds.
  package init(
    of organization: OrganizationID, from first: CalendarDate, through last: CalendarDate,
    opening: [(account: AccountRef, balance: Int64)], lines: [(account: AccountRef, line: Line)]
  ) throws(ArithmeticOverflow) {
    var balances: [AccountRef: Int64] = [:]
    for (account, balance) in opening { balances[account] = try balances[account, default: 0].adding(balance) }
    var moved: [AccountRef: [Line]] = [:]
    for (account, line) in lines { moved[account, default: []].append(line) }
    var accounts: [Account] = []
    for account in Set(balances.keys).union(moved.keys).sorted() {
      let (held, own) = (balances[account] ?? 0, moved[account] ?? [])
      var closing = held
      for line in own { closing = try closing.adding(line.amount) }
      accounts.append(Account(account: account, opening: held, lines: own, closing: closing))
    }
    organizationID = organization
    from = first
    through = last
    self.accounts = accounts
  }

  /// The first and the last day of the month that a day lies in.
  package static func month(of date: CalendarDate) -> (first: CalendarDate, last: CalendarDate)? {
    let (year, month, _) = date.components
    guard let first = CalendarDate(year: year, month: month, day: 1),
      let last = CalendarDate(year: year, month: month, day: CalendarDate.daysIn(month: month, year: year))
    else { return nil }
    return (first, last)
  }

  // MARK: JSON

  /// The canonical bytes.
  package var bytes: [UInt8] {
    var writer = JSONWriter(capacity: 4_096)
    writer.object { writer in
      writer.field("document", "chipbridge-statement-1")
      writer.field("organization_id", organizationID.description)
      writer.field("from_on", from.description)
      writer.field("through_on", through.description)
      writer.field(
        "basis", "journal entries by business date; debits positive, minor units of a currency or units of a chip")
      writer.array("accounts", accounts) { writer, account in
        writer.object { writer in
          writer.field("account", account.account.code.rawValue)
          let subject = account.account.subject
          writer.field("subject_id", subject == AccountRef.noSubject ? nil : subject.description)
          writer.field("asset", account.account.asset.description)
          writer.field("opening", account.opening)
          writer.array("lines", account.lines) { writer, line in
            writer.object { writer in
              writer.field("entry_id", line.entryID.description)
              writer.field("sequence", line.sequence)
              writer.field("kind", line.kind.rawValue)
              writer.field("business_date", line.on.description)
              writer.field("amount", line.amount)
            }
          }
          writer.field("closing", account.closing)
        }
      }
    }
    return writer.bytes
  }

  package var digest: SHA256Digest { SHA256Digest(of: bytes) }

  // MARK: text

  /// For people: the same, an account after the other.
  package func text(of name: String) -> String {
    var text = "Statement of \(name)\n\(organizationID)\n\(from) to \(through)\n"
    for account in accounts {
      let asset = account.account.asset
      let subject = account.account.subject == AccountRef.noSubject ? "" : " of \(account.account.subject)"
      text += "\n\(account.account.code.rawValue)\(subject): \(account.account.code.meaning)\n"
      text += Self.row(from.description, "opening", Self.amount(account.opening, asset))
      for line in account.lines {
        text += Self.row(line.on.description, line.kind.rawValue, Self.amount(line.amount, asset), "  \(line.entryID)")
      }
      text += Self.row(through.description, "closing", Self.amount(account.closing, asset))
    }
    return text + "\nsha256 \(digest)\n"
  }

  private static func amount(_ value: Int64, _ asset: Asset) -> String {
    switch asset {
    case .currency(let currency): Money(value, currency).description
    case .chip(let model): "\(value) \(model)"
    }
  }

  private static func row(_ date: String, _ what: String, _ amount: String, _ after: String = "") -> String {
    let kind = what + String(repeating: " ", count: max(0, 22 - what.utf8.count))
    return "  \(date)  \(kind)\(String(repeating: " ", count: max(0, 28 - amount.utf8.count)))\(amount)\(after)\n"
  }
}
