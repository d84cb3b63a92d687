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

@Suite("Settlement runs in shards", .timeLimit(.minutes(5)))
struct ShardTests {
  @Test("a run posts once however often it is started, and its totals and effects are those of its preview")
  func once() async throws {
    try await Marketplace.with { market in
      _ = try await market.lend(3)
      market.clock.advance(days: 10)
      let planner = market.planner(shardWeight: 1)
      let preview = try await planner.preview(.accrual, on: market.today, closedThrough: nil)
      #expect(preview.shards.count == 3 && preview.entryCount == 6)
      // Sixteen chips of 1,000,000 at 90 % and 1,000 basis points over ten days of ACT/360, three times.
      #expect(preview.totals == ["loans": 3, "fee.USD": 3 * 40_000])
      #expect(try await market.number(Self.fees) == 0)

      let run = try await market.settle(.accrual, workers: 2, shardWeight: 1)
      #expect(run.state == .succeeded && run.total == 3 && run.done == 3 && run.dead == 0)
      #expect(run.effectsHash == preview.hash)
      #expect(try run.sums == ["fee.USD": 120_000, "loans": 3])
      #expect(try await market.number(Self.fees) == 120_000)
      let again = try await market.settle(.accrual)
      #expect(try again.state == .succeeded && again.sums == ["loans": 0])
      #expect(try await market.number(Self.fees) == 120_000)
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  @Test("a run that is bound to a preview does exactly that, or nothing")
  func bound() async throws {
    try await Marketplace.with { market in
      let loans = try await market.lend(2)
      market.clock.advance(days: 5)
      let shown = try #require(
        try await market.planner().preview(.accrual, on: market.today, closedThrough: nil).hash)
      // The world moves between the preview and the run: one startup pays a part of its principal.
      try await market.makeDue(loans[0])
      try await market.pay(1_000_000, by: loans[0].startup)
      let run = try await market.settle(.accrual, previewHash: shown)
      #expect(run.state == .failed)
      #expect(run.error?.contains("settlement.preview_differs") == true)
      let fresh = try #require(
        try await market.planner().preview(.accrual, on: market.today, closedThrough: nil).hash)
      #expect(fresh != shown)
      let done = try await market.settle(.accrual, previewHash: fresh)
      #expect(done.state == .succeeded && done.effectsHash == fresh)
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  @Test("a worker that was frozen past its lease posts nothing when it thaws")
  func frozen() async throws {
    try await Marketplace.with { market in
      _ = try await market.lend(1)
      market.clock.advance(days: 1)
      let store = ShardStore(pool: market.pool)
      let worker = market.worker()
      let id = try await market.planRun(.accrual)
      #expect(try await worker.workOnRuns())
      let frozen = try #require(try await store.claim(now: market.clock.now(), until: worker.leaseEnd()))
      // Nobody else may have it while the lease holds.
      #expect(try await store.claim(now: market.clock.now(), until: worker.leaseEnd()) == nil)
      market.clock.advance(seconds: 31)
      let second = try #require(try await store.claim(now: market.clock.now(), until: worker.leaseEnd()))
      #expect(second.lease.attempt == frozen.lease.attempt + 1)
      await worker.settle(second)
      let fees = try await market.number(Self.fees)
      #expect(fees == 4_000)
      await worker.settle(frozen)
      #expect(try await market.number(Self.fees) == fees)
      #expect(try await market.run(id).state == .succeeded)
      // Its lease is gone for everything that it may still write.
      await #expect(throws: LeaseLost.self) { try await store.renew(frozen.lease, until: worker.leaseEnd()) }
      await #expect(throws: LeaseLost.self) {
        try await store.release(frozen.lease, error: "late", notBefore: nil, now: market.clock.now())
      }
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  @Test("a shard that its worker left is taken up, one whose worker died after it ends all the same")
  func abandoned() async throws {
    try await Marketplace.with { market in
      _ = try await market.lend(2)
      market.clock.advance(days: 1)
      let store = ShardStore(pool: market.pool)
      let worker = market.worker(shardWeight: 1)
      let id = try await market.planRun(.accrual)
      #expect(try await worker.workOnRuns())
      // One worker dies with a shard in its hands, another between its shard and the end of the stage.
      _ = try #require(try await store.claim(now: market.clock.now(), until: worker.leaseEnd()))
      let last = try #require(try await store.claim(now: market.clock.now(), until: worker.leaseEnd()))
      let command = try SettleShard(last.plan, of: id, lease: last.lease)
      #expect(try await market.run(command, by: .automation).totals["loans"] == 1)
      #expect(try await !worker.workOnRuns())
      market.clock.advance(seconds: 31)
      try await worker.workToEnd()
      #expect(try await market.run(id).state == .succeeded)
      #expect(try await market.number(Self.fees) == 8_000)
      #expect(try await store.idleRuns() == [])
    }
  }

  @Test("a run whose planner died is planned by the next worker, once")
  func plannerDied() async throws {
    try await Marketplace.with { market in
      _ = try await market.lend(1)
      market.clock.advance(days: 1)
      let store = ShardStore(pool: market.pool)
      let worker = market.worker()
      let id = try await market.planRun(.accrual)
      let dead = try #require(try await store.claimRun(now: market.clock.now(), until: worker.leaseEnd()))
      #expect(try await store.claimRun(now: market.clock.now(), until: worker.leaseEnd()) == nil)
      market.clock.advance(seconds: 31)
      try await worker.workToEnd()
      #expect(try await market.run(id).state == .succeeded)
      // The dead one wakes up and plans its stage: it is fenced off.
      await worker.plan(dead)
      #expect(try await market.run(id).total == 1)
      #expect(try await market.number(Self.fees) == 4_000)
    }
  }

  @Test("a subject that cannot be done is cut free of its neighbours, waits for a person, and a resumed run does it")
  func poison() async throws {
    try await Marketplace.with { market in
      let loans = try await market.lend(5)
      market.clock.advance(days: 1)
      let (store, worker) = (ShardStore(pool: market.pool), market.worker())
      let id = try await market.planRun(.accrual)
      // A currency that is none is a fault of one subject; its neighbours must not suffer for it.
      let run = try #require(try await store.claimRun(now: market.clock.now(), until: worker.leaseEnd()))
      let subjects = loans.map(\.startup.id.value).sorted()
      let poisoned = ShardPlan(
        step: "payout", on: market.today, subjects: subjects, details: ["USD", "USD", "no money", "USD", "USD"],
        weight: 5)
      try await store.plan(
        run, stages: SettlementStage.bytes([SettlementStage(step: .payout, on: market.today)]), [poisoned],
        approval: .notNeeded, now: market.clock.now())
      try await worker.workToEnd()
      let failed = try await market.run(id)
      #expect(failed.state == .failed && failed.dead == 1)
      #expect(failed.error == "1 of 1 parts were given up")
      let dead = try await market.deadShards(id)
      #expect(dead.map(\.subjects) == [[subjects[2]]])
      #expect(dead.first?.error?.contains("details") == true)
      // A person resumes it; what cannot be done is given up again, and nothing is done twice. The attempt goes on from
      // where it was: a worker frozen since before must not hold what is claimed now.
      let before = try #require(dead.first).attempt
      _ = try await market.run(ActOnSettlementRun(runID: id, act: .resume, ifVersion: nil), by: Marketplace.staff())
      try await worker.workToEnd()
      #expect(try await market.run(id).state == .failed)
      let again = try await market.deadShards(id)
      #expect(again.count == 1 && again[0].attempt > before)
    }
  }

  @Test("a run that is cancelled does no more, and one that ended cannot be")
  func cancelled() async throws {
    try await Marketplace.with { market in
      _ = try await market.lend(2)
      market.clock.advance(days: 1)
      let worker = market.worker(shardWeight: 1)
      let id = try await market.planRun(.accrual)
      #expect(try await worker.workOnRuns())
      #expect(try await worker.settleInARow(most: 1))
      _ = try await market.run(ActOnSettlementRun(runID: id, act: .cancel, ifVersion: nil), by: Marketplace.staff())
      try await worker.workToEnd()
      #expect(try await market.run(id).state == .cancelled)
      #expect(try await market.number(Self.fees) == 4_000)
      let late = try await market.submit(
        ActOnSettlementRun(runID: id, act: .cancel, ifVersion: nil), by: Marketplace.staff())
      #expect(late.refusalCode == "settlement.illegal_state")
    }
  }

  @Test("a payout above the limit waits for a second person, who is not the one that asked")
  func approval() async throws {
    try await Marketplace.with { market in
      let loan = try await market.lend(1, chips: 1_200)[0]
      market.clock.advance(days: 30)
      try await market.makeDue(loan)
      // 1,200 chips of 1,000,000 at 90 %: 1,080,000,000 minor units are above the limit of 1,000,000,000.
      try await market.pay(1_080_000_000, by: loan.startup)
      let worker = market.worker()
      let id = try await market.planRun(.payout)
      try await worker.workToEnd()
      let waiting = try await market.run(id)
      #expect(waiting.state == .running && waiting.approval == .awaited && waiting.done == 0)
      #expect(try await market.number(Self.paidOut) == 0)
      func approve(_ person: UInt64) async throws -> String? {
        try await market.submit(
          ActOnSettlementRun(runID: id, act: .approve, ifVersion: nil), by: Marketplace.staff(person)
        ).refusalCode
      }
      #expect(try await approve(1) == "parties.same_person")
      #expect(try await approve(2) == nil)
      #expect(try await approve(2) == "settlement.illegal_state")
      try await worker.workToEnd()
      let done = try await market.run(id)
      #expect(done.state == .succeeded && done.approval == .given)
      #expect(try await market.number(Self.paidOut) > 1_000_000_000)
      let broken = try await market.lawBreaches()
      #expect(broken == [])
    }
  }

  static let fees = Statement(
    "test_fees",
    "select coalesce(-sum(balance), 0)::bigint from accounts where account_code = 'income.fee'", columns: [.int8])
  private static let paidOut = Statement(
    "test_paid_out", "select coalesce(sum(gross), 0)::bigint from payouts", columns: [.int8])
}
