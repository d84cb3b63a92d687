import Lending
import Primitives
import PropertyKit
import Repayment
import Testing

/// The loans of one startup through a random life, with a journal of all that was posted beside them. After each act the
/// laws of the domain are looked at.
private struct Life {
  enum Act: CaseIterable {
    case deliver, pass, charge, sweep, pay, overpay, startReturn, finishReturn, mature, backdate, complete, takeBack
  }

  /// What was posted on a loan: the debt must be its sum.
  struct Journal {
    var entries: [StepAmounts] = []
    var fees: Int64 = 0
  }

  private(set) var loans: [LivingLoan] = []
  private(set) var today: CalendarDate
  private(set) var journals: [LoanID: Journal] = [:]
  /// Acts that did something, for the test's own honesty.
  private(set) var done: Set<String> = []
  private var lastReceipt: Allocation?

  init(_ random: inout SplitMix64, from start: CalendarDate) throws {
    self.today = start
    for number in 0..<random.int(in: 1...4) {
      let quantity = random.int64(in: 1...16)
      loans.append(
        try LivingLoan(
          UInt64(number), principal: quantity * random.int64(in: 1...100_000), rateBps: random.int64(in: 0...4_000),
          sweepBps: random.int64(in: 0...10_000), rank: random.int64(in: 1...2), quantity: quantity,
          leastAmount: random.oneIn(3) ? random.int64(in: 1...500_000) : nil,
          dayCount: random.oneIn(2) ? .act360 : .act365F, tradeOn: start))
    }
  }

  private mutating func post(_ amounts: StepAmounts, on loan: LoanID) {
    journals[loan, default: Journal()].entries.append(amounts)
  }

  private func negative(_ amounts: StepAmounts) -> StepAmounts {
    StepAmounts(charges: -amounts.charges, fee: -amounts.fee, principal: -amounts.principal)
  }

  private mutating func accrue(_ index: Int) throws {
    let amount = try loans[index].accrue(through: today)
    journals[loans[index].loan.id, default: Journal()].fees += amount
    post(StepAmounts(charges: 0, fee: amount, principal: 0), on: loans[index].loan.id)
  }

  mutating func perform(_ act: Act, _ random: inout SplitMix64) throws {
    let index = random.int(in: 0...loans.count - 1)
    let loan = loans[index].loan
    switch act {
    case .deliver:
      guard loan.state == .agreed else { return }
      try loans[index].deliver(on: today)
      post(StepAmounts(charges: 0, fee: 0, principal: loan.terms.principal.amount), on: loan.id)
    case .pass:
      today = try #require(today.adding(days: random.int64(in: 0...90)))
      for index in loans.indices where Loan.Act.accrue.from.contains(loans[index].loan.state) { try accrue(index) }
    case .charge:
      guard Loan.Act.charge.from.contains(loan.state) else { return }
      let amount = random.int64(in: 1...5_000)
      try loans[index].loan.addCharge(amount)
      post(StepAmounts(charges: amount, fee: 0, principal: 0), on: loan.id)
    case .sweep: try sweep(random.int64(in: 0...800_000))
    case .pay: try pay(random.int64(in: 1...400_000), &random)
    case .overpay: try overpay(index)
    case .startReturn:
      guard Loan.Act.startReturn.from.contains(loan.state), loan.unitsOut > 0 else { return }
      try loans[index].loan.startReturn(random.int64(in: 1...loan.unitsOut))
    case .finishReturn: try finishReturn(index, &random)
    case .mature:
      guard random.oneIn(4), Loan.Act.becomeDue.from.contains(loan.state) else { return }
      try loans[index].loan.becomeDue(
        LoanDue(cause: .maturity, causeID: loan.id.value, since: today, amount: nil))
    case .backdate: try backdate(index)
    case .complete:
      guard loan.completion != .running else { return }
      loans[index].loan.close(on: today, titlePasses: loan.unitsOut > 0)
    case .takeBack: try takeBack(&random)
    }
    done.insert("\(act)")
  }

  /// A verified closing makes due what it makes due; the position's own sweep must say the same.
  private mutating func sweep(_ cash: Int64) throws {
    let running = loans.filter { $0.loan.isRunning && Loan.Act.becomeDue.from.contains($0.loan.state) }
    for index in loans.indices where Loan.Act.accrue.from.contains(loans[index].loan.state) { try accrue(index) }
    let closing = SweepClosingInput(
      id: ClosingID(UUIDValue(high: 1, low: 1)), roundID: FundingRoundID(UUIDValue(high: 1, low: 1)), closedOn: today,
      netNewCash: Money(cash, .usd))
    let facts = FundingRoundFacts(
      kind: .priced, closings: [.init(closedOn: today, netNewCash: closing.netNewCash)], postMoney: nil)
    let ids = Set(running.map(\.loan.id))
    let positions = try loans.filter { ids.contains($0.loan.id) }.map { try $0.position }
    let run = try Sweep.run(
      [closing], rounds: [SweepRound(id: closing.roundID, facts: facts)], loans: positions, on: today)
    var sum: Int64 = 0
    for due in run.steps[0].dues {
      let index = try #require(loans.firstIndex { $0.loan.id == due.loanID })
      let whole = try due.amount.amount == loans[index].loan.outstanding.total()
      try loans[index].loan.becomeDue(
        LoanDue(
          cause: .fundingRound, causeID: closing.id.value, since: today, amount: whole ? nil : due.amount.amount))
      sum += due.amount.amount
    }
    try hold(sum <= cash, "\(sum) are due of \(cash)")
    for position in run.loans {
      let index = try #require(loans.firstIndex { $0.loan.id == position.loanID })
      try hold(position.collectable == steps(loans[index].loan.collectable), "\(position.loanID) differs")
    }
  }

  private mutating func pay(_ cash: Int64, _ random: inout SplitMix64) throws {
    let claims = loans.filter { !$0.loan.collectable.isZero }.map {
      Claim(
        loanID: $0.loan.id, lenderID: $0.loan.terms.lenderID, rank: $0.loan.terms.rank,
        due: steps($0.loan.collectable), hasAcceded: $0.loan.id.value.low != 3)
    }
    let waterfall = WaterfallDefinition.standard(for: try random.pick(CashSource.allCases))
    let allocation = try waterfall.allocate(cash, claims: claims)
    try hold(allocation.lines.reduce(allocation.remainder) { $0 + $1.amount } == cash, "the parts do not sum")
    for claim in claims {
      let part = allocation.paid(on: claim.loanID)
      guard part != .none else { continue }
      let index = try #require(loans.firstIndex { $0.loan.id == claim.loanID })
      try loans[index].loan.pay(debt(part))
      post(negative(part), on: claim.loanID)
    }
    lastReceipt = allocation
  }

  /// More than is owed is refused and changes nothing.
  private func overpay(_ index: Int) throws {
    var loan = loans[index].loan
    guard Loan.Act.pay.from.contains(loan.state) else { return }
    var payment = loan.outstanding
    payment.principal += 1
    let isRefused = (try? loan.pay(payment)) == nil
    try hold(isRefused && loan == loans[index].loan, "an overpayment was taken")
  }

  private mutating func finishReturn(_ index: Int, _ random: inout SplitMix64) throws {
    let loan = loans[index].loan
    guard Loan.Act.finishReturn.from.contains(loan.state), loan.unitsReturning > 0 else { return }
    let units = random.int64(in: 1...loan.unitsReturning)
    let credit = try ReturnCredit.proRataOutstanding.amount(
      units: units, of: loan.unitsOut + loan.unitsReturning, principal: loan.outstanding.principal, on: today,
      conditionCharge: random.oneIn(3) ? random.int64(in: 0...2_000) : 0)
    try loans[index].loan.finishReturn(units, credit: credit.credit)
    post(StepAmounts(charges: 0, fee: 0, principal: -credit.credit), on: loan.id)
  }

  /// A fee before what is posted is refused.
  private func backdate(_ index: Int) throws {
    guard let through = loans[index].loan.accruedThrough, let before = through.adding(days: -1) else { return }
    let state = try loans[index].accrual
    let isRefused: Bool
    do {
      _ = try state.accrue(principal: 1, rate: BasisPoints(1), through: before)
      isRefused = false
    } catch { isRefused = error == .accrualBackdated(given: before, accruedThrough: through) }
    try hold(isRefused, "a fee was posted backdated")
  }

  /// A clawback of the last receipt never reinstates more than it had discharged.
  private func takeBack(_ random: inout SplitMix64) throws {
    guard let receipt = lastReceipt else { return }
    let paid = receipt.lines.reduce(0) { $0 + $1.amount }
    let amount = random.int64(in: 0...paid)
    let clawback = try Clawback(amount, of: receipt, remainderLeft: 0)
    try hold(clawback.claim == amount, "the parts do not sum")
    for loan in clawback.loans {
      let (back, gone) = (clawback.reinstated(on: loan), receipt.discharged(on: loan))
      try hold(WaterfallStep.allCases.allSatisfy { back[$0] <= gone[$0] }, "\(loan) owes more again than it paid")
    }
  }

  /// What always holds.
  func check() throws {
    for living in loans {
      let loan = living.loan
      let owed = living.owed
      try hold(WaterfallStep.allCases.allSatisfy { owed[$0] >= 0 }, "\(loan.id) owes less than nothing: \(owed)")
      var sum = StepAmounts.none
      let journal = journals[loan.id] ?? Journal()
      for entry in journal.entries { sum = try sum.adding(entry) }
      try hold(sum == owed, "\(loan.id) owes \(owed), its journal says \(sum)")
      try hold(loan.feeAccruedTotal == journal.fees, "\(loan.id) accrued \(loan.feeAccruedTotal), not \(journal.fees)")
      let units = loan.unitsOut + loan.unitsReturning + loan.unitsReturned + loan.unitsOwned
      let expected = loan.deliveredOn == nil ? 0 : loan.terms.quantity
      try hold(units == expected, "\(loan.id) has \(units) chips, not \(expected)")
      try hold(loan.unitsOut >= 0 && loan.unitsReturning >= 0, "\(loan.id) has chips below zero")
      let collectable = steps(loan.collectable)
      try hold(WaterfallStep.allCases.allSatisfy { collectable[$0] <= owed[$0] }, "\(loan.id) collects too much")
      if case let amount?? = loan.due.map(\.amount) {
        try hold(amount > 0 && Int128(amount) <= Int128(try owed.total()), "\(loan.id) has \(amount) due of \(owed)")
      }
      if loan.state == .closed { try hold(owed == .none, "\(loan.id) is closed and owes \(owed)") }
      guard loan.accruedThrough != nil else { continue }
      let accrual = try living.accrual
      try hold(accrual.accruedTotal >= 0, "\(loan.id) accrued below zero")
    }
  }
}

@Suite("Random lives of loans")
struct RandomLivesTests {
  @Test("the laws hold after each act of twenty thousand lives", arguments: 0..<4)
  func lives(part: UInt64) throws {
    let start = try day("2024-01-01")
    var done: Set<String> = []
    try forAll(seeds: (part * 5_000 + 1)...(part * 5_000 + 5_000)) { random in
      var life = try Life(&random, from: start)
      for _ in 0..<random.int(in: 8...40) {
        // Most loans are delivered early, or nothing much would happen.
        let act: Life.Act = random.oneIn(4) ? .deliver : try random.pick(Life.Act.allCases)
        try life.perform(act, &random)
        try life.check()
      }
      done.formUnion(life.done)
    }
    #expect(done.count == Life.Act.allCases.count, "some act was never done: \(done.sorted())")
  }
}
