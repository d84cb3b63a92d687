import Primitives

extension Listing {
  /// What can be done to a listing.
  package enum Act: String, Sendable, Hashable, CaseIterable {
    case pause, resume, withdraw, expire
  }

  /// The state the act leads to from each state; nil where it is refused.
  package static func successor(of state: ListingState, on act: Act) -> ListingState? {
    switch (state, act) {
    case (.open, .pause), (.exhausted, .pause): .paused
    case (.paused, .resume): .open
    case (.open, .withdraw), (.paused, .withdraw), (.exhausted, .withdraw): .withdrawn
    case (.open, .expire), (.paused, .expire), (.exhausted, .expire): .expired
    default: nil
    }
  }

  /// Pauses, resumes, withdraws or expires.
  /// - Throws: `LendingRefusal.illegalState` naming the present state; nothing is changed then.
  package mutating func perform(_ act: Act) throws(LendingRefusal) {
    guard let next = Self.successor(of: state, on: act) else {
      throw .illegalState(object: "listing", state: state.rawValue, act: act.rawValue)
    }
    state = next == .open && remaining == 0 ? .exhausted : next
  }

  /// Still to be matched on that moment.
  package func isOpen(at now: Instant) -> Bool {
    guard state == .open, remaining > 0 else { return false }
    if let validUntil { return now < validUntil }
    return true
  }

  /// Takes units for an offer.
  package mutating func reserve(_ count: Int64, at now: Instant) throws(LendingRefusal) {
    guard count > 0 else { throw .quantityNotPositive }
    guard isOpen(at: now) else { throw .illegalState(object: "listing", state: state.rawValue, act: "reserve") }
    guard count <= remaining else {
      throw .insufficientChips(lot: lotID, state: "listed", wanted: count, present: remaining)
    }
    guard count >= minQuantity else { throw .belowLeastPiece(count, least: minQuantity) }
    guard count % multipleOf == 0 else { throw .notInBoards(count, multipleOf: multipleOf) }
    remaining -= count
    if remaining == 0 { state = .exhausted }
  }

  /// Takes units back from an offer that ended. True when the listing offers them again; a withdrawn or expired one
  /// does not, and its lot is free of them.
  package mutating func release(_ count: Int64) -> Bool {
    remaining += count
    switch state {
    case .exhausted:
      state = .open
      return true
    case .open, .paused: return true
    case .withdrawn, .expired: return false
    }
  }
}
