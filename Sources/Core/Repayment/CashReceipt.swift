import Primitives

/// Where cash came from; each source has its waterfall.
package enum CashSource: String, Sendable, Hashable, CaseIterable {
  case round, instalment, collateral, insurance, guarantee
}

/// What a receipt is for: debt, by the waterfall of its source, or what a lender owes the platform.
package enum ReceiptSource: String, Sendable, Hashable, CaseIterable {
  case round, instalment, collateral, insurance, guarantee
  /// Cash that a startup pledges for a loan: held, and divided only when it is taken for what is due, as collateral is.
  case deposit
  /// Its payer is a lender, who gives back what it had been paid of money that was taken back since.
  case clawBack = "claw_back"

  /// nil where no waterfall divides it.
  package var waterfall: CashSource? { CashSource(rawValue: rawValue) }
}

/// Cleared money that arrived.
package struct CashReceipt: Sendable, Hashable {
  /// That money in suspense turned out to be of a startup.
  package struct Assignment: Sendable, Hashable {
    package let payerID: OrganizationID
    package let by: PersonID
    /// The business date that it was booked on.
    package let on: CalendarDate

    package init(payerID: OrganizationID, by: PersonID, on: CalendarDate) {
      self.payerID = payerID
      self.by = by
      self.on = on
    }
  }

  /// Why a part was left over.
  package enum RemainderReason: String, Sendable, Hashable, CaseIterable {
    /// What was due in its currency is paid.
    case nothingDue = "nothing_due"
    /// Debt is due, but in another currency: it stays on account until it is converted.
    case otherCurrency = "other_currency"
  }

  /// Why money is in suspense, or was until it was assigned.
  package enum SuspenseReason: String, Sendable, Hashable, CaseIterable {
    /// Nobody was named.
    case unknownPayer = "unknown_payer"
    /// A startup was named, and the money came from an account or in a name that is not known to be its own.
    case thirdPartyPayer = "third_party_payer"
  }

  package struct Suspense: Sendable, Hashable {
    package let reason: SuspenseReason
    /// Whose debt it was said to pay.
    package let namedPayer: OrganizationID?

    package init(reason: SuspenseReason, namedPayer: OrganizationID?) {
      self.reason = reason
      self.namedPayer = namedPayer
    }
  }

  /// What of it is held for a loan, because it was pledged.
  package struct Deposit: Sendable, Hashable {
    package let loanID: LoanID
    /// Minor units; zero once it was given back, taken for what was due, or taken back.
    package var held: Int64

    package init(loanID: LoanID, held: Int64) {
      self.loanID = loanID
      self.held = held
    }
  }

  /// Who paid, as the bank shows it.
  package struct Payer: Sendable, Hashable {
    package let name: String?
    /// IBAN, or a bank's own number.
    package let account: String?

    package init(name: String?, account: String?) {
      self.name = name
      self.account = account
    }
  }

  package let id: CashReceiptID
  /// The payer, or the platform while the payer is unknown: then the money is in suspense.
  package let organizationID: OrganizationID
  package let receivedOn: CalendarDate
  package let amount: Money
  package let source: ReceiptSource
  package let reference: String?
  /// What no claim took, and nobody has taken back.
  package var remainder: Int64
  package var assignment: Assignment?
  /// nil where nothing was left, where the payer is not known, and on receipts from before it was kept.
  package var remainderReason: RemainderReason?
  /// What of it was turned into another currency, minor units.
  package var converted: Int64
  /// Taken back so far, minor units: at most the amount.
  package var clawedBack: Int64
  /// What of it paid the platform's claim on the lender who sent it; none of any other source.
  package var claim: ClawbackRepayment
  /// nil where the payer was known from the start.
  package let suspense: Suspense?
  package let payer: Payer?
  /// The margin call that it was brought for.
  package let marginCallID: MarginCallID?
  /// nil for money that was not pledged.
  package var deposit: Deposit?
  package var version: Int64
  package let createdAt: Instant

  package init(
    id: CashReceiptID, organizationID: OrganizationID, receivedOn: CalendarDate, amount: Money, source: ReceiptSource,
    reference: String?, remainder: Int64, assignment: Assignment? = nil, clawedBack: Int64 = 0,
    suspense: Suspense? = nil, payer: Payer? = nil, remainderReason: RemainderReason? = nil, converted: Int64 = 0,
    marginCallID: MarginCallID? = nil, deposit: Deposit? = nil, claim: ClawbackRepayment = .none, version: Int64 = 1,
    createdAt: Instant
  ) {
    self.assignment = assignment
    self.clawedBack = clawedBack
    self.suspense = suspense
    self.payer = payer
    self.remainderReason = remainderReason
    self.converted = converted
    self.marginCallID = marginCallID
    self.deposit = deposit
    self.claim = claim
    self.id = id
    self.organizationID = organizationID
    self.receivedOn = receivedOn
    self.amount = amount
    self.source = source
    self.reference = reference
    self.remainder = remainder
    self.version = version
    self.createdAt = createdAt
  }

  /// The startup whose money it is: its payer, or the one that it was assigned to. nil while it is in suspense.
  package func startup(platform: OrganizationID) -> OrganizationID? {
    organizationID == platform ? assignment?.payerID : organizationID
  }
}

/// What a lender was paid on one day in one currency.
package struct Payout: Sendable, Hashable {
  /// What the lender owed for money that was taken back, and that went off what it was paid; minor units.
  package struct Netting: Sendable, Hashable {
    package let netted: Int64
    /// Of it, what went back to the platform's own account: the client account was covered without it.
    package let repaid: Int64

    package static let none = Netting(netted: 0, repaid: 0)

    package init(netted: Int64, repaid: Int64) {
      self.netted = netted
      self.repaid = repaid
    }
  }

  package let id: PayoutID
  package let lenderID: OrganizationID
  package let businessDate: CalendarDate
  package let gross: Money
  package let platformFee: Int64
  package let netting: Netting
  package let runID: SettlementRunID
  package let recordedAt: Instant

  package init(
    id: PayoutID, lenderID: OrganizationID, businessDate: CalendarDate, gross: Money, platformFee: Int64,
    netting: Netting = .none, runID: SettlementRunID, recordedAt: Instant
  ) {
    self.netting = netting
    self.id = id
    self.lenderID = lenderID
    self.businessDate = businessDate
    self.gross = gross
    self.platformFee = platformFee
    self.runID = runID
    self.recordedAt = recordedAt
  }

  package var net: Int64 { gross.amount - platformFee - netting.netted }
}
