import Ledger
import Lending
import Parties
import Persistence
import Primitives
import Repayment

/// The borrower states that it kept tax back of the fee and remitted it, with the authority's certificate.
package struct RecordTaxCertificate: LoanCommand {
  package static let action = "tax_certificate.record"
  package var staffDuty: Duty? { nil }
  package let loanID: LoanID
  package let fee: Money
  package let withheld: Money
  package let paidOn: CalendarDate
  package let authority: String
  package let reference: String
  package let ifVersion: Int64?

  package init(
    loanID: LoanID, fee: Money, withheld: Money, paidOn: CalendarDate, authority: String, reference: String,
    ifVersion: Int64?
  ) {
    self.loanID = loanID
    self.fee = fee
    self.withheld = withheld
    self.paidOn = paidOn
    self.authority = authority
    self.reference = reference
    self.ifVersion = ifVersion
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    loanNeeds(state).union(state.loans[loanID].map { [.taxCertificates($0.terms.borrowerID)] } ?? [])
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> TaxCertificate {
    let loan = try loan(&draft, for: .either, principal)
    guard principal.organizationID == loan.terms.borrowerID else { throw PartiesRefusal.notYours("loan") }
    for (money, pointer) in [(fee, "/fee/currency"), (withheld, "/withheld/currency")] {
      try LoanDesk.requireCurrency(of: loan, money, pointer: pointer)
    }
    guard paidOn <= draft.today else { throw LendingRefusal.futureDate(given: paidOn, today: draft.today) }
    let earliest = loan.deliveredOn ?? loan.terms.tradeOn
    guard paidOn >= earliest else { throw LendingRefusal.dateOutOfOrder(given: paidOn, earliest: earliest) }
    let known = (draft.base.taxCertificatesOf[loan.terms.borrowerID] ?? []).compactMap {
      draft.find(\.taxCertificates, $0)
    }
    guard !known.contains(where: { $0.authority == authority && $0.reference == reference && $0.state != .rejected })
    else { throw WithholdingRefusal.knownReference(reference) }
    let rule = try WithholdingDesk.rule(of: loan, on: paidOn, in: draft)
    try WithholdingDesk.require(fee: fee.amount, withheld: withheld.amount, by: rule, of: loan)
    // Whether the loan takes it, as a confirmation of today would find.
    var trial = loan
    _ = try trial.certify(fee: fee.amount, withheld: withheld.amount)
    guard let ruleID = rule.id else {
      throw RepaymentRefusal.noTaxRule(jurisdiction: rule.jurisdiction, on: paidOn)
    }
    let certificate = draft.put(
      \.taxCertificates,
      TaxCertificate(
        id: draft.ids.next(), borrowerID: loan.terms.borrowerID, lenderID: loan.terms.lenderID, loanID: loanID,
        jurisdiction: rule.jurisdiction, isGrossedUp: loan.terms.tax?.withholding == .grossUp, fee: fee,
        withheld: withheld, paidOn: paidOn, authority: authority, reference: reference, ruleID: ruleID,
        rate: rule.rate, recordedBy: principal.personID, createdAt: draft.now, updatedAt: draft.now))
    draft.made.subject = certificate.id.value
    WithholdingDesk.announce("loan.tax_certificate_recorded", certificate, loan, in: &draft)
    return certificate
  }
}

/// A person of the staff who did not record it confirms a certificate, which books it, or rejects it.
package struct DecideTaxCertificate: LoanCommand {
  package enum Act: Sendable, Hashable {
    case confirm
    case reject(reason: String)
  }

  package static let action = "tax_certificate.decide"
  package var staffDuty: Duty? { .treasury }
  package let loanID: LoanID
  package let certificateID: TaxCertificateID
  package let act: Act
  /// Of the certificate.
  package let certificateVersion: Int64?
  package var ifVersion: Int64? { nil }

  package init(loanID: LoanID, certificateID: TaxCertificateID, act: Act, ifVersion: Int64?) {
    self.loanID = loanID
    self.certificateID = certificateID
    self.act = act
    certificateVersion = ifVersion
  }

  package func needs(_ state: BatchState) -> Set<Need> {
    loanNeeds(state).union([.taxCertificate(certificateID)])
  }

  package func decide(_ draft: inout Draft, by principal: Principal) throws -> TaxCertificate {
    var loan = try loan(&draft, for: .staff, principal)
    let person = try principal.requirePerson()
    guard var certificate = draft.find(\.taxCertificates, certificateID), certificate.loanID == loanID else {
      throw PartiesRefusal.notFound("tax certificate")
    }
    try checkVersion(certificateVersion, certificate.version)
    if certificate.recordedBy == person { throw PartiesRefusal.samePerson("recorded it") }
    draft.made.subject = certificateID.value
    switch act {
    case .reject(let reason):
      try certificate.reject(by: person, reason: reason, at: draft.now)
      certificate = draft.put(\.taxCertificates, certificate)
      WithholdingDesk.announce("loan.tax_certificate_rejected", certificate, loan, in: &draft)
    case .confirm:
      try certificate.requireProposed(for: .confirmed)
      try WithholdingDesk.require(
        fee: certificate.fee.amount, withheld: certificate.withheld.amount,
        by: try WithholdingDesk.rule(of: loan, on: certificate.paidOn, in: draft), of: loan)
      // The debt falls; the days before bear fee and penalty without that.
      loan = try LoanDesk.accrue(loan, through: draft.today, in: &draft).loan
      let taken = try loan.certify(fee: certificate.fee.amount, withheld: certificate.withheld.amount)
      loan = draft.put(\.loans, loan)
      let booking = TaxCertificate.Booking(
        entryID: draft.ids.next(), on: draft.today, fee: taken.fee, principal: taken.principal)
      try certificate.confirm(by: person, as: booking, at: draft.now)
      try WithholdingDesk.post(certificate, taken, of: loan, in: &draft)
      loan = try LoanDesk.releaseWriteOff(loan, on: draft.today, in: &draft)
      certificate = draft.put(\.taxCertificates, certificate)
      WithholdingDesk.announce("loan.tax_certificate_confirmed", certificate, loan, in: &draft)
      _ = try LoanDesk.complete(loan, on: draft.today, in: &draft)
    }
    return certificate
  }
}

/// What may be kept back of a loan's fee.
package enum WithholdingDesk {
  /// The rule that a borrower withholds by on a day.
  /// - Throws: `tax.withholding_not_agreed`, `tax.same_jurisdiction`, and `repayment.no_tax_rule`.
  static func rule(of loan: Loan, on date: CalendarDate, in draft: Draft) throws -> FeeTaxRule {
    guard let lender = draft.find(\.organizations, loan.terms.lenderID),
      let borrower = draft.find(\.organizations, loan.terms.borrowerID)
    else { throw PartiesRefusal.notFound("organization") }
    return try rule(
      of: loan, on: date, payer: borrower.jurisdiction, payee: lender.jurisdiction, draft.reference.taxes)
  }

  package static func rule(
    of loan: Loan, on date: CalendarDate, payer: CountryCode, payee: CountryCode, _ table: FeeTaxTable
  ) throws -> FeeTaxRule {
    guard loan.terms.tax?.withholding != nil else { throw WithholdingRefusal.notAgreed }
    guard payer != payee else { throw WithholdingRefusal.sameJurisdiction(payer) }
    return try table.rule(.withholding, of: payer, on: date)
  }

  /// At most what the rule gives on the fee, taken as what is left after the tax.
  static func require(fee: Int64, withheld: Int64, by rule: FeeTaxRule, of loan: Loan) throws {
    let open = loan.life.tax.feeOpen
    guard fee <= open else { throw WithholdingRefusal.moreThanPaid(fee, open: open) }
    let most = try TaxedFee.withheld(ofPaid: fee, by: rule, isGrossedUp: loan.terms.tax?.withholding == .grossUp)
    guard withheld <= most else { throw WithholdingRefusal.moreThanRule(withheld, most: most) }
  }

  /// The lender has a credit with the borrower's authority instead of cash. Where it has its whole fee in cash, the tax came
  /// on top of it: income of the one, cost of the other.
  static func post(
    _ certificate: TaxCertificate, _ taken: Debt, of loan: Loan, in draft: inout Draft
  ) throws {
    guard let booking = certificate.booking else { return }
    let (lender, borrower) = (LoanDesk.lender(loan), LoanDesk.borrower(loan))
    let amount = certificate.withheld.amount
    let books: [(OrganizationID, [JournalLine])] = [
      (
        lender.organization,
        [lender.money(.taxCredit, amount)]
          + (certificate.isGrossedUp ? [lender.money(.incomeGrossUp, -amount)] : lender.claim(taken, -1))
      ),
      (
        borrower.organization,
        [borrower.money(.taxWithheld, -amount)]
          + (certificate.isGrossedUp ? [borrower.money(.expenseGrossUp, amount)] : borrower.debt(taken, -1))
      ),
    ]
    for (book, lines) in books.sorted(by: { $0.0 < $1.0 }) {
      try draft.post(
        EntryDraft(
          id: booking.entryID, book: book, kind: .taxWithheld, businessDate: booking.on, subject: loan.id.value,
          lines: lines.filter { $0.amount != 0 }))
    }
  }

  static func announce(_ type: String, _ certificate: TaxCertificate, _ loan: Loan, in draft: inout Draft) {
    LoanDesk.announce(
      type, loan,
      [
        ("tax_certificate_id", .text(certificate.id.description)), ("withheld", .number(certificate.withheld.amount)),
        ("fee", .number(certificate.fee.amount)),
      ], in: &draft)
  }
}

/// Why tax is not withheld.
package enum WithholdingRefusal: Refusal, Hashable {
  case notAgreed
  case sameJurisdiction(CountryCode)
  case knownReference(String)
  case moreThanPaid(Int64, open: Int64)
  case moreThanRule(Int64, most: Int64)

  package var kind: RefusalKind { .conflict }

  package var code: String {
    switch self {
    case .notAgreed: "tax.withholding_not_agreed"
    case .sameJurisdiction: "tax.same_jurisdiction"
    case .knownReference: "tax.certificate_known"
    case .moreThanPaid: "tax.more_than_paid"
    case .moreThanRule: "tax.more_than_rule"
    }
  }

  package var detail: String {
    switch self {
    case .notAgreed: "The loan's terms let nothing be kept back of its fee."
    case .sameJurisdiction(let country): "Both sides are in \(country): nothing is withheld within one jurisdiction."
    case .knownReference(let reference): "The certificate \(reference) of that authority is recorded already."
    case .moreThanPaid(let fee, let open):
      "\(fee) minor units are more than the \(open) of fee that were paid in cash and are not certified."
    case .moreThanRule(let withheld, let most):
      "\(withheld) minor units are more than the \(most) that the rule gives on that fee."
    }
  }

  package var pointer: String? {
    switch self {
    case .notAgreed, .sameJurisdiction: nil
    case .knownReference: "/reference"
    case .moreThanPaid: "/fee/amount"
    case .moreThanRule: "/withheld/amount"
    }
  }
}
