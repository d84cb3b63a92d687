import Glibc
import Synchronization

/// One thread with a poll loop, and the serial executor of the connections that live on it.
///
/// Every libpq call of a connection runs on its reactor's thread, so a connection needs no locks. poll(2) because a pool
/// has tens of sockets, and no Dispatch sources because those have been seen to free a source in use when they churn.
/// The thread lives as long as something refers to the reactor; there is nothing to shut down.
package final class Reactor: SerialExecutor, Sendable {
  let core: ReactorCore
  /// The same thread for the unisolated steps of an exchange. A continuation resumes on the task's executor before it
  /// returns to its actor's; without this preference each wait for the socket would cross to the global pool and back,
  /// which was measured to cost a third of a pipelined read.
  let taskExecutor: ReactorTaskExecutor
  /// Threads for the name look-ups of connections on this reactor, which block for as long as the resolver likes.
  let resolvers = BlockingThreads(limit: 4, backlog: 64)
  /// Threads for cancel requests, which connect and wait for the server.
  let cancellers = BlockingThreads(limit: 4, backlog: 64)

  /// Starts the thread; fails when the process is out of descriptors or threads.
  package init() throws(PostgresError) {
    core = try ReactorCore()
    taskExecutor = ReactorTaskExecutor(core: core)
    try core.start()
  }

  deinit {
    core.stop()
  }

  package func enqueue(_ job: consuming ExecutorJob) {
    core.post(.job(UnownedJob(job), asUnownedSerialExecutor()))
  }

  package func asUnownedSerialExecutor() -> UnownedSerialExecutor {
    UnownedSerialExecutor(ordinary: self)
  }

  package func checkIsolated() {
    precondition(core.isCurrentThread, "not on the reactor's thread")
  }

  /// Runs `action` on the reactor's thread once `deadline` has passed, unless the timer is cancelled before.
  func schedule(at deadline: ContinuousClock.Instant, _ action: @escaping @Sendable () -> Void) -> ReactorTimer {
    let watch = Watch()
    watch.deadline = deadline
    watch.onWake = { _ in action() }
    watch.isTimer = true
    core.post(.attach(watch))
    return ReactorTimer(core: core, watch: watch)
  }
}

/// The reactor's thread as a task executor.
final class ReactorTaskExecutor: TaskExecutor {
  private let core: ReactorCore

  init(core: ReactorCore) {
    self.core = core
  }

  func enqueue(_ job: consuming ExecutorJob) {
    core.post(.taskJob(UnownedJob(job), asUnownedTaskExecutor()))
  }
}

/// A timer that may be cancelled from any thread; cancelling one that has fired does nothing.
struct ReactorTimer: Sendable {
  let core: ReactorCore
  let watch: Watch

  func cancel() {
    core.post(.detach(watch))
  }
}

/// Why a wait ended.
enum Wake: Sendable, Equatable {
  /// The socket has these poll(2) events.
  case ready(Int16)
  /// The deadline passed first.
  case deadline
  /// Another thread asked for attention.
  case signalled
}

/// One thing the reactor waits for: a socket, a point in time, or a signal from another thread.
///
/// Unchecked because all fields belong to the reactor's thread once the watch is attached.
final class Watch: @unchecked Sendable {
  var fd: Int32 = -1
  var events: Int16 = 0
  var deadline: ContinuousClock.Instant?
  /// The suspended exchange, if one waits.
  var continuation: UnsafeContinuation<Wake, Never>?
  /// Called instead, while no exchange waits.
  var onWake: ((Wake) -> Void)?
  var isTimer = false
  /// A signal that came while nothing waited; it ends the next wait at once.
  var signalled = false
  /// Place in the reactor's list, -1 when detached.
  var slot = -1
  /// A timer cancelled before it was attached must not be attached.
  var isRetired = false

  init() {}
}
