import BankFiles
import DomainFixtures
import Ledger
import Operations
import Parties
import Persistence
import Primitives
import Reconciliation
import Repayment
import Testing

@testable import Settlement

/// Loans of 14,400,000 with a fee of 40,000, of which the platform takes 2,000.
@Suite("What lenders owe for money that was taken back", .timeLimit(.minutes(5)))
struct ClawbackClaimTests {
  /// The first of so many loans was paid, its lender was paid out, and the money was taken back: what is shown of that, and
  /// what the lender had been paid.
  private func takenBack(
    _ market: Marketplace, _ count: Int
  ) async throws -> (loans: [LentLoan], paid: Payout, shown: ProposeClawback.Shown) {
    let loans = try await market.lend(count)
    market.clock.advance(days: 10)
    try await market.makeDue(loans[0])
    let receipt = try await market.receive(ClawbackTests.debt, "WIRE", from: loans[0].startup)
    _ = try await market.settle(.payout)
    let paid = try #require(try await market.payouts().first)
    // Under the receipt's own reference, as a bank that reverses a credit shows it.
    return (loans, paid, try await market.takeBack(ClawbackTests.debt, of: receipt))
  }

  /// How the bank shows that much of it.
  private static func lines(of paid: Payout, _ shown: ProposeClawback.Shown) -> [BankSheet.Line] {
    [
      .init(ClawbackTests.debt, "WIRE"), .init(-paid.net, EndToEndReference.of(paid.id)),
      .init(-paid.platformFee, EndToEndReference.ofFee(paid.id)),
      .init(-ClawbackTests.debt, "WIRE", isReversal: true),
      .init(2_000, EndToEndReference.ofAdvance(shown.clawback.id)),
    ]
  }

  /// A lender pays in what it owes.
  private static func giveBack(
    _ amount: Int64, _ currency: Currency = .usd, by lender: Party, on date: CalendarDate, _ reference: String = "BACK"
  ) -> RecordCashReceipt {
    RecordCashReceipt(
      receivedOn: date, amount: Money(amount, currency), source: .clawBack, payerID: lender.id, reference: reference)
  }

  @Test("a lender pays its claim in cash: the advance goes back, what is above the claim leaves with its next payout")
  func paidInCash() async throws {
    try await Marketplace.with { market in
      let (loans, paid, shown) = try await takenBack(market, 1)
      let lender = loans[0].lender
      // A top-up covers what the platform's own means could not; so nothing of what is paid back is missing to clients.
      try await market.topUp(ClawbackTests.net, "OWN-7")
      let part = Self.giveBack(4_000_000, by: lender, on: market.today)
      #expect(try await market.submit(part, by: lender.principal).refusalCode == "parties.role_required")
      let first = try await market.run(part, by: Marketplace.staff()).receipt
      #expect(first.claim == ClawbackRepayment(paid: 4_000_000, returned: 4_000_000))
      #expect(first.remainder == 0 && first.remainderReason == nil && first.organizationID == lender.id)
      #expect(try await market.balance(lender.id, .payableClawback) == 4_000_000 - ClawbackTests.net)
      #expect(try await market.balance(.platform, .bankOwn) == 4_000_000)
      let rest = ClawbackTests.net - 4_000_000
      let second = try await market.run(
        Self.giveBack(rest + 77, by: lender, on: market.today, "REST"), by: Marketplace.staff()
      ).receipt
      #expect(second.claim == ClawbackRepayment(paid: rest, returned: rest))
      #expect(second.remainder == 77 && second.remainderReason == .nothingDue)
      #expect(try await market.balance(lender.id, .cashAtPlatform) == 77)
      #expect(try await market.balance(.platform, .receivableClawback) == 0)
      #expect(try await market.balance(.platform, .bankOwn) == ClawbackTests.net)
      let again = Self.giveBack(1, by: lender, on: market.today)
      #expect(try await market.submit(again, by: Marketplace.staff()).refusalCode == "claw_back.nothing_owed")
      let out = try await market.payOut()
      #expect(out.net == 77 && out.netting == .none && out.platformFee == 0)
      let lines =
        Self.lines(of: paid, shown) + [
          .init(ClawbackTests.net, "OWN-7"), .init(4_000_000, "BACK"),
          .init(-4_000_000, EndToEndReference.ofRepaidAdvance(first.id)), .init(rest + 77, "REST"),
          .init(-rest, EndToEndReference.ofRepaidAdvance(second.id)), .init(-77, EndToEndReference.of(out.id)),
        ]
      let taken = try await market.take(BankSheet(name: "S1", on: market.today, lines: lines))
      #expect(taken.matched == Int64(lines.count) && taken.waiting == 0 && taken.breaks == [])
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  @Test("while the client account is short, what a lender gives back stays there; no claim, and no claim in a currency")
  func paidWhileShort() async throws {
    try await Marketplace.with { market in
      let (loans, _, shown) = try await takenBack(market, 1)
      let lender = loans[0].lender
      #expect(shown.booking?.uncovered == ClawbackTests.net)
      let stranger = try await market.lender("Stranger")
      for (command, code) in [
        (Self.giveBack(5, by: stranger, on: market.today), "claw_back.nothing_owed"),
        (Self.giveBack(5, .cny, by: lender, on: market.today), "claw_back.owed_in_other_currency"),
      ] {
        #expect(try await market.submit(command, by: Marketplace.staff()).refusalCode == code)
      }
      let given = try await market.run(
        Self.giveBack(1_000_000, by: lender, on: market.today), by: Marketplace.staff()
      ).receipt
      #expect(given.claim == ClawbackRepayment(paid: 1_000_000, returned: 0))
      // Money that nobody knew the payer of, until a person found out: as if it had been known.
      let unknown = try await market.run(
        RecordCashReceipt(
          receivedOn: market.today, amount: Money(ClawbackTests.net, .usd), source: .clawBack, payerID: nil,
          reference: "WHO"), by: Marketplace.staff()
      ).receipt
      #expect(unknown.suspense?.reason == .unknownPayer)
      let found = try await market.run(
        AssignCashReceipt(receiptID: unknown.id, payerID: lender.id, ifVersion: nil), by: Marketplace.staff()
      ).receipt
      #expect(found.claim.paid == ClawbackTests.net - 1_000_000 && found.remainder == 1_000_000)
      #expect(found.claim.returned == 0)
      #expect(try await market.balance(lender.id, .payableClawback) == 0)
      #expect(try await market.balance(lender.id, .cashAtPlatform) == 1_000_000)
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  @Test("payouts net what the lender owes, one after the other, and what was advanced goes back to the platform")
  func netting() async throws {
    try await Marketplace.with { market in
      let loans = try await market.lend(3)
      market.clock.advance(days: 10)
      try await market.makeDue(loans[0])
      let receipt = try await market.receive(ClawbackTests.debt, "WIRE", from: loans[0].startup)
      _ = try await market.settle(.payout)
      try await market.takeBack(ClawbackTests.debt, of: receipt)
      try await market.topUp(ClawbackTests.net)
      // Four millions come for the lender: all of it is netted, but the platform's fee.
      try await market.makeDue(loans[1])
      try await market.receive(4_040_000, "TWO", from: loans[1].startup)
      let first = try await market.payOut()
      #expect(first.platformFee == 2_000 && first.net == 0)
      #expect(first.netting == Payout.Netting(netted: 4_038_000, repaid: 4_038_000))
      #expect(try await market.balance(loans[0].lender.id, .payableClawback) == 4_038_000 - ClawbackTests.net)
      // The rest of the claim, and what is above it is paid.
      try await market.receive(10_400_000, "THREE", from: loans[1].startup)
      try await market.makeDue(loans[2])
      try await market.receive(ClawbackTests.debt, "FOUR", from: loans[2].startup)
      let second = try await market.payOut()
      #expect(second.netting.netted == ClawbackTests.net - 4_038_000)
      #expect(second.net == 10_400_000 + ClawbackTests.debt - 2_000 - second.netting.netted)
      #expect(try await market.balance(loans[0].lender.id, .payableClawback) == 0)
      #expect(try await market.balance(.platform, .receivableClawback) == 0)
      // Its own money is back, and the fees of two loans; that of the first is given back for good.
      #expect(try await market.balance(.platform, .bankOwn) == ClawbackTests.net + 4_000)
      #expect(try await market.balance(.platform, .bankClient) == 0)
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  @Test("what a payout nets stays in the client account while that is short")
  func nettingCovers() async throws {
    try await Marketplace.with { market in
      let loans = try await market.lend(2)
      market.clock.advance(days: 10)
      try await market.makeDue(loans[0])
      let receipt = try await market.receive(ClawbackTests.debt, "WIRE", from: loans[0].startup)
      _ = try await market.settle(.payout)
      try await market.makeDue(loans[1])
      try await market.receive(ClawbackTests.debt, "TWO", from: loans[1].startup)
      // The lender holds nothing of the first receipt, yet money of the second, part by part.
      let shown = try await market.takeBack(4_000_000, of: receipt)
      #expect(shown.lines.map(\.held) == [4_000_000])
      #expect(shown.booking?.uncovered == 0)
      _ = try await market.settle(.payout)
      let more = try await market.takeBack(5_000_000, of: receipt)
      #expect(more.lines.map(\.claimed) == [5_000_000])
      // 4,000: the fees of two payouts.
      #expect(more.booking?.advanced == 4_000 && more.booking?.uncovered == 4_996_000)
      // Nothing is held, so nothing is paid out, and nothing is repaid of what was advanced.
      try await market.topUp(996_000)
      try await market.receive(9_000_000, "AGAIN", from: loans[0].startup)
      let last = try await market.payOut()
      #expect(last.netting.netted == 5_000_000)
      // Four millions cover what is short; the rest is the platform's.
      #expect(last.netting.repaid == 1_000_000)
      #expect(try await market.balance(loans[0].lender.id, .payableClawback) == 0)
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  @Test("the bank's reversal, the advance, the top-up and what is repaid leave no break")
  func reconciled() async throws {
    try await Marketplace.with { market in
      let (loans, paid, shown) = try await takenBack(market, 2)
      try await market.topUp(ClawbackTests.net, "OWN-7")
      try await market.makeDue(loans[1])
      try await market.receive(ClawbackTests.debt, "TWO", from: loans[1].startup)
      let second = try await market.payOut()
      let lines =
        Self.lines(of: paid, shown) + [
          .init(ClawbackTests.net, "OWN-7"), .init(ClawbackTests.debt, "TWO"),
          .init(-second.platformFee, EndToEndReference.ofFee(second.id)),
          .init(-second.netting.repaid, EndToEndReference.ofRepaidAdvance(second.id)),
        ]
      #expect(second.net == 0)
      let taken = try await market.take(BankSheet(name: "S1", on: market.today, lines: lines))
      #expect(taken.matched == Int64(lines.count) && taken.waiting == 0)
      #expect(taken.breaks == [])
      #expect(taken.reviews.flatMap(\.drifts).map(\.drift) == [0])
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  @Test("while clients' money is short nobody is paid at the cost of the others")
  func short() async throws {
    try await Marketplace.with { market in
      let loans = try await market.lend(2)
      let other = try await market.startup("Depositor")
      market.clock.advance(days: 10)
      try await market.makeDue(loans[0])
      let receipt = try await market.receive(ClawbackTests.debt, "WIRE", from: loans[0].startup)
      _ = try await market.settle(.payout)
      // What a startup has on account is there, and would be what the platform's fee is paid with.
      try await market.receive(20_000_000, "DEPOSIT", from: other)
      try await market.takeBack(ClawbackTests.debt, of: receipt)
      #expect(try await market.balance(.platform, .payableBank) == 0)
      try await market.makeDue(loans[1])
      try await market.receive(100_000, "TWO", from: loans[1].startup)
      let stuck = try await market.settle(.payout)
      #expect(stuck.state == .failed)
      #expect(
        try await market.deadShards(stuck.id).map(\.error).allSatisfy { $0?.contains("client_money_short") == true })
      // All but what is netted of the hundred thousand, less the fee of two thousand.
      try await market.topUp(ClawbackTests.net - 98_000)
      _ = try await market.run(
        ActOnSettlementRun(runID: stuck.id, act: .resume, ifVersion: nil), by: Marketplace.staff())
      try await market.worker(shardWeight: RunPlanner.usualShardWeight).workToEnd()
      #expect(try await market.run(stuck.id).state == .succeeded)
      #expect(try await market.balance(.platform, .bankClient) == 20_000_000)
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  @Test("an overdrawn client account is no drift, and pays nobody of what is not there")
  func overdrawn() async throws {
    try await Marketplace.with { market in
      let (loans, paid, shown) = try await takenBack(market, 2)
      try await market.makeDue(loans[1])
      try await market.receive(100_000, "TWO", from: loans[1].startup)
      let lines = Self.lines(of: paid, shown) + [.init(100_000, "TWO")]
      let taken = try await market.take(BankSheet(name: "S1", on: market.today, lines: lines))
      #expect(taken.breaks == [] && taken.reviews.flatMap(\.drifts).map(\.drift) == [0])
      let stuck = try await market.settle(.payout)
      #expect(stuck.state == .failed)
      #expect(
        try await market.deadShards(stuck.id).map(\.error).allSatisfy { $0?.contains("client_money_short") == true })
    }
  }
}
