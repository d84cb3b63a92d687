import Primitives

/// A verified round that a run of sweeps knows of.
package struct SweepRound: Sendable, Hashable {
  package let id: FundingRoundID
  package let facts: FundingRoundFacts

  package init(id: FundingRoundID, facts: FundingRoundFacts) {
    self.id = id
    self.facts = facts
  }
}

/// A closing to be swept.
package struct SweepClosingInput: Sendable, Hashable {
  package let id: ClosingID
  package let roundID: FundingRoundID
  package let closedOn: CalendarDate
  package let netNewCash: Money
  /// What this cash made due before, by loan, in the closing's currency: when a run is taken up again, or a closing is
  /// verified for more.
  package let sweptBefore: [LoanID: Int64]

  package init(
    id: ClosingID, roundID: FundingRoundID, closedOn: CalendarDate, netNewCash: Money,
    sweptBefore: [LoanID: Int64] = [:]
  ) {
    self.id = id
    self.roundID = roundID
    self.closedOn = closedOn
    self.netNewCash = netNewCash
    self.sweptBefore = sweptBefore
  }
}

/// Several closings swept one after another.
package struct SweepRun: Sendable, Hashable {
  /// One closing, in the order of sweeping.
  package struct Step: Sendable, Hashable {
    package let explanation: SweepExplanation
    /// What is due now because of it, in each loan's own currency; only amounts above 0, by loan id.
    package let dues: [SweepExplanation.LoanDue]
  }

  package let steps: [Step]
  /// The loans after all closings, by id, fees accrued to the last day.
  package let loans: [LoanPosition]
}

extension Sweep {
  /// Sweeps closings of one or more rounds, by closing day, then id. Each has its own pool; what one makes due is no
  /// longer open to the next, and what its cash brought before is taken off.
  /// - Parameters:
  ///   - closings: each at most once; its round must be among the rounds.
  ///   - rounds: all verified rounds of the startup, for cumulative amounts.
  ///   - loans: its running loans, each at most once.
  ///   - on: fees are accrued to this day, or to the closing day where that is later; nil for each closing's own day.
  ///   - rates: for loans in another currency than a closing's; nil where that is to be refused.
  /// - Throws: `RepaymentRefusal` for doubles, unknown rounds, missing rates, negative amounts, and past Int64.
  package static func run(
    _ closings: [SweepClosingInput], rounds: [SweepRound], loans: [LoanPosition], on date: CalendarDate? = nil,
    rates: FXTable? = nil
  ) throws(RepaymentRefusal) -> SweepRun {
    try refuseDuplicates(loans.lazy.map(\.loanID))
    var seen: Set<ClosingID> = []
    for closing in closings where !seen.insert(closing.id).inserted { throw .closingTwice(closing.id) }
    var positions = loans.sorted { $0.loanID < $1.loanID }
    var steps: [SweepRun.Step] = []
    for closing in closings.sorted(by: { $0.closedOn != $1.closedOn ? $0.closedOn < $1.closedOn : $0.id < $1.id }) {
      let day = max(date ?? closing.closedOn, closing.closedOn)
      for index in positions.indices { try positions[index].accrue(through: day) }
      let explanation = try explain(closing, rounds: rounds, loans: positions, rates)
      steps.append(SweepRun.Step(explanation: explanation, dues: explanation.due.filter { $0.amount.amount > 0 }))
      let dues = Dictionary(
        explanation.due.map { ($0.loanID, $0) }, uniquingKeysWith: { first, _ in first })
      for index in positions.indices {
        guard let due = dues[positions[index].loanID] else { continue }
        if due.cause == .changeOfControl {
          positions[index].becomeDueInFull()
        } else {
          try positions[index].becomeDue(due.amount.amount)
        }
      }
    }
    return SweepRun(steps: steps, loans: positions)
  }

  /// One closing over loans whose fees are accrued: tests each covenant, shares the pool, and keeps the record.
  /// - Throws: as `run` does.
  package static func explain(
    _ closing: SweepClosingInput, rounds: [SweepRound], loans: [LoanPosition], _ rates: FXTable? = nil
  ) throws(RepaymentRefusal) -> SweepExplanation {
    guard let round = rounds.first(where: { $0.id == closing.roundID }) else { throw .noClosing(on: closing.closedOn) }
    let others = rounds.filter { $0.id != closing.roundID }.sorted { $0.id < $1.id }.map(\.facts)
    let currency = closing.netNewCash.currency
    var tests: [SweepExplanation.Tested] = []
    var candidates: [SweepCandidate] = []
    for loan in loans.sorted(by: { $0.loanID < $1.loanID }) {
      var isIn = round.facts.kind == .acquisition
      if let covenant = loan.covenant, !isIn {
        isIn = covenant.isChangeOfControl(round.facts.kind)
        if !isIn {
          let test = try covenant.test(
            closingOn: closing.closedOn, of: round.facts, otherRounds: others, rates: rates)
          tests.append(SweepExplanation.Tested(loanID: loan.loanID, facts: test.facts.map { .init($0) }))
          isIn = test.met
        }
      }
      guard isIn else { continue }
      candidates.append(try loan.candidate(of: round.facts.kind, in: currency, on: closing.closedOn, rates))
    }
    let dues = try dues(
      kind: round.facts.kind, netNewCash: closing.netNewCash.amount, candidates: candidates,
      sweptBefore: closing.sweptBefore)
    let table = Dictionary(loans.map { ($0.loanID, $0) }, uniquingKeysWith: { first, _ in first })
    var due: [SweepExplanation.LoanDue] = []
    for line in dues.lines {
      guard let loan = table[line.loanID] else { continue }
      due.append(try inLoanCurrency(line, loan, closing, rates))
    }
    return SweepExplanation(
      closing: closing, kind: round.facts.kind, tests: tests, candidates: candidates, dues: dues,
      due: due.sorted { $0.loanID < $1.loanID })
  }

  /// A line of a closing as the loan's own money: rounded down, and never more than is open.
  private static func inLoanCurrency(
    _ line: SweepDues.Line, _ loan: LoanPosition, _ closing: SweepClosingInput, _ rates: FXTable?
  ) throws(RepaymentRefusal) -> SweepExplanation.LoanDue {
    let amount = Money(line.amount, closing.netNewCash.currency)
    guard amount.currency != loan.currency, let rates else {
      return SweepExplanation.LoanDue(loanID: loan.loanID, cause: line.cause, amount: amount)
    }
    let conversion = try loan.conversion(into: amount.currency, on: closing.closedOn, rates)
    return SweepExplanation.LoanDue(
      loanID: loan.loanID, cause: line.cause, amount: try conversion.due(line, in: amount.currency),
      conversion: conversion)
  }
}
