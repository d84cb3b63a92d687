import Parties
import Persistence
import Primitives

/// Lets somebody whom an outside issuer knows act for an organisation, with the rights that a key made by the same caller
/// could carry, and no more.
package struct CreateIdentityBinding: Command {
  package static let action = "identity_binding.create"
  package static let asksSecondPerson = true
  package var staffDuty: Duty? { .compliance }
  package let organizationID: OrganizationID
  package let issuer: String
  package let subject: String
  package let personID: PersonID?
  package let roles: Set<Role>
  /// Those of the maker, when nil and the binding is one of staff.
  package let duties: Set<Duty>?
  package let scopes: Set<KeyScope>
  package let expiresAt: Instant?

  package init(
    organizationID: OrganizationID, issuer: String, subject: String, personID: PersonID?, roles: Set<Role>,
    duties: Set<Duty>? = nil, scopes: Set<KeyScope> = [], expiresAt: Instant? = nil
  ) {
    self.organizationID = organizationID
    self.issuer = issuer
    self.subject = subject
    self.personID = personID
    self.roles = roles
    self.duties = duties
    self.scopes = scopes
    self.expiresAt = expiresAt
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    [.organization(organizationID), .bindingOf(issuer: issuer, subject: subject)]
  }

  /// That a subject is bound once is a rule over all organisations, so all of these wait for one head: two processes that
  /// bind the same subject at once come one after the other.
  package func heads(_ state: BatchState) -> Set<OrganizationID> { [.platform] }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> IdentityBinding {
    guard let organization = draft.find(\.organizations, organizationID),
      principal.isStaff || principal.organizationID == organizationID
    else { throw PartiesRefusal.notFound("organization") }
    let duties = duties ?? (roles.contains(.admin) ? principal.duties : [])
    try KeyDesk.require(principal, mayGive: roles, duties, scopes, of: organization)
    if let other = draft.base.bindingsOf[issuer]?[subject], let binding = draft.find(\.identityBindings, other),
      binding.revokedAt == nil
    {
      throw PartiesRefusal.bindingExists
    }
    let binding = draft.put(
      \.identityBindings,
      IdentityBinding(
        id: draft.ids.next(), organizationID: organizationID, issuer: issuer, subject: subject, personID: personID,
        roles: roles, duties: duties, scopes: scopes, expiresAt: expiresAt, createdBy: principal.credential,
        createdAt: draft.wallTime))
    draft.made.subject = binding.id.value
    return binding
  }
}

/// Ends a binding; effective within a second in every process. The subject may be bound anew.
package struct RevokeIdentityBinding: Command {
  package static let action = "identity_binding.revoke"
  /// Whoever acts through a binding may end it; the decision looks for the duty where it is another's.
  package var staffDuty: Duty? { nil }
  package let bindingID: IdentityBindingID

  package init(bindingID: IdentityBindingID) { self.bindingID = bindingID }

  package func needs(_ state: BatchState) -> Set<Need> { [.identityBinding(bindingID)] }
  /// As for making one: the subject becomes free.
  package func heads(_ state: BatchState) -> Set<OrganizationID> { [.platform] }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> IdentityBinding {
    guard var binding = draft.find(\.identityBindings, bindingID),
      principal.isStaff || principal.organizationID == binding.organizationID
    else { throw PartiesRefusal.notFound("identity binding") }
    try principal.require(.lender, .startup, .admin)
    if principal.isStaff, principal.credential != .binding(bindingID) { try principal.require(duty: .compliance) }
    try binding.revoke(at: draft.wallTime)
    draft.made.subject = bindingID.value
    return draft.put(\.identityBindings, binding)
  }
}
