import Foundation
import Synchronization

/// Runs blocking work on a thread of its own: sockets and process waits must not hold the few threads of the test runner.
/// It stays the same task, so that what the work expects counts for the test that runs it.
package func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
  try await withTaskExecutorPreference(BlockingExecutor()) { try body() }
}

/// Runs a task's jobs one after the other on a queue that may block.
private final class BlockingExecutor: TaskExecutor {
  private let queue = DispatchQueue(label: "blocking work of a test")

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}

/// Runs `count` bodies at once, each on a thread of its own, and waits for all.
/// - Throws: the first error that any of them threw.
package func concurrently(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws {
  let failures = FirstError()
  let group = DispatchGroup()
  for index in 0..<count {
    group.enter()
    let thread = Thread {
      do { try body(index) } catch { failures.keep(error) }
      group.leave()
    }
    thread.stackSize = 4 << 20
    thread.start()
  }
  group.wait()
  if let error = failures.error { throw error }
}

/// Keeps the first error that comes.
private final class FirstError: Sendable {
  private let held = Mutex<(any Error)?>(nil)
  var error: (any Error)? { held.withLock { $0 } }
  func keep(_ error: any Error) { held.withLock { $0 = $0 ?? error } }
}

/// A list that many threads append to.
package final class Gathered<Element: Sendable>: Sendable {
  private let held = Mutex<[Element]>([])
  package init() {}
  package func append(_ element: Element) { held.withLock { $0.append(element) } }
  package var all: [Element] { held.withLock { $0 } }
}

/// A sign that all threads see.
package final class Flag: Sendable {
  private let held = Atomic<Bool>(false)
  package init() {}
  package var isUp: Bool { held.load(ordering: .acquiring) }
  package func raise() { held.store(true, ordering: .releasing) }
}

/// Asks until it is so, or `seconds` have passed.
package func eventually(within seconds: Double, _ condition: () throws -> Bool) rethrows -> Bool {
  let deadline = ContinuousClock.now + .milliseconds(Int64(seconds * 1_000))
  while ContinuousClock.now < deadline {
    if try condition() { return true }
    usleep(20_000)
  }
  return try condition()
}
