import Primitives

/// Why a file of bank statements is refused. It is refused as a whole: of a file at fault nothing is taken.
package struct StatementFault: Refusal, Hashable, CustomStringConvertible {
  /// The kinds of fault, by precedence; the raw value is the last part of the stable code.
  package enum Reason: String, Sendable, Hashable, CaseIterable {
    case tooLarge = "too_large"
    case truncated
    case malformed
    case forbiddenMarkup = "forbidden_markup"
    /// Another message, or a version of it that is not read.
    case wrongMessage = "wrong_message"
    case missing
    /// An element stands more often than it may, or in two forms at once.
    case repeated
    case badDate = "bad_date"
    case badAmount = "bad_amount"
    case negativeAmount = "negative_amount"
    case tooManyDecimals = "too_many_decimals"
    case amountTooLarge = "amount_too_large"
    case badValue = "bad_value"
    case currencyDiffers = "currency_differs"
    case duplicateReference = "duplicate_reference"
    case duplicateStatement = "duplicate_statement"
    case totalsDiffer = "totals_differ"
    case detailsDiffer = "details_differ"
    case balancesDiffer = "balances_differ"
  }

  package let reason: Reason
  /// The line at fault, from 1.
  package let line: Int
  /// The element or column at fault, for example `Document/BkToCstmrStmt/Stmt/Ntry/Amt`.
  package let element: String
  /// One sentence's worth of what is wrong, without the place.
  package let what: String

  package init(_ reason: Reason, line: Int, element: String, _ what: String) {
    self.reason = reason
    self.line = line
    self.element = element
    self.what = what
  }

  package var kind: RefusalKind { .invalid }
  package var code: String { "bank_statement.\(reason.rawValue)" }
  package var detail: String { "Line \(line)\(element.isEmpty ? "" : ", \(element)"): \(what)." }
  package var description: String { "\(code): \(detail)" }
}
