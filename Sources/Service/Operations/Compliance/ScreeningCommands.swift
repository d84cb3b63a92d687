import Catalogue
import Parties
import Persistence
import Primitives
import Screening

/// A person decides on a name of a party that was found on a list. That it is the same party counts at once; that it is
/// somebody else's counts when a second person says so too, since that lets through what was held.
package struct DecideScreening: Command {
  package static let action = "screening.decide"
  package var staffDuty: Duty? { .compliance }
  package let organizationID: OrganizationID
  package let listID: String
  package let entryID: String
  /// The party's name, or an owner's, to the letter.
  package let name: String
  package let isSame: Bool
  package let reason: String
  package let ifVersion: Int64?

  /// Far more than any party has hits.
  private static let mostDecisions = 1_000

  package init(
    organizationID: OrganizationID, listID: String, entryID: String, name: String, isSame: Bool, reason: String,
    ifVersion: Int64?
  ) {
    self.organizationID = organizationID
    self.listID = listID
    self.entryID = entryID
    self.name = name
    self.isSame = isSame
    self.reason = reason
    self.ifVersion = ifVersion
  }

  package func needs(_ state: BatchState) -> Set<Need> { [.organization(organizationID)] }
  package func heads(_ state: BatchState) -> Set<OrganizationID> { [organizationID] }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> ScreenedParty {
    try principal.require(.admin)
    let person = try principal.requirePerson()
    guard var organization = draft.find(\.organizations, organizationID) else {
      throw PartiesRefusal.notFound("organization")
    }
    try checkVersion(ifVersion, organization.version)
    let screening = organization.screening(by: draft.reference.screening, on: draft.today)
    let found = screening.hits.first {
      $0.match.list.id == listID && $0.match.entry.id == entryID && $0.name.text == name
    }
    guard let hit = found else { throw ScreeningRefusal.noHit }
    if let before = hit.decision, before.state == .inForce, before.isSame == isSame {
      throw ScreeningRefusal.decidedAlready
    }
    guard organization.screeningDecisions.count < Self.mostDecisions else {
      throw ScreeningRefusal.tooManyDecisions(Self.mostDecisions)
    }
    let decision = ScreeningDecision(
      id: draft.ids.next(), listID: listID, entryID: entryID, entryDigest: hit.match.entry.digest, name: name,
      isSame: isSame, reason: reason, by: person, on: draft.today, state: isSame ? .inForce : .proposed)
    if !isSame {
      // What is proposed does not yet take the place of what is in force: it stands before it until it is approved.
      let place = organization.screeningDecisions.firstIndex { $0.replaces(decision) && $0.state == .inForce }
      organization.screeningDecisions.insert(decision, at: place ?? organization.screeningDecisions.count)
    } else {
      organization.screeningDecisions.append(decision)
    }
    organization = draft.put(\.organizations, organization)
    draft.made.subject = organizationID.value
    draft.happen(
      "screening.\(isSame ? "confirmed" : "clearance_proposed")", organizationID, version: organization.version,
      to: (.platform, nil), [("rule", .text(hit.ruleID)), ("decision_id", .text(decision.id.description))])
    return ScreenedParty(organization, draft.reference.screening, on: draft.today)
  }
}

/// A second person approves or rejects that a listed name is somebody else's.
package struct ReviewScreening: Command {
  package static let action = "screening.review"
  package var staffDuty: Duty? { .compliance }
  package let organizationID: OrganizationID
  package let decisionID: ScreeningDecisionID
  package let isApproved: Bool
  package let ifVersion: Int64?

  package init(
    organizationID: OrganizationID, decisionID: ScreeningDecisionID, isApproved: Bool, ifVersion: Int64?
  ) {
    self.organizationID = organizationID
    self.decisionID = decisionID
    self.isApproved = isApproved
    self.ifVersion = ifVersion
  }

  package func needs(_ state: BatchState) -> Set<Need> { [.organization(organizationID)] }
  package func heads(_ state: BatchState) -> Set<OrganizationID> { [organizationID] }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> ScreenedParty {
    try principal.require(.admin)
    let person = try principal.requirePerson()
    guard var organization = draft.find(\.organizations, organizationID),
      let index = organization.screeningDecisions.firstIndex(where: { $0.id == decisionID })
    else { throw PartiesRefusal.notFound("screening decision") }
    try checkVersion(ifVersion, organization.version)
    var decision = organization.screeningDecisions.remove(at: index)
    guard decision.state == .proposed else {
      throw ScreeningRefusal.illegalState(decision.state, act: isApproved ? "approved" : "rejected")
    }
    guard !isApproved || decision.by != person else { throw PartiesRefusal.samePerson("proposed the clearance") }
    decision.state = isApproved ? .inForce : .rejected
    decision.decidedBy = person
    // Now the newest: it is what counts of all that were made on the hit.
    organization.screeningDecisions.append(decision)
    organization = draft.put(\.organizations, organization)
    draft.made.subject = organizationID.value
    draft.happen(
      "screening.clearance_\(isApproved ? "approved" : "rejected")", organizationID, version: organization.version,
      to: (.platform, nil), [("decision_id", .text(decision.id.description))])
    return ScreenedParty(organization, draft.reference.screening, on: draft.today)
  }
}

/// A party and what lists say of it on a day.
package struct ScreenedParty: Sendable {
  package let organization: Organization
  package let screening: PartyScreening
  /// The day up to which the lists were followed; nil where none is in force.
  package let listsAsOf: CalendarDate?

  package init(_ organization: Organization, _ lists: ScreeningLists, on date: CalendarDate) {
    self.organization = organization
    screening = organization.screening(by: lists, on: date)
    listsAsOf = lists.asOf
  }
}

extension ScreeningDecision {
  fileprivate func replaces(_ other: ScreeningDecision) -> Bool {
    listID == other.listID && entryID == other.entryID && name == other.name && entryDigest == other.entryDigest
  }
}
