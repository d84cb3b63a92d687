import Primitives
import Repayment
import Testing

@Suite("The waterfall")
struct WaterfallTests {
  private let round = WaterfallDefinition.standard(for: .round)

  private func lines(_ allocation: Allocation) -> [String] {
    allocation.lines.map { line in "\(line.loanID.value.low) \(line.step.rawValue) \(line.amount)" }
  }

  /// Two lenders of rank 1, one of rank 2.
  private let claims = [
    claim(3, rank: 2, 5, 10, 100), claim(1, 10, 100, 1_000), claim(2, 20, 50, 500),
  ]

  @Test(
    "money goes down by rank, then charges, fee, principal",
    arguments: [
      (0, [], 0),
      // 10 over charges 10 : 20, exact parts 3.33 and 6.67.
      (10, ["1 charges 3", "2 charges 7"], 0),
      // All charges, then 75 over fees 100 : 50.
      (105, ["1 charges 10", "2 charges 20", "1 fee 50", "2 fee 25"], 0),
      // All of rank 1 but 1 unit of principal: 1,499 over 1,000 : 500, exact 999.33 and 499.67.
      (
        1_679,
        ["1 charges 10", "2 charges 20", "1 fee 100", "2 fee 50", "1 principal 999", "2 principal 500"], 0
      ),
      (
        1_690,
        [
          "1 charges 10", "2 charges 20", "1 fee 100", "2 fee 50", "1 principal 1000", "2 principal 500",
          "3 charges 5", "3 fee 5",
        ], 0
      ),
      (
        1_800,
        [
          "1 charges 10", "2 charges 20", "1 fee 100", "2 fee 50", "1 principal 1000", "2 principal 500",
          "3 charges 5", "3 fee 10", "3 principal 100",
        ], 5
      ),
    ] as [(Int64, [String], Int64)])
  func byHand(amount: Int64, expected: [String], remainder: Int64) throws {
    let found = try round.allocate(amount, claims: claims)
    #expect(lines(found) == expected)
    #expect(found.remainder == remainder)
    #expect(found.lines.allSatisfy { $0.lenderID == lenderID($0.loanID.value.low % 7) })
  }

  @Test("equal claims share an odd unit by loan id, not by order of arrival")
  func ties() throws {
    let found = try round.allocate(5, claims: [claim(9, 0, 0, 4), claim(4, 0, 0, 4), claim(6, 0, 0, 4)])
    #expect(lines(found) == ["4 principal 2", "6 principal 2", "9 principal 1"])
  }

  @Test("a definition states other orders and fewer steps")
  func otherDefinitions() throws {
    let byStep = try WaterfallDefinition(
      source: .guarantee, steps: [.principal, .fee], order: .stepThenRank, ownLoansFirst: false)
    let found = try byStep.allocate(1_700, claims: claims)
    // Principal of all ranks, 1,600; then 100 over the fees of rank 1; charges are not paid.
    #expect(lines(found) == ["1 principal 1000", "2 principal 500", "3 principal 100", "1 fee 67", "2 fee 33"])
    #expect(try byStep.allocate(2_000, claims: claims).remainder == 240)
  }

  @Test("proceeds of collateral and insurance go to that chip's lender first", arguments: CashSource.allCases)
  func ownLoans(source: CashSource) throws {
    let found = try WaterfallDefinition.standard(for: source).allocate(50, claims: claims, ownLoans: [loanID(3)])
    switch source {
    case .collateral, .insurance: #expect(lines(found) == ["3 charges 5", "3 fee 10", "3 principal 35"])
    case .round, .instalment, .guarantee:
      #expect(lines(found) == ["1 charges 10", "2 charges 20", "1 fee 13", "2 fee 7"])
    }
    let surplus = try WaterfallDefinition.standard(for: .collateral).allocate(
      120, claims: claims, ownLoans: [loanID(3), loanID(77)])
    #expect(lines(surplus).suffix(2) == ["1 charges 2", "2 charges 3"])
  }

  @Test("each source has its waterfall, and the standard one pays every step", arguments: CashSource.allCases)
  func standard(source: CashSource) {
    let definition = WaterfallDefinition.standard(for: source)
    #expect(definition.source == source)
    let premium: [WaterfallStep] = source == .round || source == .instalment ? [.prepayment] : []
    #expect(definition.steps == [.charges, .tax, .fee, .principal] + premium)
    #expect(definition.order == .rankThenStep)
  }

  @Test("a step twice, a loan twice and amounts below zero are refused")
  func refusals() throws {
    #expect(throws: RepaymentRefusal.stepTwice(.fee)) {
      try WaterfallDefinition(
        source: .round, steps: [.fee, .charges, .fee], order: .rankThenStep, ownLoansFirst: false)
    }
    #expect(throws: RepaymentRefusal.duplicateLoan(loanID(1))) {
      try round.allocate(1, claims: [claim(1, 0, 0, 1), claim(1, rank: 2, 0, 0, 1)])
    }
    #expect(throws: RepaymentRefusal.negativeAmount(what: "receipt", -1)) { try round.allocate(-1, claims: claims) }
    let wrongs = [("charges", claim(1, -1, 0, 0)), ("fee", claim(1, 0, -1, 0)), ("principal", claim(1, 0, 0, -1))]
    for (step, wrong) in wrongs {
      #expect(throws: RepaymentRefusal.negativeAmount(what: step, -1)) { try round.allocate(1, claims: [wrong]) }
    }
  }

  @Test("many claims of 10^15 and even of Int64's end are paid without a trap")
  func extremes() throws {
    let wide = (0..<1_000).map { claim(UInt64($0), 1_000_000_000_000_000, 0, 1_000_000_000_000_000) }
    let found = try round.allocate(1_000_000_000_000_000, claims: wide)
    #expect(found.lines.count == 1_000)
    #expect(found.lines.allSatisfy { $0.amount == 1_000_000_000_000 })
    let ends = [claim(1, .max, .max, .max), claim(2, .max, .max, .max)]
    let split = try round.allocate(.max, claims: ends)
    #expect(split.lines.map(\.amount) == [Int64.max / 2 + 1, Int64.max / 2])
    #expect(split.remainder == 0)
  }
}
