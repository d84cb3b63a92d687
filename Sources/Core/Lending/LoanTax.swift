import Primitives

/// Which taxes a loan's fee bears, as the lender listed it. Fixed at trade.
package struct TaxTerms: Sendable, Hashable {
  /// What becomes of the sales tax on the fee.
  package enum Treatment: String, Sendable, Hashable, CaseIterable {
    /// The borrower pays it to the lender, who owes it to the authority.
    case standard
    /// The supply bears none.
    case exempt
    /// The borrower accounts for it to its own authority: none is billed, and what it comes to is a memorandum.
    case reverseCharge = "reverse_charge"
  }

  /// VAT, GST or sales tax on the fee.
  package struct Sales: Sendable, Hashable {
    package let treatment: Treatment
    /// Whose tax it is: of the place of supply.
    package let jurisdiction: CountryCode

    package init(treatment: Treatment, jurisdiction: CountryCode) {
      self.treatment = treatment
      self.jurisdiction = jurisdiction
    }
  }

  /// What a borrower may keep back of a fee that it pays across a border.
  package enum Withholding: String, Sendable, Hashable, CaseIterable {
    /// The lender bears it: it is a part of the fee.
    case net
    /// The borrower bears it: the lender has the whole fee.
    case grossUp = "gross_up"
  }

  package let sales: Sales?
  /// nil: nothing may be kept back.
  package let withholding: Withholding?

  /// nil where neither is stated.
  package init?(sales: Sales?, withholding: Withholding?) {
    guard sales != nil || withholding != nil else { return nil }
    self.sales = sales
    self.withholding = withholding
  }
}

extension LoanLife {
  /// How far tax on the fee was computed. All zero for a loan without tax terms.
  package struct Tax: Sendable, Hashable {
    /// All sales tax on the fee posted so far, minor units, at least 0; a memorandum under a reverse charge.
    package var total: Int64
    /// Exact tax less `total`, over 10,000; less than one minor unit either way.
    package var residue: Int64
    /// Fee that was paid in cash and not taken back, minor units; counted only where tax may be withheld.
    package var feePaid: Int64
    /// Of that, what certificates of withheld tax relate to.
    package var feeCertified: Int64

    package init(total: Int64 = 0, residue: Int64 = 0, feePaid: Int64 = 0, feeCertified: Int64 = 0) {
      self.total = total
      self.residue = residue
      self.feePaid = feePaid
      self.feeCertified = feeCertified
    }

    /// Fee paid in cash that no certificate relates to yet.
    package var feeOpen: Int64 { max(0, feePaid - feeCertified) }
  }
}

extension Debt {
  /// Charges beside the tax among them.
  package var otherCharges: Int64 { charges - tax }

  /// Takes an amount of the charges: other charges first, then tax.
  func ofCharges(_ amount: Int64) -> Debt {
    Debt(charges: amount, fee: 0, principal: 0, tax: max(0, amount - otherCharges))
  }
}

extension Loan {
  /// Whether sales tax on the fee is owed to the lender.
  package var bearsTax: Bool { terms.tax?.sales?.treatment == .standard }

  /// Sales tax on a fee is owed with it, among the charges, and never becomes due by itself.
  /// - Parameter now: how far tax is computed with it.
  /// - Throws: `overflow` when the debt in all would pass Int64; nothing is changed then.
  package mutating func addTax(_ amount: Int64, now: LoanLife.Tax) throws(LendingRefusal) {
    try require(.accrue)
    do throws(ArithmeticOverflow) {
      var debt = outstanding
      debt.charges = try debt.charges.adding(amount)
      debt.tax = try debt.tax.adding(amount)
      _ = try debt.total()
      outstanding = debt
    } catch { throw .overflow }
    life.tax = now
    settle()
  }

  /// Tax of which the borrower accounts itself, or none: only how far it is computed changes.
  package mutating func noteTax(_ now: LoanLife.Tax) { life.tax = now }

  /// The fee of past days changed, and the tax on it with it. What a lower tax gives back beyond the tax still unpaid is
  /// taken off the fee, then off the principal, then off other charges.
  /// - Parameter change: minor units, below zero where tax is given back.
  /// - Returns: what was taken off each part, the tax among its charges; all zero where tax was added.
  package mutating func restateTax(_ change: Int64, now: LoanLife.Tax) throws(LendingRefusal) -> Debt {
    try require(.reRate)
    if change >= 0 {
      try addTax(change, now: now)
      return .none
    }
    var left = 0 - change
    func take(_ owed: Int64) -> Int64 {
      let part = min(left, owed)
      left -= part
      return part
    }
    let tax = take(outstanding.tax)
    let (fee, principal, others) = (take(outstanding.fee), take(outstanding.principal), take(outstanding.otherCharges))
    guard left == 0 else {
      throw .loan(.givesBackMoreThanOwed(0 - change, owed: fee + principal + others + tax))
    }
    let taken = Debt(charges: tax + others, fee: fee, principal: principal, tax: tax)
    outstanding.charges -= taken.charges
    outstanding.tax -= taken.tax
    outstanding.fee -= taken.fee
    takePrincipal(taken.principal)
    life.tax = now
    trimDue()
    return taken
  }
}
