import Primitives
import PropertyKit
import Repayment
import Testing

@Suite("Accrual of penalties")
struct PenaltyAccrualTests {
  private func fresh(_ dayCount: DayCountConvention = .act360) throws -> PenaltyAccrual {
    try PenaltyAccrual(dayCount: dayCount, total: 0, residue: 0)
  }

  @Test("day by day or at once, the same minor unit; ties go to the even one")
  func splits() throws {
    // 50 units at 10 % for 36 days are half a unit, 150 are one and a half.
    for (base, expected) in [(Int64(50), Int64(0)), (150, 2), (1_000_000, 10_000), (12_345_678, 123_457)] {
      let once = try fresh().charging(base: base, rate: BasisPoints(1_000), days: 36)
      var daily = try fresh()
      for _ in 0..<36 { daily = try daily.charging(base: base, rate: BasisPoints(1_000), days: 1).state }
      #expect(once.amount == expected && daily == once.state, "\(base)")
    }
  }

  @Test("the cap is reached and never passed, however the days fall")
  func cap() throws {
    let all = try fresh().charging(base: 1_000_000, rate: BasisPoints(1_000), days: 100, cap: 10_001)
    #expect(all.amount == 10_001 && all.isCapped && all.state.residue == 0)
    var state = try fresh()
    var sum: Int64 = 0
    for _ in 0..<100 {
      let step = try state.charging(base: 1_000_000, rate: BasisPoints(1_000), days: 1, cap: 10_001)
      (state, sum) = (step.state, sum + step.amount)
    }
    #expect(sum == 10_001 && state == all.state)
    // A cap below what is charged already takes nothing back.
    #expect(try state.charging(base: 5, rate: BasisPoints(1), days: 1, cap: 5).amount == 0)
  }

  @Test("whatever is charged and taken back, the total is the exact sum rounded once")
  func takenBack() throws {
    try forAll { random in
      let dayCount: DayCountConvention = random.oneIn(2) ? .act360 : .act365F
      var state = try fresh(dayCount)
      var open: [Int128] = []
      for _ in 0..<random.int(in: 1...40) {
        if random.oneIn(3), let last = open.popLast() {
          let part = last == 0 || random.oneIn(2) ? last : Int128(random.next() % UInt64(min(last, 1 << 62)))
          let (amount, after) = try state.takingBack(part)
          try hold(amount >= 0 && after.total == state.total - amount, "took \(amount) of \(state.total)")
          state = after
          open.append(last - part)
        } else {
          let (base, days) = (random.int64(in: 0...10_000_000), random.int64(in: 0...40))
          let rate = BasisPoints(random.int64(in: 0...5_000))
          let charged = try state.charging(base: base, rate: rate, days: days)
          let exact = state.exact(
            amount: charged.amount, residueBefore: state.residue, residueAfter: charged.state.residue)
          try hold(exact == Int128(base) * Int128(rate.value) * Int128(days), "exact \(exact)")
          state = charged.state
          open.append(exact)
        }
        let sum = open.reduce(0, +)
        let rounded = try sum.divided(by: state.denominator, rounding: .halfEven)
        try hold(Int128(state.total) == rounded, "\(state.total) of \(sum)")
        try hold(Int128(state.residue) == sum - rounded * state.denominator, "residue \(state.residue)")
      }
    }
  }

  @Test("what makes no sense is refused, never a trap")
  func refused() throws {
    let state = try fresh()
    #expect(throws: RepaymentRefusal.self) { try state.charging(base: -1, rate: BasisPoints(1), days: 1) }
    #expect(throws: RepaymentRefusal.self) { try state.charging(base: 1, rate: BasisPoints(-1), days: 1) }
    #expect(throws: RepaymentRefusal.self) { try state.charging(base: 1, rate: BasisPoints(1), days: -1) }
    #expect(throws: RepaymentRefusal.self) {
      try state.charging(base: .max, rate: BasisPoints(.max), days: .max)
    }
    #expect(throws: RepaymentRefusal.self) { try state.takingBack(1) }
    #expect(throws: RepaymentRefusal.self) { try PenaltyAccrual(dayCount: .thirtyE360, total: 0, residue: 0) }
    #expect(throws: RepaymentRefusal.self) { try PenaltyAccrual(dayCount: .act360, total: 0, residue: 1_800_001) }
  }
}
