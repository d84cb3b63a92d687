import Primitives
import PropertyKit
import Testing

@testable import Repayment

@Suite("Claw-backs, one after the other, and their records")
struct ClawbackExplanationTests {
  /// Cash and debt of each line, as plainly as it can be said: line by line from the last, one minor unit after the other.
  private struct Twin {
    var lines: [(line: Allocation.Line, cash: Int64)]
    var remainder: Int64

    init(_ allocation: Allocation) {
      lines = allocation.lines.map { ($0, $0.amount) }
      remainder = allocation.remainder
    }

    mutating func takeBack(_ amount: Int64) {
      for _ in 0..<amount {
        if remainder > 0 {
          remainder -= 1
        } else if let last = lines.lastIndex(where: { $0.cash > 0 }) {
          lines[last].cash -= 1
        }
      }
    }

    func isLeft(by allocation: Allocation) -> Bool {
      let kept = lines.filter { $0.cash > 0 }
      return remainder == allocation.remainder && kept.map(\.cash) == allocation.lines.map(\.amount)
        && kept.map(\.line.loanID) == allocation.lines.map(\.loanID)
        && kept.map(\.line.step) == allocation.lines.map(\.step)
    }
  }

  @Test("in whatever parts a receipt is taken back, the last line loses first, and in the end every debt is as it was")
  func parts() throws {
    try forAll(seeds: 1...5_000) { random in
      let waterfall = try randomWaterfall(&random)
      let claims = (0..<random.int(in: 0...6)).map { randomRichClaim(UInt64($0), &random) }
      let receipt = random.int64(in: 0...300)
      let allocation = try waterfall.allocate(receipt, claims: claims)
      let isByLine = random.oneIn(2)
      var (left, twin) = (allocation, Twin(allocation))
      var owed: [LoanID: StepAmounts] = [:]
      for claim in claims { owed[claim.loanID] = try allocation.left(of: claim.due, on: claim.loanID) }
      var taken: Int64 = 0
      while taken < receipt {
        let amount = random.int64(in: 1...(receipt - taken))
        let order: Clawback.Order = isByLine || random.oneIn(2) ? .lastLineFirst : .lastRankFirst
        let record = try ClawbackExplanation(
          Money(amount, .usd), of: left, remainderLeft: left.remainder, order: order)
        try hold(record.isReproduced, "\(record) is not reproduced")
        try hold(try ClawbackExplanation(canonicalBytes: record.canonicalBytes) == record, "its bytes are another's")
        try hold(record.clawback.claim + record.clawback.fromRemainder == amount, "the parts do not sum")
        for claim in claims {
          owed[claim.loanID] = try record.clawback.left(of: owed[claim.loanID] ?? .none, on: claim.loanID)
        }
        left = try left.less(record.clawback)
        taken += amount
        twin.takeBack(amount)
        if isByLine { try hold(twin.isLeft(by: left), "\(taken) of \(receipt): \(left)") }
        try hold(left.lines.reduce(left.remainder) { $0 + $1.amount } == receipt - taken, "what is left does not sum")
      }
      try hold(left.lines.isEmpty && left.remainder == 0, "something is left: \(left)")
      for claim in claims { try hold(owed[claim.loanID] == claim.due, "\(claim.loanID) owes \(owed)") }
    }
  }

  @Test("a record of other loss than the rule's is not reproduced, and damaged bytes are none")
  func damaged() throws {
    let allocation = try WaterfallDefinition.standard(for: .round).allocate(140, claims: [claim(1, 5, 20, 60)])
    let record = try ClawbackExplanation(
      Money(90, .usd), of: allocation, remainderLeft: 50, order: .lastRankFirst)
    let bytes = record.canonicalBytes
    for length in 0..<bytes.count {
      #expect(throws: CanonicalBytesError.self) { try ClawbackExplanation(canonicalBytes: Array(bytes[..<length])) }
    }
    for index in bytes.indices {
      var other = bytes
      other[index] ^= 1
      if let read = try? ClawbackExplanation(canonicalBytes: other) { #expect(read != record) }
    }
    #expect(record.digest == SHA256Digest(of: bytes))
  }

  @Test("what is no part of a division is not taken off it")
  func stray() throws {
    let one = try WaterfallDefinition.standard(for: .round).allocate(100, claims: [claim(1, 0, 0, 60)])
    let other = try WaterfallDefinition.standard(for: .round).allocate(100, claims: [claim(2, 0, 0, 60)])
    let clawback = try Clawback(100, of: one, remainderLeft: 40)
    #expect(throws: RepaymentRefusal.takenBackMoreThanReceived(amount: 60, received: 0)) { try other.less(clawback) }
    let left = try one.less(clawback)
    #expect(throws: RepaymentRefusal.self) { try left.less(clawback) }
    #expect(Allocation(unallocated: 7).remainder == 7 && Allocation(unallocated: 7).lines.isEmpty)
  }
}
