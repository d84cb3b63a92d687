import Primitives

/// Why an act on parties, or any act for want of a right, is refused. Ordered by precedence.
package enum PartiesRefusal: Refusal, Hashable {
  /// No such object, or it belongs to another tenant: the same answer, so that outsiders cannot tell.
  case notFound(String)
  /// The caller's key lacks the role that this act needs.
  case roleRequired(Set<Role>)
  /// An organisation of the caller's group may not act on this object.
  case notYours(String)
  /// The maker of an act cannot be its checker.
  case samePerson(String)
  /// The act needs a named person, and the key carries none.
  case personRequired
  case illegalVerification(from: VerificationState, act: String)
  case ownersExceedWhole(Int64)
  case notVerified(String)
  case alreadyRevoked
  /// The version given in If-Match is not the present one.
  case staleVersion(given: Int64, present: Int64)
  /// Roles a key may not carry for this organisation.
  case rolesNotHeld([String])

  package var kind: RefusalKind {
    switch self {
    case .notFound: .notFound
    case .roleRequired, .notYours, .samePerson, .personRequired: .forbidden
    case .illegalVerification, .notVerified, .alreadyRevoked: .conflict
    case .ownersExceedWhole, .rolesNotHeld: .invalid
    case .staleVersion: .stale
    }
  }

  package var code: String {
    switch self {
    case .notFound: "parties.not_found"
    case .roleRequired: "parties.role_required"
    case .notYours: "parties.not_yours"
    case .samePerson: "parties.same_person"
    case .personRequired: "parties.person_required"
    case .illegalVerification: "parties.illegal_verification"
    case .ownersExceedWhole: "parties.owners_exceed_whole"
    case .notVerified: "parties.not_verified"
    case .alreadyRevoked: "parties.key_already_revoked"
    case .staleVersion: "parties.stale_version"
    case .rolesNotHeld: "parties.roles_not_held"
    }
  }

  package var detail: String {
    switch self {
    case .notFound(let what): "There is no such \(what)."
    case .roleRequired(let roles):
      "This act needs a key with the role \(roles.map(\.rawValue).sorted().joined(separator: " or "))."
    case .notYours(let what): "Your organisation is not the party that may act on this \(what)."
    case .samePerson(let act): "The person who \(act) cannot be the one who checks it."
    case .personRequired: "This act needs a key that names a person (person_id)."
    case .illegalVerification(let from, let act): "The organisation is \(from.rawValue); it cannot be \(act)."
    case .ownersExceedWhole(let sum): "The owners' shares sum to \(sum) bps; at most 10000 are possible."
    case .notVerified(let who): "The \(who) is not verified, or its verification has expired."
    case .alreadyRevoked: "The key is already revoked."
    case .staleVersion(let given, let present): "If-Match names version \(given); the present version is \(present)."
    case .rolesNotHeld(let roles):
      "The organisation does not hold the role \(roles.joined(separator: ", ")), so a key cannot carry it."
    }
  }

  package var pointer: String? {
    switch self {
    case .ownersExceedWhole: "/owners"
    case .rolesNotHeld: "/roles"
    default: nil
    }
  }
}
