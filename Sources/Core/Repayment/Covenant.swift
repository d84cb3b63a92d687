import Primitives

/// A round as far as covenants see it.
package struct FundingRoundFacts: Sendable, Hashable {
  /// One closing: the day cash came, and how much of it is new.
  package struct Closing: Sendable, Hashable {
    package let closedOn: CalendarDate
    /// At least 0; conversions bring none.
    package let netNewCash: Money

    package init(closedOn: CalendarDate, netNewCash: Money) {
      self.closedOn = closedOn
      self.netNewCash = netNewCash
    }
  }

  package let kind: FundingRoundKind
  package let closings: [Closing]
  package let postMoney: Money?

  package init(kind: FundingRoundKind, closings: [Closing], postMoney: Money?) {
    self.kind = kind
    self.closings = closings
    self.postMoney = postMoney
  }

  /// Whether its money reaches the company at all: in a secondary the holders sell.
  package var bringsCash: Bool { kind != .secondary }
}

/// When a round repays a loan, as the loan fixes it at trade.
package struct Covenant: Sendable, Hashable {
  /// Least cumulative net new cash within twelve months; nil for none.
  package let leastAmount: Money?
  package let leastPostMoney: Money?
  /// Share of net new cash that is swept, 0 to 100 %.
  package let sweep: BasisPoints
  /// The trade date: an earlier closing was there to be seen by the lender.
  package let firstDay: CalendarDate
  /// Bridges, for example.
  package let excludedKinds: Set<FundingRoundKind>

  package init(
    leastAmount: Money?, leastPostMoney: Money?, sweep: BasisPoints, firstDay: CalendarDate,
    excludedKinds: Set<FundingRoundKind> = []
  ) {
    self.leastAmount = leastAmount
    self.leastPostMoney = leastPostMoney
    self.sweep = sweep
    self.firstDay = firstDay
    self.excludedKinds = excludedKinds
  }
}

/// Whether a closing repays a loan, with what was measured.
package struct QualifyingTest: Sendable, Hashable {
  package enum Subject: String, Sendable, Hashable, CaseIterable {
    case closedOn = "closed_on"
    case kind
    case cumulativeCash = "cumulative_cash"
    case postMoney = "post_money"
  }

  /// What was measured, or what it was measured against.
  package enum Measure: Sendable, Hashable {
    case date(CalendarDate)
    case money(Money)
    case kind(FundingRoundKind)
    /// Kinds that do not qualify, in the order of the interface.
    case noneOf([FundingRoundKind])
  }

  package struct Fact: Sendable, Hashable {
    package let subject: Subject
    /// nil: not known.
    package let measured: Measure?
    /// nil: the covenant sets none.
    package let threshold: Measure?
    package let met: Bool
  }

  /// One fact for each subject, in the order of `Subject`.
  package let facts: [Fact]

  package var met: Bool { facts.allSatisfy(\.met) }
}

extension Covenant {
  /// Tests one closing day of a round.
  ///
  /// Cash is cumulated over the twelve months that end on the closing day: that day is inside, the same day a year
  /// earlier is outside, so that no window holds an anniversary twice. Closings of that time count also when they lie
  /// before `firstDay`, which bounds the closing that sweeps, not those it is added to. Secondaries and excluded kinds
  /// add nothing and never qualify; a post-money that is not known does not reach a threshold.
  /// - Parameters:
  ///   - date: a day on which the round has a closing.
  ///   - otherRounds: further rounds of the startup whose cash counts toward the cumulative amount.
  /// - Throws: `RepaymentRefusal` when the round has no closing that day, for cash below zero, and across currencies.
  package func test(
    closingOn date: CalendarDate, of round: FundingRoundFacts, otherRounds: [FundingRoundFacts] = []
  ) throws(RepaymentRefusal) -> QualifyingTest {
    guard round.closings.contains(where: { $0.closedOn == date }) else { throw .noClosing(on: date) }
    let barred = FundingRoundKind.allCases.filter { $0 == .secondary || excludedKinds.contains($0) }
    let facts = [
      QualifyingTest.Fact(
        subject: .closedOn, measured: .date(date), threshold: .date(firstDay), met: date >= firstDay),
      QualifyingTest.Fact(
        subject: .kind, measured: .kind(round.kind), threshold: .noneOf(barred), met: !barred.contains(round.kind)),
      try cashFact(on: date, rounds: [round] + otherRounds),
      try postMoneyFact(round),
    ]
    return QualifyingTest(facts: facts)
  }

  private func cashFact(
    on date: CalendarDate, rounds: [FundingRoundFacts]
  ) throws(RepaymentRefusal) -> QualifyingTest.Fact {
    guard let leastAmount else {
      return QualifyingTest.Fact(subject: .cumulativeCash, measured: nil, threshold: nil, met: true)
    }
    let yearBefore = date.adding(months: -12)
    var sum: Int64 = 0
    for round in rounds where round.bringsCash && !excludedKinds.contains(round.kind) {
      for closing in round.closings where closing.closedOn <= date {
        if let yearBefore, closing.closedOn <= yearBefore { continue }
        let cash = closing.netNewCash
        guard cash.currency == leastAmount.currency else {
          throw .currencyDiffers(expected: leastAmount.currency, found: cash.currency)
        }
        let amount = try nonNegative(cash.amount, "net new cash")
        let before = sum
        sum = try checked { () throws(ArithmeticOverflow) in try before.adding(amount) }
      }
    }
    return QualifyingTest.Fact(
      subject: .cumulativeCash, measured: .money(Money(sum, leastAmount.currency)), threshold: .money(leastAmount),
      met: sum >= leastAmount.amount)
  }

  private func postMoneyFact(_ round: FundingRoundFacts) throws(RepaymentRefusal) -> QualifyingTest.Fact {
    let measured = round.postMoney.map { QualifyingTest.Measure.money($0) }
    guard let leastPostMoney else {
      return QualifyingTest.Fact(subject: .postMoney, measured: measured, threshold: nil, met: true)
    }
    guard let postMoney = round.postMoney else {
      return QualifyingTest.Fact(subject: .postMoney, measured: nil, threshold: .money(leastPostMoney), met: false)
    }
    guard postMoney.currency == leastPostMoney.currency else {
      throw .currencyDiffers(expected: leastPostMoney.currency, found: postMoney.currency)
    }
    return QualifyingTest.Fact(
      subject: .postMoney, measured: measured, threshold: .money(leastPostMoney),
      met: postMoney.amount >= leastPostMoney.amount)
  }
}
