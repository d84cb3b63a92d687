import Primitives

/// Where a rate stands that somebody brought.
package enum FXRateState: String, Sendable, Hashable, CaseIterable {
  /// Not used yet -> approved, rejected
  case proposed
  /// Used -> superseded
  case approved
  /// Final: nothing was ever computed with it.
  case rejected
  /// Was used, and is known to be wrong. Final: what was computed with it stands.
  case superseded
}

/// A rate as the platform keeps it: brought by one person, approved by another, perhaps corrected by a later one. On two
/// time axes, as marks are: the day it is of, and the moments between which it was held for true.
package struct RecordedFXRate: Sendable, Hashable {
  package let id: FXRateID
  package let rate: FXRate
  /// The rate of the same pair and day that this one corrects.
  package let supersedes: FXRateID?
  package private(set) var state: FXRateState
  package let proposedBy: PersonID
  package private(set) var decidedBy: PersonID?
  /// When it was approved, or rejected.
  package private(set) var decidedAt: Instant?
  /// From when on it is known to be wrong.
  package private(set) var supersededAt: Instant?
  /// Why it was rejected.
  package private(set) var reason: String?
  package var version: Int64
  package let createdAt: Instant
  package var updatedAt: Instant

  package init(
    id: FXRateID, rate: FXRate, supersedes: FXRateID?, state: FXRateState = .proposed, proposedBy: PersonID,
    decidedBy: PersonID? = nil, decidedAt: Instant? = nil, supersededAt: Instant? = nil, reason: String? = nil,
    version: Int64 = 1, createdAt: Instant, updatedAt: Instant
  ) {
    self.id = id
    self.rate = rate
    self.supersedes = supersedes
    self.state = state
    self.proposedBy = proposedBy
    self.decidedBy = decidedBy
    self.decidedAt = decidedAt
    self.supersededAt = supersededAt
    self.reason = reason
    self.version = version
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }

  /// Whether it was held for true at a moment.
  package func isKnown(at moment: Instant) -> Bool {
    guard state == .approved || state == .superseded, let decidedAt, decidedAt <= moment else { return false }
    guard let supersededAt else { return true }
    return supersededAt > moment
  }

  /// - Throws: `FXRefusal.illegalState` unless it is proposed.
  package mutating func approve(by person: PersonID, at now: Instant) throws(FXRefusal) {
    guard state == .proposed else { throw .illegalState(id, state, act: "approved") }
    state = .approved
    decidedBy = person
    decidedAt = now
  }

  /// - Throws: `FXRefusal.illegalState` unless it is proposed.
  package mutating func reject(by person: PersonID, reason: String, at now: Instant) throws(FXRefusal) {
    guard state == .proposed else { throw .illegalState(id, state, act: "rejected") }
    state = .rejected
    decidedBy = person
    decidedAt = now
    self.reason = reason
  }

  /// Another one takes its place.
  /// - Throws: `FXRefusal` unless it is in use, and of the same pair and day.
  package mutating func supersede(with other: RecordedFXRate, at now: Instant) throws(FXRefusal) {
    guard rate.pair == other.rate.pair, rate.on == other.rate.on else { throw .supersedesAnother(id) }
    guard state == .approved else { throw .illegalState(id, state, act: "superseded") }
    state = .superseded
    supersededAt = now
  }
}

extension FXTable {
  /// The rates that were held for true at a moment.
  /// - Throws: `RepaymentRefusal` as the other initialiser does; of one pair and day only one is ever in use.
  package init(
    _ recorded: some Sequence<RecordedFXRate>, knownAt moment: Instant, maxStalenessDays: Int64
  ) throws(RepaymentRefusal) {
    try self.init(recorded.filter { $0.isKnown(at: moment) }.map(\.rate), maxStalenessDays: maxStalenessDays)
  }
}

/// Why nothing is done with a rate between currencies.
package enum FXRefusal: Refusal, Hashable {
  case illegalState(FXRateID, FXRateState, act: String)
  /// There is one of that pair and day already; a correction names it.
  case rateExists(FXPair, on: CalendarDate, FXRateID)
  case supersedesAnother(FXRateID)
  case supersededUnknown(FXRateID)
  case rateAhead(CalendarDate, today: CalendarDate)
  case namedTwice(FXRateID)

  package var kind: RefusalKind {
    switch self {
    case .illegalState, .rateExists: .conflict
    case .supersedesAnother, .supersededUnknown, .rateAhead, .namedTwice: .invalid
    }
  }

  package var code: String {
    switch self {
    case .illegalState: "fx.illegal_state"
    case .rateExists: "fx.rate_exists"
    case .supersedesAnother: "fx.supersedes_another"
    case .supersededUnknown: "fx.superseded_unknown"
    case .rateAhead: "fx.rate_ahead"
    case .namedTwice: "fx.named_twice"
    }
  }

  package var detail: String {
    switch self {
    case .illegalState(let id, let state, let act): "The rate \(id) is \(state.rawValue); it cannot be \(act)."
    case .rateExists(let pair, let date, let id):
      "There is a rate of \(pair.code) for \(date), \(id); a correction names it in supersedes."
    case .supersedesAnother(let id): "\(id) is of another pair or day; a correction is of the same."
    case .supersededUnknown(let id): "\(id) is no rate of this pair and day."
    case .rateAhead(let date, let today): "\(date) is after today, \(today): a rate is known once its day has come."
    case .namedTwice(let id): "\(id) is named twice."
    }
  }

  package var pointer: String? {
    switch self {
    case .illegalState: nil
    case .rateExists, .rateAhead: "/on"
    case .supersedesAnother, .supersededUnknown: "/supersedes"
    case .namedTwice: "/ids"
    }
  }
}
