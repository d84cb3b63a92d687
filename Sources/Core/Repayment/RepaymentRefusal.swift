import Primitives

/// Why a computation of repayment is refused. Ordered by precedence.
package enum RepaymentRefusal: Refusal, Hashable {
  case periodReversed(start: CalendarDate, end: CalendarDate)
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
  case rankTwice(Int64)
  case sourceTwice(CashSource)
  case windowsOverlap(on: CalendarDate)
  case mayNotDecline(LoanID)
  case declineOutOfTime(LoanID, on: CalendarDate, noticeOn: CalendarDate, deadlineDays: Int64)
  case paidMoreThanOwed(WaterfallStep, paid: Int64, owed: Int64)
  case rateNotUsable(base: Currency, quote: Currency, on: CalendarDate)
  case rateTwice(base: Currency, quote: Currency, on: CalendarDate)
  /// `lastKnown` is the day of the latest rate, which is too old; nil where there is none before the day.
  case noFXRate(from: Currency, to: Currency, on: CalendarDate, lastKnown: CalendarDate?)
  case partsExceedClosing(subscribed: Int64, parts: Int64)
  case closingsExceedRound(amount: Int64, closings: Int64)
  case preMoneyAbovePostMoney(pre: Int64, post: Int64)
  case valuationDoesNotAddUp(pre: Int64, post: Int64, expected: Int64)
  case bringsNoCash(FundingRoundKind)
  case closingTwice(ClosingID)
  case notPositive(what: String, Int64)
  case consentMissing(LoanID)
  case choiceMissing(LoanID)
  case unknownLoan(LoanID)
  case takenBackMoreThanReceived(amount: Int64, received: Int64)
  case notReleasable(String)
  case unusableText(field: String)
  case boundsNotRising
  case gridTooLarge(cells: Int, most: Int)
  case noTaxRule(jurisdiction: CountryCode, on: CalendarDate)
  case taxRulesOverlap(jurisdiction: CountryCode, on: CalendarDate)
  /// A file of rates; `reason` says what is wrong with the line.
  case unreadableRates(line: Int, reason: String)
  case unitsOutOfRange(wanted: Int64, out: Int64)
  case noStipulatedValue(on: CalendarDate)
  case overflow

  package var kind: RefusalKind {
    switch self {
    case .accrualBackdated, .noClosing, .noStipulatedValue, .mayNotDecline, .declineOutOfTime, .paidMoreThanOwed,
      .noFXRate, .consentMissing, .choiceMissing, .takenBackMoreThanReceived, .notReleasable,
      .noTaxRule:
      .conflict
    default: .invalid
    }
  }

  package var code: String {
    switch self {
    case .periodReversed: "repayment.period_reversed"
    case .unsupportedDayCount: "repayment.unsupported_day_count"
    case .accrualBackdated: "repayment.accrual_backdated"
    case .negativeAmount: "repayment.negative_amount"
    case .shareOutOfRange: "repayment.share_out_of_range"
    case .residueOutOfRange: "repayment.residue_out_of_range"
    case .currencyDiffers: "repayment.currency_differs"
    case .noClosing: "repayment.no_closing"
    case .duplicateLoan: "repayment.duplicate_loan"
    case .stepTwice: "repayment.step_twice"
    case .rankTwice: "repayment.rank_twice"
    case .sourceTwice: "repayment.source_twice"
    case .windowsOverlap: "repayment.windows_overlap"
    case .mayNotDecline: "repayment.may_not_decline"
    case .declineOutOfTime: "repayment.decline_out_of_time"
    case .paidMoreThanOwed: "repayment.paid_more_than_owed"
    case .rateNotUsable: "repayment.rate_not_usable"
    case .rateTwice: "repayment.rate_twice"
    case .noFXRate: "repayment.no_rate"
    case .partsExceedClosing: "repayment.parts_exceed_closing"
    case .closingsExceedRound: "repayment.closings_exceed_round"
    case .preMoneyAbovePostMoney: "repayment.pre_money_above_post_money"
    case .valuationDoesNotAddUp: "repayment.valuation_does_not_add_up"
    case .bringsNoCash: "repayment.brings_no_cash"
    case .closingTwice: "repayment.closing_twice"
    case .notPositive: "repayment.not_positive"
    case .consentMissing: "repayment.consent_missing"
    case .choiceMissing: "repayment.choice_missing"
    case .unknownLoan: "repayment.unknown_loan"
    case .takenBackMoreThanReceived: "repayment.taken_back_more_than_received"
    case .notReleasable: "repayment.not_releasable"
    case .unusableText: "repayment.unusable_text"
    case .boundsNotRising: "repayment.bounds_not_rising"
    case .gridTooLarge: "repayment.grid_too_large"
    case .noTaxRule: "repayment.no_tax_rule"
    case .taxRulesOverlap: "repayment.tax_rules_overlap"
    case .unreadableRates: "repayment.unreadable_rates"
    case .unitsOutOfRange: "repayment.units_out_of_range"
    case .noStipulatedValue: "repayment.no_stipulated_value"
    case .overflow: "repayment.overflow"
    }
  }

  package var detail: String {
    switch self {
    case .periodReversed(let start, let end): "The period ends on \(end), before it begins on \(start)."
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
    case .rankTwice(let rank): "The waterfall names rank \(rank) twice."
    case .sourceTwice(let source): "There are two waterfalls for the source \(source.rawValue)."
    case .windowsOverlap(let date): "Two windows of prepayment hold \(date)."
    case .mayNotDecline(let id): "The waterfall gives nobody the right to decline; \(id) was to."
    case .declineOutOfTime(let id, let on, let noticeOn, let days):
      "\(id) was declined on \(on); it could be from \(noticeOn) for \(days) days."
    case .paidMoreThanOwed(let step, let paid, let owed):
      "\(paid) are paid on \(step.rawValue), where \(owed) are owed."
    case .rateNotUsable(let base, let quote, let on):
      "The rate \(base)/\(quote) of \(on) must be above 0, with at most \(FXRate.mostPlaces) places, of two currencies."
    case .rateTwice(let base, let quote, let on): "There are two rates between \(base) and \(quote) on \(on)."
    case .noFXRate(let from, let into, let on, let last):
      "There is no rate from \(from) to \(into) for \(on)\(last.map { "; that of \($0) is too old" } ?? "")."
    case .partsExceedClosing(let subscribed, let parts):
      "Conversions, sales by holders and costs come to \(parts), more than the \(subscribed) subscribed."
    case .closingsExceedRound(let amount, let closings): "The closings come to \(closings), the round to \(amount)."
    case .preMoneyAbovePostMoney(let pre, let post): "The pre-money \(pre) is above the post-money \(post)."
    case .valuationDoesNotAddUp(let pre, let post, let expected):
      "From a pre-money of \(pre) the round comes to \(expected), not to the post-money of \(post)."
    case .bringsNoCash(let kind): "A \(kind.rawValue) brings the company no cash."
    case .closingTwice(let id): "\(id) is named twice."
    case .notPositive(let what, let amount): "The \(what) is \(amount); it must be above zero."
    case .consentMissing(let id): "The lender of \(id) has not consented."
    case .choiceMissing(let id): "Nothing is chosen for \(id)."
    case .unknownLoan(let id): "\(id) is not among the loans."
    case .takenBackMoreThanReceived(let amount, let received):
      "\(amount) are taken back of a receipt of which \(received) are left."
    case .notReleasable(let why): "The lien is not released: \(why)."
    case .unusableText(let field): "The \(field) is empty, or has characters that are not printable."
    case .boundsNotRising: "The bounds of the buckets must rise, from above 0."
    case .gridTooLarge(let cells, let most): "A grid of \(cells) cells is asked for; at most \(most) are computed."
    case .noTaxRule(let jurisdiction, let on): "No tax rule of \(jurisdiction) holds on \(on)."
    case .taxRulesOverlap(let jurisdiction, let on): "Two tax rules of \(jurisdiction) hold on \(on)."
    case .unreadableRates(let line, let reason): "Line \(line) of the rates: \(reason)."
    case .unitsOutOfRange(let wanted, let out): "\(wanted) units are to be credited, \(out) are out."
    case .noStipulatedValue(let date): "The schedule has no stipulated value for \(date)."
    case .overflow: "The amounts are too large to compute."
    }
  }

  package var pointer: String? {
    switch self {
    case .accrualBackdated: "/business_date"
    case .rateNotUsable: "/rate"
    case .unitsOutOfRange: "/quantity"
    case .taxRulesOverlap: "/from_on"
    case .preMoneyAbovePostMoney: "/pre_money"
    case .valuationDoesNotAddUp: "/post_money"
    case .partsExceedClosing, .closingsExceedRound, .bringsNoCash: "/closings"
    default: nil
    }
  }
}
