import Primitives
import StrictJSON

/// Dated flows, the rate at which they are worth nothing, and what they are worth at 10 %.
struct YieldCase {
  private let flows: CashFlows

  /// Decimal places of the printed figures; the tolerance of the case files is nine.
  private static let places = 18

  init(_ reader: CaseReader) throws(CaseFault) {
    let pairs = try reader.datedDecimals("flows")
    do throws(InterestRefusal) {
      flows = try CashFlows(pairs.map { CashFlows.Flow(date: $0.date, amount: $0.value) })
    } catch { throw CaseFault(error) }
  }

  /// The rate is null where none exists, which is an answer and no fault, but is remarked on.
  func answer(_ id: String) throws(CaseFault) -> CaseLine {
    do throws(InterestRefusal) {
      let rate = try flows.internalRate(places: Self.places)
      // 10 % as 1 over 10.
      let tenth = DecimalNumeral(unscaled: 1, places: 1).rational
      let value = try flows.netPresentValue(at: tenth, places: Self.places)
      var writer = JSONWriter(capacity: 160)
      writer.object { writer in
        writer.field("case_id", id)
        writer.field("xirr", rate?.trimmed.description)
        writer.field("xnpv_at_10pct", value.trimmed.description)
      }
      return CaseLine(writer.bytes, remark: rate == nil ? "xirr: there is no rate at which the flows cancel" : nil)
    } catch { throw CaseFault(error) }
  }
}
