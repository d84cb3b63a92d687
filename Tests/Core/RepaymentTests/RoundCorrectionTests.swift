import Primitives
import PropertyKit
import Repayment
import Testing

@Suite("Rounds that are cut, reversed or taken back")
struct RoundCorrectionTests {
  @Test(
    "a cut withdraws what is not paid yet, and never more than was swept",
    arguments: [
      // swept, corrected, paid, withdrawn, kept
      (100, 60, 0, 40, 0), (100, 0, 0, 100, 0), (100, 60, 70, 30, 10), (100, 60, 100, 0, 40), (100, 0, 250, 0, 100),
    ] as [(Int64, Int64, Int64, Int64, Int64)])
  func cut(swept: Int64, corrected: Int64, paid: Int64, withdrawn: Int64, kept: Int64) throws {
    let found = try DuesWithdrawn(
      swept: [loanID(1): swept], corrected: [loanID(1): corrected], paid: [loanID(1): paid])
    #expect(found.lines.map(\.loanID) == [loanID(1)])
    #expect(found.lines.map(\.withdrawn) == [withdrawn])
    #expect(found.lines.map(\.kept) == [kept])
  }

  @Test("dues that stay or grow are not withdrawn; amounts below zero are refused")
  func unchanged() throws {
    let swept = [loanID(2): Int64(5), loanID(1): 7]
    #expect(try DuesWithdrawn(swept: swept, corrected: [loanID(2): 6, loanID(1): 7, loanID(3): 1]).lines.isEmpty)
    #expect(try DuesWithdrawn(swept: swept, corrected: [:]).lines.map(\.loanID) == [loanID(1), loanID(2)])
    #expect(throws: RepaymentRefusal.negativeAmount(what: "amount paid", -1)) {
      try DuesWithdrawn(swept: swept, corrected: [:], paid: [loanID(1): -1])
    }
  }

  private let claims = [claim(1, 5, 20, 60), claim(2, 0, 0, 40), claim(3, rank: 2, 0, 10, 100)]

  private func lines(_ clawback: Clawback) -> [String] {
    clawback.lines.map { "\($0.loanID.value.low) \($0.step.rawValue) \($0.cash)" }
  }

  @Test("who was paid last loses first, after what the borrower had left")
  func lastFirst() throws {
    let allocation = try WaterfallDefinition.standard(for: .round).allocate(140, claims: claims)
    // 1: charges 5, fee 20, principal 60; 2: principal 40; 3: fee 10, principal 5.
    let found = try Clawback(60, of: allocation, remainderLeft: 0)
    #expect(lines(found) == ["3 principal 5", "3 fee 10", "2 principal 40", "1 principal 5"])
    #expect(found.claim == 60)
    #expect(found.reinstated(on: loanID(1)) == StepAmounts(charges: 0, fee: 0, principal: 5))
    #expect(found.loans == [loanID(1), loanID(2), loanID(3)])
    // Lines of one step and rank together: 45 of 60 and 40 are 27 and 18.
    let together = try Clawback(60, of: allocation, remainderLeft: 0, order: .lastRankFirst)
    #expect(lines(together) == ["3 principal 5", "3 fee 10", "2 principal 18", "1 principal 27"])
    let rich = try WaterfallDefinition.standard(for: .round).allocate(300, claims: claims)
    #expect(rich.remainder == 65)
    let first = try Clawback(70, of: rich, remainderLeft: 50)
    #expect(first.fromRemainder == 50)
    #expect(lines(first) == ["3 principal 20"])
  }

  @Test("a premium falls away with the principal it was levied on")
  func premiums() throws {
    // 3 % of 1,000 is 30; when 200 of principal come back it is 24 on the rest.
    let owing = Claim(
      loanID: loanID(1), lenderID: lenderID(1), rank: 1, due: StepAmounts(charges: 0, fee: 0, principal: 1_000),
      prepayment: BasisPoints(300))
    let allocation = try WaterfallDefinition.standard(for: .round).allocate(1_030, claims: [owing])
    let found = try Clawback(230, of: allocation, remainderLeft: 0)
    #expect(lines(found) == ["1 prepayment 30", "1 principal 200"])
    #expect(found.premiumsWithdrawn.map(\.amount) == [6])
    #expect(try found.left(of: .none, on: loanID(1)) == StepAmounts(charges: 0, fee: 0, principal: 200, prepayment: 24))
  }

  @Test("more than was received, and less than nothing, is refused")
  func refusals() throws {
    let allocation = try WaterfallDefinition.standard(for: .round).allocate(300, claims: claims)
    #expect(throws: RepaymentRefusal.takenBackMoreThanReceived(amount: 286, received: 285)) {
      try Clawback(286, of: allocation, remainderLeft: 50)
    }
    // No more is left than there was.
    #expect(throws: RepaymentRefusal.takenBackMoreThanReceived(amount: 301, received: 300)) {
      try Clawback(301, of: allocation, remainderLeft: .max)
    }
    #expect(throws: RepaymentRefusal.negativeAmount(what: "amount taken back", -1)) {
      try Clawback(-1, of: allocation, remainderLeft: 0)
    }
  }

  @Test("taken back whole, every debt is as it was; taken back in part, the parts sum")
  func restores() throws {
    try forAll(seeds: 1...10_000) { random in
      let waterfall = try randomWaterfall(&random)
      let claims = (0..<random.int(in: 0...6)).map { randomRichClaim(UInt64($0), &random) }
      let receipt = random.int64(in: 0...300)
      let allocation = try waterfall.allocate(receipt, claims: claims)
      for order in Clawback.Order.allCases {
        let all = try Clawback(receipt, of: allocation, remainderLeft: allocation.remainder, order: order)
        try hold(all.claim + all.fromRemainder == receipt, "the parts do not sum")
        for claim in claims {
          let after = try all.left(of: allocation.left(of: claim.due, on: claim.loanID), on: claim.loanID)
          try hold(after == claim.due, "\(claim.loanID) owes \(after), not \(claim.due)")
        }
        let amount = random.int64(in: 0...receipt)
        let part = try Clawback(amount, of: allocation, remainderLeft: allocation.remainder, order: order)
        try hold(part.claim + part.fromRemainder == amount, "\(amount) is not \(part)")
        for claim in claims {
          let before = try allocation.left(of: claim.due, on: claim.loanID)
          let after = try part.left(of: before, on: claim.loanID)
          for step in WaterfallStep.allCases where step != .prepayment {
            try hold(before[step] <= after[step] && after[step] <= claim.due[step], "\(step) of \(claim.loanID)")
          }
        }
        for line in part.lines {
          let got = allocation.paid(on: line.loanID)[line.step]
          try hold(line.cash > 0 && line.cash <= got, "\(line) of \(got)")
          try hold(line.reinstated >= line.cash, "\(line)")
        }
      }
    }
  }
}

@Suite("A change of control")
struct ChangeOfControlTests {
  private func loan(_ number: UInt64) -> ControlledLoan {
    ControlledLoan(
      loanID: loanID(number), owed: StepAmounts(charges: 1, fee: 9, principal: 800), unitsOut: 8,
      returnCredit: .proRataOutstanding)
  }

  private func event() throws -> ChangeOfControl {
    ChangeOfControl(on: try day("2024-05-02"), chooseBy: try day("2024-06-01"))
  }

  @Test("each loan by its choice: all due, taken over, or chips back and the rest due")
  func choices() throws {
    let acquirer = lenderID(50)
    let found = try event().effects(
      on: [loan(3), loan(1), loan(2)],
      choices: [
        loanID(1): .acceleration, loanID(2): .assumption(acquirer: acquirer, consentedOn: day("2024-05-20")),
        loanID(3): .returnOfChips(units: 6),
      ], today: day("2024-05-21"))
    #expect(found.map(\.loanID) == [loanID(1), loanID(2), loanID(3)])
    #expect(found.map(\.due) == [810, 0, 210])
    #expect(found.map(\.assumed) == [0, 810, 0])
    #expect(found.map(\.credit) == [0, 0, 600])
    #expect(found.map(\.needsVerdict) == [nil, .assumption, .returnOfChips])
    #expect(found.allSatisfy { !$0.byDefault })
  }

  @Test("without a choice or a consent it waits until the deadline, then all is due")
  func deadline() throws {
    let (last, after) = (try day("2024-06-01"), try day("2024-06-02"))
    #expect(throws: RepaymentRefusal.choiceMissing(loanID(1))) {
      try event().effects(on: [loan(1)], choices: [:], today: last)
    }
    let unasked: [LoanID: ChangeOfControlChoice] = [loanID(1): .assumption(acquirer: lenderID(50), consentedOn: nil)]
    #expect(throws: RepaymentRefusal.consentMissing(loanID(1))) {
      try event().effects(on: [loan(1)], choices: unasked, today: last)
    }
    let late: [LoanID: ChangeOfControlChoice] = [loanID(1): .assumption(acquirer: lenderID(50), consentedOn: after)]
    for choices in [[:], unasked, late] {
      let found = try event().effects(on: [loan(1)], choices: choices, today: after)
      #expect(found.map(\.choice) == [.acceleration])
      #expect(found.map(\.due) == [810])
      #expect(found[0].byDefault)
    }
  }

  @Test("unknown loans and more chips than are out are refused")
  func refusals() throws {
    let today = try day("2024-05-21")
    #expect(throws: RepaymentRefusal.unknownLoan(loanID(2))) {
      try event().effects(on: [loan(1)], choices: [loanID(2): .acceleration], today: today)
    }
    #expect(throws: RepaymentRefusal.unitsOutOfRange(wanted: 9, out: 8)) {
      try event().effects(on: [loan(1)], choices: [loanID(1): .returnOfChips(units: 9)], today: today)
    }
    #expect(throws: RepaymentRefusal.duplicateLoan(loanID(1))) {
      try event().effects(on: [loan(1), loan(1)], choices: [:], today: today)
    }
  }
}
