/// The pure half of the pool: who holds which connection, who waits, and what must be done next.
///
/// Events in, actions out; the shell runs the actions after it has let go of the lock. Times are given, never read.
struct PoolMachine: Sendable {
  typealias Instant = ContinuousClock.Instant

  /// Bounds and ages.
  struct Limits: Sendable {
    /// Connections at most.
    var size: Int
    /// Connections kept open even when nobody asks.
    var minimum: Int
    /// Callers waiting at most.
    var waiters: Int
    /// An idle connection above the minimum ends after this.
    var idleLifetime: Duration = .seconds(300)
    /// Every connection ends after this, so that sessions follow a changed DNS or role.
    var maximumLifetime: Duration = .seconds(1_800)
    /// An idle connection is asked for a sign of life after this.
    var checkInterval: Duration = .seconds(30)
    /// The pause after a first failed connect; doubled with each failure up to the maximum.
    var firstBackoff: Duration = .milliseconds(50)
    var maximumBackoff: Duration = .seconds(2)
  }

  enum Action: Sendable, Equatable {
    /// Give the connection to the waiter.
    case lease(waiter: Int, connection: Int)
    /// The waiter gets nothing.
    case refuse(waiter: Int, Refusal)
    /// Open a connection under this number.
    case connect(Int)
    /// Close a connection; `closed` reports the end.
    case close(Int)
    /// Ask an idle connection for a sign of life; `checked` reports it.
    case check(Int)
    /// Call `tick` after this pause.
    case wake(after: Duration)
    /// The last connection is gone after a shutdown.
    case drained
  }

  enum Refusal: Sendable, Equatable {
    case exhausted, closed
  }

  enum SlotState: Sendable, Equatable {
    case connecting
    case idle(since: Instant)
    case checking
    case leased
    case closing
  }

  struct Slot: Sendable {
    var state: SlotState
    var openedAt: Instant
    var checkedAt: Instant
  }

  private let limits: Limits
  private(set) var slots: [Int: Slot] = [:]
  /// Idle connections, the most recently used last: warm ones are used first and cold ones age out.
  private var idle: [Int] = []
  private var waiters: [Int] = []
  private var firstWaiter = 0
  private var nextConnection = 0
  private(set) var failures = 0
  private var mayConnectAt: Instant?
  private(set) var isShutDown = false

  init(limits: Limits) {
    self.limits = limits
  }

  var waitingCount: Int { waiters.count - firstWaiter }
  var idleCount: Int { idle.count }
  var leasedCount: Int { slots.values.count { $0.state == .leased } }
  var openCount: Int { slots.count }
  private var connectingCount: Int { slots.values.count { $0.state == .connecting } }

  // MARK: Callers

  /// A caller asks for a connection. `waiter` is fresh and never used again.
  mutating func acquire(_ waiter: Int, now: Instant) -> [Action] {
    guard !isShutDown else { return [.refuse(waiter: waiter, .closed)] }
    if let connection = idle.popLast() {
      slots[connection]?.state = .leased
      return [.lease(waiter: waiter, connection: connection)]
    }
    guard waitingCount < limits.waiters else { return [.refuse(waiter: waiter, .exhausted)] }
    waiters.append(waiter)
    return grow(now: now)
  }

  /// A waiter gave up. False when it has its answer already.
  mutating func abandon(_ waiter: Int) -> Bool {
    guard let index = waiters[firstWaiter...].firstIndex(of: waiter) else { return false }
    waiters.remove(at: index)
    return true
  }

  /// A caller gives a connection back.
  mutating func release(_ connection: Int, isReusable: Bool, now: Instant) -> [Action] {
    guard slots[connection]?.state == .leased else { return [] }
    guard isReusable, !isShutDown, !isOverAge(connection, now: now) else { return retire(connection) }
    slots[connection]?.checkedAt = now
    return park(connection, now: now)
  }

  // MARK: Connections

  /// A connection asked for is open.
  mutating func connected(_ connection: Int, now: Instant) -> [Action] {
    guard slots[connection]?.state == .connecting else { return [.close(connection)] }
    failures = 0
    mayConnectAt = nil
    guard !isShutDown else { return retire(connection) }
    slots[connection]?.openedAt = now
    slots[connection]?.checkedAt = now
    // Growth was held to one attempt while the server failed; now the rest may follow.
    return park(connection, now: now) + grow(now: now)
  }

  /// A connection asked for could not be opened. `jitter` is within 0..<1.
  mutating func connectFailed(_ connection: Int, now: Instant, jitter: Double) -> [Action] {
    guard slots[connection]?.state == .connecting else { return [] }
    slots[connection] = nil
    if isShutDown { return drainedIfEmpty() }
    failures = min(failures + 1, 16)
    let pause = min(limits.firstBackoff * (1 << (failures - 1)), limits.maximumBackoff)
    let jittered = pause / 2 + (pause / 2) * jitter
    mayConnectAt = now + jittered
    return [.wake(after: jittered)]
  }

  /// A connection is gone, by our wish or not.
  mutating func closed(_ connection: Int, now: Instant) -> [Action] {
    guard let slot = slots[connection] else { return [] }
    // A leased one is counted until its holder lets go, or the pool would grow beyond its size.
    if slot.state == .leased || slot.state == .connecting { return [] }
    slots[connection] = nil
    idle.removeAll { $0 == connection }
    return isShutDown ? drainedIfEmpty() : grow(now: now)
  }

  /// An idle connection gave a sign of life, or none.
  mutating func checked(_ connection: Int, isAlive: Bool, now: Instant) -> [Action] {
    guard slots[connection]?.state == .checking else { return [] }
    guard isAlive, !isShutDown else { return retire(connection) }
    slots[connection]?.checkedAt = now
    return park(connection, now: now)
  }

  /// Time has passed: ages idle connections, asks for signs of life, and connects again after a pause.
  mutating func tick(now: Instant) -> [Action] {
    guard !isShutDown else { return [] }
    var actions: [Action] = []
    for connection in idle {
      guard let slot = slots[connection], case .idle(let since) = slot.state else { continue }
      let isSurplus = slots.count > limits.minimum && now - since >= limits.idleLifetime
      if isSurplus || isOverAge(connection, now: now) {
        idle.removeAll { $0 == connection }
        actions += retire(connection)
      } else if now - slot.checkedAt >= limits.checkInterval {
        idle.removeAll { $0 == connection }
        slots[connection]?.state = .checking
        actions.append(.check(connection))
      }
    }
    return actions + grow(now: now)
  }

  /// The server is in doubt: every idle connection is asked for a sign of life.
  mutating func checkAll() -> [Action] {
    guard !isShutDown else { return [] }
    let suspects = idle
    idle = []
    for connection in suspects { slots[connection]?.state = .checking }
    return suspects.map { .check($0) }
  }

  /// Refuses all who wait and closes what is idle; leased connections end when they come back.
  mutating func shutDown() -> [Action] {
    guard !isShutDown else { return drainedIfEmpty() }
    isShutDown = true
    var actions = waiters[firstWaiter...].map { Action.refuse(waiter: $0, .closed) }
    waiters = []
    firstWaiter = 0
    for connection in idle { actions += retire(connection) }
    idle = []
    return actions + drainedIfEmpty()
  }

  // MARK: Steps

  /// Gives a free connection to the first waiter, or keeps it.
  private mutating func park(_ connection: Int, now: Instant) -> [Action] {
    if firstWaiter < waiters.count {
      let waiter = waiters[firstWaiter]
      firstWaiter += 1
      if firstWaiter == waiters.count || firstWaiter > 1_024 {
        waiters.removeFirst(firstWaiter)
        firstWaiter = 0
      }
      slots[connection]?.state = .leased
      return [.lease(waiter: waiter, connection: connection)]
    }
    slots[connection]?.state = .idle(since: now)
    idle.append(connection)
    return []
  }

  private mutating func retire(_ connection: Int) -> [Action] {
    slots[connection]?.state = .closing
    return [.close(connection)]
  }

  /// Opens what the waiters or the minimum need; after failures one attempt at a time, and none before the pause is over.
  private mutating func grow(now: Instant) -> [Action] {
    guard !isShutDown else { return [] }
    if let mayConnectAt, now < mayConnectAt { return [] }
    var connecting = connectingCount
    let wanted = max(waitingCount - connecting, limits.minimum - slots.count)
    var missing = min(wanted, limits.size - slots.count)
    if failures > 0 { missing = min(missing, 1 - connecting) }
    var actions: [Action] = []
    while missing > 0 {
      let connection = nextConnection
      nextConnection += 1
      slots[connection] = Slot(state: .connecting, openedAt: now, checkedAt: now)
      actions.append(.connect(connection))
      missing -= 1
      connecting += 1
    }
    return actions
  }

  private func isOverAge(_ connection: Int, now: Instant) -> Bool {
    guard let slot = slots[connection] else { return true }
    return now - slot.openedAt >= limits.maximumLifetime
  }

  private func drainedIfEmpty() -> [Action] {
    slots.isEmpty ? [.drained] : []
  }
}
