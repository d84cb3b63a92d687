import Primitives

/// Why a payment file is not written. Nothing of it is.
package struct PaymentFault: Refusal, Hashable, CustomStringConvertible {
  /// The kinds of fault; the raw value is the last part of the stable code.
  package enum Reason: String, Sendable, Hashable, CaseIterable {
    case empty
    case tooLong = "too_long"
    /// A character that the payment systems do not carry and that no table turns into ones they do.
    case character
    /// A reference starts or ends with a slash, or has two in a row, which SWIFT reads as its own marks.
    case slashes
    case notPositive = "not_positive"
    case amountTooLarge = "amount_too_large"
    /// Two payments of one end-to-end id: the bank, or the reconciliation, could not tell them apart.
    case duplicateReference = "duplicate_reference"
    case noPayments = "no_payments"
    case tooMany = "too_many"
  }

  package let reason: Reason
  /// The field at fault: `message_id`, `payments[2].creditor_name`.
  package let field: String
  package let what: String

  package init(_ reason: Reason, field: String, _ what: String) {
    self.reason = reason
    self.field = field
    self.what = what
  }

  package var kind: RefusalKind { .invalid }
  package var code: String { "payment_file.\(reason.rawValue)" }
  package var detail: String { "\(field) \(what)." }
  package var description: String { "\(code): \(detail)" }
}
