import Primitives
import Testing
import Valuation

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

let startup = ValuationSubject.startup(OrganizationID(UUIDValue(high: 1, low: 1)))

func day(_ text: String) throws -> CalendarDate { try #require(CalendarDate(text)) }

func moment(_ text: String) throws -> Instant { try #require(Instant(text)) }

func markID(_ number: UInt64) -> ValuationID { ValuationID(UUIDValue(high: 7, low: number)) }

/// A post-money in USD of the one startup, effective on a day, recorded at noon of another.
func postMoney(
  _ number: UInt64, _ amount: Int64, on effective: String, recorded: String, supersedes: UInt64? = nil,
  method: ValuationMethod = .pricedRound
) throws -> ValuationMark {
  ValuationMark(
    id: markID(number), subject: startup, method: method, amount: Money(amount, .usd), basis: .postMoney,
    effectiveOn: try day(effective), recordedAt: try moment("\(recorded)T12:00:00Z"), source: "term sheet",
    supersedes: supersedes.map(markID), approvedBy: nil)
}
