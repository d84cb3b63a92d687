import Primitives

/// What becomes of a lender's part of a sweep that it declines, before the money is divided: the part is not due to it any
/// more, and by the waterfall's rule other lenders are due more instead, each up to its debt, or the startup keeps it.
///
/// A value that says what went in, and by which anybody can share the part again. Bytes, in the sense of
/// `CanonicalBytes`: the version, the closing, the loan with its lender, rank and accession, the amount, where it goes, the
/// day of notice, the deadline, the day of the decision; the takers by loan id; the lines in order; what is returned.
package struct DeclinedDues: Sendable, Hashable {
  /// Another loan of the sweep.
  package struct Taker: Sendable, Hashable {
    package let loanID: LoanID
    package let lenderID: OrganizationID
    /// 1 comes first.
    package let rank: Int64
    package let hasAcceded: Bool
    /// Owed and not due yet, minor units, at least 0.
    package let open: Int64

    package init(loanID: LoanID, lenderID: OrganizationID, rank: Int64, hasAcceded: Bool, open: Int64) {
      self.loanID = loanID
      self.lenderID = lenderID
      self.rank = rank
      self.hasAcceded = hasAcceded
      self.open = open
    }
  }

  /// What is due to a taker besides.
  package struct Line: Sendable, Hashable {
    package let loanID: LoanID
    package let lenderID: OrganizationID
    /// Minor units, above 0, at most what was open.
    package let amount: Int64
  }

  package let closingID: ClosingID
  package let loanID: LoanID
  package let lenderID: OrganizationID
  package let rank: Int64
  package let hasAcceded: Bool
  /// Declined, minor units, above 0.
  package let amount: Int64
  package let goesTo: WaterfallDefinition.DeclinedTo
  /// The lenders were told on that day: that of the sweep.
  package let noticeOn: CalendarDate
  /// The last day on which it could be declined.
  package let deadline: CalendarDate
  package let declinedOn: CalendarDate
  /// By loan id.
  package let takers: [Taker]
  /// By accession, rank and loan id.
  package let lines: [Line]
  /// What nobody takes: it stays with the startup. Lines and this sum to the amount.
  package let returned: Int64

  private static let version = "decline-1"

  /// - Parameters:
  ///   - amount: due to the loan because of the closing.
  ///   - rule: of the waterfall in force on the day of notice.
  ///   - takers: the other loans of the sweep whose lenders did not decline.
  /// - Throws: `RepaymentRefusal` for an amount below 1, a negative one of a taker, a loan twice, and a decision before
  ///   the notice or after the deadline.
  package init(
    closingID: ClosingID, loanID: LoanID, lenderID: OrganizationID, rank: Int64, hasAcceded: Bool, amount: Int64,
    rule: WaterfallDefinition.DeclineRule, noticeOn: CalendarDate, declinedOn: CalendarDate, takers: [Taker]
  ) throws(RepaymentRefusal) {
    guard amount > 0 else { throw .notPositive(what: "declined amount", amount) }
    let days = noticeOn.days(to: declinedOn)
    guard days >= 0, days <= rule.deadlineDays, let deadline = noticeOn.adding(days: rule.deadlineDays) else {
      throw .declineOutOfTime(loanID, on: declinedOn, noticeOn: noticeOn, deadlineDays: rule.deadlineDays)
    }
    try refuseDuplicates([loanID] + takers.map(\.loanID))
    for taker in takers { _ = try nonNegative(taker.open, "amount not due yet") }
    self.closingID = closingID
    self.loanID = loanID
    self.lenderID = lenderID
    self.rank = rank
    self.hasAcceded = hasAcceded
    self.amount = amount
    self.goesTo = rule.goesTo
    self.noticeOn = noticeOn
    self.deadline = deadline
    self.declinedOn = declinedOn
    self.takers = takers.sorted { $0.loanID < $1.loanID }
    (self.lines, self.returned) = try Self.share(
      amount, rule.goesTo, (hasAcceded, rank), self.takers)
  }

  private init(
    _ closingID: ClosingID, _ loanID: LoanID, _ lenderID: OrganizationID, _ rank: Int64, _ hasAcceded: Bool,
    _ amount: Int64, _ goesTo: WaterfallDefinition.DeclinedTo, _ days: (CalendarDate, CalendarDate, CalendarDate),
    _ takers: [Taker], _ lines: [Line], _ returned: Int64
  ) {
    self.closingID = closingID
    self.loanID = loanID
    self.lenderID = lenderID
    self.rank = rank
    self.hasAcceded = hasAcceded
    self.amount = amount
    self.goesTo = goesTo
    (self.noticeOn, self.deadline, self.declinedOn) = days
    self.takers = takers
    self.lines = lines
    self.returned = returned
  }

  /// Shares an amount by rank from the decliner's own on, or from the next: within a rank pro rata to what is open, by
  /// largest remainder, ties by loan id; what a rank cannot take goes to the next.
  private static func share(
    _ amount: Int64, _ goesTo: WaterfallDefinition.DeclinedTo, _ place: (hasAcceded: Bool, rank: Int64),
    _ takers: [Taker]
  ) throws(RepaymentRefusal) -> (lines: [Line], returned: Int64) {
    if goesTo == .borrower { return ([], amount) }
    let after = takers.filter { taker in
      if taker.hasAcceded != place.hasAcceded { return place.hasAcceded }
      return goesTo == .sameRank ? taker.rank >= place.rank : taker.rank > place.rank
    }.sorted {
      if $0.hasAcceded != $1.hasAcceded { return $0.hasAcceded }
      return $0.rank != $1.rank ? $0.rank < $1.rank : $0.loanID < $1.loanID
    }
    var (left, lines, start) = (amount, [Line](), after.startIndex)
    while start < after.endIndex {
      let first = after[start]
      let end =
        after[start...].firstIndex { $0.rank != first.rank || $0.hasAcceded != first.hasAcceded } ?? after.endIndex
      let (available, open) = (left, after[start..<end].map(\.open))
      let shares = try checked { () throws(ArithmeticOverflow) in
        try cappedShares(of: available, weights: open, caps: open)
      }
      for (taker, share) in zip(after[start..<end], shares) where share.amount > 0 {
        left -= share.amount
        lines.append(Line(loanID: taker.loanID, lenderID: taker.lenderID, amount: share.amount))
      }
      start = end
    }
    return (lines, left)
  }

  /// Whether sharing again gives what is recorded.
  package var isReproduced: Bool {
    guard let again = try? Self.share(amount, goesTo, (hasAcceded, rank), takers) else { return false }
    return again.lines == lines && again.returned == returned
  }

  /// The dues of a sweep after this decision: those of the loan go, by the same rule among the same takers, to where they
  /// went. So a sweep that turns out smaller is followed through every decision on it.
  /// - Parameter dues: what the closing makes due, by loan, minor units.
  /// - Throws: `RepaymentRefusal` past Int64.
  package func applied(to dues: [LoanID: Int64]) throws(RepaymentRefusal) -> [LoanID: Int64] {
    guard let part = dues[loanID], part > 0 else { return dues }
    var dues = dues
    dues[loanID] = 0
    for line in try Self.share(part, goesTo, (hasAcceded, rank), takers).lines {
      let before = dues[line.loanID] ?? 0
      dues[line.loanID] = try checked { () throws(ArithmeticOverflow) in try before.adding(line.amount) }
    }
    return dues
  }

  package var digest: SHA256Digest { SHA256Digest(of: canonicalBytes) }

  package var canonicalBytes: [UInt8] {
    var bytes = CanonicalBytes()
    bytes.append(Self.version)
    bytes.append(closingID.value)
    bytes.append(loanID.value)
    bytes.append(lenderID.value)
    for number in [rank, hasAcceded ? 1 : 0, amount] { bytes.append(number) }
    bytes.append(goesTo.rawValue)
    for day in [noticeOn, deadline, declinedOn] { bytes.append(Int64(day.dayNumber)) }
    bytes.append(list: takers) { bytes, taker in
      bytes.append(taker.loanID.value)
      bytes.append(taker.lenderID.value)
      for number in [taker.rank, taker.hasAcceded ? 1 : 0, taker.open] { bytes.append(number) }
    }
    bytes.append(list: lines) { bytes, line in
      bytes.append(line.loanID.value)
      bytes.append(line.lenderID.value)
      bytes.append(line.amount)
    }
    bytes.append(returned)
    return bytes.bytes
  }

  /// Reads what `canonicalBytes` wrote. Whether it is true is another question: see `isReproduced`.
  package init(canonicalBytes: [UInt8]) throws(CanonicalBytesError) {
    var reader = CanonicalReader(canonicalBytes)
    try reader.expect(Self.version)
    let (closing, loan): (ClosingID, LoanID) = (try reader.id(), try reader.id())
    let lender: OrganizationID = try reader.id()
    let (rank, hasAcceded, amount) = (try reader.int64(), try reader.bool(), try reader.int64())
    let goesTo: WaterfallDefinition.DeclinedTo = try reader.word("place for a declined part")
    let days = (try reader.date(), try reader.date(), try reader.date())
    let takers = try reader.list(ofAtLeast: 56) { reader throws(CanonicalBytesError) in
      Taker(
        loanID: try reader.id(), lenderID: try reader.id(), rank: try reader.int64(), hasAcceded: try reader.bool(),
        open: try reader.int64())
    }
    let lines = try reader.list(ofAtLeast: 40) { reader throws(CanonicalBytesError) in
      Line(loanID: try reader.id(), lenderID: try reader.id(), amount: try reader.int64())
    }
    let returned = try reader.int64()
    try reader.finish()
    self.init(closing, loan, lender, rank, hasAcceded, amount, goesTo, days, takers, lines, returned)
    guard self.canonicalBytes == canonicalBytes else { throw .notCanonical }
  }
}
