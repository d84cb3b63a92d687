/// Why bytes are refused as XML. Where a reason is given as a text, it completes "the document".
package struct XMLFault: Error, Sendable, Hashable, CustomStringConvertible {
  /// The kinds of refusal, for those who tell them apart.
  package enum Kind: Sendable, Hashable {
    /// The bytes end before the document does.
    case truncated
    /// Not well-formed XML 1.0, or not well-formed with namespaces.
    case malformed
    /// Well-formed, perhaps, and refused all the same: a document type declaration, an entity of its own, another
    /// encoding than UTF-8.
    case forbidden
    /// More than the limits take.
    case tooLarge
  }

  package let kind: Kind
  /// Line at fault, from 1.
  package let line: Int
  /// The open elements, outermost first, for example `Document/BkToCstmrStmt`; empty outside of them.
  package let path: String
  package let reason: String

  package init(_ kind: Kind, line: Int, path: String, _ reason: String) {
    self.kind = kind
    self.line = line
    self.path = path
    self.reason = reason
  }

  package var description: String { "line \(line)\(path.isEmpty ? "" : ", in \(path)"): \(reason)" }
}

/// What is read at most, so that a hostile document costs no more than its own size.
package struct XMLLimits: Sendable, Hashable {
  package var maxBytes = 64 << 20
  package var maxDepth = 32
  package var maxElements = 4_000_000
  /// Of one element, references resolved.
  package var maxTextBytes = 64 << 10
  /// Of one element, namespace declarations included.
  package var maxAttributes = 32

  package init() {}
}
