import DomainFixtures
import Ledger
import Lending
import Operations
import Parties
import Persistence
import Primitives
import PropertyKit
import Repayment
import Testing

@testable import Settlement

@Suite("Money that comes and goes, in whatever order", .timeLimit(.minutes(5)))
struct ClawbackWalkTests {
  @Test("receipts, claw-backs, payouts and top-ups leave books that hold", arguments: 1...5 as ClosedRange<UInt64>)
  func walk(seed: UInt64) async throws {
    try await Marketplace.with { market in
      var walk = try await ClawbackWalk(market, seed: seed)
      for _ in 0..<40 { try await walk.step() }
      try await walk.cover()
      let broken = try await market.lawBreaches()
      #expect(broken == [], "seed \(seed)")
      #expect(walk.done > 20, "seed \(seed) did little: \(walk.done)")
    }
  }
}

/// Acts drawn by a seed, on two lenders and four startups whose loans are all due.
private struct ClawbackWalk {
  private let market: Marketplace
  private let loans: [LentLoan]
  private var random: SplitMix64
  private var receipts: [CashReceiptID] = []
  private var runs: UInt64 = 0
  /// Acts that were not refused.
  private(set) var done = 0

  /// What an act may be refused for, where it comes at the wrong moment.
  private static let refusals: Set<String> = [
    "settlement.client_money_short", "claw_back.more_than_received", "repayment.assigned_before",
    "repayment.not_in_suspense", "repayment.taken_back",
  ]

  init(_ market: Marketplace, seed: UInt64) async throws {
    self.market = market
    random = SplitMix64(seed: seed)
    let (first, second) = (try await market.lend(2), try await market.lend(2, chips: 8))
    loans = first + second
    market.clock.advance(days: 7)
    for loan in loans { try await market.makeDue(loan) }
  }

  var lenders: [Party] { [loans[0].lender, loans[2].lender] }

  mutating func step() async throws {
    switch random.int(in: 0...9) {
    case 0: market.clock.advance(days: random.int64(in: 1...3))
    case 1, 2, 3: try await receive()
    case 4, 5, 6: try await takeBack()
    case 7, 8: try await payOut()
    default: if random.oneIn(2) { try await cover() } else { try await assign() }
    }
  }

  private mutating func note<Outcome>(_ decided: Decided<Outcome>) {
    if let code = decided.refusalCode {
      #expect(Self.refusals.contains(code), "\(code)")
    } else {
      done += 1
    }
  }

  private mutating func receive() async throws {
    let startup = random.oneIn(5) ? nil : try random.pick(loans).startup
    let receipt = try await market.receive(
      random.oneIn(3) ? random.int64(in: 1...50_000) : random.int64(in: 1...9_000_000), "R-\(receipts.count)",
      from: startup)
    receipts.append(receipt.id)
    done += 1
  }

  private mutating func takeBack() async throws {
    guard let id = receipts.randomElement(using: &random) else { return }
    let receipt = try await market.receipt(id)
    let left = receipt.amount.amount - receipt.clawedBack
    guard left > 0 else { return }
    let amount = random.oneIn(3) ? left : random.int64(in: 1...left)
    let order: Clawback.Order = random.oneIn(2) ? .lastLineFirst : .lastRankFirst
    let proposed = try await market.submit(
      market.clawback(amount, of: receipt, order: order), by: Marketplace.staff())
    note(proposed)
    guard let clawback = try? proposed.get().clawback else { return }
    note(
      try await market.submit(
        DecideClawback(clawbackID: clawback.id, act: .approve, ifVersion: nil), by: Marketplace.staff(2)))
  }

  private mutating func payOut() async throws {
    runs += 1
    let run = SettlementRunID(UUIDValue(high: 77, low: runs))
    note(
      try await market.submit(
        PayOutLender(lenderID: random.pick(lenders).id, currency: .usd, runID: run, on: market.today), by: .automation))
  }

  private mutating func assign() async throws {
    guard let id = receipts.randomElement(using: &random) else { return }
    note(
      try await market.submit(
        AssignCashReceipt(receiptID: id, payerID: random.pick(loans).startup.id, ifVersion: nil),
        by: Marketplace.staff()))
  }

  /// Tops up exactly what is short.
  mutating func cover() async throws {
    var short: Int64 = 0
    for code in [AccountCode.bankClient, .payableBank, .clientMoney, .suspense] {
      short -= try await market.balance(.platform, code)
    }
    #expect(short >= 0, "the client accounts hold more than is owed")
    if short > 0 { try await market.topUp(short, "OWN-\(done)") }
    done += 1
  }
}
