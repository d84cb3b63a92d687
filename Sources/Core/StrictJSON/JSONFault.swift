/// One thing wrong with a JSON text or with a member of it.
package struct JSONFault: Error, Sendable, Hashable {
  /// Where, as an RFC 6901 pointer (`""` is the whole text). A token longer than 128 bytes is cut and ends in `…`.
  package let pointer: String
  /// One of ``JSONFaultCode``, or a code of the caller's own.
  package let code: String
  /// For people. Never repeats a value of the text: bodies carry secrets, and details reach logs.
  package let detail: String

  /// A fault found by the caller's own checks.
  package init(pointer: String, code: String, detail: String) {
    self.pointer = pointer
    self.code = code
    self.detail = detail
  }
}

/// The stable codes that this module gives out. Clients match on them: never renamed, only added to.
package enum JSONFaultCode {
  /// Not JSON by RFC 8259, or an unpaired surrogate escape.
  package static let syntax = "json.syntax"
  /// One object names a member twice; readers disagree on which one counts.
  package static let duplicateMember = "json.duplicate_member"
  /// Nested past ``JSONLimits/maxDepth``.
  package static let tooDeep = "json.too_deep"
  /// Not UTF-8: overlong or truncated sequences, encoded surrogates, UTF-16, UTF-32.
  package static let notUTF8 = "json.not_utf8"
  /// Longer than ``JSONLimits/maxBytes``.
  package static let tooLarge = "json.too_large"
  /// More values than ``JSONLimits/maxMembers``.
  package static let tooManyValues = "json.too_many_values"

  /// A required member is absent.
  package static let missing = "field.missing"
  /// A member that nobody reads.
  package static let unknown = "field.unknown"
  /// Another kind of value than asked for, `null` for a required member, or a number that is no integer.
  package static let type = "field.type"
  /// A number outside its bounds.
  package static let range = "field.range"
  /// A text (in UTF-8 bytes) or array (in elements) that is too short or too long.
  package static let length = "field.length"
  /// A text that does not parse, or that has control characters.
  package static let format = "field.format"
  /// None of the known words.
  package static let enumeration = "field.enum"
  /// A set that holds one value twice.
  package static let duplicate = "field.duplicate"
}

/// Everything found wrong with one text; never empty when thrown by this module.
@usableFromInline
package struct JSONFaults: Error, Sendable, Hashable {
  /// In document order; an object's missing members come before faults inside it.
  package let faults: [JSONFault]
  /// True when the text was refused as a whole (every `json.` code: HTTP 400, or 413 for `json.too_large`), false when
  /// it was read and its content is wrong (422).
  package let isSyntax: Bool
  /// How many more faults were found and left out; see ``FaultLog/capacity``.
  package let omitted: Int

  /// Faults from elsewhere, say of a query string.
  package init(faults: [JSONFault], isSyntax: Bool, omitted: Int = 0) {
    self.faults = faults
    self.isSyntax = isSyntax
    self.omitted = omitted
  }
}
