import Primitives

/// What a caller was let in by, and what the record names as the doer besides the person: an API key, or the binding of
/// somebody whom an outside issuer knows.
package enum Credential: Sendable, Hashable, CustomStringConvertible {
  case key(APIKeyID)
  case binding(IdentityBindingID)

  package var keyID: APIKeyID? { if case .key(let id) = self { id } else { nil } }
  package var bindingID: IdentityBindingID? { if case .binding(let id) = self { id } else { nil } }

  package var description: String {
    switch self {
    case .key(let id): "\(id)"
    case .binding(let id): "\(id)"
    }
  }
}
