import Primitives
import StrictJSON

/// Interest of one principal over one period.
struct AccrualCase {
  private let terms: InterestTerms
  private let currency: Currency
  private let principal: DecimalNumeral
  private let start: CalendarDate
  private let end: CalendarDate

  /// Decimal places of the interest that is printed before it is rounded to minor units.
  private static let fullPlaces = 24

  init(_ reader: CaseReader) throws(CaseFault) {
    let method = try reader.word("method", as: AccrualMethod.self)
    let convention = try reader.word("convention", as: DayCountConvention.self)
    currency = try reader.currency("currency")
    let principal = try reader.decimal("principal")
    start = try reader.date("start")
    end = try reader.date("end")
    let rates = try reader.rates("rate_history")
    do throws(InterestRefusal) {
      self.principal = try InterestBounds.amount(principal, "principal")
      terms = try InterestTerms(method: method, convention: convention, rates: rates)
    } catch { throw CaseFault(error) }
  }

  /// Both figures are the exact interest rounded once: the second does not round the first.
  func answer(_ id: String) throws(CaseFault) -> [UInt8] {
    do throws(InterestRefusal) {
      let interest = try terms.interest(on: principal.rational, from: start, to: end)
      let full = try interest.rounded(places: Self.fullPlaces, rounding: .halfEven).trimmed
      let rounded = try interest.rounded(places: currency.minorUnitDigits, rounding: .halfEven)
      var writer = JSONWriter(capacity: 160)
      writer.object { writer in
        writer.field("case_id", id)
        writer.field("interest_full", full.description)
        writer.field("interest_rounded", rounded.description)
      }
      return writer.bytes
    } catch { throw CaseFault(error) }
  }
}
