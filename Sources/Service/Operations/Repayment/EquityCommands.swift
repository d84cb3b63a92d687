import Ledger
import Lending
import Parties
import Persistence
import Primitives
import Repayment

/// A lender takes shares of a verified round for a part of what its startup owes it, by the right that the loan was agreed
/// with. Nothing of it is cash: the round's net new cash is what it was, and what is due falls with the debt.
package struct ConvertLoan: Command {
  package static let action = "loan.convert"
  package let loanID: LoanID
  package let roundID: FundingRoundID
  /// Principal to convert, minor units of the loan's currency.
  package let amount: Int64
  package let ifVersion: Int64?

  package init(loanID: LoanID, roundID: FundingRoundID, amount: Int64, ifVersion: Int64?) {
    self.loanID = loanID
    self.roundID = roundID
    self.amount = amount
    self.ifVersion = ifVersion
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    var needs: Set<Need> = [.loan(loanID), .round(roundID), .conversionsOfLoan(loanID)]
    if let loan = state.loans[loanID] {
      needs.formUnion(LoanDesk.needsToClose(loan))
      needs.insert(.listingOptions(loan.terms.listingID))
    }
    return needs
  }

  package func heads(_ state: BatchState) -> Set<OrganizationID> {
    state.loans[loanID].map { LoanDesk.books(of: $0) } ?? []
  }

  /// The shares, and the loan as it is after them.
  package struct Converted: Sendable {
    package let conversion: LoanConversion
    package let loan: Loan
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> Converted {
    guard let before = draft.find(\.loans, loanID), LoanDesk.books(of: before).contains(principal.organizationID) else {
      throw PartiesRefusal.notFound("loan")
    }
    guard before.terms.lenderID == principal.organizationID else { throw PartiesRefusal.notYours("loan") }
    try principal.require(.lender)
    let person = try principal.requirePerson()
    try checkVersion(ifVersion, before.version)
    guard let round = draft.find(\.rounds, roundID), round.borrowerID == before.terms.borrowerID else {
      throw PartiesRefusal.notFound("funding round")
    }
    guard let options = draft.base.listingOptions[before.terms.listingID] else { throw EquityRefusal.noOption }
    let pricing = try pricing(of: round, for: before, options, in: draft)
    try before.require(.pay)
    let accrued = try LoanDesk.accrue(before, through: draft.today, in: &draft).loan
    try checkShare(accrued, options, in: draft)
    let computed = try LoanConversion.compute(amount, options: options, pricing: pricing)
    guard computed.shares > 0 else { throw EquityRefusal.lessThanShare }
    let conversion = LoanConversion(
      id: draft.ids.next(), borrowerID: round.borrowerID, lenderID: before.terms.lenderID, loanID: loanID,
      roundID: roundID, options: options, pricing: pricing, currency: before.currency, amount: amount,
      shares: computed.shares, converted: computed.converted, basis: computed.basis, convertedBy: person,
      convertedOn: draft.today, recordedAt: draft.now)
    draft.made.loanConversions.append(conversion)
    var loan = accrued
    try loan.pay(Debt(charges: 0, fee: 0, principal: conversion.converted))
    loan = draft.put(\.loans, loan)
    loan = try LoanDesk.releaseWriteOff(loan, on: draft.today, in: &draft)
    let (lender, borrower) = (LoanDesk.lender(loan), LoanDesk.borrower(loan))
    try LoanDesk.post(
      .debtConverted, of: loan, on: draft.today,
      [
        lender.organization: [
          lender.money(.investmentEquity, conversion.converted),
          lender.money(.receivablePrincipal, -conversion.converted),
        ],
        borrower.organization: [
          borrower.money(.payablePrincipal, conversion.converted),
          borrower.money(.equityIssued, -conversion.converted),
        ],
      ], in: &draft)
    draft.made.subject = conversion.id.value
    draft.happen(
      "loan.converted", loan.id, version: loan.version, to: (loan.terms.borrowerID, loan.terms.lenderID),
      [
        ("funding_round_id", .text(roundID.description)), ("converted", .number(conversion.converted)),
        ("shares", .number(conversion.shares)),
      ])
    return Converted(conversion: conversion, loan: try LoanDesk.complete(loan, on: draft.today, in: &draft))
  }

  /// - Throws: `EquityRefusal` unless the round is a verified priced one of the loan's currency, after its trade, and its
  ///   time is not over.
  private func pricing(
    of round: FundingRound, for loan: Loan, _ options: ListingOptions, in draft: Draft
  ) throws -> RoundPricing {
    guard round.state == .verified, let verifiedOn = round.decidedOn else {
      throw EquityRefusal.notVerified(round.state.rawValue)
    }
    guard round.kind == .priced, let pricing = round.pricing else { throw EquityRefusal.noPrice }
    for currency in [loan.currency, options.cap?.currency ?? loan.currency] where currency != round.currency {
      throw EquityRefusal.otherCurrency(currency, round: round.currency)
    }
    guard loan.terms.tradeOn <= verifiedOn else {
      throw EquityRefusal.tradedAfter(loan.terms.tradeOn, verifiedOn: verifiedOn)
    }
    guard let last = verifiedOn.adding(days: draft.reference.parameters.conversionDays) else {
      throw ArithmeticOverflow()
    }
    guard draft.today <= last else { throw EquityRefusal.tooLate(last) }
    return pricing
  }

  /// The share is of what is owed with what was converted in this round before, rounded down; and only principal is
  /// converted: fee and charges are paid in cash.
  private func checkShare(_ loan: Loan, _ options: ListingOptions, in draft: Draft) throws {
    var before: Int64 = 0
    for row in draft.base.conversionsOf[loanID] ?? [] where row.roundID == roundID {
      before = try before.adding(row.converted)
    }
    let whole = Money(try loan.outstanding.total().adding(before), loan.currency)
    let most = try whole.scaled(by: options.share, rounding: .down).amount
    let left = max(0, min(most - before, loan.outstanding.principal))
    guard amount > 0, amount <= left else { throw EquityRefusal.moreThanShare(amount, left: left) }
  }
}
