import Primitives

/// Why a mark, a history or a figure derived from marks is refused. Ordered by precedence.
package enum ValuationRefusal: Refusal, Hashable {
  case methodNotOfSubject(ValuationMethod, ValuationSubject)
  case basisNotOfSubject(ValuationBasis, ValuationSubject)
  case amountOutOfRange(Money)
  case subjectDiffers(ValuationID)
  case duplicateMark(ValuationID)
  case supersededUnknown(ValuationID)
  case alreadySuperseded(ValuationID, by: ValuationID)
  case recordedBeforeSuperseded(ValuationID)
  case supersededInCircle(ValuationID)
  case currencyDiffers(Currency, Currency)
  case negativeAmount(Money)
  case overflow

  package var kind: RefusalKind {
    switch self {
    case .duplicateMark, .alreadySuperseded: .conflict
    default: .invalid
    }
  }

  package var code: String {
    switch self {
    case .methodNotOfSubject: "valuation.method_not_of_subject"
    case .basisNotOfSubject: "valuation.basis_not_of_subject"
    case .amountOutOfRange: "valuation.amount_out_of_range"
    case .subjectDiffers: "valuation.subject_differs"
    case .duplicateMark: "valuation.duplicate_mark"
    case .supersededUnknown: "valuation.superseded_unknown"
    case .alreadySuperseded: "valuation.already_superseded"
    case .recordedBeforeSuperseded: "valuation.recorded_before_superseded"
    case .supersededInCircle: "valuation.superseded_in_circle"
    case .currencyDiffers: "valuation.currency_differs"
    case .negativeAmount: "valuation.negative_amount"
    case .overflow: "valuation.overflow"
    }
  }

  package var detail: String {
    switch self {
    case .methodNotOfSubject(let method, let subject): "\(method.rawValue) says nothing about \(subject)."
    case .basisNotOfSubject(let basis, let subject): "\(subject) is not valued by \(basis.rawValue)."
    case .amountOutOfRange(let amount):
      "A mark is from 1 to \(Money.largestAccepted) minor units; \(amount.amount) was given."
    case .subjectDiffers(let id): "\(id) is a mark of another subject."
    case .duplicateMark(let id): "\(id) is recorded already."
    case .supersededUnknown(let id): "There is no mark \(id) to supersede."
    case .alreadySuperseded(let id, let by): "\(id) is superseded by \(by) already; correct that one."
    case .recordedBeforeSuperseded(let id): "\(id) was recorded before the mark it supersedes."
    case .supersededInCircle(let id): "\(id) supersedes itself through others."
    case .currencyDiffers(let left, let right): "\(left) and \(right) cannot be compared without a dated rate."
    case .negativeAmount(let amount): "\(amount) is below zero."
    case .overflow: "The amounts are too large to compute."
    }
  }

  package var pointer: String? {
    switch self {
    case .methodNotOfSubject: "/method"
    case .basisNotOfSubject: "/basis"
    case .amountOutOfRange: "/amount"
    case .supersededUnknown, .alreadySuperseded, .recordedBeforeSuperseded, .supersededInCircle: "/supersedes"
    default: nil
    }
  }
}
