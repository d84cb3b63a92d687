import Primitives
import PropertyKit
import Repayment
import Testing

private func closingID(_ number: UInt64) -> ClosingID { ClosingID(UUIDValue(high: 5, low: number)) }
private let roundID = FundingRoundID(UUIDValue(high: 6, low: 1))

@Suite("Several closings at once")
struct SweepRunTests {
  private func position(
    _ number: UInt64, owed: Int64, sweepBps: Int64, rank: Int64 = 1, currency: Currency = .usd,
    due: LoanPosition.Due = .nothing, licenceAndHire: LicenceAndHireTerm = .sweepsFee
  ) throws -> LoanPosition {
    let first = try day("2024-01-01")
    return LoanPosition(
      loanID: loanID(number), lenderID: lenderID(number), currency: currency, rank: rank,
      covenant: Covenant(
        leastAmount: nil, leastPostMoney: nil, sweep: BasisPoints(sweepBps), firstDay: first,
        licenceAndHire: licenceAndHire),
      rate: BasisPoints(0), accrual: try FeeAccrual(dayCount: .act365F, accruedThrough: first),
      owed: StepAmounts(charges: 0, fee: 0, principal: owed), due: due)
  }

  private func closing(
    _ number: UInt64, _ date: String, _ cash: Int64, sweptBefore: [LoanID: Int64] = [:]
  ) throws -> SweepClosingInput {
    SweepClosingInput(
      id: closingID(number), roundID: roundID, closedOn: try day(date), netNewCash: Money(cash, .usd),
      sweptBefore: sweptBefore)
  }

  private func round(_ closings: [SweepClosingInput], kind: FundingRoundKind = .priced) -> SweepRound {
    SweepRound(
      id: roundID,
      facts: FundingRoundFacts(
        kind: kind, closings: closings.map { .init(closedOn: $0.closedOn, netNewCash: $0.netNewCash) }, postMoney: nil))
  }

  private func amounts(_ step: SweepRun.Step) -> [Int64] { step.explanation.due.map(\.amount.amount) }

  @Test("each closing has its own pool, and what one made due is not open to the next")
  func twoClosings() throws {
    let closings = [try closing(2, "2024-05-02", 100), try closing(1, "2024-05-02", 100)]
    let loans = [try position(1, owed: 80, sweepBps: 5_000), try position(2, owed: 200, sweepBps: 2_500)]
    // First 50 are shared 80 : 200, but the second is capped at 25; then it is open 55 and 175, with the same caps.
    let run = try Sweep.run(closings, rounds: [round(closings)], loans: loans)
    #expect(run.steps.map(\.explanation.closing.id) == [closingID(1), closingID(2)])
    #expect(run.steps.map(amounts) == [[25, 25], [25, 25]])
    #expect(run.loans.map(\.due) == [.amount(50), .amount(50)])
    let line = run.steps[0].explanation.dues.lines[0]
    #expect(line.weight == 80)
    #expect(line.limit == .pool)
    // Given in another order the run is the same.
    #expect(try Sweep.run(closings.reversed(), rounds: [round(closings)], loans: loans.reversed()) == run)
  }

  @Test(
    "no cash is swept twice",
    arguments: [([1: 50], 0, [0]), ([1: 20], 30, [30]), ([7: 20], 30, [30]), ([7: 90], 0, [0]), ([:], 50, [50])]
      as [([UInt64: Int64], Int64, [Int64])])
  func sweptBefore(before: [UInt64: Int64], pool: Int64, due: [Int64]) throws {
    let swept = Dictionary(uniqueKeysWithValues: before.map { (loanID($0.key), $0.value) })
    let input = try closing(1, "2024-05-02", 100, sweptBefore: swept)
    let loans = [try position(1, owed: 80, sweepBps: 5_000)]
    let run = try Sweep.run([input], rounds: [round([input])], loans: loans)
    #expect(run.steps[0].explanation.dues.pool == pool)
    #expect(amounts(run.steps[0]) == due)
  }

  @Test("what a loan got of this cash before counts against its own share, not only against the pool")
  func ownShareBefore() throws {
    // The pool is 50 less 20; the first loan's quarter is 25, of which it got 20.
    let input = try closing(1, "2024-05-02", 100, sweptBefore: [loanID(1): 20])
    let loans = [try position(1, owed: 200, sweepBps: 2_500), try position(2, owed: 5, sweepBps: 5_000)]
    let run = try Sweep.run([input], rounds: [round([input])], loans: loans)
    #expect(amounts(run.steps[0]) == [5, 5])
  }

  @Test("amounts due add up to at most the debt; all at once is all, whatever it grows to")
  func becomeDue() throws {
    for (before, more, after) in [
      (.amount(60), 50, .amount(100)), (.amount(60), 40, .amount(100)), (.amount(60), 39, .amount(99)),
      (.amount(60), 100, .all), (.nothing, 100, .all), (.nothing, 101, .all), (.nothing, 0, .nothing), (.all, 5, .all),
      (.amount(60), .max, .all),
    ] as [(LoanPosition.Due, Int64, LoanPosition.Due)] {
      var loan = try position(1, owed: 100, sweepBps: 0, due: before)
      try loan.becomeDue(more)
      #expect(loan.due == after)
    }
    var loan = try position(1, owed: 100, sweepBps: 0)
    #expect(throws: RepaymentRefusal.negativeAmount(what: "amount due", -1)) { try loan.becomeDue(-1) }
  }

  @Test("lenders who have not acceded are swept for after all who have")
  func accession() throws {
    let outside = SweepCandidate(
      loanID: loanID(1), lenderID: lenderID(1), rank: 1, owed: StepAmounts(charges: 0, fee: 0, principal: 60),
      sweep: .whole, hasAcceded: false)
    let found = try Sweep.dues(
      kind: .priced, netNewCash: 80, candidates: [outside, candidate(2, rank: 9, owed: 60, sweepBps: 10_000)])
    #expect(found.lines.map(\.loanID) == [loanID(2), loanID(1)])
    #expect(found.lines.map(\.amount) == [60, 20])
    #expect(found.lines.map(\.limit) == [.owed, .pool])
  }

  @Test("the record says in a sentence a line why it is what it is, and its test and rates are in it")
  func sentences() throws {
    let input = try closing(1, "2024-05-02", 100)
    let loans = [try position(1, owed: 80, sweepBps: 5_000), try position(2, owed: 200, sweepBps: 2_500)]
    let record = try Sweep.run([input], rounds: [round([input])], loans: loans).steps[0].explanation
    #expect(
      record.sentences == [
        "\(loanID(1)) USD 0.25: rank 1, weight 80, exact share 2000/80 minor units; the pool of 50 ends here",
        "\(loanID(2)) USD 0.25: rank 1, weight 200, exact share 25/1 minor units; its own share of the cash",
      ])
    #expect(
      record.tests.map { $0.facts.map(\.subject) } == [
        QualifyingTest.Subject.allCases, QualifyingTest.Subject.allCases,
      ])
    #expect(record.tests[0].facts[0].measured == "2024-05-02")
  }

  @Test("what is due already is not made due again, and a loan wholly due takes no part of the pool")
  func alreadyDue() throws {
    let input = try closing(1, "2024-05-02", 100)
    let loans = [
      try position(1, owed: 80, sweepBps: 5_000, due: .amount(60)),
      try position(2, owed: 80, sweepBps: 5_000, due: .all),
      try position(3, owed: 80, sweepBps: 5_000),
    ]
    let run = try Sweep.run([input], rounds: [round([input])], loans: loans)
    // 50 over what is open, 20 and 80.
    #expect(run.steps[0].dues.map(\.amount.amount) == [10, 40])
    #expect(run.loans.map(\.due) == [.amount(70), .all, .amount(40)])
  }

  @Test("a loan in another currency: its debt is converted up, its dues down, and all of it is all of it")
  func foreign() throws {
    let eur = try #require(Currency("EUR"))
    let input = try closing(1, "2024-05-02", 10_000)
    let rates = try FXTable(
      [FXRate(base: eur, quote: .usd, mantissa: 1_103, places: 3, on: day("2024-05-01"), source: "ECB")],
      maxStalenessDays: 2)
    for (owed, share, due) in [
      // 50.01 EUR cost 55.17 USD (55.16103 up), of 100: all of it.
      (5_001, 10_000, 5_001),
      // A quarter of the cash, 25.00 USD, is 22.66 EUR (22.6654... down).
      (5_001, 2_500, 2_266),
    ] as [(Int64, Int64, Int64)] {
      let loans = [try position(1, owed: owed, sweepBps: share, currency: eur)]
      let run = try Sweep.run([input], rounds: [round([input])], loans: loans, rates: rates)
      #expect(run.steps[0].dues.map(\.amount) == [Money(due, eur)])
      #expect(run.steps[0].dues[0].rate == "EUR/USD 1.103 on 2024-05-01 (ECB)")
    }
    let loans = [try position(1, owed: 1, sweepBps: 1, currency: eur)]
    #expect(throws: RepaymentRefusal.currencyDiffers(expected: .usd, found: eur)) {
      try Sweep.run([input], rounds: [round([input])], loans: loans)
    }
    #expect(throws: RepaymentRefusal.noFXRate(from: eur, to: .usd, on: input.closedOn, lastKnown: nil)) {
      try Sweep.run([input], rounds: [round([input])], loans: loans, rates: .empty)
    }
  }

  @Test("one licence and hire is a sweep to one loan, and a change of control to another")
  func licenceAndHire() throws {
    let input = try closing(1, "2024-05-02", 100)
    let loans = [
      try position(1, owed: 900, sweepBps: 1, licenceAndHire: .changeOfControl),
      try position(2, owed: 900, sweepBps: 5_000),
      try position(3, owed: 900, sweepBps: 9_000, licenceAndHire: .ignored),
    ]
    let run = try Sweep.run([input], rounds: [round([input], kind: .licenceAndHire)], loans: loans)
    #expect(run.loans.map(\.due) == [.all, .amount(50), .nothing])
    #expect(run.steps[0].explanation.dues.pool == 50)
    #expect(run.steps[0].explanation.due.map(\.cause) == [.changeOfControl, .fundingRound])
    let bought = try Sweep.run([input], rounds: [round([input], kind: .acquisition)], loans: loans)
    #expect(bought.loans.map(\.due) == [.all, .all, .all])
  }

  @Test("doubles, unknown rounds and amounts below zero are refused")
  func refusals() throws {
    let input = try closing(1, "2024-05-02", 100)
    let loan = try position(1, owed: 1, sweepBps: 1)
    #expect(throws: RepaymentRefusal.closingTwice(closingID(1))) {
      try Sweep.run([input, input], rounds: [round([input])], loans: [])
    }
    #expect(throws: RepaymentRefusal.duplicateLoan(loanID(1))) {
      try Sweep.run([input], rounds: [round([input])], loans: [loan, loan])
    }
    #expect(throws: RepaymentRefusal.noClosing(on: input.closedOn)) {
      try Sweep.run([input], rounds: [], loans: [loan])
    }
    let negative = try closing(1, "2024-05-02", 100, sweptBefore: [loanID(9): -1])
    #expect(throws: RepaymentRefusal.negativeAmount(what: "amount swept before", -1)) {
      try Sweep.run([negative], rounds: [round([negative])], loans: [loan])
    }
  }

  @Test("split over many runs the same cash sweeps as much as in one, and records are read back the same")
  func resumed() throws {
    try forAll(seeds: 1...3_000) { random in
      let count = random.int(in: 1...5)
      var loans: [LoanPosition] = []
      for number in 1...count {
        loans.append(
          try position(
            UInt64(number), owed: random.int64(in: 1...300), sweepBps: random.int64(in: 0...10_000),
            rank: random.int64(in: 1...2)))
      }
      let cash = random.int64(in: 0...500)
      let whole = try closing(1, "2024-05-02", cash)
      let once = try Sweep.run([whole], rounds: [round([whole])], loans: loans)
      let record = once.steps[0].explanation
      let again = try SweepExplanation(canonicalBytes: record.canonicalBytes)
      try hold(again == record && again.isReproduced && again.digest == record.digest, "the record is not read back")
      // Taken up again with all that was swept: nothing more.
      let swept = Dictionary(uniqueKeysWithValues: record.dues.lines.map { ($0.loanID, $0.amount) })
      let resumed = try closing(1, "2024-05-02", cash, sweptBefore: swept)
      let twice = try Sweep.run([resumed], rounds: [round([resumed])], loans: once.loans)
      let pool = try #require(record.dues.pool)
      let sum = record.dues.lines.reduce(0) { $0 + $1.amount } + twice.steps[0].dues.reduce(0) { $0 + $1.amount.amount }
      try hold(sum <= pool, "\(sum) of a pool of \(pool)")
      if record.dues.lines.allSatisfy({ $0.amount == $0.cap }) {
        try hold(twice.steps[0].dues.isEmpty, "caps were passed")
      }
      for position in twice.loans {
        let share = Int128(cash) * Int128(position.covenant?.sweep.value ?? 0) / 10_000
        try hold(Int128(try position.collectable.total()) <= share, "\(position.loanID) is above its share")
      }
    }
  }
}
