/// Why a command is refused, as far as the outside needs to tell kinds apart. The interface maps each to one status.
package enum RefusalKind: String, Sendable, Hashable, CaseIterable {
  /// Well-formed, but can never be valid: a rule between fields, a value the catalogue does not know.
  case invalid
  /// There is no such object, or it belongs to another tenant: outsiders cannot tell which.
  case notFound = "not_found"
  /// The caller's own object, but the caller has not the right to this act.
  case forbidden
  /// Valid, but the present state does not allow it.
  case conflict
  /// The version the caller saw is not the present one.
  case stale
}

/// An expected "no": a fact about the request and the state, never an accident. Each module has its own enum of these,
/// ordered by precedence; the code is stable and names the module (`lending.offer_lapsed`).
package protocol Refusal: Error, Sendable {
  var kind: RefusalKind { get }
  /// Stable and machine-readable: `module.fact`.
  var code: String { get }
  /// One sentence for a person; names states, limits and measured values, never secrets of other tenants.
  var detail: String { get }
  /// The member of the request at fault as a JSON pointer (`/quantity`), where there is one.
  var pointer: String? { get }
}

extension Refusal {
  package var pointer: String? { nil }
}
