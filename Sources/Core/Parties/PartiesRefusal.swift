import Primitives

/// Why an act on parties, or any act for want of a right, is refused. Ordered by precedence.
package enum PartiesRefusal: Refusal, Hashable {
  /// No such object, or it belongs to another tenant: the same answer, so that outsiders cannot tell.
  case notFound(String)
  /// The caller's key lacks the role that this act needs.
  case roleRequired(Set<Role>)
  /// The key of staff lacks the duty that this act needs.
  case dutyRequired(Duty)
  /// The key is confined to scopes, and none of them gives this use.
  case scopeRequired(KeyScope)
  /// An organisation of the caller's group may not act on this object.
  case notYours(String)
  /// The maker of an act cannot be its checker.
  case samePerson(String)
  /// Whoever is shown the secret of another person's key could be two persons.
  case keyOfAnotherPerson
  /// The act needs a named person, and the key carries none.
  case personRequired
  case illegalVerification(from: VerificationState, act: String)
  case ownersExceedWhole(Int64)
  case notVerified(String)
  case alreadyRevoked
  case keyExpired
  /// Another key was made in its place already.
  case keyReplaced
  /// A binding that is in force names this subject of this issuer; whose it is is not said.
  case bindingExists
  case bindingAlreadyRevoked
  /// The version given in If-Match is not the present one.
  case staleVersion(given: Int64, present: Int64)
  /// Roles a key may not carry for this organisation.
  case rolesNotHeld([String])
  /// Duties that the maker's own key does not carry, or that a key without the role `admin` cannot.
  case dutiesNotHeld([String])
  /// The maker's own key is confined, and the new one would not be within that.
  case scopesNotHeld

  package var kind: RefusalKind {
    switch self {
    case .notFound: .notFound
    case .roleRequired, .dutyRequired, .scopeRequired, .notYours, .samePerson, .personRequired,
      .keyOfAnotherPerson:
      .forbidden
    case .illegalVerification, .notVerified, .alreadyRevoked, .keyExpired, .keyReplaced, .bindingExists,
      .bindingAlreadyRevoked:
      .conflict
    case .ownersExceedWhole, .rolesNotHeld, .dutiesNotHeld, .scopesNotHeld: .invalid
    case .staleVersion: .stale
    }
  }

  package var code: String {
    switch self {
    case .notFound: "parties.not_found"
    case .roleRequired: "parties.role_required"
    case .dutyRequired: "parties.duty_required"
    case .scopeRequired: "auth.scope_required"
    case .notYours: "parties.not_yours"
    case .samePerson: "parties.same_person"
    case .personRequired: "parties.person_required"
    case .keyOfAnotherPerson: "parties.key_of_another_person"
    case .illegalVerification: "parties.illegal_verification"
    case .ownersExceedWhole: "parties.owners_exceed_whole"
    case .notVerified: "parties.not_verified"
    case .alreadyRevoked: "parties.key_already_revoked"
    case .keyExpired: "parties.key_expired"
    case .keyReplaced: "parties.key_already_replaced"
    case .bindingExists: "parties.binding_exists"
    case .bindingAlreadyRevoked: "parties.binding_already_revoked"
    case .staleVersion: "parties.stale_version"
    case .rolesNotHeld: "parties.roles_not_held"
    case .dutiesNotHeld: "parties.duties_not_held"
    case .scopesNotHeld: "parties.scopes_not_held"
    }
  }

  package var detail: String {
    switch self {
    case .notFound(let what): "There is no such \(what)."
    case .roleRequired(let roles):
      "This act needs a key with the role \(roles.map(\.rawValue).sorted().joined(separator: " or "))."
    case .dutyRequired(let duty): "This act needs a key of staff with the duty \(duty.rawValue)."
    case .scopeRequired(let scope):
      "The key is confined to scopes; this needs \(scope)\(scope.family == nil ? "" : " or \(scope.access.rawValue)")."
    case .notYours(let what): "Your organisation is not the party that may act on this \(what)."
    case .samePerson(let act): "The person who \(act) cannot be the one who checks it."
    case .keyOfAnotherPerson:
      "Staff make and rotate keys of their own person: whoever sees another's secret could be two. Make a new one, which waits "
        + "for a second person, or bind the other's own identity."
    case .personRequired: "This act needs a key that names a person (person_id)."
    case .illegalVerification(let from, let act): "The organisation is \(from.rawValue); it cannot be \(act)."
    case .ownersExceedWhole(let sum): "The owners' shares sum to \(sum) bps; at most 10000 are possible."
    case .notVerified(let who): "The \(who) is not verified, or its verification has expired."
    case .alreadyRevoked: "The key is already revoked."
    case .keyExpired: "The key has expired."
    case .keyReplaced: "Another key was made in this one's place already."
    case .bindingExists: "This subject of this issuer is bound already; one binding of it is in force at a time."
    case .bindingAlreadyRevoked: "The binding is already revoked."
    case .staleVersion(let given, let present): "If-Match names version \(given); the present version is \(present)."
    case .rolesNotHeld(let roles):
      "The organisation does not hold the role \(roles.joined(separator: ", ")), so a key cannot carry it."
    case .dutiesNotHeld(let duties):
      "The duty \(duties.joined(separator: ", ")) is not held by the key that asks, or the new key has not the role admin."
    case .scopesNotHeld: "The key that asks is confined to scopes, and can only make keys within them."
    }
  }

  package var pointer: String? {
    switch self {
    case .ownersExceedWhole: "/owners"
    case .rolesNotHeld: "/roles"
    case .dutiesNotHeld: "/duties"
    case .scopesNotHeld: "/scopes"
    default: nil
    }
  }
}
