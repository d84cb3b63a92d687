import BankFiles
import Persistence
import Primitives
import Reconciliation

/// What the banks hold at the end of a date against what the books say: the drift of each currency, and what clients are
/// owed. A currency is looked at when all of its accounts have a statement that closes on that date.
package struct ClientMoneyReview: Sendable {
  package let date: CalendarDate
  package let drifts: [BalanceDrift]
  package let covers: [ClientMoneyCover]
  /// Accounts without a statement that closes on the date.
  package let accountsWithoutStatement: Int64

  /// - Throws: `ArithmeticOverflow` for balances past Int64.
  init(_ statements: [BankStatementRow], on date: CalendarDate, books: ClientMoneyDay) throws(ArithmeticOverflow) {
    var closing: [BankAccount: BankStatementRow] = [:]
    // Of several pages of a day the one with the highest number is the last.
    for statement in statements where statement.closedOn == date {
      let other = closing[statement.account]
      let (number, before) = (statement.electronicSequence ?? 0, other?.electronicSequence ?? 0)
      if other == nil || (number, statement.statement) > (before, other?.statement ?? "") {
        closing[statement.account] = statement
      }
    }
    var lacking: Set<Currency> = []
    var without: Int64 = 0
    for (account, group) in Dictionary(grouping: statements, by: \.account) where closing[account] == nil {
      without += 1
      for statement in group { lacking.insert(statement.closing.currency) }
    }
    let bank = closing.values.filter { !lacking.contains($0.closing.currency) }.map {
      DayBalance(currency: $0.closing.currency, date: date, amount: $0.closing.amount)
    }
    let currencies = Set(bank.map(\.currency))
    let drifts = try BalanceChecks.drift(
      bank: bank,
      ledger: books.held.filter { currencies.contains($0.key) }.map {
        DayBalance(currency: $0.key, date: date, amount: $0.value)
      })
    var held: [Currency: Int64] = [:]
    for drift in drifts { held[drift.currency] = drift.bank }
    self.date = date
    self.drifts = drifts
    self.covers = try BalanceChecks.cover(held: held, owed: books.owed.filter { currencies.contains($0.key) })
    self.accountsWithoutStatement = without
  }

  /// As a run sums it up: what agrees is left out.
  var totals: [String: Int64] {
    var totals: [String: Int64] = [:]
    if accountsWithoutStatement > 0 { totals["accounts_without_statement"] = accountsWithoutStatement }
    for drift in drifts { totals["drift.\(drift.currency)"] = drift.drift }
    for cover in covers where !cover.isCovered { totals["client_money_short.\(cover.currency)"] = cover.shortfall }
    return totals
  }
}
