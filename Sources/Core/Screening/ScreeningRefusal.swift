import Primitives

/// Why an act on a party that lists may know is refused.
package enum ScreeningRefusal: Refusal, Hashable {
  /// Names were found that nobody has decided on, by `list/entry`.
  case undecided([String])
  /// Nothing on that list matches that name of the party today.
  case noHit
  /// The same was decided already and is in force.
  case decidedAlready
  case illegalState(ScreeningDecision.State, act: String)
  /// A party keeps so many decisions at most.
  case tooManyDecisions(Int)

  package var kind: RefusalKind {
    switch self {
    case .noHit: .invalid
    case .undecided, .decidedAlready, .illegalState, .tooManyDecisions: .conflict
    }
  }

  package var code: String {
    switch self {
    case .undecided: "screening.undecided"
    case .noHit: "screening.no_hit"
    case .decidedAlready: "screening.decided_already"
    case .illegalState: "screening.illegal_state"
    case .tooManyDecisions: "screening.too_many_decisions"
    }
  }

  package var detail: String {
    switch self {
    case .undecided(let rules):
      "A name of the party was found on a list and nobody has decided whether it is the same: "
        + "\(rules.prefix(10).joined(separator: ", "))."
    case .noHit: "No entry of that list matches that name of the party today."
    case .decidedAlready: "That was decided already, and the decision is in force."
    case .illegalState(let state, let act): "The decision is \(state.rawValue); it cannot be \(act)."
    case .tooManyDecisions(let most): "The party has \(most) decisions; no more are kept."
    }
  }

  package var pointer: String? {
    switch self {
    case .noHit: "/entry_id"
    default: nil
    }
  }
}
