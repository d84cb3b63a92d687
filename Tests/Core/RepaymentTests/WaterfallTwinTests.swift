import Primitives
import PropertyKit
import Repayment
import Testing

/// A claim with everything a claim can have, small enough for the twin.
func randomRichClaim(_ number: UInt64, _ random: inout SplitMix64) -> Claim {
  func amount() -> Int64 { random.oneIn(3) ? 0 : random.int64(in: 1...15) }
  let rates: [Int64] = [0, 0, 0, 100, 250, 500, 10_000, -1, -500, -5_000, -9_999]
  return Claim(
    loanID: loanID(number &* 7_919 % 1_009), lenderID: lenderID(number % 3), rank: random.int64(in: 1...3),
    due: StepAmounts(charges: amount(), fee: amount(), principal: amount() * 4, tax: amount(), prepayment: amount()),
    hasAcceded: !random.oneIn(4), sequence: random.int64(in: 0...3),
    prepayment: BasisPoints(rates[random.int(in: 0...rates.count - 1)]))
}

/// A waterfall with steps in any order, some left out, caps on some, and any rule for those who decline.
func randomWaterfall(_ random: inout SplitMix64) throws -> WaterfallDefinition {
  func cap() -> WaterfallDefinition.Cap? {
    switch random.int(in: 0...5) {
    case 0: .amount(random.int64(in: 0...40))
    case 1: .share(BasisPoints(random.int64(in: 0...10_000)))
    default: nil
    }
  }
  var rules: [WaterfallDefinition.StepRule] = []
  for step in WaterfallStep.allCases.shuffled(using: &random) where !random.oneIn(6) {
    rules.append(.init(step, sharing: random.oneIn(4) ? .sequential : .proRata, cap: cap()))
  }
  var rankCaps: [WaterfallDefinition.RankCap] = []
  for rank in 1...3 as ClosedRange<Int64> {
    if let cap = cap() { rankCaps.append(.init(rank: rank, cap: cap)) }
  }
  let decline = try random.pick(WaterfallDefinition.DeclinedTo.allCases)
  return try WaterfallDefinition(
    source: random.pick(CashSource.allCases), rules: rules, order: random.pick(WaterfallDefinition.Order.allCases),
    ownLoansFirst: random.oneIn(2), rankCaps: rankCaps,
    decline: random.oneIn(3) ? nil : .init(goesTo: decline, deadlineDays: 5))
}

@Suite("The waterfall against its twin")
struct WaterfallTwinTests {
  private struct Case {
    let waterfall: WaterfallDefinition
    let claims: [Claim]
    let own: Set<LoanID>
    let declined: Set<LoanID>
    let receipt: Int64

    init(_ random: inout SplitMix64) throws {
      let waterfall = try randomWaterfall(&random)
      let count = random.int(in: 0...6)
      let claims = (0..<count).map { randomRichClaim(UInt64($0), &random) }
      self.waterfall = waterfall
      self.claims = claims
      self.own = Set(claims.map(\.loanID).filter { _ in random.oneIn(3) })
      self.declined = waterfall.decline == nil ? [] : Set(claims.map(\.loanID).filter { _ in random.oneIn(3) })
      self.receipt = random.int64(in: 0...(random.oneIn(2) ? 60 : 400))
    }

    func allocation() throws -> Allocation {
      try waterfall.allocate(receipt, claims: claims, ownLoans: own, declined: declined)
    }
  }

  @Test("thirty thousand cases with every feature come out the same, unit for unit", arguments: 0..<6)
  func differential(part: UInt64) throws {
    try forAll(seeds: (part * 5_000 + 1)...(part * 5_000 + 5_000)) { random in
      let drawn = try Case(&random)
      let found = try drawn.allocation()
      let twin = WaterfallTwin(
        drawn.receipt, drawn.waterfall, drawn.claims, own: drawn.own, declined: drawn.declined)
      var paid: [WaterfallTwin.Paid: Int64] = [:]
      for line in found.lines { paid[.init(loan: line.loanID, step: line.step)] = line.amount }
      try hold(paid == twin.paid, "\(paid) is not \(twin.paid)")
      var declined: [WaterfallTwin.Paid: Int64] = [:]
      for part in found.declined { declined[.init(loan: part.loanID, step: part.step)] = part.amount }
      try hold(declined == twin.declinedParts, "declined: \(declined) is not \(twin.declinedParts)")
      let premiums = Dictionary(uniqueKeysWithValues: found.premiums.map { ($0.loanID, $0.amount) })
      try hold(premiums == twin.premiums, "premiums: \(premiums) is not \(twin.premiums)")
      try hold(found.remainder == twin.purse, "remainder \(found.remainder), not \(twin.purse)")
    }
  }

  @Test("sums, caps, debts, fractions and the order of input hold in ten thousand cases")
  func laws() throws {
    try forAll(seeds: 50_001...60_000) { random in
      let drawn = try Case(&random)
      let found = try drawn.allocation()
      try hold(found.lines.reduce(found.remainder) { $0 + $1.amount } == drawn.receipt, "the parts do not sum")
      for rule in drawn.waterfall.rules {
        let taken = found.lines.filter { $0.step == rule.step }.reduce(0) { $0 + $1.amount }
        switch rule.cap {
        case .amount(let cap)?: try hold(taken <= cap, "\(rule.step) took \(taken)")
        case .share(let share)?: try hold(taken * 10_000 <= drawn.receipt * share.value, "\(rule.step) took \(taken)")
        case nil: break
        }
      }
      for line in found.lines {
        try hold(line.amount > 0 && line.amount <= line.weight && line.discharged >= line.amount, "\(line)")
        // The exact part is less than one unit away.
        let distance = Int128(line.amount) * line.denominator - line.numerator
        try hold(distance.magnitude < line.denominator.magnitude, "\(line)")
        try hold(line.limit != .owed || line.amount == line.weight, "\(line)")
      }
      for claim in drawn.claims {
        let left = try found.left(of: claim.due, on: claim.loanID)
        try hold(WaterfallStep.allCases.allSatisfy { left[$0] >= 0 }, "\(claim.loanID) is overpaid")
      }
      let shuffled = try drawn.waterfall.allocate(
        drawn.receipt, claims: drawn.claims.shuffled(using: &random), ownLoans: drawn.own, declined: drawn.declined)
      try hold(shuffled == found, "the order of claims matters")
    }
  }

  @Test("with no caps more cash never makes what a rank takes on a step fall")
  func monotonic() throws {
    try forAll(seeds: 60_001...65_000) { random in
      let drawn = try Case(&random)
      let uncapped = try WaterfallDefinition(
        source: .round, rules: [.init(.charges), .init(.tax), .init(.fee), .init(.principal)], order: .rankThenStep,
        ownLoansFirst: false, decline: .init(goesTo: .borrower, deadlineDays: 1))
      func sums(_ receipt: Int64) throws -> [String: Int64] {
        let found = try uncapped.allocate(receipt, claims: drawn.claims, declined: [])
        return Dictionary(
          found.lines.map { ("\($0.hasAcceded) \($0.rank) \($0.step)", $0.amount) }, uniquingKeysWith: { $0 + $1 })
      }
      let more = try sums(drawn.receipt + random.int64(in: 1...9))
      for (group, amount) in try sums(drawn.receipt) {
        try hold(amount <= more[group, default: 0], "\(group) fell from \(amount)")
      }
    }
  }

  @Test("amounts at Int64's ends never trap")
  func extremes() throws {
    try forAll(seeds: 1...5_000) { random in
      let claims = (0..<random.int(in: 0...5)).map { number in
        Claim(
          loanID: loanID(UInt64(number)), lenderID: lenderID(1), rank: random.int64(in: 1...2),
          due: StepAmounts(
            charges: random.edgyInt64(), fee: random.edgyNatural(), principal: random.edgyNatural(),
            tax: random.edgyNatural(), prepayment: random.edgyNatural()),
          prepayment: BasisPoints(random.oneIn(4) ? random.edgyInt64() : random.int64(in: -9_999...10_000)))
      }
      let waterfall = try randomWaterfall(&random)
      let receipt = random.edgyInt64()
      do {
        let found = try waterfall.allocate(receipt, claims: claims)
        let sum = found.lines.reduce(Int128(found.remainder)) { $0 + Int128($1.amount) }
        try hold(sum == Int128(receipt), "the parts do not sum")
      } catch let refusal as RepaymentRefusal {
        try hold(!refusal.detail.isEmpty && refusal.code.hasPrefix("repayment."), "\(refusal)")
      }
      _ = try? waterfall.price(of: claims)
    }
  }

  @Test("a record has one spelling, is read back the same, and is not reproduced when it was altered")
  func records() throws {
    try forAll(seeds: 1...2_000) { random in
      let drawn = try Case(&random)
      let record = try drawn.waterfall.explain(
        Money(drawn.receipt, .usd), claims: drawn.claims, ownLoans: drawn.own, declined: drawn.declined)
      let bytes = record.canonicalBytes
      let again = try AllocationExplanation(canonicalBytes: bytes)
      try hold(again == record && again.canonicalBytes == bytes && again.isReproduced, "the record is not read back")
      try hold(record.digest == SHA256Digest(of: bytes), "the digest is of something else")
      try hold(record.sentences.count == record.allocation.lines.count, "a line has no sentence")
      // One byte changed: the bytes are refused, or the record is another one, or is not reproduced.
      var forged = bytes
      forged[random.int(in: 0...forged.count - 1)] ^= 1 << UInt8(random.int(in: 0...7))
      if let other = try? AllocationExplanation(canonicalBytes: forged) {
        try hold(other.digest != record.digest, "two records have one digest")
      }
      for length in [0, bytes.count / 2, bytes.count - 1] {
        try hold((try? AllocationExplanation(canonicalBytes: Array(bytes.prefix(length)))) == nil, "cut bytes are read")
      }
    }
  }

  @Test("a line that was raised in the record is found out")
  func forgery() throws {
    let claims = [claim(1, 0, 0, 60), claim(2, 0, 0, 40)]
    let record = try WaterfallDefinition.standard(for: .round).explain(Money(50, .usd), claims: claims)
    #expect(record.allocation.lines.map(\.amount) == [30, 20])
    // The first line's amount stands where 30 is written as eight bytes after its step.
    var bytes = record.canonicalBytes
    let needle = Array("principal".utf8) + [0, 0, 0, 0, 0, 0, 0, 30]
    let range = try #require(bytes.firstRange(of: needle))
    bytes[range.upperBound - 1] = 31
    #expect(try !AllocationExplanation(canonicalBytes: bytes).isReproduced)
  }
}

/// A thousand random waterfalls with at least one step, as the text demands.
func forAllWaterfalls(_ body: (WaterfallDefinition) throws -> Void) throws {
  try forAll(seeds: 1...1_000) { random in
    let waterfall = try randomWaterfall(&random)
    if !waterfall.rules.isEmpty { try body(waterfall) }
  }
}
