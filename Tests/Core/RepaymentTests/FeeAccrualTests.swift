import Primitives
import Repayment
import Testing

@Suite("Accrual of the fee")
struct FeeAccrualTests {
  /// Simple-interest cases of the shared reference file with ACT/360 and ACT/365F; minor units, rates in basis points.
  @Test(
    "reference cases of simple interest agree to the minor unit, in one step and day by day",
    arguments: [
      (.act360, 1_000_000, "2023-03-27", "2023-11-06", [("2023-03-27", 800)], 49_778),
      (
        .act365F, 1_850_000_000, "2022-10-13", "2022-11-27", [("2022-10-13", 525), ("2022-10-14", 600)], 13_646_918
      ),
      (.act360, 1_000_000_000, "2023-11-11", "2024-11-10", [("2023-11-11", 800)], 81_111_111),
      (.act365F, 1, "2022-12-27", "2023-02-10", [("2022-12-27", 0)], 0),
      (.act360, 25_000_050, "2024-01-28", "2024-10-29", [("2024-01-28", 800)], 1_527_781),
      (
        .act365F, 123_456_789_010, "2024-09-24", "2025-03-24", [("2024-09-24", 525), ("2025-02-13", 600)],
        3_313_039_037
      ),
      (.act360, 100, "2022-10-31", "2022-11-30", [("2022-10-31", 800)], 1),
      // Exact ties: 250.5 and 251.5 units, 0.5, 1.5, 122.5 and 123.5.
      (.act360, 25_050, "2023-03-27", "2023-05-02", [("2023-03-27", 1_000)], 250),
      (.act360, 25_150, "2023-03-27", "2023-05-02", [("2023-03-27", 1_000)], 252),
      (.act360, 50, "2023-03-27", "2023-05-02", [("2023-03-27", 1_000)], 0),
      (.act360, 150, "2023-03-27", "2023-05-02", [("2023-03-27", 1_000)], 2),
      (.act360, 12_250, "2023-03-27", "2023-05-02", [("2023-03-27", 1_000)], 122),
      (.act360, 12_350, "2023-03-27", "2023-05-02", [("2023-03-27", 1_000)], 124),
      (.act360, 100_000_050, "2023-03-27", "2023-05-02", [("2023-03-27", 1_000)], 1_000_000),
      (.act360, 100_000_150, "2023-03-27", "2023-05-02", [("2023-03-27", 1_000)], 1_000_002),
    ] as [(DayCountConvention, Int64, String, String, [(String, Int64)], Int64)])
  func referenceCases(
    dayCount: DayCountConvention, principal: Int64, start: String, end: String, rates: [(String, Int64)],
    expected: Int64
  ) throws {
    let last = try day(end)
    for daily in [false, true] {
      var state = try FeeAccrual(dayCount: dayCount, accruedThrough: day(start))
      for (index, entry) in rates.enumerated() {
        let until = index + 1 < rates.count ? try day(rates[index + 1].0) : last
        while state.accruedThrough < until {
          let next = daily ? try #require(state.accruedThrough.adding(days: 1)) : until
          state = try state.accrue(principal: principal, rate: BasisPoints(entry.1), through: next).state
        }
      }
      #expect(state.accruedTotal == expected)
    }
  }

  /// Half to even from the definition: the nearest integer, of two the even one.
  private func nearest(_ numerator: Int128, _ denominator: Int128) -> Int128 {
    let below = numerator / denominator
    let twice = (numerator - below * denominator) * 2
    if twice == denominator { return below.isMultiple(of: 2) ? below : below + 1 }
    return twice > denominator ? below + 1 : below
  }

  @Test("what is posted is always the exact fee so far, rounded once, however the time is split", arguments: 1...60)
  func randomSplits(seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed))
    for dayCount in [DayCountConvention.act360, .act365F] {
      let year: Int128 = dayCount == .act360 ? 360 : 365
      let start = try #require(CalendarDate(dayNumber: .random(in: 18_000...20_000, using: &random)))
      var split = try FeeAccrual(dayCount: dayCount, accruedThrough: start)
      var whole = split
      var exact: Int128 = 0
      var posted: Int64 = 0
      for _ in 0..<12 {
        // Multiples of 90 and of 1,800 make exact ties common.
        let principal = randomAmount(using: &random) * (Bool.random(using: &random) ? 90 : 1)
        let rate = BasisPoints([0, 1, 500, 1_000, 1_337, 20_000].randomElement(using: &random) ?? 0)
        let days = Int64.random(in: 0...45, using: &random)
        let end = try #require(whole.accruedThrough.adding(days: days))
        whole = try whole.accrue(principal: principal, rate: rate, through: end).state
        while split.accruedThrough < end {
          let left = split.accruedThrough.days(to: end)
          let next = try #require(split.accruedThrough.adding(days: .random(in: 1...left, using: &random)))
          let step = try split.accrue(principal: principal, rate: rate, through: next)
          #expect(step.amount >= 0)
          posted += step.amount
          split = step.state
        }
        exact += Int128(principal) * Int128(rate.value) * Int128(days)
        #expect(split == whole)
        #expect(posted == split.accruedTotal)
        #expect(Int128(split.accruedTotal) == nearest(exact, 10_000 * year))
        #expect(Int128(split.accruedTotal) * 10_000 * year + Int128(split.residue) == exact)
      }
    }
  }

  @Test("a state that was stored goes on as if it had not been")
  func stored() throws {
    let first = try FeeAccrual(dayCount: .act360, accruedThrough: day("2023-11-06"))
      .accrue(principal: 1_234_567, rate: BasisPoints(1_337), through: day("2023-11-13")).state
    let again = try FeeAccrual(
      dayCount: .act360, accruedThrough: first.accruedThrough, accruedTotal: first.accruedTotal, residue: first.residue)
    #expect(again == first)
    #expect(first.accruedTotal == 3_210)  // 3,209.5312...
    #expect(first.residue < 0)
  }

  @Test("a date before the last posting is refused, the same date posts nothing")
  func backdated() throws {
    let through = try day("2023-11-06")
    let state = try FeeAccrual(dayCount: .act365F, accruedThrough: through, accruedTotal: 7, residue: 5)
    let same = try state.accrue(principal: 1_000, rate: BasisPoints(1_000), through: through)
    #expect(same.amount == 0)
    #expect(same.state == state)
    let before = try day("2023-11-05")
    #expect(throws: RepaymentRefusal.accrualBackdated(given: before, accruedThrough: through)) {
      try state.accrue(principal: 1_000, rate: BasisPoints(1_000), through: before)
    }
  }

  @Test("10^15 minor units at 100 % over eight thousand years are counted, beyond Int64 is refused")
  func extremes() throws {
    let state = try FeeAccrual(dayCount: .act365F, accruedThrough: .earliest)
    let years = try #require(CalendarDate.earliest.adding(days: 365 * 8_000))
    let (amount, _) = try state.accrue(principal: 1_000_000_000_000_000, rate: .whole, through: years)
    #expect(amount == 8_000_000_000_000_000_000)
    #expect(throws: RepaymentRefusal.overflow) {
      try state.accrue(principal: 1_000_000_000_000_000, rate: BasisPoints(20_000), through: years)
    }
    #expect(throws: RepaymentRefusal.overflow) {
      try state.accrue(principal: .max, rate: BasisPoints(.max), through: .latest)
    }
    #expect(throws: RepaymentRefusal.overflow) { try state.perDiem(principal: .max, rate: BasisPoints(.max)) }
  }

  @Test("input that no loan has is refused")
  func refusals() throws {
    let date = try day("2023-11-06")
    for convention in [DayCountConvention.thirty360Bond, .thirty360US, .thirtyE360, .actActISDA] {
      #expect(throws: RepaymentRefusal.unsupportedDayCount(convention)) {
        try FeeAccrual(dayCount: convention, accruedThrough: date)
      }
    }
    for residue in [1_800_001, -1_800_001, Int64.max, Int64.min] {
      #expect(throws: RepaymentRefusal.residueOutOfRange(residue)) {
        try FeeAccrual(dayCount: .act360, accruedThrough: date, accruedTotal: 1, residue: residue)
      }
    }
    #expect(throws: RepaymentRefusal.residueOutOfRange(-1)) {
      try FeeAccrual(dayCount: .act360, accruedThrough: date, accruedTotal: 0, residue: -1)
    }
    #expect(throws: RepaymentRefusal.negativeAmount(what: "accrued fee", -1)) {
      try FeeAccrual(dayCount: .act360, accruedThrough: date, accruedTotal: -1)
    }
    let state = try FeeAccrual(dayCount: .act360, accruedThrough: date)
    #expect(throws: RepaymentRefusal.negativeAmount(what: "principal", -1)) {
      try state.accrue(principal: -1, rate: .whole, through: date)
    }
    #expect(throws: RepaymentRefusal.negativeAmount(what: "rate", -1)) {
      try state.accrue(principal: 1, rate: BasisPoints(-1), through: date)
    }
  }
}
