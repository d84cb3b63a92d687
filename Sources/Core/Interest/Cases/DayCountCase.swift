import Primitives
import StrictJSON

/// A period to be counted by a convention.
package struct DayCountCase: Sendable {
  package let convention: DayCountConvention
  package let start: CalendarDate
  package let end: CalendarDate

  /// Decimal places of the printed fraction.
  package static let fractionPlaces = 30

  /// From the fields of a table's row.
  /// - Throws: `CaseFault` naming the column.
  package init(convention: String, start: String, end: String) throws(CaseFault) {
    guard let known = DayCountConvention.allCases.first(where: { $0.rawValue == convention }) else {
      throw CaseFault(
        field: "convention",
        detail: "must be one of " + DayCountConvention.allCases.map(\.rawValue).joined(separator: ", "))
    }
    guard let first = CalendarDate(start) else {
      throw CaseFault(field: "start", detail: "must be a calendar date YYYY-MM-DD")
    }
    guard let last = CalendarDate(end) else {
      throw CaseFault(field: "end", detail: "must be a calendar date YYYY-MM-DD")
    }
    (self.convention, self.start, self.end) = (known, first, last)
  }

  init(_ reader: CaseReader) throws(CaseFault) {
    try self.init(
      convention: try reader.text("convention"), start: try reader.text("start"), end: try reader.text("end"))
  }

  /// The line that answers it.
  /// - Throws: `CaseFault` for a period that ends before its start.
  package func answer(_ id: String) throws(CaseFault) -> [UInt8] {
    do throws(InterestRefusal) {
      let days = try convention.days(from: start, to: end)
      let fraction = try convention.fraction(from: start, to: end)
      var writer = JSONWriter(capacity: 160)
      writer.object { writer in
        writer.field("case_id", id)
        writer.field("convention", convention.rawValue)
        writer.field("days", days)
        writer.field("numerator", fraction.numerator)
        writer.field("denominator", fraction.denominator)
        writer.field("fraction", fraction.decimal(places: Self.fractionPlaces))
      }
      return writer.bytes
    } catch { throw CaseFault(error) }
  }
}
