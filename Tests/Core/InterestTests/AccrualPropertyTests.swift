import Interest
import Primitives
import PropertyKit
import Testing

@Suite("Accrual laws")
struct AccrualPropertyTests {
  private static let actual: [DayCountConvention] = [.act360, .act365F, .actActISDA]

  private func terms(
    _ method: AccrualMethod, _ convention: DayCountConvention, _ rates: RateHistory
  ) throws -> InterestTerms {
    try InterestTerms(method: method, convention: convention, rates: rates)
  }

  @Test("daily accruals that carry what rounding left over come to the amount of the whole period")
  func dailyWithResidue() throws {
    try forAll(seeds: 1...60) { random in
      let start = try random.date()
      let rates = try random.rates(from: start, 4)
      let convention = try random.pick(Self.actual)
      let principal = ExactRational(random.int64(in: 0...100_000_000))
      let terms = try terms(.simple, convention, rates)
      let days = random.int64(in: 0...200)
      var (posted, residue) = (WideInteger.zero, ExactRational.zero)
      for offset in 0..<days {
        let from = try #require(start.adding(days: offset))
        let to = try #require(from.adding(days: 1))
        guard case .fraction(let earned) = try terms.interest(on: principal, from: from, to: to) else {
          throw PropertyViolation("simple interest is a fraction")
        }
        let exact = earned + residue
        let whole = exact.rounded(places: 0, rounding: .halfEven).unscaled
        posted = posted + whole
        residue = exact - ExactRational(whole)
      }
      let end = try #require(start.adding(days: days))
      guard case .fraction(let all) = try terms.interest(on: principal, from: start, to: end) else {
        throw PropertyViolation("simple interest is a fraction")
      }
      try hold(ExactRational(posted) + residue == all, "\(posted) and \(residue) against \(all)")
    }
  }

  @Test("certain bounds and the fraction written out round to the same digits")
  func boundsAgainstFraction() throws {
    try forAll(seeds: 1...60) { random in
      let start = try random.date()
      let end = try #require(start.adding(days: random.int64(in: 0...700)))
      let rates = try random.rates(from: start, random.int(in: 1...6))
      let principal = DecimalNumeral(unscaled: WideInteger(random.int64(in: 0...9_999_999_999)), places: 2).rational
      let convention = try random.pick(Self.actual)
      // One day after the other, each with the rate and the base of its own; nothing is reduced, which would cost most.
      var (grown, divisor) = (principal.numerator, principal.denominator)
      var date = start
      while date < end {
        let base: Int64 =
          switch convention {
          case .act360: 360
          case .actActISDA: CalendarDate.isLeap(date.components.year) ? 366 : 365
          default: 365
          }
        let factor = .one + (try rates.value(on: date)) * (try fraction(1, base))
        (grown, divisor) = (grown * factor.numerator, divisor * factor.denominator)
        date = try #require(date.adding(days: 1))
      }
      let interest = try terms(.compoundDaily, convention, rates).interest(on: principal, from: start, to: end)
      let places = random.int(in: 0...30)
      let rounding = try random.pick(Rounding.allCases)
      let earned = grown * principal.denominator - principal.numerator * divisor
      let expected = try (earned * .powerOfTen(places)).divided(
        by: divisor * principal.denominator, rounding: rounding)
      let found = try interest.rounded(places: places, rounding: rounding).unscaled
      try hold(found == expected, "\(found) against \(expected)")
    }
  }

  @Test("a tie is decided by the exact amount, half to even")
  func ties() throws {
    // 360 days' rate of 1 a day: 0.25 and 0.75 of a unit, and half of the last digit that is asked for.
    let rates = try rateHistory(("2023-01-01", "0.36"))
    let terms = try terms(.compoundDaily, .act360, rates)
    for (principal, expected) in [("500", "0"), ("1500", "2"), ("2500", "2"), ("500.0000000001", "1")] {
      let interest = try terms.interest(
        on: try amount(principal).rational, from: try day("2023-01-01"), to: try day("2023-01-02"))
      #expect(try interest.rounded(places: 0, rounding: .halfEven).description == expected)
    }
  }

  @Test("compounding may be stopped and taken up again at any day, and at any month counted from the start")
  func splits() throws {
    try forAll(seeds: 1...60) { random in
      let start = try random.date()
      let rates = try random.rates(from: start, 8)
      let convention = try random.pick(Self.actual)
      let isMonthly = random.oneIn(2)
      // A day that no month lacks, so that months counted from the split are those counted from the start.
      let first = try #require(
        CalendarDate(year: start.components.year + 1, month: start.components.month, day: random.int(in: 1...28)))
      let months = random.int(in: 0...20)
      let middle =
        isMonthly
        ? try #require(first.adding(months: months)) : try #require(first.adding(days: random.int64(in: 0...900)))
      let end = try #require(middle.adding(days: random.int64(in: 0...500)))
      let terms = try terms(isMonthly ? .compoundMonthly : .compoundDaily, convention, rates)
      func grown(_ principal: ExactRational, _ from: CalendarDate, _ to: CalendarDate) throws -> ExactRational {
        let interest = try terms.interest(on: principal, from: from, to: to)
        return principal + (try interest.rounded(places: 80, rounding: .halfEven).rational)
      }
      let principal = ExactRational(1_000_000)
      let once = try grown(principal, first, end)
      let twice = try grown(try grown(principal, first, middle), middle, end)
      let distance = (once - twice).magnitude.rounded(places: 70, rounding: .halfEven)
      try hold(distance.isZero, "\(once) against \(twice)")
    }
  }

  @Test("principal that changes earns what its parts earn: by days compounded, by days simple")
  func principalHistory() throws {
    try forAll(seeds: 1...60) { random in
      let start = try random.date()
      let rates = try random.rates(from: start, 5)
      let middle = try #require(start.adding(days: random.int64(in: 1...300)))
      let end = try #require(middle.adding(days: random.int64(in: 1...300)))
      let (first, second) = (
        ExactRational(random.int64(in: 0...1_000_000)), ExactRational(random.int64(in: 0...1_000_000))
      )
      let history = try StepHistory([
        StepHistory.Step(from: start, value: first), StepHistory.Step(from: middle, value: second),
      ])
      let method: AccrualMethod = random.oneIn(2) ? .simple : .compoundDaily
      let terms = try terms(method, try random.pick(Self.actual), rates)
      func interest(_ principal: ExactRational, _ from: CalendarDate) throws -> ExactRational {
        try terms.interest(on: principal, from: from, to: end).rounded(places: 60, rounding: .halfEven).rational
      }
      // What was there all along, and what came or went in the middle.
      let change = second - first
      let parts =
        try interest(first, start) + (change.isNegative ? -(try interest(-change, middle)) : interest(change, middle))
      let whole = try terms.interest(on: history, from: start, to: end).rounded(places: 60, rounding: .halfEven)
      let distance = (whole.rational - parts).magnitude.rounded(places: 50, rounding: .halfEven)
      try hold(distance.isZero, "\(whole) against \(parts)")
    }
  }

  @Test("a drawdown within a month earns simply to the month's end and compounds from there")
  func drawdownWithinMonth() throws {
    let history = try StepHistory([
      StepHistory.Step(from: try day("2023-01-10"), value: ExactRational(1_000)),
      StepHistory.Step(from: try day("2023-01-25"), value: ExactRational(1_500)),
    ])
    let terms = try terms(.compoundMonthly, .thirty360Bond, try rateHistory(("2023-01-01", "0.12")))
    let interest = try terms.interest(on: history, from: try day("2023-01-10"), to: try day("2023-03-10"))
    // (1000 x 1.01 + 500 x 1.005) x 1.01 - 1500
    #expect(try interest.rounded(places: 6, rounding: .halfEven).description == "27.625000")
  }

  @Test("30 years of days are exact to the last of 24 places, and soon")
  func decades() throws {
    let terms = try terms(.compoundDaily, .act365F, try rateHistory(("1990-01-01", "0.0537")))
    let interest = try terms.interest(
      on: try amount("123456789.01").rational, from: try day("1990-01-01"), to: try day("2020-01-01"))
    // 123456789.01 x ((1 + 0.0537 / 365)^10957 - 1), worked out as one fraction: 3650537 over 3650000 to the power.
    let (grown, base) = (WideInteger(3_650_537).power(10_957), WideInteger(3_650_000).power(10_957))
    let earned = WideInteger(12_345_678_901) * (grown - base) * .powerOfTen(22)
    let expected = try earned.divided(by: base, rounding: .halfEven)
    #expect(try interest.rounded(places: 24, rounding: .halfEven).unscaled == expected)
  }
}
