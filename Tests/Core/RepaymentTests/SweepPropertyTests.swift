import Primitives
import Repayment
import Testing

@Suite("Properties of the sweep")
struct SweepPropertyTests {
  private func randomCandidates(using random: inout SeededGenerator) -> [SweepCandidate] {
    let count = UInt64.random(in: 0...9, using: &random)
    let ranks = Int64.random(in: 1...3, using: &random)
    return (0..<count).map { number in
      candidate(
        number &* 0x9E37_79B9 % 1_000_003, rank: .random(in: 1...ranks, using: &random),
        owed: randomAmount(using: &random),
        sweepBps: [0, 1, 2_500, 3_333, 5_000, 10_000].randomElement(using: &random) ?? 0)
    }
  }

  /// One rank by breakpoints: the loans in the order in which their caps are reached as the level rises. It shares with
  /// the product neither loop nor order of work.
  private func naiveRank(_ available: Int128, _ loans: [(id: LoanID, owed: Int128, cap: Int128)]) -> [LoanID: Int128] {
    var result: [LoanID: Int128] = [:]
    if loans.reduce(0, { $0 + $1.cap }) <= available {
      for loan in loans { result[loan.id] = loan.cap }
      return result
    }
    var queue = loans.sorted { $0.cap * $1.owed < $1.cap * $0.owed }
    var left = available
    while let first = queue.first {
      let weight = queue.reduce(Int128(0)) { $0 + $1.owed }
      guard first.cap * weight < left * first.owed else { break }
      result[first.id] = first.cap
      left -= first.cap
      queue.removeFirst()
    }
    let weight = queue.reduce(Int128(0)) { $0 + $1.owed }
    var odd = left
    for loan in queue {
      result[loan.id] = left * loan.owed / weight
      odd -= left * loan.owed / weight
    }
    let byRemainder = queue.sorted {
      let (a, b) = (left * $0.owed % weight, left * $1.owed % weight)
      return a == b ? $0.id < $1.id : a > b
    }
    for loan in byRemainder.prefix(Int(odd)) { result[loan.id, default: 0] += 1 }
    return result
  }

  private func naive(_ cash: Int64, _ candidates: [SweepCandidate]) -> [LoanID: Int128] {
    let owing = candidates.filter { $0.owed.charges + $0.owed.fee + $0.owed.principal > 0 }
    var left = Int128(cash) * Int128(owing.map(\.sweep.value).max() ?? 0) / 10_000
    var result: [LoanID: Int128] = [:]
    for rank in Set(owing.map(\.rank)).sorted() {
      let loans = owing.filter { $0.rank == rank }.map { loan in
        let owed = Int128(loan.owed.charges + loan.owed.fee + loan.owed.principal)
        return (id: loan.loanID, owed: owed, cap: min(owed, Int128(cash) * Int128(loan.sweep.value) / 10_000))
      }
      let shares = naiveRank(left, loans)
      left -= shares.values.reduce(0, +)
      result.merge(shares) { $0 + $1 }
    }
    return result
  }

  @Test("sums, caps, order of input, and a second method agree", arguments: 1...50)
  func properties(seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed) &* 7_919)
    for _ in 0..<100 {
      let candidates = randomCandidates(using: &random)
      let cash = randomAmount(using: &random)
      let found = try Sweep.dues(kind: .priced, netNewCash: cash, candidates: candidates)
      let again = try Sweep.dues(kind: .priced, netNewCash: cash, candidates: candidates.shuffled(using: &random))
      #expect(found == again)
      let caps = found.lines.reduce(Int128(0)) { $0 + Int128($1.cap) }
      let sum = found.lines.reduce(Int128(0)) { $0 + Int128($1.amount) }
      #expect(sum == min(Int128(try #require(found.pool)), caps))
      #expect(found.lines.allSatisfy { $0.amount >= 0 && $0.amount <= $0.cap })
      let expected = naive(cash, candidates)
      for line in found.lines { #expect(Int128(line.amount) == expected[line.loanID]) }
      #expect(found.lines.count == expected.count)
      // A lower rank gets nothing before every higher one is at its caps.
      for line in found.lines where line.amount > 0 {
        #expect(found.lines.allSatisfy { $0.rank >= line.rank || $0.amount == $0.cap })
      }
    }
  }

  @Test("more cash never makes a rank's dues fall", arguments: 1...20)
  func monotone(seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed) &* 104_729)
    for _ in 0..<100 {
      let candidates = randomCandidates(using: &random)
      let cash = randomAmount(using: &random)
      let more = cash + .random(in: 0...10, using: &random)
      func sums(_ cash: Int64) throws -> [Int128] {
        let lines = try Sweep.dues(kind: .safe, netNewCash: cash, candidates: candidates).lines
        return (1...3).map { rank in
          lines.filter { $0.rank <= rank }.reduce(Int128(0)) { $0 + Int128($1.amount) }
        }
      }
      for (less, greater) in zip(try sums(cash), try sums(more)) { #expect(less <= greater) }
    }
  }

  @Test("a thousand loans of 10^15 minor units share without a trap")
  func extremes() throws {
    let loans = (0..<1_000).map { candidate(UInt64($0), owed: 1_000_000_000_000_000, sweepBps: 10_000) }
    let found = try Sweep.dues(kind: .priced, netNewCash: 1_000_000_000_000_000, candidates: loans)
    #expect(found.lines.allSatisfy { $0.amount == 1_000_000_000_000 })
    let odd = try Sweep.dues(kind: .priced, netNewCash: 999_999_999_999_999, candidates: loans)
    #expect(odd.lines.last?.amount == 999_999_999_999)
    #expect(odd.lines.dropLast().allSatisfy { $0.amount == 1_000_000_000_000 })
  }
}
