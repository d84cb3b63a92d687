import Catalogue
import Ledger
import Matching
import Parties
import Persistence
import Primitives

/// Records a licence of the authority; its use is counted from then on.
package struct AddLicence: Command {
  package static let action = "licence.add"
  package static let asksSecondPerson = true
  package var staffDuty: Duty? { .compliance }
  package let holderID: OrganizationID
  package let consigneeID: OrganizationID?
  package let subject: Licence.Subject
  package let destination: CountryCode
  package let quota: Int64
  package let validFrom: CalendarDate
  package let validTo: CalendarDate?
  package let reference: String

  package init(
    holderID: OrganizationID, consigneeID: OrganizationID?, subject: Licence.Subject, destination: CountryCode,
    quota: Int64, validFrom: CalendarDate, validTo: CalendarDate?, reference: String
  ) {
    self.holderID = holderID
    self.consigneeID = consigneeID
    self.subject = subject
    self.destination = destination
    self.quota = quota
    self.validFrom = validFrom
    self.validTo = validTo
    self.reference = reference
  }

  package func needs(_ state: BatchState) -> Set<Need> { [.organization(holderID)] }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> LicenceRecord {
    try principal.require(.admin)
    _ = try principal.requirePerson()
    guard draft.find(\.organizations, holderID) != nil else { throw PartiesRefusal.notFound("organization") }
    let licence = try Licence(
      id: draft.ids.next(), holder: holderID, consignee: consigneeID, subject: subject, destination: destination,
      quota: quota, used: 0, validFrom: validFrom, validTo: validTo)
    draft.made.subject = licence.id.value
    return draft.put(
      \.licences,
      LicenceRecord(licence: licence, reference: reference, createdAt: draft.now, updatedAt: draft.now))
  }
}

/// Plans a match round; a worker clears it.
package struct PlanMatchRound: Command {
  package static let action = "match_round.plan"
  package var staffDuty: Duty? { .operations }
  /// The part of the market that it clears.
  package let segment: MatchSegment

  package init(segment: MatchSegment) { self.segment = segment }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> PlannedMatchRound {
    try principal.require(.admin)
    if let chip = segment.chipModel, draft.reference.chips[chip] == nil {
      throw PartiesRefusal.notFound("chip model")
    }
    let round = PlannedMatchRound(
      id: draft.ids.next(), segment: segment, businessAt: draft.now, requestedBy: principal.personID)
    draft.made.matchRounds.append(round)
    draft.made.subject = round.id.value
    return round
  }
}

/// Moves a sandbox's business clock forward.
package struct MoveClock: Command {
  package static let action = "sandbox.move_clock"
  /// Those after it in the same transaction would be decided at the old time.
  package static let combines = false
  package var staffDuty: Duty? { .operations }
  package let to: Instant
  /// Whether this deployment is a sandbox at all.
  package let isSandbox: Bool

  package init(to: Instant, isSandbox: Bool) {
    self.to = to
    self.isSandbox = isSandbox
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Instant {
    try principal.require(.admin)
    guard isSandbox else { throw PlatformRefusal.notASandbox }
    // The first move may go back from wall time: that is where a story begins.
    if draft.clockIsSet, to < draft.now { throw PlatformRefusal.clockGoesBack(to: to, now: draft.now) }
    draft.made.clock = to
    return to
  }
}

/// Why an act on the platform itself is refused.
package enum PlatformRefusal: Refusal, Hashable {
  case notASandbox
  case clockGoesBack(to: Instant, now: Instant)
  case dateAhead(CalendarDate, today: CalendarDate)

  package var kind: RefusalKind {
    switch self {
    case .notASandbox, .clockGoesBack: .conflict
    case .dateAhead: .invalid
    }
  }

  package var code: String {
    switch self {
    case .notASandbox: "platform.not_a_sandbox"
    case .clockGoesBack: "platform.clock_goes_back"
    case .dateAhead: "platform.date_ahead"
    }
  }

  package var detail: String {
    switch self {
    case .notASandbox: "The business clock can be moved in a sandbox deployment only."
    case .clockGoesBack(let to, let now): "The business clock is at \(now); it does not go back to \(to)."
    case .dateAhead(let date, let today): "The business date \(date) is after today, \(today)."
    }
  }

  package var pointer: String? {
    switch self {
    case .notASandbox: nil
    case .clockGoesBack: "/now"
    case .dateAhead: "/business_date"
    }
  }
}
