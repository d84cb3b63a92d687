import Primitives

/// Why a mark, a history or a figure derived from marks is refused. Ordered by precedence.
package enum ValuationRefusal: Refusal, Hashable {
  case methodNotOfSubject(ValuationMethod, ValuationSubject)
  case basisNotOfSubject(ValuationBasis, ValuationSubject)
  case amountOutOfRange(Money)
  case effectiveAhead(CalendarDate, today: CalendarDate)
  case subjectDiffers(ValuationID)
  case duplicateMark(ValuationID)
  case supersededUnknown(ValuationID)
  case alreadySuperseded(ValuationID, by: ValuationID)
  /// As `alreadySuperseded`, where the correction was not looked up.
  case correctedSince(ValuationID)
  case recordedBeforeSuperseded(ValuationID)
  case supersededInCircle(ValuationID)
  /// The mark that says the same of the same day already.
  case alreadyStands(ValuationID)
  case approverInterested(OrganizationID)
  case alreadyDecided(String)
  case disputeClosed(String)
  case disputedAlready
  case notDisputable(ValuationID)
  case stale(ValuationSubject, through: CalendarDate)
  case disputed(ValuationSubject, ValuationID)
  case beforeTheCurve(CalendarDate)
  case currencyDiffers(Currency, Currency)
  case negativeAmount(Money)
  case overflow
  /// Of a startup's cash, on a day that has not come.
  case reportedAhead(CalendarDate, today: CalendarDate)
  case reportUnknown(RunwayReportID)
  case reportCorrected(RunwayReportID, by: RunwayReportID)

  package var kind: RefusalKind {
    switch self {
    case .duplicateMark, .alreadySuperseded, .correctedSince, .alreadyStands, .alreadyDecided, .disputeClosed,
      .disputedAlready,
      .notDisputable, .stale, .disputed, .reportCorrected:
      .conflict
    case .approverInterested: .forbidden
    default: .invalid
    }
  }

  package var code: String {
    switch self {
    case .methodNotOfSubject: "valuation.method_not_of_subject"
    case .basisNotOfSubject: "valuation.basis_not_of_subject"
    case .amountOutOfRange: "valuation.amount_out_of_range"
    case .effectiveAhead: "valuation.effective_ahead"
    case .alreadyStands: "valuation.already_stands"
    case .approverInterested: "valuation.approver_interested"
    case .alreadyDecided: "valuation.already_decided"
    case .disputeClosed: "valuation.dispute_closed"
    case .disputedAlready: "valuation.disputed_already"
    case .notDisputable: "valuation.not_disputable"
    case .stale: "valuation.mark_stale"
    case .disputed: "valuation.mark_disputed"
    case .subjectDiffers: "valuation.subject_differs"
    case .duplicateMark: "valuation.duplicate_mark"
    case .supersededUnknown: "valuation.superseded_unknown"
    case .alreadySuperseded, .correctedSince: "valuation.already_superseded"
    case .recordedBeforeSuperseded: "valuation.recorded_before_superseded"
    case .supersededInCircle: "valuation.superseded_in_circle"
    case .beforeTheCurve: "valuation.before_the_curve"
    case .currencyDiffers: "valuation.currency_differs"
    case .negativeAmount: "valuation.negative_amount"
    case .overflow: "valuation.overflow"
    case .reportedAhead: "valuation.reported_ahead"
    case .reportUnknown: "valuation.report_unknown"
    case .reportCorrected: "valuation.report_corrected"
    }
  }

  package var detail: String {
    switch self {
    case .methodNotOfSubject(let method, let subject): "\(method.rawValue) says nothing about \(subject)."
    case .basisNotOfSubject(let basis, let subject): "\(subject) is not valued by \(basis.rawValue)."
    case .amountOutOfRange(let amount):
      "A mark is from 1 to \(Money.largestAccepted) minor units; \(amount.amount) was given."
    case .effectiveAhead(let date, let today):
      "\(date) is after today, \(today): nobody knows yet what it is worth then."
    case .alreadyStands(let id):
      "\(id) says so of the same day by the same method and source already; correct it by naming it in supersedes."
    case .approverInterested(let organization):
      "Whoever acts for a lender or a startup, as you do for \(organization), approves no mark."
    case .alreadyDecided(let state): "The mark was \(state) already."
    case .disputeClosed(let state): "The dispute was \(state) already."
    case .disputedAlready: "Your organisation disputes this mark already."
    case .notDisputable(let id): "\(id) was corrected since; what stands now can be disputed."
    case .stale(let subject, let through):
      "The mark of \(subject) was fresh through \(through); nothing is traded on it until there is a newer one."
    case .disputed(let subject, let id):
      "The mark \(id) of \(subject) is disputed; nothing is traded on it until that is settled."
    case .subjectDiffers(let id): "\(id) is a mark of another subject."
    case .duplicateMark(let id): "\(id) is recorded already."
    case .supersededUnknown(let id): "There is no mark \(id) to supersede."
    case .alreadySuperseded(let id, let by): "\(id) is superseded by \(by) already; correct that one."
    case .correctedSince(let id): "\(id) was corrected already; name the mark that stands now."
    case .recordedBeforeSuperseded(let id): "\(id) was recorded before the mark it supersedes."
    case .supersededInCircle(let id): "\(id) supersedes itself through others."
    case .beforeTheCurve(let date): "On \(date) the loan's curve of expected values has not begun."
    case .currencyDiffers(let left, let right): "\(left) and \(right) cannot be compared without a dated rate."
    case .negativeAmount(let amount): "\(amount) is below zero."
    case .overflow: "The amounts are too large to compute."
    case .reportedAhead(let date, let today): "\(date) is after today, \(today): it cannot be reported yet."
    case .reportUnknown(let id): "There is no report \(id) of this startup to correct."
    case .reportCorrected(let id, let by): "\(id) is corrected by \(by) already; correct that one."
    }
  }

  package var pointer: String? {
    switch self {
    case .methodNotOfSubject: "/method"
    case .basisNotOfSubject: "/basis"
    case .amountOutOfRange: "/amount"
    case .effectiveAhead: "/effective_on"
    case .reportedAhead: "/on"
    case .reportUnknown, .reportCorrected: "/supersedes"
    case .supersededUnknown, .alreadySuperseded, .correctedSince, .recordedBeforeSuperseded, .supersededInCircle:
      "/supersedes"
    default: nil
    }
  }
}
