import Primitives

/// Who holds an account that payments go to or leave from. What payment systems cannot carry is refused when it is
/// recorded, not on the day it is paid.
package struct AccountHolder: Sendable, Hashable {
  /// As it was given; a file carries it in the Latin set.
  package let name: String
  package let account: BankAccount
  /// Nil where the bank is known from the account.
  package let agent: BIC?

  /// - Throws: a fault with the field at fault, `name` or `account`.
  package init(name: String, account: BankAccount, agent: BIC?) throws(PaymentFault) {
    _ = try PaymentText.words(name, length: PaymentText.nameLength, field: "name")
    if case .other(let text) = account { _ = try PaymentText.id(text, field: "account") }
    self.name = name
    self.account = account
    self.agent = agent
  }

  /// As an account that payments leave from.
  package var debtor: DebtorAccount { DebtorAccount(name: name, account: account, agent: agent) }
}
