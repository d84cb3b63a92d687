import Primitives
import Repayment
import Testing

@Suite("What a closing makes due")
struct SweepTests {
  private func amounts(_ dues: SweepDues) -> [LoanID: Int64] {
    Dictionary(uniqueKeysWithValues: dues.lines.map { ($0.loanID, $0.amount) })
  }

  private func dues(_ cash: Int64, _ candidates: [SweepCandidate]) throws -> SweepDues {
    try Sweep.dues(kind: .priced, netNewCash: cash, candidates: candidates)
  }

  @Test("a round that pays for all makes all due, charges and fee included")
  func enough() throws {
    let found = try dues(
      20_000,
      [candidate(1, owed: 4_000, sweepBps: 5_000, charges: 10, fee: 90), candidate(2, owed: 6_000, sweepBps: 5_000)])
    #expect(found.cause == .fundingRound)
    #expect(found.pool == 10_000)
    #expect(found.lines.map(\.amount) == [4_000, 6_000])
  }

  @Test("the pool is the largest share, rounded down; each loan is capped at its own share")
  func ownShare() throws {
    // 50 % of 1,001 is 500, 20 % is 200. Pro rata to 900 : 900 would be 250 each; the second stops at 200, the
    // rest is for the first, which may take 500 by itself: 300.
    let found = try dues(1_001, [candidate(1, owed: 900, sweepBps: 5_000), candidate(2, owed: 900, sweepBps: 2_000)])
    #expect(found.pool == 500)
    #expect(found.lines.map(\.cap) == [500, 200])
    #expect(found.lines.map(\.amount) == [300, 200])
  }

  @Test("a lower rank waits; within a rank loans share pro rata, ties by loan id")
  func ranks() throws {
    let found = try dues(
      100,
      [
        candidate(4, rank: 2, owed: 100, sweepBps: 10_000), candidate(3, rank: 2, owed: 100, sweepBps: 10_000),
        candidate(9, rank: 1, owed: 55, sweepBps: 10_000), candidate(2, rank: 3, owed: 10, sweepBps: 10_000),
      ])
    // 55 to rank 1; 45 over two equal loans: the lower id takes the odd unit; nothing is left for rank 3.
    #expect(found.lines.map(\.loanID) == [loanID(9), loanID(3), loanID(4), loanID(2)])
    #expect(found.lines.map(\.amount) == [55, 23, 22, 0])
  }

  @Test("several caps close one after the other until the level fits")
  func cascade() throws {
    // 100 over weights 60, 30, 10 with caps 20, 30, 10 (20 % and 100 % of 100): pro rata 60/30/10; the first closes at
    // 20, then 80 over 30:10 asks 60/20, which closes both: 20 + 30 + 10 = 60, all that can be due.
    let some = try dues(
      100,
      [
        candidate(1, owed: 60, sweepBps: 2_000), candidate(2, owed: 30, sweepBps: 10_000),
        candidate(3, owed: 10, sweepBps: 10_000),
      ])
    #expect(some.lines.map(\.amount) == [20, 30, 10])
    // 50 over weights 60, 30, 30, 10, pool 50, caps 10, 30, 30, 10: 25 > 10 closes the first; 40 over 70: 17.14,
    // 17.14, 5.71, floors 17, 17, 5, and the odd unit to the largest remainder, the last.
    let short = try dues(
      50,
      [
        candidate(1, owed: 60, sweepBps: 2_000), candidate(2, owed: 30, sweepBps: 10_000),
        candidate(3, owed: 30, sweepBps: 10_000), candidate(4, owed: 10, sweepBps: 10_000),
      ])
    #expect(short.pool == 50)
    #expect(short.lines.map(\.amount) == [10, 17, 17, 6])
  }

  @Test("a loan that is owed nothing takes no part and does not widen the pool")
  func nothingOwed() throws {
    let found = try dues(
      1_000,
      [
        candidate(1, owed: 0, sweepBps: 10_000), candidate(2, owed: 900, sweepBps: 3_000),
        candidate(3, owed: 900, sweepBps: 3_000),
      ])
    #expect(found.pool == 300)
    #expect(found.lines.map(\.loanID) == [loanID(2), loanID(3)])
    #expect(found.lines.map(\.amount) == [150, 150])
    #expect(try dues(1_000, []).lines.isEmpty)
    #expect(try dues(1_000, []).pool == 0)
  }

  @Test("a change of control makes the whole debt of every loan due, whatever cash it brings")
  func changeOfControl() throws {
    let loans = [
      candidate(2, rank: 2, owed: 700, sweepBps: 0, charges: 5, fee: 15), candidate(1, owed: 30, sweepBps: 10_000),
    ]
    for cash in [0, 10, 1_000_000] as [Int64] {
      let found = try Sweep.dues(kind: .acquisition, netNewCash: cash, candidates: loans)
      #expect(found.cause == .changeOfControl)
      #expect(found.pool == nil)
      #expect(amounts(found) == [loanID(1): 30, loanID(2): 700])
    }
  }

  @Test("a secondary makes nothing due, every other kind sweeps", arguments: FundingRoundKind.allCases)
  func kinds(kind: FundingRoundKind) throws {
    let found = try Sweep.dues(kind: kind, netNewCash: 100, candidates: [candidate(1, owed: 400, sweepBps: 5_000)])
    let expected: Int64 =
      switch kind {
      case .secondary: 0
      case .acquisition: 400
      case .priced, .safe, .note, .strategic, .bridge, .ipo, .licenceAndHire: 50
      }
    #expect(found.lines.map(\.amount) == [expected])
  }

  @Test("input that no closing has is refused")
  func refusals() throws {
    let loan = candidate(1, owed: 5, sweepBps: 10_000)
    #expect(throws: RepaymentRefusal.negativeAmount(what: "net new cash", -1)) { try dues(-1, [loan]) }
    #expect(throws: RepaymentRefusal.duplicateLoan(loanID(1))) { try dues(1, [loan, loan]) }
    for share in [-1, 10_001, Int64.max] {
      #expect(throws: RepaymentRefusal.shareOutOfRange(what: "share to sweep", BasisPoints(share))) {
        try dues(1, [candidate(1, owed: 5, sweepBps: share)])
      }
    }
    #expect(throws: RepaymentRefusal.negativeAmount(what: "principal", -5)) {
      try dues(1, [candidate(1, owed: -5, sweepBps: 1)])
    }
    let owed = StepAmounts(charges: 1, fee: 0, principal: .max)
    #expect(throws: RepaymentRefusal.overflow) {
      try dues(
        1, [SweepCandidate(loanID: loanID(1), lenderID: lenderID(1), rank: 1, owed: owed, sweep: BasisPoints(1))])
    }
  }
}
