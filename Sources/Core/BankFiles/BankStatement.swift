import Primitives

/// Whether an entry has moved the account.
package enum EntryStatus: String, Sendable, Hashable, CaseIterable {
  case booked = "BOOK"
  /// Announced: it may still change or vanish, and nothing is allocated from it.
  case pending = "PDNG"
  /// Of a day to come.
  case future = "FUTR"
  /// For information only.
  case information = "INFO"
}

/// What a bank says of one account over one period: where it stood before, what moved it, where it stands.
///
/// Amounts are minor units of `currency`; money in is positive, an overdrawn balance negative. A value of this type adds
/// up: `openingBalance + sum of booked entries == closingBalance`.
package struct BankStatement: Sendable, Hashable {
  /// An amount on the account at the start or the end of a date.
  package struct Balance: Sendable, Hashable {
    package let amount: Int64
    package let date: CalendarDate
    /// One page of a longer statement: the figure is that of the page, not of the period (`ITBD`).
    package let isInterim: Bool
  }

  /// The bank's name for it, unique for the account.
  package let id: String
  /// The bank's running number for statements of the account, where it gives one.
  package let electronicSequence: Int64?
  package let account: BankAccount
  package let currency: Currency
  package let openingBalance: Balance
  package let closingBalance: Balance
  /// In the order of the file.
  package let entries: [StatementEntry]
}

/// One movement of the account, as the bank booked it.
package struct StatementEntry: Sendable, Hashable {
  /// Its place in the statement, from 1.
  package let number: Int
  /// Minor units, money in positive. A reversal has the sign of what it does now, not of what it takes back.
  package let amount: Int64
  package let status: EntryStatus
  /// Takes back an earlier entry.
  package let isReversal: Bool
  /// The day it was booked, or is expected to be.
  package let bookingDate: CalendarDate
  package let valueDate: CalendarDate?
  /// `NtryRef`, unique within the statement.
  package let reference: String?
  /// `AcctSvcrRef`: the bank's own.
  package let bankReference: String?
  /// The bank's code for the kind of movement, `PMNT/RCDT/ESCT` or a proprietary one.
  package let transactionCode: String?
  /// What the entry consists of: one detail, or the several of a batch, whose amounts sum to the entry's. Never empty.
  package let details: [EntryDetail]

  /// Booked: only then may the money be allocated.
  package var isAllocatable: Bool { status == .booked }
}

/// One payment within an entry.
package struct EntryDetail: Sendable, Hashable {
  /// Minor units, money in positive.
  package var amount: Int64
  /// The reference that the payer gave and the whole chain carries; nil where it says `NOTPROVIDED`.
  package var endToEndID: String?
  package var instructionID: String?
  package var messageID: String?
  /// The party on the other side: the debtor of money in, the creditor of money out.
  package var counterpartyName: String?
  package var counterpartyAccount: BankAccount?
  /// Free text, one element a line.
  package var remittance: [String] = []
  /// The creditor's reference of structured remittance information.
  package var creditorReference: String?

  package init(amount: Int64) { self.amount = amount }
}

extension BankStatement {
  /// A digest of all that the statement says, whatever form it came in: the same statement fetched a second time, with
  /// other white space, as another version of the message or as comma-separated values, has the same digest.
  package var fingerprint: SHA256Digest {
    var bytes = CanonicalBytes()
    bytes.append("bank-statement/1")
    bytes.append(id)
    bytes.append(account.description)
    bytes.append(currency.code)
    for balance in [openingBalance, closingBalance] {
      bytes.append(balance.amount)
      bytes.append(Int64(balance.date.dayNumber))
    }
    bytes.append(Int64(entries.count))
    for entry in entries { entry.write(to: &bytes) }
    return bytes.digest
  }

  /// The sum of what was booked.
  var booked: Int128 { entries.reduce(Int128(0)) { $1.status == .booked ? $0 + Int128($1.amount) : $0 } }
}

extension StatementEntry {
  /// Every field that both forms carry: proprietary codes and numbering are left out.
  fileprivate func write(to bytes: inout CanonicalBytes) {
    bytes.append(amount)
    bytes.append(status.rawValue)
    bytes.append(isReversal ? 1 : 0)
    bytes.append(Int64(bookingDate.dayNumber))
    bytes.append(optional: valueDate) { $0.append(Int64($1.dayNumber)) }
    bytes.append(optional: bankReference) { $0.append($1) }
    bytes.append(Int64(details.count))
    for detail in details {
      bytes.append(detail.amount)
      bytes.append(optional: detail.endToEndID) { $0.append($1) }
      bytes.append(optional: detail.counterpartyName) { $0.append($1) }
      bytes.append(optional: detail.counterpartyAccount) { $0.append($1.description) }
      bytes.append(Int64(detail.remittance.count))
      for line in detail.remittance { bytes.append(line) }
      bytes.append(optional: detail.creditorReference) { $0.append($1) }
    }
  }
}
