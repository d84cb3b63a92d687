import Primitives

/// Export rules, or lists of parties, that came as a whole and are not in force before a second person switches them on. A pack replaces the one
/// before it; what was judged by that one stays as it was recorded.
package struct RulePack: Sendable, Hashable {
  package enum State: String, Sendable, Hashable, CaseIterable {
    /// -> switchedOn, rejected
    case loaded
    /// Final; a later pack may take its place.
    case switchedOn = "switched_on"
    /// Final.
    case rejected
  }

  package enum Kind: String, Sendable, Hashable, CaseIterable {
    case exportRules = "export_rules"
    case screeningLists = "screening_lists"
  }

  package let id: RulePackID
  package let kind: Kind
  package let content: [UInt8]
  package let digest: SHA256Digest
  /// The day up to which whoever made it had followed the rules.
  package let asOf: CalendarDate
  package let source: String
  package private(set) var state: State
  package let loadedBy: PersonID
  package private(set) var decidedBy: PersonID?
  package private(set) var decidedAt: Instant?
  /// Why it was rejected.
  package private(set) var reason: String?
  package var version: Int64
  package let createdAt: Instant
  package var updatedAt: Instant

  package init(
    id: RulePackID, kind: Kind, content: [UInt8], digest: SHA256Digest, asOf: CalendarDate, source: String,
    state: State = .loaded,
    loadedBy: PersonID, decidedBy: PersonID? = nil, decidedAt: Instant? = nil, reason: String? = nil,
    version: Int64 = 1, createdAt: Instant, updatedAt: Instant
  ) {
    self.id = id
    self.kind = kind
    self.content = content
    self.digest = digest
    self.asOf = asOf
    self.source = source
    self.state = state
    self.loadedBy = loadedBy
    self.decidedBy = decidedBy
    self.decidedAt = decidedAt
    self.reason = reason
    self.version = version
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }

  /// - Throws: `RulePackRefusal.illegalState` unless it is loaded.
  package mutating func switchOn(by person: PersonID, at now: Instant) throws(RulePackRefusal) {
    guard state == .loaded else { throw .illegalState(state, act: "switched on") }
    (state, decidedBy, decidedAt) = (.switchedOn, person, now)
  }

  /// - Throws: `RulePackRefusal.illegalState` unless it is loaded.
  package mutating func reject(by person: PersonID, reason: String, at now: Instant) throws(RulePackRefusal) {
    guard state == .loaded else { throw .illegalState(state, act: "rejected") }
    (state, decidedBy, decidedAt) = (.rejected, person, now)
    self.reason = reason
  }
}

/// Why nothing is done with a rule pack, or with what a screening found.
package enum RulePackRefusal: Refusal, Hashable {
  case illegalState(RulePack.State, act: String)
  /// It is in force, rule by rule.
  case nothingNew
  /// Another one waits to be decided on.
  case anotherWaits
  case itemResolved(String)

  package var kind: RefusalKind { .conflict }

  package var code: String {
    switch self {
    case .illegalState: "rule_pack.illegal_state"
    case .nothingNew: "rule_pack.nothing_new"
    case .anotherWaits: "rule_pack.another_waits"
    case .itemResolved: "compliance.item_resolved"
    }
  }

  package var detail: String {
    switch self {
    case .illegalState(let state, let act): "The rule pack is \(state.rawValue); it cannot be \(act)."
    case .nothingNew: "Every rule of the pack is in force as it stands there."
    case .anotherWaits: "Another rule pack is loaded and not decided on; switch it on or reject it first."
    case .itemResolved(let resolution): "The item was resolved already: \(resolution)."
    }
  }

  package var pointer: String? { nil }
}
