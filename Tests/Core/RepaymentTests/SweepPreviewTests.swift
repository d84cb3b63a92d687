import Lending
import Primitives
import PropertyKit
import Repayment
import Testing

@Suite("The preview of a round")
struct SweepPreviewTests {
  /// 10,000.00 at 36.5 % ACT/365F from 2024-01-01: a fee of 10.00 a day.
  private func loan(
    sweepBps: Int64 = 10_000, rank: Int64 = 1, number: UInt64 = 1, prepayment: PrepaymentTerms? = nil
  ) throws -> LivingLoan {
    let start = try day("2024-01-01")
    var loan = try LivingLoan(
      number, principal: 1_000_000, rateBps: 3_650, sweepBps: sweepBps, rank: rank, tradeOn: start,
      prepayment: prepayment)
    try loan.deliver(on: start)
    return loan
  }

  private func round(_ closings: [(String, Int64)], kind: FundingRoundKind = .priced) throws -> HypotheticalRound {
    HypotheticalRound(
      kind: kind, closings: try closings.map { .init(closedOn: try day($0.0), netNewCash: Money($0.1, .usd)) },
      postMoney: nil)
  }

  @Test("one closing: fee first, then principal, and the rest is the startup's")
  func oneClosing() throws {
    let position = try loan(sweepBps: 5_000).position
    let short = try SweepPreview(round([("2024-01-11", 1_600_000)]), loans: [position])
    #expect(short.loans[0].before == StepAmounts(charges: 0, fee: 10_000, principal: 1_000_000))
    #expect(short.loans[0].due == 800_000)
    #expect(short.loans[0].paid == StepAmounts(charges: 0, fee: 10_000, principal: 790_000))
    #expect(short.loans[0].after == StepAmounts(charges: 0, fee: 0, principal: 210_000))
    #expect(short.netCash == 800_000)
    let enough = try SweepPreview(round([("2024-01-11", 2_020_000)]), loans: [position])
    #expect(enough.loans[0].isPaidOff)
    #expect(enough.netCash == 1_010_000)
    #expect(enough.lenders.map(\.paid.principal) == [1_000_000])
  }

  @Test("two closings: the fee of the time between runs on what is left")
  func twoClosings() throws {
    let position = try loan(sweepBps: 5_000).position
    let found = try SweepPreview(round([("2024-01-21", 2_000_000), ("2024-01-11", 1_020_000)]), loans: [position])
    // 510,000 at the first: 10,000 fee and 500,000 principal. Ten days on 500,000 cost 5,000.
    let paid = found.steps.map { $0.payments[0].allocation.lines.map(\.amount) }
    #expect(paid == [[10_000, 500_000], [5_000, 500_000]])
    #expect(found.loans[0].isPaidOff)
    #expect(found.loans[0].due == 1_015_000)
    #expect(found.netCash == 3_020_000 - 1_015_000)
  }

  @Test("an acquisition is due whole, and paid as far as its cash reaches")
  func acquisition() throws {
    let found = try SweepPreview(
      round([("2024-01-11", 10_000)], kind: .acquisition), loans: [loan(sweepBps: 0).position])
    #expect(found.loans[0].due == 1_010_000)
    #expect(found.loans[0].paid == StepAmounts(charges: 0, fee: 10_000, principal: 0))
    #expect(found.netCash == 0)
  }

  @Test("a premium is previewed as it is levied")
  func premium() throws {
    let window = PrepaymentTerms.Window(
      from: try day("2024-01-01"), through: try day("2024-12-31"), rate: BasisPoints(300))
    let position = try loan(prepayment: PrepaymentTerms(windows: [window])).position
    let found = try SweepPreview(round([("2024-01-11", 2_000_000)]), loans: [position])
    #expect(found.loans[0].paid == StepAmounts(charges: 0, fee: 10_000, principal: 1_000_000, prepayment: 30_000))
    #expect(found.loans[0].isPaidOff)
    #expect(found.spent == 1_040_000)
  }

  @Test("euros are bought with the dollars of the round")
  func foreign() throws {
    let eur = try #require(Currency("EUR"))
    let date = try day("2024-01-11")
    let rates = try FXTable(
      [FXRate(base: eur, quote: .usd, mantissa: 11, places: 1, on: date, source: "ECB")], maxStalenessDays: 0)
    let home = try loan().position
    let position = LoanPosition(
      loanID: loanID(2), lenderID: lenderID(2), currency: eur, rank: 2, covenant: home.covenant, rate: BasisPoints(0),
      accrual: home.accrual, owed: StepAmounts(charges: 0, fee: 0, principal: 100_000))
    let found = try SweepPreview(round([("2024-01-11", 1_200_000)]), loans: [home, position], rates: rates)
    // 1,010,000 for the first rank; 100,000 EUR cost 110,000.
    #expect(found.loans.map(\.isPaidOff) == [true, true])
    #expect(found.spent == 1_120_000)
    let tight = try SweepPreview(round([("2024-01-11", 1_065_000)]), loans: [home, position], rates: rates)
    #expect(tight.loans[1].due == 50_000)
    #expect(tight.loans.map(\.paid.principal).reduce(0, +) == 1_000_000 + 50_000)
    #expect(tight.netCash == 0)
  }

  @Test("a grid has a preview for each size and day")
  func grid() throws {
    let position = try loan(sweepBps: 5_000).position
    let dates = [try day("2024-01-11"), try day("2024-01-21")]
    let grid = try SweepGrid(
      kind: .priced, currency: .usd, sizes: [0, 1_600_000], dates: dates, preMoney: 5, loans: [position])
    #expect(grid.cells.map(\.netNewCash) == [0, 0, 1_600_000, 1_600_000])
    #expect(grid.cells.map(\.preview.netCash) == [0, 0, 800_000, 800_000])
    #expect(grid.cells.map(\.preview.loans[0].after.principal) == [1_000_000, 1_000_000, 210_000, 220_000])
    for cell in grid.cells {
      let again = try SweepPreview(
        HypotheticalRound(
          kind: .priced, closings: [.init(closedOn: cell.closedOn, netNewCash: Money(cell.netNewCash, .usd))],
          postMoney: Money(5 + cell.netNewCash, .usd)), loans: [position])
      #expect(again == cell.preview)
    }
    #expect(throws: RepaymentRefusal.gridTooLarge(cells: 401, most: 400)) {
      try SweepGrid(
        kind: .priced, currency: .usd, sizes: [Int64](repeating: 1, count: 401), dates: [dates[0]], preMoney: nil,
        loans: [])
    }
  }

  @Test("what is previewed is what happens: ten thousand rounds, loan by loan through lending's own transitions")
  func previewIsOutcome() throws {
    let start = try day("2024-01-01")
    try forAll(seeds: 1...10_000) { random in
      var loans: [LivingLoan] = []
      for number in 0..<random.int(in: 1...5) {
        var loan = try LivingLoan(
          UInt64(number), principal: random.int64(in: 1...1_000_000), rateBps: random.int64(in: 0...4_000),
          sweepBps: random.pick([0, 2_500, 3_333, 5_000, 10_000]), rank: random.int64(in: 1...2),
          leastAmount: random.oneIn(3) ? random.int64(in: 1...2_000_000) : nil,
          dayCount: random.oneIn(2) ? .act360 : .act365F,
          tradeOn: #require(start.adding(days: random.int64(in: 0...60))))
        try loan.deliver(on: loan.loan.terms.tradeOn)
        if random.oneIn(4) { try loan.loan.addCharge(random.int64(in: 1...5_000)) }
        loans.append(loan)
      }
      var closings: [FundingRoundFacts.Closing] = []
      for _ in 0..<random.int(in: 1...3) {
        let date = try #require(start.adding(days: random.int64(in: 40...400)))
        closings.append(.init(closedOn: date, netNewCash: Money(random.int64(in: 0...2_000_000), .usd)))
      }
      closings.sort { $0.closedOn < $1.closedOn }
      let kind = try random.pick([.priced, .safe, .bridge, .acquisition, .secondary] as [FundingRoundKind])
      // A loan that is traded after the first closing is not there to be previewed at it.
      let first = closings[0].closedOn
      loans.removeAll { $0.loan.terms.tradeOn > first }
      let preview = try SweepPreview(
        HypotheticalRound(kind: kind, closings: closings, postMoney: nil), loans: loans.map { try $0.position })
      var real = RealRounds(loans)
      let facts = FundingRoundFacts(kind: kind, closings: closings, postMoney: nil)
      for closing in closings {
        try real.close(facts, on: closing.closedOn, cash: closing.netNewCash.amount)
      }
      for (loan, outcome) in zip(real.loans, preview.loans) {
        let id = loan.loan.id
        try hold(outcome.loanID == id, "order")
        try hold(outcome.after == loan.owed, "\(id): after \(outcome.after), really \(loan.owed)")
        try hold(outcome.due == real.dues[id, default: 0], "\(id): due \(outcome.due), really \(real.dues[id] ?? 0)")
        try hold(outcome.paid == real.paid[id] ?? .none, "\(id): paid \(outcome.paid)")
      }
      try hold(preview.netCash == real.cash - real.spent, "cash \(preview.netCash)")
      let taken = try preview.lenders.reduce(Int64(0)) { try $0 + $1.paid.total() }
      try hold(taken == preview.spent, "lenders take \(taken) of \(preview.spent)")
    }
  }
}
