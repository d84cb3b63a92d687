import BankFiles
import Primitives

/// How far the bank's balance and the ledger's are apart, for one currency at the end of one day.
package struct BalanceDrift: Sendable, Hashable {
  package let currency: Currency
  package let date: CalendarDate
  /// Minor units over all accounts of the currency.
  package let bank: Int64
  /// Minor units, debit positive: the ledger's account of what the bank holds.
  package let ledger: Int64
  /// What the bank shows more than the ledger.
  package var drift: Int64 { bank - ledger }
}

/// A closing balance that a statement states, or that the ledger has, for one day.
package struct DayBalance: Sendable, Hashable {
  package let currency: Currency
  package let date: CalendarDate
  package let amount: Int64

  package init(currency: Currency, date: CalendarDate, amount: Int64) {
    self.currency = currency
    self.date = date
    self.amount = amount
  }
}

/// Client money of one currency: law 11 asks that what the bank holds is at least what clients are owed.
package struct ClientMoneyCover: Sendable, Hashable {
  package let currency: Currency
  /// Minor units that the bank holds for clients.
  package let held: Int64
  /// Minor units that clients are owed, suspense included; not negative.
  package let owed: Int64
  /// Minor units that are lacking; zero where all is covered.
  package var shortfall: Int64 { max(0, owed - held) }
  package var isCovered: Bool { held >= owed }
}

/// A statement that does not continue the one before it.
package struct StatementGap: Sendable, Hashable {
  /// What is wrong between two statements of one account.
  package enum Kind: Sendable, Hashable {
    /// The opening balance is not the closing balance of the last statement: minor units that it has more.
    case balance(differsBy: Int64)
    /// So many statements are missing between them, by the bank's own numbers.
    case missing(Int64)
    /// The bank's number does not come after the last one.
    case notAfter(Int64)
  }

  package let account: BankAccount
  package let statement: String
  package let kind: Kind
}

/// Where a statement begins and ends: what tells whether statements continue each other.
package struct StatementSpan: Sendable, Hashable {
  package let account: BankAccount
  /// The bank's name for the statement.
  package let statement: String
  package let closesOn: CalendarDate
  /// Minor units.
  package let opening: Int64
  package let closing: Int64
  package let electronicSequence: Int64?

  package init(
    account: BankAccount, statement: String, closesOn: CalendarDate, opening: Int64, closing: Int64,
    electronicSequence: Int64?
  ) {
    self.account = account
    self.statement = statement
    self.closesOn = closesOn
    self.opening = opening
    self.closing = closing
    self.electronicSequence = electronicSequence
  }
}

/// Checks of balances: between statements, against the ledger, and against what clients are owed.
package enum BalanceChecks {
  /// Bank against ledger for each currency and day that either has, by currency and date; agreeing days included.
  /// - Throws: `ArithmeticOverflow` where balances of several accounts, or their difference, leave Int64.
  package static func drift(bank: [DayBalance], ledger: [DayBalance]) throws(ArithmeticOverflow) -> [BalanceDrift] {
    let (bank, ledger) = (try sums(bank), try sums(ledger))
    var drifts: [BalanceDrift] = []
    for day in Set(bank.keys).union(ledger.keys).sorted() {
      let (held, booked) = (bank[day] ?? 0, ledger[day] ?? 0)
      _ = try held.subtracting(booked)
      drifts.append(BalanceDrift(currency: day.currency, date: day.date, bank: held, ledger: booked))
    }
    return drifts
  }

  /// Held against owed, for each currency that either has, by currency.
  /// - Throws: `ArithmeticOverflow` for a negative claim, or where the difference leaves Int64.
  package static func cover(
    held: [Currency: Int64], owed: [Currency: Int64]
  ) throws(ArithmeticOverflow) -> [ClientMoneyCover] {
    var covers: [ClientMoneyCover] = []
    for currency in Set(held.keys).union(owed.keys).sorted() {
      let cover = ClientMoneyCover(currency: currency, held: held[currency] ?? 0, owed: owed[currency] ?? 0)
      guard cover.owed >= 0 else { throw ArithmeticOverflow() }
      _ = try cover.owed.subtracting(cover.held)
      covers.append(cover)
    }
    return covers
  }

  /// Whether statements of one account, in the order of their dates and numbers, continue each other and the last one
  /// that was read before them.
  package static func gaps(
    _ statements: [BankStatement], after previous: (closing: Int64, electronicSequence: Int64?)? = nil
  ) -> [StatementGap] {
    gaps(
      statements.map {
        StatementSpan(
          account: $0.account, statement: $0.id, closesOn: $0.closingBalance.date, opening: $0.openingBalance.amount,
          closing: $0.closingBalance.amount, electronicSequence: $0.electronicSequence)
      }, after: previous)
  }

  /// The same of spans of one account.
  package static func gaps(
    _ spans: [StatementSpan], after previous: (closing: Int64, electronicSequence: Int64?)? = nil
  ) -> [StatementGap] {
    var gaps: [StatementGap] = []
    var last = previous
    for span in spans.sorted(by: isBefore) {
      func add(_ kind: StatementGap.Kind) {
        gaps.append(StatementGap(account: span.account, statement: span.statement, kind: kind))
      }
      if let last {
        let difference = span.opening.subtractingClamped(last.closing)
        if difference != 0 { add(.balance(differsBy: difference)) }
        if let number = span.electronicSequence, let before = last.electronicSequence {
          let step = number - before
          // Pages of one statement share its number, and banks begin again at 1 with a year.
          if step > 1 { add(.missing(step - 1)) }
          if step < 0, number != 1 { add(.notAfter(before)) }
        }
      }
      last = (span.closing, span.electronicSequence ?? last?.electronicSequence)
    }
    return gaps
  }

  private static func isBefore(_ left: StatementSpan, _ right: StatementSpan) -> Bool {
    let (one, other) = (left.closesOn, right.closesOn)
    if one != other { return one < other }
    let (number, following) = (left.electronicSequence ?? 0, right.electronicSequence ?? 0)
    return number != following ? number < following : left.statement < right.statement
  }

  private struct Day: Hashable, Comparable {
    let currency: Currency
    let date: CalendarDate

    static func < (left: Day, right: Day) -> Bool {
      left.currency != right.currency ? left.currency < right.currency : left.date < right.date
    }
  }

  private static func sums(_ balances: [DayBalance]) throws(ArithmeticOverflow) -> [Day: Int64] {
    var sums: [Day: Int64] = [:]
    for balance in balances {
      let day = Day(currency: balance.currency, date: balance.date)
      sums[day] = try (sums[day] ?? 0).adding(balance.amount)
    }
    return sums
  }
}
