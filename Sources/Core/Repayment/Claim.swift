import Primitives

/// What a payment goes toward. Raw values are those of the interface.
package enum WaterfallStep: String, Sendable, Hashable, CaseIterable {
  case charges
  /// Sales tax and the like on fees, billed and unpaid.
  case tax
  case fee, principal
  /// The premium for principal that this money prepays, see `PrepaymentTerms`.
  case prepayment
}

/// An amount for each step, in minor units of one currency.
package struct StepAmounts: Sendable, Hashable {
  package var charges: Int64
  package var tax: Int64
  package var fee: Int64
  package var principal: Int64
  /// In what is owed: premiums of earlier prepayments that are not paid yet.
  package var prepayment: Int64

  package init(charges: Int64, fee: Int64, principal: Int64, tax: Int64 = 0, prepayment: Int64 = 0) {
    self.charges = charges
    self.tax = tax
    self.fee = fee
    self.principal = principal
    self.prepayment = prepayment
  }

  package static let none = StepAmounts(charges: 0, fee: 0, principal: 0)

  package subscript(step: WaterfallStep) -> Int64 {
    get {
      switch step {
      case .charges: charges
      case .tax: tax
      case .fee: fee
      case .principal: principal
      case .prepayment: prepayment
      }
    }
    set {
      switch step {
      case .charges: charges = newValue
      case .tax: tax = newValue
      case .fee: fee = newValue
      case .principal: principal = newValue
      case .prepayment: prepayment = newValue
      }
    }
  }

  /// The sum of all steps.
  /// - Throws: `RepaymentRefusal` when one of them is below zero, or the sum is past Int64.
  package func total() throws(RepaymentRefusal) -> Int64 {
    var sum: Int64 = 0
    for step in WaterfallStep.allCases {
      let (before, part) = (sum, try nonNegative(self[step], step.rawValue))
      sum = try checked { () throws(ArithmeticOverflow) in try before.adding(part) }
    }
    return sum
  }

  /// The part of this that an amount makes collectable: step by step in their order, until the amount is used up. What a
  /// sweep makes due is one number, and a payment needs to know of which steps.
  /// - Parameter amount: at least 0; all of this when it is larger.
  package func first(_ amount: Int64) -> StepAmounts {
    var part = StepAmounts.none
    var left = max(0, amount)
    for step in WaterfallStep.allCases {
      part[step] = min(max(0, self[step]), left)
      left -= part[step]
    }
    return part
  }

  /// Each step less the same step of another.
  /// - Throws: `RepaymentRefusal.paidMoreThanOwed` when a step would fall below zero.
  package func subtracting(_ paid: StepAmounts) throws(RepaymentRefusal) -> StepAmounts {
    var left = self
    for step in WaterfallStep.allCases {
      let (difference, overflow) = self[step].subtractingReportingOverflow(paid[step])
      guard !overflow, difference >= 0 else { throw .paidMoreThanOwed(step, paid: paid[step], owed: self[step]) }
      left[step] = difference
    }
    return left
  }

  /// Each step with the same step of another.
  /// - Throws: `RepaymentRefusal.overflow` past Int64.
  package func adding(_ more: StepAmounts) throws(RepaymentRefusal) -> StepAmounts {
    var sum = self
    for step in WaterfallStep.allCases {
      let (left, right) = (self[step], more[step])
      sum[step] = try checked { () throws(ArithmeticOverflow) in try left.adding(right) }
    }
    return sum
  }
}

/// What one loan may collect from a receipt. All claims on one receipt are in its currency.
package struct Claim: Sendable, Hashable {
  package let loanID: LoanID
  package let lenderID: OrganizationID
  /// Among the lenders who acceded to the intercreditor terms; 1 is paid first.
  package let rank: Int64
  /// Whether the lender acceded to the intercreditor terms. Those who did not rank after all who did.
  package let hasAcceded: Bool
  /// Where a step is paid one loan after another: lower numbers first, ties by loan id. The trade date's day number, for
  /// example.
  package let sequence: Int64
  /// At least 0 each.
  package let due: StepAmounts
  /// What principal costs when it is paid before its time, resolved for the day: above 0 a premium, below 0 a discount,
  /// above -100 %. Holds for all of `due.principal`, and only where the waterfall names the step `prepayment`.
  package let prepayment: BasisPoints

  package init(
    loanID: LoanID, lenderID: OrganizationID, rank: Int64, due: StepAmounts, hasAcceded: Bool = true,
    sequence: Int64 = 0, prepayment: BasisPoints = BasisPoints(0)
  ) {
    self.loanID = loanID
    self.lenderID = lenderID
    self.rank = rank
    self.hasAcceded = hasAcceded
    self.sequence = sequence
    self.due = due
    self.prepayment = prepayment
  }
}

/// What a loan takes for principal paid before its time, as a contract states it: 3 % in the first year, 1 % in the
/// second, and nothing after, for example.
package struct PrepaymentTerms: Sendable, Hashable {
  /// Both days are inside.
  package struct Window: Sendable, Hashable {
    package let from: CalendarDate
    package let through: CalendarDate
    /// Of principal prepaid: above 0 a premium, below 0 a discount. From above -100 % to 100 %.
    package let rate: BasisPoints

    package init(from: CalendarDate, through: CalendarDate, rate: BasisPoints) {
      self.from = from
      self.through = through
      self.rate = rate
    }
  }

  package let windows: [Window]

  /// - Throws: `RepaymentRefusal` for windows that overlap or end before they begin, and rates out of range.
  package init(windows: [Window]) throws(RepaymentRefusal) {
    let sorted = windows.sorted { $0.from < $1.from }
    for window in sorted {
      guard window.from <= window.through else { throw .periodReversed(start: window.from, end: window.through) }
      _ = try prepaymentRate(window.rate)
    }
    for (earlier, later) in zip(sorted, sorted.dropFirst()) where later.from <= earlier.through {
      throw .windowsOverlap(on: later.from)
    }
    self.windows = sorted
  }

  /// The rate of the window that holds the day; 0 outside of all.
  package func rate(on date: CalendarDate) -> BasisPoints {
    windows.first { $0.from <= date && date <= $0.through }?.rate ?? BasisPoints(0)
  }
}

/// The rate, or a refusal when a discount would leave nothing to pay, or a premium is more than the principal.
func prepaymentRate(_ rate: BasisPoints) throws(RepaymentRefusal) -> BasisPoints {
  guard rate.value > -10_000, rate <= .whole else { throw .shareOutOfRange(what: "prepayment rate", rate) }
  return rate
}
