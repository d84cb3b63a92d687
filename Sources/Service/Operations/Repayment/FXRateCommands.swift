import Parties
import Persistence
import Primitives
import Repayment

/// Staff bring rates of days that have come: one, or a file of them. Nothing is computed with them before somebody else has
/// approved them.
package struct ProposeFXRates: Command {
  package struct Proposal: Sendable, Hashable {
    package let rate: FXRate
    /// The rate that it corrects.
    package let supersedes: FXRateID?

    package init(rate: FXRate, supersedes: FXRateID? = nil) {
      self.rate = rate
      self.supersedes = supersedes
    }
  }

  package static let action = "fx_rates.propose"
  package var staffDuty: Duty? { .treasury }
  package let proposals: [Proposal]

  package init(_ proposals: [Proposal]) { self.proposals = proposals }

  package func needs(_ state: BatchState) -> Set<Need> {
    FXRateBook.needs(proposals.map { ($0.rate, $0.supersedes) })
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> [RecordedFXRate] {
    try principal.require(.admin)
    let person = try principal.requirePerson()
    var rates: [RecordedFXRate] = []
    let book = FXRateBook(draft)
    for proposal in proposals {
      guard proposal.rate.on <= draft.today else { throw FXRefusal.rateAhead(proposal.rate.on, today: draft.today) }
      try book.check(proposal.rate, supersedes: proposal.supersedes, in: draft)
      rates.append(
        draft.put(
          \.fxRates,
          RecordedFXRate(
            id: draft.ids.next(), rate: proposal.rate, supersedes: proposal.supersedes, proposedBy: person,
            createdAt: draft.now, updatedAt: draft.now)))
    }
    draft.made.subject = rates.first?.id.value
    for rate in rates { draft.happen("fx_rate.proposed", rate, to: .platform) }
    return rates
  }
}

/// Staff other than who brought them approve rates, or reject them. From then on they are used; what was computed before
/// stays as it was.
package struct DecideFXRates: Command {
  package enum Decision: Sendable, Hashable {
    case approve
    case reject(reason: String)
  }

  package static let action = "fx_rates.decide"
  package var staffDuty: Duty? { .treasury }
  package let ids: [FXRateID]
  package let decision: Decision
  /// Of the one rate, where it is one.
  package let ifVersion: Int64?

  package init(ids: [FXRateID], decision: Decision, ifVersion: Int64? = nil) {
    self.ids = ids
    self.decision = decision
    self.ifVersion = ifVersion
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    let found = ids.compactMap { state.shelves.fxRates[$0] }
    return Set(ids.map { Need.fxRate($0) }).union(FXRateBook.needs(found.map { ($0.rate, $0.supersedes) }))
  }

  /// Two who approve at a time do it one after the other.
  package func heads(_ state: BatchState) -> Set<OrganizationID> { [.platform] }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> [RecordedFXRate] {
    try principal.require(.admin)
    let person = try principal.requirePerson()
    var decided: [RecordedFXRate] = []
    var seen: Set<FXRateID> = []
    var book = FXRateBook(draft)
    for id in ids {
      guard seen.insert(id).inserted else { throw FXRefusal.namedTwice(id) }
      guard var rate = draft.find(\.fxRates, id) else { throw PartiesRefusal.notFound("rate") }
      try checkVersion(ifVersion, rate.version)
      switch decision {
      case .approve:
        guard rate.proposedBy != person else { throw PartiesRefusal.samePerson("brought the rate") }
        try book.check(rate.rate, supersedes: rate.supersedes, in: draft)
        try rate.approve(by: person, at: draft.now)
        if let wrong = rate.supersedes, var superseded = draft.find(\.fxRates, wrong) {
          try superseded.supersede(with: rate, at: draft.now)
          superseded = draft.put(\.fxRates, superseded)
          draft.happen("fx_rate.superseded", superseded, to: .platform)
        }
      case .reject(let reason): try rate.reject(by: person, reason: reason, at: draft.now)
      }
      rate = draft.put(\.fxRates, rate)
      if rate.state == .approved { book.use(rate) }
      decided.append(rate)
      draft.happen("fx_rate.\(rate.state.rawValue)", rate, to: .platform)
    }
    draft.made.subject = ids.first?.value
    return decided
  }
}

/// Which rate is in use for a pair and day, while a command changes that.
private struct FXRateBook {
  private struct Day: Hashable {
    let pair: FXPair
    let on: CalendarDate
  }

  private var inUse: [Day: FXRateID] = [:]

  init(_ draft: Draft) {
    for id in draft.base.fxRatesOf.values.joined() {
      guard let rate = draft.find(\.fxRates, id), rate.state == .approved else { continue }
      inUse[Day(pair: rate.rate.pair, on: rate.rate.on)] = id
    }
  }

  static func needs(_ rates: [(rate: FXRate, supersedes: FXRateID?)]) -> Set<Need> {
    var needs: Set<Need> = []
    for (pair, group) in Dictionary(grouping: rates, by: \.rate.pair) {
      let days = group.map(\.rate.on)
      if let first = days.min(), let last = days.max() {
        needs.insert(.fxRates(FXSpan(pair, from: first, through: last)))
      }
    }
    for rate in rates { if let wrong = rate.supersedes { needs.insert(.fxRate(wrong)) } }
    return needs
  }

  /// Whether a rate may come into use: its day is free, or it names what stands there.
  func check(_ rate: FXRate, supersedes: FXRateID?, in draft: Draft) throws(FXRefusal) {
    let present = inUse[Day(pair: rate.pair, on: rate.on)]
    guard let supersedes else {
      if let present { throw .rateExists(rate.pair, on: rate.on, present) }
      return
    }
    guard let wrong = draft.find(\.fxRates, supersedes) else { throw .supersededUnknown(supersedes) }
    guard wrong.rate.pair == rate.pair, wrong.rate.on == rate.on else { throw .supersedesAnother(supersedes) }
    guard present == supersedes else { throw .illegalState(supersedes, wrong.state, act: "superseded") }
  }

  mutating func use(_ rate: RecordedFXRate) { inUse[Day(pair: rate.rate.pair, on: rate.rate.on)] = rate.id }
}

extension Draft {
  fileprivate mutating func happen(_ type: String, _ rate: RecordedFXRate, to organization: OrganizationID) {
    happen(
      type, rate.id, version: rate.version, to: (organization, nil),
      [
        ("base", .text(rate.rate.base.code)), ("quote", .text(rate.rate.quote.code)),
        ("on", .text(rate.rate.on.description)), ("rate", .text(rate.rate.price)),
      ])
  }
}
