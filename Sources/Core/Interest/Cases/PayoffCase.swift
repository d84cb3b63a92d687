import Primitives
import StrictJSON

/// A loan, what happened to it, and the day on which it is paid off.
struct PayoffCase {
  private let convention: DayCountConvention
  private let currency: Currency
  private let principal: DecimalNumeral
  private let start: CalendarDate
  private let rates: RateHistory
  private let events: [LoanCashEvent]
  private let payoffDate: CalendarDate

  init(_ reader: CaseReader) throws(CaseFault) {
    convention = try reader.word("convention", as: DayCountConvention.self)
    currency = try reader.currency("currency")
    principal = try reader.decimal("principal")
    start = try reader.date("start")
    rates = try reader.rates("rate_history")
    events = try reader.list("events") { node, place throws(CaseFault) in
      do throws(CaseFault) {
        let event = try CaseReader(node)
        return LoanCashEvent(
          date: try event.date("date"), kind: try event.word("type", as: LoanCashEvent.Kind.self),
          amount: try event.decimal("amount"))
      } catch {
        throw CaseFault(field: error.field.isEmpty ? place : "\(place)/\(error.field)", detail: error.detail)
      }
    }
    payoffDate = try reader.date("payoff_date")
  }

  func answer(_ id: String) throws(CaseFault) -> [UInt8] {
    let statement: PayoffStatement
    do throws(InterestRefusal) {
      statement = try PayoffStatement(
        principal: principal, currency: currency, convention: convention, rates: rates, from: start, events: events,
        payoffOn: payoffDate)
    } catch {
      if case .periodReversed = error { throw CaseFault(error, at: "payoff_date") }
      throw CaseFault(error)
    }
    var writer = JSONWriter(capacity: 1_024)
    writer.object { writer in
      writer.field("case_id", id)
      writer.object("expected") { Self.write(statement, to: &$0) }
    }
    return writer.bytes
  }

  private static func write(_ statement: PayoffStatement, to writer: inout JSONWriter) {
    writer.array("events", statement.events) { writer, event in
      writer.object { writer in
        writer.field("date", event.date.description)
        writer.field("accrued", event.accrued.description)
        writer.field("paid_interest", event.paidInterest.description)
        writer.field("paid_principal", event.paidPrincipal.description)
        writer.field("principal", event.principal.description)
        writer.field("interest_due", event.interestDue.description)
      }
    }
    writer.field("accrued_since_last_event", statement.accruedSinceLastEvent.description)
    writer.field("interest_due", statement.interestDue.description)
    writer.field("principal", statement.principal.description)
    writer.field("payoff", statement.payoff.description)
  }
}
