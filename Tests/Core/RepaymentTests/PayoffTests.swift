import Primitives
import Repayment
import Testing

@Suite("Payoff quotes, the platform's fee, credit for returned units")
struct PayoffTests {
  /// From the last event of cases of the shared reference file, whose definition rounds the fee at each event: the
  /// accrual starts there without residue. Minor units.
  @Test(
    "reference payoffs agree",
    arguments: [
      // po000: JPY, 1,969,974 posted and unpaid, 94,888 since
      (.act360, "2024-04-19", 38_817_778, 1_969_974, 800, "2024-04-30", 94_888, 40_882_640),
      // po024: USD, no event in two years
      (.act360, "2024-12-23", 9_999_999, 0, 625, "2026-12-24", 1_269_097, 11_269_096),
      // po060: CNY, drawn up to 300,000.60 with 16,444.48 posted by then
      (.act360, "2026-04-27", 30_000_060, 1_644_448, 800, "2027-02-17", 1_973_337, 33_617_845),
      // po096: CNY, a payment short of the fee left 60,850.73 of it
      (.act360, "2026-09-06", 1_338_333_681, 6_085_073, 625, "2026-10-20", 10_223_382, 1_354_642_136),
      // po038: USD, paid down three times
      (.act365F, "2023-09-17", 60_938_814, 0, 950, "2024-04-21", 3_441_791, 64_380_605),
    ] as [(DayCountConvention, String, Int64, Int64, Int64, String, Int64, Int64)])
  func referenceCases(
    dayCount: DayCountConvention, since: String, principal: Int64, posted: Int64, rateBps: Int64, on: String,
    accrued: Int64, total: Int64
  ) throws {
    let quote = try PayoffQuote(
      on: day(on), owed: StepAmounts(charges: 0, fee: posted, principal: principal), rate: BasisPoints(rateBps),
      accrual: FeeAccrual(dayCount: dayCount, accruedThrough: day(since)))
    #expect(quote.fee == posted + accrued)
    #expect(quote.principal == principal)
    #expect(quote.total == total)
  }

  @Test("a quote adds charges, carries the residue, and names the price of a day")
  func quote() throws {
    // 400,000 USD at 14 % by ACT/360: 15,555.56 cents a day; through 6 Nov 0.4 units are carried, so ten days
    // come to 155,555.56 + 0.4 = 155,555.96.
    let accrual = try FeeAccrual(
      dayCount: .act360, accruedThrough: day("2023-11-06"), accruedTotal: 100, residue: 1_440_000)
    let owed = StepAmounts(charges: 2_500, fee: 40, principal: 40_000_000)
    let quote = try PayoffQuote(on: day("2023-11-16"), owed: owed, rate: BasisPoints(1_400), accrual: accrual)
    #expect(quote.perDiem == 15_556)
    #expect(quote.fee == 40 + 155_556)
    #expect(quote.charges == 2_500)
    #expect(quote.total == 40_000_000 + 155_596 + 2_500)
    #expect(try PayoffQuote(on: day("2023-11-06"), owed: owed, rate: .whole, accrual: accrual).total == 40_002_540)
  }

  @Test("a quote equals what the posting of that day comes to", arguments: 1...20)
  func agreesWithPosting(seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed) &* 179_424_673)
    let start = try day("2023-03-27")
    for _ in 0..<50 {
      var state = try FeeAccrual(dayCount: .act365F, accruedThrough: start)
      let principal = randomAmount(using: &random)
      let rate = BasisPoints(.random(in: 0...3_000, using: &random))
      let end = try #require(start.adding(days: .random(in: 0...90, using: &random)))
      let quote = try PayoffQuote(
        on: end, owed: StepAmounts(charges: 0, fee: 0, principal: principal), rate: rate, accrual: state)
      while state.accruedThrough < end {
        let next = try #require(state.accruedThrough.adding(days: 1))
        state = try state.accrue(principal: principal, rate: rate, through: next).state
      }
      #expect(quote.fee == state.accruedTotal)
    }
  }

  @Test("a quote for the past, and one past all range, are refused")
  func quoteRefusals() throws {
    let through = try day("2023-11-06")
    let accrual = try FeeAccrual(dayCount: .act360, accruedThrough: through)
    let before = try day("2023-11-05")
    #expect(throws: RepaymentRefusal.accrualBackdated(given: before, accruedThrough: through)) {
      try PayoffQuote(on: before, owed: .none, rate: .whole, accrual: accrual)
    }
    let owed = StepAmounts(charges: .max, fee: 0, principal: 1)
    #expect(throws: RepaymentRefusal.overflow) {
      try PayoffQuote(on: through, owed: owed, rate: .whole, accrual: accrual)
    }
    let negative = StepAmounts(charges: 0, fee: -1, principal: 1_000_000)
    #expect(throws: RepaymentRefusal.negativeAmount(what: "fee", -1)) {
      try PayoffQuote(on: day("2024-11-05"), owed: negative, rate: .whole, accrual: accrual)
    }
  }

  @Test(
    "the platform takes its share of fee income, half to even, and nothing of what comes back",
    arguments: [
      (10_000, 200, 200), (25, 200, 0), (75, 200, 2), (125, 200, 2), (24, 200, 0), (26, 200, 1), (999, 0, 0),
      (999, 10_000, 999), (1_000_000_000_000_000, 1_234, 123_400_000_000_000),
    ] as [(Int64, Int64, Int64)])
  func platformFee(feeIncome: Int64, rateBps: Int64, expected: Int64) throws {
    let received = StepAmounts(charges: 17, fee: feeIncome, principal: 5_000)
    let shares = try PlatformFee.split(received, rate: BasisPoints(rateBps))
    #expect(shares.platformFee == expected)
    #expect(shares.received == feeIncome + 5_017)
    #expect(shares.net == shares.received - expected)
  }

  @Test("a platform fee above all of the income, or of a negative income, is refused")
  func platformFeeRefusals() {
    #expect(throws: RepaymentRefusal.shareOutOfRange(what: "platform fee rate", BasisPoints(10_001))) {
      try PlatformFee.split(.none, rate: BasisPoints(10_001))
    }
    #expect(throws: RepaymentRefusal.negativeAmount(what: "fee", -1)) {
      try PlatformFee.split(StepAmounts(charges: 0, fee: -1, principal: 5), rate: .whole)
    }
    #expect(throws: RepaymentRefusal.overflow) {
      try PlatformFee.split(StepAmounts(charges: .max, fee: .max, principal: .max), rate: .whole)
    }
  }
}
