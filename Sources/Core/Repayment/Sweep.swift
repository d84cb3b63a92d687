import Primitives

/// A loan whose covenant a closing meets, with what it is owed. All are in the closing's currency.
package struct SweepCandidate: Sendable, Hashable {
  package let loanID: LoanID
  package let lenderID: OrganizationID
  /// 1 comes first.
  package let rank: Int64
  /// Lenders who did not accede to the intercreditor terms rank after all who did.
  package let hasAcceded: Bool
  /// At least 0 each, fee accrued to the closing day.
  package let owed: StepAmounts
  /// What of `owed` an earlier closing, or anything else, made due: this closing can make due only the rest.
  package let alreadyDue: Int64
  /// The loan's own share of net new cash, 0 to 100 %.
  package let sweep: BasisPoints
  /// The event is a change of control to this loan: all that is owed is due, outside of the pool.
  package let isChangeOfControl: Bool

  package init(
    loanID: LoanID, lenderID: OrganizationID, rank: Int64, owed: StepAmounts, sweep: BasisPoints,
    hasAcceded: Bool = true, alreadyDue: Int64 = 0, isChangeOfControl: Bool = false
  ) {
    self.loanID = loanID
    self.lenderID = lenderID
    self.rank = rank
    self.hasAcceded = hasAcceded
    self.owed = owed
    self.alreadyDue = alreadyDue
    self.sweep = sweep
    self.isChangeOfControl = isChangeOfControl
  }
}

/// What one closing makes due.
package struct SweepDues: Sendable, Hashable {
  package enum Cause: String, Sendable, Hashable, CaseIterable {
    case fundingRound = "funding_round"
    case changeOfControl = "change_of_control"
  }

  /// Why a line is not larger.
  package enum Limit: String, Sendable, Hashable, CaseIterable {
    /// All that was not due yet is due now.
    case owed
    /// The loan's own share of the cash.
    case ownShare = "own_share"
    /// The pool ends here.
    case pool
  }

  package struct Line: Sendable, Hashable {
    package let loanID: LoanID
    package let lenderID: OrganizationID
    package let rank: Int64
    package let hasAcceded: Bool
    package let cause: Cause
    /// The most this closing can make due on the loan: its own share of the cash less what that brought it before, at
    /// most what is not due yet.
    package let cap: Int64
    /// Due now in minor units, at most `cap`.
    package let amount: Int64
    /// What it weighed in the division: what is owed and not due yet.
    package let weight: Int64
    /// `numerator / denominator` is the part before rounding to the minor unit; the denominator is above 0.
    package let numerator: Int128
    package let denominator: Int128
    package let limit: Limit
  }

  package let cause: Cause
  /// The largest share of net new cash, less what was swept from this cash before; nil for a change of control, which
  /// knows no pool.
  package let pool: Int64?
  /// By accession, rank, then loan id; one for each candidate that is owed anything not due yet, also where the amount
  /// is 0.
  package let lines: [Line]
}

/// What the closings of a round make due.
package enum Sweep {
  /// Dues of one closing over the loans whose covenants it meets.
  ///
  /// The pool is the largest share among these loans of the net new cash, rounded down to the minor unit. A loan takes
  /// at most its own share of the cash (rounded down) and at most what it is owed. Where the pool is short of all that,
  /// ranks take in turn, and loans of one rank share pro rata to what they are owed, by largest remainder, ties by loan
  /// id; what one cannot take for its cap goes to the others of its rank. An acquisition is a change of control: the
  /// whole debt of every candidate is due, whatever cash it brings. A secondary brings no cash, so nothing is due.
  /// - Parameters:
  ///   - netNewCash: minor units, at least 0.
  ///   - candidates: for an acquisition every running loan, else those whose `Covenant.test` is met. One that is owed
  ///     nothing takes no part, nor does its share widen the pool.
  ///   - sweptBefore: what this same cash made due before, by loan, at least 0 each; also of loans that are no
  ///     candidates any more. It is taken off the pool and off the loan's own share: no cash is swept twice.
  /// - Throws: `RepaymentRefusal` for negative amounts, a share above 100 %, a loan twice.
  package static func dues(
    kind: FundingRoundKind, netNewCash: Int64, candidates: [SweepCandidate], sweptBefore: [LoanID: Int64] = [:]
  ) throws(RepaymentRefusal) -> SweepDues {
    let cash = try nonNegative(netNewCash, "net new cash")
    for (_, amount) in sweptBefore { _ = try nonNegative(amount, "amount swept before") }
    let entries = try entries(candidates)
    if kind == .acquisition {
      return SweepDues(cause: .changeOfControl, pool: nil, lines: entries.map { whole($0) })
    }
    let shared = try share(
      kind.bringsCash ? cash : 0, among: entries.filter { !$0.candidate.isChangeOfControl }, sweptBefore)
    // A pool that some loans stand outside of is still the pool of the others.
    let lines = shared.lines + entries.filter(\.candidate.isChangeOfControl).map { whole($0) }
    return SweepDues(cause: .fundingRound, pool: shared.pool, lines: lines.sorted(by: isBefore))
  }

  private struct Entry {
    let candidate: SweepCandidate
    /// Owed and not due yet, above 0.
    let open: Int64
  }

  private static func isBefore(_ left: SweepDues.Line, _ right: SweepDues.Line) -> Bool {
    if left.hasAcceded != right.hasAcceded { return left.hasAcceded }
    return left.rank != right.rank ? left.rank < right.rank : left.loanID < right.loanID
  }

  /// Candidates with anything that is not due yet, by accession, rank and loan id.
  private static func entries(_ candidates: [SweepCandidate]) throws(RepaymentRefusal) -> [Entry] {
    try refuseDuplicates(candidates.lazy.map(\.loanID))
    var entries: [Entry] = []
    for candidate in candidates {
      _ = try properShare(candidate.sweep, "share to sweep")
      let due = try nonNegative(candidate.alreadyDue, "amount already due")
      let open = max(0, try candidate.owed.total() - due)
      if open > 0 { entries.append(Entry(candidate: candidate, open: open)) }
    }
    return entries.sorted {
      let (left, right) = ($0.candidate, $1.candidate)
      if left.hasAcceded != right.hasAcceded { return left.hasAcceded }
      return left.rank != right.rank ? left.rank < right.rank : left.loanID < right.loanID
    }
  }

  /// All that is not due yet.
  private static func whole(_ entry: Entry) -> SweepDues.Line {
    let part = ExactShare(amount: entry.open, numerator: Int128(entry.open), denominator: 1, isCapped: true)
    return line(entry, .changeOfControl, cap: entry.open, part)
  }

  private static func share(
    _ cash: Int64, among entries: [Entry], _ sweptBefore: [LoanID: Int64]
  ) throws(RepaymentRefusal) -> (pool: Int64, lines: [SweepDues.Line]) {
    let largest = entries.map(\.candidate.sweep).max() ?? BasisPoints(0)
    let before = sweptBefore.values.reduce(Int128(0)) { $0 + Int128($1) }
    // At least 0 and at most the cash.
    let pool = Int64(max(0, Int128(part(largest, of: cash)) - before))
    let caps = entries.map { entry in
      let own = part(entry.candidate.sweep, of: cash) - (sweptBefore[entry.candidate.loanID] ?? 0)
      return min(entry.open, max(0, own))
    }
    var left = pool
    var lines: [SweepDues.Line] = []
    var start = entries.startIndex
    while start < entries.endIndex {
      let first = entries[start].candidate
      let end =
        entries[start...].firstIndex { $0.candidate.rank != first.rank || $0.candidate.hasAcceded != first.hasAcceded }
        ?? entries.endIndex
      let (available, open, capsOfRank) = (left, entries[start..<end].map(\.open), Array(caps[start..<end]))
      let shares = try checked { () throws(ArithmeticOverflow) in
        try cappedShares(of: available, weights: open, caps: capsOfRank)
      }
      for (index, share) in zip(start..<end, shares) {
        // Shares sum to at most what was available.
        left -= share.amount
        lines.append(line(entries[index], .fundingRound, cap: caps[index], share))
      }
      start = end
    }
    return (pool, lines)
  }

  /// A share of at most 100 % of an amount, rounded down: never above the amount.
  private static func part(_ share: BasisPoints, of amount: Int64) -> Int64 {
    Int64(Int128(amount) * Int128(share.value) / 10_000)
  }

  private static func line(
    _ entry: Entry, _ cause: SweepDues.Cause, cap: Int64, _ share: ExactShare
  ) -> SweepDues.Line {
    let candidate = entry.candidate
    let limit: SweepDues.Limit =
      share.amount == entry.open ? .owed : share.amount == cap ? .ownShare : .pool
    return SweepDues.Line(
      loanID: candidate.loanID, lenderID: candidate.lenderID, rank: candidate.rank, hasAcceded: candidate.hasAcceded,
      cause: cause, cap: cap, amount: share.amount, weight: entry.open, numerator: share.numerator,
      denominator: share.denominator, limit: limit)
  }
}
