import Ledger
import Lending
import Persistence
import Postgres
import Primitives
import StrictJSON

/// What a person signs at the end of a day or a month: the movements of the books over a span of days, and whether they
/// hold. Money only; chips are in the custody reports of their lenders.
///
/// Accounts and movements are by business date, so for days that are closed the same question has the same answer for ever.
/// Loans are as they stand when the report is read.
package struct CloseReport: Sendable {
  /// An account code over all books, minor units of one currency; debits positive.
  package struct Account: Sendable, Hashable {
    package let code: AccountCode
    package let currency: Currency
    package let opening: Int64
    package let debits: Int64
    package let credits: Int64
    package let closing: Int64
  }

  package struct Loans: Sendable, Hashable {
    package let state: LoanState
    package let currency: Currency
    package let count: Int64
    package let outstanding: Debt
  }

  /// What is due since at least so many days, and fewer than the next bucket's.
  package struct PastDue: Sendable, Hashable {
    package let currency: Currency
    /// 0, 30, 60 or 90.
    package let fromDays: Int32
    package let count: Int64
    package let amount: Int64
  }

  /// Sums of receipts, of payouts, or of claw-backs.
  package struct Flow: Sendable, Hashable {
    package let currency: Currency
    package let count: Int64
    package let amount: Int64
    /// Of receipts, what no claim took; of payouts, the platform's fee; of claw-backs, what the platform advanced.
    package let part: Int64
  }

  /// Client money of one currency at the end.
  package struct Cover: Sendable, Hashable {
    package let currency: Currency
    package let held: Int64
    package let owed: Int64

    package var isCovered: Bool { held >= owed }
  }

  package let from: CalendarDate
  package let to: CalendarDate
  package let closedDays: [ClosedDay]
  package let accounts: [Account]
  package let loans: [Loans]
  package let pastDue: [PastDue]
  package let receipts: [Flow]
  package let payouts: [Flow]
  package let clawbacks: [Flow]
  package let entryCount: Int64

  /// From the results of `CloseReportSQL.queries`.
  package init(from first: CalendarDate, to last: CalendarDate, _ results: [ResultSet]) throws {
    (from, to) = (first, last)
    accounts = try results[0].map { row in
      var reader = RowReader(row)
      return Account(
        code: try reader.value(), currency: try reader.currency(), opening: try reader.int(), debits: try reader.int(),
        credits: try reader.int(), closing: try reader.int())
    }
    loans = try results[1].map { row in
      var reader = RowReader(row)
      let (state, currency): (LoanState, Currency) = (try reader.value(), try reader.currency())
      let count = try reader.int()
      let (principal, fee, charges) = (try reader.int(), try reader.int(), try reader.int())
      return Loans(
        state: state, currency: currency, count: count,
        outstanding: Debt(charges: charges, fee: fee, principal: principal))
    }
    pastDue = try results[2].map { row in
      var reader = RowReader(row)
      return PastDue(
        currency: try reader.currency(), fromDays: try reader.int4(), count: try reader.int(), amount: try reader.int())
    }
    receipts = try results[3].map(Self.flow)
    payouts = try results[4].map(Self.flow)
    entryCount = try results[5].single().int8(0)
    clawbacks = try results[6].map(Self.flow)
    closedDays = try results[7].map(ClosedDay.decode)
  }

  private static func flow(_ row: Row) throws -> Flow {
    var reader = RowReader(row)
    return Flow(
      currency: try reader.currency(), count: try reader.int(), amount: try reader.int(), part: try reader.int())
  }

  /// Every day of the span is closed.
  package var isFinal: Bool { Int64(closedDays.count) == from.days(to: to) + 1 }

  /// Currencies of the accounts, in order.
  package var currencies: [Currency] { Set(accounts.map(\.currency)).sorted() }

  /// Debits less credits of all books together: 0, or the books do not hold.
  package func imbalance(_ currency: Currency) -> Int128 {
    accounts.filter { $0.currency == currency }.reduce(0) { $0 + Int128($1.closing) }
  }

  /// By currency.
  package var cover: [Cover] {
    currencies.map { currency in
      func closing(_ codes: [AccountCode]) -> Int64 {
        accounts.filter { $0.currency == currency && codes.contains($0.code) }.reduce(0) { $0 &+ $1.closing }
      }
      return Cover(
        currency: currency, held: closing([.bankClient, .payableBank]), owed: 0 &- closing(AccountCode.owedToClients))
    }
  }

  /// As the interface shows it.
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("from", from.description)
      writer.field("to", to.description)
      writer.field("final", isFinal)
      writer.field("closed_days", Int64(closedDays.count))
      writer.field("entries", entryCount)
      writer.array("accounts", accounts) { writer, account in
        writer.object { writer in
          writer.field("account", account.code.rawValue)
          writer.field("currency", account.currency.code)
          writer.field("opening", account.opening)
          writer.field("debits", account.debits)
          writer.field("credits", account.credits)
          writer.field("closing", account.closing)
        }
      }
      writer.array("client_money", cover) { writer, cover in
        writer.object { writer in
          writer.field("currency", cover.currency.code)
          writer.field("held", cover.held)
          writer.field("owed", cover.owed)
          writer.field("covered", cover.isCovered)
        }
      }
      writer.array("loans", loans) { writer, loans in
        writer.object { writer in
          writer.field("state", loans.state.rawValue)
          writer.field("currency", loans.currency.code)
          writer.field("count", loans.count)
          writer.field("principal", loans.outstanding.principal)
          writer.field("fee", loans.outstanding.fee)
          writer.field("charges", loans.outstanding.charges)
        }
      }
      writer.array("past_due", pastDue) { writer, due in
        writer.object { writer in
          writer.field("currency", due.currency.code)
          writer.field("from_days", Int64(due.fromDays))
          writer.field("count", due.count)
          writer.field("amount", due.amount)
        }
      }
      write("receipts", receipts, part: "unallocated", &writer)
      write("payouts", payouts, part: "platform_fee", &writer)
      write("claw_backs", clawbacks, part: "advanced", &writer)
    }
  }

  private func write(
    _ name: StaticString, _ flows: [Flow], part: StaticString, _ writer: inout JSONWriter
  ) {
    writer.array(name, flows) { writer, flow in
      writer.object { writer in
        writer.field("currency", flow.currency.code)
        writer.field("count", flow.count)
        writer.field("amount", flow.amount)
        writer.field(part, flow.part)
      }
    }
  }
}
