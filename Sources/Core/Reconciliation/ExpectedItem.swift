import BankFiles
import Primitives

/// A movement of the bank account that our books know of: a payout that was sent, or money that was recorded as received.
package struct ExpectedItem: Sendable, Hashable, Comparable {
  /// The payout or the receipt.
  package let id: UUIDValue
  /// What the bank is to show: the end-to-end id of a payout, the reference that a payer was told.
  package let reference: String
  package let currency: Currency
  /// Minor units; negative for a payout, positive for a receipt; not zero.
  package let amount: Int64
  /// The day it was sent, or recorded.
  package let date: CalendarDate
  /// The last day on which the bank may book it without being late.
  package let dueDate: CalendarDate
  /// The accounts that a receipt may come from. Empty for a payout, and where the books know of none: then nobody is a
  /// third party.
  package let payers: Set<BankAccount>
  /// It takes a booking back, as a bank recalls a credit: a line that says so of itself is meant for it.
  package let takesBack: Bool

  package init(
    id: UUIDValue, reference: String, currency: Currency, amount: Int64, date: CalendarDate, dueDate: CalendarDate,
    payers: Set<BankAccount> = [], takesBack: Bool = false
  ) {
    self.takesBack = takesBack
    self.id = id
    self.reference = reference
    self.currency = currency
    self.amount = amount
    self.date = date
    self.dueDate = dueDate
    self.payers = payers
  }

  package static func < (left: ExpectedItem, right: ExpectedItem) -> Bool { left.id < right.id }
}
