/// What an account is, for a balance sheet and an income statement.
package enum AccountKind: String, Sendable, Hashable, CaseIterable {
  case asset, liability, equity, income, expense
}

/// What the subject of an account names.
package enum AccountSubject: String, Sendable, Hashable, CaseIterable {
  case none, lot, loan, receipt, organization
  /// What came in as fee, as principal, or neither (``AccountRef/feePart``).
  case part
}

/// The chart of accounts as a table: kind, subject and meaning of each code. The one place where they are told;
/// `chipbridge export --format accounts` prints it.
extension AccountCode {
  /// Contra accounts are equity: they tell where chips or cash came from, or where they went.
  package var kind: AccountKind {
    switch self {
    case .custodyOrdered, .custodyReceived, .holdingsSource, .clearingChips, .chipsSettled, .clearingAssignment,
      .clearingAssumption, .clearingEquity, .fundingReceived, .paidOut, .fxPosition, .equityContributed, .equityIssued:
      .equity
    case .custodyOnOrder, .custodyPromised, .custodyAvailable, .custodyReserved, .custodyInTransit, .custodyOnLoan,
      .custodyReturning, .custodyInInspection, .custodyInRepair, .custodyFrozen, .custodyRepossessed, .custodyLost,
      .custodySold, .holdingsOnLoan, .holdingsOwned, .receivablePrincipal, .receivableFee, .receivableCharges,
      .receivableTax, .taxInput, .taxCredit, .cashAtPlatform, .bankClient, .bankOwn, .allowanceLoan,
      .receivableClawback, .investmentEquity, .depositPledged:
      .asset
    case .payablePrincipal, .payableFee, .payableCharges, .payableTax, .taxOutput, .taxWithheld, .clientMoney,
      .suspense, .payableClawback, .payableBank, .depositHeld:
      .liability
    case .incomeFee, .incomeCharges, .incomeGrossUp, .incomePlatformFee, .incomeForgiveness: .income
    case .expenseFee, .expenseCharges, .expenseGrossUp, .expensePlatformFee, .expenseWriteOff, .expenseForgiveness:
      .expense
    }
  }

  package var subject: AccountSubject {
    switch self {
    case .custodyOrdered, .custodyReceived, .custodyOnOrder, .custodyPromised, .custodyAvailable, .custodyReserved,
      .custodyInTransit, .custodyOnLoan, .custodyReturning, .custodyInInspection, .custodyInRepair, .custodyFrozen,
      .custodyRepossessed, .custodyLost, .custodySold:
      .lot
    case .holdingsSource, .holdingsOnLoan, .holdingsOwned, .receivablePrincipal, .receivableFee, .receivableCharges,
      .payablePrincipal, .payableFee, .payableCharges, .clearingChips, .chipsSettled, .clearingAssignment,
      .clearingAssumption, .clearingEquity, .investmentEquity, .equityIssued, .incomeFee,
      .incomeCharges,
      .receivableTax, .payableTax, .taxOutput, .taxInput, .taxCredit, .taxWithheld, .incomeGrossUp, .expenseGrossUp,
      .expenseFee, .expenseCharges, .allowanceLoan, .expenseWriteOff, .expenseForgiveness, .incomeForgiveness,
      .depositPledged, .depositHeld:
      .loan
    case .cashAtPlatform: .part
    case .clientMoney, .receivableClawback: .organization
    case .suspense: .receipt
    case .fundingReceived, .paidOut, .fxPosition, .expensePlatformFee, .bankClient, .bankOwn, .incomePlatformFee,
      .payableClawback, .payableBank, .equityContributed:
      .none
    }
  }

  /// One sentence without its full stop: what a balance of the account says. No colon and no comma, since both end or
  /// begin something in the files that carry it.
  package var meaning: String {
    switch self {
    case .custodyOrdered: "units of the lot that were ordered and are not received; contra and negative"
    case .custodyReceived: "units of the lot that came to the lender; contra and negative"
    case .custodyOnOrder: "units on order that are free"
    case .custodyPromised: "units on order that an accepted offer has promised"
    case .custodyAvailable: "units on hand that are free"
    case .custodyReserved: "units on hand that an offer or a loan reserves"
    case .custodyInTransit: "units on their way to a borrower"
    case .custodyOnLoan: "units that a borrower has"
    case .custodyReturning: "units on their way back"
    case .custodyInInspection: "units that came back and are looked at"
    case .custodyInRepair: "units in repair"
    case .custodyFrozen: "units that a hold keeps where they are"
    case .custodyRepossessed: "units taken back after default"
    case .custodyLost: "units lost to a casualty"
    case .custodySold: "units whose title passed to somebody else"
    case .holdingsSource: "units that came to the borrower; contra and negative"
    case .holdingsOnLoan: "units that the borrower has on loan"
    case .holdingsOwned: "units whose title the borrower has"
    case .receivablePrincipal: "principal that the borrower owes the lender"
    case .receivableFee: "accrued fee that the borrower owes the lender"
    case .receivableCharges: "charges that the borrower owes the lender"
    case .payablePrincipal: "principal that the borrower owes; the mirror of the lender's receivable"
    case .payableFee: "accrued fee that the borrower owes"
    case .payableCharges: "charges that the borrower owes"
    case .receivableTax: "sales tax on the fee that the borrower owes the lender"
    case .payableTax: "sales tax on the fee that the borrower owes; the mirror of the lender's receivable"
    case .taxOutput: "sales tax on fees that the lender owes the authority; negative"
    case .taxInput: "sales tax on fees that the borrower may set against its own"
    case .taxCredit: "tax kept back of the lender's fee; its credit with the borrower's authority"
    case .taxWithheld: "tax that the borrower kept back of fees and owes its authority; negative"
    case .incomeGrossUp: "tax that came on top of the lender's fee"
    case .expenseGrossUp: "tax on top of the fee that the borrower has borne"
    case .clearingChips: "value of chips that crossed between lender and borrower; zero over both books"
    case .chipsSettled: "value of chips whose title passed; closes the clearing of a loan that was paid off"
    case .clearingAssignment: "claims less the value of their chips that a lender sold or bought; zero over both books"
    case .investmentEquity: "shares that the lender took for debt or for cash"
    case .equityIssued: "shares that the startup issued for debt or for cash; contra and negative"
    case .clearingEquity: "cash for shares that was paid outside of the platform; zero over both books"
    case .clearingAssumption: "fee and charges that an acquirer took over; zero over both borrowers"
    case .incomeFee: "fee that the lender has earned"
    case .incomeCharges: "charges that the lender has earned"
    case .expenseFee: "fee that the loan has cost the borrower"
    case .expenseCharges: "charges that the loan has cost the borrower"
    case .allowanceLoan: "what the lender has written off of a claim that stands; contra and negative"
    case .expenseWriteOff: "claims that the lender has written off"
    case .expenseForgiveness: "claims that the lender has forgiven"
    case .incomeForgiveness: "debt that the borrower was forgiven"
    case .cashAtPlatform: "cash that the platform holds for the organisation"
    case .fundingReceived: "cash that the organisation paid in; contra and negative"
    case .paidOut: "cash that left for the organisation's own bank account"
    case .fxPosition: "cash that a bank turned into another currency; any sign and per currency"
    case .expensePlatformFee: "the platform's fee that the lender has borne"
    case .bankClient: "client money at the bank"
    case .bankOwn: "the platform's own money at the bank"
    case .clientMoney: "what the platform owes the organisation; negative"
    case .suspense: "money of payers who are not known; negative"
    case .incomePlatformFee: "fee that the platform has earned"
    case .payableClawback: "cash that was paid out to the lender and taken back since; owed to the platform"
    case .receivableClawback: "what a lender owes the platform for cash that was taken back after it was paid out"
    case .payableBank: "what banks took back beyond what the client accounts held; negative"
    case .depositPledged: "cash that the startup pledged for the loan"
    case .depositHeld: "what the platform owes the startup that pledged it for the loan; negative"
    case .equityContributed: "own means that the platform put into the client accounts; negative"
    }
  }

  /// Which sign a balance may have: `+`, `-`, or either.
  package var sign: String { neverNegative ? "+" : neverPositive ? "-" : "any" }
}
