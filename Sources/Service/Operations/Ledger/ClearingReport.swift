import Ledger
import Persistence
import Postgres
import Primitives

/// How complete and how timely the accounts are cleared through which money and chips only pass.
package struct ClearingReport: Sendable {
  package struct Account: Sendable, Hashable {
    package let code: AccountCode
    package let asset: Asset
    /// What the account held for one subject each, since ever, and how many of them are cleared.
    package let items: Int64
    package let clearedItems: Int64
    /// Minor units, over all books.
    package let opened: Int64
    package let cleared: Int64
    /// nil where nothing is open.
    package let oldestOn: CalendarDate?

    /// Of what was opened, rounded down: the whole is told of what is cleared whole alone. 10,000 where nothing was opened.
    package var clearedShare: BasisPoints {
      guard opened > 0 else { return .whole }
      return BasisPoints(Int64(Int128(cleared) * 10_000 / Int128(opened)))
    }
  }

  package let on: CalendarDate
  package let accounts: [Account]

  package init(_ result: ResultSet, on date: CalendarDate) throws {
    on = date
    accounts = try result.map { row in
      var reader = RowReader(row)
      return Account(
        code: try reader.value(), asset: try reader.parsed { Asset($0) }, items: try reader.int(),
        clearedItems: try reader.int(), opened: try reader.int(), cleared: try reader.int(),
        oldestOn: try reader.dateOrNull())
    }
  }
}
