import Matching
import Operations
import Persistence
import Postgres
import Primitives

/// When rounds of the whole market are planned by themselves. Both are off unless set.
package struct RoundSchedule: Sendable, Hashable {
  /// One round in each stretch of wall time of so many seconds.
  package var everySeconds: Int64?
  /// One round once so many seconds have passed since the newest order, and no other came. A market that never pauses
  /// is served by `everySeconds`.
  package var afterSeconds: Int64?

  package init(everySeconds: Int64? = nil, afterSeconds: Int64? = nil) {
    self.everySeconds = everySeconds
    self.afterSeconds = afterSeconds
  }

  package static let never = RoundSchedule()
}

/// What this process has planned, so that it does not ask the pipeline for the same twice a second.
struct PlannedSoFar {
  var slot: Int64?
  var newestOrder: Int64?
}

extension RunWorker {
  /// Plans the rounds that are due. A round has a key made of what it is due for, a stretch of time or the newest order:
  /// however many processes plan it, it is planned once.
  func planDueRounds(_ planned: inout PlannedSoFar) async throws {
    guard schedule != .never else { return }
    let now = clock.now().microseconds
    let due = try await RoundsDue.read(pool, deadline: deadline)
    if let every = schedule.everySeconds, every > 0 {
      let slot = now / 1_000_000 / every
      if planned.slot != slot {
        if !due.isPlanned { try await plan("every:\(every):\(slot)") }
        planned.slot = slot
      }
    }
    // A round that waits will see the order; once that round is under way, the order is due for one of its own.
    if let after = schedule.afterSeconds, let newest = due.newestOrder, planned.newestOrder != newest, !due.isPlanned,
      newest <= now - after * 1_000_000
    {
      try await plan("after:\(newest)")
      planned.newestOrder = newest
    }
  }

  private func plan(_ due: String) async throws {
    _ = try await pipeline.runChild(PlanMatchRound(segment: .whole), key: "match:\(due)") { _ in ["rounds": 1] }
  }
}
