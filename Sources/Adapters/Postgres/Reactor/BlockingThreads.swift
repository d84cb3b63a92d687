import Glibc
import Synchronization

/// Runs calls that block outside of our control (name look-ups, cancel requests) on a bounded number of threads.
final class BlockingThreads: Sendable {
  private struct State {
    var running = 0
    var backlog: [@Sendable () -> Void] = []
  }

  private let state = Mutex(State())
  private let limit: Int
  private let backlog: Int

  /// At most `limit` threads, which end when idle, and `backlog` calls waiting for one.
  init(limit: Int, backlog: Int) {
    self.limit = limit
    self.backlog = backlog
  }

  /// Starts or queues a call; false when the queue is full or no thread can be made, and then it never runs.
  func submit(_ work: @escaping @Sendable () -> Void) -> Bool {
    enum Plan { case spawn, queued, refused }
    let plan: Plan = state.withLock { state in
      if state.running < limit {
        state.running += 1
        return .spawn
      }
      guard state.backlog.count < backlog else { return .refused }
      state.backlog.append(work)
      return .queued
    }
    guard plan == .spawn else { return plan == .queued }
    let started = Self.spawn {
      var next: (@Sendable () -> Void)? = work
      while let work = next {
        work()
        next = self.state.withLock { state in
          guard !state.backlog.isEmpty else {
            state.running -= 1
            return nil
          }
          return state.backlog.removeFirst()
        }
      }
    }
    if !started { state.withLock { $0.running -= 1 } }
    return started
  }

  private final class Body: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  /// Runs `body` on a detached thread that takes no signals; false when the process has no thread to give.
  static func spawn(_ body: @escaping @Sendable () -> Void) -> Bool {
    var everything = sigset_t()
    var before = sigset_t()
    sigfillset(&everything)
    pthread_sigmask(SIG_SETMASK, &everything, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    let box = Unmanaged.passRetained(Body(body))
    var thread = pthread_t()
    let code = pthread_create(
      &thread, nil,
      { argument in
        if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
        return nil
      }, box.toOpaque())
    guard code == 0 else {
      box.release()
      return false
    }
    pthread_detach(thread)
    return true
  }
}
