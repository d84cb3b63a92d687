import Primitives

/// A round that a startup thinks about.
package struct HypotheticalRound: Sendable, Hashable {
  package let kind: FundingRoundKind
  /// In one currency.
  package let closings: [FundingRoundFacts.Closing]
  package let postMoney: Money?
  package let isInsider: Bool

  package init(
    kind: FundingRoundKind, closings: [FundingRoundFacts.Closing], postMoney: Money?, isInsider: Bool = false
  ) {
    self.kind = kind
    self.closings = closings
    self.postMoney = postMoney
    self.isInsider = isInsider
  }
}

/// What a round would do: to each loan, to each lender, and to the startup's cash. Computed by the very functions that
/// sweep a real closing and divide real money.
package struct SweepPreview: Sendable, Hashable {
  package struct LoanOutcome: Sendable, Hashable {
    package let loanID: LoanID
    package let lenderID: OrganizationID
    package let currency: Currency
    /// Fee accrued to the first closing day.
    package let before: StepAmounts
    /// Made due by the closings, in all.
    package let due: Int64
    /// In cash, by step.
    package let paid: StepAmounts
    /// Fee accrued to the last closing day.
    package let after: StepAmounts
    /// Nothing is owed any more.
    package var isPaidOff: Bool { after == .none }
  }

  /// What a lender receives in a currency, by step.
  package struct LenderTake: Sendable, Hashable {
    package let lenderID: OrganizationID
    package let currency: Currency
    package let paid: StepAmounts
  }

  /// One closing with the money it pays out.
  package struct Step: Sendable, Hashable {
    package let sweep: SweepExplanation
    /// By currency: one receipt each.
    package let payments: [AllocationExplanation]
  }

  package let steps: [Step]
  /// By id.
  package let loans: [LoanOutcome]
  /// By lender, then currency.
  package let lenders: [LenderTake]
  /// Net new cash of all closings, in the round's currency.
  package let cash: Int64
  /// What of it went to lenders; foreign currency bought at the day's rate, rounded up.
  package let spent: Int64
  /// What stays with the startup.
  package var netCash: Int64 { cash - spent }
}

extension SweepPreview {
  /// Previews a round. At each closing the startup pays what is then collectable, as far as the cash of the closings so
  /// far reaches, each currency with one receipt, in the order of their codes.
  /// - Parameters:
  ///   - history: rounds that were verified, for cumulative amounts.
  ///   - loans: the startup's running loans.
  ///   - rates: for loans in other currencies.
  /// - Throws: `RepaymentRefusal` as `Sweep.run` and `WaterfallDefinition.allocate` do, and for closings in two
  ///   currencies.
  package init(
    _ round: HypotheticalRound, history: [SweepRound] = [], loans: [LoanPosition],
    waterfall: WaterfallDefinition = .standard(for: .round), rates: FXTable? = nil
  ) throws(RepaymentRefusal) {
    let plan = Plan(round, history)
    var account = Account(loans: loans, cash: 0, spent: 0)
    var steps: [Step] = []
    var before: [LoanID: StepAmounts] = [:]
    for (index, closing) in plan.closings.enumerated() {
      guard closing.netNewCash.currency == plan.closings[0].netNewCash.currency else {
        throw .currencyDiffers(expected: plan.closings[0].netNewCash.currency, found: closing.netNewCash.currency)
      }
      let run = try Sweep.run([closing], rounds: plan.rounds, loans: account.loans, rates: rates)
      if index == 0 { for loan in run.loans { before[loan.loanID] = loan.owed } }
      account.loans = run.loans
      let payments = try account.pay(closing, by: waterfall, rates)
      for step in run.steps { steps.append(Step(sweep: step.explanation, payments: payments)) }
    }
    self.steps = steps
    self.cash = account.cash
    self.spent = account.spent
    self.loans = try Self.outcomes(account.loans, before: before, steps)
    self.lenders = try Self.takes(self.loans)
  }

  private static func outcomes(
    _ loans: [LoanPosition], before: [LoanID: StepAmounts], _ steps: [Step]
  ) throws(RepaymentRefusal) -> [LoanOutcome] {
    var outcomes: [LoanOutcome] = []
    for loan in loans.sorted(by: { $0.loanID < $1.loanID }) {
      var paid = StepAmounts.none
      var due: Int64 = 0
      for step in steps {
        for payment in step.payments { paid = try paid.adding(payment.allocation.paid(on: loan.loanID)) }
        for line in step.sweep.due where line.loanID == loan.loanID {
          let sum = due
          due = try checked { () throws(ArithmeticOverflow) in try sum.adding(line.amount.amount) }
        }
      }
      outcomes.append(
        LoanOutcome(
          loanID: loan.loanID, lenderID: loan.lenderID, currency: loan.currency,
          before: before[loan.loanID] ?? loan.owed,
          due: due, paid: paid, after: loan.owed))
    }
    return outcomes
  }

  private static func takes(_ loans: [LoanOutcome]) throws(RepaymentRefusal) -> [LenderTake] {
    struct Key: Hashable {
      let lender: OrganizationID
      let currency: Currency
    }
    var sums: [Key: StepAmounts] = [:]
    for loan in loans {
      let key = Key(lender: loan.lenderID, currency: loan.currency)
      sums[key] = try (sums[key] ?? .none).adding(loan.paid)
    }
    return sums.map { LenderTake(lenderID: $0.key.lender, currency: $0.key.currency, paid: $0.value) }
      .sorted { $0.lenderID != $1.lenderID ? $0.lenderID < $1.lenderID : $0.currency < $1.currency }
  }

  /// The round as sweeps take it. It has no ids yet, so it gets ones that no real round has: a version-7 UUID never has
  /// its upper half zero.
  private struct Plan {
    let rounds: [SweepRound]
    let closings: [SweepClosingInput]

    init(_ round: HypotheticalRound, _ history: [SweepRound]) {
      let id = FundingRoundID(UUIDValue(high: 0, low: 0))
      let facts = FundingRoundFacts(
        kind: round.kind, closings: round.closings, postMoney: round.postMoney, isInsider: round.isInsider)
      self.rounds = history + [SweepRound(id: id, facts: facts)]
      self.closings = round.closings.sorted { $0.closedOn < $1.closedOn }.enumerated().map { index, closing in
        SweepClosingInput(
          id: ClosingID(UUIDValue(high: 0, low: UInt64(index))), roundID: id, closedOn: closing.closedOn,
          netNewCash: closing.netNewCash)
      }
    }
  }

  /// The startup's side: its loans and its cash.
  private struct Account {
    var loans: [LoanPosition]
    var cash: Int64
    var spent: Int64

    /// Takes the closing's cash, and pays what is collectable as far as it reaches.
    mutating func pay(
      _ closing: SweepClosingInput, by waterfall: WaterfallDefinition, _ rates: FXTable?
    ) throws(RepaymentRefusal) -> [AllocationExplanation] {
      let (currency, day) = (closing.netNewCash.currency, closing.closedOn)
      let cashBefore = cash
      cash = try checked { () throws(ArithmeticOverflow) in try cashBefore.adding(closing.netNewCash.amount) }
      var payments: [AllocationExplanation] = []
      for paid in Set(loans.map(\.currency)).sorted() {
        let payment = try SweepPayment(
          upTo: Money(cash - spent, currency), in: paid, on: day, loans: loans, waterfall: waterfall, rates: rates)
        guard let explanation = payment.explanation else { continue }
        spent += payment.cost
        payments.append(explanation)
        for index in loans.indices where loans[index].currency == paid {
          try loans[index].take(explanation.allocation)
        }
      }
      return payments
    }
  }
}

/// One payment of what is collectable in a currency, out of cash in the same or another.
private struct SweepPayment {
  /// nil: nothing is collectable, or there is no cash.
  private(set) var explanation: AllocationExplanation?
  /// In the currency of the cash, at most what there was. What caps of the waterfall leave over is not spent.
  private(set) var cost: Int64 = 0

  init(
    upTo cash: Money, in currency: Currency, on day: CalendarDate, loans: [LoanPosition],
    waterfall: WaterfallDefinition, rates: FXTable?
  ) throws(RepaymentRefusal) {
    let claims = loans.filter { $0.currency == currency }.map { $0.claim(on: day) }
    let need = try waterfall.price(of: claims)
    guard need > 0, cash.amount > 0 else { return }
    var amount = min(need, cash.amount)
    if cash.currency != currency {
      guard let rates else { throw .currencyDiffers(expected: cash.currency, found: currency) }
      amount = min(need, try rates.convert(cash, to: currency, asOf: day, rounding: .down).amount.amount)
    }
    guard amount > 0 else { return }
    let explanation = try waterfall.explain(Money(amount, currency), claims: claims)
    let paid = Money(amount - explanation.allocation.remainder, currency)
    self.explanation = explanation
    self.cost = paid.amount
    if cash.currency != currency, let rates {
      // Bought whole units up; the cash, converted down before, covers that but for a unit at most.
      cost = min(cash.amount, try rates.convert(paid, to: cash.currency, asOf: day, rounding: .up).amount.amount)
    }
  }
}
