import Primitives

/// The chart of accounts. Debits are positive, credits negative; the book (one for each organisation) says whose it is.
/// `AccountCode+Chart.swift` is its table: kind, subject and meaning of each code.
///
/// The subject of an account: `custody.*` a lot; `holdings.*`, `receivable.*`, `payable.*`, `clearing.*`, `income.fee`,
/// `income.charges`, `expense.fee`, `expense.charges`, `tax.*`, `allowance.loan`, `expense.write_off`, `expense.forgiveness`,
/// `income.forgiveness`, `investment.equity`, `equity.issued`, `deposit.*` a loan; `client_money` the organisation it is owed
/// to;
/// `receivable.clawback` the lender that owes it;
/// `cash_at_platform` none, `feePart` or `principalPart`; the others none.
package enum AccountCode: String, Sendable, Hashable, CaseIterable {
  // Chips of a lot, in the lender's book. One account for each state; contra accounts are negative.
  case custodyOrdered = "custody.ordered"
  case custodyReceived = "custody.received"
  case custodyOnOrder = "custody.on_order"
  case custodyPromised = "custody.promised"
  case custodyAvailable = "custody.available"
  case custodyReserved = "custody.reserved"
  case custodyInTransit = "custody.in_transit"
  case custodyOnLoan = "custody.on_loan"
  case custodyReturning = "custody.returning"
  case custodyInInspection = "custody.in_inspection"
  case custodyInRepair = "custody.in_repair"
  case custodyFrozen = "custody.frozen"
  case custodyRepossessed = "custody.repossessed"
  case custodyLost = "custody.lost"
  case custodySold = "custody.sold"

  // Chips of a loan, in the borrower's book: a memorandum that mirrors the lender's custody.
  case holdingsSource = "holdings.source"
  case holdingsOnLoan = "holdings.on_loan"
  case holdingsOwned = "holdings.owned"

  // Money of a loan. Lender: receivable; borrower: payable. `clearing.chips` carries the value of the chips that crossed:
  // negative with the lender, positive with the borrower, and zero on both sides together.
  case receivablePrincipal = "receivable.principal"
  case receivableFee = "receivable.fee"
  case receivableCharges = "receivable.charges"
  case receivableTax = "receivable.tax"
  case payablePrincipal = "payable.principal"
  case payableFee = "payable.fee"
  case payableCharges = "payable.charges"
  case payableTax = "payable.tax"
  case clearingChips = "clearing.chips"
  case chipsSettled = "chips.settled"
  /// What one lender sold of its claims and another bought, less the value of the chips that they stand for: under the
  /// seller's loan with the seller, the other way round under the buyer's with the buyer, and zero over both books.
  case clearingAssignment = "clearing.assignment"
  // Shares that a lender took for debt, at what they discharged.
  case investmentEquity = "investment.equity"
  case equityIssued = "equity.issued"
  /// What of a debt an acquirer took over beyond the chips: zero over the books of both.
  case clearingAssumption = "clearing.assumption"
  case incomeFee = "income.fee"
  case incomeCharges = "income.charges"
  case expenseFee = "expense.fee"
  case expenseCharges = "expense.charges"
  // Sales tax on a fee, towards the authorities: what the lender owes them, and what the borrower may set against its own.
  case taxOutput = "tax.output"
  case taxInput = "tax.input"
  // Tax that the borrower kept back of a fee: the lender's credit with the borrower's authority, and what the borrower owes
  // it. Where the lender has its whole fee besides, the tax is income of the one and cost of the other.
  case taxCredit = "tax.credit"
  case taxWithheld = "tax.withheld"
  case incomeGrossUp = "income.gross_up"
  case expenseGrossUp = "expense.gross_up"
  // A lender's write-off is its own accounting: an allowance against a claim that stands. Forgiveness ends the claim.
  case allowanceLoan = "allowance.loan"
  case expenseWriteOff = "expense.write_off"
  case expenseForgiveness = "expense.forgiveness"
  case incomeForgiveness = "income.forgiveness"

  // Shares that a lender paid its startup for outside of the platform: the other side of `investment.equity` and
  // `equity.issued`.
  case clearingEquity = "clearing.equity"

  // Cash. `cash_at_platform` in a tenant's book equals what the platform's `client_money` says it owes that tenant.
  case cashAtPlatform = "cash_at_platform"
  case fundingReceived = "funding.received"
  case paidOut = "paid_out"
  // What a client gave of one currency and got of another: in each currency by itself it need not be zero.
  case fxPosition = "fx.position"
  case expensePlatformFee = "expense.platform_fee"
  // Cash that was taken back after it had been paid out: the lender owes it to the platform, by currency.
  case payableClawback = "payable.clawback"

  // The platform's own book.
  case bankClient = "bank.client"
  case bankOwn = "bank.own"
  case clientMoney = "client_money"
  case suspense = "suspense"
  case incomePlatformFee = "income.platform_fee"
  // The mirror of `payable.clawback`, by lender.
  case receivableClawback = "receivable.clawback"
  // What banks took back that the client accounts no longer held, so that `bank.client` stays what is there.
  case payableBank = "payable.bank"
  case equityContributed = "equity.contributed"

  // Cash that a startup pledged for a loan: its own, held by the platform; and the platform's debt to it.
  case depositPledged = "deposit.pledged"
  case depositHeld = "deposit.held"

  /// The platform's accounts of what it holds for others: client money is covered for all of them together.
  package static let owedToClients: [AccountCode] = [.clientMoney, .suspense, .depositHeld]

  /// Accounts that can never be negative: chips somewhere, and client money at the bank.
  package var neverNegative: Bool {
    switch self {
    case .custodyOnOrder, .custodyPromised, .custodyAvailable, .custodyReserved, .custodyInTransit, .custodyOnLoan,
      .custodyReturning, .custodyInInspection, .custodyInRepair, .custodyFrozen, .custodyRepossessed, .custodyLost,
      .custodySold, .holdingsOnLoan, .holdingsOwned, .receivablePrincipal, .receivableFee, .receivableCharges,
      .receivableTax, .taxInput, .taxCredit, .cashAtPlatform, .receivableClawback, .depositPledged,
      .bankClient, .bankOwn:
      true
    default: false
    }
  }

  /// Accounts that can never be positive: debts, and what is owed to clients.
  package var neverPositive: Bool {
    switch self {
    case .custodyOrdered, .custodyReceived, .holdingsSource, .payablePrincipal, .payableFee, .payableCharges,
      .payableTax, .taxOutput, .taxWithheld, .clientMoney, .suspense, .allowanceLoan, .payableClawback, .payableBank,
      .depositHeld:
      true
    default: false
    }
  }
}

/// One account: a book, a code, what it is about, and the asset it counts.
package struct AccountRef: Sendable, Hashable, Comparable {
  package let book: OrganizationID
  package let code: AccountCode
  /// The lot, loan or organisation; the zero UUID where the code has none (a primary key has no room for null).
  package let subject: UUIDValue
  package let asset: Asset

  package static let noSubject = UUIDValue(high: 0, low: 0)
  /// The part of a lender's `cash_at_platform` that came in as fee and is not paid out yet: the platform's own fee is a
  /// share of it.
  package static let feePart = UUIDValue(high: 0, low: 1)
  /// The part that came in as principal and charges. What a startup has on account is under no subject, so an organisation
  /// that is both keeps its deposits and its proceeds apart.
  package static let principalPart = UUIDValue(high: 0, low: 2)

  package init(_ book: OrganizationID, _ code: AccountCode, _ subject: UUIDValue = AccountRef.noSubject, asset: Asset) {
    self.book = book
    self.code = code
    self.subject = subject
    self.asset = asset
  }

  package static func < (left: AccountRef, right: AccountRef) -> Bool {
    if left.book != right.book { return left.book < right.book }
    if left.code != right.code { return left.code.rawValue < right.code.rawValue }
    if left.subject != right.subject { return left.subject < right.subject }
    return left.asset < right.asset
  }
}
