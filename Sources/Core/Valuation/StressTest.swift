import Primitives

/// What a stress test supposes. Nothing of it is a forecast: it says what would be lost if this came.
package struct StressScenario: Sendable, Hashable {
  /// What every chip loses of its mark, in basis points; 0 to 10,000: a new generation.
  package var allChipsLoss: BasisPoints
  /// Of single models, in place of that of all.
  package var chipLoss: [ChipModelID: BasisPoints]
  /// What every startup loses of its valuation, 0 to 10,000: a down round across the book.
  package var allStartupsLoss: BasisPoints
  package var startupLoss: [OrganizationID: BasisPoints]
  /// What the sale of chips costs, of their value; below the whole.
  package var saleHaircut: BasisPoints
  /// What chips that a rule holds would still bring: 0 where nobody may buy or move them.
  package var heldRecovery: BasisPoints
  /// Chip value over debt, in basis points, below which a loan counts as in breach.
  package var leastCoverage: BasisPoints
  /// Debt over valuation, in basis points, above which a startup is taken to fail. One whose valuation is not known fails
  /// whatever it owes.
  package var failsAbove: BasisPoints

  package init(
    allChipsLoss: BasisPoints = BasisPoints(0), chipLoss: [ChipModelID: BasisPoints] = [:],
    allStartupsLoss: BasisPoints = BasisPoints(0), startupLoss: [OrganizationID: BasisPoints] = [:],
    saleHaircut: BasisPoints = BasisPoints(0), heldRecovery: BasisPoints = BasisPoints(0),
    leastCoverage: BasisPoints = .whole, failsAbove: BasisPoints = .whole
  ) {
    self.allChipsLoss = allChipsLoss
    self.chipLoss = chipLoss
    self.allStartupsLoss = allStartupsLoss
    self.startupLoss = startupLoss
    self.saleHaircut = saleHaircut
    self.heldRecovery = heldRecovery
    self.leastCoverage = leastCoverage
    self.failsAbove = failsAbove
  }

  /// The same market without what is supposed, by the same measures.
  var calm: StressScenario {
    StressScenario(
      saleHaircut: saleHaircut, heldRecovery: heldRecovery, leastCoverage: leastCoverage, failsAbove: failsAbove)
  }

  func loss(of chip: ChipModelID) -> BasisPoints { chipLoss[chip] ?? allChipsLoss }
  func loss(of startup: OrganizationID) -> BasisPoints { startupLoss[startup] ?? allStartupsLoss }
}

/// A book of loans before and after a scenario, computed on copies: it changes nothing.
package struct StressTest: Sendable, Hashable {
  /// One side of a loan's comparison.
  package struct Standing: Sendable, Hashable {
    /// What a sale of the chips would bring, in minor units, rounded down.
    package let recoverable: Int64
    /// Recoverable over outstanding, in basis points, rounded down; nil when nothing is outstanding.
    package let coverage: BasisPoints?
    package let isBreach: Bool
    /// The startup's debt in the currency of the loan over its valuation, in basis points, rounded up; nil where that is
    /// not known, or nothing is left of it.
    package let debtOverValuation: BasisPoints?
    /// The startup is taken to fail.
    package let fails: Bool
    /// What would be lost if the startup failed, whether or not it does: outstanding less recoverable, at least 0.
    package let uncovered: Int64
    /// That, where it fails; else 0.
    package let loss: Int64
  }

  package struct Line: Sendable, Hashable {
    package let position: RiskPosition
    package let before: Standing
    package let after: Standing
  }

  /// Of one lender, startup, or the whole book, in one currency; minor units.
  package struct Sum: Sendable, Hashable {
    package let organizationID: OrganizationID?
    package let currency: Currency
    package var loans: Int64 = 0
    package var outstanding: Int64 = 0
    package var lossBefore: Int64 = 0
    package var lossAfter: Int64 = 0
    package var uncoveredBefore: Int64 = 0
    package var uncoveredAfter: Int64 = 0
    package var breachesBefore: Int64 = 0
    package var breachesAfter: Int64 = 0

    fileprivate mutating func add(_ line: Line) throws(ArithmeticOverflow) {
      loans += 1
      outstanding = try outstanding.adding(line.position.outstanding.amount)
      lossBefore = try lossBefore.adding(line.before.loss)
      lossAfter = try lossAfter.adding(line.after.loss)
      uncoveredBefore = try uncoveredBefore.adding(line.before.uncovered)
      uncoveredAfter = try uncoveredAfter.adding(line.after.uncovered)
      breachesBefore += line.before.isBreach ? 1 : 0
      breachesAfter += line.after.isBreach ? 1 : 0
    }
  }

  /// In the order of loan ids.
  package let lines: [Line]
  /// By currency, the greatest loss first.
  package let lenders: [Sum]
  package let totals: [Sum]

  /// - Parameters:
  ///   - before: positions as they are.
  ///   - after: the same loans with what the scenario changes of their rules (`isHeld`); in the same order.
  /// - Throws: `ValuationRefusal` across currencies, for shares out of range and for sums past the range of money.
  package init(
    before: [RiskPosition], after: [RiskPosition], _ scenario: StressScenario
  ) throws(ValuationRefusal) {
    let calm = try Self.standings(before, scenario.calm)
    let stressed = try Self.standings(after, scenario)
    var lines: [Line] = []
    for (index, position) in before.enumerated() {
      lines.append(Line(position: position, before: calm[index], after: stressed[index]))
    }
    lines.sort { $0.position.loanID < $1.position.loanID }
    self.lines = lines
    lenders = try Self.sums(lines) { $0.position.lenderID }
    totals = try Self.sums(lines) { _ in nil }
  }

  private struct DebtKey: Hashable {
    let borrower: OrganizationID
    let currency: Currency
  }

  private static func standings(
    _ book: [RiskPosition], _ scenario: StressScenario
  ) throws(ValuationRefusal) -> [Standing] {
    var debts: [DebtKey: Int64] = [:]
    for position in book {
      let key = DebtKey(borrower: position.borrowerID, currency: position.outstanding.currency)
      do {
        debts[key] = try debts[key, default: 0].adding(position.outstanding.amount)
      } catch {
        throw .overflow
      }
    }
    var standings: [Standing] = []
    for position in book {
      let currency = position.outstanding.currency
      let debt = Money(debts[DebtKey(borrower: position.borrowerID, currency: currency), default: 0], currency)
      standings.append(try standing(of: position, owing: debt, scenario))
    }
    return standings
  }

  private static func standing(
    of position: RiskPosition, owing debt: Money, _ scenario: StressScenario
  ) throws(ValuationRefusal) -> Standing {
    let currency = position.outstanding.currency
    let recoverable = try position.chipValue(
      loss: scenario.loss(of: position.chip), haircut: scenario.saleHaircut,
      recovery: position.isHeld ? scenario.heldRecovery : .whole)
    let coverage = try Coverage.ratio(value: Money(recoverable, currency), outstanding: position.outstanding)
    var ratio: BasisPoints?
    if let valuation = position.valuation {
      let left = 10_000 - scenario.loss(of: position.borrowerID).value
      let value: Money
      do {
        let scaled = Int128(valuation.amount) * Int128(left)
        value = Money(try scaled.divided(by: 10_000, rounding: .down).asInt64(), valuation.currency)
      } catch {
        throw .overflow
      }
      ratio = try Coverage.debtOverValuation(debt: debt, valuation: value)
    }
    let fails = debt.amount > 0 && (ratio.map { $0 > scenario.failsAbove } ?? true)
    let uncovered = max(0, position.outstanding.amount - recoverable)
    return Standing(
      recoverable: recoverable, coverage: coverage, isBreach: coverage.map { $0 < scenario.leastCoverage } ?? false,
      debtOverValuation: ratio, fails: fails, uncovered: uncovered, loss: fails ? uncovered : 0)
  }

  private static func sums(
    _ lines: [Line], by key: (Line) -> OrganizationID?
  ) throws(ValuationRefusal) -> [Sum] {
    struct Place: Hashable {
      let organization: OrganizationID?
      let currency: Currency
    }
    var sums: [Place: Sum] = [:]
    for line in lines {
      let place = Place(organization: key(line), currency: line.position.outstanding.currency)
      do {
        try sums[place, default: Sum(organizationID: place.organization, currency: place.currency)].add(line)
      } catch {
        throw .overflow
      }
    }
    return Array(sums.values).sorted(by: precedes)
  }

  private static func precedes(_ left: Sum, _ right: Sum) -> Bool {
    if left.currency != right.currency { return left.currency < right.currency }
    if left.lossAfter != right.lossAfter { return left.lossAfter > right.lossAfter }
    if left.uncoveredAfter != right.uncoveredAfter { return left.uncoveredAfter > right.uncoveredAfter }
    // One sum of a currency has no organisation, and then it is the only one.
    guard let one = left.organizationID, let other = right.organizationID else { return false }
    return one < other
  }
}
