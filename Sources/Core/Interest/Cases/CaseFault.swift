import Primitives
import StrictJSON

/// What is wrong with one case of a file; the others are not touched by it.
package struct CaseFault: Error, Sendable, Hashable, CustomStringConvertible {
  /// The member at fault within the case, its steps joined by slashes: `rate_history/1`. Empty for the case itself.
  package let field: String
  /// One sentence for a person.
  package let detail: String

  package init(field: String, detail: String) {
    self.field = field
    self.detail = detail
  }

  /// A refusal of the computation, at the member that it points to.
  init(_ refusal: InterestRefusal, at field: String? = nil) {
    self.init(field: field ?? refusal.pointer.map { String($0.dropFirst()) } ?? "", detail: refusal.detail)
  }

  package var description: String { field.isEmpty ? detail : "\(field): \(detail)" }
}

/// Why a file of cases cannot be read at all.
package struct CaseFileFault: Error, Sendable, Hashable, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}
