import Parties
import Persistence
import Primitives

/// A decision on what waits for a second person, refused once it does not wait any more: some commands also take back what
/// was decided, and an approval never does. Asked in the decision, so that a repeated request still gets its first answer.
package struct WhilePending<Base: Command>: Command {
  package static var action: String { Base.action }
  package var staffDuty: Duty? { base.staffDuty }
  package var foresees: Bool { base.foresees }
  private let base: Base
  private let state: Approval.State

  /// - Parameter state: as it was read; what happened since shows in the version that the command is bound to.
  package init(_ base: Base, state: Approval.State) {
    self.base = base
    self.state = state
  }

  package func needs(_ state: BatchState) -> Set<Need> { base.needs(state) }
  package func heads(_ state: BatchState) -> Set<OrganizationID> { base.heads(state) }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Base.Outcome {
    guard state == .pending else { throw ApprovalRefusal.decided(state) }
    return try base.decide(&draft, by: principal)
  }
}

/// An act of a kind that waits for a second person elsewhere, and here must not wait: it only stops something.
package struct AtOnce<Base: Command>: Command {
  package static var action: String { Base.action }
  package static var combines: Bool { Base.combines }
  package var staffDuty: Duty? { base.staffDuty }
  package var foresees: Bool { base.foresees }
  private let base: Base

  package init(_ base: Base) { self.base = base }

  package func needs(_ state: BatchState) -> Set<Need> { base.needs(state) }
  package func heads(_ state: BatchState) -> Set<OrganizationID> { base.heads(state) }
  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Base.Outcome {
    try base.decide(&draft, by: principal)
  }
}

/// Why an approval is refused, beyond what its own command refuses.
package enum ApprovalRefusal: Refusal, Hashable {
  case decided(Approval.State)

  package var kind: RefusalKind { .conflict }
  package var code: String { "approvals.already_decided" }
  package var detail: String {
    switch self {
    case .decided(let state): "It is \(state.rawValue) already."
    }
  }
  package var pointer: String? { nil }
}
