import Primitives

/// A loan whose covenant a closing meets, with what it is owed. All are in the closing's currency.
package struct SweepCandidate: Sendable, Hashable {
  package let loanID: LoanID
  package let lenderID: OrganizationID
  /// 1 comes first.
  package let rank: Int64
  /// At least 0 each, fee accrued to the closing day.
  package let owed: StepAmounts
  /// The loan's own share of net new cash, 0 to 100 %.
  package let sweep: BasisPoints

  package init(loanID: LoanID, lenderID: OrganizationID, rank: Int64, owed: StepAmounts, sweep: BasisPoints) {
    self.loanID = loanID
    self.lenderID = lenderID
    self.rank = rank
    self.owed = owed
    self.sweep = sweep
  }
}

/// What one closing makes due.
package struct SweepDues: Sendable, Hashable {
  package enum Cause: String, Sendable, Hashable, CaseIterable {
    case fundingRound = "funding_round"
    case changeOfControl = "change_of_control"
  }

  package struct Line: Sendable, Hashable {
    package let loanID: LoanID
    package let lenderID: OrganizationID
    package let rank: Int64
    /// The most this closing can make due on the loan: its own share of the cash, at most what it is owed.
    package let cap: Int64
    /// Due now in minor units, at most `cap`.
    package let amount: Int64
  }

  package let cause: Cause
  /// The largest share of net new cash; nil for a change of control, which knows no pool.
  package let pool: Int64?
  /// By rank, then loan id; one for each candidate that is owed anything, also where the amount is 0.
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
  /// - Throws: `RepaymentRefusal` for negative amounts, a share above 100 %, a loan twice.
  package static func dues(
    kind: FundingRoundKind, netNewCash: Int64, candidates: [SweepCandidate]
  ) throws(RepaymentRefusal) -> SweepDues {
    let cash = try nonNegative(netNewCash, "net new cash")
    let entries = try entries(candidates)
    switch kind {
    case .acquisition: return changeOfControl(entries)
    case .secondary: return try share(0, among: entries)
    case .priced, .safe, .note, .strategic, .bridge, .ipo: return try share(cash, among: entries)
    }
  }

  private struct Entry {
    let candidate: SweepCandidate
    let owed: Int64
  }

  /// Candidates that are owed anything, by rank and loan id.
  private static func entries(_ candidates: [SweepCandidate]) throws(RepaymentRefusal) -> [Entry] {
    try refuseDuplicates(candidates.lazy.map(\.loanID))
    var entries: [Entry] = []
    for candidate in candidates {
      _ = try properShare(candidate.sweep, "share to sweep")
      let owed = try candidate.owed.total()
      if owed > 0 { entries.append(Entry(candidate: candidate, owed: owed)) }
    }
    return entries.sorted {
      let (left, right) = ($0.candidate, $1.candidate)
      return left.rank != right.rank ? left.rank < right.rank : left.loanID < right.loanID
    }
  }

  private static func changeOfControl(_ entries: [Entry]) -> SweepDues {
    let lines = entries.map { line($0, cap: $0.owed, amount: $0.owed) }
    return SweepDues(cause: .changeOfControl, pool: nil, lines: lines)
  }

  private static func share(_ cash: Int64, among entries: [Entry]) throws(RepaymentRefusal) -> SweepDues {
    let largest = entries.map(\.candidate.sweep).max() ?? BasisPoints(0)
    let pool = part(largest, of: cash)
    let caps = entries.map { min($0.owed, part($0.candidate.sweep, of: cash)) }
    var left = pool
    var amounts: [Int64] = []
    var start = entries.startIndex
    while start < entries.endIndex {
      let rank = entries[start].candidate.rank
      let end = entries[start...].firstIndex { $0.candidate.rank != rank } ?? entries.endIndex
      let (available, owed, capsOfRank) = (left, entries[start..<end].map(\.owed), Array(caps[start..<end]))
      let shares = try checked { () throws(ArithmeticOverflow) in
        try cappedShares(of: available, weights: owed, caps: capsOfRank)
      }
      amounts += shares
      // Shares sum to at most what was available.
      left -= shares.reduce(0, +)
      start = end
    }
    let lines = entries.indices.map { line(entries[$0], cap: caps[$0], amount: amounts[$0]) }
    return SweepDues(cause: .fundingRound, pool: pool, lines: lines)
  }

  /// A share of at most 100 % of an amount, rounded down: never above the amount.
  private static func part(_ share: BasisPoints, of amount: Int64) -> Int64 {
    Int64(Int128(amount) * Int128(share.value) / 10_000)
  }

  private static func line(_ entry: Entry, cap: Int64, amount: Int64) -> SweepDues.Line {
    let candidate = entry.candidate
    return SweepDues.Line(
      loanID: candidate.loanID, lenderID: candidate.lenderID, rank: candidate.rank, cap: cap, amount: amount)
  }
}
