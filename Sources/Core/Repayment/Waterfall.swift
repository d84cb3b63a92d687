import Primitives

/// In which order money from one source pays claims: data, so that a contract can state it.
package struct WaterfallDefinition: Sendable, Hashable {
  package enum Order: String, Sendable, Hashable, CaseIterable {
    /// A rank takes all its steps before the next rank takes anything.
    case rankThenStep = "rank_then_step"
    /// A step is paid through all ranks before the next step.
    case stepThenRank = "step_then_rank"
  }

  package let source: CashSource
  /// Paid in this order; a step that is not named is not paid.
  package let steps: [WaterfallStep]
  package let order: Order
  /// The loans whose chips were sold, or whose insurance paid, come before all others.
  package let ownLoansFirst: Bool

  /// - Throws: `RepaymentRefusal.stepTwice` when a step is named twice.
  package init(
    source: CashSource, steps: [WaterfallStep], order: Order, ownLoansFirst: Bool
  ) throws(RepaymentRefusal) {
    for (index, step) in steps.enumerated() where steps[..<index].contains(step) { throw .stepTwice(step) }
    self.init(source, steps, order, ownLoansFirst)
  }

  private init(_ source: CashSource, _ steps: [WaterfallStep], _ order: Order, _ ownLoansFirst: Bool) {
    self.source = source
    self.steps = steps
    self.order = order
    self.ownLoansFirst = ownLoansFirst
  }

  /// What holds where the contract says nothing: by rank; within a rank charges, accrued fee, principal. Proceeds of
  /// collateral and of insurance go to that chip's lender first.
  package static func standard(for source: CashSource) -> WaterfallDefinition {
    let ownLoansFirst =
      switch source {
      case .collateral, .insurance: true
      case .round, .instalment, .guarantee: false
      }
    return WaterfallDefinition(source, [.charges, .fee, .principal], .rankThenStep, ownLoansFirst)
  }
}

/// How a receipt was divided.
package struct Allocation: Sendable, Hashable {
  /// What one step of one loan gets; always above zero.
  package struct Line: Sendable, Hashable {
    package let loanID: LoanID
    package let lenderID: OrganizationID
    package let step: WaterfallStep
    /// Minor units.
    package let amount: Int64
  }

  /// In the order of payment; within one step of one rank by loan id.
  package let lines: [Line]
  /// What no claim took. Lines and remainder sum to the receipt.
  package let remainder: Int64
}

extension WaterfallDefinition {
  /// Divides cleared money among claims. Claims of one rank share a step pro rata to what each is owed on it, to the
  /// minor unit, by largest remainder, ties by loan id; the order of `claims` is without effect.
  /// - Parameters:
  ///   - amount: minor units, at least 0.
  ///   - ownLoans: the loans the money stems from; they come first where `ownLoansFirst` says so.
  /// - Throws: `RepaymentRefusal` for a negative amount, or a loan that claims twice.
  package func allocate(
    _ amount: Int64, claims: [Claim], ownLoans: Set<LoanID> = []
  ) throws(RepaymentRefusal) -> Allocation {
    var payment = Payment(left: try nonNegative(amount, "receipt"))
    for claim in claims {
      for step in WaterfallStep.allCases { _ = try nonNegative(claim.due[step], step.rawValue) }
    }
    try refuseDuplicates(claims.lazy.map(\.loanID))
    let ordered = claims.sorted { $0.rank != $1.rank ? $0.rank < $1.rank : $0.loanID < $1.loanID }
    let isFirst = { (claim: Claim) in ownLoansFirst && ownLoans.contains(claim.loanID) }
    for tier in [ordered.filter(isFirst), ordered.filter { !isFirst($0) }] {
      let ranks = tier.groupedByRank()
      switch order {
      case .rankThenStep:
        for rank in ranks { for step in steps { try payment.pay(step, of: rank) } }
      case .stepThenRank:
        for step in steps { for rank in ranks { try payment.pay(step, of: rank) } }
      }
    }
    return Allocation(lines: payment.lines, remainder: payment.left)
  }
}

/// Money on its way down.
private struct Payment {
  var left: Int64
  var lines: [Allocation.Line] = []

  /// Pays one step of the claims of one rank, which come by loan id.
  mutating func pay(_ step: WaterfallStep, of claims: ArraySlice<Claim>) throws(RepaymentRefusal) {
    guard left > 0 else { return }
    let owed = claims.map { $0.due[step] }
    let available = left
    let shares = try checked { () throws(ArithmeticOverflow) in
      try cappedShares(of: available, weights: owed, caps: owed)
    }
    for (claim, share) in zip(claims, shares) where share > 0 {
      lines.append(Allocation.Line(loanID: claim.loanID, lenderID: claim.lenderID, step: step, amount: share))
      left -= share
    }
  }
}

extension [Claim] {
  /// Runs of equal rank of claims that are sorted by rank.
  fileprivate func groupedByRank() -> [ArraySlice<Claim>] {
    var groups: [ArraySlice<Claim>] = []
    var start = startIndex
    for index in indices where index + 1 == endIndex || self[index + 1].rank != self[index].rank {
      groups.append(self[start...index])
      start = index + 1
    }
    return groups
  }
}
