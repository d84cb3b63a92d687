import DomainFixtures
import Lending
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import Repayment
import Testing

@testable import Settlement

@Suite("Business days that close", .timeLimit(.minutes(5)))
struct DayCloseTests {
  @Test("a day's own fee is booked on it, and nothing is posted to it any more")
  func closed() async throws {
    try await Marketplace.with { market in
      let loan = try await market.lend(1)[0]
      try await market.pass(days: 0)
      let first = market.today
      let run = try await market.settle(.dayClose)
      #expect(run.state == .succeeded)
      #expect(try await market.number(ShardTests.fees) == 4_000)
      #expect(try await market.closedThrough() == first)
      // What belongs to it is refused, and changes nothing.
      let late = try await market.submit(
        RecordCashReceipt(
          receivedOn: first, amount: Money(5_000, .usd), source: .instalment, payerID: loan.startup.id, reference: nil),
        by: Marketplace.staff())
      #expect(late.refusalCode == "settlement.day_closed")
      let again = try await market.submit(
        PlanSettlementRun(job: .accrual, businessDate: first), by: Marketplace.staff())
      #expect(again.refusalCode == "settlement.day_closed")
      // The next day goes on where it ended: its accrual is of one day only.
      try await market.pass(days: 1)
      _ = try await market.settle(.dayClose)
      #expect(try await market.number(ShardTests.fees) == 8_000)
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  @Test("on the wall clock a day is closed after it has ended, and not before")
  func notOver() async throws {
    try await Marketplace.with { market in
      _ = try await market.lend(1)
      let today = market.today
      func plan() async throws -> String? {
        try await market.submit(
          PlanSettlementRun(job: .dayClose, businessDate: today), by: Marketplace.staff()
        ).refusalCode
      }
      #expect(try await plan() == "settlement.day_not_over")
      market.clock.advance(days: 1)
      #expect(try await plan() == nil)
    }
  }

  @Test("missed days are closed one by one, each with its own fee, and come to what one day after the other comes to")
  func missedDays() async throws {
    try await Marketplace.with { market in
      _ = try await market.lend(2)
      try await market.pass(days: 0)
      let first = market.today
      _ = try await market.settle(.dayClose)
      try await market.pass(days: 6)
      let run = try await market.settle(.dayClose)
      #expect(run.state == .succeeded)
      #expect(try run.sums == ["days": 6, "fee.USD": 48_000, "loans": 12])
      #expect(try await market.number(ShardTests.fees) == 56_000)
      #expect(try await market.closedDays(from: first, to: market.today) == 7)
      // One entry a loan, book and day.
      #expect(try await market.number(Self.feeEntries) == 2 * 2 * 7)
    }
  }

  @Test("a startup that matured is due on that very day, and a second person finds the day closed")
  func maturity() async throws {
    try await Marketplace.with { market in
      let loan = try await market.lend(1)[0]
      try await market.pass(days: 0)
      try await market.pass(days: 180)
      _ = try await market.settle(.dayClose)
      #expect(try await market.loan(loan.id).state == .due)
      let twice = try await market.submit(
        PlanSettlementRun(job: .dayClose, businessDate: market.today), by: Marketplace.staff(2))
      #expect(twice.refusalCode == "settlement.day_closed")
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  @Test("two runs asked for at once close the day once")
  func twice() async throws {
    try await Marketplace.with { market in
      _ = try await market.lend(2)
      try await market.pass(days: 0)
      let ids = [try await market.planRun(.dayClose), try await market.planRun(.dayClose)]
      try await market.withSecondProcess { other in
        async let one: Void = market.worker(shardWeight: 1).workToEnd()
        async let two: Void = other.worker(shardWeight: 1).workToEnd()
        _ = try await (one, two)
      }
      try await market.worker().workToEnd()
      let states = [try await market.run(ids[0]).state, try await market.run(ids[1]).state]
      #expect(states.contains(.succeeded))
      #expect(states.allSatisfy { $0 == .succeeded || $0 == .failed })
      #expect(try await market.number(ShardTests.fees) == 8_000)
      #expect(try await market.closedDays(from: market.today, to: market.today) == 1)
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  @Test("a batch that looked before a day closed is decided again, and refused")
  func race() async throws {
    try await Marketplace.with { market in
      let loan = try await market.lend(1)[0]
      try await market.pass(days: 0)
      let today = market.today
      try await market.makeDue(loan)
      try await withThrowingTaskGroup(of: String?.self) { group in
        for number in 0..<40 {
          group.addTask {
            try await market.submit(
              RecordCashReceipt(
                receivedOn: today, amount: Money(Int64(100 + number), .usd), source: .instalment,
                payerID: loan.startup.id, reference: nil), by: Marketplace.staff(), weight: .heavy
            ).refusalCode
          }
        }
        group.addTask {
          _ = try await market.settle(.dayClose)
          return nil
        }
        for try await code in group { #expect(code == nil || code == "settlement.day_closed") }
      }
      // Not one entry of the day was recorded after it closed.
      #expect(try await market.number(Self.lateEntries) == 0)
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  private static let feeEntries = Statement(
    "test_fee_entries", "select count(*) from journal_entries where kind = 'fee_accrued'", columns: [.int8])
  /// By the order in which the platform's book was written: the chain advances once a batch.
  private static let lateEntries = Statement(
    "test_late_entries",
    """
    select count(*) from journal_entries e, closed_days d
    where e.org_id = '00000000-0000-0000-0000-000000000000' and e.business_date <= d.business_date
      and e.recorded_at > d.closed_at
    """, columns: [.int8])
}
