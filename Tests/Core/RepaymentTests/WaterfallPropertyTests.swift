import Primitives
import Repayment
import Testing

@Suite("Properties of the waterfall")
struct WaterfallPropertyTests {
  private func randomClaims(using random: inout SeededGenerator) -> [Claim] {
    let count = UInt64.random(in: 0...10, using: &random)
    let ranks = Int64.random(in: 1...4, using: &random)
    // Often all claims are equal or small multiples, so that remainders tie.
    let alike = Bool.random(using: &random)
    return (0..<count).map { number in
      func amount() -> Int64 {
        alike ? .random(in: 1...2, using: &random) * 6 : randomAmount(using: &random)
      }
      return claim(
        number &* 7_919 % 1_009, rank: .random(in: 1...ranks, using: &random), amount(), amount(), amount())
    }
  }

  private func randomReceipt(for claims: [Claim], using random: inout SeededGenerator) -> Int64 {
    let owed = claims.reduce(Int64(0)) { $0 + $1.due.charges + $1.due.fee + $1.due.principal }
    return Bool.random(using: &random) ? randomAmount(using: &random) : .random(in: 0...owed + 3, using: &random)
  }

  private func paid(_ allocation: Allocation) -> [NaiveWaterfall.Key: Int64] {
    Dictionary(
      uniqueKeysWithValues: allocation.lines.map { line in
        (NaiveWaterfall.Key(loan: line.loanID, step: line.step.rawValue), line.amount)
      })
  }

  @Test("a naive waterfall, written independently, pays the same, unit for unit", arguments: 1...50)
  func differential(seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed) &* 1_299_709)
    let byStep = try WaterfallDefinition(
      source: .round, steps: [.charges, .fee, .principal], order: .stepThenRank, ownLoansFirst: false)
    for _ in 0..<200 {
      let claims = randomClaims(using: &random)
      let receipt = randomReceipt(for: claims, using: &random)
      let naive = NaiveWaterfall(purse: receipt, claims: claims)
      let found = try WaterfallDefinition.standard(for: .round).allocate(receipt, claims: claims)
      #expect(paid(found) == naive.paid)
      #expect(found.remainder == naive.purse)
      let stepFirst = NaiveWaterfall(purse: receipt, claims: claims, stepFirst: true)
      #expect(paid(try byStep.allocate(receipt, claims: claims)) == stepFirst.paid)
    }
  }

  @Test(
    "parts and remainder sum to the receipt, none is above its debt, order of input is without effect",
    arguments: 1...50)
  func conservation(seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed) &* 15_485_863)
    for _ in 0..<100 {
      let claims = randomClaims(using: &random)
      let receipt = randomReceipt(for: claims, using: &random)
      let own = Set(claims.map(\.loanID).filter { _ in Bool.random(using: &random) })
      let source = CashSource.allCases.randomElement(using: &random) ?? .round
      let definition = WaterfallDefinition.standard(for: source)
      let found = try definition.allocate(receipt, claims: claims, ownLoans: own)
      #expect(found.lines.reduce(found.remainder) { $0 + $1.amount } == receipt)
      let table = Dictionary(uniqueKeysWithValues: claims.map { ($0.loanID, $0.due) })
      for line in found.lines { #expect(line.amount > 0 && line.amount <= (table[line.loanID]?[line.step] ?? 0)) }
      // Money is left over only when nothing is owed any more.
      let owed = claims.reduce(Int64(0)) { $0 + $1.due.charges + $1.due.fee + $1.due.principal }
      #expect(found.remainder == max(0, receipt - owed))
      #expect(found == (try definition.allocate(receipt, claims: claims.shuffled(using: &random), ownLoans: own)))
    }
  }

  @Test("more money never makes what a rank gets on a step fall", arguments: 1...20)
  func monotone(seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed) &* 32_452_843)
    let definition = WaterfallDefinition.standard(for: .round)
    for _ in 0..<100 {
      let claims = randomClaims(using: &random)
      let receipt = randomReceipt(for: claims, using: &random)
      let rankOf = Dictionary(uniqueKeysWithValues: claims.map { ($0.loanID, $0.rank) })
      func sums(_ amount: Int64) throws -> [String: Int64] {
        var sums: [String: Int64] = [:]
        for line in try definition.allocate(amount, claims: claims).lines {
          sums["\(rankOf[line.loanID] ?? 0) \(line.step)", default: 0] += line.amount
        }
        return sums
      }
      let more = try sums(receipt + .random(in: 1...9, using: &random))
      for (group, amount) in try sums(receipt) { #expect(amount <= more[group, default: 0]) }
    }
  }
}
