import Primitives

/// How a receipt was divided.
package struct Allocation: Sendable, Hashable {
  /// Why a line is not larger.
  package enum Limit: String, Sendable, Hashable, CaseIterable {
    /// It pays all that is owed on the step.
    case owed
    /// The money ends here.
    case receipt
    case stepCap = "step_cap"
    case rankCap = "rank_cap"
  }

  /// What one step of one loan gets; always above zero.
  package struct Line: Sendable, Hashable {
    package let loanID: LoanID
    package let lenderID: OrganizationID
    package let step: WaterfallStep
    /// Minor units.
    package let amount: Int64
    /// By how much the debt falls: `amount`, or more where a discount is given on principal.
    package let discharged: Int64
    /// Whether it is one of the loans from whose chips the money stems, and was paid first for it.
    package let isOwnLoan: Bool
    package let hasAcceded: Bool
    package let rank: Int64
    /// What it weighed in the division: what it is owed on the step, less a discount.
    package let weight: Int64
    /// `numerator / denominator` is the part before rounding to the minor unit; the denominator is above 0.
    package let numerator: Int128
    package let denominator: Int128
    package let limit: Limit
  }

  /// A part that a lender declined, and that would have been a line.
  package struct Declined: Sendable, Hashable {
    package let loanID: LoanID
    package let lenderID: OrganizationID
    package let step: WaterfallStep
    /// Minor units, above zero.
    package let amount: Int64
    package let wentTo: WaterfallDefinition.DeclinedTo
  }

  /// A premium for principal that this receipt prepaid, paid here or not: it is a new debt of the loan.
  package struct Premium: Sendable, Hashable {
    package let loanID: LoanID
    /// Prepaid by this receipt, minor units.
    package let principal: Int64
    package let rate: BasisPoints
    /// Minor units, above zero.
    package let amount: Int64

    /// A rate of principal, rounded half to even.
    static func amount(on principal: Int64, rate: BasisPoints) throws(RepaymentRefusal) -> Int64 {
      try checked { () throws(ArithmeticOverflow) in
        let product = Int128(principal) * Int128(rate.value)
        return try product.divided(by: 10_000, rounding: .halfEven).asInt64()
      }
    }
  }

  /// In the order of payment; within one step of one rank by loan id, or by sequence where that is the rule.
  package let lines: [Line]
  /// What was declined, in the same order; empty where the others of the rank take it, since nobody knows then what it
  /// would have been.
  package let declined: [Declined]
  /// By loan id.
  package let premiums: [Premium]
  /// What no claim took, and what was declined to the borrower. Lines and remainder sum to the receipt.
  package let remainder: Int64
}

extension WaterfallDefinition {
  /// Divides cleared money among claims. The order of `claims` is without effect.
  ///
  /// Lenders who acceded to the intercreditor terms come by rank, then those who did not, by theirs. Claims of one rank
  /// share a step by its rule. Where lenders decline, see `DeclinedTo`.
  /// - Parameters:
  ///   - amount: minor units, at least 0.
  ///   - ownLoans: the loans the money stems from; they come first where `ownLoansFirst` says so.
  ///   - declined: loans whose lenders declined in time, see `declined(_:noticeOn:)`.
  /// - Throws: `RepaymentRefusal` for negative amounts, a loan that claims twice, prepayment rates out of range, and
  ///   declined loans where nobody may decline.
  package func allocate(
    _ amount: Int64, claims: [Claim], ownLoans: Set<LoanID> = [], declined: Set<LoanID> = []
  ) throws(RepaymentRefusal) -> Allocation {
    var payment = Payment(of: try nonNegative(amount, "receipt"), by: self, declined: declined)
    for claim in claims {
      for step in WaterfallStep.allCases { _ = try nonNegative(claim.due[step], step.rawValue) }
      _ = try prepaymentRate(claim.prepayment)
    }
    try refuseDuplicates(claims.lazy.map(\.loanID))
    if decline == nil, let first = declined.min() { throw .mayNotDecline(first) }
    let removed = decline?.goesTo == .sameRank ? declined : []
    let ordered = claims.filter { !removed.contains($0.loanID) }.sorted {
      if $0.hasAcceded != $1.hasAcceded { return $0.hasAcceded }
      return $0.rank != $1.rank ? $0.rank < $1.rank : $0.loanID < $1.loanID
    }
    let isFirst = { (claim: Claim) in ownLoansFirst && ownLoans.contains(claim.loanID) }
    for isOwn in [true, false] {
      let ranks = ordered.filter { isFirst($0) == isOwn }.groupedByRank()
      switch order {
      case .rankThenStep:
        for rank in ranks {
          for rule in rules { try payment.pay(rule, of: rank, isOwn: isOwn) }
          payment.release()
        }
      case .stepThenRank:
        for rule in rules {
          for rank in ranks {
            try payment.pay(rule, of: rank, isOwn: isOwn)
            payment.release()
          }
        }
      }
    }
    return try payment.allocation(ordered, premiumsAreLevied: steps.contains(.prepayment))
  }
}

/// Money on its way down.
private struct Payment {
  private let receipt: Int64
  private let definition: WaterfallDefinition
  private let declined: Set<LoanID>
  private var left: Int64
  /// Declined parts that wait for the next rank.
  private var held: Int64 = 0
  /// Declined parts that go back to the borrower.
  private var returned: Int64 = 0
  private var lines: [Allocation.Line] = []
  private var declinedParts: [Allocation.Declined] = []
  /// What capped steps and ranks may still take.
  private var stepRoom: [WaterfallStep: Int64] = [:]
  private var rankRoom: [Int64: Int64] = [:]
  /// Principal that this receipt discharged, declined parts included while they are divided.
  private var prepaid: [LoanID: Int64] = [:]

  init(of receipt: Int64, by definition: WaterfallDefinition, declined: Set<LoanID>) {
    self.receipt = receipt
    self.definition = definition
    self.declined = declined
    self.left = receipt
    for rule in definition.rules { stepRoom[rule.step] = rule.cap?.limit(of: receipt) }
    for cap in definition.rankCaps { rankRoom[cap.rank] = cap.cap.limit(of: receipt) }
  }

  /// Pays one step of the claims of one rank, which come by loan id.
  mutating func pay(
    _ rule: WaterfallDefinition.StepRule, of claims: ArraySlice<Claim>, isOwn: Bool
  ) throws(RepaymentRefusal) {
    guard left > 0, let first = claims.first else { return }
    var claims = Array(claims)
    if rule.sharing == .sequential {
      claims.sort { $0.sequence != $1.sequence ? $0.sequence < $1.sequence : $0.loanID < $1.loanID }
    }
    let rankRoomLeft = first.hasAcceded ? rankRoom[first.rank] : nil
    let (available, limit) = availableNow(stepRoom[rule.step], rankRoomLeft)
    guard available > 0 else { return }
    var weights: [Int64] = []
    for claim in claims { weights.append(try cost(of: rule.step, claim)) }
    let shares: [ExactShare]
    switch rule.sharing {
    case .proRata:
      let costs = weights
      shares = try checked { () throws(ArithmeticOverflow) in
        try cappedShares(of: available, weights: costs, caps: costs)
      }
    case .sequential:
      var rest = available
      shares = weights.map { weight in
        let amount = min(weight, rest)
        rest -= amount
        return ExactShare(amount: amount, numerator: Int128(amount), denominator: 1, isCapped: amount == weight)
      }
    }
    for ((claim, weight), share) in zip(zip(claims, weights), shares) where share.amount > 0 {
      left -= share.amount
      if let room = stepRoom[rule.step] { stepRoom[rule.step] = room - share.amount }
      if first.hasAcceded, let room = rankRoom[first.rank] { rankRoom[first.rank] = room - share.amount }
      give(share, of: weight, rule.step, claim, isOwn, limit: share.amount == weight ? .owed : limit)
    }
  }

  /// The least of what is left and what the caps leave, and which of them it is.
  private func availableNow(_ step: Int64?, _ rank: Int64?) -> (Int64, Allocation.Limit) {
    var found = (left, Allocation.Limit.receipt)
    if let step, step < found.0 { found = (step, .stepCap) }
    if let rank, rank < found.0 { found = (rank, .rankCap) }
    return found
  }

  private mutating func give(
    _ share: ExactShare, of weight: Int64, _ step: WaterfallStep, _ claim: Claim, _ isOwn: Bool,
    limit: Allocation.Limit
  ) {
    var discharged = share.amount
    if step == .principal {
      discharged = share.amount == weight ? claim.due.principal : discharge(share.amount, claim)
      prepaid[claim.loanID] = discharged
    }
    if declined.contains(claim.loanID), let rule = definition.decline {
      if rule.goesTo == .nextRank { held += share.amount } else { returned += share.amount }
      declinedParts.append(
        Allocation.Declined(
          loanID: claim.loanID, lenderID: claim.lenderID, step: step, amount: share.amount, wentTo: rule.goesTo))
      return
    }
    lines.append(
      Allocation.Line(
        loanID: claim.loanID, lenderID: claim.lenderID, step: step, amount: share.amount, discharged: discharged,
        isOwnLoan: isOwn, hasAcceded: claim.hasAcceded, rank: claim.rank, weight: weight, numerator: share.numerator,
        denominator: share.denominator, limit: limit))
  }

  /// What was declined and waits for the next rank joins what is left.
  mutating func release() {
    left += held
    held = 0
  }

  /// What it takes in cash to pay a step of a claim in full.
  private func cost(of step: WaterfallStep, _ claim: Claim) throws(RepaymentRefusal) -> Int64 {
    switch step {
    case .charges, .tax, .fee: return claim.due[step]
    case .principal:
      guard let discount = discount(of: claim) else { return claim.due.principal }
      // A discount in whole minor units rounded down is a price rounded up; at most the principal.
      let product = Int128(claim.due.principal) * Int128(10_000 - discount)
      return Int64((product + 9_999) / 10_000)
    case .prepayment:
      let premium = try premium(of: claim)
      return try checked { () throws(ArithmeticOverflow) in try claim.due.prepayment.adding(premium) }
    }
  }

  /// Above 0 where the waterfall gives one.
  private func discount(of claim: Claim) -> Int64? {
    guard claim.prepayment.value < 0, definition.steps.contains(.prepayment) else { return nil }
    return -claim.prepayment.value
  }

  /// The most principal whose discounted price an amount pays: the inverse of `cost`, which never falls as principal
  /// rises.
  private func discharge(_ amount: Int64, _ claim: Claim) -> Int64 {
    guard let discount = discount(of: claim) else { return amount }
    return Int64(min(Int128(claim.due.principal), Int128(amount) * 10_000 / Int128(10_000 - discount)))
  }

  /// On the principal that this receipt prepaid so far.
  private func premium(of claim: Claim) throws(RepaymentRefusal) -> Int64 {
    guard claim.prepayment.value > 0, let principal = prepaid[claim.loanID] else { return 0 }
    return try Allocation.Premium.amount(on: principal, rate: claim.prepayment)
  }

  func allocation(_ claims: [Claim], premiumsAreLevied: Bool) throws(RepaymentRefusal) -> Allocation {
    var premiums: [Allocation.Premium] = []
    if premiumsAreLevied {
      for claim in claims where !declined.contains(claim.loanID) {
        let amount = try premium(of: claim)
        guard amount > 0, let principal = prepaid[claim.loanID] else { continue }
        premiums.append(
          Allocation.Premium(
            loanID: claim.loanID, principal: principal, rate: claim.prepayment, amount: amount))
      }
    }
    return Allocation(
      lines: lines, declined: declinedParts, premiums: premiums.sorted { $0.loanID < $1.loanID },
      remainder: left + returned)
  }
}

extension [Claim] {
  /// Runs of equal rank of claims that are sorted by accession and rank.
  fileprivate func groupedByRank() -> [ArraySlice<Claim>] {
    var groups: [ArraySlice<Claim>] = []
    var start = startIndex
    for index in indices {
      let isLast = index + 1 == endIndex
      if isLast || self[index + 1].rank != self[index].rank || self[index + 1].hasAcceded != self[index].hasAcceded {
        groups.append(self[start...index])
        start = index + 1
      }
    }
    return groups
  }
}

extension Allocation {
  /// What a loan was paid, by step, in cash.
  package func paid(on loan: LoanID) -> StepAmounts {
    var paid = StepAmounts.none
    for line in lines where line.loanID == loan { paid[line.step] += line.amount }
    return paid
  }

  /// By how much the debt of a loan falls, by step: more than the cash where a discount was given. A premium is levied
  /// before it is paid, so it is to be added to the debt first: `owed + premium - discharged` is what is left.
  package func discharged(on loan: LoanID) -> StepAmounts {
    var discharged = StepAmounts.none
    for line in lines where line.loanID == loan { discharged[line.step] += line.discharged }
    return discharged
  }

  /// The premium that this receipt levied on a loan.
  package func premium(on loan: LoanID) -> Int64 { premiums.first { $0.loanID == loan }?.amount ?? 0 }

  /// What is owed on a loan after this receipt.
  /// - Throws: `RepaymentRefusal` when more was paid than `owed` says, and past Int64.
  package func left(of owed: StepAmounts, on loan: LoanID) throws(RepaymentRefusal) -> StepAmounts {
    let levied = StepAmounts(charges: 0, fee: 0, principal: 0, prepayment: premium(on: loan))
    return try owed.adding(levied).subtracting(discharged(on: loan))
  }
}
