import BankFiles
import Primitives

/// One payment on a bank statement, as reconciliation looks at it: a detail of an entry.
package struct BankLine: Sendable, Hashable, Comparable {
  /// What names a line for good: a statement that is read again brings the same keys.
  package struct Key: Sendable, Hashable, Comparable {
    package let account: BankAccount
    package let statement: String
    /// The entry's place in the statement, from 1.
    package let entry: Int
    /// The detail's place in the entry, from 1.
    package let detail: Int

    package init(account: BankAccount, statement: String, entry: Int, detail: Int) {
      self.account = account
      self.statement = statement
      self.entry = entry
      self.detail = detail
    }

    package static func < (left: Key, right: Key) -> Bool {
      if left.account != right.account { return left.account < right.account }
      if left.statement != right.statement { return left.statement < right.statement }
      return (left.entry, left.detail) < (right.entry, right.detail)
    }
  }

  package let key: Key
  package let currency: Currency
  /// Minor units, money in positive.
  package let amount: Int64
  package let bookingDate: CalendarDate
  /// Booked: a line that is not is only waited for.
  package let isBooked: Bool
  package let isReversal: Bool
  /// Everything that a reference may be equal to, each as a whole: the end-to-end id, the creditor's reference, the
  /// lines of remittance text, and the words of them. Never a part of a word.
  package let references: Set<String>
  package let counterparty: BankAccount?

  package init(
    key: Key, currency: Currency, amount: Int64, bookingDate: CalendarDate, isBooked: Bool, isReversal: Bool,
    references: Set<String>, counterparty: BankAccount?
  ) {
    self.key = key
    self.currency = currency
    self.amount = amount
    self.bookingDate = bookingDate
    self.isBooked = isBooked
    self.isReversal = isReversal
    self.references = references
    self.counterparty = counterparty
  }

  /// Earlier booked first, then by key: a total order over lines of distinct keys.
  package static func < (left: BankLine, right: BankLine) -> Bool {
    left.bookingDate != right.bookingDate ? left.bookingDate < right.bookingDate : left.key < right.key
  }
}

extension BankStatement {
  /// Its lines, in the order of the file.
  package var lines: [BankLine] {
    entries.flatMap { entry in
      entry.details.enumerated().map { index, detail in
        BankLine(
          key: BankLine.Key(account: account, statement: id, entry: entry.number, detail: index + 1),
          currency: currency, amount: detail.amount, bookingDate: entry.bookingDate, isBooked: entry.isAllocatable,
          isReversal: entry.isReversal, references: detail.references, counterparty: detail.counterpartyAccount)
      }
    }
  }
}

extension EntryDetail {
  fileprivate var references: Set<String> {
    var found: Set<String> = []
    for reference in [endToEndID, creditorReference] { if let reference { found.insert(reference) } }
    for line in remittance {
      found.insert(line)
      for word in line.split(whereSeparator: { $0.isWhitespace || $0 == "," || $0 == ";" }) {
        found.insert(String(word))
      }
    }
    return found
  }
}
