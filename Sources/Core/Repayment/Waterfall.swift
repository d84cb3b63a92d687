import Primitives

/// In which order money from one source pays claims: data, so that a contract can state it. `Waterfall+JSON.swift` has
/// its text, `Waterfall+Allocation.swift` what it does.
package struct WaterfallDefinition: Sendable, Hashable {
  package enum Order: String, Sendable, Hashable, CaseIterable {
    /// A rank takes all its steps before the next rank takes anything.
    case rankThenStep = "rank_then_step"
    /// A step is paid through all ranks before the next step.
    case stepThenRank = "step_then_rank"
  }

  /// How the loans of one rank share a step that the money does not pay in full.
  package enum Sharing: String, Sendable, Hashable, CaseIterable {
    /// In proportion to what each is owed on it, by largest remainder, ties by loan id.
    case proRata = "pro_rata"
    /// One after another, by `Claim.sequence`, ties by loan id.
    case sequential
  }

  /// The most that something takes of one receipt.
  package enum Cap: Sendable, Hashable {
    /// Minor units, at least 0.
    case amount(Int64)
    /// Of the whole receipt, 0 to 100 %, rounded down.
    case share(BasisPoints)
  }

  package struct StepRule: Sendable, Hashable {
    package let step: WaterfallStep
    package let sharing: Sharing
    /// Over all loans and ranks; nil for none.
    package let cap: Cap?

    package init(_ step: WaterfallStep, sharing: Sharing = .proRata, cap: Cap? = nil) {
      self.step = step
      self.sharing = sharing
      self.cap = cap
    }
  }

  /// The most that a rank of acceded lenders takes, all steps together.
  package struct RankCap: Sendable, Hashable {
    package let rank: Int64
    package let cap: Cap

    package init(rank: Int64, cap: Cap) {
      self.rank = rank
      self.cap = cap
    }
  }

  /// Where the part of a lender goes that declines it.
  package enum DeclinedTo: String, Sendable, Hashable, CaseIterable {
    /// The receipt is divided as if the lender had no claim: the others of its rank come closer, then the next ranks.
    case sameRank = "same_rank"
    /// The others of its rank get what they would have had; its part is divided further with what is left after them.
    case nextRank = "next_rank"
    /// All others get what they would have had; its part is in the remainder, which is the borrower's.
    case borrower
  }

  /// A lender's right to decline.
  package struct DeclineRule: Sendable, Hashable {
    package let goesTo: DeclinedTo
    /// Days after the notice of the receipt, at least 0; the last one still counts.
    package let deadlineDays: Int64

    package init(goesTo: DeclinedTo, deadlineDays: Int64) {
      self.goesTo = goesTo
      self.deadlineDays = deadlineDays
    }
  }

  package let source: CashSource
  /// Paid in this order; a step that is not named is not paid, and without the step `prepayment` no premium is levied
  /// and no discount given.
  package let rules: [StepRule]
  package let order: Order
  /// The loans whose chips were sold, or whose insurance paid, come before all others.
  package let ownLoansFirst: Bool
  /// By rank, each once.
  package let rankCaps: [RankCap]
  /// nil: nobody may decline.
  package let decline: DeclineRule?

  package var steps: [WaterfallStep] { rules.map(\.step) }

  /// Every step pro rata and without caps; nobody may decline.
  /// - Throws: `RepaymentRefusal.stepTwice` when a step is named twice.
  package init(
    source: CashSource, steps: [WaterfallStep], order: Order, ownLoansFirst: Bool
  ) throws(RepaymentRefusal) {
    try self.init(source: source, rules: steps.map { StepRule($0) }, order: order, ownLoansFirst: ownLoansFirst)
  }

  /// - Throws: `RepaymentRefusal` for a step or a rank named twice, caps and deadlines below zero, shares above 100 %.
  package init(
    source: CashSource, rules: [StepRule], order: Order, ownLoansFirst: Bool, rankCaps: [RankCap] = [],
    decline: DeclineRule? = nil
  ) throws(RepaymentRefusal) {
    let steps = rules.map(\.step)
    for (index, step) in steps.enumerated() where steps[..<index].contains(step) { throw .stepTwice(step) }
    let sorted = rankCaps.sorted { $0.rank < $1.rank }
    for (one, next) in zip(sorted, sorted.dropFirst()) where one.rank == next.rank { throw .rankTwice(one.rank) }
    for cap in rules.compactMap(\.cap) + sorted.map(\.cap) {
      switch cap {
      case .amount(let amount): _ = try nonNegative(amount, "cap")
      case .share(let share): _ = try properShare(share, "cap")
      }
    }
    if let decline { _ = try nonNegative(decline.deadlineDays, "deadline in days") }
    self.init(source, rules, order, ownLoansFirst, sorted, decline)
  }

  private init(
    _ source: CashSource, _ rules: [StepRule], _ order: Order, _ ownLoansFirst: Bool, _ rankCaps: [RankCap],
    _ decline: DeclineRule?
  ) {
    self.source = source
    self.rules = rules
    self.order = order
    self.ownLoansFirst = ownLoansFirst
    self.rankCaps = rankCaps
    self.decline = decline
  }

  /// What holds where the contract says nothing: by rank; within a rank charges, tax, accrued fee, principal, pro rata.
  /// Proceeds of collateral and of insurance go to that chip's lender first. A premium for prepayment is levied on money
  /// that the startup chose to raise or to pay, not on proceeds of a loss or of a default.
  package static func standard(for source: CashSource) -> WaterfallDefinition {
    let (ownLoansFirst, isChosen) =
      switch source {
      case .round, .instalment: (false, true)
      case .collateral, .insurance: (true, false)
      case .guarantee: (false, false)
      }
    let steps: [WaterfallStep] = [.charges, .tax, .fee, .principal] + (isChosen ? [.prepayment] : [])
    return WaterfallDefinition(source, steps.map { StepRule($0) }, .rankThenStep, ownLoansFirst, [], nil)
  }

  /// What pays all claims in full by this waterfall, premiums and discounts included and caps set aside, minor units.
  /// - Throws: `RepaymentRefusal` as `allocate` does, and for a sum past Int64.
  package func price(of claims: [Claim]) throws(RepaymentRefusal) -> Int64 {
    let uncapped = WaterfallDefinition(source, rules.map { StepRule($0.step) }, order, ownLoansFirst, [], nil)
    var most: Int64 = 0
    for claim in claims {
      // A premium is at most the principal.
      let (before, due) = (most, try claim.due.total())
      most = try checked { () throws(ArithmeticOverflow) in try before.adding(due).adding(claim.due.principal) }
    }
    return most - (try uncapped.allocate(most, claims: claims).remainder)
  }

  /// The loans whose lenders decline their part in time.
  /// - Parameters:
  ///   - decisions: who declined, and when.
  ///   - noticeOn: the day on which the lenders were told.
  /// - Throws: `RepaymentRefusal` where nobody may decline, and for a decision before the notice or after the deadline.
  package func declined(
    _ decisions: [(loanID: LoanID, on: CalendarDate)], noticeOn: CalendarDate
  ) throws(RepaymentRefusal) -> Set<LoanID> {
    var loans: Set<LoanID> = []
    for decision in decisions {
      guard let decline else { throw .mayNotDecline(decision.loanID) }
      let days = noticeOn.days(to: decision.on)
      guard days >= 0, days <= decline.deadlineDays else {
        throw .declineOutOfTime(
          decision.loanID, on: decision.on, noticeOn: noticeOn, deadlineDays: decline.deadlineDays)
      }
      loans.insert(decision.loanID)
    }
    return loans
  }
}

extension WaterfallDefinition.Cap {
  /// In minor units, for a receipt of this amount; at least 0.
  func limit(of receipt: Int64) -> Int64 {
    switch self {
    case .amount(let amount): amount
    // At most 100 %, so at most the receipt.
    case .share(let share): Int64(Int128(receipt) * Int128(share.value) / 10_000)
    }
  }
}
