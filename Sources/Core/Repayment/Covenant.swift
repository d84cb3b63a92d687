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
  /// Only those who held shares before took part: weaker evidence of what the company is worth.
  package let isInsider: Bool

  package init(kind: FundingRoundKind, closings: [Closing], postMoney: Money?, isInsider: Bool = false) {
    self.kind = kind
    self.closings = closings
    self.postMoney = postMoney
    self.isInsider = isInsider
  }

  /// Whether its money reaches the company at all: in a secondary the holders sell.
  package var bringsCash: Bool { kind.bringsCash }
}

/// What a licence-and-hire is to a loan.
package enum LicenceAndHireTerm: String, Sendable, Hashable, CaseIterable {
  /// The fee is cash like that of a round, and is swept; it has no post-money, so none is asked for. Where the contract
  /// is silent this holds: no share passes, so it is no change of control.
  case sweepsFee = "sweeps_fee"
  /// The whole debt is due: the people are gone who were to repay it.
  case changeOfControl = "change_of_control"
  /// It makes nothing due.
  case ignored
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
  /// Whether rounds of insiders alone do not count.
  package let excludesInsiderRounds: Bool
  package let licenceAndHire: LicenceAndHireTerm
  /// Of cash and post-money into the covenant's currency. Down, unless the contract says otherwise: a threshold is not
  /// reached by rounding.
  package let conversionRounding: Rounding

  package init(
    leastAmount: Money?, leastPostMoney: Money?, sweep: BasisPoints, firstDay: CalendarDate,
    excludedKinds: Set<FundingRoundKind> = [], excludesInsiderRounds: Bool = false,
    licenceAndHire: LicenceAndHireTerm = .sweepsFee, conversionRounding: Rounding = .down
  ) {
    self.leastAmount = leastAmount
    self.leastPostMoney = leastPostMoney
    self.sweep = sweep
    self.firstDay = firstDay
    self.excludedKinds = excludedKinds
    self.excludesInsiderRounds = excludesInsiderRounds
    self.licenceAndHire = licenceAndHire
    self.conversionRounding = conversionRounding
  }

  /// Whether an event of this kind makes the whole debt due, whatever cash it brings, without a test.
  package func isChangeOfControl(_ kind: FundingRoundKind) -> Bool {
    kind == .acquisition || (kind == .licenceAndHire && licenceAndHire == .changeOfControl)
  }

  /// Whether cash of the round counts, toward a threshold or for a sweep.
  private func counts(_ round: FundingRoundFacts) -> Bool {
    guard round.bringsCash, !excludedKinds.contains(round.kind) else { return false }
    if round.kind == .licenceAndHire, licenceAndHire == .ignored { return false }
    return !(excludesInsiderRounds && round.isInsider)
  }
}

/// Whether a closing repays a loan, with what was measured.
package struct QualifyingTest: Sendable, Hashable {
  package enum Subject: String, Sendable, Hashable, CaseIterable {
    case closedOn = "closed_on"
    case kind
    case cumulativeCash = "cumulative_cash"
    case postMoney = "post_money"
    case insiders
  }

  /// What was measured, or what it was measured against.
  package enum Measure: Sendable, Hashable {
    case date(CalendarDate)
    case money(Money)
    case kind(FundingRoundKind)
    /// Kinds that do not qualify, in the order of the interface.
    case noneOf([FundingRoundKind])
    /// Whether insiders alone took part; as a threshold false: they must not have.
    case insiderRound(Bool)
  }

  package struct Fact: Sendable, Hashable {
    package let subject: Subject
    /// nil: not known, or nothing to measure.
    package let measured: Measure?
    /// nil: the covenant sets none.
    package let threshold: Measure?
    package let met: Bool
    /// The conversions that went into `measured`, in the order of rounds and closings.
    package let conversions: [FXConversion]

    init(
      subject: Subject, measured: Measure?, threshold: Measure?, met: Bool, conversions: [FXConversion] = []
    ) {
      self.subject = subject
      self.measured = measured
      self.threshold = threshold
      self.met = met
      self.conversions = conversions
    }
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
  /// before `firstDay`, which bounds the closing that sweeps, not those it is added to. Secondaries, excluded kinds and
  /// excluded insider rounds add nothing and never qualify; a post-money that is not known does not reach a threshold.
  /// - Parameters:
  ///   - date: a day on which the round has a closing.
  ///   - otherRounds: further rounds of the startup whose cash counts toward the cumulative amount.
  ///   - rates: for cash in another currency than the threshold's, each closing at the rate of its own day, the
  ///     post-money at that of `date`; nil where another currency is to be refused.
  /// - Throws: `RepaymentRefusal` when the round has no closing that day, for cash below zero, across currencies without
  ///   rates, and where the rates have none for the pair and day.
  package func test(
    closingOn date: CalendarDate, of round: FundingRoundFacts, otherRounds: [FundingRoundFacts] = [],
    rates: FXTable? = nil
  ) throws(RepaymentRefusal) -> QualifyingTest {
    guard round.closings.contains(where: { $0.closedOn == date }) else { throw .noClosing(on: date) }
    let barred = FundingRoundKind.allCases.filter {
      $0 == .secondary || excludedKinds.contains($0) || ($0 == .licenceAndHire && licenceAndHire == .ignored)
    }
    let facts = [
      QualifyingTest.Fact(
        subject: .closedOn, measured: .date(date), threshold: .date(firstDay), met: date >= firstDay),
      QualifyingTest.Fact(
        subject: .kind, measured: .kind(round.kind), threshold: .noneOf(barred), met: !barred.contains(round.kind)),
      try cashFact(on: date, rounds: [round] + otherRounds, rates),
      try postMoneyFact(round, on: date, rates),
      QualifyingTest.Fact(
        subject: .insiders, measured: .insiderRound(round.isInsider),
        threshold: excludesInsiderRounds ? .insiderRound(false) : nil, met: !(excludesInsiderRounds && round.isInsider)),
    ]
    return QualifyingTest(facts: facts)
  }

  private func cashFact(
    on date: CalendarDate, rounds: [FundingRoundFacts], _ rates: FXTable?
  ) throws(RepaymentRefusal) -> QualifyingTest.Fact {
    guard let leastAmount else {
      return QualifyingTest.Fact(subject: .cumulativeCash, measured: nil, threshold: nil, met: true)
    }
    let yearBefore = date.adding(months: -12)
    var sum: Int64 = 0
    var conversions: [FXConversion] = []
    for round in rounds where counts(round) {
      for closing in round.closings where closing.closedOn <= date {
        if let yearBefore, closing.closedOn <= yearBefore { continue }
        _ = try nonNegative(closing.netNewCash.amount, "net new cash")
        let cash = try inCurrency(leastAmount.currency, closing.netNewCash, on: closing.closedOn, rates)
        if let conversion = cash.by { conversions.append(conversion) }
        let before = sum
        sum = try checked { () throws(ArithmeticOverflow) in try before.adding(cash.amount.amount) }
      }
    }
    return QualifyingTest.Fact(
      subject: .cumulativeCash, measured: .money(Money(sum, leastAmount.currency)), threshold: .money(leastAmount),
      met: sum >= leastAmount.amount, conversions: conversions)
  }

  private func postMoneyFact(
    _ round: FundingRoundFacts, on date: CalendarDate, _ rates: FXTable?
  ) throws(RepaymentRefusal) -> QualifyingTest.Fact {
    let measured = round.postMoney.map { QualifyingTest.Measure.money($0) }
    // A licence fee has no post-money; parties who chose to sweep it cannot have meant to ask for one.
    guard let leastPostMoney, round.kind != .licenceAndHire else {
      return QualifyingTest.Fact(subject: .postMoney, measured: measured, threshold: nil, met: true)
    }
    guard let postMoney = round.postMoney else {
      return QualifyingTest.Fact(subject: .postMoney, measured: nil, threshold: .money(leastPostMoney), met: false)
    }
    let converted = try inCurrency(leastPostMoney.currency, postMoney, on: date, rates)
    return QualifyingTest.Fact(
      subject: .postMoney, measured: .money(converted.amount), threshold: .money(leastPostMoney),
      met: converted.amount.amount >= leastPostMoney.amount, conversions: [converted.by].compactMap { $0 })
  }

  private func inCurrency(
    _ currency: Currency, _ amount: Money, on date: CalendarDate, _ rates: FXTable?
  ) throws(RepaymentRefusal) -> (amount: Money, by: FXConversion?) {
    if let rates { return try rates.convert(amount, to: currency, asOf: date, rounding: conversionRounding) }
    guard amount.currency == currency else { throw .currencyDiffers(expected: currency, found: amount.currency) }
    return (amount, nil)
  }
}
