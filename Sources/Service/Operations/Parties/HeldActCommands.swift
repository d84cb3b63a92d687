import Parties
import Persistence
import Primitives

/// A person of the staff asks for an act that a second person has to agree to. It is decided as if it were done, so that what
/// is refused now is refused to whoever asks for it; what it would make is dropped, and the request is kept.
package struct HoldAct<Base: Command>: Command {
  package static var action: String { "held_act.propose" }
  package var staffDuty: Duty? { base.staffDuty }
  private let base: Base
  private let path: String
  private let body: String
  private let ifVersion: Int64?

  /// - Parameters:
  ///   - path: of the request that asks for it.
  ///   - body: of that request, parsed strictly: JSON in UTF-8.
  ///   - ifVersion: what the request's If-Match names.
  package init(_ base: Base, path: String, body: [UInt8], ifVersion: Int64?) {
    self.base = base
    self.path = path
    self.body = body.isEmpty ? "{}" : String(decoding: body, as: UTF8.self)
    self.ifVersion = ifVersion
  }

  package func needs(_ state: BatchState) -> Set<Need> { base.needs(state) }
  package func heads(_ state: BatchState) -> Set<OrganizationID> { base.heads(state) }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> HeldAct {
    let person = try principal.requirePerson()
    guard let duty = base.staffDuty else { throw HeldWithoutDuty(action: Base.action) }
    var trial = draft
    _ = try base.decide(&trial, by: principal)
    let act = draft.put(
      \.heldActs,
      HeldAct(
        id: draft.ids.next(), action: Base.action, duty: duty, path: path, body: body, ifVersion: ifVersion,
        proposedBy: person, createdAt: draft.now, updatedAt: draft.now))
    draft.made.subject = act.id.value
    DecideHeldAct.happen(act, in: &draft)
    return act
  }
}

/// A command asks for a second person, and names no duty that this person needs. A defect.
struct HeldWithoutDuty: Error {
  let action: String
}

/// Another person agrees to a held act, in one transaction with the act itself; or anybody of its duty rejects it, its maker
/// too, who takes it back so.
package struct DecideHeldAct: Command {
  package enum Decision: Sendable, Hashable {
    case approve
    case reject(reason: String)
  }

  package static let action = "held_act.decide"
  package var staffDuty: Duty? { duty }
  private let id: HeldActID
  private let duty: Duty
  private let decision: Decision
  private let ifVersion: Int64?

  /// - Parameter duty: of the act.
  package init(id: HeldActID, duty: Duty, decision: Decision, ifVersion: Int64?) {
    self.id = id
    self.duty = duty
    self.decision = decision
    self.ifVersion = ifVersion
  }

  package func needs(_ state: BatchState) -> Set<Need> { [.heldAct(id)] }
  /// Two who decide at once come one after the other.
  package func heads(_ state: BatchState) -> Set<OrganizationID> { [.platform] }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> HeldAct {
    try principal.require(.admin)
    let person = try principal.requirePerson()
    guard var act = draft.find(\.heldActs, id), act.duty == duty else { throw PartiesRefusal.notFound("approval") }
    try checkVersion(ifVersion, act.version)
    switch act.state {
    case .proposed: break
    case .approved: throw ApprovalRefusal.decided(.approved)
    case .rejected: throw ApprovalRefusal.decided(.rejected)
    }
    switch decision {
    case .approve:
      if act.proposedBy == person { throw PartiesRefusal.samePerson("asked for it") }
      act.state = .approved
    case .reject(let reason):
      act.state = .rejected
      act.reason = reason
    }
    act.decidedBy = person
    act.decidedAt = draft.now
    act = draft.put(\.heldActs, act)
    draft.made.subject = id.value
    Self.happen(act, in: &draft)
    return act
  }

  static func happen(_ act: HeldAct, in draft: inout Draft) {
    draft.happen(
      "held_act.\(act.state.rawValue)", act.id, version: act.version, to: (.platform, nil),
      [("act", .text(act.action)), ("path", .text(act.path))])
  }
}
