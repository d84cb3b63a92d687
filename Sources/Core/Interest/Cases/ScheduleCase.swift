import Primitives
import StrictJSON

/// A loan to be laid out in payments.
struct ScheduleCase {
  private let terms: ScheduleTerms

  /// How the interest of a period is measured; `daycount` needs a convention, `period` reads none.
  private enum InterestMode: String, CaseIterable {
    case period, daycount
  }

  init(_ reader: CaseReader) throws(CaseFault) {
    let kind = try reader.word("kind", as: ScheduleKind.self)
    let interest: ScheduleInterest =
      switch try reader.word("interest_mode", as: InterestMode.self) {
      case .period: .period
      case .daycount: .dayCount(try reader.word("convention", as: DayCountConvention.self))
      }
    let currency = try reader.currency("currency")
    let principal = try reader.decimal("principal")
    let annualRate = try reader.decimal("annual_rate")
    let periods = try reader.integer("periods")
    let interestOnlyPeriods = try reader.integer("interest_only_periods", absent: 0)
    let start = try reader.date("start")
    do throws(InterestRefusal) {
      terms = try ScheduleTerms(
        kind: kind, interest: interest, currency: currency, principal: principal, annualRate: annualRate,
        periods: periods, interestOnlyPeriods: interestOnlyPeriods, start: start)
    } catch { throw CaseFault(error) }
  }

  func answer(_ id: String) throws(CaseFault) -> [UInt8] {
    let schedule: RepaymentSchedule
    do throws(InterestRefusal) { schedule = try RepaymentSchedule(terms) } catch { throw CaseFault(error) }
    var writer = JSONWriter(capacity: 128 * (schedule.rows.count + 1))
    writer.object { writer in
      writer.field("case_id", id)
      writer.field("level_payment", schedule.levelPayment?.description)
      writer.array("rows", schedule.rows) { writer, row in
        writer.object { writer in
          writer.field("k", row.k)
          writer.field("date", row.date.description)
          writer.field("interest", row.interest.description)
          writer.field("principal", row.principal.description)
          writer.field("payment", row.payment.description)
          writer.field("balance", row.balance.description)
        }
      }
      writer.field("total_interest", schedule.totalInterest.description)
    }
    return writer.bytes
  }
}
