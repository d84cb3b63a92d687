import BankFiles
import Interest
import Parties
import Persistence
import Primitives
import Repayment

/// The payouts of one run as orders to the bank.
///
/// Accounts are those that were usable when the payout was recorded, whenever the file is asked for: two files of one run
/// never send a payout to two accounts. What was withdrawn since is left out. A payout without an account is not in the file; it
/// stands apart with the reason, for a person.
package struct PayoutOrders: Sendable {
  /// A payout that is not in the file.
  package struct Unpaid: Sendable, Hashable {
    package let payout: Payout
    /// What stands in the way: who is to do what, and from when the account is used.
    package let why: String
  }

  package let run: SettlementRun
  package let orders: [PaymentOrder]
  /// The payouts of the orders, in their order.
  package let payouts: [Payout]
  package let withoutPayee: [Unpaid]

  /// - Parameters:
  ///   - payouts: of the run.
  ///   - payees: of its lenders and of the platform, of every state.
  ///   - calendars: what was paid out on a day on which money of the currency is not settled leaves on the next.
  /// - Throws: `PayeeRefusal` for a run that paid nothing out, and where the platform has no account in a currency.
  package init(_ run: SettlementRun, payouts: [Payout], payees: [Payee], calendars: BusinessCalendars = .none) throws {
    guard run.job == SettlementJob.payout.rawValue, run.state == .succeeded else {
      throw PayeeRefusal.nothingPaidOut(job: run.job, state: run.state.rawValue)
    }
    var orders: [(order: PaymentOrder, payout: Payout)] = []
    var unpaid: [Unpaid] = []
    // One payout for each lender and currency of a run: they are netted already.
    for payout in payouts.sorted(by: { $0.id < $1.id }) where payout.net > 0 {
      let currency = payout.gross.currency
      switch Self.account(of: payout.lenderID, currency, payees, at: payout.recordedAt) {
      case .failure(let lack): unpaid.append(Unpaid(payout: payout, why: lack.why))
      case .success(let payee):
        let debtor: Payee
        switch Self.account(of: .platform, currency, payees, at: payout.recordedAt) {
        case .failure(let lack): throw PayeeRefusal.noDebtorAccount(currency, why: lack.why)
        case .success(let found): debtor = found
        }
        let order = PaymentOrder(
          endToEndID: EndToEndReference.of(payout.id), amount: Money(payout.net, currency),
          debtor: debtor.holder.debtor,
          executionDate: BusinessDays.settlementDay(payout.businessDate, of: currency, calendars).date,
          creditorName: payee.holder.name,
          creditorAccount: payee.holder.account, creditorAgent: payee.holder.agent,
          remittance: "Payout of \(payout.businessDate)")
        orders.append((order, payout))
      }
    }
    self.run = run
    self.orders = orders.map(\.order)
    self.payouts = orders.map(\.payout)
    self.withoutPayee = unpaid
  }

  private struct Lack: Error {
    let why: String
  }

  /// The account verified last of those that may be used at a moment.
  private static func account(
    of organization: OrganizationID, _ currency: Currency, _ payees: [Payee], at moment: Instant
  ) -> Result<Payee, Lack> {
    let own = payees.filter { $0.organizationID == organization && $0.currency == currency }
      .sorted { ($0.usableFrom ?? .epoch, $0.id) < ($1.usableFrom ?? .epoch, $1.id) }
    let usable = own.last { payee in payee.usableFrom.map { $0 <= moment } == true }
    switch usable {
    case let payee? where payee.state == .verified: return .success(payee)
    // Not the one before it: what was withdrawn had taken its place.
    case let payee?:
      let by = payee.withdrawnBy.map { "\($0)" } ?? "nobody"
      let at = payee.withdrawnAt.map { "\($0)" } ?? "no time"
      return .failure(Lack(why: "\(payee.id) was withdrawn by \(by) at \(at)"))
    case nil: break
    }
    if let waiting = own.last(where: { $0.state == .verified }), let from = waiting.usableFrom {
      let by = waiting.verifiedBy.map { "\($0)" } ?? "nobody"
      return .failure(Lack(why: "\(waiting.id) was verified by \(by) and is used from \(from) on"))
    }
    if let proposed = own.last(where: { $0.state == .proposed }) {
      return .failure(
        Lack(why: "\(proposed.id) was proposed by \(proposed.proposedBy) and waits for a second person"))
    }
    return .failure(Lack(why: "no account in \(currency) is recorded"))
  }

  /// The payment file, pain.001.001.09. Its id is a digest of what it orders: the same orders are the same message, by
  /// which a bank knows a file that comes twice; and other orders never pass for them.
  /// - Throws: `PaymentFault`, also where there is no order.
  package func file() throws -> [UInt8] {
    var content = CanonicalBytes()
    content.append("payout-orders/1")
    content.append(run.id.value)
    content.append(Int64(orders.count))
    for order in orders {
      content.append(order.endToEndID)
      content.append(order.amount.amount)
      content.append(order.debtor.account.description)
      content.append(order.creditorAccount.description)
      content.append(order.creditorName)
    }
    let message = "CB" + content.digest.description.prefix(28).uppercased()
    return try PaymentFile(
      messageID: message, createdAt: payouts.map(\.recordedAt).max() ?? run.createdAt,
      initiator: orders.first?.debtor.name ?? "ChipBridge", payments: orders
    ).bytes
  }
}
