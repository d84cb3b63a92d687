import Primitives
import Repayment
import Testing

/// A generator with a seed, so that a failing case can be run again (SplitMix64, Steele and others 2014).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

func day(_ text: String) throws -> CalendarDate { try #require(CalendarDate(text)) }

func loanID(_ number: UInt64) -> LoanID { LoanID(UUIDValue(high: 3, low: number)) }

func lenderID(_ number: UInt64) -> OrganizationID { OrganizationID(UUIDValue(high: 4, low: number)) }

func claim(_ number: UInt64, rank: Int64 = 1, _ charges: Int64, _ fee: Int64, _ principal: Int64) -> Claim {
  Claim(
    loanID: loanID(number), lenderID: lenderID(number % 7), rank: rank,
    due: StepAmounts(charges: charges, fee: fee, principal: principal))
}

func candidate(
  _ number: UInt64, rank: Int64 = 1, owed: Int64, sweepBps: Int64, charges: Int64 = 0, fee: Int64 = 0
) -> SweepCandidate {
  SweepCandidate(
    loanID: loanID(number), lenderID: lenderID(number % 7), rank: rank,
    owed: StepAmounts(charges: charges, fee: fee, principal: owed - charges - fee), sweep: BasisPoints(sweepBps))
}

/// Amounts as money comes: mostly small (so that rounding matters), sometimes zero, sometimes 10^15.
func randomAmount(using random: inout SeededGenerator) -> Int64 {
  switch Int.random(in: 0..<10, using: &random) {
  case 0, 1: 0
  case 2...6: .random(in: 1...12, using: &random)
  case 7, 8: .random(in: 1...1_000_000, using: &random)
  default: .random(in: 999_999_999_999_000...1_000_000_000_000_000, using: &random)
  }
}
