import Primitives

/// What a journal entry records.
package enum EntryKind: String, Sendable, Hashable, CaseIterable {
  case lotOrdered = "lot_ordered"
  case lotReceived = "lot_received"
  case chipsReserved = "chips_reserved"
  case reservationReleased = "reservation_released"
  case chipsDispatched = "chips_dispatched"
  case deliveryAccepted = "delivery_accepted"
  case feeAccrued = "fee_accrued"
  /// Sales tax on a fee, with the fee or for days whose fee was restated.
  case taxAccrued = "tax_accrued"
  case taxRestated = "tax_restated"
  /// Tax that a borrower kept back of a fee, as its authority certified.
  case taxWithheld = "tax_withheld"
  case chargeMade = "charge_made"
  /// For days on which something was overdue.
  case penaltyCharged = "penalty_charged"
  /// For days of which it turned out that it was not, or not so much.
  case penaltyTakenBack = "penalty_taken_back"
  case cashReceived = "cash_received"
  /// Money in suspense turned out to be of a startup.
  case suspenseAssigned = "suspense_assigned"
  /// Cash on account was pledged for a loan, or is free again: given back, or taken for what is due.
  case depositPledged = "deposit_pledged"
  case depositReleased = "deposit_released"
  case debtPaid = "debt_paid"
  /// A bank turned money on account into another currency.
  case cashConverted = "cash_converted"
  case titleTransferred = "title_transferred"
  case returnStarted = "return_started"
  case returnArrived = "return_arrived"
  case returnInspected = "return_inspected"
  case returnCredited = "return_credited"
  /// The fee of past days as it was posted, taken back because both sides agreed on another rate for them.
  case feeReversed = "fee_reversed"
  /// The fee of the same days at the rate agreed on.
  case feeRestated = "fee_restated"
  case debtForgiven = "debt_forgiven"
  case debtWrittenOff = "debt_written_off"
  case writeOffReleased = "write_off_released"
  case chipsLost = "chips_lost"
  case chipsFrozen = "chips_frozen"
  case chipsReleased = "chips_released"
  case chipsRepossessed = "chips_repossessed"
  case chipsDisposed = "chips_disposed"
  case chipsSubstituted = "chips_substituted"
  /// Chips that no loan has go to repair, come back from it, or are beyond it.
  case chipsServiced = "chips_serviced"
  /// A lender sold a loan, or units of one, to another: the claim and the chips leave one book and come to the other.
  case loanAssigned = "loan_assigned"
  /// A lender took shares for debt.
  case debtConverted = "debt_converted"
  /// A lender paid for shares of its warrants, outside of the platform.
  case warrantsExercised = "warrants_exercised"
  /// An acquirer took a loan over.
  case loanAssumed = "loan_assumed"
  case platformFeeCharged = "platform_fee_charged"
  case payoutMade = "payout_made"
  /// Cash of a receipt left the client account again: a bank or a court took it back.
  case cashTakenBack = "cash_taken_back"
  /// Debt that such cash had paid is owed again.
  case debtReinstated = "debt_reinstated"
  /// The platform's own money went into the client account, or what lenders repaid of it came out again.
  case clientMoneyAdvanced = "client_money_advanced"
  case clientMoneyToppedUp = "client_money_topped_up"
  /// A lender paid in what it owed for cash that was taken back after it had been paid out.
  case clawBackRepaid = "claw_back_repaid"
}

/// One line of an entry: an account of the entry's book and a signed amount, debit positive.
package struct JournalLine: Sendable, Hashable {
  package let account: AccountRef
  package let amount: Int64

  package init(_ account: AccountRef, _ amount: Int64) {
    self.account = account
    self.amount = amount
  }
}

/// Why lines do not make an entry. A defect of the posting code, never of a user's input.
package enum UnbalancedEntry: Error, Sendable, Hashable {
  case noLines
  case foreignBook(AccountRef)
  case zeroLine(AccountRef)
  case doesNotSumToZero(Asset, Int64)
  case overflow
}

/// A posting that balances within one book: lines that sum to zero for each asset. Both sides of a movement are two
/// of these with one `id`, written in one transaction.
package struct EntryDraft: Sendable, Hashable {
  /// Shared by the entries of all books that record the same movement; unique within a book.
  package let id: JournalEntryID
  package let book: OrganizationID
  package let kind: EntryKind
  /// The date the movement belongs to; may lie before the day it was recorded.
  package let businessDate: CalendarDate
  /// The lot, loan, receipt or payout the entry is about.
  package let subject: UUIDValue
  package let lines: [JournalLine]

  /// - Throws: `UnbalancedEntry` unless every line is of this book and not zero, and each asset sums to zero.
  package init(
    id: JournalEntryID, book: OrganizationID, kind: EntryKind, businessDate: CalendarDate, subject: UUIDValue,
    lines: [JournalLine]
  ) throws(UnbalancedEntry) {
    guard !lines.isEmpty else { throw .noLines }
    var sums: [Asset: Int64] = [:]
    for line in lines {
      guard line.account.book == book else { throw .foreignBook(line.account) }
      guard line.amount != 0 else { throw .zeroLine(line.account) }
      let (sum, overflow) = sums[line.account.asset, default: 0].addingReportingOverflow(line.amount)
      guard !overflow else { throw .overflow }
      sums[line.account.asset] = sum
    }
    for (asset, sum) in sums where sum != 0 { throw .doesNotSumToZero(asset, sum) }
    self.id = id
    self.book = book
    self.kind = kind
    self.businessDate = businessDate
    self.subject = subject
    self.lines = lines
  }
}

/// An entry as the journal holds it: numbered without gaps within its book.
package struct JournalEntry: Sendable, Hashable {
  package let draft: EntryDraft
  /// 1, 2, 3... within the book.
  package let sequence: Int64
  package let recordedAt: Instant

  package init(draft: EntryDraft, sequence: Int64, recordedAt: Instant) {
    self.draft = draft
    self.sequence = sequence
    self.recordedAt = recordedAt
  }

  /// The digest that the chain covers: every field of the entry and of each line, in order.
  package var digest: SHA256Digest {
    var bytes = CanonicalBytes()
    bytes.append(draft.book.value)
    bytes.append(sequence)
    bytes.append(draft.id.value)
    bytes.append(draft.kind.rawValue)
    bytes.append(Int64(draft.businessDate.dayNumber))
    bytes.append(draft.subject)
    bytes.append(recordedAt.microseconds)
    bytes.append(Int64(draft.lines.count))
    for line in draft.lines {
      bytes.append(line.account.code.rawValue)
      bytes.append(line.account.subject)
      bytes.append(line.account.asset.description)
      bytes.append(line.amount)
    }
    return bytes.digest
  }
}

/// One link of a book's hash chain: it covers the entries that one batch added, and the link before it.
package struct ChainLink: Sendable, Hashable {
  package let book: OrganizationID
  /// 1, 2, 3... within the book.
  package let number: Int64
  package let firstSequence: Int64
  package let lastSequence: Int64
  package let previous: SHA256Digest
  package let hash: SHA256Digest

  /// The link over these entries, which follow each other in one book.
  package init(book: OrganizationID, number: Int64, previous: SHA256Digest, entries: [JournalEntry]) {
    let first = entries.first?.sequence ?? 0
    let last = entries.last?.sequence ?? 0
    self.init(
      book: book, number: number, firstSequence: first, lastSequence: last, previous: previous,
      hash: Self.hash(
        book: book, number: number, first: first, last: last, previous: previous, digests: entries.map(\.digest)))
  }

  /// A link as stored.
  package init(
    book: OrganizationID, number: Int64, firstSequence: Int64, lastSequence: Int64, previous: SHA256Digest,
    hash: SHA256Digest
  ) {
    self.book = book
    self.number = number
    self.firstSequence = firstSequence
    self.lastSequence = lastSequence
    self.previous = previous
    self.hash = hash
  }

  /// `SHA-256(book, number, first, last, previous, digest of each entry in sequence)`.
  package static func hash(
    book: OrganizationID, number: Int64, first: Int64, last: Int64, previous: SHA256Digest, digests: [SHA256Digest]
  ) -> SHA256Digest {
    var bytes = CanonicalBytes()
    bytes.append(book.value)
    bytes.append(number)
    bytes.append(first)
    bytes.append(last)
    bytes.append(previous)
    for digest in digests { bytes.append(digest) }
    return bytes.digest
  }
}
