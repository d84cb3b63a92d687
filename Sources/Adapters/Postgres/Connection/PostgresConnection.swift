import CLibPQ
import Glibc
import Synchronization

/// One session with a PostgreSQL server, living on its reactor's thread.
///
/// Operations of several tasks are taken in turn. A deadline that passes closes the connection, because the answer may
/// still be under way; a cancelled task sends a cancel, waits for the answer and keeps the connection, unless a commit may
/// be part of what was sent: that is always waited for.
package actor PostgresConnection {
  /// The thread that this connection lives on.
  package nonisolated let reactor: Reactor
  package nonisolated var unownedExecutor: UnownedSerialExecutor { reactor.asUnownedSerialExecutor() }

  /// What a pool may do with the connection, readable from any thread.
  enum Health: UInt8, AtomicRepresentable, Sendable {
    /// Between operations, no block open, nothing left over.
    case reusable
    /// An operation runs or a block is open, or the session was changed.
    case occupied
    case closed
  }

  nonisolated let health = Atomic<Health>(.occupied)
  nonisolated let watch = Watch()
  /// Which host of the configuration this connection goes to.
  nonisolated let hostIndex: Int

  var handle: ConnectionHandle?
  var closedBy: PostgresError?
  var block = BlockState.none
  /// Set once the session differs from a fresh one in a way that the next user of it would notice.
  var isAltered = false
  var prepared: [String: PreparedStatement] = [:]
  var preparedByShape: [ObjectIdentifier: PreparedStatement] = [:]
  var listeners: [String: [NotificationSink]] = [:]

  private var isBusy = false
  private var turns: [Turn] = []
  private var onClosed: (@Sendable (_ wasUnanswered: Bool) -> Void)?
  /// Whether a deadline closed the connection.
  var wasUnanswered = false

  var valuePointers: [UnsafePointer<CChar>?] = []
  var valueLengths: [Int32] = []
  /// Every value travels in binary.
  var valueFormats: [Int32] = []

  /// At most this many operations wait for their turn on one connection.
  static let maximumTurns = 256
  /// How long a cancelled statement may take to end before the connection is closed.
  static let drainLimit: Duration = .seconds(5)

  init(reactor: Reactor, hostIndex: Int) {
    self.reactor = reactor
    self.hostIndex = hostIndex
  }

  deinit {
    reactor.core.post(.detach(watch))
  }

  /// Connects to the first host that takes the connection, trying each of its addresses in turn.
  ///
  /// - Throws: `.connectFailed` with the last host's words, `.deadlineExceeded`, or `.cancelled`.
  package static func connect(
    _ configuration: PostgresConfiguration, reactor: Reactor, deadline: ContinuousClock.Instant
  ) async throws -> PostgresConnection {
    try await connect(configuration, reactor: reactor, startingAt: 0, deadline: deadline)
  }

  /// Runs one statement.
  package nonisolated func run(_ query: Query, deadline: ContinuousClock.Instant) async throws -> ResultSet {
    let results = try await pipeline([query], deadline: deadline)
    guard let result = results.first else { throw PostgresError(.protocolViolation, "no result") }
    return result
  }

  /// Runs several statements in one round trip, as one implicit transaction unless begin and commit are among them.
  ///
  /// The first error aborts the rest and is thrown with its index; the connection stays usable.
  package nonisolated func pipeline(
    _ queries: [Query], deadline: ContinuousClock.Instant
  ) async throws -> [ResultSet] {
    let batch = try EncodedBatch(queries)
    return try await withTaskExecutorPreference(reactor.taskExecutor) {
      try await exchange(batch, deadline: deadline)
    }
  }

  /// Closes the connection. Operations that run or wait on it fail with `.connectionLost`.
  package func close() {
    shut(PostgresError(.connectionLost, "closed by its owner"))
  }

  /// Whether the connection is known to be gone. May be read from any thread; false may be out of date at once.
  package nonisolated var isClosed: Bool { health.load(ordering: .acquiring) == .closed }

  /// Calls `action` once, on the reactor's thread, when the connection is closed for whatever reason.
  func whenClosed(_ action: @escaping @Sendable (_ wasUnanswered: Bool) -> Void) {
    if handle == nil { action(wasUnanswered) } else { onClosed = action }
  }

  // MARK: Turns

  /// One operation waiting for those before it.
  private final class Turn {
    let watch = Watch()
    var isGranted = false
  }

  /// Waits until no other operation runs. Every turn taken must be given back.
  func takeTurn(until deadline: ContinuousClock.Instant, shielded: Bool) async throws(PostgresError) {
    guard isBusy else {
      isBusy = true
      health.store(.occupied, ordering: .releasing)
      return
    }
    guard turns.count < Self.maximumTurns else {
      throw PostgresError(.poolExhausted, "too many operations wait on one connection")
    }
    let turn = Turn()
    let core = reactor.core
    let waiting = turn.watch
    turns.append(turn)
    core.attach(waiting)
    defer { core.detach(waiting) }
    let failure: PostgresError? = await withTaskCancellationHandler {
      while !turn.isGranted {
        if Task.isCancelled, !shielded { return PostgresError(.cancelled) }
        if ContinuousClock.now >= deadline { return PostgresError(.deadlineExceeded, "waiting for the connection") }
        _ = await park(waiting, events: 0, until: deadline)
      }
      return nil
    } onCancel: {
      core.post(.signal(waiting))
    }
    if let failure {
      turns.removeAll { $0 === turn }
      throw failure
    }
  }

  /// Lets the next operation in, or arms the idle watch.
  func giveTurn() {
    if !turns.isEmpty {
      let next = turns.removeFirst()
      next.isGranted = true
      reactor.core.nudge(next.watch)
      return
    }
    isBusy = false
    armIdle()
    updateHealth()
  }

  private func updateHealth() {
    guard let handle else { return health.store(.closed, ordering: .releasing) }
    let isClean = !isAltered && PQtransactionStatus(handle.raw) == PQTRANS_IDLE
    health.store(isClean ? .reusable : .occupied, ordering: .releasing)
  }

  // MARK: Waiting

  /// Suspends until the watch wakes. Runs on the reactor's thread and leaves it free meanwhile.
  func park(_ watch: Watch, events: Int16, until deadline: ContinuousClock.Instant?) async -> Wake {
    if watch.signalled {
      watch.signalled = false
      return .signalled
    }
    watch.events = events
    watch.deadline = deadline
    return await withUnsafeContinuation { watch.continuation = $0 }
  }

  /// Waits for the socket.
  func waitForSocket(_ events: Int32, until deadline: ContinuousClock.Instant) async -> Wake {
    watch.fd = handle?.socket ?? -1
    return await park(watch, events: Int16(truncatingIfNeeded: events), until: deadline)
  }

  /// While idle, whatever the server says (a notification, its shutdown) is read at once.
  private func armIdle() {
    guard let handle else { return }
    watch.fd = handle.socket
    watch.events = Int16(POLLIN)
    watch.deadline = nil
    watch.onWake = { [weak self] _ in
      self?.assumeIsolated { $0.readWhileIdle() }
    }
  }

  func disarmIdle() {
    watch.onWake = nil
    watch.events = 0
  }

  private func readWhileIdle() {
    guard let handle, !isBusy else { return }
    if PQconsumeInput(handle.raw) == 0 || handle.isBad {
      lose(.connectionLost)
      return
    }
    deliverNotifications()
  }

  // MARK: Closing

  /// The open handle, or why there is none.
  func openHandle() throws(PostgresError) -> ConnectionHandle {
    guard let handle else { throw closedBy ?? PostgresError(.connectionLost, "the connection is closed") }
    return handle
  }

  /// Closes the connection after a failure, and says what the failure means.
  @discardableResult
  func lose(_ kind: PostgresError.Kind, _ detail: String? = nil, query: (Int, String)? = nil) -> PostgresError {
    let fatal = handle?.notices.lastFatal
    let error = PostgresError(
      kind, detail ?? fatal?.text ?? handle?.message ?? "", sqlState: fatal?.sqlState, statementIndex: query?.0,
      statementName: query?.1)
    // Those who come later did not lose anything by it: for them the connection is just gone.
    shut(error.turned(into: .connectionLost))
    return error
  }

  private func shut(_ reason: PostgresError) {
    guard let handle else { return }
    self.handle = nil
    closedBy = reason
    health.store(.closed, ordering: .releasing)
    disarmIdle()
    handle.finish()
    watch.fd = -1
    // An operation in flight wakes up and finds the connection closed.
    reactor.core.nudge(watch)
    for sink in listeners.values.joined() { sink.finish() }
    listeners = [:]
    onClosed?(wasUnanswered)
    onClosed = nil
  }
}

/// A statement that the server has prepared on one connection.
final class PreparedStatement {
  let shape: Statement.Shape
  /// Column names and types of the last result, used again for the next.
  var layout: ResultSet.Layout?

  init(_ shape: Statement.Shape) {
    self.shape = shape
  }
}
