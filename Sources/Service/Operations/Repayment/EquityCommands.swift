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
  package var staffDuty: Duty? { nil }
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
    /// Of its record.
    package let digest: SHA256Digest
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
    guard let options = draft.base.listingOptions[before.terms.listingID]?.lifted(for: before) else {
      throw EquityRefusal.noOption
    }
    let pricing = try pricing(of: round, for: before, options, in: draft)
    try before.require(.pay)
    let accrued = try LoanDesk.accrue(before, through: draft.today, in: &draft).loan
    let debt = try EquityDesk.convertible(
      owed: try accrued.outstanding.total(), principal: accrued.outstanding.principal, options,
      before: draft.base.conversionsOf[loanID] ?? [], in: roundID)
    guard amount > 0, amount <= debt.most else { throw EquityRefusal.moreThanShare(amount, left: debt.most) }
    let computed = try LoanConversion.compute(amount, options: options, pricing: pricing)
    guard computed.shares > 0 else { throw EquityRefusal.lessThanShare }
    let conversion = LoanConversion(
      id: draft.ids.next(), borrowerID: round.borrowerID, lenderID: before.terms.lenderID, loanID: loanID,
      roundID: roundID, options: options, pricing: pricing, currency: before.currency, amount: amount,
      shares: computed.shares, converted: computed.converted, basis: computed.basis, convertedBy: person,
      convertedOn: draft.today, recordedAt: draft.now)
    draft.made.loanConversions.append(conversion)
    let record = ExplanationRow(ConversionExplanation(conversion, of: debt), of: conversion)
    draft.made.explanations.append(record)
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
    return Converted(
      conversion: conversion, digest: record.digest, loan: try LoanDesk.complete(loan, on: draft.today, in: &draft))
  }

  /// - Throws: `EquityRefusal` unless the round is a verified priced one of the loan's currency, after its trade, and its
  ///   time is not over.
  private func pricing(
    of round: FundingRound, for loan: Loan, _ options: ListingOptions, in draft: Draft
  ) throws -> RoundPricing {
    guard round.state == .verified, let verifiedOn = round.decidedOn else {
      throw EquityRefusal.notVerified(round.state.rawValue)
    }
    let pricing = try EquityDesk.pricing(of: round, for: loan, options)
    guard loan.terms.tradeOn <= verifiedOn else {
      throw EquityRefusal.tradedAfter(loan.terms.tradeOn, verifiedOn: verifiedOn)
    }
    guard let last = verifiedOn.adding(days: draft.reference.parameters.conversionDays) else {
      throw ArithmeticOverflow()
    }
    guard draft.today <= last else { throw EquityRefusal.tooLate(last) }
    return pricing
  }
}

extension ListingOptions {
  /// With what later loans lifted of a loan's right.
  func lifted(for loan: Loan) -> ListingOptions {
    ListingOptions(
      listingID: listingID, lenderID: lenderID, cap: loan.life.lifted.cap.map { Money($0, loan.currency) } ?? cap,
      discount: loan.life.lifted.discount ?? discount, share: share)
  }
}

/// What converting and only showing what might be converted share.
package enum EquityDesk {
  /// - Throws: `EquityRefusal` unless the round has a price that the loan can be converted at.
  static func pricing(
    of round: FundingRound, for loan: Loan, _ options: ListingOptions
  ) throws(EquityRefusal) -> RoundPricing {
    guard round.kind == .priced, let pricing = round.pricing else { throw .noPrice }
    for currency in [loan.currency, options.cap?.currency ?? loan.currency] where currency != round.currency {
      throw .otherCurrency(currency, round: round.currency)
    }
    return pricing
  }

  /// The share is of what is owed with what was converted in this round before; and only principal is converted: fee and
  /// charges are paid in cash.
  /// - Parameter conversions: of the loan, in whatever rounds.
  static func convertible(
    owed: Int64, principal: Int64, _ options: ListingOptions, before conversions: [LoanConversion],
    in round: FundingRoundID?
  ) throws -> ConvertibleDebt {
    var before: Int64 = 0
    for row in conversions where row.roundID == round { before = try before.adding(row.converted) }
    return try ConvertibleDebt(owed: owed, principal: principal, before: before, share: options.share)
  }

  /// What a lender might convert of a loan as it stands, before anybody decides it.
  package struct Outlook: Sendable {
    package let loan: Loan
    package let options: ListingOptions
    package let debt: ConvertibleDebt
    /// Why not in this round; nil where nothing stands in the way, or no round is meant.
    package let bar: EquityRefusal?
    /// nil while the round has no price.
    package let pricing: RoundPricing?
    /// Of all that might be converted.
    package let conversion: Conversion?
  }
}
