import Glibc
import Synchronization

/// A bounded set of connections, shared by all tasks.
///
/// Callers wait in a bounded queue, in order, each until its own deadline. After a failed or unanswered connect the next
/// attempt begins with the next host of the list.
package final class PostgresPool: Sendable {
  /// What the pool holds at a moment.
  package struct Stats: Sendable, Hashable {
    /// Open and free.
    package let idle: Int
    /// Lent to callers.
    package let inUse: Int
    /// Callers in the queue.
    package let waiting: Int
    /// Idle, lent, connecting, being checked and closing.
    package let open: Int
    /// The most that may be open.
    package let size: Int
    /// Connects that failed in a row.
    package let failures: Int
  }

  typealias Waiter = UnsafeContinuation<Result<Lease, PostgresError>, Never>

  /// One connection lent.
  struct Lease: Sendable {
    let number: Int
    let connection: PostgresConnection
  }

  struct State: Sendable {
    var machine: PoolMachine
    var connections: [Int: PostgresConnection] = [:]
    var waiters: [Int: Waiter] = [:]
    /// Waiters that gave up before they were put into the queue.
    var nextWaiter = 0
    var nextHost = 0
    var lastFailure: PostgresError?
    var maintenance: ReactorTimer?
    var drainWaiters: [UnsafeContinuation<Void, Never>] = []
    var isDrained = false
  }

  let configuration: PostgresConfiguration
  let reactors: [Reactor]
  let limits: PoolMachine.Limits
  let state: Mutex<State>

  /// How often ages are looked at.
  static let maintenanceInterval: Duration = .seconds(1)
  /// How long one attempt to connect may take over all hosts.
  static let connectLimit: Duration = .seconds(15)

  /// A pool of at most `size` connections and `waiters` waiting callers. Nothing is opened before it is asked for, except
  /// `minimum` connections, kept open from the start.
  package init(
    configuration: PostgresConfiguration, size: Int, waiters: Int, reactors: Int = 1, minimum: Int = 0,
    idleLifetime: Duration = .seconds(300), maximumLifetime: Duration = .seconds(1_800)
  ) throws {
    guard size > 0, waiters >= 0, reactors > 0, minimum >= 0, minimum <= size else {
      throw PostgresError(.statementMisuse, "a pool needs a connection and a reactor")
    }
    self.configuration = configuration
    var limits = PoolMachine.Limits(size: size, minimum: minimum, waiters: waiters)
    limits.idleLifetime = idleLifetime
    limits.maximumLifetime = maximumLifetime
    self.limits = limits
    self.reactors = try (0..<reactors).map { _ in try Reactor() }
    state = Mutex(State(machine: PoolMachine(limits: limits)))
    scheduleMaintenance()
    if minimum > 0 { perform(state.withLock { $0.machine.tick(now: .now) }) }
  }

  deinit {
    state.withLock { $0.maintenance }?.cancel()
  }

  /// Lends a connection to `body`. If a block is open or an operation runs when `body` returns, the connection is closed
  /// rather than lent again.
  ///
  /// - Throws: `.poolExhausted` when the queue is full or no connection came free before the deadline (`.connectFailed`
  ///   when the server was the reason), `.poolClosed`, `.cancelled`, and what `body` throws.
  package func withConnection<R>(
    deadline: ContinuousClock.Instant, isolation: isolated (any Actor)? = #isolation,
    _ body: (PostgresConnection) async throws -> R
  ) async throws -> R {
    let lease = try await acquire(deadline: deadline)
    defer { release(lease) }
    return try await body(lease.connection)
  }

  /// Refuses new callers, lets those at work finish, and returns when the last connection is closed.
  package func shutdown() async {
    let (actions, timer) = state.withLock { state in
      let timer = state.maintenance
      state.maintenance = nil
      return (state.machine.shutDown(), timer)
    }
    timer?.cancel()
    perform(actions)
    await withUnsafeContinuation { continuation in
      let isDrained = state.withLock { state in
        if !state.isDrained { state.drainWaiters.append(continuation) }
        return state.isDrained
      }
      if isDrained { continuation.resume() }
    }
  }

  /// What the pool holds now.
  package var stats: Stats {
    state.withLock { state in
      Stats(
        idle: state.machine.idleCount, inUse: state.machine.leasedCount, waiting: state.machine.waitingCount,
        open: state.machine.openCount, size: limits.size, failures: state.machine.failures)
    }
  }

  // MARK: Lending

  func acquire(deadline: ContinuousClock.Instant) async throws(PostgresError) -> Lease {
    if Task.isCancelled { throw PostgresError(.cancelled, "before a connection was lent") }
    let (waiter, fast) = state.withLock { state -> (Int, Lease?) in
      let waiter = state.nextWaiter
      state.nextWaiter += 1
      guard state.machine.idleCount > 0 else { return (waiter, nil) }
      for case .lease(_, let number) in state.machine.acquire(waiter, now: .now) {
        if let connection = state.connections[number] {
          return (waiter, Lease(number: number, connection: connection))
        }
      }
      return (waiter, nil)
    }
    if let fast { return fast }
    return try await acquireSlowly(waiter, deadline: deadline)
  }

  private func acquireSlowly(
    _ waiter: Int, deadline: ContinuousClock.Instant
  ) async throws(PostgresError) -> Lease {
    guard ContinuousClock.now < deadline else {
      throw PostgresError(.poolExhausted, "the deadline passed before a connection was asked for")
    }
    let timer = reactors[0].schedule(at: deadline) { [weak self] in self?.giveUp(waiter) }
    defer { timer.cancel() }
    let result = await withTaskCancellationHandler {
      await withUnsafeContinuation { (continuation: Waiter) in
        perform(
          state.withLock { state in
            state.waiters[waiter] = continuation
            return state.machine.acquire(waiter, now: .now)
          })
        // A cancellation or deadline that came before the waiter was in the queue found nothing to end.
        if Task.isCancelled { cancel(waiter) }
        if ContinuousClock.now >= deadline { giveUp(waiter) }
      }
    } onCancel: {
      cancel(waiter)
    }
    return try result.get()
  }

  private func giveUp(_ waiter: Int) {
    let failure = state.withLock { $0.machine.failures > 0 ? $0.lastFailure : nil }
    abandon(waiter, failure ?? PostgresError(.poolExhausted, "no connection before the deadline"))
  }

  private func cancel(_ waiter: Int) {
    abandon(waiter, PostgresError(.cancelled, "while waiting for a connection"))
  }

  private func abandon(_ waiter: Int, _ error: PostgresError) {
    let continuation = state.withLock { state in
      state.machine.abandon(waiter) ? state.waiters.removeValue(forKey: waiter) : nil
    }
    continuation?.resume(returning: .failure(error))
  }

  func release(_ lease: Lease) {
    let health = lease.connection.health.load(ordering: .acquiring)
    perform(
      state.withLock { $0.machine.release(lease.number, isReusable: health == .reusable, now: .now) })
  }
}
