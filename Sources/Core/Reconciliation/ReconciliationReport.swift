import Primitives

/// Why something on a statement and something in the books do not simply agree. Ordered as a person works through them.
package enum BreakReason: Sendable, Hashable {
  /// The line was read before, under the same key.
  case readBefore
  /// The line is not booked yet; nothing is allocated from it.
  case notBooked
  /// It takes back an earlier movement, or moves against the direction of what it names.
  case reversed
  /// Reference, amount and currency of an item that is settled by another line already.
  case bookedTwice
  /// More than one item has all that the line has.
  case ambiguous
  /// Money of a payer whom the books do not know for this receipt, for suspense and a person.
  case thirdPartyPayer
  /// Booked so many days after the last that was expected. Line and item do agree: both are settled.
  case late(days: Int64)
  /// Minor units that the line has more than the item; negative for less.
  case amountDiffers(by: Int64)
  case currencyDiffers(expected: Currency)
  /// The line carries references, and none is known.
  case unknownReference
  /// The line carries no reference at all: the bank's own fee or interest, as a rule.
  case missingInBooks
  /// The statements reach past the last expected day, and the item is on none of them.
  case missingOnStatement
  /// The item may still come in time.
  case notYetDue

  /// The stable name of the reason.
  package var code: String {
    switch self {
    case .readBefore: "read_before"
    case .notBooked: "not_booked"
    case .reversed: "reversed"
    case .bookedTwice: "booked_twice"
    case .ambiguous: "ambiguous"
    case .thirdPartyPayer: "third_party_payer"
    case .late: "late"
    case .amountDiffers: "amount_differs"
    case .currencyDiffers: "currency_differs"
    case .unknownReference: "unknown_reference"
    case .missingInBooks: "missing_in_books"
    case .missingOnStatement: "missing_on_statement"
    case .notYetDue: "not_yet_due"
    }
  }

  /// Nothing is wrong yet: time may settle it.
  package var isWaiting: Bool { self == .notBooked || self == .notYetDue }
}

/// A line and an item that agree in reference, amount and currency.
package struct ReconciledPair: Sendable, Hashable {
  package let line: BankLine
  package let item: ExpectedItem
}

/// Something that is left for a person, or for time.
package struct ReconciliationBreak: Sendable, Hashable {
  package let reason: BreakReason
  /// The line that ends here; at least one of line and item is there.
  package let line: BankLine?
  /// The item that ends here.
  package let item: ExpectedItem?
  /// Items that might be meant, by id; they end elsewhere, and no more than `Reconciliation.mostCandidates` are named.
  package let candidates: [UUIDValue]
}

/// What reconciliation found. Each line and each item that went in is in exactly one pair or break.
package struct ReconciliationReport: Sendable, Hashable {
  /// In the order of the lines.
  package let pairs: [ReconciledPair]
  /// Those with a line in the order of the lines, then those with an item only, by id.
  package let breaks: [ReconciliationBreak]
}
