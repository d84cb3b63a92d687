import Primitives

/// Why a computation of repayment is refused. Ordered by precedence.
package enum RepaymentRefusal: Refusal, Hashable {
  case unsupportedDayCount(DayCountConvention)
  case accrualBackdated(given: CalendarDate, accruedThrough: CalendarDate)
  /// `what` names the amount for a person.
  case negativeAmount(what: String, Int64)
  case shareOutOfRange(what: String, BasisPoints)
  case residueOutOfRange(Int64)
  case currencyDiffers(expected: Currency, found: Currency)
  case noClosing(on: CalendarDate)
  case duplicateLoan(LoanID)
  case stepTwice(WaterfallStep)
  case unitsOutOfRange(wanted: Int64, out: Int64)
  case noStipulatedValue(on: CalendarDate)
  case overflow

  package var kind: RefusalKind {
    switch self {
    case .accrualBackdated, .noClosing, .noStipulatedValue: .conflict
    default: .invalid
    }
  }

  package var code: String {
    switch self {
    case .unsupportedDayCount: "repayment.unsupported_day_count"
    case .accrualBackdated: "repayment.accrual_backdated"
    case .negativeAmount: "repayment.negative_amount"
    case .shareOutOfRange: "repayment.share_out_of_range"
    case .residueOutOfRange: "repayment.residue_out_of_range"
    case .currencyDiffers: "repayment.currency_differs"
    case .noClosing: "repayment.no_closing"
    case .duplicateLoan: "repayment.duplicate_loan"
    case .stepTwice: "repayment.step_twice"
    case .unitsOutOfRange: "repayment.units_out_of_range"
    case .noStipulatedValue: "repayment.no_stipulated_value"
    case .overflow: "repayment.overflow"
    }
  }

  package var detail: String {
    switch self {
    case .unsupportedDayCount(let convention): "A fee accrues by ACT/360 or ACT/365F, not by \(convention.rawValue)."
    case .accrualBackdated(let given, let through):
      "The fee is posted through \(through) already; \(given) lies before that."
    case .negativeAmount(let what, let amount): "The \(what) is \(amount), below zero."
    case .shareOutOfRange(let what, let share): "The \(what) is \(share); it must be from 0 to 100 %."
    case .residueOutOfRange(let residue): "A residue of \(residue) is more than half a minor unit."
    case .currencyDiffers(let expected, let found): "\(found) was given where the loan is in \(expected)."
    case .noClosing(let date): "The round has no closing on \(date)."
    case .duplicateLoan(let id): "\(id) is named twice."
    case .stepTwice(let step): "The waterfall names the step \(step.rawValue) twice."
    case .unitsOutOfRange(let wanted, let out): "\(wanted) units are to be credited, \(out) are out."
    case .noStipulatedValue(let date): "The schedule has no stipulated value for \(date)."
    case .overflow: "The amounts are too large to compute."
    }
  }

  package var pointer: String? {
    switch self {
    case .accrualBackdated: "/business_date"
    case .unitsOutOfRange: "/quantity"
    default: nil
    }
  }
}
