import Primitives

/// What a payment goes toward. Raw values are those of the interface.
package enum WaterfallStep: String, Sendable, Hashable, CaseIterable {
  case charges, fee, principal
}

/// An amount for each step, in minor units of one currency.
package struct StepAmounts: Sendable, Hashable {
  package var charges: Int64
  package var fee: Int64
  package var principal: Int64

  package init(charges: Int64, fee: Int64, principal: Int64) {
    self.charges = charges
    self.fee = fee
    self.principal = principal
  }

  package static let none = StepAmounts(charges: 0, fee: 0, principal: 0)

  package subscript(step: WaterfallStep) -> Int64 {
    switch step {
    case .charges: charges
    case .fee: fee
    case .principal: principal
    }
  }

  /// The sum of all steps.
  /// - Throws: `RepaymentRefusal` when one of them is below zero, or the sum is past Int64.
  package func total() throws(RepaymentRefusal) -> Int64 {
    let parts = (
      try nonNegative(charges, "charges"), try nonNegative(fee, "fee"), try nonNegative(principal, "principal")
    )
    return try checked { () throws(ArithmeticOverflow) -> Int64 in
      try parts.0.adding(parts.1).adding(parts.2)
    }
  }
}

/// What one loan may collect from a receipt. All claims on one receipt are in its currency.
package struct Claim: Sendable, Hashable {
  package let loanID: LoanID
  package let lenderID: OrganizationID
  /// Among the lenders who acceded to the intercreditor terms; 1 is paid first.
  package let rank: Int64
  /// At least 0 each.
  package let due: StepAmounts

  package init(loanID: LoanID, lenderID: OrganizationID, rank: Int64, due: StepAmounts) {
    self.loanID = loanID
    self.lenderID = lenderID
    self.rank = rank
    self.due = due
  }
}
