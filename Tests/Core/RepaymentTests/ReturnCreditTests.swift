import Primitives
import Repayment
import Testing

@Suite("Credit for returned units")
struct ReturnCreditTests {
  private func gross(
    _ rule: ReturnCredit, _ units: Int64, of unitsOut: Int64, _ principal: Int64, on date: String = "2023-11-06"
  ) throws -> Int64 {
    try rule.amount(units: units, of: unitsOut, principal: principal, on: day(date)).gross
  }

  @Test(
    "each unit is credited its part of the outstanding principal, whole minor units that sum exactly",
    arguments: [
      // 10 over 4: 3, 3, 2, 2 by largest remainder
      (1, 4, 10, 3), (2, 4, 10, 6), (3, 4, 10, 8), (4, 4, 10, 10), (1, 1, 7, 7), (512, 512, 999, 999), (1, 512, 0, 0),
      (3, 5, 2, 2), (1, 3, 1_000_000_000_000_000, 333_333_333_333_334),
    ] as [(Int64, Int64, Int64, Int64)])
  func proRata(units: Int64, unitsOut: Int64, principal: Int64, expected: Int64) throws {
    #expect(try gross(.proRataOutstanding, units, of: unitsOut, principal) == expected)
  }

  @Test("returning units one by one, together or in any lots credits the same and leaves nothing", arguments: 1...30)
  func splits(seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed) &* 67_867_967)
    for _ in 0..<50 {
      let all = Int64.random(in: 1...40, using: &random)
      let principal = randomAmount(using: &random)
      let shares = try largestRemainderShares(of: principal, weights: [Int64](repeating: 1, count: Int(all)))
      var (left, out) = (principal, all)
      while out > 0 {
        let units = Int64.random(in: 1...out, using: &random)
        let credit = try gross(.proRataOutstanding, units, of: out, left)
        let first = Int(all - out)
        #expect(credit == shares[first..<first + Int(units)].reduce(0, +))
        left -= credit
        out -= units
      }
      #expect(left == 0)
    }
  }

  @Test("a schedule credits the stipulated value of the day, never more than is outstanding")
  func schedule() throws {
    let rule = ReturnCredit.schedule([
      StipulatedValue(from: try day("2024-03-27"), perUnit: 800),
      StipulatedValue(from: try day("2023-03-27"), perUnit: 1_000),
      StipulatedValue(from: try day("2024-03-27"), perUnit: 900),
    ])
    #expect(try gross(rule, 3, of: 8, 100_000) == 3_000)
    #expect(try gross(rule, 3, of: 8, 100_000, on: "2024-03-26") == 3_000)
    #expect(try gross(rule, 3, of: 8, 100_000, on: "2024-03-27") == 2_400)
    #expect(try gross(rule, 3, of: 8, 2_999) == 2_999)
    let before = try day("2023-03-26")
    #expect(throws: RepaymentRefusal.noStipulatedValue(on: before)) { try gross(rule, 1, of: 1, 1, on: "2023-03-26") }
    #expect(throws: RepaymentRefusal.negativeAmount(what: "stipulated value", -1)) {
      try gross(.schedule([StipulatedValue(from: before, perUnit: -1)]), 1, of: 1, 1)
    }
  }

  @Test("the lower of share and mark")
  func lowerOfMark() throws {
    #expect(try gross(.lowerOfMark(perUnit: 30), 2, of: 4, 100) == 50)
    #expect(try gross(.lowerOfMark(perUnit: 25), 2, of: 4, 100) == 50)
    #expect(try gross(.lowerOfMark(perUnit: 24), 2, of: 4, 100) == 48)
    #expect(try gross(.lowerOfMark(perUnit: .max), 4, of: 4, .max) == .max)
    #expect(throws: RepaymentRefusal.negativeAmount(what: "mark", -1)) {
      try gross(.lowerOfMark(perUnit: -1), 1, of: 1, 1)
    }
  }

  @Test("a condition charge lessens the credit; what the credit does not cover is billed")
  func conditionCharge() throws {
    for (charge, credit, left) in [(0, 50, 0), (20, 30, 0), (50, 0, 0), (80, 0, 30)] as [(Int64, Int64, Int64)] {
      let found = try ReturnCredit.proRataOutstanding.amount(
        units: 2, of: 4, principal: 100, on: day("2023-11-06"), conditionCharge: charge)
      #expect(found.credit == credit)
      #expect(found.chargeLeft == left)
      #expect(found.gross - charge == credit - left)
    }
    #expect(throws: RepaymentRefusal.negativeAmount(what: "condition charge", -1)) {
      try ReturnCredit.proRataOutstanding.amount(
        units: 1, of: 1, principal: 1, on: .earliest, conditionCharge: -1)
    }
  }

  @Test(
    "units that are not out are refused", arguments: [(0, 4), (-1, 4), (5, 4), (1, 0), (1, -3)] as [(Int64, Int64)])
  func units(wanted: Int64, out: Int64) {
    #expect(throws: RepaymentRefusal.unitsOutOfRange(wanted: wanted, out: out)) {
      try gross(.proRataOutstanding, wanted, of: out, 100)
    }
  }

  @Test("refusals have stable codes of this module, each its own")
  func codes() throws {
    let date = try day("2023-11-06")
    let all: [RepaymentRefusal] = [
      .unsupportedDayCount(.actActISDA),
      .accrualBackdated(given: date, accruedThrough: date), .negativeAmount(what: "fee", -1),
      .shareOutOfRange(what: "share", .whole), .residueOutOfRange(1), .currencyDiffers(expected: .usd, found: .cny),
      .noClosing(on: date), .duplicateLoan(loanID(1)), .stepTwice(.fee), .unitsOutOfRange(wanted: 2, out: 1),
      .noStipulatedValue(on: date), .overflow,
    ]
    #expect(Set(all.map(\.code)).count == all.count)
    #expect(all.allSatisfy { $0.code.hasPrefix("repayment.") && $0.detail.hasSuffix(".") })
    #expect(all.filter { $0.kind == .conflict }.count == 3)
  }
}
