import Interest
import Primitives
import PropertyKit
import Testing

@Suite("Schedules")
struct ScheduleTests {
  private func draw(_ random: inout SplitMix64) throws -> ScheduleTerms {
    let currency = try #require(Currency(try random.pick(["USD", "JPY", "KWD"])))
    let kind = try random.pick(ScheduleKind.allCases)
    let periods = random.int(in: 1...60)
    return try ScheduleTerms(
      kind: kind,
      interest: random.oneIn(2) ? .period : .dayCount(try random.pick(DayCountConvention.allCases)),
      currency: currency,
      principal: DecimalNumeral(
        unscaled: WideInteger(random.int64(in: 1_000_000...9_999_999_999)), places: currency.minorUnitDigits),
      annualRate: random.rate(), periods: periods,
      interestOnlyPeriods: kind == .interestOnlyAnnuity ? random.int(in: 0...(periods - 1)) : 0,
      start: try random.date())
  }

  @Test("principal adds up to what was lent, the balance falls to zero, and each payment is its two parts")
  func laws() throws {
    try forAll(seeds: 1...150) { random in
      let terms = try draw(&random)
      let schedule = try RepaymentSchedule(terms)
      try hold(schedule.rows.count == (terms.kind == .bulletAtMaturity ? 1 : terms.periods), "rows")
      let principal = schedule.rows.reduce(DecimalNumeral.zero) { $0 + $1.principal }
      try hold(principal.rational == terms.principal.rational, "\(principal) of \(terms.principal)")
      try hold(schedule.rows.last?.balance.isZero == true, "the last balance")
      var balance = terms.principal
      for row in schedule.rows {
        balance = balance - row.principal
        try hold(row.balance.rational == balance.rational, "balance of row \(row.k)")
        try hold(row.payment.rational == (row.interest + row.principal).rational, "payment of row \(row.k)")
        try hold(row.date == row.paidOn, "dates of row \(row.k)")
      }
      if let level = schedule.levelPayment {
        for row in schedule.rows.dropLast() where row.k > terms.interestOnlyPeriods {
          try hold(row.payment.rational == level.rational, "row \(row.k) pays \(row.payment), not \(level)")
        }
      }
    }
  }

  @Test("a level payment pays off its loan to within half a minor unit for each payment, grown with interest")
  func annuityAgainstRecursion() throws {
    try forAll(seeds: 1...25) { random in
      let rate = DecimalNumeral(unscaled: WideInteger(random.int64(in: 0...3_000)), places: 4)
      let periods = random.int(in: 1...48)
      let principal = DecimalNumeral(unscaled: WideInteger(random.int64(in: 1...99_999_999)), places: 2)
      let terms = try ScheduleTerms(
        kind: .annuity, interest: .period, currency: .usd, principal: principal, annualRate: rate, periods: periods,
        start: try random.date())
      let level = try #require(try RepaymentSchedule(terms).levelPayment).rational
      let monthly = try rate.rational.divided(by: ExactRational(12))
      // Balances to forty places, one month after the other, and what half a cent in every payment, and those places,
      // could do to the last.
      var (balance, slack) = (principal.rational, ExactRational.zero)
      for _ in 0..<periods {
        balance = (balance * (.one + monthly) - level).rounded(places: 40, rounding: .halfEven).rational
        slack =
          (slack * (.one + monthly) + (try fraction(1_000_001, 200_000_000)))
          .rounded(places: 40, rounding: .up).rational
      }
      try hold(balance.magnitude <= slack, "\(level) leaves \(balance.rounded(places: 6, rounding: .halfEven))")
    }
  }

  @Test("days clamped to a month's end do not stay clamped")
  func clampedDays() throws {
    let terms = try ScheduleTerms(
      kind: .straightLine, interest: .dayCount(.act360), currency: .usd, principal: try amount("400"),
      annualRate: try amount("0.12"), periods: 4, start: try day("2023-10-31"))
    let rows = try RepaymentSchedule(terms).rows
    #expect(rows.map(\.date.description) == ["2023-11-30", "2023-12-31", "2024-01-31", "2024-02-29"])
    #expect(rows.map(\.interest.description) == ["4.00", "3.10", "2.07", "0.97"])
  }

  @Test("payments move to business days, interest does not")
  func rolled() throws {
    let terms = try ScheduleTerms(
      kind: .interestOnlyBullet, interest: .dayCount(.act360), currency: .usd, principal: try amount("360000"),
      annualRate: try amount("0.1"), periods: 3, start: try day("2023-12-30"))
    let calendar = try #require(HolidayCalendar(holidays: [try day("2024-04-01")]))
    let plain = try RepaymentSchedule(terms)
    let rolled = try RepaymentSchedule(terms, paidBy: .modifiedFollowing, calendar: calendar)
    #expect(rolled.rows.map(\.paidOn.description) == ["2024-01-30", "2024-02-29", "2024-03-29"])
    #expect(rolled.rows.map(\.interest) == plain.rows.map(\.interest))
    let following = try RepaymentSchedule(terms, paidBy: .following, calendar: calendar)
    #expect(following.rows.map(\.paidOn.description) == ["2024-01-30", "2024-02-29", "2024-04-02"])
  }

  @Test("a hundred years of months at any rate are laid out")
  func longest() throws {
    for rate in ["0", "0.05123456789012345678", "100", "-0.999"] {
      let terms = try ScheduleTerms(
        kind: .annuity, interest: .period, currency: .usd, principal: try amount("1000000"),
        annualRate: try amount(rate), periods: RepaymentSchedule.maxPeriods, start: try day("2023-01-31"))
      let schedule = try RepaymentSchedule(terms)
      #expect(schedule.rows.last?.date == (try day("2123-01-31")))
      #expect(schedule.rows.last?.balance.isZero == true)
    }
  }
}
