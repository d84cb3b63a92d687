import Primitives

/// What a lender gives back of what it owes for money that was taken back after it had been paid out, by whatever way: off
/// a payout, or in cash. Minor units of one currency.
package struct ClawbackRepayment: Sendable, Hashable {
  /// Off the claim: never more than is owed.
  package let paid: Int64
  /// Of it, what goes back to the platform's own account, which had put it into the client account: what that is covered
  /// without. The rest stays there and covers it.
  package let returned: Int64

  package static let none = ClawbackRepayment(paid: 0, returned: 0)

  package init(paid: Int64, returned: Int64) {
    self.paid = paid
    self.returned = returned
  }

  /// - Parameters:
  ///   - amount: there to pay with, 0 or more.
  ///   - owed: by the lender; nothing is paid where it is 0 or less.
  ///   - spare: what the client accounts hold beyond what clients are owed, before the lender has paid; below 0 where they
  ///     are short.
  package init(of amount: Int64, owed: Int64, spare: Int64) throws(ArithmeticOverflow) {
    paid = max(0, min(owed, amount))
    returned = min(paid, max(0, try spare.adding(paid)))
  }
}
