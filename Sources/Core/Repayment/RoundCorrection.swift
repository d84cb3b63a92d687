import Primitives

/// What becomes of dues when a round turns out smaller than it was swept for, before the money was paid.
package struct DuesWithdrawn: Sendable, Hashable {
  package struct Line: Sendable, Hashable {
    package let loanID: LoanID
    /// Taken out of what is due, minor units, above 0; the debt itself stays.
    package let withdrawn: Int64
    /// What was too much, but is paid already: that money is not asked back, it reduced the debt.
    package let kept: Int64
  }

  /// By loan id; loans whose dues do not change are left out.
  package let lines: [Line]

  /// Compares what was swept with what the corrected closing makes due; a reversed closing is one of no cash.
  /// - Parameters:
  ///   - swept: what became due because of the closing, by loan, in its own currency.
  ///   - corrected: what the corrected closing makes due, found by `Sweep` from the same state.
  ///   - paid: what was paid on those dues since, by loan.
  /// - Throws: `RepaymentRefusal` for negative amounts.
  package init(
    swept: [LoanID: Int64], corrected: [LoanID: Int64], paid: [LoanID: Int64] = [:]
  ) throws(RepaymentRefusal) {
    var lines: [Line] = []
    for (loan, before) in swept.sorted(by: { $0.key < $1.key }) {
      let before = try nonNegative(before, "amount swept")
      let after = try nonNegative(corrected[loan] ?? 0, "amount due")
      let paid = min(before, try nonNegative(paid[loan] ?? 0, "amount paid"))
      let tooMuch = before - min(before, after)
      guard tooMuch > 0 else { continue }
      let withdrawn = min(tooMuch, before - paid)
      lines.append(Line(loanID: loan, withdrawn: withdrawn, kept: tooMuch - withdrawn))
    }
    self.lines = lines
  }
}

/// Money of a receipt that was taken back, by a bank or a court, after it was divided and perhaps paid out. Payouts stand:
/// the debt that the money had discharged is owed again, and is a new claim.
package struct Clawback: Sendable, Hashable {
  /// Whose part goes first.
  package enum Order: String, Sendable, Hashable, CaseIterable {
    /// The allocation's lines from the last to the first, each in full: who was paid last loses first.
    case lastLineFirst = "last_line_first"
    /// The same, but lines of one step and rank share their loss in proportion to what each got, by largest remainder,
    /// ties to the later line.
    case lastRankFirst = "last_rank_first"
  }

  package struct Line: Sendable, Hashable {
    package let loanID: LoanID
    package let lenderID: OrganizationID
    package let step: WaterfallStep
    /// Cash that the line had brought and that is gone, minor units, above 0.
    package let cash: Int64
    /// By how much the debt grows again: `cash`, or more where a discount had been given.
    package let reinstated: Int64
  }

  /// A premium, or the part of one, that falls away since the principal it was levied on is not prepaid any more.
  package struct PremiumWithdrawn: Sendable, Hashable {
    package let loanID: LoanID
    /// Minor units, above 0.
    package let amount: Int64
  }

  /// Out of what no claim had taken: the borrower's own.
  package let fromRemainder: Int64
  /// In the order of loss.
  package let lines: [Line]

  /// By loan id.
  package let premiumsWithdrawn: [PremiumWithdrawn]

  /// The new claim on the borrower, in the currency of the receipt: all cash that had paid lenders and is gone.
  package var claim: Int64 { lines.reduce(0) { $0 + $1.cash } }

  /// As a record has it.
  init(fromRemainder: Int64, lines: [Line], premiumsWithdrawn: [PremiumWithdrawn]) {
    self.fromRemainder = fromRemainder
    self.lines = lines
    self.premiumsWithdrawn = premiumsWithdrawn
  }

  /// - Parameters:
  ///   - amount: taken back, at least 0.
  ///   - allocation: the division of the receipt; a second time what the first has left of it, see `Allocation.less`.
  ///   - remainderLeft: what of the allocation's remainder is still with the platform; it goes first.
  /// - Throws: `RepaymentRefusal.takenBackMoreThanReceived`, and for negative amounts.
  package init(
    _ amount: Int64, of allocation: Allocation, remainderLeft: Int64, order: Order = .lastLineFirst
  ) throws(RepaymentRefusal) {
    let amount = try nonNegative(amount, "amount taken back")
    let remainder = min(allocation.remainder, try nonNegative(remainderLeft, "remainder"))
    // Lines are parts of one receipt, so their sum fits.
    let allocated = allocation.lines.reduce(Int64(0)) { $0 + $1.amount }
    guard Int128(amount) <= Int128(allocated) + Int128(remainder) else {
      throw .takenBackMoreThanReceived(amount: amount, received: allocated + remainder)
    }
    self.fromRemainder = min(amount, remainder)
    var left = amount - fromRemainder
    var lines: [Line] = []
    for group in Self.groups(allocation.lines, order) {
      guard left > 0 else { break }
      let amounts = group.map(\.amount)
      let loss = min(left, amounts.reduce(0, +))
      let shares = try checked { () throws(ArithmeticOverflow) in
        try largestRemainderShares(of: loss, weights: amounts)
      }
      left -= loss
      for (line, share) in zip(group, shares) where share > 0 { lines.append(Self.line(line, loss: share)) }
    }
    self.lines = lines
    self.premiumsWithdrawn = try Self.premiumsWithdrawn(allocation.premiums, lines)
  }

  /// What each premium is above that on the principal which stays prepaid. It is owed still: a premium is paid after its
  /// principal, so its cash goes back before that of the principal does.
  private static func premiumsWithdrawn(
    _ premiums: [Allocation.Premium], _ lines: [Line]
  ) throws(RepaymentRefusal) -> [PremiumWithdrawn] {
    var withdrawn: [PremiumWithdrawn] = []
    for premium in premiums {
      let back = lines.first { $0.loanID == premium.loanID && $0.step == .principal }?.reinstated ?? 0
      let amount = premium.amount - (try Allocation.Premium.amount(on: premium.principal - back, rate: premium.rate))
      if amount > 0 { withdrawn.append(PremiumWithdrawn(loanID: premium.loanID, amount: amount)) }
    }
    return withdrawn
  }

  /// What a loan owes after the clawback.
  /// - Parameter owed: what it owed after the allocation.
  /// - Throws: `RepaymentRefusal` past Int64, and when less premium is owed than falls away.
  package func left(of owed: StepAmounts, on loan: LoanID) throws(RepaymentRefusal) -> StepAmounts {
    let gone = premiumsWithdrawn.first { $0.loanID == loan }?.amount ?? 0
    return try owed.adding(reinstated(on: loan)).subtracting(
      StepAmounts(charges: 0, fee: 0, principal: 0, prepayment: gone))
  }

  /// Lines that lose together, in the order of loss.
  private static func groups(_ lines: [Allocation.Line], _ order: Order) -> [[Allocation.Line]] {
    var groups: [[Allocation.Line]] = []
    for line in lines.reversed() {
      if order == .lastRankFirst, let last = groups.last?.first, last.isTogether(with: line) {
        groups[groups.count - 1].append(line)
      } else {
        groups.append([line])
      }
    }
    return groups
  }

  private static func line(_ line: Allocation.Line, loss: Int64) -> Line {
    // With a discount the debt that comes back is in proportion to the cash, rounded down, and all of it for all of it.
    let extra = Int128(line.discharged - line.amount) * Int128(loss) / Int128(line.amount)
    return Line(
      loanID: line.loanID, lenderID: line.lenderID, step: line.step, cash: loss, reinstated: loss + Int64(extra))
  }

  /// What is owed again on a loan, by step.
  package func reinstated(on loan: LoanID) -> StepAmounts {
    var sum = StepAmounts.none
    for line in lines where line.loanID == loan { sum[line.step] += line.reinstated }
    return sum
  }

  /// Loans that owe again, by id.
  package var loans: [LoanID] { Set(lines.map(\.loanID)).sorted() }
}

extension Allocation.Line {
  fileprivate func isTogether(with other: Allocation.Line) -> Bool {
    step == other.step && rank == other.rank && hasAcceded == other.hasAcceded && isOwnLoan == other.isOwnLoan
  }
}
