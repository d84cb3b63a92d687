import Primitives
import StrictJSON

/// The kinds of finance cases; raw values are the words of the command line. Each is worked out by the same code that
/// the service computes with.
package enum CaseKind: String, Sendable, Hashable, CaseIterable {
  case daycount, accrual, schedule, payoff, xirr

  /// The line that answers a case: one JSON object, its members in a fixed order, without a line end.
  /// - Throws: `CaseFault` naming the member at fault.
  func answer(to node: JSONNode) throws(CaseFault) -> CaseLine {
    let reader = try CaseReader(node)
    let id = try reader.text("case_id")
    return switch self {
    case .daycount: CaseLine(try DayCountCase(reader).answer(id))
    case .accrual: CaseLine(try AccrualCase(reader).answer(id))
    case .schedule: CaseLine(try ScheduleCase(reader).answer(id))
    case .payoff: CaseLine(try PayoffCase(reader).answer(id))
    case .xirr: try YieldCase(reader).answer(id)
    }
  }
}
