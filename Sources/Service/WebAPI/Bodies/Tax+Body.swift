import Lending
import Operations
import Persistence
import Primitives
import Repayment
import StrictJSON

extension TaxTerms {
  /// `tax`? {`sales`? {`treatment`, `jurisdiction`}, `withholding`? {`gross_up`}}: at least one of the two.
  static func parse(_ reader: inout ObjectReader) -> TaxTerms? {
    let sales = reader.optionalObject("sales") { reader -> Sales? in
      let treatment = reader.enumeration("treatment", as: Treatment.self)
      let jurisdiction = reader.country("jurisdiction")
      guard let treatment, let jurisdiction else { return nil }
      return Sales(treatment: treatment, jurisdiction: jurisdiction)
    }
    let withholding = reader.optionalObject("withholding") { reader in
      reader.bool("gross_up").map { $0 ? Withholding.grossUp : .net }
    }
    if !reader.has("sales"), !reader.has("withholding") {
      reader.fault("sales", code: JSONFaultCode.missing, detail: "is required where no withholding is given")
    }
    return TaxTerms(sales: sales, withholding: withholding)
  }

  func writeMembers(to writer: inout JSONWriter) {
    writer.object("sales", sales) { writer, sales in
      writer.field("treatment", sales.treatment)
      writer.field("jurisdiction", sales.jurisdiction)
    }
    writer.object("withholding", withholding) { $0.field("gross_up", $1 == .grossUp) }
  }
}

extension Loan {
  /// What the fee bears, and what of it is owed; null for a loan without tax lines.
  func writeTax(to writer: inout JSONWriter) {
    writer.object("tax", terms.tax) { writer, tax in
      tax.writeMembers(to: &writer)
      if tax.withholding != nil {
        writer.field("fee_paid", Money(life.tax.feePaid, currency))
        writer.field("fee_certified", Money(life.tax.feeCertified, currency))
      }
      writer.field("owed", Money(outstanding.tax, currency))
      writer.field("accrued_total", Money(bearsTax ? life.tax.total : 0, currency))
      // The borrower accounts for it to its own authority.
      let isReverse = tax.sales?.treatment == .reverseCharge
      writer.field("memorandum", isReverse ? Money(life.tax.total, currency) : nil)
    }
  }
}

extension ProposeReference {
  /// `kind`, `jurisdiction`, `from_on`, `through_on`?, `rate_bps`, `rounding`?, `source`, `supersedes`?
  package static func parseTaxRule(_ reader: inout ObjectReader) throws -> ProposeReference? {
    let kind = reader.enumeration("kind", as: FeeTaxRule.Kind.self)
    let jurisdiction = reader.country("jurisdiction")
    let (from, through) = (reader.date("from_on"), reader.optionalDate("through_on"))
    let rate = reader.rate("rate_bps", BodyBounds.shareBps)
    let rounding = reader.optionalEnumeration("rounding", as: Rounding.self)
    let source = reader.string("source", bytes: BodyBounds.source)
    let superseded = reader.optionalID("supersedes", of: ReferenceEntryNoun.self)
    if let from, let through, through < from {
      reader.fault("through_on", code: BodyFaultCode.conflict, detail: "is before from_on")
    }
    guard let kind, let jurisdiction, let from, let rate, let source else { return nil }
    if let through, through < from { return nil }
    return ProposeReference(
      fact: .taxRule(
        try FeeTaxRule(
          kind: kind, jurisdiction: jurisdiction, from: from, through: through, rate: rate,
          rounding: rounding ?? .halfUp, source: source), supersedes: superseded))
  }
}

extension FeeTaxRule {
  func writeMembers(to writer: inout JSONWriter) {
    writer.field("kind", kind)
    writer.field("jurisdiction", jurisdiction)
    writer.field("from_on", from)
    writer.field("through_on", through)
    writer.field("rate_bps", rate)
    writer.field("rounding", rounding)
    writer.field("source", source)
  }
}

extension RecordTaxCertificate {
  /// `fee`, `withheld`, `paid_on`, `authority`, `reference`
  package static func parse(_ reader: inout ObjectReader, loanID: LoanID, ifVersion: Int64?) -> RecordTaxCertificate? {
    let fee = reader.money("fee", BodyBounds.price)
    let withheld = reader.money("withheld", BodyBounds.price)
    let paidOn = reader.date("paid_on")
    let authority = reader.string("authority", bytes: BodyBounds.name)
    let reference = reader.string("reference", bytes: BodyBounds.name)
    guard let fee, let withheld, let paidOn, let authority, let reference else { return nil }
    return RecordTaxCertificate(
      loanID: loanID, fee: fee, withheld: withheld, paidOn: paidOn, authority: authority, reference: reference,
      ifVersion: ifVersion)
  }
}

extension TaxCertificate {
  /// As both sides of the loan see it.
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("state", state)
      writer.field("loan_id", loanID)
      writer.field("lender_id", lenderID)
      writer.field("borrower_id", borrowerID)
      writer.field("jurisdiction", jurisdiction)
      writer.field("gross_up", isGrossedUp)
      writer.field("fee", fee)
      writer.field("withheld", withheld)
      writer.field("paid_on", paidOn)
      writer.field("authority", authority)
      writer.field("reference", reference)
      writer.field("tax_rule_id", ruleID)
      writer.field("rate_bps", rate)
      writer.field("reason", reason)
      writer.field("entry_id", booking?.entryID)
      writer.field("booked_on", booking?.on)
      writer.field("discharged_fee", booking.map { Money($0.fee, fee.currency) })
      writer.field("discharged_principal", booking.map { Money($0.principal, fee.currency) })
      writer.field("decided_at", decidedAt)
      writer.history(version: version, createdAt: createdAt, updatedAt: updatedAt)
    }
  }
}

extension TaxLineRow {
  /// With everything that it was computed from.
  func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("treatment", treatment)
      writer.field("jurisdiction", jurisdiction)
      writer.field("tax_rule_id", ruleID)
      writer.field("rate_bps", rate)
      writer.field("rounding", rounding)
      writer.field("from_on", from)
      writer.field("to_on", to)
      writer.field("restated", isRestated)
      writer.field("taxable_fee", Money(fee, currency))
      writer.field("tax", Money(amount, currency))
      writer.field("residue_before", residueBefore)
      writer.field("residue_after", residueAfter)
      writer.field("entry_id", entryID)
      writer.field("booked_on", bookedOn)
      writer.field("recorded_at", recordedAt)
    }
  }
}
