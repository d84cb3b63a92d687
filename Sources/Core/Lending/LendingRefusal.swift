import Primitives

/// Why an act of lending is refused. Ordered by precedence.
package enum LendingRefusal: Refusal, Hashable {
  case illegalState(object: String, state: String, act: String)
  case unknownChipModel(String, pointer: String)
  case quantityNotPositive
  case insufficientChips(lot: LotID, state: String, wanted: Int64, present: Int64)
  case beyondReservePlan(wanted: Int64, lendable: Int64)
  case belowLeastPiece(Int64, least: Int64)
  case notInBoards(Int64, multipleOf: Int64)
  case moreThanWanted(Int64, remaining: Int64)
  case offersPending(Int64)
  case offerLapsed(Instant)
  case offerNotExpired(Instant)
  case exportVerdict(effect: String, rules: [String], act: String)
  case noMark(ChipModelID)
  case staleOrder(String)
  case termsDisagree(pointer: String, detail: String)
  case wholeQuantityOnly(Int64)
  case moreThanOut(Int64, out: Int64)
  case dateOutOfOrder(given: CalendarDate, earliest: CalendarDate)
  case futureDate(given: CalendarDate, today: CalendarDate)
  case conditionRequired
  /// What the life of a loan does not allow.
  case loan(LoanRefusal)
  case overflow

  package var kind: RefusalKind {
    switch self {
    case .unknownChipModel, .quantityNotPositive, .termsDisagree, .overflow, .dateOutOfOrder, .futureDate,
      .conditionRequired, .notInBoards:
      .invalid
    case .loan(let refusal): refusal.kind
    default: .conflict
    }
  }

  package var code: String {
    switch self {
    case .illegalState: "lending.illegal_state"
    case .unknownChipModel: "lending.unknown_chip_model"
    case .quantityNotPositive: "lending.quantity_not_positive"
    case .insufficientChips: "lending.insufficient_chips"
    case .beyondReservePlan: "lending.beyond_reserve_plan"
    case .belowLeastPiece: "lending.below_least_piece"
    case .notInBoards: "lending.not_in_boards"
    case .moreThanWanted: "lending.more_than_wanted"
    case .offersPending: "lending.offers_pending"
    case .offerLapsed: "lending.offer_lapsed"
    case .offerNotExpired: "lending.offer_not_expired"
    case .exportVerdict: "lending.export_verdict"
    case .noMark: "lending.no_mark"
    case .staleOrder: "lending.stale_order"
    case .termsDisagree: "lending.terms_disagree"
    case .wholeQuantityOnly: "lending.whole_quantity_only"
    case .moreThanOut: "lending.more_than_out"
    case .dateOutOfOrder: "lending.date_out_of_order"
    case .futureDate: "lending.future_date"
    case .conditionRequired: "lending.condition_required"
    case .loan(let refusal): refusal.code
    case .overflow: "lending.overflow"
    }
  }

  package var detail: String {
    switch self {
    case .illegalState(let object, let state, let act): "The \(object) is \(state); \(act) is not possible."
    case .unknownChipModel(let name, _): "The catalogue has no chip model \(name)."
    case .quantityNotPositive: "The quantity must be at least 1."
    case .insufficientChips(_, let state, let wanted, let present):
      "\(wanted) units are wanted, \(present) are \(state)."
    case .beyondReservePlan(let wanted, let lendable):
      "The reserve plan leaves \(lendable) units to lend; \(wanted) were to be listed."
    case .belowLeastPiece(let count, let least): "\(count) units are fewer than the least piece of \(least)."
    case .notInBoards(let count, let multiple): "\(count) is not a multiple of \(multiple)."
    case .moreThanWanted(let count, let remaining): "\(count) units are offered, \(remaining) are still wanted."
    case .offersPending(let count): "\(count) units are in pending offers; decline them first or let them lapse."
    case .offerLapsed(let at): "The offer expired at \(at)."
    case .offerNotExpired(let at): "The offer expires at \(at); until then it cannot lapse."
    case .exportVerdict(let effect, let rules, let act):
      "The export verdict for the \(act) is \(effect), by \(rules.joined(separator: ", "))."
    case .noMark(let chip): "There is no mark for \(chip) on this date, so no principal can be fixed."
    case .staleOrder(let what): "The \(what) changed since the round's snapshot."
    case .termsDisagree(_, let detail): detail
    case .wholeQuantityOnly(let quantity): "The loan's \(quantity) units are delivered together."
    case .moreThanOut(let count, let out): "\(count) units are to be returned, \(out) are out."
    case .dateOutOfOrder(let given, let earliest): "\(given) is before \(earliest), the earliest date possible."
    case .futureDate(let given, let today): "\(given) is after today, \(today)."
    case .conditionRequired: "An inspection states the condition: good or damaged."
    case .loan(let refusal): refusal.detail
    case .overflow: "The amounts are too large to compute."
    }
  }

  package var pointer: String? {
    switch self {
    case .unknownChipModel(_, let pointer): pointer
    case .quantityNotPositive, .wholeQuantityOnly, .moreThanOut, .notInBoards, .insufficientChips, .beyondReservePlan:
      "/quantity"
    case .termsDisagree(let pointer, _): pointer
    case .dateOutOfOrder, .futureDate: "/occurred_on"
    case .conditionRequired: "/condition"
    case .loan(let refusal): refusal.pointer
    default: nil
    }
  }
}
